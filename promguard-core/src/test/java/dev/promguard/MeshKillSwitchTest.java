package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.memory.MemoryMachine;
import org.junit.jupiter.api.Test;

/** Packets for the mesh's network leave through the WireGuard interface alone: what plan and apply know of that. */
class MeshKillSwitchTest {
    private final Account account = new Account();

    private MemoryMachine machine(String name) {
        return account.cloud.machine(name);
    }

    @Test
    void apply_firstTime_coversTheNetworkOnEveryHost() {
        account.spec().apply();

        assertThat(account.cloud.machines())
                .hasSize(3)
                .allSatisfy(machine -> assertThat(machine.covered()).containsExactly("10.0.0.0/24"));
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void plan_routeOrRuleFlushed_isDriftThatApplyPutsBack() {
        account.spec().apply();
        machine("shop-monitor-1").flushUnreachableRoutes();
        machine("shop-node-1").flushDroppingRules();

        Plan drift = account.spec().build().plan();

        assertThat(drift.drift())
                .extracting(PlannedChange::text)
                .containsExactly(
                        "kill switch of 10.0.0.0/24: its route is gone (drift)   → put back",
                        "kill switch of 10.0.0.0/24: its rule is gone (drift)   → put back");
        account.spec().build().apply(drift);
        assertThat(machine("shop-monitor-1").covered()).containsExactly("10.0.0.0/24");
        assertThat(machine("shop-node-1").covered()).containsExactly("10.0.0.0/24");
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void plan_routingRulesDeleted_isDriftThatApplyPutsBack() {
        account.spec().apply();
        machine("shop-node-1").deleteRoutingRules();

        Plan drift = account.spec().build().plan();

        assertThat(drift.drift())
                .extracting(PlannedChange::text)
                .containsExactly("kill switch of 10.0.0.0/24: its routing rules are gone (drift)   → put back");
        account.spec().build().apply(drift);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void plan_portRulesDeleted_isDriftThatApplyPutsBack() {
        account.spec().apply();
        machine("shop-monitor-1").deletePortRules();

        Plan drift = account.spec().build().plan();

        assertThat(drift.drift())
                .extracting(PlannedChange::text)
                .containsExactly(
                        "kill switch of 10.0.0.0/24: by its routing rules port 9100 is open to all peers instead of closed to all peers (drift)"
                                + "   → put back");
        assertThat(account.spec().build().verify().failures())
                .extracting(VerifyReport.Check::observed)
                .anyMatch(found -> found.contains("routing rules of other ports or peers"));
        account.spec().build().apply(drift);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_secondMonitor_letsItInBySettingTheRulesAlone() {
        account.spec().apply();
        MemoryMachine monitor = machine("shop-monitor-1");
        String since = monitor.since("node_exporter.service");

        account.spec().addMonitor("fra1").apply();

        assertThat(monitor.since("node_exporter.service")).isEqualTo(since);
        assertThat(monitor.closedPorts("10.0.0.1")).containsExactly("admitted 9100 10.0.0.4", "closed 9100");
        account.assertUpToDate(account.spec().addMonitor("fra1").build());
    }

    /** The machine notes it where Prometheus runs with targets in a network that is not covered. */
    @Test
    void apply_anotherNetwork_coversItBeforeTargetsNameItAndReleasesTheOldOneLast() {
        account.spec().apply();
        MemoryMachine monitor = machine("shop-monitor-1");
        int before = monitor.changes().size();

        account.spec().network("10.44.0.0/24").apply();

        assertThat(monitor.violations()).isEmpty();
        assertThat(monitor.covered()).containsExactly("10.44.0.0/24");
        assertThat(monitor.changes().subList(before, monitor.changes().size()))
                .containsSubsequence(
                        "kill switch: let packets for 10.44.0.0/24 leave through wg0 alone, and no peer but monitors reach 9100",
                        "write /etc/prometheus/targets/node.json",
                        "wg0: take down and bring up",
                        "restart prometheus.service",
                        "kill switch: cover no network but 10.44.0.0/24");
    }
}
