package dev.promguard.state;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.memory.Postgres;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** Needs Debian's package postgresql, and starts a server of its own. */
class PostgresStateStoreTest extends JdbcStateStoreContract {
    private static @Nullable Postgres server;

    @BeforeAll
    static void start() throws Exception {
        Optional<Path> programs = Postgres.programs();
        assumeTrue(programs.isPresent(), "the package postgresql is not installed");
        server = Postgres.start(programs.get());
    }

    @AfterAll
    static void stop() throws Exception {
        if (server != null) {
            server.stop();
        }
    }

    @Override
    DataSource database() {
        return Objects.requireNonNull(server).database();
    }
}
