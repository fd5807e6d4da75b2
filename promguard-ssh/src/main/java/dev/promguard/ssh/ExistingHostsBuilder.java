package dev.promguard.ssh;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.HostCertificates;
import dev.promguard.spi.HostInventory;
import dev.promguard.spi.Identity;
import dev.promguard.spi.JumpHost;
import dev.promguard.spi.Login;
import dev.promguard.ssh.internal.Endpoint;
import dev.promguard.ssh.internal.IdentityFile;
import dev.promguard.ssh.internal.Resolver;
import dev.promguard.ssh.internal.SshConfig;
import dev.promguard.ssh.internal.SshHost;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Collects hosts for {@link ExistingHosts}. Not thread-safe. */
public final class ExistingHostsBuilder {
    private final Map<String, Server> hosts = new TreeMap<>();
    private final Map<String, Server> jumpHosts = new TreeMap<>();
    private final Set<String> gone = new HashSet<>();
    private @Nullable List<String> through;
    private @Nullable SshConfig sshConfig;
    private Set<HostKeyFingerprint> authorities = Set.of();
    private boolean trustOnFirstUse;
    private @Nullable Supplier<IdentityFile.Read> identity;
    private @Nullable Secret passphrase;
    private @Nullable SshPublicKey agentKey;
    private @Nullable SshPublicKey certificate;
    private Path keyFolder = Path.of(System.getProperty("user.home"), ".ssh");
    private Function<String, Optional<String>> resolver = Resolver.ofTheSystem();

    ExistingHostsBuilder() {}

    /**
     * Names a host and says how to reach it.
     *
     * @param name its name in the mesh: at most 63 lower-case letters, digits and dashes
     * @param login {@code user@address} or {@code user@address:port}, where the address is an IPv4 address, an IPv6 address
     *     (in brackets if a port follows) or a host name, which is resolved here each time; the user is root, or one that
     *     may run {@code sudo} without a password; without user it is root, without port 22
     * @param hostKeys the fingerprints of the host keys that it may show, as {@code ssh-keygen -lf
     *     /etc/ssh/ssh_host_ed25519_key.pub} prints them on the host: {@code SHA256:} and 43 characters. None only with
     *     {@link #trustOnFirstUse()}
     * @return this builder
     * @throws NullPointerException if an argument is null
     * @throws InvalidSettingException if an argument is malformed, or the name was given before; the message says which
     */
    public ExistingHostsBuilder host(String name, String login, String... hostKeys) {
        return host(name, login, access -> access.hostKeys(hostKeys));
    }

    /**
     * Names a host and says how to reach it, with more than host keys.
     *
     * @param name its name in the mesh: at most 63 lower-case letters, digits and dashes
     * @param login as in {@link #host(String, String, String...)}. Behind a jump host, the address is the one as seen from there; a name
     *     is still resolved here
     * @param access says the rest
     * @return this builder
     * @throws NullPointerException if an argument is null
     * @throws InvalidSettingException if an argument is malformed, or the name was given before; the message says which
     */
    public ExistingHostsBuilder host(String name, String login, Consumer<HostAccess> access) {
        add(hosts, "host", name, login, access);
        return this;
    }

    /**
     * Names an SSH server that leads to hosts, and is none of the mesh. Nothing is run, read or changed on it: it has to let its user
     * forward ports ({@code AllowTcpForwarding}), who needs no shell.
     *
     * @param name what {@code through(…)} and messages call it: at most 63 lower-case letters, digits and dashes
     * @param login as in {@link #host(String, String, String...)}; a name is resolved where the connection is made
     * @param hostKeys the fingerprints of the host keys that it may show; none only with {@link #trustOnFirstUse()}
     * @return this builder
     * @throws NullPointerException if an argument is null
     * @throws InvalidSettingException if an argument is malformed, or the name was given before; the message says which
     */
    public ExistingHostsBuilder jumpHost(String name, String login, String... hostKeys) {
        return jumpHost(name, login, access -> access.hostKeys(hostKeys));
    }

    /**
     * Names an SSH server that leads to hosts, with more than host keys, such as an identity of its own, or jump hosts before it.
     *
     * @param name what {@code through(…)} and messages call it: at most 63 lower-case letters, digits and dashes
     * @param login as in {@link #host(String, String, String...)}; a name is resolved where the connection is made
     * @param access says the rest
     * @return this builder
     * @throws NullPointerException if an argument is null
     * @throws InvalidSettingException if an argument is malformed, or the name was given before; the message says which
     */
    public ExistingHostsBuilder jumpHost(String name, String login, Consumer<HostAccess> access) {
        add(jumpHosts, "jump host", name, login, access);
        return this;
    }

