package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.HostHealth;
import dev.promguard.blueprint.Blueprint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MeshVerifyTest {
    private final Account account = new Account();
    private final FakePrometheus prometheus = new FakePrometheus();
    private Mesh mesh = wish().build();

    private MeshBuilder wish() {
        return account.wish().parallelism(1).prometheus(settings -> settings.scrapeInterval(Duration.ofSeconds(1)));
    }

    @BeforeEach
    void apply() {
        mesh.apply();
        account.cloud.machine("shop-monitor-1").forwardTo(prometheus.port());
        prometheus.scrapes(mesh.blueprint());
    }

    @AfterEach
    void close() {
        prometheus.close();
        assertThat(account.hosts.open()).isZero();
    }

    private Check failure() {
        VerifyReport report = mesh.verify();
        assertThat(report.failures()).as("%s", report).hasSize(1);
        assertThat(report.failures().get(0).mend()).isNotEmpty();
        return report.failures().get(0);
    }

    @Test
    void verify_healthyMesh_everyClaimHolds() {
        VerifyReport report = mesh.verify();

        assertThat(report.failures()).isEmpty();
        assertThat(report.orThrow()).isSameAs(report);
        assertThat(report.checks()).hasSizeGreaterThan(25);
        assertThat(report)
                .hasToString("mesh shop: " + report.checks().size() + " of "
                        + report.checks().size() + " claims hold");
        assertThat(report.table()
                        .lines()
                        .map(line -> line.stripTrailing().replaceAll("127[.]77[.]0[.][234]", "127.77.0.x")))
                .containsExactly(
                        "host            region  public address   WireGuard address  last handshake  target",
                        "shop-monitor-1  tor1    127.77.0.x       10.0.0.1           40 s ago        up",
                        "shop-node-1     lon1    127.77.0.x       10.0.0.2           40 s ago        up",
                        "shop-node-2     lon1    127.77.0.x       10.0.0.3           40 s ago        up");
    }

    @Test
    void verify_healthyMesh_changesNothing() {
        mesh.verify();

        account.assertIsAsWished(mesh);
    }

    @Test
    void verify_shards_asksEachMonitorForItsOwnTargets() {
        Mesh shards = wish().monitor("fra1")
                .nodes(4, "lon1")
                .prometheus(PrometheusBuilder::shards)
                .build();
        shards.apply();
        Blueprint blueprint = shards.plan().blueprint();
        Blueprint.Host first = blueprint.monitors().get(0);
        Blueprint.Host second = blueprint.monitors().get(1);
        try (FakePrometheus other = new FakePrometheus()) {
            account.cloud.machine("shop-monitor-2").forwardTo(other.port());
            prometheus.scrapesFor(blueprint, first);
            other.scrapesFor(blueprint, second);

            VerifyReport report = shards.verify();

            assertThat(report.failures()).isEmpty();
            assertThat(report.hosts())
                    .allSatisfy(host -> assertThat(host.target()).isEqualTo("up"));
            assertThat(report.checks())
                    .filteredOn(check -> check.claim().endsWith("job node"))
                    .hasSize(6);

            other.scrapesFor(blueprint, first);
            assertThat(shards.verify().failures())
                    .filteredOn(check -> check.claim().endsWith("job node"))
                    .extracting(Check::host)
                    .containsExactlyElementsOf(blueprint.hosts().stream()
                            .filter(host -> blueprint.scrapes(second, host))
                            .map(Blueprint.Host::name)
                            .toList())
                    .isNotEmpty();
        }
    }

    @Test
    void verify_hostVanished_namesIt() {
        account.cloud.vanish("shop-node-2");

        VerifyReport report = mesh.verify();

        assertThat(report.failures())
                .extracting(Check::host, Check::claim)
                .containsExactly(
                        tuple("shop-node-2", "exists"),
                        tuple("shop-monitor-1", "is as wished: packages, files, rules, peers, units"));
        assertThat(report.hosts().get(2))
                .isEqualTo(new HostHealth("shop-node-2", "lon1", Optional.empty(), "10.0.0.3", Optional.empty(), "up"));
    }

    @Test
    void verify_hostUnreachable_saysThatItCannotBeLookedAt() {
        account.cloud.machine("shop-node-2").down(true);

        Check check = failure();

        assertThat(check.claim()).isEqualTo("can be looked at");
        assertThat(check.seen()).contains("no answer");
    }

    @Test
    void verify_anotherHostKey_doesNotLookAtTheHost() {
        account.cloud.machine("shop-node-2").impostor();

        assertThat(failure().seen()).contains("showed host key SHA256:");
    }

    @ParameterizedTest
    @CsvSource({"shop-node-1, shop-node-1, job node", "prometheus, shop-monitor-1, job prometheus"})
    void verify_targetDown_saysWhatPrometheusSays(String down, String host, String job) {
        prometheus.scrapes(mesh.blueprint(), down);

        Check check = failure();

        assertThat(check.host()).isEqualTo(host);
        assertThat(check.claim()).endsWith(job);
        assertThat(check.seen()).endsWith("is down (context deadline exceeded)");
    }

    @Test
    void verify_targetsNotScrapedYet_waitsForTheFirstScrape() {
        prometheus.notBefore(4);

        VerifyReport report = wish().waits(
                        new Waits(Duration.ofMillis(1), Duration.ofSeconds(20), Duration.ofMillis(1)))
                .build()
                .verify();

        assertThat(report.failures()).isEmpty();
        assertThat(prometheus.asked()).isEqualTo(4);
    }

    @Test
    void verify_targetUnknownToPrometheus_saysSo() {
        prometheus.scrapes(wish().nodes(1, "lon1").build().blueprint());

        Check check = failure();

        assertThat(check.host()).isEqualTo("shop-node-2");
        assertThat(check.seen()).isEqualTo("no such target");
    }

    @ParameterizedTest
    @CsvSource({"500, oops", "200, '{\"status\":\"error\"}'", "200, ''", "200, <html>"})
    void verify_prometheusAnswersNonsense_saysThatItDoesNotAnswer(int status, String body) {
        prometheus.answers(status, body);

        assertThat(failure().claim()).isEqualTo("Prometheus answers");
    }

    @Test
    void verify_firewallOff_saysSoAndThatItIsDrift() {
        account.cloud.machine("shop-node-1").disableFirewall();

        VerifyReport report = mesh.verify();

        assertThat(report.failures())
                .extracting(Check::claim)
                .containsExactly(
                        "denies what no rule admits, now and at boot",
                        "is as wished: packages, files, rules, peers, units");
        assertThat(report.failures().get(1).seen()).isEqualTo("ufw: deny what no rule admits, and enable");
    }

    @Test
    void verify_unitStopped_namesTheUnit() {
        account.cloud.machine("shop-node-1").stop("node_exporter.service");

        VerifyReport report = mesh.verify();

        assertThat(report.failures())
                .extracting(Check::claim)
                .containsExactly(
                        "is as wished: packages, files, rules, peers, units",
                        "node_exporter.service runs, and will after a reboot");
    }

    @Test
    void verify_hostOfAnotherKindThanBefore_saysSoInTheReport() {
        account.cloud.machine("shop-node-1").machine("riscv64");

        assertThat(failure().seen()).contains("riscv64");
    }

    @Test
    void verify_handshakeTooOldOrNone_namesBothEnds() {
        account.cloud.machine("shop-node-1").handshake(Optional.of(Duration.ofMinutes(4)));
        assertThat(failure().claim())
                .isEqualTo("has a tunnel with shop-monitor-1, its handshake younger than 3 minutes");

        account.cloud.machine("shop-node-1").handshake(Optional.empty());
        assertThat(failure().seen()).isEqualTo("no handshake yet");
    }

    @Test
    void verify_portOpenToTheOutside_saysWhich() throws IOException {
        InetAddress node =
                InetAddress.getByName(account.cloud.machine("shop-node-1").address());
        int port;
        try (ServerSocket open = new ServerSocket()) {
            try {
                open.bind(new InetSocketAddress(node, 0));
            } catch (IOException e) {
                assumeTrue(false, "this system has no address but 127.0.0.1 on its loopback interface: " + e);
            }
            port = open.getLocalPort();
            mesh = wish().nodeExporterPort(port).build();
            mesh.apply();
            prometheus.scrapes(mesh.blueprint());

            Check check = failure();

            assertThat(check.host()).isEqualTo("shop-node-1");
            assertThat(check.claim()).isEqualTo("port " + port + " is closed to the outside");
            assertThat(check.seen()).isEqualTo("connected");
        }
        assertThat(mesh.verify().failures()).isEmpty();
    }

    @Test
    void orThrow_failures_listsEachWithWhatToDo() {
        account.cloud.machine("shop-node-1").disableFirewall();
        VerifyReport report = mesh.verify();

        VerifyException thrown = catchThrowableOfType(VerifyException.class, report::orThrow);

        assertThat(thrown.report()).isSameAs(report);
        assertThat(thrown)
                .hasMessageContaining("claims hold")
                .hasMessageContaining("FAILED  shop-node-1: denies what no rule admits")
                .hasMessageContaining("Run apply.");
    }

    @Test
    void verify_nothingApplied_saysToApplyFirst() {
        assertThatThrownBy(() -> new Account().wish().build().verify())
                .isInstanceOf(StateException.class)
                .hasMessageContaining("nothing is known of mesh shop")
                .hasMessageContaining("run apply first");
    }

    @Test
    void openPrometheus_healthyMesh_reachesItUntilClosed() throws Exception {
        Tunnel tunnel = mesh.openPrometheus();
        assertThat(tunnel.uri()).isEqualTo(URI.create("http://127.0.0.1:" + prometheus.port() + "/"));
        assertThat(tunnel).hasToString(tunnel.uri().toString());
        HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(tunnel.uri().resolve("api/v1/targets"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(account.hosts.open()).isEqualTo(1);
        tunnel.close();
        tunnel.close();
        assertThat(account.hosts.open()).isZero();
    }

    @Test
    void openPrometheus_forwardRefused_closesTheSession() {
        account.cloud.machine("shop-monitor-1").forwardTo(0);

        assertThatThrownBy(mesh::openPrometheus)
                .isInstanceOf(HostException.class)
                .hasMessageContaining("forward a port");
    }

    @Test
    void openPrometheus_monitorVanished_saysToApply() {
        account.cloud.vanish("shop-monitor-1");

        assertThatThrownBy(mesh::openPrometheus)
                .isInstanceOf(HostException.class)
                .hasMessageContaining("shop-monitor-1")
                .hasMessageContaining("Run apply first.");
    }

    @Test
    void openPrometheus_nothingApplied_saysToApplyFirst() {
        assertThatThrownBy(() -> new Account().wish().build().openPrometheus())
                .isInstanceOf(StateException.class)
                .hasMessageContaining("run apply first");
    }
}
