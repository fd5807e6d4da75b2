package dev.promguard;

import dev.promguard.blueprint.Names;
import dev.promguard.internal.observe.RecoveryAccess;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.Identity;
import dev.promguard.spi.StateStore;
import dev.promguard.state.FileStateStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Sets how {@link Mesh#recover(Consumer)} gets in to hosts that PromGuard created, and which SSH host keys it trusts there. Existing hosts
 * are reached and known as their inventory says; for these, {@link #backup}, {@link #leaveOut} and {@link #replaceState} alone count. Each
 * method sets what it names, in the place of what was set before, and throws {@link NullPointerException} if an argument is null. Not
 * thread-safe.
 *
 * <p>A host's key is accepted if it is one of those given for it with {@link #hostKey}; or else one that the copy of the state knows; or else
 * if a {@linkplain #hostCertificateAuthority certificate} vouches for it; or else if {@link #trustOnFirstUse()} was called. Otherwise the host
 * is not contacted.
 */
public final class RecoverBuilder {
    private @Nullable Supplier<Identity> identity;
    private final Map<String, Set<HostKeyFingerprint>> hostKeys = new TreeMap<>();
    private Set<HostKeyFingerprint> authorities = Set.of();
    private boolean trustOnFirstUse;
    private @Nullable StateStore backup;
    private Set<String> leftOut = Set.of();
    private boolean replace;

    private RecoverBuilder() {}

    static RecoverBuilder of(Consumer<RecoverBuilder> how) {
        RecoverBuilder builder = new RecoverBuilder();
        Objects.requireNonNull(how, "how").accept(builder);
        return builder;
    }

    /**
     * Sets a private key to log in with as root, beside the mesh's own: one of those that {@link MeshBuilder#loginKeys} named, or any other
     * that the hosts admit.
     *
     * @param file an OpenSSH or PEM private key file without a passphrase, which is read when the recovery begins
     * @return this builder
     */
    public RecoverBuilder loginKey(Path file) {
        Objects.requireNonNull(file, "file");
        identity = () -> read(file);
        return this;
    }

    /**
     * Sets what to log in with as root in the place of {@link #loginKey}, such as an SSH agent or an encrypted key.
     *
     * @param identity the identity; stays open, its owner closes it
     * @return this builder
     */
    public RecoverBuilder identity(Identity identity) {
        this.identity = Objects.requireNonNull(identity, "identity")::copy;
        return this;
    }

    /**
     * Sets where a copy of the mesh's state is, even an old one, as the store that it was made of: its login key is used and kept, its
     * SSH host keys are accepted, and hosts that it knows are found also where they have lost the mesh's tag. What it says of the mesh otherwise
     * does not count: hosts are asked.
     *
     * @param store a store, such as a {@link FileStateStore} in the folder of the copy; read only
     * @return this builder
     */
    public RecoverBuilder backup(StateStore store) {
        backup = Objects.requireNonNull(store, "store");
        return this;
    }

    /**
     * Sets where a copy of the mesh's state is, as {@link #backup(StateStore)} does.
     *
     * @param root a copy of the folder in which the mesh's folder is, such as of {@code ~/.promguard}
     * @return this builder
     */
    public RecoverBuilder backup(Path root) {
        return backup(new FileStateStore(Objects.requireNonNull(root, "root")));
    }

    /**
     * Sets the SSH host keys to accept from a host.
     *
     * @param host the host's name, or the provider's id for it
     * @param fingerprint as {@code ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub} prints it on the host, such as {@code SHA256:…}
     * @param others further fingerprints
     * @return this builder
     * @throws InvalidSettingException if one is malformed
     */
    public RecoverBuilder hostKey(String host, String fingerprint, String... others) {
        Objects.requireNonNull(host, "host");
        hostKeys.put(host, AdoptBuilder.hostKeys("host " + Names.printable(host) + ": ", fingerprint, others));
        return this;
    }

    /**
     * Sets who vouches for the SSH host keys of hosts by OpenSSH certificates, which have to be for the hosts' names in the cloud.
     *
     * @param keys the authorities' public keys
     * @return this builder
     */
    public RecoverBuilder hostCertificateAuthority(SshPublicKey... keys) {
        authorities = Arrays.stream(keys).map(SshPublicKey::fingerprint).collect(Collectors.toUnmodifiableSet());
        return this;
    }

    /**
     * Trusts the SSH host key that a host shows where nothing else tells which key it has. Whoever can intercept the connection now can pose
     * as such a host, so compare the keys that {@link Mesh#planRecover(Consumer)} shows before {@link Mesh#recover(RecoverReport)} pins them.
     *
     * @return this builder
     */
    public RecoverBuilder trustOnFirstUse() {
        trustOnFirstUse = true;
        return this;
    }

    /**
     * Leaves hosts out: they are not contacted, and the state will not know them. For hosts that cannot be reached or are not the mesh's, and
     * for monitors that do not exist any more.
     *
     * @param hosts names of hosts, or the provider's ids for them
     * @return this builder
     * @see MeshBuilder#adopt(String)
     */
    public RecoverBuilder leaveOut(String... hosts) {
        leftOut = Collections.unmodifiableSet(new TreeSet<>(List.of(hosts)));
        return this;
    }

    /**
     * Replaces a state that is there, or that is damaged. A copy of what can be read is kept beside it until the mesh is destroyed. Its host keys are accepted like those of a
     * {@link #backup}, unless one is given.
     *
     * @return this builder
     */
    public RecoverBuilder replaceState() {
        replace = true;
        return this;
    }

    /** What to log in with, for one run, which closes it. */
    List<Identity> identities() {
        Supplier<Identity> source = identity;
        return source == null ? List.of() : List.of(source.get());
    }

    RecoveryAccess access(List<Identity> opened) {
        return new RecoveryAccess(
                opened, hostKeys, authorities, trustOnFirstUse, Optional.ofNullable(backup), leftOut, replace);
    }

    private static Identity read(Path file) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new InvalidSettingException(
                    ErrorCode.INVALID_LOGIN_KEY,
                    "the login key " + file + " cannot be read: give a private key file",
                    e);
        }
        try {
            return Identity.ofKey(Secret.of(bytes)).from(file.toString());
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    /**
     * What was set, without secrets.
     *
     * @return such as {@code RecoverBuilder[a login key, host keys of shop-node-1]}
     */
    @Override
    public String toString() {
        List<String> parts = new ArrayList<>();
        if (identity != null) {
            parts.add("a login key");
        }
        if (!hostKeys.isEmpty()) {
            parts.add("host keys of " + String.join(", ", hostKeys.keySet()));
        }
        if (backup != null) {
            parts.add("a copy of the state");
        }
        if (!authorities.isEmpty()) {
            parts.add("host certificates");
        }
        if (trustOnFirstUse) {
            parts.add("trust on first use");
        }
        if (!leftOut.isEmpty()) {
            parts.add("without " + String.join(", ", leftOut));
        }
        if (replace) {
            parts.add("replaces the state");
        }
        return "RecoverBuilder[" + String.join(", ", parts) + ']';
    }
}
