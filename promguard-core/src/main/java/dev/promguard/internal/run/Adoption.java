package dev.promguard.internal.run;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.Identity;
import java.util.List;
import java.util.Set;

/**
 * How to get in to a host that somebody else created and that is to become the mesh's.
 *
 * @param hostKeys the SSH host keys that the user gave
 * @param trustOnFirstUse whether the user has allowed to trust the key that it shows
 * @param identities what to log in with beside the mesh's own key; their owner closes them
 */
public record Adoption(Set<HostKeyFingerprint> hostKeys, boolean trustOnFirstUse, List<Identity> identities) {
    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     */
    public Adoption {
        hostKeys = Set.copyOf(hostKeys);
        identities = List.copyOf(identities);
    }
}
