package dev.promguard.internal.verify;

import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.internal.observe.Observed;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import dev.promguard.spi.ProbeResult.Result;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Whether what answers at an address is the host that was meant. A host knows its own addresses, but from another host such an address
 * may be that of another machine, as that of a bridge for containers is, or a gateway may answer for it. Pure functions of what was
 * probed.
 */
final class AddressProofs {
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F]*:[0-9a-fA-F:.]+");
    private static final Pattern IPV4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");

    private final ReachabilityChecks reachability;
    private final Map<String, HostKeyFingerprint> hostKeys;

    /**
     * The proofs of a mesh.
     *
     * @param reachability what is probed
     * @param hostKeys the host key that each host proved to this machine, by host
     */
    AddressProofs(ReachabilityChecks reachability, Map<String, HostKeyFingerprint> hostKeys) {
        this.reachability = reachability;
        this.hostKeys = Map.copyOf(hostKeys);
    }

    /** The address that a text is, without looking up names. */
    static Optional<InetAddress> literal(String address) {
        if (!IPV4.matcher(address).matches() && !IPV6.matcher(address).matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(InetAddress.getByName(address));
        } catch (UnknownHostException e) {
            return Optional.empty();
        }
    }

    /** Whether an address is one that many networks have a machine at. */
    static boolean isPrivate(InetAddress address) {
        byte[] bytes = address.getAddress();
        boolean uniqueLocal = address instanceof Inet6Address && (bytes[0] & 0xfe) == 0xfc;
        boolean shared = bytes.length == 4 && (bytes[0] & 0xff) == 100 && (bytes[1] & 0xc0) == 64;
        return address.isSiteLocalAddress() || uniqueLocal || shared;
    }

    /** Whether the address by which PromGuard reaches a host is another machine's, which forwards SSH to it. */
    static boolean isForwarded(Blueprint.Host host) {
        return host.spec().endpoint().behindNat();
    }

    /** What is said of a host that has no address of its own that could be probed from here. */
    static Check notProbed(CheckItem item, String method) {
        return item.note(
                method,
                "not probed: the host is behind NAT, and the address by which PromGuard reaches it is that of the machine that"
                        + " forwards SSH",
                "See that nothing else is forwarded to the host there.");
    }

    /** The proofs of a mesh as it was observed. */
    static AddressProofs of(ReachabilityChecks reachability, Observed observed) {
        Map<String, HostKeyFingerprint> hostKeys = new HashMap<>();
        observed.roster()
                .blueprint()
                .hosts()
                .forEach(host ->
                        observed.seen(host.name()).ifPresent(seen -> hostKeys.put(host.name(), seen.hostKey())));
        return new AddressProofs(reachability, hostKeys);
    }

    /**
     * The SSH servers whose host keys a host has to ask for, so that it is known whose open ports it has found.
     *
     * @param answers the answers to the host's probes
     */
    Set<Probe> toProve(Blueprint.Host host, Map<Probe, ProbeResult> answers) {
        Set<Probe> servers = new LinkedHashSet<>();
        for (Blueprint.Host other : reachability.probed(host)) {
            reachability.mustBeClosed(host, other).stream()
                    .filter(probe -> reachability.needsProof(host, other, probe.address())
                            && ReachabilityChecks.result(answers, probe) == Result.OPEN)
                    .map(probe -> ReachabilityChecks.server(other, probe))
                    .filter(server -> ReachabilityChecks.result(answers, server) == Result.OPEN)
                    .forEach(servers::add);
        }
        return servers;
    }

    /**
     * The answers that are those of the hosts that were meant. At an address that the provider does not know, or inside
     * the tunnels from a host without the interface, SSH has to answer, and where a port is open, with the host key of that host: elsewhere the address may be that of another machine.
     *
     * @param answers the answers to probes from the hosts, by the host that probed
     * @param shown the host keys that SSH servers showed, by the host that asked
     */
    Map<String, Map<Probe, ProbeResult>> proven(
            Map<String, Map<Probe, ProbeResult>> answers, Map<String, Map<Probe, Set<HostKeyFingerprint>>> shown) {
        Map<String, Map<Probe, ProbeResult>> proven = new LinkedHashMap<>();
        answers.forEach((name, of) -> {
            Map<Probe, ProbeResult> kept = new LinkedHashMap<>(of);
            for (Blueprint.Host other : reachability.probed(reachability.host(name))) {
                for (Probe probe : reachability.mustBeClosed(reachability.host(name), other)) {
                    Probe server = ReachabilityChecks.server(other, probe);
                    HostKeyFingerprint key = hostKeys.get(other.name());
                    boolean reached = ReachabilityChecks.result(of, server) == Result.OPEN;
                    boolean known = key != null
                            && shown.getOrDefault(name, Map.of())
                                    .getOrDefault(server, Set.of())
                                    .contains(key);
                    if (reachability.needsProof(reachability.host(name), other, probe.address())
                            && (!reached || (ReachabilityChecks.result(of, probe) == Result.OPEN && !known))) {
                        kept.remove(probe);
                    }
                }
            }
            proven.put(name, kept);
        });
        return proven;
    }

    /** At which addresses of each host ports were probed and not judged, with those that probed them. */
    Map<String, Set<String>> notJudged(
            Map<String, Map<Probe, ProbeResult>> answers, Map<String, Map<Probe, ProbeResult>> proven) {
        Map<String, Set<String>> notJudged = new TreeMap<>();
        answers.forEach((name, of) -> {
            for (Blueprint.Host other : reachability.probed(reachability.host(name))) {
                reachability.mustBeClosed(reachability.host(name), other).stream()
                        .filter(probe -> of.containsKey(probe)
                                && !proven.getOrDefault(name, Map.of()).containsKey(probe))
                        .forEach(probe -> notJudged
                                .computeIfAbsent(other.name(), key -> new TreeSet<>())
                                .add(probe.address() + " from " + name));
            }
        });
        return notJudged;
    }
}
