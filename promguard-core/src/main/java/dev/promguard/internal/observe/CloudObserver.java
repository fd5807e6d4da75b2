package dev.promguard.internal.observe;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidMeshException;
import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Planner;
import dev.promguard.blueprint.ViewerSpec;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.ListLag;
import dev.promguard.internal.run.LoginKeys;
import dev.promguard.internal.run.Pause;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostInventory;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.CreateIntent;
import dev.promguard.spi.MeshState.HostState;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/** Reads which hosts exist. Changes nothing. Thread-safe. */
public final class CloudObserver {
    /** A host of a known id that neither a list nor a request by its id shows is looked for this often. */
    private static final int LISTINGS = 4;

    private static final String LOOKING =
            "looking for hosts. What was done is kept, and the next run continues from there.";

    private final Context context;

    /**
     * An observer.
     *
     * @param context the run's context
     */
    public CloudObserver(Context context) {
        this.context = context;
    }

    /**
     * Reads which hosts of the mesh exist, beside those of the spec.
     *
     * @param state what is remembered
     * @param only the hosts that the run is about; empty for all of them
     * @return the roster
     * @throws InvalidMeshException if the network has no room for a new host
     */
    public Roster observe(MeshState state, Set<String> only) {
        return observe(state, only, Optional.of(new ListLag(context)), this::isExpired);
    }

    /**
     * The same for a run that creates nothing, and so need not know what has become of every order.
     *
     * @param state what is remembered
     * @return the roster
     * @throws InvalidMeshException if the network has no room for a new host
     */
    public Roster observeBriefly(MeshState state) {
        return observe(state, Set.of(), Optional.empty(), this::isExpired);
    }

    /**
     * The same for a verification: whoever was let in is, until an apply ends that, and so the hosts are as they should be.
     *
     * @param state what is remembered
     * @return the roster
     * @throws InvalidMeshException if the network has no room for a new host
     */
    public Roster observeAsApplied(MeshState state) {
        return observe(
                state,
                Set.of(),
                Optional.empty(),
                viewer -> isExpired(viewer)
                        && !Optional.ofNullable(state.viewers().get(viewer.name()))
                                .map(known -> known.publicKey().base64())
                                .equals(Optional.of(viewer.publicKey())));
    }

    private boolean isExpired(ViewerSpec viewer) {
        return viewer.isExpired(context.now());
    }

    private Roster observe(MeshState state, Set<String> only, Optional<ListLag> lag, Predicate<ViewerSpec> ended) {
        MeshSpec spec = context.spec();
        Optional<HostInventory> inventory = context.provider().inventory();
        HostIdentities identities =
                inventory.isPresent() ? HostIdentities.NONE : adopting(identify(state, lag), state, only);
        Blueprint blueprint;
        try {
            blueprint = Planner.plan(
                    spec.withReleases(context.provider().releases()),
                    state.heldAddresses(address -> Planner.isUsable(spec, address)),
                    state.viewerAddresses(),
                    ended);
        } catch (InvalidSettingException e) {
            throw new InvalidMeshException(ErrorCode.NO_ADDRESS_LEFT, spec.name(), List.of(e.reason()));
        }
        return inventory.isPresent()
                ? ofInventory(inventory.get(), blueprint, state, only)
                : ofCloud(identities, blueprint, state, only);
    }

    /** Only for runs that may change hosts: what was not adopted by then is not destroyed. */
    private HostIdentities adopting(HostIdentities found, MeshState state, Set<String> only) {
        Set<String> names = new TreeSet<>(context.adoptions().keySet());
        if (!only.isEmpty()) {
            names.retainAll(only);
        }
        return names.isEmpty() ? found : found.adopting(names, state, new LoginKeys(context).publicKey());
    }

    private Roster ofCloud(HostIdentities identities, Blueprint blueprint, MeshState remembered, Set<String> only) {
        MeshState state = remembered;
        Map<String, CloudHost> present = new LinkedHashMap<>();
        List<CloudHost> orphaned = new ArrayList<>(identities.duplicates());
        for (HostIdentities.Managed managed : identities.managed().values()) {
            CloudHost host = managed.host();
            if (!blueprint.contains(host.name())) {
                orphaned.add(host);
                continue;
            }
            present.put(host.name(), host);
            if (managed.intent().isPresent()) {
                state = state.with(
                        host.name(),
                        HostState.created(
                                blueprint.host(host.name()).address(),
                                host.id(),
                                managed.intent().get().bootstrapKey()));
            } else if (RecoveryObserver.remembered(state, host).isEmpty()) {
                state = state.with(
                        host.name(),
                        HostState.adopted(blueprint.host(host.name()).address(), host.id()));
            }
        }
        Map<String, String> regions = new LinkedHashMap<>();
        present.forEach((name, host) -> {
            if (Names.isWord(host.region())) {
                regions.put(name, host.region());
            }
        });
        return new Roster(
                blueprint.placed(regions),
                state,
                present,
                only.isEmpty() ? orphaned : List.of(),
                Optional.empty(),
                context.applier().jumpHosts(),
                only,
                identities,
                List.of());
    }

