package dev.promguard.state;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import dev.promguard.StateException;
import dev.promguard.blueprint.Names;
import dev.promguard.spi.LockHolder;
import dev.promguard.spi.StateStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/**
 * Keeps meshes in one table of a database, so that a team and CI runners share them. The table is created when it is first needed, with
 * standard SQL; where the database's user may not create it, an administrator does:
 *
 * <pre>
 * CREATE TABLE promguard_state (mesh VARCHAR(64) NOT NULL, name VARCHAR(64) NOT NULL, part INTEGER NOT NULL,
 *     version BIGINT NOT NULL, content VARCHAR(4000), PRIMARY KEY (mesh, name, part))
 * </pre>
 *
 * <p>A mesh is locked by a lease, a row of the same table that names its holder. A living holder renews it, from a thread of its own; the
 * lease of a dead one expires, by the database's clock. Each write checks in its own transaction that the lease is still held, so a runner
 * that was suspended for longer writes nothing. A run that is killed holds the mesh until its lease expires, so runs that follow are
 * refused until then.
 *
 * <p>The contents are readable to whoever may read the table, and one of them is the private SSH login key: see {@link
 * StateStore#encryptedWith}. Thread-safe. Takes one connection for each call, and none between calls; the data source is not closed.
 */
public final class JdbcStateStore implements StateStore {
    private static final String TABLE = "promguard_state";
    private static final Pattern TABLE_NAME =
            Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,62}([.][A-Za-z_][A-Za-z0-9_]{0,62})?");
    private static final Duration LEASE = Duration.ofSeconds(60);
    private static final Duration SHORTEST_LEASE = Duration.ofSeconds(1);
    private static final Duration LONGEST_LEASE = Duration.ofHours(1);
    /** As many bytes as Base64 needs 4,000 characters for, which every database's VARCHAR can hold. */
    private static final int PART = 3000;
    /** How often to read again when parts of two versions were read, which few databases allow. */
    private static final int READS = 20;

    private final DataSource database;
    private final String table;
    private final Duration lease;
    private final JdbcTransactions transactions;

    /**
     * Keeps meshes in the table {@code promguard_state} of the default schema, with a lease of a minute.
     *
     * @param database where connections come from, with the rights to read and write the table
     * @throws NullPointerException if {@code database} is null
     */
    public JdbcStateStore(DataSource database) {
        this(database, TABLE, LEASE);
    }

    private JdbcStateStore(DataSource database, String table, Duration lease) {
        this.database = Objects.requireNonNull(database, "database");
        this.table = table;
        this.lease = lease;
        this.transactions = new JdbcTransactions(database, table);
    }

    /**
     * The same with another table.
     *
     * @param name the table's name, which may begin with a schema's and a dot
     * @return a new store
     * @throws InvalidSettingException if it is not made of letters, digits and underscores
     */
    public JdbcStateStore withTable(String name) {
        if (!TABLE_NAME.matcher(name).matches()) {
            throw new InvalidSettingException(
                    "table name " + Names.quote(name)
                            + " is not made of letters, digits and underscores, with at most one dot: name the table otherwise");
        }
        return new JdbcStateStore(database, name, lease);
    }

    /**
     * The same with another lease. A holder renews it after each third of it.
     *
     * @param duration how long a mesh stays locked after its holder has died; a second to an hour
     * @return a new store
     * @throws InvalidSettingException if it is shorter or longer
     */
    public JdbcStateStore withLease(Duration duration) {
        if (duration.compareTo(SHORTEST_LEASE) < 0 || duration.compareTo(LONGEST_LEASE) > 0) {
            throw new InvalidSettingException("lease " + duration + " is out of range: use one second to one hour");
        }
        return new JdbcStateStore(database, table, duration);
    }

    @Override
    public Optional<Document> read(String mesh, String name) {
        return transactions.run("read", connection -> {
            for (int attempt = 0; attempt < READS; attempt++) {
                List<String> parts = new ArrayList<>();
                Set<Long> versions = new TreeSet<>();
                try (PreparedStatement select = connection.prepareStatement(
                        "SELECT version, content FROM " + table + " WHERE mesh = ? AND name = ? ORDER BY part")) {
                    select.setString(1, mesh);
                    select.setString(2, name);
                    try (ResultSet rows = select.executeQuery()) {
                        while (rows.next()) {
                            versions.add(rows.getLong(1));
                            parts.add(Objects.requireNonNullElse(rows.getString(2), ""));
                        }
                    }
                }
                if (parts.isEmpty()) {
                    return Optional.empty();
                } else if (versions.size() == 1) {
                    return Optional.of(new Document(
                            decoded(mesh, name, parts), text(versions.iterator().next())));
                }
            }
            throw StateException.conflict(
                    mesh,
                    describe(mesh, name) + " was changed by another program each time while it was read",
                    Optional.empty());
        });
    }

    private byte[] decoded(String mesh, String name, List<String> parts) {
        try {
            return Base64.getDecoder().decode(String.join("", parts));
        } catch (IllegalArgumentException e) {
            throw new StateException(
                    ErrorCode.STATE_DAMAGED,
                    describe(mesh, name) + " cannot be understood (it is not Base64). Restore the table's rows of mesh "
                            + mesh
                            + " from a backup. Without one, have recover(…) with replaceState() rebuild them from the hosts"
                            + " before you run apply.",
                    false,
                    e);
        }
    }

    private static String text(long version) {
        return Long.toString(version);
    }

    @Override
    public Set<String> names(String mesh) {
        return transactions.run("read", connection -> {
            Set<String> names = new TreeSet<>();
            try (PreparedStatement select = connection.prepareStatement("SELECT name FROM " + table
                    + " WHERE mesh = ? AND part = 0 AND name <> '" + JdbcLease.NAME + "'")) {
                select.setString(1, mesh);
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        names.add(rows.getString(1));
                    }
                }
            }
            return names;
        });
    }

    @Override
    public Lock lock(String mesh, LockHolder holder) {
        return new HeldLock(mesh, JdbcLease.acquire(transactions, table, mesh, holder, lease, describe(mesh)));
    }

    @Override
    public String describe(String mesh) {
        return "mesh " + mesh + " of database table " + table;
    }

    /** The lease of a mesh, and what may be done while it is held. */
    private final class HeldLock implements Lock {
        private final String mesh;
        private final JdbcLease held;

        HeldLock(String mesh, JdbcLease held) {
            this.mesh = mesh;
            this.held = held;
        }

        @Override
        public String write(String name, byte[] content, Optional<String> expected) {
            requireName(name);
            long version = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
            return transactions.run("write", connection -> {
                held.prove(connection);
                Optional<String> now = version(connection, name).map(JdbcStateStore::text);
                // A transaction whose answer was lost, and which is tried again.
                if (now.equals(Optional.of(text(version)))) {
                    return text(version);
                }
                if (!now.equals(expected)) {
                    throw StateException.conflict(
                            mesh, describe(mesh, name) + " was changed by another program", Optional.empty());
                }
                delete(connection, name);
                insert(connection, name, version, content);
                return text(version);
            });
        }

        private Optional<Long> version(Connection connection, String name) throws SQLException {
            try (PreparedStatement select = connection.prepareStatement(
                    "SELECT version FROM " + table + " WHERE mesh = ? AND name = ? AND part = 0")) {
                select.setString(1, mesh);
                select.setString(2, name);
                try (ResultSet rows = select.executeQuery()) {
                    return rows.next() ? Optional.of(rows.getLong(1)) : Optional.empty();
                }
            }
        }

        private void insert(Connection connection, String name, long version, byte[] content) throws SQLException {
            String text = Base64.getEncoder().encodeToString(content);
            int length = PART / 3 * 4;
            try (PreparedStatement insert = connection.prepareStatement(
                    "INSERT INTO " + table + " (mesh, name, part, version, content) VALUES (?, ?, ?, ?, ?)")) {
                for (int part = 0; part == 0 || part * length < text.length(); part++) {
                    insert.setString(1, mesh);
                    insert.setString(2, name);
                    insert.setInt(3, part);
                    insert.setLong(4, version);
                    insert.setString(5, text.substring(part * length, Math.min(text.length(), (part + 1) * length)));
                    insert.addBatch();
                }
                insert.executeBatch();
            }
        }

        private void delete(Connection connection, String name) throws SQLException {
            try (PreparedStatement delete =
                    connection.prepareStatement("DELETE FROM " + table + " WHERE mesh = ? AND name = ?")) {
                delete.setString(1, mesh);
                delete.setString(2, name);
                delete.executeUpdate();
            }
        }

        @Override
        public void delete(Set<String> names) {
            names.forEach(JdbcStateStore::requireName);
            transactions.run("delete from", connection -> {
                held.prove(connection);
                for (String name : names) {
                    delete(connection, name);
                }
                return names;
            });
        }

        @Override
        public void close() {
            held.close();
        }
    }

    private static void requireName(String name) {
        if (name.equals(JdbcLease.NAME)) {
            throw new InvalidSettingException("not a document's name: " + Names.quote(name));
        }
    }

    /**
     * Where the states are, in a line.
     *
     * @return such as {@code JdbcStateStore[promguard_state]}
     */
    @Override
    public String toString() {
        return "JdbcStateStore[" + table + "]";
    }
}
