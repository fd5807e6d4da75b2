package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** No host leaves a mesh by accident: a spec that forgets one is refused, and says what would be lost. */
class MeshRemovalTest {
    private final Account account = new Account();

    private static Arguments verb(String name, Consumer<Mesh> verb) {
        return Arguments.of(name, verb);
    }

    static Stream<Arguments> verbs() {
        return Stream.of(
                verb("apply", Mesh::apply),
                verb("rotateKeys", Mesh::rotateKeys),
                verb("replace", mesh -> mesh.replace("shop-node-1")));
    }

    private void assertRefused(ThrowingCallable call, String... words) {
        account.assertRefused("PG-2012", call, words);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("verbs")
    void verb_nodeNotNamedAnyMore_isRefusedBeforeAnythingIsDone(String name, Consumer<Mesh> verb) {
        account.spec().apply();

        assertRefused(
                () -> verb.accept(account.spec().nodes(1, "lon1").build()),
                "does not name a host of the mesh any more",
                "shop-node-2 (deleted for good with its disk and all data on it)",
                "allowRemoval()",
                "apply(plan)");
    }

    @Test
    void apply_monitorNotNamedAnyMore_namesItsHistory() {
        account.spec().addMonitor("fra1").apply();

        assertRefused(
                () -> account.spec().apply(),
                "shop-monitor-2 (deleted for good with its disk: Prometheus' history, and all else on it)");
    }

    @Test
    void apply_everyNodeForgotten_namesThemAll() {
        account.spec().apply();

        assertRefused(() -> account.spec().nodes(0).apply(), "2 hosts of the mesh", "shop-node-1 (", "shop-node-2 (");
    }

    @Test
    void apply_removalAllowed_removes() {
        account.spec().apply();

        assertThat(account.spec().nodes(1, "lon1").allowRemoval().apply().removed())
                .containsExactly("shop-node-2");
        account.assertUpToDate(account.spec().nodes(1, "lon1").build());
    }

    @Test
    void apply_removalAllowedAndTakenBack_isRefused() {
        account.spec().apply();
        Mesh mesh = account.spec().nodes(1, "lon1").allowRemoval().build();

        assertRefused(() -> mesh.toBuilder().allowRemoval(false).apply(), "shop-node-2");
        assertThat(mesh.toBuilder().apply().removed()).containsExactly("shop-node-2");
    }

    @Test
    void apply_reviewedPlan_removesWhatItShows() {
        account.spec().apply();
        Mesh fewer = account.spec().nodes(1, "lon1").build();
        Plan plan = fewer.plan();

        assertThat(plan.toString()).contains("""
                - shop-node-2     lon1  s-1vcpu-1gb  10.0.0.3""").contains("""
                (deleted for good with its disk and all data on it)""");
        assertThat(fewer.apply(plan).removed()).containsExactly("shop-node-2");
    }

    @Test
    void apply_selectedHosts_isAllowedForItRemovesNone() {
        account.spec().apply();

        assertThat(account.spec()
                        .nodes(1, "lon1")
                        .build()
                        .only("shop-node-1")
                        .apply()
                        .removed())
                .isEmpty();
        assertThat(account.cloud.names()).contains("shop-node-2");
    }

    @Test
    void planDestroy_hosts_saysWhatIsLost() {
        account.spec().apply();

        assertThat(account.spec().build().planDestroy().toString())
                .contains("(deleted for good with its disk: Prometheus' history, and all else on it)")
                .contains("(deleted for good with its disk and all data on it)");
    }

    @Test
    void apply_existingHostNotNamedAnyMore_isRefusedAndKeepsItsParts() {
        MemoryInventory inventory = new MemoryInventory();
        MemoryMachine monitor = inventory.host("mon", "root", 22);
        MemoryMachine database = inventory.host("db-1", "root", 22);
        MemoryStateStore store = new MemoryStateStore();
        MeshBuilder spec = Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .provider(inventory)
                .applier(new MemoryHosts(inventory))
                .state(store)
                .waits(Account.NO_WAITS);
        Mesh both = spec.node("db-1").build();
        both.apply();
        Mesh one = both.toBuilder().withoutNode("db-1").build();
        List<String> before = database.changes();

        assertThatThrownBy(one::apply)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("db-1 (the host stays; what PromGuard put there is removed)")
                .hasMessageContaining("[PG-2012]");
        assertThat(database.changes()).isEqualTo(before);
        assertThat(monitor.peers()).hasSize(1);
        assertThat(one.plan().toString()).contains("(the host stays; what PromGuard put there is removed)");
        assertThat(one.toBuilder().allowRemoval().apply().removed()).containsExactly("db-1");
    }

    @Test
    void rotateKeys_meshThatDoesNotExist_createsNone() {
        Mesh mesh = account.spec().build();

        assertThat(mesh.planRotateKeys().toString())
                .contains("rotateKeys refuses: ")
                .contains("shop-monitor-1, shop-node-1, shop-node-2 do not exist. Run apply first. [PG-2010]");
        assertThatThrownBy(mesh::rotateKeys)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("a rotation creates no hosts")
                .hasMessageContaining("[PG-2010]");
        assertThat(account.cloud.names()).isEmpty();
        assertThat(account.store.load("shop")).isEmpty();
    }

    @Test
    void rotateKeys_hostOfTheSpecDoesNotExist_changesNothing() {
        account.spec().apply();
        List<String> before = account.cloud.machine("shop-node-1").changes();

        assertThatThrownBy(() -> account.spec().nodes(3, "lon1").build().rotateKeys())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("shop-node-3 does not exist. Run apply first.");
        assertThat(account.cloud.names()).doesNotContain("shop-node-3");
        assertThat(account.cloud.machine("shop-node-1").changes()).isEqualTo(before);
    }
}
