package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** An apply of a plan observes once, and acts on what it compared. */
class MeshApplyPlanTest {
    private final Account account = new Account();
    private final MemoryInventory inventory = new MemoryInventory();
    private final MemoryMachine web = inventory.trusted("web");
    private final MemoryMachine monitor = inventory.host("mon", "root", 22);
    private final MemoryHosts hosts = new MemoryHosts(inventory);
    private final MemoryStateStore store = new MemoryStateStore();

    private MeshBuilder existing() {
        return Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .node("web", host -> {})
                .provider(inventory)
                .applier(hosts)
                .state(store)
                .waits(Account.NO_WAITS);
    }

    /** Listens for one event, once. */
    private static MeshListener at(String step, MeshEvent.State state, Consumer<MeshEvent> then) {
        boolean[] happened = {false};
        return event -> {
            if (!happened[0] && event.step().equals(step) && event.state() == state) {
                happened[0] = true;
                then.accept(event);
            }
        };
    }

    @Test
    void applyPlan_nothingToDo_observesOnceOverOneSessionAHost() {
        account.spec().apply();
        Plan plan = account.spec().plan();
        int before = account.hosts.opened();
        Calls calls = new Calls();

        account.spec(calls).build().apply(plan);

        assertThat(account.hosts.opened() - before).as("sessions").isEqualTo(3);
        assertThat(calls.made("HostSession.facts")).isEqualTo(3);
        assertThat(calls.made("CloudProvider.list")).isEqualTo(1);
        assertThat(calls.made("StateStore.load")).isEqualTo(1);
    }

    @Test
    void applyPlan_changes_areMadeOverTheSessionsThatWereCompared() {
        account.spec().apply();
        account.cloud.machine("shop-node-1").dropPeers();
        Plan plan = account.spec().plan();
        int before = account.hosts.opened();
        Calls calls = new Calls();

        ApplyReport report = account.spec(calls).build().apply(plan);

        assertThat(report.changes()).isEqualTo(1);
        assertThat(account.hosts.opened() - before)
                .as("one a host, and one that confirms")
                .isEqualTo(4);
        assertThat(calls.made("HostSession.facts")).isEqualTo(3);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void applyPlan_hostsToCreate_areObservedOnceTheyAreThere() {
        Plan plan = account.spec().plan();
        Calls calls = new Calls();

        account.spec(calls).build().apply(plan);

        assertThat(calls.made("HostSession.facts")).isEqualTo(3);
        assertThat(calls.made("CloudProvider.list"))
                .as("once to observe, and once before and after the hosts are created, for those of other programs")
                .isEqualTo(3);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void applyPlan_driftAfterTheComparison_isNotActedOn() {
        account.spec().apply();
        account.cloud.machine("shop-node-1").dropPeers();
        Plan plan = account.spec().plan();
        MemoryMachine other = account.cloud.machine("shop-node-2");
        MeshListener drifts = at("wg0: set peers", MeshEvent.State.STARTED, event -> other.disableFirewall());

        ApplyReport report = account.spec().listener(drifts).build().apply(plan);

        assertThat(report.changes()).as("what the plan says").isEqualTo(1);
        assertThat(other.firewallOn()).as("nobody reviewed this").isFalse();
        account.spec().apply();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void applyPlan_otherHostKeyThanThePlanShows_isRefusedAndNothingIsPinned() {
        Mesh mesh = existing().build();
        Plan plan = mesh.plan();
        web.impostor();

        assertThatThrownBy(() -> mesh.apply(plan)).isInstanceOf(PlanOutdatedException.class);

        assertThat(web.changes()).isEmpty();
        assertThat(monitor.changes()).isEmpty();
        assertThat(store.load("shop")).isEmpty();
    }

    @Test
    void applyPlan_otherHostKeyWhileItLooks_pinsNoneButThatOfThePlan() {
        Mesh mesh = existing().build();
        Plan plan = mesh.plan();
        MeshListener swaps = at("observe what exists", MeshEvent.State.STARTED, event -> web.impostor());

        assertThatThrownBy(() -> existing().listener(swaps).build().apply(plan))
                .isInstanceOf(PlanOutdatedException.class);

        assertThat(web.changes()).isEmpty();
        assertThat(monitor.changes()).isEmpty();
        assertThat(store.load("shop")).isEmpty();
    }

    @Test
    void applyPlan_otherHostKeyAfterTheComparison_pinsThatOfThePlanAndRefusesTheOther() {
        HostKeyFingerprint planned = web.hostKey();
        Mesh mesh = existing().build();
        Plan plan = mesh.plan();
        assertThat(plan.toString()).contains(planned.text());
        MeshListener swaps = at("create user node_exporter", MeshEvent.State.STARTED, event -> web.impostor());

        assertThatThrownBy(() -> existing().listener(swaps).build().apply(plan))
                .isInstanceOf(ApplyException.class)
                .hasMessageContaining(web.hostKey().text());

        assertThat(Objects.requireNonNull(
                                store.load("shop").orElseThrow().hosts().get("web"))
                        .hostKeys())
                .isEqualTo(Set.of(planned));
    }
}
