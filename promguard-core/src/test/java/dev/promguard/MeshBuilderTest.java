package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Release;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeshBuilderTest {
    private static List<String> problems(MeshBuilder spec) {
        return catchThrowableOfType(InvalidMeshException.class, spec::build).problems();
    }

    @Test
    void build_wholeThatCannotBe_namesEveryProblemAtOnce() {
        MeshBuilder spec = Mesh.builder()
                .name("shop")
                .nodes(2, "lon1")
                .node("shop-node-2")
                .node(
                        "db",
                        host -> host.expose("postgres", 9187)
                                .addExposure("postgres", 9187, "/b")
                                .openPorts(9100))
                .network("10.0.0.0/30")
                .nodeExporterPort(9100)
                .prometheus(settings -> settings.port(9100)
                        .scrape("postgres", job -> job.targets("db.example:9187"))
                        .addRules("own", "groups: []")
                        .addRules("own", "groups: []"));

        InvalidMeshException refused = catchThrowableOfType(InvalidMeshException.class, spec::build);

        assertThat(refused.mesh()).isEqualTo("shop");
        assertThat(refused.retryable()).isFalse();
        assertThat(refused.problems())
                .containsExactly(
                        "the mesh has no monitor: give it at least one, such as .monitor(\"tor1\")",
                        "node name \"shop-node-2\" is used by another host too: give each host a name of its own",
                        "network \"10.0.0.0/30\" is too small: it has addresses for 2 hosts, and the mesh has 4; choose a"
                                + " shorter prefix, such as /24",
                        "nodeExporterPort and prometheus port are both 9100: a monitor runs both, so choose another for one"
                                + " of them",
                        "port 9187 of job \"postgres\" of node \"db\" is used by job \"postgres\" too: choose another port",
                        "openPort 9100 of node \"db\" is used by node_exporter, which only monitors may reach: leave out the"
                                + " open port, or choose another port for one of the two",
                        "job \"postgres\" of node \"db\" is also the name of a job of prometheus.scrape(…): choose another"
                                + " name",
                        "rules \"own\" is given twice: give each rule file a name of its own");
        assertThat(refused)
                .hasMessageStartingWith("mesh \"shop\" has 8 problems [PG-1001]:\n  - the mesh has no monitor");
    }

    @Test
    void build_oneProblem_isALineOfItsOwn() {
        assertThatThrownBy(() -> Mesh.builder().build())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessage("mesh \"promguard\": the mesh has no monitor: give it at least one, such as"
                        + " .monitor(\"tor1\") [PG-1001]");
    }

    @Test
    void build_moreNodesThanTheNetworkHolds_isRefused() {
        assertThat(problems(Mesh.builder().monitor("tor1").nodes(65_536)))
                .singleElement()
                .asString()
                .contains("10.0.0.0/24", "is too small", "the mesh has 65537");
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
                .namedMonitor("eye", host -> host.region("tor1"))
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
        MeshBuilder spec = Mesh.builder().monitor("tor1").nodes(1);
        Mesh mesh = spec.build();
        String before = mesh.blueprint().toString();

        spec.name("other").nodes(3).node("db", host -> {}).prometheus(settings -> settings.port(1234));

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
                .namedMonitor("eye")
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
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining(file.toString())
                .hasMessageEndingWith("[PG-1009]");
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
        for (String uri : List.of(
                "ftp://x/",
                "file:etc",
                "file://host/etc",
                "https://x/?a=b",
                "https://x/#a",
                "http:/x",
                "https://x/'")) {
            seen.add(message(() -> new Release("a", "1", URI.create(uri), sums)));
            assertThat(seen.get(seen.size() - 1)).startsWith("release URI " + Names.quote(uri));
        }
        for (String sum : List.of("", "0".repeat(63), "0".repeat(65), "G".repeat(64), "A".repeat(64))) {
            seen.add(message(() -> new Release("a", "1", base, Map.of(Architecture.AMD64, sum))));
            assertThat(seen.get(seen.size() - 1)).startsWith("SHA-256 of a " + Names.quote(sum));
        }
        assertThat(message(() -> new Release("a", "1", base, Map.of()))).contains("at least one architecture");
        assertThat(seen).allSatisfy(text -> assertThat(text).contains(" is not valid: use "));
    }

    private static String message(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        return String.valueOf(
                catchThrowableOfType(InvalidSettingException.class, call).getMessage());
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

    @Test
    void toString_builderAndMesh_sayWhatIsDescribed() {
        MeshBuilder builder = Mesh.builder().name("shop").monitor("tor1");

        assertThat(builder).hasToString("MeshBuilder[shop: 1 monitor, 0 nodes in 10.0.0.0/24]");
        assertThat(builder.nodes(2).node("db").namedMonitor("mon").network("10.44.0.0/24"))
                .hasToString("MeshBuilder[shop: 2 monitors, 3 nodes in 10.44.0.0/24]");
        assertThat(builder.build()).hasToString("Mesh[shop: 2 monitors, 3 nodes in 10.44.0.0/24]");
        assertThat(Mesh.builder().network("10.44.0.0/24"))
                .as("not complete")
                .hasToString("MeshBuilder[promguard: 0 monitors, 0 nodes in 10.44.0.0/24]");
    }
}
