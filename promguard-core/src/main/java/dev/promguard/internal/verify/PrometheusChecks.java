package dev.promguard.internal.verify;

import dev.promguard.CheckKind;
import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.PrometheusSpec;
import dev.promguard.blueprint.PrometheusSpec.Authentication;
import dev.promguard.blueprint.PrometheusSpec.RemoteWrite;
import dev.promguard.host.DesiredHost;
import dev.promguard.host.ManagedFile;
import dev.promguard.internal.verify.ExpectedTargets.Expected;
import dev.promguard.internal.verify.PrometheusApi.Rule;
import dev.promguard.internal.verify.PrometheusApi.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Judges the targets and rules of one monitor's Prometheus. A pure function of the spec and the answer. */
final class PrometheusChecks {
    private static final String RULES_FOLDER = "/etc/prometheus/rules/";

    private final MeshSpec spec;
    private final Blueprint blueprint;
    private final Blueprint.Host monitor;
    private final TunnelEnds tunnels;
    private final List<Check> checks = new ArrayList<>();
    private final Map<String, String> health = new TreeMap<>();

    /**
     * The checks of one monitor.
     *
     * @param tunnels what is known of the ends of the tunnels
     */
    PrometheusChecks(Blueprint blueprint, Blueprint.Host monitor, TunnelEnds tunnels) {
        this.tunnels = tunnels;
        this.spec = blueprint.spec();
        this.blueprint = blueprint;
        this.monitor = monitor;
    }

    /** The checks, once made. */
    List<Check> checks() {
        return List.copyOf(checks);
    }

    /** The state of the hosts' node_exporters in Prometheus, by host. */
    Map<String, String> health() {
        return Map.copyOf(health);
    }

    /**
     * Judges an answer.
     *
     * @param desired what the monitor should be
     */
    PrometheusChecks check(PrometheusAnswer answer, DesiredHost desired) {
        String method = "GET /api/v1/targets of Prometheus on " + monitor.name();
        if (answer instanceof PrometheusAnswer.Answered answered) {
            targets(answered.targets(), method);
            if (hasRules(blueprint)) {
                rules(answered, desired);
            }
            unencrypted();
        } else if (answer instanceof PrometheusAnswer.Silent silent) {
            checks.add(new CheckItem(monitor.name(), CheckKind.PROMETHEUS_ANSWERS, "Prometheus answers")
                    .failed(
                            method,
                            silent.why(),
                            "Run apply; if that changes nothing, read journalctl -u prometheus on the host."));
        }
        return this;
    }

    private void targets(List<Target> targets, String method) {
        for (Expected each : new ExpectedTargets(blueprint, monitor).all()) {
            if (each.probes()) {
                probes(targets, each, method);
            } else {
                String said = target(targets, each, method);
                if (each.job().equals("node")) {
                    health.put(each.host().name(), said);
                }
            }
        }
    }

    /** Credentials that leave the host as they are. A note, for all of the way may be private. */
    private void unencrypted() {
        for (RemoteWrite write : spec.prometheus().remoteWrites()) {
            String server = String.valueOf(write.uri().getHost());
            String address = server.replaceAll("[\\[\\]]", "");
            if (write.authentication() != Authentication.NONE
                    && "http".equals(write.uri().getScheme())
                    && !Names.isLoopback(server)
                    && blueprint.hosts().stream()
                            .noneMatch(host -> host.address().equals(address))) {
                checks.add(new CheckItem(
                                monitor.name(),
                                CheckKind.CREDENTIALS_UNENCRYPTED,
                                "sends the credentials of " + write.name() + " unencrypted")
                        .about(write.name())
                        .note(
                                "remoteWrite of the spec",
                                write.uri().toString(),
                                "Use https, unless all of the way there is private."));
            }
        }
    }

    private void probes(List<Target> targets, Expected each, String method) {
        List<Target> probes = each.among(targets);
        List<Target> down =
                probes.stream().filter(target -> !target.health().equals("up")).toList();
        boolean up = down.isEmpty() && probes.size() == each.count();
        Optional<TunnelEnds.Missing> without = up ? Optional.empty() : tunnels.missing(monitor, each.host());
        checks.add(targetItem(monitor, each)
                .made(
                        method,
                        (down.isEmpty()
                                        ? probes.size() + " of " + each.count() + " are up"
                                        : down.get(0).url() + " is "
                                                + down.get(0).health() + " ("
                                                + down.get(0).lastError() + ")")
                                + without.map(tunnel -> "; " + tunnel.observed())
                                        .orElse(""),
                        up,
                        without.map(TunnelEnds.Missing::remedy)
                                .orElseGet(() -> tunnels.remedy(
                                        each.host().name(),
                                        "Run apply; if one stays down, see that the exporter's configuration has its"
                                                + " module."))));
    }

