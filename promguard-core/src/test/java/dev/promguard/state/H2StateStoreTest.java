package dev.promguard.state;

import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;

class H2StateStoreTest extends JdbcStateStoreContract {
    private final JdbcDataSource database = new JdbcDataSource();

    H2StateStoreTest() {
        database.setURL("jdbc:h2:mem:" + getClass().getName() + System.identityHashCode(this) + ";DB_CLOSE_DELAY=-1");
    }

    @Override
    DataSource database() {
        return database;
    }
}
