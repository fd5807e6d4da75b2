package dev.promguard;

import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.change.HostFacts;
import dev.promguard.change.HostFacts.SocketFact;
import dev.promguard.change.LoadedRule;
import dev.promguard.spi.Door;
import dev.promguard.spi.DoorAnswer.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether anything that listens on a host can be reached, beside what is allowed: what the spec admits (SSH and WireGuard among it),
 * what it declares open, what listens on loopback, what the rules that ufw itself brings are for, and what the firewall closes and a
 * probe finds closed. A pure function of the spec, the host's sockets and rules, and the probes.
 */
final class ListenerChecks {
    /** What is checked. */
    static final String CLAIM = "lets nothing be reached that listens but what is wished";

    private final Blueprint.Host host;
    private final HostFacts facts;
    private final List<LoadedRule> accepting;
    private final Set<String> bySpec = new TreeSet<>();
    private final Set<String> declared = new TreeSet<>();
    private final Set<String> byUfw = new TreeSet<>();
    private final Set<String> confirmed = new TreeSet<>();
    private final Set<String> udp = new TreeSet<>();
    private final Set<String> unprobed = new TreeSet<>();
    private final Set<String> admitted = new TreeSet<>();
    private final Set<String> answering = new TreeSet<>();

    private ListenerChecks(Blueprint.Host host, HostFacts facts) {
        this.host = host;
        this.facts = facts;
        this.accepting =
                facts.firewall().accepting().stream().map(LoadedRule::new).toList();
    }

    /**
     * One probe of a port of the host.
     *
     * @param from where it was made
     * @param door what was tried
     * @param result what came of it
     */
    record Probe(String from, Door door, Result result) {}

    /**
     * Judges a host.
     *
     * @param host the host
     * @param facts what it listens on, and the rules that it has loaded
     * @param probes the probes of its TCP ports, by port
     */
    static Check check(Blueprint.Host host, HostFacts facts, Map<Integer, List<Probe>> probes) {
        ListenerChecks checks = new ListenerChecks(host, facts);
        for (SocketFact socket : facts.listening()) {
            if (!HostClaims.isLoopback(socket)) {
                checks.sort(socket, probes.getOrDefault(socket.port(), List.of()));
            }
        }
        return checks.judge();
    }

    private void sort(SocketFact socket, List<Probe> probes) {
        Protocol protocol = socket.protocol().equals("udp") ? Protocol.UDP : Protocol.TCP;
        int port = socket.port();
        String name = port + "/" + socket.protocol();
        List<LoadedRule> admitting = accepting.stream()
                .filter(rule -> !rule.isUfwsOwn() && !rule.isForPassing() && rule.mayAdmit(protocol, port))
                .toList();
        boolean othersAdmit =
                admitting.stream().anyMatch(rule -> host.firewall().stream().noneMatch(rule::isFor));
        boolean forEverybody = host.firewall().stream()
                .anyMatch(rule -> rule.protocol() == protocol
                        && rule.port() == port
                        && rule.from().isEmpty()
                        && rule.networkInterface().isEmpty());
        if (!admitting.isEmpty() && (!othersAdmit || forEverybody)) {
            bySpec.add(name);
        } else if (host.spec().openPorts().contains(port)) {
            declared.add(name);
        } else if (othersAdmit) {
            admitted.add(name);
        } else if (accepting.stream()
                .anyMatch(rule -> rule.isUfwsOwn() && !rule.isForAll() && rule.mayAdmit(protocol, port))) {
            byUfw.add(name);
        } else if (protocol == Protocol.UDP) {
            udp.add(name);
        } else if (probes.stream().anyMatch(probe -> probe.result() == Result.OPEN)) {
            probes.stream()
                    .filter(probe -> probe.result() == Result.OPEN)
                    .forEach(probe -> answering.add(name + " (" + probe.door() + " from " + probe.from() + ')'));
        } else if (probes.stream().allMatch(probe -> probe.result() == Result.NOT_TRIED)) {
            unprobed.add(name);
        } else {
            confirmed.add(name);
        }
    }

    private Check judge() {
        List<String> seen = new ArrayList<>();
        add(seen, "reachable by rules of others: ", admitted);
        add(seen, "answering a probe although no rule admits it: ", answering);
        add(seen, "closed by the firewall, and not probed: ", unprobed);
        add(seen, "reachable by the spec: ", bySpec);
        add(seen, "declared with openPorts(…): ", declared);
        add(seen, "closed by the firewall, and found closed by a probe: ", confirmed);
        add(seen, "closed by the firewall, UDP, which no probe can tell: ", udp);
        add(seen, "by the rules that ufw brings: ", byUfw);
        if (!HostClaims.isClosed(facts)) {
            seen.add(0, "the firewall does not close what no rule admits");
        }
        String how =
                "ss -ltun, each socket compared with the loaded rules and, for TCP, with probes; allowed are the spec's ports with SSH"
                        + " and WireGuard, those declared with openPorts(…), loopback, ufw's own rules, and what is closed";
        String all = seen.isEmpty() ? "nothing listens but on loopback" : String.join("; ", seen);
        boolean reachable = !admitted.isEmpty() || !answering.isEmpty();
        if (HostClaims.isClosed(facts) && !reachable && !unprobed.isEmpty()) {
            return Check.unchecked(
                    host.name(), CLAIM, how, all, "See what listens there (ss -ltnp), and stop what nobody needs.");
        }
        return Check.of(
                host.name(),
                CLAIM,
                how,
                all,
                HostClaims.isClosed(facts) && !reachable,
                reachable
                        ? "See which program it is (ss -ltnp). Stop it, or take away the rule that admits it (ufw status numbered, then"
                                + " ufw delete NUMBER); or declare it with openPorts(…) on the host, if others are to reach it."
                        : "Run apply, which closes what no rule admits.");
    }

    private static void add(List<String> seen, String what, Set<String> names) {
        if (!names.isEmpty()) {
            seen.add(what + HostClaims.listed(names.stream()));
        }
    }
}
