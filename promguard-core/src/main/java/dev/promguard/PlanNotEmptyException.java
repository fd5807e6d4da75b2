package dev.promguard;

/** A plan was required to be empty, and is not: the mesh is not up to date, or a host could not be read. Nothing was done. */
public final class PlanNotEmptyException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    private final transient Plan plan;

    PlanNotEmptyException(Plan plan) {
        super(ErrorCode.PLAN_NOT_EMPTY, plan.toString(), null);
        this.plan = plan;
    }

    /**
     * The plan that is not empty.
     *
     * @return the plan that the message shows
     */
    public Plan plan() {
        return plan;
    }
}
