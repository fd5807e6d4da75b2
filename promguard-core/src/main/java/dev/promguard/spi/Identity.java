package dev.promguard.spi;

import dev.promguard.keys.Secret;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * What somebody proves with who logs in over SSH. Immutable, but for {@link #close()}; thread-safe.
 *
 * <p>An identity does not copy the secrets that it is made of: whoever gave them closes them.
 */
public final class Identity implements AutoCloseable {
    private final Secret key;
    private final Optional<Secret> passphrase;
    private final String source;

    private Identity(Secret key, Optional<Secret> passphrase, String source) {
        this.key = key;
        this.passphrase = passphrase;
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
        return new Identity(Objects.requireNonNull(key, "key"), Optional.empty(), "");
    }

    /**
     * The same identity, whose private key is encrypted.
     *
     * @param secret the passphrase
     * @return a copy that shares the key
     * @throws NullPointerException if {@code secret} is null
     */
    public Identity withPassphrase(Secret secret) {
        return new Identity(key, Optional.of(secret), source);
    }

    /**
     * The same identity with the place that it comes from, for messages.
     *
     * @param place such as a file's name; empty for none
     * @return a copy that shares the secrets
     * @throws NullPointerException if {@code place} is null
     */
    public Identity from(String place) {
        return new Identity(key, passphrase, Objects.requireNonNull(place, "place"));
    }

    /**
     * The private key.
     *
     * @return an OpenSSH or PEM private key file's text
     */
    public Secret key() {
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
     * @throws IllegalStateException if this identity was closed
     */
    public Identity copy() {
        UnaryOperator<Secret> copy = secret -> secret.use(Secret::of);
        return new Identity(copy.apply(key), passphrase.map(copy), source);
    }

    /** Clears the secrets. Closing again does nothing. */
    @Override
    public void close() {
        key.close();
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
