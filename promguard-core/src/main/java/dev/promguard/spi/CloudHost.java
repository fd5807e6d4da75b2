package dev.promguard.spi;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.util.Objects;
import java.util.Optional;

/**
 * A host that exists in a cloud.
 *
 * @param id the provider's id: it identifies the host for its whole life, unlike its name and address
 * @param name the host's name
 * @param region where it is
 * @param size the provider's word for its size
 * @param status how far it is
 * @param publicAddress its public IPv4 or IPv6 address; empty until the cloud has given one
 * @param attempt the attempt whose tag it carries; empty if it has no such tag
 * @param price what it costs; empty if that is not known
 * @param locked whether the provider keeps it from being changed for now
 * @param young whether it was created so lately that it may still start or get an address; true where that is not known
 * @param image the image that it was made from; empty if that is not known
 */
public record CloudHost(
        String id,
        String name,
        String region,
        String size,
        Status status,
        Optional<String> publicAddress,
        Optional<String> attempt,
        Optional<Price> price,
        boolean locked,
        boolean young,
        Optional<HostImage> image) {
    /** How far a host is. */
    public enum Status {
        /** Accepted, not yet running. */
        NEW,
        /** Running. */
        ACTIVE,
        /** Switched off, or in another state that PromGuard does not distinguish. */
        OFF,
        /** Archived by the provider: it cannot be switched on. */
        ARCHIVED
    }

    /**
     * Checks that all are there, can be shown, and that the address is one: it goes into other hosts' files.
     *
     * @throws NullPointerException if one is null
     * @throws InvalidSettingException if a text holds a character that a terminal might obey or hide, or the address is no IPv4 or
     *     IPv6 address; a provider replaces such characters, and gives names that it has resolved
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
        Objects.requireNonNull(image, "image");
        requirePrintable("id", id);
        requirePrintable("name", name);
        requirePrintable("region", region);
        requirePrintable("size", size);
        attempt.ifPresent(text -> requirePrintable("attempt", text));
        publicAddress.filter(text -> !Names.isAddress(text)).ifPresent(text -> {
            throw new InvalidSettingException("publicAddress " + Names.quote(text) + " of host " + id
                    + " is not an IPv4 or IPv6 address: give one, or none");
        });
    }

    /**
     * A young host that nobody has locked, of an image that is not known.
     *
     * @throws NullPointerException if one is null
     * @throws InvalidSettingException as the canonical constructor
     */
    public CloudHost(
            String id,
            String name,
            String region,
            String size,
            Status status,
            Optional<String> publicAddress,
            Optional<String> attempt,
            Optional<Price> price) {
        this(id, name, region, size, status, publicAddress, attempt, price, false, true, Optional.empty());
    }

    /**
     * The same host under the name that the mesh has for it.
     *
     * @param meshName the name
     * @return a copy
     */
    public CloudHost withName(String meshName) {
        return new CloudHost(id, meshName, region, size, status, publicAddress, attempt, price, locked, young, image);
    }

    /**
     * The same host, of which it is known whether it was created lately.
     *
     * @param value whether it was
     * @return a copy
     */
    public CloudHost withYoung(boolean value) {
        return new CloudHost(id, name, region, size, status, publicAddress, attempt, price, locked, value, image);
    }

    /**
     * The same host, whose address is not given out yet.
     *
     * @return a copy
     */
    public CloudHost withoutAddress() {
        return new CloudHost(id, name, region, size, status, Optional.empty(), attempt, price, locked, young, image);
    }

    private static void requirePrintable(String field, String value) {
        if (!Names.isPrintable(value)) {
            throw new InvalidSettingException(
                    field + ' ' + Names.quote(value) + " of a host holds a character that cannot be shown: replace it");
        }
    }

    /**
     * Whether somebody can log in to it, as far as the provider knows.
     *
     * @return true if it is active and has a public address
     */
    public boolean isReady() {
        return status == Status.ACTIVE && publicAddress.isPresent();
    }
}
