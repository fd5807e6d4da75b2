package dev.promguard.internal.verify;

import dev.promguard.CheckKind;
import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.ForeignRules;
import dev.promguard.internal.verify.ExpectedTargets.Expected;
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
public final class DueChecks {
    private DueChecks() {}

    /**
     * A check that is due.
     *
     * @param item what is checked
     * @param from the host that has to be observed for it
     * @param otherwise why it could not be made although that host was observed
     */
    public record Due(CheckItem item, String from, String otherwise) {}

    /** That a host exists. */
    static CheckItem exists(String host) {
        return new CheckItem(host, CheckKind.HOST_EXISTS, "exists");
    }

    /** That a host proves its SSH host key. */
    static CheckItem hostKey(String host) {
        return new CheckItem(host, CheckKind.HOST_KEY_PINNED, "proves the SSH host key that it is known by");
    }

    /** That a host has a WireGuard key of its own. */
    static CheckItem ownKey(String host) {
        return new CheckItem(host, CheckKind.WIREGUARD_KEY_UNIQUE, "has a WireGuard key of its own");
    }

    /**
     * What is due of a mesh.
     *
     * @param blueprint the mesh
     * @return the checks, host by host
     */
    public static List<Due> of(Blueprint blueprint) {
        List<Due> due = new ArrayList<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            String name = host.name();
            due.add(new Due(exists(name), name, "the provider was not asked"));
            due.add(new Due(hostKey(name), name, "it showed none"));
            HostChecks.due(blueprint, host).forEach(item -> due.add(new Due(item, name, "its facts do not say")));
            due.add(new Due(ListenerChecks.item(name), name, "its facts do not say"));
            due.add(new Due(ownKey(name), name, "it shows no WireGuard key"));
            ForeignRules.guarded(blueprint, host)
                    .forEach(port -> due.add(new Due(
                            ReachabilityChecks.outsideItem(name, port), name, "no address of it could be probed")));
            if (blueprint.hosts().size() > 1) {
                due.add(new Due(ReachabilityChecks.peersItem(name), name, "no other host could probe it"));
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
            due.add(new Due(PrometheusChecks.targetItem(monitor, each), name, silent));
        }
        if (PrometheusChecks.hasRules(blueprint)) {
            due.add(new Due(PrometheusChecks.rulesItem(monitor), name, silent));
        }
        for (Blueprint.Host host : blueprint.hosts()) {
            if (!host.equals(monitor)
                    && blueprint.scrapes(monitor, host, blueprint.spec().nodeExporterPort())) {
                due.add(new Due(
                        ReachabilityChecks.pageItem(host.name(), name, blueprint.interfaceName()),
                        name,
                        "it was not fetched"));
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
        Set<CheckItem> known = new HashSet<>();
        made.forEach(check -> known.add(CheckItem.of(check)));
        List<Check> unchecked = new ArrayList<>();
        for (Due due : of(blueprint)) {
            if (!known.contains(due.item())) {
                String host = due.item().host();
                String why = Optional.ofNullable(unobserved.get(due.from()))
                        .map(reason -> (due.from().equals(host) ? "" : due.from() + ": ") + reason)
                        .or(() -> Optional.ofNullable(unobserved.get(host)))
                        .orElse(due.otherwise());
                unchecked.add(
                        due.item().unchecked("not checked", why, "Fix what stands in the way, then verify again."));
            }
        }
        return unchecked;
    }
}
