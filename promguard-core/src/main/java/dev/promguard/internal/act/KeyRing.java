package dev.promguard.internal.act;

import dev.promguard.host.NewKeys;
import dev.promguard.host.PresharedKeys.Pair;
import dev.promguard.host.SymbolicKeys;
import dev.promguard.internal.decide.KeyDecision;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.WireGuardKeyPair;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/** The keys that a run makes, once each, and only here. Cleared when the run is over. Thread-safe. */
final class KeyRing implements AutoCloseable {
    private final KeySource source;
    private final Map<String, WireGuardKeyPair> pairs = new HashMap<>();
    private final Map<Pair, Secret> preshared = new HashMap<>();

    KeyRing(KeySource source) {
        this.source = source;
    }

    /** Makes the keys of a decision that this run has not made yet. */
    synchronized void make(KeyDecision decision) {
        decision.pairs().forEach(host -> pairs.computeIfAbsent(host, name -> source.generate()));
        decision.preshared().forEach(pair -> preshared.computeIfAbsent(pair, ends -> source.presharedKey()));
    }

    /** The keys in the place of their stand-ins. */
    synchronized Map<PublicKey, PublicKey> byStandIn() {
        Map<PublicKey, PublicKey> keys = new HashMap<>();
        pairs.forEach((host, pair) -> keys.put(SymbolicKeys.of(host), pair.publicKey()));
        return keys;
    }

    /** The keys that a host gets by a decision. They stay this ring's. */
    synchronized NewKeys of(KeyDecision decision, String host) {
        Map<String, Secret> shared = new TreeMap<>();
        for (Pair pair : decision.preshared()) {
            if (pair.contains(host)) {
                shared.put(
                        pair.other(host),
                        Objects.requireNonNull(preshared.get(pair), "a preshared key that was not made"));
            }
        }
        Optional<WireGuardKeyPair> own = decision.pairs().contains(host)
                ? Optional.of(Objects.requireNonNull(pairs.get(host), "a key pair that was not made"))
                : Optional.empty();
        return new NewKeys(own, shared);
    }

    @Override
    public synchronized void close() {
        pairs.values().forEach(WireGuardKeyPair::close);
        preshared.values().forEach(Secret::close);
    }
}
