package dev.promguard.internal.verify;

import dev.promguard.CheckKind;
import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Role;
import dev.promguard.host.ExplainedChange;
import dev.promguard.host.Firewall;
import dev.promguard.host.ForeignRules;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostFacts.PeerFact;
import dev.promguard.host.HostFacts.PresharedKeyFact;
import dev.promguard.host.HostFacts.SocketFact;
import dev.promguard.host.HostFacts.UnitFact;
import dev.promguard.host.KillSwitch;
import dev.promguard.host.LoadedRule;
import dev.promguard.host.MeshTraffic;
import dev.promguard.host.ViewerFiles;
import dev.promguard.host.WireGuardInterface;
import dev.promguard.internal.decide.HostDecision;
import dev.promguard.internal.decide.Placement;
import dev.promguard.internal.decide.Problem;
import dev.promguard.keys.PublicKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** What a host's own facts say of it. A pure function of the spec, the facts and what is decided about the host. */
final class HostChecks {
    private static final String METRICS_TIMER = "promguard-wireguard-metrics.timer";
    private static final int MOST_LISTED = 12;

    private final Blueprint blueprint;
    private final Blueprint.Host host;
    private final HostFacts facts;
    private final ForeignRules rules;
    private final TunnelEnds tunnels;
    private final List<Check> checks = new ArrayList<>();
    private boolean blocked;
    private boolean refused;

    /**
     * The checks of one host.
     *
     * @param tunnels what is known of the ends of the tunnels
     */
    HostChecks(Blueprint blueprint, Blueprint.Host host, HostFacts facts, TunnelEnds tunnels) {
        this.tunnels = tunnels;
        this.blueprint = blueprint;
        this.host = host;
        this.facts = facts;
        this.rules = ForeignRules.of(blueprint, host, facts);
    }

    /**
     * Makes all checks.
     *
     * @param decision what an apply would do to the host
     * @param keys whose a key is
     * @param expired the viewers whose access has ended and was not taken away, with when it ended
     */
    List<Check> check(HostDecision decision, PeerKeys keys, List<String> expired) {
        refused = decision.kind() == HostDecision.Kind.REFUSED;
        denies();
        admitsOnTheTunnelAlone(decision);
        leavesThroughTheInterfaceAlone(decision.desired().orElseThrow().killSwitch());
        listensWhereItShould();
        foreignRules();
        MeshTraffic traffic = MeshTraffic.of(decision.desired().orElseThrow(), facts);
        checks.addAll(TrafficChecks.of(host.name(), traffic));
        blocked = !traffic.blocked().isEmpty();
        upToDate(decision, expired);
        units();
        confirmed();
        key();
        peers(keys);
        return List.copyOf(checks);
    }

    /** What {@link #check} checks of a host, whatever its facts are. */
    static List<CheckItem> due(Blueprint blueprint, Blueprint.Host host) {
        List<CheckItem> due = new ArrayList<>(List.of(
                deniesItem(host), guardedItem(blueprint, host), killSwitchItem(blueprint, host), exportersItem(host)));
        if (host.role() == Role.MONITOR) {
            due.add(loopbackItem(blueprint, host));
        }
        due.add(upToDateItem(host));
        units(blueprint, host).forEach(unit -> due.add(unitItem(host, unit)));
        due.add(keyFileItem(host));
        due.add(peersItem(blueprint, host));
        if (blueprint.spec().presharedKeys() && !host.peers().isEmpty()) {
            due.add(presharedItem(blueprint, host));
        }
        host.peers().stream()
                .map(blueprint::host)
                .filter(peer -> Handshakes.isExpected(host, peer))
                .forEach(peer -> due.add(handshakeItem(host, peer)));
        return List.copyOf(due);
    }

    private static CheckItem item(Blueprint.Host host, CheckKind kind, String description) {
        return new CheckItem(host.name(), kind, description);
    }

    private static CheckItem deniesItem(Blueprint.Host host) {
        return item(host, CheckKind.FIREWALL_DENIES_BY_DEFAULT, "denies what no rule admits, now and at boot");
    }

    private static CheckItem guardedItem(Blueprint blueprint, Blueprint.Host host) {
        return item(
                host,
                CheckKind.GUARDED_PORTS_ON_WIREGUARD_ONLY,
                "admits its guarded ports on " + blueprint.interfaceName()
                        + " and from the monitors alone, so that a forged source address opens nothing");
    }

