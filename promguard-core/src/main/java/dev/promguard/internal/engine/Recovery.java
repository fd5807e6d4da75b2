package dev.promguard.internal.engine;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.InvalidMeshException;
import dev.promguard.InvalidSettingException;
import dev.promguard.StateException;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.host.AuthorizedKeys;
import dev.promguard.host.Change;
import dev.promguard.host.DesiredHost;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostProblem;
import dev.promguard.host.LastApplied;
import dev.promguard.host.Resources;
import dev.promguard.internal.decide.Decider;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.decide.HostDecision;
import dev.promguard.internal.decide.RecoveryDecision;
import dev.promguard.internal.decide.RecoveryDecision.Finding;
import dev.promguard.internal.decide.RecoveryDecision.Host;
import dev.promguard.internal.decide.Request;
import dev.promguard.internal.observe.CloudObserver;
import dev.promguard.internal.observe.HostKeyPolicy;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.observe.HostObserver;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.observe.RecoveryAccess;
import dev.promguard.internal.observe.RecoveryObserver;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.observe.Sessions;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.MeshStates;
import dev.promguard.internal.run.Parallel;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.Preflight;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Rebuilds the state of a mesh from what exists. */
public final class Recovery {
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final Context context;
    private final RecoveryAccess access;

    /**
     * A recovery.
     *
     * @param context the run's context
     * @param access how it gets in, and what it was told
     */
    public Recovery(Context context, RecoveryAccess access) {
        this.context = context;
        this.access = access;
    }

    /**
     * What a recovery found, and what it wrote or would write.
     *
     * @param decision what was decided
     * @param next what an apply would do after that; empty if there are problems
     * @param newKey whether a new login key was, or is to be, made
     * @param admitting the hosts on which the mesh's login key was, or is to be, admitted
     * @param replaces whether a state was there
     * @param copies the names of the copies of the state that was replaced
     * @param written whether it was written
     */
    public record Result(
            RecoveryDecision decision,
            Optional<Decision> next,
            boolean newKey,
            List<String> admitting,
            boolean replaces,
            List<String> copies,
            boolean written) {
        /**
         * Copies the lists.
         *
         * @throws NullPointerException if something is null
         */
        public Result {
            Objects.requireNonNull(decision, "decision");
            Objects.requireNonNull(next, "next");
            admitting = List.copyOf(admitting);
            copies = List.copyOf(copies);
        }
    }

    /** The mesh's own login key, and whether it is kept where it belongs. */
    private record OwnKey(Optional<SshKeyPair> pair, boolean kept) {}

    /** The state that is there, what is known by a copy of it, and every state that names hosts. */
    private record Known(boolean exists, boolean readable, MeshState state, List<MeshState> all) {}

    /**
     * Finds out what a recovery would write. Changes nothing.
     *
     * @return what was found, with every problem
     */
    public Result plan() {
        return run(false, result -> {});
    }

    /**
     * Recovers. The mesh is locked.
     *
     * @param review is shown the whole result before anything is written; what it throws ends the run
     * @return what was written
     * @throws InvalidMeshException if there is a problem; nothing was written then
     */
    public Result recover(Consumer<Result> review) {
        return run(true, review);
    }

    private Result run(boolean write, Consumer<Result> review) {
        Known known = known();
        List<FoundHost> hosts = candidates(known.all());
        List<Secret> secrets = new ArrayList<>();
        List<Identity> identities = new ArrayList<>();
        try (Sessions sessions = new Sessions(
                () -> identities.isEmpty() ? context.identity() : identities.get(0),
                known.state().jumpHosts())) {
            OwnKey own = context.isInventory() ? new OwnKey(Optional.empty(), true) : ownKey(secrets);
            own.pair().ifPresent(pair -> identities.add(Identity.ofKey(pair.privateKey())));
            identities.addAll(access.identities());
            requireLogin(identities);
            List<RecoveryObserver.Candidate> candidates =
                    new RecoveryObserver(context, access, known.state(), identities).read(hosts, sessions);
            RecoveryDecision decision =
                    RecoveryDecision.of(context.spec(), context.isInventory(), access, known.state(), candidates);
            if (!decision.problems().isEmpty()) {
                Result refused =
                        new Result(decision, Optional.empty(), false, List.of(), known.exists(), List.of(), false);
                if (write) {
                    throw refusal(decision.problems());
                }
                return refused;
            }
            Decision next = next(decision, sessions);
            Result found = new Result(
                    withLastApplied(decision, next),
                    Optional.of(next),
                    own.pair().isEmpty() && !context.isInventory(),
                    admitting(decision, own.pair().map(SshKeyPair::publicKey)),
                    known.exists(),
                    List.of(),
                    false);
            review.accept(found);
            return write ? written(found, known, own, sessions) : found;
        } finally {
            secrets.forEach(Secret::close);
        }
    }

