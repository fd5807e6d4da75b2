package dev.promguard.spi;

import dev.promguard.keys.HostKeyFingerprint;
import java.util.Objects;
import java.util.Set;

/**
 * Which OpenSSH certificates prove a host, as the {@code @cert-authority} lines of a {@code known_hosts} file. Thread-safe.
 *
 * @param authorities the keys of those who vouch for hosts; at least one where certificates are accepted, none where they are not
 * @param host what the host is called in its certificate: the name or address that was given to reach it
 */
public record HostCertificates(Set<HostKeyFingerprint> authorities, String host) {
    /** No certificate is accepted. */
    public static final HostCertificates NONE = new HostCertificates(Set.of(), "");

    /**
     * Copies the set.
     *
     * @throws NullPointerException if something is null
     */
    public HostCertificates {
        authorities = Set.copyOf(authorities);
        Objects.requireNonNull(host, "host");
    }

    /**
     * Whether any certificate is accepted.
     *
     * @return false if only keys are
     */
    public boolean areAccepted() {
        return !authorities.isEmpty();
    }
}
