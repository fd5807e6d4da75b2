package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.keys.SshKeyPair;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.Identity;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Somebody created a droplet with the mesh's tag by hand. It is reported, and adopted only on request. */
class MeshAdoptTest {
    private static final String HOST = "db-9";

    private final Account account = new Account();
    private final SshKeyPair mine = SshKeyPair.generate(new SecureRandom());
    private MemoryMachine machine;

    @BeforeEach
    void create() {
        account.spec().apply();
        machine = plant();
    }

    private MemoryMachine plant() {
        MemoryMachine planted = account.cloud.plant("shop", HOST, Optional.empty());
        planted.admit(mine.publicKey());
        account.cloud.await("shop", Set.of("4", "5"), Duration.ofSeconds(1));
        return planted;
    }

    private MeshBuilder spec() {
        return account.spec().node(HOST, host -> host.region("tor1"));
    }

    private Mesh adopting(Consumer<AdoptBuilder> how) {
        return spec().adopt(HOST, how).build();
    }

    private void withMine(AdoptBuilder host) {
        host.hostKey(machine.hostKey().text()).identity(Identity.ofKey(mine.privateKey()));
    }

    private void assertRefused(Mesh mesh, ErrorCode code, String... words) {
        List<String> changes = machine.changes();
        assertThatThrownBy(mesh::apply)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("[" + code.id() + "]")
                .hasMessageContainingAll(words);
        assertThat(mesh.plan().toString()).contains(words);
        assertThat(machine.changes()).isEqualTo(changes);
        assertThat(account.state("shop").hosts()).doesNotContainKey(HOST);
        assertThat(account.hosts.open()).isZero();
    }

    @Test
    void plan_notAskedTo_reportsItAndSaysHow() {
        assertRefused(spec().build(), ErrorCode.UNMANAGED_HOSTS, "db-9 (id 4)", "adopt(…)");
    }

    @Test
    void apply_adopted_isAHostLikeTheOthers() {
        Mesh mesh = adopting(this::withMine);

        Plan plan = mesh.plan();

        assertThat(plan.toString())
                .contains(
                        "adopt it (id 4), with the host key " + machine.hostKey(),
                        "admit the mesh's own SSH login key");
        assertThat(account.cloud.orders()).hasSize(2);
        mesh.apply(plan);
        assertThat(account.cloud.orders()).as("nothing was created").hasSize(2);
        assertThat(account.state("shop", HOST).hostKeys()).containsExactly(machine.hostKey());
        assertThat(account.state("shop", HOST).providerId()).contains("4");
        assertThat(machine.violations()).isEmpty();
        assertThat(mesh.plan().isEmpty()).isTrue();
        Mesh later = spec().build();
        assertThat(later.plan().isEmpty()).isTrue();
        assertThat(later.apply().changes()).isZero();
        assertThat(later.rotateKeys().ok()).isTrue();
        later.destroy();
        assertThat(account.cloud.names()).isEmpty();
    }

    @Test
    void apply_hostThatAdmitsTheMeshsKey_needsNoOther() {
        account.cloud.machines().get(0).authorized().forEach(machine::admit);

        adopting(AdoptBuilder::trustOnFirstUse).apply();

        assertThat(machine.changes()).doesNotContain("admit the mesh's own SSH login key");
        assertThat(spec().plan().isEmpty()).isTrue();
    }

    @Test
    void apply_impostorAfterThePlan_isRefused() {
        Mesh mesh = adopting(host -> host.trustOnFirstUse().identity(Identity.ofKey(mine.privateKey())));
        Plan plan = mesh.plan();
        machine.impostor();

        assertThatThrownBy(() -> mesh.apply(plan)).isInstanceOf(PlanOutdatedException.class);
        assertThat(machine.changes()).isEmpty();
    }

    @Test
    void apply_noHostKeyKnown_isRefused() {
        assertRefused(
                adopting(host -> host.identity(Identity.ofKey(mine.privateKey()))),
                ErrorCode.HOST_KEY_UNKNOWN,
                HOST,
                "host.hostKey(…)",
                "trustOnFirstUse()");
    }

    @Test
    void apply_anotherHostKey_isRefused() {
        assertRefused(
                adopting(host -> host.hostKey("SHA256:" + "x".repeat(43)).identity(Identity.ofKey(mine.privateKey()))),
                ErrorCode.HOST_KEY_REFUSED,
                HOST);
    }

    @Test
    void apply_noKeyThatItAdmits_isRefused() {
        assertRefused(adopting(AdoptBuilder::trustOnFirstUse), ErrorCode.LOGIN_REFUSED, HOST);
    }

