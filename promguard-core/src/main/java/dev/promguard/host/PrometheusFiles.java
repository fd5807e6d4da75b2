package dev.promguard.host;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.PrometheusSpec;
import dev.promguard.blueprint.PrometheusSpec.Authentication;
import dev.promguard.blueprint.PrometheusSpec.RemoteWrite;
import dev.promguard.blueprint.PrometheusSpec.RuleFile;
import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import dev.promguard.keys.Secret;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/** Renders what a monitor runs Prometheus with: its unit, configuration, targets, rule files and secrets. */
final class PrometheusFiles {
    static final String CONFIG = "/etc/prometheus/prometheus.yml";
    private static final String TARGETS = "/etc/prometheus/targets/node.json";
    private static final String UNIT = "prometheus.service";
    private static final String RULES_FOLDER = "/etc/prometheus/rules/";
    private static final String SECRETS_FOLDER = "/etc/prometheus/secrets/";
    private static final String UNIT_FILE = "/etc/systemd/system/" + UNIT;

    private final Templates templates;
    private final ExporterFiles exporterFiles;

    PrometheusFiles(Templates templates, ExporterFiles exporterFiles) {
        this.templates = templates;
        this.exporterFiles = exporterFiles;
    }

    /** The release to unpack. */
    static ReleaseInstall install(Blueprint blueprint) {
        return new ReleaseInstall(blueprint.spec().prometheus().release(), List.of("prometheus", "promtool"));
    }

    /** All files of a monitor's Prometheus that hold no secret, in the order in which they are written. */
    List<ManagedFile> files(Blueprint blueprint, Blueprint.Host monitor) {
        ReleaseInstall prometheus = install(blueprint);
        List<ManagedFile> files = new ArrayList<>();
        files.add(ManagedFile.readable(TARGETS, targets(blueprint)));
        files.addAll(exporterFiles.jobs(blueprint).values());
        ruleFiles(blueprint)
                .forEach((path, content) -> files.add(ManagedFile.readable(path, content)
                        .checkedBy(List.of(prometheus.path("promtool"), "check", "rules"))));
        files.add(ManagedFile.readable(CONFIG, prometheusConfig(blueprint, monitor))
                .checkedBy(List.of(prometheus.path("promtool"), "check", "config")));
        files.add(ManagedFile.readable(UNIT_FILE, prometheusUnit(blueprint, prometheus)));
        return files;
    }

    /** Prometheus' unit, as part of what a monitor should run. */
    static Unit unit(Blueprint blueprint, List<ManagedFile> files) {
        Set<String> reloadWith = new HashSet<>();
        for (ManagedFile file : files) {
            if (file.path().equals(CONFIG) || file.path().startsWith(RULES_FOLDER)) {
                reloadWith.add(file.path());
            }
        }
        return new Unit(UNIT, Set.of(UNIT_FILE, install(blueprint).folder(), "prometheus"), reloadWith);
    }

    /**
     * The files with the secrets of remote writes.
     *
     * @param secrets the secret of each remote write that has one, by its name
     * @throws IllegalArgumentException if a secret is missing
     */
    static List<SecretFile> secrets(PrometheusSpec spec, Map<String, Secret> secrets) {
        List<SecretFile> files = new ArrayList<>();
        for (RemoteWrite write : spec.remoteWrites()) {
            if (write.authentication() != Authentication.NONE) {
                Secret secret = secrets.get(write.name());
                if (secret == null) {
                    throw new IllegalArgumentException("the secret of " + Names.quote(write.name()) + " is missing");
                }
                files.add(new SecretFile(secretFile(write), "prometheus", secret));
            }
        }
        return files;
    }

    private static String secretFile(RemoteWrite write) {
        return SECRETS_FOLDER + write.name();
    }

    /** Prometheus' rule files by path, PromGuard's own first. */
    private Map<String, String> ruleFiles(Blueprint blueprint) {
        PrometheusSpec spec = blueprint.spec().prometheus();
        Map<String, String> files = new LinkedHashMap<>();
        List<Map<String, String>> expiring = expiring(blueprint);
        if (spec.defaultRules() || !expiring.isEmpty()) {
            long interval = spec.scrapeInterval().toSeconds();
            files.put(
                    RULES_FOLDER + "promguard.yml",
                    templates.render(
                            "rules.yml.j2",
                            Map.of(
                                    "mesh",
                                    blueprint.mesh(),
                                    "alerts",
                                    spec.defaultRules(),
                                    "timeout",
                                    Math.max(120, 3 * interval) + "s",
                                    "window",
                                    Math.max(300, 4 * interval) + "s",
                                    "handshakeAge",
                                    Math.max(300, 180 + 2 * interval),
                                    "viewers",
                                    blueprint.viewers().stream()
                                            .map(Blueprint.Viewer::name)
                                            .toList(),
                                    "expiring",
                                    expiring)));
        }
        for (RuleFile file : spec.ruleFiles()) {
            files.put(
                    RULES_FOLDER + file.name() + ".yml", file.text().endsWith("\n") ? file.text() : file.text() + '\n');
        }
        return files;
    }

    /** The viewers whose access ends, each with the time in seconds since 1970. */
    private static List<Map<String, String>> expiring(Blueprint blueprint) {
        List<Map<String, String>> expiring = new ArrayList<>();
        for (Blueprint.Viewer viewer : blueprint.viewers()) {
            viewer.spec()
                    .until()
                    .ifPresent(end ->
                            expiring.add(Map.of("name", viewer.name(), "until", Long.toString(end.getEpochSecond()))));
        }
        return List.copyOf(expiring);
    }