    /**
     * The hosts' names, without keys.
     *
     * @return such as {@code ExistingHostsBuilder[db-1, mon]}
     */
    @Override
    public String toString() {
        return "ExistingHostsBuilder" + hosts.keySet();
    }

    private void add(Map<String, Server> to, String kind, String name, String login, Consumer<HostAccess> access) {
        Server.requireName(name);
        String what = kind + ' ' + name;
        HostAccess settings = new HostAccess(what);
        Optional<SshHost> configured;
        Endpoint endpoint;
        try {
            configured = Optional.ofNullable(sshConfig).map(config -> config.find(login));
            endpoint = configured.isPresent() ? configured.get().endpoint() : Endpoint.parse(login);
        } catch (InvalidSettingException e) {
            throw e.in(what + ": ");
        }
        access.accept(settings);
        if (hosts.containsKey(name) || jumpHosts.containsKey(name)) {
            throw new InvalidSettingException(what + " is named twice: give each host a name of its own");
        }
        to.put(name, new Server(name, endpoint, settings, configured));
    }

    /**
     * The jump hosts on the way to every host that names none itself; one that is reached from here says {@code through()}.
     *
     * @param names names given with {@link #jumpHost}, or of other hosts, in the order in which they are passed
     * @return this builder
     * @throws NullPointerException if an argument is null
     * @throws InvalidSettingException if a name cannot be a host's, or comes twice
     */
    public ExistingHostsBuilder through(String... names) {
        through = HostAccess.chain("through", names);
        return this;
    }

    /**
     * Says that a host which was in the mesh is gone for good. It is forgotten, and nothing is taken off it.
     *
     * @param name its name in the mesh
     * @return this builder
     * @throws NullPointerException if {@code name} is null
     * @throws InvalidSettingException if no host can have that name
     */
    public ExistingHostsBuilder forget(String name) {
        if (!Names.isHost(name)) {
            throw new InvalidSettingException("gone " + Names.quote(name)
                    + " cannot be a host's name: use the one that the host had in the mesh");
        }
        gone.add(name);
        return this;
    }

    /**
     * Trusts whatever key a host or a jump host without a given fingerprint shows at the first contact. An apply writes that key down
     * before it sends anything, and from then on accepts no other; whoever sits in between at the first contact stays there.
     *
     * @return this builder
     */
    public ExistingHostsBuilder trustOnFirstUse() {
        trustOnFirstUse = true;
        return this;
    }

    /**
     * Those who vouch for the host keys of all hosts and jump hosts, as the {@code @cert-authority} lines of a {@code known_hosts} file: a host
     * that shows an OpenSSH certificate of theirs needs no fingerprint here, and may get another key later. The certificate has to be for the
     * host name or address of the login, valid now, and signed with an algorithm that is still safe. An apply pins the key that it vouches
     * for. Where fingerprints are given too, both count.
     *
     * @param keys each a line of a {@code .pub} file, or its fingerprint as {@code ssh-keygen -lf} prints it
     * @return this builder
     * @throws NullPointerException if an argument is null
     * @throws InvalidSettingException if one is malformed
     */
    public ExistingHostsBuilder hostCertificateAuthority(String... keys) {
        authorities = HostAccess.authorities("host certificate authority", keys);
        return this;
    }

    /**
     * The private key to log in with. Unless one is given, the first of {@code id_ed25519}, {@code id_ecdsa} and
     * {@code id_rsa} in {@code ~/.ssh}.
     *
     * @param file an OpenSSH or PEM private key file; read by {@link #build()} into a secret that {@link
     *     ExistingHosts#close()} clears
     * @return this builder
     * @throws NullPointerException if {@code file} is null
     * @throws InvalidSettingException if it cannot be read, or is something else, such as the public key, which is tried at once
     */
    public ExistingHostsBuilder identity(Path file) {
        IdentityFile.check(file);
        identity = () -> IdentityFile.read(file);
        return this;
    }

    /**
     * The private key to log in with.
     *
     * @param key an OpenSSH or PEM private key file's text; to stay open for as long as the provider is used
     * @return this builder
     * @throws NullPointerException if {@code key} is null
     */
    public ExistingHostsBuilder identity(Secret key) {
        Objects.requireNonNull(key, "key");
        identity = () -> IdentityFile.given(key);
        return this;
    }

