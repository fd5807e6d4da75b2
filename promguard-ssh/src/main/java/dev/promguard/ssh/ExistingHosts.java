package dev.promguard.ssh;

import dev.promguard.CancelledException;
import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostInventory;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Identity;
import dev.promguard.spi.Preflight;
import dev.promguard.spi.ProvisioningResult;
import dev.promguard.ssh.internal.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Servers that you already have, reached over SSH. A mesh takes those it names; nothing is created or deleted.
 *
 * <pre>{@code
 * Mesh.builder()
 *         .namedMonitor("mon")
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
 * {@code /var/lib/promguard}; the packages that it installed stay. A host on which others have an interface of the mesh's name, a
 * unit of one of PromGuard's names or one of its ports is refused before any host is changed. {@code authorized_keys} is never
 * touched.
 *
 * <p>Immutable and thread-safe.
 */
public final class ExistingHosts implements CloudProvider {
    private static final String LABEL = "existing";

    private final Map<String, Endpoint> endpoints;
    private final HostInventory inventory;
    private final List<Identity> own;
    private final Function<String, Optional<String>> resolver;

    /**
     * Hosts.
     *
     * @param endpoints where they are, by name
     * @param inventory how to log in to them
     * @param own the identities that were made for this object, which closes them
     * @param resolver finds the addresses of names
     */
    ExistingHosts(
            Map<String, Endpoint> endpoints,
            HostInventory inventory,
            List<Identity> own,
            Function<String, Optional<String>> resolver) {
        this.endpoints = new TreeMap<>(endpoints);
        this.inventory = inventory;
        this.own = List.copyOf(own);
        this.resolver = resolver;
    }

    /**
     * Starts a list of hosts.
     *
     * @return a builder without hosts
     */
    public static ExistingHostsBuilder builder() {
        return new ExistingHostsBuilder();
    }

    /**
     * The hosts' names.
     *
     * @return such as {@code ExistingHosts[db-1, mon]}
     */
    @Override
    public String toString() {
        return "ExistingHosts" + endpoints.keySet();
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
                        + ": give each host of the mesh an address with host(…), by the same name"
                        + nameForARegion(orders)),
                Map.of());
    }

    /** What to say where a monitor was given the name of a host for its region. */
    private String nameForARegion(List<HostOrder> orders) {
        return orders.stream()
                .map(HostOrder::region)
                .filter(endpoints::containsKey)
                .findFirst()
                .map(name -> ". monitor(\"" + name + "\") takes a region: write namedMonitor(\"" + name + "\")")
                .orElse("");
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
     * Clears the private keys that were read from files. A key or a passphrase that was given as a {@link dev.promguard.keys.Secret} is
     * its owner's to close. No verb of a mesh may be called with this provider after that.
     */
    @Override
    public void close() {
        own.forEach(Identity::close);
    }

    private static void endIfInterrupted() {
        if (Thread.currentThread().isInterrupted()) {
            throw new CancelledException(
                    "interrupted. What was done is kept, and the next run continues from there.",
                    new InterruptedException());
        }
    }
}
