package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Capability;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.Release;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.memory.MemoryCloud;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryStateStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The rule that all builders state: a plain name sets, {@code add} adds, {@code without} removes, and bad values are refused at once. */
class BuilderRulesTest {
    private static final List<Class<?>> BUILDERS = List.of(
            MeshBuilder.class, HostBuilder.class, PrometheusBuilder.class, ScrapeJobBuilder.class, ViewerBuilder.class);
    private static final URI SERVER = URI.create("https://a.example/");
    private static final URI OTHER = URI.create("https://b.example/");

    private static final MemoryCloud CLOUD = new MemoryCloud();
    private static final MemoryCloud OTHER_CLOUD = new MemoryCloud();

    private static final SshPublicKey LOGIN = login('A');
    private static final SshPublicKey OTHER_LOGIN = login('B');

    @TempDir
    private static Path folder;

    /** A mesh that is complete, so that every case is about one method. */
    private static MeshBuilder mesh() {
        return Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(2, "lon1")
                .node("web")
                .provider(CLOUD)
                .applier(new MemoryHosts(CLOUD))
                .state(new MemoryStateStore());
    }

    private static Consumer<MeshBuilder> host(Consumer<HostBuilder> host) {
        return mesh -> mesh.editHost("web", host);
    }

    private static PublicKey key(char letter) {
        return new PublicKey(String.valueOf(letter).repeat(43) + '=');
    }

    private static SshPublicKey login(char letter) {
        return SshPublicKey.parse(
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + String.valueOf(letter).repeat(43));
    }

    private static Consumer<MeshBuilder> viewer(Consumer<ViewerBuilder> settings) {
        return mesh -> mesh.viewer("anna", key('I'), settings);
    }

    private static Consumer<MeshBuilder> prometheus(Consumer<PrometheusBuilder> settings) {
        return mesh -> mesh.prometheus(settings);
    }

    private static Consumer<MeshBuilder> job(Consumer<ScrapeJobBuilder> job) {
        return prometheus(prometheus -> prometheus.scrape("till", scrape -> job.accept(scrape.targets("a:1"))));
    }

    /** What a builder builds, as far as a test can compare it. */
    private static List<Object> built(MeshBuilder builder) {
        Mesh mesh = builder.build();
        return List.of(mesh.blueprint(), settings(mesh));
    }

    private static Object settings(Mesh mesh) {
        return mesh.settings();
    }

    /**
     * A setter, called with two values.
     *
     * @param first calls it with one value
     * @param second calls it with another
     */
    private record Setting(Consumer<MeshBuilder> first, Consumer<MeshBuilder> second) {}

    private static Setting of(Consumer<MeshBuilder> first, Consumer<MeshBuilder> second) {
        return new Setting(first, second);
    }

    private static final Map<String, Setting> SETTINGS = settings();

