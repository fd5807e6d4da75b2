package dev.promguard;

import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.HostHealth;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.change.FactsQuery;
import dev.promguard.change.HostFacts;
import dev.promguard.change.HostFacts.PeerFact;
import dev.promguard.change.KeyClaims;
import dev.promguard.change.Resources;
import dev.promguard.change.SymbolicKeys;
import dev.promguard.internal.observe.CloudObserver;
import dev.promguard.internal.observe.HostKeyPolicy;
import dev.promguard.internal.observe.HostObserver;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.observe.Sessions;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Parallel;
import dev.promguard.internal.run.Pause;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.render.DesiredHost;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.Door;
import dev.promguard.spi.DoorAnswer;
import dev.promguard.spi.DoorAnswer.Result;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.MeshState;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Checks every claim about a mesh where it matters: Prometheus' own targets, the running wg and ufw, and the closed ports from outside
 * and from each host. One session a host, with one exchange for its facts and one for all doors that it tries; a host whose tunnels
 * need a handshake takes more.
 */
final class Verification {
    private static final Duration KNOCK = Duration.ofSeconds(2);
    private static final int KNOCKS_AT_ONCE = 64;
    private static final String OBSERVABLE = "can be looked at";

    private final Context context;
    private final HostObserver observer;
    private final HostKeyPolicy policy;
    private final MeshSpec spec;
    private final Instant now;
    private final List<Check> checks = new ArrayList<>();
    /** Why hosts could not be observed, by host. */
    private final Map<String, String> unobserved = new TreeMap<>();

    Verification(Context context, Clock clock) {
        this.context = context;
        this.observer = new HostObserver(context);
        this.policy = new HostKeyPolicy(context);
        this.spec = context.spec();
        this.now = clock.instant();
    }

    /** What a host that could be reached said: its facts or why there are none, and for a monitor what its Prometheus says. */
    private record Look(
            HostSession session,
            HostFacts facts,
            HostKeyFingerprint hostKey,
            Optional<Parallel.Result<PrometheusClaims>> prometheus) {}

