package dev.promguard.internal.run;

import dev.promguard.CancelledException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Does the same work for many items at once. One item's failure does not affect the others. */
public final class Parallel {
    private static final AtomicInteger POOLS = new AtomicInteger();
    private static final int SECONDS_TO_WIND_DOWN = 5;

    private Parallel() {}

    /**
     * What came of one item: a value, or the failure in its place.
     *
     * @param value the value, or null
     * @param failure the failure, or null
     * @param <R> the type of the value
     */
    public record Result<R>(@Nullable R value, @Nullable RuntimeException failure) {
        /**
         * The value.
         *
         * @return the value
         * @throws RuntimeException the failure, if there is one
         */
        public R orThrow() {
            if (failure != null) {
                throw failure;
            }
            if (value == null) {
                throw new IllegalStateException("no value and no failure");
            }
            return value;
        }
    }

    /**
     * Works on all items, at most {@code limit} at a time, and waits for all of them.
     *
     * @throws CancelledException if the calling thread is interrupted; the workers are interrupted then
     */
    public static <K, R> Map<K, Result<R>> map(Collection<K> items, int limit, Function<K, R> work) {
        Map<K, Result<R>> results = new LinkedHashMap<>();
        if (items.isEmpty()) {
            return results;
        }
        ExecutorService pool = Executors.newFixedThreadPool(Math.min(limit, items.size()), threads());
        try {
            Map<K, Future<R>> futures = new LinkedHashMap<>();
            for (K item : items) {
                futures.put(item, pool.submit(() -> work.apply(item)));
            }
            for (Map.Entry<K, Future<R>> entry : futures.entrySet()) {
                results.put(entry.getKey(), await(entry.getValue()));
            }
            return results;
        } catch (InterruptedException e) {
            pool.shutdownNow();
            boolean ended = windDown(pool);
            Thread.currentThread().interrupt();
            throw cancelled(ended, e);
        } catch (IllegalStateException e) {
            pool.shutdownNow();
            if (!windDown(pool)) {
                e.addSuppressed(
                        new IllegalStateException("some work did not end within " + SECONDS_TO_WIND_DOWN + " s"));
            }
            throw e;
        } finally {
            pool.shutdownNow();
        }
    }

    static CancelledException cancelled(boolean ended, InterruptedException cause) {
        return new CancelledException(
                ended
                        ? "interrupted. What was done is kept, and the next run continues from there."
                        : "interrupted, and some work did not end within " + SECONDS_TO_WIND_DOWN
                                + " s. Wait a minute, then the next run continues from there.",
                cause);
    }

    private static <R> Result<R> await(Future<R> future) throws InterruptedException {
        try {
            return new Result<>(future.get(), null);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                return new Result<>(null, failure);
            }
            throw new IllegalStateException("a worker ended abnormally", e.getCause());
        }
    }

    static boolean windDown(ExecutorService pool) {
        try {
            return pool.awaitTermination(SECONDS_TO_WIND_DOWN, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    static ThreadFactory threads() {
        int pool = POOLS.incrementAndGet();
        AtomicInteger next = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, "promguard-" + pool + '-' + next.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}