    private InvalidMeshException refusal(List<Finding> problems) {
        List<String> lines = problems.stream()
                .map(problem -> {
                    String line = new HostProblem(problem.message(), problem.remedy()).textOf(problem.host());
                    return problems.size() == 1 ? line : problem.code().appendedTo(line);
                })
                .toList();
        return new InvalidMeshException(problems.get(0).code(), context.mesh(), lines);
    }

    /** What is known already. A state is never replaced unless that was asked for. */
    private Known known() {
        String mesh = context.mesh();
        MeshState copy = access.backup()
                .flatMap(store -> new MeshStates(store).load(mesh))
                .orElse(MeshState.empty(mesh));
        Optional<MeshState> there;
        try {
            there = context.store().load(mesh);
        } catch (StateException e) {
            if (!access.replace() || (e.code() != ErrorCode.STATE_DAMAGED && e.code() != ErrorCode.STATE_VERSION)) {
                throw e;
            }
            return new Known(true, false, copy, List.of(copy));
        }
        boolean exists = there.filter(
                        state -> !state.hosts().isEmpty() || !state.intents().isEmpty())
                .isPresent();
        if (exists && !access.replace()) {
            throw new StateException(
                    ErrorCode.STATE_EXISTS,
                    context.store().describe(mesh) + " has a state of mesh " + mesh + " already, with "
                            + there.get().hosts().size()
                            + " hosts. Use it with plan() and apply(); to rebuild it all the same, say replaceState(), which keeps a"
                            + " copy.",
                    false,
                    null);
        }
        return new Known(
                exists,
                true,
                access.backup().isPresent() ? copy : there.orElse(copy),
                Stream.concat(Stream.of(copy), there.stream()).toList());
    }

    /** The hosts that may be the mesh's. */
    private List<FoundHost> candidates(List<MeshState> states) {
        List<FoundHost> all;
        try (Events.Task task = context.events().task(null, "look for the mesh's hosts")) {
            all = new CloudObserver(context).candidates(states);
            task.done();
        }
        Set<String> names = new TreeSet<>();
        all.forEach(found -> {
            names.add(found.host().name());
            names.add(found.host().id());
        });
        Set<String> unknown = new TreeSet<>(access.leftOut());
        context.spec().hosts().stream().map(HostSpec::name).forEach(unknown::remove);
        unknown.addAll(access.hostKeys().keySet());
        unknown.removeAll(names);
        if (!unknown.isEmpty()) {
            throw new InvalidMeshException(
                    ErrorCode.UNKNOWN_NAME,
                    context.mesh(),
                    unknown.stream()
                            .map(name -> "recover: " + Names.quote(name)
                                    + " is neither the name nor the id of one of its hosts."
                                    + " The hosts are "
                                    + String.join(", ", names) + ".")
                            .toList());
        }
        return all.stream()
                .filter(found ->
                        !access.leavesOut(found.host().name(), found.host().id()))
                .toList();
    }

    /** The mesh's own login key, if it is still there or in a copy. */
    private OwnKey ownKey(List<Secret> secrets) {
        Optional<SshKeyPair> own = whole(context.store(), secrets);
        return own.isPresent()
                ? new OwnKey(own, isBesideItsPublicHalf(own.get()))
                : new OwnKey(access.backup().flatMap(store -> whole(new MeshStates(store), secrets)), false);
    }

    /** Without a state, the public half beside a login key tells whether it is still the mesh's. */
    private boolean isBesideItsPublicHalf(SshKeyPair own) {
        try {
            return context.store()
                    .loadLoginPublicKey(context.mesh())
                    .filter(own.publicKey()::equals)
                    .isPresent();
        } catch (StateException e) {
            requireDamaged(e);
            return false;
        }
    }

    /** What makes no sense is as good as lost. Any other failure ends the run. */
    private static void requireDamaged(StateException failure) {
        if (failure.code() != ErrorCode.STATE_DAMAGED) {
            throw failure;
        }
    }

