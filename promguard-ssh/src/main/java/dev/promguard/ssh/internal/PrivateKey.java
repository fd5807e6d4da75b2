package dev.promguard.ssh.internal;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.InvalidSettingException;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.KeyPair;
import java.util.List;
import java.util.Objects;
import net.schmizz.sshj.DefaultConfig;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.common.Buffer;
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

    /**
     * The logins with an identity that has a private key: with its certificate, if it has one, and without.
     *
     * @param identity the identity
     * @param server the server that the user logs in to
     * @param target the host that it is for, for messages
     * @param config what reads keys
     * @return the keys, in the order in which they are tried
     * @throws HostException if the key cannot be read, or the certificate is none for it
     */
    static List<LoginKey> all(Identity identity, HostTarget server, HostTarget target, DefaultConfig config) {
        PrivateKey key = of(identity, target, config);
        if (identity.certificate().isEmpty()) {
            return List.of(key);
        }
        Certificate certificate;
        try {
            certificate = Certificate.parse(identity.certificate().get().line());
        } catch (InvalidSettingException e) {
            throw failed(target)
                    .because(
                            of(identity) + "its certificate cannot be used: " + e.reason(),
                            "Give the file that ssh-keygen -s wrote.");
        }
        byte[] blob =
                new Buffer.PlainBuffer().putPublicKey(key.pair().getPublic()).getCompactData();
        if (!certificate.isFor(blob) || !certificate.isForUsers()) {
            throw failed(target)
                    .because(
                            of(identity) + certificate.title() + " is "
                                    + (certificate.isForUsers() ? "for another key" : "a host's"),
                            "Give the certificate that was made for this key with ssh-keygen -s, and not one of a"
                                    + " host (ssh-keygen -L -f shows what it is).");
        }
        return List.of(new CertifiedKey(key, certificate, server.user()), key);
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
