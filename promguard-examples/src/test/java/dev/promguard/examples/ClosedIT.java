package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.ApplyException;
import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.MeshListener;
import dev.promguard.Plan;
import dev.promguard.PlannedChange;
import dev.promguard.examples.localcloud.ExecResult;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.Outsider;
import dev.promguard.keys.WireGuardKeyPair;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nobody gets in, at any moment of a mesh's life: not from outside, by no address and no forged one, not from one node to another,
 * and not where somebody switched the firewall off. A watcher attempts at every port through all of it.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Order(4)
class ClosedIT {
    private static final Duration SOON = Duration.ofMinutes(3);
    private static final String MONITOR = "10.0.0.1";
    private static final String NODE_1 = "10.0.0.2";
    private static final String NODE_2 = "10.0.0.3";
    private static final String WITHOUT_INTERFACE = "allow from 10.0.0.1 to 10.0.0.2 port 9100 proto tcp";
    private static final String KILL_SWITCH = "/usr/local/lib/promguard/kill-switch.sh";
    private static final String RESTART = "systemctl restart wg-quick@wg0";
    private static final String ITS_ROUTE = "10.0.0.0/24 proto kernel metric 4278198272";
    private static final String ITS_RULE =
            "OUTPUT -d 10.0.0.0/24 ! -o wg0 -m addrtype ! --dst-type LOCAL -m comment --comment"
                    + " 'promguard kill switch' -j DROP";
    private static final String ANTI_SPOOFING_RULES =
            "iptables -t raw -S PREROUTING | grep -c 'wg-quick(8) rule for wg0' || true";

    @TempDir
    static Path state;

    private final Set<String> canary = new TreeSet<>();
    private LocalCloud cloud;
    private Outsider outsider;
    private Watcher watcher;
    private MeshBuilder spec;
    private Mesh mesh;

