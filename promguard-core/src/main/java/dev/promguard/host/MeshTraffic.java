package dev.promguard.host;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.Role;
import dev.promguard.host.PacketCondition.On;
import dev.promguard.host.PacketFilter.Redirection;
import dev.promguard.host.WireGuardInterface.Peer;
import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the mesh sends to and from a host, followed through every packet filter that the host has: which rules of others drop it or send
 * it elsewhere. Only what is certain is said. A pure function of what the host should be and what it is. Immutable.
 */
public final class MeshTraffic {
    private static final Pattern ENDPOINT = Pattern.compile("\\[?([0-9a-fA-F.:]+)]?:([0-9]{1,5})");
    private static final int MOST_PUBLISHED = 50;
    private static final int MOST_NAMED = 6;
    private static final String IPV6 = "[0-9a-fA-F.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*";
    private static final Pattern DESTINATION =
            Pattern.compile("(?:([0-9.]+|" + IPV6 + ")|\\[(" + IPV6 + ")])?(?::([0-9]{1,5}))?");

    private final DesiredHost desired;
    private final HostFacts facts;
    private final PacketFilter filter;
    private final IPAddress address;
    private final Set<IPAddress> own;
    private final Set<String> outside;
    private final Optional<IPAddress> login;
    private final List<Need> needs = new ArrayList<>();
    private final List<Blocked> blocked = new ArrayList<>();
    private final List<Published> published = new ArrayList<>();
    private final Map<FirewallRule, RuleName> behind = new LinkedHashMap<>();

    /**
     * Packets that have to pass.
     *
     * @param words what they are
     * @param packet the packets
     * @param admittedBy PromGuard's own rule on the tunnel that is to admit them; empty where there is none
     */
    private record Need(String words, Packet packet, Optional<FirewallRule> admittedBy) {}

    /**
     * A rule of somebody else that the mesh's packets do not pass.
     *
     * @param rule the rule
     * @param redirected whether it sends them elsewhere; else it drops them
     * @param what what it keeps from passing, such as {@code 51820/udp from outside}
     * @param fixable whether an apply puts PromGuard's own rule before it
     */
    public record Blocked(RuleName rule, boolean redirected, List<String> what, boolean fixable) {
        /**
         * Copies the list.
         *
         * @throws NullPointerException if something is null
         */
        public Blocked {
            Objects.requireNonNull(rule, "rule");
            what = List.copyOf(what);
        }

        /**
         * What is wrong, and what to do about it.
         *
         * @return the problem
         */
        public HostProblem problem() {
            return new HostProblem(
                    "a rule that PromGuard does not change " + (redirected ? "redirects" : "drops") + ' '
                            + String.join(", ", what.subList(0, Math.min(what.size(), MOST_NAMED)))
                            + (what.size() > MOST_NAMED ? " and " + (what.size() - MOST_NAMED) + " more" : "") + ": "
                            + rule.describe(),
                    fixable
                            ? "Run apply, which puts PromGuard's own rule before it."
                            : "Let these packets pass before it, or take it away (" + rule.removal() + ')'
                                    + (rule.isUfw() ? "." : "; do the same in what loads it at boot."));
        }
    }

    /**
     * An address of the host itself, and a port there.
     *
     * @param address the address; empty for the one that a packet came to
     * @param port the port; 0 for the one that a packet came to
     */
    public record Local(Optional<String> address, int port) {
        /**
         * Checks that the address is there.
         *
         * @throws NullPointerException if it is null
         */
        public Local {
            Objects.requireNonNull(address, "address");
        }

        /**
         * The address and the port in words.
         *
         * @return such as {@code 127.0.0.1:8080} or {@code port 8080}
         */
        @Override
        public String toString() {
            return address.map(at -> (at.contains(":") ? "[" + at + "]" : at) + (port == 0 ? "" : ":" + port))
                    .orElse("port " + port);
        }
    }

    /**
     * A rule that sends packets from outside to another address or port. To another machine they go past ufw's rules for what comes in.
     *
     * @param rule the rule
     * @param protocol the protocol; empty for any
     * @param ports the ports or ranges that it is for, such as {@code 8080} or {@code 8000:8100}; empty for all
     * @param local where on the host itself they go; empty if to another machine
     */
    public record Published(RuleName rule, Optional<Protocol> protocol, List<String> ports, Optional<Local> local) {
        /**
         * Copies the list.
         *
         * @throws NullPointerException if something is null
         */
        public Published {
            Objects.requireNonNull(rule, "rule");
            Objects.requireNonNull(protocol, "protocol");
            ports = List.copyOf(ports);
            Objects.requireNonNull(local, "local");
        }

