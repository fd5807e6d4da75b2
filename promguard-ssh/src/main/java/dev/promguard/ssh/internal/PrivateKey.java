package dev.promguard.ssh.internal;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.KeyPair;
import java.util.Objects;
import net.schmizz.sshj.DefaultConfig;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.userauth.keyprovider.KeyPairWrapper;
import net.schmizz.sshj.userauth.method.AuthMethod;
import net.schmizz.sshj.userauth.method.AuthPublickey;
import net.schmizz.sshj.userauth.password.PasswordUtils;
import org.jspecify.annotations.Nullable;

/**
 * A private key to log in with.
 *
 * @param pair the key pair
 */
record PrivateKey(KeyPair pair) implements LoginKey {
    /**
     * Reads an identity that has a private key.
     *
     * @param identity the identity
     * @param target the host that it is for, for messages
     * @param config what reads keys
     * @return the key
     * @throws HostException if it is no private key that can be read
     */
    static PrivateKey of(Identity identity, HostTarget target, DefaultConfig config) {
        try (SSHClient reader = new SSHClient(config)) {
            return identity.key().orElseThrow().useText(text -> {
                WrongKey wrong = WrongKey.of(text);
                if (wrong != null) {
                    throw failed(target).because(of(identity) + wrong.what(), wrong.remedy());
                }
                if (identity.passphrase().isEmpty() && WrongKey.isEncrypted(text)) {
                    throw failed(target)
                            .because(
                                    of(identity) + "it is encrypted, and no passphrase is given",
                                    "Give its passphrase with passphrase(…), or add it to an SSH agent and say agent().");
                }
                try {
                    return identity.passphrase().isPresent()
                            ? identity.passphrase().get().useText(passphrase -> read(reader, text, passphrase))
                            : read(reader, text, null);
                } catch (UncheckedIOException e) {
                    // The cause may quote the key's text, so it is not kept.
                    throw failed(target)
                            .because(
                                    of(identity) + "it is not a private key that can be read: "
                                            + Objects.requireNonNull(e.getCause())
                                                    .getClass()
                                                    .getSimpleName(),
                                    identity.passphrase().isPresent()
                                            ? "Check the passphrase, and that the file is an OpenSSH or PEM private key."
                                            : "Give an OpenSSH or PEM private key.");
                }
            });
        } catch (IOException e) {
            throw new IllegalStateException("a client that never connected failed to close", e);
        }
    }

    private static String of(Identity identity) {
        return identity.source().isEmpty() ? "" : FactsParser.shown(identity.source()) + ": ";
    }

    private static HostException.Builder failed(HostTarget target) {
        return HostException.of(ErrorCode.INVALID_LOGIN_KEY, target.name(), target.address(), "read the login key");
    }

    private static PrivateKey read(SSHClient reader, String text, @Nullable String passphrase) {
        char[] characters = passphrase == null ? null : passphrase.toCharArray();
        try {
            var keys = reader.loadKeys(text, null, characters == null ? null : PasswordUtils.createOneOff(characters));
            return new PrivateKey(new KeyPair(keys.getPublic(), keys.getPrivate()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public AuthMethod method() {
        return new AuthPublickey(new KeyPairWrapper(pair));
    }

    @Override
    public String title() {
        return "the key " + PinnedKeys.fingerprint(pair.getPublic());
    }
}
