package dev.promguard;

/** Receives what a verb does, as it happens. */
@FunctionalInterface
public interface MeshListener {
    /**
     * Something happened. Calls for one run are made one at a time, though from several threads, in the order in which it happened: of
     * one host always in the order of its steps. The verb waits for the call to return, so a listener that is slow slows it down. An
     * exception thrown here is logged at WARN, once for each event, and the verb continues. Only an error of the virtual machine
     * itself, such as {@link OutOfMemoryError} but not {@link StackOverflowError}, ends the verb. To end a verb, interrupt the
     * thread that called it.
     *
     * @param event what happened
     */
    void on(MeshEvent event);

    /**
     * A listener that listens to nothing.
     *
     * @return the listener
     */
    static MeshListener none() {
        return event -> {};
    }
}
