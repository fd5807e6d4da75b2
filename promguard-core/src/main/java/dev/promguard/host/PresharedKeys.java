package dev.promguard.host;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.HostFacts.FileFact;
import dev.promguard.host.HostFacts.PresharedKeyFact;
import dev.promguard.keys.PublicKey;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Decides which pairs of hosts need a new preshared key. A pair keeps the one that both ends hold in equal, safe files; its
 * value never leaves the hosts, their sums are compared. A new one is given to both ends in the same run or to neither, since
 * a tunnel whose ends disagree is dead. Pure functions.
 */
public final class PresharedKeys {
    private static final int SAFE_MODE = 0600;
    private static final String SAFE_OWNER = "root:root";

    private PresharedKeys() {}

    /**
     * Two hosts that are peers, in the order of their names.
     *
     * @param first the one whose name comes first
     * @param second the other
     */
    public record Pair(String first, String second) {
        /**
         * Checks the order.
         *
         * @throws IllegalArgumentException if the names are not in order
         */
        public Pair {
            if (first.compareTo(second) >= 0) {
                throw new IllegalArgumentException(first + " and " + second + " are not two names in order");
            }
        }

        /**
         * The pair of two hosts.
         *
         * @param one a host's name
         * @param other another's
         * @return the pair, whichever is named first
         */
        public static Pair of(String one, String other) {
            return one.compareTo(other) < 0 ? new Pair(one, other) : new Pair(other, one);
        }

        /**
         * The other of the two.
         *
         * @param host one of them
         * @return the name of the other
         */
        public String other(String host) {
            return first.equals(host) ? second : first;
        }

        /**
         * Whether a host is one of the two.
         *
         * @param host a host's name
         * @return true if it is
         */
        public boolean contains(String host) {
            return first.equals(host) || second.equals(host);
        }
    }

    /**
     * The pairs that lack a preshared key which both ends hold safely.
     *
     * @param blueprint the mesh
     * @param facts the facts of the hosts of this run; empty facts for a host that this run makes
     * @return the pairs, both ends of which are in this run
     */
    public static Set<Pair> lacking(Blueprint blueprint, Map<String, Optional<HostFacts>> facts) {
        Set<Pair> lacking = new LinkedHashSet<>();
        for (Pair pair : within(blueprint, facts.keySet())) {
            Optional<String> first = sum(blueprint.interfaceName(), of(facts, pair.first()), pair.second());
            if (first.isEmpty()
                    || !first.equals(sum(blueprint.interfaceName(), of(facts, pair.second()), pair.first()))) {
                lacking.add(pair);
            }
        }
        return lacking;
    }

    /**
     * Every pair of peers whose ends are both among some hosts.
     *
     * @param blueprint the mesh
     * @param hosts the names of the hosts
     * @return the pairs, in the order of the blueprint; none if the spec is to have no preshared keys
     */
    public static Set<Pair> within(Blueprint blueprint, Set<String> hosts) {
        Set<Pair> pairs = new LinkedHashSet<>();
        if (blueprint.spec().presharedKeys()) {
            for (Blueprint.Host host : blueprint.hosts()) {
                for (String peer : host.peers()) {
                    if (hosts.contains(host.name()) && hosts.contains(peer)) {
                        pairs.add(Pair.of(host.name(), peer));
                    }
                }
            }
        }
        return pairs;
    }

    /**
     * The peers that a host shares a preshared key with once the lacking ones are made: those it holds a safe file for, and those
     * that it gets one for.
     *
     * @param blueprint the mesh
     * @param host the host's name
     * @param facts its facts; empty for a host that this run makes
     * @param made the pairs that get a new one
     * @return the peers' names
     */
    public static Set<String> sharedBy(Blueprint blueprint, String host, Optional<HostFacts> facts, Set<Pair> made) {
        Set<String> peers = new TreeSet<>();
        if (blueprint.spec().presharedKeys()) {
            for (String peer : blueprint.host(host).peers()) {
                if (made.contains(Pair.of(host, peer))
                        || sum(blueprint.interfaceName(), facts, peer).isPresent()) {
                    peers.add(peer);
                }
            }
        }
        return peers;
    }

    /**
     * The same, where some peers cannot take part in a change: with these the host stays as its interface runs, since a tunnel whose
     * ends disagree is dead.
     *
     * @param blueprint the mesh
     * @param host the host's name
     * @param facts its facts; empty for a host that this run makes
     * @param made the pairs that get a new one
     * @param unchanged the peers with which nothing changes, by name, with the public key that the host's interface has for each
     * @return the peers' names
     */
    public static Set<String> sharedBy(
            Blueprint blueprint,
            String host,
            Optional<HostFacts> facts,
            Set<Pair> made,
            Map<String, PublicKey> unchanged) {
        Set<String> peers = sharedBy(blueprint, host, facts, made);
        facts.flatMap(HostFacts::wireGuard)
                .ifPresent(running -> unchanged.forEach((peer, key) -> running.peers().stream()
                        .filter(fact -> fact.publicKey().equals(key))
                        .forEach(fact -> {
                            if (fact.presharedKey() == PresharedKeyFact.AS_FILED) {
                                peers.add(peer);
                            } else if (fact.presharedKey() == PresharedKeyFact.NONE) {
                                peers.remove(peer);
                            }
                        })));
        return peers;
    }

    /** Whether a host holds a file, which is safe, with a preshared key for a peer. */
    static boolean holds(String interfaceName, HostFacts facts, String peer) {
        return sum(interfaceName, Optional.of(facts), peer).isPresent();
    }

    private static Optional<HostFacts> of(Map<String, Optional<HostFacts>> facts, String host) {
        return facts.getOrDefault(host, Optional.empty());
    }

    private static Optional<String> sum(String interfaceName, Optional<HostFacts> facts, String peer) {
        return facts.map(known -> known.files().get(WireGuardInterface.presharedKeyPath(interfaceName, peer)))
                .filter(file -> file.mode() == SAFE_MODE && file.owner().equals(SAFE_OWNER))
                .map(FileFact::sha256)
                .filter(sum -> !sum.isEmpty());
    }
}
