package dev.promguard.spi;

import dev.promguard.keys.SshPublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Where hosts come from: the port between PromGuard and, say, DigitalOcean. Most are clouds, which make and remove hosts; one
 * with an {@link #inventory()} only knows hosts that are there already, and neither {@link #create} nor {@link #delete} is ever
 * called on it.
 *
 * <p>The engine owns the order of things: it writes its intent to the {@link StateStore} before {@link #create}, and hands
 * in an attempt name that no earlier apply carried. The provider owns its cloud's ways: paging, rate limits, late answers.
 *
 * <p>Everything a cloud makes is marked as the mesh's, and it never lists, changes or deletes anything that is not so
 * marked, except that {@link #find} shows and {@link #tag} tags the hosts of given ids. All methods may be called from several threads. All block; when the thread is interrupted they end within a
 * second with a {@link dev.promguard.CancelledException} and the interrupt flag set. All other failures are
 * {@link dev.promguard.ProviderException}s.
 *
 * <p>A provider lives as long as its owner wants, for any number of verbs and meshes; what it knows of rate limits is kept in it. Who
 * makes one closes it, after the last verb. PromGuard closes none: not one that it was given, and not one that it found with
 * {@link java.util.ServiceLoader}, which it makes once for a mesh and the meshes derived from it. So one that can be found must need no
 * closing: it keeps no secret between calls, and its threads are daemons or end by themselves.
 */
public interface CloudProvider extends AutoCloseable {
    /**
     * The provider's name, for people.
     *
     * @return such as {@code DigitalOcean}
     */
    String name();

    /**
     * Looks, without changing anything, whether these hosts could be made: credentials, limits, regions, sizes, images.
     *
     * @param orders the hosts to make; empty only checks the credentials
     * @return all problems found, each naming the field, the value and the remedy, and the prices where they are known
     * @throws dev.promguard.ProviderException if the cloud refuses the credentials or cannot be asked
     */
    Preflight preflight(List<HostOrder> orders);

    /**
     * The hosts that are there already, if that is what this provider is about.
     *
     * @return how to log in to each; empty for a cloud. The same each time, without looking anywhere
     */
    default Optional<HostInventory> inventory() {
        return Optional.empty();
    }

    /**
     * Lists every host that carries the mesh's mark, whatever its status. A provider with an inventory lists each host of it,
     * for any mesh; the engine remembers which of them are the mesh's.
     *
     * @param mesh the mesh's name
     * @return the hosts, sorted by name and id. A host created a moment ago may be missing (clouds' lists lag)
     */
    List<CloudHost> list(String mesh);

    /**
     * Looks up hosts by id, whatever they are called now and whether or not they still carry the mesh's tag. Never called on a
     * provider with an inventory.
     *
     * @param mesh the mesh's name
     * @param ids the hosts' ids; empty returns at once
     * @return the hosts that exist, sorted by id. One created a moment ago may be missing; any other that is missing is gone
     * @throws dev.promguard.ProviderException if the cloud cannot be asked: a host that was not asked for never passes for gone
     */
    List<FoundHost> find(String mesh, Collection<String> ids);

    /**
     * Puts the mesh's tag back on hosts that have lost it. A host that carries it stays as it is. Never called on a provider with
     * an inventory.
     *
     * @param mesh the mesh's name
     * @param ids the hosts' ids, which the engine knows to be the mesh's; empty returns at once
     * @throws dev.promguard.ProviderException if the cloud refuses or does not answer; the message says which tag to put on which
     *     host by hand. All, some or none may have it then; calling again goes on
     */
    void tag(String mesh, Collection<String> ids);

    /**
     * Sees to it that new hosts can admit this login key.
     *
     * @param mesh the mesh's name
     * @param key the public half of the login key
     * @return how the cloud knows the key, and whether PromGuard put it there. Calling again returns the same
     */
    AccessKey registerAccessKey(String mesh, SshPublicKey key);

    /**
     * Looks, without changing anything, what {@link #ensureFirewall} would change.
     *
     * @param mesh the mesh's name
     * @param wireGuardPort the UDP port on which hosts must reach each other
     * @return what would be changed, each in a printable line; empty if nothing
     */
    default List<String> planFirewall(String mesh, int wireGuardPort) {
        return List.of();
    }

    /**
     * Sees to it that the cloud's own firewall protects the mesh's hosts as the provider was told.
     * Every apply calls it before it orders a host. Doing it again does nothing.
     *
     * @param mesh the mesh's name
     * @param wireGuardPort the UDP port on which hosts must reach each other
     * @return what was changed, in the words of {@link #planFirewall}; empty if nothing
     */
    default List<String> ensureFirewall(String mesh, int wireGuardPort) {
        return List.of();
    }

    /**
     * How many hosts one {@link #create} may order at most.
     *
     * @return a number from 1 up
     */
    int batchSize();

    /**
     * Orders hosts with one call to the cloud. When the answer is lost, hosts that carry the attempt's mark are looked up
     * before anything is sent again, so that no host is made twice.
     *
     * @param order what to make; its names are new in this mesh
     * @return what the cloud accepted, one for each name; not yet ready for use
     * @throws dev.promguard.ProviderException if the cloud refused, or it is not known what became of the order. All, some
     *     or none of the hosts may then exist; a later {@link #list} tells
     */
    List<CloudHost> create(CreateOrder order);

    /**
     * Waits until hosts are active and have a public address, and reports each as soon as it is. Asks for all at once, not one
     * by one. Returns when every host is ready or known not to come, or when the time is over: a host that never comes keeps this
     * call waiting, but not the report of the others.
     *
     * @param mesh the mesh's name
     * @param ids the hosts' ids; empty returns at once
     * @param timeout how long to wait at the most
     * @param ready called once for each host that is ready, in the order in which hosts are seen to be, always in the thread that
     *     called {@code await} and before {@code await} returns. The provider holds no lock then, and asks for nothing until it
     *     returns, so it should be quick. What it throws ends the waiting and is thrown on, unchanged
     * @return the hosts that were reported as ready, and for each other one why it is not. Never throws for a single host
     * @throws dev.promguard.ProviderException if nothing can be said of the hosts that were not reported. Those that were are
     *     ready all the same
     */
    ProvisioningResult await(String mesh, Set<String> ids, Duration timeout, Consumer<CloudHost> ready);

    /**
     * Waits until hosts are active and have a public address, for a caller that needs all of them.
     *
     * @param mesh the mesh's name
     * @param ids the hosts' ids; empty returns at once
     * @param timeout how long to wait at the most
     * @return the hosts that are ready, and for each other one why it is not. Never throws for a single host
     * @throws dev.promguard.ProviderException if nothing can be said of some hosts
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
     * @throws dev.promguard.ProviderException if it does not run in time, or the cloud refuses; calling again goes on
     * @throws UnsupportedOperationException by default: the provider cannot
     */
    default void powerOn(String mesh, String id, Duration timeout) {
        throw new UnsupportedOperationException(name() + " cannot power on hosts: power it on there, then run again");
    }

    /**
     * Gives a host another size and waits until it runs again. It is powered off meanwhile; its disk, its data and its address stay.
     *
     * @param mesh the mesh's name; a host that does not carry its mark is not resized
     * @param id the host's id
     * @param size the provider's word for the size
     * @param timeout how long each of the steps may take at the most
     * @throws dev.promguard.ProviderException if the size is refused, before the host was powered off, or if a step is not done in time;
     *     calling again goes on
     * @throws UnsupportedOperationException by default: the provider cannot
     */
    default void resize(String mesh, String id, String size, Duration timeout) {
        throw new UnsupportedOperationException(name() + " cannot resize hosts: resize it there, then run again");
    }

    /**
     * Deletes hosts and waits until they are gone. Hosts that are gone already count as deleted.
     *
     * @param mesh the mesh's name; a host that does not carry its mark is not deleted
     * @param ids the hosts' ids; empty returns at once
     * @param timeout how long to wait at the most
     * @throws dev.promguard.ProviderException if some are not gone in time; the message names them. All, some or none may
     *     have been deleted; calling again goes on
     */
    void delete(String mesh, Collection<String> ids, Duration timeout);

    /**
     * Deletes every host that was ordered under one of these attempts, also one that no list shows yet, and waits until they are
     * gone. Other hosts that carry the mesh's tag are not touched.
     *
     * @param mesh the mesh's name
     * @param attempts the attempts, as in {@link CreateOrder#attempt()}; empty returns at once
     * @param timeout how long to wait at the most
     * @throws dev.promguard.ProviderException if some are not gone in time; the message names them. All, some or none may
     *     have been deleted; calling again goes on
     */
    void deleteAttempts(String mesh, Collection<String> attempts, Duration timeout);

    /**
     * What time it is by the clock that dates this cloud's own doings, {@link #rebuilds} among them. The clock of this machine is
     * never compared with it.
     *
     * @return a time that is not before this call, give or take a second; empty if the cloud does not tell
     */
    default Optional<Instant> clock() {
        return Optional.empty();
    }

    /**
     * The times that a host's disk was made anew from an image, so that it has lost all it had and shows the host key of its
     * creation again. Asked only when a host shows that key; what this says decides whether it is let in.
     *
     * @param mesh the mesh's name
     * @param id the host's id
     * @return every rebuild that the cloud knows of, in any order; empty if there was none, or the host does not carry the mesh's
     *     mark. By default empty
     * @throws dev.promguard.ProviderException if the cloud does not answer, or not in whole
     */
    default List<Rebuild> rebuilds(String mesh, String id) {
        return List.of();
    }

    /**
     * Removes what the mesh left in the account beside hosts: its marks, what {@link #ensureFirewall} made, and every access key that
     * {@link #registerAccessKey} put there for it, also those that no state knows any more. Doing it again does nothing.
     *
     * @param mesh the mesh's name
     * @param key the access key that {@link #registerAccessKey} returned, or empty if none is known
     */
    void cleanUp(String mesh, Optional<AccessKey> key);

    /**
     * Where this cloud's hosts fetch releases when the mesh is not told: a mirror inside a closed cloud, say.
     *
     * @return releases that take the place of the upstream ones of the same names; by default none
     */
    default List<dev.promguard.blueprint.Release> releases() {
        return List.of();
    }

    /**
     * Clears the secrets that the provider itself has read, such as a key from a file. Secrets that it was given are their owners' to
     * close. It must not be used afterwards; closing again does nothing. By default nothing has to be cleared.
     */
    @Override
    default void close() {}
}