    private static CheckItem killSwitchItem(Blueprint blueprint, Blueprint.Host host) {
        return item(
                host,
                CheckKind.KILL_SWITCH_ON,
                "lets packets for " + blueprint.network() + " leave through " + blueprint.interfaceName()
                        + " alone, also while that is down, and takes those for its address from there alone");
    }

    private static CheckItem exportersItem(Blueprint.Host host) {
        return item(
                host,
                CheckKind.EXPORTER_LISTENS_ON_WIREGUARD_ONLY,
                "has its exporters listen on " + host.address() + " alone");
    }

    private static CheckItem loopbackItem(Blueprint blueprint, Blueprint.Host host) {
        return item(
                host,
                CheckKind.PROMETHEUS_LISTENS_ON_LOOPBACK_ONLY,
                "has Prometheus listen on loopback alone"
                        + (blueprint.viewers().isEmpty() ? "" : ", passed on to its viewers at " + host.address()));
    }

    private static CheckItem upToDateItem(Blueprint.Host host) {
        return item(host, CheckKind.HOST_UP_TO_DATE, "is up to date: packages, files, rules, peers, units");
    }

    private static CheckItem unitItem(Blueprint.Host host, String unit) {
        return item(host, CheckKind.UNIT_RUNS, unit + " runs, and will after a reboot")
                .about(unit);
    }

    private static CheckItem keyFileItem(Blueprint.Host host) {
        return item(
                host, CheckKind.WIREGUARD_KEY_PROTECTED, "keeps its WireGuard private key where root alone reads it");
    }

    private static CheckItem peersItem(Blueprint blueprint, Blueprint.Host host) {
        List<String> peers = new ArrayList<>(host.peers());
        blueprint.viewersOf(host).forEach(viewer -> peers.add("viewer " + viewer.name()));
        return item(
                host,
                CheckKind.WIREGUARD_PEERS,
                "has tunnels with " + words(peers) + " and nobody else, one address each");
    }

    private static CheckItem presharedItem(Blueprint blueprint, Blueprint.Host host) {
        return item(
                host,
                CheckKind.PRESHARED_KEYS,
                "shares a preshared key with each peer"
                        + (blueprint.viewersOf(host).isEmpty() ? "" : " but its viewers"));
    }

    private static CheckItem handshakeItem(Blueprint.Host host, Blueprint.Host peer) {
        return item(
                        host,
                        CheckKind.HANDSHAKE_FRESH,
                        "has a tunnel with " + peer.name() + ", its handshake younger than 3 minutes")
                .about(peer.name());
    }

    private static List<String> units(Blueprint blueprint, Blueprint.Host host) {
        List<String> units = new ArrayList<>(List.of(
                WireGuardInterface.unit(blueprint.interfaceName()),
                KillSwitch.UNIT,
                METRICS_TIMER,
                "node_exporter.service"));
        host.spec().exporters().forEach(exporter -> units.add(exporter.unit()));
        if (host.role() == Role.MONITOR) {
            units.add("prometheus.service");
            if (!blueprint.viewers().isEmpty()) {
                units.add(ViewerFiles.SOCKET);
            }
        }
        return units;
    }

    private void add(CheckItem item, String method, String observed, boolean passed, String remedy) {
        checks.add(item.made(method, observed, passed, refused ? TunnelEnds.afterProblems(remedy) : remedy));
    }

    /** Without the interface there is nothing to say of its peers, its tunnels, or what passes through them. */
    private void addOfInterface(CheckItem item, String method, String observed, boolean passed, String remedy) {
        String name = blueprint.interfaceName();
        if (facts.wireGuard().isPresent()) {
            add(item, method, observed, passed, remedy);
        } else {
            add(item, method, name + " is not up on this host", false, TunnelEnds.bringUp(name, "the host"));
        }
    }

    private boolean closed() {
        return isClosed(facts);
    }

    /** Whether the firewall closes what no rule admits, now and at boot. */
    static boolean isClosed(HostFacts facts) {
        return facts.firewall().active()
                && facts.firewall().denyIncoming()
                && facts.firewall().atBoot();
    }

    private void denies() {
        add(
                deniesItem(host),
                "ufw's settings and the loaded rules",
                "active " + facts.firewall().active() + ", deny incoming "
                        + facts.firewall().denyIncoming() + ", at boot "
                        + facts.firewall().atBoot(),
                closed(),
                Firewall.flushedBy(facts)
                        .map(cause -> cause + ". Then run apply.")
                        .orElse("Run apply."));
        if (closed()) {
            Firewall.flushedBy(facts)
                    .ifPresent(cause -> checks.add(
                            item(host, CheckKind.FOREIGN_FIREWALL_RULES, "has another service that sets firewall rules")
                                    .about("nftables.service")
                                    .note(
                                            "systemctl show nftables.service",
                                            cause,
                                            "See that ufw's rules are there after a reboot.")));
        }
    }

