package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.promguard.Mesh;
import dev.promguard.VerifyReport;
import dev.promguard.VerifyReport.Check;
import dev.promguard.examples.localcloud.LocalDroplet;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * What verify checks is broken on the machines in turn: it names what was broken and nothing else, says what to do, and once that is
 * done and applied every check passes again.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
abstract class VerifyTrials {
    private static final String MONITOR = Shop.MONITOR;
    private static final String NODE_1 = Shop.NODE_1;
    private static final String NODE_2 = Shop.NODE_2;
    private static final String UP_TO_DATE = "is up to date: packages, files, rules, peers, units";
    private static final String SPOOF =
            "admits its guarded ports on wg0 and from the monitors alone, so that a forged source"
                    + " address opens nothing";
    private static final String REACHABLE = "lets nothing be reached that listens but what the spec allows";
    private static final String PEERS = "is closed to the other hosts, but for what the monitors scrape";
    private static final String PAGE = "gives shop-monitor-1 a page larger than any packet, whole, over wg0";
    private static final String TARGET = "shop-monitor-1 scrapes port 9100, job node";

    /**
     * Takes connections at an address and hangs up: {@code LISTENER.formatted(unit, address, port)}. Without {@code ReuseAddr} its
     * connections would keep others off the port for a minute after it is gone.
     */
    private static final String LISTENER = "systemd-run -q --unit=%s perl -MIO::Socket::INET -e"
            + " 'my $s = IO::Socket::INET->new(LocalAddr => \"%s\", LocalPort => %d, Listen => 5, ReuseAddr => 1) or die $@;"
            + " while (my $c = $s->accept) { close $c }'; "
            + "for i in $(seq 120); do ss -Hltn | grep -q '%2$s:%3$d' && exit 0; sleep 0.5; done; exit 1";

    private Mesh mesh;
    private LocalDroplet monitor;
    private LocalDroplet node1;
    private LocalDroplet node2;

    /** The mesh that is tried, applied and scraped every other second. */
    abstract Shop shop();

    @BeforeAll
    void begin() {
        mesh = shop().scrapedOften();
        monitor = shop().monitor();
        node1 = shop().node(1);
        node2 = shop().node(2);
    }

    private VerifyReport verify() {
        long start = System.nanoTime();
        VerifyReport report = mesh.verify();
        System.out.println(
                "verify took " + Duration.ofNanos(System.nanoTime() - start).toMillis() + " ms\n" + report);
        return report;
    }

    private void assertFails(VerifyReport report, Tuple... checks) {
        assertThat(report.failures())
                .extracting(Check::host, Check::description)
                .containsExactlyInAnyOrder(checks);
        assertThat(report.failures())
                .allSatisfy(check -> assertThat(check.remedy()).isNotEmpty());
    }

    private static Check check(VerifyReport report, String host, String description) {
        return report.checks().stream()
                .filter(check ->
                        check.host().equals(host) && check.description().equals(description))
                .findFirst()
                .orElseThrow();
    }

    private void assertPassesAfterApply() {
        mesh.apply();
        assertThat(verify().orThrow().notes()).isEmpty();
    }

    @Test
    @Order(1)
    void verify_healthyMesh_everyCheckPassesAndTheReportShowsWhatWasObserved() {
        // A scrape may take two seconds here, and a busy machine may be late for one of them.
        AtomicReference<VerifyReport> last = new AtomicReference<>(verify());
        Clouds.await(
                "scrapes in time",
                Duration.ofMinutes(2),
                () -> last.updateAndGet(before -> verify()).failures().isEmpty());
        VerifyReport report = Objects.requireNonNull(last.get()).orThrow();

        System.out.println(report.toMarkdown());
        assertThat(report.notes()).isEmpty();
        for (String node : List.of(NODE_1, NODE_2)) {
            assertThat(check(report, node, PAGE).observed()).matches("[0-9]{5,6} bytes, whole");
            assertThat(check(report, node, PEERS).method()).contains(MONITOR);
            assertThat(check(report, node, PEERS).observed())
                    .contains("no answer")
                    .doesNotContain("open");
            assertThat(check(report, node, SPOOF).observed())
                    .isEqualTo("5 of 5 accepting rules are the spec's; no other accepts such a port");
        }
        assertThat(check(report, MONITOR, PEERS).method()).contains(NODE_1, NODE_2, "10.0.0.1");
        assertThat(report.checks())
                .anyMatch(check -> check.description().endsWith("alerting and recording rules loaded"))
                .anyMatch(check -> check.description().equals("port 9100 is closed to the outside"));
    }