        /**
         * Whether it is for a TCP port.
         *
         * @param port the port
         * @return true if so, also where it is for all
         */
        public boolean isForTcp(int port) {
            return protocol.filter(only -> only != Protocol.TCP).isEmpty()
                    && (ports.isEmpty() || ports.stream().anyMatch(range -> LoadedRule.holds(range, port)));
        }

        /**
         * The TCP ports that it names one by one.
         *
         * @return the ports; empty where it is for UDP, for ranges or for all
         */
        public List<Integer> tcpPorts() {
            return protocol.filter(only -> only == Protocol.TCP).isEmpty()
                    ? List.of()
                    : ports.stream()
                            .filter(port -> port.matches("[0-9]{1,5}"))
                            .map(Integer::valueOf)
                            .filter(port -> port > 0 && port <= 65_535)
                            .toList();
        }

        /**
         * The rule in words.
         *
         * @return such as {@code 8080/tcp is published past ufw by iptables, table nat, chain DOCKER: …}
         */
        public String describe() {
            return which()
                    + local.map(to -> " is sent to " + to + " on the host itself, where ufw judges it, by ")
                            .orElse(" is published past ufw by ")
                    + rule.describe();
        }

        String which() {
            String which = ports.isEmpty()
                    ? "every port" + protocol.map(only -> " of " + only.id()).orElse("")
                    : ports.stream()
                            .map(port ->
                                    port + protocol.map(only -> '/' + only.id()).orElse(""))
                            .collect(Collectors.joining(", "));
            return Printable.line(which, MOST_PUBLISHED * 2);
        }
    }

    private MeshTraffic(DesiredHost desired, HostFacts facts) {
        this.desired = desired;
        this.facts = facts;
        Ruleset ruleset = facts.of(Ruleset.FACTS);
        this.filter = new PacketFilter(ruleset);
        this.address = literal(desired.wireGuard().address()).orElseThrow();
        this.outside = ruleset.outside().stream()
                .filter(device -> !device.equals(desired.wireGuard().name()) && !device.equals("lo"))
                .collect(Collectors.toSet());
        this.own = Stream.concat(
                        facts.addresses().stream(),
                        Stream.of(desired.wireGuard().address()))
                .flatMap(text -> literal(text).stream())
                .collect(Collectors.toSet());
        this.login = facts.of(UfwSettings.FACTS).loginFrom().flatMap(MeshTraffic::literal);
        if (!ruleset.lines().isEmpty()) {
            needs();
            judge();
            publications();
        }
    }

    /**
     * Follows the mesh's packets through the filters of a host.
     *
     * @param desired what the host should be
     * @param facts what it is
     * @return what was found
     */
    public static MeshTraffic of(DesiredHost desired, HostFacts facts) {
        return new MeshTraffic(desired, facts);
    }

    /**
     * The rules of others that the mesh's packets do not pass.
     *
     * @return each once, in the order in which packets meet them; empty if all pass, as far as is known
     */
    public List<Blocked> blocked() {
        return List.copyOf(blocked);
    }

    /**
     * The rules that send packets from outside elsewhere, but for those that are among {@link #blocked()}.
     *
     * @return each once, at most 50
     */
    public List<Published> published() {
        return List.copyOf(published);
    }

    /** The rule of ufw's that comes before one of PromGuard's on the tunnel and drops what that admits. */
    Optional<RuleName> before(FirewallRule rule) {
        return Optional.ofNullable(behind.get(rule));
    }

    private static Optional<IPAddress> literal(String text) {
        return Optional.ofNullable(new IPAddressString(text.replaceAll("/.*", "")).getAddress());
    }

    private static int family(IPAddress of) {
        return of.isIPv4() ? 4 : 6;
    }

    private void needs() {
        Blueprint.Host host = desired.blueprint().host(desired.name());
        for (FirewallRule rule : desired.firewall()) {
            if (rule.networkInterface().isPresent()) {
                need(rule.describe(), tunnel(true, rule), Optional.of(rule));
            }
        }
        for (Blueprint.Host other : desired.blueprint().hosts()) {
            if (!other.equals(host)) {
                other.firewall().stream()
                        .filter(rule -> rule.from().equals(Optional.of(host.address())))
                        .forEach(rule -> need(
                                "scrapes of " + other.name() + ", to " + rule.port() + '/'
                                        + rule.protocol().id() + " on "
                                        + desired.wireGuard().name(),
                                tunnel(false, rule),
                                Optional.empty()));
            }
        }
        desired.wireGuard().peers().forEach(peer -> wireGuard(host, peer));
        if (host.role() == Role.MONITOR) {
            self(
                    "scrapes of its own exporter",
                    address,
                    desired.blueprint().spec().nodeExporterPort());
            self(
                    "connections to its Prometheus",
                    literal("127.0.0.1").orElseThrow(),
                    desired.blueprint().spec().prometheus().port());
        }
    }

