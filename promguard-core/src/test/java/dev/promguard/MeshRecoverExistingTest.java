package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.MeshState;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The state of a mesh of existing hosts is lost, and rebuilt from their manifests and configurations. */
class MeshRecoverExistingTest {
    private final MemoryInventory inventory = new MemoryInventory();
    private final MemoryHosts hosts = new MemoryHosts(inventory);
    private final MemoryStateStore store = new MemoryStateStore();
    private final MemoryMachine database = inventory.trusted("db-1");
    private MeshState before = MeshState.empty("shop");

    @BeforeEach
    void applyAndLoseTheState() {
        inventory.host("mon", "root", 22);
        spec().apply();
        before = store.load("shop").orElseThrow();
        store.delete("shop");
    }

    private MeshBuilder spec() {
        return spec("shop", "mon").node("db-1", host -> {});
    }

    private MeshBuilder spec(String mesh, String monitorName) {
        return Mesh.builder()
                .name(mesh)
                .namedMonitor(monitorName)
                .provider(inventory)
                .applier(hosts)
                .state(store)
                .waits(Account.NO_WAITS);
    }

    private void assertRefused(Mesh mesh, ErrorCode code, String... words) {
        List<String> changes = database.changes();
        assertThatThrownBy(mesh::recover)
                .isInstanceOf(PromGuardException.class)
                .hasMessageContaining("[" + code.id() + "]")
                .hasMessageContainingAll(words);
        assertThat(database.changes()).isEqualTo(changes);
        assertThat(store.names("shop")).isEmpty();
        assertThat(hosts.open()).isZero();
    }

    @Test
    void recover_lostState_isWhatItWasAndChangesNothing() {
        List<String> changes = database.changes();

        RecoverReport report = spec().build().recover();

        assertThat(report.newLoginKey()).isFalse();
        assertThat(report.hosts())
                .extracting(RecoverReport.RecoveredHost::hostKeyBy)
                .containsOnly("by the inventory");
        assertThat(store.load("shop")).contains(before);
        assertThat(database.changes()).isEqualTo(changes);
        assertThat(spec().plan().isEmpty()).isTrue();
        assertThat(spec().apply().changes()).isZero();
        spec().build().destroy();
        assertThat(database.mesh()).isEmpty();
    }

    /** Without its state, a mesh would give the host the address that comes first. */
    @Test
    void recover_hostBeforeItInTheSpec_keepsItsAddress() {
        inventory.host("app-1", "root", 22);
        MeshBuilder more = spec("shop", "mon").node("app-1", host -> {}).node("db-1", host -> {});

        RecoverReport report = more.build().recover();

        assertThat(report.missing()).containsOnlyKeys("app-1");
        assertThat(report.next())
                .hasValueSatisfying(plan -> assertThat(plan.toString()).contains("begin a record"));
        more.apply();
        assertThat(store.load("shop").orElseThrow().heldAddresses())
                .containsAllEntriesOf(before.heldAddresses())
                .hasSize(3);
    }

    @Test
    void recover_hostOfAnotherMesh_isRefused() {
        inventory.host("other", "root", 22);
        spec("bank", "other").network("10.9.0.0/24").apply();

        Mesh both = spec("shop", "mon")
                .node("db-1", host -> {})
                .node("other", host -> {})
                .build();
        assertRefused(both, ErrorCode.RECOVERY_AMBIGUOUS, "other: it has parts of mesh bank, and not of shop");
        assertThat(spec().build().recover().hosts()).hasSize(2);
    }

    @Test
    void recover_hostThatTheSpecDoesNotNameAnyMore_isInTheState() {
        RecoverReport report = spec("shop", "mon").build().recover();

        assertThat(report.hosts()).extracting(RecoverReport.RecoveredHost::name).containsExactly("db-1", "mon");
        assertThatThrownBy(() -> spec("shop", "mon").apply()).hasMessageContaining("[PG-2012]");
        spec("shop", "mon").allowRemoval().apply();
        assertThat(database.mesh()).isEmpty();
    }

    @Test
    void recover_hostThatIsDown_isNamedUnlessTheSpecDoesNotNameIt() {
        database.down(true);

        assertRefused(spec().build(), ErrorCode.CONNECT_FAILED, "db-1", "leaveOut(\"db-1\")");
        RecoverReport report = spec("shop", "mon").build().recover();
        assertThat(report.notes()).singleElement().asString().contains("db-1 of the inventory could not be read");
    }

    @Test
    void recover_monitorWithoutAnythingOfTheMesh_isRefused() {
        inventory.host("mon-2", "root", 22);
        Mesh mesh = spec("shop", "mon-2").node("db-1", host -> {}).build();

        assertRefused(mesh, ErrorCode.RECOVERY_AMBIGUOUS, "mon-2", "it is a monitor, and nothing on it is the mesh's");
    }

    @Test
    void recover_nothingOfTheMeshAnywhere_saysSo() {
        Mesh mesh = spec("bank", "mon").build();

        assertThatThrownBy(() -> mesh.recover(how -> how.leaveOut("mon")))
                .hasMessageContaining("[PG-2017]")
                .hasMessageContaining("no host of the inventory has parts of it");
    }

    @Test
    void recover_hostUnderAnotherName_saysWhatTheMeshCallsIt() {
        inventory.rename("db-1", "database");
        Mesh mesh = spec("shop", "mon").node("database", host -> {}).build();

        assertRefused(mesh, ErrorCode.RECOVERY_AMBIGUOUS, "database: the mesh knows it as db-1");
    }

    @Test
    void recover_copyOfTheState_pinsWhatItKnows() {
        spec().build().recover();
        MemoryStateStore copy = new MemoryStateStore();
        store.copyTo(copy, "shop");
        store.delete("shop");
        database.impostor();

        assertThatThrownBy(() -> spec().build().recover(how -> how.backup(copy)))
                .hasMessageContaining("[PG-4002]");
        assertThat(store.names("shop")).isEmpty();
    }
}
