package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.keys.SshKeyPair;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of a mesh whose SSH login key is lost, damaged or replaced, and of the keys in the account. */
class MeshLoginKeyTest {
    private final Account account = new Account();

    private void assertRefused(ThrowingCallable verb, String why) {
        assertThatThrownBy(verb)
                .isInstanceOf(StateException.class)
                .hasMessageContaining("[PG-2006]")
                .hasMessageContaining(why)
                .hasMessageContaining("Restore the folder from a backup")
                .hasMessageContaining("destroy the mesh");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x",
                "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n",
                "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n",
                "-----BEGIN OPENSSH PRIVATE KEY-----"
            })
    void everyVerb_keyDamaged_isRefusedAndNothingIsCreated(String content) {
        account.spec().apply();
        account.store.overwriteLoginKey("shop", content.getBytes(StandardCharsets.UTF_8));

        assertRefused(() -> account.spec().plan(), "is no whole key");
        assertRefused(() -> account.spec().nodes(3).apply(), "is no whole key");
        assertRefused(() -> account.spec().build().verify(), "is no whole key");
        assertThat(account.cloud.list("shop")).hasSize(3);
        assertThat(account.cloud.accessKeys()).isEqualTo(1);
    }

    @Test
    void apply_anotherKeyAndANodeMore_isRefusedAsPlanRefusesItSoThatNoHostAdmitsAnother() {
        account.spec().apply();
        try (SshKeyPair other = SshKeyPair.generate(new SecureRandom())) {
            account.store.saveLoginKey("shop", other);
        }

        assertRefused(() -> account.spec().plan(), "was replaced by another one");
        assertRefused(() -> account.spec().apply(), "was replaced by another one");
        assertRefused(() -> account.spec().build().planRotateKeys(), "was replaced by another one");
        assertRefused(() -> account.spec().build().verify(), "was replaced by another one");
        assertRefused(() -> account.spec().build().openPrometheus(), "was replaced by another one");
        assertRefused(() -> account.spec().nodes(3).plan(), "was replaced by another one");
        assertRefused(() -> account.spec().nodes(3).apply(), "was replaced by another one");
        assertThat(account.cloud.list("shop")).hasSize(3);
        assertThat(account.cloud.accessKeys()).isEqualTo(1);
    }

    @Test
    void apply_keyLostAndEveryHostToBeReplacedByOthers_makesNoOtherKey() {
        account.spec().apply();
        account.store.loseLoginKey("shop");

        assertRefused(
                () -> Mesh.builder()
                        .name("shop")
                        .allowRemoval()
                        .namedMonitor("other")
                        .provider(account.cloud)
                        .applier(account.hosts)
                        .state(account.store)
                        .waits(Account.NO_WAITS)
                        .apply(),
                "is missing");
        assertThat(account.store.loadLoginKey("shop")).isEmpty();
    }

    @Test
    void apply_keyDamagedAndNoHostLeft_makesAnotherAndDestroyRemovesBothFromTheAccount() {
        account.spec().apply();
        account.cloud.list("shop").forEach(host -> account.cloud.vanish(host.name()));
        account.store.overwriteLoginKey("shop", new byte[] {'x'});

        account.spec().apply();
        account.assertUpToDate(account.spec().build());
        assertThat(account.cloud.accessKeys()).isEqualTo(2);

        account.spec().build().destroy();
        assertThat(account.cloud.accessKeys()).isZero();
    }

    @Test
    void destroy_stateFolderLost_removesTheKeyFromTheAccount() {
        account.spec().apply();
        account.store.delete("shop");
        Mesh mesh = account.spec().build();

        mesh.deleteUnmanaged(
                account.cloud.list("shop").stream().map(host -> host.id()).toArray(String[]::new));
        mesh.destroy();

        assertThat(account.cloud.accessKeys()).isZero();
        account.assertIsGone("shop");
    }

    private String[] hosts() {
        return account.cloud.list("shop").stream().map(host -> host.id()).toArray(String[]::new);
    }

    @Test
    void destroy_stateFolderLostAndNoHostLeft_removesTheKeyAtOnce() {
        account.spec().apply();
        account.store.delete("shop");
        account.cloud.names().forEach(account.cloud::vanish);

        account.spec().build().destroy();

        assertThat(account.cloud.accessKeys()).isZero();
        account.assertIsGone("shop");
    }

    /** The mesh is created again under a second key of the same name. */
    @Test
    void destroy_stateFolderLostAndMeshCreatedAgain_removesBothKeys() {
        account.spec().apply();
        account.store.delete("shop");
        account.spec().build().deleteUnmanaged(hosts());
        account.spec().apply();
        assertThat(account.cloud.accessKeys()).isEqualTo(2);
        account.assertUpToDate(account.spec().build());

        account.spec().build().destroy();

        assertThat(account.cloud.accessKeys()).isZero();
        account.assertIsGone("shop");
    }

    /** Hosts that nobody has said to delete admit the key, so it stays as long as they do. */
    @Test
    void destroy_stateFolderLostAndHostsThatStay_keepsTheKeyUntilTheyAreGone() {
        account.spec().apply();
        account.store.delete("shop");
        Mesh mesh = account.spec().build();

        assertThatThrownBy(mesh::destroy).isInstanceOf(DestroyException.class);

        assertThat(account.cloud.accessKeys()).isEqualTo(1);
        mesh.deleteUnmanaged(hosts());
        mesh.destroy();
        assertThat(account.cloud.accessKeys()).isZero();
    }

    @Test
    void destroy_keyOfAnotherMesh_stays() {
        account.spec().apply();
        account.spec().name("store").apply();
        account.store.delete("shop");
        Mesh mesh = account.spec().build();
        mesh.deleteUnmanaged(hosts());

        mesh.destroy();

        assertThat(account.cloud.accessKeys()).isEqualTo(1);
        account.spec().name("store").build().destroy();
        assertThat(account.cloud.accessKeys()).isZero();
    }
}
