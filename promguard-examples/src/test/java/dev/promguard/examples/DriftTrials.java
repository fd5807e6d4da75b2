package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.ApplyReport;
import dev.promguard.Mesh;
import dev.promguard.Plan;
import dev.promguard.PlannedChange;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * What somebody does to a mesh's hosts by hand: each of it is seen by a plan, put right by an apply, and gone from the next plan,
 * and nothing else on any host is touched by that. One mesh suffers all of it, several hosts at once.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
abstract class DriftTrials {
    private static final Duration SOON = Duration.ofMinutes(2);
    private static final String EXPORTER_UNIT = "/etc/systemd/system/node_exporter.service";
    private static final String SET_PEERS = "wg0: set peers";
    private static final String ENABLE_FIREWALL = "ufw: deny what no rule admits, and enable";
    private static final String RESTART_EXPORTER = "restart node_exporter.service";
    private static final String[] UFW_RULES = {"/etc/ufw/user.rules", "/etc/ufw/user6.rules"};
    private static final String EXPORTER = "node_exporter.service";

    private LocalCloud cloud;
    private Watcher watcher;
    private Mesh mesh;
    private LocalDroplet monitor;
    private LocalDroplet node1;
    private LocalDroplet node2;

    /** What somebody does to a host, and what it takes to put it right. */
    private static final class Drift {
        private final LocalDroplet host;
        private final List<String> byHand = new ArrayList<>();
        private final List<String> seen = new ArrayList<>();
        private final List<String> changes = new ArrayList<>();
        private final TreeSet<String> files = new TreeSet<>();
        private final TreeSet<String> services = new TreeSet<>();
        private boolean newKey;
        private final List<String> newPeers = new ArrayList<>();
        private boolean packages;

        Drift(LocalDroplet host) {
            this.host = host;
        }

        Drift byHand(String script) {
            byHand.add(script);
            return this;
        }

        /** What a plan says of it. */
        Drift seen(String... words) {
            seen.addAll(List.of(words));
            return this;
        }

        Drift changes(String... described) {
            changes.addAll(List.of(described));
            return this;
        }

        /** The files and links that putting it right writes. */
        Drift files(String... paths) {
            files.addAll(List.of(paths));
            return this;
        }

        /** The services that putting it right starts, restarts or stops. */
        Drift services(String... names) {
            services.addAll(List.of(names));
            return this;
        }

        Drift newKey() {
            newKey = true;
            return files("/etc/wireguard/wg0.key");
        }

        Drift newPeers(String... names) {
            newPeers.addAll(List.of(names));
            return changes("write /etc/wireguard/wg0.conf").files("/etc/wireguard/wg0.conf");
        }

        /** Files of packages are not counted. */
        Drift packages() {
            packages = true;
            return this;
        }

        List<String> applied() {
            List<String> applied = new ArrayList<>(changes);
            if (newKey) {
                applied.add("write the WireGuard key");
            }
            return applied;
        }
    }

    /** The mesh that is tried, applied and scraped every other second. */
    abstract Shop shop();

    @BeforeAll
    void begin() {
        cloud = shop().cloud();
        watcher = new Watcher(cloud);
        mesh = shop().scrapedOften();
        monitor = shop().monitor();
        node1 = shop().node(1);
        node2 = shop().node(2);
        assertThat(mesh.plan().isEmpty()).isTrue();
    }

    @AfterAll
    void end() {
        if (watcher != null) {
            watcher.close();
        }
    }

