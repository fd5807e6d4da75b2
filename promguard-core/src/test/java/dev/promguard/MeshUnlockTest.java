package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.spi.LockHolder;
import dev.promguard.spi.StateStore;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The state's database is out of reach when a run releases its lock: what the run did is reported all the same. */
class MeshUnlockTest {
    /** It says that the lock could not be released. */
    @RegisterExtension
    static final SilentLogger SILENT = new SilentLogger("dev.promguard.internal.run.StateLog");

    private final Account account = new Account();

    /** A store that fails to release locks, which expire at once. */
    private record OutOfReach(StateStore store) implements StateStore {
        @Override
        public Optional<Document> read(String mesh, String name) {
            return store.read(mesh, name);
        }

        @Override
        public Set<String> names(String mesh) {
            return store.names(mesh);
        }

        @Override
        public String describe(String mesh) {
            return store.describe(mesh);
        }

        @Override
        public Lock lock(String mesh, LockHolder holder) {
            Lock lock = store.lock(mesh, holder);
            return new Lock() {
                @Override
                public String write(String name, byte[] content, Optional<String> expected) {
                    return lock.write(name, content, expected);
                }

                @Override
                public void delete(Set<String> names) {
                    lock.delete(names);
                }

                @Override
                public void close() {
                    lock.close();
                    throw new StateException(ErrorCode.STATE_INACCESSIBLE, "cannot unlock: out of reach", true, null);
                }
            };
        }
    }

    private Mesh mesh() {
        return account.spec().state(new OutOfReach(account.store)).build();
    }

    static Stream<Arguments> verbs() {
        return Stream.of(
                Arguments.of("apply", (Function<Mesh, ?>) Mesh::apply, "mesh shop"),
                Arguments.of("replace", (Function<Mesh, ?>) mesh -> mesh.replace("shop-node-1"), "shop-node-1"),
                Arguments.of("rotateKeys", (Function<Mesh, ?>) Mesh::rotateKeys, "mesh shop"),
                Arguments.of(
                        "recover",
                        (Function<Mesh, ?>) mesh ->
                                mesh.recover(how -> how.trustOnFirstUse().replaceState()),
                        "shop-node-2"),
                Arguments.of("destroy", (Function<Mesh, ?>) Mesh::destroy, "removed shop-monitor-1"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("verbs")
    void verb_lockCannotBeReleased_reportsWhatItDid(String name, Function<Mesh, ?> verb, String words) {
        account.spec().apply();

        assertThat(verb.apply(mesh())).asString().contains(words);
        WorldChecks.assertUnlocked(account.store);
    }
}
