package dev.promguard.internal.decide;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.DuplicateKeys;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostProblem;
import dev.promguard.host.KeyChanges;
import dev.promguard.host.PresharedKeys;
import dev.promguard.host.PresharedKeys.Pair;
import dev.promguard.host.SymbolicKeys;
import dev.promguard.host.TunnelSecrets;
import dev.promguard.host.WireGuard;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.observe.Roster;
import dev.promguard.keys.PublicKey;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which hosts get a new WireGuard key pair, which pairs of hosts a new preshared key, and which running tunnels that concerns.
 * New keys are stand-ins here: see {@link SymbolicKeys}. Immutable; two are equal if they were made from the same and say the same.
 */
public final class KeyDecision {
    private final Blueprint blueprint;
    private final Map<String, HostFacts> facts = new LinkedHashMap<>();
    private final Map<String, PublicKey> remembered = new HashMap<>();
    private final Map<String, PublicKey> known = new HashMap<>();
    private final Set<String> pairs = new TreeSet<>();
    private final Set<Pair> preshared = new LinkedHashSet<>();
    private final Map<String, String> rejected;
    /** The hosts that keep their secrets, or could not be observed: their peers keep what they share with them. */
    private final Set<String> unchanged = new TreeSet<>();

    private final Set<String> unobserved = new TreeSet<>();
    private Map<String, Set<String>> deferred = Map.of();

    private KeyDecision(Request request, Observed observed, Set<String> keeping) {
        Roster roster = observed.roster();
        blueprint = roster.blueprint();
        remembered.putAll(roster.state().publicKeys());
        Map<String, Optional<HostFacts>> taking = new LinkedHashMap<>();
        Map<String, PublicKey> shown = new HashMap<>();
        for (Blueprint.Host host : roster.selected()) {
            String name = host.name();
            if (observed.seen(name).isPresent()) {
                HostFacts seen = observed.seen(name).get().facts();
                facts.put(name, seen);
                if (!WireGuard.needsKey(seen)) {
                    shown.put(name, seen.keyFilePublicKey().orElseThrow());
                }
            } else if (observed.hosts().get(name) instanceof HostObservation.Absent) {
                taking.put(name, Optional.empty());
            } else {
                unobserved.add(name);
            }
        }
        rejected = DuplicateKeys.refused(shown, remembered);
        unobserved.addAll(rejected.keySet());
        unchanged.addAll(unobserved);
        blueprint
                .hosts()
                .forEach(host ->
                        Optional.ofNullable(remembered.get(host.name())).ifPresent(key -> known.put(host.name(), key)));
        taking.keySet().forEach(this::renew);
        facts.forEach((name, seen) -> {
            if (!rejected.containsKey(name)) {
                taking.put(name, Optional.of(seen));
                if (request.rotate() || !shown.containsKey(name)) {
                    renew(name);
                } else {
                    known.put(name, seen.keyFilePublicKey().orElseThrow());
                }
            }
        });
        preshared.addAll(
                request.rotate()
                        ? PresharedKeys.within(blueprint, taking.keySet())
                        : PresharedKeys.lacking(blueprint, taking));
        keeping.forEach(this::keep);
    }

    /**
     * The problem of a rotation that some hosts cannot take part in.
     *
     * @param hosts what is to happen to each host
     * @return the problem, which names them; empty if every host that exists can
     */
    static Optional<Problem> heldBack(List<HostDecision> hosts) {
        List<String> unable = hosts.stream()
                .filter(host ->
                        host.problems().stream().anyMatch(problem -> problem.kind() != Problem.Kind.WAITS_FOR_PEERS))
                .map(HostDecision::name)
                .toList();
        return unable.isEmpty()
                ? Optional.empty()
                : Optional.of(Problem.ofMesh(
                        Problem.Kind.NOT_ROTATED,
                        new HostProblem(
                                "no key is changed, because a rotation needs every host, and some cannot take part: "
                                        + String.join(", ", unable),
                                "Fix them, or take them out of the mesh, then run rotateKeys.")));
    }

    private void renew(String name) {
        pairs.add(name);
        known.put(name, SymbolicKeys.of(name));
    }

    /** A host does not take new secrets: its peers stay with the old ones. */
    private void keep(String name) {
        boolean isNew = pairs.remove(name);
        PublicKey old = remembered.get(name);
        Optional<PublicKey> running = Optional.ofNullable(facts.get(name))
                .flatMap(HostFacts::wireGuard)
                .flatMap(HostFacts.WireGuardFact::publicKey);
        // What its peers have is the key that it is remembered by; a file that others could write to does not tell.
        if (old != null && (isNew || running.equals(Optional.of(old)))) {
            known.put(name, old);
        } else if (isNew) {
            known.remove(name);
        }
        preshared.removeIf(pair -> pair.contains(name));
        unchanged.add(name);
    }

