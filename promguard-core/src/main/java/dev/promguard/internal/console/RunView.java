package dev.promguard.internal.console;

import dev.promguard.MeshEvent;
import dev.promguard.MeshEvent.Kind;
import dev.promguard.MeshEvent.State;
import dev.promguard.MeshEvent.Verb;
import dev.promguard.internal.text.Columns;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is known of one run from its events. Not thread-safe. */
final class RunView {
    /** The verbs whose reports do not say what became of each host. */
    private static final Set<Verb> WITH_HOSTS =
            Set.of(Verb.APPLY, Verb.ROTATE_KEYS, Verb.DESTROY, Verb.RESIZE, Verb.REPLACE);

    private final String title;
    private final Verb verb;
    private final Instant began;
    private final Map<Long, MeshEvent> phases = new LinkedHashMap<>();
    private final Map<String, HostView> hosts = new LinkedHashMap<>();
    private OptionalInt percent = OptionalInt.empty();
    private int skipped;
    private @Nullable MeshEvent end;

    RunView(MeshEvent start) {
        this.title = start.step() + " " + start.mesh();
        this.verb = start.verb();
        this.began = start.time();
    }

    /**
     * What is said of a host.
     *
     * @param words what it did or does
     * @param end what became of that, which is shown also where not all words are; may be empty
     */
    record Said(String words, String end) {
        private static final int LEAST_WORDS = 8;

        String within(int columns) {
            int room = columns - Columns.width(end);
            return room < LEAST_WORDS ? Columns.clipWords(words + end, columns) : Columns.clipWords(words, room) + end;
        }
    }

    /** What is known of one host. Not thread-safe. */
    static final class HostView {
        private final String name;
        private final Map<Long, MeshEvent> open = new LinkedHashMap<>();
        private Duration worked = Duration.ZERO;
        private @Nullable MeshEvent last;
        private @Nullable MeshEvent failed;
        private @Nullable String note;

        HostView(String name) {
            this.name = name;
        }

        String name() {
            return name;
        }

        boolean isActive() {
            return !open.isEmpty();
        }

        boolean hasFailed() {
            return failed != null;
        }

        /** What goes on now, or went on at last. */
        Said text() {
            MeshEvent now = current();
            if (now != null) {
                return new Said(now.step(), "");
            }
            MeshEvent wrong = failed;
            if (wrong != null) {
                return new Said("FAILED: " + wrong.step(), "");
            }
            MeshEvent before = last;
            if (before == null) {
                return new Said("waiting", "");
            }
            return note != null
                    ? new Said(note, "")
                    : new Said(before.step(), before.state() == State.DONE ? ": done" : ": not finished");
        }

        /** What became of the host, once nothing more will. */
        Said outcome() {
            MeshEvent wrong = failed;
            return wrong != null ? new Said("FAILED at: " + wrong.step(), "") : text();
        }

        /** Since when that goes on, or for how long it went on. */
        Duration time(Instant now) {
            MeshEvent current = current();
            return current != null ? Duration.between(current.time(), now) : worked;
        }

        private @Nullable MeshEvent current() {
            MeshEvent innermost = null;
            for (MeshEvent each : open.values()) {
                innermost = each;
            }
            return innermost;
        }

        private void on(MeshEvent event, boolean outermost) {
            switch (event.state()) {
                case STARTED -> {
                    open.put(event.id(), event);
                    note = null;
                }
                case DONE, FAILED, CANCELLED -> {
                    open.remove(event.id());
                    if (outermost) {
                        worked = worked.plus(event.duration().orElse(Duration.ZERO));
                        last = event;
                    }
                    if (event.state() == State.FAILED && failed == null) {
                        failed = event;
                    }
                }
                case NOTED -> note = event.step();
                case SKIPPED -> {}
            }
        }
    }

    void on(MeshEvent event) {
        if (event.percent().isPresent()) {
            percent = event.percent();
        }
        if (event.state() == State.SKIPPED) {
            skipped++;
        } else if (event.kind() == Kind.RUN) {
            end = event.state().isEnd() ? event : null;
        } else if (event.host().isPresent()) {
            hosts.computeIfAbsent(event.host().get(), HostView::new)
                    .on(event, event.parent().orElse(1) == 1);
        } else if (event.state() == State.STARTED) {
            phases.put(event.id(), event);
        } else {
            phases.remove(event.id());
        }
    }

    String title() {
        return title;
    }

    Duration time(Instant now) {
        return Optional.ofNullable(end).flatMap(MeshEvent::duration).orElseGet(() -> Duration.between(began, now));
    }

    OptionalInt percent() {
        return percent;
    }

    /** What goes on for the mesh as a whole. */
    Optional<String> phase() {
        return phases.values().stream().map(MeshEvent::step).findFirst();
    }

    /** The hosts in the order of their names, numbers in them by their value. */
    List<HostView> hosts() {
        List<HostView> sorted = new ArrayList<>(hosts.values());
        sorted.sort(Comparator.comparing(HostView::name, RunView::byNumbers));
        return sorted;
    }

    private static int byNumbers(String one, String other) {
        int a = one.length();
        int b = other.length();
        boolean onlyLength = one.replaceAll("[0-9]+$", "").equals(other.replaceAll("[0-9]+$", ""));
        return onlyLength && a != b ? Integer.compare(a, b) : one.compareTo(other);
    }

    int skipped() {
        return skipped;
    }

    /** How it ended. */
    State outcome() {
        MeshEvent ended = end;
        return ended == null ? State.STARTED : ended.state();
    }

    /** Whether what it did is there for everybody to see. */
    boolean goesWithoutSaying() {
        return verb == Verb.OPEN_PROMETHEUS && outcome() == State.DONE;
    }

    boolean showsHosts() {
        return WITH_HOSTS.contains(verb);
    }
}
