package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.spi.StateStore;
import dev.promguard.state.FileStateStore;
import dev.promguard.state.FullDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The controller's disk becomes full at each write in turn, and has room again when the verb is run the next time. */
class StateDiskFullTest {
    /** It says of each state that could not be shortened. */
    @RegisterExtension
    static final SilentLogger SILENT = new SilentLogger("dev.promguard.internal.run");

    @TempDir
    private Path folder;

    static Stream<Arguments> verbs() {
        return Stream.of(
                verb("first apply", false, MeshBuilder::apply),
                verb("rotation", true, mesh -> mesh.build().rotateKeys()),
                verb("destroy", true, mesh -> mesh.build().destroy()));
    }

    private static Arguments verb(String name, boolean applied, Consumer<MeshBuilder> verb) {
        return Arguments.of(name, applied, verb);
    }

    private static MeshBuilder spec(Account account, StateStore store) {
        return account.spec().nodes(1, "lon1").parallelism(1).state(store);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("verbs")
    void verb_diskFullAtEachWrite_isEndedByTheNextRun(String name, boolean applied, Consumer<MeshBuilder> verb)
            throws Exception {
        boolean full = true;
        int room = 0;
        for (; full; room++) {
            Path root = folder.resolve("root-" + room);
            Account account = new Account();
            FileStateStore store = new FileStateStore(root);
            if (applied) {
                spec(account, store).apply();
            }
            FullDisk disk = new FullDisk(room);
            try {
                verb.accept(spec(account, disk.store(root)));
            } catch (PromGuardException e) {
                assertThat(e).as("with room for %d", room).hasMessageContaining("No space left on device");
            }
            full = disk.needs() > room;

            verb.accept(spec(account, store));

            assertThat(account.hosts.open()).isZero();
            try (Stream<Path> files =
                    Files.exists(root.resolve("shop")) ? Files.list(root.resolve("shop")) : Stream.of()) {
                assertThat(files.map(file -> file.getFileName().toString()))
                        .as("files with room for %d", room)
                        .noneMatch(file -> file.endsWith(".new") || file.startsWith("changes-"));
            }
            if (name.equals("destroy")) {
                assertThat(account.cloud.names()).isEmpty();
                assertThat(account.cloud.accessKeys()).isZero();
                assertThat(store.names("shop")).isEmpty();
            } else {
                assertThat(account.cloud.names()).containsExactly("shop-monitor-1", "shop-node-1");
                assertThat(account.cloud.accessKeys()).isEqualTo(1);
                assertThat(spec(account, store).plan().isEmpty()).isTrue();
                WorldChecks.checkTunnels(
                        "shop-monitor-1",
                        Map.of(
                                "shop-monitor-1",
                                account.cloud.machine("shop-monitor-1"),
                                "shop-node-1",
                                account.cloud.machine("shop-node-1")),
                        List.of());
            }
        }
        if (name.equals("destroy")) {
            assertThat(room).as("runs: a destroy needs no room at all").isEqualTo(1);
        } else {
            assertThat(room).as("runs: one for each thing that needs room").isGreaterThan(5);
        }
    }
}
