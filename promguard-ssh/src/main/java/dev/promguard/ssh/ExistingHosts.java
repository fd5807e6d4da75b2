package dev.promguard.ssh;

import dev.promguard.CancelledException;
import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostInventory;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Login;
import dev.promguard.spi.Preflight;
import dev.promguard.spi.ProvisioningResult;
import dev.promguard.ssh.internal.Endpoint;
import dev.promguard.ssh.internal.Resolver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Servers that you already have, reached over SSH. A mesh takes those it names; nothing is created or deleted.
 *
 * <pre>{@code
 * Mesh.builder()
 *         .monitor("mon", host -> {})
 *         .node("db-1", host -> host.region("rack-7"))
 *         .provider(ExistingHosts.builder()
 *                 .host("mon", "root@203.0.113.10", "SHA256:4k…")
 *                 .host("db-1", "admin@203.0.113.20:2222", "SHA256:9q…")
 *                 .build())
 *         .apply();
 * }</pre>
 *
 * <p>Regions, sizes and images of such hosts are labels; no price is known. {@link dev.promguard.Mesh#destroy()} takes
 * PromGuard's parts off the hosts and leaves each as it was, as far as the record tells that PromGuard keeps on it in
 * {@code /var/lib/promguard}; the packages that it installed stay. A host on which others have {@code wg0}, a unit of one of
 * PromGuard's names or one of its ports is refused before any host is changed. {@code authorized_keys} is never touched.
 *
 * <p>Immutable and thread-safe.
 */
public final class ExistingHosts implements CloudProvider {
    private static final String LABEL = "existing";
    private static final List<String> IDENTITIES = List.of("id_ed25519", "id_ecdsa", "id_rsa");

    private final Map<String, Endpoint> endpoints;
    private final HostInventory inventory;
    private final boolean ownIdentity;
    private final Function<String, Optional<String>> resolver;

    private ExistingHosts(
            Map<String, Endpoint> endpoints,
            HostInventory inventory,
            boolean ownIdentity,
            Function<String, Optional<String>> resolver) {
        this.endpoints = new TreeMap<>(endpoints);
        this.inventory = inventory;
        this.ownIdentity = ownIdentity;
        this.resolver = resolver;
    }

    /**
     * Starts a list of hosts.
     *
     * @return a builder without hosts
     */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public String name() {
        return "ExistingHosts";
    }

    @Override
    public Optional<HostInventory> inventory() {
        return Optional.of(inventory);
    }

    @Override
    public Preflight preflight(List<HostOrder> orders) {
        endIfInterrupted();
        List<String> unknown = orders.stream().map(HostOrder::name).sorted().toList();
        if (unknown.isEmpty()) {
            return new Preflight(List.of(), Map.of());
        }
        return new Preflight(
                List.of("the mesh has " + String.join(", ", unknown) + ", and ExistingHosts names "
                        + String.join(", ", endpoints.keySet())
                        + ": give each host of the mesh an address with host(…), by the same name"),
                Map.of());
    }

    @Override
    public List<CloudHost> list(String mesh) {
        endIfInterrupted();
        List<CloudHost> hosts = new ArrayList<>();
        endpoints.forEach((name, endpoint) -> {
            Optional<String> address = resolver.apply(endpoint.host());
            endIfInterrupted();
            hosts.add(new CloudHost(
                    name,
                    name,
                    LABEL,
                    LABEL,
                    address.isPresent() ? CloudHost.Status.ACTIVE : CloudHost.Status.OFF,
                    address,
                    Optional.empty(),
                    Optional.empty()));
        });
        return List.copyOf(hosts);
    }

    /**
     * Looks once more for hosts whose names could not be resolved. There is nothing else to wait for.
     *
     * @param mesh the mesh's name
     * @param ids the hosts' ids
     * @param timeout not used
     * @param report called in this thread for each host whose address is known, once all have been looked for
     * @return the hosts whose addresses are known, and for each other one that its name cannot be resolved
     */
    @Override
    public ProvisioningResult await(String mesh, Set<String> ids, Duration timeout, Consumer<CloudHost> report) {
        List<CloudHost> ready = new ArrayList<>();
        Map<String, String> missing = new HashMap<>();
        ids.forEach(id -> missing.put(id, "ExistingHosts does not name it"));
        for (CloudHost host : list(mesh)) {
            if (ids.contains(host.id())) {
                Endpoint endpoint = Objects.requireNonNull(endpoints.get(host.name()));
                if (host.publicAddress().isPresent()) {
                    ready.add(host);
                    missing.remove(host.id());
                } else {
                    missing.put(
                            host.id(),
                            "no address was found for " + endpoint.host()
                                    + ". Check the name and your resolver, or give host(…) an IP address.");
                }
            }
        }
        ready.forEach(report);
        return new ProvisioningResult(ready, missing);
    }

    /**
     * Not possible.
     *
     * @param mesh not used
     * @param key not used
     * @return never
     * @throws ProviderException always: the hosts admit a key already
     */
    @Override
    public AccessKey registerAccessKey(String mesh, SshPublicKey key) {
        throw new ProviderException(
                ErrorCode.MISUSE, "ExistingHosts registers no key. Its hosts already accept the identity given.");
    }

    @Override
    public int batchSize() {
        return 1;
    }

    /**
     * Not possible.
     *
     * @param order not used
     * @return never
     * @throws ProviderException always: there are no hosts but those that are there
     */
    @Override
    public List<CloudHost> create(CreateOrder order) {
        throw new ProviderException(
                ErrorCode.MISUSE, "ExistingHosts creates no hosts. Name the hosts that exist with host(…).");
    }

    /**
     * Not possible for any host.
     *
     * @param mesh not used
     * @param ids the hosts' ids; empty returns at once
     * @param timeout not used
     * @throws ProviderException if there are ids: the hosts stay
     */
    @Override
    public void delete(String mesh, Collection<String> ids, Duration timeout) {
        if (!ids.isEmpty()) {
            throw new ProviderException(
                    ErrorCode.MISUSE,
                    "ExistingHosts deletes no hosts. It leaves " + String.join(", ", new TreeSet<>(ids)) + ".");
        }
    }

    /**
     * Not possible.
     *
     * @param mesh not used
     * @param attempts not used
     * @param timeout not used
     * @throws ProviderException always: the hosts stay
     */
    @Override
    public void deleteAttempts(String mesh, Collection<String> attempts, Duration timeout) {
        throw new ProviderException(ErrorCode.MISUSE, "ExistingHosts deletes no hosts.");
    }

    /**
     * Not possible: hosts are known by their names here.
     *
     * @param mesh not used
     * @param ids not used
     * @return never
     * @throws ProviderException always
     */
    @Override
    public List<FoundHost> find(String mesh, Collection<String> ids) {
        throw new ProviderException(ErrorCode.MISUSE, "ExistingHosts knows hosts by their names. Call list instead.");
    }

    /**
     * Not possible.
     *
     * @param mesh not used
     * @param ids not used
     * @throws ProviderException always: the hosts carry no tags
     */
    @Override
    public void tag(String mesh, Collection<String> ids) {
        throw new ProviderException(ErrorCode.MISUSE, "ExistingHosts tags no hosts.");
    }

    /**
     * Does nothing: there is no account in which anything could be left.
     *
     * @param mesh not used
     * @param key not used
     */
    @Override
    public void cleanUp(String mesh, Optional<AccessKey> key) {
        endIfInterrupted();
    }

    /**
     * Clears the private key if it was read from a file. A key or a passphrase that was given as a {@link Secret} is its owner's to
     * close. No verb of a mesh may be called with this provider after that.
     */
    @Override
    public void close() {
        if (ownIdentity) {
            inventory.identity().close();
        }
    }

    private static void endIfInterrupted() {
        if (Thread.currentThread().isInterrupted()) {
            throw new CancelledException("interrupted; nothing was changed", new InterruptedException());
        }
    }

    /** Collects hosts. Not thread-safe. */
    public static final class Builder {
        private final Map<String, Endpoint> endpoints = new TreeMap<>();
        private final Map<String, Set<HostKeyFingerprint>> fingerprints = new HashMap<>();
        private final Set<String> gone = new HashSet<>();
        private boolean trustOnFirstUse;
        private @Nullable Secret identity;
        private @Nullable Path identityFile;
        private @Nullable Secret passphrase;
        private Path keyFolder = Path.of(System.getProperty("user.home"), ".ssh");
        private Function<String, Optional<String>> resolver = Resolver.ofTheSystem();

        private Builder() {}

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
         * @throws IllegalArgumentException if an argument is malformed, or the name was given before; the message says which
         */
        public Builder host(String name, String login, String... hostKeys) {
            if (!Names.isHost(name)) {
                throw new IllegalArgumentException("name " + Names.quote(name)
                        + " cannot be a host's name: use at most 63 lower-case letters, digits and dashes");
            }
            Endpoint endpoint;
            Set<HostKeyFingerprint> keys = new HashSet<>();
            try {
                endpoint = Endpoint.parse(login);
                for (String key : hostKeys) {
                    keys.add(new HostKeyFingerprint(key));
                }
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("host " + name + ": " + e.getMessage(), e);
            }
            if (endpoints.putIfAbsent(name, endpoint) != null) {
                throw new IllegalArgumentException(
                        "host " + name + " is named twice: give each host a name of its own");
            }
            fingerprints.put(name, keys);
            return this;
        }

        /**
         * Says that a host which was in the mesh is gone for good. It is forgotten, and nothing is taken off it.
         *
         * @param name its name in the mesh
         * @return this builder
         * @throws NullPointerException if {@code name} is null
         * @throws IllegalArgumentException if no host can have that name
         */
        public Builder forget(String name) {
            if (!Names.isHost(name)) {
                throw new IllegalArgumentException("gone " + Names.quote(name)
                        + " cannot be a host's name: use the one that the host had in the mesh");
            }
            gone.add(name);
            return this;
        }

        /**
         * Trusts whatever key a host without a given fingerprint shows at the first contact. An apply writes that key down
         * before it sends anything, and from then on accepts no other; whoever sits in between at the first contact stays
         * there.
         *
         * @return this builder
         */
        public Builder trustOnFirstUse() {
            trustOnFirstUse = true;
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
         * @throws IllegalArgumentException if it cannot be read, which is tried at once
         */
        public Builder identity(Path file) {
            read(file).close();
            identity = null;
            identityFile = file;
            return this;
        }

        private static Secret read(Path file) {
            byte[] bytes;
            try {
                bytes = Files.readAllBytes(file);
            } catch (IOException e) {
                throw new IllegalArgumentException(
                        "identity " + Names.quote(file.toString())
                                + " cannot be read: name a private key file that you may read",
                        e);
            }
            try {
                return Secret.of(bytes);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "identity " + Names.quote(file.toString()) + " is empty: name a private key file", e);
            } finally {
                Arrays.fill(bytes, (byte) 0);
            }
        }

        /**
         * The private key to log in with.
         *
         * @param key an OpenSSH or PEM private key file's text; to stay open for as long as the provider is used
         * @return this builder
         * @throws NullPointerException if {@code key} is null
         */
        public Builder identity(Secret key) {
            identity = Objects.requireNonNull(key, "key");
            identityFile = null;
            return this;
        }

        /**
         * What the private key is encrypted with.
         *
         * @param secret the passphrase; to stay open for as long as the provider is used
         * @return this builder
         * @throws NullPointerException if {@code secret} is null
         */
        public Builder passphrase(Secret secret) {
            passphrase = Objects.requireNonNull(secret, "secret");
            return this;
        }

        Builder keyFolder(Path folder) {
            keyFolder = folder;
            return this;
        }

        Builder resolver(Function<String, Optional<String>> names) {
            resolver = names;
            return this;
        }

        /**
         * Checks the whole and makes the provider. No host is contacted yet.
         *
         * @return the provider
         * @throws IllegalArgumentException if the private key file cannot be read any more
         * @throws IllegalStateException if there is no host, a host has neither a fingerprint nor trust on first use, a host is
         *     both named and gone, or there is no private key; it names all that is wrong
         */
        public ExistingHosts build() {
            List<String> problems = new ArrayList<>();
            if (endpoints.isEmpty() && gone.isEmpty()) {
                problems.add("no host is named: name them with host(…)");
            }
            List<String> unproven = endpoints.keySet().stream()
                    .filter(name -> !trustOnFirstUse && keys(name).isEmpty())
                    .toList();
            if (!unproven.isEmpty()) {
                problems.add("no host key fingerprint is given for " + String.join(", ", unproven)
                        + ": give what ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub prints there, or say"
                        + " trustOnFirstUse()");
            }
            gone.stream()
                    .filter(endpoints::containsKey)
                    .sorted()
                    .forEach(name ->
                            problems.add(name + " is both named and said to be gone: leave one of the two out"));
            Path file = identity == null && identityFile == null && problems.isEmpty()
                    ? usualIdentity(problems)
                    : identityFile;
            if (!problems.isEmpty()) {
                throw new IllegalStateException(String.join("; ", problems));
            }
            Secret key = identity == null ? read(Objects.requireNonNull(file)) : identity;
            Map<String, Login> logins = new HashMap<>();
            endpoints.forEach((name, endpoint) -> logins.put(
                    name,
                    new Login(
                            endpoint.user(),
                            endpoint.port(),
                            keys(name),
                            trustOnFirstUse && keys(name).isEmpty())));
            return new ExistingHosts(
                    endpoints,
                    new HostInventory(logins, gone, key, Optional.ofNullable(passphrase)),
                    identity == null,
                    resolver);
        }

        private Set<HostKeyFingerprint> keys(String name) {
            return fingerprints.getOrDefault(name, Set.of());
        }

        private @Nullable Path usualIdentity(List<String> problems) {
            for (String file : IDENTITIES) {
                Path path = keyFolder.resolve(file);
                if (Files.isRegularFile(path)) {
                    return path;
                }
            }
            problems.add("there is no private key in " + keyFolder + ": name one with identity(…)");
            return null;
        }
    }
}
