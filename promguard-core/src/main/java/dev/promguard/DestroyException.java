package dev.promguard;

/**
 * A destroy that did not reach its end on every host. What was taken off is taken off, the other hosts are remembered, and the
 * next destroy goes on from there.
 */
public final class DestroyException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    private final transient DestroyReport report;

    DestroyException(String message, DestroyReport report, Throwable cause) {
        super(message, cause);
        this.report = report;
    }

    /**
     * What was done.
     *
     * @return the partial report
     */
    public DestroyReport report() {
        return report;
    }
}
