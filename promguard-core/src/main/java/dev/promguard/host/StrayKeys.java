package dev.promguard.host;

import java.util.Collections;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * Preshared keys that a host holds for hosts that are no peers of it, as where a run was cut off after it had written the interface's
 * configuration and before it removed them.
 */
public final class StrayKeys {
    /** What is asked of a host about them. */
    public static final ResourceFacts<UnnamedKeysFact> FACTS =
            ResourceFacts.of("preshared-keys", UnnamedKeysFact.class, new UnnamedKeysFact(Set.of()), Reader::new);

    private static final int MOST = 20_000;

    private StrayKeys() {}

    /**
     * Preshared keys that a host holds and its configuration does not name.
     *
     * @param peers the names of the hosts that they were shared with
     */
    public record UnnamedKeysFact(Set<String> peers) {
        /**
         * Copies the set, sorted by name.
         *
         * @throws NullPointerException if it is null
         */
        public UnnamedKeysFact {
            Objects.requireNonNull(peers, "peers");
            peers = Collections.unmodifiableSet(new TreeSet<>(peers));
        }
    }

    /** Reads a line for each. */
    private static final class Reader implements ResourceFacts.Reader<UnnamedKeysFact> {
        private final Set<String> peers = new TreeSet<>();

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            if (!line.kind().equals("unnamed") || peers.size() >= MOST) {
                throw line.unknown();
            }
            peers.add(line.fields(1).field(1, WireGuard.HOST));
        }

        @Override
        public UnnamedKeysFact facts() {
            return new UnnamedKeysFact(peers);
        }
    }

    /** The hosts that they are for. Where somebody took a peer out of the configuration, its key is not stray. */
    static Set<String> of(WireGuardInterface desired, HostFacts facts) {
        Set<String> stray = new TreeSet<>(facts.of(FACTS).peers());
        desired.peers().forEach(peer -> stray.remove(peer.name()));
        return stray;
    }
}
