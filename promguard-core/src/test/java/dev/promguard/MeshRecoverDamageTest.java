package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.spi.Identity;
import dev.promguard.spi.StateStore;
import dev.promguard.spi.StateStore.Document;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** One document of a mesh's state is damaged, and there is no copy: a recovery is the way out, whatever the store. */
class MeshRecoverDamageTest {
    /** What is left of the document, in percent. */
    private static final int HALF = 50;

    private static final int NOTHING = 0;

    private final Account account = new Account();
    private final SshKeyPair mine = SshKeyPair.generate(new SecureRandom());
    private StateStore store = account.store;

    private Mesh mesh() {
        return account.spec()
                .nodes(1, "lon1")
                .loginKeys(mine.publicKey())
                .state(store)
                .build();
    }

    private void encrypted() {
        store = account.store.encryptedWith(Secret.of("0123456789abcdef".getBytes(StandardCharsets.US_ASCII)));
    }

    private void damage(String name, int left) {
        Document found = account.store.read("shop", name).orElseThrow();
        try (StateStore.Lock lock = account.store.lock("shop")) {
            lock.write(
                    name,
                    Arrays.copyOf(found.content(), found.content().length * left / 100),
                    account.store.read("shop", name).map(Document::version));
        }
    }

    private RecoverReport recover() {
        return mesh().recover(how -> how.identity(Identity.ofKey(mine.privateKey()))
                .trustOnFirstUse()
                .replaceState());
    }

    static Stream<Arguments> damages() {
        return Stream.of(
                Arguments.of(false, "state.json", HALF),
                Arguments.of(false, "id_ed25519", HALF),
                Arguments.of(false, "id_ed25519", NOTHING),
                Arguments.of(false, "id_ed25519.pub", HALF),
                Arguments.of(false, "id_ed25519.pub", NOTHING),
                Arguments.of(true, "state.json", HALF),
                Arguments.of(true, "state.json", NOTHING),
                Arguments.of(true, "id_ed25519", HALF),
                Arguments.of(true, "id_ed25519.pub", NOTHING));
    }

    @ParameterizedTest(name = "encrypted: {0}, {1}, {2} % left")
    @MethodSource("damages")
    void recover_damagedDocument_endsWithAnEmptyPlan(boolean encrypts, String name, int left) {
        if (encrypts) {
            encrypted();
        }
        mesh().apply();
        List<String> hosts = account.cloud.names();
        damage(name, left);

        assertThat(recover().newLoginKey()).isEqualTo(name.equals("id_ed25519"));

        mesh().plan().requireEmpty();
        mesh().apply();
        assertThat(account.cloud.names()).isEqualTo(hosts);
        mesh().destroy();
        assertThat(account.cloud.names()).isEmpty();
        assertThat(account.cloud.accessKeys()).isZero();
        assertThat(account.store.names("shop")).isEmpty();
    }

    /** With the right key all is there. */
    @Test
    void recover_encryptedWithAnotherKey_isRefusedAndChangesNothing() {
        encrypted();
        mesh().apply();
        List<byte[]> before = documents();
        store = account.store.encryptedWith(Secret.of("another key, long".getBytes(StandardCharsets.US_ASCII)));

        assertThatThrownBy(this::recover).isInstanceOf(StateException.class).hasMessageContaining("[PG-2022]");

        assertThat(documents()).usingRecursiveComparison().isEqualTo(before);
    }

    private List<byte[]> documents() {
        return account.store.names("shop").stream()
                .map(name -> account.store.read("shop", name).orElseThrow().content())
                .toList();
    }

    @Test
    void apply_damagedEncryptedState_namesTheRecovery() {
        encrypted();
        mesh().apply();
        damage("state.json", HALF);

        assertThatThrownBy(() -> mesh().apply())
                .isInstanceOf(StateException.class)
                .hasMessageContainingAll("was altered", "recover(…) with replaceState()", "[PG-2003]");
    }
}
