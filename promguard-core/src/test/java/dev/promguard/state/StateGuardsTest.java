package dev.promguard.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ErrorCode;
import dev.promguard.StateException;
import dev.promguard.keys.Secret;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.LockHolder;
import dev.promguard.spi.StateStore;
import dev.promguard.spi.StateStore.Lock;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;

/** Guards of shared and encrypted states that no other test needs. */
class StateGuardsTest {
    private static final LockHolder ANNA = LockHolder.of("anna", "laptop", 7, "apply", Instant.EPOCH);
    private static final LockHolder CI = LockHolder.of("ci", "runner-2", 8, "apply", Instant.EPOCH);
    /** Where the salt of an encrypted document begins and ends, and its fixed header and the digest of it end. */
    private static final int SALT = 12;

    private static final int SALT_END = 28;
    private static final int FIXED = 56;
    private static final int HEADER = 72;

    private static JdbcDataSource database(String name) {
        JdbcDataSource database = new JdbcDataSource();
        database.setURL("jdbc:h2:mem:guards-" + name + System.nanoTime() + ";DB_CLOSE_DELAY=-1");
        return database;
    }

    /** A database to which something else happens before the first statement that begins so. */
    private static DataSource before(String sql, DataSource real, Runnable once) {
        AtomicReference<Runnable> what = new AtomicReference<>(once);
        return proxy(
                DataSource.class,
                real,
                (answer, arguments) -> answer instanceof Connection connection
                        ? proxy(Connection.class, connection, (statement, text) -> {
                            if (text != null && text[0] instanceof String prepared && prepared.startsWith(sql)) {
                                what.getAndSet(() -> {}).run();
                            }
                            return statement;
                        })
                        : answer);
    }

    private interface Seen {
        Object seen(Object answer, Object[] arguments);
    }

    private static <T> T proxy(Class<T> type, T real, Seen seen) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    try {
                        return seen.seen(method.invoke(real, arguments), arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    private static void execute(DataSource database, String sql) throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Test
    void lock_anotherTakesTheLeaseBetweenReadingAndTaking_isRefused() throws Exception {
        JdbcDataSource database = database("race");
        AtomicReference<Lock> taken = new AtomicReference<>();
        StateStore raced = new JdbcStateStore(
                before("UPDATE", database, () -> taken.set(new JdbcStateStore(database).lock("shop", CI))));
        StateException refused;
        try (Lock expired = new JdbcStateStore(database).lock("shop", CI)) {
            assertThat(expired).isNotNull();
            execute(database, "UPDATE promguard_state SET content = '0'");

            refused = catchThrowableOfType(StateException.class, () -> raced.lock("shop", ANNA));
        }

        assertThat(refused).isNotNull();
        assertThat(refused.code()).as("%s", refused).isEqualTo(ErrorCode.STATE_LOCKED);
        assertThat(refused.lockHolder()).contains(CI);
    }

    /** A database whose first commit after this is done, and its answer is lost. */
    private static DataSource losingACommit(DataSource real, AtomicBoolean lose) {
        return proxy(
                DataSource.class,
                real,
                (answer, arguments) -> answer instanceof Connection connection
                        ? Proxy.newProxyInstance(
                                Connection.class.getClassLoader(),
                                new Class<?>[] {Connection.class},
                                (proxy, method, given) -> {
                                    Object result = method.invoke(connection, given);
                                    if (method.getName().equals("commit") && lose.getAndSet(false)) {
                                        throw new SQLException("told to lose the answer", "40001");
                                    }
                                    return result;
                                })
                        : answer);
    }

    @Test
    void write_answerOfTheCommitLost_isNotTakenForAnothersWrite() {
        AtomicBoolean lose = new AtomicBoolean();
        StateStore store = new JdbcStateStore(losingACommit(database("commit"), lose));
        try (Lock lock = store.lock("shop", ANNA)) {
            lose.set(true);

            String version = lock.write("state.json", new byte[] {1}, Optional.empty());

            assertThat(lose).isFalse();
            assertThat(store.read("shop", "state.json").orElseThrow().version()).isEqualTo(version);
        }
    }

    @Test
    void read_partsOfTwoVersions_isAConflict() throws Exception {
        JdbcDataSource database = database("parts");
        StateStore store = new JdbcStateStore(database);
        try (Lock lock = store.lock("shop", ANNA)) {
            lock.write("state.json", new byte[5000], Optional.empty());
        }
        execute(database, "UPDATE promguard_state SET version = 7 WHERE name = 'state.json' AND part = 1");

        StateException refused = catchThrowableOfType(StateException.class, () -> store.read("shop", "state.json"));

        assertThat(refused).isNotNull();
        assertThat(refused.code()).isEqualTo(ErrorCode.STATE_CONFLICT);
    }

    private static byte[] encrypted(MemoryStateStore store, String mesh, String name) {
        try (Secret key = Secret.of("a key that is long enough");
                Lock lock = store.encryptedWith(key).lock(mesh, ANNA)) {
            lock.write(name, new byte[] {1}, Optional.empty());
        }
        return store.read(mesh, name).orElseThrow().content();
    }

    @Test
    void encrypted_documentsOfOneMesh_shareASaltThatOthersHaveNot() {
        MemoryStateStore store = new MemoryStateStore();

        byte[] first = Arrays.copyOfRange(encrypted(store, "shop", "a"), SALT, SALT_END);
        byte[] later = Arrays.copyOfRange(encrypted(store, "shop", "b"), SALT, SALT_END);
        byte[] other = Arrays.copyOfRange(encrypted(store, "bank", "a"), SALT, SALT_END);

        assertThat(later).as("a later run derives the same key").isEqualTo(first);
        assertThat(other).isNotEqualTo(first);
    }

    /** Whoever may write documents can compute the digest of a header anew. */
    @Test
    void read_headerThatAsksForTooMuchMemory_isDamaged() throws Exception {
        MemoryStateStore store = new MemoryStateStore();
        byte[] content = encrypted(store, "shop", "a");
        ByteBuffer.wrap(content).putInt(6, 300 * 1024);
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(Arrays.copyOf(content, FIXED));
        System.arraycopy(digest, 0, content, FIXED, HEADER - FIXED);
        String version = store.read("shop", "a").orElseThrow().version();
        try (Lock lock = store.lock("shop")) {
            lock.write("a", content, Optional.of(version));
        }

        try (Secret key = Secret.of("a key that is long enough")) {
            StateException refused = catchThrowableOfType(
                    StateException.class, () -> store.encryptedWith(key).read("shop", "a"));
            assertThat(refused).isNotNull();
            assertThat(refused.code()).isEqualTo(ErrorCode.STATE_DAMAGED);
        }
    }
}
