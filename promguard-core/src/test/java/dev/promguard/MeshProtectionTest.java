package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** A protected host stays, whatever a spec or a verb says, until an apply has taken the protection away. */
class MeshProtectionTest {
    private final Account account = new Account();

    private MeshBuilder protectedNode() {
        return account.spec().node("db-1", host -> host.protect(true));
    }

    private void assertRefused(ThrowingCallable call, String... words) {
        account.assertRefused("PG-2013", call, words);
    }

    @Test
    void apply_specWithoutTheHost_isRefusedAlsoWhereRemovalIsAllowedOrReviewed() {
        protectedNode().apply();
        Mesh without = account.spec().build();

        assertRefused(
                without::apply,
                "db-1 is protected, and the spec does not name it any more",
                "Name it again, or apply once with protect(false) for it and then remove it.");
        assertRefused(() -> account.spec().allowRemoval().apply(), "db-1 is protected");
        Plan plan = without.plan();
        assertThat(plan.toString()).contains("db-1 is protected, and the spec does not name it any more");
        assertThat(plan.isEmpty()).isFalse();
        assertRefused(() -> without.apply(plan), "db-1 is protected");
        assertRefused(() -> account.spec().allowRemoval().build().rotateKeys(), "db-1 is protected");
    }

    @Test
    void apply_othersForgottenToo_namesTheProtectedAlone() {
        account.spec()
                .protectHosts(true)
                .node("db-1", host -> host.protect(false))
                .apply();

        assertRefused(
                () -> account.spec().nodes(0).apply(),
                "shop-node-1, shop-node-2 are protected, and the spec does not name them any more",
                "protect(false) for them");
    }

    @Test
    void destroyAndReplace_protectedHost_areRefused() {
        Mesh mesh = protectedNode().build();
        mesh.apply();

        assertRefused(mesh::destroy, "db-1 is protected, and a destroy would remove it");
        assertRefused(() -> account.spec().build().destroy(), "db-1 is protected");
        assertRefused(() -> mesh.replace("db-1"), "replacing it would delete it");
        Plan plan = mesh.planDestroy();
        assertThat(plan.toString())
                .contains(
                        "db-1 is protected, and a destroy would remove it. Apply once with protect(false) for it, then destroy.");
        assertRefused(() -> mesh.destroy(plan), "db-1 is protected");
        assertThat(mesh.replace("shop-node-1").hosts()).isNotEmpty();
    }

    /** By the spec alone: it was not applied since. */
    @Test
    void destroyAndReplace_protectedByASpecThatWasNotApplied_areRefused() {
        account.spec().node("db-1").apply();

        assertRefused(() -> protectedNode().build().destroy(), "db-1 is protected");
        assertRefused(() -> protectedNode().build().replace("db-1"), "db-1 is protected");
    }

    @Test
    void apply_protectionTakenAway_isInThePlanAndThenRemovalGoesOn() {
        protectedNode().apply();
        account.assertUpToDate(protectedNode().build());
        MeshBuilder unprotected = account.spec().node("db-1", host -> host.protect(false));
        assertRefused(() -> unprotected.build().destroy(), "db-1 is protected");

        Plan plan = unprotected.plan();
        assertThat(plan.entries())
                .flatExtracting(Plan.Entry::changes)
                .extracting(PlannedChange::text)
                .containsExactly("protect it no more");
        assertThat(plan.drift()).isEmpty();
        List<String> before = account.cloud.machine("db-1").changes();
        unprotected.build().apply(plan);

        assertThat(account.cloud.machine("db-1").changes()).isEqualTo(before);
        account.assertUpToDate(unprotected.build());
        assertThat(account.spec().allowRemoval().apply().removed()).containsExactly("db-1");
    }

    @Test
    void apply_selectedHosts_leavesTheProtectionOfOthers() {
        protectedNode().apply();

        account.spec().node("db-1").build().only("shop-node-1").apply();

        assertRefused(() -> account.spec().allowRemoval().apply(), "db-1 is protected");
    }

    @Test
    void apply_protectedHostDeletedInTheCloud_isForgottenWithItsProtection() {
        protectedNode().apply();
        account.cloud.vanish("db-1");

        assertThat(account.spec().apply().ok()).isTrue();

        assertThat(account.state("shop").protectedHosts()).isEmpty();
        account.spec().build().destroy();
        assertThat(account.cloud.names()).isEmpty();
    }

    @Test
    void toBuilder_protectedHosts_keepsThem() {
        Mesh mesh = protectedNode().protectHosts(true).build();

        assertThat(mesh.toBuilder().build().blueprint().hosts())
                .allSatisfy(host -> assertThat(host.spec().isProtected()).isTrue());
    }

    @Test
    void destroy_protectedExistingHost_uninstallsFromNone() {
        MemoryInventory inventory = new MemoryInventory();
        MemoryMachine monitor = inventory.host("mon", "root", 22);
        inventory.host("db-1", "root", 22);
        Mesh mesh = Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .node("db-1", host -> host.protect(true))
                .provider(inventory)
                .applier(new MemoryHosts(inventory))
                .state(new MemoryStateStore())
                .waits(Account.NO_WAITS)
                .build();
        mesh.apply();
        List<String> before = monitor.changes();

        assertThatThrownBy(mesh::destroy)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("[PG-2013]");

        assertThat(monitor.changes()).isEqualTo(before);
        assertThat(monitor.peers()).hasSize(1);
    }
}
