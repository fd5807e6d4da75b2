package dev.promguard.spi;

import java.util.Objects;
import java.util.Optional;

/**
 * A host that exists in a cloud.
 *
 * @param id the provider's id: what a host is known by for as long as it lives, unlike its name and address
 * @param name the host's name
 * @param region where it is
 * @param size the provider's word for its size
 * @param status how far it is
 * @param publicAddress its public IPv4 or IPv6 address; empty until the cloud has given one
 * @param attempt the attempt whose mark it carries; empty if none is found on it
 * @param price what it costs; empty if that is not known
 */
public record CloudHost(
        String id,
        String name,
        String region,
        String size,
        Status status,
        Optional<String> publicAddress,
        Optional<String> attempt,
        Optional<Price> price) {
    /** How far a host is. */
    public enum Status {
        /** Accepted, not yet running. */
        NEW,
        /** Running. */
        ACTIVE,
        /** Switched off, archived, or something that the provider has a word for and PromGuard has not. */
        OFF
    }

    /**
     * Checks that all are there.
     *
     * @throws NullPointerException if one is null
     */
    public CloudHost {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(region, "region");
        Objects.requireNonNull(size, "size");
        Objects.requireNonNull(status, "status");
        Objects.requireNonNull(publicAddress, "publicAddress");
        Objects.requireNonNull(attempt, "attempt");
        Objects.requireNonNull(price, "price");
    }
}
