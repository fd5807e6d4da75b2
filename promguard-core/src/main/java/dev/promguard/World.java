package dev.promguard;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Planner;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Inventory;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The wish beside what exists: which hosts are there, which are missing, which are too many.
 *
 * @param blueprint the wish, with the addresses that hosts hold
 * @param state what is remembered, with hosts adopted that an earlier run made but did not get to write down
 * @param present the hosts of the blueprint that exist, by name
 * @param surplus hosts of the mesh that are not wished
 * @param only the hosts that are to be looked at and changed; empty for all of them
 * @param identities what each host of the cloud is to the mesh; none for hosts of an inventory
 */
record World(
        Blueprint blueprint,
        MeshState state,
        Map<String, CloudHost> present,
        List<CloudHost> surplus,
        Set<String> only,
        HostIdentities identities) {
    /** Clouds' lists lag: what should be there and is not is looked for again this often. */
    private static final int LOOKS = 4;

    /**
     * Looks at the cloud. Changes nothing.
     *
     * @throws InvalidMeshException if the network has no room for a new host
     */
    static World observe(Environment environment, MeshSpec spec, MeshState remembered) {
        Optional<Inventory> inventory = environment.provider().inventory();
        HostIdentities identities =
                inventory.isPresent() ? HostIdentities.NONE : identify(environment, spec.name(), remembered);
        Blueprint blueprint;
        try {
            blueprint = Planner.plan(
                    spec.withReleases(environment.provider().releases()),
                    remembered.heldAddresses(address -> Planner.isUsable(spec, address)));
        } catch (IllegalArgumentException e) {
            throw new InvalidMeshException(spec.name(), List.of(String.valueOf(e.getMessage())));
        }
        if (inventory.isPresent()) {
            List<CloudHost> listed = environment.provider().list(spec.name());
            return ofInventory(environment, inventory.get(), blueprint, remembered, listed);
        }
        MeshState state = remembered;
        Map<String, CloudHost> present = new LinkedHashMap<>();
        List<CloudHost> surplus = new ArrayList<>(identities.duplicates());
        for (HostIdentities.Managed managed : identities.managed().values()) {
            CloudHost host = managed.host();
            if (!blueprint.contains(host.name())) {
                surplus.add(host);
                continue;
            }
            present.put(host.name(), host);
            if (managed.intent().isPresent()) {
                state = state.with(
                        host.name(),
                        HostState.created(
                                blueprint.host(host.name()).address(),
                                host.id(),
                                managed.intent().get().throwaway()));
            }
        }
        return new World(blueprint, state, present, List.copyOf(surplus), Set.of(), identities);
    }

    /** The same for hosts that were there before: those of the wish are adopted, and of the others those that were once. */
    private static World ofInventory(
            Environment environment,
            Inventory inventory,
            Blueprint planned,
            MeshState remembered,
            List<CloudHost> listed) {
        Map<String, Integer> ports = new LinkedHashMap<>();
        inventory.logins().forEach((name, login) -> ports.put(name, login.port()));
        Blueprint blueprint = planned.admittingSsh(ports);
        MeshState state = remembered;
        Map<String, CloudHost> present = new LinkedHashMap<>();
        List<CloudHost> surplus = new ArrayList<>();
        for (CloudHost host : listed) {
            if (blueprint.contains(host.name())) {
                present.put(host.name(), host);
                if (!isRemembered(remembered, host)) {
                    state = state.with(
                            host.name(),
                            HostState.adopted(blueprint.host(host.name()).address(), host.id()));
                }
            } else if (isRemembered(remembered, host)) {
                surplus.add(host);
            }
        }
        List<String> lost = remembered.hosts().keySet().stream()
                .filter(name -> !inventory.logins().containsKey(name)
                        && !inventory.gone().contains(name)
                        && !blueprint.contains(name))
                .map(name -> name + " carries parts of this mesh, and "
                        + environment.provider().name()
                        + " does not name it any more: name it again so that they can be taken off, or say"
                        + " that it is gone for good")
                .toList();
        if (!lost.isEmpty()) {
            throw new InvalidMeshException(remembered.mesh(), lost);
        }
        return new World(blueprint, state, present, List.copyOf(surplus), Set.of(), HostIdentities.NONE);
    }

    /**
     * Finds out what each host of the cloud is to a mesh. Ids of the state that the list lacks are looked up; where a host is still
     * missing, the list is asked for again, since clouds' lists lag.
     */
    static HostIdentities identify(Environment environment, String mesh, MeshState remembered) {
        List<CloudHost> listed = environment.provider().list(mesh);
        Set<String> lacking = lackingIds(listed, remembered);
        List<FoundHost> found =
                lacking.isEmpty() ? List.of() : environment.provider().find(mesh, lacking);
        for (int look = 1; look < LOOKS && lacks(listed, found, remembered); look++) {
            pause(environment.waits().list());
            listed = environment.provider().list(mesh);
        }
        return HostIdentities.of(remembered, listed, found);
    }

    /** The same world for a verb that leaves all but these hosts alone, and so removes none; empty for all of them. */
    World only(Set<String> names) {
        return names.isEmpty() ? this : new World(blueprint, state, present, List.of(), names, identities);
    }

    /** Whether a host is to be looked at and changed. */
    boolean covers(String name) {
        return only.isEmpty() || only.contains(name);
    }

    /** The hosts that exist and are to be looked at and changed. */
    Map<String, CloudHost> within() {
        Map<String, CloudHost> within = new LinkedHashMap<>(present);
        within.keySet().removeIf(name -> !covers(name));
        return within;
    }

    /** The hosts to order. */
    List<HostOrder> missing() {
        return blueprint.hosts().stream()
                .filter(host -> covers(host.name()))
                .filter(host -> !present.containsKey(host.name()))
                .map(host -> new HostOrder(
                        host.name(),
                        host.spec().region(),
                        host.spec().size(),
                        host.spec().image()))
                .toList();
    }

    private static Set<String> lackingIds(List<CloudHost> listed, MeshState remembered) {
        Set<String> ids = new TreeSet<>();
        remembered.hosts().values().forEach(host -> host.providerId().ifPresent(ids::add));
        listed.forEach(host -> ids.remove(host.id()));
        return ids;
    }

    private static boolean lacks(List<CloudHost> listed, List<FoundHost> found, MeshState remembered) {
        Set<String> ids = lackingIds(listed, remembered);
        found.forEach(host -> ids.remove(host.host().id()));
        return !ids.isEmpty()
                || remembered.intents().stream()
                        .anyMatch(intent -> intent.names().stream()
                                .anyMatch(name -> listed.stream()
                                        .noneMatch(host -> host.name().equals(name)
                                                && host.attempt().equals(Optional.of(intent.attempt())))));
    }

    private static boolean isRemembered(MeshState remembered, CloudHost host) {
        HostState state = remembered.hosts().get(host.name());
        return state != null && state.providerId().equals(Optional.of(host.id()));
    }

    /** Waits before a list is asked for again. */
    private static void pause(Duration time) {
        ReentrantLock lock = new ReentrantLock();
        Condition never = lock.newCondition();
        lock.lock();
        try {
            long left = time.toNanos();
            while (left > 0) {
                left = never.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancelledException("interrupted while looking for hosts; nothing was changed", e);
        } finally {
            lock.unlock();
        }
    }
}
