package dev.promguard;

/** Some claim about a mesh does not hold. The message lists each with what to do. */
public final class VerifyException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    private final transient VerifyReport report;

    VerifyException(VerifyReport report) {
        super(report.summary(), null);
        this.report = report;
    }

    /**
     * Every claim, those that hold among them.
     *
     * @return the report
     */
    public VerifyReport report() {
        return report;
    }
}
