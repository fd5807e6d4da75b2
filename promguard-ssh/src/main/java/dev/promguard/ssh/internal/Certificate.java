package dev.promguard.ssh.internal;

import dev.promguard.InvalidSettingException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.SshPublicKey;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** An OpenSSH certificate: that an authority vouches for a key, for whom, and for how long. */
final class Certificate {
    /** The end of the names of their types. */
    static final String SUFFIX = "-cert-v01@openssh.com";

    private static final int USER = 1;
    private static final int HOST = 2;

    /** How many strings a key consists of, by the type of the plain key. */
    private static final Map<String, Integer> PARTS = Map.of(
            "ssh-ed25519", 1,
            "ssh-rsa", 2,
            "ecdsa-sha2-nistp256", 2,
            "ecdsa-sha2-nistp384", 2,
            "ecdsa-sha2-nistp521", 2,
            "sk-ssh-ed25519@openssh.com", 2,
            "sk-ecdsa-sha2-nistp256@openssh.com", 3);

    private final String type;
    private final byte[] blob;
    private final byte[] key;
    private final int kind;
    private final String id;
    private final List<String> principals;
    private final long validAfter;
    private final long validBefore;
    private final boolean hasCriticalOptions;
    private final byte[] authority;
    private final byte[] signature;

    /**
     * Reads a certificate.
     *
     * @param line what stands in a {@code -cert.pub} file
     * @return the certificate
     * @throws InvalidSettingException if it is none; the message says so in a few words
     */
    static Certificate parse(String line) {
        SshPublicKey whole;
        try {
            whole = SshPublicKey.parse(line);
        } catch (InvalidSettingException e) {
            throw new InvalidSettingException("it is no OpenSSH certificate", e);
        }
        if (!isType(whole.type()) || !PARTS.containsKey(plain(whole.type()))) {
            throw new InvalidSettingException("it is no OpenSSH certificate of a type that is known");
        }
        try {
            return new Certificate(whole.type(), Base64.getDecoder().decode(whole.base64()));
        } catch (BufferUnderflowException e) {
            throw new InvalidSettingException("it is a damaged certificate", e);
        }
    }

    /**
     * Reads a certificate that a host showed.
     *
     * @param blob the whole of it, as SSH sends it
     * @return the certificate
     * @throws InvalidSettingException if it is none; the message says so in a few words
     */
    static Certificate of(byte[] blob) {
        try {
            String type = text(string(ByteBuffer.wrap(blob)));
            if (!isType(type) || !PARTS.containsKey(plain(type))) {
                throw new InvalidSettingException("it is no OpenSSH certificate of a type that is known");
            }
            return new Certificate(type, blob.clone());
        } catch (BufferUnderflowException e) {
            throw new InvalidSettingException("it is a damaged certificate", e);
        }
    }

    private Certificate(String type, byte[] blob) {
        this.type = type;
        this.blob = blob;
        ByteBuffer in = ByteBuffer.wrap(blob);
        string(in);
        string(in);
        byte[] name = plain(type).getBytes(StandardCharsets.US_ASCII);
        int begin = in.position();
        for (int part = 0; part < PARTS.getOrDefault(plain(type), 0); part++) {
            string(in);
        }
        int length = in.position() - begin;
        this.key = ByteBuffer.allocate(Integer.BYTES + name.length + length)
                .putInt(name.length)
                .put(name)
                .put(blob, begin, length)
                .array();
        in.getLong();
        this.kind = in.getInt();
        this.id = text(string(in));
        List<String> names = new ArrayList<>();
        for (ByteBuffer list = ByteBuffer.wrap(string(in)); list.hasRemaining(); ) {
            names.add(text(string(list)));
        }
        this.principals = List.copyOf(names);
        this.validAfter = in.getLong();
        this.validBefore = in.getLong();
        this.hasCriticalOptions = string(in).length > 0;
        string(in);
        string(in);
        this.authority = string(in);
        this.signature = string(in);
        if (in.hasRemaining()) {
            throw new BufferUnderflowException();
        }
    }

    private static byte[] string(ByteBuffer in) {
        int length = in.getInt();
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Whether a type is that of certificates. */
    static boolean isType(String type) {
        return type.endsWith(SUFFIX);
    }

    /** The type of the key that a certificate is for, or the type itself. */
    static String plain(String type) {
        if (!isType(type)) {
            return type;
        }
        String plain = type.substring(0, type.length() - SUFFIX.length());
        return plain.startsWith("sk-") ? plain + "@openssh.com" : plain;
    }

    String type() {
        return type;
    }

    /** The whole of it, as SSH sends it. */
    byte[] blob() {
        return blob.clone();
    }

    /** Whether it is for a public key, given as SSH sends it. */
    boolean isFor(byte[] publicKey) {
        return Arrays.equals(key, publicKey);
    }

    /** Whether users log in with it; others are for hosts. */
    boolean isForUsers() {
        return kind == USER;
    }

    /** Whether hosts prove themselves with it. */
    boolean isForHosts() {
        return kind == HOST;
    }

    /** Whether it says something that has to be understood to accept it. No such thing is known for hosts. */
    boolean hasCriticalOptions() {
        return hasCriticalOptions;
    }

    /** Whom it is for; empty if for anybody. */
    List<String> principals() {
        return principals;
    }

    /** The key of who vouches. */
    HostKeyFingerprint authority() {
        return PinnedKeys.fingerprint(authority);
    }

    /** The key of who vouches, as SSH sends it. */
    byte[] authorityBlob() {
        return authority.clone();
    }

    /** What the authority signed. */
    byte[] signed() {
        return Arrays.copyOf(blob, blob.length - Integer.BYTES - signature.length);
    }

    /** The authority's signature, with the name of its algorithm before it. */
    byte[] signature() {
        return signature.clone();
    }

    /** What it is, for whom, and from whom, for messages. */
    String title() {
        return "the certificate " + FactsParser.shown(id) + " (for "
                + (principals.isEmpty() ? "anybody" : FactsParser.shown(String.join(", ", principals)))
                + ", signed by " + authority() + ')';
    }

    /**
     * Why it may be refused.
     *
     * @param user who logs in
     * @param now the time
     * @return such as {@code it expired at …}; empty if nothing speaks against it here
     */
    Optional<String> problem(String user, Instant now) {
        Optional<String> outside = problem(now);
        return outside.isPresent() || principals.isEmpty() || principals.contains(user)
                ? outside
                : Optional.of("it is not for " + user);
    }

    /**
     * Why it does not count at a time.
     *
     * @param now the time
     * @return such as {@code it expired at …}; empty if it counts
     */
    Optional<String> problem(Instant now) {
        long seconds = now.getEpochSecond();
        if (Long.compareUnsigned(seconds, validBefore) >= 0) {
            return Optional.of("it expired at " + time(validBefore));
        } else if (Long.compareUnsigned(seconds, validAfter) < 0) {
            return Optional.of("it is not valid before " + time(validAfter));
        }
        return Optional.empty();
    }

    private static String time(long seconds) {
        try {
            return Instant.ofEpochSecond(seconds).toString();
        } catch (DateTimeException e) {
            return Long.toUnsignedString(seconds) + " s after 1970";
        }
    }
}
