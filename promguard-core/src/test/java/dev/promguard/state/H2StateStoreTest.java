package dev.promguard.state;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.StateException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;

class H2StateStoreTest extends JdbcStateStoreContract {
    private final JdbcDataSource database = new JdbcDataSource();

    H2StateStoreTest() {
        database.setURL("jdbc:h2:mem:" + getClass().getName() + System.identityHashCode(this) + ";DB_CLOSE_DELAY=-1");
    }

    @Override
    DataSource database() {
        return database;
    }

    @Test
    void read_tableOfSomebodyElse_saysWhyToTheEnd() throws SQLException {
        try (Connection connection = database.getConnection();
                Statement create = connection.createStatement()) {
            create.execute("CREATE TABLE taken (other INTEGER)");
        }

        assertThatThrownBy(() -> new JdbcStateStore(database).withTable("taken").read("shop", "state.json"))
                .isInstanceOf(StateException.class)
                .hasMessage(
                        "cannot read database table taken: Table \"TAKEN\" already exists. Check that the database can be reached"
                                + " and that its user may create, read and write the table, then run again. [PG-2002]");
    }
}
