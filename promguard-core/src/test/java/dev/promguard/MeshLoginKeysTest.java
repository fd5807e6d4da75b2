package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryStateStore;
import java.security.SecureRandom;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Additional login keys that the spec names, on hosts that PromGuard created. */
class MeshLoginKeysTest {
    private static final String NODE = "shop-node-1";
    private static final SshPublicKey FIRST = key();
    private static final SshPublicKey SECOND = key();

    private final Account account = new Account();

    private static SshPublicKey key() {
        try (SshKeyPair pair = SshKeyPair.generate(new SecureRandom())) {
            return pair.publicKey();
        }
    }

    @Test
    void apply_loginKeys_areAdmittedOnEveryHostFromTheFirstApply() {
        Mesh mesh = account.spec().loginKeys(FIRST, SECOND).build();

        mesh.apply();

        assertThat(account.cloud.machines())
                .allSatisfy(
                        machine -> assertThat(machine.authorized()).hasSize(3).contains(FIRST, SECOND));
        assertThat(account.cloud.accessKeys()).as("keys in the account").isEqualTo(1);
        account.assertUpToDate(mesh);
    }

    @Test
    void apply_otherLoginKeys_replacesThemAndRestartsNothing() {
        account.spec().loginKeys(FIRST).apply();
        List<String> before = account.cloud.machine(NODE).changes();
        Mesh mesh = account.spec().loginKeys(SECOND).build();

        Plan plan = mesh.plan();

        assertThat(plan.toString())
                .contains("admit 1 additional login key more, no longer admit 1 additional login key (loginKeys)");
        assertThat(plan.drift()).isEmpty();
        mesh.apply(plan);
        List<String> now = account.cloud.machine(NODE).changes();
        assertThat(now.subList(before.size(), now.size())).hasSize(1);
        assertThat(account.cloud.machine(NODE).authorized()).contains(SECOND).doesNotContain(FIRST);
        account.assertUpToDate(mesh);
    }

    @Test
    void apply_noLoginKeysAnyMore_removesThemAndLeavesThoseOfOthers() {
        account.spec().loginKeys(FIRST).apply();
        account.cloud.machine(NODE).admit(SECOND);
        Mesh mesh = account.spec().build();

        mesh.apply();

        assertThat(account.cloud.machine(NODE).authorized()).hasSize(2).contains(SECOND);
        account.assertUpToDate(mesh);
    }

    @Test
    void plan_keyThatSomebodyRemoved_isDrift() {
        Mesh mesh = account.spec().loginKeys(FIRST).build();
        mesh.apply();
        account.cloud.machine(NODE).loseLoginKeys();

        assertThat(mesh.plan().drift()).hasSize(1);
        assertThat(mesh.verify().ok()).isFalse();
        assertThat(mesh.apply().drift()).isEqualTo(1);
        account.assertUpToDate(mesh);
    }

    @Test
    void toBuilder_loginKeys_stay() {
        Mesh mesh = account.spec().loginKeys(FIRST).build();

        assertThat(mesh.toBuilder().build().blueprint().spec())
                .isEqualTo(mesh.blueprint().spec());
        assertThat(mesh.toBuilder().loginKeys().build().blueprint().spec().loginKeys())
                .isEmpty();
        assertThat(mesh.blueprint().spec().hash())
                .isNotEqualTo(account.spec().build().blueprint().spec().hash());
    }

    @Test
    void build_loginKeysForExistingHosts_isRefused() {
        MemoryInventory inventory = new MemoryInventory();
        inventory.host("mon", "root", 22);
        MeshBuilder builder = Mesh.builder()
                .namedMonitor("mon")
                .provider(inventory)
                .applier(new MemoryHosts(inventory))
                .state(new MemoryStateStore())
                .loginKeys(FIRST);

        assertThatThrownBy(builder::build)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("loginKeys: existing hosts admit the keys that their owner put there");
    }
}