    /** Does it all by hand, and insists that it is seen, put right and gone, and that nothing else is touched. */
    private void suffer(Drift... drifts) {
        for (Drift drift : drifts) {
            drift.byHand.forEach(script -> Clouds.run(drift.host, script));
        }
        Footprint footprint = new Footprint(cloud.droplets());

        Plan plan = mesh.plan();
        System.out.println(plan);
        ApplyReport report = mesh.apply();
        System.out.println(report);

        SoftAssertions softly = new SoftAssertions();
        for (Drift drift : drifts) {
            String name = drift.host.name();
            List<PlannedChange> planned = entry(plan, name).changes();
            softly.assertThat(planned)
                    .as("planned on %s", name)
                    .isNotEmpty()
                    .allMatch(change -> change.drift() || !drift.newPeers.isEmpty());
            drift.seen.forEach(words -> softly.assertThat(planned)
                    .as("planned on %s", name)
                    .anyMatch(change ->
                            change.text().contains(words) && change.text().contains("(drift)")));
            planned.forEach(change -> softly.assertThat(plan.toString()).contains(change.text()));
            softly.assertThat(outcome(report, name).changes())
                    .as("done on %s", name)
                    .containsExactlyInAnyOrderElementsOf(drift.applied());
            softly.assertThat(footprint.services(drift.host))
                    .as("services of %s", name)
                    .isEqualTo(drift.services);
            if (!drift.packages) {
                softly.assertThat(footprint.files(drift.host))
                        .as("files of %s", name)
                        .isEqualTo(drift.files);
            }
        }
        softly.assertThat(report.hosts()).hasSize(drifts.length);
        Plan after = mesh.plan();
        softly.assertThat(after.isEmpty()).as("%s", after).isTrue();
        softly.assertAll();
        assertScraped();
    }

    private static Plan.Entry entry(Plan plan, String host) {
        return plan.entries().stream()
                .filter(entry -> entry.name().equals(host))
                .findFirst()
                .orElseThrow();
    }

    private static ApplyReport.HostOutcome outcome(ApplyReport report, String host) {
        return report.hosts().stream()
                .filter(outcome -> outcome.name().equals(host))
                .findFirst()
                .orElseThrow();
    }

    private void assertScraped() {
        Clouds.await("every target up", SOON, () -> {
            Map<String, String> targets = Clouds.targets(monitor);
            return targets.size() == 4 && targets.values().stream().allMatch("up"::equals);
        });
    }

    private Drift on(LocalDroplet host) {
        return new Drift(host);
    }

    @Test
    @Order(1)
    void apply_peersTargetsAndARuleChangedByHand_putsThemBack() {
        suffer(
                on(monitor)
                        .byHand("wg set wg0 peer $(wg show wg0 allowed-ips | grep 10.0.0.2/32 | cut -f 1) remove")
                        .byHand("echo '[]' >/etc/prometheus/targets/node.json")
                        .seen("/etc/prometheus/targets/node.json", "wg0: peer shop-node-1 is gone")
                        .changes("write /etc/prometheus/targets/node.json", SET_PEERS)
                        .files("/etc/prometheus/targets/node.json"),
                on(node1)
                        .byHand("wg set wg0 peer $(wg genkey | wg pubkey) allowed-ips 10.0.0.77/32")
                        .byHand("ufw delete allow in on wg0 proto tcp from 10.0.0.1 to 10.0.0.2 port 9100")
                        .byHand("ufw allow 8080/tcp comment theirs")
                        .seen("ufw: rule 9100/tcp on wg0 from 10.0.0.1 is gone", "wg0: 1 peer was added")
                        .changes("ufw: allow 9100/tcp on wg0 from 10.0.0.1", SET_PEERS)
                        .files("/etc/ufw/user.rules"),
                on(node2)
                        .byHand("wg set wg0 peer $(wg show wg0 peers) allowed-ips 10.0.0.1/32,10.0.0.9/32")
                        .byHand("systemctl disable node_exporter")
                        .seen(
                                "wg0: peer shop-monitor-1 has 10.0.0.1/32, 10.0.0.9/32 instead of 10.0.0.1/32",
                                "node_exporter.service does not come up at boot")
                        .changes(SET_PEERS, "enable node_exporter.service")
                        .files(
                                "/etc/systemd/system/multi-user.target.wants/node_exporter.service",
                                "/etc/systemd/system/promguard-kill-switch.service.wants/node_exporter.service"));
        assertThat(Clouds.run(node1, "ufw status")).containsPattern("8080/tcp +ALLOW +Anywhere +# theirs");
    }

