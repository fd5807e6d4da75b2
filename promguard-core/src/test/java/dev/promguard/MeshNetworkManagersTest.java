package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.host.NetworkManagers;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What configures a host's interfaces is told to leave the mesh's alone, where it is in use. */
class MeshNetworkManagersTest {
    private static final String NETWORKD = "/etc/systemd/network/+00-promguard-pg0.network";

    private final MemoryInventory inventory = new MemoryInventory();
    private final MemoryHosts hosts = new MemoryHosts(inventory);
    private final MemoryStateStore store = new MemoryStateStore();
    private final MemoryMachine host = inventory.host("mon", "root", 22);

    @BeforeEach
    void usesNothing() {
        host.says(NetworkManagers.FACTS);
    }

    private Mesh mesh() {
        return Mesh.builder()
                .name("shop")
                .interfaceName("pg0")
                .namedMonitor("mon", settings -> {})
                .provider(inventory)
                .applier(hosts)
                .state(store)
                .waits(Account.NO_WAITS)
                .build();
    }

    private List<String> changes() {
        return mesh().plan().entries().get(0).changes().stream()
                .map(PlannedChange::text)
                .toList();
    }

    @Test
    void apply_noneInUse_writesNothingForThem() {
        assertThat(changes()).noneMatch(text -> text.contains("leave pg0 alone"));
    }

    @ParameterizedTest
    @CsvSource({
        "networkd, systemd-networkd, " + NETWORKD + ", Unmanaged=yes",
        "networkmanager, NetworkManager, /etc/NetworkManager/conf.d/promguard-pg0.conf, unmanaged-devices+=interface-name:pg0"
    })
    void apply_inUse_keepsItOutBeforeTheInterfaceComesUpAndIsDone(String id, String name, String path, String setting) {
        host.says(NetworkManagers.FACTS, id + "\tleaves");
        List<String> changes = changes();

        String own = name + ": leave pg0 alone, by " + path;
        assertThat(changes).contains(own, "pg0: bring up");
        assertThat(changes.indexOf(own)).isLessThan(changes.indexOf("pg0: bring up"));
        mesh().apply();
        assertThat(host.file(path))
                .startsWith("# Kept by PromGuard for mesh shop: ")
                .contains("pg0", setting);
        assertThat(changes()).isEmpty();
        assertThat(mesh().apply().changes()).isZero();
    }

    @Test
    void plan_fileGoneOrEdited_isDrift() {
        host.says(NetworkManagers.FACTS, "networkd\tleaves");
        mesh().apply();
        host.edit(NETWORKD, text -> text.replace("yes", "no"));

        assertThat(changes())
                .containsExactly(
                        "systemd-networkd: " + NETWORKD + " was changed (drift)   → leave the interface alone");
        assertThat(mesh().apply().drift()).isEqualTo(1);
        assertThat(changes()).isEmpty();
    }

    @Test
    void plan_managesTheInterfaceAllTheSame_isDriftAndFailsVerification() {
        host.says(NetworkManagers.FACTS, "networkd\tleaves");
        mesh().apply();
        host.says(NetworkManagers.FACTS, "networkd\tmanages");

        String drift = "systemd-networkd: manages pg0 (drift)   → leave the interface alone";
        assertThat(changes()).containsExactly(drift);
        assertThat(mesh().verify().toString()).contains(drift);
    }

    @Test
    void plan_enabledLater_isDrift() {
        mesh().apply();
        host.says(NetworkManagers.FACTS, "networkd\tleaves");

        assertThat(changes())
                .containsExactly(
                        "systemd-networkd: " + NETWORKD + " is not there (drift)   → leave the interface alone");
    }
}
