package dev.promguard.spi;

import dev.promguard.keys.Secret;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Existing hosts, which are older than the mesh and stay when it is removed. The engine never creates or deletes them: it logs in
 * with the user's own key, and uninstalls PromGuard from them at the end.
 *
 * @param logins how to log in to each host, by the host's name
 * @param gone names of hosts that the user has declared as gone: they are removed from the state without being contacted
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
