package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryCloud;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.memory.States;
import dev.promguard.spi.LockHolder;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import dev.promguard.state.JdbcStateStore;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;

/** What docs/shared-state.md says: runners that are thrown away, and share a database and a key. */
class SharedStateTest {
    private static final Path GUIDE = Path.of("..", "docs", "shared-state.md");
    private static final Path THIS = Path.of("src/test/java/dev/promguard/SharedStateTest.java");

    private final MemoryCloud cloud = new MemoryCloud();
    private final JdbcDataSource database = new JdbcDataSource();
    private final Secret key = Secret.of("c2hhcmVkIGJ5IGFsbCBydW5uZXJz");
    private String printed = "";

    SharedStateTest() {
        database.setURL("jdbc:h2:mem:shared" + System.identityHashCode(this) + ";DB_CLOSE_DELAY=-1");
    }

    // From the guide:
    static int converge(MeshBuilder spec, DataSource database, Secret key, PrintStream out) {
        Mesh mesh = spec.state(new JdbcStateStore(database).encryptedWith(key)).build();
        try {
            out.println(mesh.apply());
            return 0;
        } catch (StateException e) {
            out.println(e.getMessage());
            return e.code() == ErrorCode.STATE_LOCKED ? 75 : 1;
        } catch (PromGuardException e) {
            out.println(e.getMessage());
            return 1;
        }
    }
    // Until here.

    /** The spec as each runner builds it anew. */
    private MeshBuilder spec(Calls calls) {
        return Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(2, "lon1")
                .provider(calls.watch(cloud))
                .applier(calls.watch(new MemoryHosts(cloud)))
                .waits(Account.NO_WAITS);
    }

    private int runner() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int status = converge(spec(new Calls()), database, key, new PrintStream(out, true, StandardCharsets.UTF_8));
        printed = out.toString(StandardCharsets.UTF_8);
        return status;
    }

    private static List<String> code(String text) {
        return text.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
    }

    @Test
    void guide_itsCode_isTheCodeThatRunsHere() throws Exception {
        String guide = Files.readString(GUIDE).split("```java\n", 2)[1].split("```", 2)[0];
        String here = Files.readString(THIS).split("// From the guide:\n", 3)[1].split("// Until here", 2)[0];

        assertThat(code(guide)).isEqualTo(code(here));
    }

    @Test
    void converge_twoRunnersOneAfterTheOther_shareTheMesh() {
        assertThat(runner()).as(printed).isZero();
        List<String> names = cloud.names();

        assertThat(runner()).as(printed).isZero();

        assertThat(cloud.names()).isEqualTo(names).hasSize(3);
        assertThat(spec(new Calls())
                        .state(new JdbcStateStore(database).encryptedWith(key))
                        .build()
                        .plan()
                        .isEmpty())
                .isTrue();
    }

    @Test
    void converge_twoRunnersAtOnce_oneIsRefusedAndToldWhoHoldsTheLock() throws Exception {
        assertThat(runner()).as(printed).isZero();
        Calls first = new Calls();
        first.breakAt(1, Calls.Problem.BLOCKS);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            Future<Integer> running = thread.submit(() -> converge(
                    spec(first),
                    database,
                    key,
                    new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8)));
            first.awaitBlocked();

            assertThat(runner()).isEqualTo(75);
            assertThat(printed)
                    .startsWith(
                            "mesh shop is being changed by another program (mesh shop of database table promguard_state"
                                    + " is locked by "
                                    + LockHolder.ofThisProcess("apply").user() + " on ")
                    .contains(", process " + ProcessHandle.current().pid() + ", apply since ")
                    .contains("[PG-2001]");

            thread.shutdownNow();
            assertThat(running.get(60, TimeUnit.SECONDS)).isEqualTo(1);
        } finally {
            thread.shutdownNow();
        }
        assertThat(runner()).as(printed).isZero();
    }

    /** All that the table holds, as text and decoded. */
    private String stored() throws SQLException {
        StringBuilder all = new StringBuilder();
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery("SELECT name, content FROM promguard_state ORDER BY mesh, name, part")) {
            while (rows.next()) {
                String content = rows.getString(2);
                all.append(rows.getString(1)).append(' ').append(content).append('\n');
                all.append(new String(Base64.getDecoder().decode(content), StandardCharsets.ISO_8859_1))
                        .append('\n');
            }
        }
        return all.toString();
    }

    @Test
    void stored_encrypted_showsNoSecretNoHostAndNoAddress() throws Exception {
        assertThat(runner()).as(printed).isZero();
        StateStore store = new JdbcStateStore(database).encryptedWith(key);
        MeshState state = States.load(store, "shop").orElseThrow();
        byte[] login = store.read("shop", "id_ed25519").orElseThrow().content();
        String loginLine =
                new String(login, StandardCharsets.UTF_8).lines().toList().get(2);
        SshKeyPair.publicHalf(Secret.of(login));
        List<String> telling = new ArrayList<>(List.of(loginLine, "BEGIN OPENSSH", "ssh-ed25519", "SHA256:"));
        state.hosts().forEach((name, host) -> {
            telling.add(name);
            telling.add(host.address());
            host.publicKey().ifPresent(known -> telling.add(known.base64()));
        });

        assertThat(telling).hasSizeGreaterThan(12);
        assertThat(stored()).contains("id_ed25519", "PGENC").doesNotContain(telling);

        MemoryStateStore plain = new MemoryStateStore();
        store.copyTo(plain, "shop");
        StringBuilder readable = new StringBuilder();
        for (String name : plain.names("shop")) {
            readable.append(new String(plain.read("shop", name).orElseThrow().content(), StandardCharsets.UTF_8));
        }
        assertThat(readable).as("what is looked for would be found").contains(telling);
    }
}
