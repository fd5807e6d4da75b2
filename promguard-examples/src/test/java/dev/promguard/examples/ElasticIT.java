package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.promguard.ApplyReport;
import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.Plan;
import dev.promguard.blueprint.Release;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.LocalRelease;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a running mesh feels of a change of the spec: hosts that have nothing to do with it are not written to, no tunnel loses its
 * session, nothing restarts that need not, and Prometheus, which scrapes every four seconds here, misses no scrape of the others. The
 * mesh begins with Prometheus 2 and the node_exporter of its suite, and is upgraded to Prometheus 3 and the current one. The
 * figures go to {@code target/elastic.md}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Order(7)
class ElasticIT {
    private static final String KILL_SWITCH =
            "kill switch: let packets for 10.0.0.0/24 leave through wg0 alone, and no peer but monitors reach 9100";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration SOON = Duration.ofMinutes(2);
    private static final String MONITOR = "shop-monitor-1";
    private static final String NODE_1 = "shop-node-1";
    private static final String NODE_2 = "shop-node-2";

    /** Every how many seconds hosts are scraped: seldom enough for a busy machine to be late by seconds and miss none. */
    private static final int INTERVAL = 4;

    /** How many seconds two scrapes may be apart with none missed between them; one that is missed makes it 8. */
    private static final double NONE_MISSED = 7;

    @TempDir
    static Path state;

    private final List<String> rows = new ArrayList<>();
    private final Map<String, String> addresses = new TreeMap<>();
    private final Map<String, String> keys = new TreeMap<>();
    private LocalCloud cloud;
    private MeshBuilder spec;

    /** What a change did. */
    private record Case(ApplyReport report, Footprint footprint, Map<String, Double> gaps) {
        List<String> changes(String host) {
            return report.hosts().stream()
                    .filter(outcome -> outcome.name().equals(host))
                    .findFirst()
                    .orElseThrow()
                    .changes();
        }
    }

    @BeforeAll
    void applyOnce() {
        cloud = Clouds.startOnPrometheus2(exchange -> {});
        spec = spec().monitor("tor1").nodes(2);
        ApplyReport report = spec.build().apply();
        System.out.println("first apply: " + report);
        remember(report);
        Clouds.await(
                "scrapes",
                SOON,
                () -> samples(MONITOR, 3 * INTERVAL).values().stream()
                                .filter(samples -> samples.size() > 1)
                                .count()
                        == 3);
    }

    @AfterAll
    void takeDown() throws IOException {
        if (cloud != null) {
            cloud.close();
        }
        StringBuilder table = new StringBuilder("""
                | change | took | changes on each host | services restarted | longest gap between scrapes of the hosts that stay |
                |---|---|---|---|---|
                """);
        rows.forEach(row -> table.append(row).append('\n'));
        System.out.print(table);
        Files.writeString(Path.of("target", "elastic.md"), table);
    }

