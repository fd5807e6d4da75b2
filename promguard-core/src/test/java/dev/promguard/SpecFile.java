package dev.promguard;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Capability;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exposure;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Planner;
import dev.promguard.blueprint.Port;
import dev.promguard.blueprint.PortPolicy;
import dev.promguard.blueprint.Release;
import dev.promguard.blueprint.Role;
import dev.promguard.blueprint.ViewerSpec;
import dev.promguard.blueprint.WireGuardSpec;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A spec as a file for tests. Each line is a word and its values: {@code name}, {@code network}, {@code interfaceName}, {@code mtu}, {@code wireGuardPort},
 * {@code nodeExporterPort}, {@code prometheusPort}, {@code scrapeSeconds}, {@code monitor NAME REGION}, {@code node NAME REGION},
 * {@code nodes COUNT REGION...}, {@code public HOST ADDRESS}, {@code held HOST ADDRESS}, {@code unkeyed HOST}, {@code protect HOST}, {@code expose HOST JOB PORT [PATH]},
 * {@code blackbox HOST [PROBE...]}, {@code packaged HOST PORT [ARGUMENT...]}, an exporter from a Debian package with hostile arguments, and
 * {@code viewer NAME [UNTIL | key HOST]}, {@code host NAME}, the host that the test is about. Of Prometheus' settings: {@code retention DURATION}, {@code retentionSize SIZE}, {@code label NAME VALUE},
 * {@code shards}, {@code defaultRules no}, {@code rules NAME}, {@code alertmanager URI}, {@code remoteWrite URI [basic USER | bearer]} and
 * {@code scrape NAME} with pairs of {@code target}, {@code interval}, {@code path}, {@code scheme} or a label's name and a value. Lines that begin with a # and empty lines are passed over.
 */
public final class SpecFile {
    /** The secret of every remote write. */
    public static final String PASSWORD = "correct-horse-battery-staple";

    private static final Secret SECRET = Secret.of(PASSWORD);
    private static final String RULES = """
            groups:
              - name: own
                rules:
                  - record: own:up:count
                    expr: count(up)""";

    /** Arguments that mean something to systemd or a shell, and must reach a program as they are. */
    private static final List<String> HOSTILE = List.of(
            "--a=%i%%n",
            "$HOME",
            "${HOME}",
            "two words",
            "\"quoted\"",
            "it's",
            "back\\slash\\n",
            ";",
            "#x",
            "é=ü",
            "--at={folder}/hosts",
            "{other}",
            "-");

    private final Map<String, String> values = new HashMap<>();
    private final List<HostSpec> hosts = new ArrayList<>();
    private final Map<String, String> publicAddresses = new HashMap<>();
    private final Map<String, String> held = new HashMap<>();
    private final Set<String> unkeyed = new HashSet<>();
    private final Set<String> isProtected = new HashSet<>();
    private final List<ViewerSpec> viewers = new ArrayList<>();
    private final Map<String, List<Exporter>> exporters = new HashMap<>();
    private final Map<String, List<Exposure>> services = new HashMap<>();

    private final Map<String, PortPolicy> ports = new HashMap<>();
    private final List<Consumer<PrometheusBuilder>> settings = new ArrayList<>();

    private SpecFile() {}

    /** Reads a spec. */
    public static SpecFile parse(String text) {
        SpecFile spec = new SpecFile();
        for (String line : text.lines().toList()) {
            if (!line.isBlank() && !line.startsWith("#")) {
                spec.line(line.strip().split(" +"));
            }
        }
        return spec;
    }

    private void line(String[] words) {
        switch (words[0]) {
            case "monitor" -> hosts.add(host(words[1], Role.MONITOR, words[2]));
            case "node" -> hosts.add(host(words[1], Role.NODE, words[2]));
            case "nodes" -> {
                for (int i = 0; i < Integer.parseInt(words[1]); i++) {
                    hosts.add(host(
                            value("name", "shop") + "-node-" + (i + 1), Role.NODE, words[2 + i % (words.length - 2)]));
                }
            }
            case "public" -> publicAddresses.put(words[1], words[2]);
            case "expose" ->
                services.computeIfAbsent(words[1], host -> new ArrayList<>())
                        .add(new Exposure(
                                words[2], Integer.parseInt(words[3]), words.length > 4 ? words[4] : Exposure.METRICS));
            case "allow" ->
                ports.merge(words[1], new PortPolicy(Set.of(port(words[2])), Set.of(), false), SpecFile::both);
            case "close" ->
                ports.merge(words[1], new PortPolicy(Set.of(), Set.of(port(words[2])), false), SpecFile::both);
            case "closeOtherPorts" -> ports.merge(words[1], new PortPolicy(Set.of(), Set.of(), true), SpecFile::both);
            case "blackbox" -> {
                Exporter blackbox = Exporters.blackbox();
                for (String probe : List.of(words).subList(2, words.length)) {
                    blackbox = blackbox.addProbe(probe, probe.contains("://") ? "http_2xx" : "tcp_connect");
                }
                exporter(words[1], blackbox);
            }
            case "packaged" ->
                exporter(
                        words[1],
                        Exporter.fromPackage(
                                        "ping_exporter",
                                        "prometheus-ping-exporter",
                                        "/usr/bin/prometheus-ping-exporter",
                                        Integer.parseInt(words[2]))
                                .withListen("--host={address}", "--port", "{port}")
                                .addArguments(HOSTILE.toArray(String[]::new))
                                .addCapability(Capability.SYS_PTRACE)
                                .addCapability(Capability.NET_RAW)
                                .addConfigFile(
                                        new Exporter.ConfigFile("hosts", "{{ not a template }} $HOME %i", List.of())));
            case "unkeyed" -> unkeyed.add(words[1]);
            case "viewer" ->
                viewers.add(new ViewerSpec(
                        words[1],
                        publicKey(words.length > 3 ? words[3] : words[1]).base64(),
                        words.length == 3 ? Optional.of(Instant.parse(words[2])) : Optional.empty()));
            case "protect" -> isProtected.add(words[1]);
            case "retention" -> settings.add(prometheus -> prometheus.retention(Duration.parse(words[1])));
            case "retentionSize" -> settings.add(prometheus -> prometheus.retentionSize(words[1]));
            case "label" -> settings.add(prometheus -> prometheus.externalLabel(words[1], words[2]));
            case "shards" -> settings.add(prometheus -> prometheus.shards(true));
            case "rules" -> settings.add(prometheus -> prometheus.addRules(words[1], RULES));
            case "alertmanager" -> settings.add(prometheus -> prometheus.addAlertmanager(URI.create(words[1])));
            case "scrape" ->
                settings.add(prometheus -> prometheus.scrape(words[1], job -> {
                    for (int i = 2; i < words.length; i += 2) {
                        switch (words[i]) {
                            case "target" -> job.addTarget(words[i + 1]);
                            case "interval" -> job.interval(Duration.parse(words[i + 1]));
                            case "path" -> job.path(words[i + 1]);
                            case "scheme" -> job.scheme(words[i + 1]);
                            default -> job.label(words[i], words[i + 1]);
                        }
                    }
                }));
            case "remoteWrite" -> settings.add(prometheus -> remoteWrite(prometheus, words));
            case "held" -> held.put(words[1], words[2]);
            default -> values.put(words[0], words[1]);
        }
    }

