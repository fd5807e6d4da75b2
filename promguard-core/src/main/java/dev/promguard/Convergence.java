package dev.promguard;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Planner;
import dev.promguard.blueprint.Role;
import dev.promguard.change.Change;
import dev.promguard.change.Differ;
import dev.promguard.change.Drift;
import dev.promguard.change.Explanation;
import dev.promguard.change.FactsQuery;
import dev.promguard.change.Footprint;
import dev.promguard.change.HostFacts;
import dev.promguard.change.KeyClaims;
import dev.promguard.change.NewKeys;
import dev.promguard.change.Occupancy;
import dev.promguard.change.PlannedChange;
import dev.promguard.change.PresharedKeys;
import dev.promguard.change.PresharedKeys.Pair;
import dev.promguard.change.TunnelSecrets;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.keys.WireGuardKeyPair;
import dev.promguard.render.DesiredHost;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.Arrival;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.CreateIntent;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.Quote;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Brings what exists to what is wished: looks, orders what is missing, configures every host, removes what is too many. */
final class Convergence {
    /** Stands for a host's own key where only the paths of its files matter, or where the key is not made yet. */
    static final PublicKey NOT_YET = new PublicKey("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");

    private static final String ROTATE = "rotate the keys of every host";

    /** What a plan and a report say of a host that has lost its disk. */
    private static final String REBUILT = "set up again: it was rebuilt, and shows the host key of its creation";

    /** What a plan and a report say of a host whose tag somebody removed. */
    private static final String LOST_TAG = "has lost its tag in the cloud: put the mesh's tag back";

    private static final String OVERLAP_REMEDY = "Choose another network with network(…), then apply again.";

    private final Environment environment;
    private final MeshSpec spec;
    private final Set<String> only;
    /** Those of the changes made that put back what somebody had changed, by host. */
    private final Map<String, List<String>> drift = new ConcurrentHashMap<>();
    /** What failed and is not one host's. */
    private final List<ApplyReport.Problem> problems = new ArrayList<>();

    private final Admission admission;

    /**
     * A run.
     *
     * @param only the hosts to look at and change; empty for all of them
     */
    Convergence(Environment environment, MeshSpec spec, Set<String> only) {
        this.environment = environment;
        this.spec = spec;
        this.only = Set.copyOf(only);
        this.admission = new Admission(environment, spec.name());
    }

    /** A host that was looked at over a session that is still open. */
    private record Look(HostSession session, HostFacts facts) {}

    /**
     * What exists, seen once: plans are made of it, and an apply of a plan acts on it over the same sessions.
     *
     * @param looks the hosts that exist, or why one could not be observed, by name
     */
    private record Observation(
            MeshState remembered,
            World world,
            Quote quote,
            Map<String, DesiredHost> expected,
            Map<String, Parallel.Result<Look>> looks)
            implements AutoCloseable {
        @Override
        public void close() {
            looks.values().stream()
                    .flatMap(look -> Optional.ofNullable(look.value()).stream())
                    .forEach(look -> look.session().close());
        }
    }

    Plan plan() {
        try (Observation seen = observe()) {
            return plan(seen);
        }
    }

    /**
     * Does what a plan says, if it is what would be planned now.
     *
     * @throws PlanOutdatedException if it is not; nothing was done then
     */
    ApplyReport apply(Plan plan) {
        long start = System.nanoTime();
        environment.started(null, "look at what exists");
        try (Observation seen = observe()) {
            Plan current = plan(seen);
            if (!current.equals(plan)) {
                throw new PlanOutdatedException(current);
            }
            refuseUnmanaged(seen.world().identities());
            // A host that had no address yet is like one that this run makes: nothing was planned for it.
            Map<String, Parallel.Result<Look>> observed = new HashMap<>(seen.looks());
            observed.keySet().retainAll(publicAddresses(seen.world()).keySet());
            return apply(seen.remembered(), seen.world(), observed, false, start);
        }
    }

    private Observation observe() {
        MeshState remembered = environment.store().load(spec.name()).orElse(MeshState.empty(spec.name()));
        World world = World.observe(environment, spec, remembered).only(only);
        Quote quote = check(world.missing());
        Map<String, DesiredHost> expected = expected(world);
        if (expected.isEmpty()) {
            return new Observation(remembered, world, quote, expected, Map.of());
        }
        try (Secret loginKey = loginKey()) {
            Map<String, Parallel.Result<Look>> looks = Parallel.open(
                    expected.keySet(),
                    environment.parallelism(),
                    name -> observe(world, name, Objects.requireNonNull(expected.get(name)), loginKey),
                    look -> look.session().close());
            return new Observation(remembered, world, quote, expected, looks);
        }
    }

    private Look observe(World world, String name, DesiredHost expected, Secret loginKey) {
        HostSession session = open(world, name, loginKey, Environment.LOOK_PATIENCE);
        boolean keep = false;
        try {
            FactsQuery query = query(environment, world.blueprint(), name).expecting(Differ.sums(expected));
            Look look = new Look(session, session.facts(query, Environment.BOOT_PATIENCE));
            keep = true;
            return look;
        } finally {
            if (!keep) {
                session.close();
            }
        }
    }

    private Plan plan(Observation seen) {
        World world = seen.world();
        Quote quote = seen.quote();
        Blueprint blueprint = world.blueprint();
        Map<String, DesiredHost> expected = seen.expected();
        Map<String, Parallel.Result<HostFacts>> looks = new LinkedHashMap<>();
        Map<String, HostKeyFingerprint> shown = new HashMap<>();
        seen.looks().forEach((name, result) -> {
            Look look = result.value();
            looks.put(name, new Parallel.Result<>(look == null ? null : look.facts(), result.failure()));
            if (look != null) {
                shown.put(name, look.session().hostKey());
            }
        });
        Map<String, PublicKey> keys = remembered(world.state());
        Map<String, Optional<HostFacts>> facts = new HashMap<>();
        world.missing().forEach(order -> facts.put(order.name(), Optional.empty()));
        Map<String, PublicKey> claims = new HashMap<>();
        looks.forEach((name, look) -> {
            HostFacts known = look.value();
            if (known != null) {
                facts.put(name, Optional.of(known));
                if (Differ.needsKey(known)) {
                    keys.remove(name);
                } else {
                    known.keyFilePublicKey().ifPresent(key -> claims.put(name, key));
                }
            }
        });
        Map<String, String> disbelieved = KeyClaims.refused(claims, remembered(world.state()));
        claims.forEach((name, key) -> {
            if (!disbelieved.containsKey(name)) {
                keys.put(name, key);
            }
        });
        Set<Pair> lacking = PresharedKeys.lacking(blueprint, facts);
        Map<String, PublicKey> unobserved = new HashMap<>();
        unobserved(blueprint, facts.keySet())
                .forEach(name -> Optional.ofNullable(keys.get(name)).ifPresent(key -> unobserved.put(name, key)));
        world.missing().forEach(order -> keys.remove(order.name()));

        List<Plan.Entry> entries = new ArrayList<>();
        for (Blueprint.Host host : selected(blueprint)) {
            Parallel.Result<HostFacts> look = looks.get(host.name());
            entries.add(
                    look == null
                            ? createEntry(host, quote)
                            : presentEntry(
                                    world,
                                    host,
                                    look,
                                    keys,
                                    lacking,
                                    unobserved,
                                    Objects.requireNonNull(expected.get(host.name())),
                                    Optional.ofNullable(shown.get(host.name())),
                                    Optional.ofNullable(disbelieved.get(host.name()))));
        }
        for (CloudHost host : world.surplus()) {
            entries.add(removeEntry(host, world));
        }
        List<String> names = only.isEmpty()
                ? List.of()
                : selected(blueprint).stream().map(Blueprint.Host::name).toList();
        return new Plan(
                blueprint,
                names,
                problems(world.identities()),
                environment.provider().unprotected(spec.name(), spec.wireGuardPort()),
                entries);
    }

