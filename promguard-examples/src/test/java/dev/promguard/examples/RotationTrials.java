package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.promguard.ApplyReport;
import dev.promguard.Mesh;
import dev.promguard.examples.localcloud.LocalDroplet;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/** New keys on a running mesh: what changes, what does not, and for how long a tunnel is away. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
abstract class RotationTrials {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ROTATIONS = 2;

    private Watcher watcher;
    private Mesh mesh;

    /** The mesh that is tried; it is scraped at the default interval from now on. */
    abstract Shop shop();

    @BeforeAll
    void begin() {
        watcher = new Watcher(shop().cloud());
        mesh = shop().spec().build();
        mesh.apply();
    }

    @AfterAll
    void end() {
        if (watcher != null) {
            watcher.close();
        }
    }

    private LocalDroplet monitor() {
        return shop().monitor();
    }

    private LocalDroplet node(int number) {
        return shop().node(number);
    }

    private List<LocalDroplet> hosts() {
        return List.of(monitor(), node(1), node(2));
    }

    /** Both ends of each tunnel run with the key that both have on file, and with no other. */
    private void assertPresharedKeysAgree() {
        for (int number = 1; number <= 2; number++) {
            String onNode = Clouds.run(node(number), "cat /etc/wireguard/wg0.psk/shop-monitor-1");
            assertThat(onNode).hasSize(44);
            assertThat(Clouds.run(monitor(), "cat /etc/wireguard/wg0.psk/shop-node-" + number))
                    .isEqualTo(onNode);
            assertThat(Clouds.run(node(number), "wg show wg0 preshared-keys")).endsWith("\t" + onNode);
            assertThat(Clouds.run(monitor(), "wg show wg0 preshared-keys")).contains("\t" + onNode);
        }
        for (LocalDroplet host : hosts()) {
            assertThat(Clouds.run(host, "stat -c %a:%U /etc/wireguard/wg0.psk /etc/wireguard/wg0.psk/*"))
                    .matches("700:root(\n600:root)+");
        }
    }

    @Test
    @Order(1)
    void apply_firstTime_givesEachPairAPresharedKey() {
        assertPresharedKeysAgree();
        assertThat(mesh.plan().isEmpty()).isTrue();
        assertThat(mesh.verify().failures()).isEmpty();
    }

    @Test
    @Tag("long")
    @Order(2)
    void presharedKey_changedOnARunningInterface_isPutBack() {
        String old = Clouds.run(node(1), "cat /etc/wireguard/wg0.psk/shop-monitor-1");
        Clouds.run(node(1), "wg genpsk >/root/other; wg set wg0 peer $(wg show wg0 peers) preshared-key /root/other");
        assertThat(mesh.plan().isEmpty()).isFalse();
        assertThat(mesh.apply().changes()).isOne();
        assertThat(Clouds.run(node(1), "wg show wg0 preshared-keys"))
                .as("the key of the pair is kept")
                .endsWith(old);

        Clouds.run(node(2), "wg genpsk >/etc/wireguard/wg0.psk/shop-monitor-1; chmod 644 /etc/wireguard/wg0.psk/*");
        ApplyReport report = mesh.apply();
        System.out.println("after an edited preshared key: " + report);
        assertPresharedKeysAgree();
        assertThat(mesh.plan().isEmpty()).isTrue();
    }

    @Test
    @Order(3)
    void rotateKeys_runningMesh_missesNoScrapeAndRestartsNothing() throws Exception {
        Map<String, String> times = Clouds.startTimes(hosts());
        List<String> before = secrets();
        long begin = Long.parseLong(Clouds.run(monitor(), "date +%s"));
        startProbe();
        for (int i = 0; i < ROTATIONS; i++) {
            ApplyReport report = mesh.rotateKeys();
            System.out.println("rotation: " + report);
            assertThat(report.ok()).isTrue();
            List<String> after = secrets();
            assertThat(after).doesNotContainAnyElementsOf(before);
            before = after;
        }
        awaitScrapesAfterwards();
        List<Double> gaps = gaps();
        System.out.println("longest times without an answer over the tunnels, by node, in seconds: " + gaps);

        assertPresharedKeysAgree();
        assertThat(Clouds.startTimes(hosts())).isEqualTo(times);
        long seconds = Long.parseLong(Clouds.run(monitor(), "date +%s")) - begin;
        for (JsonNode series : query("min_over_time(up{job=\"node\"}[" + seconds + "s])")) {
            assertThat(series.path("value").path(1).asText())
                    .as("%s", series.path("metric"))
                    .isEqualTo("1");
        }
        assertThat(query("up{job=\"node\"}")).hasSize(3);
        assertThat(gaps).hasSize(2).allSatisfy(gap -> assertThat(gap).isLessThan(10.0));
        assertThat(mesh.plan().isEmpty()).isTrue();
        assertThat(mesh.verify().failures()).isEmpty();
        assertThat(watcher.opened()).isEmpty();
    }

    private List<String> secrets() {
        List<String> secrets = new ArrayList<>();
        for (LocalDroplet host : hosts()) {
            secrets.addAll(Clouds.run(host, "cat /etc/wireguard/wg0.key /etc/wireguard/wg0.psk/*")
                    .lines()
                    .toList());
        }
        return secrets;
    }

    /** Has the monitor ask each node for an answer every 50 ms and write down when it came. */
    private void startProbe() {
        for (int number = 1; number <= 2; number++) {
            Clouds.run(
                    monitor(),
                    "systemd-run --quiet --unit=probe-" + number
                            + " bash -c 'while :; do curl -s -o /dev/null --connect-timeout 0.3 --max-time 0.3"
                            + " http://10.0.0." + (number + 1) + ":9100/ && date +%s.%N >>/root/probe-" + number
                            + "; sleep 0.05; done'");
        }
        Clouds.await(
                "answers",
                Duration.ofMinutes(1),
                () -> monitor()
                        .exec("sh", "-c", "[ -s /root/probe-1 ] && [ -s /root/probe-2 ]")
                        .ok());
    }

    /** PollIntervals until every node was scraped after the last rotation. */
    private void awaitScrapesAfterwards() {
        double now = Double.parseDouble(Clouds.run(monitor(), "date +%s.%N"));
        Clouds.await("scrapes", Duration.ofMinutes(2), () -> {
            List<JsonNode> times = query("timestamp(up{job=\"node\"})");
            return times.size() == 3
                    && times.stream()
                            .allMatch(series -> series.path("value").path(1).asDouble() > now);
        });
    }

    private List<Double> gaps() {
        List<Double> gaps = new ArrayList<>();
        for (int number = 1; number <= 2; number++) {
            Clouds.run(monitor(), "systemctl stop probe-" + number);
            double longest = 0;
            double last = Double.NaN;
            for (String line :
                    Clouds.run(monitor(), "cat /root/probe-" + number).lines().toList()) {
                double time = Double.parseDouble(line);
                longest = Double.isNaN(last) ? 0 : Math.max(longest, time - last);
                last = time;
            }
            gaps.add(longest);
        }
        return gaps;
    }

    private List<JsonNode> query(String expression) {
        String answer = Clouds.run(
                monitor(), "curl -fsS --data-urlencode 'query=" + expression + "' http://127.0.0.1:9090/api/v1/query");
        List<JsonNode> series = new ArrayList<>();
        try {
            JSON.readTree(answer).path("data").path("result").forEach(series::add);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return series;
    }
}
