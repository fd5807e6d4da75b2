package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Release;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class MeshBuilderTest {
    private static List<String> faults(MeshBuilder wish) {
        return catchThrowableOfType(InvalidMeshException.class, wish::build).faults();
    }

    static Stream<Method> settersOfObjects() {
        return Stream.of(MeshBuilder.class, HostBuilder.class, PrometheusBuilder.class, ScrapeJobBuilder.class)
                .flatMap(type -> Stream.of(type.getMethods()))
                .filter(method -> method.getReturnType() == method.getDeclaringClass())
                .filter(method -> !Modifier.isStatic(method.getModifiers()))
                .filter(method -> Stream.of(method.getParameterTypes()).anyMatch(type -> !type.isPrimitive()));
    }

    @ParameterizedTest
    @MethodSource("settersOfObjects")
    void setter_null_isRefusedAtOnce(Method setter) {
        Object[] arguments = Stream.of(setter.getParameterTypes())
                .map(type -> type == int.class ? 1 : null)
                .toArray();

        assertThatThrownBy(() -> setter.invoke(builder(setter.getDeclaringClass()), arguments))
                .isInstanceOf(InvocationTargetException.class)
                .hasCauseInstanceOf(NullPointerException.class);
    }

    private static Object builder(Class<?> type) {
        return type == MeshBuilder.class
                ? Mesh.builder()
                : type == HostBuilder.class
                        ? new HostBuilder()
                        : type == PrometheusBuilder.class ? new PrometheusBuilder() : new ScrapeJobBuilder();
    }

    @Test
    void setters_ofObjects_areAllTried() {
        assertThat(settersOfObjects()).hasSizeGreaterThan(18);
    }

    @Test
    void node_nullName_isRefusedAtOnce() {
        assertThatThrownBy(() -> Mesh.builder().node(nothing(), host -> {})).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> Mesh.builder().nodes(1, "lon1", nothing())).isInstanceOf(NullPointerException.class);
    }

    @SuppressWarnings("NullAway") // what a caller without NullAway might pass
    private static String nothing() {
        return null;
    }

    @Test
    void build_everythingWrong_namesEveryFaultAtOnce() {
        MeshBuilder wish = Mesh.builder()
                .name("My Shop")
                .monitor("tor1; rm -rf /")
                .nodes(-1, "lon1")
                .node("db", host -> host.size("huge!"))
                .node("db", host -> host.image("$(id)"))
                .network("10.0.0.7/24")
                .wireGuardPort(0)
                .nodeExporterPort(22)
                .parallelism(0)
                .sshPatience(Duration.ZERO)
                .prometheus(settings -> settings.port(70000)
                        .scrapeInterval(Duration.ofMillis(1))
                        .release(Release.nodeExporter()));

        InvalidMeshException refused = catchThrowableOfType(InvalidMeshException.class, wish::build);

        assertThat(refused.mesh()).isEqualTo("My Shop");
        assertThat(refused.retryable()).isFalse();
        assertThat(refused.faults())
                .containsExactly(
                        "node name \"db\" stands twice: give each host a name of its own",
                        "nodes -1 is less than none: use 0 or more",
                        "parallelism 0 is out of range: use 1 to 256",
                        "sshPatience PT0S is out of range: use one second to one hour",
                        "name \"My Shop\" cannot be a mesh's name: use at most 32 lower-case letters, digits and dashes,"
                                + " starting with a letter and not ending with a dash",
                        "region \"tor1; rm -rf /\" of monitor \"My Shop-monitor-1\" cannot be a region: use lower-case"
                                + " letters, digits, dots, dashes and underscores",
                        "image \"$(id)\" of node \"db\" cannot be an image: use lower-case letters, digits, dots, dashes"
                                + " and underscores",
                        "network \"10.0.0.7/24\" is an address inside a network: did you mean 10.0.0.0/24?",
                        "wireGuardPort 0 is not a port: use 1 to 65535",
                        "nodeExporterPort 22 is SSH's port: choose another",
                        "prometheus port 70000 is not a port: use 1 to 65535",
                        "scrapeInterval PT0.001S is out of range: use whole seconds from 1 s to 1 h",
                        "prometheus release \"node_exporter\" is another program: give a release named prometheus");
        assertThat(refused).hasMessageStartingWith("mesh \"My Shop\" has 13 problems [PG-1001]:\n  - node name");
    }

    @Test
    void build_oneFault_isALineOfItsOwn() {
        assertThatThrownBy(() -> Mesh.builder().build())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessage("mesh \"promguard\": monitor is missing: a mesh needs at least one, such as"
                        + " .monitor(\"tor1\") [PG-1001]");
    }

    @Test
    void build_moreNodesThanAMeshHolds_isRefusedWithoutMakingThem() {
        assertThat(faults(Mesh.builder().monitor("tor1").nodes(Integer.MAX_VALUE)))
                .containsExactly("nodes 2147483647 is more than one mesh can hold: use at most 65536");
        assertThat(faults(Mesh.builder().monitor("tor1").nodes(65_536)))
                .singleElement()
                .asString()
                .contains("10.0.0.0/24", "is too small", "65537 are wished");
    }

    @Test
    void build_nodesWithoutRegions_isRefused() {
        assertThat(faults(Mesh.builder().monitor("tor1").nodes(3, new String[0])))
                .containsExactly("nodes: no region given: name at least one, or leave them out");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 257})
    void build_impossibleParallelism_isRefused(int hosts) {
        assertThat(faults(Mesh.builder().monitor("tor1").parallelism(hosts)))
                .containsExactly("parallelism " + hosts + " is out of range: use 1 to 256");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT-1S", "PT0.999S", "PT1H0.001S", "PT2562047788015215H"})
    void build_impossiblePatience_isRefused(String patience) {
        assertThat(faults(Mesh.builder().monitor("tor1").sshPatience(Duration.parse(patience))))
                .singleElement()
                .asString()
                .startsWith("sshPatience " + patience + " is out of range");
    }

    @Test
    void blueprint_defaults_areThoseOfTheDemo() {
        Blueprint blueprint = Mesh.builder().monitor("tor1").nodes(3).blueprint();

        assertThat(blueprint.hosts())
                .extracting(host -> host.name() + ' ' + host.spec().region() + ' ' + host.address())
                .containsExactly(
                        "promguard-monitor-1 tor1 10.0.0.1",
                        "promguard-node-1 lon1 10.0.0.2",
                        "promguard-node-2 sfo3 10.0.0.3",
                        "promguard-node-3 sgp1 10.0.0.4");
    }

    @Test
    void nodes_fewerRegionsThanNodes_cyclesThroughThem() {
        assertThat(Mesh.builder()
                        .monitor("tor1")
                        .nodes(5, "ams3", "fra1")
                        .blueprint()
                        .nodes())
                .extracting(host -> host.spec().region())
                .containsExactly("ams3", "fra1", "ams3", "fra1", "ams3");
    }

    @Test
    void nodes_saidAgain_replacesTheNumberAndKeepsTheRegions() {
        assertThat(Mesh.builder()
                        .monitor("tor1")
                        .nodes(5, "ams3")
                        .nodes(2)
                        .blueprint()
                        .nodes())
                .extracting(host -> host.spec().region())
                .containsExactly("ams3", "ams3");
    }

    @Test
    void hosts_withAndWithoutWords_takeTheMeshsWhereTheyHaveNone() {
        Blueprint blueprint = Mesh.builder()
                .region("fra1")
                .size("s-2vcpu-4gb")
                .image("ubuntu-24-04-x64")
                .monitor(host -> {})
                .monitor("eye", host -> host.region("tor1"))
                .node("db", host -> host.region("ams3").size("large").image("debian-13-x64"))
                .blueprint();

        assertThat(blueprint.hosts())
                .extracting(host -> String.join(
                        " ",
                        host.name(),
                        host.spec().region(),
                        host.spec().size(),
                        host.spec().image()))
                .containsExactly(
                        "promguard-monitor-1 fra1 s-2vcpu-4gb ubuntu-24-04-x64",
                        "eye tor1 s-2vcpu-4gb ubuntu-24-04-x64",
                        "db ams3 large debian-13-x64");
    }

    @Test
    void build_builderChangedAfterwards_leavesTheMeshAsItWas() {
        MeshBuilder wish = Mesh.builder().monitor("tor1").nodes(1);
        Mesh mesh = wish.build();
        String before = mesh.blueprint().toString();

        wish.name("other").nodes(3).node("db", host -> {}).prometheus(settings -> settings.port(1234));

        assertThat(mesh.blueprint()).hasToString(before);
        assertThat(mesh.toBuilder().blueprint()).hasToString(before);
    }

    @Test
    void toBuilder_everythingSaid_saysTheSame() {
        Mesh mesh = Mesh.builder()
                .name("shop")
                .network("fd00::/64")
                .wireGuardPort(1)
                .nodeExporterPort(2)
                .nodeExporter(Release.nodeExporter().from(URI.create("http://mirror.example/")))
                .prometheus(settings -> settings.port(3).scrapeInterval(Duration.ofSeconds(4)))
                .region("a")
                .size("b")
                .image("c")
                .monitor("d")
                .monitor("eye", host -> {})
                .node("db", host -> {})
                .nodes(2, "e", "f")
                .build();

        assertThat(mesh.toBuilder().blueprint()).isEqualTo(mesh.blueprint());
        assertThat(mesh.toBuilder().nodes(3).blueprint().nodes()).hasSize(4);
    }

    @Test
    void writePreview_intoAFolder_writesEveryFileOfEveryHost(@TempDir Path folder) throws Exception {
        Mesh mesh = Mesh.builder().name("shop").monitor("tor1").nodes(1).build();

        List<Path> written = mesh.writePreview(folder.resolve("out"));
        List<Path> again = mesh.writePreview(folder.resolve("out"));

        assertThat(again).isEqualTo(written).isSorted();
        assertThat(written)
                .extracting(path -> folder.resolve("out").relativize(path).toString())
                .containsExactly(
                        "blueprint.txt",
                        "mesh.mmd",
                        "mesh.svg",
                        "shop-monitor-1/etc/prometheus/prometheus.yml",
                        "shop-monitor-1/etc/prometheus/rules/promguard.yml",
                        "shop-monitor-1/etc/prometheus/targets/node.json",
                        "shop-monitor-1/etc/systemd/system/node_exporter.service",
                        "shop-monitor-1/etc/systemd/system/prometheus.service",
                        "shop-monitor-1/etc/systemd/system/promguard-kill-switch.service",
                        "shop-monitor-1/etc/systemd/system/promguard-wireguard-metrics.service",
                        "shop-monitor-1/etc/systemd/system/promguard-wireguard-metrics.timer",
                        "shop-monitor-1/etc/wireguard/wg0.conf",
                        "shop-monitor-1/usr/local/lib/promguard/kill-switch.sh",
                        "shop-monitor-1/usr/local/lib/promguard/wireguard-metrics.sh",
                        "shop-node-1/etc/systemd/system/node_exporter.service",
                        "shop-node-1/etc/systemd/system/promguard-kill-switch.service",
                        "shop-node-1/etc/systemd/system/promguard-wireguard-metrics.service",
                        "shop-node-1/etc/systemd/system/promguard-wireguard-metrics.timer",
                        "shop-node-1/etc/wireguard/wg0.conf",
                        "shop-node-1/usr/local/lib/promguard/kill-switch.sh",
                        "shop-node-1/usr/local/lib/promguard/wireguard-metrics.sh");
        for (Path file : written) {
            assertThat(Files.readString(file)).endsWith("\n");
        }
        assertThat(Files.readString(folder.resolve("out/shop-node-1/etc/wireguard/wg0.conf")))
                .contains("PublicKey = (known after apply)");
    }

    @Test
    void writePreview_folderThatIsAFile_namesIt(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("taken"), "");

        assertThatThrownBy(() -> Mesh.builder().monitor("tor1").build().writePreview(file))
                .isInstanceOf(java.io.UncheckedIOException.class)
                .hasMessageContaining(file.toString());
    }

    @Test
    void release_malformedParts_areRefusedAtOnceWithFieldAndValue() {
        Map<Architecture, String> sums = Map.of(Architecture.AMD64, "0".repeat(64));
        URI base = URI.create("https://mirror.example/");
        List<String> seen = new ArrayList<>();
        for (String name : List.of("", "Prometheus", "../x", "a b", "a;b", "a\nb")) {
            seen.add(message(() -> new Release(name, "1.0", base, sums)));
            assertThat(seen.get(seen.size() - 1)).startsWith("release name " + Names.quote(name));
        }
        for (String version : List.of("", "v1", "1/2", "1 2", "1;id", "1\n")) {
            seen.add(message(() -> new Release("a", version, base, sums)));
            assertThat(seen.get(seen.size() - 1)).startsWith("release version " + Names.quote(version));
        }
        for (String uri :
                List.of("ftp://x/", "file:///etc", "https://x/?a=b", "https://x/#a", "http:/x", "https://x/'")) {
            seen.add(message(() -> new Release("a", "1", URI.create(uri), sums)));
            assertThat(seen.get(seen.size() - 1)).startsWith("release URI " + Names.quote(uri));
        }
        for (String sum : List.of("", "0".repeat(63), "0".repeat(65), "G".repeat(64), "A".repeat(64))) {
            seen.add(message(() -> new Release("a", "1", base, Map.of(Architecture.AMD64, sum))));
            assertThat(seen.get(seen.size() - 1)).startsWith("SHA-256 of a " + Names.quote(sum));
        }
        assertThat(message(() -> new Release("a", "1", base, Map.of()))).contains("at least one architecture");
        assertThat(seen).allSatisfy(text -> assertThat(text).contains(" is not valid: ", " wanted"));
    }

    private static String message(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        return String.valueOf(
                catchThrowableOfType(IllegalArgumentException.class, call).getMessage());
    }

    @Test
    void release_mirror_isWhereTheTarballIsLookedForUnderItsUpstreamName() {
        Release release = Release.nodeExporter();
        assertThat(release.tarball(Architecture.ARM64))
                .hasToString("https://github.com/prometheus/node_exporter/releases/download/v1.12.1/"
                        + "node_exporter-1.12.1.linux-arm64.tar.gz");
        assertThat(release.from(URI.create("http://10.9.0.1:8080/m")).tarball(Architecture.AMD64))
                .hasToString("http://10.9.0.1:8080/m/node_exporter-1.12.1.linux-amd64.tar.gz");
        assertThat(new Release("a", "1", URI.create("http://x/"), Map.of(Architecture.ARM64, "0".repeat(64)))
                        .sum(Architecture.AMD64))
                .isEmpty();
    }
}
