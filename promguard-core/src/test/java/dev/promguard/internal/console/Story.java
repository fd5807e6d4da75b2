package dev.promguard.internal.console;

import dev.promguard.MeshEvent;
import dev.promguard.MeshEvent.Kind;
import dev.promguard.MeshEvent.State;
import dev.promguard.MeshEvent.Verb;
import dev.promguard.MeshListener;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;

/** Events of a run that a test tells, by a clock that the test sets. Not thread-safe. */
final class Story extends Clock {
    private static final Instant BEGIN = Instant.parse("2026-11-29T08:00:00Z");

    private final MeshListener listener;
    private final String run;
    private final Map<Long, Instant> started = new HashMap<>();
    private volatile Instant now = BEGIN;
    private long last;
    private int percent;

    Story(String run, MeshListener listener) {
        this.run = run;
        this.listener = listener;
    }

    @Override
    public Instant instant() {
        return now;
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        return this;
    }

    Story after(double seconds) {
        now = now.plus(Duration.ofMillis(Math.round(seconds * 1000)));
        return this;
    }

    Story percent(int done) {
        percent = done;
        return this;
    }

    /** Something begins; returns its id. */
    long begin(Kind kind, String host, long parent, String text) {
        long id = ++last;
        started.put(id, now);
        tell(kind, State.STARTED, host, id, parent, text);
        return id;
    }

    long run(String text) {
        return begin(Kind.RUN, "", 0, text);
    }

    long task(String host, String text) {
        return begin(Kind.TASK, host, 1, text);
    }

    void end(Kind kind, State state, String host, long id, long parent, String text) {
        tell(kind, state, host, id, parent, text);
    }

    void done(String host, long id, String text) {
        end(Kind.TASK, State.DONE, host, id, 1, text);
    }

    void failed(String host, long id, String text) {
        end(Kind.TASK, State.FAILED, host, id, 1, text);
    }

    void note(String host, String text) {
        tell(Kind.NOTE, State.NOTED, host, ++last, 1, text);
    }

    void skipped(String host, String text) {
        tell(Kind.STEP, State.SKIPPED, host, ++last, 1, text);
    }

    void over(State state, String text) {
        end(Kind.RUN, state, "", 1, 0, text);
    }

    private void tell(Kind kind, State state, String host, long id, long parent, String text) {
        MeshEvent.Builder event = MeshEvent.builder(kind, state, text)
                .run(run, "shop", Verb.APPLY)
                .id(id)
                .time(now);
        if (!host.isEmpty()) {
            event.host(host);
        }
        if (parent > 0) {
            event.parent(parent);
        }
        if (percent > 0) {
            event.progress(10, percent);
        }
        Instant begin = started.get(id);
        if (state.isEnd() && begin != null) {
            event.duration(Duration.between(begin, now));
        }
        listener.on(event.build());
    }
}
