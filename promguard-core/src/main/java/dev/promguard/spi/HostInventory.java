package dev.promguard.spi;

import dev.promguard.keys.Secret;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Hosts that were there before any mesh and stay when it goes. The engine makes and deletes none of them: it logs in with the
 * user's own key, and takes its parts off again.
 *
 * @param logins how to log in to each host, by the host's name
 * @param gone names of hosts that the user says are gone for good: they are forgotten, and nothing is taken off them
 * @param identity the user's SSH private key, an OpenSSH or PEM key file's text; stays open, its owner closes it
 * @param passphrase what the private key is encrypted with; empty if it is not
 */
public record HostInventory(Map<String, Login> logins, Set<String> gone, Secret identity, Optional<Secret> passphrase) {
    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     */
    public HostInventory {
        logins = Map.copyOf(logins);
        gone = Set.copyOf(gone);
        Objects.requireNonNull(identity, "identity");
        Objects.requireNonNull(passphrase, "passphrase");
    }
}
