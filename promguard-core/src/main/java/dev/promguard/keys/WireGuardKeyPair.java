package dev.promguard.keys;

import java.util.Objects;

/**
 * A WireGuard key pair whose private half is cleared by {@link #close()}.
 *
 * @param privateKey the private key as base64 text, the form of {@code wg genkey}
 * @param publicKey the public key
 */
public record WireGuardKeyPair(Secret privateKey, PublicKey publicKey) implements AutoCloseable {
    /**
     * Checks that both are there.
     *
     * @throws NullPointerException if one is null
     */
    public WireGuardKeyPair {
        Objects.requireNonNull(privateKey, "privateKey");
        Objects.requireNonNull(publicKey, "publicKey");
    }

    /** Clears the private key. */
    @Override
    public void close() {
        privateKey.close();
    }
}
