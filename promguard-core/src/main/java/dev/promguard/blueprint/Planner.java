package dev.promguard.blueprint;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.FirewallRule.Protocol;
import inet.ipaddr.AddressStringException;
import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Turns a spec into a blueprint. A pure function: no clock, no I/O, no randomness. */
public final class Planner {
    private Planner() {}

    /**
     * Makes every decision. Hosts that hold an address keep it; the others get the lowest free ones, monitors first, in the
     * order of the spec.
     *
     * @param spec the spec, without {@link #problems}
     * @param held addresses that hosts hold already, by host name; also of hosts that are no longer in the spec, whose addresses
     *     are not given to others. Of two with the same address the first keeps it
     * @return the blueprint
     * @throws InvalidSettingException if the spec has problems, or the network has no address left
     */
    public static Blueprint plan(MeshSpec spec, Map<String, String> held) {
        return plan(spec, held, Map.of(), viewer -> false);
    }

    /**
     * Makes every decision where the access of viewers may have ended. Hosts have addresses from the lower end of the network
     * and viewers from the upper, so that neither takes those of the other. A viewer keeps the address that it holds.
     *
     * @param spec the spec, without {@link #problems}
     * @param held addresses that hosts hold already, as in {@link #plan(MeshSpec, Map)}
     * @param heldByViewers addresses that viewers hold already, by name; a host's address goes first
     * @param ended whether the access of a viewer has ended
     * @return the blueprint
     * @throws InvalidSettingException if the spec has problems, or the network has no address left
     */
    public static Blueprint plan(
            MeshSpec spec, Map<String, String> held, Map<String, String> heldByViewers, Predicate<ViewerSpec> ended) {
        List<String> problems = problems(spec);
        if (!problems.isEmpty()) {
            throw new InvalidSettingException(String.join("; ", problems));
        }
        IPAddress network = parseNetwork(spec.network());
        List<HostSpec> ordered = new ArrayList<>();
        spec.hosts().stream().filter(host -> host.role() == Role.MONITOR).forEach(ordered::add);
        spec.hosts().stream().filter(host -> host.role() == Role.NODE).forEach(ordered::add);

        Map<String, String> addresses = new LinkedHashMap<>();
        Set<IPAddress> taken = new HashSet<>();
        held.forEach((name, address) -> {
            IPAddress parsed = parseAddress(address);
            if (usable(network, parsed) && taken.add(parsed)) {
                addresses.put(name, parsed.toCanonicalString());
            }
        });
        Map<String, IPAddress> ofViewers = new LinkedHashMap<>();
        for (ViewerSpec viewer : spec.viewers()) {
            Optional.ofNullable(heldByViewers.get(viewer.name()))
                    .map(Planner::parseAddress)
                    .filter(address -> usable(network, address) && taken.add(address))
                    .ifPresent(address -> ofViewers.put(viewer.name(), address));
        }
        IPAddress next = network.getLower().withoutPrefixLength().increment(1);
        for (HostSpec host : ordered) {
            if (addresses.containsKey(host.name())) {
                continue;
            }
            while (taken.contains(next)) {
                next = next.increment(1);
            }
            if (!usable(network, next)) {
                throw new InvalidSettingException("network " + spec.network() + " has no address left for "
                        + host.name() + ": addresses that other hosts held stay theirs; choose a larger network");
            }
            taken.add(next);
            addresses.put(host.name(), next.toCanonicalString());
        }

        List<Blueprint.Viewer> viewers = viewers(spec, network, taken, ofViewers).stream()
                .filter(viewer -> !ended.test(viewer.spec()))
                .toList();

        int prefix = prefixLength(network);
        List<HostSpec> monitors =
                ordered.stream().filter(host -> host.role() == Role.MONITOR).toList();
        List<Blueprint.Host> hosts = new ArrayList<>();
        for (HostSpec host : ordered) {
            String address = address(addresses, host.name());
            List<String> peers = (host.role() == Role.MONITOR ? ordered : monitors)
                    .stream()
                            .map(HostSpec::name)
                            .filter(name -> !name.equals(host.name()))
                            .toList();
            List<FirewallRule> rules = firewall(spec, host, monitors, addresses);
            if (host.role() == Role.MONITOR) {
                viewers.forEach(viewer -> rules.add(admitting(spec, viewer, address)));
            }
            hosts.add(new Blueprint.Host(host, address, prefix, peers, rules));
        }
        return new Blueprint(spec, hosts, viewers);
    }

