package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Release;
import dev.promguard.host.Renderer;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.memory.Calls;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every parameter of the public builders that takes a text of some kind, found by reflection, so that a new one cannot be
 * forgotten: what it is given is refused before the first call to a cloud, a host or a store, in words that name it, or it is one
 * value in the files, which is shown by parsers of their formats.
 */
class HostileSettersTest {
    private static final long SEED = 20_261_125;
    private static final int DRAWN = 25;
    private static final Class<?>[] BUILDERS = {
        MeshBuilder.class,
        MeshHostsBuilder.class,
        HostBuilder.class,
        PrometheusBuilder.class,
        ScrapeJobBuilder.class,
        Exporter.class,
        Exporter.ConfigFile.class,
        Exporter.Probe.class,
        Exporter.FromPackage.class,
        Exporter.FromRelease.class,
        Exporters.class,
        Release.class,
        Credentials.class,
        Secret.class,
        Mesh.class
    };

    /** Puts a text in a place. */
    @FunctionalInterface
    private interface Put {
        void put(MeshBuilder spec, String text) throws IOException;
    }

    /**
     * An attack on a place.
     *
     * @param field the word by which a refusal names the place
     * @param harmless a text that is taken, whose files are the measure
     * @param put puts a text there
     */
    private record Attack(String field, String harmless, Put put) {}

    /** Places where a text is nothing that is sent or written, and why. */
    private static final Map<String, String> NO_ATTACK = Map.ofEntries(
            Map.entry(
                    "MeshBuilder.state/1#0", "a folder of the caller's machine, to which only a checked name is added"),
            Map.entry(
                    "Mesh.writePreview/1#0", "a folder of the caller's machine, to which only checked names are added"),
            Map.entry("Mesh.only/1#0", "names that must be those of hosts: see only_hostileName_isRefusedWithoutACall"),
            Map.entry(
                    "Mesh.openPrometheus/1#0",
                    "a monitor's name: see openPrometheus_hostileName_isRefusedWithoutACall"),
            Map.entry(
                    "Mesh.deleteUnmanaged/1#0",
                    "ids that must be those of hosts: see deleteUnmanaged_hostileId_isRefusedAndDeletesNothing"),
            Map.entry("Secret.of/1#0", "bytes that only keys and passwords are made of: sent and written as bytes"),
            Map.entry("Secret.env/1#0", "the name of a variable of the caller's own environment"),
            Map.entry(
                    "Mesh.viewerConfig/1#0", "a viewer's name: see verbsOfOneHost_hostileName_areRefusedWithoutACall"),
            Map.entry("Mesh.powerOn/1#0", "a host's name: see verbsOfOneHost_hostileName_areRefusedWithoutACall"),
            Map.entry("Mesh.resize/1#0", "a host's name: see verbsOfOneHost_hostileName_areRefusedWithoutACall"),
            Map.entry("Mesh.replace/1#0", "a host's name: see verbsOfOneHost_hostileName_areRefusedWithoutACall"));

    /** A file whose content is the user's, under a name that is checked. */
    private static final Pattern OWN_FILE =
            Pattern.compile("/etc/promguard/.*|/etc/prometheus/rules/(?!promguard\\.yml).*");

    private static final Renderer RENDERER = new Renderer();

    /** The shapes of files, most of which are the same for every text. */
    private static final Map<String, String> KNOWN = new ConcurrentHashMap<>();

    @TempDir
    private static Path folder;

    private static final Map<Architecture, String> SUMS = Map.of(Architecture.AMD64, "0".repeat(64));
    private static final URI MIRROR = URI.create("https://mirror.example/");
    private static final Release RELEASE = new Release("own_exporter", "1", MIRROR, SUMS);

    private static final PublicKey VIEWER_KEY = new PublicKey("umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=");

    private static Exporter own() {
        return Exporter.fromPackage("own_exporter", "prometheus-own", "/usr/bin/own", 9001);
    }

