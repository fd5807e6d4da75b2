package dev.promguard;

import dev.promguard.blueprint.Names;
import dev.promguard.internal.text.StableIds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What an apply, or a rotation of keys, did. Immutable. */
public final class ApplyReport {
    private final String mesh;
    private final List<HostOutcome> hosts;
    private final List<String> removed;
    private final List<AppliedChange> cloud;
    private final List<FailedStep> failedSteps;
    private final Duration duration;
    private final List<String> prometheusCommands;

    private ApplyReport(Builder builder) {
        this.mesh = builder.mesh;
        this.hosts = List.copyOf(builder.hosts);
        this.removed = List.copyOf(builder.removed);
        this.cloud = List.copyOf(builder.cloud);
        this.failedSteps = List.copyOf(builder.failedSteps);
        this.duration = builder.duration;
        this.prometheusCommands = builder.prometheusCommands;
    }

    /**
     * Starts a report. For PromGuard's own use, and for tests of programs that embed it.
     *
     * @param mesh the mesh's name
     * @return a builder
     * @throws NullPointerException if it is null
     */
    public static Builder builder(String mesh) {
        return new Builder(mesh);
    }

    /** What came of a host. */
    public enum Status {
        /** It was up to date; nothing was done on it. */
        UNCHANGED,
        /** It was created or changed, and is now up to date. */
        CHANGED,
        /**
         * No connection confirmed its changes in time, so it has restored its firewall, WireGuard interface and SSH host key, and
         * stopped what the changes had started. The other changes stay.
         */
        ROLLED_BACK,
        /**
         * It was changed, but it is not known whether it keeps the changes: it could not be observed, not even after the time at
         * which it rolls back by itself. Run apply again when it can be reached; apply first finds out what the host kept.
         */
        UNKNOWN,
        /** A step failed; the changes made before it stay. */
        FAILED;

        /**
         * Whether the host is as it should be.
         *
         * @return true if it is
         */
        public boolean ok() {
            return this == UNCHANGED || this == CHANGED;
        }
    }

    /**
     * The mesh's name.
     *
     * @return the name
     */
    public String mesh() {
        return mesh;
    }

    /**
     * The outcome of each host of the spec.
     *
     * @return an outcome for each, in the order of the blueprint
     */
    public List<HostOutcome> hosts() {
        return hosts;
    }

    /**
     * The hosts that were removed.
     *
     * @return their names; empty if there were none
     */
    public List<String> removed() {
        return removed;
    }

    /**
     * What was changed in the cloud beside hosts, such as the rules of its firewall.
     *
     * @return the changes, each in a line; empty if there were none
     */
    public List<String> cloud() {
        return cloud.stream().map(AppliedChange::text).toList();
    }

    /**
     * The changes of {@link #cloud()} with the steps of the plan.
     *
     * @return the changes in the same order
     */
    public List<AppliedChange> cloudChanges() {
        return cloud;
    }

    /**
     * The steps that were done, by the ids that {@link Plan#stepIds()} has. After an apply that was complete, all ids of its plan are among
     * them. Ids of the changes that set up new hosts come in addition.
     *
     * @return the ids of the steps in the cloud, on each host, and of each host's removal; all different
     */
    public List<String> stepIds() {
        return Stream.of(
                        cloud.stream().flatMap(change -> change.stepIds().stream()),
                        hosts.stream().flatMap(host -> host.stepIds().stream()),
                        removed.stream().map(StableIds::ofHost))
                .flatMap(ids -> ids)
                .distinct()
                .toList();
    }

    /**
     * What failed and does not concern a single host, such as a request to the cloud or the removal of a host.
     *
     * @return the steps; empty if none failed
     */
    public List<FailedStep> failedSteps() {
        return failedSteps;
    }

    /**
     * How long it took.
     *
     * @return the time from the call to its end
     */
    public Duration duration() {
        return duration;
    }

    /**
     * How somebody without Java reaches Prometheus on each monitor: with an SSH client, and a key that the monitor admits. While the command
     * runs, Prometheus answers on that machine at {@code http://127.0.0.1:9090/}, or its own port.
     *
     * @return such as {@code ssh -L 9090:127.0.0.1:9090 root@203.0.113.10}; empty where no monitor's address is known
     */
    public List<String> prometheusCommands() {
        return prometheusCommands;
    }

    /**
     * How many changes were made on all hosts and in the cloud together, those that write nothing to a host included.
     *
     * @return the number; 0 if nothing was done
     */
    public int changes() {
        return cloud.size()
                + hosts.stream().mapToInt(host -> host.changes().size()).sum();
    }

    /**
     * How many of the changes undid drift, that is, changes made on a host since the last apply.
     *
     * @return the number; 0 where all changes come from the spec
     */
    public int drift() {
        return hosts.stream().mapToInt(host -> host.drift().size()).sum();
    }

