package dev.promguard.spi;

import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Existing hosts, which are older than the mesh and stay when it is removed. The engine never creates or deletes them: it logs in
 * with the user's own key, and uninstalls PromGuard from them at the end. Immutable.
 */
public final class HostInventory {
    private final Map<String, Login> logins;
    private final Set<String> gone;
    private final Identity identity;

    private HostInventory(Map<String, Login> logins, Set<String> gone, Identity identity) {
        this.logins = Map.copyOf(logins);
        this.gone = Set.copyOf(gone);
        this.identity = Objects.requireNonNull(identity, "identity");
    }

    /**
     * Hosts of which none is gone.
     *
     * @param logins how to log in to each host, by the host's name
     * @param identity what to log in with where a login has no identities of its own; stays open, its owner closes it
     * @return the inventory
     * @throws NullPointerException if something is null
     */
    public static HostInventory of(Map<String, Login> logins, Identity identity) {
        return new HostInventory(logins, Set.of(), identity);
    }

    /**
     * The same inventory, of which some hosts are gone.
     *
     * @param names names of hosts that are removed from the state without being contacted
     * @return a copy
     * @throws NullPointerException if {@code names} is null or holds null
     */
    public HostInventory withGone(Set<String> names) {
        return new HostInventory(logins, names, identity);
    }

    /**
     * How to log in to each host.
     *
     * @return the logins by the hosts' names
     */
    public Map<String, Login> logins() {
        return logins;
    }

    /**
     * The hosts that the user has declared as gone.
     *
     * @return their names; they are removed from the state without being contacted
     */
    public Set<String> gone() {
        return gone;
    }

    /**
     * What to log in with where a login has no identities of its own.
     *
     * @return the identity, which stays open: its owner closes it
     */
    public Identity identity() {
        return identity;
    }
}