    private void admitsOnTheTunnelAlone(HostDecision decision) {
        List<LoadedRule> breaches = rules.breaches();
        boolean removed = breaches.stream()
                .allMatch(breach -> decision.changes().stream()
                        .anyMatch(change ->
                                change instanceof Firewall.Disallow disallow && breach.isFor(disallow.rule())));
        long own = rules.accepting().stream().filter(rules::isOfTheSpec).count();
        add(
                guardedItem(blueprint, host),
                "the rules that the kernel has loaded (iptables -S, ip6tables -S): none but those of the spec, which name the"
                        + " interface, may accept port " + words(ForeignRules.guarded(blueprint, host))
                        + "; no forged packet was sent",
                breaches.isEmpty()
                        ? own + " of " + rules.accepting().size()
                                + " accepting rules are the spec's; no other accepts such a port"
                        : "accepted by " + listed(breaches.stream().map(LoadedRule::describe)),
                closed() && breaches.isEmpty(),
                removed
                        ? "Run apply."
                        : "PromGuard leaves rules of others alone: take that one away on the host (ufw status numbered, then ufw"
                                + " delete NUMBER; what ufw does not know, by the tool that made it), or narrow it to its own port.");
    }

    private void leavesThroughTheInterfaceAlone(KillSwitch killSwitch) {
        UnitFact unit = facts.units().get(KillSwitch.UNIT);
        boolean route = facts.killSwitch().unreachable().contains(killSwitch.network());
        boolean rule = facts.killSwitch().dropped().contains(killSwitch.network());
        boolean guard = facts.killSwitch().guarded().contains(killSwitch.address());
        boolean ports = facts.killSwitch().closesPorts(killSwitch);
        boolean boot = unit != null && unit.enabled().equals("enabled");
        add(
                killSwitchItem(blueprint, host),
                "ip route, ip rule, iptables -t raw -S OUTPUT, systemctl show " + KillSwitch.UNIT,
                "unreachable route " + (route ? "there" : "missing") + ", dropping rule " + (rule ? "there" : "missing")
                        + ", routing rules " + (guard ? ports ? "there" : "of other ports or peers" : "missing")
                        + ", at boot " + boot,
                route && rule && guard && ports && boot,
                "Run apply. Until then, " + KillSwitch.SCRIPT + " add " + killSwitch.network() + ' '
                        + killSwitch.interfaceName() + ' ' + killSwitch.address() + ' '
                        + String.join(" ", killSwitch.portArguments()) + " on the host sets them.");
    }

    private void listensWhereItShould() {
        add(
                exportersItem(host),
                "ss -ltun",
                describeStrays(exporterPorts(), Set.of(host.address())),
                strays(exporterPorts(), Set.of(host.address())).isEmpty(),
                "See which program it is (ss -ltnp), stop it, and run apply.");
        if (host.role() == Role.MONITOR) {
            Set<Integer> prometheus = Set.of(blueprint.spec().prometheus().port());
            Set<String> passedOn = blueprint.viewers().isEmpty() ? Set.of() : Set.of(host.address());
            add(
                    loopbackItem(blueprint, host),
                    "ss -ltun",
                    describeStrays(prometheus, passedOn),
                    strays(prometheus, passedOn).isEmpty(),
                    "See which program it is (ss -ltnp), stop it, and run apply.");
        }
    }

    private Set<Integer> exporterPorts() {
        Set<Integer> ports = new TreeSet<>(Set.of(blueprint.spec().nodeExporterPort()));
        host.spec().exporters().stream().map(Exporter::port).forEach(ports::add);
        return ports;
    }

    private List<SocketFact> strays(Set<Integer> ports, Set<String> addresses) {
        return facts.listening().stream()
                .filter(socket -> socket.protocol().equals("tcp") && ports.contains(socket.port()))
                .filter(socket -> !socket.onLoopback() && !addresses.contains(plain(socket)))
                .toList();
    }

    private String describeStrays(Set<Integer> ports, Set<String> addresses) {
        List<SocketFact> strays = strays(ports, addresses);
        return strays.isEmpty()
                ? "port " + words(ports) + " nowhere else"
                : "also on " + listed(strays.stream().map(HostChecks::describe));
    }

