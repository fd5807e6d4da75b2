package dev.promguard.blueprint;

import java.util.Objects;

/**
 * A wished host, before it has an address.
 *
 * @param name its name
 * @param role what it is in the mesh
 * @param region the provider's word for where it is
 * @param size the provider's word for its size
 * @param image the provider's word for its image
 */
public record HostSpec(String name, Role role, String region, String size, String image) {
    /**
     * Checks that all are there.
     *
     * @throws NullPointerException if one is null
     */
    public HostSpec {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(role, "role");
        Objects.requireNonNull(region, "region");
        Objects.requireNonNull(size, "size");
        Objects.requireNonNull(image, "image");
    }
}
