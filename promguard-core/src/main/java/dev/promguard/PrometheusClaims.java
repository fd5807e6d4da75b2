package dev.promguard;

import dev.promguard.PrometheusApi.Rule;
import dev.promguard.PrometheusApi.Target;
import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exposure;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.PrometheusSpec.Authentication;
import dev.promguard.blueprint.PrometheusSpec.RemoteWrite;
import dev.promguard.render.DesiredHost;
import dev.promguard.spi.HostSession;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What one monitor's Prometheus says of its targets and its rules. */
final class PrometheusClaims {
    private static final Pattern RULE =
            Pattern.compile("(?m)^[ -]*(?:alert|record):[ ]*[\"']?([A-Za-z_:][A-Za-z0-9_:. -]*?)[\"']?[ ]*(?:#.*)?$");
    private static final String RULES_FOLDER = "/etc/prometheus/rules/";

    private final Environment environment;
    private final MeshSpec spec;
    private final Blueprint blueprint;
    private final Blueprint.Host monitor;
    private final List<Check> checks = new ArrayList<>();
    private final Map<String, String> health = new TreeMap<>();

    PrometheusClaims(Environment environment, Blueprint blueprint, Blueprint.Host monitor) {
        this.environment = environment;
        this.spec = blueprint.spec();
        this.blueprint = blueprint;
        this.monitor = monitor;
    }

    /** The claims, once checked. */
    List<Check> checks() {
        return List.copyOf(checks);
    }

    /** What Prometheus says of the hosts' node_exporters, by host. */
    Map<String, String> health() {
        return Map.copyOf(health);
    }

    /** Asks until all targets are up or a scrape of each is long overdue. */
    PrometheusClaims check(HostSession session, DesiredHost desired) {
        String how = "GET /api/v1/targets of Prometheus on " + monitor.name();
        List<Target> targets = List.of();
        List<Rule> rules = List.of();
        String trouble = "";
        long deadline = System.nanoTime()
                + spec.prometheus()
                        .scrapeInterval()
                        .plus(environment.waits().firstScrape())
                        .toNanos();
        try {
            int port = session.forward("127.0.0.1", spec.prometheus().port());
            PrometheusApi api = new PrometheusApi(URI.create("http://127.0.0.1:" + port + "/"));
            while (true) {
                try {
                    targets = api.targets();
                    trouble = "";
                } catch (IOException e) {
                    trouble = String.valueOf(e.getMessage());
                }
                if (allUp(targets) || System.nanoTime() > deadline) {
                    break;
                }
                LockSupport.parkNanos(environment.waits().targets().toNanos());
                if (Thread.currentThread().isInterrupted()) {
                    throw new CancelledException(
                            "interrupted while waiting for Prometheus to scrape its targets",
                            new InterruptedException());
                }
            }
            if (trouble.isEmpty()) {
                rules = api.rules();
            }
        } catch (HostException | IOException e) {
            trouble = String.valueOf(e.getMessage());
        }
        if (trouble.isEmpty()) {
            targets(targets, how);
            rules(rules, desired);
            unencrypted();
        } else {
            checks.add(Check.of(
                    monitor.name(),
                    "Prometheus answers",
                    how,
                    trouble,
                    false,
                    "Run apply; if that changes nothing, read journalctl -u prometheus on the host."));
        }
        return this;
    }

    private void targets(List<Target> targets, String how) {
        target(targets, "prometheus", spec.prometheus().port(), monitor, how);
        for (Blueprint.Host host : blueprint.hosts()) {
            if (blueprint.scrapes(monitor, host, spec.nodeExporterPort())) {
                health.put(host.name(), target(targets, "node", spec.nodeExporterPort(), host, how));
            }
            for (Exposure exposure : host.spec().exposures()) {
                if (blueprint.scrapes(monitor, host, exposure.port())) {
                    target(targets, exposure.job(), exposure.port(), host, how);
                }
            }
            for (Exporter exporter : host.spec().exporters()) {
                if (!exporter.probes().isEmpty() && blueprint.scrapes(monitor, host, exporter.port())) {
                    probes(targets, exporter, host, how);
                }
            }
        }
    }