    private void need(String words, Packet packet, Optional<FirewallRule> admittedBy) {
        needs.add(new Need(words, packet, admittedBy));
        needs.add(new Need("answers to " + words, packet.answer(), Optional.empty()));
    }

    private Packet tunnel(boolean incoming, FirewallRule rule) {
        return new Packet(
                incoming,
                family(address),
                true,
                Set.of(desired.wireGuard().name()),
                desired.wireGuard().name(),
                rule.from().flatMap(MeshTraffic::literal).stream().collect(Collectors.toSet()),
                rule.to().flatMap(MeshTraffic::literal).stream().collect(Collectors.toSet()),
                IpProtocol.of(rule.protocol()),
                0,
                rule.port());
    }

    /** A node that cannot begin is heard all the same: its monitors begin. But behind NAT it begins, and gets nothing but answers. */
    private void wireGuard(Blueprint.Host host, Peer peer) {
        Matcher endpoint = ENDPOINT.matcher(peer.endpoint().orElse(""));
        Optional<IPAddress> there = endpoint.matches() ? literal(endpoint.group(1)) : Optional.empty();
        if (there.isEmpty()) {
            return;
        }
        int port = desired.wireGuard().listenPort();
        String words = "WireGuard (" + port + "/udp)";
        Set<IPAddress> mine = ofFamily(family(there.get()));
        Packet in = new Packet(
                true,
                family(there.get()),
                true,
                outside,
                desired.wireGuard().name(),
                Set.of(there.get()),
                mine,
                IpProtocol.of(Protocol.UDP),
                port,
                port);
        boolean awaited = host.spec().endpoint().isReachable();
        if (awaited) {
            need(words + " from " + peer.name(), in, Optional.empty());
        }
        if (host.role() == Role.MONITOR || !awaited) {
            Packet out = new Packet(
                    false,
                    in.family(),
                    true,
                    outside,
                    in.tunnel(),
                    mine,
                    in.from(),
                    IpProtocol.of(Protocol.UDP),
                    port,
                    Integer.parseInt(endpoint.group(2)));
            if (awaited) {
                needs.add(new Need(words + " to " + peer.name(), out, Optional.empty()));
            } else {
                need(words + " to " + peer.name(), out, Optional.empty());
            }
        }
    }

    private Set<IPAddress> ofFamily(int family) {
        return own.stream()
                .filter(each -> family(each) == family && !each.equals(address))
                .collect(Collectors.toSet());
    }

    private void self(String words, IPAddress at, int port) {
        Packet packet = new Packet(
                false,
                family(at),
                true,
                Set.of("lo"),
                desired.wireGuard().name(),
                Set.of(at),
                Set.of(at),
                IpProtocol.of(Protocol.TCP),
                0,
                port);
        needs.add(new Need(words, packet, Optional.empty()));
    }

    private void judge() {
        Map<Blocked, List<String>> found = new LinkedHashMap<>();
        for (Need need : needs) {
            Optional<RuleName> redirected = need.packet().isNew() ? filter.redirects(need.packet()) : Optional.empty();
            redirected.ifPresent(rule -> note(found, rule, true, need));
            filter.drops(need.packet()).ifPresent(rule -> note(found, rule, false, need));
        }
        ssh().ifPresent(rule -> found.computeIfAbsent(
                        new Blocked(rule, false, List.of(), false), key -> new ArrayList<>())
                .add("SSH (" + desired.sshPort() + "/tcp) as soon as ufw is on"));
        found.forEach((rule, what) -> blocked.add(new Blocked(
                rule.rule(), rule.redirected(), what.stream().distinct().toList(), rule.fixable())));
    }

    private void note(Map<Blocked, List<String>> found, RuleName rule, boolean redirected, Need need) {
        boolean fixable = !redirected && rule.isUfwUser() && need.admittedBy().isPresent();
        if (fixable) {
            behind.put(need.admittedBy().get(), rule);
        }
        found.computeIfAbsent(new Blocked(rule, redirected, List.of(), fixable), key -> new ArrayList<>())
                .add(need.words());
    }

