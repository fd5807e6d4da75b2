package dev.promguard.digitalocean.internal;

import java.time.Duration;

/** A point in time by which something must have ended. */
public final class Deadline {
    private static final Duration FAR = Duration.ofDays(365);

    private final long start;
    private final Duration time;

    private Deadline(long start, Duration time) {
        this.start = start;
        this.time = time.compareTo(FAR) > 0 ? FAR : time;
    }

    /** So long from now. */
    public static Deadline after(Duration time) {
        return new Deadline(System.nanoTime(), time);
    }

    /** So far away that it does not count. */
    public static Deadline never() {
        return new Deadline(System.nanoTime(), FAR);
    }

    /** So much later. */
    public Deadline plus(Duration longer) {
        return new Deadline(start, time.plus(longer));
    }

    /** What is left; zero once it is over. */
    public Duration left() {
        Duration left = time.minusNanos(System.nanoTime() - start);
        return left.isNegative() ? Duration.ZERO : left;
    }

    /** Whether nothing is left. */
    public boolean isOver() {
        return left().isZero();
    }

    /** The shorter of a time and what is left. */
    public Duration atMost(Duration longest) {
        Duration left = left();
        return left.compareTo(longest) < 0 ? left : longest;
    }
}
