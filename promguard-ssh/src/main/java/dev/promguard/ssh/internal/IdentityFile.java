package dev.promguard.ssh.internal;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.Identity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Where identities come from: files, secrets and agents. */
public final class IdentityFile {
    private static final List<String> USUAL = List.of("id_ed25519", "id_ecdsa", "id_rsa");

    private IdentityFile() {}

    /**
     * An identity, and who closes it.
     *
     * @param identity the identity
     * @param own whether its key was read here, so that whoever asked for it closes it
     */
    public record Read(Identity identity, boolean own) {
        /**
         * The same identity, encrypted.
         *
         * @param passphrase the passphrase; null if it is not encrypted
         * @return a copy that shares the key
         */
        public Read with(@Nullable Secret passphrase) {
            return passphrase == null ? this : new Read(identity.withPassphrase(passphrase), own);
        }

        /**
         * The same private key with another certificate.
         *
         * @param certificate the certificate; null for the one that it has
         * @return a copy that shares the key
         */
        public Read certified(@Nullable SshPublicKey certificate) {
            return certificate == null || identity.key().isEmpty()
                    ? this
                    : new Read(identity.withCertificate(certificate), own);
        }

        /**
         * Whether a passphrase is missing.
         *
         * @return true if the key is encrypted and no passphrase is given
         */
        public boolean isLocked() {
            return identity.passphrase().isEmpty()
                    && identity.key()
                            .map(key -> key.useText(WrongKey::isEncrypted))
                            .orElse(false);
        }
    }

    /**
     * Insists that a file can be read and is not something else that lies beside private keys.
     *
     * @param file a private key file
     * @throws InvalidSettingException if it cannot, or is
     */
    public static void check(Path file) {
        secret(file).close();
    }

    /**
     * Reads a file.
     *
     * @param file a private key file
     * @return the identity, which is the caller's to close, with the certificate that lies beside it under the name that ssh-keygen gives
     * @throws InvalidSettingException if it, or the certificate, cannot be read
     */
    public static Read read(Path file) {
        Identity identity = Identity.ofKey(secret(file)).from(file.toString());
        Path beside = file.resolveSibling(file.getFileName() + "-cert.pub");
        try {
            return new Read(Files.exists(beside) ? identity.withCertificate(certificate(beside)) : identity, true);
        } catch (InvalidSettingException e) {
            identity.close();
            throw e;
        }
    }

    /**
     * Finds the private key of a user who names none.
     *
     * @param folder the user's {@code .ssh}
     * @return reads the first of the usual files that is there; empty if none is
     */
    public static Optional<Supplier<Read>> usual(Path folder) {
        return USUAL.stream()
                .map(folder::resolve)
                .filter(Files::isRegularFile)
                .findFirst()
                .map(file -> () -> read(file));
    }

    /**
     * A key that the user holds.
     *
     * @param key the key
     * @return the identity, which is not the caller's to close
     */
    public static Read given(Secret key) {
        return new Read(Identity.ofKey(key), false);
    }

    /**
     * Reads a certificate.
     *
     * @param file what {@code ssh-keygen -s} wrote
     * @return the certificate
     * @throws InvalidSettingException if it cannot be read, or is none
     */
    public static SshPublicKey certificate(Path file) {
        String named = "certificate " + Names.quote(file.toString());
        try {
            String line = Files.readString(file);
            Certificate.parse(line);
            return SshPublicKey.parse(line);
        } catch (IOException e) {
            throw new InvalidSettingException(
                    ErrorCode.FILE_INACCESSIBLE, named + " cannot be read: name a file that you may read", e);
        } catch (InvalidSettingException e) {
            throw new InvalidSettingException(
                    ErrorCode.INVALID_LOGIN_KEY,
                    named + " cannot be used: " + e.reason()
                            + ". Give the file that ssh-keygen -s wrote, such as id_ed25519-cert.pub.",
                    e);
        }
    }

    /**
     * The keys of an agent.
     *
     * @param socket its socket
     * @param key the one key to use; null for all
     * @return the identity, which nobody has to close
     */
    public static Read agent(Path socket, @Nullable SshPublicKey key) {
        Identity identity = Identity.ofAgent(socket);
        return new Read(key == null ? identity : identity.withAgentKey(key), false);
    }

    /**
     * Insists that an agent may be there.
     *
     * @param socket its socket
     * @throws InvalidSettingException if nothing is there
     */
    public static void checkAgent(Path socket) {
        if (!Files.exists(socket)) {
            throw new InvalidSettingException(
                    ErrorCode.AGENT_UNUSABLE,
                    "there is no SSH agent at " + Names.quote(socket.toString())
                            + ". Start one, or give the socket of one that runs.",
                    null);
        }
    }

    /**
     * The socket of the user's agent.
     *
     * @param environment the environment's variables
     * @return the socket
     * @throws InvalidSettingException if {@code SSH_AUTH_SOCK} is not set
     */
    public static Path agentSocket(Map<String, String> environment) {
        String socket = environment.getOrDefault("SSH_AUTH_SOCK", "");
        if (socket.isEmpty()) {
            throw new InvalidSettingException(
                    ErrorCode.AGENT_UNUSABLE,
                    "SSH_AUTH_SOCK is not set. Start an SSH agent and export it, or give its socket with agent(…).",
                    null);
        }
        return Path.of(socket);
    }

    private static Secret secret(Path file) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new InvalidSettingException(
                    ErrorCode.FILE_INACCESSIBLE,
                    "identity " + Names.quote(file.toString())
                            + " cannot be read: name a private key file that you may read",
                    e);
        }
        try {
            if (bytes.length == 0) {
                throw new InvalidSettingException(
                        "identity " + Names.quote(file.toString()) + " is empty: name a private key file");
            }
            WrongKey wrong = WrongKey.of(new String(bytes, StandardCharsets.UTF_8));
            if (wrong != null) {
                throw new InvalidSettingException(
                        ErrorCode.INVALID_LOGIN_KEY,
                        "identity " + Names.quote(file.toString()) + " is no private key to log in with: "
                                + wrong.what() + ". " + wrong.remedy(),
                        null);
            }
            return Secret.of(bytes);
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }
}
