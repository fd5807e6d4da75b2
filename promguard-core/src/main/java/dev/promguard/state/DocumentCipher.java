package dev.promguard.state;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/**
 * Encrypts documents with a key that Argon2id derived from a secret. Thread-safe.
 *
 * <p>An encrypted document is a header and what AES-256-GCM makes of the content. The header: {@code PGENC}, the format (1), Argon2id's
 * memory in KiB (4 bytes), iterations (1), lanes (1) and salt (16), a check value of the derived key (16), the nonce (12), and the first 16
 * bytes of the SHA-256 of all that. The header, the mesh's name, a zero byte and the document's name are authenticated with the content.
 */
final class DocumentCipher {
    private static final byte[] MAGIC = "PGENC".getBytes(StandardCharsets.US_ASCII);
    private static final byte FORMAT = 1;
    private static final int SALT = 16;
    private static final int CHECK = 16;
    private static final int NONCE = 12;
    private static final int DIGEST = 16;
    private static final int TAG = 16;
    private static final int KEY = 32;
    private static final int FIXED = 5 + 1 + 4 + 1 + 1 + SALT + CHECK + NONCE;
    private static final int HEADER = FIXED + DIGEST;

    /** What RFC 9106 recommends where memory is constrained. */
    static final Cost RECOMMENDED = new Cost(64 * 1024, 3, 4);

    /** What a header may ask for, which whoever may write documents could alter. */
    private static final int MOST_MEMORY_KIB = 256 * 1024;

    private static final int MOST_ITERATIONS = 10;
    private static final int MOST_LANES = 16;

    private final Parameters parameters;
    private final SecretKeySpec key;
    private final byte[] check;

    private DocumentCipher(Parameters parameters, SecretKeySpec key, byte[] check) {
        this.parameters = parameters;
        this.key = key;
        this.check = check;
    }

    /** Whether a document begins as encrypted ones do. */
    static boolean isEncrypted(byte[] content) {
        return content.length >= MAGIC.length && Arrays.equals(content, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
    }

    /** What it takes to derive a key: how much memory, how often and in how many lanes. */
    record Cost(int memoryKib, int iterations, int lanes) {
        boolean isBearable() {
            return memoryKib >= 8 * lanes
                    && memoryKib <= MOST_MEMORY_KIB
                    && iterations >= 1
                    && iterations <= MOST_ITERATIONS
                    && lanes >= 1
                    && lanes <= MOST_LANES;
        }
    }

    /** How a key is derived: at which cost, and with which salt, in hexadecimal digits. */
    record Parameters(Cost cost, String salt) {
        static Parameters random(Cost cost, SecureRandom random) {
            byte[] salt = new byte[SALT];
            random.nextBytes(salt);
            return new Parameters(cost, HexFormat.of().formatHex(salt));
        }
    }

    /** An encrypted document, whose header is whole. */
    static final class Sealed {
        private final Parameters parameters;
        private final byte[] check;
        private final byte[] nonce;
        private final byte[] all;

        private Sealed(Parameters parameters, byte[] check, byte[] nonce, byte[] all) {
            this.parameters = parameters;
            this.check = check;
            this.nonce = nonce;
            this.all = all;
        }

        /** Reads a header; empty if there is none, or it was altered. */
        static Optional<Sealed> parse(byte[] all) {
            if (all.length < HEADER + TAG
                    || !isEncrypted(all)
                    || all[MAGIC.length] != FORMAT
                    || !MessageDigest.isEqual(digest(all), Arrays.copyOfRange(all, FIXED, HEADER))) {
                return Optional.empty();
            }
            ByteBuffer header = ByteBuffer.wrap(all, MAGIC.length + 1, HEADER - MAGIC.length - 1);
            int memory = header.getInt();
            int iterations = header.get();
            int lanes = header.get();
            String salt = HexFormat.of().formatHex(bytes(header, SALT));
            Parameters parameters = new Parameters(new Cost(memory, iterations, lanes), salt);
            byte[] check = bytes(header, CHECK);
            byte[] nonce = bytes(header, NONCE);
            return parameters.cost().isBearable()
                    ? Optional.of(new Sealed(parameters, check, nonce, all))
                    : Optional.empty();
        }

        private static byte[] bytes(ByteBuffer from, int length) {
            byte[] bytes = new byte[length];
            from.get(bytes);
            return bytes;
        }

        Parameters parameters() {
            return parameters;
        }
    }

    /** Derives a cipher from a secret. Takes as much time and memory as the parameters say. */
    static DocumentCipher derive(byte[] secret, Parameters parameters) {
        Argon2BytesGenerator argon = new Argon2BytesGenerator();
        argon.init(new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
                .withVersion(Argon2Parameters.ARGON2_VERSION_13)
                .withMemoryAsKB(parameters.cost().memoryKib())
                .withIterations(parameters.cost().iterations())
                .withParallelism(parameters.cost().lanes())
                .withSalt(HexFormat.of().parseHex(parameters.salt()))
                .build());
        byte[] derived = new byte[KEY + CHECK];
        argon.generateBytes(secret, derived);
        try {
            return new DocumentCipher(
                    parameters,
                    new SecretKeySpec(derived, 0, KEY, "AES"),
                    Arrays.copyOfRange(derived, KEY, KEY + CHECK));
        } finally {
            Arrays.fill(derived, (byte) 0);
        }
    }

    /** Whether a document was encrypted with this key. */
    boolean hasKeyOf(Sealed sealed) {
        return MessageDigest.isEqual(check, sealed.check);
    }

    /** Encrypts a document. */
    byte[] seal(String mesh, String name, byte[] content, SecureRandom random) {
        byte[] nonce = new byte[NONCE];
        random.nextBytes(nonce);
        ByteBuffer header = ByteBuffer.allocate(HEADER);
        header.put(MAGIC)
                .put(FORMAT)
                .putInt(parameters.cost().memoryKib())
                .put((byte) parameters.cost().iterations())
                .put((byte) parameters.cost().lanes())
                .put(HexFormat.of().parseHex(parameters.salt()))
                .put(check)
                .put(nonce);
        header.put(digest(header.array()));
        try {
            byte[] sealed = cipher(Cipher.ENCRYPT_MODE, header.array(), nonce, mesh, name)
                    .doFinal(content);
            return ByteBuffer.allocate(HEADER + sealed.length)
                    .put(header.array())
                    .put(sealed)
                    .array();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES in Galois/Counter Mode", e);
        }
    }

    /** Decrypts a document; empty if it was altered, or is of another mesh or name. */
    Optional<byte[]> open(String mesh, String name, Sealed sealed) {
        byte[] header = Arrays.copyOf(sealed.all, HEADER);
        try {
            return Optional.of(cipher(Cipher.DECRYPT_MODE, header, sealed.nonce, mesh, name)
                    .doFinal(sealed.all, HEADER, sealed.all.length - HEADER));
        } catch (AEADBadTagException e) {
            return Optional.empty();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES in Galois/Counter Mode", e);
        }
    }

    private Cipher cipher(int mode, byte[] header, byte[] nonce, String mesh, String name)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key, new GCMParameterSpec(8 * TAG, nonce));
        cipher.updateAAD(header);
        cipher.updateAAD((mesh + '\0' + name).getBytes(StandardCharsets.UTF_8));
        return cipher;
    }

    private static byte[] digest(byte[] header) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update(header, 0, FIXED);
            return Arrays.copyOf(sha.digest(), DIGEST);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
