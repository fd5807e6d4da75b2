package dev.promguard.internal.verify;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.HostFacts;
import dev.promguard.host.Resources;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.observe.HostObservation.Seen;
import dev.promguard.internal.observe.HostObservation.Unreachable;
import dev.promguard.internal.observe.Observation;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.Parallel;
import dev.promguard.internal.run.Pause;
import dev.promguard.internal.run.RunStep;
import dev.promguard.internal.text.StableIds;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import dev.promguard.spi.ProbeResult.Result;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Finds out what the facts of hosts do not tell: what each Prometheus says, and what answers from outside and from the hosts. Goes over
 * the sessions of an observation, with one exchange a host for all that it probes; a host whose tunnels need a handshake takes more.
 */
public final class Prober {
    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2);
    private static final int PROBES_AT_ONCE = 64;
    private static final String SSH_GREETING = "SSH-";

    private final Context context;

    /**
     * A prober.
     *
     * @param context the run's context
     */
    public Prober(Context context) {
        this.context = context;
    }

    /**
     * Probes a mesh. Hosts whose tunnels need a handshake first are observed again. The monitors are asked after that: a target whose
     * tunnel has just had its handshake answers, and its next scrape is worth waiting for.
     *
     * @param seen an observation that is complete; it is brought up to date
     * @return what was found
     * @throws dev.promguard.CancelledException if the calling thread is interrupted
     */
    public ProbeResults probe(Observation seen) {
        awaitHandshakes(seen);
        Map<String, PrometheusAnswer> prometheus = askPrometheus(seen);
        ReachabilityChecks reachability = ReachabilityChecks.of(seen.observed());
        Map<String, String> failures = new TreeMap<>();
        Map<String, Map<Probe, Set<HostKeyFingerprint>>> hostKeys = new ConcurrentHashMap<>();
        Map<Boolean, Parallel.Result<Map<String, Map<Probe, ProbeResult>>>> rounds = Parallel.map(
                List.of(true, false),
                2,
                outside -> outside ? fromHere(reachability) : fromHosts(reachability, seen, hostKeys, failures));
        return new ProbeResults(
                Objects.requireNonNull(rounds.get(true)).orThrow(),
                Objects.requireNonNull(rounds.get(false)).orThrow(),
                hostKeys,
                failures,
                prometheus);
    }

    /**
     * The steps of a probe of a mesh.
     *
     * @param blueprint the mesh
     * @param reachable the names of the hosts that can be reached, as far as it is known beforehand
     * @return one for each monitor, for here, and for each host
     */
    public static List<RunStep> steps(Blueprint blueprint, Set<String> reachable) {
        List<RunStep> steps = new ArrayList<>();
        blueprint.monitors().stream()
                .map(Blueprint.Host::name)
                .filter(reachable::contains)
                .forEach(name -> steps.add(asking(name)));
        steps.add(probingFromHere(blueprint.mesh()));
        reachable.forEach(name -> steps.add(probing(name)));
        return steps;
    }

    private static RunStep asking(String monitor) {
        return RunStep.of(monitor, monitor + "/prometheus", "ask Prometheus, once it has scraped its targets");
    }

    private static RunStep probingFromHere(String mesh) {
        return RunStep.of(null, StableIds.ofMesh(mesh) + "/probe", "probe the hosts' ports from here");
    }

    private static RunStep probing(String host) {
        return RunStep.of(host, host + "/probe", "probe the ports of the other hosts");
    }

    /** Has each tunnel that needs a handshake make one, and observes such a host again once there was time for it. */
    private void awaitHandshakes(Observation seen) {
        Observed observed = seen.observed();
        Blueprint blueprint = observed.roster().blueprint();
        Map<String, PublicKey> keys = PeerKeys.of(observed).all();
        Map<String, Seen> due = new LinkedHashMap<>();
        blueprint
                .hosts()
                .forEach(host -> observed.seen(host.name())
                        .filter(known -> !Handshakes.probes(blueprint, host, known.facts(), keys)
                                .isEmpty())
                        .ifPresent(known -> due.put(host.name(), known)));
        Map<String, HostObservation> after = new LinkedHashMap<>();
        Parallel.map(due.keySet(), context.parallelism(), name -> {
                    FactsQuery query = Resources.query(
                            Objects.requireNonNull(observed.expected().get(name), name));
                    HostFacts before =
                            Objects.requireNonNull(due.get(name), name).facts();
                    try (Events.Task task = context.events().task(name, "wait for a WireGuard handshake")) {
                        HostFacts facts = awaitHandshakes(
                                session(seen, name), query, blueprint, blueprint.host(name), before, keys);
                        task.done();
                        return facts;
                    }
                })
                .forEach((name, result) -> {
                    HostFacts facts = result.value();
                    after.put(
                            name,
                            facts == null
                                    ? new Unreachable(Objects.requireNonNull(result.failure()))
                                    : Objects.requireNonNull(due.get(name)).with(facts));
                });
        seen.update(observed.roster().state(), Map.of(), after);
    }

    private HostFacts awaitHandshakes(
            HostSession session,
            FactsQuery query,
            Blueprint blueprint,
            Blueprint.Host host,
            HostFacts before,
            Map<String, PublicKey> keys) {
        HostFacts facts = before;
        long deadline = System.nanoTime() + context.intervals().handshake().toNanos();
        for (List<Probe> due = Handshakes.probes(blueprint, host, facts, keys); !due.isEmpty(); ) {
            boolean last = System.nanoTime() > deadline;
            session.probe(due, PROBE_TIMEOUT);
            facts = session.facts(query, context.bootTimeout());
            due = last ? List.of() : Handshakes.probes(blueprint, host, facts, keys);
            if (!due.isEmpty()) {
                Pause.of(context.intervals().targets(), "waiting for a WireGuard handshake");
            }
        }
        return facts;
    }

    private Map<String, PrometheusAnswer> askPrometheus(Observation seen) {
        Blueprint blueprint = seen.observed().roster().blueprint();
        List<Blueprint.Host> monitors = blueprint.monitors().stream()
                .filter(monitor -> seen.observed().seen(monitor.name()).isPresent())
                .toList();
        Map<String, PrometheusAnswer> answers = new LinkedHashMap<>();
        Parallel.map(monitors, context.parallelism(), monitor -> {
                    try (Events.Task task = context.events().step(asking(monitor.name()))) {
                        PrometheusAnswer answer =
                                new PrometheusReader(context, blueprint, monitor).read(session(seen, monitor.name()));
                        if (answer instanceof PrometheusAnswer.Answered) {
                            task.done();
                        }
                        return answer;
                    }
                })
                .forEach((monitor, result) -> {
                    PrometheusAnswer answer = result.value();
                    answers.put(
                            monitor.name(),
                            answer == null
                                    ? new PrometheusAnswer.Silent(
                                            String.valueOf(Objects.requireNonNull(result.failure())
                                                    .getMessage()))
                                    : answer);
                });
        return answers;
    }

    private Map<String, Map<Probe, ProbeResult>> fromHosts(
            ReachabilityChecks reachability,
            Observation seen,
            Map<String, Map<Probe, Set<HostKeyFingerprint>>> hostKeys,
            Map<String, String> failures) {
        List<Blueprint.Host> able = seen.observed().roster().blueprint().hosts().stream()
                .filter(host -> seen.observed().seen(host.name()).isPresent())
                .toList();
        Map<String, Map<Probe, ProbeResult>> answers = new TreeMap<>();
        AddressProofs proofs = AddressProofs.of(reachability, seen.observed());
        Parallel.map(able, context.parallelism(), host -> {
                    HostSession session = session(seen, host.name());
                    try (Events.Task task = context.events().step(probing(host.name()))) {
                        Map<Probe, ProbeResult> own = probe(session, reachability.from(host));
                        Map<Probe, Set<HostKeyFingerprint>> shown = new LinkedHashMap<>();
                        proofs.toProve(host, own)
                                .forEach(server -> shown.put(server, session.hostKeys(server, PROBE_TIMEOUT)));
                        hostKeys.put(host.name(), shown);
                        task.done();
                        return own;
                    }
                })
                .forEach((host, result) -> {
                    Map<Probe, ProbeResult> own = result.value();
                    if (own == null) {
                        failures.put(
                                host.name(),
                                String.valueOf(
                                        Objects.requireNonNull(result.failure()).getMessage()));
                    } else {
                        answers.put(host.name(), own);
                    }
                });
        return answers;
    }

    private static Map<Probe, ProbeResult> probe(HostSession session, List<Probe> probes) {
        List<ProbeResult> answers = session.probe(probes, PROBE_TIMEOUT);
        Map<Probe, ProbeResult> byProbe = new LinkedHashMap<>();
        for (int i = 0; i < probes.size(); i++) {
            byProbe.put(probes.get(i), answers.get(i));
        }
        return byProbe;
    }

    private Map<String, Map<Probe, ProbeResult>> fromHere(ReachabilityChecks reachability) {
        try (Events.Task task = context.events().step(probingFromHere(context.mesh()))) {
            Map<String, Map<Probe, ProbeResult>> results = connectFromHere(reachability);
            task.done();
            return results;
        }
    }

    private static Map<String, Map<Probe, ProbeResult>> connectFromHere(ReachabilityChecks reachability) {
        Map<String, List<Probe>> probes = reachability.fromOutside();
        Set<Probe> controls = reachability.controls();
        Map<Probe, Parallel.Result<ProbeResult>> answers = Parallel.map(
                probes.values().stream().flatMap(List::stream).distinct().toList(),
                PROBES_AT_ONCE,
                probe -> new ProbeResult(connect(probe, controls.contains(probe))));
        Map<String, Map<Probe, ProbeResult>> byHost = new LinkedHashMap<>();
        probes.forEach((name, of) -> {
            Map<Probe, ProbeResult> own = new LinkedHashMap<>();
            of.forEach(probe ->
                    own.put(probe, Objects.requireNonNull(answers.get(probe)).orThrow()));
            byHost.put(name, own);
        });
        return byHost;
    }

    /** Connects; a control has to show that an SSH server is there, and no gateway that accepts whatever address is asked for. */
    private static Result connect(Probe probe, boolean control) {
        try (Socket socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(probe.address(), probe.port()), Math.toIntExact(PROBE_TIMEOUT.toMillis()));
            return !control || isSsh(socket) ? Result.OPEN : Result.NO_WAY;
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

    private static boolean isSsh(Socket socket) throws IOException {
        socket.setSoTimeout(Math.toIntExact(PROBE_TIMEOUT.toMillis()));
        try {
            return new String(socket.getInputStream().readNBytes(SSH_GREETING.length()), StandardCharsets.US_ASCII)
                    .equals(SSH_GREETING);
        } catch (SocketTimeoutException e) {
            return false;
        }
    }

    private static HostSession session(Observation seen, String host) {
        return seen.sessions()
                .with(host)
                .orElseThrow(() -> new IllegalStateException("no session is open with " + host));
    }
}
