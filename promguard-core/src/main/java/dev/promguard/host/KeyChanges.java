package dev.promguard.host;

import dev.promguard.keys.PublicKey;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Which keys a host is to get, without the keys.
 *
 * @param own the public key, or the stand-in for it, of a new key pair; empty if the host keeps the pair that it has
 * @param preshared the peers that it gets a new preshared key for
 */
public record KeyChanges(Optional<PublicKey> own, Set<String> preshared) {
    /** No new key. */
    public static final KeyChanges NONE = new KeyChanges(Optional.empty(), Set.of());

    /**
     * Copies the set.
     *
     * @throws NullPointerException if something is null
     */
    public KeyChanges {
        Objects.requireNonNull(own, "own");
        preshared = Set.copyOf(preshared);
    }

    /**
     * Whether there is none.
     *
     * @return true if the host keeps every key that it has
     */
    public boolean isEmpty() {
        return own.isEmpty() && preshared.isEmpty();
    }
}
