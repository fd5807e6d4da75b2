package dev.promguard.spi;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;

/**
 * Which host to open, and how.
 *
 * @param name the host's name in the mesh, for messages
 * @param address its public IPv4 or IPv6 address
 * @param port its SSH port, 1 to 65535
 * @param user the login: root, or a user that may run {@code sudo -n}
 * @param acceptedHostKeys the host keys to accept; no other key is
 * @param loginKey the private key to log in with, an OpenSSH key file's text
 * @param patience how long to try in all before giving up
 */
public record HostTarget(
        String name,
        String address,
        int port,
        String user,
        Set<HostKeyFingerprint> acceptedHostKeys,
        Secret loginKey,
        Duration patience) {
    /**
     * Copies the keys.
     *
     * @throws NullPointerException if something is null
     * @throws IllegalArgumentException if no host key is accepted, or the port or the patience is out of range
     */
    public HostTarget {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(user, "user");
        Objects.requireNonNull(loginKey, "loginKey");
        acceptedHostKeys = Set.copyOf(acceptedHostKeys);
        if (acceptedHostKeys.isEmpty()) {
            throw new IllegalArgumentException(name + ": no host key is known, so none can be accepted");
        }
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException(name + ": SSH port " + port + " is not between 1 and 65535");
        }
        if (patience.isNegative() || patience.isZero()) {
            throw new IllegalArgumentException(name + ": patience must be longer than zero");
        }
    }
}
