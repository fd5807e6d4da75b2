package dev.promguard.internal.run;

import dev.promguard.MeshEvent;
import dev.promguard.MeshListener;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a listener what happens, one event at a time, and keeps what it throws from the verb. An exception or error is logged once
 * for its event, at WARN, and the verb goes on: a listener that counts, draws or asserts must not leave a host half changed. Only the
 * errors after which the virtual machine itself cannot be relied on, such as {@link OutOfMemoryError}, are passed on; a
 * {@link StackOverflowError} is the listener's own. Thread-safe.
 */
public final class Events {
    private static final Logger LOG = LoggerFactory.getLogger(Events.class);

    private final MeshListener listener;

    /**
     * Events for a listener.
     *
     * @param listener receives the events
     */
    public Events(MeshListener listener) {
        this.listener = listener;
    }

    /**
     * A step begins.
     *
     * @param host the host; null for the mesh as a whole
     * @param step the step
     */
    public void started(@Nullable String host, String step) {
        tell(host, step, MeshEvent.State.STARTED);
    }

    /**
     * A step is done.
     *
     * @param host the host; null for the mesh as a whole
     * @param step the step
     */
    public void done(@Nullable String host, String step) {
        tell(host, step, MeshEvent.State.DONE);
    }

    /**
     * A step failed.
     *
     * @param host the host; null for the mesh as a whole
     * @param step the step
     */
    public void failed(@Nullable String host, String step) {
        tell(host, step, MeshEvent.State.FAILED);
    }

    private synchronized void tell(@Nullable String host, String step, MeshEvent.State state) {
        MeshEvent event = new MeshEvent(Optional.ofNullable(host), step, state);
        try {
            listener.on(event);
        } catch (Throwable e) {
            if (e instanceof VirtualMachineError fatal && !(e instanceof StackOverflowError)) {
                throw fatal;
            }
            if (e instanceof InterruptedException) {
                // Another language's listener can throw it undeclared, with the flag cleared. The verb must still end.
                Thread.currentThread().interrupt();
            }
            LOG.warn("The listener failed at {}. The verb goes on.", event, e);
        }
    }
}
