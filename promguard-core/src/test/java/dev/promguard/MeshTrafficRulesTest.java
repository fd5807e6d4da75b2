package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.VerifyReport.Check;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Rules of others that the mesh's packets do not pass: plan, apply and verify say the same of them. */
class MeshTrafficRulesTest {
    private static final String[] REJECTS = {
        "nft-ip4\t*filter",
        "nft-ip4\t:INPUT ACCEPT",
        "nft-ip4\t-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
        "nft-ip4\t-A INPUT -j REJECT --reject-with icmp-host-prohibited"
    };
    private static final String[] DENIED = {
        "nft-ip4\t*filter",
        "nft-ip4\t:INPUT DROP",
        "nft-ip4\t-A INPUT -j ufw-before-input",
        "nft-ip4\t-A ufw-before-input -j ufw-user-input",
        "nft-ip4\t-A ufw-user-input -p tcp -m tcp --dport 9100 -j DROP"
    };
    private static final String[] DOCKER = {
        "nft-ip4\t*nat",
        "nft-ip4\t:PREROUTING ACCEPT",
        "nft-ip4\t-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
        "nft-ip4\t-A DOCKER ! -i docker0 -p tcp -m tcp --dport PORT -j DNAT --to-destination 172.17.0.2:80"
    };

    private final Account account = new Account();
    private final FakePrometheus prometheus = new FakePrometheus();
    private final MeshBuilder spec = account.spec()
            .parallelism(1)
            .editHost("shop-monitor-1", host -> host.endpoint("203.0.113.9"))
            .prometheus(settings -> settings.scrapeInterval(Duration.ofSeconds(1)));
    private final Mesh mesh = spec.build();

    @BeforeEach
    void apply() {
        mesh.apply();
        account.cloud.machine("shop-monitor-1").forwardTo(prometheus.port());
        prometheus.scrapes(mesh.blueprint());
    }

    @AfterEach
    void close() {
        prometheus.close();
    }

    private static String[] docker(int port) {
        String[] rules = DOCKER.clone();
        rules[3] = rules[3].replace("PORT", String.valueOf(port));
        return rules;
    }

    private static Check check(VerifyReport report, CheckKind kind) {
        List<Check> found = report.checks().stream()
                .filter(check -> check.id().equals(kind.id()) && check.host().equals("shop-node-1"))
                .toList();
        assertThat(found).as("%s", report).hasSize(1);
        return found.get(0);
    }

    @Test
    void rejectAtTheEndOfInput_isNamedByPlanApplyAndVerify() {
        account.cloud.machine("shop-node-1").ruleset(REJECTS);
        String rule = "iptables, table filter, chain INPUT: -j REJECT --reject-with icmp-host-prohibited";

        Plan plan = mesh.plan();
        Check check = check(mesh.verify(), CheckKind.MESH_TRAFFIC_PASSES);

        assertThat(plan.isEmpty()).isFalse();
        assertThat(plan.problems()).singleElement().satisfies(problem -> {
            assertThat(problem.code()).isEqualTo(ErrorCode.TRAFFIC_BLOCKED);
            assertThat(problem.text()).contains(rule, "WireGuard (51820/udp)", "9100/tcp on wg0 from 10.0.0.1");
        });
        assertThat(catchThrowableOfType(ApplyException.class, mesh::apply))
                .hasMessageContaining(rule)
                .hasMessageContaining("Nothing was changed on it");
        assertThat(check.verdict()).isEqualTo(VerifyReport.Verdict.FAILED);
        assertThat(check.observed()).contains(rule);
        assertThat(check.remedy()).contains("iptables -D INPUT -j REJECT").doesNotContain("UDP", "Run apply");
    }

    /** Behind NAT a node gets nothing but answers, and needs nothing more. */
    @Test
    void dropOfNewPackets_onANodeThatBegins_isNoProblem() {
        String[] rules = {
            "nft-ip4\t*mangle",
            "nft-ip4\t:PREROUTING ACCEPT",
            "nft-ip4\t-A PREROUTING -p udp -m udp --dport 51820 -m conntrack --ctstate NEW -j DROP"
        };
        account.cloud.machine("shop-node-1").ruleset(rules);
        assertThat(mesh.plan().problems())
                .singleElement()
                .satisfies(problem -> assertThat(problem.code()).isEqualTo(ErrorCode.TRAFFIC_BLOCKED));

        assertThat(mesh.toBuilder()
                        .editHost("shop-node-1", host -> host.behindNat(true))
                        .build()
                        .plan()
                        .problems())
                .isEmpty();
    }