    @Test
    @Tag("long")
    @Order(2)
    void verify_ruleWithoutInterfacePeerOfNobodyAndForeignRule_namesEach() {
        String rule = "allow from 10.0.0.1 to 10.0.0.2 port 9100 proto tcp";
        Clouds.run(node1, "ufw " + rule);
        Clouds.run(node2, "wg set wg0 peer $(wg genkey | wg pubkey) allowed-ips 10.0.0.77/32");
        Clouds.run(monitor, LISTENER.formatted("stray", "0.0.0.0", 8080));
        Clouds.run(monitor, "ufw allow 8080/tcp comment theirs");

        VerifyReport report = verify();

        assertFails(
                report,
                tuple(MONITOR, REACHABLE),
                tuple(NODE_1, REACHABLE),
                tuple(NODE_1, SPOOF),
                tuple(NODE_2, UP_TO_DATE),
                tuple(NODE_2, "has tunnels with shop-monitor-1 and nobody else, one address each"));
        assertThat(check(report, NODE_1, SPOOF).observed())
                .contains("ufw-user-input -s 10.0.0.1/32 -d 10.0.0.2/32 -p tcp -m tcp --dport 9100 -j ACCEPT");
        assertThat(report.notes()).singleElement().satisfies(note -> {
            assertThat(note.host()).isEqualTo(MONITOR);
            assertThat(note.observed()).contains("--dport 8080");
        });
        assertThat(check(report, MONITOR, REACHABLE).observed()).contains("reachable by rules of others: 8080/tcp");

        Clouds.run(node1, "ufw delete " + rule);
        Clouds.run(monitor, "ufw delete allow 8080/tcp; systemctl stop stray");
        assertPassesAfterApply();
    }

    @Test
    @Order(3)
    void verify_portsOpenToEverybodyAndToPeers_namesEach() {
        Clouds.run(node1, "ufw allow 9100/tcp");
        Clouds.run(node1, LISTENER.formatted("stray", node1.publicAddress(), 9100));
        Clouds.run(monitor, "ufw allow in on wg0 to 10.0.0.1 port 9100 proto tcp");

        VerifyReport report = verify();

        assertFails(
                report,
                tuple(NODE_1, SPOOF),
                tuple(NODE_1, "has its exporters listen on 10.0.0.2 alone"),
                tuple(NODE_1, "port 9100 is closed to the outside"),
                tuple(NODE_1, PEERS),
                tuple(NODE_1, REACHABLE),
                tuple(MONITOR, REACHABLE),
                tuple(MONITOR, SPOOF));
        assertThat(check(report, NODE_1, "port 9100 is closed to the outside").observed())
                .isEqualTo(node1.publicAddress() + ":9100 open");
        assertThat(check(report, MONITOR, PEERS).passed())
                .as("a monitor's routing rules keep its nodes out, whatever ufw admits")
                .isTrue();

        Clouds.run(node1, "systemctl stop stray; ufw delete allow 9100/tcp");
        Clouds.run(monitor, "ufw delete allow in on wg0 to 10.0.0.1 port 9100 proto tcp");
        assertPassesAfterApply();
    }

    @Test
    @Tag("long")
    @Order(4)
    void verify_exporterStoppedAndLargePacketsLost_namesEach() {
        String drop = " OUTPUT -o eth0 -p udp --sport 51820 -m length --length 1000: -j DROP";
        Clouds.run(node1, "systemctl stop node_exporter");
        Clouds.run(node2, "iptables -I" + drop);
        Clouds.await(
                "Prometheus sees both",
                Duration.ofMinutes(3),
                () -> Clouds.targets(monitor).values().stream()
                                .filter("down"::equals)
                                .count()
                        == 2);

        VerifyReport report = verify();

        assertFails(
                report,
                tuple(NODE_1, TARGET),
                tuple(NODE_1, UP_TO_DATE),
                tuple(NODE_1, "node_exporter.service runs, and will after a reboot"),
                tuple(NODE_1, PAGE),
                tuple(NODE_2, TARGET),
                tuple(NODE_2, PAGE));
        assertThat(check(report, NODE_2, PAGE).observed()).isEqualTo("0 bytes, and then no more");
        assertThat(check(report, NODE_2, PAGE).remedy()).contains("MTU");
        assertThat(check(report, NODE_1, PAGE).observed()).isEqualTo("refused");

        Clouds.run(node2, "iptables -D" + drop);
        assertPassesAfterApply();
    }
}
