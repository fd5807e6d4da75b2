package dev.promguard.host;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.HostEndpoint;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.PrometheusSpec;
import dev.promguard.blueprint.PrometheusSpec.Authentication;
import dev.promguard.blueprint.PrometheusSpec.RemoteWrite;
import dev.promguard.blueprint.PrometheusSpec.RuleFile;
import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import dev.promguard.blueprint.Role;
import dev.promguard.blueprint.ValueChecks;
import dev.promguard.keys.PublicKey;
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
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Renders what each host of a blueprint should be. A pure function of its arguments; thread-safe, and quicker when one
 * instance is used for many hosts.
 */
public final class Renderer {
    private static final List<String> PACKAGES = List.of("ca-certificates", "curl", "dbus", "ufw", "wireguard-tools");
    private static final String PROMETHEUS_CONFIG = "/etc/prometheus/prometheus.yml";
    private static final String PROMETHEUS_TARGETS = "/etc/prometheus/targets/node.json";
    private static final String PROMETHEUS_UNIT = "prometheus.service";
    private static final String NODE_EXPORTER_UNIT = "node_exporter.service";
    private static final String WIREGUARD_CONFIG = "/etc/wireguard/" + Blueprint.WIREGUARD_INTERFACE + ".conf";
    private static final String UNIT_FOLDER = "/etc/systemd/system/";
    private static final String RULES_FOLDER = "/etc/prometheus/rules/";
    private static final String SECRETS_FOLDER = "/etc/prometheus/secrets/";
    private static final String METRICS = "promguard-wireguard-metrics";
    private static final String METRICS_TIMER = METRICS + ".timer";
    private static final String METRICS_SERVICE = METRICS + ".service";
    private static final String METRICS_SCRIPT = "/usr/local/lib/promguard/wireguard-metrics.sh";
    /** Below /run: what was true before a boot is not told after it. */
    private static final String METRICS_FOLDER = "/run/" + METRICS;

    /** Shorter than any NAT forgets a UDP mapping that was used both ways. */
    private static final int KEEPALIVE_SECONDS = 25;

    private static final String UNKNOWN = "(known after apply)";

    private final Templates templates;
    private final Map<String, Secret> secrets;
    private final ExporterFiles exporterFiles;

    /** Makes a renderer. */
    public Renderer() {
        this(new Templates(), Map.of());
    }

    private Renderer(Templates templates, Map<String, Secret> secrets) {
        this.templates = templates;
        exporterFiles = new ExporterFiles(templates);
        this.secrets = Map.copyOf(secrets);
    }

    /**
     * The same renderer with the secrets that hosts are to hold.
     *
     * @param ofRemoteWrites the secret of each remote write that has one, by its name; the caller's to close
     * @return a renderer that shares this one's templates
     */
    public Renderer withSecrets(Map<String, Secret> ofRemoteWrites) {
        return new Renderer(templates, ofRemoteWrites);
    }

    /**
     * Renders one host. Peers whose public key is not known yet are left out: they cannot be peers before it is.
     *
     * @param blueprint the blueprint
     * @param name the host's name
     * @param publicAddresses the public address of each host that has one, by name
     * @param publicKeys the WireGuard public key of each host that has one, by name; must hold the host's own
     * @return what the host should be
     * @throws IllegalArgumentException if the blueprint has no such host, or its own public key is missing
     */
    public DesiredHost render(
            Blueprint blueprint, String name, Map<String, String> publicAddresses, Map<String, PublicKey> publicKeys) {
        Set<String> peers = blueprint.spec().presharedKeys()
                ? Set.copyOf(blueprint.host(name).peers())
                : Set.of();
        return render(blueprint, name, publicAddresses, publicKeys, peers);
    }

