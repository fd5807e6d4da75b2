package dev.promguard.ssh;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.ssh.internal.IdentityFile;
import dev.promguard.ssh.internal.SshHost;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** How to get to an existing host, or to a jump host of such or of a cloud's hosts, beside its address. Not thread-safe. */
public final class HostAccess {
    private final String what;
    private Set<HostKeyFingerprint> hostKeys = Set.of();
    private @Nullable Set<HostKeyFingerprint> authorities;
    private @Nullable List<String> through;
    private @Nullable Supplier<IdentityFile.Read> identity;
    private @Nullable Secret passphrase;
    private @Nullable SshPublicKey agentKey;
    private @Nullable SshPublicKey certificate;

    /**
     * Nothing said yet.
     *
     * @param what what messages call the host
     */
    HostAccess(String what) {
        this.what = what;
    }

    /**
     * The host keys that it may show.
     *
     * @param fingerprints as {@code ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub} prints them on the host: {@code SHA256:} and 43
     *     characters. None only with {@link ExistingHostsBuilder#trustOnFirstUse()}, or where a certificate counts
     * @return this object
     * @throws NullPointerException if an argument is null
     * @throws InvalidSettingException if one is malformed; the message names the host
     */
    public HostAccess hostKeys(String... fingerprints) {
        Set<HostKeyFingerprint> keys = new HashSet<>();
        for (String fingerprint : fingerprints) {
            try {
                keys.add(new HostKeyFingerprint(fingerprint));
            } catch (InvalidSettingException e) {
                throw e.in(what + ": ");
            }
        }
        hostKeys = keys;
        return this;
    }

    /**
     * Those who vouch for its host key, other than for all hosts: see {@link ExistingHostsBuilder#hostCertificateAuthority}.
     *
     * @param keys each a line of a {@code .pub} file, or its fingerprint as {@code ssh-keygen -lf} prints it; none if no certificate counts
     * @return this object
     * @throws NullPointerException if an argument is null
     * @throws InvalidSettingException if one is malformed; the message names the host
     */
    public HostAccess hostCertificateAuthority(String... keys) {
        authorities = authorities(what, keys);
        return this;
    }

    static Set<HostKeyFingerprint> authorities(String what, String... keys) {
        Set<HostKeyFingerprint> authorities = new HashSet<>();
        for (String key : keys) {
            try {
                authorities.add(
                        key.startsWith("SHA256:")
                                ? new HostKeyFingerprint(key)
                                : SshPublicKey.parse(key).fingerprint());
            } catch (InvalidSettingException e) {
                throw new InvalidSettingException(
                        what + ": " + e.reason() + ": give the line of the authority's .pub file, or its fingerprint",
                        e);
            }
        }
        return authorities;
    }

    /**
     * The jump hosts on the way, as ssh's {@code ProxyJump}; several may follow one another. Without this, those of
     * {@link ExistingHostsBuilder#through}.
     *
     * @param jumpHosts names given with {@link ExistingHostsBuilder#jumpHost}, or of other hosts, in the order in which they are passed;
     *     none if it is reached from here
     * @return this object
     * @throws NullPointerException if an argument is null
     * @throws InvalidSettingException if a name cannot be a host's, or comes twice
     */
    public HostAccess through(String... jumpHosts) {
        through = chain(what, jumpHosts);
        return this;
    }

    static List<String> chain(String what, String... jumpHosts) {
        List<String> chain = List.of(jumpHosts);
        chain.stream().filter(name -> !Names.isHost(name)).findFirst().ifPresent(name -> {
            throw new InvalidSettingException(what + ": " + Names.quote(name)
                    + " cannot be a jump host's name: use one that was given with jumpHost(…)");
        });
        if (Set.copyOf(chain).size() != chain.size()) {
            throw new InvalidSettingException(
                    what + ": a jump host comes twice in " + String.join(", ", chain) + ": name each once, in order");
        }
        return chain;
    }

    /**
     * The private key to log in with, other than that of all hosts.
     *
     * @param file an OpenSSH or PEM private key file; read by {@link ExistingHostsBuilder#build()} into a secret that {@link
     *     ExistingHosts#close()} clears
     * @return this object
     * @throws NullPointerException if {@code file} is null
     * @throws InvalidSettingException if it cannot be read, or is something else, such as the public key, which is tried at once
     */
    public HostAccess identity(Path file) {
        IdentityFile.check(file);
        identity = () -> IdentityFile.read(file);
        return this;
    }

