package dev.promguard.internal.run;

import dev.promguard.MeshEvent;
import dev.promguard.MeshEvent.Kind;
import dev.promguard.MeshEvent.State;
import dev.promguard.MeshEvent.Verb;
import dev.promguard.MeshListener;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a listener what happens in one run, one event at a time, and keeps what it throws from the verb. An exception or error is logged
 * once for its event, at WARN, and the verb goes on: a listener that counts, draws or asserts must not leave a host half changed. Only the
 * errors after which the virtual machine itself cannot be relied on, such as {@link OutOfMemoryError}, are passed on; a
 * {@link StackOverflowError} is the listener's own.
 *
 * <p>What has started is ended once, at the latest with the run: whatever is left of it then is ended first, and what a worker that is late
 * tells after that goes nowhere. On one host only one thing happens at a time, so that what begins there is a part of what is going on there.
 * Thread-safe.
 */
public final class Events {
    private static final Logger LOG = LoggerFactory.getLogger(Events.class);
    private static final String MESH = "";
    private static final double ALL = 100;

    private final MeshListener listener;
    private final String mesh;
    private final Verb verb;
    private final Clock clock = Clock.systemUTC();
    private final String run = UUID.randomUUID().toString();
    private final Map<String, Deque<Node>> going = new HashMap<>();
    private final Map<String, Step> steps = new LinkedHashMap<>();
    private final Set<String> failedHosts = new HashSet<>();
    private @Nullable Node root;
    private long lastId;
    private boolean over;

    /**
     * Events of a run.
     *
     * @param listener receives the events
     * @param mesh the mesh's name
     * @param verb what runs
     */
    public Events(MeshListener listener, String mesh, Verb verb) {
        this.listener = listener;
        this.mesh = mesh;
        this.verb = verb;
    }

    /** Something that has started. Ended again, it stays as it ended first. */
    public interface Task extends AutoCloseable {
        /** It is done. */
        void done();

        /** It was not done: it is cancelled if this thread is interrupted, and has failed if it is not. */
        @Override
        void close();
    }

    /** One of the run's steps, and how much of it is done. */
    private static final class Step {
        private final RunStep step;
        private final int index;
        private boolean begun;
        private double share;

        Step(RunStep step, int index) {
            this.step = step;
            this.index = index;
        }
    }

    /** Something that is going on. */
    private final class Node implements Task {
        private final long id = ++lastId;
        private final long start = System.nanoTime();
        private final @Nullable Node parent;
        private final Kind kind;
        private final String host;
        private final String text;
        private final @Nullable Step step;
        private final Set<Node> parts = new LinkedHashSet<>();
        private boolean ended;

        Node(@Nullable Node parent, Kind kind, String host, String text, @Nullable Step step) {
            this.parent = parent;
            this.kind = kind;
            this.host = host;
            this.text = text;
            this.step = step;
        }

        @Override
        public void done() {
            end(this, State.DONE);
        }

        @Override
        public void close() {
            end(this, Thread.currentThread().isInterrupted() ? State.CANCELLED : State.FAILED);
        }

        /** The step that this is, or is a part of. */
        Optional<Step> ofStep() {
            return step != null
                    ? Optional.of(step)
                    : Optional.ofNullable(parent).flatMap(Node::ofStep);
        }
    }

    /** What is done at once and is several steps of the plan. */
    private record Together(List<Node> nodes) implements Task {
        @Override
        public void done() {
            nodes.forEach(Node::done);
        }

        @Override
        public void close() {
            nodes.forEach(Node::close);
        }
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
     * The run begins. To be called once, before everything else.
     *
     * @param text what runs, in words
     * @return the run; when it ends, everything ends
     */
    public synchronized Task run(String text) {
        Node node = new Node(null, Kind.RUN, MESH, text, null);
        root = node;
        started(node);
        return node;
    }

    /**
     * The run consists of these steps. The first call counts.
     *
     * @param planned the steps in order
     */
    public synchronized void expect(List<RunStep> planned) {
        if (steps.isEmpty()) {
            planned.forEach(step -> steps.putIfAbsent(step.id(), new Step(step, steps.size() + 1)));
        }
    }

    /**
     * The run consists of these steps if it is one of a verb. The first call counts.
     *
     * @param only the verb
     * @param planned the steps in order
     */
    public void expectOf(Verb only, List<RunStep> planned) {
        if (verb == only) {
            expect(planned);
        }
    }

    /**
     * Something begins that is no step.
     *
     * @param host the host; null for the mesh as a whole
     * @param text what begins
     * @return what has begun
     */
    public Task task(@Nullable String host, String text) {
        return begin(host == null ? Kind.PHASE : Kind.TASK, host, text);
    }

    private synchronized Node begin(Kind kind, @Nullable String host, String text) {
        String name = host == null ? MESH : host;
        Node node = new Node(current(name), kind, name, text, null);
        started(node);
        return node;
    }

    /**
     * A step begins.
     *
     * @param step the step; one that is not among the run's, or has begun before, is told as a task
     * @return what has begun
     */
    public Task step(RunStep step) {
        return steps(List.of(step));
    }