    private MeshBuilder spec() {
        return Mesh.builder()
                .name("shop")
                .prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(INTERVAL)))
                .provider(cloud.provider())
                .allowRemoval()
                .state(state);
    }

    /** Brings a changed spec about, and insists that tunnels, addresses and keys of the hosts that stay are what they were. */
    private Case change(String what, MeshBuilder changed, String monitor) {
        Mesh mesh = changed.build();
        Set<String> stay = mesh.blueprint().hosts().stream()
                .map(host -> host.name())
                .filter(name -> cloud.droplets().stream()
                        .anyMatch(droplet -> droplet.name().equals(name)))
                .collect(Collectors.toCollection(TreeSet::new));
        Map<String, long[]> sessions = sessions(stay);
        Footprint footprint = new Footprint(cloud.droplets());
        double begin = now(monitor);

        ApplyReport report = mesh.apply();

        double end = now(monitor);
        Clouds.await("scrapes after the change", SOON, () -> {
            Map<String, List<double[]>> samples = samples(monitor, now(monitor) - begin + INTERVAL);
            return stay.stream()
                    .allMatch(name -> samples.getOrDefault(name, List.of()).stream()
                                    .filter(sample -> sample[0] > end && sample[1] == 1)
                                    .count()
                            > 1);
        });
        Map<String, Double> gaps = gaps(samples(monitor, now(monitor) - begin + INTERVAL), stay);
        rows.add(row(what, report, footprint, stay, gaps));

        for (String name : stay) {
            assertThat(Clouds.run(cloud.droplet(name), "wg show wg0 public-key"))
                    .as("key of %s", name)
                    .isEqualTo(keys.get(name));
            assertThat(outcome(report, name).address()).isEqualTo(addresses.get(name));
        }
        sessions(stay).forEach((tunnel, after) -> {
            long[] before = sessions.get(tunnel);
            if (before != null) {
                assertThat(after[0])
                        .as("last handshake, %s", tunnel)
                        .isGreaterThanOrEqualTo(before[0])
                        .isPositive();
                assertThat(after[1]).as("bytes received, %s", tunnel).isGreaterThan(before[1]);
                assertThat(after[2]).as("bytes sent, %s", tunnel).isGreaterThan(before[2]);
            }
        });
        Plan next = mesh.plan();
        assertThat(next.isEmpty()).as("%s", next).isTrue();
        remember(report);
        return new Case(report, footprint, gaps);
    }

    private void remember(ApplyReport report) {
        for (ApplyReport.HostOutcome host : report.hosts()) {
            addresses.put(host.name(), host.address());
            keys.put(host.name(), Clouds.run(cloud.droplet(host.name()), "wg show wg0 public-key"));
        }
    }

    private static ApplyReport.HostOutcome outcome(ApplyReport report, String host) {
        return report.hosts().stream()
                .filter(outcome -> outcome.name().equals(host))
                .findFirst()
                .orElseThrow();
    }

    private String row(
            String what, ApplyReport report, Footprint footprint, Collection<String> stay, Map<String, Double> gaps) {
        List<String> changes = new ArrayList<>();
        report.hosts()
                .forEach(host -> changes.add(host.name() + " "
                        + (stay.contains(host.name())
                                ? Integer.toString(host.changes().size())
                                : "new")));
        report.removed().forEach(name -> changes.add(name + " removed"));
        List<String> restarted = new ArrayList<>();
        stay.forEach(name -> footprint
                .services(cloud.droplet(name))
                .forEach(service -> restarted.add(name + " " + service.replace(".service", ""))));
        String longest = gaps.values().stream()
                .max(Double::compare)
                .map(gap -> String.format(Locale.ROOT, "%.1f s", gap))
                .orElse("none stays");
        return String.format(
                Locale.ROOT,
                "| %s | %.1f s | %s | %s | %s |",
                what,
                report.duration().toMillis() / 1000.0,
                String.join(", ", changes),
                restarted.isEmpty() ? "none" : String.join(", ", restarted),
                longest);
    }

    private double now(String host) {
        return Double.parseDouble(Clouds.run(cloud.droplet(host), "date +%s.%N"));
    }

    /** Of each tunnel between two hosts: when its last handshake was, and the bytes received and sent through it. */
    private Map<String, long[]> sessions(Collection<String> names) {
        Map<String, long[]> sessions = new TreeMap<>();
        for (String name : names) {
            Clouds.run(cloud.droplet(name), "wg show wg0 dump").lines().skip(1).forEach(line -> {
                String[] fields = line.split("\t", -1);
                String peer = keys.entrySet().stream()
                        .filter(entry -> entry.getValue().equals(fields[0]))
                        .map(Map.Entry::getKey)
                        .findFirst()
                        .orElse("a new host");
                if (names.contains(peer)) {
                    sessions.put(name + " to " + peer, new long[] {
                        Long.parseLong(fields[4]), Long.parseLong(fields[5]), Long.parseLong(fields[6])
                    });
                }
            });
        }
        return sessions;
    }

    /** What a monitor's Prometheus has of the last seconds: for each node_exporter the times of its scrapes and whether it was up. */
    private Map<String, List<double[]>> samples(String monitor, double seconds) {
        String answer = Clouds.run(
                cloud.droplet(monitor),
                "curl -fsS --retry 20 --retry-delay 1 --get --data-urlencode 'query=up{job=\"node\"}["
                        + Math.max(1, Math.round(seconds * 1000)) + "ms]' http://127.0.0.1:9090/api/v1/query");
        Map<String, List<double[]>> samples = new TreeMap<>();
        try {
            for (JsonNode series : JSON.readTree(answer).path("data").path("result")) {
                List<double[]> values = samples.computeIfAbsent(
                        series.path("metric").path("node").asText(), node -> new ArrayList<>());
                for (JsonNode value : series.path("values")) {
                    values.add(new double[] {
                        value.path(0).asDouble(),
                        Double.parseDouble(value.path(1).asText())
                    });
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return samples;
    }

    /** The longest time between two scrapes that found a host up. */
    private static Map<String, Double> gaps(Map<String, List<double[]>> samples, Collection<String> names) {
        Map<String, Double> gaps = new TreeMap<>();
        for (String name : names) {
            double last = Double.NaN;
            double longest = 0;
            for (double[] sample : Objects.requireNonNull(samples.get(name), name)) {
                if (sample[1] == 1) {
                    longest = Double.isNaN(last) ? 0 : Math.max(longest, sample[0] - last);
                    last = sample[0];
                }
            }
            gaps.put(name, longest);
        }
        return gaps;
    }

    private void assertUntouched(Case done, String... names) {
        for (String name : names) {
            assertThat(done.changes(name)).as("changes on %s", name).isEmpty();
            assertThat(done.footprint().files(cloud.droplet(name)))
                    .as("files written on %s", name)
                    .isEmpty();
        }
    }

    private void assertNothingRestarts(Case done) {
        for (LocalDroplet host : cloud.droplets()) {
            if (done.gaps().containsKey(host.name())) {
                assertThat(done.footprint().services(host))
                        .as("services of %s", host.name())
                        .isEmpty();
            }
        }
    }

    /** What the monitor misses of itself, whom it reaches without a tunnel, this machine was too busy for. */
    private static void assertNoScrapeMissed(Case done, String monitor) {
        double busy = Objects.requireNonNull(done.gaps().get(monitor), monitor);
        assertThat(done.gaps())
                .hasSizeGreaterThan(1)
                .allSatisfy((name, gap) -> assertThat(gap)
                        .as("longest gap between scrapes of %s", name)
                        .isLessThan(Math.max(NONE_MISSED, busy + NONE_MISSED - INTERVAL)));
    }

    private Release next(String name) {
        LocalRelease current = Clouds.release(cloud.currentReleases(), name);
        boolean newer = !current.version().equals(version(name));
        return (newer ? current : Clouds.release(cloud.nextReleases(), name)).from(cloud.releaseMirror());
    }

    /** The version that the mesh begins with. */
    private String version(String name) {
        return Clouds.release(cloud.releases(), name).version();
    }

    @Test
    @Order(1)
    void apply_oneNodeMore_changesTheMonitorsPeersAndTargetsAlone() {
        Case done = change("add a node", spec().monitor("tor1").nodes(3), MONITOR);

        assertUntouched(done, NODE_1, NODE_2);
        assertThat(done.changes(MONITOR))
                .containsExactly(
                        "write /etc/prometheus/targets/node.json",
                        "write the preshared key for shop-node-3",
                        "write /etc/wireguard/wg0.conf",
                        "wg0: set peers");
        assertThat(done.footprint().files(cloud.droplet(MONITOR)))
                .containsExactly(
                        "/etc/prometheus/targets/node.json",
                        "/etc/wireguard/wg0.conf",
                        "/etc/wireguard/wg0.psk/shop-node-3");
        assertNothingRestarts(done);
        assertNoScrapeMissed(done, MONITOR);
    }

    @Test
    @Tag("long")
    @Order(2)
    void apply_nodeInAnothersPlace_getsAnAddressOfItsOwn() {
        assertThat(addresses).containsEntry("shop-node-3", "10.0.0.4");

        Case done = change(
                "replace a node", spec().monitor("tor1").nodes(2).node("web", host -> host.region("ams3")), MONITOR);

        assertThat(done.report().removed()).containsExactly("shop-node-3");
        assertThat(addresses)
                .as("the removed node's address rests while its old peer may still hold it")
                .containsEntry("web", "10.0.0.5");
        assertUntouched(done, NODE_1, NODE_2);
        assertThat(done.changes(MONITOR)).hasSize(4);
        assertNothingRestarts(done);
        assertNoScrapeMissed(done, MONITOR);
    }

    @Test
    @Order(3)
    void apply_oneNodeLess_changesTheMonitorsPeersAndTargetsAlone() {
        Set<String> before = cloud.droplets().stream().map(LocalDroplet::name).collect(Collectors.toSet());
        before.removeAll(Set.of(MONITOR, NODE_1, NODE_2));

        Case done = change("remove a node", spec, MONITOR);

        assertThat(done.report().removed()).hasSize(1).containsExactlyElementsOf(before);
        assertUntouched(done, NODE_1, NODE_2);
        assertThat(done.changes(MONITOR)).hasSize(3);
        assertNothingRestarts(done);
        assertNoScrapeMissed(done, MONITOR);
        assertThat(Clouds.run(cloud.droplet(MONITOR), "wg show wg0 allowed-ips | cut -f 2")
                        .lines())
                .containsExactlyInAnyOrder("10.0.0.2/32", "10.0.0.3/32");
    }

    @Test
    @Tag("long")
    @Order(4)
    void apply_anotherScrapeInterval_reloadsPrometheusAlone() {
        Case faster = change(
                "scrape interval 4 s to 3 s",
                spec().monitor("tor1").nodes(2).prometheus(p -> p.scrapeInterval(Duration.ofSeconds(3))),
                MONITOR);
        Case slower = change("scrape interval 3 s to 4 s", spec, MONITOR);

        for (Case done : List.of(faster, slower)) {
            assertThat(done.changes(MONITOR))
                    .containsExactly("write /etc/prometheus/prometheus.yml", "reload prometheus.service");
            assertThat(done.gaps()).allSatisfy((name, gap) -> assertThat(gap).isLessThan(2 * NONE_MISSED));
        }
        assertUntouched(faster, NODE_1, NODE_2);
        assertNothingRestarts(faster);
    }

    @Test
    @Tag("long")
    @Order(5)
    void apply_newerNodeExporter_restartsItAlone() {
        spec = spec().monitor("tor1").nodes(2).nodeExporter(next("node_exporter"));

        Case done = change("upgrade node_exporter", spec, MONITOR);

        for (String host : List.of(MONITOR, NODE_1, NODE_2)) {
            assertThat(done.changes(host))
                    .containsExactly(
                            "install node_exporter " + next("node_exporter").version(),
                            "write /etc/systemd/system/node_exporter.service",
                            "restart node_exporter.service",
                            "remove /opt/promguard/node_exporter-" + version("node_exporter"));
            assertThat(done.footprint().services(cloud.droplet(host))).containsExactly("node_exporter.service");
            assertThat(Clouds.run(
                            cloud.droplet(host),
                            "readlink /proc/$(systemctl show -p MainPID --value node_exporter)/exe"))
                    .isEqualTo("/opt/promguard/node_exporter-"
                            + next("node_exporter").version() + "/node_exporter");
        }
        assertThat(done.gaps()).allSatisfy((name, gap) -> assertThat(gap).isLessThan(2 * NONE_MISSED));
    }

    @Test
    @Tag("long")
    @Order(6)
    void apply_newerPrometheus_restartsItAlone() {
        spec = spec.build().toBuilder().prometheus(p -> p.release(next("prometheus")));

        Case done = change("upgrade Prometheus", spec, MONITOR);

        assertUntouched(done, NODE_1, NODE_2);
        assertThat(done.changes(MONITOR))
                .containsExactly(
                        "install prometheus " + next("prometheus").version(),
                        "write /etc/systemd/system/prometheus.service",
                        "restart prometheus.service",
                        "remove /opt/promguard/prometheus-" + version("prometheus"));
        assertThat(done.footprint().services(cloud.droplet(MONITOR))).containsExactly("prometheus.service");
        assertThat(done.gaps()).allSatisfy((name, gap) -> assertThat(gap).isLessThan(3 * NONE_MISSED));
        assertThat(Clouds.run(cloud.droplet(MONITOR), "curl -fsS http://127.0.0.1:9090/api/v1/status/buildinfo"))
                .contains("\"version\":\"" + next("prometheus").version().replace("-next", ""));
        spec.build().verify().orThrow();
    }

    @Test
    @Tag("long")
    @Order(7)
    void apply_secondMonitor_admitsItEverywhereAndRestartsNothing() {
        spec = spec.build().toBuilder().namedMonitor("watch", host -> host.region("fra1"));

        Case done = change("add a second monitor", spec, MONITOR);

        for (String node : List.of(NODE_1, NODE_2)) {
            assertThat(done.changes(node))
                    .containsExactly(
                            "ufw: allow 9100/tcp on wg0 from " + addresses.get("watch"),
                            "write the preshared key for watch",
                            "write /etc/wireguard/wg0.conf",
                            "wg0: set peers");
        }
        assertThat(done.changes(MONITOR))
                .containsExactly(
                        "write /etc/systemd/system/promguard-kill-switch.service",
                        KILL_SWITCH,
                        "write /etc/prometheus/targets/node.json",
                        "ufw: allow 9100/tcp on wg0 from " + addresses.get("watch"),
                        "write the preshared key for watch",
                        "write /etc/wireguard/wg0.conf",
                        "wg0: set peers");
        assertNothingRestarts(done);
        assertNoScrapeMissed(done, MONITOR);
        Clouds.await(
                "both monitors scrape all hosts",
                SOON,
                () -> List.of(MONITOR, "watch").stream()
                        .allMatch(monitor -> up(monitor).equals(Set.of(MONITOR, NODE_1, NODE_2, "watch"))));
    }

    private Set<String> up(String monitor) {
        Set<String> up = new TreeSet<>();
        samples(monitor, 2 * INTERVAL).forEach((name, samples) -> {
            if (samples.stream().allMatch(sample -> sample[1] == 1)) {
                up.add(name);
            }
        });
        return up;
    }

    /** A monitor is moved by adding another and then leaving out the first, whose history goes with it. */
    @Test
    @Tag("long")
    @Order(8)
    void apply_firstMonitorLeftOut_theSecondGoesOnAlone() {
        spec = spec().namedMonitor("watch", host -> host.region("fra1"))
                .nodes(2)
                .nodeExporter(next("node_exporter"))
                .prometheus(p -> p.release(next("prometheus")));

        Case done = change("remove the first monitor", spec, "watch");

        assertThat(done.report().removed()).containsExactly(MONITOR);
        for (String node : List.of(NODE_1, NODE_2)) {
            assertThat(done.changes(node))
                    .containsExactly(
                            "ufw: remove 9100/tcp on wg0 from 10.0.0.1",
                            "write /etc/wireguard/wg0.conf",
                            "wg0: set peers");
            assertThat(Clouds.run(cloud.droplet(node), "wg show wg0 allowed-ips | cut -f 2"))
                    .isEqualTo(addresses.get("watch") + "/32");
        }
        assertThat(done.changes("watch"))
                .containsExactly(
                        "write /etc/systemd/system/promguard-kill-switch.service",
                        KILL_SWITCH,
                        "write /etc/prometheus/targets/node.json",
                        "ufw: remove 9100/tcp on wg0 from 10.0.0.1",
                        "write /etc/wireguard/wg0.conf",
                        "wg0: set peers");
        assertNothingRestarts(done);
        assertNoScrapeMissed(done, "watch");
        assertThat(spec.build().verify().failures()).isEmpty();
    }
}
