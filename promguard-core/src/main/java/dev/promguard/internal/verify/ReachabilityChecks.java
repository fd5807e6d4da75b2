package dev.promguard.internal.verify;

import dev.promguard.CheckKind;
import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.Role;
import dev.promguard.host.ForeignRules;
import dev.promguard.host.HostFacts;
import dev.promguard.host.MeshTraffic;
import dev.promguard.host.MeshTraffic.Published;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.verify.ListenerChecks.Answer;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import dev.promguard.spi.ProbeResult.Result;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Which ports are probed from where, and what the answers say. A host's own report of its addresses and sockets decides only what is
 * probed in addition, within bounds. A pure function of the spec, the facts and the answers.
 */
final class ReachabilityChecks {
    /** Larger than any packet that a network in use carries, its jumbo frames included. */
    static final int MORE_THAN_A_PACKET = 9_001;

    private static final int MOST_ADDRESSES = 8;
    private static final int MOST_PORTS = 16;
    private static final int NEIGHBOURS = 4;
    private static final String METRICS = "/metrics";
    private static final String REMEDY_INSIDE =
            "What is open: take away the rule that admits it (ufw status numbered, on %s) or what listens there (ss -ltnp), and run"
                    + " apply. What could not be probed: see that perl and curl are on the host that probed.";

    private final Blueprint blueprint;
    private final Map<String, String> addresses;
    private final Map<String, HostFacts> facts;
    private final Map<String, List<Published>> published = new HashMap<>();
    private final Set<String> behindJumpHosts;
    private final TunnelEnds tunnels;

    /**
     * The probes of a mesh.
     *
     * @param addresses the hosts' public addresses, as the provider says
     * @param facts the facts of the hosts that could be observed
     * @param behindJumpHosts the hosts that no session reaches from here
     */
    ReachabilityChecks(
            Blueprint blueprint,
            Map<String, String> addresses,
            Map<String, HostFacts> facts,
            Set<String> behindJumpHosts) {
        this.blueprint = blueprint;
        this.behindJumpHosts = Set.copyOf(behindJumpHosts);
        this.addresses = Map.copyOf(addresses);
        this.facts = Map.copyOf(facts);
        this.tunnels = new TunnelEnds(blueprint, facts);
    }

    /** The probes of a mesh as it was observed. */
    static ReachabilityChecks of(Observed observed) {
        Map<String, HostFacts> facts = new LinkedHashMap<>();
        observed.roster()
                .blueprint()
                .hosts()
                .forEach(host -> observed.seen(host.name()).ifPresent(seen -> facts.put(host.name(), seen.facts())));
        ReachabilityChecks checks = new ReachabilityChecks(
                observed.roster().blueprint(),
                observed.roster().publicAddresses(),
                facts,
                observed.roster().behindJumpHosts());
        facts.forEach((name, of) -> Optional.ofNullable(observed.expected().get(name))
                .ifPresent(desired ->
                        checks.published.put(name, MeshTraffic.of(desired, of).published())));
        return checks;
    }

    /** What is known of the ends of the tunnels. */
    TunnelEnds tunnels() {
        return tunnels;
    }

    /** The rules of a host that publish ports. */
    List<Published> published(String host) {
        return published.getOrDefault(host, List.of());
    }

