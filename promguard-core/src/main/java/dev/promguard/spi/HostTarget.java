package dev.promguard.spi;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Which host to open, and how.
 *
 * @param name the host's name in the mesh, for messages
 * @param address its public IPv4 or IPv6 address
 * @param port its SSH port, 1 to 65535
 * @param user the login: root, or a user that may run {@code sudo -n}
 * @param acceptedHostKeys the host keys to accept; all others are refused
 * @param trustOnFirstUse whether the first key is accepted if {@code acceptedHostKeys} is empty, because the user allowed it. The
 *     caller keeps {@link HostSession#hostKey()} before it sends anything over that session
 * @param loginKey the private key to log in with, an OpenSSH or PEM key file's text
 * @param passphrase what the private key is encrypted with; empty if it is not
 * @param timeout how long to try in all before giving up
 */
public record HostTarget(
        String name,
        String address,
        int port,
        String user,
        Set<HostKeyFingerprint> acceptedHostKeys,
        boolean trustOnFirstUse,
        Secret loginKey,
        Optional<Secret> passphrase,
        Duration timeout) {
    /**
     * Copies the keys.
     *
     * @throws NullPointerException if something is null
     * @throws IllegalArgumentException if no host key is accepted and trust on first use was not asked for, or the port or the
     *     timeout is out of range
     */
    public HostTarget {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(user, "user");
        Objects.requireNonNull(loginKey, "loginKey");
        Objects.requireNonNull(passphrase, "passphrase");
        acceptedHostKeys = Set.copyOf(acceptedHostKeys);
        if (acceptedHostKeys.isEmpty() && !trustOnFirstUse) {
            throw new IllegalArgumentException(name + ": no host key is known, so none can be accepted");
        }
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException(name + ": SSH port " + port + " is not between 1 and 65535");
        }
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException(name + ": timeout must be longer than zero");
        }
    }

    /**
     * A host whose host key is known, and a login key that is not encrypted.
     *
     * @param name the host's name in the mesh, for messages
     * @param address its public IPv4 or IPv6 address
     * @param port its SSH port, 1 to 65535
     * @param user the login: root, or a user that may run {@code sudo -n}
     * @param acceptedHostKeys the host keys to accept, at least one
     * @param loginKey the private key to log in with
     * @param timeout how long to try in all before giving up
     * @throws NullPointerException if something is null
     * @throws IllegalArgumentException if no host key is accepted, or the port or the timeout is out of range
     */
    public HostTarget(
            String name,
            String address,
            int port,
            String user,
            Set<HostKeyFingerprint> acceptedHostKeys,
            Secret loginKey,
            Duration timeout) {
        this(name, address, port, user, acceptedHostKeys, false, loginKey, Optional.empty(), timeout);
    }
}
