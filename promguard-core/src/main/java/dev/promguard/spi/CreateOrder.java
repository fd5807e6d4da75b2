package dev.promguard.spi;

import dev.promguard.InvalidSettingException;
import dev.promguard.keys.Secret;
import java.util.List;
import java.util.Objects;

/**
 * Hosts that differ only in name, ordered with one call.
 *
 * @param mesh the mesh's name
 * @param attempt a word that only the orders of one apply carry, of which no two share a name: it and the names together tell
 *     which order a host came from. The hosts are marked with it
 * @param role the hosts' role, {@code monitor} or {@code node}; the hosts are marked with it
 * @param names the hosts' names, from one to {@link CloudProvider#batchSize()}
 * @param region the provider's word for the region
 * @param size the provider's word for the size
 * @param image the provider's word for the image
 * @param accessKey the login key that the hosts admit
 * @param userData cloud-init user data. It holds the bootstrap host key, hence a secret
 */
public record CreateOrder(
        String mesh,
        String attempt,
        String role,
        List<String> names,
        String region,
        String size,
        String image,
        AccessKey accessKey,
        Secret userData) {
    /**
     * Copies the names.
     *
     * @throws NullPointerException if something is null
     * @throws InvalidSettingException if there are no names
     */
    public CreateOrder {
        Objects.requireNonNull(mesh, "mesh");
        Objects.requireNonNull(attempt, "attempt");
        Objects.requireNonNull(role, "role");
        Objects.requireNonNull(region, "region");
        Objects.requireNonNull(size, "size");
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(accessKey, "accessKey");
        Objects.requireNonNull(userData, "userData");
        names = List.copyOf(names);
        if (names.isEmpty()) {
            throw new InvalidSettingException("an order needs at least one name");
        }
    }
}
