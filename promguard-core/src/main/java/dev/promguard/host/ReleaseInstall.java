package dev.promguard.host;

import dev.promguard.blueprint.Release;
import java.util.List;
import java.util.Objects;

/**
 * A release that should be unpacked on a host.
 *
 * @param release which release; the host's architecture chooses the tarball
 * @param binaries the programs to take from the tarball, by file name
 */
public record ReleaseInstall(Release release, List<String> binaries) {
    /** The folder on the hosts that holds all releases. */
    public static final String HOME = "/opt/promguard/";

    /**
     * Copies the list.
     *
     * @throws NullPointerException if something is null
     * @throws IllegalArgumentException if a binary's name is not a plain file name
     */
    public ReleaseInstall {
        Objects.requireNonNull(release, "release");
        binaries = List.copyOf(binaries);
        for (String binary : binaries) {
            if (!binary.matches("[a-z][a-z0-9_-]{0,62}")) {
                throw new IllegalArgumentException("binary \"" + binary + "\" is not a plain file name");
            }
        }
    }

    /**
     * The folder on the host.
     *
     * @return such as {@code /opt/promguard/node_exporter-1.12.1}
     */
    public String folder() {
        return HOME + release.name() + '-' + release.version();
    }

    /**
     * Where a program is on the host.
     *
     * @param binary one of {@link #binaries()}
     * @return its absolute path
     */
    public String path(String binary) {
        return folder() + '/' + binary;
    }
}
