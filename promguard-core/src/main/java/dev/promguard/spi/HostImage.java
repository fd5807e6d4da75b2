package dev.promguard.spi;

import java.util.Objects;
import java.util.Optional;

/**
 * The image that a host's disk was made from.
 *
 * @param id the provider's id of it
 * @param slug the provider's word for it; empty if it has none, or none any more
 * @param own whether it is an image of the account's own, such as a snapshot, which never has such a word
 */
public record HostImage(String id, Optional<String> slug, boolean own) {
    /**
     * Checks that all are there.
     *
     * @throws NullPointerException if one is null
     */
    public HostImage {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(slug, "slug");
    }

    /**
     * Whether a spec asks for another image. A word that the provider has taken from an old image cannot be compared.
     *
     * @param wanted an id or a word, as a spec has it
     * @return true if it is certainly another one
     */
    public boolean differsFrom(String wanted) {
        if (wanted.equals(id) || slug.filter(wanted::equals).isPresent()) {
            return false;
        }
        boolean byId = !wanted.isEmpty() && wanted.chars().allMatch(c -> c >= '0' && c <= '9');
        return byId || own || slug.isPresent();
    }

    /**
     * The image as a spec would name it.
     *
     * @return the word for it, or else its id
     */
    @Override
    public String toString() {
        return slug.orElse(id);
    }
}
