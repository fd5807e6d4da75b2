package dev.promguard;

/** The mesh has changed since a plan was made, so that applying it would do something other than it says. Nothing was done. */
public final class PlanOutdatedException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    private final transient Plan current;

    PlanOutdatedException(Plan current) {
        super(
                ErrorCode.PLAN_OUTDATED,
                "the mesh has changed since this plan was made, so nothing was done. Review the current plan and apply that one:\n"
                        + current,
                null);
        this.current = current;
    }

    /**
     * The plan as it would be made now.
     *
     * @return a fresh plan
     */
    public Plan current() {
        return current;
    }
}