    /** Every viewer with the address that it holds, or the highest that is free. */
    private static List<Blueprint.Viewer> viewers(
            MeshSpec spec, IPAddress network, Set<IPAddress> taken, Map<String, IPAddress> held) {
        List<Blueprint.Viewer> viewers = new ArrayList<>();
        IPAddress next = network.getUpper().withoutPrefixLength();
        for (ViewerSpec viewer : spec.viewers()) {
            IPAddress address = held.get(viewer.name());
            if (address == null) {
                while (network.contains(next) && (taken.contains(next) || !usable(network, next))) {
                    next = next.increment(-1);
                }
                if (!usable(network, next)) {
                    throw new InvalidSettingException("network " + spec.network() + " has no address left for viewer "
                            + viewer.name() + ": addresses that other hosts held stay theirs; choose a larger network");
                }
                taken.add(next);
                address = next;
            }
            viewers.add(new Blueprint.Viewer(viewer, address.toCanonicalString()));
        }
        return List.copyOf(viewers);
    }

    /**
     * Checks a whole spec: every value by the rules of {@link ValueChecks} and {@link PrometheusChecks}, and what only the whole can
     * tell.
     *
     * @param spec the spec
     * @return the problems, each with the field, the value and what is allowed; empty if there is none
     */
    public static List<String> problems(MeshSpec spec) {
        List<String> problems = new ArrayList<>();
        problems.addAll(ValueChecks.meshName(spec.name()));
        hostProblems(spec, problems);
        viewerProblems(spec, problems);
        networkProblems(spec, problems);
        problems.addAll(ValueChecks.interfaceName(spec.wireGuard().interfaceName()));
        mtuProblems(spec, problems);
        endpointProblems(spec, problems);
        portProblems(spec, problems);
        problems.addAll(Exporting.problems(spec));
        problems.addAll(PrometheusProblems.of(spec.prometheus()));
        problems.addAll(ValueChecks.release("nodeExporter release", spec.nodeExporter(), "node_exporter"));
        return List.copyOf(problems);
    }

    /**
     * Finds those of a host's own networks that the mesh's network overlaps, so that one of the two would be cut off.
     *
     * @param spec the spec
     * @param networks addresses with prefix length, as {@code ip address} shows them; malformed ones are passed over
     * @return the networks in conflict
     */
    public static List<String> overlaps(MeshSpec spec, List<String> networks) {
        IPAddress mesh = parseNetwork(spec.network());
        List<String> found = new ArrayList<>();
        for (String text : networks) {
            IPAddress other = new IPAddressString(text).getAddress();
            if (other != null && other.getIPVersion() == mesh.getIPVersion()) {
                IPAddress block = other.toPrefixBlock();
                if (block.contains(mesh) || mesh.contains(block)) {
                    found.add(text);
                }
            }
        }
        return List.copyOf(found);
    }

    /**
     * Whether a host can have an address in the mesh's network.
     *
     * @param spec the spec, without {@link #problems}
     * @param address an IPv4 or IPv6 address
     * @return true if it is one of the network's, and not reserved there
     * @throws InvalidSettingException if it is no address
     */
    public static boolean isUsable(MeshSpec spec, String address) {
        return usable(parseNetwork(spec.network()), parseAddress(address));
    }

    private static void hostProblems(MeshSpec spec, List<String> problems) {
        if (spec.hosts().stream().noneMatch(host -> host.role() == Role.MONITOR)) {
            problems.add("the mesh has no monitor: give it at least one, such as .monitor(\"tor1\")");
        }
        Set<String> names = new HashSet<>();
        for (HostSpec host : spec.hosts()) {
            List<String> found = ValueChecks.hostName(host.role(), host.name());
            if (found.isEmpty()) {
                if (!names.add(host.name())) {
                    problems.add(host.role().id() + " name " + Names.quote(host.name())
                            + " is used by another host too: give each host a name of its own");
                }
            } else if (Names.isMesh(spec.name()) || !host.name().startsWith(spec.name() + '-')) {
                problems.addAll(found);
            }
        }
        words("region", HostSpec::region, spec.hosts(), problems);
        words("size", HostSpec::size, spec.hosts(), problems);
        words("image", HostSpec::image, spec.hosts(), problems);
    }

