package dev.promguard.internal.run;

import java.time.Duration;

/**
 * The time in which a cloud's list may still lack hosts of an order whose outcome is not known. It is spent in pauses between
 * requests, so that it never passes without one. For one thread.
 */
public final class ListLag {
    private final Duration interval;
    private final long begin = System.nanoTime();
    private long pauses;

    /**
     * The whole time, from now on.
     *
     * @param context the run's context
     */
    public ListLag(Context context) {
        interval = context.intervals().list();
        long lag = context.provider().listLag().toNanos();
        pauses = Math.floorDiv(lag - 1, Math.max(1, interval.toNanos())) + 1;
    }

    /**
     * Whether a list that is requested now shows all that was ordered before.
     *
     * @return true if the time has passed
     */
    public boolean isOver() {
        return pauses <= 0;
    }

    /**
     * Waits before the next request.
     *
     * @param doing what is under way, for the message of an interruption
     * @throws dev.promguard.CancelledException if the calling thread is interrupted; the interrupt flag is set then
     */
    public void pause(String doing) {
        Pause.of(interval, doing);
        pauses--;
    }

    /**
     * How long it has been since the beginning.
     *
     * @return the time
     */
    public Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - begin);
    }
}