    /**
     * Renders one host, which shares a preshared key with some of its peers only: with the others none was agreed on yet.
     *
     * @param blueprint the blueprint
     * @param name the host's name
     * @param publicAddresses the public address of each host that has one, by name
     * @param publicKeys the WireGuard public key of each host that has one, by name; must hold the host's own
     * @param presharedWith the names of the peers that it shares a preshared key with
     * @return what the host should be
     * @throws IllegalArgumentException if the blueprint has no such host, or its own public key is missing
     */
    public DesiredHost render(
            Blueprint blueprint,
            String name,
            Map<String, String> publicAddresses,
            Map<String, PublicKey> publicKeys,
            Set<String> presharedWith) {
        Blueprint.Host host = blueprint.host(name);
        PublicKey ownKey = publicKeys.get(name);
        if (ownKey == null) {
            throw new IllegalArgumentException("the public key of " + Names.quote(name) + " is missing");
        }
        List<WireGuardInterface.Peer> peers = new ArrayList<>();
        for (String peerName : host.peers()) {
            PublicKey key = publicKeys.get(peerName);
            if (key != null) {
                peers.add(new WireGuardInterface.Peer(
                        peerName,
                        key,
                        endpoint(blueprint, peerName, Optional.ofNullable(publicAddresses.get(peerName))),
                        List.of(blueprint.host(peerName).allowedIp()),
                        presharedWith.contains(peerName)
                                ? Optional.of(
                                        WireGuardInterface.presharedKeyPath(Blueprint.WIREGUARD_INTERFACE, peerName))
                                : Optional.empty()));
            }
        }
        List<Map<String, String>> peerTexts = peers.stream()
                .map(peer -> peer(
                        peer.name(),
                        peer.publicKey().base64(),
                        peer.endpoint().orElse(""),
                        String.join(", ", peer.allowedIps()),
                        peer.presharedKeyPath().orElse("")))
                .toList();
        String interfaceName = Blueprint.WIREGUARD_INTERFACE;
        ManagedFile config = new ManagedFile(
                "/etc/wireguard/" + interfaceName + ".conf",
                wireGuardConfig(
                        blueprint,
                        host,
                        peerTexts,
                        endpoint(blueprint, name, Optional.ofNullable(publicAddresses.get(name)))
                                        .isEmpty()
                                && publicAddresses.containsKey(name)),
                0600,
                "root",
                List.of());
        WireGuardInterface wireGuard = new WireGuardInterface(
                interfaceName,
                host.address() + '/' + host.prefixLength(),
                blueprint.spec().wireGuardPort(),
                ownKey,
                peers,
                config);

        List<String> packages = new ArrayList<>(PACKAGES);
        List<String> maskedUnits = new ArrayList<>();
        List<SystemUser> users = new ArrayList<>();
        List<ReleaseInstall> releases = new ArrayList<>();
        List<ManagedFile> files = new ArrayList<>();
        List<Unit> units = new ArrayList<>();

        ReleaseInstall exporter = nodeExporter(blueprint);
        users.add(new SystemUser("node_exporter"));
        releases.add(exporter);
        wireGuardMetrics(blueprint)
                .forEach((path, content) -> files.add(
                        new ManagedFile(path, content, path.equals(METRICS_SCRIPT) ? 0755 : 0644, "root", List.of())));
        units.add(
                new Unit(METRICS_TIMER, Set.of(UNIT_FOLDER + METRICS_TIMER, UNIT_FOLDER + METRICS_SERVICE), Set.of()));
        ManagedFile exporterUnit =
                ManagedFile.readable(UNIT_FOLDER + NODE_EXPORTER_UNIT, nodeExporterUnit(blueprint, host, exporter));
        files.add(exporterUnit);
        units.add(new Unit(
                NODE_EXPORTER_UNIT, Set.of(exporterUnit.path(), exporter.folder(), "node_exporter"), Set.of()));

        for (Exporter each : host.spec().exporters()) {
            users.add(new SystemUser(each.name()));
            if (each.source() instanceof Exporter.FromPackage from) {
                packages.add(from.debianPackage());
                maskedUnits.addAll(from.units());
            } else if (each.source() instanceof Exporter.FromRelease from) {
                releases.add(ExporterFiles.install(from));
            }
            List<ManagedFile> own = exporterFiles.files(blueprint, host, each);
            files.addAll(own);
            units.add(ExporterFiles.unit(each, own));
        }

        List<SecretFile> secretFiles = new ArrayList<>();
        if (host.role() == Role.MONITOR) {
            ReleaseInstall prometheus = prometheus(blueprint);
            users.add(new SystemUser("prometheus"));
            releases.add(prometheus);
            secretFiles.addAll(secretFiles(blueprint.spec().prometheus()));
            files.add(ManagedFile.readable(PROMETHEUS_TARGETS, targets(blueprint)));
            files.addAll(exporterFiles.jobs(blueprint).values());
            Set<String> reloadWith = new HashSet<>();
            ruleFiles(blueprint).forEach((path, content) -> {
                files.add(ManagedFile.readable(path, content)
                        .checkedBy(List.of(prometheus.path("promtool"), "check", "rules")));
                reloadWith.add(path);
            });
            files.add(ManagedFile.readable(PROMETHEUS_CONFIG, prometheusConfig(blueprint, host))
                    .checkedBy(List.of(prometheus.path("promtool"), "check", "config")));
            reloadWith.add(PROMETHEUS_CONFIG);
            ManagedFile prometheusUnit =
                    ManagedFile.readable(UNIT_FOLDER + PROMETHEUS_UNIT, prometheusUnit(blueprint, prometheus));
            files.add(prometheusUnit);
            units.add(new Unit(
                    PROMETHEUS_UNIT, Set.of(prometheusUnit.path(), prometheus.folder(), "prometheus"), reloadWith));
        }
        return new DesiredHost(
                blueprint,
                name,
                packages.stream().distinct().toList(),
                users,
                releases.stream().distinct().toList(),
                host.firewall(),
                wireGuard,
                killSwitch(blueprint, host.address()),
                secretFiles,
                files,
                units,
                maskedUnits.stream().distinct().toList());
    }

