package dev.promguard.keys;

import dev.promguard.InvalidSettingException;
import java.util.Base64;

/**
 * A WireGuard public key: 32 bytes, written in base64 as {@code wg pubkey} writes them.
 *
 * @param base64 the 44 characters
 */
public record PublicKey(String base64) {
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