    /** The hosts of a blueprint that this run is about, in its order. */
    private List<Blueprint.Host> selected(Blueprint blueprint) {
        return blueprint.hosts().stream()
                .filter(host -> only.isEmpty() || only.contains(host.name()))
                .toList();
    }

    /** What the hosts should be, as far as what is remembered can tell: what a host need not send because it is known. */
    private Map<String, DesiredHost> expected(World world) {
        Map<String, PublicKey> keys = remembered(world.state());
        Map<String, String> addresses = publicAddresses(world);
        Map<String, DesiredHost> expected = new LinkedHashMap<>();
        for (String name : world.within().keySet()) {
            Map<String, PublicKey> known = new HashMap<>(keys);
            known.putIfAbsent(name, NOT_YET);
            expected.put(name, environment.renderer().render(world.blueprint(), name, addresses, known));
        }
        return expected;
    }

    private static Plan.Entry createEntry(Blueprint.Host host, Quote quote) {
        return new Plan.Entry(
                Plan.Kind.CREATE,
                host.name(),
                host.spec().region(),
                host.spec().size(),
                Optional.of(host.address()),
                Optional.empty(),
                List.of(),
                List.of(),
                Optional.ofNullable(quote.prices().get(host.name())));
    }

    private Plan.Entry presentEntry(
            World world,
            Blueprint.Host host,
            Parallel.Result<HostFacts> look,
            Map<String, PublicKey> keys,
            Set<Pair> lacking,
            Map<String, PublicKey> unobserved,
            DesiredHost expected,
            Optional<HostKeyFingerprint> shown,
            Optional<String> disbelieved) {
        CloudHost cloudHost = Objects.requireNonNull(world.present().get(host.name()));
        Plan.Kind kind;
        List<PlannedChange> changes = new ArrayList<>();
        HostFacts facts = look.value();
        if (facts == null) {
            kind = Plan.Kind.UNKNOWN;
            changes.add(PlannedChange.wished(
                    String.valueOf(Objects.requireNonNull(look.failure()).getMessage())));
        } else {
            Map<String, PublicKey> known = new HashMap<>(keys);
            known.putIfAbsent(host.name(), NOT_YET);
            DesiredHost desired = environment
                    .renderer()
                    .render(
                            world.blueprint(),
                            host.name(),
                            publicAddresses(world),
                            known,
                            PresharedKeys.sharedBy(
                                    world.blueprint(), host.name(), Optional.of(facts), lacking, unobserved));
            HostState state = hostState(world.state(), host.name());
            boolean rebuilt = shown.filter(state::rebuilt).isPresent();
            if (state.hostKeys().isEmpty() && trustsOnFirstUse(host.name())) {
                shown.ifPresent(key -> changes.add(
                        PlannedChange.wished("trust the host key " + key + ", shown at this first contact")));
            }
            List<String> faults = new ArrayList<>(Differ.faults(desired, facts));
            overlap(facts).ifPresent(what -> faults.add(what + ". " + OVERLAP_REMEDY));
            faults.addAll(inTheWay(host, desired, facts));
            disbelieved.ifPresent(what -> faults.add(what + ". " + KeyClaims.mend()));
            faults.forEach(fault -> changes.add(PlannedChange.wished(fault)));
            if (faults.isEmpty()) {
                if (rebuilt) {
                    changes.add(new PlannedChange(REBUILT, true, Optional.empty()));
                }
                List<String> peers = host.peers().stream()
                        .filter(peer -> !keys.containsKey(peer))
                        .map(peer -> peer + " (" + world.blueprint().host(peer).allowedIp() + ')')
                        .toList();
                List<String> preshared = host.peers().stream()
                        .filter(peer -> lacking.contains(Pair.of(host.name(), peer)))
                        .toList();
                changes.addAll(Explanation.of(
                        desired,
                        facts,
                        rebuilt ? Footprint.NONE : state.footprint().orElse(Footprint.NONE),
                        remembering(
                                Differ.diff(
                                        desired,
                                        facts,
                                        NewKeys.NONE,
                                        shown.isPresent() && state.throwaway().equals(shown)),
                                facts),
                        expected,
                        new Explanation.Pending(peers, preshared)));
            }
            if (world.identities().hasLostItsTag(host.name())) {
                changes.add(0, new PlannedChange(LOST_TAG, true, Optional.empty()));
            }
            kind = changes.isEmpty() ? Plan.Kind.KEEP : Plan.Kind.CHANGE;
        }
        return new Plan.Entry(
                kind,
                host.name(),
                isInventory() ? host.spec().region() : cloudHost.region(),
                isInventory() ? host.spec().size() : cloudHost.size(),
                Optional.of(host.address()),
                cloudHost.publicAddress(),
                changes,
                notes(world, cloudHost, kind == Plan.Kind.UNKNOWN),
                cloudHost.price());
    }

    /** What others did to a host in the cloud, beside what is said of it as a change. */
    private static List<String> notes(World world, CloudHost host, boolean withTag) {
        List<String> notes = new ArrayList<>();
        if (withTag && world.identities().hasLostItsTag(host.name())) {
            notes.add(LOST_TAG);
        }
        world.identities()
                .renamed(host.name())
                .ifPresent(name -> notes.add("renamed to " + Names.quote(name)
                        + " in the cloud: it is the same host (id " + host.id() + ")"));
        return notes;
    }

    private List<String> problems(HostIdentities identities) {
        return identities.problems(environment.store().describe(spec.name()));
    }

    /** Hosts that carry the mesh's tag and are not its own may be another program's: nothing is done beside them. */
    private void refuseUnmanaged(HostIdentities identities) {
        List<String> problems = problems(identities);
        if (!problems.isEmpty()) {
            throw new InvalidMeshException(spec.name(), problems);
        }
    }

    /** Observes again, since another program may have created hosts of the same mesh meanwhile. */
    private void refuseUnmanaged(MeshState state) {
        refuseUnmanaged(HostIdentities.of(state, environment.provider().list(spec.name()), List.of()));
    }

    /** Which of a host's own networks the mesh's would cut off, so that the host is left as it is. */
    private Optional<String> overlap(HostFacts facts) {
        List<String> overlaps = Planner.overlaps(spec, facts.addresses());
        return overlaps.isEmpty()
                ? Optional.empty()
                : Optional.of("the mesh's network " + spec.network() + " overlaps the host's own "
                        + String.join(", ", overlaps));
    }

    private boolean isInventory() {
        return environment.provider().inventory().isPresent();
    }

    private boolean trustsOnFirstUse(String name) {
        return environment
                .provider()
                .inventory()
                .map(inventory -> inventory.logins().get(name))
                .filter(login -> login.hostKeys().isEmpty())
                .isPresent();
    }

    /** What others have in the places that PromGuard would take on a host that was there before. */
    private List<String> inTheWay(Blueprint.Host host, DesiredHost desired, HostFacts facts) {
        if (!isInventory()) {
            return List.of();
        }
        List<Occupancy.Claim> claims = new ArrayList<>();
        claims.add(new Occupancy.Claim(
                "node_exporter.service", host.address(), spec.nodeExporterPort(), "nodeExporterPort(…)"));
        host.spec()
                .exporters()
                .forEach(exporter -> claims.add(new Occupancy.Claim(
                        exporter.unit(), host.address(), exporter.port(), "the exporter's withPort(…)")));
        if (host.role() == Role.MONITOR) {
            claims.add(new Occupancy.Claim(
                    "prometheus.service",
                    "127.0.0.1",
                    spec.prometheus().port(),
                    "prometheus(settings -> settings.port(…))"));
        }
        return Occupancy.inTheWay(spec.name(), desired, facts, claims);
    }

    /** On a host that stays when the mesh goes, a record is begun before the first change. */
    private List<Change> remembering(List<Change> changes, HostFacts facts) {
        if (!isInventory() || changes.isEmpty() || facts.ledger().isPresent()) {
            return changes;
        }
        List<Change> all = new ArrayList<>();
        all.add(new Change.Remember(spec.name()));
        all.addAll(changes);
        return all;
    }

