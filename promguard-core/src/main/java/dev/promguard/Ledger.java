package dev.promguard;

import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import java.util.function.UnaryOperator;

/** The state of a mesh while a verb runs: each change is on disk before the call that makes it returns. Thread-safe. */
final class Ledger {
    private final StateStore store;
    private MeshState state;

    Ledger(StateStore store, MeshState state) {
        this.store = store;
        this.state = state;
    }

    synchronized MeshState state() {
        return state;
    }

    synchronized void update(UnaryOperator<MeshState> change) {
        MeshState changed = change.apply(state);
        if (!changed.equals(state)) {
            store.save(changed);
            state = changed;
        }
    }
}
