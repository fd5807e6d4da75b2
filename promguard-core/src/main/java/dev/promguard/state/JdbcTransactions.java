package dev.promguard.state;

import dev.promguard.ErrorCode;
import dev.promguard.StateException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTransientException;
import java.sql.Statement;
import javax.sql.DataSource;

/** Runs transactions on a store's table, which is created when it is first needed. Thread-safe. */
final class JdbcTransactions {
    /** How often a transaction may collide with others, or be broken by an interruption of its thread. */
    private static final int ATTEMPTS = 10;

    private final DataSource database;
    private final String table;
    private boolean ready;

    JdbcTransactions(DataSource database, String table) {
        this.database = database;
        this.table = table;
    }

    /** What is done in a transaction; done again if the database gives the transaction up. */
    interface Work<T> {
        T in(Connection connection) throws SQLException;
    }

    /** Runs a transaction, also in an interrupted thread, because what has been done must be recorded in any case. */
    <T> T run(String verb, Work<T> work) {
        boolean interrupted = Thread.interrupted();
        try {
            for (int attempt = 1; ; attempt++) {
                try {
                    ensureTable();
                    return once(work);
                } catch (SQLException e) {
                    boolean broken = Thread.interrupted();
                    interrupted |= broken;
                    if (attempt == ATTEMPTS || !(broken || isCollision(e))) {
                        throw failure(verb, e);
                    }
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private <T> T once(Work<T> work) throws SQLException {
        try (Connection connection = database.getConnection()) {
            boolean before = connection.getAutoCommit();
            connection.setAutoCommit(false);
            boolean committed = false;
            try {
                T result = work.in(connection);
                connection.commit();
                committed = true;
                return result;
            } finally {
                if (!committed) {
                    connection.rollback();
                }
                connection.setAutoCommit(before);
            }
        }
    }

    /** Deadlocks, and transactions that the database cannot put in an order; a row that another transaction has just inserted. */
    private static boolean isCollision(SQLException e) {
        String state = e.getSQLState();
        return state != null && (state.startsWith("40") || state.startsWith("23"));
    }

    private synchronized void ensureTable() throws SQLException {
        if (ready) {
            return;
        }
        if (!exists()) {
            create();
        }
        ready = true;
    }

    private boolean exists() throws SQLException {
        try (Connection connection = database.getConnection();
                Statement select = connection.createStatement()) {
            select.executeQuery("SELECT version FROM " + table + " WHERE mesh = '' AND name = '' AND part = 0")
                    .close();
            return true;
        } catch (SQLException e) {
            if (e instanceof SQLTransientException || e instanceof SQLRecoverableException || isConnection(e)) {
                throw e;
            }
            return false;
        }
    }

    private void create() throws SQLException {
        try {
            once(connection -> {
                try (Statement create = connection.createStatement()) {
                    return create.executeUpdate("CREATE TABLE " + table
                            + " (mesh VARCHAR(64) NOT NULL, name VARCHAR(64) NOT NULL, part INTEGER NOT NULL,"
                            + " version BIGINT NOT NULL, content VARCHAR(4000), PRIMARY KEY (mesh, name, part))");
                }
            });
        } catch (SQLException e) {
            // Another program may have been faster.
            if (!exists()) {
                throw e;
            }
        }
    }

    private static boolean isConnection(SQLException e) {
        return e.getSQLState() != null && e.getSQLState().startsWith("08");
    }

    private StateException failure(String verb, SQLException e) {
        // Further lines may quote what was to be written. H2 announces the statement in the first one.
        String message = String.valueOf(e.getMessage())
                .lines()
                .findFirst()
                .orElse("")
                .replaceFirst("; SQL statement:\\s*$", "")
                .replaceFirst("[\\s.:;,]+$", "");
        return new StateException(
                ErrorCode.STATE_INACCESSIBLE,
                "cannot " + verb + " database table " + table + ": " + message
                        + ". Check that the database can be reached and that its user may create, read and write the"
                        + " table, then run again.",
                e instanceof SQLTransientException || e instanceof SQLRecoverableException || isConnection(e),
                e);
    }
}