    private static Plan.Entry removeEntry(CloudHost host, World world) {
        HostState held = world.state().hosts().get(host.name());
        Optional<String> address = held != null && held.providerId().equals(Optional.of(host.id()))
                ? Optional.of(held.address())
                : Optional.empty();
        return new Plan.Entry(
                Plan.Kind.REMOVE,
                host.name(),
                host.region(),
                host.size(),
                address,
                host.publicAddress(),
                List.of(),
                notes(world, host, true),
                host.price());
    }

    ApplyReport apply() {
        return apply(false);
    }

    /** Applies, and then gives every host new keys. */
    ApplyReport rotateKeys() {
        return apply(true);
    }

    private ApplyReport apply(boolean rotate) {
        long start = System.nanoTime();
        MeshState remembered = environment.store().load(spec.name()).orElse(MeshState.empty(spec.name()));
        environment.started(null, "look at what exists");
        World world = World.observe(environment, spec, remembered).only(only);
        refuseUnmanaged(world.identities());
        check(world.missing());
        return apply(remembered, world, Map.of(), rotate, start);
    }

    private ApplyReport apply(
            MeshState remembered,
            World world,
            Map<String, Parallel.Result<Look>> observed,
            boolean rotate,
            long start) {
        List<HostOrder> missing = world.missing();
        Ledger ledger = new Ledger(environment.store(), remembered);
        settle(ledger, world);

        Map<String, RuntimeException> failures = new ConcurrentHashMap<>();
        Map<String, List<String>> changes = new ConcurrentHashMap<>();
        Map<String, CloudHost> hosts = new TreeMap<>(world.within());
        ensureLoginKey(world);
        restoreTags(world, failures, changes);
        hosts.keySet().removeAll(failures.keySet());
        List<String> inCloud = environment.provider().protect(spec.name(), spec.wireGuardPort());
        inCloud.forEach(change -> environment.done(null, change));
        if (!missing.isEmpty()) {
            hosts.putAll(create(ledger, world, missing, failures));
            missing.forEach(order -> changes.computeIfAbsent(order.name(), name -> new ArrayList<>())
                    .add("create"));
            missing.stream().map(HostOrder::name).filter(failures::containsKey).forEach(changes::remove);
        }
        Blueprint blueprint = world.blueprint();
        // Where a host is known to be stays its peers' endpoint for it, also while it is off.
        Map<String, String> addresses = new ConcurrentHashMap<>(publicAddresses(world));
        if (!missing.isEmpty()) {
            try {
                refuseUnmanaged(ledger.state());
            } catch (PromGuardException e) {
                // What this run has created is in the state, so that it can be told from the others.
                missing.forEach(order -> failures.putIfAbsent(order.name(), e));
                environment.failed(null, "look for other hosts of the mesh");
                throw applyFailure(report(blueprint, addresses, failures, changes, List.of(), inCloud, start));
            }
        }
        configureAsReady(ledger, blueprint, hosts, observed, addresses, failures, changes);
        datePins(ledger);

        List<String> removed = List.of();
        // The provider deletes nothing that lacks the tag, so a host that did not get it back would pass for gone.
        List<CloudHost> surplus = world.surplus().stream()
                .filter(host -> !failures.containsKey(host.name()))
                .toList();
        try {
            removed =
                    environment.provider().inventory().isPresent() ? takeOff(ledger, surplus) : remove(ledger, surplus);
        } catch (ProviderException | StateException e) {
            problem("remove " + String.join(", ", names(surplus)), e);
        }
        if (rotate) {
            environment.started(null, ROTATE);
            rotate(ledger, blueprint, hosts.keySet(), addresses, failures, changes);
        }
        // A host that was not looked at may still have a peer that is gone.
        if (failures.isEmpty() && problems.isEmpty() && only.isEmpty()) {
            try {
                ledger.update(MeshState::rested);
            } catch (StateException e) {
                problem("write down that no address rests any more", e);
            }
        }
        ApplyReport report = report(blueprint, addresses, failures, changes, removed, inCloud, start);
        if (!report.ok()) {
            throw applyFailure(report);
        }
        environment.done(
                null,
                only.isEmpty() ? "every host is as wished" : String.join(", ", new TreeSet<>(only)) + " as wished");
        return report;
    }

    private void problem(String step, RuntimeException failure) {
        problems.add(new ApplyReport.Problem(step, failure));
        environment.failed(null, step);
    }

    private Quote check(List<HostOrder> missing) {
        if (missing.isEmpty()) {
            return new Quote(List.of(), Map.of());
        }
        Quote quote = environment.provider().check(missing);
        if (!quote.faults().isEmpty()) {
            throw new InvalidMeshException(spec.name(), quote.faults());
        }
        return quote;
    }

    /** Writes down what was decided and observed: addresses, adopted hosts, vanished hosts, intents whose outcome is known. */
    private static void settle(Ledger ledger, World world) {
        ledger.update(before -> {
            Map<String, String> planned = new TreeMap<>();
            world.blueprint().hosts().forEach(host -> planned.put(host.name(), host.address()));
            MeshState state = world.state().moved(planned);
            // Nothing is known to be gone where not everything was looked for.
            Map<String, HostState> held = world.only().isEmpty() ? world.state().hosts() : Map.of();
            for (Map.Entry<String, HostState> entry : held.entrySet()) {
                boolean exists = world.present().containsKey(entry.getKey())
                        || world.surplus().stream()
                                .anyMatch(host -> entry.getValue().providerId().equals(Optional.of(host.id())));
                if (!exists && !world.blueprint().contains(entry.getKey())) {
                    state = state.without(entry.getKey());
                }
            }
            for (CreateIntent intent : before.intents()) {
                boolean settled = intent.names().stream()
                        .allMatch(name -> world.covers(name) || world.present().containsKey(name));
                state = settled ? state.settled(intent) : state;
            }
            return state;
        });
    }

    /** Puts the mesh's tag back on hosts that have lost it, before the cloud's firewall is relied on, which goes by the tag. */
    private void restoreTags(World world, Map<String, RuntimeException> failures, Map<String, List<String>> changes) {
        Map<String, String> lost = new TreeMap<>();
        world.within().forEach((name, host) -> lost.put(name, host.id()));
        world.surplus().forEach(host -> lost.putIfAbsent(host.name(), host.id()));
        lost.keySet().removeIf(name -> !world.identities().hasLostItsTag(name));
        if (lost.isEmpty()) {
            return;
        }
        environment.started(null, "put the mesh's tag back on " + String.join(", ", lost.keySet()));
        try {
            environment.provider().tag(spec.name(), lost.values());
        } catch (ProviderException e) {
            lost.keySet().forEach(name -> {
                failures.put(name, e);
                environment.failed(name, LOST_TAG);
            });
            return;
        }
        lost.keySet().forEach(name -> {
            if (world.present().containsKey(name)) {
                changes.computeIfAbsent(name, key -> new ArrayList<>()).add(LOST_TAG);
                drift.computeIfAbsent(name, key -> new ArrayList<>()).add(LOST_TAG);
            }
            environment.done(name, LOST_TAG);
        });
    }

    /** Makes the login key where the mesh has no hosts yet: hosts that exist admit none but their own. */
    private void ensureLoginKey(World world) {
        if (environment.provider().inventory().isPresent()) {
            return;
        }
        if (!world.present().isEmpty()) {
            loginKey().close();
            return;
        }
        Optional<Secret> existing = environment.store().loadLoginKey(spec.name());
        if (existing.isPresent()) {
            existing.get().close();
            return;
        }
        try (SshKeyPair pair = SshKeyPair.generate(environment.random())) {
            environment.store().saveLoginKey(spec.name(), pair);
        }
    }

    private Secret loginKey() {
        return environment.loginKey(spec.name());
    }

