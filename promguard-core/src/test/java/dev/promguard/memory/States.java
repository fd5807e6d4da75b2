package dev.promguard.memory;

import dev.promguard.internal.run.MeshStates;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.CreateIntent;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.StateStore;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** Reads and changes states as the engine does, for tests that play another program. */
public final class States {
    public static final HostKeyFingerprint BOOTSTRAP_KEY = new HostKeyFingerprint("SHA256:" + "A".repeat(43));
    public static final HostKeyFingerprint OWN = new HostKeyFingerprint("SHA256:" + "B".repeat(43));
    public static final PublicKey KEY = new PublicKey("umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=");

    private States() {}

    /** A state in which nothing is left out. */
    public static MeshState full(String mesh) {
        return new MeshState(
                mesh,
                Map.of(
                        "new",
                        HostState.created("10.0.0.1", "11", BOOTSTRAP_KEY),
                        "between",
                        HostState.created("10.0.0.2", "12", BOOTSTRAP_KEY)
                                .accepting(OWN)
                                .withPublicKey(KEY),
                        "old",
                        new HostState(
                                "fd00::3",
                                Optional.empty(),
                                Optional.of(KEY),
                                Set.of(OWN),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty())),
                Map.of("gone", "10.0.0.9"),
                List.of(new CreateIntent("0123456789abcdef", List.of("next", "after"), BOOTSTRAP_KEY)),
                Optional.of(new AccessKey("7", "aa:bb", true)),
                Map.of("203.0.113.1:22", OWN),
                Set.of("old"));
    }

    /** The state of a mesh. */
    public static Optional<MeshState> load(StateStore store, String mesh) {
        return new MeshStates(store).load(mesh);
    }

    /** Replaces the state of a mesh that nobody has locked. */
    public static void save(StateStore store, MeshState state) {
        locked(store, state.mesh(), states -> {
            states.load(state.mesh());
            states.change(state);
        });
    }

    /** Replaces the login key of a mesh that nobody has locked. */
    public static void saveLoginKey(StateStore store, String mesh, SshKeyPair key) {
        locked(store, mesh, states -> states.saveLoginKey(mesh, key));
    }

    /** Forgets a mesh that nobody has locked. */
    public static void delete(StateStore store, String mesh) {
        locked(store, mesh, states -> states.delete(mesh));
    }

    /** Does something to a mesh while it is locked. */
    public static void locked(StateStore store, String mesh, Consumer<MeshStates> work) {
        MeshStates states = new MeshStates(store);
        try (MeshStates.Locked lock = states.lock(mesh, "test")) {
            Objects.requireNonNull(lock);
            work.accept(states);
        }
    }
}
