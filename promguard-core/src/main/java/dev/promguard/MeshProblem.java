package dev.promguard;

import dev.promguard.blueprint.Names;
import dev.promguard.host.HostProblem;
import java.util.Objects;
import java.util.Optional;

/**
 * Something that prevents a plan from being carried out. Equal to another by value. Immutable.
 *
 * <p>Every text is safe to print: what a terminal might obey is replaced.
 */
public final class MeshProblem {
    private final ErrorCode code;
    private final Optional<String> host;
    private final String message;
    private final String remedy;
    private final boolean blocking;
    private final String reference;

    private MeshProblem(Builder builder) {
        this.code = builder.code;
        this.host = builder.host;
        this.message = Names.printable(builder.message);
        this.remedy = Names.printable(builder.remedy);
        this.blocking = builder.blocking;
        this.reference = host.map(name -> name + '/').orElse("") + code.id();
    }

    private MeshProblem(MeshProblem other, String reference) {
        this.code = other.code;
        this.host = other.host;
        this.message = other.message;
        this.remedy = other.remedy;
        this.blocking = other.blocking;
        this.reference = reference;
    }

    MeshProblem withReference(String unique) {
        return new MeshProblem(this, unique);
    }

    /**
     * Starts a problem of the mesh as a whole. For PromGuard's own use, and for tests of programs that embed it.
     *
     * @param code the kind of problem
     * @param message what is wrong
     * @return a builder
     * @throws NullPointerException if one is null
     */
    public static Builder builder(ErrorCode code, String message) {
        return new Builder(code, message);
    }

    /**
     * The stable id of this kind of problem, as {@link PromGuardException#id()} has it for failures. {@code docs/errors.md} describes each.
     *
     * @return such as {@code PG-5010}
     */
    public String id() {
        return code.id();
    }

    /**
     * The id of this very problem, by which a program or a ticket can refer to it; {@link #id()} is only that of its kind. It is unique in a
     * plan, and the same in every plan that has the same problem: {@code HOST/CODE}, with {@code mesh:NAME} in place of the host for the mesh
     * as a whole. Where a plan has several of one kind for one host, each has a suffix {@code ~} with eight hex digits that
     * follow from its message.
     *
     * @return such as {@code db-1/PG-5010}; for a problem of the mesh that is in no plan, the code alone
     */
    public String reference() {
        return reference;
    }

    /**
     * The kind of problem.
     *
     * @return the code, never null
     */
    public ErrorCode code() {
        return code;
    }

    /**
     * The host that the problem is about.
     *
     * @return its name in the mesh; empty for the mesh as a whole
     */
    public Optional<String> host() {
        return host;
    }

    /**
     * What is wrong.
     *
     * @return a clause or a few lines, which may name a remedy where {@link #remedy()} does not
     */
    public String message() {
        return message;
    }

    /**
     * What to do about it.
     *
     * @return sentences; an empty text if the message says it all
     */
    public String remedy() {
        return remedy;
    }

    /**
     * Whether this problem blocks the whole verb.
     *
     * @return false if only the affected host stays unchanged
     */
    public boolean blocking() {
        return blocking;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MeshProblem that
                && code == that.code
                && host.equals(that.host)
                && message.equals(that.message)
                && remedy.equals(that.remedy)
                && blocking == that.blocking;
    }

    @Override
    public int hashCode() {
        return Objects.hash(code, host, message, remedy, blocking);
    }

    /** Message and remedy with the id, without the host. */
    String text() {
        return code.appendedTo(new HostProblem(message, remedy).text());
    }

    /**
     * The problem in a line.
     *
     * @return such as {@code db-1: it is in mesh other already. Take it out of that mesh first. [PG-5010]}
     */
    @Override
    public String toString() {
        return code.appendedTo(new HostProblem(message, remedy).textOf(host));
    }

    /** Collects what a problem says. Not thread-safe. */
    public static final class Builder {
        private final ErrorCode code;
        private final String message;
        private Optional<String> host = Optional.empty();
        private String remedy = "";
        private boolean blocking;

        private Builder(ErrorCode code, String message) {
            this.code = Objects.requireNonNull(code, "code");
            this.message = Objects.requireNonNull(message, "message");
        }

        /**
         * Says which host it is about.
         *
         * @param name the host's name in the mesh
         * @return this builder
         */
        public Builder host(String name) {
            this.host = Optional.of(name);
            return this;
        }

        /**
         * Says what to do about it.
         *
         * @param what sentences
         * @return this builder
         */
        public Builder remedy(String what) {
            this.remedy = Objects.requireNonNull(what, "what");
            return this;
        }

        /**
         * Sets whether this problem blocks the whole verb.
         *
         * @param isBlocking true if so
         * @return this builder
         */
        public Builder blocking(boolean isBlocking) {
            this.blocking = isBlocking;
            return this;
        }

        /**
         * Ends the description.
         *
         * @return the problem
         */
        public MeshProblem build() {
            return new MeshProblem(this);
        }
    }
}