    /**
     * Logs in with the keys of the user's SSH agent, which {@code SSH_AUTH_SOCK} names now. The agent signs, and the keys stay there: those of
     * hardware tokens and certificates too. They are tried in the agent's order; a server takes few attempts, so name the one with
     * {@link #agentKey} where it has many.
     *
     * @return this builder
     * @throws InvalidSettingException if {@code SSH_AUTH_SOCK} is not set, or nothing is there
     */
    public ExistingHostsBuilder agent() {
        return agent(IdentityFile.agentSocket(System.getenv()));
    }

    /**
     * Logs in with the keys of an SSH agent.
     *
     * @param socket the agent's Unix domain socket
     * @return this builder
     * @throws NullPointerException if {@code socket} is null
     * @throws InvalidSettingException if nothing is there
     */
    public ExistingHostsBuilder agent(Path socket) {
        IdentityFile.checkAgent(socket);
        identity = () -> IdentityFile.agent(socket, agentKey);
        return this;
    }

    /**
     * The one key of the agent to log in with.
     *
     * @param publicKey the public key, or the certificate, as the line of its {@code .pub} file; it counts with {@code agent()} alone
     * @return this builder
     * @throws NullPointerException if {@code publicKey} is null
     * @throws InvalidSettingException if it is no such line
     */
    public ExistingHostsBuilder agentKey(String publicKey) {
        try {
            agentKey = SshPublicKey.parse(publicKey);
        } catch (InvalidSettingException e) {
            throw new InvalidSettingException("agent key: " + e.reason() + ": give the line of a .pub file", e);
        }
        return this;
    }

    /**
     * The OpenSSH certificate for the private key, which is tried first. Unless one is given, the one beside the private key's file: for
     * {@code id_ed25519}, {@code id_ed25519-cert.pub}.
     *
     * @param file what {@code ssh-keygen -s} wrote
     * @return this builder
     * @throws NullPointerException if {@code file} is null
     * @throws InvalidSettingException if it cannot be read, or is no certificate
     */
    public ExistingHostsBuilder certificate(Path file) {
        certificate = IdentityFile.certificate(file);
        return this;
    }

    /**
     * What the private key is encrypted with.
     *
     * @param secret the passphrase; to stay open for as long as the provider is used
     * @return this builder
     * @throws NullPointerException if {@code secret} is null
     */
    public ExistingHostsBuilder passphrase(Secret secret) {
        passphrase = Objects.requireNonNull(secret, "secret");
        return this;
    }

    /**
     * Looks logins up in {@code ~/.ssh/config}; {@code /etc/ssh/ssh_config} is not read.
     *
     * @return this builder
     * @throws InvalidSettingException as {@link #sshConfig(Path)}
     */
    public ExistingHostsBuilder sshConfig() {
        return sshConfig(keyFolder.resolve("config"));
    }