    private String prometheusUnit(Blueprint blueprint, ReleaseInstall prometheus) {
        return templates.render(
                "prometheus.service.j2",
                Map.of(
                        "mesh",
                        blueprint.mesh(),
                        "wireGuardUnit",
                        WireGuardInterface.unit(blueprint.interfaceName()),
                        "killSwitchUnit",
                        KillSwitch.UNIT,
                        "user",
                        "prometheus",
                        "binary",
                        prometheus.path("prometheus"),
                        "config",
                        CONFIG,
                        "retention",
                        retention(blueprint.spec().prometheus()),
                        "listen",
                        Renderer.endpoint(
                                "127.0.0.1", blueprint.spec().prometheus().port())));
    }

    /** The flags, each with a space before it. */
    private static String retention(PrometheusSpec spec) {
        return spec.retention()
                        .map(time -> " --storage.tsdb.retention.time=" + seconds(time))
                        .orElse("")
                + spec.retentionSize()
                        .map(size -> " --storage.tsdb.retention.size=" + size)
                        .orElse("");
    }

    private String prometheusConfig(Blueprint blueprint, Blueprint.Host monitor) {
        List<Map<String, String>> exposed = new ArrayList<>();
        exporterFiles
                .jobs(blueprint)
                .forEach((job, file) -> exposed.add(Map.of("name", job, "targetsFile", file.path())));
        PrometheusSpec spec = blueprint.spec().prometheus();
        List<Blueprint.Host> monitors = blueprint.monitors();
        Map<String, Object> values = new HashMap<>();
        values.put("mesh", blueprint.mesh());
        values.put("scrapeInterval", seconds(spec.scrapeInterval()));
        values.put("scrapeTimeout", timeout(spec.scrapeInterval()));
        values.put("externalLabels", externalLabels(blueprint, monitor));
        values.put("ruleFiles", List.copyOf(ruleFiles(blueprint).keySet()));
        values.put(
                "alertmanagers",
                spec.alertmanagers().stream().map(PrometheusFiles::alertmanager).toList());
        values.put("selfAddress", Renderer.endpoint("127.0.0.1", spec.port()));
        values.put("node", monitor.name());
        values.put("region", monitor.spec().region());
        values.put("targetsFile", TARGETS);
        values.put("shards", spec.shards() && monitors.size() > 1 ? monitors.size() : "");
        values.put("shard", monitors.indexOf(monitor));
        values.put("exposed", exposed);
        values.put(
                "scrapeJobs",
                spec.scrapeJobs().stream().map(job -> job(spec, job)).toList());
        values.put(
                "remoteWrites",
                spec.remoteWrites().stream().map(PrometheusFiles::remoteWrite).toList());
        return templates.render("prometheus.yml.j2", values);
    }

    private static List<Map<String, String>> externalLabels(Blueprint blueprint, Blueprint.Host monitor) {
        PrometheusSpec spec = blueprint.spec().prometheus();
        Map<String, String> labels = new TreeMap<>(spec.externalLabels());
        labels.putIfAbsent("cluster", blueprint.mesh());
        labels.put(spec.shards() ? "shard" : "replica", monitor.name());
        return labels(labels);
    }

    private static List<Map<String, String>> labels(Map<String, String> labels) {
        return labels.entrySet().stream()
                .map(label -> Map.of("name", label.getKey(), "value", label.getValue()))
                .toList();
    }

    private static Map<String, String> alertmanager(URI uri) {
        int port = uri.getPort() > 0 ? uri.getPort() : uri.getScheme().equals("https") ? 443 : 80;
        return Map.of(
                "scheme", uri.getScheme(),
                "path", Objects.requireNonNullElse(uri.getRawPath(), ""),
                "target", uri.getHost() + ':' + port);
    }

    private static Map<String, Object> job(PrometheusSpec spec, ScrapeJob job) {
        Duration interval = job.interval().orElse(spec.scrapeInterval());
        return Map.of(
                "name", job.name(),
                "interval", seconds(interval),
                "timeout", timeout(interval),
                "path", job.path(),
                "scheme", job.scheme(),
                "targets", job.targets(),
                "labels", labels(job.labels()));
    }

    private static Map<String, String> remoteWrite(RemoteWrite write) {
        return Map.of(
                "name", write.name(),
                "url", write.uri().toASCIIString(),
                "authentication", write.authentication().name(),
                "userName", write.userName().orElse(""),
                "secretFile", secretFile(write));
    }

    private static String seconds(Duration duration) {
        return duration.toSeconds() + "s";
    }

    /** Ten seconds, or the interval where that is shorter: a scrape must be over before the next. */
    private static String timeout(Duration interval) {
        return Math.min(10, interval.toSeconds()) + "s";
    }

    private String targets(Blueprint blueprint) {
        List<Map<String, String>> targets = new ArrayList<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            Map<String, String> target = new LinkedHashMap<>();
            target.put(
                    "address",
                    Renderer.endpoint(host.address(), blueprint.spec().nodeExporterPort()));
            target.put("node", host.name());
            target.put("region", host.spec().region());
            target.put("role", host.role().id());
            targets.add(target);
        }
        return templates.render("targets.json.j2", Map.of("targets", targets));
    }
}