    private static Port port(String text) {
        String[] parts = text.split("/", -1);
        return new Port(Integer.parseInt(parts[0]), parts[1].equals("udp") ? Protocol.UDP : Protocol.TCP);
    }

    private static PortPolicy both(PortPolicy one, PortPolicy other) {
        Set<Port> allowed = new HashSet<>(one.allowed());
        allowed.addAll(other.allowed());
        Set<Port> closed = new HashSet<>(one.closed());
        closed.addAll(other.closed());
        return new PortPolicy(allowed, closed, one.closesOthers() || other.closesOthers());
    }

    private void exporter(String host, Exporter exporter) {
        exporters.computeIfAbsent(host, name -> new ArrayList<>()).add(exporter);
    }

    private static void remoteWrite(PrometheusBuilder prometheus, String[] words) {
        URI uri = URI.create(words[1]);
        if (words.length == 2) {
            prometheus.addRemoteWrite(uri);
        } else {
            prometheus.addRemoteWrite(
                    uri, words[2].equals("basic") ? Credentials.basic(words[3], SECRET) : Credentials.bearer(SECRET));
        }
    }

    private static HostSpec host(String name, Role role, String region) {
        return new HostSpec(name, role, region, "s-1vcpu-1gb", "debian-12-x64");
    }

    private String value(String word, String otherwise) {
        return values.getOrDefault(word, otherwise);
    }

    private int number(String word, int otherwise) {
        return Integer.parseInt(value(word, String.valueOf(otherwise)));
    }

    private PrometheusBuilder prometheus() {
        PrometheusBuilder prometheus = new PrometheusBuilder();
        settings.forEach(setting -> setting.accept(prometheus));
        return prometheus;
    }

    /** The secrets of the remote writes: always the same one. */
    public Map<String, Secret> secrets() {
        return prometheus().secrets();
    }

    /** The spec. */
    public MeshSpec spec() {
        return new MeshSpec(
                value("name", "shop"),
                value("network", "10.0.0.0/24"),
                new WireGuardSpec(
                        value("interfaceName", "wg0"),
                        values.containsKey("mtu") ? OptionalInt.of(number("mtu", 0)) : OptionalInt.empty()),
                number("wireGuardPort", 51820),
                value("presharedKeys", "on").equals("on"),
                false,
                number("nodeExporterPort", 9100),
                prometheus()
                        .defaultRules(!value("defaultRules", "yes").equals("no"))
                        .spec()
                        .withPort(number("prometheusPort", 9090))
                        .withScrapeInterval(Duration.ofSeconds(number("scrapeSeconds", 15))),
                Release.nodeExporter(),
                hosts.stream().map(this::withServices).toList(),
                viewers,
                List.of());
    }

    private HostSpec withServices(HostSpec host) {
        return new HostSpec(
                host.name(),
                host.role(),
                host.region(),
                host.size(),
                host.image(),
                exporters.getOrDefault(host.name(), List.of()),
                services.getOrDefault(host.name(), List.of()),
                Set.of(),
                ports.getOrDefault(host.name(), PortPolicy.NONE),
                host.endpoint(),
                isProtected.contains(host.name()));
    }

    /** The blueprint, with the addresses that hosts hold. */
    public Blueprint blueprint() {
        return Planner.plan(spec(), held);
    }

    /** The host that the test is about. */
    public String host() {
        return Objects.requireNonNull(values.get("host"), "host");
    }

    /** The public addresses that are known. */
    public Map<String, String> publicAddresses() {
        return Map.copyOf(publicAddresses);
    }

    /** A public key for each host that has one, always the same for the same name. */
    public Map<String, PublicKey> publicKeys() {
        Map<String, PublicKey> keys = new HashMap<>();
        hosts.stream()
                .filter(host -> !unkeyed.contains(host.name()))
                .forEach(host -> keys.put(host.name(), publicKey(host.name())));
        return keys;
    }

    /** A public key, always the same for the same name. */
    public static PublicKey publicKey(String name) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
            return new PublicKey(Base64.getEncoder().encodeToString(digest));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