    @BeforeAll
    void applyOnce() {
        cloud = Clouds.start(exchange -> {});
        outsider = cloud.outsider();
        spec = Mesh.builder()
                .name("shut")
                .monitor("tor1")
                .nodes(2)
                .prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(3)))
                .provider(cloud.provider())
                .state(state);
        watcher = new Watcher(cloud).knowing(spec.build().blueprint());
        mesh = spec.nodes(1)
                .listener(onceAt("shut-node-1", "change the host", this::openOnPurpose))
                .build();

        assertThat(mesh.apply().ok()).isTrue();

        assertThat(canary).isNotEmpty();
        mesh = spec.listener(MeshListener.none()).build();
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

    private static MeshListener onceAt(String host, String step, Runnable deed) {
        boolean[] done = {false};
        return event -> {
            if (!done[0]
                    && event.host().equals(Optional.of(host))
                    && event.step().equals(step)) {
                done[0] = true;
                deed.run();
            }
        };
    }

    /** Has a bare host answer at every port, before anything is done to it, and insists that the watcher sees each. */
    private void openOnPurpose() {
        LocalDroplet host = node(1);
        Clouds.run(
                host,
                "ip address add 10.0.0.2/32 dev lo;"
                        + " systemd-run --quiet --unit=canary systemd-socket-activate -l 9100 -l 9090 --inetd -a true");
        Clouds.await(
                "the watcher to see what is open", SOON, () -> watcher.opened().size() == 8);
        canary.addAll(watcher.opened());
        Clouds.run(host, "systemctl stop canary; ip address delete 10.0.0.2/32 dev lo");
        watcher.forget();
    }

    private LocalDroplet monitor() {
        return cloud.droplet("shut-monitor-1");
    }

    private LocalDroplet node(int number) {
        return cloud.droplet("shut-node-" + number);
    }

    private List<LocalDroplet> hosts() {
        return List.of(monitor(), node(1), node(2));
    }

    private void assertClosed() {
        assertThat(watcher.opened()).isEmpty();
    }

    private void assertScraped() {
        Clouds.await("targets up", SOON, () -> {
            ExecResult ready = monitor().exec("curl", "-fsS", "http://127.0.0.1:9090/-/ready");
            return ready.ok()
                    && Clouds.targets(monitor()).size() == cloud.droplets().size() + 1
                    && Clouds.targets(monitor()).values().stream().allMatch("up"::equals);
        });
    }

    @Test
    @Order(10)
    void watcher_portsOpenedOnPurpose_seesThemAtEveryAddress() {
        List<String> addresses =
                canary.stream().map(probe -> probe.split(" ", -1)[1]).distinct().toList();
        assertThat(canary).hasSize(8).allMatch(probe -> probe.startsWith("shut-node-1 "));
        assertThat(addresses)
                .hasSize(4)
                .contains(node(1).publicAddress(), node(1).privateAddress(), NODE_1)
                .anyMatch(address -> address.startsWith("fe80:"));
    }

    @Test
    @Order(20)
    void apply_firstTime_neverOpens() {
        assertScraped();
        for (LocalDroplet host : cloud.droplets()) {
            assertThat(Clouds.run(host, ANTI_SPOOFING_RULES)).isEqualTo("1");
        }
        assertThat(Clouds.run(monitor(), "ss -Htln 'sport = :9090'")).contains(" 127.0.0.1:9090 ");
        assertClosed();
    }

    @Test
    @Order(30)
    void apply_growthAndAnotherScrapeInterval_neverOpens() {
        mesh = spec.nodes(2)
                .prometheus(prometheus -> prometheus.scrapeInterval(Duration.ofSeconds(2)))
                .build();

        assertThat(mesh.apply().ok()).isTrue();

        assertScraped();
        assertClosed();
    }

    /** Somebody stands in the default gateway's place and answers for the nodes: without the kill switch, that is believed. */
    @Test
    @Order(33)
    void prometheus_interfaceDownOrWithoutItsAddress_sendsNothingElsewhereAndBelievesNobody() {
        try (ForgedGateway forger = new ForgedGateway(outsider, List.of(NODE_1, NODE_2))) {
            forger.takeThePlaceOfTheGateway(monitor());
            Clouds.run(monitor(), "sh " + KILL_SWITCH + " remove; systemctl stop wg-quick@wg0");
            Clouds.await(
                    "the attack to work where the kill switch is taken away",
                    SOON,
                    () -> nodes().values().stream().allMatch("up"::equals)
                            && forgedMetrics().contains(NODE_1 + ":9100"));
            assertThat(forger.packets()).isPositive();

            Clouds.run(monitor(), "systemctl start wg-quick@wg0 node_exporter");
            assertKillSwitchIsMissedAndPutBack();
            Clouds.await(
                    "forged metrics to be stale", SOON, () -> !forgedMetrics().contains("9100"));

            assertSilent(forger, "systemctl stop wg-quick@wg0", "systemctl start wg-quick@wg0 node_exporter");
            assertSilent(
                    forger,
                    "iptables -t raw -D " + ITS_RULE + "; ip address flush dev wg0",
                    RESTART + "; iptables -t raw -A " + ITS_RULE);
            assertSilent(
                    forger,
                    "ip route delete unreachable " + ITS_ROUTE + "; ip address flush dev wg0",
                    RESTART + "; ip route add unreachable " + ITS_ROUTE);
            Clouds.run(monitor(), "ip route replace default via " + cloud.gateway());
        }
        mesh.plan().requireEmpty();
    }

    @Test
    @Tag("long")
    @Order(34)
    void prometheus_interfaceDeletedOrWithOtherRoutes_sendsNothingElsewhere() {
        try (ForgedGateway forger = new ForgedGateway(outsider, List.of(NODE_1, NODE_2))) {
            forger.takeThePlaceOfTheGateway(monitor());
            assertSilent(forger, "ip link delete wg0", RESTART);
            assertSilent(forger, "ip address delete 10.0.0.1/24 dev wg0", RESTART);
            assertSilent(
                    forger,
                    "ip route add 10.0.0.2/32 via " + outsider.address() + "; ip route add 10.0.0.3/32 via "
                            + outsider.address(),
                    "ip route delete 10.0.0.2/32; ip route delete 10.0.0.3/32");
            Clouds.run(monitor(), "ip route replace default via " + cloud.gateway());
        }
        mesh.plan().requireEmpty();
    }

    private void assertKillSwitchIsMissedAndPutBack() {
        Plan drift = mesh.plan();
        assertThat(drift.drift())
                .extracting(PlannedChange::text)
                .anyMatch(text -> text.startsWith("kill switch of 10.0.0.0/24: its route is gone, its rule is gone"));
        assertThat(mesh.verify().failures())
                .anySatisfy(check -> assertThat(check.toString())
                        .contains(
                                "shut-monitor-1",
                                "leave through wg0 alone",
                                "unreachable route missing, dropping rule missing"));

        assertThat(mesh.apply(drift).ok()).isTrue();

        mesh.plan().requireEmpty();
        assertScraped();
    }

    /** Breaks the monitor's way into the tunnels: its targets are down, nothing left by another way, and all is well after the repair. */
    private void assertSilent(ForgedGateway forger, String deed, String repair) {
        forger.packets();

        Clouds.run(monitor(), deed);

        Clouds.await(
                "targets down after " + deed,
                SOON,
                () -> nodes().values().stream().allMatch("down"::equals));
        assertThat(forger.packets()).as(deed).isZero();
        assertThat(forgedMetrics()).as(deed).doesNotContain("9100");
        Clouds.run(monitor(), repair);
        assertScraped();
    }

    /** The nodes' exporters as Prometheus sees them. */
    private Map<String, String> nodes() {
        Map<String, String> targets = new TreeMap<>(Clouds.targets(monitor()));
        targets.keySet().removeIf(url -> !url.contains(NODE_1) && !url.contains(NODE_2));
        assertThat(targets).hasSize(2);
        return targets;
    }

    private String forgedMetrics() {
        return Clouds.run(monitor(), "curl -fsS 'http://127.0.0.1:9090/api/v1/query?query=forged_metric'");
    }

    /** All that a host reaches: ports that anything listens on at the others, where one is that no rule speaks of. */
    @Test
    @Order(40)
    void hosts_triedFromEverySide_areOpenToWhatIsAdmittedAlone() {
        Set<Integer> ports = new TreeSet<>();
        for (LocalDroplet host : hosts()) {
            Clouds.run(host, "systemd-run --quiet --unit=planted systemd-socket-activate -l 8080 --inetd -a true");
            Clouds.await("a listener", SOON, () -> listening(host).contains(8080));
            ports.addAll(listening(host));
        }
        assertThat(ports).contains(22, 8080, 9090, 9100);
        List<String> outside = hosts().stream().map(LocalDroplet::publicAddress).toList();
        route(NODE_1, node(1));
        route(NODE_2, node(2));
        route(MONITOR, monitor());

        assertThat(open(ports, Clouds.from(monitor()), NODE_1, NODE_2))
                .as("from the monitor, in the tunnels")
                .containsExactly(NODE_1 + ":22", NODE_1 + ":9100", NODE_2 + ":22", NODE_2 + ":9100");
        assertThat(open(ports, Clouds.from(node(1)), MONITOR, NODE_2))
                .as("from a node, in its tunnel")
                .containsExactly(MONITOR + ":22");
        Clouds.run(node(1), KILL_SWITCH + " remove; ip route add 10.0.0.3 via " + node(2).publicAddress());
        assertThat(open(ports, Clouds.from(node(1)), NODE_2, node(2).publicAddress(), node(2).privateAddress()))
                .as("from a node to another, past the tunnels")
                .containsExactlyInAnyOrder(node(2).publicAddress() + ":22", node(2).privateAddress() + ":22");
        Clouds.run(node(1), "ip route delete 10.0.0.3; systemctl reload promguard-kill-switch");
        assertThat(open(ports, Clouds.from(outsider), outside.get(0), outside.get(1), outside.get(2)))
                .as("from outside")
                .containsExactlyInAnyOrderElementsOf(
                        outside.stream().map(address -> address + ":22").toList());
        assertThat(open(ports, Clouds.from(outsider), MONITOR, NODE_1, NODE_2))
                .as("from outside, at addresses of the tunnels")
                .isEmpty();
        hosts().forEach(host -> Clouds.run(host, "systemctl stop planted"));
    }

    private static Set<Integer> listening(LocalDroplet host) {
        return Clouds.run(host, "ss -Htln | awk '{ sub(/.*:/, \"\", $4); print $4 }'")
                .lines()
                .map(Integer::valueOf)
                .collect(Collectors.toSet());
    }

    private void route(String address, LocalDroplet by) {
        assertThat(outsider.exec("ip", "route", "replace", address, "via", by.publicAddress())
                        .exitCode())
                .isZero();
    }

    private static List<String> open(Set<Integer> ports, Function<String, String> from, String... addresses) {
        return Clouds.open(from, List.of(addresses), ports);
    }

    /** Three layers, each of which holds alone: the rule that names the interface, the one below ufw, and the routing rules. */
    @Test
    @Order(50)
    void packets_withTheMonitorsAddressFromElsewhere_areDroppedByEachLayer() {
        assertThat(answersToSpoofedPackets()).as("as it was set up").isEmpty();

        Clouds.run(node(1), "ufw --force disable");
        assertThat(answersToSpoofedPackets()).as("no ufw").isEmpty();
        Clouds.run(node(1), "ufw --force enable; iptables -t raw -F PREROUTING");
        assertThat(answersToSpoofedPackets()).as("no rule below ufw").isEmpty();

        Clouds.run(node(1), "ufw " + WITHOUT_INTERFACE);
        assertThat(answersToSpoofedPackets()).as("routing rules alone").isEmpty();
        Clouds.run(node(1), "ip rule delete priority 0 to 10.0.0.2 blackhole");
        assertThat(answersToSpoofedPackets())
                .as("the attack works where all are taken away")
                .contains(MONITOR + ":");
        Clouds.run(node(1), "systemctl reload promguard-kill-switch; ufw delete " + WITHOUT_INTERFACE);
        assertClosed();
    }

    /** The sender is routed back to, so that a handshake would be completed. */
    @Test
    @Order(55)
    void ports_everyPacketFilterRuleFlushed_stayClosedToWhoRoutesTheAddressToTheHost() {
        route(NODE_1, node(1));

        Clouds.run(node(1), "iptables -F; iptables -P INPUT ACCEPT; iptables -t raw -F");

        assertThat(open(Set.of(9100), Clouds.from(outsider), NODE_1)).isEmpty();
        assertScraped();
        assertThat(mesh.apply().ok()).isTrue();
        assertClosed();
    }

    /**
     * ProbeScript at a node's exporter from outside with the monitor's WireGuard address. The host answers, if it does, through the tunnel
     * to the real monitor, which knows nothing of it, and is left with half-open connections: these are returned.
     */
    private String answersToSpoofedPackets() {
        for (String command : List.of(
                "ip address add 10.0.0.1/32 dev eth0",
                "ip route replace 10.0.0.2 via " + node(1).publicAddress() + " src 10.0.0.1",
                "timeout 1 bash -c 'for i in 1 2 3 4 5; do (exec 3<>/dev/tcp/10.0.0.2/9100) & done; wait'",
                "ip route delete 10.0.0.2",
                "ip address delete 10.0.0.1/32 dev eth0")) {
            outsider.exec("sh", "-c", command);
        }
        return Clouds.run(node(1), "ss -Htn state syn-recv src 10.0.0.2");
    }

    /** A node's own root may give its tunnel any peer and any address: the others take no part in it. */
    @Test
    @Order(60)
    void node_thatRewritesItsOwnTunnel_reachesNothingMore() {
        String other = Clouds.run(node(2), "wg show wg0 public-key");
        String monitorKey = Clouds.run(monitor(), "wg show wg0 public-key");
        Set<Integer> ports = Set.of(22, 9100);

        Clouds.run(
                node(1),
                "wg set wg0 peer " + other + " endpoint " + node(2).publicAddress() + ":51820 allowed-ips 10.0.0.3/32");
        assertThat(open(ports, Clouds.from(node(1)), NODE_2))
                .as("a peer of its own making")
                .isEmpty();
        assertThat(Clouds.run(node(1), "wg show wg0 latest-handshakes")).contains(other + "\t0");

        Clouds.run(
                node(1),
                "wg set wg0 peer " + other + " remove; wg set wg0 peer " + monitorKey + " allowed-ips 10.0.0.0/24");
        forward(monitor(), 1);
        assertThat(open(ports, Clouds.from(node(1)), NODE_2))
                .as("by way of a monitor that would forward, but for its firewall")
                .isEmpty();
        Clouds.run(monitor(), "ufw --force disable; iptables -P FORWARD ACCEPT");
        assertThat(open(ports, Clouds.from(node(1)), NODE_2))
                .as("by way of a monitor that does forward")
                .isEmpty();
        assertThat(open(ports, Clouds.from(node(1)), MONITOR))
                .as("the monitor itself, without a firewall: its exporter is for monitors alone, by routing rules")
                .containsExactly(MONITOR + ":22");
        String allowedFromTheMonitor = "wg set wg0 peer " + monitorKey + " allowed-ips ";
        Clouds.run(node(2), allowedFromTheMonitor + "10.0.0.0/24");
        List<String> whereAddressesDoNotCount = open(ports, Clouds.from(node(1)), NODE_2);
        Clouds.run(node(2), allowedFromTheMonitor + MONITOR + "/32");
        forward(monitor(), 0);
        Clouds.run(monitor(), "iptables -P FORWARD DROP");

        assertThat(whereAddressesDoNotCount)
                .as(
                        "the packets do arrive, and only the other node's list of addresses keeps them out; its exporter stays shut")
                .containsExactly(NODE_2 + ":22");
        assertClosed();
    }

    /** Systems in containers may not set this themselves. */
    private void forward(LocalDroplet host, int value) {
        String set = "echo " + value + " >/proc/sys/net/ipv4/ip_forward";
        assertThat(outsider.exec("ip", "netns", "exec", host.namespace(), "sh", "-c", set)
                        .ok())
                .isTrue();
    }

    /** The tests before left the monitor without ufw, and the first node with another peer. */
    @Test
    @Order(70)
    void apply_firewallOffAndAntiSpoofingRuleGone_seesAndFixesBothAndNeverOpens() {
        Clouds.run(node(1), "systemctl stop node_exporter; iptables -t raw -F PREROUTING");
        Clouds.run(node(2), "ufw --force disable");
        Plan drift = mesh.plan();
        assertThat(drift.drift())
                .extracting(PlannedChange::text)
                .anyMatch(text -> text.contains("its address can be reached by other interfaces"))
                .anyMatch(text -> text.contains("ufw: is off"));
        // These machines have IPv4 forwarding on, and what they forward while ufw is off stays as it is.
        assertThat(drift.entries())
                .flatExtracting(Plan.Entry::changes)
                .filteredOn(change -> !change.subject().equals("forwarding"))
                .allMatch(PlannedChange::drift);

        assertThat(mesh.apply(drift).ok()).isTrue();

        for (LocalDroplet host : hosts()) {
            assertThat(Clouds.run(host, ANTI_SPOOFING_RULES)).isEqualTo("1");
            assertThat(Clouds.run(host, "ufw status")).contains("Status: active");
        }
        mesh.plan().requireEmpty();
        assertScraped();
        assertClosed();
    }

    /** A person outside the mesh gets in where the spec says so, to Prometheus alone, and out again. Nobody else does meanwhile. */
    @Test
    @Order(75)
    void viewer_laptopOutsideTheMesh_reachesPrometheusAloneAndOnlyAsLongAsTheSpecSays() throws IOException {
        letIn((viewed, laptop) -> {});
    }

    @Test
    @Tag("long")
    @Order(76)
    void viewer_unitsFirewallAndMonitorDownAndUp_reachesPrometheusAloneAllTheSame() throws IOException {
        letIn((viewed, laptop) -> {
            Clouds.run(
                    monitor(),
                    "systemctl is-active promguard-viewers.service && systemctl restart promguard-viewers.socket");
            assertViewed(laptop);
            Clouds.run(monitor(), "ufw reload; systemctl restart wg-quick@wg0");
            assertViewed(laptop);
            int boots = monitor().boots();
            monitor().reboot();
            Clouds.await("the boot", SOON, () -> monitor().boots() > boots);
            assertViewed(laptop);
            assertScraped();
            Clouds.run(monitor(), "ufw --force disable");
            assertViewed(laptop);
            assertThat(open(Set.of(9090), Clouds.from(node(1)), MONITOR)).isEmpty();
            assertThat(viewed.apply().ok()).isTrue();
            viewed.plan().requireEmpty();
        });
    }

    /** Lets a laptop in, has something happen while it is, and shuts it out again. */
    private void letIn(BiConsumer<Mesh, Outsider> meanwhile) throws IOException {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/wg-quick")), "needs wg-quick, of the package wireguard-tools");
        Map<String, String> started = Clouds.startTimes(hosts());
        try (WireGuardKeyPair keys = WireGuardKeyPair.generate();
                Outsider laptop = cloud.outsider()) {
            Mesh viewed =
                    mesh.toBuilder().viewer("anna-laptop", keys.publicKey()).build();
            Plan plan = viewed.plan();
            assertThat(plan.entries().stream().filter(entry -> entry.kind() != Plan.Kind.KEEP))
                    .extracting(Plan.Entry::name)
                    .containsExactly("shut-monitor-1");
            assertThat(viewed.apply(plan).ok()).isTrue();
            viewed.plan().requireEmpty();
            viewed.verify().orThrow();
            Path config = viewed.viewerConfig("anna-laptop")
                    .withPrivateKey(keys.privateKey())
                    .writeTo(Files.createTempDirectory(state, "laptop").resolve("shut.conf"));
            wgQuick(laptop, "up", config);
            try {
                assertThat(Clouds.startTimes(hosts())).isEqualTo(started);
                assertViewed(laptop);
                meanwhile.accept(viewed, laptop);

                assertThat(mesh.apply().ok()).isTrue();

                assertThat(open(Set.of(22, 9090, 9100), Clouds.from(laptop), MONITOR))
                        .isEmpty();
            } finally {
                wgQuick(laptop, "down", config);
            }
        }
        assertThat(Clouds.run(monitor(), "ls /etc/systemd/system; wg show wg0 peers | wc -l"))
                .doesNotContain("promguard-viewers")
                .endsWith("2");
        mesh.plan().requireEmpty();
        assertScraped();
        assertClosed();
    }

    private void wgQuick(Outsider laptop, String verb, Path config) {
        Path userspace = monitor().root().resolve("usr/bin/wireguard-go");
        ExecResult result = laptop.exec(
                "env", "WG_QUICK_USERSPACE_IMPLEMENTATION=" + userspace, "wg-quick", verb, config.toString());
        assertThat(result.ok()).as("wg-quick %s: %s", verb, result).isTrue();
    }

    /** From the laptop, Prometheus shows its targets, and nothing else answers: not the monitor itself, not what is behind it. */
    private void assertViewed(Outsider laptop) {
        Clouds.await(
                "Prometheus, from the laptop",
                SOON,
                () -> Clouds.from(laptop)
                        .apply("curl -s -m 3 http://" + MONITOR + ":9090/api/v1/targets")
                        .contains("shut-node-2"));
        // As somebody would who wants more than the configuration says.
        laptop.exec(
                "sh",
                "-c",
                "wg set shut peer $(wg show shut peers) allowed-ips 10.0.0.0/24; ip route replace 10.0.0.0/24 dev shut");
        assertThat(open(Set.of(22, 9090, 9100), Clouds.from(laptop), MONITOR, NODE_1, NODE_2))
                .containsExactly(MONITOR + ":9090");
    }

    @Test
    @Order(80)
    void rotateKeys_runningMesh_neverOpens() {
        assertThat(mesh.rotateKeys().ok()).isTrue();
        assertClosed();
    }

    /** The rollback puts back what somebody had done by hand, ufw off, and still nothing answers. */
    @Test
    @Tag("long")
    @Order(90)
    void rollback_ofAFirewallThatWasOff_neverOpens() {
        Clouds.run(node(2), "ufw --force disable; systemctl stop node_exporter");
        List<String> steps = new ArrayList<>();
        MeshListener timeIsUp = onceAt(
                "shut-node-2", "reconnect", () -> Clouds.run(node(2), "systemctl start promguard-rollback.service"));
        Mesh unconfirmed = spec.listener(event -> {
                    steps.add(event.step());
                    timeIsUp.on(event);
                })
                .build();

        ApplyException failure = catchThrowableOfType(ApplyException.class, unconfirmed::apply);

        assertThat(steps).contains("start node_exporter.service");
        assertThat(failure).as("the rollback").isNotNull().hasMessageContaining("rolled back");
        Clouds.await(
                "the end of the rollback",
                SOON,
                () -> node(2).exec("test", "-e", "/var/lib/promguard/rolled-back")
                        .ok());
        assertThat(Clouds.run(node(2), "ufw status")).contains("Status: inactive");
        assertThat(Clouds.run(node(2), ANTI_SPOOFING_RULES)).isEqualTo("1");
        assertThat(mesh.apply().ok()).isTrue();
        assertScraped();
        assertClosed();
    }

    /** Where ufw is late, what listens waits for it; where it fails, the routing rules and the rule below it keep out the rest. */
    @Test
    @Order(100)
    void reboot_firewallLateFailedAndWell_comesBeforeWhatListens() {
        Clouds.run(
                node(1),
                "mkdir -p /etc/systemd/system/ufw.service.d; printf '[Service]\\nExecStartPre=/bin/sh -c \""
                        + "touch /run/late; sleep 3; exit 1\"\\n' >/etc/systemd/system/ufw.service.d/late.conf");
        int boots = node(1).boots();
        node(1).reboot();
        monitor().reboot();
        Clouds.await("the boot", SOON, () -> node(1).boots() > boots);
        Clouds.await(
                "ufw, late", SOON, () -> node(1).exec("test", "-e", "/run/late").ok());
        Clouds.await("ufw, failed", SOON, () -> state(node(1), "ufw").equals("failed"));
        awaitEndOfBoot(node(1));
        assertScraped();
        assertThat(Clouds.run(node(1), "iptables -S INPUT")).startsWith("-P INPUT ACCEPT");
        assertThat(microseconds(node(1), "node_exporter", "ExecMainStartTimestampMonotonic"))
                .isGreaterThan(microseconds(node(1), "ufw", "InactiveEnterTimestampMonotonic"));
        route(NODE_1, node(1));
        assertThat(open(Set.of(9100), Clouds.from(outsider), NODE_1)).isEmpty();
        assertThat(answersToSpoofedPackets()).isEmpty();
        assertClosed();

        Clouds.run(node(1), "rm -r /etc/systemd/system/ufw.service.d");
        node(1).reboot();
        awaitEndOfBoot(node(1));
        assertScraped();
        for (LocalDroplet host : List.of(node(1), monitor())) {
            long firewall = microseconds(host, "ufw", "ExecMainExitTimestampMonotonic");
            assertThat(firewall).isPositive();
            assertThat(microseconds(host, "node_exporter", "ExecMainStartTimestampMonotonic"))
                    .isGreaterThan(firewall);
            assertThat(microseconds(host, "wg-quick@wg0", "ExecMainStartTimestampMonotonic"))
                    .isGreaterThan(firewall);
            assertThat(Clouds.run(host, ANTI_SPOOFING_RULES)).isEqualTo("1");
            long killSwitch = microseconds(host, "promguard-kill-switch", "ExecMainExitTimestampMonotonic");
            assertThat(killSwitch).isPositive();
            assertThat(microseconds(host, "wg-quick@wg0", "ExecMainStartTimestampMonotonic"))
                    .isGreaterThan(killSwitch);
        }
        assertThat(microseconds(monitor(), "prometheus", "ExecMainStartTimestampMonotonic"))
                .isGreaterThan(microseconds(monitor(), "promguard-kill-switch", "ExecMainExitTimestampMonotonic"));
        assertThat(microseconds(monitor(), "prometheus", "ExecMainStartTimestampMonotonic"))
                .isGreaterThan(microseconds(monitor(), "ufw", "ExecMainExitTimestampMonotonic"));
        mesh.plan().requireEmpty();
        assertClosed();
    }

    /** What Prometheus says of a host may be older than its boot. */
    private static void awaitEndOfBoot(LocalDroplet host) {
        Clouds.await(
                "the end of the boot",
                SOON,
                () -> Set.of("running", "degraded")
                        .contains(host.exec("systemctl", "is-system-running")
                                .stdout()
                                .strip()));
    }

    private static String state(LocalDroplet host, String unit) {
        return host.exec("systemctl", "is-active", unit).stdout().strip();
    }

    private static long microseconds(LocalDroplet host, String unit, String property) {
        return Long.parseLong(Clouds.run(host, "systemctl show --value -p " + property + " " + unit));
    }

    @Test
    @Order(110)
    void destroy_watched_neverOpens() {
        assertThat(mesh.destroy().removed()).hasSize(3);
        assertThat(cloud.droplets()).isEmpty();
        assertClosed();
    }

    @Test
    @Order(120)
    void watcher_throughAllOfThis_probedOftenEnough() {
        List<Watcher.Probe> probes = watcher.probes();
        probes.forEach(probe -> System.out.println("probed " + probe));
        assertThat(probes).hasSize(3 * 4 * 2);
        assertThat(probes).allSatisfy(probe -> {
            long attempts = probe.opened() + probe.closed();
            assertThat(attempts).isGreaterThan(400);
            assertThat(attempts).isGreaterThan(probe.watched().toMillis() / 100);
            assertThat(probe.longestPause()).isLessThan(Duration.ofSeconds(5));
        });
    }
}
