package dev.promguard.keys;

import dev.promguard.InvalidSettingException;
import java.math.BigInteger;
import java.util.Base64;
import java.util.Set;

/**
 * A WireGuard public key: 32 bytes, written in base64 as {@code wg pubkey} writes them.
 *
 * @param base64 the 44 characters
 */
public record PublicKey(String base64) {
    private static final BigInteger PRIME = BigInteger.ONE.shiftLeft(255).subtract(BigInteger.valueOf(19));

    /** All coordinates of points whose order divides the cofactor 8. */
    private static final Set<BigInteger> SMALL_ORDER = Set.of(
            BigInteger.ZERO,
            BigInteger.ONE,
            PRIME.subtract(BigInteger.ONE),
            new BigInteger("325606250916557431795983626356110631294008115727848805560023387167927233504"),
            new BigInteger("39382357235489614581723060781553021112529911719440698176882885853963445705823"));

    /**
     * Checks the form.
     *
     * @throws InvalidSettingException if {@code base64} is not the base64 of 32 bytes
     */
    public PublicKey {
        boolean valid = base64.length() == 44;
        if (valid) {
            try {
                byte[] decoded = Base64.getDecoder().decode(base64);
                valid = decoded.length == 32
                        && Base64.getEncoder().encodeToString(decoded).equals(base64);
            } catch (IllegalArgumentException e) {
                throw new InvalidSettingException("not a WireGuard public key: " + quote(base64), e);
            }
        }
        if (!valid) {
            throw new InvalidSettingException(
                    "not a WireGuard public key (44 characters of base64 wanted): " + quote(base64));
        }
    }

    /**
     * Whether no tunnel can come up with this key: it is none of a private key, but a point of small order on Curve25519, such as 32 zeros,
     * for which WireGuard shakes no hand.
     *
     * @return true if so
     */
    public boolean isSmallOrder() {
        byte[] bytes = Base64.getDecoder().decode(base64);
        byte[] ordered = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            ordered[bytes.length - 1 - i] = bytes[i];
        }
        // RFC 7748 has the top bit ignored, and numbers beyond the prime reduced.
        ordered[0] &= 0x7f;
        return SMALL_ORDER.contains(new BigInteger(1, ordered).mod(PRIME));
    }

    private static String quote(String text) {
        String shown = text.length() > 60 ? text.substring(0, 60) + "…" : text;
        return '"' + shown.replaceAll("[^\\x20-\\x7e…]", "?") + '"';
    }

    /**
     * The key as WireGuard's tools print it.
     *
     * @return the base64 text
     */
    @Override
    public String toString() {
        return base64;
    }
}
