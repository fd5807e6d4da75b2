package dev.promguard.internal.observe;

import dev.promguard.host.DesiredHost;
import dev.promguard.spi.CloudHost;
import java.util.Objects;

/**
 * A host that was observed.
 *
 * @param host the host in the cloud
 * @param expected what it was expected to be when it was asked
 * @param observation what is known of it now
 */
public record Arrived(CloudHost host, DesiredHost expected, HostObservation observation) {
    /**
     * Checks that all are there.
     *
     * @throws NullPointerException if one is null
     */
    public Arrived {
        Objects.requireNonNull(host, "host");
        Objects.requireNonNull(expected, "expected");
        Objects.requireNonNull(observation, "observation");
    }
}
