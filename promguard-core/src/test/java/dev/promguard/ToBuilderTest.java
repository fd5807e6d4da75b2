package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.Role;
import dev.promguard.internal.run.PollIntervals;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.Secret;
import dev.promguard.memory.MemoryCloud;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryStateStore;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is built can be taken up again: unchanged it is the same, and what is changed or removed leaves the rest alone. */
class ToBuilderTest {
    private static final MemoryCloud CLOUD = new MemoryCloud();
    private static final List<String> REGIONS = List.of("ams3", "fra1", "lon1", "sgp1");

    /** Calls that a random mesh may be built with. Each takes a number that differs from call to call. */
    private static final List<BiConsumer<MeshBuilder, Integer>> CALLS = List.of(
            (mesh, n) -> mesh.nodes(n % 5),
            (mesh, n) -> mesh.nodes(n % 4, region(n), region(n + 1)),
            (mesh, n) -> mesh.node("db-" + n % 3, host -> host.region(region(n)).size("size-" + n)),
            (mesh, n) -> mesh.node(
                    "web-" + n % 3,
                    host -> host.addExporter(Exporters.blackbox())
                            .expose("app", 1000 + n)
                            .openPorts(2000 + n)
                            .allow(3000 + n, Protocol.TCP)
                            .close(4000 + n, Protocol.UDP)
                            .closeOtherPorts(n % 2 == 0)
                            .endpoint("192.0.2." + n % 256, 1 + n)
                            .behindNat(n % 2 == 0)
                            .wireGuardPort(5000 + n)
                            .mtu(1280 + n % 100)),
            (mesh, n) -> mesh.monitor(region(n)),
            (mesh, n) -> mesh.addMonitor(region(n)),
            (mesh, n) -> mesh.namedMonitor("mon-" + n % 3, host -> host.image("image-" + n)),
            (mesh, n) -> mesh.region(region(n)),
            (mesh, n) -> mesh.size("size-" + n),
            (mesh, n) -> mesh.image("image-" + n),
            (mesh, n) -> mesh.network("10." + n % 256 + ".0.0/24"),
            (mesh, n) -> mesh.wireGuardPort(3000 + n),
            (mesh, n) -> mesh.interfaceName("wg" + n).mtu(1280 + n % 100),
            (mesh, n) -> mesh.presharedKeys(n % 2 == 0),
            (mesh, n) -> mesh.nodeExporterPort(4000 + n),
            (mesh, n) -> mesh.addExporter(Exporters.blackbox()
                    .withName("x" + n % 3 + "_exporter")
                    .withJob("x" + n % 3)
                    .withPort(5000 + n)),
            (mesh, n) -> mesh.prometheus(settings -> settings.port(6000 + n).retention(Duration.ofHours(2 + n))),
            (mesh, n) -> mesh.prometheus(settings -> settings.externalLabel("team" + n % 2, "t" + n)
                    .shards(n % 2 == 0)
                    .defaultRules(n % 3 == 0)),
            (mesh, n) -> mesh.prometheus(settings -> settings.scrape(
                    "till-" + n % 3,
                    job -> job.targets("a:" + (1 + n)).path("/" + n).label("floor", "" + n))),
            (mesh, n) -> mesh.prometheus(settings -> settings.addRules("own-" + n, "groups: []")),
            (mesh, n) -> mesh.prometheus(settings -> settings.addRemoteWrite(
                    URI.create("https://mimir.example/" + n), Credentials.bearer(Secret.of("secret " + n)))),
            (mesh, n) ->
                    mesh.prometheus(settings -> settings.addAlertmanager(URI.create("https://alerts.example/" + n))),
            (mesh, n) -> mesh.parallelism(1 + n % 256),
            (mesh, n) -> mesh.sshTimeout(Duration.ofSeconds(1 + n)),
            (mesh, n) -> mesh.waits(new PollIntervals(
                    Duration.ofSeconds(n), Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO)),
            (mesh, n) -> mesh.listener(event -> {}),
            (mesh, n) -> mesh.state(new MemoryStateStore()));

