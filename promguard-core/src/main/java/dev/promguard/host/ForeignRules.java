package dev.promguard.host;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exposure;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.Port;
import dev.promguard.host.HostFacts.SocketFact;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What loaded rules of somebody else admit on a host beside the spec. PromGuard leaves them alone: a plan names them, and a verification
 * fails. A pure function of the spec and what the host is. Immutable.
 */
public final class ForeignRules {
    private static final int MOST_NAMED = 6;

    private final Blueprint blueprint;
    private final Blueprint.Host host;
    private final HostFacts facts;
    private final List<LoadedRule> accepting;

    private ForeignRules(Blueprint blueprint, Blueprint.Host host, HostFacts facts) {
        this.blueprint = blueprint;
        this.host = host;
        this.facts = facts;
        this.accepting = LoadedRule.of(facts).stream()
                .filter(rule -> !rule.isUfwsOwn() && !rule.isForPassing())
                .toList();
    }

    /**
     * The rules of a host.
     *
     * @param blueprint the mesh
     * @param host the host
     * @param facts what it is
     * @return what its rules admit
     */
    public static ForeignRules of(Blueprint blueprint, Blueprint.Host host, HostFacts facts) {
        return new ForeignRules(blueprint, host, facts);
    }

    /**
     * The TCP ports that only monitors may reach, through the tunnel, or that must be closed to everybody.
     *
     * @param blueprint the mesh
     * @param host the host
     * @return the ports
     */
    public static NavigableSet<Integer> guarded(Blueprint blueprint, Blueprint.Host host) {
        NavigableSet<Integer> ports = new TreeSet<>();
        ports.add(blueprint.spec().nodeExporterPort());
        ports.add(blueprint.spec().prometheus().port());
        host.spec().exposures().stream().map(Exposure::port).forEach(ports::add);
        return ports;
    }

    /**
     * The rules that accept what comes to the host, without those that ufw itself brings.
     *
     * @return the rules, those of the spec among them
     */
    public List<LoadedRule> accepting() {
        return accepting;
    }

    /**
     * Whether a rule is one of the spec's.
     *
     * @param rule the rule
     * @return true if it accepts exactly what one of the spec's admits
     */
    public boolean isOfTheSpec(LoadedRule rule) {
        return host.firewall().stream().anyMatch(rule::isFor);
    }

    /**
     * The rules of others that let packets to a guarded port.
     *
     * @return the rules
     */
    public List<LoadedRule> breaches() {
        Set<Integer> ports = guarded(blueprint, host);
        return accepting.stream()
                .filter(rule -> !isOfTheSpec(rule))
                .filter(rule -> ports.stream().anyMatch(port -> rule.mayAdmit(Protocol.TCP, port)))
                .toList();
    }

    /**
     * Whether a socket is reached by what the spec admits, and by nothing else unless the spec admits everybody.
     *
     * @param socket a socket of the host
     * @return true if so
     */
    public boolean isBySpec(SocketFact socket) {
        List<LoadedRule> admitting = admitting(socket);
        Port port = new Port(socket.port(), protocol(socket));
        return !admitting.isEmpty()
                && (admitting.stream().allMatch(this::isOfTheSpec)
                        || host.firewall().stream().anyMatch(rule -> rule.admitsEverybodyTo(port)));
    }

    /**
     * The rule of others by which a socket is reached that the spec neither admits everybody to nor declares open.
     *
     * @param socket a socket of the host
     * @return the first such rule, or empty
     */
    public Optional<LoadedRule> by(SocketFact socket) {
        return isBySpec(socket) || host.spec().openPorts().contains(socket.port())
                ? Optional.empty()
                : admitting(socket).stream().filter(rule -> !isOfTheSpec(rule)).findFirst();
    }

    private List<LoadedRule> admitting(SocketFact socket) {
        return accepting.stream()
                .filter(rule -> rule.mayAdmit(protocol(socket), socket.port()))
                .toList();
    }

    private static Protocol protocol(SocketFact socket) {
        return socket.protocol().equals("udp") ? Protocol.UDP : Protocol.TCP;
    }

    /**
     * What is not changed about them, for somebody who reads a plan.
     *
     * @param removed which rules the plan removes
     * @return clauses; empty where the rules of others admit nothing that the spec does not
     */
    public List<String> describe(Predicate<LoadedRule> removed) {
        List<String> described = new ArrayList<>();
        List<LoadedRule> breaches = breaches().stream().filter(removed.negate()).toList();
        if (!breaches.isEmpty()) {
            described.add("rules of others accept port "
                    + guarded(blueprint, host).stream().map(String::valueOf).collect(Collectors.joining(" or "))
                    + ", which only monitors may reach, and verify fails until they are taken away or narrowed: "
                    + breaches.stream()
                            .limit(MOST_NAMED)
                            .map(LoadedRule::describe)
                            .collect(Collectors.joining(", "))
                    + (breaches.size() > MOST_NAMED ? " and " + (breaches.size() - MOST_NAMED) + " more" : ""));
        }
        Map<String, String> open = new LinkedHashMap<>();
        for (SocketFact socket : facts.listening()) {
            if (!socket.onLoopback()) {
                by(socket)
                        .filter(rule -> !breaches.contains(rule) && !removed.test(rule))
                        .ifPresent(rule -> open.putIfAbsent(socket.port() + "/" + socket.protocol(), rule.describe()));
            }
        }
        if (!open.isEmpty()) {
            described.add("rules of others open "
                    + open.entrySet().stream()
                            .limit(MOST_NAMED)
                            .map(port -> port.getKey() + " (" + port.getValue() + ')')
                            .collect(Collectors.joining(", "))
                    + (open.size() > MOST_NAMED ? " and " + (open.size() - MOST_NAMED) + " more" : "")
                    + ", and verify fails until the host declares them with openPorts(…), or the rules are taken away");
        }
        return List.copyOf(described);
    }
}