    /** Rules of other origin for ports that are not guarded. The reader of the report judges them. */
    private void foreignRules() {
        List<LoadedRule> breaches = rules.breaches();
        List<LoadedRule> foreign = rules.accepting().stream()
                .filter(rule -> !rules.isOfTheSpec(rule) && !breaches.contains(rule))
                .toList();
        if (!foreign.isEmpty()) {
            checks.add(item(host, CheckKind.FOREIGN_FIREWALL_RULES, "admits what PromGuard did not ask for")
                    .note(
                            "the rules that the kernel has loaded (iptables -S, ip6tables -S)",
                            listed(foreign.stream().map(LoadedRule::describe)),
                            "PromGuard leaves rules of others alone. If nobody needs one, take it away: ufw status numbered, then"
                                    + " ufw delete NUMBER."));
        }
    }

    private void upToDate(HostDecision decision, List<String> expired) {
        List<String> problems = decision.problems().stream().map(Problem::text).toList();
        List<String> changes =
                decision.planned().stream().map(ExplainedChange::text).toList();
        List<String> differences = new ArrayList<>();
        if (host.role() == Role.MONITOR) {
            expired.forEach(viewer -> differences.add("not applied yet: viewer " + viewer + " and is still let in"));
        }
        differences.addAll(problems.isEmpty() ? changes : problems);
        boolean passed = differences.isEmpty() && decision.kind() == HostDecision.Kind.KEEP;
        add(
                upToDateItem(host),
                "a comparison of the spec with the running host, as plan() makes it",
                passed ? "no difference" : String.join("; ", differences),
                passed,
                problems.isEmpty() ? remedy(decision) : "Fix what is said there, then run apply.");
    }

    /** Apply is advised only where it changes something. */
    private static String remedy(HostDecision decision) {
        List<ExplainedChange> left = Placement.among(decision.planned());
        if (left.isEmpty()) {
            return "Run apply.";
        }
        String remedy = Placement.remedy(decision.name(), left);
        return left.size() == decision.planned().size() ? remedy : "Run apply for the rest. " + remedy;
    }

    /** Whether changes wait for a confirmation: such a host is about to become what it was before them. */
    private void confirmed() {
        if (facts.rollbackPending()) {
            add(
                    item(host, CheckKind.CHANGES_CONFIRMED, "has no changes that wait for a confirmation"),
                    "/var/lib/promguard/rollback",
                    "those of an earlier run wait",
                    false,
                    "Run apply, which keeps them. Otherwise the host takes them back by itself.");
        }
    }

    private void units() {
        for (String unit : units(blueprint, host)) {
            UnitFact fact = facts.units().get(unit);
            add(
                    unitItem(host, unit),
                    "systemctl show",
                    fact == null ? "unknown to systemd" : fact.active() + ", " + fact.enabled(),
                    fact != null
                            && fact.active().equals("active")
                            && fact.enabled().equals("enabled"),
                    "Run apply; then read journalctl -u " + unit + " on the host.");
        }
    }

    private void key() {
        boolean safe = facts.keyFilePublicKey().isPresent() && facts.keyFileSafe();
        add(
                keyFileItem(host),
                "stat of the key file",
                facts.keyFilePublicKey().isEmpty()
                        ? "no key"
                        : facts.keyFileSafe()
                                ? "a plain file of root's, mode 0600"
                                : "another owner, mode or kind of file",
                safe,
                facts.keyFilePublicKey().isEmpty()
                        ? "Run apply, which gives the host a key."
                        : refused
                                ? "Others may have read it: first do what host-up-to-date says of the host, then run apply,"
                                        + " which gives it a new key."
                                : "Others may have read it: run apply, which gives the host a new key.");
    }

