package dev.promguard.internal.run;

import dev.promguard.CancelledException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Waits between two polls. */
public final class Pause {
    private Pause() {}

    /**
     * Waits.
     *
     * @param time how long
     * @param doing what is under way, for the message of an interruption, such as {@code looking for hosts}
     * @throws CancelledException if the calling thread is interrupted; the interrupt flag is set then
     */
    public static void of(Duration time, String doing) {
        try {
            until(System.nanoTime() + time.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancelledException("interrupted while " + doing, e);
        }
    }

    /**
     * Waits until a time.
     *
     * @param nanoTime the time by {@link System#nanoTime()}
     * @throws InterruptedException if the calling thread is interrupted
     */
    public static void until(long nanoTime) throws InterruptedException {
        long left = nanoTime - System.nanoTime();
        if (left > 0) {
            TimeUnit.NANOSECONDS.sleep(left);
        }
    }
}
