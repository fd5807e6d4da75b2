package dev.promguard.host;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 sums in lower-case hex. */
public final class Hashes {
    private static final int SHOWN = 12;

    private Hashes() {}

    /**
     * The sum of a text.
     *
     * @param content the text
     * @return 64 digits
     */
    public static String of(String content) {
        return HexFormat.of().formatHex(sha256().digest(content.getBytes(StandardCharsets.UTF_8)));
    }

    /** The sum of a text and a line end. */
    static String ofLine(byte[] text) {
        MessageDigest digest = sha256();
        digest.update(text);
        digest.update((byte) '\n');
        return HexFormat.of().formatHex(digest.digest());
    }

    /** A sum for people, as long as it takes to tell two apart. */
    static String shown(String sha256) {
        return "sha256:" + sha256.substring(0, Math.min(SHOWN, sha256.length()));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