    private static String region(int number) {
        return REGIONS.get(number % REGIONS.size());
    }

    static IntStream seeds() {
        return IntStream.range(0, 60);
    }

    /** A random mesh whose numbered and named hosts may also have been edited and removed. */
    private static MeshBuilder random(int seed) {
        Random random = new Random(seed);
        MeshBuilder builder = Mesh.builder()
                .name("shop")
                .namedMonitor("eye")
                .provider(CLOUD)
                .applier(new MemoryHosts(CLOUD))
                .state(new MemoryStateStore());
        int number = 0;
        for (int i = 5 + random.nextInt(20); i > 0; i--) {
            CALLS.get(random.nextInt(CALLS.size())).accept(builder, number++);
        }
        for (String name : names(builder.build())) {
            int what = random.nextInt(6);
            if (what == 0 && !name.equals("eye")) {
                remove(builder, builder.blueprint().host(name).spec());
            } else if (what == 1) {
                int port = 7000 + number++;
                builder.editHost(name, host -> host.addExposure("own", port, "/x"));
            }
        }
        return builder;
    }

    private static void remove(MeshBuilder builder, HostSpec host) {
        if (host.role() == Role.MONITOR) {
            builder.withoutMonitor(host.name());
        } else {
            builder.withoutNode(host.name());
        }
    }

    private static List<String> names(Mesh mesh) {
        return mesh.blueprint().hosts().stream().map(Blueprint.Host::name).toList();
    }

