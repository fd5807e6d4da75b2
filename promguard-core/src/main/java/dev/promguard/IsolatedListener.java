package dev.promguard;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls a listener for one event at a time, and keeps what it throws from the verb. An exception or error is logged once for its event,
 * at WARN, and the verb goes on: a listener that counts, draws or asserts must not leave a host half changed. Only the errors after
 * which the virtual machine itself cannot be relied on, such as {@link OutOfMemoryError}, are passed on; a {@link StackOverflowError}
 * is the listener's own. Thread-safe.
 */
final class IsolatedListener implements MeshListener {
    private static final Logger LOG = LoggerFactory.getLogger(IsolatedListener.class);

    private final MeshListener listener;

    IsolatedListener(MeshListener listener) {
        this.listener = listener;
    }

    @Override
    public synchronized void on(MeshEvent event) {
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
