package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ApplyReport;
import dev.promguard.DestroyReport;
import dev.promguard.Mesh;
import dev.promguard.Plan;
import dev.promguard.PlanNotEmptyException;
import dev.promguard.PlanOutdatedException;
import dev.promguard.PlannedChange;
import dev.promguard.Progress;
import dev.promguard.RecoverReport;
import dev.promguard.Tunnel;
import dev.promguard.VerifyReport;
import dev.promguard.examples.localcloud.ContractWatch;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.Outsider;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.spi.Identity;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * The main job from the first apply to the last destroy: one mesh of Debian 12 and Debian 13 that lives through all of it, looked at by
 * the hosts' own tools.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Order(1)
class MeshIT {
    private static final Duration COMES_BACK = Duration.ofMinutes(3);

    @RegisterExtension
    static final ContractWatch CONTRACT = ContractWatch.ofAll();

    @TempDir
    static Path state;

    private LocalCloud cloud;
    private Outsider outsider;
    private Watcher watcher;
    private final SshKeyPair mine = SshKeyPair.generate(new SecureRandom());
    private Mesh mesh;

    @BeforeAll
    void applyOnce() {
        cloud = Clouds.startBareOfBothSystems(CONTRACT);
        outsider = cloud.outsider();
        watcher = new Watcher(cloud);
        mesh = Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(2, "lon1", "sfo3")
                .node("shop-node-3", host -> host.region("sgp1").image("debian-13-x64"))
                .prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(3)))
                .loginKeys(mine.publicKey())
                .provider(cloud.provider())
                .state(state)
                .listener(Progress.console())
                .build();
        watcher.knowing(mesh.blueprint());
        Plan plan = mesh.plan();
        assertThat(plan.entries()).extracting(Plan.Entry::kind).containsOnly(Plan.Kind.CREATE);
        assertThat(cloud.droplets()).as("a plan makes nothing").isEmpty();
        assertThat(plan.price()).as("the local cloud costs nothing").isEmpty();

        ApplyReport report = mesh.apply(plan);
        System.out.println("first apply: " + report);
        assertThat(report.ok()).isTrue();
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

    private List<LocalDroplet> hosts() {
        return cloud.droplets().stream()
                .filter(droplet -> droplet.name().startsWith("shop-"))
                .toList();
    }

    private LocalDroplet monitor() {
        return cloud.droplet("shop-monitor-1");
    }

    private LocalDroplet node(int number) {
        return cloud.droplet("shop-node-" + number);
    }

    private void assertAllUp() {
        List<String> urls = List.of(
                "http://127.0.0.1:9090/metrics",
                "http://10.0.0.1:9100/metrics",
                "http://10.0.0.2:9100/metrics",
                "http://10.0.0.3:9100/metrics",
                "http://10.0.0.4:9100/metrics");
        Clouds.await("targets up", COMES_BACK, () -> {
            Map<String, String> targets = Clouds.targets(monitor());
            return targets.keySet().equals(Set.copyOf(urls))
                    && targets.values().stream().allMatch("up"::equals);
        });
    }

    @Test
    @Order(10)
    void apply_firstTime_prometheusScrapesEveryHostOverWireGuard() {
        assertAllUp();
        for (LocalDroplet host : hosts()) {
            String handshakes = Clouds.run(host, "wg show wg0 latest-handshakes");
            long now = Long.parseLong(Clouds.run(host, "date +%s"));
            assertThat(handshakes.lines()).hasSize(host.name().equals("shop-monitor-1") ? 3 : 1);
            assertThat(handshakes.lines())
                    .allSatisfy(line -> assertThat(now - Long.parseLong(line.split("\t", -1)[1]))
                            .isBetween(0L, 180L));
        }
    }

    @Test
    @Order(11)
    void apply_firstTime_firewallAdmitsTheMonitorAlone() {
        for (LocalDroplet host : hosts()) {
            String status = Clouds.run(host, "ufw status verbose");
            assertThat(status).contains("Status: active", "Default: deny (incoming)");
            assertThat(status).containsPattern("22/tcp +ALLOW IN +Anywhere +# OpenSSH");
            assertThat(status).containsPattern("51820/udp +ALLOW IN +Anywhere +# WireGuard");
            if (host.name().equals("shop-monitor-1")) {
                assertThat(status).doesNotContain("9100").doesNotContain("9090");
            } else {
                assertThat(status)
                        .containsPattern("10\\.0\\.0\\.[234] 9100/tcp on wg0 +ALLOW IN +10\\.0\\.0\\.1 +"
                                + "# shop-monitor-1 WireGuard node-exporter scraper");
            }
        }
        assertThat(Clouds.open(outsider, hosts(), 22, 9100, 9090)).hasSize(4).allMatch(probe -> probe.endsWith(":22"));
    }

    @Test
    @Order(12)
    void apply_firstTime_hostsAreOfBothSystems() {
        assertThat(Clouds.run(monitor(), "cat /etc/debian_version")).startsWith("12.");
        assertThat(Clouds.run(node(3), "cat /etc/debian_version")).startsWith("13.");
    }

    @Test
    @Order(12)
    void apply_firstTime_nodesReachNeitherEachOtherNorTheMonitor() {
        List<Integer> ports = List.of(22, 9100, 9090);
        assertThat(Clouds.open(Clouds.from(node(1)), List.of("10.0.0.1", "10.0.0.3"), ports))
                .as("the monitor's SSH is open by design")
                .containsExactly("10.0.0.1:22");
        assertThat(Clouds.open(Clouds.from(monitor()), List.of("10.0.0.2"), ports))
                .containsExactly("10.0.0.2:22", "10.0.0.2:9100");
    }

    @Test
    @Order(13)
    void apply_firstTime_everyToolAcceptsItsFile() {
        for (LocalDroplet host : hosts()) {
            assertThat(Clouds.run(host, "wg-quick strip wg0"))
                    .contains("ListenPort = 51820")
                    .doesNotContain("PrivateKey");
            assertThat(Clouds.run(
                            host,
                            "systemd-analyze verify node_exporter.service 2>&1; stat -c %a /etc/wireguard/wg0.key"))
                    .isEqualTo("600");
            assertThat(exposure(host, "node_exporter")).isLessThan(3.0);
        }
        assertThat(Clouds.run(
                        monitor(), "/opt/promguard/prometheus-*/promtool check config /etc/prometheus/prometheus.yml"))
                .contains("SUCCESS");
        assertThat(Clouds.run(monitor(), "systemd-analyze verify prometheus.service 2>&1"))
                .isEmpty();
        assertThat(exposure(monitor(), "prometheus")).isLessThan(3.0);
    }

    private static double exposure(LocalDroplet host, String unit) {
        String line = Clouds.run(host, "systemd-analyze security --no-pager " + unit + " | grep 'Overall exposure'");
        return Double.parseDouble(line.replaceAll(".*: ([0-9.]+) .*", "$1"));
    }

    @Test
    @Order(14)
    void apply_firstTime_keepsPrivateKeysOnTheirHosts() throws Exception {
        try (Stream<Path> files = Files.walk(state)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String text = Files.readString(file);
                for (LocalDroplet host : hosts()) {
                    assertThat(text).doesNotContain(Clouds.run(host, "cat /etc/wireguard/wg0.key"));
                }
                assertThat(Files.getPosixFilePermissions(file)).hasSize(2);
            }
        }
    }

    @Test
    @Order(15)
    void apply_firstTime_replacesTheBootstrapKeyHostKey() {
        for (LocalDroplet host : hosts()) {
            String inUserData = Clouds.run(host, "grep ed25519_public /var/lib/cloud/instance/user-data.txt");
            String now = Clouds.run(host, "cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub");
            assertThat(inUserData).doesNotContain(now);
            assertThat(Clouds.run(host, "ls /etc/ssh/ssh_host_*_key")).isEqualTo("/etc/ssh/ssh_host_ed25519_key");
        }
    }

    @Test
    @Order(20)
    void apply_secondTime_changesAndRestartsNothing() {
        Map<String, String> before = Clouds.startTimes(hosts());
        assertThat(mesh.plan().isEmpty()).isTrue();

        ApplyReport report = mesh.apply();

        System.out.println("second apply: " + report);
        assertThat(report.changes()).isZero();
        assertThat(report.hosts())
                .extracting(ApplyReport.HostOutcome::status)
                .containsOnly(ApplyReport.Status.UNCHANGED);
        assertThat(Clouds.startTimes(hosts())).isEqualTo(before);
    }

    @Test
    @Order(21)
    void verify_healthyMesh_everyCheckPasses() {
        VerifyReport report = mesh.verify();

        assertThat(report.failures()).isEmpty();
        assertThat(report.checks()).hasSizeGreaterThan(30);
        assertThat(report.hosts()).allSatisfy(host -> {
            assertThat(host.target()).isEqualTo("up");
            assertThat(host.handshakeAge()).isPresent();
        });
    }

    @Test
    @Order(22)
    void openPrometheus_healthyMesh_answersUntilClosed() throws Exception {
        URI uri;
        try (Tunnel tunnel = mesh.openPrometheus()) {
            uri = tunnel.uri();
            HttpResponse<String> answer = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(uri.resolve("api/v1/query?query=up"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(answer.body()).contains("\"region\":\"sgp1\"", "\"node\":\"shop-node-3\"");
        }
        URI closed = uri;
        assertThatThrownBy(() -> HttpClient.newHttpClient()
                        .send(
                                HttpRequest.newBuilder(closed)
                                        .timeout(Duration.ofSeconds(5))
                                        .build(),
                                HttpResponse.BodyHandlers.ofString()))
                .isInstanceOf(java.io.IOException.class);
    }

    @Test
    @Tag("long")
    @Order(30)
    void apply_planOfBeforeHandEdits_isRefusedAndTheNextOneShowsThem() {
        Plan stale = mesh.plan();
        stale.requireEmpty();
        Clouds.run(node(2), "echo '# by hand' >>/etc/systemd/system/node_exporter.service");
        Clouds.run(monitor(), "echo '[]' >/etc/prometheus/targets/node.json");

        assertThatThrownBy(() -> mesh.apply(stale)).isInstanceOf(PlanOutdatedException.class);

        Plan drift = mesh.plan();
        System.out.println(drift.details());
        assertThat(drift.entries())
                .extracting(Plan.Entry::kind)
                .containsExactlyInAnyOrder(Plan.Kind.CHANGE, Plan.Kind.KEEP, Plan.Kind.CHANGE, Plan.Kind.KEEP);
        assertThat(drift.entries())
                .flatExtracting(Plan.Entry::changes)
                .allSatisfy(
                        change -> assertThat(change.drift()).as(change.text()).isTrue());
        assertThat(drift.details()).contains("-# by hand").contains("-[]\n");
        assertThatThrownBy(drift::requireEmpty).isInstanceOf(PlanNotEmptyException.class);
        ApplyReport report = mesh.apply(drift);

        assertThat(report.ok()).isTrue();
        assertThat(report.drift()).isEqualTo(report.changes());
        mesh.plan().requireEmpty();
    }

    @Test
    @Tag("long")
    @Order(31)
    void only_oneHost_isPutRightAndTheOthersAreLeftAlone() {
        Clouds.run(node(1), "systemctl stop node_exporter");
        Clouds.run(node(2), "systemctl stop node_exporter");

        ApplyReport report = mesh.only("shop-node-2").apply();

        assertThat(report.hosts()).extracting(ApplyReport.HostOutcome::name).containsExactly("shop-node-2");
        assertThat(report.drift()).isEqualTo(1);
        assertThat(mesh.plan().drift())
                .extracting(PlannedChange::toString)
                .containsExactly("! node_exporter.service is inactive (drift)   → start");
        mesh.apply();
        mesh.plan().requireEmpty();
    }

    @Test
    @Tag("long")
    @Order(40)
    void reboot_ofNodeAndMonitor_everythingComesBackByItself() {
        int nodeBoots = node(3).boots();
        int monitorBoots = monitor().boots();

        node(3).reboot();
        monitor().reboot();

        Clouds.await(
                "boots",
                COMES_BACK,
                () -> node(3).boots() > nodeBoots && monitor().boots() > monitorBoots);
        Clouds.await(
                "Prometheus",
                COMES_BACK,
                () -> monitor()
                        .exec("curl", "-fsS", "http://127.0.0.1:9090/-/ready")
                        .ok());
        assertAllUp();
        assertThat(Clouds.open(outsider, hosts(), 9100, 9090)).isEmpty();
        assertThat(mesh.plan().isEmpty())
                .as("nothing has to be put right after a reboot")
                .isTrue();
        assertThat(mesh.verify().failures()).isEmpty();
    }

    @Test
    @Tag("long")
    @Order(50)
    void recover_stateFolderDeleted_getsInWithTheAdditionalKeyAndRestartsNothing() throws Exception {
        Map<String, String> before = Clouds.startTimes(hosts());
        try (Stream<Path> files = Files.walk(state)) {
            for (Path file : files.filter(path -> !path.equals(state))
                    .sorted(Comparator.reverseOrder())
                    .toList()) {
                Files.delete(file);
            }
        }

        RecoverReport plan = mesh.planRecover(
                how -> how.identity(Identity.ofKey(mine.privateKey())).trustOnFirstUse());

        System.out.println(plan);
        assertThat(plan.problems()).isEmpty();
        assertThat(plan.hosts())
                .hasSize(4)
                .allSatisfy(host -> assertThat(Clouds.run(
                                cloud.droplet(host.name()), "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"))
                        .contains(host.hostKey().text()));
        RecoverReport report = mesh.recover(plan);
        System.out.println(report);
        assertThat(report.newLoginKey()).isTrue();
        assertThat(report.admitting()).hasSize(4);
        Plan next = mesh.plan();
        assertThat(next.isEmpty()).as("%s", next).isTrue();
        VerifyReport verified = mesh.verify();
        assertThat(verified.failures()).as("%s", verified).isEmpty();
        assertThat(Clouds.startTimes(hosts())).isEqualTo(before);
        assertThat(Clouds.run(node(1), "cat /root/.ssh/authorized_keys"))
                .contains(mine.publicKey().line() + " promguard-login-key\n", " promguard-mesh-key");
    }

    @Test
    @Tag("long")
    @Order(60)
    void destroy_besideAnotherMesh_removesThisOneAlone() {
        Mesh other = Mesh.builder()
                .name("other")
                .monitor("fra1")
                .nodes(0)
                .network("10.9.0.0/24")
                .provider(cloud.provider())
                .state(state)
                .build();
        other.apply();

        DestroyReport report = mesh.destroy();

        assertThat(report.removed()).hasSize(4);
        assertThat(cloud.droplets()).extracting(LocalDroplet::name).containsExactly("other-monitor-1");
        assertThat(Clouds.targets(cloud.droplet("other-monitor-1")).values()).doesNotContain("down");
        assertThat(mesh.destroy().removed()).isEmpty();
        other.destroy();
        assertThat(cloud.droplets()).isEmpty();
        assertThat(state).isEmptyDirectory();
    }

    @Test
    @Order(70)
    void watcher_throughAllOfThis_foundNoPortOpen() {
        System.out.println("found closed " + watcher.closed() + " times");
        assertThat(watcher.closed()).isGreaterThan(2_000);
        assertThat(watcher.opened()).isEmpty();
    }
}
