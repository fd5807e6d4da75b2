package dev.promguard;

import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exposure;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.Role;
import dev.promguard.change.Change;
import dev.promguard.change.Differ;
import dev.promguard.change.HostFacts;
import dev.promguard.change.HostFacts.PeerFact;
import dev.promguard.change.HostFacts.PresharedKeyFact;
import dev.promguard.change.HostFacts.SocketFact;
import dev.promguard.change.HostFacts.UnitFact;
import dev.promguard.change.HostProblem;
import dev.promguard.change.KeyChanges;
import dev.promguard.change.LoadedRule;
import dev.promguard.keys.PublicKey;
import dev.promguard.render.DesiredHost;
import dev.promguard.render.KillSwitch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a host's own facts say of it. A pure function of the wish and the facts. */
final class HostClaims {
    private static final String DENIES = "denies what no rule admits, now and at boot";
    private static final String TUNNEL_ALONE = "admits its guarded ports on " + Blueprint.WIREGUARD_INTERFACE
            + " and from the monitors alone, so that a forged source address opens nothing";
    private static final String LOOPBACK_ALONE = "has Prometheus listen on loopback alone";
    private static final String AS_SPECIFIED = "is as wished: packages, files, rules, peers, units";
    private static final String KEY_FILE = "keeps its WireGuard private key where root alone reads it";
    private static final String PRESHARED = "shares a preshared key with each peer";

    private static final String METRICS_TIMER = "promguard-wireguard-metrics.timer";
    private static final int MOST_LISTED = 12;

    private final Blueprint blueprint;
    private final Blueprint.Host host;
    private final HostFacts facts;
    private final List<LoadedRule> loaded;
    private final List<Check> checks = new ArrayList<>();

    HostClaims(Blueprint blueprint, Blueprint.Host host, HostFacts facts) {
        this.blueprint = blueprint;
        this.host = host;
        this.facts = facts;
        this.loaded = facts.firewall().accepting().stream()
                .map(LoadedRule::new)
                .filter(rule -> !rule.isUfwsOwn() && !rule.isForPassing())
                .toList();
    }

    /** Checks all claims. */
    List<Check> check(DesiredHost desired, Map<String, PublicKey> keys) {
        denies();
        admitsOnTheTunnelAlone();
        leavesThroughTheInterfaceAlone(desired.killSwitch());
        listensWhereItShould();
        foreignRules();
        wish(desired);
        units();
        confirmed();
        key();
        peers(keys);
        return List.copyOf(checks);
    }

    /** What {@link #check} checks of a host, whatever its facts are. */
    static List<String> claims(Blueprint blueprint, Blueprint.Host host) {
        List<String> claims =
                new ArrayList<>(List.of(DENIES, TUNNEL_ALONE, leavesClaim(blueprint), exportersClaim(host)));
        if (host.role() == Role.MONITOR) {
            claims.add(LOOPBACK_ALONE);
        }
        claims.add(AS_SPECIFIED);
        units(host).forEach(unit -> claims.add(unitClaim(unit)));
        claims.add(KEY_FILE);
        claims.add(peersClaim(host));
        if (blueprint.spec().presharedKeys() && !host.peers().isEmpty()) {
            claims.add(PRESHARED);
        }
        host.peers().stream()
                .map(blueprint::host)
                .filter(peer -> Handshakes.isExpected(host, peer))
                .forEach(peer -> claims.add(handshakeClaim(peer)));
        return List.copyOf(claims);
    }

    private static List<String> units(Blueprint.Host host) {
        List<String> units = new ArrayList<>(
                List.of("wg-quick@wg0.service", KillSwitch.UNIT, METRICS_TIMER, "node_exporter.service"));
        host.spec().exporters().forEach(exporter -> units.add(exporter.unit()));
        if (host.role() == Role.MONITOR) {
            units.add("prometheus.service");
        }
        return units;
    }

    private static String unitClaim(String unit) {
        return unit + " runs, and will after a reboot";
    }

    private static String leavesClaim(Blueprint blueprint) {
        return "lets packets for " + blueprint.network() + " leave through " + Blueprint.WIREGUARD_INTERFACE
                + " alone, also while that is down";
    }

    private static String exportersClaim(Blueprint.Host host) {
        return "has its exporters listen on " + host.address() + " alone";
    }

    private static String peersClaim(Blueprint.Host host) {
        return "has tunnels with " + words(host.peers()) + " and nobody else, one address each";
    }