    private List<SecretFile> secretFiles(PrometheusSpec spec) {
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

    /**
     * Renders every file of every host as far as the blueprint alone can tell. What is known only after an apply, such as
     * public keys and addresses, stands there in those words.
     *
     * @param blueprint the blueprint
     * @return for each host's name its files' contents by absolute path, both sorted
     */
    public Map<String, Map<String, String>> preview(Blueprint blueprint) {
        Map<String, Map<String, String>> hosts = new TreeMap<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            Map<String, String> files = new TreeMap<>();
            List<Map<String, String>> peers = host.peers().stream()
                    .map(name -> peer(
                            name,
                            UNKNOWN,
                            previewedEndpoint(blueprint, name),
                            blueprint.host(name).allowedIp(),
                            blueprint.spec().presharedKeys()
                                    ? WireGuardInterface.presharedKeyPath(Blueprint.WIREGUARD_INTERFACE, name)
                                    : ""))
                    .toList();
            files.put(
                    "/etc/wireguard/" + Blueprint.WIREGUARD_INTERFACE + ".conf",
                    wireGuardConfig(blueprint, host, peers, false));
            killSwitch(blueprint, host.address()).files().forEach(file -> files.put(file.path(), file.content()));
            files.putAll(wireGuardMetrics(blueprint));
            files.put(UNIT_FOLDER + NODE_EXPORTER_UNIT, nodeExporterUnit(blueprint, host, nodeExporter(blueprint)));
            host.spec()
                    .exporters()
                    .forEach(exporter -> exporterFiles
                            .files(blueprint, host, exporter)
                            .forEach(file -> files.put(file.path(), file.content())));
            if (host.role() == Role.MONITOR) {
                exporterFiles.jobs(blueprint).values().forEach(file -> files.put(file.path(), file.content()));
                files.put(PROMETHEUS_CONFIG, prometheusConfig(blueprint, host));
                files.put(PROMETHEUS_TARGETS, targets(blueprint));
                files.putAll(ruleFiles(blueprint));
                files.put(UNIT_FOLDER + PROMETHEUS_UNIT, prometheusUnit(blueprint, prometheus(blueprint)));
            }
            hosts.put(host.name(), files);
        }
        return hosts;
    }

