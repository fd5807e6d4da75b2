package dev.promguard.spi;

import java.time.Instant;
import java.util.Objects;

/**
 * One time that a host's disk was made anew from an image, while the host kept its id and its addresses.
 *
 * @param started when it began, by the cloud's clock
 * @param status how far it is
 */
public record Rebuild(Instant started, Status status) {
    /** How far a rebuild is. */
    public enum Status {
        /** It has begun and is not done; the old disk may still be there. */
        IN_PROGRESS,
        /** It is done. */
        COMPLETED,
        /** It was given up, or it is not known how it went. */
        FAILED
    }

    /**
     * Checks that both are there.
     *
     * @throws NullPointerException if one is null
     */
    public Rebuild {
        Objects.requireNonNull(started, "started");
        Objects.requireNonNull(status, "status");
    }
}
