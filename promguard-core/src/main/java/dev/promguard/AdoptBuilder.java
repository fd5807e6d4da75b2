package dev.promguard;

import dev.promguard.internal.run.Adoption;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.Identity;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Sets how an apply gets in to a host that it {@linkplain MeshBuilder#adopt adopts}, and which SSH host key it trusts there. Each method sets
 * what it names, in the place of what was set before, and throws
 * {@link NullPointerException} if an argument is null. Not thread-safe.
 */
public final class AdoptBuilder {
    private final String host;
    private Set<HostKeyFingerprint> hostKeys = Set.of();
    private Optional<Identity> identity = Optional.empty();
    private boolean trustOnFirstUse;

    AdoptBuilder(String host) {
        this.host = host;
    }

    /**
     * Sets the SSH host keys to accept.
     *
     * @param fingerprint as {@code ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub} prints it on the host, such as {@code SHA256:…}
     * @param others further fingerprints
     * @return this builder
     * @throws InvalidSettingException if one is malformed
     */
    public AdoptBuilder hostKey(String fingerprint, String... others) {
        hostKeys = hostKeys("adopt " + host + ": ", fingerprint, others);
        return this;
    }

    /** Reads fingerprints; a malformed one is named behind what they are of. */
    static Set<HostKeyFingerprint> hostKeys(String of, String fingerprint, String... others) {
        try {
            return Stream.concat(Stream.of(fingerprint), Arrays.stream(others))
                    .map(HostKeyFingerprint::new)
                    .collect(Collectors.toUnmodifiableSet());
        } catch (InvalidSettingException e) {
            throw e.in(of);
        }
    }

    /**
     * Trusts the SSH host key that the host shows, if none is given. The plan shows it, and {@link Mesh#apply(Plan)} pins no other.
     *
     * @return this builder
     */
    public AdoptBuilder trustOnFirstUse() {
        trustOnFirstUse = true;
        return this;
    }

    /**
     * Sets what to log in with as root, where the host does not admit the mesh's own key yet. The apply has it admit that.
     *
     * @param identity the identity; stays open, its owner closes it after the apply
     * @return this builder
     */
    public AdoptBuilder identity(Identity identity) {
        this.identity = Optional.of(identity);
        return this;
    }

    Adoption adoption() {
        return new Adoption(hostKeys, trustOnFirstUse, identity.stream().toList());
    }

    /**
     * What was set, without secrets.
     *
     * @return such as {@code AdoptBuilder[1 host key, an identity]}
     */
    @Override
    public String toString() {
        return "AdoptBuilder[" + hostKeys.size() + (hostKeys.size() == 1 ? " host key" : " host keys")
                + (identity.isPresent() ? ", an identity" : "") + (trustOnFirstUse ? ", trust on first use" : "") + ']';
    }
}
