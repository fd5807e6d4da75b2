package dev.promguard;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The calling thread was interrupted. The changes made so far stay, and calling the verb again continues from there; after
 * {@link Mesh#replace} has deleted the host, {@link Mesh#apply()} does. The thread's interrupt flag is set.
 */
public final class CancelledException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable ApplyReport report;

    /**
     * An interruption.
     *
     * @param what what was under way, as a sentence
     * @param cause the interruption
     */
    public CancelledException(String what, Throwable cause) {
        this(what, cause, null);
    }

    CancelledException(String what, @Nullable Throwable cause, @Nullable ApplyReport report) {
        super(ErrorCode.CANCELLED, what, cause);
        this.report = report;
    }

    /** The same interruption with what was done until then. */
    CancelledException with(ApplyReport done) {
        return with(done, List.of());
    }

    /** The same interruption with what was done until then, of which its message says some in sentences. */
    CancelledException with(ApplyReport done, List<String> sentences) {
        return new CancelledException(
                sentences.isEmpty() ? reason() : reason() + "\n  " + String.join(" ", sentences), getCause(), done);
    }

    /**
     * What an apply or a rotation of keys had done before it was interrupted.
     *
     * @return the partial report, which is not {@link ApplyReport#ok() ok}; empty if nothing had begun, and for other verbs. A
     *     host that had not been started is reported as unchanged; a host that was being changed is reported with the changes
     *     that are known to be done
     */
    public Optional<ApplyReport> report() {
        return Optional.ofNullable(report);
    }

    @Override
    public boolean retryable() {
        return true;
    }
}
