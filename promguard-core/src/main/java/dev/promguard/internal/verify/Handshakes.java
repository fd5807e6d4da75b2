package dev.promguard.internal.verify;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Role;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostFacts.PeerFact;
import dev.promguard.keys.PublicKey;
import dev.promguard.spi.Probe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which tunnels of a host need a WireGuard handshake. WireGuard makes one only when there is a packet to send: a tunnel that is new,
 * has new keys or was silent for minutes has none and is healthy. Pure functions of the spec and the facts.
 */
final class Handshakes {
    /** A handshake is due at least every two minutes while packets flow (WireGuard, REKEY_AFTER_TIME), and void after three. */
    private static final Duration OLDEST = Duration.ofMinutes(3);

    private Handshakes() {}

    /** Whether the two hosts have something to send to each other. Two monitors have not. */
    static boolean isExpected(Blueprint.Host host, Blueprint.Host peer) {
        return host.role() == Role.NODE || peer.role() == Role.NODE;
    }

    /** How long ago the last handshake with the peer of this key was; empty if there was none, or no such peer. */
    static Optional<Duration> age(HostFacts facts, @Nullable PublicKey peer) {
        return facts.wireGuard().map(running -> running.peers()).orElse(List.of()).stream()
                .filter(fact -> fact.publicKey().equals(peer))
                .findFirst()
                .flatMap(PeerFact::handshakeAge);
    }

    /** Whether packets can pass by the keys of a handshake of that age. */
    static boolean isFresh(Optional<Duration> age) {
        return age.isPresent() && age.get().compareTo(OLDEST) < 0;
    }

    /**
     * What to probe from a host so that each tunnel without a fresh handshake makes one: SSH at the peer's WireGuard address, which
     * answers at once on every host.
     *
     * @param keys the public keys of the hosts, by name
     * @return the probes; empty if every handshake is fresh, or the host's interface does not run
     */
    static List<Probe> probes(Blueprint blueprint, Blueprint.Host host, HostFacts facts, Map<String, PublicKey> keys) {
        if (facts.wireGuard().isEmpty()) {
            return List.of();
        }
        List<Probe> probes = new ArrayList<>();
        for (String name : host.peers()) {
            Blueprint.Host peer = blueprint.host(name);
            if (isExpected(host, peer) && !isFresh(age(facts, keys.get(name)))) {
                probes.add(new Probe(peer.address(), ReachabilityChecks.ssh(peer)));
            }
        }
        return List.copyOf(probes);
    }
}