    private static ReleaseInstall nodeExporter(Blueprint blueprint) {
        return new ReleaseInstall(blueprint.spec().nodeExporter(), List.of("node_exporter"));
    }

    private static ReleaseInstall prometheus(Blueprint blueprint) {
        return new ReleaseInstall(blueprint.spec().prometheus().release(), List.of("prometheus", "promtool"));
    }

    private static Map<String, String> peer(
            String name, String publicKey, String endpoint, String allowedIps, String presharedKeyPath) {
        return Map.of(
                "name",
                name,
                "publicKey",
                publicKey,
                "endpoint",
                endpoint,
                "allowedIps",
                allowedIps,
                "presharedKeyPath",
                presharedKeyPath);
    }

    /** A host that its peers cannot send to has to keep the way back open itself. */
    private String wireGuardConfig(
            Blueprint blueprint, Blueprint.Host host, List<Map<String, String>> peers, boolean withoutEndpoint) {
        return templates.render(
                "wg.conf.j2",
                Map.of(
                        "mesh",
                        blueprint.mesh(),
                        "address",
                        host.address() + '/' + host.prefixLength(),
                        "host",
                        host.address(),
                        "iptables",
                        host.address().indexOf(':') >= 0 ? "ip6tables" : "iptables",
                        "listenPort",
                        blueprint.spec().wireGuardPort(),
                        "keyPath",
                        "/etc/wireguard/" + Blueprint.WIREGUARD_INTERFACE + ".key",
                        "keepalive",
                        host.spec().endpoint().behindNat() || withoutEndpoint ? KEEPALIVE_SECONDS : "",
                        "peers",
                        peers));
    }

    /** Where a host's peers send to; empty if they cannot, or do not know yet. */
    private static Optional<String> endpoint(Blueprint blueprint, String host, Optional<String> publicAddress) {
        HostEndpoint endpoint = blueprint.host(host).spec().endpoint();
        int port = endpoint.port().orElse(blueprint.spec().wireGuardPort());
        return endpoint.addressOr(publicAddress.filter(
                        address -> ValueChecks.unreachable(address).isEmpty()))
                .map(address -> endpoint(address, port));
    }

    private static String previewedEndpoint(Blueprint blueprint, String host) {
        HostEndpoint endpoint = blueprint.host(host).spec().endpoint();
        return endpoint.address().isPresent()
                ? endpoint(blueprint, host, Optional.empty()).orElseThrow()
                : endpoint.isReachable() ? UNKNOWN : "";
    }

    private String nodeExporterUnit(Blueprint blueprint, Blueprint.Host host, ReleaseInstall exporter) {
        return exporterFiles.unit(
                blueprint,
                "node_exporter",
                "https://github.com/prometheus/node_exporter",
                exporter.path("node_exporter"),
                List.of(
                        "--web.listen-address="
                                + endpoint(host.address(), blueprint.spec().nodeExporterPort()),
                        "--collector.textfile.directory=" + METRICS_FOLDER,
                        "--collector.systemd",
                        "--collector.systemd.unit-include=.+[.](service|mount|socket|timer)"),
                false,
                Set.of(),
                blueprint.network());
    }

    private KillSwitch killSwitch(Blueprint blueprint, String address) {
        String interfaceName = Blueprint.WIREGUARD_INTERFACE;
        Map<String, Object> values = Map.of(
                "mesh",
                blueprint.mesh(),
                "network",
                blueprint.network(),
                "address",
                address,
                "interface",
                interfaceName,
                "wireGuardUnit",
                "wg-quick@" + interfaceName + ".service",
                "script",
                KillSwitch.SCRIPT);
        return new KillSwitch(
                blueprint.network(),
                address,
                interfaceName,
                List.of(
                        new ManagedFile(
                                KillSwitch.SCRIPT,
                                templates.render("kill-switch.sh.j2", values),
                                0755,
                                "root",
                                List.of()),
                        ManagedFile.readable(
                                KillSwitch.UNIT_FILE, templates.render("kill-switch.service.j2", values))));
    }

