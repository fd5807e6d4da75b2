package dev.promguard.internal.run;

import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.StateStore;
import java.util.function.UnaryOperator;

/** The state of a mesh while a verb runs: each change is on disk before the call that makes it returns. Thread-safe. */
public final class StateJournal {
    private final StateStore store;
    private MeshState state;

    /**
     * A journal.
     *
     * @param store where the state is kept
     * @param state the state as it was loaded
     */
    public StateJournal(StateStore store, MeshState state) {
        this.store = store;
        this.state = state;
    }

    /**
     * The state now.
     *
     * @return what is on disk
     */
    public synchronized MeshState state() {
        return state;
    }

    /**
     * Changes the state. Nothing is written where nothing changes.
     *
     * @param change what to change
     * @throws dev.promguard.StateException if it cannot be kept; it is then unchanged
     */
    public synchronized void update(UnaryOperator<MeshState> change) {
        MeshState changed = change.apply(state);
        if (!changed.equals(state)) {
            store.save(changed);
            state = changed;
        }
    }

    /**
     * Changes what is remembered of one host.
     *
     * @param name the name of a host that is remembered
     * @param change what to change
     * @throws dev.promguard.StateException if it cannot be kept; it is then unchanged
     */
    public synchronized void updateHost(String name, UnaryOperator<HostState> change) {
        update(now -> now.with(name, change.apply(host(name))));
    }

    /**
     * What is remembered of a host.
     *
     * @param name the host's name
     * @return its state
     * @throws IllegalStateException if nothing is remembered of it
     */
    public synchronized HostState host(String name) {
        HostState host = state.hosts().get(name);
        if (host == null) {
            throw new IllegalStateException("nothing is remembered of " + name);
        }
        return host;
    }
}