    @Test
    @Tag("long")
    @Order(2)
    void apply_firewallOpenedByHand_closesIt() {
        suffer(
                on(monitor)
                        .byHand("ufw --force disable")
                        .byHand("echo '# by hand' >>/etc/prometheus/prometheus.yml")
                        .seen("/etc/prometheus/prometheus.yml", "ufw: is off")
                        .changes("write /etc/prometheus/prometheus.yml", ENABLE_FIREWALL, "reload prometheus.service")
                        .files("/etc/prometheus/prometheus.yml", "/etc/ufw/ufw.conf")
                        .files(UFW_RULES),
                on(node1)
                        .byHand("ufw default allow incoming")
                        .byHand("wg genpsk | wg set wg0 peer $(wg show wg0 peers) preshared-key /dev/stdin")
                        .seen("ufw: admits what no rule names", "wg0: peer shop-monitor-1 has another preshared key")
                        .changes(ENABLE_FIREWALL, SET_PEERS)
                        .files("/etc/default/ufw", "/etc/ufw/after.rules", "/etc/ufw/after6.rules")
                        .files(UFW_RULES),
                on(node2)
                        .byHand("iptables -F; iptables -P INPUT ACCEPT; ip6tables -F; ip6tables -P INPUT ACCEPT")
                        .seen("ufw: is off, or its loaded rules are not its own")
                        .changes(ENABLE_FIREWALL)
                        .files(UFW_RULES));
        for (LocalDroplet host : cloud.droplets()) {
            assertThat(Clouds.run(host, "iptables -S"))
                    .contains(
                            "-P INPUT DROP",
                            "-A INPUT -j ufw-before-input",
                            "-A ufw-user-input -p tcp -m tcp --dport 22");
            assertThat(Clouds.run(host, "ufw status verbose")).contains("Status: active", "deny (incoming)");
        }
    }

    @Test
    @Tag("long")
    @Order(3)
    void apply_unitsStoppedMaskedAndOverridden_runsThemUpToDate() {
        suffer(
                on(monitor)
                        .byHand("systemctl mask wg-quick@wg0")
                        .byHand("systemctl stop prometheus")
                        .seen("wg0 does not come up at boot", "prometheus.service is inactive")
                        .changes("wg0: come up at boot", "start prometheus.service")
                        .services("prometheus.service"),
                on(node1)
                        .byHand("mkdir " + EXPORTER_UNIT + ".d; printf '[Service]\\nExecStart=\\nExecStart=%s\\n'"
                                + " \"$(echo /opt/promguard/node_exporter-*/node_exporter) --web.listen-address=0.0.0.0:9100\" >"
                                + EXPORTER_UNIT
                                + ".d/override.conf; systemctl daemon-reload; systemctl restart node_exporter")
                        .byHand("for i in $(seq 240); do ss -Hltn | grep -qF -e '0.0.0.0:9100' -e '*:9100' && exit 0;"
                                + " sleep 0.5; done; systemctl status node_exporter; exit 1")
                        .byHand("systemctl mask ufw")
                        .seen(
                                "node_exporter.service is overridden by " + EXPORTER_UNIT + ".d",
                                "ufw: does not come up at boot")
                        .changes(
                                "remove drop-ins of node_exporter.service: " + EXPORTER_UNIT + ".d",
                                ENABLE_FIREWALL,
                                RESTART_EXPORTER)
                        .files(UFW_RULES)
                        .services(EXPORTER),
                on(node2)
                        .byHand("systemctl stop node_exporter; rm " + EXPORTER_UNIT + "; systemctl mask node_exporter")
                        .byHand(
                                "mkdir /etc/systemd/system/wg-quick@wg0.service.d;"
                                        + " printf '[Unit]\\nConditionPathExists=/absent\\n' >/etc/systemd/system/wg-quick@wg0.service.d/a.conf")
                        .seen(
                                EXPORTER_UNIT,
                                "wg-quick@wg0.service is overridden by /etc/systemd/system/wg-quick@wg0.service.d",
                                "node_exporter.service is inactive")
                        .changes(
                                "write " + EXPORTER_UNIT,
                                "remove drop-ins of wg-quick@wg0.service: /etc/systemd/system/wg-quick@wg0.service.d",
                                "start node_exporter.service")
                        .files(EXPORTER_UNIT)
                        .services(EXPORTER));
        for (LocalDroplet host : cloud.droplets()) {
            assertThat(Clouds.run(host, "systemctl is-enabled wg-quick@wg0 ufw node_exporter")
                            .lines())
                    .containsOnly("enabled");
            assertThat(Clouds.run(host, "ss -Hltn sport = 9100")).doesNotContain("0.0.0.0:9100");
        }
    }

