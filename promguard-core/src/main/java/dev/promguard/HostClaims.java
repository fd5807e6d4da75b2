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
import dev.promguard.change.LoadedRule;
import dev.promguard.change.NewKeys;
import dev.promguard.keys.PublicKey;
import dev.promguard.render.DesiredHost;
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
        listensWhereItShould();
        reachableIsWhatIsWished();
        foreignRules();
        wish(desired);
        units();
        key();
        peers(keys);
        return List.copyOf(checks);
    }

    private void add(String claim, String how, String seen, boolean holds, String mend) {
        checks.add(Check.of(host.name(), claim, how, seen, holds, mend));
    }

    private boolean closed() {
        return facts.firewall().active()
                && facts.firewall().denyIncoming()
                && facts.firewall().atBoot();
    }

    private void denies() {
        add(
                "denies what no rule admits, now and at boot",
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
                "admits its guarded ports on " + Blueprint.WIREGUARD_INTERFACE
                        + " and from the monitors alone, so that a forged" + " source address opens nothing",
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

    private void listensWhereItShould() {
        add(
                "has its exporters listen on " + host.address() + " alone",
                "ss -ltun",
                strayed(exporterPorts(), Set.of(host.address())),
                strays(exporterPorts(), Set.of(host.address())).isEmpty(),
                "See which program it is (ss -ltnp), stop it, and run apply.");
        if (host.role() == Role.MONITOR) {
            Set<Integer> prometheus = Set.of(blueprint.spec().prometheus().port());
            add(
                    "has Prometheus listen on loopback alone",
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

    private void reachableIsWhatIsWished() {
        Set<String> wished = new TreeSet<>();
        Set<String> open = new TreeSet<>();
        Set<String> ufws = new TreeSet<>();
        Set<String> closed = new TreeSet<>();
        for (SocketFact socket : facts.listening()) {
            if (isLoopback(socket)) {
                continue;
            }
            Protocol protocol = socket.protocol().equals("udp") ? Protocol.UDP : Protocol.TCP;
            List<LoadedRule> admitting = loaded.stream()
                    .filter(rule -> rule.mayAdmit(protocol, socket.port()))
                    .toList();
            String door = socket.port() + "/" + socket.protocol();
            if (admitting.stream().anyMatch(rule -> !isWished(rule))) {
                open.add(door);
            } else if (!admitting.isEmpty()) {
                wished.add(door);
            } else {
                boolean byUfw = facts.firewall().accepting().stream()
                        .map(LoadedRule::new)
                        .anyMatch(
                                rule -> rule.isUfwsOwn() && !rule.isForAll() && rule.mayAdmit(protocol, socket.port()));
                (byUfw ? ufws : closed).add(door);
            }
        }
        add(
                "lets nothing be reached that listens but what is wished",
                "ss -ltun, each socket held against the loaded rules",
                "reachable by the wish: " + listed(wished.stream()) + "; closed by default: " + listed(closed.stream())
                        + (ufws.isEmpty() ? "" : "; by the rules that ufw brings: " + listed(ufws.stream()))
                        + (open.isEmpty() ? "" : "; by rules of others, see there: " + listed(open.stream())),
                closed(),
                "Run apply, which closes what no rule admits.");
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
        List<String> faults = Differ.faults(desired, facts);
        List<String> drift = faults.isEmpty()
                ? Differ.diff(desired, facts, NewKeys.NONE, false).stream()
                        .map(Change::describe)
                        .toList()
                : faults;
        add(
                "is as wished: packages, files, rules, peers, units",
                "a comparison of the wish with the running host",
                drift.isEmpty() ? "no difference" : String.join("; ", drift),
                drift.isEmpty(),
                "Run apply.");
    }

    private void units() {
        List<String> units = new ArrayList<>(List.of("wg-quick@wg0.service", METRICS_TIMER, "node_exporter.service"));
        host.spec().exporters().forEach(exporter -> units.add(exporter.unit()));
        if (host.role() == Role.MONITOR) {
            units.add("prometheus.service");
        }
        for (String unit : units) {
            UnitFact fact = facts.units().get(unit);
            add(
                    unit + " runs, and will after a reboot",
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
                "keeps its WireGuard private key where root alone reads it",
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
                "has tunnels with " + words(host.peers()) + " and nobody else, one address each",
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
                    "shares a preshared key with each peer",
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
                "has a tunnel with " + peer.name() + ", its handshake younger than 3 minutes",
                "wg show wg0",
                age.map(value -> value.toSeconds() + " s ago").orElse("no handshake yet"),
                Handshakes.isFresh(age),
                "See that the mesh's UDP port passes between the two hosts, then run apply.");
    }

    private static boolean isLoopback(SocketFact socket) {
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
    private static String listed(Stream<String> items) {
        List<String> all = items.toList();
        if (all.isEmpty()) {
            return "nothing";
        }
        return all.size() <= MOST_LISTED
                ? String.join(", ", all)
                : String.join(", ", all.subList(0, MOST_LISTED)) + " and " + (all.size() - MOST_LISTED) + " more";
    }
}
