package dev.promguard;

import dev.promguard.ExpectedTargets.Expected;
import dev.promguard.ExpectedTargets.Next;
import dev.promguard.PrometheusApi.Rule;
import dev.promguard.PrometheusApi.Target;
import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.PrometheusSpec.Authentication;
import dev.promguard.blueprint.PrometheusSpec.RemoteWrite;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Pause;
import dev.promguard.render.DesiredHost;
import dev.promguard.render.ManagedFile;
import dev.promguard.spi.Door;
import dev.promguard.spi.DoorAnswer;
import dev.promguard.spi.HostSession;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** What one monitor's Prometheus says of its targets and its rules. */
final class PrometheusClaims {
    /** What is checked of the rules. */
    static final String RULES = "has its alerting and recording rules loaded";

    private static final Duration PROBE = Duration.ofSeconds(2);
    private static final String RULES_FOLDER = "/etc/prometheus/rules/";

    private final Context context;
    private final MeshSpec spec;
    private final Blueprint blueprint;
    private final Blueprint.Host monitor;
    private final ExpectedTargets expected;
    private final List<Check> checks = new ArrayList<>();
    private final Map<String, String> health = new TreeMap<>();

    PrometheusClaims(Context context, Blueprint blueprint, Blueprint.Host monitor) {
        this.context = context;
        this.spec = blueprint.spec();
        this.blueprint = blueprint;
        this.monitor = monitor;
        this.expected = new ExpectedTargets(blueprint, monitor);
    }

    /** The claims, once checked. */
    List<Check> checks() {
        return List.copyOf(checks);
    }

    /** What Prometheus says of the hosts' node_exporters, by host. */
    Map<String, String> health() {
        return Map.copyOf(health);
    }

    /** Asks until every target that is due was scraped, or its first scrape is overdue, and judges the answers. */
    PrometheusClaims check(HostSession session, DesiredHost desired) {
        String how = method(monitor);
        try {
            int port = session.forward("127.0.0.1", spec.prometheus().port());
            PrometheusApi api = new PrometheusApi(URI.create("http://127.0.0.1:" + port + "/"));
            targets(settled(api, session), how);
            rules(api, desired);
            unencrypted();
        } catch (HostException | IOException e) {
            checks.add(silent(monitor, String.valueOf(e.getMessage())));
        }
        return this;
    }

    /** That a monitor's Prometheus could not be asked. */
    static Check silent(Blueprint.Host monitor, String why) {
        return Check.of(
                monitor.name(),
                "Prometheus answers",
                method(monitor),
                why,
                false,
                "Run apply; if that changes nothing, read journalctl -u prometheus on the host.");
    }

    private static String method(Blueprint.Host monitor) {
        return "GET /api/v1/targets of Prometheus on " + monitor.name();
    }

    /**
     * The targets once there is nothing to wait for. A target that was not scraped yet is waited for until its first scrape is due,
     * by the scrape interval of the spec. One that was down at its last scrape is waited for only if it answers the monitor by now.
     */
    private List<Target> settled(PrometheusApi api, HostSession session) throws IOException {
        Duration soon = context.intervals().firstScrape();
        Duration aScrape = spec.prometheus().scrapeInterval().plus(soon);
        long start = System.nanoTime();
        List<Expected> back = List.of();
        boolean probed = false;
        while (true) {
            List<Target> targets = List.of();
            IOException failure = null;
            Duration timeout = soon;
            try {
                targets = api.targets();
                Next next = expected.next(targets);
                if (next == Next.JUDGE && !probed) {
                    back = answering(session, expected.down(targets));
                    probed = true;
                    start = System.nanoTime();
                }
                boolean stillDown = expected.down(targets).stream().anyMatch(back::contains);
                timeout = next == Next.AWAIT_TARGETS
                        ? soon
                        : next == Next.AWAIT_FIRST_SCRAPE || stillDown ? aScrape : Duration.ZERO;
            } catch (IOException e) {
                failure = e;
            }
            if (System.nanoTime() - start >= timeout.toNanos()) {
                if (failure != null) {
                    throw failure;
                }
                return targets;
            }
            Pause.of(context.intervals().targets(), "waiting for Prometheus to scrape its targets");
        }
    }

