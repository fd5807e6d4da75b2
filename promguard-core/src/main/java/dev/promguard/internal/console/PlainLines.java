package dev.promguard.internal.console;

import dev.promguard.MeshEvent;
import dev.promguard.MeshEvent.Kind;
import dev.promguard.MeshEvent.State;
import dev.promguard.MeshListener;
import dev.promguard.internal.text.Columns;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Writes lines one below the other: when a run begins and ends, what begins for the mesh as a whole, and what is done on a host or has failed there, each
 * with the time since its run began. What consists of parts is told by its parts. All of it but names is ASCII, since cron and many a CI runner have no
 * other encoding. Thread-safe.
 */
public final class PlainLines implements MeshListener {
    private static final int LEAST = 22;
    private static final int MOST = 48;

    private final PrintStream out;
    private final Map<String, Run> runs = new HashMap<>();
    /** As wide as the names so far, so that names of one length align from the second line on. */
    private int hostColumns = LEAST;

    /** What is to be known of a run that goes on. */
    private static final class Run {
        private final Instant began;
        private final Set<Long> parents = new HashSet<>();
        private final Set<Long> failed = new HashSet<>();
        private int skipped;

        Run(Instant began) {
            this.began = began;
        }
    }

    /**
     * Lines on a stream.
     *
     * @param out where to write; never closed
     */
    public PlainLines(PrintStream out) {
        this.out = out;
    }

    @Override
    public synchronized void on(MeshEvent event) {
        Run run = runs.computeIfAbsent(event.run(), id -> new Run(event.time()));
        String text = text(run, event);
        if (!text.isEmpty()) {
            double seconds = Duration.between(run.began, event.time()).toMillis() / 1000.0;
            String host = event.host().orElse("mesh");
            hostColumns = Math.max(hostColumns, Math.min(MOST, Columns.width(host)));
            out.printf(
                    Locale.ROOT,
                    "%7.1f s  %s  %s%n",
                    Math.max(0, seconds),
                    Columns.pad(host, hostColumns),
                    text.replace('\n', ' '));
        }
        if (event.kind() == Kind.RUN && event.state().isEnd()) {
            runs.remove(event.run());
        }
    }

    private static String text(Run run, MeshEvent event) {
        boolean leaf = !run.parents.contains(event.id());
        boolean first = !run.failed.contains(event.id());
        event.parent().ifPresent(parent -> {
            run.parents.add(parent);
            if (event.state() == State.FAILED && event.kind() != Kind.RUN) {
                run.failed.add(parent);
            }
        });
        boolean whole = event.kind() == Kind.RUN;
        return switch (event.state()) {
            case STARTED ->
                whole
                        ? event.step() + " " + event.mesh() + " ..."
                        : event.kind() == Kind.PHASE ? event.step() + " ..." : "";
            case NOTED -> event.step();
            case SKIPPED -> {
                run.skipped++;
                yield "";
            }
            case DONE ->
                whole
                        ? event.step() + ": done"
                        : event.host().isPresent() && (leaf || event.kind() == Kind.STEP) ? event.step() : "";
            case FAILED -> whole ? event.step() + ": FAILED" + skipped(run) : first ? "FAILED " + event.step() : "";
            case CANCELLED -> whole ? event.step() + ": CANCELLED" + skipped(run) : "";
        };
    }

    private static String skipped(Run run) {
        return run.skipped == 0 ? "" : Layout.notBegun(run.skipped);
    }
}
