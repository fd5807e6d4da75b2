package dev.promguard;

import dev.promguard.ExpectedTargets.Expected;
import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Every check that is due by the spec alone, so that one which was left out, for whatever reason, is reported and does not pass in
 * silence. A pure function of the mesh.
 */
final class DueChecks {
    /** What is checked of a host first. */
    static final String EXISTS = "exists";

    static final String HOST_KEY = "proves the SSH host key that it is known by";
    static final String OWN_KEY = "has a WireGuard key of its own";

    private DueChecks() {}

    /**
     * A check that is due.
     *
     * @param host the host it is about
     * @param claim what should hold
     * @param from the host that has to be observed for it
     * @param otherwise why it could not be made although that host was observed
     */
    record Due(String host, String claim, String from, String otherwise) {}

    /** What is due of a mesh, host by host. */
    static List<Due> of(Blueprint blueprint) {
        List<Due> due = new ArrayList<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            String name = host.name();
            due.add(new Due(name, EXISTS, name, "the provider was not asked"));
            due.add(new Due(name, HOST_KEY, name, "it showed none"));
            HostClaims.claims(blueprint, host)
                    .forEach(claim -> due.add(new Due(name, claim, name, "its facts do not say")));
            due.add(new Due(name, ListenerChecks.CLAIM, name, "its facts do not say"));
            due.add(new Due(name, OWN_KEY, name, "it shows no WireGuard key"));
            HostClaims.guarded(blueprint, host)
                    .forEach(port -> due.add(
                            new Due(name, KnockClaims.outsideClaim(port), name, "no address of it could be tried")));
            if (blueprint.hosts().size() > 1) {
                due.add(new Due(name, KnockClaims.PEERS, name, "no other host could try it"));
            }
        }
        for (Blueprint.Host monitor : blueprint.monitors()) {
            ofMonitor(blueprint, monitor, due);
        }
        return List.copyOf(due);
    }

    private static void ofMonitor(Blueprint blueprint, Blueprint.Host monitor, List<Due> due) {
        String name = monitor.name();
        String silent = "Prometheus on " + name + " did not answer";
        for (Expected each : new ExpectedTargets(blueprint, monitor).all()) {
            due.add(new Due(each.host().name(), PrometheusClaims.claim(monitor, each), name, silent));
        }
        if (PrometheusClaims.hasRules(blueprint.spec())) {
            due.add(new Due(name, PrometheusClaims.RULES, name, silent));
        }
        for (Blueprint.Host host : blueprint.hosts()) {
            if (!host.equals(monitor)
                    && blueprint.scrapes(monitor, host, blueprint.spec().nodeExporterPort())) {
                due.add(new Due(host.name(), KnockClaims.pageClaim(name), name, "it was not fetched"));
            }
        }
    }

    /**
     * What is due and was not made.
     *
     * @param blueprint the mesh
     * @param made the checks that were made
     * @param unobserved why hosts could not be observed, by host
     * @return a check for each, none of which passes
     */
    static List<Check> unchecked(Blueprint blueprint, List<Check> made, Map<String, String> unobserved) {
        Set<List<String>> known = new HashSet<>();
        made.forEach(check -> known.add(List.of(check.host(), check.claim())));
        List<Check> unchecked = new ArrayList<>();
        for (Due due : of(blueprint)) {
            if (!known.contains(List.of(due.host(), due.claim()))) {
                String why = Optional.ofNullable(unobserved.get(due.from()))
                        .map(reason -> (due.from().equals(due.host()) ? "" : due.from() + ": ") + reason)
                        .or(() -> Optional.ofNullable(unobserved.get(due.host())))
                        .orElse(due.otherwise());
                unchecked.add(Check.unchecked(
                        due.host(),
                        due.claim(),
                        "not checked",
                        why,
                        "Put right what stands in the way, then verify again."));
            }
        }
        return unchecked;
    }
}