    /**
     * Looks logins up in an SSH client's configuration, which is read now. Each login of {@link #host} and {@link #jumpHost} may name an
     * alias of it from here on, and an address is looked up too, as {@code ssh} does. What is said here wins over the file: user and port of
     * a login, {@code through(…)}, {@code identity(…)} and {@code agent(…)}, of one host or of all. Without {@code User} the user is root.
     *
     * <p>Obeyed are {@code Host}, {@code Match all}, {@code Include}, {@code HostName}, {@code User}, {@code Port}, {@code IdentityFile},
     * {@code CertificateFile}, {@code IdentityAgent}, {@code IdentitiesOnly} and {@code ProxyJump}, whose hosts are looked up as well. One
     * at the address of a jump host or host that is named here is that one, so name it to give fingerprints. {@code known_hosts} is not read:
     * host keys are those given here, or trusted on first use. An agent that the file does not name is used with {@code agent()} alone.
     *
     * <p>Refused where they apply are {@code ProxyCommand}, {@code Match} with conditions before anything but ignored settings,
     * {@code AddressFamily inet6}, {@code BindAddress}, {@code BindInterface}, {@code CanonicalizeHostname}, {@code PKCS11Provider},
     * {@code RevokedHostKeys}, percent signs and variables that depend on more than the login, and unknown keywords that {@code IgnoreUnknown}
     * does not name.
     *
     * <p>Ignored are all others, as no part of such a session: what concerns {@code known_hosts} ({@code HostKeyAlias},
     * {@code StrictHostKeyChecking}, {@code UserKnownHostsFile}, …), algorithms ({@code Ciphers}, {@code KexAlgorithms}, {@code MACs},
     * {@code HostKeyAlgorithms}, {@code PubkeyAcceptedAlgorithms}, {@code RekeyLimit}, {@code Compression}, …), other ways to log in
     * ({@code PreferredAuthentications}, {@code PasswordAuthentication}, {@code GSSAPIAuthentication}, {@code HostbasedAuthentication}, …),
     * forwarding ({@code LocalForward}, {@code RemoteForward}, {@code DynamicForward}, {@code ForwardAgent}, {@code ForwardX11},
     * {@code Tunnel}, …), shared connections ({@code ControlMaster}, {@code ControlPath}, {@code ControlPersist}), terminals and commands
     * ({@code RequestTTY}, {@code RemoteCommand}, {@code LocalCommand}, {@code SendEnv}, {@code SetEnv}, {@code SessionType}, …), and times
     * and logs ({@code ConnectTimeout}, {@code ConnectionAttempts}, {@code ServerAliveInterval}, {@code TCPKeepAlive}, {@code IPQoS},
     * {@code LogLevel}, {@code BatchMode}, {@code AddKeysToAgent}, {@code UseKeychain}, …).
     *
     * @param file such as {@code ~/.ssh/config}: at most 1 MiB, with at most 255 included files, 16 deep, that nobody else may write to
     * @return this builder
     * @throws NullPointerException if {@code file} is null
     * @throws InvalidSettingException if a file cannot be read, or is malformed; the message says where. What is wrong with a host's
     *     settings is thrown by {@link #host}, {@link #jumpHost} or {@link #build()}. Also if a host or a jump host was named before
     */
    public ExistingHostsBuilder sshConfig(Path file) {
        if (!hosts.isEmpty() || !jumpHosts.isEmpty()) {
            throw new InvalidSettingException(
                    ErrorCode.MISUSE, "a host is named before sshConfig(…): call sshConfig(…) first", null);
        }
        Path folder = keyFolder.toAbsolutePath().getParent();
        sshConfig = SshConfig.read(file.toAbsolutePath(), folder == null ? keyFolder : folder);
        return this;
    }

    ExistingHostsBuilder keyFolder(Path folder) {
        keyFolder = folder;
        return this;
    }

    ExistingHostsBuilder resolver(Function<String, Optional<String>> names) {
        resolver = names;
        return this;
    }

    /**
     * Checks the whole and makes the provider. No host is contacted yet.
     *
     * @return the provider
     * @throws InvalidSettingException if a private key file cannot be read any more, the one in {@code ~/.ssh} is none to log in
     *     with, or a host's settings in the SSH configuration cannot be used; or if there is no host, a host or a jump host has neither a fingerprint nor trust on first use, a jump
     *     host is unknown or behind itself, a host is both named and gone, there is no private key, or one is encrypted and there is no
     *     passphrase for it; it names all that is wrong
     */
    public ExistingHosts build() {
        List<String> problems = new ArrayList<>();
        if (hosts.isEmpty() && gone.isEmpty()) {
            problems.add("no host is named: name them with host(…)");
        }
        Map<String, List<String>> chains = new HashMap<>();
        JumpChains ways = new JumpChains(hosts, jumpHosts, Optional.ofNullable(through), sshConfig);
        List<String> lost = new ArrayList<>();
        hosts.forEach((name, host) -> chains.put(name, ways.chain(name, host, lost)));
        List<String> unproven = new ArrayList<>();
        hosts.forEach((name, host) -> addIfUnproven(unproven, name, host));
        jumpHosts.forEach((name, host) -> addIfUnproven(unproven, "jump host " + name, host));
        ways.configured()
                .values()
                .forEach(host -> addIfUnproven(
                        unproven, "jump host " + host.title() + " (name it with jumpHost(…) to give one)", host));
        if (!unproven.isEmpty()) {
            problems.add("no host key fingerprint is given for " + String.join(", ", unproven)
                    + ": give what ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub prints there, name who signs its certificate"
                    + " with hostCertificateAuthority(…), or say trustOnFirstUse()");
        }
        problems.addAll(lost);
        gone.stream()
                .filter(hosts::containsKey)
                .sorted()
                .forEach(name -> problems.add(name + " is both named and said to be gone: leave one of the two out"));
        Map<String, Server> servers = new TreeMap<>(hosts);
        servers.putAll(jumpHosts);
        servers.putAll(ways.configured());
        Supplier<IdentityFile.Read> source = identity;
        boolean eachHasOne = !servers.isEmpty() && servers.values().stream().allMatch(this::hasIdentity);
        if (source == null && problems.isEmpty() && !eachHasOne) {
            source = IdentityFile.usual(keyFolder).orElse(null);
            if (source == null) {
                problems.add("there is no private key in " + keyFolder + ": name one with identity(…)");
            }
        }
        if (!problems.isEmpty()) {
            throw new InvalidSettingException(String.join("; ", problems));
        }
        return build(source, servers, chains);
    }

