package dev.promguard;

import dev.promguard.PrometheusApi.Target;
import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.HostHealth;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exposure;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Role;
import dev.promguard.change.Change;
import dev.promguard.change.Differ;
import dev.promguard.change.HostFacts;
import dev.promguard.change.HostFacts.PeerFact;
import dev.promguard.change.HostFacts.PresharedKeyFact;
import dev.promguard.change.HostFacts.UnitFact;
import dev.promguard.change.KeyClaims;
import dev.promguard.change.NewKeys;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.render.DesiredHost;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.MeshState;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Checks every claim about a mesh where it matters: Prometheus' own targets, the running wg and ufw, the closed ports from outside. */
final class Verification {
    /** A handshake is due at least every two minutes while packets flow (WireGuard, REKEY_AFTER_TIME), and void after three. */
    private static final Duration OLDEST_HANDSHAKE = Duration.ofMinutes(3);

    private static final String METRICS_TIMER = "promguard-wireguard-metrics.timer";
    private static final Duration KNOCK = Duration.ofSeconds(2);

    private final Environment environment;
    private final MeshSpec spec;

    Verification(Environment environment, MeshSpec spec) {
        this.environment = environment;
        this.spec = spec;
    }

    VerifyReport verify() {
        MeshState remembered = environment.store().load(spec.name()).orElse(MeshState.empty(spec.name()));
        World world = World.observe(environment, spec, remembered);
        Blueprint blueprint = world.blueprint();
        List<Check> checks = new ArrayList<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            boolean exists = world.present().containsKey(host.name());
            checks.add(new Check(
                    host.name(),
                    "exists",
                    environment.provider().name() + "'s list of hosts with the mesh's mark",
                    exists ? "there" : "not in the list",
                    exists,
                    exists ? "" : "Run apply."));
        }
        Map<String, String> addresses = new TreeMap<>();
        world.present()
                .forEach((name, host) -> host.publicAddress().ifPresent(address -> addresses.put(name, address)));
        Map<String, String> targetHealth = new HashMap<>();
        Map<String, Parallel.Result<HostFacts>> looks;
        try (Secret loginKey = loginKey()) {
            for (Blueprint.Host monitor : blueprint.monitors()) {
                if (addresses.containsKey(monitor.name())) {
                    targets(world, blueprint, monitor, loginKey, targetHealth, checks);
                }
            }
            looks = Parallel.map(addresses.keySet(), environment.parallelism(), name -> {
                try (HostSession session = open(world, name, loginKey)) {
                    return session.facts(Convergence.query(environment, blueprint, name), Environment.BOOT_PATIENCE);
                }
            });
        }
        Map<String, PublicKey> keys = Convergence.remembered(remembered);
        keyChecks(looks, keys, checks);
        for (Blueprint.Host host : blueprint.hosts()) {
            Parallel.Result<HostFacts> look = looks.get(host.name());
            if (look != null) {
                hostChecks(blueprint, host, look, addresses, keys, checks);
            }
        }
        knock(blueprint, addresses, checks);

