package dev.promguard.host;

import dev.promguard.blueprint.Exposure;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.HostSpec;
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
    private static final Pattern PROGRAM = Pattern.compile(".{1,80}");
    private static final Pattern MANAGER = Pattern.compile("[a-z0-9-]{1,40}\\.service");
    private static final int LONGEST_PROGRAM = 40;
    private static final int MOST_LISTED = 12;

    /** Ports that ufw itself opens on every host: leases from DHCP servers. */
    private static final Set<Port> OPENED_BY_UFW = Set.of(new Port(68, Protocol.UDP), new Port(546, Protocol.UDP));

    /** Ports at which it admits what comes by multicast, which is all that programs for it want: names and services of a link. */
    private static final Set<Port> OPENED_TO_MULTICAST =
            Set.of(new Port(1900, Protocol.UDP), new Port(5353, Protocol.UDP));

    private static final Pattern MULTICAST =
            Pattern.compile("avahi-daemon|systemd-resolved?|minissdpd|chrome|chromium|firefox.*");

    /** The programs of the mesh, and what the kernel keeps of longer names. */
    private static final Set<String> OWN_PROGRAMS = Set.of("node_exporter", "prometheus", "systemd-socket-");

    /** It answers for the name of its own host on the link, which nobody set up: it is named, and needs no consent. */
    private static final Pattern NAMES_BY_MULTICAST = Pattern.compile("systemd-resolved?");

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
     * What serves on a host whose firewall is not closed.
     *
     * @param sockets the sockets, without those of clients
     * @param managers the units of other firewalls that are enabled or run while ufw is not
     * @param forwards whether the host forwards packets for others while ufw is not enabled
     */
    public record ServedPortsFact(List<Socket> sockets, List<String> managers, boolean forwards) {
        /** Nothing serves, or the firewall is closed. */
        public static final ServedPortsFact NONE = new ServedPortsFact(List.of(), List.of(), false);

        /**
         * Copies the collections.
         *
         * @throws NullPointerException if one is null
         */
        public ServedPortsFact {
            sockets = List.copyOf(sockets);
            managers = List.copyOf(managers);
        }
    }

    /** Reads a line for each socket and each other firewall. */
    private static final class Reader implements ResourceFacts.Reader<ServedPortsFact> {
        private final List<Socket> sockets = new ArrayList<>();
        private final List<String> managers = new ArrayList<>();
        private boolean forwards;

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
                case "forwards" -> forwards = true;
                case "manager" -> managers.add(line.fields(1).field(1, MANAGER));
                default -> throw line.unknown();
            }
        }

        @Override
        public ServedPortsFact facts() {
            return new ServedPortsFact(sockets, managers, forwards);
        }
    }

    /**
     * A port that answers now and would be closed.
     *
     * @param port the port
     * @param programs the programs that serve there, sorted
     * @param families the families in which it would be closed, 4 and 6
     * @param agreed whether the spec agrees
     */
    record Closing(Port port, SortedSet<String> programs, Set<Integer> families, boolean agreed) {
        String describe() {
            return port + (families.equals(Set.of(6)) ? " over IPv6" : "") + " (" + String.join(", ", programs) + ')';
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
        boolean one = closings.size() == 1;
        String names =
                closings.stream().limit(MOST_LISTED).map(Closing::describe).collect(Collectors.joining(", "));
        int more = closings.size() - MOST_LISTED;
        return Optional.of(new HostProblem(
                (one ? "port " : "ports ") + names + (more > 0 ? " and " + more + " more" : "")
                        + (one ? " answers" : " answer") + " now and would be closed",
                remedy(desired, facts.of(Ruleset.FACTS).ufwDropsIpv6(), closings)));
    }

    private static String remedy(DesiredHost desired, boolean withoutIpv6, List<Closing> closings) {
        List<String> sentences = new ArrayList<>();
        Optional<Closing> refused = closings.stream()
                .filter(closing -> !withoutIpv6 || closing.families().contains(4))
                .findFirst();
        if (withoutIpv6
                && closings.stream().anyMatch(closing -> closing.families().contains(6))) {
            sentences.add(
                    "Over IPv6 ufw closes everything as long as /etc/default/ufw says IPV6=no: set it to yes there.");
        }
        refused.map(Closing::port).ifPresent(port -> {
            String words = "(" + port.number() + ", Protocol." + port.protocol() + ')';
            String keep = port.protocol() == Protocol.TCP
                            && (port.number() == desired.blueprint().spec().nodeExporterPort()
                                    || port.number()
                                            == desired.blueprint()
                                                    .spec()
                                                    .prometheus()
                                                    .port())
                    ? "The mesh keeps port " + port.number() + " for its monitors: choose another for it in the spec"
                    : "On the host, keep a port open with allow" + words;
            sentences.add(keep + ", or agree with close" + words + " or, for all, with closeOtherPorts(true).");
            if (spec(desired).openPorts().contains(port.number())) {
                sentences.add("openPorts(…) only declares a port, and no rule of yours admits this one.");
            }
        });
        if (refused.isEmpty()) {
            sentences.add("Or agree with closeOtherPorts(true) on the host.");
        }
        return String.join(" ", sentences);
    }

    private static HostSpec spec(DesiredHost desired) {
        return desired.blueprint().host(desired.name()).spec();
    }

    /** The ports that answer now and that enabling the firewall would close, sorted. */
    static List<Closing> closings(DesiredHost desired, HostFacts facts) {
        ServedPortsFact served = facts.of(FACTS);
        if (facts.firewall().active() && facts.firewall().denyIncoming()) {
            return List.of();
        }
        boolean hostHasIpv6 = facts.addresses().stream().anyMatch(address -> address.indexOf(':') >= 0);
        Ruleset ruleset = facts.of(Ruleset.FACTS);
        PacketFilter filter = new PacketFilter(ruleset);
        SortedMap<Port, SortedSet<String>> programs = new TreeMap<>();
        Map<Port, Set<Integer>> families = new HashMap<>();
        for (Socket socket : served.sockets()) {
            if (!isOfNobodyElse(socket, desired)) {
                for (int family : families(socket.address(), hostHasIpv6)) {
                    boolean admitted = !(family == 6 && ruleset.ufwDropsIpv6())
                            && desired.firewall().stream().anyMatch(rule -> rule.admitsEverybodyTo(socket.port()));
                    if (!admitted && filter.closesOnceOn(packet(socket, family, desired))) {
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
        programs.forEach((port, names) -> closings.add(
                new Closing(port, names, Objects.requireNonNull(families.get(port)), isAgreed(spec, port, names))));
        return List.copyOf(closings);
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
        return new Packet(
                true,
                family,
                true,
                Set.of(),
                desired.wireGuard().name(),
                Set.of(),
                to == null || to.isMultiple() || to.isZero() ? Set.of() : Set.of(to),
                socket.port().protocol(),
                0,
                socket.port().number());
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