    /** Hosts that were there before: those of the spec are adopted, and of the others those that were once. */
    private Roster ofInventory(HostInventory inventory, Blueprint planned, MeshState remembered, Set<String> only) {
        Map<String, Integer> ports = new LinkedHashMap<>();
        inventory.logins().forEach((name, login) -> ports.put(name, login.port()));
        Blueprint blueprint = planned.admittingSsh(ports);
        MeshState state = remembered;
        Map<String, CloudHost> present = new LinkedHashMap<>();
        List<CloudHost> orphaned = new ArrayList<>();
        for (CloudHost host : context.provider().list(context.mesh())) {
            boolean known = isRemembered(remembered, host);
            if (blueprint.contains(host.name())) {
                present.put(host.name(), host);
                if (!known) {
                    state = state.with(
                            host.name(),
                            HostState.adopted(blueprint.host(host.name()).address(), host.id()));
                }
            } else if (known) {
                orphaned.add(host);
            }
        }
        List<String> forgotten = remembered.hosts().keySet().stream()
                .filter(name -> !inventory.logins().containsKey(name)
                        && !inventory.gone().contains(name)
                        && !blueprint.contains(name))
                .toList();
        return new Roster(
                blueprint,
                state,
                present,
                only.isEmpty() ? orphaned : List.of(),
                Optional.of(inventory),
                List.of(),
                only,
                HostIdentities.NONE,
                forgotten);
    }

    private static boolean isRemembered(MeshState remembered, CloudHost host) {
        HostState state = remembered.hosts().get(host.name());
        return state != null && state.providerId().equals(Optional.of(host.id()));
    }

    /**
     * Finds out what each host of the cloud is to the mesh. Ids of the state that the list lacks are looked up; where a host is
     * still missing, the list is asked for again a few times.
     *
     * @param state what is remembered
     * @return the hosts
     */
    public HostIdentities identify(MeshState state) {
        return identify(state, Optional.empty());
    }

    /**
     * The same, and hosts of orders whose outcome is not known are waited for as long as the cloud's list may lack them. What it
     * does not show then was never created.
     *
     * @param state what is remembered
     * @param lag the time that this may take, and that is spent in it
     * @return the hosts
     */
    public HostIdentities identify(MeshState state, ListLag lag) {
        return identify(state, Optional.of(lag));
    }

    private HostIdentities identify(MeshState state, Optional<ListLag> lag) {
        Shown shown = shown(ids(state), listed -> !notListed(state, listed).isEmpty());
        List<CloudHost> listed = shown.listed();
        List<FoundHost> found = shown.found();
        Set<String> ordered = notListed(state, listed);
        if (lag.isPresent() && !ordered.isEmpty()) {
            String step = "check whether an earlier run's order created " + String.join(", ", ordered);
            try (Events.Task task = context.events().task(null, step)) {
                while (!lag.get().isOver() && !notListed(state, listed).isEmpty()) {
                    lag.get().pause(LOOKING);
                    listed = context.provider().list(context.mesh());
                }
                task.done();
            }
            found = find(listed, ids(state));
        }
        return HostIdentities.of(state, listed, found);
    }

    /**
     * Reads which hosts may be the mesh's where its state is not to be relied on: those that carry its tag, and those that an older state
     * knows by their ids, whether or not a list shows them and whether or not they still carry the tag.
     *
     * @param states what older states remember
     * @return the hosts; those that a list shows first
     */
    public List<FoundHost> candidates(List<MeshState> states) {
        if (context.isInventory()) {
            return context.provider().list(context.mesh()).stream()
                    .map(host -> new FoundHost(host, true))
                    .toList();
        }
        Set<String> ids = new TreeSet<>();
        states.forEach(state -> ids.addAll(ids(state)));
        Shown shown = shown(ids, listed -> false);
        List<FoundHost> all = new ArrayList<>();
        shown.listed().forEach(host -> all.add(new FoundHost(host, true)));
        all.addAll(shown.found());
        return List.copyOf(all);
    }

    /** The hosts of a list, and of the ids that it lacks those that exist. */
    private record Shown(List<CloudHost> listed, List<FoundHost> found) {
        boolean lacks(Set<String> ids) {
            Set<String> lacking = lacking(listed, ids);
            found.forEach(host -> lacking.remove(host.host().id()));
            return !lacking.isEmpty();
        }
    }

    /** Asks for a list, and a few times more where ids are still missing or the list is not yet what is looked for. */
    private Shown shown(Set<String> ids, Predicate<List<CloudHost>> incomplete) {
        Shown shown = shown(ids);
        for (int listing = 1; listing < LISTINGS && (shown.lacks(ids) || incomplete.test(shown.listed())); listing++) {
            Pause.of(context.intervals().list(), LOOKING);
            shown = shown(ids);
        }
        return shown;
    }

    private Shown shown(Set<String> ids) {
        List<CloudHost> listed = context.provider().list(context.mesh());
        return new Shown(listed, find(listed, ids));
    }

    private List<FoundHost> find(List<CloudHost> listed, Set<String> ids) {
        Set<String> lacking = lacking(listed, ids);
        return lacking.isEmpty() ? List.of() : context.provider().find(context.mesh(), lacking);
    }

    private static Set<String> ids(MeshState state) {
        Set<String> ids = new TreeSet<>();
        state.hosts().values().forEach(host -> host.providerId().ifPresent(ids::add));
        return ids;
    }

    private static Set<String> lacking(List<CloudHost> listed, Set<String> ids) {
        Set<String> lacking = new TreeSet<>(ids);
        listed.forEach(host -> lacking.remove(host.id()));
        return lacking;
    }

    /** The names of open create intents under which a list shows no host. */
    private static Set<String> notListed(MeshState state, List<CloudHost> listed) {
        Set<String> names = new TreeSet<>();
        for (CreateIntent intent : state.intents()) {
            intent.names().stream()
                    .filter(name -> listed.stream()
                            .noneMatch(host ->
                                    host.name().equals(name) && host.attempt().equals(Optional.of(intent.attempt()))))
                    .forEach(names::add);
        }
        return names;
    }
}
