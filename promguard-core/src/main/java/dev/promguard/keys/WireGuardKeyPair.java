package dev.promguard.keys;

import dev.promguard.InvalidSettingException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Objects;
import org.bouncycastle.math.ec.rfc7748.X25519;

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

    /**
     * Generates a pair from the platform's strong random source.
     *
     * @return a pair never returned before; the caller closes it
     */
    public static WireGuardKeyPair generate() {
        return KeySource.random().generate();
    }

    /**
     * The pair of a private key, whose public half is computed as {@code wg pubkey} does.
     *
     * @param privateKey the private key as base64 text, the form of {@code wg genkey}; the pair holds a copy
     * @return the pair; the caller closes it
     * @throws NullPointerException if the key is null
     * @throws InvalidSettingException if it is not the base64 of 32 bytes, or was closed; the message does not hold it
     */
    public static WireGuardKeyPair of(Secret privateKey) {
        return privateKey.use(text -> {
            byte[] scalar = scalar(text);
            try {
                byte[] point = new byte[X25519.POINT_SIZE];
                X25519.generatePublicKey(scalar, 0, point, 0);
                return new WireGuardKeyPair(
                        Secret.of(text), new PublicKey(Base64.getEncoder().encodeToString(point)));
            } finally {
                Arrays.fill(scalar, (byte) 0);
            }
        });
    }

    private static byte[] scalar(byte[] text) {
        byte[] scalar;
        try {
            scalar = Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw notAKey();
        }
        if (scalar.length != X25519.SCALAR_SIZE) {
            Arrays.fill(scalar, (byte) 0);
            throw notAKey();
        }
        return scalar;
    }

    /** Has no cause, which might quote the key. */
    private static InvalidSettingException notAKey() {
        return new InvalidSettingException(
                "not a WireGuard private key: give 44 characters of base64, as wg genkey writes them");
    }

    /** Clears the private key. */
    @Override
    public void close() {
        privateKey.close();
    }
}