    private static Exporter blackbox() {
        return Exporters.blackbox();
    }

    private static URI uri(String start, String text) {
        try {
            return new URI(start + text);
        } catch (URISyntaxException e) {
            try {
                return new URI(start + new URI(null, null, "/" + text, null).getRawPath());
            } catch (URISyntaxException cannotBe) {
                throw new InvalidSettingException("no URI at all", cannotBe);
            }
        }
    }

    private static void job(MeshBuilder spec, String name, java.util.function.Consumer<ScrapeJobBuilder> job) {
        spec.prometheus(settings -> settings.scrape(name, job));
    }

    private static final Map<String, Attack> ATTACKS = attacks();

    private static Map<String, Attack> attacks() {
        Map<String, Attack> all = new TreeMap<>();
        all.put("MeshBuilder.name/1#0", new Attack("name", "shop", MeshBuilder::name));
        all.put("MeshHostsBuilder.monitor/1#0", new Attack("region", "lon1", MeshBuilder::monitor));
        all.put("MeshHostsBuilder.namedMonitor/1#0", new Attack("monitor name", "mon", MeshBuilder::namedMonitor));
        all.put(
                "MeshHostsBuilder.namedMonitor/2#0",
                new Attack("monitor name", "mon", (spec, text) -> spec.namedMonitor(text, host -> {})));
        all.put("MeshHostsBuilder.addMonitor/1#0", new Attack("region", "lon1", MeshBuilder::addMonitor));
        all.put("MeshHostsBuilder.withoutMonitor/1#0", missing("monitor", "mon", MeshBuilder::withoutMonitor));
        all.put("MeshHostsBuilder.withoutNode/1#0", missing("node", "web", MeshBuilder::withoutNode));
        all.put(
                "MeshHostsBuilder.editHost/2#0",
                missing("host", "web", (spec, text) -> spec.editHost(text, host -> host.region("lon1"))));
        all.put(
                "MeshHostsBuilder.withoutExporter/1#0",
                missing("exporter", "own_exporter", MeshBuilder::withoutExporter));
        all.put("MeshHostsBuilder.node/1#0", new Attack("node name", "web", MeshBuilder::node));
        all.put("MeshHostsBuilder.nodes/2#1", new Attack("region", "lon1", (spec, text) -> spec.nodes(1, text)));
        all.put(
                "MeshHostsBuilder.node/2#0",
                new Attack("node name", "web", (spec, text) -> spec.node(text, host -> {})));
        all.put(
                "MeshHostsBuilder.region/1#0",
                new Attack("region", "lon1", (spec, text) -> spec.region(text).node("web-9", host -> {})));
        all.put("MeshHostsBuilder.size/1#0", new Attack("size", "s-1vcpu-1gb", MeshBuilder::size));
        all.put("MeshHostsBuilder.image/1#0", new Attack("image", "debian-12-x64", MeshBuilder::image));
        all.put(
                "MeshBuilder.adopt/1#0",
                new Attack("node name", "web", (spec, text) -> spec.adopt(text).node(text)));
        all.put(
                "MeshBuilder.adopt/2#0",
                new Attack(
                        "node name",
                        "web",
                        (spec, text) -> spec.adopt(text, host -> {}).node(text)));
        all.put(
                "MeshBuilder.viewer/2#0",
                new Attack("viewer name", "anna", (spec, text) -> spec.viewer(text, VIEWER_KEY)));
        all.put(
                "MeshBuilder.viewer/3#0",
                new Attack("viewer name", "anna", (spec, text) -> spec.viewer(text, VIEWER_KEY, viewer -> {})));
        all.put(
                "MeshBuilder.withoutViewer/1#0",
                missing(
                        "viewer",
                        "anna",
                        (spec, text) -> spec.viewer("anna", VIEWER_KEY).withoutViewer(text)));
        all.put("MeshBuilder.network/1#0", new Attack("network", "10.9.0.0/24", MeshBuilder::network));
        all.put("MeshBuilder.interfaceName/1#0", new Attack("interfaceName", "mesh0", MeshBuilder::interfaceName));
        all.put("HostBuilder.region/1#0", onHost("region", "lon1", HostBuilder::region));
        all.put("HostBuilder.endpoint/1#0", onHost("endpoint", "db.example", HostBuilder::endpoint));
        all.put(
                "HostBuilder.endpoint/2#0",
                onHost("endpoint", "db.example", (host, address) -> host.endpoint(address, 51821)));
        all.put("HostBuilder.size/1#0", onHost("size", "s-1vcpu-1gb", HostBuilder::size));
        all.put("HostBuilder.image/1#0", onHost("image", "debian-12-x64", HostBuilder::image));
        all.put("HostBuilder.expose/2#0", onHost("job", "db", (host, text) -> host.expose(text, 9187)));
        all.put("HostBuilder.expose/3#0", onHost("job", "db", (host, text) -> host.expose(text, 9187, "/x")));
        all.put(
                "HostBuilder.expose/3#2",
                onHost("metricsPath", "/other", (host, text) -> host.expose("db", 9187, text)));
        all.put("HostBuilder.addExposure/3#0", onHost("job", "db", (host, text) -> host.addExposure(text, 9187, "/x")));
        all.put(
                "HostBuilder.addExposure/3#2",
                onHost("metricsPath", "/other", (host, text) -> host.addExposure("db", 9187, text)));
        all.put(
                "HostBuilder.withoutExposure/1#0",
                missing("job", "db", (spec, text) -> spec.editHost("web", host -> host.withoutExposure(text))));
        all.put(
                "HostBuilder.withoutExporter/1#0",
                missing(
                        "exporter",
                        "own_exporter",
                        (spec, text) -> spec.editHost("web", host -> host.withoutExporter(text))));
        all.put(
                "PrometheusBuilder.withoutExternalLabel/1#0",
                missing("externalLabel", "team", (spec, text) -> spec.prometheus(p -> p.withoutExternalLabel(text))));
        all.put(
                "PrometheusBuilder.withoutRules/1#0",
                missing("rules", "own", (spec, text) -> spec.prometheus(p -> p.withoutRules(text))));
        all.put(
                "PrometheusBuilder.withoutScrape/1#0",
                missing("scrape", "till", (spec, text) -> spec.prometheus(p -> p.withoutScrape(text))));
        all.put(
                "PrometheusBuilder.withoutAlertmanager/1#0",
                missing(
                        "alertmanager",
                        "x",
                        (spec, text) ->
                                spec.prometheus(p -> p.withoutAlertmanager(uri("https://alerts.example/", text)))));
        all.put(
                "PrometheusBuilder.withoutRemoteWrite/1#0",
                missing(
                        "remoteWrite",
                        "x",
                        (spec, text) ->
                                spec.prometheus(p -> p.withoutRemoteWrite(uri("https://mimir.example/", text)))));
        all.put(
                "PrometheusBuilder.retentionSize/1#0",
                onPrometheus("retentionSize", "10GB", (p, t) -> p.retentionSize(t)));
        all.put(
                "PrometheusBuilder.externalLabel/2#0",
                onPrometheus("externalLabel", "team", (p, t) -> p.externalLabel(t, "x")));
        all.put(
                "PrometheusBuilder.externalLabel/2#1",
                onPrometheus("externalLabel", "x", (p, t) -> p.externalLabel("team", t)));
        all.put(
                "PrometheusBuilder.addRules/2#0",
                onPrometheus("rules", "own", (p, t) -> p.addRules(t, "groups: []\n")));
        all.put("PrometheusBuilder.addRules/2#1", onPrometheus("rules", "groups: []", (p, t) -> p.addRules("own", t)));
        all.put("PrometheusBuilder.addRules/1#0", new Attack("rules", "own", (spec, text) -> {
            Path file = folder.resolve(text + ".yml");
            if (text.indexOf('/') >= 0 || text.length() > 200) {
                throw new InvalidPathException(text, "no file can have this name");
            }
            Files.writeString(file, "groups: []\n");
            spec.prometheus(settings -> settings.addRules(file));
        }));
        all.put(
                "PrometheusBuilder.addAlertmanager/1#0",
                onPrometheus("alertmanager", "x", (p, t) -> p.addAlertmanager(uri("https://alerts.example/", t))));
        all.put(
                "PrometheusBuilder.scrape/2#0",
                onPrometheus("scrape", "own", (p, t) -> p.scrape(t, job -> job.targets("a:1"))));
        all.put(
                "PrometheusBuilder.addRemoteWrite/1#0",
                onPrometheus("remoteWrite", "x", (p, t) -> p.addRemoteWrite(uri("https://mimir.example/", t))));
        all.put(
                "PrometheusBuilder.addRemoteWrite/2#0",
                onPrometheus(
                        "remoteWrite",
                        "x",
                        (p, t) -> p.addRemoteWrite(
                                uri("https://mimir.example/", t), Credentials.bearer(Secret.of("token")))));
        all.put(
                "Credentials.basic/2#0",
                onPrometheus(
                        "user name",
                        "me",
                        (p, t) -> p.addRemoteWrite(
                                URI.create("https://mimir.example/"), Credentials.basic(t, Secret.of("password")))));
        all.put("ScrapeJobBuilder.targets/1#0", onJob("target", "a:1", (j, t) -> j.targets(t)));
        all.put("ScrapeJobBuilder.addTarget/1#0", onJob("target", "a:1", (j, t) -> j.addTarget(t)));
        all.put(
                "ScrapeJobBuilder.path/1#0",
                onJob("path", "/x", (j, t) -> j.targets("a:1").path(t)));
        all.put(
                "ScrapeJobBuilder.scheme/1#0",
                onJob("scheme", "http", (j, t) -> j.targets("a:1").scheme(t)));
        all.put(
                "ScrapeJobBuilder.label/2#0",
                onJob("label", "team", (j, t) -> j.targets("a:1").label(t, "x")));
        all.put(
                "ScrapeJobBuilder.label/2#1",
                onJob("label", "x", (j, t) -> j.targets("a:1").label("team", t)));
        all.put("Exporters.blackbox/1#0", exporter("configuration", "modules: {}\n", Exporters::blackbox));
        all.put("Exporter.withName/1#0", exporter("exporter name", "other_exporter", t -> own().withName(t)));
        all.put("Exporter.withJob/1#0", exporter("job", "other", t -> own().withJob(t)));
        all.put("Exporter.withMetricsPath/1#0", exporter("metricsPath", "/other", t -> own().withMetricsPath(t)));
        all.put("Exporter.withListen/1#0", exporter("exporter ", "--on={address}:{port}", t -> own().withListen(t)));
        all.put("Exporter.addArguments/1#0", exporter("exporter argument", "-x", t -> own().addArguments(t)));
        all.put(
                "Exporter.addProbe/2#0",
                exporter("probe target", "example.org", t -> blackbox().addProbe(t, "http_2xx")));
        all.put(
                "Exporter.addProbe/2#1",
                exporter("probe module", "m", t -> blackbox().addProbe("example.org", t)));
        all.put(
                "Exporter.fromRelease/4#0",
                exporter("exporter name", "other_exporter", t -> Exporter.fromRelease(t, RELEASE, "own", 9001)));
        all.put(
                "Exporter.fromRelease/4#2",
                exporter("exporter program", "own", t -> Exporter.fromRelease("own_exporter", RELEASE, t, 9001)));
        all.put(
                "Exporter.fromPackage/4#0",
                exporter(
                        "exporter name",
                        "own_exporter",
                        t -> Exporter.fromPackage(t, "prometheus-own", "/usr/bin/own", 9001)));
        all.put(
                "Exporter.fromPackage/4#1",
                exporter(
                        "exporter package",
                        "prometheus-own",
                        t -> Exporter.fromPackage("own_exporter", t, "/usr/bin/own", 9001)));
        all.put(
                "Exporter.fromPackage/4#2",
                exporter(
                        "exporter path",
                        "/usr/bin/own",
                        t -> Exporter.fromPackage("own_exporter", "prometheus-own", t, 9001)));
        all.put(
                "ConfigFile.new/3#0",
                exporter(
                        "configuration",
                        "own.yml",
                        t -> own().addConfigFile(new Exporter.ConfigFile(t, "x: 1\n", List.of()))));
        all.put(
                "ConfigFile.new/3#1",
                exporter(
                        "configuration",
                        "x: 1\n",
                        t -> own().addConfigFile(new Exporter.ConfigFile("own.yml", t, List.of()))));
        all.put(
                "ConfigFile.new/3#2",
                exporter(
                        "exporter argument",
                        "-x",
                        t -> own().addConfigFile(
                                        new Exporter.ConfigFile("own.yml", "x: 1\n", List.of("/bin/check", t)))));
        all.put(
                "Probe.new/2#0",
                exporter(
                        "probe target",
                        "example.org",
                        t -> blackbox().addProbe(new Exporter.Probe(t, "m").target(), "m")));
        all.put(
                "Probe.new/2#1",
                exporter(
                        "probe module",
                        "m",
                        t -> blackbox().addProbe("example.org", new Exporter.Probe("example.org", t).module())));
        all.put(
                "FromPackage.new/3#0",
                exporter(
                        "exporter package",
                        "prometheus-own",
                        t -> own().withSource(new Exporter.FromPackage(t, "/usr/bin/own", List.of()))));
        all.put(
                "FromPackage.new/3#1",
                exporter(
                        "exporter path",
                        "/usr/bin/own",
                        t -> own().withSource(new Exporter.FromPackage("prometheus-own", t, List.of()))));
        all.put(
                "FromPackage.new/3#2",
                exporter(
                        "unit",
                        "own.service",
                        t -> own().withSource(new Exporter.FromPackage("prometheus-own", "/usr/bin/own", List.of(t)))));
        all.put(
                "FromRelease.new/2#1",
                exporter("exporter program", "own", t -> own().withSource(new Exporter.FromRelease(RELEASE, t))));
        all.put("Release.new/4#0", release("release name", "node_exporter", t -> new Release(t, "1", MIRROR, SUMS)));
        all.put("Release.new/4#1", release("release version", "2", t -> new Release("node_exporter", t, MIRROR, SUMS)));
        all.put(
                "Release.new/4#2",
                release(
                        "release URI",
                        "x",
                        t -> new Release("node_exporter", "1", uri("https://mirror.example/", t), SUMS)));
        all.put(
                "Release.new/4#3",
                release(
                        "SHA-256",
                        "1".repeat(64),
                        t -> new Release("node_exporter", "1", MIRROR, Map.of(Architecture.AMD64, t))));
        all.put(
                "Release.upstream/4#0",
                release(
                        "release name",
                        "node_exporter",
                        t -> Release.upstream(t, "1", "1".repeat(64), "2".repeat(64))));
        all.put(
                "Release.upstream/4#1",
                release(
                        "release version",
                        "2",
                        t -> Release.upstream("node_exporter", t, "1".repeat(64), "2".repeat(64))));
        all.put(
                "Release.upstream/4#2",
                release("SHA-256", "1".repeat(64), t -> Release.upstream("node_exporter", "1", t, "2".repeat(64))));
        all.put(
                "Release.upstream/4#3",
                release("SHA-256", "1".repeat(64), t -> Release.upstream("node_exporter", "1", "2".repeat(64), t)));
        all.put(
                "Release.from/1#0",
                release("release URI", "x", t -> Release.nodeExporter().from(uri("https://mirror.example/", t))));
        return all;
    }

