package dev.promguard.keys;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import org.bouncycastle.math.ec.rfc7748.X25519;

/**
 * Where WireGuard keys come from. An input of an apply, so that planning itself is free of randomness.
 *
 * <p>Implementations must be safe for use by several threads.
 */
@FunctionalInterface
public interface KeySource {
    /**
     * Makes one new key pair.
     *
     * @return a pair never returned before; the caller closes it
     */
    WireGuardKeyPair generate();

    /**
     * Generates a preshared key, which the two ends of a tunnel hold in addition to their key pairs: 32 random bytes, as {@code
     * wg genpsk} makes them. Unless overridden, from the platform's strong random source.
     *
     * @return the key as base64 text, never returned before; the caller closes it
     */
    default Secret presharedKey() {
        return presharedKey(new SecureRandom());
    }

    private static Secret presharedKey(SecureRandom random) {
        byte[] key = new byte[X25519.SCALAR_SIZE];
        random.nextBytes(key);
        byte[] encoded = Base64.getEncoder().encode(key);
        try {
            return Secret.of(encoded);
        } finally {
            Arrays.fill(key, (byte) 0);
            Arrays.fill(encoded, (byte) 0);
        }
    }

    /**
     * Keys from a random source, computed as in RFC 7748 (X25519), the function behind {@code wg pubkey}.
     *
     * @param random the source of the private keys; must be a cryptographically strong one outside tests
     * @return the key source
     */
    static KeySource of(SecureRandom random) {
        return new KeySource() {
            @Override
            public WireGuardKeyPair generate() {
                byte[] privateKey = new byte[X25519.SCALAR_SIZE];
                byte[] publicKey = new byte[X25519.POINT_SIZE];
                try {
                    X25519.generatePrivateKey(random, privateKey);
                    X25519.generatePublicKey(privateKey, 0, publicKey, 0);
                    byte[] encoded = Base64.getEncoder().encode(privateKey);
                    try {
                        return new WireGuardKeyPair(
                                Secret.of(encoded),
                                new PublicKey(Base64.getEncoder().encodeToString(publicKey)));
                    } finally {
                        Arrays.fill(encoded, (byte) 0);
                    }
                } finally {
                    Arrays.fill(privateKey, (byte) 0);
                }
            }

            @Override
            public Secret presharedKey() {
                return KeySource.presharedKey(random);
            }
        };
    }

    /**
     * Pairs from the platform's strong random source.
     *
     * @return the key source
     */
    static KeySource random() {
        return of(new SecureRandom());
    }
}