    private Optional<SshKeyPair> whole(MeshStates states, List<Secret> secrets) {
        try {
            Optional<Secret> key = states.loadLoginKey(context.mesh());
            key.ifPresent(secrets::add);
            return key.map(secret -> new SshKeyPair(secret, SshKeyPair.publicHalf(secret)));
        } catch (InvalidSettingException | StateException e) {
            if (e instanceof StateException failure) {
                requireDamaged(failure);
            }
            context.events().note(null, "the SSH login key in " + states.describe(context.mesh()) + " is no whole key");
            return Optional.empty();
        }
    }

    private void requireLogin(List<Identity> identities) {
        if (!context.isInventory() && identities.isEmpty()) {
            throw new StateException(
                    ErrorCode.LOGIN_KEY_MISSING,
                    "the SSH login key of mesh " + context.mesh() + " is missing from "
                            + context.store().describe(context.mesh())
                            + ". Give a copy of the state with backup(…), or with loginKey(…) another key that the hosts admit.",
                    false,
                    null);
        }
    }

    /** What an apply would do with the state, by the hosts that were read: once more, over the same sessions. */
    private Decision next(RecoveryDecision decision, Sessions sessions) {
        CloudObserver cloud = new CloudObserver(context);
        HostObserver hosts = new HostObserver(context);
        Roster roster = cloud.observeBriefly(decision.state());
        Preflight preflight = roster.missing().isEmpty()
                ? new Preflight(List.of(), Map.of())
                : context.provider().preflight(roster.missing());
        Map<String, HostObservation> known = new LinkedHashMap<>();
        Map<String, DesiredHost> expected = new TreeMap<>();
        Map<String, CloudHost> reachable = new TreeMap<>();
        for (Blueprint.Host host : roster.selected()) {
            CloudHost present = roster.present().get(host.name());
            if (present == null) {
                known.put(host.name(), new HostObservation.Absent());
            } else if (sessions.with(present.id()).isPresent()) {
                reachable.put(host.name(), present);
            } else {
                known.put(
                        host.name(),
                        new HostObservation.Unreachable(
                                HostException.of(ErrorCode.CONNECT_FAILED, host.name(), "", "read the host")
                                        .because("it was left out", "")));
            }
        }
        reachable.keySet().forEach(name -> expected.put(name, hosts.expected(roster, name)));
        Parallel.map(
                        reachable.keySet(),
                        context.parallelism(),
                        name -> read(
                                name,
                                sessions.with(Objects.requireNonNull(reachable.get(name))
                                                .id())
                                        .orElseThrow(),
                                Objects.requireNonNull(expected.get(name))))
                .forEach((name, result) -> {
                    RuntimeException failure = result.failure();
                    Host found = decision.hosts().get(name);
                    if (failure != null) {
                        known.put(name, new HostObservation.Unreachable(failure));
                    } else {
                        HostSession session = sessions.with(Objects.requireNonNull(reachable.get(name))
                                        .id())
                                .orElseThrow();
                        known.put(
                                name,
                                new HostObservation.Seen(
                                        result.orThrow(),
                                        session.hostKey(),
                                        found == null ? Map.of() : found.seen().jumpKeys()));
                    }
                });
        List<String> firewall =
                context.provider().planFirewall(context.mesh(), context.spec().wireGuardPorts());
        return new Decider(context.renderer(), context.store().describe(context.mesh()))
                .decide(Request.APPLY, new Observed(roster, preflight, firewall, expected, known));
    }

    private HostFacts read(String name, HostSession session, DesiredHost expected) {
        try (Events.Task task = context.events().task(name, "compare with the spec")) {
            HostFacts facts = session.facts(Resources.query(expected), context.bootTimeout());
            task.done();
            return facts;
        }
    }

    /** What an apply would leave alone is known to be as the last one left it. */
    private static RecoveryDecision withLastApplied(RecoveryDecision decision, Decision next) {
        MeshState state = decision.state();
        for (HostDecision host : next.hosts()) {
            MeshState.HostState known = state.hosts().get(host.name());
            Optional<Architecture> architecture = next.observed()
                    .seen(host.name())
                    .flatMap(seen -> Architecture.ofMachine(seen.facts().machine()));
            if (known != null
                    && host.desired().isPresent()
                    && host.problems().isEmpty()
                    && host.changes().isEmpty()
                    && architecture.isPresent()) {
                state = state.with(
                        host.name(), known.with(LastApplied.of(host.desired().get(), architecture.get())));
            }
        }
        return new RecoveryDecision(decision.hosts(), decision.missing(), decision.problems(), decision.notes(), state);
    }