    /** An attack on a method that removes or edits, beside something of each kind that is there. */
    private static Attack missing(
            String field, String known, java.util.function.BiConsumer<MeshBuilder, String> remove) {
        return new Attack(field, known, (spec, text) -> {
            spec.namedMonitor("mon")
                    .node("web", host -> host.addExporter(own()).expose("db", 9187))
                    .addExporter(own())
                    .prometheus(p -> p.externalLabel("team", "x")
                            .addRules("own", "groups: []")
                            .scrape("till", job -> job.targets("a:1"))
                            .addAlertmanager(URI.create("https://alerts.example/x"))
                            .addRemoteWrite(URI.create("https://mimir.example/x")));
            remove.accept(spec, text);
        });
    }

    private static Attack onHost(
            String field, String harmless, java.util.function.BiConsumer<HostBuilder, String> put) {
        return new Attack(field, harmless, (spec, text) -> spec.node("web-1", host -> put.accept(host, text)));
    }

    private static Attack onPrometheus(
            String field, String harmless, java.util.function.BiConsumer<PrometheusBuilder, String> put) {
        return new Attack(field, harmless, (spec, text) -> spec.prometheus(settings -> put.accept(settings, text)));
    }

    private static Attack onJob(
            String field, String harmless, java.util.function.BiConsumer<ScrapeJobBuilder, String> put) {
        return new Attack(field, harmless, (spec, text) -> job(spec, "own", scrape -> put.accept(scrape, text)));
    }

