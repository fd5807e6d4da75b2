package dev.promguard;

/** The calling thread was interrupted. What was done is done; calling again goes on from there. The interrupt flag is set. */
public final class CancelledException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    /**
     * An interruption.
     *
     * @param what what was under way, as a sentence
     * @param cause the interruption
     */
    public CancelledException(String what, Throwable cause) {
        super(ErrorCode.CANCELLED, what, cause);
    }

    @Override
    public boolean retryable() {
        return true;
    }
}