    private String nodeExporter() {
        return "node_exporter "
                + Clouds.release(cloud.releases(), "node_exporter").version();
    }

    @Test
    @Tag("long")
    @Order(4)
    void apply_filesAndInterfaceChangedByHand_putsThemBack() {
        suffer(
                on(monitor)
                        .byHand("chown nobody:nogroup /etc/systemd/system/prometheus.service")
                        .byHand(
                                "cd /opt/promguard/node_exporter-*; cp -p node_exporter x; printf x >>x; mv x node_exporter")
                        .seen(nodeExporter() + " is not as it was unpacked", "owner nobody:nogroup instead of root")
                        .changes(
                                "install " + nodeExporter(),
                                "write /etc/systemd/system/prometheus.service",
                                RESTART_EXPORTER,
                                "restart prometheus.service")
                        .files(
                                "/etc/systemd/system/prometheus.service",
                                "/opt/promguard/" + nodeExporter().replace(' ', '-') + "/.promguard",
                                "/opt/promguard/" + nodeExporter().replace(' ', '-') + "/.promguard-stamp",
                                "/opt/promguard/" + nodeExporter().replace(' ', '-') + "/node_exporter")
                        .services(EXPORTER, "prometheus.service"),
                on(node1)
                        .byHand("chmod 666 " + EXPORTER_UNIT)
                        .byHand("rm /etc/wireguard/wg0.conf")
                        .byHand("iptables -I ufw-user-input -p tcp --dport 9100 -j ACCEPT")
                        .seen(
                                "mode 0666 instead of 0644",
                                "/etc/wireguard/wg0.conf   is gone",
                                "ufw: is off, or its loaded rules are not its own")
                        .changes(
                                "write " + EXPORTER_UNIT,
                                "write /etc/wireguard/wg0.conf",
                                ENABLE_FIREWALL,
                                SET_PEERS,
                                RESTART_EXPORTER)
                        .files(EXPORTER_UNIT, "/etc/wireguard/wg0.conf")
                        .files(UFW_RULES)
                        .services(EXPORTER),
                on(node2)
                        .byHand("cp " + EXPORTER_UNIT + " /root/copy; ln -sf /root/copy " + EXPORTER_UNIT)
                        .byHand("wg-quick down wg0")
                        .seen(EXPORTER_UNIT, "wg0 is half up")
                        .changes("write " + EXPORTER_UNIT, "wg0: take down and bring up", RESTART_EXPORTER)
                        .files(EXPORTER_UNIT)
                        .services(EXPORTER, "wg-quick@wg0.service"));
        assertThat(Clouds.run(node2, "cat /root/copy")).contains("ExecStart");
    }

