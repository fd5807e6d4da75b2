package dev.promguard.host;

import dev.promguard.keys.Secret;
import dev.promguard.keys.WireGuardKeyPair;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The keys that a host is to get. They belong to the caller, who closes them.
 *
 * @param own its own key pair; empty if it keeps the one it has
 * @param preshared the preshared keys to share with peers, by the peer's host name; those not named stay
 */
public record NewKeys(Optional<WireGuardKeyPair> own, Map<String, Secret> preshared) {
    /** No new key. */
    public static final NewKeys NONE = new NewKeys(Optional.empty(), Map.of());

    /**
     * Copies the map.
     *
     * @throws NullPointerException if something is null
     */
    public NewKeys {
        Objects.requireNonNull(own, "own");
        preshared = Map.copyOf(preshared);
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
