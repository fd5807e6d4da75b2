package dev.promguard.internal.observe;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostInventory;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.JumpHost;
import dev.promguard.spi.Login;
import dev.promguard.spi.MeshState;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The hosts of the spec beside those that exist: which are there, which are missing, which are orphaned. A value.
 *
 * @param blueprint the spec, with the addresses that hosts hold
 * @param state what is remembered, with hosts adopted that an earlier run created and did not get to record
 * @param present the hosts of the blueprint that exist, by name
 * @param orphaned hosts that the mesh made or was in, and that the spec does not name any more
 * @param inventory the hosts that were there before, if that is what the provider is about
 * @param cloudJumpHosts the jump hosts on the way to every host of a cloud; none for hosts of an inventory, which have their own
 * @param only the hosts that this run is about; empty for all of them
 * @param identities what each host of the cloud is to the mesh; none for hosts of an inventory
 * @param forgotten names of hosts of an inventory that carry parts of the mesh, and that the inventory does not name any more
 */
public record Roster(
        Blueprint blueprint,
        MeshState state,
        Map<String, CloudHost> present,
        List<CloudHost> orphaned,
        Optional<HostInventory> inventory,
        List<JumpHost> cloudJumpHosts,
        Set<String> only,
        HostIdentities identities,
        List<String> forgotten) {
    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     */
    public Roster {
        Objects.requireNonNull(blueprint, "blueprint");
        Objects.requireNonNull(state, "state");
        present = Collections.unmodifiableMap(new LinkedHashMap<>(present));
        orphaned = List.copyOf(orphaned);
        Objects.requireNonNull(inventory, "inventory");
        cloudJumpHosts = List.copyOf(cloudJumpHosts);
        only = Set.copyOf(only);
        Objects.requireNonNull(identities, "identities");
        forgotten = List.copyOf(forgotten);
    }

    /**
     * Whether a run is about a host.
     *
     * @param name the host's name
     * @return true if it is
     */
    public boolean covers(String name) {
        return only.isEmpty() || only.contains(name);
    }

    /**
     * The hosts that the run is about, in the order of the blueprint.
     *
     * @return the hosts
     */
    public List<Blueprint.Host> selected() {
        return blueprint.hosts().stream().filter(host -> covers(host.name())).toList();
    }

    /**
     * The hosts to create.
     *
     * @return an order for each
     */
    public List<HostOrder> missing() {
        return selected().stream()
                .filter(host -> !present.containsKey(host.name()))
                .map(host -> new HostOrder(
                        host.name(),
                        host.spec().region(),
                        host.spec().size(),
                        host.spec().image()))
                .toList();
    }

    /**
     * Whether there are hosts of the mesh, or may be of an order whose outcome is not known: they admit its login key, and no other.
     *
     * @return false if none can exist
     */
    public boolean mayHaveHosts() {
        return !present().isEmpty()
                || !orphaned().isEmpty()
                || !state().intents().isEmpty();
    }

    /**
     * Where hosts can be reached from outside. Where a host is known to be stays its peers' endpoint for it, also while it is off.
     *
     * @return the public address of each host that has one, by name
     */
    public Map<String, String> publicAddresses() {
        Map<String, String> addresses = new TreeMap<>();
        present.forEach((name, host) -> host.publicAddress().ifPresent(address -> addresses.put(name, address)));
        return addresses;
    }

    /**
     * What is remembered of a host.
     *
     * @param name the name of a host that exists
     * @return its state
     * @throws IllegalStateException if nothing is remembered of it
     */
    public MeshState.HostState remembered(String name) {
        MeshState.HostState host = state.hosts().get(name);
        if (host == null) {
            throw new IllegalStateException("nothing is remembered of " + name);
        }
        return host;
    }

    /**
     * The jump hosts on the way to a host.
     *
     * @param name the host's name
     * @return jump hosts in the order in which they are passed; empty if the host is reached from here
     */
    public List<JumpHost> jumpHosts(String name) {
        return inventory
                .map(hosts -> Optional.ofNullable(hosts.logins().get(name))
                        .map(Login::jumpHosts)
                        .orElse(List.of()))
                .orElse(cloudJumpHosts);
    }

    /**
     * The hosts that are not reached from here.
     *
     * @return the names of those that have a jump host
     */
    public Set<String> behindJumpHosts() {
        return blueprint.hosts().stream()
                .map(Blueprint.Host::name)
                .filter(name -> !jumpHosts(name).isEmpty())
                .collect(Collectors.toSet());
    }

    /**
     * The jump hosts on the way to a host of which no key is given and none is remembered.
     *
     * @param name the host's name
     * @param seen what was observed of the host
     * @return the keys that they showed, by jump host
     */
    public Map<JumpHost, HostKeyFingerprint> unpinnedJumpHosts(String name, HostObservation.Seen seen) {
        List<JumpHost> chain = jumpHosts(name);
        List<String> paths = JumpHost.paths(chain);
        Map<JumpHost, HostKeyFingerprint> unpinned = new LinkedHashMap<>();
        for (int i = 0; i < chain.size(); i++) {
            HostKeyFingerprint shown = seen.jumpKeys().get(paths.get(i));
            if (shown != null
                    && chain.get(i).login().hostKeys().isEmpty()
                    && !state.jumpHosts().containsKey(paths.get(i))) {
                unpinned.put(chain.get(i), shown);
            }
        }
        return unpinned;
    }

    /**
     * The same roster, in which some hosts exist now.
     *
     * @param now what is remembered now
     * @param more the hosts that exist now, by name
     * @return a copy
     */
    public Roster with(MeshState now, Map<String, CloudHost> more) {
        Map<String, CloudHost> all = new LinkedHashMap<>(present);
        all.putAll(more);
        return new Roster(blueprint, now, all, orphaned, inventory, cloudJumpHosts, only, identities, forgotten);
    }
}
