package dev.promguard.keys;

import dev.promguard.InvalidSettingException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * An SSH public key: what stands in an {@code authorized_keys} or host key file, without its comment.
 *
 * @param type the key type, such as {@code ssh-ed25519}
 * @param base64 the key blob of RFC 4253, section 6.6, in base64
 */
public record SshPublicKey(String type, String base64) {
    private static final Pattern TYPE = Pattern.compile("[a-z0-9@.-]{1,64}");
    private static final Pattern BLOB = Pattern.compile("[A-Za-z0-9+/]{16,16384}={0,2}");

    /**
     * Checks the form.
     *
     * @throws InvalidSettingException if the type or the blob is malformed, or the blob is that of another type
     */
    public SshPublicKey {
        if (!TYPE.matcher(type).matches() || !BLOB.matcher(base64).matches() || !isOfType(type, base64)) {
            throw new InvalidSettingException("not an SSH public key: type and base64 blob of that type wanted");
        }
    }

    /** A blob begins with the length of its type in four bytes, and the type. */
    private static boolean isOfType(String type, String base64) {
        byte[] begin = new byte[4 + type.length()];
        ByteBuffer.wrap(begin).putInt(type.length()).put(type.getBytes(StandardCharsets.US_ASCII));
        try {
            byte[] blob = Base64.getDecoder().decode(base64);
            return blob.length > begin.length
                    && Arrays.equals(begin, 0, begin.length, blob, 0, begin.length)
                    && Base64.getEncoder().encodeToString(blob).equals(base64);
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /**
     * Reads the first two words of an {@code authorized_keys} or {@code .pub} line.
     *
     * @param line such as {@code ssh-ed25519 AAAA… comment}
     * @return the key; the comment is dropped
     * @throws InvalidSettingException if the line has another form
     */
    public static SshPublicKey parse(String line) {
        String[] words = line.strip().split("[ \\t]+", 3);
        if (words.length < 2) {
            throw new InvalidSettingException("not an SSH public key line: two words wanted");
        }
        return new SshPublicKey(words[0], words[1]);
    }

    /**
     * The key as a line for {@code authorized_keys}, without comment or line end.
     *
     * @return type, blank, blob
     */
    public String line() {
        return type + ' ' + base64;
    }

    /**
     * The fingerprint, as {@code ssh-keygen -lf} prints it.
     *
     * @return {@code SHA256:} and unpadded base64
     */
    public HostKeyFingerprint fingerprint() {
        byte[] blob = Base64.getDecoder().decode(base64);
        return new HostKeyFingerprint(
                "SHA256:" + Base64.getEncoder().withoutPadding().encodeToString(digest("SHA-256", blob)));
    }

    /**
     * The old MD5 fingerprint, by which DigitalOcean's API looks keys up. Never a proof of anything.
     *
     * @return 16 bytes in hex, joined by colons
     */
    public String md5Fingerprint() {
        StringBuilder text = new StringBuilder(47);
        for (byte b : digest("MD5", Base64.getDecoder().decode(base64))) {
            text.append(text.isEmpty() ? "" : ":").append(String.format(Locale.ROOT, "%02x", b));
        }
        return text.toString();
    }

    private static byte[] digest(String algorithm, byte[] bytes) {
        try {
            return MessageDigest.getInstance(algorithm).digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has " + algorithm, e);
        }
    }
}
