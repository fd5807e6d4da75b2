package dev.promguard.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ErrorCode;
import dev.promguard.StateException;
import dev.promguard.spi.StateStore.Document;
import dev.promguard.spi.StateStore.Lock;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What the engine may expect of any {@link StateStore}. To try a store of your own, extend this class and return it. */
public abstract class StateStoreContract {
    /** Somebody who holds a lock. */
    protected static final LockHolder ANNA =
            LockHolder.of("anna", "build-7", 4711, "apply", Instant.parse("2031-05-06T07:08:09Z"));

    private static final LockHolder BEN =
            LockHolder.of("ben", "laptop", 42, "destroy", Instant.parse("2031-05-06T07:08:10Z"));

    /** The store to try; the same one each time within a test, and without any document at the beginning of a test. */
    protected abstract StateStore store();

    /** Another object that keeps its documents in the same place, as another program would have it; the same store if it has none. */
    protected StateStore other() {
        return store();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Optional<String> read(String mesh, String name) {
        return other().read(mesh, name).map(found -> new String(found.content(), StandardCharsets.UTF_8));
    }

    private Optional<String> version(String name) {
        return store().read("shop", name).map(Document::version);
    }

    @Test
    void read_nothingWritten_isEmpty() {
        assertThat(store().read("shop", "state.json")).isEmpty();
        assertThat(store().names("shop")).isEmpty();
    }

    @Test
    void write_newDocument_isReadBackByEverybody() {
        try (Lock lock = store().lock("shop", ANNA)) {
            String version = lock.write("state.json", bytes("one"), Optional.empty());

            assertThat(version("state.json")).contains(version);
            assertThat(read("shop", "state.json")).contains("one");
        }
        assertThat(read("shop", "state.json")).as("after the lock is released").contains("one");
        assertThat(other().names("shop")).contains("state.json");
    }

    @Test
    void write_expectedVersion_replacesTheDocument() {
        try (Lock lock = store().lock("shop", ANNA)) {
            String first = lock.write("state.json", bytes("one"), Optional.empty());
            String second = lock.write("state.json", bytes("two"), Optional.of(first));

            assertThat(second).isNotEqualTo(first);
            assertThat(version("state.json")).contains(second);
            assertThat(read("shop", "state.json")).contains("two");
        }
    }

    @Test
    void write_anotherVersionThanExpected_changesNothing() {
        try (Lock lock = store().lock("shop", ANNA)) {
            String first = lock.write("state.json", bytes("one"), Optional.empty());
            String second = lock.write("state.json", bytes("two"), Optional.of(first));

            assertConflict(() -> lock.write("state.json", bytes("three"), Optional.of(first)));
            assertConflict(() -> lock.write("state.json", bytes("three"), Optional.empty()));
            assertConflict(() -> lock.write("missing", bytes("three"), Optional.of(second)));
            assertThat(read("shop", "state.json")).contains("two");
            assertThat(read("shop", "missing")).isEmpty();

            lock.write("state.json", bytes("four"), Optional.of(second));
            assertThat(read("shop", "state.json")).contains("four");
        }
    }

    private static void assertConflict(Callable<?> call) {
        assertThatThrownBy(call::call)
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STATE_CONFLICT));
    }

    @Test
    void write_anyBytes_areReadBackByteForByte() {
        Random random = new Random(20_311_130);
        try (Lock lock = store().lock("shop", ANNA)) {
            for (int size : List.of(0, 1, 2, 3, 255, 4000, 4001, 65_537, 3_000_000)) {
                byte[] content = new byte[size];
                random.nextBytes(content);
                byte[] given = content.clone();

                lock.write("state.json", given, version("state.json"));

                assertThat(given).as("what was given is left as it was").isEqualTo(content);
                assertThat(other().read("shop", "state.json").orElseThrow().content())
                        .as(size + " bytes")
                        .isEqualTo(content);
            }
        }
    }

    @Test
    void read_clearedByItsReader_isReadAgain() {
        try (Lock lock = store().lock("shop", ANNA)) {
            lock.write("id_ed25519", bytes("secret"), Optional.empty());

            Arrays.fill(store().read("shop", "id_ed25519").orElseThrow().content(), (byte) 0);

            assertThat(read("shop", "id_ed25519")).contains("secret");
        }
    }

    @Test
    void names_severalDocuments_areThoseOfTheMesh() {
        String longest = "a".repeat(61) + "-_9";
        Set<String> names = Set.of("state.json", "changes-00000001.json", "id_ed25519.pub", longest);
        try (Lock lock = store().lock("shop", ANNA);
                Lock bank = store().lock("bank", ANNA)) {
            names.forEach(name -> lock.write(name, bytes(name), Optional.empty()));
            bank.write("other", bytes("of the bank"), Optional.empty());

            assertThat(store().names("shop")).isEqualTo(names);
            names.forEach(name -> assertThat(read("shop", name)).contains(name));
            assertThat(read("shop", "other")).isEmpty();
        }
    }

    @Test
    void delete_someDocuments_leavesTheOthersAndOtherMeshes() {
        try (Lock lock = store().lock("shop", ANNA);
                Lock bank = store().lock("bank", ANNA)) {
            lock.write("a", bytes("a"), Optional.empty());
            lock.write("b", bytes("b"), Optional.empty());
            lock.write("c", bytes("c"), Optional.empty());
            bank.write("a", bytes("of the bank"), Optional.empty());

            lock.delete(Set.of("a", "c", "never-there"));
            lock.delete(Set.of("a"));
            lock.delete(Set.of());

            assertThat(other().names("shop")).containsExactly("b");
            assertThat(read("shop", "a")).isEmpty();
            assertThat(read("bank", "a")).contains("of the bank");
            lock.write("a", bytes("again"), Optional.empty());
            assertThat(read("shop", "a")).contains("again");
        }
    }

    @Test
    void delete_everything_leavesTheMeshLockable() {
        try (Lock lock = store().lock("shop", ANNA)) {
            lock.write("state.json", bytes("one"), Optional.empty());
            lock.delete(Set.of("state.json"));
        }
        assertThat(store().names("shop")).isEmpty();
        try (Lock again = store().lock("shop", ANNA)) {
            again.write("state.json", bytes("two"), Optional.empty());
        }
        assertThat(read("shop", "state.json")).contains("two");
    }

    @Test
    void lock_held_isRefusedAsRetryableAndNamesItsHolderUntilItIsClosed() throws Exception {
        Lock held = store().lock("shop", ANNA);
        try {
            for (StateStore asked : List.of(store(), other())) {
                assertThatThrownBy(() -> asked.lock("shop", BEN))
                        .isInstanceOfSatisfying(StateException.class, e -> {
                            assertThat(e.retryable()).isTrue();
                            assertThat(e.code()).isEqualTo(ErrorCode.STATE_LOCKED);
                            assertThat(e.lockHolder()).contains(ANNA);
                        })
                        .hasMessageContaining("mesh shop is being changed by another program")
                        .hasMessageContaining("anna on build-7, process 4711, apply since 2031-05-06T07:08:09Z");
            }
            assertThatThrownBy(() -> inOtherThread(() -> other().lock("shop", BEN)))
                    .hasCauseInstanceOf(StateException.class);
            store().lock("bank", BEN).close();
        } finally {
            held.close();
        }
        inOtherThread(() -> {
            try (Lock next = other().lock("shop", BEN)) {
                held.close();
                assertThatThrownBy(() -> store().lock("shop", ANNA))
                        .as("closing a lock again does not release the next one")
                        .isInstanceOfSatisfying(
                                StateException.class,
                                e -> assertThat(e.lockHolder()).contains(BEN));
                next.write("state.json", bytes("ben's"), Optional.empty());
            }
            return true;
        });
    }

    @Test
    void write_lockClosed_isRefused() {
        Lock lock = store().lock("shop", ANNA);
        String version = lock.write("state.json", bytes("one"), Optional.empty());
        lock.close();

        assertConflict(() -> lock.write("state.json", bytes("two"), Optional.of(version)));
        assertConflict(() -> lock.write("new", bytes("two"), Optional.empty()));
        assertConflict(() -> {
            lock.delete(Set.of("state.json"));
            return true;
        });
        assertThat(read("shop", "state.json")).contains("one");
        assertThat(store().names("shop")).containsExactly("state.json");
    }

    @Test
    void write_interruptedThread_writesAndKeepsTheFlag() {
        try (Lock lock = store().lock("shop", ANNA)) {
            Thread.currentThread().interrupt();
            try {
                lock.write("state.json", bytes("one"), Optional.empty());
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
            assertThat(read("shop", "state.json")).contains("one");
        }
    }

    @Test
    void describe_anyMesh_tellsMeshesAndDocumentsApart() {
        assertThat(store().describe("shop"))
                .isNotEqualTo(store().describe("bank"))
                .isNotBlank();
        assertThat(store().describe("shop", "state.json")).contains("state.json");
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
    void read_whileOthersWrite_isAlwaysAWholeDocument() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(3);
        CountDownLatch done = new CountDownLatch(1);
        try (Lock lock = store().lock("shop", ANNA)) {
            lock.write("state.json", content(0), Optional.empty());
            List<Future<Integer>> readers = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                readers.add(threads.submit(() -> {
                    int reads = 0;
                    do {
                        byte[] found =
                                other().read("shop", "state.json").orElseThrow().content();
                        assertThat(found).isEqualTo(content(found[0]));
                        reads++;
                    } while (done.getCount() > 0);
                    return reads;
                }));
            }
            for (int i = 1; i < 12; i++) {
                lock.write("state.json", content(i), version("state.json"));
            }
            done.countDown();
            for (Future<Integer> reader : readers) {
                assertThat(reader.get()).isPositive();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static byte[] content(int number) {
        byte[] content = new byte[20_000 + number * 1000];
        Arrays.fill(content, (byte) number);
        return content;
    }

    @Test
    void lock_manyAsk_isNeverHeldTwice() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        AtomicInteger holders = new AtomicInteger();
        try {
            List<Future<Integer>> runs = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                StateStore asked = i % 2 == 0 ? store() : other();
                runs.add(threads.submit(() -> {
                    int held = 0;
                    while (held < 3) {
                        try (Lock lock = asked.lock("shop", BEN)) {
                            assertThat(holders.incrementAndGet()).isEqualTo(1);
                            Optional<Document> before = asked.read("shop", "count");
                            int count = before.map(found -> (int) found.content()[0])
                                    .orElse(0);
                            lock.write("count", new byte[] {(byte) (count + 1)}, before.map(Document::version));
                            holders.decrementAndGet();
                            held++;
                        } catch (StateException e) {
                            assertThat(e.code()).isEqualTo(ErrorCode.STATE_LOCKED);
                        }
                    }
                    return held;
                }));
            }
            for (Future<Integer> run : runs) {
                assertThat(run.get()).isEqualTo(3);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(store().read("shop", "count").orElseThrow().content()).containsExactly(12);
        assertThat(new HashSet<>(store().names("shop"))).containsExactly("count");
    }
}