    /** What is to be probed from here, which is outside the mesh, by host. */
    Map<String, List<Probe>> fromOutside() {
        Map<String, List<Probe>> probes = new LinkedHashMap<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            if (addresses.containsKey(host.name())) {
                Set<Probe> of = new LinkedHashSet<>();
                for (String address : outsideAddresses(host)) {
                    ports(host).forEach(port -> of.add(new Probe(address, port)));
                    control(host, address).ifPresent(of::add);
                }
                probes.put(host.name(), List.copyOf(of));
            }
        }
        return probes;
    }

    /** What shows that a closed port means something: SSH at an address that no session came by. */
    private Optional<Probe> control(Blueprint.Host host, String address) {
        return isReachedAt(host, address) ? Optional.empty() : Optional.of(new Probe(address, ssh(host)));
    }

    /** The port of SSH, as the firewall admits it. */
    static int ssh(Blueprint.Host host) {
        return host.firewall().stream()
                .filter(rule -> rule.protocol() == Protocol.TCP && rule.from().isEmpty())
                .map(FirewallRule::port)
                .findFirst()
                .orElse(Blueprint.SSH_PORT);
    }

    /** What is to be probed from a host: at its neighbours what must be closed, and from a monitor the pages that it scrapes. */
    List<Probe> from(Blueprint.Host host) {
        Set<Probe> probes = new LinkedHashSet<>();
        for (Blueprint.Host other : probed(host)) {
            List<Probe> closed = mustBeClosed(host, other);
            probes.addAll(closed);
            closed.stream()
                    .filter(probe -> needsProof(host, other, probe.address()))
                    .forEach(probe -> probes.add(server(other, probe)));
        }
        for (Blueprint.Host other : blueprint.hosts()) {
            page(host, other).ifPresent(probes::add);
        }
        return List.copyOf(probes);
    }

    /** What has to show that an SSH server is there, so that a closed port at its address means something. */
    Set<Probe> controls() {
        Set<Probe> controls = new LinkedHashSet<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            outsideAddresses(host).forEach(address -> control(host, address).ifPresent(controls::add));
        }
        return controls;
    }

    /** A host of the mesh. */
    Blueprint.Host host(String name) {
        return blueprint.host(name);
    }

    /**
     * Whether an address may be that of another machine, as seen from another host. The provider's is not, nor the one inside the tunnels
     * for a host that has the interface: without that, a default route leads there, to whoever answers.
     */
    boolean needsProof(Blueprint.Host from, Blueprint.Host of, String address) {
        return address.equals(of.address()) ? !tunnels.isUp(from) : !isReachedAt(of, address);
    }

    /** Whether sessions reach a host at an address, from here and not from a jump host, to which the address may be another machine's. */
    private boolean isReachedAt(Blueprint.Host host, String address) {
        return address.equals(addresses.get(host.name())) && !behindJumpHosts.contains(host.name());
    }

    static Probe server(Blueprint.Host of, Probe at) {
        return new Probe(at.address(), ssh(of));
    }

    /** Every monitor, and the next few hosts in a ring, so that each host is probed by several and no host has to probe all. */
    Set<Blueprint.Host> probed(Blueprint.Host host) {
        List<Blueprint.Host> ring = blueprint.hosts();
        int own = ring.indexOf(host);
        Set<Blueprint.Host> probed = new LinkedHashSet<>(blueprint.monitors());
        for (int step = 1; step <= NEIGHBOURS; step++) {
            probed.add(ring.get((own + step) % ring.size()));
        }
        probed.remove(host);
        probed.removeIf(other -> !addresses.containsKey(other.name()));
        return probed;
    }

    List<Probe> mustBeClosed(Blueprint.Host from, Blueprint.Host to) {
        List<Probe> probes = new ArrayList<>();
        Set<String> at = new LinkedHashSet<>(List.of(to.address()));
        at.addAll(publicAddresses(to));
        at.addAll(privateAddresses(to));
        for (String address : at.stream().limit(MOST_ADDRESSES).toList()) {
            ports(to).stream()
                    .filter(port -> !address.equals(to.address()) || !admits(to, from, port))
                    .forEach(port -> probes.add(new Probe(address, port)));
        }
        return probes;
    }

    private static boolean admits(Blueprint.Host to, Blueprint.Host from, int port) {
        return to.firewall().stream()
                .anyMatch(rule -> rule.port() == port
                        && rule.protocol() == Protocol.TCP
                        && rule.from().equals(Optional.of(from.address())));
    }

    private Optional<Probe> page(Blueprint.Host from, Blueprint.Host to) {
        int port = blueprint.spec().nodeExporterPort();
        return from.role() == Role.MONITOR
                        && !from.equals(to)
                        && addresses.containsKey(to.name())
                        && blueprint.scrapes(from, to, port)
                ? Optional.of(new Probe(to.address(), port, Optional.of(METRICS)))
                : Optional.empty();
    }

    private Set<Integer> ports(Blueprint.Host host) {
        Set<Integer> ports = new LinkedHashSet<>(ForeignRules.guarded(blueprint, host));
        HostFacts known = facts.get(host.name());
        if (known != null) {
            Stream.concat(
                            TrafficChecks.undeclared(host, published(host.name())),
                            ListenerChecks.unadmitted(host, known).stream())
                    .distinct()
                    .filter(port -> !ports.contains(port))
                    .limit(MOST_PORTS)
                    .toList()
                    .forEach(ports::add);
        }
        return ports;
    }

    private List<String> publicAddresses(Blueprint.Host host) {
        Set<String> found = new LinkedHashSet<>();
        Optional.ofNullable(addresses.get(host.name()))
                .filter(address -> !AddressProofs.isForwarded(host))
                .ifPresent(found::add);
        own(host).stream()
                .filter(address -> !AddressProofs.isPrivate(address))
                .map(InetAddress::getHostAddress)
                .forEach(found::add);
        return found.stream().limit(MOST_ADDRESSES).toList();
    }

    /** Those that mean the same machine here: a private address behind a jump host is one of another network. */
    private List<String> outsideAddresses(Blueprint.Host host) {
        return publicAddresses(host).stream()
                .filter(address -> !behindJumpHosts.contains(host.name())
                        || AddressProofs.literal(address).stream().noneMatch(AddressProofs::isPrivate))
                .toList();
    }

    /** Those that no other host has too, as it has that of a bridge for containers: there it would find itself. */
    private List<String> privateAddresses(Blueprint.Host host) {
        Set<InetAddress> others = new LinkedHashSet<>();
        blueprint.hosts().stream().filter(other -> !other.equals(host)).forEach(other -> others.addAll(own(other)));
        return own(host).stream()
                .filter(address -> AddressProofs.isPrivate(address) && !others.contains(address))
                .map(InetAddress::getHostAddress)
                .toList();
    }

    private List<InetAddress> own(Blueprint.Host host) {
        HostFacts known = facts.get(host.name());
        List<InetAddress> own = new ArrayList<>();
        for (String network : known == null ? List.<String>of() : known.addresses()) {
            AddressProofs.literal(network.replaceAll("/.*", ""))
                    .filter(address -> !address.isLoopbackAddress()
                            && !address.isLinkLocalAddress()
                            && !address.isMulticastAddress()
                            && !address.isAnyLocalAddress()
                            && !address.getHostAddress().equals(host.address()))
                    .ifPresent(own::add);
        }
        return own;
    }

    /**
     * Judges what was probed from here.
     *
     * @param answers the answers to probes from here, by the host that was probed
     * @param inside the answers to probes from the hosts, by the host that probed
     */
    List<Check> outside(Map<String, Map<Probe, ProbeResult>> answers, Map<String, Map<Probe, ProbeResult>> inside) {
        List<Check> checks = new ArrayList<>();
        answers.forEach((name, of) -> {
            Blueprint.Host host = blueprint.host(name);
            Set<String> unreached = new TreeSet<>();
            for (String address : outsideAddresses(host)) {
                control(host, address)
                        .filter(probe -> result(of, probe) != Result.OPEN)
                        .ifPresent(probe -> unreached.add(address));
            }
            for (int port : ports(host)) {
                Map<Probe, ProbeResult> probed = new LinkedHashMap<>(of);
                probed.keySet().removeIf(probe -> probe.port() != port || unreached.contains(probe.address()));
                if (!probed.isEmpty() || !behindJumpHosts.contains(name)) {
                    checks.add(closedToOutside(name, port, probed));
                }
            }
            if (behindJumpHosts.contains(name)
                    && unreached.size() == outsideAddresses(host).size()) {
                checks.add(behindJumpHost(name));
            } else if (!unreached.isEmpty()) {
                checks.add(unreached(name, unreached, inside));
            }
        });
        return checks;
    }

    /** What is checked of a guarded port from here. */
    static CheckItem outsideItem(String host, int port) {
        return new CheckItem(host, CheckKind.PORT_CLOSED_TO_OUTSIDE, "port " + port + " is closed to the outside")
                .about(Integer.toString(port));
    }

    /** What is checked of a host from the other hosts. */
    static CheckItem peersItem(String host) {
        return new CheckItem(
                host,
                CheckKind.PORTS_CLOSED_TO_OTHER_HOSTS,
                "is closed to the other hosts, but for what the monitors scrape");
    }

    /** What is checked of a page that a monitor fetches. */
    static CheckItem pageItem(String host, String monitor, String interfaceName) {
        return new CheckItem(
                        host,
                        CheckKind.LARGE_PAGE_PASSES,
                        "gives " + monitor + " a page larger than any packet, whole, over " + interfaceName)
                .about(monitor);
    }

    private Check closedToOutside(String name, int port, Map<Probe, ProbeResult> probed) {
        CheckItem item = outsideItem(name, port);
        String method = "a TCP connection from here, the machine that verifies, to each public address of the host";
        if (probed.isEmpty() && AddressProofs.isForwarded(host(name))) {
            return AddressProofs.notProbed(item, method);
        }
        boolean open = probed.values().stream().anyMatch(answer -> answer.result() == Result.OPEN);
        boolean all = probed.values().stream().noneMatch(answer -> answer.result() == Result.NOT_TRIED);
        if (!open && (probed.isEmpty() || !all)) {
            return item.unchecked(
                    method,
                    probed.isEmpty() ? "no address of it could be probed" : describe(probed),
                    "See what keeps this machine from making connections, and verify again.");
        }
        if (!open && !facts.containsKey(name)) {
            return item.unchecked(
                    method,
                    describe(probed)
                            + "; but SSH could not be used there either, so that the host may be off or out of reach from here",
                    "Bring the host back, then verify again.");
        }
        return item.made(
                method,
                describe(probed),
                !open,
                TrafficChecks.remedy(published(name), port)
                        .orElse(
                                "Something answers there: find it with ss -ltnp on the host, stop it or take away the rule that"
                                        + " admits it (ufw status numbered), and run apply."));
    }

    /** A host in a network of its own: that nothing of it answers here is what the jump host is for. */
    private Check behindJumpHost(String name) {
        return new CheckItem(name, CheckKind.ADDRESS_NOT_PROBED, "has addresses that could not be probed from here")
                .note(
                        "a TCP connection from here to SSH at each public address of the host",
                        "it is reached through a jump host alone: "
                                + Objects.requireNonNullElse(addresses.get(name), "no address known"),
                        "Verify from a machine in its network to have its ports probed there too; the other hosts that reach it"
                                + " probe them.");
    }

    /** Addresses that are not reached from here are only noted where another host probed them. */
    private static Check unreached(String name, Set<String> unreached, Map<String, Map<Probe, ProbeResult>> inside) {
        CheckItem item =
                new CheckItem(name, CheckKind.ADDRESS_NOT_PROBED, "has addresses that could not be probed from here");
        String method = "a TCP connection from here to SSH there, which is open by design";
        Set<String> unprobed = new TreeSet<>(unreached);
        inside.forEach((from, of) -> of.forEach((probe, answer) -> {
            if (!from.equals(name)
                    && (answer.result() == Result.OPEN
                            || answer.result() == Result.REFUSED
                            || answer.result() == Result.SILENT)) {
                unprobed.remove(probe.address());
            }
        }));
        if (unprobed.isEmpty()) {
            return item.note(
                    method,
                    String.join(", ", unreached),
                    "Verify from a machine that reaches these, so that a closed port there means something; the other hosts"
                            + " probed them too.");
        }
        return item.unchecked(
                method,
                String.join(", ", unprobed) + ": no other host reached them either",
                "Verify from a machine that reaches these addresses.");
    }

    /** The answers to probes of a host's TCP ports, from here and from the other hosts, by port. */
    Map<Integer, List<Answer>> answersByPort(
            String host, Map<String, Map<Probe, ProbeResult>> outside, Map<String, Map<Probe, ProbeResult>> inside) {
        Map<Integer, List<Answer>> answers = new TreeMap<>();
        outside.getOrDefault(host, Map.of())
                .forEach((probe, answer) -> answers.computeIfAbsent(probe.port(), port -> new ArrayList<>())
                        .add(new Answer("here", probe, answer.result())));
        inside.forEach((from, of) -> {
            for (Probe probe : mustBeClosed(blueprint.host(from), blueprint.host(host))) {
                if (!from.equals(host) && of.containsKey(probe)) {
                    answers.computeIfAbsent(probe.port(), port -> new ArrayList<>())
                            .add(new Answer(from, probe, result(of, probe)));
                }
            }
        });
        return answers;
    }

    static Result result(Map<Probe, ProbeResult> answers, Probe probe) {
        ProbeResult answer = answers.get(probe);
        return answer == null ? Result.NOT_TRIED : answer.result();
    }

    private static boolean isClosed(Result result) {
        return result != Result.OPEN && result != Result.NOT_TRIED;
    }

    private static String describe(Map<Probe, ProbeResult> probed) {
        List<String> described = new ArrayList<>();
        probed.forEach(
                (probe, answer) -> described.add(probe + " " + answer.result().words()));
        return String.join(", ", described);
    }

    /**
     * Judges what was probed from the hosts.
     *
     * @param answers the answers by the host that probed, as far as they are {@linkplain AddressProofs#proven proven}
     * @param notJudged where others were probed, by the host that was meant
     */
    List<Check> inside(Map<String, Map<Probe, ProbeResult>> answers, Map<String, Set<String>> notJudged) {
        List<Check> checks = new ArrayList<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            closedToPeers(host, answers, notJudged.getOrDefault(host.name(), Set.of()))
                    .ifPresent(checks::add);
            answers.forEach((name, of) -> page(blueprint.host(name), host)
                    .filter(of::containsKey)
                    .ifPresent(probe -> checks.add(
                            page(name, host, probe, of.getOrDefault(probe, new ProbeResult(Result.NOT_TRIED))))));
        }
        return checks;
    }

    private Optional<Check> closedToPeers(
            Blueprint.Host host, Map<String, Map<Probe, ProbeResult>> answers, Set<String> notJudged) {
        Set<String> from = new TreeSet<>();
        Map<Result, Integer> counts = new TreeMap<>();
        List<String> wrong = new ArrayList<>();
        Set<String> remedies = new LinkedHashSet<>();
        answers.forEach((name, of) -> {
            for (Probe probe : mustBeClosed(blueprint.host(name), host)) {
                if (!name.equals(host.name()) && of.containsKey(probe)) {
                    Result result = result(of, probe);
                    from.add(name);
                    counts.merge(result, 1, Integer::sum);
                    if (!isClosed(result)) {
                        TrafficChecks.remedy(published(host.name()), probe.port())
                                .ifPresent(remedies::add);
                        wrong.add(probe + " from " + name + ": " + result.words());
                    }
                }
            }
        });
        if (from.isEmpty()) {
            return Optional.empty();
        }
        List<String> counted = new ArrayList<>();
        counts.forEach((result, count) -> counted.add(count + " × " + result.words()));
        CheckItem item = peersItem(host.name());
        String method = "a TCP connection on " + String.join(", ", from) + " to each address of the host, "
                + host.address() + " among them, at port " + words(ports(host));
        String observed = (wrong.isEmpty() ? String.join(", ", counted) : String.join("; ", wrong))
                + (notJudged.isEmpty()
                        ? ""
                        : "; not judged, for the host is not known to be reached there: "
                                + HostChecks.listed(notJudged.stream()));
        if (!counts.containsKey(Result.OPEN) && counts.containsKey(Result.NOT_TRIED)) {
            return Optional.of(item.unchecked(method, observed, "See that perl and curl are on the host that probed."));
        }
        if (!counts.containsKey(Result.OPEN) && !facts.containsKey(host.name())) {
            return Optional.of(item.unchecked(
                    method,
                    observed + "; but the host itself could not be observed, so that it may be off",
                    "Bring the host back, then verify again."));
        }
        return Optional.of(item.made(
                method,
                observed,
                wrong.isEmpty(),
                remedies.isEmpty() ? REMEDY_INSIDE.formatted(host.name()) : String.join(" ", remedies)));
    }

    private static String words(Set<Integer> ports) {
        return String.join(", ", ports.stream().map(String::valueOf).toList());
    }

    private Check page(String monitor, Blueprint.Host host, Probe probe, ProbeResult answer) {
        CheckItem item = pageItem(host.name(), monitor, blueprint.interfaceName());
        String method = "curl http://" + probe + METRICS + " on " + monitor;
        if (answer.result() == Result.NOT_TRIED) {
            return item.unchecked(method, answer.result().words(), "See that curl is on " + monitor + '.');
        }
        Optional<TunnelEnds.Missing> without = tunnels.missing(blueprint.host(monitor), host);
        if (without.isPresent()) {
            return item.made(
                    method,
                    answer.result().words() + ", and not by the tunnel: "
                            + without.get().observed(),
                    false,
                    without.get().remedy());
        }
        boolean large = answer.whole() && answer.bytes() >= MORE_THAN_A_PACKET;
        return item.made(
                method,
                answer.result() == Result.OPEN
                        ? answer.bytes() + " bytes, " + (answer.whole() ? "whole" : "and then no more")
                        : answer.result().words(),
                large,
                answer.result() != Result.OPEN
                        ? "No connection at all: see the checks of the tunnel and the exporter, and run apply."
                        : "Small packets pass and large ones may not: on " + monitor + ", ping -M do -s 1392 "
                                + host.address()
                                + " should be answered. If not, something on the way carries less than 1500 bytes and drops the"
                                + " rest: let ICMP pass there, or set a lower MTU of "
                                + blueprint.interfaceName()
                                + " with mtu(1280) on the mesh, or on one of the hosts, and run apply.");
    }
}
