package dev.promguard.host;

import dev.promguard.blueprint.Exposure;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Port;
import dev.promguard.blueprint.PortPolicy;
import dev.promguard.blueprint.Role;
import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The ports of a host's own services that others reach as long as its firewall is not closed, and which of them would be closed with it.
 * Nothing is read of a host whose firewall is closed.
 */
public final class ServedPorts implements Resource {
    static final ServedPorts RESOURCE = new ServedPorts();
    /** What is asked of a host about them. */
    public static final ResourceFacts<ServedPortsFact> FACTS =
            ResourceFacts.of("served-ports", ServedPortsFact.class, ServedPortsFact.NONE, Reader::new);

    private static final Pattern PROTOCOL = Pattern.compile("tcp|udp");
    private static final Pattern ADDRESS = Pattern.compile("[^\\p{Cntrl} /]{1,80}");
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9.+-]{0,30}");
    private static final Pattern FAMILY = Pattern.compile("[46]");
    private static final Pattern PROGRAM = Pattern.compile(".{1,80}");
    private static final Pattern MANAGER = Pattern.compile("[a-z0-9-]{1,40}\\.service");
    private static final int LONGEST_PROGRAM = 40;
    private static final int MOST_LISTED = 12;

    /** Ports that ufw itself opens on every host: leases from DHCP servers. */
    private static final Set<Port> OPENED_BY_UFW = Set.of(new Port(68, Protocol.UDP), new Port(546, Protocol.UDP));

    /** Ports at which it admits what comes by multicast, which is all that programs for it want: names and services of a link. */
    private static final Set<Port> OPENED_TO_MULTICAST =
            Set.of(new Port(1900, Protocol.UDP), new Port(5353, Protocol.UDP));

    private static final String RESOLVER = "systemd-resolved?";
    private static final Pattern MULTICAST =
            Pattern.compile("avahi-daemon|minissdpd|chrome|chromium|firefox.*|" + RESOLVER);

    /** The programs of the mesh, and what the kernel keeps of longer names. */
    private static final Set<String> OWN_PROGRAMS = Set.of("node_exporter", "prometheus", "systemd-socket-");

    /** It answers for the name of its own host on the link, which nobody set up: it is named, and needs no consent. */
    private static final Pattern NAMES_BY_MULTICAST = Pattern.compile(RESOLVER);

    private static final Pattern DENIED_OUTPUT = Pattern.compile("-A ufw6?-user-output .*-j (DROP|REJECT)( .*)?");

    private static final int LLMNR = 5355;

    private ServedPorts() {}

    /**
     * A socket that takes packets from others.
     *
     * @param port its port
     * @param address the local address as {@code ss} shows it, such as {@code 10.0.0.5}, {@code [::]} or {@code *}
     * @param program the name of the program, or of the socket's unit
     */
    public record Socket(Port port, String address, String program) {
        /**
         * Checks that all are there.
         *
         * @throws NullPointerException if one is null
         */
        public Socket {
            Objects.requireNonNull(port, "port");
            Objects.requireNonNull(address, "address");
            Objects.requireNonNull(program, "program");
        }
    }

    /**
     * What takes packets of a protocol without ports, such as that of a tunnel or of a router.
     *
     * @param number the protocol's number, such as 47
     * @param protocol its name on the host, such as {@code gre}; the number where it has none
     * @param family 4 or 6
     * @param program the name of the program, or of the tunnel's interface
     */
    public record Receiver(int number, String protocol, int family, String program) {
        /**
         * Checks that all are there.
         *
         * @throws NullPointerException if one is null
         */
        public Receiver {
            Objects.requireNonNull(protocol, "protocol");
            Objects.requireNonNull(program, "program");
        }
    }

    /**
     * What serves on a host whose firewall is not closed.
     *
     * @param sockets the sockets, without those of clients
     * @param receivers what takes packets of protocols without ports
     * @param managers the units of other firewalls that are enabled or run while ufw is not
     * @param forwards whether the host forwards packets for others while ufw is not enabled
     * @param reachesLoopback whether packets from outside may be sent on to the loopback interface
     */
    public record ServedPortsFact(
            List<Socket> sockets,
            List<Receiver> receivers,
            List<String> managers,
            boolean forwards,
            boolean reachesLoopback) {
        /** Nothing serves, or the firewall is closed. */
        public static final ServedPortsFact NONE = new ServedPortsFact(List.of(), List.of(), List.of(), false, false);

        /**
         * Copies the collections.
         *
         * @throws NullPointerException if one is null
         */
        public ServedPortsFact {
            sockets = List.copyOf(sockets);
            receivers = List.copyOf(receivers);
            managers = List.copyOf(managers);
        }
    }

    /** Reads a line for each socket and each other firewall. */
    private static final class Reader implements ResourceFacts.Reader<ServedPortsFact> {
        private final List<Socket> sockets = new ArrayList<>();
        private final List<Receiver> receivers = new ArrayList<>();
        private final List<String> managers = new ArrayList<>();
        private boolean forwards;
        private boolean reachesLoopback;

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            switch (line.kind()) {
                case "socket" -> {
                    line.fields(4);
                    Protocol protocol = line.field(1, PROTOCOL).equals("tcp") ? Protocol.TCP : Protocol.UDP;
                    sockets.add(new Socket(
                            new Port(line.number(3), protocol),
                            line.field(2, ADDRESS),
                            Printable.line(line.field(4, PROGRAM), LONGEST_PROGRAM)));
                }
                case "protocol" -> {
                    line.fields(4);
                    receivers.add(new Receiver(
                            line.number(1),
                            line.field(2, NAME),
                            line.field(3, FAMILY).equals("4") ? 4 : 6,
                            Printable.line(line.field(4, PROGRAM), LONGEST_PROGRAM)));
                }
                case "forwards" -> forwards = true;
                case "reaches-loopback" -> reachesLoopback = true;
                case "manager" -> managers.add(line.fields(1).field(1, MANAGER));
                default -> throw line.unknown();
            }
        }

        @Override
        public ServedPortsFact facts() {
            return new ServedPortsFact(sockets, receivers, managers, forwards, reachesLoopback);
        }
    }

    /**
     * What answers now and would be closed.
     *
     * @param what the port, or a protocol without ports
     * @param port the port; empty for several, and for a protocol without ports
     * @param open the port that ufw has to admit for that; empty for a protocol without ports
     * @param protocol the protocol, if it has no ports
     * @param programs the programs that serve there, or where a rule sends it, sorted
     * @param families the families in which it would be closed, 4 and 6
     * @param agreed whether the spec agrees
     */
    record Closing(
            String what,
            Optional<Port> port,
            Optional<Port> open,
            Optional<IpProtocol> protocol,
            SortedSet<String> programs,
            Set<Integer> families,
            boolean agreed) {
        String describe() {
            return what + (families.equals(Set.of(6)) ? " over IPv6" : "") + " (" + String.join(", ", programs) + ')';
        }
    }

    /**
     * Finds other firewalls that are to manage the same rules as ufw, while ufw does not yet.
     *
     * @param facts what the host is
     * @return one problem for each
     */
    public static List<HostProblem> otherFirewalls(HostFacts facts) {
        return facts.of(FACTS).managers().stream()
                .map(unit -> new HostProblem(
                        "its firewall is managed by " + unit + ", which ufw would contend with",
                        "Have ufw admit what its rules admit, then switch it off (systemctl disable --now " + unit
                                + "), or leave the host out of the mesh."))
                .toList();
    }

    /**
     * Finds what ufw is told and does not do as long as it is off, and enabling it would do to others than those whose ports it closes.
     *
     * @param facts what the host is
     * @return one problem for each
     */
    public static List<HostProblem> dormantSettings(HostFacts facts) {
        if (facts.firewall().active()) {
            return List.of();
        }
        Ruleset ruleset = facts.of(Ruleset.FACTS);
        List<HostProblem> problems = new ArrayList<>();
        if ("yes".equalsIgnoreCase(ruleset.settings().get("MANAGE_BUILTINS"))) {
            problems.add(new HostProblem(
                    "enabling ufw would delete all rules of iptables that are not ufw's, for /etc/default/ufw says MANAGE_BUILTINS=yes",
                    "Set it to no there. Or, if that is what you want, enable ufw yourself before."));
        }
        String policy = ruleset.settings().getOrDefault("DEFAULT_OUTPUT_POLICY", "ACCEPT");
        Optional<String> outgoing = Set.of("DROP", "REJECT").contains(policy)
                ? Optional.of("DEFAULT_OUTPUT_POLICY=" + policy + " in /etc/default/ufw")
                : ruleset.lines().stream()
                        .filter(line -> line.source() == Ruleset.Source.UFW)
                        .map(Ruleset.Line::text)
                        .filter(text -> DENIED_OUTPUT.matcher(text).matches())
                        .findFirst();
        outgoing.ifPresent(by -> problems.add(new HostProblem(
                "enabling ufw would drop what the host sends, by a rule of yours that has no effect while ufw is off: "
                        + by,
                "Take the rule away (ufw status numbered, or ufw default allow outgoing). Or, if that is what you want,"
                        + " enable ufw yourself before.")));
        return List.copyOf(problems);
    }

    /**
     * Finds what enabling the firewall would close although somebody is served there, and the spec does not agree.
     *
     * @param desired what the host should be
     * @param facts what it is
     * @return one problem that names every such port; empty if there is none
     */
    public static Optional<HostProblem> problem(DesiredHost desired, HostFacts facts) {
        List<Closing> closings = closings(desired, facts).stream()
                .filter(closing -> !closing.agreed())
                .toList();
        if (closings.isEmpty()) {
            return Optional.empty();
        }
        List<Closing> ports = closings.stream()
                .filter(closing -> closing.protocol().isEmpty())
                .toList();
        String names =
                closings.stream().limit(MOST_LISTED).map(Closing::describe).collect(Collectors.joining(", "));
        int more = closings.size() - MOST_LISTED;
        return Optional.of(new HostProblem(
                (ports.size() < closings.size() ? "" : ports.size() == 1 ? "port " : "ports ")
                        + names
                        + (more > 0 ? " and " + more + " more" : "")
                        + (closings.size() == 1 ? " answers" : " answer") + " now and would be closed",
                remedy(desired, facts.of(Ruleset.FACTS).ufwDropsIpv6(), closings)));
    }

    private static String remedy(DesiredHost desired, boolean withoutIpv6, List<Closing> closings) {
        List<String> sentences = new ArrayList<>();
        if (withoutIpv6
                && closings.stream().anyMatch(closing -> closing.families().contains(6))) {
            sentences.add(
                    "Over IPv6 ufw closes everything as long as /etc/default/ufw says IPV6=no: set it to yes there.");
        }
        List<Closing> refused = closings.stream()
                .filter(closing -> !withoutIpv6 || closing.families().contains(4))
                .toList();
        refused.stream()
                .flatMap(closing -> closing.open().stream().map(open -> keep(desired, closing, open)))
                .findFirst()
                .ifPresent(sentences::add);
        if (sentences.isEmpty()
                || refused.stream().allMatch(closing -> closing.open().isEmpty())) {
            sentences.add((sentences.isEmpty() ? "Agree" : "Or agree") + " with closeOtherPorts(true) on the host.");
        }
        refused.stream()
                .flatMap(closing -> closing.protocol().stream())
                .findFirst()
                .ifPresent(protocol -> sentences.add("To keep " + protocol
                        + ", have ufw accept it: -A ufw-before-input -p " + protocol.number()
                        + " -j ACCEPT in /etc/ufw/before.rules, before COMMIT (before6.rules for IPv6)."));
        return String.join(" ", sentences);
    }

    /** How to keep a port open, or to agree that it is closed. */
    private static String keep(DesiredHost desired, Closing closing, Port open) {
        String words = words(open);
        String keep = isKept(open, desired)
                ? "The mesh keeps port " + open.number() + " for its monitors: choose another for it in the spec"
                : "On the host, keep "
                        + (closing.port().equals(Optional.of(open)) ? "a port" : closing.what()) + " open with allow"
                        + words;
        return keep + ", or agree with "
                + closing.port()
                        .map(port -> "close" + words(port) + " or, for all, with ")
                        .orElse("")
                + "closeOtherPorts(true)."
                + (spec(desired).openPorts().contains(open.number())
                        ? " openPorts(…) only declares a port, and no rule of yours admits this one."
                        : "");
    }

    private static String words(Port port) {
        return "(" + port.number() + ", Protocol." + port.protocol() + ')';
    }

    private static HostSpec spec(DesiredHost desired) {
        return desired.blueprint().host(desired.name()).spec();
    }

    /** What answers now and enabling the firewall would close: ports, sorted, then those that rules send on, then protocols without ports. */
    static List<Closing> closings(DesiredHost desired, HostFacts facts) {
        ServedPortsFact served = facts.of(FACTS);
        if (facts.firewall().active() && facts.firewall().denyIncoming()) {
            return List.of();
        }
        boolean hostHasIpv6 = facts.addresses().stream().anyMatch(address -> address.indexOf(':') >= 0);
        PacketFilter filter = new PacketFilter(facts.of(Ruleset.FACTS));
        SortedMap<Port, SortedSet<String>> programs = new TreeMap<>();
        Map<Port, Set<Integer>> families = new HashMap<>();
        for (Socket socket : served.sockets()) {
            if (!isOfNobodyElse(socket, desired)) {
                for (int family : families(socket.address(), hostHasIpv6)) {
                    if (closes(filter, packet(socket, family, desired), desired, facts)) {
                        programs.computeIfAbsent(socket.port(), port -> new TreeSet<>())
                                .add(socket.program());
                        families.computeIfAbsent(socket.port(), port -> new HashSet<>())
                                .add(family);
                    }
                }
            }
        }
        HostSpec spec = spec(desired);
        List<Closing> closings = new ArrayList<>();
        programs.forEach((port, names) -> closings.add(new Closing(
                port.toString(),
                Optional.of(port),
                Optional.of(port),
                Optional.empty(),
                names,
                Objects.requireNonNull(families.get(port)),
                isAgreed(spec, port, names))));
        closings.addAll(sentOn(desired, facts, filter));
        closings.addAll(withoutPorts(desired, facts, filter));
        return List.copyOf(closings);
    }

    private static boolean closes(PacketFilter filter, Packet packet, DesiredHost desired, HostFacts facts) {
        boolean admitted = !(packet.family() == 6 && facts.of(Ruleset.FACTS).ufwDropsIpv6())
                && desired.firewall().stream()
                        .anyMatch(rule ->
                                packet.protocol().isNamed(rule.protocol().id())
                                        && rule.admitsEverybodyTo(new Port(packet.toPort(), rule.protocol())));
        return !admitted && filter.closesOnceOn(packet);
    }

    /** Ports that a rule sends to another of the host's own: ufw judges the packets by that one. */
    private static List<Closing> sentOn(DesiredHost desired, HostFacts facts, PacketFilter filter) {
        List<Closing> closings = new ArrayList<>();
        for (MeshTraffic.Published rule : MeshTraffic.of(desired, facts).published()) {
            rule.local()
                    .flatMap(to -> served(to, rule, facts).map(socket -> {
                        int family = socket.address().contains(":") ? 6 : 4;
                        Optional<Port> port =
                                rule.ports().size() == 1 && rule.ports().get(0).matches("[0-9]{1,5}")
                                        ? Optional.of(new Port(
                                                Integer.parseInt(rule.ports().get(0)),
                                                socket.port().protocol()))
                                        : Optional.empty();
                        return new Closing(
                                rule.which(),
                                port,
                                Optional.of(socket.port()),
                                Optional.empty(),
                                new TreeSet<>(Set.of("sent to " + to)),
                                closes(filter, packet(socket, family, desired), desired, facts)
                                        ? Set.of(family)
                                        : Set.of(),
                                port.map(spec(desired).ports()::mayClose)
                                        .orElse(spec(desired).ports().closesOthers()));
                    }))
                    .filter(closing -> !closing.families().isEmpty())
                    .filter(closing ->
                            closings.stream().noneMatch(other -> other.what().equals(closing.what())))
                    .ifPresent(closings::add);
        }
        return closings;
    }

    /** The socket that a rule sends packets to; empty if nothing listens there, or what is sent to loopback does not arrive. */
    private static Optional<Socket> served(MeshTraffic.Local to, MeshTraffic.Published rule, HostFacts facts) {
        String at = to.address().orElse(rule.rule().tool().startsWith("ip6") ? "::" : "0.0.0.0");
        boolean loopback = at.startsWith("127.") || at.equals("::1");
        if (loopback && !facts.of(FACTS).reachesLoopback()) {
            return Optional.empty();
        }
        List<Integer> numbers = to.port() > 0
                ? List.of(to.port())
                : rule.ports().stream()
                        .filter(port -> port.matches("[0-9]{1,5}"))
                        .map(Integer::valueOf)
                        .toList();
        return facts.listening().stream()
                .filter(socket -> numbers.contains(socket.port()))
                .filter(socket -> rule.protocol()
                        .filter(only -> !only.id().equals(socket.protocol()))
                        .isEmpty())
                .filter(socket -> isAny(plain(socket.address()))
                        || plain(socket.address()).equals(at)
                        || isAny(at))
                .map(socket -> new Socket(
                        new Port(socket.port(), socket.protocol().equals("tcp") ? Protocol.TCP : Protocol.UDP), at, ""))
                .findFirst();
    }

    /** Protocols without ports, whose packets ufw drops but for what its own files say of them. */
    private static List<Closing> withoutPorts(DesiredHost desired, HostFacts facts, PacketFilter filter) {
        SortedMap<Integer, SortedSet<String>> programs = new TreeMap<>();
        Map<Integer, Set<Integer>> families = new HashMap<>();
        Map<Integer, IpProtocol> protocols = new HashMap<>();
        for (Receiver receiver : facts.of(FACTS).receivers()) {
            IpProtocol protocol = new IpProtocol(receiver.number(), receiver.protocol());
            Packet packet = packet(protocol, receiver.family(), Set.of(), 0, desired);
            if (!filter.admitsByName(packet) && filter.closesOnceOn(packet)) {
                protocols.put(receiver.number(), protocol);
                programs.computeIfAbsent(receiver.number(), number -> new TreeSet<>())
                        .add(receiver.program());
                families.computeIfAbsent(receiver.number(), number -> new HashSet<>())
                        .add(receiver.family());
            }
        }
        List<Closing> closings = new ArrayList<>();
        programs.forEach((number, names) -> closings.add(new Closing(
                Objects.requireNonNull(protocols.get(number)).toString(),
                Optional.empty(),
                Optional.empty(),
                Optional.ofNullable(protocols.get(number)),
                names,
                Objects.requireNonNull(families.get(number)),
                spec(desired).ports().closesOthers())));
        return closings;
    }

    /** What loopback and the mesh's own address get, what ufw opens itself, and the ports of the mesh's own programs. */
    private static boolean isOfNobodyElse(Socket socket, DesiredHost desired) {
        String address = plain(socket.address());
        String own = desired.wireGuard().address().replaceAll("/.*", "");
        int port = socket.port().number();
        // On an address of its own, whose program is in nobody's way, somebody is served there.
        boolean ofTheMesh = isOfTheMesh(socket.port(), desired)
                && (isAny(address) || OWN_PROGRAMS.contains(socket.program()) || isExporter(socket, desired));
        return ofTheMesh
                || (OPENED_TO_MULTICAST.contains(socket.port())
                        && MULTICAST.matcher(socket.program()).matches())
                || address.startsWith("127.")
                || address.startsWith("::ffff:127.")
                || address.equals("::1")
                || socket.address().endsWith("%lo")
                || address.equals(own)
                || OPENED_BY_UFW.contains(socket.port())
                || (port == desired.wireGuard().listenPort() && socket.port().protocol() == Protocol.UDP);
    }

    /** Whether the host has the port for a program of the mesh. */
    private static boolean isOfTheMesh(Port port, DesiredHost desired) {
        return port.protocol() == Protocol.TCP
                && (port.number() == desired.blueprint().spec().nodeExporterPort()
                        || (desired.blueprint().host(desired.name()).role() == Role.MONITOR
                                && port.number()
                                        == desired.blueprint()
                                                .spec()
                                                .prometheus()
                                                .port())
                        || spec(desired).exporters().stream().anyMatch(exporter -> exporter.port() == port.number()));
    }

    /** Whether only monitors may reach the port, on this host or on others: the spec cannot allow it to everybody. */
    private static boolean isKept(Port port, DesiredHost desired) {
        MeshSpec whole = desired.blueprint().spec();
        return port.protocol() == Protocol.TCP
                && (port.number() == whole.nodeExporterPort()
                        || port.number() == whole.prometheus().port()
                        || spec(desired).exposures().stream().anyMatch(exposed -> exposed.port() == port.number()));
    }

    private static boolean isExporter(Socket socket, DesiredHost desired) {
        return spec(desired).exporters().stream()
                .anyMatch(exporter -> exporter.port() == socket.port().number()
                        && exporter.name().startsWith(socket.program()));
    }

    private static boolean isAny(String address) {
        return address.startsWith("*") || address.equals("0.0.0.0") || address.equals("::");
    }

    /** A service that is exposed to the monitors is denied to everybody else. */
    private static boolean isAgreed(HostSpec spec, Port port, Set<String> programs) {
        PortPolicy policy = spec.ports();
        return policy.mayClose(port)
                || (port.number() == LLMNR && programs.stream().allMatch(NAMES_BY_MULTICAST.asMatchPredicate()))
                || (port.protocol() == Protocol.TCP
                        && spec.services().stream().map(Exposure::port).anyMatch(exposed -> exposed == port.number()));
    }

    private static List<Integer> families(String address, boolean hostHasIpv6) {
        if (address.startsWith("*")) {
            return hostHasIpv6 ? List.of(4, 6) : List.of(4);
        }
        return List.of(address.startsWith("[") && !plain(address).startsWith("::ffff:") ? 6 : 4);
    }

    private static String plain(String address) {
        return address.replaceAll("[\\[\\]]|%.*", "");
    }

    /** The first packet of a connection to a socket from another machine. */
    private static Packet packet(Socket socket, int family, DesiredHost desired) {
        IPAddress to = new IPAddressString(plain(socket.address()).replaceFirst("^::ffff:", "")).getAddress();
        return packet(
                IpProtocol.of(socket.port().protocol()),
                family,
                to == null || to.isMultiple() || to.isZero() ? Set.of() : Set.of(to),
                socket.port().number(),
                desired);
    }

    private static Packet packet(IpProtocol protocol, int family, Set<IPAddress> to, int port, DesiredHost desired) {
        return new Packet(true, family, true, Set.of(), desired.wireGuard().name(), Set.of(), to, protocol, 0, port);
    }

    @Override
    public String id() {
        return FACTS.id();
    }

    @Override
    public String shellFile() {
        return "ports.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.resource(FACTS);
    }
}