    private static Map<String, Setting> settings() {
        Release mirrored = Release.nodeExporter().from(SERVER);
        Map<String, Setting> all = new LinkedHashMap<>();
        all.put("MeshBuilder.name(String)", of(m -> m.name("a"), m -> m.name("b")));
        all.put("MeshBuilder.monitor(String)", of(m -> m.monitor("fra1"), m -> m.monitor("ams3")));
        all.put(
                "MeshBuilder.monitor(Consumer)",
                of(m -> m.monitor(h -> h.size("a").region("b")), m -> m.monitor(h -> h.region("ams3"))));
        all.put("MeshBuilder.monitor()", of(m -> m.monitor(h -> h.size("a")), m -> m.monitor()));
        all.put(
                "MeshBuilder.namedMonitor(String)",
                of(m -> m.namedMonitor("mon", h -> h.size("a")), m -> m.namedMonitor("mon")));
        all.put(
                "MeshBuilder.namedMonitor(String, Consumer)",
                of(
                        m -> m.namedMonitor("mon", h -> h.size("a").region("b")),
                        m -> m.namedMonitor("mon", h -> h.region("c"))));
        all.put("MeshBuilder.nodes(int)", of(m -> m.nodes(5), m -> m.nodes(3)));
        all.put("MeshBuilder.nodes(int, String[])", of(m -> m.nodes(5, "a", "b"), m -> m.nodes(3, "c")));
        all.put("MeshBuilder.node(String)", of(m -> m.node("db", h -> h.size("a")), m -> m.node("db")));
        all.put(
                "MeshBuilder.node(String, Consumer)",
                of(m -> m.node("db", h -> h.expose("a", 1)), m -> m.node("db", h -> h.expose("b", 2))));
        all.put(
                "MeshBuilder.editHost(String, Consumer)",
                of(m -> m.editHost("web", h -> h.size("a")), m -> m.editHost("web", h -> h.size("b"))));
        all.put(
                "MeshBuilder.loginKeys(SshPublicKey[])",
                of(m -> m.loginKeys(LOGIN, OTHER_LOGIN), m -> m.loginKeys(LOGIN)));
        all.put("MeshBuilder.adopt(String)", of(m -> m.adopt("web", h -> h.trustOnFirstUse()), m -> m.adopt("web")));
        all.put(
                "MeshBuilder.adopt(String, Consumer)",
                of(
                        m -> m.adopt("web", h -> h.trustOnFirstUse()),
                        m -> m.adopt("web", h -> h.hostKey("SHA256:" + "x".repeat(43)))));
        all.put("MeshBuilder.region(String)", of(m -> m.region("a"), m -> m.region("b")));
        all.put("MeshBuilder.protectHosts(boolean)", of(m -> m.protectHosts(true), m -> m.protectHosts(false)));
        all.put("MeshBuilder.size(String)", of(m -> m.size("a"), m -> m.size("b")));
        all.put("MeshBuilder.image(String)", of(m -> m.image("a"), m -> m.image("b")));
        all.put(
                "MeshBuilder.viewer(String, PublicKey)",
                of(m -> m.viewer("anna", key('I')), m -> m.viewer("anna", key('E'))));
        all.put(
                "MeshBuilder.viewer(String, PublicKey, Consumer)",
                of(
                        m -> m.viewer("anna", key('I'), v -> v.until(Instant.EPOCH)),
                        m -> m.viewer("anna", key('I'), v -> {})));
        all.put(
                "ViewerBuilder.until(Instant)",
                of(viewer(v -> v.until(Instant.EPOCH)), viewer(v -> v.until(Instant.ofEpochSecond(1)))));
        all.put("MeshBuilder.network(String)", of(m -> m.network("10.1.0.0/24"), m -> m.network("10.2.0.0/24")));
        all.put("MeshBuilder.interfaceName(String)", of(m -> m.interfaceName("a"), m -> m.interfaceName("b")));
        all.put("MeshBuilder.mtu(int)", of(m -> m.mtu(1300), m -> m.mtu(1400)));
        all.put("MeshBuilder.wireGuardPort(int)", of(m -> m.wireGuardPort(1), m -> m.wireGuardPort(2)));
        all.put("MeshBuilder.hostsFile(boolean)", of(m -> m.hostsFile(true), m -> m.hostsFile(false)));
        all.put("MeshBuilder.presharedKeys(boolean)", of(m -> m.presharedKeys(true), m -> m.presharedKeys(false)));
        all.put("MeshBuilder.nodeExporterPort(int)", of(m -> m.nodeExporterPort(1), m -> m.nodeExporterPort(2)));
        all.put(
                "MeshBuilder.nodeExporter(Release)",
                of(m -> m.nodeExporter(mirrored), m -> m.nodeExporter(mirrored.from(OTHER))));
        all.put(
                "MeshBuilder.prometheus(Consumer)",
                of(m -> m.prometheus(p -> p.port(1)), m -> m.prometheus(p -> p.port(2))));
        all.put("MeshBuilder.provider(CloudProvider)", of(m -> m.provider(CLOUD), m -> m.provider(OTHER_CLOUD)));
        MemoryHosts applier = new MemoryHosts(CLOUD);
        all.put(
                "MeshBuilder.applier(HostApplier)",
                of(m -> m.applier(new MemoryHosts(CLOUD)), m -> m.applier(applier)));
        MemoryStateStore store = new MemoryStateStore();
        all.put("MeshBuilder.state(StateStore)", of(m -> m.state(new MemoryStateStore()), m -> m.state(store)));
        MeshListener listener = event -> {};
        all.put("MeshBuilder.listener(MeshListener)", of(m -> m.listener(event -> {}), m -> m.listener(listener)));
        KeySource keys = KeySource.random();
        all.put("MeshBuilder.keySource(KeySource)", of(m -> m.keySource(KeySource.random()), m -> m.keySource(keys)));
        all.put("MeshBuilder.allowRemoval()", of(m -> m.allowRemoval(false), m -> m.allowRemoval()));
        all.put("MeshBuilder.allowRemoval(boolean)", of(m -> m.allowRemoval(true), m -> m.allowRemoval(false)));
        all.put("MeshBuilder.parallelism(int)", of(m -> m.parallelism(1), m -> m.parallelism(2)));
        all.put(
                "MeshBuilder.sshTimeout(Duration)",
                of(m -> m.sshTimeout(Duration.ofSeconds(1)), m -> m.sshTimeout(Duration.ofSeconds(2))));
        all.put("HostBuilder.region(String)", of(host(h -> h.region("a")), host(h -> h.region("b"))));
        all.put("HostBuilder.size(String)", of(host(h -> h.size("a")), host(h -> h.size("b"))));
        all.put("HostBuilder.image(String)", of(host(h -> h.image("a")), host(h -> h.image("b"))));
        all.put("HostBuilder.expose(String, int)", of(host(h -> h.expose("db", 1)), host(h -> h.expose("db", 2))));
        all.put(
                "HostBuilder.expose(String, int, String)",
                of(host(h -> h.expose("db", 1, "/a")), host(h -> h.expose("db", 2, "/b"))));
        all.put(
                "HostBuilder.allow(int, Protocol)",
                of(host(h -> h.close(1, Protocol.TCP)), host(h -> h.allow(1, Protocol.TCP))));
        all.put(
                "HostBuilder.close(int, Protocol)",
                of(host(h -> h.allow(1, Protocol.TCP)), host(h -> h.close(1, Protocol.TCP))));
        all.put(
                "HostBuilder.closeOtherPorts(boolean)",
                of(host(h -> h.closeOtherPorts(true)), host(h -> h.closeOtherPorts(false))));
        all.put(
                "HostBuilder.endpoint(String)",
                of(host(h -> h.endpoint("a.example")), host(h -> h.endpoint("192.0.2.1"))));
        all.put(
                "HostBuilder.endpoint(String, int)",
                of(host(h -> h.endpoint("a.example", 1)), host(h -> h.endpoint("192.0.2.1", 2))));
        all.put("HostBuilder.behindNat(boolean)", of(host(h -> h.behindNat(true)), host(h -> h.behindNat(false))));
        all.put("HostBuilder.protect(boolean)", of(host(h -> h.protect(true)), host(h -> h.protect(false))));
        all.put("HostBuilder.wireGuardPort(int)", of(host(h -> h.wireGuardPort(1)), host(h -> h.wireGuardPort(2))));
        all.put("HostBuilder.mtu(int)", of(host(h -> h.mtu(1300)), host(h -> h.mtu(1400))));
        all.put("HostBuilder.openPorts(int[])", of(host(h -> h.openPorts(1, 2)), host(h -> h.openPorts(3))));
        all.put(
                "PrometheusBuilder.scrapeInterval(Duration)",
                of(
                        prometheus(p -> p.scrapeInterval(Duration.ofSeconds(1))),
                        prometheus(p -> p.scrapeInterval(Duration.ofSeconds(2)))));
        all.put("PrometheusBuilder.port(int)", of(prometheus(p -> p.port(1)), prometheus(p -> p.port(2))));
        all.put(
                "PrometheusBuilder.release(Release)",
                of(
                        prometheus(p -> p.release(Release.prometheus().from(SERVER))),
                        prometheus(p -> p.release(Release.prometheus().from(OTHER)))));
        all.put(
                "PrometheusBuilder.retention(Duration)",
                of(prometheus(p -> p.retention(Duration.ofDays(1))), prometheus(p -> p.retention(Duration.ofDays(2)))));
        all.put(
                "PrometheusBuilder.retentionSize(String)",
                of(prometheus(p -> p.retentionSize("1GB")), prometheus(p -> p.retentionSize("2GB"))));
        all.put(
                "PrometheusBuilder.externalLabel(String, String)",
                of(prometheus(p -> p.externalLabel("a", "x")), prometheus(p -> p.externalLabel("a", "y"))));
        all.put(
                "PrometheusBuilder.shards(boolean)",
                of(prometheus(p -> p.shards(false)), prometheus(p -> p.shards(true))));
        all.put(
                "PrometheusBuilder.defaultRules(boolean)",
                of(prometheus(p -> p.defaultRules(true)), prometheus(p -> p.defaultRules(false))));
        all.put(
                "PrometheusBuilder.scrape(String, Consumer)",
                of(job(j -> j.targets("b:1").label("a", "x")), job(j -> j.targets("c:1"))));
        all.put(
                "ScrapeJobBuilder.targets(String[])",
                of(job(j -> j.targets("b:1", "c:1")), job(j -> j.targets("d:1"))));
        all.put(
                "ScrapeJobBuilder.interval(Duration)",
                of(job(j -> j.interval(Duration.ofSeconds(1))), job(j -> j.interval(Duration.ofSeconds(2)))));
        all.put("ScrapeJobBuilder.path(String)", of(job(j -> j.path("/a")), job(j -> j.path("/b"))));
        all.put("ScrapeJobBuilder.scheme(String)", of(job(j -> j.scheme("http")), job(j -> j.scheme("https"))));
        all.put("ScrapeJobBuilder.label(String, String)", of(job(j -> j.label("a", "x")), job(j -> j.label("a", "y"))));
        return all;
    }

