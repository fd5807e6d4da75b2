package dev.promguard.spi;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import dev.promguard.host.LastApplied;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What PromGuard remembers of a mesh between runs. Holds no secret.
 *
 * @param mesh the mesh's name
 * @param hosts the hosts, by name
 * @param resting addresses that hosts held until lately and that others do not get yet, by the old holder's name. The holder may
 *     still be there, with an address in another network
 * @param intents orders that were about to be sent and whose outcome is not yet known
 * @param accessKey how the cloud knows the login key; empty until it was registered
 * @param jumpHosts the host keys that jump hosts proved, by their {@linkplain JumpHost#paths paths}; read as empty where it is missing
 * @param protectedHosts the names of hosts that no run may remove; read as empty where it is missing
 * @param viewers the viewers, by name, also those that the spec does not name any more and monitors may still know; read as empty where
 *     it is missing
 */
public record MeshState(
        String mesh,
        Map<String, HostState> hosts,
        Map<String, String> resting,
        List<CreateIntent> intents,
        Optional<AccessKey> accessKey,
        Map<String, HostKeyFingerprint> jumpHosts,
        Set<String> protectedHosts,
        Map<String, ViewerState> viewers) {
    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     * @throws InvalidSettingException if a name is not one that a host or a mesh may have, an address is none, or two hosts hold
     *     the same
     */
    public MeshState {
        require("mesh", mesh, Names.isMesh(mesh));
        Objects.requireNonNull(accessKey, "accessKey");
        // An earlier version wrote none.
        jumpHosts = Checked.of(
                Objects.requireNonNullElse(jumpHosts, Map.of()),
                (path, key) -> require("jump host", path, Names.isPrintable(path)));
        protectedHosts = CheckedNames.of(Objects.requireNonNullElse(protectedHosts, Set.of()));
        viewers = Checked.of(
                Objects.requireNonNullElse(viewers, Map.of()),
                (name, viewer) -> require("viewer name", name, Names.isHost(name)));
        hosts = HostStates.of(hosts);
        resting = Checked.of(resting, (name, address) -> {
            require("name of a former host", name, Names.isHost(name));
            require("address", address, Names.isAddress(address));
        });
        intents = List.copyOf(intents);
    }

    /**
     * The state of a mesh without viewers.
     *
     * @param mesh the mesh's name
     * @param hosts the hosts, by name
     * @param resting addresses that hosts held until lately, by the old holder's name
     * @param intents orders whose outcome is not yet known
     * @param accessKey how the cloud knows the login key
     * @param jumpHosts the host keys that jump hosts proved, by their paths
     * @param protectedHosts the names of hosts that no run may remove
     * @throws NullPointerException if something is null
     * @throws InvalidSettingException if a name is not one that a host or a mesh may have, an address is none, or two hosts hold
     *     the same
     */
    public MeshState(
            String mesh,
            Map<String, HostState> hosts,
            Map<String, String> resting,
            List<CreateIntent> intents,
            Optional<AccessKey> accessKey,
            Map<String, HostKeyFingerprint> jumpHosts,
            Set<String> protectedHosts) {
        this(mesh, hosts, resting, intents, accessKey, jumpHosts, protectedHosts, Map.of());
    }

    /** What is remembered goes into files and calls, and may have been altered where it is kept. */
    static void require(String field, String value, boolean valid) {
        if (!valid) {
            throw new InvalidSettingException(
                    field + ' ' + Names.quote(value) + " is not one that PromGuard writes down");
        }
    }

    static void requireHostName(String name) {
        require("host name", name, Names.isHost(name));
    }

    /**
     * What is remembered of a viewer.
     *
     * @param address the address inside the tunnels that it holds
     * @param publicKey its WireGuard public key
     */
    public record ViewerState(String address, PublicKey publicKey) {
        /**
         * Checks the form.
         *
         * @throws NullPointerException if one is null
         * @throws InvalidSettingException if the address is no IPv4 or IPv6 address
         */
        public ViewerState {
            require("address", address, Names.isAddress(address));
            Objects.requireNonNull(publicKey, "publicKey");
        }
    }

    /**
     * What is remembered of a host.
     *
     * @param address the address inside the tunnels that it holds
     * @param providerId the provider's id for it; empty until the provider has given one
     * @param publicKey its WireGuard public key; empty until it has one
     * @param hostKeys the SSH host keys to accept: the bootstrap key, the host's own, or both while one takes over; empty for a
     *     host of an inventory before the first contact
     * @param bootstrapKey the bootstrap host key that it was made with, which it shows again when its disk is made anew; empty for a
     *     host that was not made by PromGuard
     * @param lastApplied what the last apply put there; empty until one came to its end
     * @param pinnedAt a time at which its own host key had been pinned, by the cloud's clock; empty before, and where the cloud does
     *     not tell
     */
    public record HostState(
            String address,
            Optional<String> providerId,
            Optional<PublicKey> publicKey,
            Set<HostKeyFingerprint> hostKeys,
            Optional<HostKeyFingerprint> bootstrapKey,
            Optional<LastApplied> lastApplied,
            Optional<Instant> pinnedAt) {
        /**
         * Copies the keys.
         *
         * @throws NullPointerException if something is null
         * @throws InvalidSettingException if the address is no IPv4 or IPv6 address, or the id cannot be shown
         */
        public HostState {
            require("address", address, Names.isAddress(address));
            providerId.ifPresent(id -> require("id", id, Names.isPrintable(id)));
            Objects.requireNonNull(publicKey, "publicKey");
            Objects.requireNonNull(bootstrapKey, "bootstrapKey");
            Objects.requireNonNull(lastApplied, "lastApplied");
            Objects.requireNonNull(pinnedAt, "pinnedAt");
            hostKeys = Set.copyOf(hostKeys);
        }

        /**
         * A host that the provider has just accepted.
         *
         * @param address the address inside the tunnels
         * @param providerId the provider's id
         * @param bootstrapKey the host key it was made with
         * @return the state
         */
        public static HostState created(String address, String providerId, HostKeyFingerprint bootstrapKey) {
            return new HostState(
                    address,
                    Optional.of(providerId),
                    Optional.empty(),
                    Set.of(bootstrapKey),
                    Optional.of(bootstrapKey),
                    Optional.empty(),
                    Optional.empty());
        }

        /**
         * A host that was there before the mesh.
         *
         * @param address the address inside the tunnels
         * @param providerId the provider's id
         * @return the state, without a host key until the first contact
         */
        public static HostState adopted(String address, String providerId) {
            return new HostState(
                    address,
                    Optional.of(providerId),
                    Optional.empty(),
                    Set.of(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty());
        }

        /**
         * The same host at another address inside the tunnels.
         *
         * @param to the address
         * @return a copy
         * @throws InvalidSettingException if it is no IPv4 or IPv6 address
         */
        public HostState at(String to) {
            return new HostState(to, providerId, publicKey, hostKeys, bootstrapKey, lastApplied, pinnedAt);
        }

        /**
         * The same host with a WireGuard key.
         *
         * @param key the public key
         * @return a copy
         */
        public HostState withPublicKey(PublicKey key) {
            return new HostState(address, providerId, Optional.of(key), hostKeys, bootstrapKey, lastApplied, pinnedAt);
        }

        /**
         * The same host, whose new host key is accepted in addition to the old one.
         *
         * @param key the new host key
         * @return a copy
         */
        public HostState accepting(HostKeyFingerprint key) {
            Set<HostKeyFingerprint> keys = new HashSet<>(hostKeys);
            keys.add(key);
            return new HostState(address, providerId, publicKey, keys, bootstrapKey, lastApplied, pinnedAt);
        }

        /**
         * The same host, pinned to one host key that is its own.
         *
         * @param key the host key
         * @return a copy, which does not say yet when that was; this if it is pinned to that key already
         */
        public HostState pinned(HostKeyFingerprint key) {
            return hostKeys.equals(Set.of(key))
                    ? this
                    : new HostState(
                            address, providerId, publicKey, Set.of(key), bootstrapKey, lastApplied, Optional.empty());
        }

        /**
         * The same host, of which something else is known to have been put there.
         *
         * @param known what is known
         * @return a copy
         */
        public HostState with(LastApplied known) {
            return new HostState(address, providerId, publicKey, hostKeys, bootstrapKey, Optional.of(known), pinnedAt);
        }

        /**
         * The same host, with a time at which its own host key had been pinned.
         *
         * @param time the time, by the cloud's clock
         * @return a copy
         */
        public HostState pinnedAt(Instant time) {
            return new HostState(
                    address, providerId, publicKey, hostKeys, bootstrapKey, lastApplied, Optional.of(time));
        }

        /**
         * Whether it was made with a bootstrap key, is pinned to a key of its own, and it is not known since when.
         *
         * @return true if so
         */
        public boolean pinnedUndated() {
            return pinnedAt.isEmpty()
                    && bootstrapKey.isPresent()
                    && hostKeys.size() == 1
                    && !hostKeys.contains(bootstrapKey.get());
        }

        /**
         * Whether it has been let in with the bootstrap key that it was made with, although it had a key of its own by then.
         *
         * @param shown the host key that it proved
         * @return true if its disk was made anew
         */
        public boolean rebuilt(HostKeyFingerprint shown) {
            return bootstrapKey.equals(Optional.of(shown)) && !hostKeys.contains(shown);
        }
    }

    /**
     * An order that is about to be sent.
     *
     * @param attempt the word that its hosts are marked with
     * @param names the hosts' names
     * @param bootstrapKey the host key that they are made with
     */
    public record CreateIntent(String attempt, List<String> names, HostKeyFingerprint bootstrapKey) {
        /**
         * Copies the names.
         *
         * @throws NullPointerException if something is null
         * @throws InvalidSettingException if a name is not one that a host may have, or the attempt is no word
         */
        public CreateIntent {
            require("attempt", attempt, Names.isWord(attempt));
            Objects.requireNonNull(bootstrapKey, "bootstrapKey");
            names = List.copyOf(names);
            names.forEach(name -> require("host name", name, Names.isHost(name)));
        }
    }

    /**
     * The WireGuard public keys that hosts are remembered by.
     *
     * @return a new map of the keys by the hosts' names, without hosts that have none
     */
    public Map<String, PublicKey> publicKeys() {
        Map<String, PublicKey> keys = new TreeMap<>();
        hosts.forEach((name, host) -> host.publicKey().ifPresent(key -> keys.put(name, key)));
        return keys;
    }

    /**
     * The state of a mesh that nothing is known of.
     *
     * @param mesh the mesh's name
     * @return an empty state
     */
    public static MeshState empty(String mesh) {
        return new MeshState(mesh, Map.of(), Map.of(), List.of(), Optional.empty(), Map.of(), Set.of());
    }

    /**
     * The attempts to create hosts whose outcome is not known.
     *
     * @return the attempts' ids; empty if every outcome is known
     */
    public Set<String> openAttempts() {
        return intents.stream().map(CreateIntent::attempt).collect(Collectors.toUnmodifiableSet());
    }

    /**
     * Every address that is held or resting.
     *
     * @return addresses by host name; of a host that has both, the one that it holds
     */
    public Map<String, String> heldAddresses() {
        return new TreeMap<>(heldAddresses(address -> true));
    }

    /**
     * The addresses that count in a network: each host's own, or the one that it had until lately if its own is in another network.
     *
     * @param inNetwork whether an address is one of the network's
     * @return addresses by host name, those first that hosts hold
     */
    public Map<String, String> heldAddresses(Predicate<String> inNetwork) {
        Map<String, String> held = new LinkedHashMap<>();
        hosts.forEach((name, host) -> {
            if (inNetwork.test(host.address())) {
                held.put(name, host.address());
            }
        });
        resting.forEach(held::putIfAbsent);
        return held;
    }

    /**
     * The same state with hosts at the addresses that are planned for them. An address that a host leaves rests under its name.
     *
     * @param planned addresses by host name; of hosts that are not in the state nothing is noted
     * @return a copy
     */
    public MeshState moved(Map<String, String> planned) {
        Map<String, HostState> changed = new TreeMap<>();
        Map<String, String> restingNow = new TreeMap<>(resting);
        planned.forEach((name, address) -> {
            HostState host = hosts.get(name);
            if (host != null && !host.address().equals(address)) {
                changed.put(name, host.at(address));
                restingNow.put(name, host.address());
            }
        });
        return changed.isEmpty()
                ? this
                : new MeshState(
                        mesh,
                        HostStates.of(hosts).withAll(changed),
                        restingNow,
                        intents,
                        accessKey,
                        jumpHosts,
                        protectedHosts,
                        viewers);
    }

    /**
     * The same state with a host put in or replaced.
     *
     * @param name the host's name
     * @param host what to remember of it
     * @return a copy
     */
    public MeshState with(String name, HostState host) {
        Map<String, HostState> changed = HostStates.of(hosts).withAll(Map.of(name, host));
        return new MeshState(mesh, changed, resting, intents, accessKey, jumpHosts, protectedHosts, viewers);
    }

    /**
     * The same state without a host. Its address rests.
     *
     * @param name the host's name; one that is not there changes nothing
     * @return a copy
     */
    public MeshState without(String name) {
        HostState gone = hosts.get(name);
        Map<String, HostState> changed = HostStates.of(hosts).without(name);
        Map<String, String> restingNow = new TreeMap<>(resting);
        if (gone != null) {
            restingNow.put(name, gone.address());
        }
        Set<String> left = new TreeSet<>(protectedHosts);
        left.remove(name);
        return new MeshState(mesh, changed, restingNow, intents, accessKey, jumpHosts, left, viewers);
    }

    /**
     * The same state with no address resting.
     *
     * @return a copy
     */
    public MeshState rested() {
        return new MeshState(mesh, hosts, Map.of(), intents, accessKey, jumpHosts, protectedHosts, viewers);
    }

    /**
     * The same state with an intent more.
     *
     * @param intent the intent
     * @return a copy
     */
    public MeshState intending(CreateIntent intent) {
        List<CreateIntent> changed = new ArrayList<>(intents);
        changed.add(intent);
        return new MeshState(mesh, hosts, resting, changed, accessKey, jumpHosts, protectedHosts, viewers);
    }

    /**
     * The same state without an intent, its outcome being known.
     *
     * @param settled the intent; one that is not there changes nothing
     * @return a copy
     */
    public MeshState settled(CreateIntent settled) {
        return new MeshState(
                mesh,
                hosts,
                resting,
                intents.stream().filter(intent -> !intent.equals(settled)).toList(),
                accessKey,
                jumpHosts,
                protectedHosts,
                viewers);
    }

    /**
     * The same state with the access key.
     *
     * @param key how the cloud knows the login key
     * @return a copy
     */
    public MeshState with(AccessKey key) {
        return new MeshState(mesh, hosts, resting, intents, Optional.of(key), jumpHosts, protectedHosts, viewers);
    }

    /**
     * The same state with host keys that jump hosts proved.
     *
     * @param proven the keys by the jump hosts' paths; each replaces what was remembered of its jump host
     * @return a copy
     */
    public MeshState withJumpHosts(Map<String, HostKeyFingerprint> proven) {
        if (jumpHosts.entrySet().containsAll(proven.entrySet())) {
            return this;
        }
        Map<String, HostKeyFingerprint> changed = new TreeMap<>(jumpHosts);
        changed.putAll(proven);
        return new MeshState(mesh, hosts, resting, intents, accessKey, changed, protectedHosts, viewers);
    }

    /**
     * The same state with other hosts protected.
     *
     * @param protect whether a host is to be protected, by the hosts' names; others stay as they are
     * @return a copy
     */
    public MeshState protecting(Map<String, Boolean> protect) {
        Set<String> changed = new TreeSet<>(protectedHosts);
        protect.forEach((name, is) -> {
            if (is) {
                changed.add(name);
            } else {
                changed.remove(name);
            }
        });
        return new MeshState(mesh, hosts, resting, intents, accessKey, jumpHosts, changed, viewers);
    }

    /**
     * The addresses that viewers hold.
     *
     * @return a new map of the addresses by the viewers' names
     */
    public Map<String, String> viewerAddresses() {
        Map<String, String> addresses = new TreeMap<>();
        viewers.forEach((name, viewer) -> addresses.put(name, viewer.address()));
        return addresses;
    }

    /**
     * The same state with viewers put in or replaced. Others stay.
     *
     * @param planned viewers by name
     * @return a copy
     */
    public MeshState withViewers(Map<String, ViewerState> planned) {
        Map<String, ViewerState> changed = new TreeMap<>(viewers);
        changed.putAll(planned);
        return new MeshState(mesh, hosts, resting, intents, accessKey, jumpHosts, protectedHosts, changed);
    }

    /**
     * The same state without other viewers than some.
     *
     * @param names the names of viewers that stay
     * @return a copy
     */
    public MeshState retainingViewers(Set<String> names) {
        Map<String, ViewerState> changed = new TreeMap<>(viewers);
        changed.keySet().retainAll(names);
        return new MeshState(mesh, hosts, resting, intents, accessKey, jumpHosts, protectedHosts, changed);
    }
}
