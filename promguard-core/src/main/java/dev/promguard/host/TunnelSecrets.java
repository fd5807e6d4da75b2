package dev.promguard.host;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.HostFacts.PeerFact;
import dev.promguard.host.HostFacts.PresharedKeyFact;
import dev.promguard.host.HostFacts.WireGuardFact;
import dev.promguard.host.PresharedKeys.Pair;
import dev.promguard.keys.PublicKey;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Decides which running tunnels get another secret in a run, and so which hosts must take it together or not at all: a tunnel whose
 * ends disagree is dead. A tunnel that does not run yet, such as that of a new node, needs no such care. Pure functions.
 */
public final class TunnelSecrets {
    /** A WireGuard session ends this long after its handshake (REJECT_AFTER_TIME in the WireGuard paper, section 6.1). */
    private static final Duration SESSION = Duration.ofMinutes(3);

    private TunnelSecrets() {}

    /**
     * A host's end of its tunnels.
     *
     * @param facts what the host is
     * @param key the public key that it is to have
     * @param sharedWith the names of the peers that it is to share a preshared key with
     */
    public record End(HostFacts facts, PublicKey key, Set<String> sharedWith) {
        /**
         * Copies the set.
         *
         * @throws NullPointerException if something is null
         */
        public End {
            Objects.requireNonNull(facts, "facts");
            Objects.requireNonNull(key, "key");
            sharedWith = Set.copyOf(sharedWith);
        }

        /**
         * Whether its interface runs with another key than it is to have.
         *
         * @return true if its peers lose it until they know the other key
         */
        public boolean changesKey() {
            return runningKey().filter(running -> !running.equals(key)).isPresent();
        }

        private Optional<PublicKey> runningKey() {
            return facts.wireGuard().flatMap(WireGuardFact::publicKey);
        }

        private Optional<PeerFact> peer(Optional<PublicKey> of) {
            return facts.wireGuard().stream()
                    .flatMap(running -> running.peers().stream())
                    .filter(peer -> of.equals(Optional.of(peer.publicKey())))
                    .findFirst();
        }

        private boolean changesPresharedKey(String name, PeerFact peer) {
            return peer.presharedKey()
                    != (sharedWith.contains(name) ? PresharedKeyFact.AS_FILED : PresharedKeyFact.NONE);
        }
    }

    /**
     * The running tunnels whose secrets change: a key pair or the preshared key of either end.
     *
     * @param blueprint the mesh
     * @param ends the ends of the hosts of this run, by host
     * @param made the pairs that get a new preshared key
     * @return the pairs of hosts, both of which are in this run
     */
    public static Set<Pair> changing(Blueprint blueprint, Map<String, End> ends, Set<Pair> made) {
        Set<Pair> changing = new LinkedHashSet<>();
        ends.forEach((name, end) -> {
            for (String peer : blueprint.host(name).peers()) {
                End other = ends.get(peer);
                if (other == null) {
                    continue;
                }
                Optional<PeerFact> here = end.peer(other.runningKey());
                Optional<PeerFact> there = other.peer(end.runningKey());
                if (here.isPresent()
                        && there.isPresent()
                        && (end.changesKey()
                                || other.changesKey()
                                || made.contains(Pair.of(name, peer))
                                || end.changesPresharedKey(peer, here.get())
                                || other.changesPresharedKey(name, there.get()))) {
                    changing.add(Pair.of(name, peer));
                }
            }
        });
        return changing;
    }

    /**
     * The peers that should be in a run, are not since they could not be observed, and have a tunnel with a host that is in use.
     * Whether it is in use is told by the age of its handshake.
     *
     * @param end the host's end
     * @param missing the names of its peers that could not be observed
     * @param keys the public keys that hosts are remembered by
     * @return their names; what they do not know yet would cut their tunnels
     */
    public static Set<String> unobserved(End end, Set<String> missing, Map<String, PublicKey> keys) {
        Set<String> peers = new TreeSet<>();
        for (String name : missing) {
            if (end.peer(Optional.ofNullable(keys.get(name)))
                    .flatMap(PeerFact::handshakeAge)
                    .filter(age -> age.compareTo(SESSION) <= 0)
                    .isPresent()) {
                peers.add(name);
            }
        }
        return peers;
    }

    /**
     * The hosts that must keep their own keys since others keep theirs: a host whose key changes has to change it for all of its
     * running tunnels at once.
     *
     * @param changing the running tunnels whose secrets change
     * @param ends the ends, by host
     * @param keeping the hosts that keep their secrets, since they failed
     * @return hosts other than those, which cannot take new keys either
     */
    public static Set<String> heldBack(Set<Pair> changing, Map<String, End> ends, Set<String> keeping) {
        Set<String> all = new TreeSet<>(keeping);
        Deque<String> next = new ArrayDeque<>(keeping);
        while (!next.isEmpty()) {
            String name = next.remove();
            for (String other : peers(changing, name)) {
                End end = ends.get(other);
                if (end != null && end.changesKey() && all.add(other)) {
                    next.add(other);
                }
            }
        }
        all.removeAll(keeping);
        return all;
    }

    /**
     * The hosts that take their secrets together with some hosts, or put them back together with them.
     *
     * @param changing the running tunnels whose secrets change
     * @param hosts some hosts
     * @return these, and those that running tunnels with changing secrets join to them, over others too
     */
    public static Set<String> together(Set<Pair> changing, Set<String> hosts) {
        Set<String> all = new TreeSet<>(hosts);
        Deque<String> next = new ArrayDeque<>(hosts);
        while (!next.isEmpty()) {
            for (String other : peers(changing, next.remove())) {
                if (all.add(other)) {
                    next.add(other);
                }
            }
        }
        return all;
    }

    /**
     * The hosts at the ends of some tunnels.
     *
     * @param tunnels the tunnels
     * @return the hosts' names
     */
    public static Set<String> ends(Set<Pair> tunnels) {
        Set<String> names = new TreeSet<>();
        tunnels.forEach(pair -> {
            names.add(pair.first());
            names.add(pair.second());
        });
        return names;
    }

    /**
     * The other ends of a host's tunnels.
     *
     * @param tunnels the tunnels
     * @param name the host's name
     * @return the other hosts' names
     */
    public static Set<String> peers(Set<Pair> tunnels, String name) {
        Set<String> peers = new TreeSet<>();
        tunnels.stream().filter(pair -> pair.contains(name)).forEach(pair -> peers.add(pair.other(name)));
        return peers;
    }
}