    /** The files behind the metrics of WireGuard, by path. */
    private Map<String, String> wireGuardMetrics(Blueprint blueprint) {
        Map<String, Object> values = Map.of(
                "mesh",
                blueprint.mesh(),
                "interface",
                Blueprint.WIREGUARD_INTERFACE,
                "wireGuardUnit",
                "wg-quick@" + Blueprint.WIREGUARD_INTERFACE + ".service",
                "config",
                WIREGUARD_CONFIG,
                "metrics",
                METRICS_FOLDER + "/wireguard.prom",
                "script",
                METRICS_SCRIPT,
                "runtimeDirectory",
                METRICS);
        Map<String, String> files = new LinkedHashMap<>();
        files.put(METRICS_SCRIPT, templates.render("wireguard-metrics.sh.j2", values));
        files.put(UNIT_FOLDER + METRICS_SERVICE, templates.render("wireguard-metrics.service.j2", values));
        files.put(UNIT_FOLDER + METRICS_TIMER, templates.render("wireguard-metrics.timer.j2", values));
        return files;
    }

    /** Prometheus' rule files by path, PromGuard's own first. */
    private Map<String, String> ruleFiles(Blueprint blueprint) {
        PrometheusSpec spec = blueprint.spec().prometheus();
        Map<String, String> files = new LinkedHashMap<>();
        if (spec.defaultRules()) {
            long interval = spec.scrapeInterval().toSeconds();
            files.put(
                    RULES_FOLDER + "promguard.yml",
                    templates.render(
                            "rules.yml.j2",
                            Map.of(
                                    "mesh",
                                    blueprint.mesh(),
                                    "timeout",
                                    Math.max(120, 3 * interval) + "s",
                                    "window",
                                    Math.max(300, 4 * interval) + "s",
                                    "handshakeAge",
                                    Math.max(300, 180 + 2 * interval))));
        }
        for (RuleFile file : spec.ruleFiles()) {
            files.put(
                    RULES_FOLDER + file.name() + ".yml", file.text().endsWith("\n") ? file.text() : file.text() + '\n');
        }
        return files;
    }

    private String prometheusUnit(Blueprint blueprint, ReleaseInstall prometheus) {
        return templates.render(
                "prometheus.service.j2",
                Map.of(
                        "mesh",
                        blueprint.mesh(),
                        "wireGuardUnit",
                        "wg-quick@" + Blueprint.WIREGUARD_INTERFACE + ".service",
                        "killSwitchUnit",
                        KillSwitch.UNIT,
                        "user",
                        "prometheus",
                        "binary",
                        prometheus.path("prometheus"),
                        "config",
                        PROMETHEUS_CONFIG,
                        "retention",
                        retention(blueprint.spec().prometheus()),
                        "listen",
                        endpoint("127.0.0.1", blueprint.spec().prometheus().port())));
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
                spec.alertmanagers().stream().map(Renderer::alertmanager).toList());
        values.put("selfAddress", endpoint("127.0.0.1", spec.port()));
        values.put("node", monitor.name());
        values.put("region", monitor.spec().region());
        values.put("targetsFile", PROMETHEUS_TARGETS);
        values.put("shards", spec.shards() && monitors.size() > 1 ? monitors.size() : "");
        values.put("shard", monitors.indexOf(monitor));
        values.put("exposed", exposed);
        values.put(
                "scrapeJobs",
                spec.scrapeJobs().stream().map(job -> job(spec, job)).toList());
        values.put(
                "remoteWrites",
                spec.remoteWrites().stream().map(Renderer::remoteWrite).toList());
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
            target.put("address", endpoint(host.address(), blueprint.spec().nodeExporterPort()));
            target.put("node", host.name());
            target.put("region", host.spec().region());
            target.put("role", host.role().id());
            targets.add(target);
        }
        return templates.render("targets.json.j2", Map.of("targets", targets));
    }

    /** An address and a port, an IPv6 address in brackets. */
    static String endpoint(String address, int port) {
        return (address.indexOf(':') >= 0 ? '[' + address + ']' : address) + ':' + port;
    }
}
