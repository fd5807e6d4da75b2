package dev.promguard.internal.run;

import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The state of a mesh while a verb runs: each change is durable before the call that makes it returns. Changes that threads make while
 * one of them is being written are written together, by one of these threads. Thread-safe.
 */
public final class StateJournal {
    private final MeshStates states;
    /** What is durable. */
    private MeshState state;

    private List<Change> waiting = new ArrayList<>();
    private boolean writing;

    /** A change that a thread waits for. Guarded by the journal. */
    private static final class Change {
        private final UnaryOperator<MeshState> what;
        private boolean done;
        private @Nullable Throwable failure;

        Change(UnaryOperator<MeshState> what) {
            this.what = what;
        }
    }

    /**
     * A journal.
     *
     * @param states where the state is kept
     * @param state the state as it was loaded
     */
    public StateJournal(MeshStates states, MeshState state) {
        this.states = states;
        this.state = state;
    }

    /**
     * The state now.
     *
     * @return what is durable
     */
    public synchronized MeshState state() {
        return state;
    }

    /**
     * Changes the state. Nothing is written where nothing changes.
     *
     * @param what what to change; pure, since another thread may call it
     * @throws dev.promguard.StateException if it cannot be kept; it is then unchanged
     */
    public void update(UnaryOperator<MeshState> what) {
        Change change = new Change(what);
        List<Change> group = joined(change);
        if (!group.isEmpty()) {
            write(group);
        }
        if (change.failure instanceof Error error) {
            throw error;
        } else if (change.failure instanceof RuntimeException failure) {
            throw failure;
        }
    }

    /** Waits until a change is done, or until its thread has to write it, with all others that wait. */
    private synchronized List<Change> joined(Change change) {
        waiting.add(change);
        boolean interrupted = false;
        while (writing && !change.done) {
            try {
                wait();
            } catch (InterruptedException e) {
                // What has been done must be recorded in any case.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (change.done) {
            return List.of();
        }
        writing = true;
        List<Change> group = waiting;
        waiting = new ArrayList<>();
        return group;
    }

    private void write(List<Change> group) {
        MeshState before = state();
        MeshState after = before;
        Throwable failure = null;
        try {
            for (Change change : group) {
                after = changed(after, change);
            }
            if (!after.equals(before)) {
                states.change(after);
            }
        } catch (RuntimeException | Error e) {
            failure = e;
        }
        synchronized (this) {
            for (Change change : group) {
                change.failure = change.failure == null ? failure : change.failure;
                change.done = true;
            }
            state = failure == null ? after : before;
            writing = false;
            notifyAll();
        }
    }

    /** A change that is refused does not hold back the others. */
    private static MeshState changed(MeshState before, Change change) {
        try {
            return change.what.apply(before);
        } catch (RuntimeException e) {
            change.failure = e;
            return before;
        }
    }

    /**
     * Changes what is remembered of one host.
     *
     * @param name the name of a host that is remembered
     * @param change what to change
     * @throws dev.promguard.StateException if it cannot be kept; it is then unchanged
     */
    public void updateHost(String name, UnaryOperator<HostState> change) {
        update(now -> now.with(name, change.apply(host(now, name))));
    }

    /**
     * What is remembered of a host.
     *
     * @param name the host's name
     * @return its state
     * @throws IllegalStateException if nothing is remembered of it
     */
    public HostState host(String name) {
        return host(state(), name);
    }

    private static HostState host(MeshState state, String name) {
        HostState host = state.hosts().get(name);
        if (host == null) {
            throw new IllegalStateException("nothing is remembered of " + name);
        }
        return host;
    }
}