    /**
     * The private key to log in with, other than that of all hosts.
     *
     * @param key an OpenSSH or PEM private key file's text; to stay open for as long as the provider is used
     * @return this object
     * @throws NullPointerException if {@code key} is null
     */
    public HostAccess identity(Secret key) {
        Objects.requireNonNull(key, "key");
        identity = () -> IdentityFile.given(key);
        return this;
    }

    /**
     * Logs in with the keys of the user's SSH agent, which {@code SSH_AUTH_SOCK} names now. The agent signs, and the keys stay there: those of
     * hardware tokens and certificates too. They are tried in the agent's order; a server takes few attempts, so name the one with
     * {@link #agentKey} where it has many.
     *
     * @return this object
     * @throws InvalidSettingException if {@code SSH_AUTH_SOCK} is not set, or nothing is there
     */
    public HostAccess agent() {
        return agent(IdentityFile.agentSocket(System.getenv()));
    }

    /**
     * Logs in with the keys of an SSH agent.
     *
     * @param socket the agent's Unix domain socket
     * @return this object
     * @throws NullPointerException if {@code socket} is null
     * @throws InvalidSettingException if nothing is there
     */
    public HostAccess agent(Path socket) {
        IdentityFile.checkAgent(socket);
        identity = () -> IdentityFile.agent(socket, agentKey);
        return this;
    }

    /**
     * The one key of the agent to log in with.
     *
     * @param publicKey the public key, or the certificate, as the line of its {@code .pub} file; it counts with {@code agent()} alone
     * @return this object
     * @throws NullPointerException if {@code publicKey} is null
     * @throws InvalidSettingException if it is no such line
     */
    public HostAccess agentKey(String publicKey) {
        try {
            agentKey = SshPublicKey.parse(publicKey);
        } catch (InvalidSettingException e) {
            throw new InvalidSettingException(
                    what + ": agent key: " + e.reason() + ": give the line of a .pub file", e);
        }
        return this;
    }

    /**
     * The OpenSSH certificate for the private key, which is tried first. Unless one is given, the one beside the private key's file: for
     * {@code id_ed25519}, {@code id_ed25519-cert.pub}.
     *
     * @param file what {@code ssh-keygen -s} wrote
     * @return this object
     * @throws NullPointerException if {@code file} is null
     * @throws InvalidSettingException if it cannot be read, or is no certificate
     */
    public HostAccess certificate(Path file) {
        certificate = IdentityFile.certificate(file);
        return this;
    }

    /**
     * What the private key given here is encrypted with.
     *
     * @param secret the passphrase; to stay open for as long as the provider is used
     * @return this object
     * @throws NullPointerException if {@code secret} is null
     */
    public HostAccess passphrase(Secret secret) {
        passphrase = Objects.requireNonNull(secret, "secret");
        return this;
    }

    /** The host keys given. */
    Set<HostKeyFingerprint> keys() {
        return hostKeys;
    }

    /** Those who vouch for its host key, or nothing where they are those of all hosts. */
    Optional<Set<HostKeyFingerprint>> authorities() {
        return Optional.ofNullable(authorities);
    }

    /** The jump hosts named here, or nothing where none were. */
    Optional<List<String>> jumpHosts() {
        return Optional.ofNullable(through);
    }

    /** What to log in with, or nothing where it is what all hosts have. */
    Optional<IdentityFile.Read> read() {
        Supplier<IdentityFile.Read> source = identity;
        return source == null
                ? Optional.empty()
                : Optional.of(source.get().with(passphrase).certified(certificate));
    }

    /** Whether this says what to log in with. */
    boolean hasIdentity() {
        return identity != null;
    }

    /**
     * What to log in with by an SSH client's configuration.
     *
     * @param configured what it says of the host
     * @param otherPassphrase for keys that are encrypted, where none is given here
     * @param otherAgentKey the one key of the agent, where none is given here
     */
    List<IdentityFile.Read> read(
            SshHost configured, @Nullable Secret otherPassphrase, @Nullable SshPublicKey otherAgentKey) {
        return configured.identities(
                passphrase == null ? otherPassphrase : passphrase,
                agentKey == null ? otherAgentKey : agentKey,
                certificate,
                System.getenv());
    }
}