    private static Attack exporter(
            String field, String harmless, java.util.function.Function<String, Exporter> exporter) {
        return new Attack(field, harmless, (spec, text) -> spec.addExporter(exporter.apply(text)));
    }

    private static Attack release(String field, String harmless, java.util.function.Function<String, Release> release) {
        return new Attack(field, harmless, (spec, text) -> spec.nodeExporter(release.apply(text)));
    }

    static Stream<String> places() {
        return ATTACKS.keySet().stream();
    }

    @Test
    void places_ofThePublicBuilders_areAllAttacked() {
        Set<String> expected = new TreeSet<>(ATTACKS.keySet());
        expected.addAll(NO_ATTACK.keySet());
        // What a canonical constructor takes beside what its withers and factories take.
        Set<String> found = HostileTexts.places(BUILDERS);
        found.removeIf(place -> place.startsWith("Exporter.new/"));

        assertThat(found).containsExactlyElementsOf(expected);
    }

    @Test
    void exporter_canonicalConstructor_isCheckedAsItsWithersAre() {
        // All that makes an exporter goes through the one constructor.
        assertThat(Exporter.class.getDeclaredConstructors()).hasSize(1);
    }

    @ParameterizedTest
    @MethodSource("places")
    void build_hostileText_isRefusedBeforeAnyCallOrIsOneValue(String place) throws Exception {
        Attack attack = Objects.requireNonNull(ATTACKS.get(place));
        Calls calls = new Calls();
        Account account = new Account();
        MeshBuilder plain = account.spec(calls).nodes(1, "lon1");
        attack.put().put(plain, attack.harmless());
        Map<String, String> measure = shapes(plain.build().blueprint(), attack.harmless());
        long seed = SEED + place.hashCode();
        int taken = 0;
        int refused = 0;
        List<String> texts = HostileTexts.texts(seed, DRAWN).toList();
        for (String text : texts) {
            String which = place + ", seed " + seed + ", text " + Names.quote(text);
            MeshBuilder spec = account.spec(calls).nodes(1, "lon1");
            Blueprint blueprint;
            try {
                attack.put().put(spec, text);
                blueprint = spec.build().blueprint();
            } catch (InvalidPathException e) {
                // No file can have such a name.
                assertThat(place).isEqualTo("PrometheusBuilder.addRules/1#0");
                continue;
            } catch (InvalidMeshException | InvalidSettingException e) {
                if (e.reason().equals("no URI at all")) {
                    continue;
                }
                assertRefusal(which, attack, String.valueOf(e.getMessage()));
                refused++;
                continue;
            }
            taken++;
            assertThat(shapes(blueprint, text)).as(which).isEqualTo(measure);
        }
        assertThat(calls.made()).as("calls of %s", place).isEmpty();
        assertThat(refused).as("refused at %s", place).isPositive();
        assertThat(taken + refused).as("tried at %s", place).isGreaterThan(DRAWN);
    }

