package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.keys.PublicKey;
import dev.promguard.memory.MemoryMachine;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Key pairs and preshared keys over a mesh's life. */
class MeshKeysTest {
    private static final String MONITOR = "shop-monitor-1";
    private static final List<String> NODES = List.of("shop-node-1", "shop-node-2");

    private final Account account = new Account();

    private MemoryMachine machine(String host) {
        return account.cloud.machine(host);
    }

    private static String path(String peer) {
        return "/etc/wireguard/wg0.psk/" + peer;
    }

    /** The sum of the preshared key that a host holds for a peer. */
    private String sum(String host, String peer) {
        return String.valueOf(machine(host).presharedKeys().get(path(peer)));
    }

    private PublicKey key(String host) {
        return machine(host).publicKey().orElseThrow();
    }

    /** Each tunnel's ends know each other's key, and hold the same preshared key. */
    private void assertTunnelsAgree() {
        for (String node : NODES) {
            assertThat(machine(node).peers()).containsOnlyKeys(key(MONITOR));
            assertThat(machine(MONITOR).peers()).containsKey(key(node));
            assertThat(sum(node, MONITOR)).hasSize(64).isEqualTo(sum(MONITOR, node));
        }
    }

    private Map<String, String> sums() {
        Map<String, String> sums = new TreeMap<>();
        NODES.forEach(node -> sums.put(node, sum(node, MONITOR)));
        return sums;
    }

    @Test
    void apply_firstTime_givesEachPairAKeyOfItsOwnAndKeepsIt() {
        account.spec().apply();

        assertTunnelsAgree();
        Map<String, String> first = sums();
        assertThat(Set.copyOf(first.values())).hasSize(2);
        account.assertUpToDate(account.spec().build());
        assertThat(sums()).isEqualTo(first);
    }

    @Test
    void apply_nodeAdded_leavesTheOtherPairsAlone() {
        account.spec().apply();
        Map<String, String> first = sums();

        account.spec().nodes(3, "lon1").apply();

        assertThat(sums()).isEqualTo(first);
        assertThat(sum("shop-node-3", MONITOR)).hasSize(64).isEqualTo(sum(MONITOR, "shop-node-3"));
    }

