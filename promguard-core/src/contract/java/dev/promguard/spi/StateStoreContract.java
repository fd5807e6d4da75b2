package dev.promguard.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ErrorCode;
import dev.promguard.StateException;
import dev.promguard.host.LastApplied;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.spi.MeshState.CreateIntent;
import dev.promguard.spi.MeshState.HostState;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What the engine may expect of any {@link StateStore}. */
public abstract class StateStoreContract {
    protected static final HostKeyFingerprint BOOTSTRAP_KEY = new HostKeyFingerprint("SHA256:" + "A".repeat(43));
    protected static final HostKeyFingerprint OWN = new HostKeyFingerprint("SHA256:" + "B".repeat(43));
    protected static final PublicKey KEY = new PublicKey("umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=");

    /** The store to try; the same one each time within a test. */
    protected abstract StateStore store();

    /** A state in which nothing is left out. */
    protected static MeshState full(String mesh) {
        return new MeshState(
                mesh,
                Map.of(
                        "new",
                        HostState.created("10.0.0.1", "11", BOOTSTRAP_KEY),
                        "between",
                        HostState.created("10.0.0.2", "12", BOOTSTRAP_KEY)
                                .accepting(OWN)
                                .withPublicKey(KEY),
                        "old",
                        new HostState(
                                "fd00::3",
                                Optional.empty(),
                                Optional.of(KEY),
                                Set.of(OWN),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty())),
                Map.of("gone", "10.0.0.9"),
                List.of(new CreateIntent("0123456789abcdef", List.of("next", "after"), BOOTSTRAP_KEY)),
                Optional.of(new AccessKey("7", "aa:bb", true)),
                Map.of("203.0.113.1:22", OWN),
                Set.of("old"));
    }

    @Test
    void load_nothingSaved_isEmpty() {
        assertThat(store().load("shop")).isEmpty();
        assertThat(store().loadLoginKey("shop")).isEmpty();
        assertThat(store().loadLoginPublicKey("shop")).isEmpty();
    }

    @Test
    void load_savedWithLastApplied_knowsWhatWasPutOnTheHosts() {
        LastApplied lastApplied = new LastApplied(
                Set.of("ufw"),
                Set.of("prometheus"),
                Map.of("prometheus-3.13.2", "a".repeat(64)),
                Map.of("/etc/a", "b".repeat(64) + " 0644 root:root"),
                true,
                Optional.of(Set.of("22/tcp # OpenSSH")),
                Optional.of(new LastApplied.Tunnels(KEY, 51820, "10.0.0.1/24", Map.of(KEY.base64(), "10.0.0.2/32"))),
                Set.of("a.service"));
        HostState host = HostState.created("10.0.0.1", "11", BOOTSTRAP_KEY);
        MeshState state = MeshState.empty("shop")
                .with("known", host.with(lastApplied).accepting(OWN).pinned(OWN).withPublicKey(KEY))
                .with(
                        "touched",
                        HostState.created("10.0.0.2", "12", BOOTSTRAP_KEY).with(LastApplied.NONE))
                .with("new", HostState.created("10.0.0.3", "13", BOOTSTRAP_KEY));

        store().save(state);

        assertThat(store().load("shop")).contains(state);
        assertThat(state.hosts().get("known"))
                .extracting(HostState::lastApplied)
                .isEqualTo(Optional.of(lastApplied));
    }

    @Test
    void load_saved_isWhatWasSavedLast() {
        store().save(MeshState.empty("shop"));
        assertThat(store().load("shop")).contains(MeshState.empty("shop"));

        store().save(full("shop"));

        assertThat(store().load("shop")).contains(full("shop"));
    }

    @Test
    void load_hostPinnedAtATime_knowsTheTime() {
        HostState pinned = HostState.created("10.0.0.1", "11", BOOTSTRAP_KEY)
                .pinned(OWN)
                .pinnedAt(Instant.parse("2031-05-06T07:08:09Z"));

        store().save(MeshState.empty("shop").with("a", pinned));

        assertThat(store().load("shop").orElseThrow().hosts()).containsEntry("a", pinned);
    }

    @Test
    void save_twoMeshes_keepsThemApart() {
        store().save(full("shop"));
        store().save(MeshState.empty("bank"));
        store().delete("bank");

        assertThat(store().load("shop")).contains(full("shop"));
        assertThat(store().load("bank")).isEmpty();
        assertThat(store().describe("shop")).isNotEqualTo(store().describe("bank"));
    }

    @Test
    void saveLoginKey_saved_isReadBackByteForByteAndReplacedByTheNext() {
        try (SshKeyPair first = SshKeyPair.generate(new SecureRandom());
                SshKeyPair second = SshKeyPair.generate(new SecureRandom())) {
            store().saveLoginKey("shop", first);
            store().saveLoginKey("shop", second);

            assertThat(store().loadLoginPublicKey("shop")).contains(second.publicKey());
            try (Secret loaded = store().loadLoginKey("shop").orElseThrow()) {
                assertThat(text(loaded)).isEqualTo(text(second.privateKey()));
            }
        }
    }

    private static String text(Secret secret) {
        return secret.use(bytes -> new String(bytes, StandardCharsets.UTF_8));
    }

    @Test
    void delete_once_forgetsEverythingAndAgainDoesNothing() {
        try (SshKeyPair key = SshKeyPair.generate(new SecureRandom())) {
            store().saveLoginKey("shop", key);
        }
        store().save(full("shop"));

        store().delete("shop");
        store().delete("shop");

        assertThat(store().load("shop")).isEmpty();
        assertThat(store().loadLoginKey("shop")).isEmpty();
        assertThat(store().loadLoginPublicKey("shop")).isEmpty();
    }

    @Test
    void delete_whileLocked_leavesTheMeshLockable() {
        try (StateStore.Lock lock = store().lock("shop")) {
            assertThat(lock).isNotNull();
            store().save(full("shop"));
            store().delete("shop");
        }
        try (StateStore.Lock again = store().lock("shop")) {
            assertThat(again).isNotNull();
        }
    }

    @Test
    void lock_held_isRefusedAsRetryableUntilClosed() throws Exception {
        StateStore.Lock held = store().lock("shop");
        try {
            assertThatThrownBy(() -> store().lock("shop"))
                    .isInstanceOfSatisfying(StateException.class, e -> {
                        assertThat(e.retryable()).isTrue();
                        assertThat(e.code()).isEqualTo(ErrorCode.STATE_LOCKED);
                    })
                    .hasMessageContaining("mesh shop is being changed by another program");
            assertThatThrownBy(() -> inOtherThread(() -> store().lock("shop")))
                    .hasCauseInstanceOf(StateException.class);
            store().lock("bank").close();
        } finally {
            held.close();
        }
        held.close();
        inOtherThread(() -> {
            store().lock("shop").close();
            return true;
        });
    }

    private static <T> T inOtherThread(Callable<T> work) throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            return thread.submit(work).get();
        } finally {
            thread.shutdown();
        }
    }

    @Test
    void save_manyThreads_keepsOneOfTheStatesWhole() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> saves = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                MeshState state = full("shop").with("h" + i, HostState.created("10.0.1." + i, "i", BOOTSTRAP_KEY));
                saves.add(threads.submit(() -> {
                    store().save(state);
                    assertThat(store().load("shop").orElseThrow().hosts()).hasSize(4);
                }));
            }
            for (Future<?> save : saves) {
                save.get();
            }
        } finally {
            threads.shutdown();
        }
        assertThat(store().load("shop").orElseThrow().hosts()).hasSize(4);
    }
}