    /**
     * Steps begin that are done at once.
     *
     * @param begun the steps, all on one host
     * @return what has begun
     */
    public synchronized Task steps(List<RunStep> begun) {
        List<Node> nodes = new ArrayList<>();
        Node parent = null;
        for (RunStep each : begun) {
            String host = each.host().orElse(MESH);
            parent = nodes.isEmpty() ? current(host) : parent;
            Step known = steps.get(each.id());
            if (known != null && known.begun) {
                known = null;
            }
            Kind kind = known != null ? Kind.STEP : host.equals(MESH) ? Kind.PHASE : Kind.TASK;
            if (known != null) {
                known.begun = true;
            }
            Node node = new Node(parent, kind, host, each.text(), known);
            nodes.add(node);
            started(node);
        }
        return nodes.size() == 1 ? nodes.get(0) : new Together(nodes);
    }

    /**
     * How much of the step that creates a host is done.
     *
     * @param host the host's name
     * @param share from 0 to 1; less than before changes nothing
     */
    public synchronized void share(String host, double share) {
        going(host).stream()
                .filter(node -> node.step != null)
                .findFirst()
                .flatMap(Node::ofStep)
                .ifPresent(step -> step.share = Math.max(step.share, share));
    }

    /**
     * Everything that is going on on a host is done.
     *
     * @param host the host's name
     */
    public void done(String host) {
        endAll(host, State.DONE);
    }

    /**
     * What is going on on a host has failed. What has failed before is not told again.
     *
     * @param host the host; null for the mesh as a whole
     * @param text what has failed, if nothing is going on there
     */
    public synchronized void failed(@Nullable String host, String text) {
        if (host == null) {
            end(begin(Kind.PHASE, null, text), State.FAILED);
            return;
        }
        boolean told = failedHosts.contains(host);
        if (!endAll(host, State.FAILED) && !told) {
            end(begin(Kind.TASK, host, text), State.FAILED);
        }
    }

    /**
     * Something that a reader should know.
     *
     * @param host the host; null for the mesh as a whole
     * @param text the note
     */
    public synchronized void note(@Nullable String host, String text) {
        String name = host == null ? MESH : host;
        tell(new Node(current(name), Kind.NOTE, name, text, null), State.NOTED);
    }

    private Deque<Node> going(String host) {
        return going.computeIfAbsent(host, name -> new ArrayDeque<>());
    }

    /** What is going on on a host, or else the run. Of the mesh as a whole several things may go on at once, side by side. */
    private @Nullable Node current(String host) {
        Node innermost = host.equals(MESH) ? null : going(host).peekLast();
        return innermost == null ? root : innermost;
    }

    private void started(Node node) {
        if (over) {
            node.ended = true;
            return;
        }
        if (node.parent != null) {
            node.parent.parts.add(node);
            going(node.host).addLast(node);
        }
        tell(node, State.STARTED);
    }

    private synchronized boolean endAll(String host, State state) {
        List<Node> outermost =
                going(host).stream().filter(node -> node.parent == root).toList();
        outermost.forEach(node -> end(node, state));
        return !outermost.isEmpty();
    }

    private synchronized void end(Node node, State state) {
        if (node.ended) {
            return;
        }
        node.ended = true;
        boolean whole = node == root;
        State ofParts = whole && state == State.FAILED ? State.CANCELLED : state;
        List.copyOf(node.parts).forEach(part -> end(part, ofParts));
        if (whole) {
            skipRest();
        }
        if (node.parent != null) {
            node.parent.parts.remove(node);
            going(node.host).remove(node);
        }
        if (node.step != null && state == State.DONE) {
            node.step.share = 1;
        }
        if (state == State.FAILED) {
            failedHosts.add(node.host);
        }
        tell(node, state);
        over |= whole;
    }

    private void skipRest() {
        for (Step step : steps.values()) {
            if (!step.begun) {
                step.begun = true;
                tell(new Node(root, Kind.STEP, step.step.host().orElse(MESH), step.step.text(), step), State.SKIPPED);
            }
        }
    }

    private int percent() {
        double share = steps.values().stream().mapToDouble(step -> step.share).sum();
        return (int) Math.floor(ALL * share / steps.size() + 1e-9);
    }

    private void tell(Node node, State state) {
        if (over) {
            return;
        }
        MeshEvent.Builder builder = MeshEvent.builder(node.kind, state, node.text)
                .run(run, mesh, verb)
                .id(node.id)
                .time(clock.instant());
        if (node.parent != null) {
            builder.parent(node.parent.id);
        }
        if (!node.host.equals(MESH)) {
            builder.host(node.host);
        }
        node.ofStep().ifPresent(step -> builder.stepId(step.step.id()));
        if (node.step != null) {
            builder.index(node.step.index);
        }
        if (!steps.isEmpty()) {
            builder.progress(steps.size(), percent());
        }
        if (state.isEnd()) {
            builder.duration(Duration.ofNanos(System.nanoTime() - node.start));
        }
        tell(builder.build());
    }

    private void tell(MeshEvent event) {
        try {
            listener.on(event);
        } catch (Throwable e) {
            if (e instanceof VirtualMachineError fatal && !(e instanceof StackOverflowError)) {
                throw fatal;
            }
            if (e instanceof InterruptedException) {
                // Another language's listener can throw it undeclared, with the flag cleared. The verb must still end.
                Thread.currentThread().interrupt();
            }
            LOG.warn("The listener failed at {}. The verb goes on.", event, e);
        }
    }
}