    static KeyDecision of(Request request, Observed observed) {
        KeyDecision decision = new KeyDecision(request, observed, request.keepingKeys());
        Map<String, Set<String>> waiting = decision.waiting();
        if (waiting.isEmpty()) {
            return decision;
        }
        Set<String> keeping = new TreeSet<>(request.keepingKeys());
        keeping.addAll(waiting.keySet());
        KeyDecision without = new KeyDecision(request, observed, keeping);
        without.deferred = waiting;
        return without;
    }

    /** The hosts whose new key would cut a tunnel in use, since the other end could not be observed, and whom they wait for. */
    private Map<String, Set<String>> waiting() {
        Map<String, TunnelSecrets.End> ends = ends();
        Set<Pair> changing = TunnelSecrets.changing(blueprint, ends, preshared);
        Map<String, Set<String>> waiting = new TreeMap<>();
        ends.forEach((name, end) -> {
            Set<String> missing = new TreeSet<>(blueprint.host(name).peers());
            missing.retainAll(unobserved);
            Set<String> peers = TunnelSecrets.unobserved(end, missing, remembered);
            if (end.changesKey() && !peers.isEmpty()) {
                waiting.put(name, peers);
            }
        });
        TunnelSecrets.heldBack(changing, ends, Set.copyOf(waiting.keySet()))
                .forEach(name -> waiting.put(name, TunnelSecrets.peers(changing, name)));
        return waiting;
    }

    /**
     * What each observed host's end of its tunnels is to be.
     *
     * @return the ends, by host
     */
    public Map<String, TunnelSecrets.End> ends() {
        Map<String, TunnelSecrets.End> ends = new TreeMap<>();
        facts.forEach((name, seen) -> {
            PublicKey key = known.get(name);
            if (key != null && !rejected.containsKey(name)) {
                ends.put(name, new TunnelSecrets.End(seen, key, sharedBy(name)));
            }
        });
        return ends;
    }

    /**
     * The running tunnels that get another secret: both ends take it, or neither does.
     *
     * @return the pairs of hosts
     */
    public Set<Pair> exchange() {
        return TunnelSecrets.changing(blueprint, ends(), preshared);
    }

    /**
     * The public key of each host that has one or gets one.
     *
     * @return keys by host
     */
    public Map<String, PublicKey> known() {
        return Map.copyOf(known);
    }

    /**
     * The hosts that get a new key pair.
     *
     * @return their names
     */
    public Set<String> pairs() {
        return Set.copyOf(pairs);
    }

    /**
     * The pairs of hosts that get a new preshared key.
     *
     * @return the pairs
     */
    public Set<Pair> preshared() {
        return Set.copyOf(preshared);
    }

    /**
     * The hosts that show a WireGuard key which they may not have.
     *
     * @return what each shows, by host
     */
    public Map<String, String> rejected() {
        return Map.copyOf(rejected);
    }

    /**
     * The hosts that need a new key and wait with it, since that would cut a tunnel in use.
     *
     * @return the peers that each waits for, by host
     */
    public Map<String, Set<String>> deferred() {
        return Map.copyOf(deferred);
    }

    /**
     * The peers that a host shares a preshared key with.
     *
     * @param name the name of an observed host
     * @return the peers' names
     */
    Set<String> sharedBy(String name) {
        Map<String, PublicKey> staying = new HashMap<>();
        blueprint.host(name).peers().stream()
                .filter(peer -> unchanged.contains(peer) || unchanged.contains(name))
                .forEach(peer -> Optional.ofNullable(known.get(peer)).ifPresent(key -> staying.put(peer, key)));
        return PresharedKeys.sharedBy(blueprint, name, Optional.ofNullable(facts.get(name)), preshared, staying);
    }

    /**
     * The keys that one host gets.
     *
     * @param host its name
     * @return its own, and the peers of its new preshared keys
     */
    public KeyChanges changesOf(String host) {
        Set<String> peers = new TreeSet<>();
        for (Pair pair : preshared) {
            if (pair.contains(host)) {
                peers.add(pair.other(host));
            }
        }
        return new KeyChanges(pairs.contains(host) ? Optional.of(SymbolicKeys.of(host)) : Optional.empty(), peers);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof KeyDecision that
                && blueprint.equals(that.blueprint)
                && facts.equals(that.facts)
                && remembered.equals(that.remembered)
                && known.equals(that.known)
                && pairs.equals(that.pairs)
                && preshared.equals(that.preshared)
                && rejected.equals(that.rejected)
                && unchanged.equals(that.unchanged)
                && unobserved.equals(that.unobserved)
                && deferred.equals(that.deferred);
    }

    @Override
    public int hashCode() {
        return Objects.hash(facts, remembered, known, pairs, preshared, rejected, unchanged, unobserved, deferred);
    }
}