    /** Credentials that leave the host as they are. Nothing is claimed of them, for all of the way may be private. */
    private void unencrypted() {
        for (RemoteWrite write : spec.prometheus().remoteWrites()) {
            String server = String.valueOf(write.uri().getHost());
            String address = server.replaceAll("[\\[\\]]", "");
            if (write.authentication() != Authentication.NONE
                    && "http".equals(write.uri().getScheme())
                    && !Names.isLoopback(server)
                    && blueprint.hosts().stream()
                            .noneMatch(host -> host.address().equals(address))) {
                checks.add(Check.noted(
                        monitor.name(),
                        "sends the credentials of " + write.name() + " unencrypted",
                        "remoteWrite of the wish",
                        write.uri().toString(),
                        "Use https, unless all of the way there is private."));
            }
        }
    }

    private void probes(List<Target> targets, Exporter exporter, Blueprint.Host host, String how) {
        List<Target> probes = targets.stream()
                .filter(target -> target.job().equals(exporter.probeJob()))
                .filter(target -> target.node().equals(host.name()))
                .filter(target -> port(target) == exporter.port())
                .toList();
        List<Target> down =
                probes.stream().filter(target -> !target.health().equals("up")).toList();
        checks.add(Check.of(
                host.name(),
                monitor.name() + " has its probes made, job " + exporter.probeJob(),
                how,
                down.isEmpty()
                        ? probes.size() + " of " + exporter.probes().size() + " are up"
                        : down.get(0).url() + " is " + down.get(0).health() + " ("
                                + down.get(0).lastError() + ")",
                down.isEmpty() && probes.size() == exporter.probes().size(),
                "Run apply; if one stays down, see that the exporter's configuration has its module."));
    }

    /** The port of a target's URL, or -1 if it has none. */
    private static int port(Target target) {
        try {
            return new URI(target.url()).getPort();
        } catch (URISyntaxException e) {
            return -1;
        }
    }

    private boolean allUp(List<Target> targets) {
        long due = 1;
        for (Blueprint.Host host : blueprint.hosts()) {
            due += blueprint.scrapes(monitor, host, spec.nodeExporterPort()) ? 1 : 0;
            due += host.spec().exposures().stream()
                    .filter(exposure -> blueprint.scrapes(monitor, host, exposure.port()))
                    .count();
            due += host.spec().exporters().stream()
                    .filter(exporter -> blueprint.scrapes(monitor, host, exporter.port()))
                    .mapToInt(exporter -> exporter.probes().size())
                    .sum();
        }
        return targets.size() >= due
                && targets.stream().allMatch(target -> target.health().equals("up"));
    }

    private String target(List<Target> targets, String job, int port, Blueprint.Host host, String how) {
        Optional<Target> target = targets.stream()
                .filter(candidate -> candidate.job().equals(job))
                .filter(candidate -> candidate.node().equals(host.name()))
                .filter(candidate -> port(candidate) == port)
                .findFirst();
        String said = target.map(Target::health).orElse("missing");
        checks.add(Check.of(
                host.name(),
                monitor.name() + " scrapes port " + port + ", job " + job,
                how,
                target.map(found -> found.url() + " is " + said
                                + (found.lastError().isEmpty() ? "" : " (" + found.lastError() + ")"))
                        .orElse("no such target"),
                said.equals("up"),
                "Run apply; if it stays down, see that " + spec.wireGuardPort() + "/udp passes between the hosts."));
        return said;
    }

    /** That an alert is sent when something breaks hangs on the rules being loaded, not on their files being there. */
    private void rules(List<Rule> rules, DesiredHost desired) {
        Set<String> wished = new TreeSet<>();
        desired.files().stream()
                .filter(file -> file.path().startsWith(RULES_FOLDER))
                .forEach(file -> {
                    Matcher rule = RULE.matcher(file.content());
                    while (rule.find()) {
                        wished.add(rule.group(1));
                    }
                });
        if (wished.isEmpty()) {
            return;
        }
        Set<String> missing = new TreeSet<>(wished);
        rules.forEach(rule -> missing.remove(rule.name()));
        List<String> broken = rules.stream()
                .filter(rule -> rule.health().equals("err"))
                .map(rule -> rule.name() + " (" + rule.lastError() + ')')
                .toList();
        String seen = missing.isEmpty() ? "all of them" : "without " + String.join(", ", missing);
        checks.add(Check.of(
                monitor.name(),
                "has its " + wished.size() + " alerting and recording rules loaded",
                "GET /api/v1/rules of Prometheus on " + monitor.name(),
                seen + (broken.isEmpty() ? ", none in error" : "; in error: " + String.join(", ", broken)),
                missing.isEmpty() && broken.isEmpty(),
                "Run apply; if that changes nothing, read journalctl -u prometheus on the host, and check your own rules"
                        + " with promtool."));
    }
}