    /** Those of some targets that give the monitor their page now, so that the next scrape finds them up. */
    private static List<Expected> answering(HostSession session, List<Expected> down) {
        Map<Expected, Door> pages = new LinkedHashMap<>();
        for (Expected each : down) {
            each.page()
                    .filter(Door::isPage)
                    .ifPresent(
                            path -> pages.put(each, new Door(each.host().address(), each.port(), Optional.of(path))));
        }
        if (pages.isEmpty()) {
            return List.of();
        }
        List<DoorAnswer> answers = session.knock(List.copyOf(pages.values()), PROBE);
        List<Expected> asked = List.copyOf(pages.keySet());
        return IntStream.range(0, asked.size())
                .filter(i -> answers.get(i).whole())
                .mapToObj(asked::get)
                .toList();
    }

    private void targets(List<Target> targets, String how) {
        for (Expected each : expected.all()) {
            if (each.probes()) {
                probes(targets, each, how);
            } else {
                String said = target(targets, each, how);
                if (each.job().equals("node")) {
                    health.put(each.host().name(), said);
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

    private void probes(List<Target> targets, Expected each, String how) {
        List<Target> probes = each.among(targets);
        List<Target> down =
                probes.stream().filter(target -> !target.health().equals("up")).toList();
        checks.add(Check.of(
                each.host().name(),
                claim(monitor, each),
                how,
                down.isEmpty()
                        ? probes.size() + " of " + each.count() + " are up"
                        : down.get(0).url() + " is " + down.get(0).health() + " ("
                                + down.get(0).lastError() + ")",
                down.isEmpty() && probes.size() == each.count(),
                "Run apply; if one stays down, see that the exporter's configuration has its module."));
    }

    private String target(List<Target> targets, Expected each, String how) {
        Optional<Target> target = each.among(targets).stream().findFirst();
        String said = target.map(Target::health).orElse("missing");
        checks.add(Check.of(
                each.host().name(),
                claim(monitor, each),
                how,
                target.map(found -> found.url() + " is " + said
                                + (found.lastError().isEmpty() ? "" : " (" + found.lastError() + ")"))
                        .orElse("no such target"),
                said.equals("up"),
                "Run apply; if it stays down, see that " + spec.wireGuardPort() + "/udp passes between the hosts."));
        return said;
    }

    /** What is checked of a target. */
    static String claim(Blueprint.Host monitor, Expected each) {
        return each.probes()
                ? monitor.name() + " has its probes made, job " + each.job()
                : monitor.name() + " scrapes port " + each.port() + ", job " + each.job();
    }

    /** That an alert is sent when something breaks hangs on the rules being loaded, not on their files being there. */
    private void rules(PrometheusApi api, DesiredHost desired) {
        if (!hasRules(spec)) {
            return;
        }
        String seen;
        boolean loaded = false;
        try {
            Set<String> names = new TreeSet<>();
            for (ManagedFile file : desired.files()) {
                if (file.path().startsWith(RULES_FOLDER)) {
                    names.addAll(names(file));
                }
            }
            List<Rule> rules = api.rules();
            Set<String> missing = new TreeSet<>(names);
            rules.forEach(rule -> missing.remove(rule.name()));
            List<String> broken = rules.stream()
                    .filter(rule -> rule.health().equals("err"))
                    .map(rule -> rule.name() + " (" + rule.lastError() + ')')
                    .toList();
            loaded = missing.isEmpty() && broken.isEmpty();
            seen = (missing.isEmpty() ? "all " + names.size() : "without " + String.join(", ", missing))
                    + (broken.isEmpty() ? ", none in error" : "; in error: " + String.join(", ", broken));
        } catch (IOException e) {
            seen = "could not be checked: " + e.getMessage();
        }
        checks.add(Check.of(
                monitor.name(),
                RULES,
                "GET /api/v1/rules of Prometheus on " + monitor.name() + ", compared with the names in its rule files",
                seen,
                loaded,
                "Run apply; if that changes nothing, read journalctl -u prometheus on the host, and check your own rules"
                        + " with promtool."));
    }

    /** Whether a monitor of a mesh is to have any rules. */
    static boolean hasRules(MeshSpec spec) {
        return spec.prometheus().defaultRules()
                || !spec.prometheus().ruleFiles().isEmpty();
    }

    private static Set<String> names(ManagedFile file) throws IOException {
        try {
            return RuleNames.in(file.content());
        } catch (IllegalArgumentException e) {
            throw new IOException(file.path() + " is not the YAML that is read here (" + e.getMessage() + ')', e);
        }
    }
}