    private static void assertRefusal(String which, Attack attack, String message) {
        assertThat(message).as(which).contains(attack.field()).hasSizeLessThan(2500);
        assertThat(HostileTexts.UNPRINTABLE.matcher(message).find())
                .as("unprintable: %s", which)
                .isFalse();
        assertThat(message)
                .as("value of %s in %s", which, message)
                .matches(Pattern.compile(".*(\"[^\\n]*\"|\\d+ characters).*", Pattern.DOTALL));
        assertThat(message)
                .as("remedy of %s", which)
                .containsAnyOf(" use ", " give ", " choose ", " leave ", " split ", "there is none", "did you mean");
    }

    @ParameterizedTest
    @MethodSource("names")
    void only_hostileName_isRefusedWithoutACall(String text) {
        Calls calls = new Calls();
        Mesh mesh = new Account().spec(calls).build();
        try {
            mesh.only(text);
            fail("%s was taken", Names.quote(text));
        } catch (InvalidMeshException | InvalidSettingException e) {
            assertThat(e).hasMessageContaining(Names.quote(text).substring(0, 1));
            assertThat(HostileTexts.UNPRINTABLE
                            .matcher(String.valueOf(e.getMessage()))
                            .find())
                    .isFalse();
        }
        assertThat(calls.made()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("names")
    void verbsOfOneHost_hostileName_areRefusedWithoutACall(String text) {
        Calls calls = new Calls();
        Mesh mesh = new Account().spec(calls).build();

        for (ThrowingCallable verb : List.<ThrowingCallable>of(
                () -> mesh.powerOn(text),
                () -> mesh.resize(text),
                () -> mesh.replace(text),
                () -> mesh.viewerConfig(text))) {
            assertThatThrownBy(verb)
                    .isInstanceOfAny(InvalidMeshException.class, InvalidSettingException.class)
                    .hasMessageContaining(Names.quote(text).substring(0, 1))
                    .satisfies(e -> assertThat(HostileTexts.UNPRINTABLE
                                    .matcher(String.valueOf(e.getMessage()))
                                    .find())
                            .isFalse());
        }
        assertThat(calls.made()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("names")
    void openPrometheus_hostileName_isRefusedWithoutACall(String text) {
        Calls calls = new Calls();
        Mesh mesh = new Account().spec(calls).build();

        assertThatThrownBy(() -> mesh.openPrometheus(text))
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining(Names.quote(text))
                .satisfies(e -> assertThat(HostileTexts.UNPRINTABLE
                                .matcher(String.valueOf(e.getMessage()))
                                .find())
                        .isFalse());
        assertThat(calls.made()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("names")
    void deleteUnmanaged_hostileId_isRefusedAndDeletesNothing(String text) {
        Calls calls = new Calls();
        Mesh mesh = new Account().spec(calls).build();
        try {
            mesh.deleteUnmanaged(text);
            fail("%s was taken", Names.quote(text));
        } catch (InvalidMeshException e) {
            assertThat(e).hasMessageContaining(Names.quote(text).substring(0, 1));
            assertThat(HostileTexts.UNPRINTABLE
                            .matcher(String.valueOf(e.getMessage()))
                            .find())
                    .isFalse();
        }
        assertThat(calls.made()).containsOnly("StateStore.lock", "StateStore.load", "CloudProvider.list");
    }

    static Stream<String> names() {
        return HostileTexts.texts(SEED, 40);
    }

    /** What of each file does not depend on the text: documents, keys, sections and the types of values. */
    private static Map<String, String> shapes(Blueprint blueprint, String text) {
        Map<String, String> shapes = new TreeMap<>();
        Map<String, Map<String, String>> hosts = RENDERER.preview(blueprint);
        int number = 0;
        for (Blueprint.Host host : blueprint.hosts()) {
            Map<String, String> files = new TreeMap<>(Objects.requireNonNull(hosts.get(host.name())));
            List<String> paths = new ArrayList<>();
            for (Map.Entry<String, String> file : files.entrySet()) {
                String path = file.getKey();
                assertThat(path).matches("(/[A-Za-z0-9_@][A-Za-z0-9_@.+-]*)+");
                String shape = shape(path, file.getValue(), text);
                paths.add(OWN_FILE.matcher(path).matches() ? shape : ending(path) + ' ' + shape);
            }
            paths.sort(String::compareTo);
            shapes.put(Integer.toString(number++), String.join("\n", paths));
        }
        shapes.put(
                "svg",
                Long.toString(blueprint.toSvg().chars().filter(c -> c == '<').count()));
        shapes.put("mermaid", Long.toString(blueprint.toMermaid().lines().count()));
        return shapes;
    }

    private static String ending(String path) {
        return path.substring(path.lastIndexOf('.') + 1);
    }

    private static String shape(String path, String content, String text) {
        if (OWN_FILE.matcher(path).matches()) {
            return "what the user wrote";
        }
        try {
            if (!content.contains(text)) {
                String known = KNOWN.get(path + content);
                if (known != null) {
                    return known;
                }
            }
            String shape = switch (ending(path)) {
                case "yml" -> yaml(content, text);
                case "json" -> json(content, text);
                case "conf", "service", "timer" -> ini(content);
                default -> Long.toString(content.lines().count());
            };
            KNOWN.put(path + content, shape);
            return shape;
        } catch (IOException e) {
            throw new AssertionError(path + " with " + Names.quote(text) + ":\n" + content, e);
        }
    }

    private static String yaml(String content, String text) throws IOException {
        try (MappingIterator<JsonNode> documents =
                new ObjectMapper(new YAMLFactory()).readerFor(JsonNode.class).readValues(content)) {
            StringBuilder shape = new StringBuilder();
            while (documents.hasNext()) {
                shape.append("--- ");
                node(documents.next(), text, shape);
            }
            return shape.toString();
        }
    }

    private static String json(String content, String text) throws IOException {
        StringBuilder shape = new StringBuilder();
        node(new ObjectMapper().readTree(content), text, shape);
        return shape.toString();
    }

    private static void node(JsonNode node, String text, StringBuilder shape) {
        if (node.isObject()) {
            shape.append('{');
            List<String> fields = new ArrayList<>();
            node.properties().forEach(field -> {
                StringBuilder one = new StringBuilder(field.getKey().equals(text) ? "*" : field.getKey()).append(':');
                node(field.getValue(), text, one);
                fields.add(one.toString());
            });
            fields.stream().sorted().forEach(shape::append);
            shape.append('}');
        } else if (node.isArray()) {
            shape.append('[');
            node.forEach(item -> node(item, text, shape));
            shape.append(']');
        } else {
            shape.append(node.getNodeType()).append(' ');
        }
    }

    /** Sections and keys as systemd and wg-quick find them: a line that ends in a backslash goes on. */
    private static String ini(String content) {
        StringBuilder shape = new StringBuilder();
        for (String line : content.replace("\\\n", " ").split("\n", -1)) {
            if (line.startsWith("#") || line.startsWith(";")) {
                shape.append("#\n");
            } else {
                shape.append(line.startsWith("[") ? line : line.split("=", 2)[0].strip())
                        .append('\n');
            }
            assertThat(line.chars().filter(Character::isISOControl).count())
                    .as(line)
                    .isZero();
        }
        return shape.toString();
    }
}
