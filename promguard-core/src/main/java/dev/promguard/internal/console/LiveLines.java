package dev.promguard.internal.console;

import dev.promguard.MeshEvent;
import dev.promguard.MeshEvent.Kind;
import dev.promguard.MeshListener;
import java.io.IOError;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows the runs that go on at the end of a terminal, and leaves a recap of each there. A thread of its own draws, so that a terminal that is
 * stopped or slow keeps no host waiting. Thread-safe.
 */
final class LiveLines implements MeshListener {
    private static final Logger LOG = LoggerFactory.getLogger(LiveLines.class);
    private static final Duration PERIOD = Duration.ofMillis(200);

    private final Supplier<Optional<Screen>> screens;
    private final MeshListener otherwise;
    private final Clock clock;
    private final Map<String, RunView> runs = new LinkedHashMap<>();
    private @Nullable Painter painter;

    /**
     * Lines on screens.
     *
     * @param screens opens a screen for as long as runs go on; empty if there is none
     * @param otherwise receives the events of runs without a screen
     * @param clock the time
     */
    LiveLines(Supplier<Optional<Screen>> screens, MeshListener otherwise, Clock clock) {
        this.screens = screens;
        this.otherwise = otherwise;
        this.clock = clock;
    }

    @Override
    public void on(MeshEvent event) {
        Painter done = null;
        boolean shown;
        synchronized (this) {
            if (event.kind() == Kind.RUN && !event.state().isEnd() && ready()) {
                runs.put(event.run(), new RunView(event));
            }
            RunView run = runs.get(event.run());
            shown = run != null;
            if (run != null) {
                run.on(event);
            }
            if (run != null && event.kind() == Kind.RUN && event.state().isEnd()) {
                done = painter;
                if (done == null) {
                    // The terminal is gone. How the run ended is told all the same.
                    runs.remove(event.run());
                    shown = false;
                }
            }
        }
        if (done != null) {
            shown = done.finish(event.run());
        }
        if (!shown) {
            otherwise.on(event);
        }
    }

    /** Whether there is a screen. One that is about to be left is waited for. */
    private boolean ready() {
        try {
            while (painter != null && painter.ending) {
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
        if (painter == null) {
            painter = screens.get().map(Painter::new).orElse(null);
            if (painter != null) {
                painter.start();
            }
        }
        return painter != null;
    }

    /** Draws until no run goes on. */
    private final class Painter extends Thread {
        private final Screen screen;
        private final Map<String, CountDownLatch> finished = new LinkedHashMap<>();
        private final List<CountDownLatch> printed = new ArrayList<>();
        private boolean ending;
        private volatile boolean broken;

        Painter(Screen screen) {
            super("promguard-console");
            this.screen = screen;
            setDaemon(true);
        }

        /** Has the recap of a run printed, and waits for that, however often the thread is interrupted. Returns whether it was. */
        boolean finish(String run) {
            CountDownLatch done = new CountDownLatch(1);
            synchronized (LiveLines.this) {
                finished.put(run, done);
                LiveLines.this.notifyAll();
            }
            boolean interrupted = false;
            while (true) {
                try {
                    done.await();
                    break;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            return !broken;
        }

        @Override
        public void run() {
            try (Screen on = screen) {
                while (paint(on)) {
                    synchronized (LiveLines.this) {
                        if (finished.isEmpty()) {
                            TimeUnit.MILLISECONDS.timedWait(LiveLines.this, PERIOD.toMillis());
                        }
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException | IOError e) {
                broken = true;
                LOG.warn("The terminal cannot be drawn on any more. The verb goes on.", e);
            } finally {
                release();
            }
        }

        /** Draws once; returns whether runs go on. */
        private boolean paint(Screen on) {
            int columns = on.columns();
            int rows = on.rows();
            List<Line> recaps = new ArrayList<>();
            List<Line> live = new ArrayList<>();
            synchronized (LiveLines.this) {
                for (String run : finished.keySet()) {
                    recaps.addAll(Layout.recap(Objects.requireNonNull(runs.remove(run)), columns));
                }
                printed.addAll(finished.values());
                finished.clear();
                int each = runs.isEmpty() ? 0 : Math.max(2, (rows - 2) / runs.size());
                runs.values().forEach(run -> live.addAll(Layout.live(run, clock.instant(), columns, each)));
                ending = runs.isEmpty();
            }
            if (!recaps.isEmpty()) {
                on.print(recaps);
            }
            if (ending) {
                return false;
            }
            on.draw(live.subList(0, Math.min(live.size(), Math.max(1, rows - 1))));
            printed.forEach(CountDownLatch::countDown);
            printed.clear();
            return true;
        }

        private void release() {
            synchronized (LiveLines.this) {
                painter = null;
                finished.keySet().forEach(runs::remove);
                finished.values().forEach(CountDownLatch::countDown);
                printed.forEach(CountDownLatch::countDown);
                LiveLines.this.notifyAll();
            }
        }
    }
}
