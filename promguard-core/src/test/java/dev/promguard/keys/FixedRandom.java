package dev.promguard.keys;

import java.security.SecureRandom;
import java.util.Random;

/** A random source that says the same every time. */
final class FixedRandom extends SecureRandom {
    private static final long serialVersionUID = 1L;

    private final Random random;
    private byte[] first;

    FixedRandom(long seed) {
        this(seed, new byte[0]);
    }

    /** Says these bytes first. */
    FixedRandom(long seed, byte[] first) {
        this.random = new Random(seed);
        this.first = first.clone();
    }

    @Override
    public void nextBytes(byte[] bytes) {
        if (first.length == bytes.length) {
            System.arraycopy(first, 0, bytes, 0, bytes.length);
            first = new byte[0];
        } else {
            random.nextBytes(bytes);
        }
    }
}