    /**
     * Whether the mesh is as it should be.
     *
     * @return true if no host failed, rolled back, or is in an unknown state, and there are no {@link #failedSteps()}
     */
    public boolean ok() {
        return failedSteps.isEmpty()
                && hosts.stream().allMatch(host -> host.status().ok());
    }

    /**
     * The report as Markdown for a comment on a pull request: failures first, then a table of hosts, and what was done on each. Stays below the 65,536 characters that GitHub takes, and says
     * what was left out for that. Whatever hosts and others wrote stays text: nothing in it becomes a link, a mention or HTML.
     *
     * @return a document (CommonMark with tables, and {@code <details>} for what is long), ending in a line end
     */
    public String toMarkdown() {
        return ReportMarkdown.of(this);
    }

    /**
     * The report as a JSON document for programs, described by {@code docs/promguard-1.schema.json} in the source repository. Its
     * {@code formatVersion} changes only where a field is removed or gets another meaning; fields may be added. Holds no secret.
     *
     * @return the document, ending in a line end
     */
    public String toJson() {
        return ReportJson.of(this);
    }

    /**
     * The report with every change and the id that the step has in the plan: what {@link #toString()} says, and then what was done on each host.
     *
     * @return the text, without a line end at the end
     */
    public String details() {
        return new ApplyText(this).details();
    }

    /**
     * The report as a person reads it.
     *
     * @return a line for the mesh, one for each change in the cloud beside hosts, each failed step and each host, without a line end at
     *     the end
     */
    @Override
    public String toString() {
        return new ApplyText(this).toString();
    }

    /** A step of the whole mesh that failed, or was not taken. Immutable. */
    public static final class FailedStep {
        private final String step;
        private final RuntimeException failure;

        private FailedStep(String step, RuntimeException failure) {
            this.step = Names.printable(step);
            this.failure = Objects.requireNonNull(failure, "failure");
        }

        /**
         * What it was.
         *
         * @return the step in a few words; what a terminal might obey is replaced
         */
        public String step() {
            return step;
        }

        /**
         * Why it failed.
         *
         * @return the failure
         */
        public RuntimeException failure() {
            return failure;
        }

        /**
         * The step in a line.
         *
         * @return what it was, and the message of the failure
         */
        @Override
        public String toString() {
            return step + ": " + Names.printable(String.valueOf(failure.getMessage()));
        }
    }

    /** What came of one host. Immutable. */
    public static final class HostOutcome {
        private final String name;
        private final String region;
        private final String address;
        private final Optional<String> publicAddress;
        private final Status status;
        private final List<AppliedChange> changes;
        private final List<String> notes;
        private final @Nullable RuntimeException failure;

        private HostOutcome(Builder builder) {
            this.name = builder.name;
            this.region = builder.region;
            this.address = builder.address;
            this.publicAddress = builder.publicAddress;
            this.status = builder.status;
            this.changes = List.copyOf(builder.changes);
            this.notes = builder.notes.stream().map(Names::printable).toList();
            this.failure = builder.failure;
        }

        /**
         * Starts an outcome. For PromGuard's own use, and for tests of programs that embed it.
         *
         * @param name the host's name
         * @param status what came of it
         * @return a builder
         * @throws NullPointerException if one is null
         */
        public static Builder builder(String name, Status status) {
            return new Builder(name, status);
        }

        /**
         * The host's name.
         *
         * @return its name in the mesh
         */
        public String name() {
            return name;
        }

        /**
         * Where it is.
         *
         * @return the region, maybe an empty text
         */
        public String region() {
            return region;
        }

        /**
         * Its address inside the tunnels.
         *
         * @return the address
         */
        public String address() {
            return address;
        }

        /**
         * Its public address.
         *
         * @return the address; empty if it has none
         */
        public Optional<String> publicAddress() {
            return publicAddress;
        }

        /**
         * The outcome in one word.
         *
         * @return the status
         */
        public Status status() {
            return status;
        }

        /**
         * What was done on it, and what writes nothing to the host but changes what holds for it: that its host key is trusted, that it is
         * protected, that it was created, or that a viewer is let in by other changes.
         *
         * @return the changes in order, one line each; empty if nothing was done
         */
        public List<String> changes() {
            return changes.stream().map(AppliedChange::text).toList();
        }

        /**
         * The {@link #changes()} with the steps of the plan that they carried out.
         *
         * @return the changes in the same order
         */
        public List<AppliedChange> appliedChanges() {
            return changes;
        }

        /**
         * The steps of the plan that its {@link #appliedChanges()} carried out.
         *
         * @return the ids, those of {@link PlannedChange#id()}; all different
         */
        public List<String> stepIds() {
            return changes.stream()
                    .flatMap(change -> change.stepIds().stream())
                    .distinct()
                    .toList();
        }

        /**
         * The changes that undid drift, that is, changes made on the host since the last apply.
         *
         * @return some of the {@link #changes()}
         */
        public List<String> drift() {
            return changes.stream()
                    .filter(AppliedChange::drift)
                    .map(AppliedChange::text)
                    .toList();
        }

