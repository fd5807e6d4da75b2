package dev.promguard;

import dev.promguard.internal.decide.Decision;

/** Shows decisions to tests in other packages as users see them. */
public final class DecisionViews {
    private DecisionViews() {}

    /** A decision as a plan. */
    public static Plan plan(Decision decision) {
        return Views.plan(decision);
    }
}
