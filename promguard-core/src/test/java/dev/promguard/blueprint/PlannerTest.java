package dev.promguard.blueprint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.Exporters;
import dev.promguard.InvalidSettingException;
import dev.promguard.SpecFile;
import dev.promguard.blueprint.PrometheusSpec.Authentication;
import dev.promguard.blueprint.PrometheusSpec.RemoteWrite;
import dev.promguard.blueprint.PrometheusSpec.RuleFile;
import dev.promguard.blueprint.PrometheusSpec.ScrapeJob;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlannerTest {
    private static MeshSpec spec(String... lines) {
        return SpecFile.parse(String.join("\n", lines)).spec();
    }

    private static MeshSpec inNetwork(String network, int nodes) {
        return spec("network " + network, "monitor mon tor1", "nodes " + nodes + " lon1");
    }

    private static List<String> addresses(Blueprint blueprint) {
        return blueprint.hosts().stream().map(Blueprint.Host::address).toList();
    }

    @Test
    void plan_monitorsAndNodesMixed_givesMonitorsTheFirstAddresses() {
        Blueprint blueprint =
                Planner.plan(spec("node a lon1", "monitor m1 tor1", "node b lon1", "monitor m2 fra1"), Map.of());

        assertThat(blueprint.hosts()).extracting(Blueprint.Host::name).containsExactly("m1", "m2", "a", "b");
        assertThat(addresses(blueprint)).containsExactly("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4");
        assertThat(blueprint.monitors()).extracting(Blueprint.Host::name).containsExactly("m1", "m2");
        assertThat(blueprint.nodes()).extracting(Blueprint.Host::name).containsExactly("a", "b");
    }

    @Test
    void plan_twoMonitors_peersMonitorsWithAllAndNodesWithMonitorsAlone() {
        Blueprint blueprint =
                Planner.plan(spec("monitor m1 tor1", "monitor m2 fra1", "node a lon1", "node b lon1"), Map.of());

        assertThat(blueprint.host("m1").peers()).containsExactly("m2", "a", "b");
        assertThat(blueprint.host("a").peers()).containsExactly("m1", "m2");
    }

    @Test
    void plan_anyHost_admitsSshAndWireGuardAndTheOtherMonitorsAloneOnTheInterface() {
        Blueprint blueprint =
                Planner.plan(spec("monitor m1 tor1", "monitor m2 fra1", "node a lon1", "node b lon1"), Map.of());

        assertThat(blueprint.host("a").firewall())
                .extracting(FirewallRule::describe)
                .containsExactly(
                        "22/tcp", "51820/udp", "9100/tcp on wg0 from 10.0.0.1", "9100/tcp on wg0 from 10.0.0.2");
        assertThat(blueprint.host("a").firewall().get(2).to()).contains("10.0.0.3");
        assertThat(blueprint.host("a").firewall().get(2).comment()).isEqualTo("m1 WireGuard node-exporter scraper");
        assertThat(blueprint.host("m1").firewall())
                .extracting(FirewallRule::describe)
                .containsExactly("22/tcp", "51820/udp", "9100/tcp on wg0 from 10.0.0.2");
    }

    @Test
    void plan_heldAddresses_stayAndAreNotGivenToOthers() {
        Blueprint blueprint = Planner.plan(
                spec("monitor mon tor1", "node a lon1", "node b lon1", "node c lon1"),
                Map.of("b", "10.0.0.2", "gone", "10.0.0.1", "mon", "10.0.0.7"));

        assertThat(blueprint.host("mon").address()).isEqualTo("10.0.0.7");
        assertThat(blueprint.host("b").address()).isEqualTo("10.0.0.2");
        assertThat(blueprint.host("a").address()).isEqualTo("10.0.0.3");
        assertThat(blueprint.host("c").address()).isEqualTo("10.0.0.4");
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/25, 10.0.0.200",
        "10.0.0.0/25, 10.0.0.127",
        "10.0.0.0/25, 10.0.0.0",
        "fd00::/64, 10.0.0.3",
        "fd00::/64, fd00::",
        "fd00::/64, fd01::3"
    })
    void plan_heldAddressThatTheNetworkHasNot_isReplaced(String network, String held) {
        Blueprint blueprint = Planner.plan(inNetwork(network, 1), Map.of("shop-node-1", held));

        assertThat(blueprint.host("shop-node-1").address()).isNotEqualTo(held);
        assertThat(new TreeSet<>(addresses(blueprint))).hasSize(2);
    }

    @Test
    void plan_hostsComeAndGo_noAddressIsEverMovedOrSharedWhileHeld() {
        Random random = new Random(20_261_123);
        Map<String, String> held = new HashMap<>();
        for (int round = 0; round < 300; round++) {
            StringBuilder spec = new StringBuilder("monitor mon tor1\n");
            for (int host = 0; host < 30; host++) {
                if (random.nextBoolean()) {
                    spec.append("node n").append(host).append(" lon1\n");
                }
            }
            Blueprint blueprint = Planner.plan(SpecFile.parse(spec.toString()).spec(), held);

            Map<String, String> now = new HashMap<>(held);
            blueprint.hosts().forEach(host -> {
                String before = now.put(host.name(), host.address());
                assertThat(before == null || before.equals(host.address()))
                        .as("%s moved", host.name())
                        .isTrue();
            });
            assertThat(Set.copyOf(now.values())).hasSize(now.size());
            held = now;
            if (random.nextInt(4) == 0) {
                held.keySet()
                        .retainAll(blueprint.hosts().stream()
                                .map(Blueprint.Host::name)
                                .toList());
            }
        }
    }

    @Test
    void plan_ipv6Network_countsFromItsFirstAddress() {
        Blueprint blueprint = Planner.plan(inNetwork("fd00:44::/64", 2), Map.of());

        assertThat(addresses(blueprint)).containsExactly("fd00:44::1", "fd00:44::2", "fd00:44::3");
        assertThat(blueprint.host("mon").allowedIp()).isEqualTo("fd00:44::1/128");
        assertThat(blueprint.host("mon").prefixLength()).isEqualTo(64);
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/29, 5, 10.0.0.6",
        "10.255.255.252/30, 1, 10.255.255.254",
        "fd00::/126, 2, fd00::3",
        "10.1.0.0/16, 300, 10.1.1.45"
    })
    void plan_fullNetwork_usesItToTheLastAddress(String network, int nodes, String last) {
        assertThat(addresses(Planner.plan(inNetwork(network, nodes), Map.of()))).endsWith(last);
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/29, 6, 6",
        "10.0.0.0/30, 2, 2",
        "10.0.0.0/31, 0, 0",
        "10.0.0.1/32, 0, 0",
        "fd00::/126, 3, 3",
        "fd00::/128, 0, 0"
    })
    void problems_networkTooSmall_saysHowManyHostsFit(String network, int nodes, int room) {
        assertThat(Planner.problems(inNetwork(network, nodes)))
                .containsExactly("network \"" + network + "\" is too small: it has addresses for " + room
                        + " hosts, and the mesh has "
                        + (nodes + 1) + "; choose a shorter prefix, such as "
                        + (network.contains(":") ? "/64" : "/24"));
    }

    @Test
    void plan_addressesAllHeldByOthers_saysForWhomThereIsNone() {
        assertThatThrownBy(
                        () -> Planner.plan(inNetwork("10.0.0.0/30", 1), Map.of("gone", "10.0.0.1", "mon", "10.0.0.2")))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("network 10.0.0.0/30 has no address left for shop-node-1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10.0.0.0/24",
                "172.16.0.0/12",
                "192.168.7.0/24",
                "100.64.0.0/10",
                "198.18.0.0/15",
                "fd00:44::/64",
                "FD00:44::/64",
                "fd12:3456:789a::/48"
            })
    void problems_privateNetwork_isTaken(String network) {
        assertThat(Planner.problems(inNetwork(network, 1))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "10.0.0.0",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/024",
                "10.0.0.0/255.255.255.0",
                "10.0.0.*",
                "10.0.0.0-255/24",
                "10.0/16",
                "10/8",
                "010.0.0.0/24",
                "0xa.0.0.0/24",
                " 10.0.0.0/24",
                "10.0.0.0/24 ",
                "10.0.0.0/24\n",
                "10.0.0.0/24;id",
                "fd00::%eth0/64",
                "fd00::%<script>/64",
                "fd00::/129",
                "fd00:::/64",
                "::ffff:10.0.0.0/120",
                "*/8",
                "/24",
                "１０.0.0.0/24",
                "ten/24"
            })
    void problems_notANetwork_isRefusedWithAnExample(String network) {
        MeshSpec spec = inNetwork("10.0.0.0/24", 1);
        List<String> problems = Planner.problems(with(spec, network));

        assertThat(problems).hasSize(1);
        assertThat(problems.get(0))
                .startsWith("network " + Names.quote(network) + " is not ")
                .matches(text -> text.contains("10.0.0.0/24") || text.contains("choose one inside"));
    }

    private static MeshSpec with(MeshSpec spec, String network) {
        return new MeshSpec(
                spec.name(),
                network,
                spec.wireGuardPort(),
                spec.presharedKeys(),
                spec.nodeExporterPort(),
                spec.prometheus(),
                spec.nodeExporter(),
                spec.hosts());
    }

    @ParameterizedTest
    @CsvSource({"10.0.0.5/24, 10.0.0.0/24", "fd00::5/64, fd00::/64", "10.9.8.7/8, 10.0.0.0/8"})
    void problems_addressInsideANetwork_saysWhichWasMeant(String network, String meant) {
        assertThat(Planner.problems(inNetwork(network, 1)))
                .containsExactly(
                        "network \"" + network + "\" is an address inside a network: did you mean " + meant + "?");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "8.8.8.0/24",
                "172.32.0.0/16",
                "192.168.0.0/15",
                "0.0.0.0/0",
                "2001:db8::/64",
                "::/0",
                "fe80::/64"
            })
    void problems_publicNetwork_isRefusedWithThePrivateOnes(String network) {
        assertThat(Planner.problems(inNetwork(network, 1)))
                .singleElement()
                .asString()
                .contains("choose one inside 10.0.0.0/8");
    }

    @ParameterizedTest
    @CsvSource({
        "wireGuardPort, 0, 'wireGuardPort 0 is not a valid port: use 1 to 65535, but not SSH''s port 22'",
        "wireGuardPort, 65536, 'wireGuardPort 65536 is not a valid port: use 1 to 65535, but not SSH''s port 22'",
        "wireGuardPort, 22, 'wireGuardPort 22 is not a valid port: use 1 to 65535, but not SSH''s port 22'",
        "nodeExporterPort, -1, 'nodeExporterPort -1 is not a valid port: use 1 to 65535, but not SSH''s port 22'",
        "nodeExporterPort, 22, 'nodeExporterPort 22 is not a valid port: use 1 to 65535, but not SSH''s port 22'",
        "prometheusPort, 99999, 'prometheus port 99999 is not a valid port: use 1 to 65535, but not SSH''s port 22'",
        "prometheusPort, 9100, 'nodeExporterPort and prometheus port are both 9100: a monitor runs both, so choose another for one of them'"
    })
    void problems_impossiblePort_namesFieldValueAndFix(String field, int value, String problem) {
        assertThat(Planner.problems(spec(field + " " + value, "monitor mon tor1")))
                .containsExactly(problem);
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT-15S", "PT0.5S", "PT1.5S", "PT1.000000001S", "PT1H1S", "PT2562047788015215H"})
    void problems_impossibleInterval_namesItAndTheRange(String interval) {
        MeshSpec spec = spec("monitor mon tor1");
        MeshSpec other = new MeshSpec(
                spec.name(),
                spec.network(),
                51820,
                true,
                9100,
                spec.prometheus().withScrapeInterval(Duration.parse(interval)),
                spec.nodeExporter(),
                spec.hosts());

        assertThat(Planner.problems(other))
                .containsExactly("scrapeInterval " + interval + " is out of range: use whole seconds from 1 s to 1 h");
    }

    @ParameterizedTest
    @CsvSource({"1", "3600"})
    void problems_intervalAtTheEdges_isTaken(int seconds) {
        assertThat(Planner.problems(spec("scrapeSeconds " + seconds, "monitor mon tor1")))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Shop", "1shop", "-shop", "shop-", "sh_op", "sh op", "", "shöp", "a.b", "shop\n"})
    void problems_badMeshName_isNamedOnce(String name) {
        MeshSpec good = spec("monitor mon tor1");
        MeshSpec spec = new MeshSpec(
                name,
                good.network(),
                51820,
                true,
                9100,
                good.prometheus(),
                good.nodeExporter(),
                List.of(
                        new HostSpec(name + "-monitor-1", Role.MONITOR, "tor1", "s", "i"),
                        new HostSpec(name + "-node-1", Role.NODE, "tor1", "s", "i")));

        assertThat(Planner.problems(spec))
                .singleElement()
                .asString()
                .startsWith("name " + Names.quote(name) + " is not a valid mesh name: use 1 to 32 lower-case letters");
    }

    @Test
    void problems_meshNameAtItsLongest_isTaken() {
        assertThat(Planner.problems(spec("name " + "a".repeat(32), "monitor mon tor1")))
                .isEmpty();
        assertThat(Planner.problems(spec("name " + "a".repeat(33), "monitor mon tor1")))
                .hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"DB", "-db", "db-", "db_1", "db.example", "", "d b", "дб"})
    void problems_badHostName_isNamedWithItsRole(String name) {
        MeshSpec good = spec("monitor mon tor1");
        MeshSpec spec = new MeshSpec(
                "shop",
                good.network(),
                51820,
                true,
                9100,
                good.prometheus(),
                good.nodeExporter(),
                List.of(good.hosts().get(0), new HostSpec(name, Role.NODE, "tor1", "s", "i")));

        assertThat(Planner.problems(spec))
                .singleElement()
                .asString()
                .startsWith(
                        "node name " + Names.quote(name) + " is not a valid host name: use 1 to 63 lower-case letters");
    }

    @Test
    void problems_hostNameAtItsLongest_isTaken() {
        assertThat(Planner.problems(spec("monitor " + "m".repeat(63) + " tor1")))
                .isEmpty();
        assertThat(Planner.problems(spec("monitor " + "m".repeat(64) + " tor1")))
                .hasSize(1);
    }

    @Test
    void problems_oneBadRegionOnManyHosts_isOneProblemThatNamesSomeOfThem() {
        assertThat(Planner.problems(spec("monitor mon tor1", "nodes 40 lon1;id")))
                .containsExactly(
                        "region \"lon1;id\" of node \"shop-node-1\" and 39 others is not a valid region: use 1 to 64"
                                + " lower-case letters, digits, dots, dashes and underscores, starting and ending with a"
                                + " letter or digit");
    }

    @Test
    void problems_sameNameTwice_isNamed() {
        assertThat(Planner.problems(spec("monitor mon tor1", "node db lon1", "node db lon1", "node mon lon1")))
                .containsExactly(
                        "node name \"db\" is used by another host too: give each host a name of its own",
                        "node name \"mon\" is used by another host too: give each host a name of its own");
    }

    @Test
    void problems_noMonitor_saysHowToAddOne() {
        assertThat(Planner.problems(spec("node db lon1")))
                .containsExactly("the mesh has no monitor: give it at least one, such as .monitor(\"tor1\")");
    }

    @Test
    void problems_releasesOfOtherPrograms_areNamed() {
        MeshSpec good = spec("monitor mon tor1");
        Release first = good.nodeExporter();
        Release second = good.prometheus().release();
        MeshSpec swapped = new MeshSpec(
                "shop", good.network(), 51820, true, 9100, good.prometheus().withRelease(first), second, good.hosts());

        assertThat(Planner.problems(swapped))
                .containsExactly(
                        "prometheus release name \"node_exporter\" is not prometheus: use a release named prometheus",
                        "nodeExporter release name \"prometheus\" is not node_exporter: use a release named node_exporter");
    }

    @Test
    void problems_prometheusSpecMadeElsewhere_namesEveryProblem() {
        MeshSpec good = spec("monitor mon tor1");
        ScrapeJob job = new ScrapeJob(
                "till",
                List.of("till:0", "b:1", "b:1"),
                Optional.of(Duration.ZERO),
                "stats",
                "ftp",
                Map.of("job", "x", "y", ""));
        RemoteWrite write = new RemoteWrite(
                "remote-write-1", URI.create("https://me:secret@x/"), Authentication.NONE, Optional.empty());
        PrometheusSpec bad = new PrometheusSpec(
                9090,
                Duration.ofMillis(1),
                Release.prometheus(),
                Optional.of(Duration.ZERO),
                Optional.of("10 GB"),
                Map.of("1st", "$x"),
                false,
                true,
                List.of(new RuleFile("own", "x"), new RuleFile("own", " ")),
                List.of(URI.create("https://x/?a"), URI.create("https://x/?a")),
                List.of(job, new ScrapeJob("node", List.of(), Optional.empty(), "/", "http", Map.of())),
                List.of(write, write));
        MeshSpec spec = new MeshSpec("shop", good.network(), 51820, true, 9100, bad, good.nodeExporter(), good.hosts());

        assertThat(Planner.problems(spec))
                .extracting(problem -> problem.replaceFirst(":? (use|choose|give|leave|split) .*", ""))
                .containsExactly(
                        "scrapeInterval PT0.001S is out of range",
                        "retention PT0S is out of range",
                        "retentionSize \"10 GB\" is not a valid size",
                        "externalLabel \"1st\" is not a valid label name",
                        "externalLabel \"1st\" has the value \"$x\", in which Prometheus would replace what follows the"
                                + " dollar sign",
                        "rules \"own\" is empty",
                        "rules \"own\" is given twice",
                        "alertmanager \"https://x/?a\" has a query",
                        "alertmanager \"https://x/?a\" has a query",
                        "alertmanager \"https://x/?a\" is given twice",
                        "remoteWrite \"https://…@x/\" holds a user name",
                        "remoteWrite \"https://…@x/\" holds a user name",
                        "remoteWrite \"https://…@x/\" is given twice",
                        "scrape \"till\": target \"b:1\" is given twice",
                        "scrape \"till\": target \"till:0\" is not a host with a port",
                        "scrape \"till\": interval PT0S is out of range",
                        "scrape \"till\": path \"stats\" is not a valid path",
                        "scrape \"till\": scheme \"ftp\" is not a valid scheme",
                        "scrape \"till\": label \"job\" is set by Prometheus to the job's name",
                        "scrape \"till\": label \"y\" has the value \"\", which is not valid",
                        "scrape \"node\" is the name of a job that every mesh has",
                        "scrape \"node\" has no target");
    }

    @Test
    void problems_hostSpecsMadeElsewhere_nameEachProblemOnceWithItsHosts() {
        MeshSpec good = spec("monitor mon tor1");
        List<HostSpec> hosts = new ArrayList<>(good.hosts());
        for (String name : List.of("a", "b")) {
            hosts.add(new HostSpec(
                    name,
                    Role.NODE,
                    "lon1",
                    "s",
                    "i",
                    List.of(Exporters.blackbox(), Exporters.blackbox().withPort(9116)),
                    List.of(
                            new Exposure("../x", 9001, "y"),
                            new Exposure("node", 0, "/metrics"),
                            new Exposure("db", 22, "/metrics")),
                    Set.of(0, 65_536),
                    PortPolicy.NONE,
                    HostEndpoint.PUBLIC,
                    false));
        }
        MeshSpec spec =
                new MeshSpec("shop", good.network(), 51820, true, 9100, good.prometheus(), good.nodeExporter(), hosts);

        assertThat(Planner.problems(spec))
                .extracting(problem -> problem.replaceFirst(":? (use|choose|give|leave|split) .*", ""))
                .containsExactly(
                        "job \"../x\" of node \"a\" and 1 other is not a valid job name",
                        "metricsPath \"y\" of node \"a\" and 1 other is not a valid path",
                        "job \"node\" of node \"a\" and 1 other is the name of a job that every mesh has",
                        "port 0 of job \"node\" of node \"a\" and 1 other is not a valid port",
                        "port 22 of job \"db\" of node \"a\" and 1 other is not a valid port",
                        "openPort 0 of node \"a\" and 1 other is not a valid port",
                        "openPort 65536 of node \"a\" and 1 other is not a valid port",
                        "exporter \"blackbox_exporter\" of node \"a\" and 1 other is given twice");
    }

    @Test
    void plan_invalidSpec_isRefusedWithAllProblems() {
        assertThatThrownBy(() -> Planner.plan(spec("network 8.8.8.0/24", "node DB lon1"), Map.of()))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("the mesh has no monitor")
                .hasMessageContaining("\"DB\"")
                .hasMessageContaining("8.8.8.0/24");
    }

    @Test
    void overlaps_hostsOwnNetworks_findsThoseInConflict() {
        MeshSpec spec = inNetwork("10.44.0.0/24", 1);

        assertThat(Planner.overlaps(
                        spec,
                        List.of(
                                "10.44.0.200/16",
                                "10.45.0.1/16",
                                "10.44.0.17/28",
                                "0.0.0.0/0",
                                "203.0.113.7/24",
                                "fd00::1/64",
                                "nonsense",
                                "",
                                "10.44.0.3")))
                .containsExactly("10.44.0.200/16", "10.44.0.17/28", "0.0.0.0/0", "10.44.0.3");
        assertThat(Planner.overlaps(inNetwork("fd00:44::/64", 1), List.of("fd00::1/16", "10.0.0.1/8")))
                .containsExactly("fd00::1/16");
    }
}
