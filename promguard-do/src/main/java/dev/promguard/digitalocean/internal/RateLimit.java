package dev.promguard.digitalocean.internal;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How soon the next call may be sent, for all calls of a client together: a bucket that refills at the pace of the API's limit for a
 * minute, closed for as long as the API says that its limit is used up. Thread-safe.
 *
 * @see <a href="https://docs.digitalocean.com/reference/api/reference/rate-limit/">5,000 calls an hour and 250 a minute</a>
 */
public final class RateLimit {
    /** A burst and a minute's refill together stay a little below what the API allows a minute. */
    private static final double BURST = 60;

    private static final double A_NANOSECOND = 180.0 / Duration.ofMinutes(1).toNanos();

    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock();
    private double tokens = BURST;
    private Instant filledAt;
    private Instant closedUntil = Instant.MIN;

    /** A full bucket. */
    public RateLimit(InstantSource clock) {
        this.clock = clock;
        this.filledAt = clock.instant();
    }

    /** Takes a place in the row. Returns how long to wait before the call is sent; the place is taken even if that is too long. */
    public Duration take() {
        lock.lock();
        try {
            Instant now = clock.instant();
            long passed = Math.max(0, Duration.between(filledAt, now).toNanos());
            tokens = Math.min(BURST, tokens + passed * A_NANOSECOND) - 1;
            filledAt = now;
            Duration refill = tokens >= 0 ? Duration.ZERO : Duration.ofNanos((long) (-tokens / A_NANOSECOND));
            Duration closed = closedUntil.isAfter(now) ? Duration.between(now, closedUntil) : Duration.ZERO;
            return closed.compareTo(refill) > 0 ? closed : refill;
        } finally {
            lock.unlock();
        }
    }

    /** The API wants no call for so long. */
    public void close(Duration time) {
        lock.lock();
        try {
            Instant until = clock.instant().plus(time);
            if (until.isAfter(closedUntil)) {
                closedUntil = until;
            }
        } finally {
            lock.unlock();
        }
    }
}
