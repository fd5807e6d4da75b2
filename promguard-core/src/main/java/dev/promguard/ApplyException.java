package dev.promguard;

/**
 * An apply, or a verb that applies, did not finish on every host and in the cloud. The changes that were made stay; {@link #report()}
 * lists them. The last line of the message says which verb continues from there.
 */
public final class ApplyException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    private final transient ApplyReport report;

    ApplyException(String message, ApplyReport report, Throwable cause) {
        super(ErrorCode.APPLY_INCOMPLETE, message, cause);
        if (report.ok()) {
            throw new InvalidSettingException("a report without a failure is no exception's");
        }
        this.report = report;
    }

    /**
     * What was done and what was not.
     *
     * @return the partial report, which is not {@link ApplyReport#ok() ok}
     */
    public ApplyReport report() {
        return report;
    }
}
