package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.keys.PublicKey;
import dev.promguard.memory.MemoryMachine;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A run that fails never leaves the ends of a running tunnel with secrets that disagree. */
class MeshTunnelsTest {
    private static final String MONITOR = "shop-monitor-1";
    private static final List<String> NODES = List.of("shop-node-1", "shop-node-2");

    private final Account account = new Account();

    private MemoryMachine machine(String host) {
        return account.cloud.machine(host);
    }

    private PublicKey key(String host) {
        return machine(host).publicKey().orElseThrow();
    }

    private static String path(String peer) {
        return "/etc/wireguard/wg0.psk/" + peer;
    }

    private boolean shares(String host, String peer) {
        return machine(host).config().contains("PresharedKeyFile = " + path(peer));
    }

    private void assertTunnelRuns(String node, String monitor) {
        String tunnel = "the tunnel of " + node + " and " + monitor;
        assertThat(machine(node).peers()).as(tunnel).containsKey(key(monitor));
        assertThat(machine(monitor).peers()).as(tunnel).containsKey(key(node));
        assertThat(shares(node, monitor)).as("%s: preshared key", tunnel).isEqualTo(shares(monitor, node));
        if (shares(node, monitor)) {
            assertThat(machine(node).presharedKeys().get(path(monitor)))
                    .as("%s: preshared key", tunnel)
                    .isNotNull()
                    .isEqualTo(machine(monitor).presharedKeys().get(path(node)));
        }
    }

    private void assertTunnelsRun() {
        NODES.forEach(node -> assertTunnelRuns(node, MONITOR));
    }

    /** Everything that nobody has confirmed is put back. */
    private void letTheTimeForConfirmationsPass() {
        account.cloud.machines().forEach(MemoryMachine::rollBack);
    }

    private Map<String, Status> statuses(Throwable thrown) {
        return ((ApplyException) thrown)
                .report().hosts().stream().collect(Collectors.toMap(HostOutcome::name, HostOutcome::status));
    }

    /** How a run comes to change a secret of a running tunnel. */
    enum Cause {
        NODE_KEY_LOST,
        NODE_KEY_READABLE,
        MONITOR_KEY_LOST,
        MONITOR_KEY_READABLE,
        PRESHARED_KEY_READABLE,
        PRESHARED_KEYS_SWITCHED_ON,
        PRESHARED_KEYS_SWITCHED_OFF,
        ROTATION;

        MeshBuilder before(MeshBuilder spec) {
            return spec.presharedKeys(this != PRESHARED_KEYS_SWITCHED_ON);
        }

        MeshBuilder after(MeshBuilder spec) {
            return spec.presharedKeys(this != PRESHARED_KEYS_SWITCHED_OFF);
        }

        void happen(Account account) {
            MemoryMachine node = account.cloud.machine(NODES.get(0));
            MemoryMachine monitor = account.cloud.machine(MONITOR);
            switch (this) {
                case NODE_KEY_LOST -> node.loseKey();
                case NODE_KEY_READABLE -> node.loosenKey();
                case MONITOR_KEY_LOST -> monitor.loseKey();
                case MONITOR_KEY_READABLE -> monitor.loosenKey();
                case PRESHARED_KEY_READABLE -> node.loosenPresharedKeys();
                case PRESHARED_KEYS_SWITCHED_ON, PRESHARED_KEYS_SWITCHED_OFF, ROTATION -> {}
            }
        }

        ApplyReport run(MeshBuilder spec) {
            return this == ROTATION ? spec.build().rotateKeys() : spec.apply();
        }
    }

    /** What goes wrong on the monitor. */
    enum Trouble {
        REFUSES_A_FILE_BEFORE_THE_KEYS,
        FAILS_AT_THE_PEERS,
        FAILS_AFTER_THE_PEERS,
        SESSION_DROPS
    }