    /** Setters whose values cannot be compared, and why. */
    private static final Map<String, String> NOT_COMPARED = Map.of(
            "MeshBuilder.state(Path)", "makes a store of its own for each call: see state_path_isKeptInThatFolder");

    private static Stream<Method> methods() {
        return BUILDERS.stream()
                .flatMap(type -> Stream.of(type.getMethods()))
                .filter(method -> !Modifier.isStatic(method.getModifiers()))
                .filter(method -> BUILDERS.contains(method.getReturnType()));
    }

    private static String signature(Method method) {
        return method.getReturnType().getSimpleName()
                + '.'
                + method.getName()
                + '('
                + String.join(
                        ", ",
                        Arrays.stream(method.getParameterTypes())
                                .map(Class::getSimpleName)
                                .toList())
                + ')';
    }

    @Test
    void methods_ofEveryBuilder_addOrRemoveByNameOrAreTestedToReplace() {
        Set<String> plain = new TreeSet<>();
        methods()
                .filter(method -> !method.getName().matches("(add|without)[A-Z].*"))
                .forEach(method -> plain.add(signature(method)));
        Set<String> tested = new TreeSet<>(SETTINGS.keySet());
        tested.addAll(NOT_COMPARED.keySet());

        assertThat(plain).containsExactlyElementsOf(tested);
    }

