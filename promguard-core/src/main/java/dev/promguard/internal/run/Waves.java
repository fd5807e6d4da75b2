package dev.promguard.internal.run;

import dev.promguard.CancelledException;
import dev.promguard.internal.run.Parallel.Result;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Does the same work for items that become available one after another, and hands out what comes of it in waves: those that are
 * ready are not kept waiting by one that is late or never comes. A wave is complete when every item has ended, or a grace
 * period after the first one of the wave has succeeded. Thread-safe, but waves are for one thread to take.
 *
 * @param <R> what comes of an item
 */
public final class Waves<R> implements AutoCloseable {
    private final ExecutorService workers;
    private final ExecutorService source = Executors.newSingleThreadExecutor(Parallel.threads());
    private final Duration grace;
    private final Set<String> pending = new HashSet<>();
    private Map<String, Result<R>> ended = new LinkedHashMap<>();
    private @Nullable Throwable abnormal;
    private boolean closed;

    /**
     * Waits for nothing yet.
     *
     * @param limit how many are worked on at a time, at most
     * @param grace how long a wave waits for further items after its first success
     */
    public Waves(int limit, Duration grace) {
        this.workers = Executors.newFixedThreadPool(limit, Parallel.threads());
        this.grace = grace;
    }

    /**
     * Waits for further items; each is to be {@linkplain #start started} or {@linkplain #fail failed}, once.
     *
     * @param items the items
     */
    public synchronized void expect(Collection<String> items) {
        pending.addAll(items);
    }

    /** Has a thread of its own tell which items are available, with {@link #start} and {@link #fail}. */
    public void from(Runnable telling) {
        source.execute(() -> guarded(telling));
    }

    /** Works on an item that is available, as soon as a worker is free. */
    public void start(String item, Supplier<R> work) {
        workers.execute(() -> guarded(() -> end(item, resultOf(work))));
    }

    /** Gives up an item. */
    public void fail(String item, RuntimeException why) {
        end(item, new Result<>(null, why));
    }

    private Result<R> resultOf(Supplier<R> work) {
        try {
            return new Result<>(work.get(), null);
        } catch (RuntimeException e) {
            return new Result<>(null, e);
        }
    }

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (Throwable e) {
            synchronized (this) {
                abnormal = abnormal == null ? e : abnormal;
                notifyAll();
            }
        }
    }

    private synchronized void end(String item, Result<R> result) {
        if (!closed && pending.remove(item)) {
            ended.put(item, result);
            notifyAll();
        }
    }

    /**
     * Whether every item has been handed out.
     *
     * @return true if {@link #next} has nothing more to give
     */
    public synchronized boolean done() {
        return pending.isEmpty() && ended.isEmpty();
    }

    /**
     * Waits for the next wave.
     *
     * @param longest how long to wait for a first success
     * @return what came of each of its items; empty if the time was over, or every item has been handed out
     * @throws CancelledException if this thread is interrupted; the work is interrupted then
     */
    public Map<String, Result<R>> next(Duration longest) {
        try {
            return await(longest);
        } catch (InterruptedException e) {
            CancelledException cancelled = Parallel.cancelled(stop(), e);
            Thread.currentThread().interrupt();
            throw cancelled;
        }
    }

    private synchronized Map<String, Result<R>> await(Duration longest) throws InterruptedException {
        long end = System.nanoTime() + longest.toNanos();
        boolean ready = false;
        while (abnormal == null && !pending.isEmpty()) {
            if (!ready && ended.values().stream().anyMatch(result -> result.failure() == null)) {
                ready = true;
                end = System.nanoTime() + grace.toNanos();
            }
            long left = end - System.nanoTime();
            if (left <= 0) {
                break;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        if (abnormal instanceof RuntimeException failure) {
            throw failure;
        } else if (abnormal != null) {
            throw new IllegalStateException("a worker ended abnormally", abnormal);
        }
        Map<String, Result<R>> wave = ended;
        ended = new LinkedHashMap<>();
        return wave;
    }

    private boolean stop() {
        source.shutdownNow();
        workers.shutdownNow();
        return Parallel.windDown(source) && Parallel.windDown(workers);
    }

    /** Interrupts unfinished work and waits some seconds for it to end. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        stop();
    }
}