    private void add(String claim, String how, String seen, boolean holds, String mend) {
        checks.add(Check.of(host.name(), claim, how, seen, holds, mend));
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
                DENIES,
                "ufw's settings and the loaded rules",
                "active " + facts.firewall().active() + ", deny incoming "
                        + facts.firewall().denyIncoming() + ", at boot "
                        + facts.firewall().atBoot(),
                closed(),
                "Run apply.");
    }

    /** The ports that only monitors may reach, and only through the tunnel, or nobody. */
    static Set<Integer> guarded(Blueprint blueprint, Blueprint.Host host) {
        Set<Integer> ports = new TreeSet<>();
        ports.add(blueprint.spec().nodeExporterPort());
        ports.add(blueprint.spec().prometheus().port());
        host.spec().exposures().stream().map(Exposure::port).forEach(ports::add);
        return ports;
    }

    private boolean isWished(LoadedRule rule) {
        return host.firewall().stream().anyMatch(rule::isFor);
    }

    /** The rules that somebody else wrote and that let packets to a guarded port. */
    private List<LoadedRule> breaches() {
        return loaded.stream()
                .filter(rule -> !isWished(rule))
                .filter(rule -> guarded(blueprint, host).stream().anyMatch(port -> rule.mayAdmit(Protocol.TCP, port)))
                .toList();
    }

    private void admitsOnTheTunnelAlone() {
        List<LoadedRule> breaches = breaches();
        long own = loaded.stream().filter(this::isWished).count();
        add(
                TUNNEL_ALONE,
                "the rules that the kernel has loaded (iptables -S, ip6tables -S): none but those of the wish, which name the"
                        + " interface, may accept port " + words(guarded(blueprint, host))
                        + "; no forged packet was sent",
                breaches.isEmpty()
                        ? own + " of " + loaded.size() + " accepting rules are the wish's; no other accepts such a port"
                        : "accepted by " + listed(breaches.stream().map(LoadedRule::describe)),
                closed() && breaches.isEmpty(),
                breaches.isEmpty()
                        ? "Run apply."
                        : "PromGuard leaves rules of others alone: take that one away on the host (ufw status numbered, then ufw"
                                + " delete NUMBER; what ufw does not know, by the tool that made it), or narrow it to its own port.");
    }

    private void leavesThroughTheInterfaceAlone(KillSwitch killSwitch) {
        UnitFact unit = facts.units().get(KillSwitch.UNIT);
        boolean route = facts.killSwitch().unreachable().contains(killSwitch.network());
        boolean rule = facts.killSwitch().dropped().contains(killSwitch.network());
        boolean boot = unit != null && unit.enabled().equals("enabled");
        add(
                leavesClaim(blueprint),
                "ip route, iptables -t raw -S OUTPUT, systemctl show " + KillSwitch.UNIT,
                "unreachable route " + (route ? "there" : "missing") + ", dropping rule " + (rule ? "there" : "missing")
                        + ", at boot " + boot,
                route && rule && boot,
                "Run apply. Until then, " + KillSwitch.SCRIPT + " add " + killSwitch.network() + ' '
                        + killSwitch.interfaceName() + " on the host sets both.");
    }

    private void listensWhereItShould() {
        add(
                exportersClaim(host),
                "ss -ltun",
                strayed(exporterPorts(), Set.of(host.address())),
                strays(exporterPorts(), Set.of(host.address())).isEmpty(),
                "See which program it is (ss -ltnp), stop it, and run apply.");
        if (host.role() == Role.MONITOR) {
            Set<Integer> prometheus = Set.of(blueprint.spec().prometheus().port());
            add(
                    LOOPBACK_ALONE,
                    "ss -ltun",
                    strayed(prometheus, Set.of()),
                    strays(prometheus, Set.of()).isEmpty(),
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
                .filter(socket -> !isLoopback(socket) && !addresses.contains(plain(socket)))
                .toList();
    }

    private String strayed(Set<Integer> ports, Set<String> addresses) {
        List<SocketFact> strays = strays(ports, addresses);
        return strays.isEmpty()
                ? "port " + words(ports) + " nowhere else"
                : "also on " + listed(strays.stream().map(HostClaims::describe));
    }

    /** The TCP ports that something beside loopback listens on and that no rule is known to admit. */
    static Set<Integer> unadmitted(Blueprint.Host host, HostFacts facts) {
        List<LoadedRule> loaded =
                facts.firewall().accepting().stream().map(LoadedRule::new).toList();
        return facts.listening().stream()
                .filter(socket -> socket.protocol().equals("tcp") && socket.port() > 0 && !isLoopback(socket))
                .map(SocketFact::port)
                .filter(port -> loaded.stream().noneMatch(rule -> rule.mayAdmit(Protocol.TCP, port)))
                .filter(port -> host.firewall().stream()
                        .noneMatch(rule -> rule.protocol() == Protocol.TCP && rule.port() == port))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** What others admit to ports of their own is theirs to decide; whoever reads the report decides whether it is right. */
    private void foreignRules() {
        List<LoadedRule> breaches = breaches();
        List<LoadedRule> foreign = loaded.stream()
                .filter(rule -> !isWished(rule) && !breaches.contains(rule))
                .toList();
        if (!foreign.isEmpty()) {
            checks.add(Check.noted(
                    host.name(),
                    "admits what PromGuard did not ask for",
                    "the rules that the kernel has loaded (iptables -S, ip6tables -S)",
                    listed(foreign.stream().map(LoadedRule::describe)),
                    "PromGuard leaves rules of others alone. If nobody needs one, take it away: ufw status numbered, then ufw"
                            + " delete NUMBER."));
        }
    }

    private void wish(DesiredHost desired) {
        List<String> faults =
                Differ.faults(desired, facts).stream().map(HostProblem::text).toList();
        List<String> drift = faults.isEmpty()
                ? Differ.diff(desired, facts, KeyChanges.NONE, false).stream()
                        .map(Change::describe)
                        .toList()
                : faults;
        add(
                AS_SPECIFIED,
                "a comparison of the wish with the running host",
                drift.isEmpty() ? "no difference" : String.join("; ", drift),
                drift.isEmpty(),
                "Run apply.");
    }

    /** Whether changes wait for a confirmation: such a host is about to become what it was before them. */
    private void confirmed() {
        if (facts.rollbackPending()) {
            add(
                    "has no changes that wait for a confirmation",
                    "/var/lib/promguard/rollback",
                    "those of an earlier run wait",
                    false,
                    "Run apply, which keeps them. Otherwise the host takes them back by itself.");
        }
    }

    private void units() {
        for (String unit : units(host)) {
            UnitFact fact = facts.units().get(unit);
            add(
                    unitClaim(unit),
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
                KEY_FILE,
                "stat of the key file",
                facts.keyFilePublicKey().isEmpty()
                        ? "no key"
                        : facts.keyFileSafe()
                                ? "a plain file of root's, mode 0600"
                                : "another owner, mode or kind of file",
                safe,
                "Others may have read it: run apply, which gives the host a new key.");
    }

    private void peers(Map<String, PublicKey> keys) {
        List<PeerFact> peers = facts.wireGuard().map(running -> running.peers()).orElse(List.of());
        List<String> wrong = new ArrayList<>();
        for (String name : host.peers()) {
            PublicKey key = keys.get(name);
            Optional<PeerFact> found =
                    peers.stream().filter(peer -> peer.publicKey().equals(key)).findFirst();
            String own = blueprint.host(name).allowedIp();
            if (found.isEmpty()) {
                wrong.add("without " + name);
            } else if (!found.get().allowedIps().equals(List.of(own))) {
                wrong.add(name + " has " + listed(found.get().allowedIps().stream()) + " instead of " + own);
            }
        }
        peers.stream()
                .filter(peer ->
                        host.peers().stream().noneMatch(name -> peer.publicKey().equals(keys.get(name))))
                .limit(MOST_LISTED)
                .forEach(peer ->
                        wrong.add("a stranger " + peer.publicKey() + " with " + listed(peer.allowedIps().stream())));
        add(
                peersClaim(host),
                "wg show " + Blueprint.WIREGUARD_INTERFACE,
                wrong.isEmpty() ? "these, and no other peer" : String.join("; ", wrong),
                wrong.isEmpty(),
                "Run apply, which takes strangers out. Then find out who put it there: it had to be root.");
        if (blueprint.spec().presharedKeys() && !host.peers().isEmpty()) {
            List<String> without = host.peers().stream()
                    .filter(peer -> peers.stream()
                            .noneMatch(fact -> fact.publicKey().equals(keys.get(peer))
                                    && fact.presharedKey() == PresharedKeyFact.AS_FILED))
                    .toList();
            add(
                    PRESHARED,
                    "wg show wg0, compared on the host with its files",
                    without.isEmpty() ? "with " + host.peers().size() : "not with " + String.join(", ", without),
                    without.isEmpty(),
                    "Run apply.");
        }
        for (String name : host.peers()) {
            Blueprint.Host peer = blueprint.host(name);
            if (Handshakes.isExpected(host, peer)) {
                handshake(peer, Handshakes.age(facts, keys.get(name)));
            }
        }
    }

    private void handshake(Blueprint.Host peer, Optional<Duration> age) {
        add(
                handshakeClaim(peer),
                "wg show wg0",
                age.map(value -> value.toSeconds() + " s ago").orElse("no handshake yet"),
                Handshakes.isFresh(age),
                "See that the mesh's UDP port passes between the two hosts, then run apply.");
    }

    private static String handshakeClaim(Blueprint.Host peer) {
        return "has a tunnel with " + peer.name() + ", its handshake younger than 3 minutes";
    }

    static boolean isLoopback(SocketFact socket) {
        String address = plain(socket);
        return address.startsWith("127.")
                || address.equals("::1")
                || socket.address().endsWith("%lo");
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