    /** The hosts that do not admit the mesh's own login key yet. */
    private List<String> admitting(RecoveryDecision decision, Optional<SshPublicKey> own) {
        return context.isInventory()
                ? List.of()
                : decision.hosts().values().stream()
                        .filter(host -> own.filter(key -> host.seen()
                                        .facts()
                                        .of(AuthorizedKeys.FACTS)
                                        .all()
                                        .contains(key))
                                .isEmpty())
                        .map(host -> host.host().name())
                        .sorted()
                        .toList();
    }

    /** Writes: first the login key, then what hosts admit, and the state last, so that whatever is cut off can be done again. */
    private Result written(Result found, Known known, OwnKey own, Sessions sessions) {
        if (!context.isInventory()) {
            admit(found, own, sessions);
        }
        String mesh = context.mesh();
        List<String> copies = List.of();
        if (known.exists()) {
            copies = context.store()
                    .copyState(
                            mesh,
                            MeshStates.REPLACED + STAMP.format(context.now()),
                            place -> context.events().note(null, place + " cannot be read, so no copy of it is kept"));
            if (!known.readable()) {
                context.store().discardState(mesh);
            }
        }
        MeshState before = context.loadState();
        MeshState rebuilt = found.decision().state();
        // What an order has created that no list shows yet stays known.
        for (MeshState.CreateIntent intent : before.intents()) {
            rebuilt = rebuilt.intending(intent);
        }
        MeshState after = rebuilt;
        try (Events.Task task = context.events().task(null, "write the state")) {
            new StateJournal(context.store(), before).update(state -> after);
            task.done();
        }
        return new Result(
                found.decision(), found.next(), found.newKey(), found.admitting(), found.replaces(), copies, true);
    }

    private void admit(Result found, OwnKey own, Sessions sessions) {
        String mesh = context.mesh();
        try (SshKeyPair key = own.pair().map(Recovery::copy).orElseGet(() -> SshKeyPair.generate(context.random()))) {
            if (!own.kept()) {
                context.store().saveLoginKey(mesh, key);
            }
            Map<String, Host> hosts = found.decision().hosts();
            List<RuntimeException> failures = new ArrayList<>();
            Parallel.map(found.admitting(), context.parallelism(), name -> {
                        admit(Objects.requireNonNull(hosts.get(name)), key, sessions);
                        return name;
                    })
                    .forEach((name, result) ->
                            Optional.ofNullable(result.failure()).ifPresent(failures::add));
            if (!failures.isEmpty()) {
                RuntimeException first = failures.get(0);
                failures.stream().skip(1).forEach(first::addSuppressed);
                throw first;
            }
        }
    }

    private static SshKeyPair copy(SshKeyPair pair) {
        return new SshKeyPair(pair.privateKey().use(Secret::of), pair.publicKey());
    }

    /** Has a host admit the mesh's login key, and logs in with it. */
    private void admit(Host host, SshKeyPair key, Sessions sessions) {
        String name = host.host().name();
        Change change = new AuthorizedKeys.AdmitMesh(key.publicKey());
        try (Events.Task task = context.events().task(name, change.describe())) {
            sessions.with(host.host().id()).orElseThrow().apply(List.of(change), new Quiet());
            HostTarget target = HostTarget.of(name, host.host().publicAddress().orElseThrow())
                    .timeout(Timeouts.OBSERVE)
                    .accepting(Set.of(host.seen().hostKey()))
                    .identity(Identity.ofKey(key.privateKey()))
                    .jumpHosts(new HostKeyPolicy(context).way(name, sessions, () -> List.of(sessions.identity())))
                    .build();
            context.applier().open(target).close();
            task.done();
        }
    }

    /** The one change is told as a whole. */
    private static final class Quiet implements HostSession.Progress {
        @Override
        public void started(Change change) {}

        @Override
        public void done(Change change) {}

        @Override
        public void newHostKey(HostKeyFingerprint fingerprint) {
            throw new IllegalStateException("a recovery replaces no host key");
        }
    }
}
