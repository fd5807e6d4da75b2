package dev.promguard;

import dev.promguard.blueprint.Names;
import dev.promguard.internal.text.StableIds;
import java.util.Objects;
import java.util.Optional;

/**
 * One change that a plan is about: on a host, or in the cloud beside the hosts. Equal to another by value, whatever plan it is in.
 * Immutable.
 *
 * <p>Every text is safe to print: what a terminal might obey is replaced.
 */
public final class PlannedChange {
    private final String resource;
    private final ChangeAction action;
    private final String subject;
    private final Optional<String> before;
    private final Optional<String> after;
    private final boolean drift;
    private final String text;
    private final Optional<String> diff;
    private final String id;

    private PlannedChange(Builder builder) {
        this.resource = builder.resource;
        this.action = builder.action;
        this.subject = Names.printable(builder.subject);
        this.before = builder.before.map(Names::printable);
        this.after = builder.after.map(Names::printable);
        this.drift = builder.drift;
        this.text = Names.printable(builder.text);
        this.diff = builder.diff;
        this.id = idWithoutHost();
    }

    private PlannedChange(PlannedChange other, String id) {
        this.resource = other.resource;
        this.action = other.action;
        this.subject = other.subject;
        this.before = other.before;
        this.after = other.after;
        this.drift = other.drift;
        this.text = other.text;
        this.diff = other.diff;
        this.id = id;
    }

    PlannedChange withId(String unique) {
        return new PlannedChange(this, unique);
    }

    String idWithoutHost() {
        return StableIds.ofChange(resource, action.name(), subject);
    }

    /**
     * Starts a change. For PromGuard's own use, and for tests of programs that embed it.
     *
     * @param resource the kind of resource
     * @param action what is done
     * @param subject what it is done to
     * @param text the change in a line
     * @return a builder
     * @throws NullPointerException if one is null
     */
    public static Builder builder(String resource, ChangeAction action, String subject, String text) {
        return new Builder(resource, action, subject, text);
    }

    /**
     * The id of this step, by which a program or a ticket can refer to it. It is unique in its plan, and the same in every plan that would do
     * the same to the same subject: {@code HOST/RESOURCE:SUBJECT}, with white space in the subject as {@code -}. Creating, updating and
     * removing a subject have the same id; other actions follow it, as in {@code db-1/unit:prometheus.service#restart}. In place of the
     * host stands {@code mesh:NAME} in the cloud. Where several steps of a plan would have the same id, each has a suffix
     * {@code ~} with eight hex digits that follow from its text.
     *
     * @return such as {@code db-1/file:/etc/prometheus/prometheus.yml}; for a change that is in no plan, the same without the host
     */
    public String id() {
        return id;
    }

    /**
     * The kind of resource that is changed, by a name that stays the same across releases.
     *
     * @return {@code package}, {@code user}, {@code release}, {@code file}, {@code secret}, {@code firewall}, {@code kill-switch},
     *     {@code wireguard}, {@code unit}, {@code host-key}, {@code manifest} or {@code host} on a host; {@code cloud-firewall} or
     *     {@code cloud-tag} in the cloud. More may be added
     */
    public String resource() {
        return resource;
    }

    /**
     * What is done.
     *
     * @return the action
     */
    public ChangeAction action() {
        return action;
    }

    /**
     * What it is done to.
     *
     * @return such as a path, the name of a unit, or a firewall rule
     */
    public String subject() {
        return subject;
    }

    /**
     * What is there now.
     *
     * @return a few words, such as {@code absent}, the sum, mode and owner of a file, or the state of a unit; empty if it is not known
     */
    public Optional<String> before() {
        return before;
    }

    /**
     * What will be there.
     *
     * @return a few words, as for {@link #before()}; empty if it is not known
     */
    public Optional<String> after() {
        return after;
    }

    /**
     * Whether the change undoes drift, that is, a change made on the host since the last apply.
     *
     * @return false where the spec changed, and where it is not known what the last apply put there
     */
    public boolean drift() {
        return drift;
    }

    /**
     * Whether the change restarts a running unit or interface.
     *
     * @return true if so; the unit or interface is the {@link #subject()}
     */
    public boolean restart() {
        return action == ChangeAction.RESTART;
    }

    /**
     * The change for a person.
     *
     * @return a line
     */
    public String text() {
        return text;
    }

    /**
     * How a file differs.
     *
     * @return a unified diff from what is on the host to what is desired, ending in a line end. What looks like a secret is masked,
     *     what a terminal might obey is escaped, and length is bounded. Empty for what is no file, and where the content on the host
     *     is not known
     */
    public Optional<String> diff() {
        return diff;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PlannedChange that
                && resource.equals(that.resource)
                && action == that.action
                && subject.equals(that.subject)
                && before.equals(that.before)
                && after.equals(that.after)
                && drift == that.drift
                && text.equals(that.text)
                && diff.equals(that.diff);
    }

    @Override
    public int hashCode() {
        return Objects.hash(resource, action, subject, before, after, drift, text, diff);
    }

    /**
     * The change as a plan shows it.
     *
     * @return the text behind {@code !} where it is drift and {@code ~} where it is not
     */
    @Override
    public String toString() {
        return (drift ? "! " : "~ ") + text;
    }

    /** Collects what a change says. Not thread-safe. */
    public static final class Builder {
        private final String resource;
        private final ChangeAction action;
        private final String subject;
        private final String text;
        private Optional<String> before = Optional.empty();
        private Optional<String> after = Optional.empty();
        private boolean drift;
        private Optional<String> diff = Optional.empty();

        private Builder(String resource, ChangeAction action, String subject, String text) {
            this.resource = Objects.requireNonNull(resource, "resource");
            this.action = Objects.requireNonNull(action, "action");
            this.subject = Objects.requireNonNull(subject, "subject");
            this.text = Objects.requireNonNull(text, "text");
        }

        /**
         * Says what is there now.
         *
         * @param state a few words
         * @return this builder
         */
        public Builder before(String state) {
            this.before = Optional.of(state);
            return this;
        }

        /**
         * Says what will be there.
         *
         * @param state a few words
         * @return this builder
         */
        public Builder after(String state) {
            this.after = Optional.of(state);
            return this;
        }

        /**
         * Sets whether the change undoes drift.
         *
         * @param isDrift true if so
         * @return this builder
         */
        public Builder drift(boolean isDrift) {
            this.drift = isDrift;
            return this;
        }

        /**
         * Adds the difference in a file.
         *
         * @param unified a unified diff that is safe to print
         * @return this builder
         */
        public Builder diff(String unified) {
            this.diff = Optional.of(unified);
            return this;
        }

        /**
         * Ends the description.
         *
         * @return the change
         */
        public PlannedChange build() {
            return new PlannedChange(this);
        }
    }
}