    static Stream<Arguments> causesAndTroubles() {
        return Arrays.stream(Cause.values())
                .flatMap(cause -> Arrays.stream(Trouble.values()).map(trouble -> Arguments.of(cause, trouble)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("causesAndTroubles")
    void run_monitorFails_tunnelsRunOnAndTheNextApplyFinishes(Cause cause, Trouble trouble) {
        cause.before(account.spec()).apply();
        assertTunnelsRun();
        cause.happen(account);
        AtomicBoolean exchanging = new AtomicBoolean(cause != Cause.ROTATION);
        MeshListener trap = event -> {
            if (event.step().startsWith("rotate the keys")) {
                exchanging.set(true);
                machine(MONITOR)
                        .failAt(
                                switch (trouble) {
                                    case REFUSES_A_FILE_BEFORE_THE_KEYS -> "write the WireGuard key";
                                    case FAILS_AT_THE_PEERS, FAILS_AFTER_THE_PEERS -> "wg0: set peers";
                                    case SESSION_DROPS -> null;
                                });
            }
            if (trouble == Trouble.SESSION_DROPS
                    && exchanging.get()
                    && event.host().equals(Optional.of(MONITOR))
                    && event.state() == MeshEvent.State.STARTED
                    && event.step().matches("write (the .*key.*|/etc/wireguard/wg0.conf)")) {
                machine(MONITOR).down(true);
            }
        };
        MeshBuilder spec = cause.after(account.spec()).listener(trap);
        if (cause != Cause.ROTATION) {
            spec.prometheus(settings -> settings.retention(Duration.ofDays(9)).scrapeInterval(Duration.ofSeconds(20)));
            machine(MONITOR)
                    .failAt(
                            switch (trouble) {
                                case REFUSES_A_FILE_BEFORE_THE_KEYS -> "write /etc/prometheus/prometheus.yml";
                                case FAILS_AT_THE_PEERS -> "wg0: set peers";
                                case FAILS_AFTER_THE_PEERS -> "restart prometheus.service";
                                case SESSION_DROPS -> null;
                            });
        }

        assertThatThrownBy(() -> cause.run(spec)).isInstanceOfSatisfying(ApplyException.class, e -> {
            assertThat(e.report().ok()).isFalse();
            assertThat(e.getMessage()).contains(MONITOR);
        });

        machine(MONITOR).failAt(null);
        machine(MONITOR).down(false);
        if (trouble == Trouble.SESSION_DROPS) {
            letTheTimeForConfirmationsPass();
        }
        assertTunnelsRun();
        cause.after(account.spec()).plan();
        assertThat(account.cloud.machines()).noneMatch(MemoryMachine::armed);
        letTheTimeForConfirmationsPass();
        assertTunnelsRun();
        cause.after(account.spec()).apply();
        assertTunnelsRun();
        account.assertUpToDate(cause.after(account.spec()).build());
    }

    @ParameterizedTest
    @EnumSource(Cause.class)
    @Execution(ExecutionMode.CONCURRENT)
    void run_monitorCannotBeReachedToConfirm_tunnelsRunOn(Cause cause) {
        cause.before(account.spec()).apply();
        cause.happen(account);
        AtomicBoolean exchanging = new AtomicBoolean(cause != Cause.ROTATION);
        account.hosts.rollbackAfter(Duration.ofSeconds(5));
        MeshListener trap = event -> {
            exchanging.compareAndSet(false, event.step().startsWith("rotate the keys"));
            if (exchanging.get()
                    && event.host().equals(Optional.of(MONITOR))
                    && event.step().equals("reconnect")) {
                machine(MONITOR).down(true);
            }
        };

        assertThatThrownBy(() -> cause.run(cause.after(account.spec()).listener(trap)))
                .isInstanceOf(ApplyException.class);

        machine(MONITOR).down(false);
        letTheTimeForConfirmationsPass();
        assertTunnelsRun();
        account.hosts.rollbackAfter(Duration.ofMillis(1));
        cause.after(account.spec()).apply();
        account.assertUpToDate(cause.after(account.spec()).build());
    }

    @ParameterizedTest
    @EnumSource(Cause.class)
    void run_nodeFailsAtThePeers_tunnelsRunOn(Cause cause) {
        cause.before(account.spec()).apply();
        cause.happen(account);
        MeshListener trap = event -> {
            if (event.step().startsWith("rotate the keys")) {
                machine("shop-node-1").failAt("wg0: set peers");
            }
        };
        if (cause != Cause.ROTATION) {
            machine("shop-node-1").failAt("wg0: set peers");
        }

        assertThatThrownBy(() -> cause.run(cause.after(account.spec()).listener(trap)))
                .isInstanceOf(ApplyException.class)
                .hasMessageContaining("wg0: set peers");

        machine("shop-node-1").failAt(null);
        letTheTimeForConfirmationsPass();
        assertTunnelsRun();
        cause.after(account.spec()).apply();
        account.assertUpToDate(cause.after(account.spec()).build());
    }

    @Test
    void apply_oneOfTwoMonitorsFails_theNodePutsItsKeyBackAndBothMonitorsKeepIt() {
        account.spec().addMonitor("fra1").apply();
        PublicKey before = key("shop-node-1");
        machine("shop-node-1").loosenKey();
        machine("shop-monitor-2").failAt("wg0: set peers");

        assertThatThrownBy(() -> account.spec().addMonitor("fra1").apply())
                .satisfies(e -> assertThat(statuses(e))
                        .containsEntry("shop-monitor-1", Status.ROLLED_BACK)
                        .containsEntry("shop-monitor-2", Status.FAILED)
                        .containsEntry("shop-node-1", Status.ROLLED_BACK)
                        .containsEntry("shop-node-2", Status.UNCHANGED))
                .hasMessageContaining("shop-monitor-2");

        assertThat(key("shop-node-1")).isEqualTo(before);
        for (String monitor : List.of("shop-monitor-1", "shop-monitor-2")) {
            NODES.forEach(node -> assertTunnelRuns(node, monitor));
        }
        machine("shop-monitor-2").failAt(null);
        account.spec().addMonitor("fra1").apply();
        account.assertUpToDate(account.spec().addMonitor("fra1").build());
    }

    @Test
    void apply_nodeKeyLostAndMonitorOutOfReach_leavesTheNodeAlone() {
        account.spec().apply();
        machine("shop-node-1").loseKey();
        machine(MONITOR).down(true);

        assertThatThrownBy(() -> account.spec().apply())
                .hasMessageContaining("shop-node-1")
                .hasMessageContaining("running tunnels with hosts that cannot take part: " + MONITOR);

        assertTunnelsRun();
        machine(MONITOR).down(false);
        account.spec().apply();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_nodeKeyLostAndMonitorGoneForLong_givesTheNodeItsKey() {
        account.spec().apply();
        PublicKey before = key("shop-node-1");
        machine("shop-node-1").loseKey();
        machine("shop-node-1").handshake(Optional.of(Duration.ofHours(1)));
        machine(MONITOR).down(true);

        assertThatThrownBy(() -> account.spec().apply()).isInstanceOf(ApplyException.class);

        assertThat(key("shop-node-1")).isNotEqualTo(before);
    }

    @Test
    void apply_presharedKeysSwitchedOffAndOneNodeOutOfReach_leavesThatTunnelAsItIs() {
        account.spec().apply();
        machine("shop-node-2").down(true);

        assertThatThrownBy(() -> account.spec().presharedKeys(false).apply()).isInstanceOf(ApplyException.class);

        assertTunnelsRun();
        assertThat(shares(MONITOR, "shop-node-1")).isFalse();
        assertThat(shares(MONITOR, "shop-node-2")).isTrue();
    }

    @Test
    void apply_presharedKeyReadableAndMonitorOutOfReach_keepsItInUse() {
        account.spec().apply();
        machine("shop-node-1").loosenPresharedKeys();
        machine(MONITOR).down(true);

        assertThatThrownBy(() -> account.spec().apply()).isInstanceOf(ApplyException.class);

        assertTunnelsRun();
    }

    @Test
    void apply_nodeAddedAndMonitorFails_doesNotHoldTheNewNode() {
        account.spec().apply();
        machine("shop-node-1").loosenPresharedKeys();
        machine(MONITOR).failAt("wg0: set peers");

        assertThatThrownBy(() -> account.spec().nodes(3, "lon1").apply())
                .satisfies(e -> assertThat(statuses(e))
                        .containsEntry(MONITOR, Status.FAILED)
                        .containsEntry("shop-node-1", Status.ROLLED_BACK)
                        .containsEntry("shop-node-2", Status.UNCHANGED)
                        .containsEntry("shop-node-3", Status.CHANGED));

        assertThat(machine("shop-node-3").armed()).isFalse();
        assertTunnelsRun();
    }

    @Test
    void apply_nodeAdded_takesNoSessionMoreThanItsConfirmations() {
        account.spec().apply();
        int before = account.hosts.opened();

        account.spec().nodes(3, "lon1").apply();

        assertThat(account.hosts.opened() - before)
                .as("one a host, and one more for the new node and the monitor")
                .isEqualTo(6);
    }
}