    private static void viewerProblems(MeshSpec spec, List<String> problems) {
        Set<String> hosts = spec.hosts().stream().map(HostSpec::name).collect(Collectors.toSet());
        Map<String, String> names = new LinkedHashMap<>();
        Map<String, String> keys = new LinkedHashMap<>();
        for (ViewerSpec viewer : spec.viewers()) {
            String quoted = "viewer name " + Names.quote(viewer.name());
            List<String> found = ValueChecks.viewerName(viewer.name());
            problems.addAll(found);
            if (hosts.contains(viewer.name())) {
                problems.add(quoted + " is also a host's: give the viewer a name of its own");
            } else if (names.put(viewer.name(), viewer.name()) != null) {
                problems.add(quoted + " is used by another viewer too: give each viewer a name of its own");
            }
            String other = keys.putIfAbsent(viewer.publicKey(), viewer.name());
            if (other != null) {
                problems.add("viewers " + Names.quote(other) + " and " + Names.quote(viewer.name())
                        + " have the same public key: generate a key pair for each machine");
            }
        }
    }

    /** Names each bad word once, however many hosts have it. */
    private static void words(
            String field, Function<HostSpec, String> word, List<HostSpec> hosts, List<String> problems) {
        Map<String, List<HostSpec>> bad = new LinkedHashMap<>();
        hosts.stream()
                .filter(host -> !Names.isWord(word.apply(host)))
                .forEach(host -> bad.computeIfAbsent(word.apply(host), value -> new ArrayList<>())
                        .add(host));
        bad.forEach((value, of) -> {
            int others = of.size() - 1;
            problems.addAll(ValueChecks.word(
                    field,
                    value,
                    " of " + of.get(0).role().id() + " "
                            + Names.quote(of.get(0).name())
                            + (others == 0 ? "" : others == 1 ? " and 1 other" : " and " + others + " others")));
        });
    }

    /** Two hosts of a tunnel of which neither can send the other a first packet never meet. */
    private static void endpointProblems(MeshSpec spec, List<String> problems) {
        for (HostSpec monitor : spec.hosts()) {
            if (monitor.role() != Role.MONITOR || monitor.endpoint().isReachable()) {
                continue;
            }
            spec.hosts().stream()
                    .filter(host -> !host.equals(monitor) && !host.endpoint().isReachable())
                    .filter(host -> host.role() == Role.NODE || host.name().compareTo(monitor.name()) > 0)
                    .forEach(host -> problems.add(host.role().id() + ' ' + Names.quote(host.name()) + " and monitor "
                            + Names.quote(monitor.name())
                            + " are both behind NAT, so that neither can reach the other: forward a UDP port to one of them and name it"
                            + " with endpoint(ADDRESS, PORT)"));
        }
    }

    private static void networkProblems(MeshSpec spec, List<String> problems) {
        String text = spec.network();
        List<String> found = ValueChecks.network(text);
        if (!found.isEmpty()) {
            problems.addAll(found);
            return;
        }
        IPAddress network = parseNetwork(text);
        BigInteger room = network.getCount().subtract(BigInteger.valueOf(network.isIPv4() ? 2 : 1));
        int viewers = spec.viewers().size();
        if (room.compareTo(BigInteger.valueOf(spec.hosts().size() + viewers)) < 0) {
            problems.add("network " + Names.quote(text) + " is too small: it has addresses for "
                    + room.max(BigInteger.ZERO)
                    + " hosts, and the mesh has " + spec.hosts().size()
                    + (viewers == 0 ? "" : " and " + Names.counted(viewers, "viewer"))
                    + "; choose a shorter prefix, such as "
                    + (network.isIPv4() ? "/24" : "/64"));
        }
    }

    private static void mtuProblems(MeshSpec spec, List<String> problems) {
        boolean ipv6 = spec.network().contains(":");
        mtuProblems(spec.wireGuard().mtu(), "", ipv6, problems);
        spec.hosts()
                .forEach(host -> mtuProblems(
                        host.endpoint().mtu(),
                        " of " + host.role().id() + ' ' + Names.quote(host.name()),
                        ipv6,
                        problems));
    }