    private void peers(PeerKeys keys) {
        List<PeerFact> peers = facts.wireGuard().map(running -> running.peers()).orElse(List.of());
        List<String> wrong = new ArrayList<>();
        for (String name : host.peers()) {
            Optional<PeerFact> found = keys.peer(peers, name);
            String own = blueprint.host(name).allowedIp();
            if (found.isEmpty()) {
                wrong.add("without " + name);
            } else if (!found.get().allowedIps().equals(List.of(own))) {
                wrong.add(name + " has " + listed(found.get().allowedIps().stream()) + " instead of " + own);
            }
        }
        Set<PublicKey> viewers = new HashSet<>();
        for (Blueprint.Viewer viewer : blueprint.viewersOf(host)) {
            PublicKey key = new PublicKey(viewer.spec().publicKey());
            viewers.add(key);
            Optional<PeerFact> found =
                    peers.stream().filter(peer -> peer.publicKey().equals(key)).findFirst();
            if (found.isEmpty()) {
                wrong.add("without viewer " + viewer.name());
            } else if (!found.get().allowedIps().equals(List.of(viewer.allowedIp()))) {
                wrong.add("viewer " + viewer.name() + " has " + listed(found.get().allowedIps().stream())
                        + " instead of " + viewer.allowedIp());
            }
        }
        boolean unknown = false;
        for (PeerFact peer : peers.stream()
                .filter(peer -> !viewers.contains(peer.publicKey()))
                .filter(peer -> host.peers().stream().noneMatch(name -> keys.isOf(peer, name)))
                .limit(MOST_LISTED)
                .toList()) {
            Optional<String> owner = keys.owner(peer, facts, blueprint);
            unknown |= owner.isEmpty();
            wrong.add(owner.filter(name -> !keys.isOfFormerViewer(peer.publicKey()))
                            .map(name -> "PromGuard's own peer " + name + ", whom the spec does not give it, ")
                            .or(() -> owner.map(name -> name + ", "))
                            .orElse("an unknown peer ")
                    + peer.publicKey() + " with " + listed(peer.allowedIps().stream()));
        }
        addOfInterface(
                peersItem(blueprint, host),
                "wg show " + blueprint.interfaceName(),
                wrong.isEmpty() ? "these, and no other peer" : String.join("; ", wrong),
                wrong.isEmpty(),
                unknown
                        ? "Run apply, which removes unknown peers. Then find out who added one: it had to be root."
                        : PeerKeys.otherMesh(facts, blueprint).isPresent()
                                ? "Take the host out of that mesh first, or leave it out of this one."
                                : "Run apply, which brings the peers to what the spec says.");
        if (blueprint.spec().presharedKeys() && !host.peers().isEmpty()) {
            List<String> without = host.peers().stream()
                    .filter(peer -> peers.stream()
                            .noneMatch(
                                    fact -> keys.isOf(fact, peer) && fact.presharedKey() == PresharedKeyFact.AS_FILED))
                    .toList();
            addOfInterface(
                    presharedItem(blueprint, host),
                    "wg show " + blueprint.interfaceName() + ", compared on the host with its files",
                    without.isEmpty() ? "with " + host.peers().size() : "not with " + String.join(", ", without),
                    without.isEmpty(),
                    "Run apply.");
        }
        host.peers().stream()
                .map(blueprint::host)
                .filter(peer -> Handshakes.isExpected(host, peer))
                .forEach(peer -> handshake(peer, keys.peer(peers, peer.name()).flatMap(PeerFact::handshakeAge)));
    }

    private void handshake(Blueprint.Host peer, Optional<Duration> age) {
        String seen = age.map(value -> value.toSeconds() + " s ago").orElse("no handshake yet");
        Optional<TunnelEnds.Missing> without = Handshakes.isFresh(age) ? Optional.empty() : tunnels.missing(host, peer);
        addOfInterface(
                handshakeItem(host, peer),
                "wg show " + blueprint.interfaceName(),
                seen + without.map(end -> "; " + end.observed()).orElse(""),
                Handshakes.isFresh(age),
                without.map(TunnelEnds.Missing::remedy)
                        .orElse(
                                blocked
                                        ? "First fix what is said of the rules that the mesh's packets do not pass."
                                        : "See that the mesh's UDP port passes between the two hosts, then run apply. If handshakes are made"
                                                + " and data does not pass, set a lower mtu(…)."));
    }

    private static String plain(SocketFact socket) {
        return socket.address().replaceAll("[\\[\\]]|%.*", "");
    }

    private static String describe(SocketFact socket) {
        return socket.address() + ':' + socket.port() + '/' + socket.protocol();
    }

    private static String words(Iterable<?> items) {
        List<String> words = new ArrayList<>();
        items.forEach(item -> words.add(String.valueOf(item)));
        return words.isEmpty() ? "nobody" : listed(words.stream());
    }

    /** At most a dozen, and how many more: a host may say anything, and as much of it as it likes. */
    static String listed(Stream<String> items) {
        List<String> all = items.toList();
        if (all.isEmpty()) {
            return "nothing";
        }
        return all.size() <= MOST_LISTED
                ? String.join(", ", all)
                : String.join(", ", all.subList(0, MOST_LISTED)) + " and " + (all.size() - MOST_LISTED) + " more";
    }
}
