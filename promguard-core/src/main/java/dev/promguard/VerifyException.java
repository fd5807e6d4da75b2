package dev.promguard;

/** Some check of a mesh failed or could not be made. The message lists each with what to do. */
public final class VerifyException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    private final transient VerifyReport report;

    VerifyException(VerifyReport report) {
        super(ErrorCode.VERIFY_FAILED, new VerifyText(report).summary(), null);
        this.report = report;
    }

    /**
     * Every check, those that passed among them.
     *
     * @return the report
     */
    public VerifyReport report() {
        return report;
    }
}
