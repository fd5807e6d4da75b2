package dev.promguard;

import org.jspecify.annotations.Nullable;

/** The place where a mesh's state is kept cannot be read or written, or another program is using it. */
public final class StateException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    /** Whether to try again may help. */
    private final boolean retryable;

    /**
     * A failure.
     *
     * @param code what kind of failure it is
     * @param message what failed and what to do
     * @param retryable whether the same call may succeed later
     * @param cause the cause, or null
     */
    public StateException(ErrorCode code, String message, boolean retryable, @Nullable Throwable cause) {
        super(code, message, cause);
        this.retryable = retryable;
    }

    @Override
    public boolean retryable() {
        return retryable;
    }
}
