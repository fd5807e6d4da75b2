package dev.promguard.internal.verify;

import dev.promguard.CheckKind;
import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.host.ForeignRules;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostFacts.SocketFact;
import dev.promguard.host.LoadedRule;
import dev.promguard.host.MeshTraffic.Published;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Whether anything that listens on a host can be reached, beside what is allowed: what the spec admits (SSH and WireGuard among it),
 * what it declares open, what listens on loopback, what the rules that ufw itself brings are for, and what the firewall closes and a
 * probe finds closed. A pure function of the spec, the host's sockets and rules, and the probes.
 */
final class ListenerChecks {
    private final Blueprint.Host host;
    private final HostFacts facts;
    private final List<LoadedRule> accepting;
    private final ForeignRules rules;
    private final Set<String> bySpec = new TreeSet<>();
    private final Set<String> declared = new TreeSet<>();
    private final Set<String> byUfw = new TreeSet<>();
    private final Set<String> confirmed = new TreeSet<>();
    private final Set<String> udp = new TreeSet<>();
    private final Set<String> unprobed = new TreeSet<>();
    private final Set<String> admitted = new TreeSet<>();
    private final Set<String> answering = new TreeSet<>();
    private final List<String> remedies = new ArrayList<>();
    private List<Published> published = List.of();

    /** What is checked of a host. */
    static CheckItem item(String host) {
        return new CheckItem(
                host,
                CheckKind.NO_OTHER_LISTENER_REACHABLE,
                "lets nothing be reached that listens but what the spec allows");
    }

    private ListenerChecks(Blueprint blueprint, Blueprint.Host host, HostFacts facts) {
        this.rules = ForeignRules.of(blueprint, host, facts);
        this.host = host;
        this.facts = facts;
        this.accepting = LoadedRule.of(facts);
    }

    /**
     * The answer to one probe of a port of the host.
     *
     * @param from where it was made
     * @param probe what was probed
     * @param result what came of it
     */
    record Answer(String from, Probe probe, Result result) {}

    /**
     * Judges a host.
     *
     * @param blueprint the mesh
     * @param host the host
     * @param facts what it listens on, and the rules that it has loaded
     * @param answers the answers to probes of its TCP ports, by port
     * @param published the rules that publish ports
     */
    static Check check(
            Blueprint blueprint,
            Blueprint.Host host,
            HostFacts facts,
            Map<Integer, List<Answer>> answers,
            List<Published> published) {
        ListenerChecks checks = new ListenerChecks(blueprint, host, facts);
        checks.published = published;
        for (SocketFact socket : facts.listening()) {
            if (!socket.onLoopback()) {
                checks.sort(socket, answers.getOrDefault(socket.port(), List.of()));
            }
        }
        return checks.judge();
    }

    private void sort(SocketFact socket, List<Answer> answers) {
        Protocol protocol = socket.protocol().equals("udp") ? Protocol.UDP : Protocol.TCP;
        int port = socket.port();
        String name = port + "/" + socket.protocol();
        if (rules.isBySpec(socket)) {
            bySpec.add(name);
        } else if (host.spec().openPorts().contains(port)) {
            declared.add(name);
        } else if (rules.by(socket).isPresent()) {
            admitted.add(name);
        } else if (accepting.stream()
                .anyMatch(rule -> rule.isUfwsOwn() && !rule.isForAll() && rule.mayAdmit(protocol, port))) {
            byUfw.add(name);
        } else if (protocol == Protocol.UDP) {
            udp.add(name);
        } else if (answers.stream().anyMatch(answer -> answer.result() == Result.OPEN)) {
            answers.stream()
                    .filter(answer -> answer.result() == Result.OPEN)
                    .forEach(answer -> answering.add(name + " (" + answer.probe() + " from " + answer.from() + ')'));
            TrafficChecks.remedy(published, port).ifPresent(remedies::add);
        } else if (answers.stream().allMatch(answer -> answer.result() == Result.NOT_TRIED)) {
            unprobed.add(name);
        } else {
            confirmed.add(name);
        }
    }

    private Check judge() {
        List<String> observed = new ArrayList<>();
        add(observed, "reachable by rules of others: ", admitted);
        add(observed, "answering a probe although no rule admits it: ", answering);
        add(observed, "closed by the firewall, and not probed: ", unprobed);
        add(observed, "reachable by the spec: ", bySpec);
        add(observed, "declared with openPorts(…): ", declared);
        add(observed, "closed by the firewall, and found closed by a probe: ", confirmed);
        add(observed, "closed by the firewall, UDP, which no probe can tell: ", udp);
        add(observed, "by the rules that ufw brings: ", byUfw);
        if (!HostChecks.isClosed(facts)) {
            observed.add(0, "the firewall does not close what no rule admits");
        }
        String method =
                "ss -ltun, each socket compared with the loaded rules and, for TCP, with probes; allowed are the spec's ports with SSH"
                        + " and WireGuard, those declared with openPorts(…), loopback, ufw's own rules, and what is closed";
        String all = observed.isEmpty() ? "nothing listens but on loopback" : String.join("; ", observed);
        boolean reachable = !admitted.isEmpty() || !answering.isEmpty();
        if (HostChecks.isClosed(facts) && !reachable && !unprobed.isEmpty()) {
            return item(host.name())
                    .unchecked(method, all, "See what listens there (ss -ltnp), and stop what nobody needs.");
        }
        return item(host.name())
                .made(
                        method,
                        all,
                        HostChecks.isClosed(facts) && !reachable,
                        reachable && !remedies.isEmpty() && admitted.isEmpty()
                                ? String.join(" ", remedies)
                                : reachable
                                        ? "See which program it is (ss -ltnp). Stop it, or take away the rule that admits it (ufw status numbered, then"
                                                + " ufw delete NUMBER); or say on the host that others are to reach it: with openPorts(…) by"
                                                + " rules of your own, with allow(…) by one of PromGuard's."
                                        : "Run apply, which closes what no rule admits.");
    }

    private static void add(List<String> observed, String what, Set<String> names) {
        if (!names.isEmpty()) {
            observed.add(what + HostChecks.listed(names.stream()));
        }
    }

    /** The TCP ports that something beside loopback listens on and that no rule is known to admit. */
    static Set<Integer> unadmitted(Blueprint.Host host, HostFacts facts) {
        List<LoadedRule> loaded =
                LoadedRule.of(facts).stream().filter(rule -> !rule.isUfwsOwn()).toList();
        return facts.listening().stream()
                .filter(socket -> socket.protocol().equals("tcp") && socket.port() > 0 && !socket.onLoopback())
                .map(SocketFact::port)
                .filter(port -> loaded.stream().noneMatch(rule -> rule.mayAdmit(Protocol.TCP, port)))
                .filter(port -> host.firewall().stream()
                        .noneMatch(rule -> rule.protocol() == Protocol.TCP && rule.port() == port))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
