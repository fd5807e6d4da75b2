package dev.promguard.internal.text;

import java.util.Optional;

/** The version of PromGuard that runs. */
public final class Version {
    private Version() {}

    /**
     * The version.
     *
     * @return such as {@code 1.2.3}, or a few words where it does not run from a release
     */
    public static String running() {
        return Optional.ofNullable(Version.class.getPackage().getImplementationVersion())
                .orElse("(not from a release)");
    }
}
