package dev.promguard.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import dev.promguard.StateException;
import dev.promguard.keys.Secret;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.StateStore;
import dev.promguard.spi.StateStore.Document;
import dev.promguard.spi.StateStore.Lock;
import dev.promguard.spi.StateStoreContract;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EncryptedStateStoreTest extends StateStoreContract {
    private static final Secret KEY = Secret.of("correct horse battery staple");
    private static final Secret NEW_KEY = Secret.of("another horse, another battery");

    private final MemoryStateStore inner = new MemoryStateStore();
    private final EncryptedStateStore store = encryptedWith(KEY);

    /** At a cost that tests can bear. */
    private EncryptedStateStore encryptedWith(Secret key) {
        return EncryptedStateStore.of(inner, key, new DocumentCipher.Cost(64, 1, 1));
    }

    @Override
    protected StateStore store() {
        return store;
    }

    private byte[] raw(String name) {
        return inner.read("shop", name).orElseThrow().content();
    }

    private static void write(StateStore to, String name, byte[] content) {
        try (Lock lock = to.lock("shop", ANNA)) {
            lock.write(name, content, to.read("shop", name).map(Document::version));
        }
    }

    /** Writes as somebody who has no key. */
    private void putRaw(String mesh, String name, byte[] content) {
        try (Lock lock = inner.lock(mesh, ANNA)) {
            lock.write(name, content, inner.read(mesh, name).map(Document::version));
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void assertRefused(StateStore reading, String name, ErrorCode code, String message) {
        assertThatThrownBy(() -> reading.read("shop", name))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo(code))
                .hasMessageContaining(message);
    }

    @Test
    void write_sameContentTwice_isNeverStoredTheSame() {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            write(store, "state.json", bytes("the same content each time"));
            seen.add(new String(raw("state.json"), StandardCharsets.ISO_8859_1));
        }
        assertThat(seen)
                .hasSize(3)
                .allSatisfy(text -> assertThat(text).startsWith("PGENC").doesNotContain("content"));
    }

    @Test
    void read_byAnotherProgramWithTheKey_isWhatWasWritten() {
        write(inner.encryptedWith(KEY), "state.json", bytes("content"));

        assertThat(inner.encryptedWith(KEY)
                        .read("shop", "state.json")
                        .orElseThrow()
                        .content())
                .isEqualTo(bytes("content"));
        assertThat(DocumentCipher.Sealed.parse(raw("state.json"))
                        .orElseThrow()
                        .parameters()
                        .cost())
                .as("of RFC 9106, section 4, the second choice")
                .isEqualTo(new DocumentCipher.Cost(64 * 1024, 3, 4));
    }

    @Test
    void read_withAnotherKey_saysThatTheKeyIsWrong() {
        write(store, "state.json", bytes("content"));

        assertRefused(
                encryptedWith(NEW_KEY),
                "state.json",
                ErrorCode.STATE_KEY,
                "is encrypted with another key than the given one. Give the key");
    }

    @Test
    void read_anyByteAltered_saysThatItWasAltered() {
        write(store, "state.json", bytes("content"));
        byte[] good = raw("state.json");
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= (byte) (1 << (i % 8));
            putRaw("shop", "state.json", bad);

            assertRefused(store, "state.json", ErrorCode.STATE_DAMAGED, "altered");
        }
        putRaw("shop", "state.json", good);
        assertThat(store.read("shop", "state.json")).isPresent();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 70, 87, 88})
    void read_cutShort_saysThatItWasAltered(int length) {
        write(store, "state.json", bytes("content"));
        putRaw("shop", "state.json", Arrays.copyOf(raw("state.json"), length));

        assertRefused(store, "state.json", ErrorCode.STATE_DAMAGED, "altered");
    }

    @Test
    void read_notEncrypted_isRefused() {
        putRaw("shop", "state.json", bytes("{\"version\":2}"));

        assertRefused(store, "state.json", ErrorCode.STATE_DAMAGED, "is not encrypted");
    }

    @Test
    void read_documentOfAnotherNameOrMesh_isRefused() {
        write(store, "changes-00000001.json", bytes("one"));
        write(store, "changes-00000002.json", bytes("two"));
        byte[] one = raw("changes-00000001.json");
        try (Lock bank = store.lock("bank", ANNA)) {
            bank.write("state.json", bytes("of the bank"), Optional.empty());
        }
        byte[] bank = inner.read("bank", "state.json").orElseThrow().content();

        putRaw("shop", "changes-00000002.json", one);
        assertRefused(
                store, "changes-00000002.json", ErrorCode.STATE_DAMAGED, "document of another mesh or another name");
        putRaw("shop", "state.json", bank);
        assertRefused(store, "state.json", ErrorCode.STATE_DAMAGED, "document of another mesh or another name");
    }

    @Test
    void acceptingAlso_afterAChangeOfKeys_readsAndTheNextLockEncryptsAnew() {
        write(store, "state.json", bytes("state"));
        write(store, "id_ed25519", bytes("login key"));
        EncryptedStateStore changed = encryptedWith(NEW_KEY).acceptingAlso(KEY);

        assertThat(changed.read("shop", "id_ed25519").orElseThrow().content()).isEqualTo(bytes("login key"));
        changed.rotate("shop");

        StateStore newAlone = encryptedWith(NEW_KEY);
        assertThat(newAlone.read("shop", "state.json").orElseThrow().content()).isEqualTo(bytes("state"));
        assertThat(newAlone.read("shop", "id_ed25519").orElseThrow().content()).isEqualTo(bytes("login key"));
        assertRefused(store, "state.json", ErrorCode.STATE_KEY, "another key");
        write(newAlone, "state.json", bytes("later"));
        assertThat(newAlone.read("shop", "state.json").orElseThrow().content()).isEqualTo(bytes("later"));
    }

    @Test
    void rotate_unknownKey_changesNothingAndReleasesTheMesh() {
        write(store, "state.json", bytes("state"));
        byte[] before = raw("state.json");

        assertThatThrownBy(() -> encryptedWith(NEW_KEY).rotate("shop"))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STATE_KEY));

        assertThat(raw("state.json")).isEqualTo(before);
        store.lock("shop", ANNA).close();
    }

    @Test
    void encryptedWith_closedSecret_goesOn() {
        Secret key = Secret.of("a key that its owner clears");
        StateStore encrypted = inner.encryptedWith(key);
        key.close();

        write(encrypted, "state.json", bytes("content"));

        assertThat(encrypted.read("shop", "state.json").orElseThrow().content()).isEqualTo(bytes("content"));
        assertThat(encrypted).hasToString("EncryptedStateStore[MemoryStateStore]");
    }

    @Test
    void encryptedWith_shortKeyOrTwice_isRefused() {
        assertThatThrownBy(() -> inner.encryptedWith(Secret.of("fifteen letters")))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("has 15 bytes, and must have at least 16");
        assertThatThrownBy(() -> store.encryptedWith(NEW_KEY))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("encrypted already");
    }

    @Test
    void copyTo_meshThatIsNotThere_isRefused() {
        assertThatThrownBy(() -> store.copyTo(new MemoryStateStore(), "shopp"))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNKNOWN_MESH))
                .hasMessageContaining("holds nothing to copy");
    }

    @Test
    void copyTo_filesIntoAnEncryptedStore_copiesEverythingOnce() {
        MemoryStateStore files = new MemoryStateStore();
        write(files, "state.json", bytes("state"));
        write(files, "id_ed25519", bytes("login key"));

        files.copyTo(store, "shop");
        files.copyTo(store, "shop");

        assertThat(store.read("shop", "id_ed25519").orElseThrow().content()).isEqualTo(bytes("login key"));
        assertThat(store.names("shop")).isEqualTo(files.names("shop"));
        write(store, "state.json", bytes("later"));
        assertThatThrownBy(() -> files.copyTo(store, "shop"))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STATE_CONFLICT));
        assertThat(store.read("shop", "state.json").orElseThrow().content()).isEqualTo(bytes("later"));
    }

    /** As where a mesh goes back into a folder that still has what it had before, after a run that was killed. */
    @Test
    void copyTo_targetWithAnOlderState_writesNothing() {
        MemoryStateStore old = new MemoryStateStore();
        write(old, "state.json", bytes("older"));
        write(store, "changes-00000007.json", bytes("changes"));
        write(store, "state.json", bytes("later"));

        assertThatThrownBy(() -> store.copyTo(old, "shop"))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STATE_CONFLICT))
                .hasMessageContaining("holds another state.json already, so nothing was copied");

        assertThat(old.names("shop")).containsExactly("state.json");
    }
}
