package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.promguard.ApplyException;
import dev.promguard.ApplyReport;
import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.Plan;
import dev.promguard.Progress;
import dev.promguard.examples.localcloud.ContractWatch;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.keys.Credentials;
import dev.promguard.keys.Secret;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Prometheus' settings on real machines: what reaches the running Prometheus, what leaves it, and what a change disturbs. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PrometheusIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration SOON = Duration.ofMinutes(2);
    private static final String PASSWORD = "correct-horse-battery-staple";
    private static final String OTHER_PASSWORD = "incorrect-zebra-engine-clip";
    private static final String RULES = """
            groups:
              - name: own
                rules:
                  - record: own:up:count
                    expr: count(up)
                  - alert: Always
                    expr: vector(1)
                    for: 7s
            """;

    @RegisterExtension
    static final ContractWatch CONTRACT = ContractWatch.ofAll();

    @TempDir
    static Path state;

    /** What came in at the server that stands for an Alertmanager, a long-term store and a program with metrics. */
    private final Queue<String> authorizations = new ConcurrentLinkedQueue<>();

    private final Queue<String> alerts = new ConcurrentLinkedQueue<>();

    private LocalCloud cloud;
    private HttpServer server;
    private Mesh mesh;
    private final List<String> said = new ArrayList<>();

    @BeforeAll
    void applyOnce() throws IOException {
        cloud = Clouds.start(CONTRACT);
        server = HttpServer.create(new InetSocketAddress(cloud.gateway(), 0), 0);
        server.createContext("/write", exchange -> {
            exchange.getRequestBody().readAllBytes();
            authorizations.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            answer(exchange, "");
        });
        server.createContext("/am/api/v2/alerts", exchange -> {
            alerts.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            answer(exchange, "");
        });
        server.createContext("/stats", exchange -> answer(exchange, "sold_total 7\n"));
        server.start();
        mesh = spec(PASSWORD, RULES).build();

        ApplyReport report = mesh.apply();

        System.out.println("prometheus apply: " + report);
        assertThat(report.ok()).isTrue();
        assertThat(mesh.verify().failures()).isEmpty();
    }

    @AfterAll
    void takeDown() {
        if (server != null) {
            server.stop(0);
        }
        if (cloud != null) {
            cloud.close();
        }
    }

    private MeshBuilder spec(String password, String rules) {
        return Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(1, "lon1")
                .prometheus(prometheus -> prometheus
                        .scrapeInterval(Duration.ofSeconds(2))
                        .retention(Duration.ofDays(30))
                        .retentionSize("1GB")
                        .externalLabel("team", "till")
                        .addRules("own", rules)
                        .addAlertmanager(uri("/am"))
                        .scrape(
                                "till",
                                job -> job.targets(uri("").getAuthority())
                                        .path("/stats")
                                        .interval(Duration.ofSeconds(1))
                                        .label("floor", "1"))
                        .addRemoteWrite(uri("/write"), Credentials.basic("me", Secret.of(password))))
                .provider(cloud.provider())
                .state(state)
                .listener(event -> {
                    Progress.console().on(event);
                    said.add(event.toString());
                });
    }

    private URI uri(String path) {
        return URI.create(
                "http://" + cloud.gateway() + ":" + server.getAddress().getPort() + path);
    }

    private static void answer(HttpExchange exchange, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        // Prometheus 3 takes no page whose type it does not know.
        exchange.getResponseHeaders().set("content-type", "text/plain; version=0.0.4");
        exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private LocalDroplet monitor() {
        return cloud.droplet("shop-monitor-1");
    }

    private LocalDroplet node() {
        return cloud.droplet("shop-node-1");
    }

    private JsonNode ask(String path) {
        try {
            return JSON.readTree(Clouds.run(monitor(), "curl -fsS 'http://127.0.0.1:9090/api/v1/" + path + "'"))
                    .path("data");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The values of an instant query, by the value of one label. */
    private Map<String, Double> query(String expression, String label) {
        Map<String, Double> values = new TreeMap<>();
        ask("query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8))
                .path("result")
                .forEach(sample -> values.put(
                        sample.path("metric").path(label).asText(),
                        sample.path("value").path(1).asDouble()));
        return values;
    }

    private Map<String, String> starts() {
        Map<String, String> starts = new TreeMap<>(Clouds.startTimes(List.of(monitor(), node())));
        for (LocalDroplet host : List.of(monitor(), node())) {
            starts.put(
                    host.name() + " timer",
                    Clouds.run(
                            host,
                            "systemctl show -p ActiveEnterTimestampMonotonic --value promguard-wireguard-metrics.timer"));
        }
        return starts;
    }

    @Test
    @Order(10)
    void apply_labelsAndRetention_areInForce() {
        String config = ask("status/config").path("yaml").asText();
        assertThat(config)
                .contains("cluster: shop", "replica: shop-monitor-1", "team: till", "scrape_interval: 2s")
                .contains("password_file: /etc/prometheus/secrets/remote-write-1")
                .doesNotContain(PASSWORD);
        JsonNode flags = ask("status/flags");
        assertThat(flags.path("storage.tsdb.retention.time").asText()).isEqualTo("30d");
        assertThat(flags.path("storage.tsdb.retention.size").asText()).isEqualTo("1GiB");
        assertThat(query("sold_total", "floor")).containsEntry("1", 7.0);
    }

    @Test
    @Order(11)
    void apply_rules_areEvaluatedWithoutAnError() {
        Clouds.await("every rule evaluated", SOON, () -> {
            List<String> health = new ArrayList<>();
            ask("rules")
                    .path("groups")
                    .forEach(group -> group.path("rules")
                            .forEach(rule -> health.add(rule.path("health").asText())));
            assertThat(health).doesNotContain("err");
            return health.size() == 12 && !health.contains("unknown");
        });
        Clouds.await("an alert at the Alertmanager", SOON, () -> !alerts.isEmpty());
        assertThat(alerts.peek())
                .contains("\"alertname\":\"Always\"", "\"cluster\":\"shop\"", "\"team\":\"till\"")
                .doesNotContain("replica");
    }

    @Test
    @Order(12)
    void apply_metrics_tellOfHandshakesAndUnits() {
        Clouds.await(
                "handshakes",
                SOON,
                () -> query("promguard_wireguard_latest_handshake_seconds > 0", "peer")
                                .size()
                        == 2);
        assertThat(query("time() - promguard_wireguard_latest_handshake_seconds", "peer"))
                .containsOnlyKeys("shop-monitor-1", "shop-node-1")
                .allSatisfy((peer, age) -> assertThat(age).isBetween(-2.0, 180.0));
        assertThat(query("promguard_wireguard_sent_bytes_total > 0", "peer")).hasSize(2);
        assertThat(query("promguard_wireguard_received_bytes_total > 0", "peer"))
                .hasSize(2);
        assertThat(query("node_scrape_collector_success{collector=~\"systemd|textfile\"} == 1", "instance"))
                .hasSize(2);
        assertThat(query("node_scrape_collector_success{collector=~\"systemd|textfile\"} == 0", "instance"))
                .isEmpty();
        assertThat(query("node_systemd_unit_state{name=\"node_exporter.service\",state=\"active\"} == 1", "node"))
                .containsOnlyKeys("shop-monitor-1", "shop-node-1");
        for (LocalDroplet host : List.of(monitor(), node())) {
            String metrics = "promguard-wireguard-metrics.service";
            assertThat(Clouds.run(host, "systemctl is-failed " + metrics + " || true"))
                    .isEqualTo("inactive");
            assertThat(Clouds.run(host, "systemctl show -p Result --value " + metrics))
                    .isEqualTo("success");
            assertThat(Clouds.run(host, "systemd-analyze verify " + metrics + " 2>&1"))
                    .isEmpty();
            String exposure =
                    Clouds.run(host, "systemd-analyze security --no-pager " + metrics + " | grep 'Overall exposure'");
            assertThat(Double.parseDouble(exposure.replaceAll(".*: ([0-9.]+) .*", "$1")))
                    .isLessThan(3.0);
            assertThat(Clouds.run(host, "journalctl -q -u " + metrics))
                    .as("a line every 15 s would be too much")
                    .isEmpty();
        }
    }

    @Test
    @Order(13)
    void remoteWrite_withAPassword_showsItToTheServerAndKeepsItInItsFile() throws IOException {
        Clouds.await("samples sent", SOON, () -> !authorizations.isEmpty());
        assertThat(authorizations).containsOnly(basic(PASSWORD));

        String file = "/etc/prometheus/secrets/remote-write-1";
        assertThat(Clouds.run(monitor(), "stat -c '%a %U:%G' " + file + "; cat " + file))
                .isEqualTo("440 root:prometheus\n" + PASSWORD);
        for (LocalDroplet host : List.of(monitor(), node())) {
            assertThat(Clouds.run(
                            host,
                            "grep -rlF " + PASSWORD
                                    + " /etc /home /opt /root /run /srv /tmp /usr/local /var 2>/dev/null || true"))
                    .isEqualTo(host.name().equals("shop-monitor-1") ? file : "");
            assertThat(Clouds.run(
                            host,
                            "journalctl -q | grep -cF " + PASSWORD + "; cat /proc/[0-9]*/environ | grep -cF " + PASSWORD
                                    + " || true"))
                    .isEqualTo("0\n0");
        }
        try (Stream<Path> files = Files.walk(state)) {
            for (Path kept : files.filter(Files::isRegularFile).toList()) {
                assertThat(Files.readString(kept)).doesNotContain(PASSWORD);
            }
        }
        assertThat(String.join("\n", said)).doesNotContain(PASSWORD).contains(file);
    }

    private static String basic(String password) {
        return "Basic " + Base64.getEncoder().encodeToString(("me:" + password).getBytes(StandardCharsets.UTF_8));
    }

    @Test
    @Order(20)
    void apply_secondTime_changesNothing() {
        Map<String, String> before = starts();
        assertThat(spec(PASSWORD, RULES).build().plan().isEmpty()).isTrue();

        assertThat(spec(PASSWORD, RULES).build().apply().changes()).isZero();

        assertThat(starts()).isEqualTo(before);
    }

    @Test
    @Order(30)
    void apply_otherIntervalRulesAndPassword_restartsNothing() {
        Map<String, String> before = starts();
        Mesh changed = spec(OTHER_PASSWORD, RULES.replace("count(up)", "sum(up)"))
                .prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(1)))
                .build();
        Plan plan = changed.plan();
        assertThat(plan.toString()).doesNotContain(OTHER_PASSWORD);

        ApplyReport report = changed.apply(plan);

        assertThat(report.hosts().get(0).changes())
                .containsExactly(
                        "write /etc/prometheus/secrets/remote-write-1",
                        "write /etc/prometheus/rules/own.yml",
                        "write /etc/prometheus/prometheus.yml",
                        "reload prometheus.service");
        assertThat(report.hosts().get(1).changes()).isEmpty();
        Clouds.await(
                "the new interval",
                SOON,
                () -> ask("status/config").path("yaml").asText().contains("scrape_interval: 1s"));
        assertThat(ask("rules").toString()).contains("sum(up)").doesNotContain("count(up)");
        Clouds.await("the new password", SOON, () -> authorizations.contains(basic(OTHER_PASSWORD)));
        assertThat(starts()).isEqualTo(before);
    }

    @Test
    @Order(40)
    void apply_badRules_leavesTheOldOnesRunningAndSaysWhy() {
        Map<String, String> before = starts();

        ApplyException refused = catchThrowableOfType(
                ApplyException.class,
                () -> spec(OTHER_PASSWORD, RULES.replace("count(up)", "count(up"))
                        .apply());

        System.out.println(refused.getMessage());
        assertThat(refused)
                .hasMessageContaining("shop-monitor-1")
                .hasMessageContaining("write /etc/prometheus/rules/own.yml")
                .hasMessageContaining("own:up:count")
                .hasMessageContaining("unclosed left parenthesis");
        assertThat(ask("rules").toString()).contains("sum(up)");
        assertThat(Clouds.run(monitor(), "grep expr /etc/prometheus/rules/own.yml"))
                .contains("sum(up)");
        assertThat(starts()).isEqualTo(before);
    }

    @Test
    @Order(50)
    void apply_otherRetention_restartsPrometheusAlone() {
        Map<String, String> before = starts();

        mesh = spec(OTHER_PASSWORD, RULES)
                .prometheus(prometheus -> prometheus.retention(Duration.ofDays(7)))
                .build();
        mesh.apply();

        Map<String, String> after = starts();
        assertThat(after.remove("shop-monitor-1 prometheus")).isNotEqualTo(before.remove("shop-monitor-1 prometheus"));
        assertThat(after).isEqualTo(before);
        assertThat(ask("status/flags").path("storage.tsdb.retention.time").asText())
                .isEqualTo("1w");
        assertThat(mesh.plan().isEmpty()).isTrue();
    }
}
