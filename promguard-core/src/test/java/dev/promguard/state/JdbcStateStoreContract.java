package dev.promguard.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import dev.promguard.StateException;
import dev.promguard.spi.LockHolder;
import dev.promguard.spi.StateStore;
import dev.promguard.spi.StateStore.Lock;
import dev.promguard.spi.StateStoreContract;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for a store in any database, beside the contract of all stores. */
abstract class JdbcStateStoreContract extends StateStoreContract {
    private static final Duration SHORT = Duration.ofSeconds(1);
    private static final LockHolder CI = LockHolder.of("ci", "runner-2", 7, "apply", Instant.EPOCH);

    /** A database that outlives the test class. */
    abstract DataSource database();

    private StateStore store = new JdbcStateStore(new Unreachable(this).dataSource());

    @BeforeEach
    void begin() throws SQLException {
        drop();
        store = new JdbcStateStore(database());
    }

    private void drop() throws SQLException {
        execute("DROP TABLE IF EXISTS promguard_state");
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = database().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private String leaseRow() throws SQLException {
        try (Connection connection = database().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT content FROM promguard_state WHERE name = 'lock'")) {
            return rows.next() ? rows.getString(1) : "";
        }
    }

    @Override
    protected StateStore store() {
        return store;
    }

    @Override
    protected StateStore other() {
        return new JdbcStateStore(database());
    }

    /** A data source that can be cut off from the database. */
    private static final class Unreachable {
        private final JdbcStateStoreContract test;
        private final AtomicBoolean cut = new AtomicBoolean();

        Unreachable(JdbcStateStoreContract test) {
            this.test = test;
        }

        DataSource dataSource() {
            return (DataSource) Proxy.newProxyInstance(
                    DataSource.class.getClassLoader(),
                    new Class<?>[] {DataSource.class},
                    (proxy, method, arguments) -> {
                        if (cut.get()) {
                            throw new SQLNonTransientConnectionException("no route to host", "08001");
                        }
                        try {
                            return method.invoke(test.database(), arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }
    }

    private Lock awaitLock(StateStore asking) {
        Instant deadline = Instant.now().plusSeconds(60);
        while (true) {
            try {
                return asking.lock("shop", CI);
            } catch (StateException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.STATE_LOCKED);
                assertThat(Instant.now()).as("the lease expires").isBefore(deadline);
            }
        }
    }

    @Test
    void lock_holderIsOutOfTouch_goesToTheNextWhenTheLeaseExpiresAndTheFirstWritesNothingMore() {
        Unreachable network = new Unreachable(this);
        StateStore lost = new JdbcStateStore(network.dataSource()).withLease(SHORT);
        Lock first = lost.lock("shop", ANNA);
        String version = first.write("state.json", new byte[] {1}, Optional.empty());
        network.cut.set(true);

        try (Lock second = awaitLock(other())) {
            network.cut.set(false);
            for (Runnable late : List.<Runnable>of(
                    () -> first.write("state.json", new byte[] {2}, Optional.of(version)),
                    () -> first.write("new", new byte[] {2}, Optional.empty()),
                    () -> first.delete(Set.of("state.json")))) {
                StateException refused = catchThrowableOfType(StateException.class, late::run);
                assertThat(refused.code()).isEqualTo(ErrorCode.STATE_CONFLICT);
                assertThat(refused.lockHolder()).contains(CI);
                assertThat(refused).hasMessageContaining("mesh shop of database table promguard_state was locked by");
            }
            first.close();
            assertThatThrownBy(() -> other().lock("shop", ANNA))
                    .as("what the first one closes is not the second one's lease")
                    .isInstanceOf(StateException.class);
            second.write("state.json", new byte[] {3}, Optional.of(version));
        }
        assertThat(store.read("shop", "state.json").orElseThrow().content()).containsExactly(3);
    }

    @Test
    void lock_heldForLongerThanItsLease_isRenewed() throws Exception {
        Set<String> leases = new HashSet<>();
        try (Lock lock = new JdbcStateStore(database()).withLease(SHORT).lock("shop", ANNA)) {
            Instant until = Instant.now().plus(SHORT.multipliedBy(3));
            while (leases.size() < 4 || Instant.now().isBefore(until)) {
                leases.add(leaseRow());
                assertThatThrownBy(() -> other().lock("shop", CI)).isInstanceOf(StateException.class);
            }
            lock.write("state.json", new byte[] {1}, Optional.empty());
        }
        assertThat(leaseRow()).isEmpty();
    }

    @Test
    void everyCall_manyProgramsBeginAtOnce_createOneTable() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 5; round++) {
                drop();
                List<Future<Set<String>>> calls = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    calls.add(threads.submit(() -> other().names("shop")));
                }
                for (Future<Set<String>> call : calls) {
                    assertThat(call.get()).isEmpty();
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void everyCall_databaseCannotBeReached_saysSoAndMayBeTriedAgain() {
        Unreachable network = new Unreachable(this);
        network.cut.set(true);
        StateStore cut = new JdbcStateStore(network.dataSource());

        for (Runnable call :
                List.<Runnable>of(() -> cut.read("shop", "a"), () -> cut.names("shop"), () -> cut.lock("shop", ANNA))) {
            StateException failure = catchThrowableOfType(StateException.class, call::run);
            assertThat(failure.code()).isEqualTo(ErrorCode.STATE_INACCESSIBLE);
            assertThat(failure.retryable()).isTrue();
            assertThat(failure).hasMessageContaining("database table promguard_state: no route to host");
        }
        network.cut.set(false);
        assertThat(cut.names("shop")).isEmpty();
    }

    @Test
    void read_rowsThatSomebodyAltered_areDamaged() throws Exception {
        try (Lock lock = store.lock("shop", ANNA)) {
            lock.write("state.json", new byte[5000], Optional.empty());
        }
        execute("UPDATE promguard_state SET content = '%%%' WHERE name = 'state.json' AND part = 1");

        assertThatThrownBy(() -> store.read("shop", "state.json"))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STATE_DAMAGED));
    }

    @Test
    void withTable_anotherTable_keepsItsDocumentsApart() throws Exception {
        execute("DROP TABLE IF EXISTS other_state");
        StateStore apart = new JdbcStateStore(database()).withTable("other_state");
        try (Lock lock = apart.lock("shop", ANNA)) {
            lock.write("state.json", new byte[] {1}, Optional.empty());
            store.lock("shop", CI).close();
        }
        assertThat(apart.names("shop")).containsExactly("state.json");
        assertThat(store.names("shop")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a;b", "a.b.c", "1a", "a'", "a\"b", "\u00e4"})
    void withTable_notAName_isRefused(String name) {
        assertThatThrownBy(() -> new JdbcStateStore(database()).withTable(name))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("table name ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT0.9S", "-PT5S", "PT1H0.001S"})
    void withLease_tooShortOrTooLong_isRefused(Duration lease) {
        assertThatThrownBy(() -> new JdbcStateStore(database()).withLease(lease))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining(" is out of range: use one second to one hour");
    }
}