    /**
     * What is loaded lets SSH pass, for it was used to read the host; ufw's rules that are not loaded may not, for everybody or for the address
     * that it came from.
     */
    private Optional<RuleName> ssh() {
        return logins().flatMap(packet -> filter.dropsOnceOn(packet).stream()).findFirst();
    }

    /** The first packets of new logins, one for each family in which they come. */
    private Stream<Packet> logins() {
        return Stream.of(4, 6)
                .filter(family -> !ofFamily(family).isEmpty())
                .filter(family -> login.stream().allMatch(from -> family(from) == family))
                .map(family -> new Packet(
                        true,
                        family,
                        true,
                        outside,
                        desired.wireGuard().name(),
                        login.stream().collect(Collectors.toSet()),
                        ofFamily(family),
                        IpProtocol.of(Protocol.TCP),
                        0,
                        desired.sshPort()));
    }

    /**
     * A rule of others that lets only so many new connections to SSH through in some time. Each run takes several.
     *
     * @return it in words; empty if there is none, as far as is known
     */
    public Optional<String> sshLimit() {
        Optional<String> by = Firewall.limitsSsh(desired, facts)
                ? Optional.of("ufw limits new connections to SSH by a rule of yours")
                : logins().flatMap(packet -> filter.limits(packet).stream())
                        .findFirst()
                        .map(rule -> "a rule of yours limits new connections to SSH (" + rule.describe() + ')');
        return by.map(limit ->
                limit + ": runs that follow each other within a short time may have to wait, or fail to connect");
    }

    private void publications() {
        Set<RuleName> ours = blocked.stream().map(Blocked::rule).collect(Collectors.toSet());
        for (Redirection redirection : filter.redirections(MOST_PUBLISHED)) {
            if (!ours.contains(redirection.at()) && isForOthers(redirection)) {
                Published rule = new Published(
                        redirection.at(),
                        protocol(redirection),
                        ports(redirection.conditions()),
                        local(redirection.to()));
                if (!published.contains(rule)) {
                    published.add(rule);
                }
            }
        }
    }

    /** What is sent there, ufw judges as what comes in. */
    private Optional<Local> local(String to) {
        Matcher destination = DESTINATION.matcher(to);
        if (to.isEmpty() || !destination.matches()) {
            return Optional.empty();
        }
        String at = Objects.requireNonNullElse(destination.group(1), "")
                + Objects.requireNonNullElse(destination.group(2), "");
        Optional<IPAddress> known = at.isEmpty() ? Optional.empty() : literal(at);
        boolean here = at.isEmpty()
                || known.filter(found -> found.isLoopback() || own.contains(found))
                        .isPresent();
        String port = destination.group(3);
        return here
                ? Optional.of(new Local(known.map(IPAddress::toString), port == null ? 0 : Integer.parseInt(port)))
                : Optional.empty();
    }

    private static Optional<Protocol> protocol(Redirection redirection) {
        return PacketFilter.about(On.PROTOCOL, redirection.conditions())
                .filter(condition -> condition.values().size() == 1)
                .map(condition -> condition.values().get(0))
                .flatMap(value -> Stream.of(Protocol.values())
                        .filter(protocol -> protocol.id().equals(value))
                        .findFirst());
    }

    private static List<String> ports(List<PacketCondition> conditions) {
        return PacketFilter.about(On.TO_PORT, conditions)
                .or(() -> PacketFilter.about(On.ANY_PORT, conditions))
                .map(PacketCondition::values)
                .orElse(List.of());
    }

    /** Whether packets from outside to one of the host's own addresses may meet it, whatever their ports. */
    private boolean isForOthers(Redirection redirection) {
        List<PacketCondition> conditions = redirection.conditions().stream()
                .filter(condition ->
                        !Set.of(On.FROM_PORT, On.TO_PORT, On.ANY_PORT).contains(condition.on()))
                .toList();
        return own.stream()
                .filter(each -> !each.isLoopback() && !each.isLinkLocal())
                .anyMatch(to -> Stream.of(Protocol.values())
                        .map(protocol -> new Packet(
                                true,
                                family(to),
                                true,
                                outside,
                                desired.wireGuard().name(),
                                Set.of(),
                                Set.of(to),
                                IpProtocol.of(protocol),
                                0,
                                0))
                        .anyMatch(packet -> PacketFilter.mayMeet(packet, conditions)));
    }
}
