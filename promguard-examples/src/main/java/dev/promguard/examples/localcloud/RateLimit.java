package dev.promguard.examples.localcloud;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.locks.ReentrantLock;

/** So many requests within so long a time. */
final class RateLimit {
    private final ReentrantLock lock = new ReentrantLock();
    private final int limit;
    private final Duration window;
    private Instant windowEnds;
    private int used;

    RateLimit(int limit, Duration window) {
        this.limit = limit;
        this.window = window;
        this.windowEnds = Instant.now().plus(window);
    }

    /** What came of a request: whether there was room for it, how much there is left, and when all of it comes back. */
    record Take(boolean room, int left, Instant windowEnds) {
        Duration reset() {
            return Duration.between(Instant.now(), windowEnds);
        }
    }

    int limit() {
        return limit;
    }

    /** Counts a request. */
    Take take() {
        lock.lock();
        try {
            if (Instant.now().isAfter(windowEnds)) {
                windowEnds = Instant.now().plus(window);
                used = 0;
            }
            boolean room = used < limit;
            used = Math.min(limit, used + 1);
            return new Take(room, limit - used, windowEnds);
        } finally {
            lock.unlock();
        }
    }
}
