package dev.promguard.spi;

import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * What somebody proves with who logs in over SSH: a private key, or the keys that an SSH agent holds. Immutable, but for
 * {@link #close()}; thread-safe.
 *
 * <p>An identity does not copy the secrets that it is made of: whoever gave them closes them.
 */
public final class Identity implements AutoCloseable {
    private final Optional<Secret> key;
    private final Optional<Secret> passphrase;
    private final Optional<Path> agent;
    private final Optional<SshPublicKey> agentKey;
    private final Optional<SshPublicKey> certificate;
    private final String source;

    private Identity(
            Optional<Secret> key,
            Optional<Secret> passphrase,
            Optional<Path> agent,
            Optional<SshPublicKey> agentKey,
            Optional<SshPublicKey> certificate,
            String source) {
        this.key = key;
        this.passphrase = passphrase;
        this.agent = agent;
        this.agentKey = agentKey;
        this.certificate = certificate;
        this.source = source;
    }

    /**
     * A private key.
     *
     * @param key an OpenSSH or PEM private key file's text
     * @return the identity
     * @throws NullPointerException if {@code key} is null
     */
    public static Identity ofKey(Secret key) {
        return new Identity(
                Optional.of(key), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), "");
    }

    /**
     * The keys of an SSH agent, tried in its order. The agent signs; the keys stay there.
     *
     * @param socket the agent's Unix domain socket, as {@code SSH_AUTH_SOCK} names it
     * @return the identity
     * @throws NullPointerException if {@code socket} is null
     */
    public static Identity ofAgent(Path socket) {
        return new Identity(
                Optional.empty(),
                Optional.empty(),
                Optional.of(socket),
                Optional.empty(),
                Optional.empty(),
                socket.toString());
    }

    /**
     * The same identity, whose private key is encrypted.
     *
     * @param secret the passphrase
     * @return a copy that shares the key
     * @throws NullPointerException if {@code secret} is null
     */
    public Identity withPassphrase(Secret secret) {
        return new Identity(key, Optional.of(secret), agent, agentKey, certificate, source);
    }

    /**
     * The same agent, of which one key alone is used.
     *
     * @param publicKey the public key
     * @return a copy
     * @throws NullPointerException if {@code publicKey} is null
     */
    public Identity withAgentKey(SshPublicKey publicKey) {
        return new Identity(key, passphrase, agent, Optional.of(publicKey), certificate, source);
    }

    /**
     * The same private key, for which an authority vouches. The certificate is tried first, and the key without it after that.
     *
     * @param line the certificate, which is a public key of a type of its own
     * @return a copy
     * @throws NullPointerException if {@code line} is null
     */
    public Identity withCertificate(SshPublicKey line) {
        return new Identity(key, passphrase, agent, agentKey, Optional.of(line), source);
    }

    /**
     * The same identity with the place that it comes from, for messages.
     *
     * @param place such as a file's name; empty for none
     * @return a copy that shares the secrets
     * @throws NullPointerException if {@code place} is null
     */
    public Identity from(String place) {
        return new Identity(key, passphrase, agent, agentKey, certificate, Objects.requireNonNull(place, "place"));
    }

    /**
     * The private key.
     *
     * @return an OpenSSH or PEM private key file's text; empty for an agent
     */
    public Optional<Secret> key() {
        return key;
    }

    /**
     * What the private key is encrypted with.
     *
     * @return the passphrase; empty if it is not encrypted
     */
    public Optional<Secret> passphrase() {
        return passphrase;
    }

    /**
     * The agent.
     *
     * @return its Unix domain socket; empty for a private key
     */
    public Optional<Path> agent() {
        return agent;
    }

    /**
     * The one key of the agent to use.
     *
     * @return the public key; empty for all that the agent has
     */
    public Optional<SshPublicKey> agentKey() {
        return agentKey;
    }

    /**
     * The OpenSSH certificate for the private key.
     *
     * @return the certificate; empty if there is none, and for an agent, which lists its own
     */
    public Optional<SshPublicKey> certificate() {
        return certificate;
    }

    /**
     * Where it comes from.
     *
     * @return such as a file's name; empty if that is not known
     */
    public String source() {
        return source;
    }

    /**
     * A copy with secrets of its own, which outlives this one.
     *
     * @return the copy, which the caller closes
     * @throws dev.promguard.InvalidSettingException if this identity was closed
     */
    public Identity copy() {
        UnaryOperator<Secret> copy = secret -> secret.use(Secret::of);
        return new Identity(key.map(copy), passphrase.map(copy), agent, agentKey, certificate, source);
    }

    /** Clears the secrets. Closing again does nothing. */
    @Override
    public void close() {
        key.ifPresent(Secret::close);
        passphrase.ifPresent(Secret::close);
    }

    /**
     * A text without any secret.
     *
     * @return the place that it comes from
     */
    @Override
    public String toString() {
        return "Identity(" + (source.isEmpty() ? "***" : source) + ')';
    }
}
