package dev.promguard.internal.verify;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.HostFacts;
import dev.promguard.host.WireGuardInterface;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Which hosts have their end of the tunnels, and what to do where one does not. Not thread-safe. */
final class TunnelEnds {
    private final Blueprint blueprint;
    private final Map<String, HostFacts> facts;
    private final Set<String> refused = new HashSet<>();

    /**
     * The ends of a mesh's tunnels.
     *
     * @param facts the facts of the hosts that could be observed
     */
    TunnelEnds(Blueprint blueprint, Map<String, HostFacts> facts) {
        this.blueprint = blueprint;
        this.facts = Map.copyOf(facts);
    }

    /**
     * Why nothing comes by the tunnel between two hosts.
     *
     * @param observed what is known of the host without its end, as a clause
     * @param remedy what to do about it
     */
    record Missing(String observed, String remedy) {}

    /** Has remedies not send somebody to an apply for hosts that it refuses. */
    void refused(Collection<String> hosts) {
        refused.addAll(hosts);
    }

    /** Whether a host has its WireGuard interface with its address there, as far as is known. */
    boolean isUp(Blueprint.Host host) {
        HostFacts known = facts.get(host.name());
        return known == null
                || known.wireGuard().stream()
                        .flatMap(running -> running.addresses().stream())
                        .anyMatch(address -> address.replaceAll("/.*", "").equals(host.address()));
    }

    /** The first of two hosts that is known to lack its interface or its address there, if one does. */
    Optional<Missing> missing(Blueprint.Host from, Blueprint.Host to) {
        String interfaceName = blueprint.interfaceName();
        return Stream.of(from, to)
                .filter(end -> !isUp(end))
                .map(end -> new Missing(
                        end.name() + " has no " + interfaceName + " with the address " + end.address(),
                        remedy(end.name(), bringUp(interfaceName, end.name()))))
                .findFirst();
    }

    /** A remedy that begins with an apply, for a host that an apply may refuse. */
    String remedy(String host, String remedy) {
        return refused.contains(host) ? afterProblems(remedy) : remedy;
    }

    /** What to do where an interface is not up on a host. */
    static String bringUp(String interfaceName, String host) {
        return "Run apply, which brings " + interfaceName + " up. If it does not stay up, see systemctl status "
                + WireGuardInterface.unit(interfaceName) + " on " + host + '.';
    }

    /** The same for a host that an apply refuses: it changes nothing there. */
    static String afterProblems(String remedy) {
        return remedy.replaceFirst(
                "^Run apply", "Apply refuses the host: first do what host-up-to-date says of it, then run apply");
    }
}