    private Map<String, CloudHost> create(
            Ledger ledger, World world, List<HostOrder> missing, Map<String, RuntimeException> failures) {
        SshPublicKey publicKey = environment
                .store()
                .loadLoginPublicKey(spec.name())
                .orElseThrow(() -> new StateException(
                        "the public half of the SSH login key of mesh " + spec.name() + " is missing from "
                                + environment.store().describe(spec.name()) + ": put back a copy of the folder",
                        false,
                        null));
        environment.started(null, "create " + missing.size() + (missing.size() == 1 ? " host" : " hosts"));
        AccessKey accessKey = environment.provider().registerAccessKey(spec.name(), publicKey);
        ledger.update(state -> state.with(accessKey));
        refuseUnmanaged(ledger.state());

        byte[] random = new byte[8];
        environment.random().nextBytes(random);
        String attempt = HexFormat.of().formatHex(random);
        Map<String, CloudHost> created = new ConcurrentHashMap<>();
        List<List<HostOrder>> batches = batches(world.blueprint(), missing);
        Map<List<HostOrder>, Parallel.Result<List<CloudHost>>> results = Parallel.map(
                batches,
                environment.parallelism(),
                batch -> createBatch(ledger, world.blueprint(), attempt, batch, accessKey));
        results.forEach((batch, result) -> {
            RuntimeException failure = result.failure();
            if (failure != null) {
                batch.forEach(order -> {
                    failures.put(order.name(), failure);
                    environment.failed(order.name(), "create");
                });
            } else {
                result.orThrow().forEach(host -> {
                    created.put(host.name(), host);
                    environment.done(host.name(), "created in " + host.region());
                });
            }
        });
        return created;
    }

    /** Hosts that differ only in name go together, at most as many as the provider takes in one call. */
    private List<List<HostOrder>> batches(Blueprint blueprint, List<HostOrder> missing) {
        record Kind(String role, String region, String size, String image) {}
        Map<Kind, List<HostOrder>> kinds = new LinkedHashMap<>();
        for (HostOrder order : missing) {
            Kind kind =
                    new Kind(blueprint.host(order.name()).role().word(), order.region(), order.size(), order.image());
            kinds.computeIfAbsent(kind, key -> new ArrayList<>()).add(order);
        }
        int most = environment.provider().batchSize();
        List<List<HostOrder>> batches = new ArrayList<>();
        for (List<HostOrder> orders : kinds.values()) {
            for (int from = 0; from < orders.size(); from += most) {
                batches.add(List.copyOf(orders.subList(from, Math.min(from + most, orders.size()))));
            }
        }
        return batches;
    }

    private List<CloudHost> createBatch(
            Ledger ledger, Blueprint blueprint, String attempt, List<HostOrder> batch, AccessKey accessKey) {
        List<String> names = batch.stream().map(HostOrder::name).toList();
        HostOrder first = batch.get(0);
        try (SshKeyPair hostKey = SshKeyPair.generate(environment.random());
                Secret userData = UserData.withHostKey(hostKey)) {
            HostKeyFingerprint throwaway = hostKey.publicKey().fingerprint();
            CreateIntent intent = new CreateIntent(attempt, names, throwaway);
            ledger.update(state -> state.intending(intent));
            // A failure leaves the intent in place, whatever its reason: the order may have got through all the same.
            List<CloudHost> accepted = environment
                    .provider()
                    .create(new CreateOrder(
                            spec.name(),
                            attempt,
                            blueprint.host(first.name()).role().word(),
                            names,
                            first.region(),
                            first.size(),
                            first.image(),
                            accessKey,
                            userData));
            ledger.update(state -> {
                MeshState changed = state;
                for (CloudHost host : accepted) {
                    changed = changed.with(
                            host.name(),
                            HostState.created(blueprint.host(host.name()).address(), host.id(), throwaway));
                }
                return changed.settled(intent);
            });
            return accepted;
        }
    }

    /**
     * Observes each host as soon as it is ready, and configures hosts in waves: all that are ready within a short while together,
     * late ones in later waves. With each later wave the peers of its hosts that are configured already are completed. A host
     * that never comes up keeps none of the others waiting.
     */
    private void configureAsReady(
            Ledger ledger,
            Blueprint blueprint,
            Map<String, CloudHost> hosts,
            Map<String, Parallel.Result<Look>> observed,
            Map<String, String> addresses,
            Map<String, RuntimeException> failures,
            Map<String, List<String>> changes) {
        Set<String> configured = new TreeSet<>();
        Map<String, HostException> deferred = new TreeMap<>();
        try (Secret loginKey = loginKey();
                Waves<Look> waves = new Waves<>(
                        hosts.keySet(),
                        environment.parallelism(),
                        environment.waits().grace(),
                        look -> look.session().close())) {
            Map<String, String> waiting = new TreeMap<>();
            BiConsumer<String, CloudHost> observe = (name, host) -> {
                String address = host.publicAddress().orElseThrow();
                addresses.put(name, address);
                Parallel.Result<Look> before = observed.get(name);
                waves.start(
                        name,
                        () -> before == null
                                ? look(ledger, blueprint, name, address, loginKey)
                                : accept(ledger, name, address, before.orThrow()));
            };
            hosts.forEach((name, host) -> {
                if (host.status() == CloudHost.Status.ACTIVE
                        && host.publicAddress().isPresent()) {
                    observe.accept(name, host);
                } else {
                    waiting.put(host.id(), name);
                }
            });
            if (!waiting.isEmpty()) {
                waves.from(() -> await(waiting, observe, waves));
            }
            for (Map<String, Parallel.Result<Look>> wave = waves.next(); !wave.isEmpty(); wave = waves.next()) {
                Map<String, Look> looks = new ConcurrentHashMap<>();
                try {
                    wave.forEach((name, result) -> {
                        if (result.value() != null) {
                            looks.put(name, result.value());
                        }
                    });
                    collect(failures, wave, "look at the host");
                    Set<String> ready = Set.copyOf(looks.keySet());
                    Set<String> again = peersAmong(configured, blueprint, ready);
                    if (!ready.isEmpty()) {
                        again.addAll(deferred.keySet());
                        again.addAll(peersAmong(configured, blueprint, deferred.keySet()));
                    }
                    observeAgain(ledger, blueprint, again, addresses, failures, looks, loginKey);
                    refuseOccupied(blueprint, looks, addresses, failures, configured.isEmpty());
                    disbelieve(ledger.state(), looks, addresses, failures);
                    deferred.keySet().removeAll(looks.keySet());
                    deferred.putAll(configure(ledger, blueprint, looks, addresses, failures, changes, loginKey, false));
                    configured.addAll(ready);
                    configured.removeAll(failures.keySet());
                } finally {
                    looks.values().forEach(look -> look.session().close());
                }
            }
        }
        deferred.keySet().removeAll(failures.keySet());
        deferred.forEach((name, failure) -> fail(failures, name, failure));
    }

    private void fail(Map<String, RuntimeException> failures, String name, HostException failure) {
        failures.put(name, failure);
        environment.failed(name, failure.step());
    }

    /** Waits for the hosts that have no public address yet, and passes each on, or why it does not come. */
    private void await(Map<String, String> waiting, BiConsumer<String, CloudHost> ready, Waves<Look> waves) {
        Map<String, String> open = new TreeMap<>(waiting);
        environment.started(null, "wait for " + String.join(", ", waiting.values()) + " to be active");
        try {
            Arrival arrival = environment.provider().await(spec.name(), waiting.keySet(), Environment.ARRIVAL, host -> {
                String name = Objects.requireNonNull(open.remove(host.id()), host.id());
                environment.done(name, "active at " + host.publicAddress().orElse("?"));
                ready.accept(name, host);
            });
            open.forEach((id, name) -> waves.fail(
                    name,
                    HostException.of(name, "", "wait until active")
                            .because(
                                    Objects.requireNonNullElse(arrival.missing().get(id), "nothing is known of it"),
                                    "")));
        } catch (ProviderException e) {
            open.values().forEach(name -> waves.fail(name, e));
        }
    }