    private String target(List<Target> targets, Expected each, String method) {
        Optional<Target> target = each.among(targets).stream().findFirst();
        String said = target.map(Target::health).orElse("missing");
        boolean up = said.equals("up");
        Optional<TunnelEnds.Missing> without =
                up || isAtLoopback(each) ? Optional.empty() : tunnels.missing(monitor, each.host());
        checks.add(targetItem(monitor, each)
                .made(
                        method,
                        target.map(found -> found.url() + " is " + said
                                                + (found.lastError().isEmpty() ? "" : " (" + found.lastError() + ")"))
                                        .orElse("no such target")
                                + without.map(tunnel -> "; " + tunnel.observed())
                                        .orElse(""),
                        up,
                        without.map(TunnelEnds.Missing::remedy)
                                .orElseGet(() -> tunnels.remedy(each.host().name(), remedy(each)))));
        return said;
    }

    /** Whether a target is Prometheus itself, which it reaches on its own host without a tunnel. */
    private static boolean isAtLoopback(Expected each) {
        return each.page().isEmpty();
    }

    /** What to do about a target that is down though the tunnel to it is there. */
    private String remedy(Expected each) {
        return each.host().name().equals(monitor.name())
                ? "Run apply; if it stays down, see on the host what listens at port " + each.port()
                        + ", and what its journal says."
                : "Run apply; if it stays down, see that "
                        + spec.wireGuardPort(each.host().spec()) + "/udp passes between the hosts.";
    }

    /** What is checked of a target. */
    static CheckItem targetItem(Blueprint.Host monitor, Expected each) {
        String host = each.host().name();
        return each.probes()
                ? new CheckItem(
                                host,
                                CheckKind.PROBE_TARGETS_UP,
                                monitor.name() + " has its probes made, job " + each.job())
                        .about(monitor.name() + '/' + each.job())
                : new CheckItem(
                                host,
                                CheckKind.TARGET_UP,
                                monitor.name() + " scrapes port " + each.port() + ", job " + each.job())
                        .about(monitor.name() + '/' + each.job() + '/' + each.port());
    }

    /** What is checked of the rules. */
    static CheckItem rulesItem(Blueprint.Host monitor) {
        return new CheckItem(monitor.name(), CheckKind.RULES_LOADED, "has its alerting and recording rules loaded");
    }

    /** That an alert is sent when something breaks hangs on the rules being loaded, not on their files being there. */
    private void rules(PrometheusAnswer.Answered answer, DesiredHost desired) {
        String observed;
        boolean loaded = false;
        try {
            Set<String> names = new TreeSet<>();
            for (ManagedFile file : desired.files()) {
                if (file.path().startsWith(RULES_FOLDER)) {
                    names.addAll(names(file));
                }
            }
            if (answer.rulesFailure().isPresent()) {
                observed = "could not be checked: " + answer.rulesFailure().get();
            } else {
                Set<String> missing = new TreeSet<>(names);
                answer.rules().forEach(rule -> missing.remove(rule.name()));
                List<String> broken = answer.rules().stream()
                        .filter(rule -> rule.health().equals("err"))
                        .map(PrometheusChecks::describe)
                        .toList();
                loaded = missing.isEmpty() && broken.isEmpty();
                observed = (missing.isEmpty() ? "all " + names.size() : "without " + String.join(", ", missing))
                        + (broken.isEmpty() ? ", none in error" : "; in error: " + String.join(", ", broken));
            }
        } catch (IllegalArgumentException e) {
            observed = "could not be checked: " + e.getMessage();
        }
        checks.add(rulesItem(monitor)
                .made(
                        "GET /api/v1/rules of Prometheus on " + monitor.name()
                                + ", compared with the names in its rule files",
                        observed,
                        loaded,
                        "Run apply; if that changes nothing, read journalctl -u prometheus on the host, and check your own rules"
                                + " with promtool."));
    }

    private static String describe(Rule rule) {
        return rule.name() + " (" + rule.lastError() + ')';
    }

    /** Whether a monitor of a mesh is to have any rules. */
    static boolean hasRules(Blueprint blueprint) {
        PrometheusSpec prometheus = blueprint.spec().prometheus();
        return prometheus.defaultRules()
                || !prometheus.ruleFiles().isEmpty()
                || blueprint.viewers().stream()
                        .anyMatch(viewer -> viewer.spec().until().isPresent());
    }

    private static Set<String> names(ManagedFile file) {
        try {
            return RuleNames.in(file.content());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    file.path() + " is not the YAML that is read here (" + e.getMessage() + ')', e);
        }
    }
}
