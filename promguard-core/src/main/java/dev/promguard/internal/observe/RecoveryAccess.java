package dev.promguard.internal.observe;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.Identity;
import dev.promguard.spi.StateStore;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * How a recovery gets in, and what it was told.
 *
 * @param identities what to log in with beside the mesh's own key; the caller's to close
 * @param hostKeys the SSH host keys that the user gave, by the host's name or id
 * @param authorities the keys of those who vouch for hosts
 * @param trustOnFirstUse whether the user has allowed to trust the key that a host shows
 * @param backup where a copy of the state or of the login key is
 * @param leftOut the names or ids of hosts that are not to be part of the state
 * @param replace whether a state that is there is to be replaced
 */
public record RecoveryAccess(
        List<Identity> identities,
        Map<String, Set<HostKeyFingerprint>> hostKeys,
        Set<HostKeyFingerprint> authorities,
        boolean trustOnFirstUse,
        Optional<StateStore> backup,
        Set<String> leftOut,
        boolean replace) {
    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     */
    public RecoveryAccess {
        identities = List.copyOf(identities);
        Map<String, Set<HostKeyFingerprint>> copy = new HashMap<>();
        hostKeys.forEach((host, keys) -> copy.put(host, Set.copyOf(keys)));
        hostKeys = Map.copyOf(copy);
        authorities = Set.copyOf(authorities);
        Objects.requireNonNull(backup, "backup");
        leftOut = Set.copyOf(leftOut);
    }

    /**
     * Whether a host is not to be part of the state.
     *
     * @param name its name
     * @param id the provider's id for it
     * @return true if so
     */
    public boolean leavesOut(String name, String id) {
        return leftOut.contains(name) || leftOut.contains(id);
    }
}
