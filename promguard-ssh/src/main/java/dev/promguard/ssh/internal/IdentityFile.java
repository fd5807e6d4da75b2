package dev.promguard.ssh.internal;

import dev.promguard.ErrorCode;
import dev.promguard.blueprint.Names;
import dev.promguard.keys.Secret;
import dev.promguard.spi.Identity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Private keys in files. */
public final class IdentityFile {
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
         * Whether a passphrase is missing.
         *
         * @return true if the key is encrypted and no passphrase is given
         */
        public boolean isLocked() {
            return identity.passphrase().isEmpty() && identity.key().useText(WrongKey::isEncrypted);
        }
    }

    /**
     * Insists that a file can be read and is not something else that lies beside private keys.
     *
     * @param file a private key file
     * @throws IllegalArgumentException if it cannot, or is
     */
    public static void check(Path file) {
        secret(file).close();
    }

    /**
     * Reads a file.
     *
     * @param file a private key file
     * @return the identity, which is the caller's to close
     * @throws IllegalArgumentException if it cannot be read
     */
    public static Read read(Path file) {
        return new Read(Identity.ofKey(secret(file)).from(file.toString()), true);
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

    private static Secret secret(Path file) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "identity " + Names.quote(file.toString())
                            + " cannot be read: name a private key file that you may read",
                    e);
        }
        try {
            if (bytes.length == 0) {
                throw new IllegalArgumentException(
                        "identity " + Names.quote(file.toString()) + " is empty: name a private key file");
            }
            WrongKey wrong = WrongKey.of(new String(bytes, StandardCharsets.UTF_8));
            if (wrong != null) {
                throw new IllegalArgumentException(ErrorCode.INVALID_LOGIN_KEY.appendedTo("identity "
                                + Names.quote(file.toString()) + " is no private key to log in with: " + wrong.what())
                        + ". " + wrong.remedy());
            }
            return Secret.of(bytes);
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }
}
