package dev.promguard.change;

import dev.promguard.blueprint.Names;
import java.util.Objects;
import java.util.Optional;

/**
 * What an apply would change on a host, in words for a person.
 *
 * @param text what would change and to what, in a line; of a host that could not be looked at, why
 * @param drift whether somebody changed this on the host since the last apply; false where the wish changed, and where it is not
 *     known what the last apply put there
 * @param diff for a file, the difference from what is on the host to what is wished as a unified diff, ending in a line end. What
 *     looks like a secret is masked, what a terminal might obey is escaped, and length is bounded. Empty for what is no file, and
 *     where the content on the host is not known
 */
public record PlannedChange(String text, boolean drift, Optional<String> diff) {
    /**
     * Checks that all are there, and replaces in the text what a terminal might obey or hide.
     *
     * @throws NullPointerException if one is null
     */
    public PlannedChange {
        text = Names.printable(text);
        Objects.requireNonNull(diff, "diff");
    }

    /**
     * A change of the wish that is no file's.
     *
     * @param text what would change
     * @return the change
     */
    public static PlannedChange wished(String text) {
        return new PlannedChange(text, false, Optional.empty());
    }

    /**
     * The change as a plan shows it.
     *
     * @return the text behind {@code !} where it is drift and {@code ~} where it is a change of the wish
     */
    @Override
    public String toString() {
        return (drift ? "! " : "~ ") + text;
    }
}
