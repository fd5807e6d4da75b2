package dev.promguard.internal.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.CancelledException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class ParallelTest {
    @Test
    void map_oneFails_leavesTheOthersAndKeepsTheOrder() {
        Map<Integer, Parallel.Result<Integer>> results = Parallel.map(List.of(3, 1, 2), 2, item -> {
            if (item == 1) {
                throw new IllegalArgumentException("one");
            }
            return item * 10;
        });

        assertThat(results.keySet()).containsExactly(3, 1, 2);
        assertThat(results.get(3)).isEqualTo(new Parallel.Result<>(30, null));
        assertThatThrownBy(() ->
                        results.getOrDefault(1, new Parallel.Result<>(0, null)).orThrow())
                .hasMessage("one");
    }

    @Test
    void map_nothing_makesNoThread() {
        assertThat(Parallel.map(List.of(), 4, item -> item)).isEmpty();
    }

    @Test
    void map_errorInAWorker_isNotReturnedBeforeTheOthersHaveEnded() throws Exception {
        CountDownLatch slowRuns = new CountDownLatch(1);
        CountDownLatch returned = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        AtomicBoolean returnedFirst = new AtomicBoolean();

        assertThatThrownBy(() -> Parallel.map(List.of("error", "slow"), 2, item -> {
                    if (item.equals("error")) {
                        come(slowRuns);
                        throw new StackOverflowError("abnormal");
                    }
                    try {
                        slowRuns.countDown();
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        returnedFirst.set(comes(returned));
                        ended.countDown();
                    }
                    return item;
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasRootCauseMessage("abnormal");
        returned.countDown();

        ended.await();
        assertThat(returnedFirst).isFalse();
    }

    private static void come(CountDownLatch event) {
        try {
            event.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether something comes within the time that a worker takes to wind down. */
    private static boolean comes(CountDownLatch event) {
        try {
            return event.await(200, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void map_interrupted_interruptsTheWorkersAndKeepsTheFlag() throws Exception {
        CountDownLatch working = new CountDownLatch(2);
        AtomicBoolean cancelled = new AtomicBoolean();
        AtomicBoolean flagged = new AtomicBoolean();
        Thread caller = new Thread(() -> {
            try {
                Parallel.map(List.of("a", "b"), 2, item -> {
                    working.countDown();
                    try {
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return item;
                });
            } catch (CancelledException e) {
                cancelled.set(e.retryable());
                flagged.set(Thread.currentThread().isInterrupted());
            }
        });
        caller.start();
        working.await();

        caller.interrupt();
        caller.join();

        assertThat(cancelled).isTrue();
        assertThat(flagged).isTrue();
    }
}
