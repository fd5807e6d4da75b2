package dev.promguard.examples.localcloud;

import com.sun.net.httpserver.Headers;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.locks.ReentrantLock;

/** So many requests an hour, and the headers that say so. */
final class RateLimit {
    private final ReentrantLock lock = new ReentrantLock();
    private final int hourly;
    private Instant windowEnds = Instant.now().plus(Duration.ofHours(1));
    private int used;

    RateLimit(int hourly) {
        this.hourly = hourly;
    }

    /** Counts a request, and sets the headers. Returns whether there was room for it. */
    boolean take(Headers headers) {
        lock.lock();
        try {
            if (Instant.now().isAfter(windowEnds)) {
                windowEnds = Instant.now().plus(Duration.ofHours(1));
                used = 0;
            }
            boolean room = used < hourly;
            used = Math.min(hourly, used + 1);
            headers.set("ratelimit-limit", Integer.toString(hourly));
            headers.set("ratelimit-remaining", Integer.toString(hourly - used));
            headers.set("ratelimit-reset", Long.toString(windowEnds.getEpochSecond()));
            return room;
        } finally {
            lock.unlock();
        }
    }

    /** How long until there is room again. */
    Duration reset() {
        lock.lock();
        try {
            return Duration.between(Instant.now(), windowEnds);
        } finally {
            lock.unlock();
        }
    }
}
