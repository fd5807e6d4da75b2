package dev.promguard;

/**
 * A destroy did not finish on every host, or found hosts with the mesh's tag that the state does not know. Hosts that were
 * removed are gone; the state keeps the others, and the next destroy continues with them.
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
