package dev.promguard.spi;

import dev.promguard.keys.HostKeyFingerprint;
import java.util.Objects;
import java.util.Set;

/**
 * How to log in to an existing host.
 *
 * @param user the login: root, or a user that may run {@code sudo -n}
 * @param port its SSH port, 1 to 65535
 * @param hostKeys the host keys to accept; empty to trust the key that the host shows at the first contact, and only that key
 *     from then on
 * @param trustOnFirstUse whether the user has allowed that explicitly
 */
public record Login(String user, int port, Set<HostKeyFingerprint> hostKeys, boolean trustOnFirstUse) {
    /**
     * Copies the keys.
     *
     * @throws NullPointerException if something is null
     * @throws IllegalArgumentException if the port is none, or there are no host keys and trust on first use was not asked for
     */
    public Login {
        Objects.requireNonNull(user, "user");
        hostKeys = Set.copyOf(hostKeys);
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("SSH port " + port + " is not between 1 and 65535");
        }
        if (hostKeys.isEmpty() && !trustOnFirstUse) {
            throw new IllegalArgumentException("no host key is given, and none may be accepted blindly");
        }
    }
}