    VerifyReport verify() {
        MeshState remembered = context.loadState();
        Roster world = new CloudObserver(context).observe(remembered, Set.of());
        Blueprint blueprint = world.blueprint();
        for (Blueprint.Host host : blueprint.hosts()) {
            boolean exists = world.present().containsKey(host.name());
            boolean untagged = world.identities().hasLostItsTag(host.name());
            checks.add(Check.of(
                    host.name(),
                    DueChecks.EXISTS,
                    context.provider().name() + "'s list of hosts with the mesh's mark",
                    untagged ? "there, but it has lost the mesh's tag" : exists ? "there" : "not in the list",
                    exists && !untagged,
                    "Run apply."));
            if (!exists) {
                unobserved.put(host.name(), "the host does not exist");
            }
        }
        for (CloudHost host : world.identities().unmanaged()) {
            checks.add(Check.of(
                    host.name(),
                    "is known to the state",
                    context.provider().name() + "'s list of hosts with the mesh's mark",
                    "id " + host.id() + " is not in " + context.store().describe(spec.name()),
                    false,
                    "Run plan, which says how to go on."));
        }
        Map<String, String> addresses = new TreeMap<>();
        world.present()
                .forEach((name, host) -> host.publicAddress()
                        .ifPresentOrElse(address -> addresses.put(name, address), () -> withoutAddress(name)));
        Map<String, PublicKey> keys = remembered.publicKeys();

        Map<String, HostFacts> facts = new LinkedHashMap<>();
        Map<String, String> targetHealth = new HashMap<>();
        try (Sessions sessions = new Sessions(this::loginKey)) {
            Secret loginKey = sessions.loginKey();
            Map<String, HostSession> ready = new HashMap<>();
            Map<String, Parallel.Result<Look>> looks = observe(world, blueprint, addresses, keys, loginKey, sessions);
            for (Blueprint.Host host : blueprint.hosts()) {
                Parallel.Result<Look> look = looks.get(host.name());
                if (look == null) {
                    continue;
                }
                Look seen = look.value();
                if (seen == null) {
                    unreachable(host, Objects.requireNonNull(look.failure()));
                    continue;
                }
                facts.put(host.name(), seen.facts());
                ready.put(host.name(), seen.session());
                hostKey(world, host, seen.hostKey(), addresses, loginKey);
                seen.prometheus().ifPresent(said -> prometheus(host, said, targetHealth));
                checks.addAll(new HostClaims(blueprint, host, seen.facts())
                        .check(desired(blueprint, host, seen.facts(), addresses, keys), keys));
            }
            keyChecks(facts, keys);
            knock(new KnockClaims(blueprint, addresses, facts), blueprint, ready, facts);
        }
        checks.addAll(DueChecks.unchecked(blueprint, checks, unobserved));
        List<HostHealth> hosts = new ArrayList<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            hosts.add(new HostHealth(
                    host.name(),
                    host.spec().region(),
                    Optional.ofNullable(addresses.get(host.name())),
                    host.address(),
                    Optional.ofNullable(facts.get(host.name())).flatMap(Verification::oldestHandshake),
                    targetHealth.getOrDefault(host.name(), "unknown")));
        }
        return new VerifyReport(spec.name(), now, version(), hosts, checks);
    }

    private void prometheus(
            Blueprint.Host monitor, Parallel.Result<PrometheusClaims> said, Map<String, String> targetHealth) {
        PrometheusClaims claims = said.value();
        if (claims == null) {
            checks.add(PrometheusClaims.silent(
                    monitor,
                    String.valueOf(Objects.requireNonNull(said.failure()).getMessage())));
            return;
        }
        checks.addAll(claims.checks());
        claims.health().forEach((name, health) -> targetHealth.merge(name, health, (a, b) -> a.equals("up") ? b : a));
    }

    private static String version() {
        return Optional.ofNullable(Verification.class.getPackage().getImplementationVersion())
                .orElse("(not from a release)");
    }

    private Secret loginKey() {
        if (context.provider().inventory().isPresent()) {
            return context.loginKey();
        }
        return context.store().loadLoginKey(spec.name()).orElseThrow(context::unknownMesh);
    }

    /**
     * Observes every host, and then asks the monitors: a target whose tunnel has just had its handshake answers, and its next scrape is
     * worth waiting for.
     */
    private Map<String, Parallel.Result<Look>> observe(
            Roster world,
            Blueprint blueprint,
            Map<String, String> addresses,
            Map<String, PublicKey> keys,
            Secret loginKey,
            Sessions sessions) {
        Map<String, Parallel.Result<HostSession>> opened =
                Parallel.map(addresses.keySet(), context.parallelism(), name -> {
                    HostSession session = open(world, name, loginKey);
                    sessions.add(name, session);
                    return session;
                });
        List<Blueprint.Host> monitors = blueprint.monitors().stream()
                .filter(monitor -> opened.containsKey(monitor.name()))
                .toList();
        Map<String, Parallel.Result<HostFacts>> facts = Parallel.map(
                addresses.keySet(),
                context.parallelism(),
                name -> facts(Objects.requireNonNull(opened.get(name)).orThrow(), world, blueprint.host(name), keys));
        Map<Blueprint.Host, Parallel.Result<PrometheusClaims>> claims =
                Parallel.map(monitors, context.parallelism(), monitor -> {
                    HostSession session =
                            Objects.requireNonNull(opened.get(monitor.name())).orThrow();
                    return new PrometheusClaims(context, blueprint, monitor)
                            .check(session, desired(blueprint, monitor, Optional.empty(), addresses, keys));
                });
        Map<String, Parallel.Result<Look>> looks = new LinkedHashMap<>();
        facts.forEach((name, result) -> {
            HostFacts seen = result.value();
            if (seen == null) {
                looks.put(name, new Parallel.Result<>(null, result.failure()));
            } else {
                HostSession session = Objects.requireNonNull(opened.get(name)).orThrow();
                Optional<Parallel.Result<PrometheusClaims>> said =
                        Optional.ofNullable(claims.get(blueprint.host(name)));
                looks.put(name, new Parallel.Result<>(new Look(session, seen, session.hostKey(), said), null));
            }
        });
        return looks;
    }

    /** Reads a host's facts, and reads them again once each tunnel that needed a handshake had the time for one. */
    private HostFacts facts(HostSession session, Roster world, Blueprint.Host host, Map<String, PublicKey> keys) {
        Blueprint blueprint = world.blueprint();
        FactsQuery query = Resources.query(observer.expected(world, host.name()));
        HostFacts facts = session.facts(query, Timeouts.BOOT);
        long deadline = System.nanoTime() + context.intervals().handshake().toNanos();
        for (List<Door> due = Handshakes.probes(blueprint, host, facts, keys); !due.isEmpty(); ) {
            boolean last = System.nanoTime() > deadline;
            session.knock(due, KNOCK);
            facts = session.facts(query, Timeouts.BOOT);
            due = last ? List.of() : Handshakes.probes(blueprint, host, facts, keys);
            if (!due.isEmpty()) {
                Pause.of(context.intervals().targets(), "waiting for a WireGuard handshake");
            }
        }
        return facts;
    }

    private DesiredHost desired(
            Blueprint blueprint,
            Blueprint.Host host,
            HostFacts facts,
            Map<String, String> addresses,
            Map<String, PublicKey> keys) {
        return desired(blueprint, host, facts.keyFilePublicKey(), addresses, keys);
    }

    private DesiredHost desired(
            Blueprint blueprint,
            Blueprint.Host host,
            Optional<PublicKey> own,
            Map<String, String> addresses,
            Map<String, PublicKey> keys) {
        Map<String, PublicKey> known = new HashMap<>(keys);
        known.put(host.name(), own.orElse(SymbolicKeys.of(host.name())));
        return context.renderer().render(blueprint, host.name(), addresses, known);
    }

    private HostSession open(Roster world, String name, Secret loginKey) {
        MeshState.HostState host = Objects.requireNonNull(world.state().hosts().get(name), name);
        String address = Objects.requireNonNull(world.present().get(name), name)
                .publicAddress()
                .orElseThrow();
        return policy.openPinned(name, address, host, loginKey, Timeouts.OBSERVE);
    }

    private void withoutAddress(String host) {
        String provider = context.provider().name();
        unobserved.put(host, provider + " knows no address of it");
        checks.add(Check.of(
                host,
                OBSERVABLE,
                "the address that " + provider + " gives",
                "none: its name does not resolve here, or none was given to it yet",
                false,
                "See that the name resolves on this machine and that the host runs, then verify again."));
    }

    private void unreachable(Blueprint.Host host, RuntimeException failure) {
        unobserved.put(host.name(), String.valueOf(failure.getMessage()));
        checks.add(Check.of(
                host.name(),
                OBSERVABLE,
                "SSH with the pinned host key",
                String.valueOf(failure.getMessage()),
                false,
                "Bring the host back, then run apply."));
    }

    private void hostKey(
            Roster world,
            Blueprint.Host host,
            HostKeyFingerprint shown,
            Map<String, String> addresses,
            Secret loginKey) {
        MeshState.HostState state = Objects.requireNonNull(world.state().hosts().get(host.name()), host.name());
        HostTarget target = policy.target(
                host.name(), Objects.requireNonNull(addresses.get(host.name())), state, loginKey, Timeouts.OBSERVE);
        boolean pinned = target.acceptedHostKeys().contains(shown);
        checks.add(Check.of(
                host.name(),
                DueChecks.HOST_KEY,
                "SSH, which sends nothing to a host with another key",
                shown + (pinned ? "" : ", trusted on first use"),
                pinned,
                "Nothing is pinned for this host yet: run apply."));
    }

    private void keyChecks(Map<String, HostFacts> facts, Map<String, PublicKey> remembered) {
        Map<String, PublicKey> shown = new TreeMap<>();
        facts.forEach((name, seen) -> seen.keyFilePublicKey().ifPresent(key -> shown.put(name, key)));
        Map<String, String> disbelieved = KeyClaims.refused(shown, remembered);
        shown.keySet().forEach(name -> {
            String what = disbelieved.get(name);
            checks.add(Check.of(
                    name,
                    DueChecks.OWN_KEY,
                    "the public key that it shows, beside those of the other hosts",
                    what == null ? "no other host has it" : what,
                    what == null,
                    KeyClaims.mend()));
        });
    }

    /** Tries, at once from here and from each host, what must not answer. */
    private void knock(
            KnockClaims claims, Blueprint blueprint, Map<String, HostSession> ready, Map<String, HostFacts> facts) {
        Map<Boolean, Parallel.Result<Map<String, Map<Door, DoorAnswer>>>> rounds = Parallel.map(
                List.of(true, false), 2, outside -> outside ? fromHere(claims) : fromHosts(claims, blueprint, ready));
        Map<String, Map<Door, DoorAnswer>> inside =
                Objects.requireNonNull(rounds.get(false)).orThrow();
        Map<String, Map<Door, DoorAnswer>> outside =
                Objects.requireNonNull(rounds.get(true)).orThrow();
        checks.addAll(claims.inside(inside));
        checks.addAll(claims.outside(outside, inside));
        facts.forEach((name, seen) ->
                checks.add(ListenerChecks.check(blueprint.host(name), seen, claims.probes(name, outside, inside))));
    }

    private Map<String, Map<Door, DoorAnswer>> fromHosts(
            KnockClaims claims, Blueprint blueprint, Map<String, HostSession> ready) {
        Map<String, Parallel.Result<Map<Door, DoorAnswer>>> rounds =
                Parallel.map(ready.keySet(), context.parallelism(), name -> {
                    List<Door> doors = claims.from(blueprint.host(name));
                    List<DoorAnswer> answers =
                            Objects.requireNonNull(ready.get(name)).knock(doors, KNOCK);
                    Map<Door, DoorAnswer> byDoor = new LinkedHashMap<>();
                    for (int i = 0; i < doors.size(); i++) {
                        byDoor.put(doors.get(i), answers.get(i));
                    }
                    return byDoor;
                });
        Map<String, Map<Door, DoorAnswer>> answers = new TreeMap<>();
        rounds.forEach((name, round) -> {
            Map<Door, DoorAnswer> seen = round.value();
            if (seen == null) {
                checks.add(Check.of(
                        name,
                        "can try the doors of the others",
                        "SSH with the pinned host key",
                        String.valueOf(Objects.requireNonNull(round.failure()).getMessage()),
                        false,
                        "Mend what is said there, and verify again."));
            } else {
                answers.put(name, seen);
            }
        });
        return answers;
    }

    private static Map<String, Map<Door, DoorAnswer>> fromHere(KnockClaims claims) {
        Map<String, List<Door>> doors = claims.fromOutside();
        Map<Door, Parallel.Result<DoorAnswer>> answers = Parallel.map(
                doors.values().stream().flatMap(List::stream).distinct().toList(),
                KNOCKS_AT_ONCE,
                door -> new DoorAnswer(knock(door)));
        Map<String, Map<Door, DoorAnswer>> byHost = new LinkedHashMap<>();
        doors.forEach((name, of) -> {
            Map<Door, DoorAnswer> own = new LinkedHashMap<>();
            of.forEach(door ->
                    own.put(door, Objects.requireNonNull(answers.get(door)).orThrow()));
            byHost.put(name, own);
        });
        return byHost;
    }

    private static Result knock(Door door) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(door.address(), door.port()), Math.toIntExact(KNOCK.toMillis()));
            return Result.OPEN;
        } catch (SocketTimeoutException e) {
            return Result.SILENT;
        } catch (NoRouteToHostException e) {
            return Result.NO_WAY;
        } catch (ConnectException e) {
            String why = String.valueOf(e.getMessage());
            return why.contains("refused") ? Result.REFUSED : why.contains("timed out") ? Result.SILENT : Result.NO_WAY;
        } catch (IOException e) {
            // Nothing left this machine: it has no socket to spare, or is not allowed to connect.
            return String.valueOf(e.getMessage()).contains("unreachable") ? Result.NO_WAY : Result.NOT_TRIED;
        }
    }

    private static Optional<Duration> oldestHandshake(HostFacts facts) {
        List<PeerFact> peers = facts.wireGuard().map(running -> running.peers()).orElse(List.of());
        if (peers.stream().anyMatch(peer -> peer.handshakeAge().isEmpty())) {
            return Optional.empty();
        }
        return peers.stream().flatMap(peer -> peer.handshakeAge().stream()).max(Duration::compareTo);
    }
}