    /** Those of some hosts that have a peer among others. */
    private static Set<String> peersAmong(Set<String> hosts, Blueprint blueprint, Set<String> others) {
        return hosts.stream()
                .filter(name -> blueprint.host(name).peers().stream().anyMatch(others::contains))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private void observeAgain(
            Ledger ledger,
            Blueprint blueprint,
            Set<String> names,
            Map<String, String> addresses,
            Map<String, RuntimeException> failures,
            Map<String, Look> looks,
            Secret loginKey) {
        Map<String, Parallel.Result<Look>> opened = Parallel.open(
                names,
                environment.parallelism(),
                name -> look(ledger, blueprint, name, address(addresses, name), loginKey),
                look -> look.session().close());
        opened.forEach((name, result) -> {
            if (result.value() != null) {
                looks.put(name, result.value());
            }
        });
        collect(failures, opened, "look at the host");
    }

    /** What the hosts of a run are to be, as far as it depends on keys. */
    private final class Keys implements AutoCloseable {
        private final Blueprint blueprint;
        private final Map<String, Look> looks;
        private final Map<String, PublicKey> remembered = new HashMap<>();
        private final Map<String, PublicKey> known = new ConcurrentHashMap<>();
        private final Map<String, WireGuardKeyPair> pairs = new HashMap<>();
        private final Map<Pair, Secret> preshared = new HashMap<>();
        private final Set<Pair> made = new HashSet<>();
        /** The hosts of this run that keep their secrets, or could not be observed: their peers keep what they share with them. */
        private final Set<String> unchanged = new TreeSet<>();

        /** Decides who gets new keys, and makes them. */
        Keys(Blueprint blueprint, MeshState state, Map<String, Look> looks, boolean everyone) {
            this.blueprint = blueprint;
            this.looks = looks;
            state.hosts().forEach((name, host) -> {
                if (blueprint.contains(name)) {
                    host.publicKey().ifPresent(key -> remembered.put(name, key));
                }
            });
            known.putAll(remembered);
            Map<String, Optional<HostFacts>> facts = new HashMap<>();
            looks.forEach((name, look) -> {
                facts.put(name, Optional.of(look.facts()));
                if (everyone || Differ.needsKey(look.facts())) {
                    WireGuardKeyPair pair = environment.keys().generate();
                    pairs.put(name, pair);
                    known.put(name, pair.publicKey());
                } else {
                    known.put(name, look.facts().keyFilePublicKey().orElseThrow());
                }
            });
            made.addAll(
                    everyone
                            ? PresharedKeys.within(blueprint, looks.keySet())
                            : PresharedKeys.lacking(blueprint, facts));
            made.forEach(pair -> preshared.put(pair, environment.keys().presharedKey()));
            unchanged.addAll(unobserved(blueprint, looks.keySet()));
        }

        private Look look(String name) {
            return Objects.requireNonNull(looks.get(name), name);
        }

        boolean isNew(String name) {
            return pairs.containsKey(name);
        }

        /** A host did not take its new secrets, or puts the old ones back: its peers stay with those. */
        void notTaken(String name) {
            PublicKey old = remembered.get(name);
            Optional<PublicKey> running = look(name).facts().wireGuard().flatMap(HostFacts.WireGuardFact::publicKey);
            // What its peers have is the key that it is remembered by; a file that others could write to does not tell.
            if (old != null && (isNew(name) || running.equals(Optional.of(old)))) {
                known.put(name, old);
            } else if (isNew(name)) {
                known.remove(name);
            }
            made.removeIf(pair -> pair.contains(name));
            unchanged.add(name);
        }

        private Set<String> sharedBy(String name) {
            Map<String, PublicKey> staying = new HashMap<>();
            blueprint.host(name).peers().stream()
                    .filter(peer -> unchanged.contains(peer) || unchanged.contains(name))
                    .forEach(peer -> Optional.ofNullable(known.get(peer)).ifPresent(key -> staying.put(peer, key)));
            return PresharedKeys.sharedBy(
                    blueprint, name, Optional.of(look(name).facts()), made, staying);
        }

        /** What each host's end of its tunnels is to be. */
        Map<String, TunnelSecrets.End> ends() {
            Map<String, TunnelSecrets.End> ends = new TreeMap<>();
            looks.forEach((name, look) -> {
                PublicKey key = known.get(name);
                if (key != null) {
                    ends.put(name, new TunnelSecrets.End(look.facts(), key, sharedBy(name)));
                }
            });
            return ends;
        }

        DesiredHost desired(String name, Map<String, String> addresses) {
            return environment.renderer().render(blueprint, name, addresses, known, sharedBy(name));
        }

        NewKeys of(String name) {
            Map<String, Secret> shared = new HashMap<>();
            made.stream().filter(pair -> pair.contains(name)).forEach(pair -> {
                String peer = pair.first().equals(name) ? pair.second() : pair.first();
                shared.put(peer, Objects.requireNonNull(preshared.get(pair)));
            });
            return new NewKeys(Optional.ofNullable(pairs.get(name)), shared);
        }

        @Override
        public void close() {
            pairs.values().forEach(WireGuardKeyPair::close);
            preshared.values().forEach(Secret::close);
        }
    }

    /** The hosts that this run is about and that could not be observed. */
    private Set<String> unobserved(Blueprint blueprint, Set<String> observed) {
        return selected(blueprint).stream()
                .map(Blueprint.Host::name)
                .filter(name -> !observed.contains(name))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Gives every host new keys, which needs all of them: nothing is changed if one cannot be looked at. */
    private void rotate(
            Ledger ledger,
            Blueprint blueprint,
            Set<String> names,
            Map<String, String> addresses,
            Map<String, RuntimeException> failures,
            Map<String, List<String>> changes) {
        Map<String, Look> looks = new ConcurrentHashMap<>();
        if (!failures.isEmpty()) {
            problem(ROTATE, new NotRotatedException(failures.keySet()));
            return;
        }
        try (Secret loginKey = loginKey()) {
            observeAgain(ledger, blueprint, names, addresses, failures, looks, loginKey);
            refuseOccupied(blueprint, looks, addresses, failures, true);
            disbelieve(ledger.state(), looks, addresses, failures);
            if (failures.isEmpty()) {
                configure(ledger, blueprint, looks, addresses, failures, changes, loginKey, true)
                        .forEach((name, failure) -> fail(failures, name, failure));
            } else {
                problem(ROTATE, new NotRotatedException(failures.keySet()));
            }
        } finally {
            looks.values().forEach(look -> look.session().close());
        }
    }

    /**
     * Changes on each host what differs.
     *
     * @return the hosts that were left alone until others can be observed, and why
     */
    private Map<String, HostException> configure(
            Ledger ledger,
            Blueprint blueprint,
            Map<String, Look> looks,
            Map<String, String> addresses,
            Map<String, RuntimeException> failures,
            Map<String, List<String>> changes,
            Secret loginKey,
            boolean rotate) {
        try (Keys keys = new Keys(blueprint, ledger.state(), looks, rotate)) {
            ledger.update(state -> {
                MeshState changed = state;
                for (String name : looks.keySet()) {
                    if (!keys.isNew(name)) {
                        changed = changed.with(
                                name,
                                hostState(changed, name).withPublicKey(Objects.requireNonNull(keys.known.get(name))));
                    }
                }
                return changed;
            });
            return new Changing(ledger, keys, looks, addresses, loginKey, failures, changes).run();
        }
    }

    /**
     * Changes hosts in parallel. The hosts whose running tunnels get other secrets take them together or not at all: the nodes change
     * and hold, under a rollback that is armed and not confirmed; then the monitors; and where all of them did, nodes and monitors
     * are confirmed. Where one did not, the others that share a changed tunnel with it put their old secrets back. The nodes go
     * first since a monitor that asks for a tunnel before its node knows the key would wait five seconds to ask again (REKEY_TIMEOUT
     * in the WireGuard paper, section 6.1). All other hosts are done before, so that no tunnel waits for them.
     */
    private final class Changing {
        private final Ledger ledger;
        private final Keys keys;
        private final Map<String, Look> looks;
        private final Map<String, String> addresses;
        private final Secret loginKey;
        private final Map<String, RuntimeException> failures;
        private final Map<String, List<String>> changes;
        private final Map<String, Confirmation> held = new ConcurrentHashMap<>();
        private Set<Pair> exchange = Set.of();

        Changing(
                Ledger ledger,
                Keys keys,
                Map<String, Look> looks,
                Map<String, String> addresses,
                Secret loginKey,
                Map<String, RuntimeException> failures,
                Map<String, List<String>> changes) {
            this.ledger = ledger;
            this.keys = keys;
            this.looks = looks;
            this.addresses = addresses;
            this.loginKey = loginKey;
            this.failures = failures;
            this.changes = changes;
        }

        /** Returns the hosts that were left alone until others can be observed, and why. */
        Map<String, HostException> run() {
            Map<String, HostException> deferred = defer();
            Set<String> todo = new TreeSet<>(looks.keySet());
            todo.removeAll(deferred.keySet());
            exchange = TunnelSecrets.changing(keys.blueprint, keys.ends(), keys.made);
            Set<String> together = TunnelSecrets.ends(exchange);
            together.retainAll(todo);
            Set<String> alone = new TreeSet<>(todo);
            alone.removeAll(together);
            Set<String> nodes = having(together, Role.NODE);
            Set<String> monitors = having(together, Role.MONITOR);

            wave(alone, false);
            Map<String, TunnelSecrets.End> ends = keys.ends();
            long begin = System.nanoTime();
            Set<String> failed = wave(nodes, true);
            Set<String> stuck = TunnelSecrets.heldBack(exchange, ends, failed);
            leave(failed);
            giveUp(stuck, failed);
            monitors.removeIf(failures::containsKey);
            Set<String> released = new TreeSet<>(monitors);
            released.removeAll(TunnelSecrets.ends(exchange));
            monitors.removeAll(released);
            wave(released, false);
            giveUp(wave(monitors, true), Set.of());
            if (held.isEmpty()) {
                return deferred;
            }
            boolean late = 2 * (System.nanoTime() - begin)
                    > environment.applier().rollbackAfter().toNanos();
            confirm(nodes, monitors, late);
            return deferred;
        }

        /**
         * Confirms the monitors before the nodes, so that one which cannot be reached then costs no tunnel: its nodes put their old
         * secrets back. Where the time is short, the nodes go first: they began earlier, and may have rolled back by now.
         */
        private void confirm(Set<String> nodes, Set<String> monitors, boolean nodesFirst) {
            Set<String> first = nodesFirst ? nodes : monitors;
            Set<String> second = nodesFirst ? monitors : nodes;
            confirm(first);
            Set<String> vain = new TreeSet<>(second);
            vain.retainAll(TunnelSecrets.ends(exchange));
            vain.removeIf(
                    name -> TunnelSecrets.peers(exchange, name).stream().anyMatch(peer -> !failures.containsKey(peer)));
            putBack(vain, first.stream().filter(failures::containsKey).collect(Collectors.toSet()));
            confirm(second);
        }

        private Set<String> having(Set<String> names, Role role) {
            return names.stream()
                    .filter(name -> keys.blueprint.host(name).role() == role)
                    .collect(Collectors.toCollection(TreeSet::new));
        }

        /** Leaves alone the hosts whose new key would cut a tunnel in use, since the other end could not be observed. */
        private Map<String, HostException> defer() {
            Map<String, TunnelSecrets.End> ends = keys.ends();
            Set<Pair> changing = TunnelSecrets.changing(keys.blueprint, ends, keys.made);
            Map<String, Set<String>> waitingFor = new TreeMap<>();
            ends.forEach((name, end) -> {
                Set<String> missing = new TreeSet<>(keys.blueprint.host(name).peers());
                missing.retainAll(unobserved(keys.blueprint, looks.keySet()));
                Set<String> peers = TunnelSecrets.unobserved(end, missing, keys.remembered);
                if (end.changesKey() && !peers.isEmpty()) {
                    waitingFor.put(name, peers);
                }
            });
            Set<String> first = Set.copyOf(waitingFor.keySet());
            TunnelSecrets.heldBack(changing, ends, first)
                    .forEach(name -> waitingFor.put(name, TunnelSecrets.peers(changing, name)));
            Map<String, HostException> deferred = new TreeMap<>();
            waitingFor.forEach((name, peers) -> {
                keys.notTaken(name);
                deferred.put(
                        name,
                        HostException.of(name, address(addresses, name), "give it new keys")
                                .retryable()
                                .because(
                                        "it has running tunnels with others that cannot take part: "
                                                + String.join(", ", peers),
                                        "Nothing was changed on it, so that its tunnels stay. Make those reachable, or take"
                                                + " them out of the mesh, then run apply again."));
            });
            return deferred;
        }

        /** Changes some hosts, and returns those that failed. */
        private Set<String> wave(Set<String> names, boolean hold) {
            Map<String, Parallel.Result<String>> results = Parallel.map(names, environment.parallelism(), name -> {
                Optional<Confirmation> due = change(
                        ledger,
                        keys.desired(name, addresses),
                        look(name),
                        keys.of(name),
                        address(addresses, name),
                        loginKey,
                        changes.computeIfAbsent(name, key -> new ArrayList<>()),
                        hold);
                if (hold) {
                    due.ifPresent(confirmation -> held.put(name, confirmation));
                } else {
                    due.ifPresent(Confirmation::confirm);
                }
                return name;
            });
            collect(failures, results, "change the host");
            Set<String> failed = new TreeSet<>();
            results.forEach((name, result) -> {
                if (result.failure() != null) {
                    failed.add(name);
                    keys.notTaken(name);
                    remember(name);
                }
            });
            return failed;
        }

        /** The tunnels of these hosts keep their secrets at both ends. */
        private void leave(Set<String> names) {
            Set<Pair> left = new HashSet<>(exchange);
            left.removeIf(pair -> names.contains(pair.first()) || names.contains(pair.second()));
            exchange = left;
        }

        /** Has some hosts put their old secrets back, and all that share a changed tunnel with them. */
        private void giveUp(Set<String> names, Set<String> since) {
            putBack(TunnelSecrets.together(exchange, names), since);
        }

        private void putBack(Set<String> all, Set<String> since) {
            Set<String> failed = new TreeSet<>(since);
            all.stream().filter(failures::containsKey).forEach(failed::add);
            for (String name : all) {
                keys.notTaken(name);
                if (!failures.containsKey(name)) {
                    remember(name);
                }
            }
            Set<String> begun = new TreeSet<>(all);
            begun.retainAll(held.keySet());
            held.keySet().removeAll(all);
            collect(
                    failures,
                    Parallel.map(begun, environment.parallelism(), name -> {
                        throw putBack(name, failed);
                    }),
                    "put the old keys back");
            all.stream()
                    .filter(name -> !failures.containsKey(name))
                    .forEach(name -> fail(failures, name, notBegun(name, address(addresses, name), failed)));
            leave(all);
        }

        /** Has a host roll back now, and tells what came of it. */
        private HostException putBack(String name, Set<String> failed) {
            String why = "others that must take their new keys in the same run did not: " + String.join(", ", failed);
            String remedy = "Fix what those lack, then run apply again.";
            HostException.Builder outcome = HostException.of(name, address(addresses, name), "put the old keys back");
            environment.started(name, "put the old keys back");
            try {
                look(name).session().rollBack();
            } catch (HostException e) {
                return outcome.status(Status.UNKNOWN)
                        .cause(e)
                        .because(
                                why + ", and whether the host has put its old keys back is not known: "
                                        + e.getMessage(),
                                "It puts them back by itself within "
                                        + environment.applier().rollbackAfter().toSeconds() + " s. " + remedy);
            }
            return outcome.status(Status.ROLLED_BACK)
                    .because(why + ". So the host has put its old keys, firewall rules and host key back", remedy);
        }

        private Look look(String name) {
            return Objects.requireNonNull(looks.get(name), name);
        }

        private void confirm(Set<String> names) {
            Set<String> due = new TreeSet<>(names);
            due.retainAll(held.keySet());
            collect(
                    failures,
                    Parallel.map(due, environment.parallelism(), name -> {
                        Objects.requireNonNull(held.remove(name)).confirm();
                        return name;
                    }),
                    "connect anew");
        }

        /** What its peers have is what a host is remembered by, and not a key that it puts back. */
        private void remember(String name) {
            Optional.ofNullable(keys.known.get(name))
                    .ifPresent(key -> ledger.update(
                            state -> state.with(name, hostState(state, name).withPublicKey(key))));
        }
    }

    private static HostException notBegun(String name, String address, Set<String> failed) {
        return HostException.of(name, address, "give it new keys")
                .retryable()
                .because(
                        "others that must take their new keys in the same run did not: " + String.join(", ", failed),
                        "Nothing was changed on it. Fix what those lack, then run apply again.");
    }

    /** Notes by the cloud's clock that hosts' own keys are pinned: a rebuild that begins later is news. */
    private void datePins(Ledger ledger) {
        if (ledger.state().hosts().values().stream().noneMatch(HostState::pinnedUndated)) {
            return;
        }
        try {
            environment
                    .provider()
                    .clock()
                    .ifPresent(now -> ledger.update(state -> {
                        MeshState changed = state;
                        for (Map.Entry<String, HostState> entry : state.hosts().entrySet()) {
                            if (entry.getValue().pinnedUndated()) {
                                changed = changed.with(
                                        entry.getKey(), entry.getValue().pinnedAt(now));
                            }
                        }
                        return changed;
                    }));
        } catch (ProviderException | StateException e) {
            problem("ask " + environment.provider().name() + " for the time", e);
        }
    }

    /**
     * Hosts that were there before are all refused together, before any is changed; one that is ready only later, when others are
     * changed already, is left out.
     */
    private void refuseOccupied(
            Blueprint blueprint,
            Map<String, Look> looks,
            Map<String, String> addresses,
            Map<String, RuntimeException> failures,
            boolean nothingChanged) {
        Map<String, List<String>> faults = new TreeMap<>();
        looks.forEach((name, look) -> {
            DesiredHost desired = environment.renderer().render(blueprint, name, Map.of(), Map.of(name, NOT_YET));
            List<String> found = inTheWay(blueprint.host(name), desired, look.facts());
            if (!found.isEmpty()) {
                faults.put(name, found);
            }
        });
        if (nothingChanged && !faults.isEmpty()) {
            throw new InvalidMeshException(
                    spec.name(),
                    faults.entrySet().stream()
                            .flatMap(entry -> entry.getValue().stream().map(fault -> entry.getKey() + ": " + fault))
                            .toList());
        }
        faults.forEach((name, found) -> {
            HostException failure = HostException.of(name, address(addresses, name), "check the host")
                    .because(String.join("; ", found), "Nothing was changed on it.");
            failures.put(name, failure);
            environment.failed(name, failure.step());
            Objects.requireNonNull(looks.remove(name)).session().close();
        });
    }

    /** Leaves out the hosts that show a key which they may not have: nothing that they say reaches another host. */
    private void disbelieve(
            MeshState state,
            Map<String, Look> looks,
            Map<String, String> addresses,
            Map<String, RuntimeException> failures) {
        Map<String, PublicKey> claims = new HashMap<>();
        looks.forEach((name, look) -> {
            if (!Differ.needsKey(look.facts())) {
                look.facts().keyFilePublicKey().ifPresent(key -> claims.put(name, key));
            }
        });
        KeyClaims.refused(claims, remembered(state)).forEach((name, what) -> {
            HostException failure = HostException.of(name, address(addresses, name), "check the host")
                    .because(what, "Nothing was changed on it. " + KeyClaims.mend());
            failures.put(name, failure);
            environment.failed(name, failure.step());
            Objects.requireNonNull(looks.remove(name)).session().close();
        });
    }

    /** The WireGuard keys that hosts are remembered by; the caller's to change. */
    static Map<String, PublicKey> remembered(MeshState state) {
        Map<String, PublicKey> keys = new HashMap<>();
        state.hosts().forEach((name, host) -> host.publicKey().ifPresent(key -> keys.put(name, key)));
        return keys;
    }

    private Look look(Ledger ledger, Blueprint blueprint, String name, String address, Secret loginKey) {
        HostState known = hostState(ledger.state(), name);
        HostSession session = admission.open(name, address, known, loginKey, environment.sshPatience());
        boolean keep = false;
        try {
            pin(ledger, name, session);
            HostFacts facts = session.facts(query(environment, blueprint, name), Environment.BOOT_PATIENCE);
            Look look = accept(ledger, name, address, new Look(session, facts));
            keep = true;
            return look;
        } finally {
            if (!keep) {
                session.close();
            }
        }
    }

    /** A host that was there before is known from now on by the key that it showed. */
    private void pin(Ledger ledger, String name, HostSession session) {
        if (isInventory() && !hostState(ledger.state(), name).hostKeys().equals(Set.of(session.hostKey()))) {
            ledger.update(state -> state.with(name, hostState(state, name).pinned(session.hostKey())));
        }
    }

    /** Goes on with a host whose facts were read, unless it cannot be in the mesh. */
    private Look accept(Ledger ledger, String name, String address, Look look) {
        pin(ledger, name, look.session());
        Optional<String> overlap = overlap(look.facts());
        if (overlap.isPresent()) {
            throw HostException.of(name, address, "check the host")
                    .because(overlap.get(), "Nothing was changed on it. " + OVERLAP_REMEDY);
        }
        environment.done(name, "looked at");
        return look;
    }

    /** The confirmation that changes need which were made under an armed rollback. */
    @FunctionalInterface
    private interface Confirmation {
        void confirm();
    }

    private Optional<Confirmation> change(
            Ledger ledger,
            DesiredHost desired,
            Look look,
            NewKeys newKeys,
            String address,
            Secret loginKey,
            List<String> done,
            boolean rollBackOnFailure) {
        String name = desired.name();
        List<String> faults = Differ.faults(desired, look.facts());
        if (!faults.isEmpty()) {
            throw HostException.of(name, address, "check the host")
                    .because(String.join("; ", faults), "Nothing was changed on it.");
        }
        HostState before = hostState(ledger.state(), name);
        HostKeyFingerprint shown = look.session().hostKey();
        boolean throwaway = before.throwaway().equals(Optional.of(shown));
        if (!throwaway && before.hostKeys().size() > 1) {
            ledger.update(state -> state.with(name, hostState(state, name).pinned(shown)));
        }
        if (before.rebuilt(shown)) {
            done.add(REBUILT);
            drift.computeIfAbsent(name, key -> new ArrayList<>()).add(REBUILT);
        }
        List<Change> changes = remembering(Differ.diff(desired, look.facts(), newKeys, throwaway), look.facts());
        Footprint left = Footprint.of(
                desired, Architecture.ofMachine(look.facts().machine()).orElseThrow());
        if (changes.isEmpty()) {
            ledger.update(state -> state.with(name, hostState(state, name).with(left)));
            environment.done(name, "nothing to change");
            return Optional.empty();
        }
        Footprint known =
                before.rebuilt(shown) ? Footprint.NONE : before.footprint().orElse(Footprint.NONE);
        List<Change> drifted = Drift.among(desired, look.facts(), known, changes);
        // A run that is cut off leaves what it touched unknown, or a later plan would call it drift.
        Footprint untouched = known.without(changes);
        if (!untouched.equals(before.footprint().orElse(Footprint.NONE))) {
            ledger.update(state -> state.with(name, hostState(state, name).with(untouched)));
        }
        Recorder recorder = new Recorder(ledger, name, done, drifted);
        Reconnection reconnection = new Reconnection(environment, name, address, loginKey);
        boolean armed;
        try {
            armed = look.session().apply(changes, recorder);
        } catch (HostException e) {
            if (rollBackOnFailure && e.status() == Status.FAILED) {
                rollBack(look, e);
            }
            look.session().close();
            throw reconnection.afterLoss(e, hostState(ledger.state(), name));
        }
        if (armed) {
            reconnection.armed();
            return Optional.of(() -> confirm(ledger, look, recorder, left, reconnection));
        }
        ledger.update(state -> state.with(name, hostState(state, name).with(left)));
        return Optional.empty();
    }

    /** A host whose peers stay with the old keys is not left with new ones until its rollback begins by itself. */
    private static void rollBack(Look look, HostException failure) {
        try {
            look.session().rollBack();
        } catch (HostException e) {
            failure.addSuppressed(e);
        }
    }

    private void confirm(Ledger ledger, Look look, Recorder recorder, Footprint left, Reconnection reconnection) {
        String name = recorder.name;
        look.session().close();
        HostState now = hostState(ledger.state(), name);
        HostKeyFingerprint fresh = recorder.fresh;
        reconnection.confirm(fresh == null ? now : now.pinned(fresh), now);
        ledger.update(state -> {
            HostState host = hostState(state, name);
            return state.with(name, (fresh == null ? host : host.pinned(fresh)).with(left));
        });
        environment.done(name, "reached over a new connection, changes kept");
    }

    /** Passes on what a host reports, and writes its new host key down before the host may use it. */
    private final class Recorder implements HostSession.Progress {
        private final Ledger ledger;
        private final String name;
        private final List<String> done;
        private final List<Change> drifted;
        private volatile @Nullable HostKeyFingerprint fresh;

        Recorder(Ledger ledger, String name, List<String> done, List<Change> drifted) {
            this.ledger = ledger;
            this.name = name;
            this.done = done;
            this.drifted = drifted;
        }

        @Override
        public void started(Change change) {
            environment.started(name, change.describe());
        }

        @Override
        public void done(Change change) {
            if (change instanceof Change.WriteKey key) {
                ledger.update(state -> state.with(name, hostState(state, name).withPublicKey(key.publicKey())));
            }
            done.add(change.describe());
            if (drifted.contains(change)) {
                drift.computeIfAbsent(name, key -> new ArrayList<>()).add(change.describe());
            }
            environment.done(name, change.describe());
        }

        @Override
        public void newHostKey(HostKeyFingerprint fingerprint) {
            ledger.update(state -> state.with(name, hostState(state, name).accepting(fingerprint)));
            fresh = fingerprint;
        }
    }

    private List<String> remove(Ledger ledger, List<CloudHost> surplus) {
        if (surplus.isEmpty()) {
            return List.of();
        }
        List<String> names = names(surplus);
        environment.started(null, "remove " + String.join(", ", names));
        environment
                .provider()
                .delete(spec.name(), surplus.stream().map(CloudHost::id).toList(), Environment.REMOVAL);
        ledger.update(state -> {
            MeshState changed = state;
            for (CloudHost host : surplus) {
                HostState held = changed.hosts().get(host.name());
                if (held != null && held.providerId().equals(Optional.of(host.id()))) {
                    changed = changed.without(host.name());
                }
            }
            return changed;
        });
        names.forEach(name -> environment.done(name, "removed"));
        return names;
    }

    /** Hosts that were there before stay when they leave the mesh, without its parts. */
    private List<String> takeOff(Ledger ledger, List<CloudHost> surplus) {
        if (surplus.isEmpty()) {
            return List.of();
        }
        TakeDown.Outcome outcome = new TakeDown(
                        environment,
                        spec.name(),
                        environment.provider().inventory().orElseThrow())
                .off(ledger, names(surplus));
        new TreeMap<>(outcome.failures())
                .forEach((name, failure) ->
                        problems.add(new ApplyReport.Problem("take PromGuard's parts off " + name, failure)));
        return List.copyOf(outcome.left().keySet());
    }

    private static List<String> names(List<CloudHost> hosts) {
        return hosts.stream().map(CloudHost::name).sorted().toList();
    }

    private <R> void collect(
            Map<String, RuntimeException> failures, Map<String, Parallel.Result<R>> results, String step) {
        results.forEach((name, result) -> {
            if (result.failure() != null) {
                failures.put(name, result.failure());
                environment.failed(name, result.failure() instanceof HostException failure ? failure.step() : step);
            }
        });
    }

    private ApplyReport report(
            Blueprint blueprint,
            Map<String, String> addresses,
            Map<String, RuntimeException> failures,
            Map<String, List<String>> changes,
            List<String> removed,
            List<String> inCloud,
            long start) {
        List<HostOutcome> outcomes = new ArrayList<>();
        for (Blueprint.Host host : selected(blueprint)) {
            List<String> done = changes.getOrDefault(host.name(), List.of());
            RuntimeException failure = failures.get(host.name());
            Status status = failure instanceof HostException e
                    ? e.status()
                    : failure != null ? Status.FAILED : done.isEmpty() ? Status.UNCHANGED : Status.CHANGED;
            outcomes.add(new HostOutcome(
                    host.name(),
                    host.spec().region(),
                    host.address(),
                    Optional.ofNullable(addresses.get(host.name())),
                    status,
                    done,
                    drift.getOrDefault(host.name(), List.of()),
                    failure));
        }
        failures.forEach((name, failure) -> {
            if (outcomes.stream().noneMatch(outcome -> outcome.name().equals(name))) {
                problems.add(new ApplyReport.Problem(name, failure));
            }
        });
        return new ApplyReport(
                blueprint.mesh(), outcomes, removed, inCloud, problems, Duration.ofNanos(System.nanoTime() - start));
    }

    private static ApplyException applyFailure(ApplyReport report) {
        Map<RuntimeException, List<String>> names = new LinkedHashMap<>();
        report.hosts().stream()
                .sorted(Comparator.comparing(HostOutcome::name))
                .forEach(host -> Optional.ofNullable(host.failure())
                        .ifPresent(failure -> names.computeIfAbsent(failure, key -> new ArrayList<>())
                                .add(host.name())));
        report.problems()
                .forEach(problem -> names.computeIfAbsent(problem.failure(), key -> new ArrayList<>())
                        .add(problem.step()));
        List<String> messages = new ArrayList<>();
        names.forEach((failure, of) -> messages.add(
                failure instanceof HostException
                        ? String.valueOf(failure.getMessage())
                        : String.join(", ", of) + ": "
                                + (failure instanceof PromGuardException ? failure.getMessage() : failure)));
        List<RuntimeException> distinct = List.copyOf(names.keySet());
        long good = report.hosts().stream().filter(host -> host.status().ok()).count();
        ApplyException exception = new ApplyException(
                String.join("\n", messages) + "\n  " + good + " of "
                        + report.hosts().size()
                        + " hosts are done. Nothing is lost: put right what is named above, then run apply again.",
                report,
                distinct.get(0));
        distinct.stream().skip(1).forEach(exception::addSuppressed);
        return exception;
    }

    private HostSession open(World world, String name, Secret loginKey, Duration patience) {
        CloudHost host = Objects.requireNonNull(world.present().get(name));
        String address = host.publicAddress()
                .orElseThrow(() -> HostException.of(name, "", "connect")
                        .because("it has no public address yet", "Look again in a minute."));
        return admission.open(name, address, hostState(world.state(), name), loginKey, patience);
    }

    /** What to look at on a host: what does not depend on keys. */
    static FactsQuery query(Environment environment, Blueprint blueprint, String name) {
        Map<String, PublicKey> keys = new HashMap<>();
        keys.put(name, NOT_YET);
        blueprint.host(name).peers().forEach(peer -> keys.put(peer, NOT_YET));
        return Differ.query(environment.renderer().render(blueprint, name, Map.of(), keys));
    }

    private static Map<String, String> publicAddresses(World world) {
        Map<String, String> addresses = new TreeMap<>();
        world.present()
                .forEach((name, host) -> host.publicAddress().ifPresent(address -> addresses.put(name, address)));
        return addresses;
    }

    private static String address(Map<String, String> addresses, String name) {
        return Objects.requireNonNull(addresses.get(name), name);
    }

    private static HostState hostState(MeshState state, String name) {
        HostState host = state.hosts().get(name);
        if (host == null) {
            throw new IllegalStateException("nothing is remembered of " + name);
        }
        return host;
    }
}
