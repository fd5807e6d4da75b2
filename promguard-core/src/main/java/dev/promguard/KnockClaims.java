package dev.promguard;

import dev.promguard.ListenerChecks.Probe;
import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.Role;
import dev.promguard.change.HostFacts;
import dev.promguard.spi.Door;
import dev.promguard.spi.DoorAnswer;
import dev.promguard.spi.DoorAnswer.Result;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Which doors are tried from where, and what their answers say. What a host says of its own addresses and sockets decides only what is
 * tried in addition, within bounds. A pure function of the wish, the facts and the answers.
 */
final class KnockClaims {
    /** What is checked of a host from the other hosts. */
    static final String PEERS = "is closed to the other hosts, but for what the monitors scrape";

    /** Larger than any packet that a network in use carries, its jumbo frames included. */
    static final int MORE_THAN_A_PACKET = 9_001;

    private static final int MOST_ADDRESSES = 8;
    private static final int MOST_PORTS = 16;
    private static final int NEIGHBOURS = 4;
    private static final int SSH_PORT = 22;
    private static final String METRICS = "/metrics";
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F]*:[0-9a-fA-F:.]+");
    private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");

    private final Blueprint blueprint;
    private final Map<String, String> addresses;
    private final Map<String, HostFacts> facts;

    /**
     * A round of knocks.
     *
     * @param addresses the hosts' public addresses, as the provider says
     * @param facts what the hosts that could be looked at said
     */
    KnockClaims(Blueprint blueprint, Map<String, String> addresses, Map<String, HostFacts> facts) {
        this.blueprint = blueprint;
        this.addresses = Map.copyOf(addresses);
        this.facts = Map.copyOf(facts);
    }

    /** What is to be tried from here, which is outside the mesh, by host. */
    Map<String, List<Door>> fromOutside() {
        Map<String, List<Door>> doors = new LinkedHashMap<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            if (addresses.containsKey(host.name())) {
                Set<Door> of = new LinkedHashSet<>();
                for (String address : publicAddresses(host)) {
                    ports(host).forEach(port -> of.add(new Door(address, port)));
                    control(host, address).ifPresent(of::add);
                }
                doors.put(host.name(), List.copyOf(of));
            }
        }
        return doors;
    }

    /** What shows that a closed door means something: SSH at an address that no session came by. */
    private Optional<Door> control(Blueprint.Host host, String address) {
        return address.equals(addresses.get(host.name()))
                ? Optional.empty()
                : Optional.of(new Door(address, ssh(host)));
    }

    /** The port of SSH, as the firewall admits it. */
    static int ssh(Blueprint.Host host) {
        return host.firewall().stream()
                .filter(rule -> rule.protocol() == Protocol.TCP && rule.from().isEmpty())
                .map(FirewallRule::port)
                .findFirst()
                .orElse(SSH_PORT);
    }

    /** What is to be tried from a host: at its neighbours what must be closed, and from a monitor the pages that it scrapes. */
    List<Door> from(Blueprint.Host host) {
        Set<Door> doors = new LinkedHashSet<>();
        for (Blueprint.Host other : tried(host)) {
            doors.addAll(closedDoors(host, other));
        }
        for (Blueprint.Host other : blueprint.hosts()) {
            page(host, other).ifPresent(doors::add);
        }
        return List.copyOf(doors);
    }

    /** Every monitor, and the next few hosts in a ring, so that each host is tried by several and no host has to try all. */
    private Set<Blueprint.Host> tried(Blueprint.Host host) {
        List<Blueprint.Host> ring = blueprint.hosts();
        int own = ring.indexOf(host);
        Set<Blueprint.Host> tried = new LinkedHashSet<>(blueprint.monitors());
        for (int step = 1; step <= NEIGHBOURS; step++) {
            tried.add(ring.get((own + step) % ring.size()));
        }
        tried.remove(host);
        tried.removeIf(other -> !addresses.containsKey(other.name()));
        return tried;
    }

    private List<Door> closedDoors(Blueprint.Host from, Blueprint.Host to) {
        List<Door> doors = new ArrayList<>();
        Set<String> at = new LinkedHashSet<>(List.of(to.address()));
        at.addAll(publicAddresses(to));
        at.addAll(privateAddresses(to));
        for (String address : at.stream().limit(MOST_ADDRESSES).toList()) {
            ports(to).stream()
                    .filter(port -> !address.equals(to.address()) || !admits(to, from, port))
                    .forEach(port -> doors.add(new Door(address, port)));
        }
        return doors;
    }

    private static boolean admits(Blueprint.Host to, Blueprint.Host from, int port) {
        return to.firewall().stream()
                .anyMatch(rule -> rule.port() == port
                        && rule.protocol() == Protocol.TCP
                        && rule.from().equals(Optional.of(from.address())));
    }

    private Optional<Door> page(Blueprint.Host from, Blueprint.Host to) {
        int port = blueprint.spec().nodeExporterPort();
        return from.role() == Role.MONITOR
                        && !from.equals(to)
                        && addresses.containsKey(to.name())
                        && blueprint.scrapes(from, to, port)
                ? Optional.of(new Door(to.address(), port, Optional.of(METRICS)))
                : Optional.empty();
    }

    private Set<Integer> ports(Blueprint.Host host) {
        Set<Integer> ports = new LinkedHashSet<>(HostClaims.guarded(blueprint, host));
        HostFacts known = facts.get(host.name());
        if (known != null) {
            HostClaims.unadmitted(host, known).stream()
                    .filter(port -> !ports.contains(port))
                    .limit(MOST_PORTS)
                    .toList()
                    .forEach(ports::add);
        }
        return ports;
    }

    private List<String> publicAddresses(Blueprint.Host host) {
        Set<String> found = new LinkedHashSet<>(
                Optional.ofNullable(addresses.get(host.name())).stream().toList());
        own(host).stream()
                .filter(address -> !isPrivate(address))
                .map(InetAddress::getHostAddress)
                .forEach(found::add);
        return found.stream().limit(MOST_ADDRESSES).toList();
    }

    /** Those that no other host has too, as it has that of a bridge for containers: there it would find itself. */
    private List<String> privateAddresses(Blueprint.Host host) {
        Set<InetAddress> others = new LinkedHashSet<>();
        blueprint.hosts().stream().filter(other -> !other.equals(host)).forEach(other -> others.addAll(own(other)));
        return own(host).stream()
                .filter(address -> isPrivate(address) && !others.contains(address))
                .map(InetAddress::getHostAddress)
                .toList();
    }

    private List<InetAddress> own(Blueprint.Host host) {
        HostFacts known = facts.get(host.name());
        List<InetAddress> own = new ArrayList<>();
        for (String network : known == null ? List.<String>of() : known.addresses()) {
            literal(network.replaceAll("/.*", ""))
                    .filter(address -> !address.isLoopbackAddress()
                            && !address.isLinkLocalAddress()
                            && !address.isMulticastAddress()
                            && !address.isAnyLocalAddress()
                            && !address.getHostAddress().equals(host.address()))
                    .ifPresent(own::add);
        }
        return own;
    }

    private static Optional<InetAddress> literal(String address) {
        if (!IPV4.matcher(address).matches() && !IPV6.matcher(address).matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(InetAddress.getByName(address));
        } catch (UnknownHostException e) {
            return Optional.empty();
        }
    }

    private static boolean isPrivate(InetAddress address) {
        byte[] bytes = address.getAddress();
        boolean uniqueLocal = address instanceof Inet6Address && (bytes[0] & 0xfe) == 0xfc;
        boolean shared = bytes.length == 4 && (bytes[0] & 0xff) == 100 && (bytes[1] & 0xc0) == 64;
        return address.isSiteLocalAddress() || uniqueLocal || shared;
    }

    /**
     * What the doors that were tried from here say.
     *
     * @param answers those of the doors that were tried from here, by the host that they are at
     * @param inside those of the doors that were tried from the hosts, by the host that tried
     */
    List<Check> outside(Map<String, Map<Door, DoorAnswer>> answers, Map<String, Map<Door, DoorAnswer>> inside) {
        List<Check> checks = new ArrayList<>();
        answers.forEach((name, of) -> {
            Blueprint.Host host = blueprint.host(name);
            Set<String> unreached = new TreeSet<>();
            for (String address : publicAddresses(host)) {
                control(host, address)
                        .filter(door -> result(of, door) != Result.OPEN)
                        .ifPresent(door -> unreached.add(address));
            }
            for (int port : ports(host)) {
                Map<Door, DoorAnswer> tried = new LinkedHashMap<>(of);
                tried.keySet().removeIf(door -> door.port() != port || unreached.contains(door.address()));
                checks.add(closedToOutside(name, port, tried));
            }
            if (!unreached.isEmpty()) {
                checks.add(unreached(name, unreached, inside));
            }
        });
        return checks;
    }

    /** What is checked of a guarded port from here. */
    static String outsideClaim(int port) {
        return "port " + port + " is closed to the outside";
    }

    private Check closedToOutside(String name, int port, Map<Door, DoorAnswer> tried) {
        String how = "a TCP connection from here, the machine that verifies, to each public address of the host";
        boolean open = tried.values().stream().anyMatch(answer -> answer.result() == Result.OPEN);
        boolean all = tried.values().stream().noneMatch(answer -> answer.result() == Result.NOT_TRIED);
        if (!open && (tried.isEmpty() || !all)) {
            return Check.unchecked(
                    name,
                    outsideClaim(port),
                    how,
                    tried.isEmpty() ? "no address of it could be tried" : seen(tried),
                    "See what keeps this machine from making connections, and verify again.");
        }
        if (!open && !facts.containsKey(name)) {
            return Check.unchecked(
                    name,
                    outsideClaim(port),
                    how,
                    seen(tried)
                            + "; but SSH could not be used there either, so that the host may be off or out of reach from here",
                    "Bring the host back, then verify again.");
        }
        return Check.of(
                name,
                outsideClaim(port),
                how,
                seen(tried),
                !open,
                "Something answers there: find it with ss -ltnp on the host, stop it or take away the rule that admits"
                        + " it (ufw status numbered), and run apply.");
    }

    /** Addresses that are not reached from here are only noted where another host tried them. */
    private Check unreached(String name, Set<String> unreached, Map<String, Map<Door, DoorAnswer>> inside) {
        String claim = "has addresses that could not be tried from here";
        String how = "a TCP connection from here to SSH there, which is open by design";
        Set<String> untried = new TreeSet<>(unreached);
        inside.forEach((from, of) -> of.forEach((door, answer) -> {
            if (!from.equals(name)
                    && (answer.result() == Result.OPEN
                            || answer.result() == Result.REFUSED
                            || answer.result() == Result.SILENT)) {
                untried.remove(door.address());
            }
        }));
        if (untried.isEmpty()) {
            return Check.noted(
                    name,
                    claim,
                    how,
                    String.join(", ", unreached),
                    "Verify from a machine that reaches these, so that a closed door there means something; the other hosts"
                            + " tried them too.");
        }
        return Check.unchecked(
                name,
                claim,
                how,
                String.join(", ", untried) + ": no other host reached them either",
                "Verify from a machine that reaches these addresses.");
    }

    /** The probes of a host's TCP ports, from here and from the other hosts, by port. */
    Map<Integer, List<Probe>> probes(
            String host, Map<String, Map<Door, DoorAnswer>> outside, Map<String, Map<Door, DoorAnswer>> inside) {
        Map<Integer, List<Probe>> probes = new TreeMap<>();
        outside.getOrDefault(host, Map.of())
                .forEach((door, answer) -> probes.computeIfAbsent(door.port(), port -> new ArrayList<>())
                        .add(new Probe("here", door, answer.result())));
        inside.forEach((from, of) -> {
            for (Door door : closedDoors(blueprint.host(from), blueprint.host(host))) {
                if (!from.equals(host) && of.containsKey(door)) {
                    probes.computeIfAbsent(door.port(), port -> new ArrayList<>())
                            .add(new Probe(from, door, result(of, door)));
                }
            }
        });
        return probes;
    }

    private static Result result(Map<Door, DoorAnswer> answers, Door door) {
        DoorAnswer answer = answers.get(door);
        return answer == null ? Result.NOT_TRIED : answer.result();
    }

    private static boolean isShut(Result result) {
        return result != Result.OPEN && result != Result.NOT_TRIED;
    }

    private static String seen(Map<Door, DoorAnswer> tried) {
        List<String> seen = new ArrayList<>();
        tried.forEach((door, answer) -> seen.add(door + " " + answer.result().words()));
        return String.join(", ", seen);
    }

    /** What the doors that were tried from the hosts say, by the host that tried. */
    List<Check> inside(Map<String, Map<Door, DoorAnswer>> answers) {
        List<Check> checks = new ArrayList<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            closedToPeers(host, answers).ifPresent(checks::add);
            answers.forEach((name, of) -> page(blueprint.host(name), host)
                    .filter(of::containsKey)
                    .ifPresent(door -> checks.add(
                            page(name, host, door, of.getOrDefault(door, new DoorAnswer(Result.NOT_TRIED))))));
        }
        return checks;
    }

    private Optional<Check> closedToPeers(Blueprint.Host host, Map<String, Map<Door, DoorAnswer>> answers) {
        Set<String> from = new TreeSet<>();
        Map<Result, Integer> counts = new TreeMap<>();
        List<String> wrong = new ArrayList<>();
        answers.forEach((name, of) -> {
            for (Door door : closedDoors(blueprint.host(name), host)) {
                if (!name.equals(host.name()) && of.containsKey(door)) {
                    Result result = result(of, door);
                    from.add(name);
                    counts.merge(result, 1, Integer::sum);
                    if (!isShut(result)) {
                        wrong.add(door + " from " + name + ": " + result.words());
                    }
                }
            }
        });
        if (from.isEmpty()) {
            return Optional.empty();
        }
        List<String> counted = new ArrayList<>();
        counts.forEach((result, count) -> counted.add(count + " × " + result.words()));
        String how = "a TCP connection on " + String.join(", ", from) + " to each address of the host, "
                + host.address() + " among them, at port " + words(ports(host));
        String seen = wrong.isEmpty() ? String.join(", ", counted) : String.join("; ", wrong);
        if (!counts.containsKey(Result.OPEN) && counts.containsKey(Result.NOT_TRIED)) {
            return Optional.of(Check.unchecked(
                    host.name(), PEERS, how, seen, "See that perl and curl are on the host that tried."));
        }
        if (!counts.containsKey(Result.OPEN) && !facts.containsKey(host.name())) {
            return Optional.of(Check.unchecked(
                    host.name(),
                    PEERS,
                    how,
                    seen + "; but the host itself could not be observed, so that it may be off",
                    "Bring the host back, then verify again."));
        }
        return Optional.of(Check.of(
                host.name(),
                PEERS,
                how,
                seen,
                wrong.isEmpty(),
                "What is open: take away the rule that admits it (ufw status numbered, on " + host.name()
                        + ") or what listens there (ss -ltnp), and run apply. What could not be tried: see that perl and"
                        + " curl are on the host that tried."));
    }

    private static String words(Set<Integer> ports) {
        return String.join(", ", ports.stream().map(String::valueOf).toList());
    }

    /** What is checked of a page that a monitor fetches. */
    static String pageClaim(String monitor) {
        return "gives " + monitor + " a page larger than any packet, whole, over " + Blueprint.WIREGUARD_INTERFACE;
    }

    private static Check page(String monitor, Blueprint.Host host, Door door, DoorAnswer answer) {
        String how = "curl http://" + door + METRICS + " on " + monitor;
        if (answer.result() == Result.NOT_TRIED) {
            return Check.unchecked(
                    host.name(),
                    pageClaim(monitor),
                    how,
                    answer.result().words(),
                    "See that curl is on " + monitor + '.');
        }
        boolean large = answer.whole() && answer.bytes() >= MORE_THAN_A_PACKET;
        return Check.of(
                host.name(),
                pageClaim(monitor),
                how,
                answer.result() == Result.OPEN
                        ? answer.bytes() + " bytes, " + (answer.whole() ? "whole" : "and then no more")
                        : answer.result().words(),
                large,
                answer.result() != Result.OPEN
                        ? "No connection at all: see the claims about the tunnel and the exporter, and run apply."
                        : "Small packets pass and large ones may not: on " + monitor + ", ping -M do -s 1392 "
                                + host.address()
                                + " should be answered. If not, something on the way carries less than 1500 bytes and drops the"
                                + " rest: let ICMP pass there, or lower the MTU of wg0 on both hosts (ip link set mtu 1280 dev wg0).");
    }
}
