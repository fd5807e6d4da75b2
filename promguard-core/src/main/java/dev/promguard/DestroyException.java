package dev.promguard;

/**
 * A destroy that did not reach its end on every host, or found hosts with the mesh's tag that the state does not know. What was
 * removed or taken off is gone, the other hosts are remembered, and the next destroy goes on from there.
 */
public final class DestroyException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    private final transient DestroyReport report;

    DestroyException(String message, DestroyReport report, Throwable cause) {
        super(ErrorCode.DESTROY_INCOMPLETE, message, cause);
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
