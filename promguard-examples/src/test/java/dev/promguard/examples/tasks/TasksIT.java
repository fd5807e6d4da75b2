package dev.promguard.examples.tasks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.MeshBuilder;
import dev.promguard.Progress;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.Support;
import dev.promguard.keys.Secret;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/** The examples on machines, one after the other on the same ones: most change the mesh of the one before. */
@Tag("long")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Order(4)
class TasksIT {
    private LocalCloud cloud;

    @BeforeAll
    void start() {
        Support support = LocalCloud.support();
        assumeTrue(support.okOnceInstalled(), () -> "the end-to-end tests are skipped: " + support);
        LocalCloud.installMissing(System.out::println);
        cloud = LocalCloud.builder()
                .installed("ufw", "wireguard-tools")
                .ownReleases()
                .start();
    }

    @AfterAll
    void takeDown() {
        if (cloud != null) {
            cloud.close();
        }
    }

    private MeshBuilder builder() {
        return cloud.mesh().listener(Progress.console());
    }

    @Test
    @Order(1)
    void firstMesh_isAppliedAndVerified() {
        FirstMesh.run(FirstMesh.mesh(builder()));

        assertThat(cloud.droplets()).hasSize(3);
    }

    @Test
    @Order(2)
    void addAndRemoveNodes_leavesTheOthers() {
        AddAndRemoveNodes.run(AddAndRemoveNodes.mesh(builder()));

        assertThat(cloud.droplets()).hasSize(3).noneMatch(host -> host.name().equals("db"));
    }

    @Test
    @Order(3)
    void exportersAndServices_areScraped() {
        ExportersAndServices.run(ExportersAndServices.mesh(builder()));

        assertThat(cloud.droplet("shop-node-2")
                        .exec("systemctl", "is-active", "blackbox_exporter")
                        .stdout())
                .isEqualTo("active\n");
        assertThat(cloud.droplet("shop-node-1").exec("ufw", "status").stdout()).contains("8080/tcp on wg0");
    }

    @Test
    @Order(4)
    void sendAndAlert_isInPrometheusConfiguration() {
        SendAndAlert.run(SendAndAlert.mesh(builder(), Secret.of("not to be seen")));

        assertThat(cloud.droplet("shop-monitor-1")
                        .exec("cat", "/etc/prometheus/prometheus.yml")
                        .stdout())
                .contains("https://mimir.example/api/v1/push", "alerts.example")
                .doesNotContain("not to be seen");
    }

    @Test
    @Order(5)
    void nightlyConverge_stoppedExporter_isStarted() {
        NightlyConverge.run(NightlyConverge.mesh(builder()));
        cloud.droplet("shop-node-1").exec("systemctl", "stop", "node_exporter").orThrow();

        NightlyConverge.run(NightlyConverge.mesh(builder()));

        assertThat(cloud.droplet("shop-node-1")
                        .exec("systemctl", "is-active", "node_exporter")
                        .stdout())
                .isEqualTo("active\n");
    }

    @Test
    @Order(6)
    void rotateKeys_givesEveryHostAnotherKey() {
        String before = publicKey();

        RotateKeys.run(RotateKeys.mesh(builder()));

        assertThat(publicKey()).isNotEqualTo(before);
    }

    private String publicKey() {
        return cloud.droplet("shop-monitor-1")
                .exec("wg", "show", "wg0", "public-key")
                .orThrow()
                .stdout();
    }

    @Test
    @Order(7)
    void viewersOnLaptops_letsOneInAndShutsItOut() {
        ViewersOnLaptops.run(ViewersOnLaptops.mesh(builder()));

        assertThat(cloud.droplet("shop-monitor-1")
                        .exec("systemctl", "is-active", "promguard-viewers.socket")
                        .ok())
                .isFalse();
        assertThat(cloud.droplet("shop-monitor-1")
                        .exec("wg", "show", "wg0", "peers")
                        .orThrow()
                        .stdout()
                        .lines())
                .hasSize(2);
    }

    @Test
    @Order(8)
    void verifyForAnAuditor_writesTheReport() throws Exception {
        VerifyForAnAuditor.run(VerifyForAnAuditor.mesh(builder()));

        assertThat(Files.readString(Path.of("target", "audit.md"))).contains("shop-monitor-1", "shop-node-2");
    }

    @Test
    @Order(9)
    void regionsAndSizes_anotherSize_isTakenByTheSameHost() {
        RegionsAndSizes.run(RegionsAndSizes.mesh(builder()));

        assertThat(cloud.provider().list("world"))
                .filteredOn(host -> host.name().equals("db"))
                .extracting(host -> host.region() + " " + host.size())
                .containsExactly("ams3 s-1vcpu-2gb");
    }

    @Test
    @Order(10)
    void serversYouHave_joinAndAreLeftAsTheyWere() throws Exception {
        ServersYouHave.run(ServersYouHave.mesh(builder(), Servers.start(cloud)));

        assertThat(cloud.droplet("mon")
                        .exec("systemctl", "is-enabled", "prometheus")
                        .ok())
                .isFalse();
    }

    @Test
    @Order(11)
    void ownTest_passes() {
        new OwnTest().apply_ownMesh_isUpToDateAndPassesEveryCheck();
    }
}