        /**
         * What somebody should know of the host that did not stop the run, such as a package source that does not answer.
         *
         * @return the notes, each in a line; empty if there are none
         */
        public List<String> notes() {
            return notes;
        }

        /**
         * Why it failed.
         *
         * @return the failure, or null if the status is {@link Status#ok() ok}
         */
        public @Nullable RuntimeException failure() {
            return failure;
        }

        /**
         * The outcome in a few words.
         *
         * @return such as {@code shop-node-1: 2 changes}
         */
        @Override
        public String toString() {
            return name + ": " + ApplyText.outcome(this);
        }

        /** Collects what an outcome says. Not thread-safe. */
        public static final class Builder {
            private final String name;
            private final Status status;
            private String region = "";
            private String address = "";
            private Optional<String> publicAddress = Optional.empty();
            private List<AppliedChange> changes = List.of();
            private List<String> notes = List.of();
            private @Nullable RuntimeException failure;

            private Builder(String name, Status status) {
                this.name = Objects.requireNonNull(name, "name");
                this.status = Objects.requireNonNull(status, "status");
            }

            /**
             * Says where the host is.
             *
             * @param where the region
             * @return this builder
             */
            public Builder region(String where) {
                this.region = Objects.requireNonNull(where, "where");
                return this;
            }

            /**
             * Says its address inside the tunnels.
             *
             * @param inside the address
             * @return this builder
             */
            public Builder address(String inside) {
                this.address = Objects.requireNonNull(inside, "inside");
                return this;
            }

            /**
             * Says its public address.
             *
             * @param outside the address
             * @return this builder
             */
            public Builder publicAddress(String outside) {
                this.publicAddress = Optional.of(outside);
                return this;
            }

            /**
             * Says what was done on it, instead of what was said before.
             *
             * @param all the changes in order
             * @return this builder
             */
            public Builder changes(List<AppliedChange> all) {
                this.changes = List.copyOf(all);
                return this;
            }

            /**
             * Says what else somebody should know of it, instead of what was said before.
             *
             * @param all the notes, each in a line
             * @return this builder
             */
            public Builder notes(List<String> all) {
                this.notes = List.copyOf(all);
                return this;
            }

            /**
             * Says why it failed.
             *
             * @param why the failure, or null if it did not
             * @return this builder
             */
            public Builder failure(@Nullable RuntimeException why) {
                this.failure = why;
                return this;
            }

            /**
             * Ends the description.
             *
             * @return the outcome
             */
            public HostOutcome build() {
                return new HostOutcome(this);
            }
        }
    }

    /** Collects what a report says. Not thread-safe. */
    public static final class Builder {
        private final String mesh;
        private final List<HostOutcome> hosts = new ArrayList<>();
        private List<String> removed = List.of();
        private List<AppliedChange> cloud = List.of();
        private final List<FailedStep> failedSteps = new ArrayList<>();
        private Duration duration = Duration.ZERO;
        private List<String> prometheusCommands = List.of();

        private Builder(String mesh) {
            this.mesh = Objects.requireNonNull(mesh, "mesh");
        }

        /**
         * Adds a host.
         *
         * @param outcome what came of it
         * @return this builder
         */
        public Builder addHost(HostOutcome outcome) {
            hosts.add(Objects.requireNonNull(outcome, "outcome"));
            return this;
        }

        /**
         * Says which hosts were removed, instead of what was said before.
         *
         * @param names the hosts' names
         * @return this builder
         */
        public Builder removed(List<String> names) {
            this.removed = List.copyOf(names);
            return this;
        }

        /**
         * Says what was changed in the cloud beside hosts, instead of what was said before.
         *
         * @param all the changes in order
         * @return this builder
         */
        public Builder cloud(List<AppliedChange> all) {
            this.cloud = List.copyOf(all);
            return this;
        }

        /**
         * Adds a step of the whole mesh that failed.
         *
         * @param step what it was, in a few words
         * @param failure why it failed
         * @return this builder
         */
        public Builder addFailedStep(String step, RuntimeException failure) {
            failedSteps.add(new FailedStep(step, failure));
            return this;
        }

        /**
         * Says how long it took.
         *
         * @param elapsed the time
         * @return this builder
         */
        public Builder duration(Duration elapsed) {
            this.duration = Objects.requireNonNull(elapsed, "elapsed");
            return this;
        }

        /**
         * Says how Prometheus is reached with an SSH client, instead of what was said before.
         *
         * @param commands a command for each monitor
         * @return this builder
         */
        public Builder prometheusCommands(List<String> commands) {
            this.prometheusCommands = List.copyOf(commands);
            return this;
        }

        /**
         * Ends the description.
         *
         * @return the report
         */
        public ApplyReport build() {
            return new ApplyReport(this);
        }
    }
}