    @Test
    void apply_presharedKeyWasReadable_isReplacedAtBothEnds() {
        account.spec().apply();
        Map<String, String> first = sums();
        machine("shop-node-1").loosenPresharedKeys();

        assertThat(account.spec().plan().toString())
                .contains(
                        "! the preshared key for shop-monitor-1 is gone or could be read by others (drift)   → new, known after apply")
                .contains("~ write the preshared key for shop-node-1, known after apply");
        account.spec().apply();

        assertTunnelsAgree();
        assertThat(sums().get("shop-node-1")).isNotEqualTo(first.get("shop-node-1"));
        assertThat(sums().get("shop-node-2")).isEqualTo(first.get("shop-node-2"));
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_otherEndOutOfReach_keepsWhatTheTunnelHas() {
        account.spec().apply();
        Map<String, String> first = sums();
        machine("shop-node-1").loosenPresharedKeys();
        machine(MONITOR).down(true);

        assertThatThrownBy(() -> account.spec().apply()).isInstanceOf(ApplyException.class);

        assertThat(sum("shop-node-1", MONITOR))
                .as("a key for one end alone would end the tunnel")
                .isEqualTo(first.get("shop-node-1"));
    }

    @Test
    void presharedKeys_switchedOffAndOn_followsTheSpec() {
        account.spec().apply();

        account.spec().presharedKeys(false).apply();
        assertThat(machine(MONITOR).config()).doesNotContain("PresharedKeyFile = ");
        account.assertUpToDate(account.spec().presharedKeys(false).build());

        account.spec().apply();
        assertThat(machine(MONITOR).config()).contains("PresharedKeyFile = " + path("shop-node-2"));
        assertTunnelsAgree();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void rotateKeys_healthyMesh_changesEveryKeyAndRestartsNothing() {
        account.spec().apply();
        Map<String, String> first = sums();
        PublicKey monitorKey = key(MONITOR);
        PublicKey nodeKey = key("shop-node-1");
        String started = machine(MONITOR).since("prometheus.service");

        ApplyReport report = account.spec().build().rotateKeys();

        assertThat(report.ok()).isTrue();
        assertThat(report.hosts())
                .allSatisfy(
                        host -> assertThat(host.changes()).hasSize(4).first().isEqualTo("write the WireGuard key"));
        assertTunnelsAgree();
        assertThat(key(MONITOR)).isNotEqualTo(monitorKey);
        assertThat(key("shop-node-1")).isNotEqualTo(nodeKey);
        assertThat(sums().values()).doesNotContainAnyElementsOf(first.values());
        assertThat(machine(MONITOR).since("prometheus.service")).isEqualTo(started);
        assertThat(account.state("shop", MONITOR).publicKey()).contains(key(MONITOR));
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void rotateKeys_nodesBeforeMonitors_soThatNoMonitorAsksTooEarly() {
        account.spec().apply();
        List<String> order = new java.util.concurrent.CopyOnWriteArrayList<>();

        account.spec()
                .listener(event -> {
                    if (event.step().equals("wg0: set peers") && event.state() == MeshEvent.State.DONE) {
                        order.add(event.host().orElse(""));
                    }
                })
                .build()
                .rotateKeys();

        assertThat(order).hasSize(3).last().isEqualTo(MONITOR);
    }

    @Test
    void rotateKeys_oneHostOutOfReach_changesNone() {
        account.spec().apply();
        Map<String, String> first = sums();
        PublicKey monitorKey = key(MONITOR);
        machine("shop-node-2").down(true);

        assertThatThrownBy(() -> account.spec().build().rotateKeys())
                .isInstanceOf(ApplyException.class)
                .hasMessageContaining("shop-node-2");

        assertThat(key(MONITOR)).isEqualTo(monitorKey);
        assertThat(sums()).isEqualTo(first);
        machine("shop-node-2").down(false);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void rotateKeys_hostGoneOnceAllWereObserved_changesNone() {
        account.spec().apply();
        Map<String, String> first = sums();
        MeshListener switchesOff = event -> {
            if (event.step().startsWith("rotate the keys")) {
                machine("shop-node-2").down(true);
            }
        };

        assertThatThrownBy(() -> account.spec().listener(switchesOff).build().rotateKeys())
                .isInstanceOf(ApplyException.class)
                .hasMessageContaining("shop-node-2");

        assertThat(sums()).isEqualTo(first);
        machine("shop-node-2").down(false);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void rotateKeys_oneNodeFails_everyHostStaysWithTheOldKeys() {
        account.spec().apply();
        Map<String, String> first = sums();
        PublicKey nodeKey = key("shop-node-1");
        PublicKey monitorKey = key(MONITOR);
        machine("shop-node-1").failAt("write /etc/wireguard/wg0.conf");

        assertThatThrownBy(() -> account.spec().build().rotateKeys())
                .isInstanceOfSatisfying(
                        ApplyException.class,
                        e -> assertThat(e.report().hosts())
                                .extracting(ApplyReport.HostOutcome::status)
                                .containsExactly(
                                        ApplyReport.Status.FAILED,
                                        ApplyReport.Status.FAILED,
                                        ApplyReport.Status.ROLLED_BACK))
                .hasMessageStartingWith("mesh shop: rotate keys did not finish, 0 of 3 hosts are done")
                .hasMessageContaining("write /etc/wireguard/wg0.conf")
                .hasMessageContaining(
                        "Fix what is named above, then call rotateKeys() again, which applies first. apply() alone makes no new keys.")
                .hasMessageNotContaining("run apply again");

        assertThat(key(MONITOR))
                .as("the tunnel of the failed node needs this key")
                .isEqualTo(monitorKey);
        assertThat(key("shop-node-1")).isEqualTo(nodeKey);
        assertThat(sums()).isEqualTo(first);
        assertTunnelsAgree();
        machine("shop-node-1").failAt(null);
        account.spec().apply();
        assertTunnelsAgree();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void rotateKeys_monitorFails_nodesPutTheirOldKeysBackAtOnce() {
        account.spec().apply();
        Map<String, String> first = sums();
        PublicKey nodeKey = key("shop-node-1");
        machine(MONITOR).failAt("write the WireGuard key");

        assertThatThrownBy(() -> account.spec().build().rotateKeys())
                .isInstanceOfSatisfying(
                        ApplyException.class,
                        e -> assertThat(e.report().hosts())
                                .extracting(ApplyReport.HostOutcome::status)
                                .containsExactly(
                                        ApplyReport.Status.FAILED,
                                        ApplyReport.Status.ROLLED_BACK,
                                        ApplyReport.Status.ROLLED_BACK))
                .hasMessageContaining("hosts that must take their new keys in the same run did not: " + MONITOR);

        assertThat(account.cloud.machines()).noneMatch(MemoryMachine::armed);
        assertThat(key("shop-node-1")).isEqualTo(nodeKey);
        assertThat(sums()).isEqualTo(first);
        assertTunnelsAgree();
        machine(MONITOR).failAt(null);
        account.spec().apply();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void rotateKeys_programEndsBetweenNodesAndMonitors_nextApplyJoinsThem() {
        account.spec().apply();
        machine(MONITOR).failAt("write the WireGuard key");
        assertThatThrownBy(() -> account.spec().build().rotateKeys()).isInstanceOf(ApplyException.class);
        machine(MONITOR).failAt(null);

        account.spec().apply();

        assertTunnelsAgree();
        account.assertUpToDate(account.spec().build());
    }
}
