package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ApplyException;
import dev.promguard.ApplyReport;
import dev.promguard.Exporters;
import dev.promguard.HostBuilder;
import dev.promguard.Mesh;
import dev.promguard.Plan;
import dev.promguard.Progress;
import dev.promguard.blueprint.Capability;
import dev.promguard.blueprint.Exporter;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.Outsider;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** Exporters and a service come to a running mesh and go again, and nothing else takes notice. */
@Tag("long")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ExportersIT {
    private static final Duration SCRAPED = Duration.ofMinutes(2);

    /** What a URL may hold that systemd, a shell or a careless writer of unit files would take for something else. */
    private static final String HOSTILE = "http://x/%25i$HOME${HOME}$$ two words \"q\" 'q' back\\slash\\n ; # {other}";

    /** A service that runs on the node already: everybody's, if it were not for the firewall. */
    private static final String SERVICE = """
            cat >/etc/systemd/system/shopdb.socket <<'END'
            [Socket]
            ListenStream=0.0.0.0:9187
            Accept=yes
            END
            cat >/etc/systemd/system/shopdb@.service <<'END'
            [Service]
            StandardInput=socket
            ExecStart=-/bin/sh -c 'while read -r line && [ "$${#line}" -gt 1 ]; do :; done; printf "HTTP/1.0 200 OK\\\\r\\\\nContent-Type: text/plain; version=0.0.4\\\\r\\\\n\\\\r\\\\nshopdb_orders 7\\\\n"'
            END
            systemctl daemon-reload
            systemctl start shopdb.socket
            """;

    @TempDir
    static Path state;

    private LocalCloud cloud;
    private Outsider outsider;
    private Watcher watcher;
    private Mesh plain;
    private Mesh mesh;
    private Map<String, String> started;

    @BeforeAll
    void applyWithoutExporters() {
        cloud = Clouds.start(call -> {});
        outsider = cloud.outsider();
        watcher = new Watcher(cloud, 9100, 9090, 9115, 9116, 9187);
        plain = spec(host -> {}, host -> {});
        plain.apply();
        Clouds.run(node(), SERVICE);
        started = Clouds.startTimes(cloud.droplets());
        mesh = spec(
                host -> host.addExporter(Exporters.blackbox()),
                host -> host.addExporter(Exporters.blackbox()
                                .addArguments("--web.external-url=" + HOSTILE, "--web.route-prefix=/")
                                .addCapability(Capability.NET_RAW)
                                .addProbe("http://127.0.0.1:9187/metrics", "http_2xx")
                                .addProbe("10.0.0.1", "icmp"))
                        .addExporter(packaged())
                        .expose("shopdb", 9187));
    }

    @AfterAll
    void takeDown() {
        if (watcher != null) {
            watcher.close();
        }
        if (cloud != null) {
            cloud.close();
        }
    }

    private static Exporter packaged() {
        return Exporter.fromPackage(
                        "packaged_exporter",
                        "prometheus-blackbox-exporter",
                        "/usr/bin/prometheus-blackbox-exporter",
                        9116)
                .addArguments("--config.file=/etc/prometheus/blackbox.yml");
    }

    private Mesh spec(Consumer<HostBuilder> monitor, Consumer<HostBuilder> node) {
        return Mesh.builder()
                .name("shop")
                .monitor(monitor)
                .node("web-1", node)
                .prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(2)))
                .provider(cloud.provider())
                .state(state)
                .listener(Progress.console())
                .build();
    }

    private LocalDroplet monitor() {
        return cloud.droplet("shop-monitor-1");
    }

    private LocalDroplet node() {
        return cloud.droplet("web-1");
    }

    private String query(String expression) {
        return Clouds.run(
                monitor(), "curl -fsS --data-urlencode 'query=" + expression + "' http://127.0.0.1:9090/api/v1/query");
    }

    @Test
    @Order(10)
    void apply_exportersAdded_areScrapedAndRestartNothingElse() {
        assertThat(plain.plan().isEmpty()).isTrue();
        Plan plan = mesh.plan();
        System.out.println(plan);

        ApplyReport report = mesh.apply(plan);

        System.out.println("exporters added: " + report);
        Clouds.await("targets up", SCRAPED, () -> {
            Map<String, String> targets = Clouds.targets(monitor());
            return targets.size() == 9 && targets.values().stream().allMatch("up"::equals);
        });
        assertThat(Clouds.targets(monitor()))
                .containsKeys(
                        "http://10.0.0.1:9115/metrics",
                        "http://10.0.0.2:9115/metrics",
                        "http://10.0.0.2:9116/metrics",
                        "http://10.0.0.2:9187/metrics");
        assertThat(query("shopdb_orders")).contains("\"node\":\"web-1\"", "\"job\":\"shopdb\"");
        Clouds.await("probes", SCRAPED, () -> query("sum(probe_success)").contains(",\"2\"]"));
        assertThat(query("probe_success{module=\"icmp\"}"))
                .contains("\"instance\":\"10.0.0.1\"", "\"node\":\"web-1\"", "\"job\":\"blackbox-probe\"");
        assertThat(Clouds.startTimes(cloud.droplets())).isEqualTo(started);
        assertThat(mesh.plan().isEmpty()).isTrue();
        assertThat(mesh.apply().changes()).isZero();
        assertThat(mesh.verify().failures()).isEmpty();
    }

    @Test
    @Order(11)
    void apply_exportersAdded_listenOnWireGuardAloneAndAdmitTheMonitorAlone() {
        assertThat(Clouds.run(node(), "ss -Hltn 'sport = :9115 or sport = :9116' | awk '{print $4}'")
                        .lines())
                .containsExactlyInAnyOrder("10.0.0.2:9115", "10.0.0.2:9116");
        assertThat(Clouds.open(outsider, cloud.droplets(), 9115, 9116, 9187)).isEmpty();
        assertThat(Clouds.open(Clouds.from(node()), List.of("10.0.0.1"), List.of(9115)))
                .isEmpty();
        assertThat(Clouds.open(Clouds.from(monitor()), List.of("10.0.0.2"), List.of(9115)))
                .hasSize(1);
        assertThat(Clouds.run(node(), "ufw status"))
                .containsPattern(
                        "10\\.0\\.0\\.2 9115/tcp on wg0 +ALLOW +10\\.0\\.0\\.1 +# shop-monitor-1 WireGuard blackbox scraper")
                .containsPattern(
                        "10\\.0\\.0\\.2 9187/tcp on wg0 +ALLOW +10\\.0\\.0\\.1 +# shop-monitor-1 WireGuard shopdb scraper");
        assertThat(Clouds.run(node(), "systemctl is-enabled prometheus-blackbox-exporter.service || true"))
                .isEqualTo("masked");
    }

    @Test
    @Order(12)
    void apply_exportersAdded_runHardenedAsAUserOfTheirOwnWithExactlyTheirArguments() {
        String pid = Clouds.run(node(), "systemctl show -p MainPID --value blackbox_exporter");
        assertThat(Arrays.asList(Clouds.run(node(), "tr '\\0' '\\n' </proc/" + pid + "/cmdline")
                        .split("\n", -1)))
                .containsSequence(
                        "--web.listen-address=10.0.0.2:9115",
                        "--config.file=/etc/promguard/blackbox_exporter/blackbox.yml",
                        "--web.external-url=" + HOSTILE,
                        "--web.route-prefix=/");
        assertThat(Clouds.run(node(), "ps -o user:32= -p " + pid)).isEqualTo("blackbox_exporter");
        assertThat(Clouds.run(node(), "stat -c '%a %U:%G' /etc/promguard/blackbox_exporter/blackbox.yml"))
                .isEqualTo("400 blackbox_exporter:blackbox_exporter");
        for (String unit : List.of("blackbox_exporter", "packaged_exporter")) {
            assertThat(Clouds.run(node(), "systemd-analyze verify " + unit + ".service 2>&1"))
                    .isEmpty();
            String exposure =
                    Clouds.run(node(), "systemd-analyze security --no-pager " + unit + " | grep 'Overall exposure'");
            System.out.println(exposure);
            assertThat(Double.parseDouble(exposure.replaceAll(".*: ([0-9.]+) .*", "$1")))
                    .isLessThan(3.0);
        }
        assertThat(Clouds.run(node(), "grep CapEff /proc/" + pid + "/status")).endsWith("0000000000002000");
    }

    @Test
    @Order(13)
    void apply_configurationThatTheExporterRefuses_isNotPutInPlace() {
        String before = Clouds.run(monitor(), "sha256sum /etc/promguard/blackbox_exporter/blackbox.yml");
        Mesh refused = spec(
                host -> host.addExporter(Exporters.blackbox("modules: {x: {prober: http, nonsense: 1}}")), host -> {
                    host.addExporter(packaged()).expose("shopdb", 9187);
                });

        assertThatThrownBy(refused::apply).isInstanceOf(ApplyException.class).hasMessageContaining("nonsense");

        assertThat(Clouds.run(monitor(), "sha256sum /etc/promguard/blackbox_exporter/blackbox.yml"))
                .isEqualTo(before);
        assertThat(Clouds.run(monitor(), "systemctl is-active blackbox_exporter"))
                .isEqualTo("active");
        mesh.apply();
        assertThat(mesh.plan().isEmpty()).isTrue();
    }

    @Test
    @Order(14)
    void apply_exportersThatExchangePorts_runOnEachOthers() {
        Mesh exchanged = spec(
                host -> host.addExporter(Exporters.blackbox()),
                host -> host.addExporter(Exporters.blackbox().withPort(9116))
                        .addExporter(packaged().withPort(9115))
                        .expose("shopdb", 9187));

        exchanged.apply();

        assertThat(Clouds.run(
                                node(),
                                "ss -Hltnp 'sport = :9115 or sport = :9116' | grep -o '10.0.0.2:[0-9]*.*pid=[0-9]*'")
                        .lines()
                        .map(line -> line.replaceFirst("^(\\S+).*\"([^\"]+)\".*$", "$1 $2")))
                .containsExactlyInAnyOrder("10.0.0.2:9115 prometheus-blac", "10.0.0.2:9116 blackbox_export");
        assertThat(exchanged.plan().isEmpty()).isTrue();
        assertThat(Clouds.startTimes(cloud.droplets())).isEqualTo(started);
    }

    @Test
    @Order(20)
    void apply_exportersNoLongerDesired_leavesNothingOfThem() {
        Plan plan = plain.plan();
        System.out.println(plan);

        plain.apply(plan);

        for (LocalDroplet host : cloud.droplets()) {
            assertThat(Clouds.run(
                            host,
                            "ls -d /etc/systemd/system/*blackbox_exporter* /etc/systemd/system/packaged* /etc/promguard/*"
                                    + " /opt/promguard/blackbox* /etc/systemd/system/*.wants/*_exporter.service"
                                    + " /etc/prometheus/targets/*.yml 2>/dev/null || true"))
                    .isEqualTo("""
                            /etc/systemd/system/multi-user.target.wants/node_exporter.service
                            /etc/systemd/system/promguard-kill-switch.service.wants/node_exporter.service""");
            assertThat(Clouds.run(host, "ufw status")).doesNotContain("9115", "9116", "9187");
            assertThat(Clouds.run(host, "systemctl list-units --all --plain --no-legend '*blackbox*' 'packaged*'"))
                    .doesNotContain("running", "failed");
            assertThat(Clouds.run(host, "ss -Hltn 'sport = :9115 or sport = :9116'"))
                    .isEmpty();
        }
        Clouds.await("targets gone", SCRAPED, () -> Clouds.targets(monitor()).size() == 3);
        assertThat(Clouds.run(node(), "systemctl is-active shopdb.socket"))
                .as("a service that is not PromGuard's is left alone")
                .isEqualTo("active");
        assertThat(Clouds.startTimes(cloud.droplets())).isEqualTo(started);
        assertThat(plain.plan().isEmpty()).isTrue();
        assertThat(plain.verify().failures()).isEmpty();
    }

    @Test
    @Order(30)
    void watcher_throughAllOfThis_foundNoPortOpen() {
        assertThat(watcher.closed()).isGreaterThan(500);
        assertThat(watcher.opened()).isEmpty();
    }
}
