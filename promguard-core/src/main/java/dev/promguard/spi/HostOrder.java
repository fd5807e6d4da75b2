package dev.promguard.spi;

import java.util.Objects;

/**
 * One host to make.
 *
 * @param name the host's name, unique in the mesh
 * @param region the provider's word for a region, such as {@code tor1}
 * @param size the provider's word for a size, such as {@code s-1vcpu-1gb}
 * @param image the provider's word for an image, such as {@code debian-12-x64}
 */
public record HostOrder(String name, String region, String size, String image) {
    /**
     * Checks that all are there.
     *
     * @throws NullPointerException if one is null
     */
    public HostOrder {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(region, "region");
        Objects.requireNonNull(size, "size");
        Objects.requireNonNull(image, "image");
    }
}
