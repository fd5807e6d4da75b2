package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.promguard.ApplyException;
import dev.promguard.ApplyReport;
import dev.promguard.Mesh;
import dev.promguard.Plan;
import dev.promguard.Progress;
import dev.promguard.examples.localcloud.ContractWatch;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A droplet that is rebuilt from its image, as with DigitalOcean's own button, and one that only looks so. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RebuildIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration COMES_BACK = Duration.ofSeconds(60);

    @RegisterExtension
    static final ContractWatch CONTRACT = ContractWatch.ofAll();

    @TempDir
    static Path state;

    private final HttpClient http = HttpClient.newHttpClient();
    private LocalCloud cloud;
    private Watcher watcher;
    private Mesh mesh;

    @BeforeAll
    void applyOnce() {
        cloud = Clouds.start(CONTRACT);
        watcher = new Watcher(cloud);
        mesh = Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(1, "lon1")
                .prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(3)))
                .provider(cloud.provider())
                .state(state)
                .listener(Progress.console())
                .build();
        mesh.apply();
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

    private LocalDroplet monitor() {
        return cloud.droplet("shop-monitor-1");
    }

    private LocalDroplet node() {
        return cloud.droplet("shop-node-1");
    }

    private String call(String method, String path, String body) {
        HttpRequest request = HttpRequest.newBuilder(cloud.endpoint().resolve(path))
                .header("Authorization", "Bearer " + cloud.token())
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private String read(String json, String pointer) {
        try {
            return JSON.readTree(json).at(pointer).asText();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    @Order(1)
    void apply_throwawayKeyWithoutARebuild_isRefusedBeforeALogin() {
        String key = "/etc/ssh/ssh_host_ed25519_key";
        Clouds.run(
                node(),
                "cp -p " + key + " /root/own && cp -p " + key + ".pub /root/own.pub"
                        + " && sed -n '/BEGIN OPENSSH/,/END OPENSSH/s/^ *//p' /var/lib/cloud/instance/user-data.txt > "
                        + key
                        + " && ssh-keygen -yf " + key + " > " + key + ".pub && systemctl restart ssh");
        String logins = "journalctl -u ssh | grep -c 'Accepted publickey' || true";
        String before = Clouds.run(node(), logins);

        assertThatThrownBy(() -> mesh.apply())
                .isInstanceOf(ApplyException.class)
                .hasMessageContaining("the throwaway key that it was made with")
                .hasMessageContaining("has done no rebuild of it");

        assertThat(Clouds.run(node(), logins)).isEqualTo(before);
        Clouds.run(node(), "mv /root/own " + key + " && mv /root/own.pub " + key + ".pub && systemctl restart ssh");
        assertThat(mesh.plan().isEmpty()).isTrue();
    }

    @Test
    @Order(2)
    void apply_rebuiltNode_setsItUpAgainAndRestartsNothingElse() {
        Map<String, String> before = Clouds.startTimes(List.of(monitor()));
        String oldKey = Clouds.run(node(), "wg show wg0 public-key");
        String actions = "v2/droplets/" + node().id() + "/actions";
        String rebuild =
                read(call("POST", actions, "{\"type\":\"rebuild\",\"image\":\"debian-12-x64\"}"), "/action/id");
        Clouds.await(
                "the rebuild",
                COMES_BACK,
                () -> read(call("GET", actions + "/" + rebuild, ""), "/action/status")
                        .equals("completed"));

        Plan plan = mesh.plan();
        System.out.println(plan);
        assertThat(plan.toString()).contains("shop-node-1", "it was rebuilt");
        ApplyReport report = mesh.apply(plan);
        System.out.println("after a rebuild: " + report);

        assertThat(report.ok()).isTrue();
        assertThat(Clouds.run(node(), "wg show wg0 public-key")).isNotEqualTo(oldKey);
        assertThat(Clouds.run(monitor(), "wg show wg0 peers"))
                .as("the one peer of the monitor")
                .isEqualTo(Clouds.run(node(), "wg show wg0 public-key"));
        assertThat(Clouds.startTimes(List.of(monitor()))).isEqualTo(before);
        mesh.verify().orThrow();
        assertThat(mesh.plan().isEmpty()).isTrue();
    }

    @Test
    @Order(3)
    void watcher_throughAllOfThis_foundNoDoorOpen() {
        assertThat(watcher.closed()).isPositive();
        assertThat(watcher.opened()).isEmpty();
    }
}
