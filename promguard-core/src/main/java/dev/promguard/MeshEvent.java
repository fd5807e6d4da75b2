package dev.promguard;

import dev.promguard.blueprint.Names;
import java.util.Objects;
import java.util.Optional;

/**
 * Something that happened while a verb ran. Holds no secret.
 *
 * @param host the host it happened on; empty for the mesh as a whole
 * @param step what it is about, such as {@code install node_exporter 1.12.1}
 * @param state how far it is
 */
public record MeshEvent(Optional<String> host, String step, State state) {
    /** How far a step is. */
    public enum State {
        /** It begins. */
        STARTED,
        /** It is done. */
        DONE,
        /** It failed; the verb's report says why. */
        FAILED
    }

    /**
     * Checks that all are there, and replaces in the step what a terminal might obey or hide.
     *
     * @throws NullPointerException if one is null
     */
    public MeshEvent {
        Objects.requireNonNull(host, "host");
        step = Names.printable(step);
        Objects.requireNonNull(state, "state");
    }
}
