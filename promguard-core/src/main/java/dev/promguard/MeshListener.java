package dev.promguard;

/** Told of what a verb does, as it happens. */
@FunctionalInterface
public interface MeshListener {
    /**
     * Something happened. Calls come one at a time, though from several threads. The verb waits for the call to return; an
     * exception thrown here ends the verb.
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