    @Test
    void apply_notReachable_isRefusedBeforeAnythingIsDone() {
        machine.down(true);

        assertRefused(adopting(this::withMine), ErrorCode.CONNECT_FAILED, HOST);
    }

    @Test
    void apply_hostOfAnotherMesh_isRefused() {
        machine.copyOf(account.cloud.machine("shop-node-1"));
        machine.edit("/etc/wireguard/wg0.conf", text -> text.replace("for mesh shop", "for mesh bakery"));

        assertRefused(adopting(this::withMine), ErrorCode.NOT_ADOPTABLE, HOST, "has parts of mesh bakery");
    }

    @Test
    void apply_noSuchHost_isRefused() {
        account.cloud.vanish(HOST);

        assertRefused(
                adopting(this::withMine),
                ErrorCode.NOT_ADOPTABLE,
                "no host of this name carries the mesh's tag",
                "leave adopt(…) out");
    }

    @Test
    void apply_twoOfTheName_isRefused() {
        plant();

        assertRefused(adopting(this::withMine), ErrorCode.NOT_ADOPTABLE, "several hosts of this name", "4, 5");
    }

    @Test
    void build_notInTheSpec_isRefused() {
        assertThatThrownBy(() -> account.spec().adopt(HOST).build())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("adopt: \"db-9\" is none of the spec's hosts");
    }

    @Test
    void build_existingHosts_isRefused() {
        MemoryInventory inventory = new MemoryInventory();
        inventory.host("mon", "root", 22);

        assertThatThrownBy(() -> Mesh.builder()
                        .namedMonitor("mon")
                        .provider(inventory)
                        .applier(new MemoryHosts(inventory))
                        .state(new MemoryStateStore())
                        .adopt("mon")
                        .build())
                .hasMessageContaining("existing hosts join the mesh when the inventory and the spec name them");
    }

    @Test
    void apply_failedAfterItWasPinned_goesOn() {
        machine.failAt("admit the mesh's own SSH login key");
        Mesh mesh = adopting(this::withMine);
        assertThatThrownBy(mesh::apply).isInstanceOf(ApplyException.class);
        assertThat(account.state("shop").hosts()).containsKey(HOST);
        machine.failAt(null);

        mesh.apply();

        assertThat(spec().plan().isEmpty()).isTrue();
    }

    /** What nobody has adopted yet is not the mesh's to delete. */
    /** It is somebody else's, with data on it, until an apply has adopted it. */
    @Test
    void replace_notAdoptedYet_deletesNothing() {
        Mesh mesh = adopting(this::withMine);
        List<String> names = account.cloud.names();

        assertThatThrownBy(() -> mesh.replace(HOST))
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContainingAll("db-9 (id 4) is to be adopted", "deleteUnmanaged(\"4\")", "[PG-2019]");

        assertThat(account.cloud.names()).isEqualTo(names);
        mesh.apply();
        assertThat(mesh.replace(HOST).ok()).isTrue();
        assertThat(account.state("shop", HOST).providerId()).isPresent().isNotEqualTo(Optional.of("4"));
    }

    @Test
    void destroy_notAdoptedYet_leavesIt() {
        assertThatThrownBy(() -> adopting(this::withMine).destroy())
                .isInstanceOf(DestroyException.class)
                .hasMessageContaining("db-9 (id 4)");
        assertThat(account.cloud.names()).containsExactly(HOST);
    }

    /** A droplet of the mesh that somebody deletes is created again, alone and with its address. */
    @Test
    void apply_dropletDeletedByHand_createsItAloneWithItsOldAddress() {
        account.cloud.vanish(HOST);
        String address = account.address("shop-node-1");
        List<String> other = account.cloud.machine("shop-node-2").changes();
        account.cloud.vanish("shop-node-1");

        Plan plan = account.spec().plan();
        assertThat(plan.entries())
                .filteredOn(entry -> entry.kind() == Plan.Kind.CREATE)
                .extracting(Plan.Entry::name)
                .containsExactly("shop-node-1");
        account.spec().build().apply(plan);

        assertThat(account.address("shop-node-1")).isEqualTo(address);
        assertThat(account.cloud.machine("shop-node-2").changes()).isEqualTo(other);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void hostKey_malformed_isRefusedWithTheHostAndTheValue() {
        assertThatThrownBy(() -> Mesh.builder().adopt("db-9", host -> host.hostKey("SHA256:short")))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("adopt db-9: not a host key fingerprint: \"SHA256:short\": use ");
    }
}
