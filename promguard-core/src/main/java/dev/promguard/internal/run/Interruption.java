package dev.promguard.internal.run;

import dev.promguard.CancelledException;
import dev.promguard.PromGuardException;
import java.util.Optional;

/** Tells failures that come of an interruption of the calling thread from others. */
public final class Interruption {
    private Interruption() {}

    /**
     * The interruption that a failure comes of.
     *
     * @param failure what was thrown on this thread
     * @return the interruption; empty if this thread was not interrupted
     */
    public static Optional<CancelledException> behind(PromGuardException failure) {
        if (failure instanceof CancelledException cancelled) {
            return Optional.of(cancelled);
        }
        return Thread.currentThread().isInterrupted()
                ? Optional.of(new CancelledException(
                        "interrupted. What was done is kept, and the next run continues from there.", failure))
                : Optional.empty();
    }
}
