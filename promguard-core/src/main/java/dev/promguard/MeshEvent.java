package dev.promguard;

import dev.promguard.blueprint.Names;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Something that happened while a verb ran. Immutable. Holds no secret; every text is safe to print.
 *
 * <p>The events of a run are a tree. Its root is the run itself, of {@link Kind#RUN}: its first event is that it {@link State#STARTED},
 * and its last how it ended. What begins below it ends before its parent does: for every event with {@link State#STARTED} there is exactly one of the same
 * {@link #id()} that says how it ended, whatever becomes of the run.
 *
 * <p>The {@linkplain Kind#STEP steps} of an apply, a rotation or a destroy are those that its plan lists, by {@link Plan#stepIds()}.
 * Each is reported as begun and ended, or as {@link State#SKIPPED}.
 */
public final class MeshEvent {
    private final String run;
    private final long id;
    private final OptionalLong parent;
    private final String mesh;
    private final Verb verb;
    private final Kind kind;
    private final State state;
    private final Optional<String> host;
    private final String step;
    private final Optional<String> stepId;
    private final OptionalInt index;
    private final OptionalInt total;
    private final OptionalInt percent;
    private final Instant time;
    private final Optional<Duration> duration;

    private MeshEvent(Builder builder) {
        this.run = builder.run;
        this.id = builder.id;
        this.parent = builder.parent;
        this.mesh = Names.printable(builder.mesh);
        this.verb = builder.verb;
        this.kind = builder.kind;
        this.state = builder.state;
        this.host = builder.host.map(Names::printable);
        this.step = Names.printable(builder.step);
        this.stepId = builder.stepId;
        this.index = builder.index;
        this.total = builder.total;
        this.percent = builder.percent;
        this.time = builder.time;
        this.duration = builder.duration;
    }

    /** What runs. More may be added. */
    public enum Verb {
        /** {@link Mesh#plan()}, {@link Mesh#planRotateKeys()}, {@link Mesh#planDestroy()} or {@link Mesh#planRecover()}. */
        PLAN,
        /** {@link Mesh#apply()} and its variants. */
        APPLY,
        /** {@link Mesh#rotateKeys()} and its variants. */
        ROTATE_KEYS,
        /** {@link Mesh#verify()}. */
        VERIFY,
        /** {@link Mesh#destroy()} and its variants. */
        DESTROY,
        /** {@link Mesh#openPrometheus()} and its variant. */
        OPEN_PROMETHEUS,
        /** {@link Mesh#deleteUnmanaged}. */
        DELETE_UNMANAGED,
        /** {@link Mesh#powerOn}. */
        POWER_ON,
        /** {@link Mesh#resize}. */
        RESIZE,
        /** {@link Mesh#replace}. */
        REPLACE,
        /** {@link Mesh#viewerConfig}. */
        VIEWER_CONFIG,
        /** {@link Mesh#recover()} and its variants. */
        RECOVER
    }

    /** What kind of thing an event is about. More may be added. */
    public enum Kind {
        /** The whole run of a verb. */
        RUN,
        /** A part of the run that concerns the mesh as a whole, such as observing what exists. */
        PHASE,
        /** One of the steps that the run consists of; see {@link MeshEvent#stepId()}. */
        STEP,
        /** What is done on or for a host beside the steps, or as a part of one, such as connecting to it. */
        TASK,
        /** Something that a reader should know. It takes no time. */
        NOTE
    }

    /** How far it is. More may be added. */
    public enum State {
        /** It begins. One of {@link #DONE}, {@link #FAILED} and {@link #CANCELLED} follows, with the same id. */
        STARTED,
        /** It is done. */
        DONE,
        /** It failed; the verb's report or exception says why. */
        FAILED,
        /** It was given up, because the run was interrupted or ended before it. */
        CANCELLED,
        /** A step of the plan that the run ended without beginning. Neither {@link #STARTED} before it nor anything after it. */
        SKIPPED,
        /** It is a {@link Kind#NOTE}. */
        NOTED;

        /**
         * Whether this is how something ends that has {@linkplain #STARTED started}.
         *
         * @return true for done, failed and cancelled
         */
        public boolean isEnd() {
            return this == DONE || this == FAILED || this == CANCELLED;
        }
    }

    /**
     * Starts an event. For PromGuard's own use, and for tests of listeners.
     *
     * @param kind what it is about
     * @param state how far that is
     * @param step what it is about, in words
     * @return a builder of an event of an apply of a mesh {@code promguard}, now
     * @throws NullPointerException if one is null
     */
    public static Builder builder(Kind kind, State state, String step) {
        return new Builder(kind, state, step);
    }

    /**
     * The run that it belongs to.
     *
     * @return an id that no other run has
     */
    public String run() {
        return run;
    }

    /**
     * The id of what it is about. That it started and how it ended have the same.
     *
     * @return 1 for the run itself, and more for what begins later; unique in the {@link #run()}
     */
    public long id() {
        return id;
    }

    /**
     * What it is a part of.
     *
     * @return the {@link #id()} of something that has started and not ended; empty for the run itself
     */
    public OptionalLong parent() {
        return parent;
    }

    /**
     * The mesh.
     *
     * @return its name
     */
    public String mesh() {
        return mesh;
    }

    /**
     * What runs.
     *
     * @return the verb
     */
    public Verb verb() {
        return verb;
    }

    /**
     * What kind of thing it is about.
     *
     * @return the kind
     */
    public Kind kind() {
        return kind;
    }

    /**
     * How far it is.
     *
     * @return the state
     */
    public State state() {
        return state;
    }

    /**
     * The host it is about.
     *
     * @return its name; empty for the mesh as a whole
     */
    public Optional<String> host() {
        return host;
    }

    /**
     * What it is about, for a person.
     *
     * @return such as {@code install node_exporter 1.12.1}
     */
    public String step() {
        return step;
    }

    /**
     * The id of the step that it is, or that it is a part of: of an apply, a rotation or a destroy one of {@link Plan#stepIds()}, such as
     * {@code db-1/file:/etc/hosts}. In a plan and a verification, {@code db-1/read} reads a host, {@code db-1/probe} probes the others from
     * it, {@code monitor-1/prometheus} asks its Prometheus, and {@code mesh:shop/probe} probes from here.
     *
     * @return the id; always there for a {@link Kind#STEP}, and empty for what is no part of one
     */
    public Optional<String> stepId() {
        return stepId;
    }

    /**
     * Which of the run's steps it is.
     *
     * @return from 1 to {@link #total()}; empty for what is no {@link Kind#STEP}
     */
    public OptionalInt index() {
        return index;
    }

    /**
     * How many steps the run has.
     *
     * @return the same number in every event of the run from the moment on at which it is known; empty before, and where a run has no steps
     */
    public OptionalInt total() {
        return total;
    }

    /**
     * How much of the run's steps is done by now. A host that is created is one step; it counts by how far it is set up.
     *
     * @return from 0 to 100, and never less than in an earlier event of the run; 100 only if every step is done; empty where {@link #total()}
     *     is empty
     */
    public OptionalInt percent() {
        return percent;
    }

    /**
     * When it happened.
     *
     * @return the time by this machine's clock
     */
    public Instant time() {
        return time;
    }

    /**
     * How long what has ended took.
     *
     * @return the time since it started; empty unless the state {@linkplain State#isEnd() is an end}
     */
    public Optional<Duration> duration() {
        return duration;
    }

    /**
     * The event for a log.
     *
     * @return such as {@code shop-node-1: install node_exporter 1.12.1: STARTED}
     */
    @Override
    public String toString() {
        return host.orElse(mesh) + ": " + step + ": " + state;
    }

    /** Collects what an event says. Not thread-safe. */
    public static final class Builder {
        private final Kind kind;
        private final State state;
        private final String step;
        private String run = "";
        private long id = 1;
        private OptionalLong parent = OptionalLong.empty();
        private String mesh = "promguard";
        private Verb verb = Verb.APPLY;
        private Optional<String> host = Optional.empty();
        private Optional<String> stepId = Optional.empty();
        private OptionalInt index = OptionalInt.empty();
        private OptionalInt total = OptionalInt.empty();
        private OptionalInt percent = OptionalInt.empty();
        private Instant time = Instant.now();
        private Optional<Duration> duration = Optional.empty();

        private Builder(Kind kind, State state, String step) {
            this.kind = Objects.requireNonNull(kind, "kind");
            this.state = Objects.requireNonNull(state, "state");
            this.step = Objects.requireNonNull(step, "step");
        }

        /**
         * Sets the run.
         *
         * @param runId its id
         * @param ofMesh the mesh's name
         * @param ofVerb what runs
         * @return this builder
         */
        public Builder run(String runId, String ofMesh, Verb ofVerb) {
            this.run = Objects.requireNonNull(runId, "run");
            this.mesh = Objects.requireNonNull(ofMesh, "mesh");
            this.verb = Objects.requireNonNull(ofVerb, "verb");
            return this;
        }

        /**
         * Sets the id of what it is about.
         *
         * @param number the id
         * @return this builder
         */
        public Builder id(long number) {
            this.id = number;
            return this;
        }

        /**
         * Sets what it is a part of.
         *
         * @param number the parent's id
         * @return this builder
         */
        public Builder parent(long number) {
            this.parent = OptionalLong.of(number);
            return this;
        }

        /**
         * Sets the host.
         *
         * @param name its name
         * @return this builder
         */
        public Builder host(String name) {
            this.host = Optional.of(name);
            return this;
        }

        /**
         * Sets the step that it is, or is a part of.
         *
         * @param ofStep the step's id
         * @return this builder
         */
        public Builder stepId(String ofStep) {
            this.stepId = Optional.of(ofStep);
            return this;
        }

        /**
         * Sets which of the run's steps it is.
         *
         * @param number from 1 on
         * @return this builder
         */
        public Builder index(int number) {
            this.index = OptionalInt.of(number);
            return this;
        }

        /**
         * Sets how far the run is.
         *
         * @param steps how many steps it has
         * @param percentDone how much of them is done, from 0 to 100
         * @return this builder
         */
        public Builder progress(int steps, int percentDone) {
            this.total = OptionalInt.of(steps);
            this.percent = OptionalInt.of(percentDone);
            return this;
        }

        /**
         * Sets when it happened.
         *
         * @param when the time
         * @return this builder
         */
        public Builder time(Instant when) {
            this.time = Objects.requireNonNull(when, "time");
            return this;
        }

        /**
         * Sets how long it took.
         *
         * @param took the time since it started
         * @return this builder
         */
        public Builder duration(Duration took) {
            this.duration = Optional.of(took);
            return this;
        }

        /**
         * Ends the description.
         *
         * @return the event
         */
        public MeshEvent build() {
            return new MeshEvent(this);
        }
    }
}
