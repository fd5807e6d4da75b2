package dev.promguard.spi;

import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import dev.promguard.keys.SshPublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Provides the hosts of a mesh; PromGuard reaches a cloud such as DigitalOcean through this interface. Most providers are clouds,
 * which create and delete hosts. A provider with an {@link #inventory()} knows only existing hosts, and {@link #create} and
 * {@link #delete} are never called on it.
 *
 * <p>The engine is responsible for the order of calls: it saves its intent to the {@link StateStore} before {@link #create}, and
 * passes the name of an attempt that no earlier apply used. The provider is responsible for the details of its cloud: paging,
 * rate limits, delayed responses.
 *
 * <p>Everything that a provider creates is tagged for the mesh, and it never lists, changes or deletes anything without this tag,
 * except that {@link #find} shows and {@link #tag} tags the hosts of given ids. All methods may be called from several threads.
 * All block; when the thread is interrupted they end within a second with a {@link dev.promguard.CancelledException} and the
 * interrupt flag set. All other failures are {@link dev.promguard.ProviderException}s.
 *
 * <p>A provider can be used for any number of verbs and meshes; it keeps track of rate limits across them. The code that creates
 * a provider closes it, after the last verb. PromGuard never closes a provider, not even one that it found with {@link
 * java.util.ServiceLoader}, which it creates once for a mesh and the meshes derived from it. A provider that can be found this
 * way must therefore not need closing: it keeps no secret between calls, and its threads are daemons or end by themselves.
 */
public interface CloudProvider extends AutoCloseable {
    /**
     * The provider's name, for people.
     *
     * @return such as {@code DigitalOcean}
     */
    String name();

    /**
     * Checks whether these hosts could be created: credentials, limits, regions, sizes, images. Read-only.
     *
     * @param orders the hosts to make; empty only checks the credentials
     * @return all problems found, each naming the field, the value and the remedy, and the prices where they are known
     * @throws ProviderException if the cloud refuses the credentials or cannot be asked
     */
    Preflight preflight(List<HostOrder> orders);

    /**
     * The existing hosts, if this provider manages an inventory.
     *
     * @return how to log in to each; empty for a cloud. Always the same, and determined without a request
     */
    default Optional<HostInventory> inventory() {
        return Optional.empty();
    }

    /**
     * Lists every host that carries the mesh's tag, whatever its status. A provider with an inventory lists each host of it, for
     * any mesh; the engine remembers which of them are the mesh's.
     *
     * @param mesh the mesh's name
     * @return the hosts, sorted by name and id. A host created a moment ago may be missing (clouds' lists lag)
     */
    List<CloudHost> list(String mesh);

    /**
     * How long a new host may be missing from {@link #list}. Where it is not known whether an order reached the cloud, nothing is
     * created under its names and the mesh's state is kept until so much time has passed. Too short a time may create hosts twice.
     * Determined without a request.
     *
     * @return a time longer than zero; 90 seconds by default
     */
    default Duration listLag() {
        return Duration.ofSeconds(90);
    }

    /**
     * Looks up hosts by id, whatever they are called now and whether or not they still carry the mesh's tag. Never called on a
     * provider with an inventory.
     *
     * @param mesh the mesh's name
     * @param ids the hosts' ids; empty returns at once
     * @return the hosts that exist, sorted by id. One created a moment ago may be missing; any other that is missing is gone
     * @throws ProviderException if the cloud cannot be asked: a host is never reported as gone because a request
     *     failed
     */
    List<FoundHost> find(String mesh, Collection<String> ids);

    /**
     * Restores the mesh's tag on hosts that have lost it. A host that carries it stays as it is. Never called on a provider with
     * an inventory.
     *
     * @param mesh the mesh's name
     * @param ids the hosts' ids, which the engine knows to be the mesh's; empty returns at once
     * @throws ProviderException if the cloud refuses or does not answer; the message says which tag to put on which
     *     host by hand. All, some or none of the hosts may then have it; calling it again continues from there
     */
    void tag(String mesh, Collection<String> ids);

    /**
     * Registers this login key, so that new hosts accept it.
     *
     * @param mesh the mesh's name
     * @param key the public half of the login key
     * @return how the cloud knows the key, and whether PromGuard put it there. Calling again returns the same
     */
    AccessKey registerAccessKey(String mesh, SshPublicKey key);

    /**
     * Returns what {@link #ensureFirewall} would change. Read-only.
     *
     * @param mesh the mesh's name
     * @param wireGuardPorts the UDP ports on which hosts must reach each other; at least one
     * @return what would be changed, each in a printable line; empty if nothing
     */
    default List<String> planFirewall(String mesh, Set<Integer> wireGuardPorts) {
        return List.of();
    }

    /**
     * Ensures that the cloud's own firewall protects the mesh's hosts as the provider's settings require. Every apply calls it
     * before it orders a host. Calling it again does nothing.
     *
     * @param mesh the mesh's name
     * @param wireGuardPorts the UDP ports on which hosts must reach each other; at least one
     * @return what was changed, in the words of {@link #planFirewall}; empty if nothing
     */
    default List<String> ensureFirewall(String mesh, Set<Integer> wireGuardPorts) {
        return List.of();
    }

    /**
     * How many hosts one {@link #create} may order at most.
     *
     * @return a number from 1 up
     */
    int batchSize();

    /**
     * Orders hosts with one call to the cloud. If the response is lost, the provider looks up hosts that carry the attempt's tag
     * before it sends the request again, so that no host is created twice.
     *
     * @param order what to make; its names are new in this mesh
     * @return the hosts that the cloud accepted, one for each name; they are not ready for use yet
     * @throws ProviderException if the cloud refused, or the outcome of the order is not known. If it has an HTTP status from 400
     *     to 499 and is not retryable, none of the hosts exists; otherwise all, some or none may exist, and a later {@link #list}
     *     shows which
     */
    List<CloudHost> create(CreateOrder order);

    /**
     * Waits until hosts are active and have a public address, and reports each as soon as it is. It requests the status of all
     * hosts at once, not one by one. Returns when every host is ready or is known to have failed, or after the timeout. A host
     * that never becomes ready delays the return of this call, but not the reports about the others.
     *
     * @param mesh the mesh's name
     * @param ids the hosts' ids; empty returns at once
     * @param timeout how long to wait at the most
     * @param ready called once for each host that is ready, in the order in which hosts are seen to be, always in the thread that
     *     called {@code await} and before {@code await} returns. The provider holds no lock during the call and makes no request
     *     until it returns, so it should be quick. An exception that it throws ends the waiting and is passed on unchanged
     * @return the hosts that were reported as ready, and for each other one why it is not. Never throws for a single host
     * @throws ProviderException if the status of the hosts that were not reported is not known. The hosts that were
     *     reported are ready
     */
    ProvisioningResult await(String mesh, Set<String> ids, Duration timeout, Consumer<CloudHost> ready);

    /**
     * Waits until hosts are active and have a public address, for a caller that needs all of them.
     *
     * @param mesh the mesh's name
     * @param ids the hosts' ids; empty returns at once
     * @param timeout how long to wait at the most
     * @return the hosts that are ready, and for each other one why it is not. Never throws for a single host
     * @throws ProviderException if the status of some hosts is not known
     */
    default ProvisioningResult await(String mesh, Set<String> ids, Duration timeout) {
        return await(mesh, ids, timeout, host -> {});
    }

    /**
     * Powers a host on and waits until it runs. One that runs stays as it is.
     *
     * @param mesh the mesh's name; a host that does not carry its mark is not powered on
     * @param id the host's id
     * @param timeout how long to wait at the most
     * @throws ProviderException if it does not run in time, or the cloud refuses; calling again goes on. By default always,
     *     since the provider cannot
     */
    default void powerOn(String mesh, String id, Duration timeout) {
        throw new ProviderException(
                ErrorCode.PROVIDER_REFUSED,
                name() + " cannot power on host " + id + " for PromGuard. Power it on there, then run again.");
    }

    /**
     * Gives a host another size and waits until it runs again. It is powered off meanwhile; its disk, its data and its address stay.
     *
     * @param mesh the mesh's name; a host that does not carry its mark is not resized
     * @param id the host's id
     * @param size the provider's word for the size
     * @param timeout how long each of the steps may take at the most
     * @throws ProviderException if the size is refused, before the host was powered off, or if a step is not done in time;
     *     calling again goes on. By default always, since the provider cannot
     */
    default void resize(String mesh, String id, String size, Duration timeout) {
        throw new ProviderException(
                ErrorCode.CANNOT_RESIZE,
                name() + " cannot resize host " + id + " for PromGuard. Resize it there, then run again.");
    }

    /**
     * Deletes hosts and waits until they are gone. Hosts that are gone already count as deleted.
     *
     * @param mesh the mesh's name; a host that does not carry its tag is not deleted
     * @param ids the hosts' ids; empty returns at once
     * @param timeout how long to wait at the most
     * @throws ProviderException if some are not gone in time; the message names them. All, some or none may
     *     have been deleted; calling it again continues from there
     */
    void delete(String mesh, Collection<String> ids, Duration timeout);

    /**
     * Deletes every host that was ordered under one of these attempts, also one that no list shows yet, and waits until they are
     * gone. Other hosts that carry the mesh's tag are not touched.
     *
     * @param mesh the mesh's name
     * @param attempts the attempts, as in {@link CreateOrder#attempt()}; empty returns at once
     * @param timeout how long to wait at the most
     * @throws ProviderException if some are not gone in time; the message names them. All, some or none may
     *     have been deleted; calling it again continues from there
     */
    void deleteAttempts(String mesh, Collection<String> attempts, Duration timeout);

    /**
     * The current time by the clock that this cloud uses for its own events, including {@link #rebuilds}. The clock of this
     * machine is never compared with it.
     *
     * @return a time that is not before this call, give or take a second; empty if the cloud does not say
     */
    default Optional<Instant> clock() {
        return Optional.empty();
    }

    /**
     * The times at which a host's disk was recreated from an image, so that its data is lost and it shows the host key of its
     * creation again. This is called only when a host shows that key, and the result decides whether the key is accepted.
     *
     * @param mesh the mesh's name
     * @param id the host's id
     * @return every rebuild that the cloud knows of, in any order; empty if there was none, or the host does not carry the mesh's
     *     tag. Empty by default
     * @throws ProviderException if the cloud does not answer, or the answer is incomplete
     */
    default List<Rebuild> rebuilds(String mesh, String id) {
        return List.of();
    }

    /**
     * Removes what the mesh has in the account apart from hosts: its tags, the firewall of {@link #ensureFirewall}, and every access
     * key that {@link #registerAccessKey} created for it, also keys that no state knows any more. Calling it again does nothing.
     *
     * @param mesh the mesh's name
     * @param key the access key that {@link #registerAccessKey} returned, or empty if none is known
     */
    void cleanUp(String mesh, Optional<AccessKey> key);

    /**
     * Where this cloud's hosts download releases unless the mesh's settings name a source, for example a mirror inside a closed
     * cloud.
     *
     * @return releases that replace the upstream ones of the same names; empty by default
     */
    default List<dev.promguard.blueprint.Release> releases() {
        return List.of();
    }

    /**
     * Clears the secrets that the provider itself has read, such as a key from a file. Secrets that were passed to it are closed
     * by their owners. It must not be used afterwards; closing it again does nothing. The default implementation does nothing.
     */
    @Override
    default void close() {}
}
