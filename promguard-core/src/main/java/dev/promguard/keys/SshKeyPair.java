package dev.promguard.keys;

import dev.promguard.InvalidSettingException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.Objects;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.util.OpenSSHPrivateKeyUtil;
import org.bouncycastle.crypto.util.OpenSSHPublicKeyUtil;

/**
 * An ed25519 SSH key pair in OpenSSH's own file formats. Closing it clears the private half.
 *
 * @param privateKey the private key file: unencrypted {@code -----BEGIN OPENSSH PRIVATE KEY-----} text
 * @param publicKey the public key
 */
public record SshKeyPair(Secret privateKey, SshPublicKey publicKey) implements AutoCloseable {
    private static final String BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----";
    private static final String END = "-----END OPENSSH PRIVATE KEY-----";
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(70, new byte[] {'\n'});

    /**
     * Checks that both are there.
     *
     * @throws NullPointerException if one is null
     */
    public SshKeyPair {
        Objects.requireNonNull(privateKey, "privateKey");
        Objects.requireNonNull(publicKey, "publicKey");
    }

    /**
     * Makes a new pair.
     *
     * @param random a cryptographically strong random source
     * @return the pair; the caller closes it
     */
    public static SshKeyPair generate(SecureRandom random) {
        Ed25519PrivateKeyParameters key = new Ed25519PrivateKeyParameters(random);
        byte[] encoded = encode(key);
        byte[] body = LINES.encode(encoded);
        byte[] begin = (BEGIN + '\n').getBytes(StandardCharsets.US_ASCII);
        byte[] end = ('\n' + END + '\n').getBytes(StandardCharsets.US_ASCII);
        byte[] text = new byte[begin.length + body.length + end.length];
        ByteBuffer.wrap(text).put(begin).put(body).put(end);
        try {
            return new SshKeyPair(Secret.of(text), publicKey(key));
        } finally {
            Arrays.fill(encoded, (byte) 0);
            Arrays.fill(body, (byte) 0);
            Arrays.fill(text, (byte) 0);
        }
    }

    /**
     * The public half of a private key that {@link #generate} made.
     *
     * @param privateKey the private key file
     * @return the public key
     * @throws InvalidSettingException if it is no such file: cut short, of another type, or encrypted
     */
    public static SshPublicKey publicHalf(Secret privateKey) {
        return privateKey.useText(text -> {
            int begin = text.indexOf(BEGIN);
            int end = text.indexOf(END);
            if (begin < 0 || end < begin) {
                throw new InvalidSettingException("not an OpenSSH private key");
            }
            byte[] blob = Base64.getMimeDecoder()
                    .decode(text.substring(begin + BEGIN.length(), end).strip());
            try {
                if (OpenSSHPrivateKeyUtil.parsePrivateKeyBlob(blob) instanceof Ed25519PrivateKeyParameters key) {
                    return publicKey(key);
                }
            } catch (RuntimeException e) {
                // What BouncyCastle says of it could quote the key.
                throw new InvalidSettingException("not a whole, unencrypted OpenSSH private key");
            } finally {
                Arrays.fill(blob, (byte) 0);
            }
            throw new InvalidSettingException("not an ed25519 key");
        });
    }

    private static SshPublicKey publicKey(Ed25519PrivateKeyParameters key) {
        try {
            byte[] blob = OpenSSHPublicKeyUtil.encodePublicKey(key.generatePublicKey());
            return new SshPublicKey("ssh-ed25519", Base64.getEncoder().encodeToString(blob));
        } catch (IOException e) {
            throw new IllegalStateException("an ed25519 key cannot be encoded", e);
        }
    }

    private static byte[] encode(Ed25519PrivateKeyParameters key) {
        try {
            return OpenSSHPrivateKeyUtil.encodePrivateKey(key);
        } catch (IOException e) {
            throw new IllegalStateException("an ed25519 key cannot be encoded", e);
        }
    }

    /** Clears the private key. */
    @Override
    public void close() {
        privateKey.close();
    }
}