    @Test
    void ownRuleBehindADenial_isPutBeforeItByApply() {
        account.cloud.machine("shop-node-1").ruleset(DENIED);

        Check check = check(mesh.verify(), CheckKind.MESH_TRAFFIC_PASSES);
        Plan plan = mesh.plan();

        assertThat(check.remedy()).isEqualTo("Run apply, which puts PromGuard's own rule before it.");
        assertThat(plan.problems()).isEmpty();
        assertThat(plan.drift())
                .singleElement()
                .asString()
                .contains("ufw: rule 9100/tcp on wg0 from 10.0.0.1 is behind -p tcp -m tcp --dport 9100 -j DROP");
        assertThat(mesh.apply().hosts())
                .filteredOn(host -> host.name().equals("shop-node-1"))
                .singleElement()
                .satisfies(host -> assertThat(host.changes())
                        .containsExactly("ufw: allow 9100/tcp on wg0 from 10.0.0.1, before the rule -p tcp -m tcp"
                                + " --dport 9100 -j DROP"));
    }

    @Test
    void portOfOursThatDockerTakes_isNamedByPlanAndVerify() {
        account.cloud.machine("shop-node-1").ruleset(docker(9100));

        assertThat(mesh.plan().problems())
                .singleElement()
                .satisfies(problem -> assertThat(problem.text())
                        .contains("redirects 9100/tcp on wg0 from 10.0.0.1", "chain DOCKER", "docker ps"));
        assertThat(check(mesh.verify(), CheckKind.MESH_TRAFFIC_PASSES).observed())
                .contains("chain DOCKER");
    }

    @Test
    void portThatDockerPublishes_isNamedByPlanAndVerifyAndFailsWhereItAnswers() throws IOException {
        InetAddress node =
                InetAddress.getByName(account.cloud.machine("shop-node-1").address());
        int port = 0;
        String rule = "";
        try (ServerSocket open = new ServerSocket()) {
            try {
                open.bind(new InetSocketAddress(node, 0));
            } catch (IOException e) {
                assumeTrue(false, "this system has no address but 127.0.0.1 on its loopback interface: " + e);
            }
            port = open.getLocalPort();
            rule = port + "/tcp is published past ufw by iptables, table nat, chain DOCKER";
            account.cloud.machine("shop-node-1").ruleset(docker(port));

            failsAndNames(mesh.verify(), rule);
        }
        assertThat(mesh.plan().toString())
                .contains("(not changed: " + rule, "up to date, but for what PromGuard does not change");
        assertThat(mesh.verify().failures()).noneMatch(MeshTrafficRulesTest::isOpen);
        assertThat(declared(port).verify().failures()).noneMatch(MeshTrafficRulesTest::isOpen);
    }

    private static boolean isOpen(Check check) {
        return check.id().equals(CheckKind.PORT_CLOSED_TO_OUTSIDE.id());
    }

    private static void failsAndNames(VerifyReport report, String rule) {
        assertThat(check(report, CheckKind.PORTS_PUBLISHED).observed()).contains(rule);
        assertThat(check(report, CheckKind.PORTS_PUBLISHED).remedy()).contains("docker ps");
        assertThat(report.failures())
                .filteredOn(MeshTrafficRulesTest::isOpen)
                .singleElement()
                .satisfies(check -> assertThat(check.remedy())
                        .contains(rule, "docker ps", "openPorts(…)")
                        .doesNotContain("ss -ltnp", "ufw status"));
    }

    private Mesh declared(int port) {
        return spec.build().toBuilder()
                .editHost("shop-node-1", host -> host.openPorts(port))
                .provider(account.cloud)
                .applier(account.hosts)
                .state(account.store)
                .waits(Account.NO_WAITS)
                .build();
    }
}