    static Stream<String> plainSetters() {
        return SETTINGS.keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("plainSetters")
    void setter_calledAgain_replacesWhatItSet(String name) {
        Setting setting = Objects.requireNonNull(SETTINGS.get(name));
        MeshBuilder start = mesh();
        Mesh base = start.build();
        MeshBuilder once = base.toBuilder();
        setting.second().accept(once);
        MeshBuilder twice = base.toBuilder();
        setting.first().accept(twice);
        List<Object> afterFirst = built(twice);
        setting.second().accept(twice);

        assertThat(built(twice)).isEqualTo(built(once)).isNotEqualTo(afterFirst);
    }

    @Test
    void state_path_isKeptInThatFolder() {
        assertThat(mesh().state(folder.resolve("a"))
                        .state(folder.resolve("b"))
                        .build()
                        .settings()
                        .state())
                .extracting(store -> store.describe("shop"))
                .asString()
                .contains(folder.resolve("b").toString());
    }

    private static Arguments adder(
            String name, ToIntFunction<Blueprint> count, Consumer<MeshBuilder> first, Consumer<MeshBuilder> second) {
        return Arguments.of(name, count, of(first, second));
    }

    static Stream<Arguments> adders() {
        Exporter other =
                Exporters.blackbox().withName("other_exporter").withJob("other").withPort(9116);
        Credentials credentials = Credentials.bearer(Secret.of("t"));
        return Stream.of(
                adder(
                        "MeshBuilder.addMonitor(String)",
                        mesh -> mesh.monitors().size(),
                        m -> m.addMonitor("fra1"),
                        m -> m.addMonitor("ams3")),
                adder(
                        "MeshBuilder.addMonitor(Consumer)",
                        mesh -> mesh.monitors().size(),
                        m -> m.addMonitor(h -> {}),
                        m -> m.addMonitor(h -> {})),
                adder(
                        "MeshBuilder.addExporter(Exporter)",
                        mesh -> mesh.host("shop-node-1").spec().exporters().size(),
                        m -> m.addExporter(Exporters.blackbox()),
                        m -> m.addExporter(other)),
                adder(
                        "HostBuilder.addExporter(Exporter)",
                        mesh -> mesh.host("web").spec().exporters().size(),
                        host(h -> h.addExporter(Exporters.blackbox())),
                        host(h -> h.addExporter(other))),
                adder(
                        "HostBuilder.addExposure(String, int, String)",
                        mesh -> mesh.host("web").spec().services().size(),
                        host(h -> h.addExposure("db", 1, "/a")),
                        host(h -> h.addExposure("db", 2, "/b"))),
                adder(
                        "HostBuilder.addOpenPort(int)",
                        mesh -> mesh.host("web").spec().openPorts().size(),
                        host(h -> h.addOpenPort(1)),
                        host(h -> h.addOpenPort(2))),
                adder(
                        "PrometheusBuilder.addRules(String, String)",
                        mesh -> mesh.spec().prometheus().ruleFiles().size(),
                        prometheus(p -> p.addRules("a", "groups: []")),
                        prometheus(p -> p.addRules("b", "groups: []"))),
                adder(
                        "PrometheusBuilder.addRules(Path)",
                        mesh -> mesh.spec().prometheus().ruleFiles().size(),
                        prometheus(p -> p.addRules(rules("a.yml"))),
                        prometheus(p -> p.addRules(rules("b.yaml")))),
                adder(
                        "PrometheusBuilder.addAlertmanager(URI)",
                        mesh -> mesh.spec().prometheus().alertmanagers().size(),
                        prometheus(p -> p.addAlertmanager(SERVER)),
                        prometheus(p -> p.addAlertmanager(OTHER))),
                adder(
                        "PrometheusBuilder.addRemoteWrite(URI)",
                        mesh -> mesh.spec().prometheus().remoteWrites().size(),
                        prometheus(p -> p.addRemoteWrite(SERVER)),
                        prometheus(p -> p.addRemoteWrite(OTHER))),
                adder(
                        "PrometheusBuilder.addRemoteWrite(URI, Credentials)",
                        mesh -> mesh.spec().prometheus().remoteWrites().size(),
                        prometheus(p -> p.addRemoteWrite(SERVER, credentials)),
                        prometheus(p -> p.addRemoteWrite(OTHER, credentials))));
    }

    private static Path rules(String name) {
        try {
            return Files.writeString(folder.resolve(name), "groups: []");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("adders")
    void adder_calledAgain_keepsWhatItAdded(String name, ToIntFunction<Blueprint> count, Setting setting) {
        MeshBuilder builder = mesh();
        int before = count.applyAsInt(builder.blueprint());

        setting.first().accept(builder);
        setting.second().accept(builder);

        assertThat(count.applyAsInt(builder.blueprint())).as(name).isEqualTo(before + 2);
    }

    @Test
    void addTarget_calledAgain_keepsWhatItAdded() {
        assertThat(mesh().prometheus(p -> p.scrape(
                                "till",
                                job -> job.targets("a:1").addTarget("b:1").addTarget("c:1")))
                        .blueprint()
                        .spec()
                        .prometheus()
                        .scrapeJobs())
                .singleElement()
                .satisfies(job -> assertThat(job.targets()).containsExactly("a:1", "b:1", "c:1"));
    }

    @Test
    void methods_thatAdd_areAllTested() {
        Set<String> adding = new TreeSet<>();
        methods().filter(method -> method.getName().startsWith("add")).forEach(method -> adding.add(signature(method)));
        Set<String> tested = new TreeSet<>(Set.of("ScrapeJobBuilder.addTarget(String)"));
        adders().forEach(adder -> tested.add((String) adder.get()[0]));

        assertThat(adding).containsExactlyElementsOf(tested);
    }

    @Test
    void addMonitor_besideTheFirst_isNumberedOn() {
        assertThat(Mesh.builder()
                        .monitor("fra1")
                        .addMonitor("ams3")
                        .monitor("tor1")
                        .blueprint()
                        .monitors())
                .extracting(host -> host.name() + ' ' + host.spec().region())
                .containsExactly("promguard-monitor-1 tor1", "promguard-monitor-2 ams3");
        assertThat(Mesh.builder().addMonitor("ams3").blueprint().monitors())
                .extracting(Blueprint.Host::name)
                .containsExactly("promguard-monitor-1");
    }

    @Test
    void addExporter_ofAnEqualName_replacesIt() {
        Blueprint blueprint = mesh().addExporter(Exporters.blackbox())
                .addExporter(Exporters.blackbox().withPort(9117))
                .editHost(
                        "web",
                        host -> host.addExporter(Exporters.blackbox())
                                .addExporter(Exporters.blackbox().withPort(9116)))
                .blueprint();

        assertThat(blueprint.host("shop-node-1").spec().exporters())
                .extracting(Exporter::port)
                .containsExactly(9117);
        assertThat(blueprint.host("web").spec().exporters())
                .extracting(Exporter::port)
                .containsExactly(9116);
    }

    @Test
    void expose_afterAddExposure_replacesAllOfTheJobAndNoOther() {
        assertThat(mesh().editHost(
                                "web",
                                host -> host.expose("app", 1)
                                        .expose("db", 2)
                                        .addExposure("db", 3, "/b")
                                        .expose("db", 4))
                        .blueprint()
                        .host("web")
                        .spec()
                        .services())
                .extracting(service -> service.job() + ' ' + service.port())
                .containsExactly("app 1", "db 4");
    }

    @Test
    void setter_thatThrows_leavesTheBuilderAsItWas() {
        MeshBuilder builder = mesh();
        List<Object> before = built(builder);
        Consumer<HostBuilder> bad = host -> host.size("a").region("not a region");

        for (Consumer<MeshBuilder> call : List.<Consumer<MeshBuilder>>of(
                m -> m.monitor(bad),
                m -> m.addMonitor(bad),
                m -> m.node("web", bad),
                m -> m.editHost("shop-node-1", bad),
                m -> m.nodes(1, "a", "not a region"),
                m -> m.prometheus(p -> p.port(1234).port(0)),
                host(h -> h.openPorts(1, 0)))) {
            assertThatThrownBy(() -> call.accept(builder)).isInstanceOf(InvalidSettingException.class);
        }

        assertThat(built(builder)).isEqualTo(before);
    }

    static Stream<Method> methodsOfObjects() {
        return methods().filter(method -> Stream.of(method.getParameterTypes()).anyMatch(type -> !type.isPrimitive()));
    }

    @ParameterizedTest
    @MethodSource("methodsOfObjects")
    void method_null_isRefusedAtOnceByName(Method method) throws ReflectiveOperationException {
        Class<?>[] types = method.getParameterTypes();
        for (int i = 0; i < types.length; i++) {
            if (!types[i].isPrimitive()) {
                Object[] arguments = new Object[types.length];
                for (int j = 0; j < types.length; j++) {
                    arguments[j] = j == i ? null : harmless(types[j]);
                }
                Object builder = builder(method.getReturnType());
                assertThatThrownBy(() -> method.invoke(builder, arguments))
                        .as("%s, argument %d", signature(method), i)
                        .isInstanceOf(InvocationTargetException.class)
                        .cause()
                        .isInstanceOf(NullPointerException.class)
                        .hasMessageMatching("[a-z][A-Za-z]*");
            }
        }
    }

    private static Object harmless(Class<?> type) {
        if (type == int.class) {
            return 1;
        }
        if (type == String.class) {
            return "web";
        }
        if (type == String[].class) {
            return new String[] {"lon1"};
        }
        if (type == URI.class) {
            return SERVER;
        }
        if (type == Credentials.class) {
            return Credentials.bearer(Secret.of("token"));
        }
        if (type == PublicKey.class) {
            return key('I');
        }
        return (Consumer<Object>) nothing -> {};
    }

    private static Object builder(Class<?> type) throws ReflectiveOperationException {
        if (type == MeshBuilder.class) {
            return mesh();
        }
        if (type == PrometheusBuilder.class) {
            return new PrometheusBuilder();
        }
        if (type == ViewerBuilder.class) {
            return new ViewerBuilder();
        }
        return type == HostBuilder.class ? new HostBuilder("", HostOptions.NONE) : new ScrapeJobBuilder("till");
    }

    @Test
    @SuppressWarnings("NullAway") // what a caller without NullAway might pass
    void method_nullAmongSeveral_isRefusedAtOnceByName() {
        assertThatThrownBy(() -> mesh().nodes(1, "lon1", null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("region");
        assertThatThrownBy(() -> new ScrapeJobBuilder("till").targets("a:1", null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("hostAndPort");
        assertThatThrownBy(() -> Exporters.blackbox().addArguments("-x", null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("arguments");
    }

    private static Arguments refused(String message, Consumer<MeshBuilder> call) {
        return Arguments.of(message, call);
    }

    static Stream<Arguments> malformed() {
        String word =
                ": use 1 to 64 lower-case letters, digits, dots, dashes and underscores, starting and ending with a letter or digit";
        String job = ": use 1 to 63 lower-case letters, digits, dashes and underscores, starting with a letter";
        String port = ": use 1 to 65535, but not SSH's port 22";
        String own = " is the name of a job that every mesh has: choose another name";
        List<Arguments> all = new ArrayList<>(List.of(
                refused(
                        "name \"My Shop\" is not a valid mesh name: use 1 to 32 lower-case letters, digits and dashes,"
                                + " starting with a letter and not ending with a dash",
                        m -> m.name("My Shop")),
                refused(
                        "node name \"a.b\" is not a valid host name: use 1 to 63 lower-case letters, digits and dashes,"
                                + " not starting or ending with a dash",
                        m -> m.node("a.b")),
                refused(
                        "monitor name \"\" is not a valid host name: use 1 to 63 lower-case letters, digits and dashes,"
                                + " not starting or ending with a dash",
                        m -> m.namedMonitor("")),
                refused("region \"Tor 1?\" is not a valid region" + word, m -> m.monitor("Tor 1\u0007")),
                refused("region \"-\" is not a valid region" + word, m -> m.addMonitor("-")),
                refused("region \"-\" is not a valid region" + word, m -> m.nodes(1, "a", "-")),
                refused("region \"-\" is not a valid region" + word, m -> m.region("-")),
                refused("size \"-\" is not a valid size" + word, m -> m.size("-")),
                refused("image \"-\" is not a valid image" + word, m -> m.image("-")),
                refused("size \"-\" of node \"db\" is not a valid size" + word, m -> m.node("db", h -> h.size("-"))),
                refused("nodes -1 is out of range: use 0 to 65536", m -> m.nodes(-1)),
                refused("nodes 65537 is out of range: use 0 to 65536", m -> m.nodes(65_537, "lon1")),
                refused(
                        "nodes: no region is given: use at least one, or leave them out",
                        m -> m.nodes(1, new String[0])),
                refused(
                        "network \"ten\" is not a valid network: use CIDR notation, such as 10.0.0.0/24",
                        m -> m.network("ten")),
                refused(
                        "network \"10.0.0.7/24\" is an address inside a network: did you mean 10.0.0.0/24?",
                        m -> m.network("10.0.0.7/24")),
                refused(
                        "network \"8.8.8.0/24\" is not private: choose one inside 10.0.0.0/8, 172.16.0.0/12,"
                                + " 192.168.0.0/16, 100.64.0.0/10, 198.18.0.0/15, fc00::/7",
                        m -> m.network("8.8.8.0/24")),
                refused("wireGuardPort 0 is not a valid port" + port, m -> m.wireGuardPort(0)),
                refused("nodeExporterPort 22 is not a valid port" + port, m -> m.nodeExporterPort(22)),
                refused("prometheus port 65536 is not a valid port" + port, prometheus(p -> p.port(65_536))),
                refused(
                        "nodeExporter release name \"prometheus\" is not node_exporter: use a release named node_exporter",
                        m -> m.nodeExporter(Release.prometheus())),
                refused(
                        "prometheus release name \"node_exporter\" is not prometheus: use a release named prometheus",
                        prometheus(p -> p.release(Release.nodeExporter()))),
                refused(
                        "scrapeInterval PT0.001S is out of range: use whole seconds from 1 s to 1 h",
                        prometheus(p -> p.scrapeInterval(Duration.ofMillis(1)))),
                refused("parallelism 0 is out of range: use 1 to 256", m -> m.parallelism(0)),
                refused("parallelism 257 is out of range: use 1 to 256", m -> m.parallelism(257)),
                refused("job \"../x\" of node \"web\" is not a valid job name" + job, host(h -> h.expose("../x", 1))),
                refused("job \"node\" of node \"web\"" + own, host(h -> h.expose("node", 1))),
                refused("job \"prometheus\" of node \"web\"" + own, host(h -> h.addExposure("prometheus", 1, "/x"))),
                refused("port 22 of node \"web\" is not a valid port" + port, host(h -> h.expose("db", 22))),
                refused(
                        "metricsPath \"/a?b\" of node \"web\" is not a valid path: use a path such as /metrics, without a query",
                        host(h -> h.expose("db", 1, "/a?b"))),
                refused(
                        "openPort 0 of node \"web\" is not a valid port: use 1 to 65535",
                        host(h -> h.openPorts(80, 0))),
                refused(
                        "allowed port 0 of node \"web\" is not a valid port: use 1 to 65535",
                        host(h -> h.allow(0, Protocol.TCP))),
                refused(
                        "closed port 65536 of node \"web\" is not a valid port: use 1 to 65535",
                        host(h -> h.close(65_536, Protocol.UDP))),
                refused(
                        "port \"80/udp\" does not exist: use one of the nearest, 80/tcp",
                        host(h -> h.allow(80, Protocol.TCP).withoutPort(80, Protocol.UDP))),
                refused(
                        "openPort 65536 of node \"web\" is not a valid port: use 1 to 65535",
                        host(h -> h.addOpenPort(65_536))),
                refused(
                        "node \"shop-node-3\" does not exist: use one of the nearest, shop-node-1, shop-node-2, web",
                        m -> m.withoutNode("shop-node-3")),
                refused(
                        "monitor \"web\" does not exist: use one of the nearest, shop-monitor-1",
                        m -> m.withoutMonitor("web")),
                refused(
                        "exporter \"blackbox_exporter\" does not exist: there is none",
                        m -> m.withoutExporter("blackbox_exporter")),
                refused(
                        "host \"wep\" does not exist: use one of the nearest, web, shop-node-1, shop-node-2",
                        m -> m.editHost("wep", host -> {})),
                refused("job \"db\" does not exist: there is none", host(h -> h.withoutExposure("db")))));
        for (String timeout : List.of("PT-1S", "PT0.999S", "PT1H0.001S", "PT2562047788015215H")) {
            all.add(refused(
                    "sshTimeout " + timeout + " is out of range: use one second to one hour",
                    m -> m.sshTimeout(Duration.parse(timeout))));
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("malformed")
    void method_malformedValue_isRefusedAtOnce(String message, Consumer<MeshBuilder> call) {
        MeshBuilder builder = mesh();
        List<Object> before = built(builder);

        assertThatThrownBy(() -> call.accept(builder))
                .isExactlyInstanceOf(InvalidSettingException.class)
                .extracting(refused -> ((InvalidSettingException) refused).reason())
                .isEqualTo(message);
        assertThat(built(builder)).isEqualTo(before);
    }

    @Test
    void withouts_ofPrometheus_removeOneThingEach() {
        Mesh before = mesh().prometheus(p -> p.externalLabel("keep", "x")
                        .addRules("keep", "x")
                        .scrape("keep", job -> job.targets("a:1"))
                        .addAlertmanager(OTHER))
                .build();
        Mesh after = before.toBuilder()
                .prometheus(p -> p.externalLabel("a", "x")
                        .retentionSize("1GB")
                        .addRules("a", "x")
                        .scrape("a", job -> job.targets("a:1"))
                        .addAlertmanager(SERVER)
                        .addRemoteWrite(SERVER, Credentials.bearer(Secret.of("t"))))
                .build()
                .toBuilder()
                .prometheus(p -> p.withoutExternalLabel("a")
                        .withoutRetentionSize()
                        .withoutRules("a")
                        .withoutScrape("a")
                        .withoutAlertmanager(SERVER)
                        .withoutRemoteWrite(SERVER))
                .build();

        assertThat(built(after.toBuilder())).isEqualTo(built(before.toBuilder()));
    }

    @Test
    void withoutRemoteWrite_ofTheFirst_leavesTheOthersTheirNamesAndSecrets() {
        Secret kept = Secret.of("b");
        MeshBuilder builder = mesh().prometheus(p -> p.addRemoteWrite(SERVER, Credentials.bearer(Secret.of("a")))
                .addRemoteWrite(OTHER, Credentials.bearer(kept)));

        Mesh less = builder.prometheus(p -> p.withoutRemoteWrite(SERVER)).build();
        assertThat(less.blueprint().spec().prometheus().remoteWrites())
                .extracting(write -> write.name() + ' ' + write.uri())
                .containsExactly("remote-write-2 https://b.example/");
        assertThat(less.settings().remoteWriteSecrets()).isEqualTo(Map.of("remote-write-2", kept));

        assertThat(builder.prometheus(p -> p.addRemoteWrite(SERVER))
                        .blueprint()
                        .spec()
                        .prometheus()
                        .remoteWrites())
                .extracting(write -> write.name() + ' ' + write.uri())
                .containsExactly("remote-write-2 https://b.example/", "remote-write-1 https://a.example/");
    }

    @Test
    void withouts_ofAHost_removeOneThingEach() {
        Blueprint blueprint = mesh().addExporter(Exporters.blackbox())
                .editHost(
                        "web",
                        host -> host.addExporter(Exporters.blackbox().withPort(9116))
                                .expose("db", 1)
                                .addExposure("db", 2, "/b")
                                .expose("app", 3))
                .editHost(
                        "web", host -> host.withoutExporter("blackbox_exporter").withoutExposure("db"))
                .blueprint();

        assertThat(blueprint.host("web").spec().exporters())
                .extracting(Exporter::port)
                .as("the mesh's own")
                .containsExactly(9115);
        assertThat(blueprint.host("web").spec().services())
                .extracting(service -> service.job())
                .containsExactly("app");
        assertThat(mesh().addExporter(Exporters.blackbox())
                        .withoutExporter("blackbox_exporter")
                        .blueprint()
                        .nodes())
                .allSatisfy(node -> assertThat(node.spec().exporters()).isEmpty());
    }

    @Test
    void exporter_everyMethodThatGivesACopy_setsOrAddsByItsName() {
        List<String> names = Stream.of(Exporter.class.getMethods())
                .filter(method -> method.getReturnType() == Exporter.class)
                .filter(method -> !Modifier.isStatic(method.getModifiers()))
                .map(Method::getName)
                .distinct()
                .toList();
        assertThat(names).isNotEmpty().allMatch(name -> name.matches("(with|add)[A-Z].*"));
        Exporter exporter = Exporters.blackbox();
        assertThat(exporter.addArguments("-a").addArguments("-b").arguments())
                .containsExactly("--config.file={folder}/blackbox.yml", "-a", "-b");
        assertThat(exporter.addProbe("a", "m").addProbe("b", "m").probes()).hasSize(2);
        assertThat(exporter.addCapability(Capability.NET_RAW)
                        .addCapability(Capability.SYS_PTRACE)
                        .capabilities())
                .hasSize(2);
        assertThat(exporter.withListen("-a", "{listen}")
                        .withListen("-b={listen}")
                        .listen())
                .containsExactly("-b={listen}");
    }
}
