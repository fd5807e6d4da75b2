package dev.promguard.internal.verify;

import dev.promguard.CheckKind;
import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.host.HostProblem;
import dev.promguard.host.MeshTraffic;
import dev.promguard.host.MeshTraffic.Published;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Which rules of others the mesh's packets do not pass, and which send packets from outside past ufw. Pure functions. */
final class TrafficChecks {
    private static final String METHOD =
            "every rule that is loaded, by iptables-save, ip6tables-save and nft list ruleset, and ufw's own files";

    private TrafficChecks() {}

    /**
     * Judges a host.
     *
     * @param host its name
     * @param traffic what was found of its rules
     * @return the checks; none where there is nothing to say
     */
    static List<Check> of(String host, MeshTraffic traffic) {
        List<Check> checks = new ArrayList<>();
        List<HostProblem> problems =
                traffic.blocked().stream().map(MeshTraffic.Blocked::problem).toList();
        if (!problems.isEmpty()) {
            checks.add(new CheckItem(
                            host, CheckKind.MESH_TRAFFIC_PASSES, "lets what the mesh needs pass the rules of others")
                    .failed(
                            METHOD,
                            HostChecks.listed(problems.stream().map(HostProblem::message)),
                            join(problems.stream().map(HostProblem::remedy))));
        }
        if (!traffic.published().isEmpty()) {
            checks.add(new CheckItem(host, CheckKind.PORTS_PUBLISHED, "has rules that publish ports")
                    .note(
                            METHOD,
                            HostChecks.listed(traffic.published().stream().map(Published::describe)),
                            "PromGuard leaves rules of others alone. Where nobody needs one, take it away: "
                                    + String.join(
                                            "; ",
                                            traffic.published().stream()
                                                    .map(published ->
                                                            published.rule().removal())
                                                    .distinct()
                                                    .limit(5)
                                                    .toList())));
        }
        return checks;
    }

    /** The TCP ports that rules publish and that the spec neither opens nor declares; it opens those that lead to a port that it allows. */
    static Stream<Integer> undeclared(Blueprint.Host host, List<Published> published) {
        return published.stream()
                .filter(rule ->
                        rule.local().filter(to -> admits(host, to.port())).isEmpty())
                .flatMap(rule -> rule.tcpPorts().stream())
                .filter(port -> !host.spec().openPorts().contains(port))
                .filter(port -> !admits(host, port));
    }

    private static boolean admits(Blueprint.Host host, int port) {
        return host.firewall().stream()
                .anyMatch(rule -> rule.protocol() == Protocol.TCP
                        && rule.port() == port
                        && rule.from().isEmpty());
    }

    /** What to do about a port that answers, where a rule publishes it: neither ss nor ufw shows that. */
    static Optional<String> remedy(List<Published> published, int port) {
        return published.stream()
                .filter(rule -> rule.isForTcp(port))
                .findFirst()
                .map(rule -> rule.describe() + (rule.local().isEmpty() ? ", which ufw does not see" : "")
                        + ". Take that rule away (" + rule.rule().removal()
                        + "), or declare the port with openPorts(…) on the host, if others are to"
                        + " reach it.");
    }

    private static String join(Stream<String> texts) {
        return String.join(" ", texts.distinct().limit(5).toList());
    }
}