    private static Map<String, HostSpec> specs(Mesh mesh) {
        Map<String, HostSpec> specs = new HashMap<>();
        mesh.blueprint().hosts().forEach(host -> specs.put(host.name(), host.spec()));
        return specs;
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void toBuilder_unchanged_buildsAnEqualMesh(int seed) {
        Mesh mesh = random(seed).build();
        Mesh again = mesh.toBuilder().build();

        assertThat(again.blueprint()).isEqualTo(mesh.blueprint());
        assertThat(again.settings()).isEqualTo(mesh.settings());
        assertThat(again.toBuilder().nodes(4).addMonitor("tor1").blueprint())
                .as("and says as much to further changes")
                .isEqualTo(mesh.toBuilder().nodes(4).addMonitor("tor1").blueprint());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void toBuilder_anyChange_leavesTheMeshAndTheFirstBuilderAsTheyWere(int seed) {
        MeshBuilder builder = random(seed);
        Mesh mesh = builder.build();
        Blueprint before = mesh.blueprint();
        MeshSettings settings = mesh.settings();
        MeshBuilder changed = mesh.toBuilder();
        names(mesh).forEach(name -> changed.editHost(name, host -> host.size("other")));
        int number = 100;
        for (BiConsumer<MeshBuilder, Integer> call : CALLS) {
            call.accept(changed, number);
            call.accept(builder, number++);
        }

        assertThat(mesh.blueprint()).isEqualTo(before);
        assertThat(mesh.settings()).isEqualTo(settings);
        assertThat(mesh.toBuilder().blueprint()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void without_anyHost_leavesAllOthersAsTheyWere(int seed) {
        Mesh mesh = random(seed).build();
        for (Blueprint.Host host : mesh.blueprint().hosts()) {
            MeshBuilder less = mesh.toBuilder();
            remove(less, host.spec());
            if (mesh.blueprint().monitors().equals(List.of(host))) {
                assertThatThrownBy(less::build).isInstanceOf(InvalidMeshException.class);
                continue;
            }
            Map<String, HostSpec> rest = specs(mesh);
            rest.remove(host.name());
            assertThat(specs(less.build())).isEqualTo(rest);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void editHost_anyHost_changesNothingElse(int seed) {
        Mesh mesh = random(seed).build();
        for (String name : names(mesh)) {
            Mesh edited = mesh.toBuilder()
                    .editHost(name, host -> host.size("other").addOpenPort(8443))
                    .build();
            HostSpec was = mesh.blueprint().host(name).spec();
            HostSpec is = edited.blueprint().host(name).spec();
            assertThat(is.size()).isEqualTo("other");
            assertThat(is.openPorts()).containsAll(was.openPorts()).contains(8443);
            assertThat(List.of(is.region(), is.image(), is.exporters(), is.services()))
                    .isEqualTo(List.of(was.region(), was.image(), was.exporters(), was.services()));
            Map<String, HostSpec> others = specs(mesh);
            others.remove(name);
            assertThat(specs(edited)).containsAllEntriesOf(others).hasSize(others.size() + 1);
            assertThat(names(edited)).isEqualTo(names(mesh));
        }
    }

    @Test
    void withoutNode_ofAnAppliedMesh_deletesThatHostAloneAndNobodyMoves() {
        Account account = new Account();
        Mesh mesh = account.spec().nodes(4, "lon1", "ams3").addMonitor("fra1").build();
        mesh.apply();
        Map<String, String> before = addresses(account, mesh);

        Mesh less = mesh.toBuilder()
                .withoutNode("shop-node-2")
                .withoutMonitor("shop-monitor-1")
                .allowRemoval()
                .build();
        Plan plan = less.plan();
        ApplyReport report = less.apply();

        assertThat(report.removed()).containsExactlyInAnyOrder("shop-node-2", "shop-monitor-1");
        Map<String, String> rest = new HashMap<>(before);
        rest.keySet().removeAll(List.of("shop-node-2", "shop-monitor-1"));
        assertThat(addresses(account, less)).isEqualTo(rest);
        assertThat(plan.blueprint().hosts())
                .extracting(host -> host.name() + ' ' + host.spec().region())
                .containsExactly("shop-monitor-2 fra1", "shop-node-1 lon1", "shop-node-3 lon1", "shop-node-4 ams3");
        account.assertUpToDate(less);
        account.assertUpToDate(less.toBuilder().build());
    }

    private static Map<String, String> addresses(Account account, Mesh mesh) {
        Map<String, String> addresses = new HashMap<>();
        names(mesh).forEach(name -> addresses.put(name, account.address(name)));
        return addresses;
    }

    @Test
    void nodes_afterWithoutNode_bringsTheNumberBackAndKeepsEdits() {
        MeshBuilder builder = Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(3, "a", "b", "c")
                .withoutNode("shop-node-2")
                .editHost("shop-node-3", host -> host.size("large"))
                .node("db");
        assertThat(builder.blueprint().nodes())
                .extracting(Blueprint.Host::name)
                .containsExactly("shop-node-1", "shop-node-3", "db");

        assertThat(builder.nodes(4).blueprint().nodes())
                .extracting(host -> String.join(
                        " ", host.name(), host.spec().region(), host.spec().size()))
                .containsExactly(
                        "shop-node-1 a s-1vcpu-1gb",
                        "shop-node-2 b s-1vcpu-1gb",
                        "shop-node-3 c large",
                        "shop-node-4 a s-1vcpu-1gb",
                        "db tor1 s-1vcpu-1gb");
        assertThat(builder.nodes(2)
                        .nodes(3)
                        .blueprint()
                        .host("shop-node-3")
                        .spec()
                        .size())
                .as("of one that was left out meanwhile")
                .isEqualTo("s-1vcpu-1gb");
    }

    @Test
    void node_ofANumberedNodesName_isRefusedByBuild() {
        MeshBuilder builder =
                Mesh.builder().name("shop").monitor("tor1").nodes(2).node("shop-node-2");

        assertThatThrownBy(builder::build)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessage(
                        "mesh \"shop\": node name \"shop-node-2\" is used by another host too: give each host a name of"
                                + " its own [PG-1001]");
        assertThat(builder.nodes(1).blueprint().nodes())
                .extracting(Blueprint.Host::name)
                .containsExactly("shop-node-1", "shop-node-2");
    }

    @Test
    void name_changedAfterNumberedHosts_namesThemAfterIt() {
        List<String> names = new ArrayList<>(names(Mesh.builder()
                .monitor("tor1")
                .nodes(2)
                .withoutNode("promguard-node-1")
                .name("shop")
                .build()));

        assertThat(names).containsExactly("shop-monitor-1", "shop-node-2");
    }
}
