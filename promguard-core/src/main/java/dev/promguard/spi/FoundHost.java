package dev.promguard.spi;

import java.util.Objects;

/**
 * A host that was looked up by its id.
 *
 * @param host the host, under the name that it has in the cloud now
 * @param tagged whether it carries the mesh's tag
 */
public record FoundHost(CloudHost host, boolean tagged) {
    /**
     * Checks that the host is there.
     *
     * @throws NullPointerException if {@code host} is null
     */
    public FoundHost {
        Objects.requireNonNull(host, "host");
    }
}
