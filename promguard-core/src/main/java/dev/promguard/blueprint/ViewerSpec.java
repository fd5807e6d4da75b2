package dev.promguard.blueprint;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A person's machine that reaches Prometheus on the monitors and nothing else, as data.
 *
 * @param name its name in the mesh
 * @param publicKey its WireGuard public key in base64
 * @param until when its access ends; empty if it does not
 */
public record ViewerSpec(String name, String publicKey, Optional<Instant> until) {
    /**
     * Checks that all are there.
     *
     * @throws NullPointerException if one is null
     */
    public ViewerSpec {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(publicKey, "publicKey");
        Objects.requireNonNull(until, "until");
    }

    /**
     * Whether its access has ended.
     *
     * @param now the time
     * @return true from the moment that {@link #until()} names
     */
    public boolean isExpired(Instant now) {
        return until.filter(end -> !now.isBefore(end)).isPresent();
    }
}
