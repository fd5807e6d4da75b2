package dev.promguard;

import dev.promguard.blueprint.Names;
import java.util.List;
import java.util.Objects;

/** One change that was made on a host, or in the cloud beside the hosts. Immutable. */
public final class AppliedChange {
    private final String text;
    private final boolean drift;
    private final List<String> stepIds;

    private AppliedChange(Builder builder) {
        this.text = Names.printable(builder.text);
        this.drift = builder.drift;
        this.stepIds = builder.stepIds.stream().map(Names::printable).toList();
    }

    /**
     * Starts a change. For PromGuard's own use, and for tests of programs that embed it.
     *
     * @param text the change in a line
     * @return a builder
     * @throws NullPointerException if it is null
     */
    public static Builder builder(String text) {
        return new Builder(text);
    }

    /**
     * The change for a person.
     *
     * @return the change in a line; what a terminal might obey is replaced
     */
    public String text() {
        return text;
    }

    /**
     * Whether it undid drift, that is, a change made on the host since the last apply.
     *
     * @return true if so
     */
    public boolean drift() {
        return drift;
    }

    /**
     * The steps of the plan that it carried out, by {@link PlannedChange#id()}: mostly one, and several where a plan lists more than one step that
     * a single change makes. On a host that the run created, the plan shows one step, its creation ({@link Plan.Entry#id()}); the changes that set it
     * up have ids of their own.
     *
     * @return such as {@code db-1/file:/etc/hosts}
     */
    public List<String> stepIds() {
        return stepIds;
    }

    /**
     * The change as a report shows it.
     *
     * @return the text behind {@code !} where it was drift and {@code ~} where it was not, as in {@link PlannedChange#toString()}
     */
    @Override
    public String toString() {
        return (drift ? "! " : "~ ") + text;
    }

    /** Collects what a change says. Not thread-safe. */
    public static final class Builder {
        private final String text;
        private boolean drift;
        private List<String> stepIds = List.of();

        private Builder(String text) {
            this.text = Objects.requireNonNull(text, "text");
        }

        /**
         * Sets whether the change undid drift.
         *
         * @param isDrift true if so
         * @return this builder
         */
        public Builder drift(boolean isDrift) {
            this.drift = isDrift;
            return this;
        }

        /**
         * Sets the steps of the plan that it carried out, in place of earlier ones.
         *
         * @param ids the steps' ids
         * @return this builder
         */
        public Builder stepIds(List<String> ids) {
            this.stepIds = List.copyOf(ids);
            return this;
        }

        /**
         * Ends the description.
         *
         * @return the change
         */
        public AppliedChange build() {
            return new AppliedChange(this);
        }
    }
}
