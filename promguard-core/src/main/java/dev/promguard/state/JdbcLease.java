package dev.promguard.state;

import dev.promguard.StateException;
import dev.promguard.spi.LockHolder;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransactionRollbackException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A row that says who may change a mesh, and until when by the database's clock. Its version is a number that the holder has drawn, so
 * that a lease which somebody else has taken over is never taken for one's own. Thread-safe.
 */
final class JdbcLease implements AutoCloseable {
    /** The name of the row among the documents, none of which has it. */
    static final String NAME = "lock";

    private static final Logger LOG = LoggerFactory.getLogger(JdbcLease.class);
    private static final String ROW = " WHERE mesh = ? AND name = '" + NAME + "' AND part = 0";

    private final JdbcTransactions transactions;
    private final String table;
    private final String mesh;
    private final LockHolder holder;
    private final Duration duration;
    private final String place;
    private final long token = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
    private final AtomicBoolean open = new AtomicBoolean(true);
    private final ScheduledExecutorService renewals = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "promguard-lease");
        thread.setDaemon(true);
        return thread;
    });

    private JdbcLease(
            JdbcTransactions transactions,
            String table,
            String mesh,
            LockHolder holder,
            Duration duration,
            String place) {
        this.transactions = transactions;
        this.table = table;
        this.mesh = mesh;
        this.holder = holder;
        this.duration = duration;
        this.place = place;
    }

    /** Takes the lease of a mesh, unless somebody else holds it. */
    static JdbcLease acquire(
            JdbcTransactions transactions,
            String table,
            String mesh,
            LockHolder holder,
            Duration duration,
            String place) {
        JdbcLease lease = new JdbcLease(transactions, table, mesh, holder, duration, place);
        try {
            transactions.run("lock", lease::take);
        } catch (StateException | Error e) {
            lease.renewals.shutdownNow();
            throw e;
        }
        long third = Math.max(1, duration.toMillis() / 3);
        ScheduledFuture<?> unused =
                lease.renewals.scheduleWithFixedDelay(lease::renew, third, third, TimeUnit.MILLISECONDS);
        return lease;
    }

    /** The row as it was read, and the database's time then, in milliseconds. */
    private record Row(long token, String content, long now) {
        /** Until when the lease is held; 0 if it was never taken. */
        long expiry() {
            String digits = content.split(" ", 2)[0];
            return digits.matches("[0-9]{1,18}") ? Long.parseLong(digits) : 0;
        }

        Optional<LockHolder> holder() {
            String[] parts = content.split(" ", 2);
            return parts.length < 2 ? Optional.empty() : LockHolder.parse(parts[1]);
        }
    }

    private Optional<Row> row(Connection connection) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT version, content, CURRENT_TIMESTAMP FROM " + table + ROW)) {
            select.setString(1, mesh);
            try (ResultSet rows = select.executeQuery()) {
                return rows.next()
                        ? Optional.of(new Row(
                                rows.getLong(1),
                                String.valueOf(rows.getString(2)),
                                rows.getTimestamp(3).getTime()))
                        : Optional.empty();
            }
        }
    }

    private boolean take(Connection connection) throws SQLException {
        Optional<Row> found = row(connection);
        if (found.isEmpty()) {
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO " + table
                    + " (mesh, name, part, version, content) VALUES (?, '" + NAME + "', 0, ?, '0')")) {
                insert.setString(1, mesh);
                insert.setLong(2, token);
                insert.executeUpdate();
            }
            found = row(connection);
        }
        Row row = found.orElseThrow(() -> new SQLException("the inserted row of the lease is not there"));
        boolean free = row.token() == token || row.expiry() <= row.now();
        if (!free || !replace(connection, row)) {
            Optional<LockHolder> other = row(connection).flatMap(Row::holder);
            throw StateException.locked(mesh, place, other.isPresent() ? other : row.holder(), null);
        }
        return true;
    }

    /** Holds the lease from now on, if its row is still as it was read. */
    private boolean replace(Connection connection, Row before) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE " + table + " SET version = ?, content = ?" + ROW + " AND version = ? AND content = ?")) {
            update.setLong(1, token);
            update.setString(2, (before.now() + duration.toMillis()) + " " + holder);
            update.setString(3, mesh);
            update.setLong(4, before.token());
            update.setString(5, before.content());
            return update.executeUpdate() == 1;
        }
    }

    /** Insists that the lease is held, renews it, and keeps others from taking it until the transaction ends. */
    void prove(Connection connection) throws SQLException {
        Optional<Row> row = row(connection);
        if (open.get() && row.isPresent() && row.get().token() == token) {
            if (replace(connection, row.get())) {
                return;
            }
            throw new SQLTransactionRollbackException("the lease was renewed at the same time", "40001");
        }
        throw StateException.conflict(
                mesh,
                open.get()
                        ? place + " was locked by another program after this run had been out of touch for longer than "
                                + duration
                        : "the lock of " + place + " was released",
                open.get() ? row.flatMap(Row::holder) : Optional.empty());
    }

    private void renew() {
        try {
            transactions.run("renew the lock of", connection -> {
                prove(connection);
                return true;
            });
        } catch (StateException e) {
            // The next write says so, if it is not renewed until then.
            LOG.debug("the lease of mesh {} was not renewed", mesh, e);
        }
    }

    @Override
    public void close() {
        if (!open.getAndSet(false)) {
            return;
        }
        renewals.shutdownNow();
        transactions.run("unlock", connection -> {
            try (PreparedStatement delete =
                    connection.prepareStatement("DELETE FROM " + table + ROW + " AND version = ?")) {
                delete.setString(1, mesh);
                delete.setLong(2, token);
                return delete.executeUpdate();
            }
        });
    }
}