        List<HostHealth> hosts = new ArrayList<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            Parallel.Result<HostFacts> look = looks.get(host.name());
            hosts.add(new HostHealth(
                    host.name(),
                    host.spec().region(),
                    Optional.ofNullable(addresses.get(host.name())),
                    host.address(),
                    look == null || look.value() == null ? Optional.empty() : oldestHandshake(look.value()),
                    targetHealth.getOrDefault(host.name(), "unknown")));
        }
        return new VerifyReport(spec.name(), hosts, checks);
    }

    private Secret loginKey() {
        if (environment.provider().inventory().isPresent()) {
            return environment.loginKey(spec.name());
        }
        return environment.store().loadLoginKey(spec.name()).orElseThrow(this::nothingThere);
    }

    private StateException nothingThere() {
        return new StateException(
                "nothing is known of mesh " + spec.name() + " in "
                        + environment.store().describe(spec.name())
                        + ": run apply first, or name the folder with state(…)",
                false,
                null);
    }

    private HostSession open(World world, String name, Secret loginKey) {
        MeshState.HostState host = Objects.requireNonNull(world.state().hosts().get(name), name);
        String address = Objects.requireNonNull(world.present().get(name), name)
                .publicAddress()
                .orElseThrow();
        return new Admission(environment, spec.name())
                .openPinned(name, address, host, loginKey, Environment.LOOK_PATIENCE);
    }

    /** Asks a monitor's Prometheus about its targets, until all are up or a scrape of each is long overdue. */
    private void targets(
            World world,
            Blueprint blueprint,
            Blueprint.Host monitor,
            Secret loginKey,
            Map<String, String> health,
            List<Check> checks) {
        String how = "GET /api/v1/targets of Prometheus on " + monitor.name();
        List<Target> targets = List.of();
        String trouble = "";
        long deadline = System.nanoTime()
                + spec.prometheus()
                        .scrapeInterval()
                        .plus(environment.waits().firstScrape())
                        .toNanos();
        try (HostSession session = open(world, monitor.name(), loginKey)) {
            int port = session.forward("127.0.0.1", spec.prometheus().port());
            PrometheusApi api = new PrometheusApi(URI.create("http://127.0.0.1:" + port + "/"));
            while (true) {
                try {
                    targets = api.targets();
                    trouble = "";
                } catch (IOException e) {
                    trouble = String.valueOf(e.getMessage());
                }
                boolean allUp = allUp(blueprint, monitor, targets);
                if (allUp || System.nanoTime() > deadline) {
                    break;
                }
                LockSupport.parkNanos(environment.waits().targets().toNanos());
                if (Thread.currentThread().isInterrupted()) {
                    throw new CancelledException(
                            "interrupted while waiting for Prometheus to scrape its targets",
                            new InterruptedException());
                }
            }
        } catch (HostException e) {
            trouble = String.valueOf(e.getMessage());
        }
        if (!trouble.isEmpty()) {
            checks.add(new Check(
                    monitor.name(),
                    "Prometheus answers",
                    how,
                    trouble,
                    false,
                    "Run apply; if that changes nothing, read journalctl -u prometheus on the host."));
            return;
        }
        targetCheck(targets, "prometheus", spec.prometheus().port(), monitor, monitor, how, checks);
        for (Blueprint.Host host : blueprint.hosts()) {
            if (blueprint.scrapes(monitor, host, spec.nodeExporterPort())) {
                String seen = targetCheck(targets, "node", spec.nodeExporterPort(), host, monitor, how, checks);
                health.merge(host.name(), seen, (a, b) -> a.equals("up") ? b : a);
            }
            for (Exposure exposure : host.spec().exposures()) {
                if (blueprint.scrapes(monitor, host, exposure.port())) {
                    targetCheck(targets, exposure.job(), exposure.port(), host, monitor, how, checks);
                }
            }
            for (Exporter exporter : host.spec().exporters()) {
                if (!exporter.probes().isEmpty() && blueprint.scrapes(monitor, host, exporter.port())) {
                    probeCheck(targets, exporter, host, monitor, how, checks);
                }
            }
        }
    }

    private static void probeCheck(
            List<Target> targets,
            Exporter exporter,
            Blueprint.Host host,
            Blueprint.Host monitor,
            String how,
            List<Check> checks) {
        List<Target> probes = targets.stream()
                .filter(target -> target.job().equals(exporter.probeJob()))
                .filter(target -> target.node().equals(host.name()))
                .filter(target -> port(target) == exporter.port())
                .toList();
        List<Target> down =
                probes.stream().filter(target -> !target.health().equals("up")).toList();
        boolean all = down.isEmpty() && probes.size() == exporter.probes().size();
        checks.add(new Check(
                host.name(),
                monitor.name() + " has its probes made, job " + exporter.probeJob(),
                how,
                down.isEmpty()
                        ? probes.size() + " of " + exporter.probes().size() + " are up"
                        : down.get(0).url() + " is " + down.get(0).health() + " ("
                                + down.get(0).lastError() + ")",
                all,
                all ? "" : "Run apply; if one stays down, see that the exporter's configuration has its module."));
    }

    /** The port of a target's URL, or -1 if it has none. */
    private static int port(Target target) {
        try {
            return new URI(target.url()).getPort();
        } catch (URISyntaxException e) {
            return -1;
        }
    }

    private boolean allUp(Blueprint blueprint, Blueprint.Host monitor, List<Target> targets) {
        long due = 1;
        for (Blueprint.Host host : blueprint.hosts()) {
            due += blueprint.scrapes(monitor, host, spec.nodeExporterPort()) ? 1 : 0;
            due += host.spec().exposures().stream()
                    .filter(exposure -> blueprint.scrapes(monitor, host, exposure.port()))
                    .count();
            due += host.spec().exporters().stream()
                    .filter(exporter -> blueprint.scrapes(monitor, host, exporter.port()))
                    .mapToInt(exporter -> exporter.probes().size())
                    .sum();
        }
        return targets.size() >= due
                && targets.stream().allMatch(target -> target.health().equals("up"));
    }

    private String targetCheck(
            List<Target> targets,
            String job,
            int port,
            Blueprint.Host host,
            Blueprint.Host monitor,
            String how,
            List<Check> checks) {
        Optional<Target> target = targets.stream()
                .filter(candidate -> candidate.job().equals(job))
                .filter(candidate -> candidate.node().equals(host.name()))
                .filter(candidate -> port(candidate) == port)
                .findFirst();
        String health = target.map(Target::health).orElse("missing");
        boolean up = health.equals("up");
        checks.add(new Check(
                host.name(),
                monitor.name() + " scrapes port " + port + ", job " + job,
                how,
                target.map(found -> found.url() + " is " + health
                                + (found.lastError().isEmpty() ? "" : " (" + found.lastError() + ")"))
                        .orElse("no such target"),
                up,
                up
                        ? ""
                        : "Run apply; if it stays down, see that " + spec.wireGuardPort()
                                + "/udp passes between the hosts."));
        return health;
    }

    private void hostChecks(
            Blueprint blueprint,
            Blueprint.Host host,
            Parallel.Result<HostFacts> look,
            Map<String, String> addresses,
            Map<String, PublicKey> keys,
            List<Check> checks) {
        HostFacts facts = look.value();
        if (facts == null) {
            checks.add(new Check(
                    host.name(),
                    "can be looked at",
                    "SSH with the pinned host key",
                    String.valueOf(Objects.requireNonNull(look.failure()).getMessage()),
                    false,
                    "Bring the host back, then run apply."));
            return;
        }
        boolean closed = facts.firewall().active()
                && facts.firewall().denyIncoming()
                && facts.firewall().atBoot();
        checks.add(new Check(
                host.name(),
                "denies what no rule admits, now and at boot",
                "ufw's settings and the loaded rules",
                "active " + facts.firewall().active() + ", deny incoming "
                        + facts.firewall().denyIncoming() + ", at boot "
                        + facts.firewall().atBoot(),
                closed,
                closed ? "" : "Run apply."));
        PublicKey own = facts.keyFilePublicKey().orElse(Convergence.NOT_YET);
        Map<String, PublicKey> known = new HashMap<>(keys);
        known.put(host.name(), own);
        DesiredHost desired = environment.renderer().render(blueprint, host.name(), addresses, known);
        List<String> faults = Differ.faults(desired, facts);
        List<String> drift = faults.isEmpty()
                ? Differ.diff(desired, facts, NewKeys.NONE, false).stream()
                        .map(Change::describe)
                        .toList()
                : faults;
        checks.add(new Check(
                host.name(),
                "is as wished: packages, files, rules, peers, units",
                "a comparison of the wish with the running host",
                drift.isEmpty() ? "no difference" : String.join("; ", drift),
                drift.isEmpty(),
                drift.isEmpty() ? "" : "Run apply."));
        for (String unit : units(host)) {
            UnitFact fact = facts.units().get(unit);
            boolean runs = fact != null
                    && fact.active().equals("active")
                    && fact.enabled().equals("enabled");
            checks.add(new Check(
                    host.name(),
                    unit + " runs, and will after a reboot",
                    "systemctl show",
                    fact == null ? "unknown to systemd" : fact.active() + ", " + fact.enabled(),
                    runs,
                    runs ? "" : "Run apply; then read journalctl -u " + unit + " on the host."));
        }
        List<PeerFact> peers = facts.wireGuard().map(running -> running.peers()).orElse(List.of());
        if (blueprint.spec().presharedKeys() && !host.peers().isEmpty()) {
            List<String> without = host.peers().stream()
                    .filter(peer -> peers.stream()
                            .noneMatch(fact -> fact.publicKey().equals(keys.get(peer))
                                    && fact.presharedKey() == PresharedKeyFact.AS_FILED))
                    .toList();
            checks.add(new Check(
                    host.name(),
                    "shares a preshared key with each peer",
                    "wg show wg0, compared on the host with its files",
                    without.isEmpty() ? "with " + host.peers().size() : "not with " + String.join(", ", without),
                    without.isEmpty(),
                    without.isEmpty() ? "" : "Run apply."));
        }
        for (String peerName : host.peers()) {
            Blueprint.Host peer = blueprint.host(peerName);
            if (host.role() == Role.NODE || peer.role() == Role.NODE) {
                handshakeCheck(host, peer, keys.get(peerName), peers, checks);
            }
        }
    }

    private static void handshakeCheck(
            Blueprint.Host host,
            Blueprint.Host peer,
            @Nullable PublicKey key,
            List<PeerFact> peers,
            List<Check> checks) {
        Optional<Duration> age = peers.stream()
                .filter(fact -> fact.publicKey().equals(key))
                .findFirst()
                .flatMap(PeerFact::handshakeAge);
        boolean fresh = age.isPresent() && age.get().compareTo(OLDEST_HANDSHAKE) < 0;
        checks.add(new Check(
                host.name(),
                "has a tunnel with " + peer.name() + ", its handshake younger than 3 minutes",
                "wg show wg0",
                age.map(value -> value.toSeconds() + " s ago").orElse("no handshake yet"),
                fresh,
                fresh ? "" : "See that the mesh's UDP port passes between the two hosts, then run apply."));
    }

    private static void keyChecks(
            Map<String, Parallel.Result<HostFacts>> looks, Map<String, PublicKey> remembered, List<Check> checks) {
        Map<String, PublicKey> shown = new TreeMap<>();
        looks.forEach((name, look) -> {
            HostFacts facts = look.value();
            if (facts != null) {
                facts.keyFilePublicKey().ifPresent(key -> shown.put(name, key));
            }
        });
        Map<String, String> disbelieved = KeyClaims.refused(shown, remembered);
        shown.keySet().forEach(name -> {
            String what = disbelieved.get(name);
            checks.add(new Check(
                    name,
                    "has a WireGuard key of its own",
                    "the public key that it shows, beside those of the other hosts",
                    what == null ? "no other host has it" : what,
                    what == null,
                    what == null ? "" : KeyClaims.mend()));
        });
    }

    /** Tries from here, which is outside the mesh, what must not answer. */
    private void knock(Blueprint blueprint, Map<String, String> addresses, List<Check> checks) {
        record Door(String host, int port) {}
        List<Door> doors = new ArrayList<>();
        for (String name : addresses.keySet()) {
            doors.add(new Door(name, spec.nodeExporterPort()));
            doors.add(new Door(name, spec.prometheus().port()));
            blueprint.host(name).spec().exposures().stream()
                    .map(exposure -> new Door(name, exposure.port()))
                    .filter(door -> !doors.contains(door))
                    .forEach(doors::add);
        }
        Map<Door, Parallel.Result<String>> answers = Parallel.map(
                doors,
                Math.max(environment.parallelism(), 32),
                door -> knock(Objects.requireNonNull(addresses.get(door.host())), door.port()));
        answers.forEach((door, result) -> {
            String seen = result.orThrow();
            boolean shut = !seen.equals("connected");
            checks.add(new Check(
                    door.host(),
                    "port " + door.port() + " is closed to the outside",
                    "a TCP connection from here to " + addresses.get(door.host()) + ":" + door.port(),
                    seen,
                    shut,
                    shut ? "" : "Something listens there: find it with ss -ltnp on the host, stop it, and run apply."));
        });
    }

    private static String knock(String address, int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, port), Math.toIntExact(KNOCK.toMillis()));
            return "connected";
        } catch (SocketTimeoutException e) {
            return "no answer in " + KNOCK.toSeconds() + " s";
        } catch (ConnectException e) {
            return "refused";
        } catch (IOException e) {
            return "no connection: " + e.getMessage();
        }
    }

    private static List<String> units(Blueprint.Host host) {
        List<String> units = new ArrayList<>(List.of("wg-quick@wg0.service", METRICS_TIMER, "node_exporter.service"));
        host.spec().exporters().forEach(exporter -> units.add(exporter.unit()));
        if (host.role() == Role.MONITOR) {
            units.add("prometheus.service");
        }
        return units;
    }

    private static Optional<Duration> oldestHandshake(HostFacts facts) {
        List<PeerFact> peers = facts.wireGuard().map(running -> running.peers()).orElse(List.of());
        if (peers.stream().anyMatch(peer -> peer.handshakeAge().isEmpty())) {
            return Optional.empty();
        }
        return peers.stream().flatMap(peer -> peer.handshakeAge().stream()).max(Duration::compareTo);
    }
}
