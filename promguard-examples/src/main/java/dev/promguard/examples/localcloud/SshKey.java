package dev.promguard.examples.localcloud;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;

/** A public key of the account, with the MD5 fingerprint that DigitalOcean knows it by. */
record SshKey(long id, String name, String publicKey, String fingerprint) {
    private static final String INVALID = "Key invalid, key should be of the format `type key [comment]`";

    static SshKey parse(long id, String name, String publicKey) {
        if (name.isBlank()) {
            throw Refusal.unprocessable("Name can't be blank");
        }
        String[] words = publicKey.strip().split("\\s+", -1);
        if (words.length < 2 || publicKey.strip().indexOf('\n') >= 0) {
            throw Refusal.unprocessable(INVALID);
        }
        byte[] blob;
        try {
            blob = Base64.getDecoder().decode(words[1]);
        } catch (IllegalArgumentException e) {
            throw Refusal.unprocessable(INVALID);
        }
        byte[] type = words[0].getBytes(StandardCharsets.US_ASCII);
        if (blob.length < 4 + type.length
                || blob[3] != type.length
                || !Arrays.equals(type, Arrays.copyOfRange(blob, 4, 4 + type.length))) {
            throw Refusal.unprocessable(INVALID);
        }
        return new SshKey(
                id, name, publicKey.strip(), HexFormat.ofDelimiter(":").formatHex(md5(blob)));
    }

    private static byte[] md5(byte[] blob) {
        try {
            return MessageDigest.getInstance("MD5").digest(blob);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has MD5", e);
        }
    }
}
