package dev.promguard;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Planner;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Inventory;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.CreateIntent;
import dev.promguard.spi.MeshState.HostState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The wish beside what exists: which hosts are there, which are missing, which are too many.
 *
 * @param blueprint the wish, with the addresses that hosts hold
 * @param state what is remembered, with hosts adopted that an earlier run made but did not get to write down
 * @param present the hosts of the blueprint that exist, by name
 * @param surplus hosts that carry the mesh's mark and are not wished
 * @param only the hosts that are to be looked at and changed; empty for all of them
 */
record World(
        Blueprint blueprint,
        MeshState state,
        Map<String, CloudHost> present,
        List<CloudHost> surplus,
        Set<String> only) {
    /** Clouds' lists lag: what should be there and is not is looked for again this often. */
    private static final int LOOKS = 4;

    /**
     * Looks at the cloud. Changes nothing.
     *
     * @throws InvalidMeshException if the network has no room for a new host, or a host carries the mesh's mark that nothing is
     *     known of
     */
    static World observe(Environment environment, MeshSpec spec, MeshState remembered) {
        List<CloudHost> listed = everyHost(environment, spec.name(), remembered);
        Blueprint blueprint;
        try {
            blueprint = Planner.plan(
                    spec.withReleases(environment.provider().releases()),
                    remembered.heldAddresses(address -> Planner.isUsable(spec, address)));
        } catch (IllegalArgumentException e) {
            throw new InvalidMeshException(spec.name(), List.of(String.valueOf(e.getMessage())));
        }

        Optional<Inventory> inventory = environment.provider().inventory();
        if (inventory.isPresent()) {
            return ofInventory(environment, inventory.get(), blueprint, remembered, listed);
        }
        MeshState state = remembered;
        Map<String, CloudHost> present = new LinkedHashMap<>();
        List<CloudHost> surplus = new ArrayList<>();
        List<String> strangers = new ArrayList<>();
        List<CloudHost> ordered = new ArrayList<>(listed);
        ordered.sort(Comparator.comparing((CloudHost host) -> isRemembered(remembered, host) ? 0 : 1)
                .thenComparing(CloudHost::id));
        for (CloudHost host : ordered) {
            if (!blueprint.contains(host.name()) || present.containsKey(host.name())) {
                surplus.add(host);
            } else if (isRemembered(remembered, host)) {
                present.put(host.name(), host);
            } else {
                Optional<CreateIntent> intent = intent(remembered, host);
                if (intent.isPresent()) {
                    present.put(host.name(), host);
                    state = state.with(
                            host.name(),
                            HostState.created(
                                    blueprint.host(host.name()).address(),
                                    host.id(),
                                    intent.get().throwaway()));
                } else {
                    strangers.add(
                            host.name() + " (id " + host.id() + ") carries this mesh's mark, but "
                                    + environment.store().describe(spec.name())
                                    + " knows no host key for it: use the state folder that it was made with, or remove the host");
                }
            }
        }
        if (!strangers.isEmpty()) {
            throw new InvalidMeshException(spec.name(), strangers);
        }
        return new World(blueprint, state, present, List.copyOf(surplus), Set.of());
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
                .map(
                        name -> name + " carries parts of this mesh, and "
                                + environment.provider().name()
                                + " does not name it any more: name it again so that they can be taken off, or say that it is gone for good")
                .toList();
        if (!lost.isEmpty()) {
            throw new InvalidMeshException(remembered.mesh(), lost);
        }
        return new World(blueprint, state, present, List.copyOf(surplus), Set.of());
    }

    /** Lists the mesh's hosts, again where one is missing that should be there, since clouds' lists lag. */
    static List<CloudHost> everyHost(Environment environment, String mesh, MeshState remembered) {
        List<CloudHost> listed = environment.provider().list(mesh);
        boolean lags = environment.provider().inventory().isEmpty();
        for (int look = 1; lags && look < LOOKS && lacks(listed, remembered); look++) {
            pause(environment.waits().list());
            listed = environment.provider().list(mesh);
        }
        return listed;
    }

    /** The same world for a verb that leaves all but these hosts alone, and so removes none; empty for all of them. */
    World only(Set<String> names) {
        return names.isEmpty() ? this : new World(blueprint, state, present, List.of(), names);
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

    private static boolean lacks(List<CloudHost> listed, MeshState remembered) {
        boolean hostLacks = remembered.hosts().values().stream()
                .flatMap(host -> host.providerId().stream())
                .anyMatch(id -> listed.stream().noneMatch(host -> host.id().equals(id)));
        return hostLacks
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

    private static Optional<CreateIntent> intent(MeshState remembered, CloudHost host) {
        return remembered.intents().stream()
                .filter(intent -> host.attempt().equals(Optional.of(intent.attempt())))
                .filter(intent -> intent.names().contains(host.name()))
                .findFirst();
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
