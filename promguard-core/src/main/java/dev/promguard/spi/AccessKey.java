package dev.promguard.spi;

import java.util.Objects;

/**
 * A login key as the cloud knows it.
 *
 * @param id the provider's id of the key
 * @param fingerprint the fingerprint by which the provider finds it
 * @param registered whether PromGuard put it there, and so may remove it
 */
public record AccessKey(String id, String fingerprint, boolean registered) {
    /**
     * Checks that all are there.
     *
     * @throws NullPointerException if one is null
     */
    public AccessKey {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(fingerprint, "fingerprint");
    }
}