    @Test
    @Tag("long")
    @Order(5)
    void apply_packagesUsersAndKeysTakenAway_bringsThemBack() {
        suffer(
                on(monitor)
                        .byHand("userdel -f node_exporter")
                        .byHand("chmod 640 /etc/wireguard/wg0.key")
                        .seen("user node_exporter is gone", "the WireGuard key could be read by others")
                        .changes("create user node_exporter", SET_PEERS, RESTART_EXPORTER)
                        .files("/etc/group", "/etc/gshadow", "/etc/passwd", "/etc/shadow")
                        .files("/etc/group-", "/etc/gshadow-", "/etc/passwd-", "/etc/shadow-")
                        .newKey()
                        .newPeers("shop-node-2")
                        .services(EXPORTER),
                on(node1)
                        .byHand("apt-get -q -y purge ufw")
                        .seen("package ufw is gone")
                        .changes(
                                "install ufw",
                                "ufw: allow 22/tcp",
                                "ufw: allow 51820/udp",
                                "ufw: allow 9100/tcp on wg0 from 10.0.0.1",
                                ENABLE_FIREWALL,
                                SET_PEERS)
                        .packages()
                        .newPeers("shop-monitor-1"),
                on(node2)
                        .byHand("apt-get -q -y remove wireguard-tools")
                        .seen("package wireguard-tools is gone")
                        .changes("install wireguard-tools", "wg0: bring up")
                        .services("wg-quick@wg0.service")
                        .newKey()
                        .newPeers("shop-monitor-1")
                        .packages());
        assertThat(Clouds.run(monitor, "stat -c '%a %U' /etc/wireguard/wg0.key"))
                .isEqualTo("600 root");
    }

    /** Nothing that listens depends on who brings the firewall or the interface up, and the watcher sees nothing open meanwhile. */
    @Test
    @Tag("long")
    @Order(6)
    void firewallAndInterface_downAndUpByHand_areScrapedAgainByThemselves() {
        List<LocalDroplet> both = List.of(monitor, node1);
        for (LocalDroplet host : both) {
            Clouds.run(host, "systemctl stop ufw");
            assertThat(Clouds.run(host, "iptables -S INPUT")).startsWith("-P INPUT ACCEPT");
        }
        assertScrapedAnew();
        assertThat(Clouds.run(node1, "ss -Hltn 'sport = :9100'")).isNotEmpty();
        both.forEach(host -> Clouds.run(host, "ufw --force enable"));
        assertScrapedAnew();
        both.forEach(host -> Clouds.run(host, "systemctl start ufw"));

        for (LocalDroplet host : both) {
            Clouds.run(host, "systemctl stop wg-quick@wg0 && wg-quick up wg0");
        }
        assertScrapedAnew();
        for (LocalDroplet host : both) {
            Clouds.run(host, "wg-quick down wg0 && systemctl start wg-quick@wg0");
        }
        assertScrapedAnew();
        for (LocalDroplet host : both) {
            Clouds.run(host, "ip link delete wg0; systemctl restart wg-quick@wg0");
        }
        assertScrapedAnew();
        for (LocalDroplet host : both) {
            Clouds.run(host, "systemctl stop promguard-kill-switch");
            assertThat(Clouds.run(host, "ss -Hltn 'sport = :9100 or sport = :9090'"))
                    .as("listens on %s without what protects it", host.name())
                    .isEmpty();
            Clouds.run(host, "systemctl start promguard-kill-switch");
        }
        assertScrapedAnew();
        mesh.plan().requireEmpty();
    }

    /** What Prometheus says of its targets is from scrapes of now. */
    private void assertScrapedAnew() {
        for (LocalDroplet host : List.of(monitor, node1, node2)) {
            Clouds.await(
                    "node_exporter of " + host.name(),
                    SOON,
                    () -> host.exec("systemctl", "is-active", "node_exporter").ok());
        }
        Clouds.await(
                "Prometheus",
                SOON,
                () -> monitor.exec("curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:9090/-/ready")
                        .ok());
        assertScraped();
    }

    @Test
    @Order(9)
    void verify_afterAllOfThis_everyCheckPasses() {
        assertThat(mesh.verify().failures()).isEmpty();
        assertThat(watcher.closed()).isGreaterThan(500);
        assertThat(watcher.opened()).isEmpty();
    }
}