    private static void mtuProblems(OptionalInt mtu, String of, boolean ipv6, List<String> problems) {
        if (mtu.isPresent()) {
            problems.addAll(ValueChecks.mtu(mtu.getAsInt(), of));
            if (ipv6 && mtu.getAsInt() < ValueChecks.LEAST_MTU_OF_IPV6) {
                problems.add("mtu " + mtu.getAsInt() + of + " is too small for an IPv6 network: use at least "
                        + ValueChecks.LEAST_MTU_OF_IPV6);
            }
        }
    }

    private static void portProblems(MeshSpec spec, List<String> problems) {
        problems.addAll(ValueChecks.port("wireGuardPort", spec.wireGuardPort(), ""));
        for (HostSpec host : spec.hosts()) {
            host.endpoint()
                    .listenPort()
                    .ifPresent(own -> problems.addAll(ValueChecks.port(
                            "wireGuardPort", own, " of " + host.role().id() + ' ' + Names.quote(host.name()))));
        }
        problems.addAll(ValueChecks.port("nodeExporterPort", spec.nodeExporterPort(), ""));
        problems.addAll(ValueChecks.port("prometheus port", spec.prometheus().port(), ""));
        if (spec.nodeExporterPort() == spec.prometheus().port()) {
            problems.add("nodeExporterPort and prometheus port are both "
                    + spec.prometheus().port() + ": a monitor runs both, so choose another for one of them");
        }
    }

    private static List<FirewallRule> firewall(
            MeshSpec spec, HostSpec host, List<HostSpec> monitors, Map<String, String> addresses) {
        List<FirewallRule> rules = new ArrayList<>();
        rules.add(FirewallRule.open(22, Protocol.TCP, "OpenSSH"));
        rules.add(FirewallRule.open(spec.wireGuardPort(host), Protocol.UDP, "WireGuard"));
        host.ports().allowed().stream()
                .filter(port -> rules.stream().noneMatch(rule -> rule.admitsEverybodyTo(port)))
                .map(port -> FirewallRule.open(port.number(), port.protocol(), FirewallRule.ALLOWED))
                .toList()
                .forEach(rules::add);
        for (HostSpec monitor : monitors) {
            if (!monitor.name().equals(host.name())) {
                String from = address(addresses, monitor.name());
                String to = address(addresses, host.name());
                rules.add(admitting(spec, monitor, from, to, spec.nodeExporterPort(), "node-exporter"));
                for (Exposure exposure : host.exposures()) {
                    rules.add(admitting(spec, monitor, from, to, exposure.port(), exposure.job()));
                }
            }
        }
        return rules;
    }

    private static FirewallRule admitting(
            MeshSpec spec, HostSpec monitor, String from, String to, int port, String what) {
        return new FirewallRule(
                Optional.of(spec.wireGuard().interfaceName()),
                Optional.of(from),
                Optional.of(to),
                port,
                Protocol.TCP,
                monitor.name() + " WireGuard " + what + " scraper");
    }

    private static FirewallRule admitting(MeshSpec spec, Blueprint.Viewer viewer, String to) {
        return new FirewallRule(
                Optional.of(spec.wireGuard().interfaceName()),
                Optional.of(viewer.address()),
                Optional.of(to),
                spec.prometheus().port(),
                Protocol.TCP,
                viewer.name() + " WireGuard Prometheus viewer");
    }

    private static String address(Map<String, String> addresses, String name) {
        String address = addresses.get(name);
        if (address == null) {
            throw new IllegalStateException(name + " has no address");
        }
        return address;
    }

    private static boolean usable(IPAddress network, IPAddress address) {
        return network.contains(address)
                && !address.equals(network.getLower().withoutPrefixLength())
                && (!network.isIPv4() || !address.equals(network.getUpper().withoutPrefixLength()));
    }

    private static int prefixLength(IPAddress network) {
        Integer length = network.getNetworkPrefixLength();
        if (length == null) {
            throw new InvalidSettingException("a network without prefix length");
        }
        return length;
    }

    private static IPAddress parseNetwork(String text) {
        try {
            return new IPAddressString(text).toAddress();
        } catch (AddressStringException e) {
            throw new InvalidSettingException("network " + Names.quote(text) + " is not a network", e);
        }
    }

    private static IPAddress parseAddress(String text) {
        try {
            return new IPAddressString(text).toAddress().withoutPrefixLength();
        } catch (AddressStringException e) {
            throw new InvalidSettingException("address " + Names.quote(text) + " is not an address", e);
        }
    }
}