    private ExistingHosts build(
            @Nullable Supplier<IdentityFile.Read> source,
            Map<String, Server> servers,
            Map<String, List<String>> chains) {
        List<Identity> own = new ArrayList<>();
        boolean built = false;
        try {
            Optional<Identity> given = Optional.ofNullable(source)
                    .map(read -> unlocked(keep(read.get(), own).with(passphrase).certified(certificate))
                            .identity());
            Map<String, Login.Builder> logins = new TreeMap<>();
            List<Identity> used = new ArrayList<>();
            servers.forEach((name, host) -> {
                List<Identity> identities = identities(name, host, own);
                used.addAll(identities);
                logins.put(name, login(host).identities(identities));
            });
            // An inventory has an identity for all, also where each host has its own.
            Identity general = given.orElseGet(() -> used.get(0));
            Map<String, JumpHost> hops = new HashMap<>();
            servers.forEach((name, host) -> hops.put(
                    name,
                    new JumpHost(
                            host.title(),
                            host.endpoint().host(),
                            Objects.requireNonNull(logins.get(name)).build())));
            Map<String, Login> done = new HashMap<>();
            Map<String, Endpoint> endpoints = new TreeMap<>();
            hosts.forEach((name, host) -> {
                List<JumpHost> chain = Objects.requireNonNull(chains.get(name)).stream()
                        .map(hop -> Objects.requireNonNull(hops.get(hop)))
                        .toList();
                done.put(
                        name,
                        Objects.requireNonNull(logins.get(name))
                                .jumpHosts(chain)
                                .build());
                endpoints.put(name, host.endpoint());
            });
            ExistingHosts provider =
                    new ExistingHosts(endpoints, HostInventory.of(done, general).withGone(gone), own, resolver);
            built = true;
            return provider;
        } finally {
            if (!built) {
                own.forEach(Identity::close);
            }
        }
    }

    private void addIfUnproven(List<String> unproven, String name, Server host) {
        if (!trustOnFirstUse
                && host.access().keys().isEmpty()
                && authorities(host).isEmpty()) {
            unproven.add(name);
        }
    }

    private Login.Builder login(Server host) {
        return Login.of(host.endpoint().user())
                .port(host.endpoint().port())
                .hostKeys(host.access().keys())
                .certificates(
                        new HostCertificates(authorities(host), host.endpoint().host()))
                .trustOnFirstUse(trustOnFirstUse
                        && host.access().keys().isEmpty()
                        && authorities(host).isEmpty());
    }

    private Set<HostKeyFingerprint> authorities(Server host) {
        return host.access().authorities().orElse(authorities);
    }

    /** Whether a host has an identity other than that of all hosts, as far as can be told without reading it. */
    private boolean hasIdentity(Server host) {
        return host.access().hasIdentity()
                || (identity == null
                        && host.configured().map(SshHost::hasIdentity).orElse(false));
    }

    private List<Identity> identities(String name, Server host, List<Identity> own) {
        if (!hasIdentity(host)) {
            return List.of();
        }
        HostAccess access = host.access();
        List<IdentityFile.Read> found;
        try {
            found = access.read()
                    .map(List::of)
                    .orElseGet(() -> host.configured()
                            .map(configured -> access.read(configured, passphrase, agentKey))
                            .orElse(List.of()));
        } catch (InvalidSettingException e) {
            throw e.in(name + ": ");
        }
        found.forEach(read -> keep(read, own));
        return found.stream().map(read -> unlocked(read).identity()).toList();
    }

    /** Remembers an identity that is this provider's to close: its key alone, for the passphrase is its giver's. */
    static IdentityFile.Read keep(IdentityFile.Read read, List<Identity> own) {
        if (read.own()) {
            read.identity().key().map(Identity::ofKey).ifPresent(own::add);
        }
        return read;
    }

    static IdentityFile.Read unlocked(IdentityFile.Read read) {
        if (read.isLocked()) {
            String source = read.identity().source();
            throw new InvalidSettingException(
                    ErrorCode.INVALID_LOGIN_KEY,
                    "identity " + (source.isEmpty() ? "" : Names.quote(source) + ' ')
                            + "is encrypted. Give its passphrase with passphrase(…), or add it to an SSH agent and say agent().",
                    null);
        }
        return read;
    }
}
