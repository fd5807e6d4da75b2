package dev.promguard;

import dev.promguard.blueprint.Names;
import org.jspecify.annotations.Nullable;

/** The root of every failure that PromGuard reports. Bad arguments to a setter are {@link IllegalArgumentException}s instead. */
public abstract class PromGuardException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * A failure. What a terminal might obey or hide is replaced in its message, and in the messages of its causes, since hosts and
     * clouds have a say in them.
     *
     * @param message what failed, where, and what to do
     * @param cause what brought it about, or null
     */
    protected PromGuardException(String message, @Nullable Throwable cause) {
        super(Names.printable(message), Told.of(cause));
    }

    /**
     * Whether the same call, made again a little later, may succeed with nothing else changed.
     *
     * @return false unless a subclass knows better
     */
    public boolean retryable() {
        return false;
    }
}
