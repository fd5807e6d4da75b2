package dev.promguard;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;

/**
 * One page about what was planned, done and verified, to attach to a ticket: a single HTML file without scripts that loads nothing, is
 * readable on a phone and a desktop, and follows the reader's light or dark scheme. It takes what there is of the four. Immutable.
 *
 * <pre>{@code
 * Plan plan = mesh.plan();
 * ApplyReport applied = mesh.apply(plan);
 * Report report = Report.builder().plan(plan).applied(applied).verified(mesh.verify()).build();
 * String page = report.toHtml();
 * }</pre>
 */
public final class Report {
    private final Optional<Plan> plan;
    private final Optional<ApplyReport> applied;
    private final Optional<VerifyReport> verified;
    private final Optional<DestroyReport> removed;
    private final Optional<Instant> createdAt;
    private final String mesh;

    private Report(Builder builder, String mesh) {
        this.plan = builder.plan;
        this.applied = builder.applied;
        this.verified = builder.verified;
        this.removed = builder.removed;
        this.createdAt = builder.createdAt;
        this.mesh = mesh;
    }

    /**
     * Starts a report.
     *
     * @return a builder of a report about nothing yet
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The mesh's name.
     *
     * @return the name
     */
    public String mesh() {
        return mesh;
    }

    Optional<Plan> plan() {
        return plan;
    }

    Optional<ApplyReport> applied() {
        return applied;
    }

    Optional<VerifyReport> verified() {
        return verified;
    }

    Optional<DestroyReport> removed() {
        return removed;
    }

    Optional<Instant> createdAt() {
        return createdAt;
    }

    /**
     * The page. Whatever hosts and others wrote is shown as text. Holds no secret.
     *
     * @return an HTML document, ending in a line end; written as UTF-8 it is the whole report
     */
    public String toHtml() {
        return new ReportHtml(this).toString();
    }

    /**
     * The report in a line.
     *
     * @return such as {@code report on mesh shop}
     */
    @Override
    public String toString() {
        return "report on mesh " + mesh;
    }

    /** Collects what a report is about. Not thread-safe. */
    public static final class Builder {
        private Optional<Plan> plan = Optional.empty();
        private Optional<ApplyReport> applied = Optional.empty();
        private Optional<VerifyReport> verified = Optional.empty();
        private Optional<DestroyReport> removed = Optional.empty();
        private Optional<Instant> createdAt = Optional.empty();

        private Builder() {}

        /**
         * Sets what was planned.
         *
         * @param what the plan
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder plan(Plan what) {
            plan = Optional.of(what);
            return this;
        }

        /**
         * Sets what was done.
         *
         * @param what the report of an apply or a rotation of keys; the partial one of an exception too
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder applied(ApplyReport what) {
            applied = Optional.of(what);
            return this;
        }

        /**
         * Sets what was verified.
         *
         * @param what the report of a verification
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder verified(VerifyReport what) {
            verified = Optional.of(what);
            return this;
        }

        /**
         * Sets what was removed.
         *
         * @param what the report of a destroy
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder removed(DestroyReport what) {
            removed = Optional.of(what);
            return this;
        }

        /**
         * Sets when the report was made.
         *
         * @param time the time, which the page shows in UTC
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder createdAt(Instant time) {
            createdAt = Optional.of(Objects.requireNonNull(time, "time"));
            return this;
        }

        /**
         * Ends the report.
         *
         * @return the report
         * @throws InvalidSettingException if it is about nothing, or its parts are about different meshes
         */
        public Report build() {
            TreeSet<String> meshes = new TreeSet<>();
            plan.ifPresent(one -> meshes.add(one.blueprint().mesh()));
            applied.ifPresent(one -> meshes.add(one.mesh()));
            verified.ifPresent(one -> meshes.add(one.mesh()));
            removed.ifPresent(one -> meshes.add(one.mesh()));
            if (meshes.size() != 1) {
                throw new InvalidSettingException(
                        meshes.isEmpty()
                                ? "the report is about nothing: give it a plan, or the report of a verb"
                                : "the report is about several meshes: " + String.join(", ", meshes)
                                        + ". Make one for each.");
            }
            return new Report(this, meshes.first());
        }
    }
}
