package dev.promguard.internal.decide;

import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.observe.Roster;
import dev.promguard.spi.Quote;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Something that stands in the way of what was asked for.
 *
 * @param kind what kind of problem it is
 * @param host the host that it is about; empty for the mesh as a whole
 * @param text what is wrong and what to do about it, in a sentence or two
 */
public record Problem(Kind kind, Optional<String> host, String text) {
    /** The kinds of problems, in the order in which they are reported: first those of the mesh as a whole, then those of a host. */
    public enum Kind {
        /** Hosts carry the mesh's tag, and the state does not know them. */
        UNMANAGED_HOST(true),
        /** A host of an inventory carries parts of the mesh, and the inventory does not name it any more. */
        FORGOTTEN_HOST(true),
        /** The cloud would refuse to create a host. */
        REFUSED_BY_PROVIDER(true),
        /** A host cannot be reached or read. */
        UNREACHABLE(false),
        /** A host's system or architecture is not supported. */
        UNSUPPORTED(false),
        /** The mesh's network overlaps one of a host's own. */
        NETWORK_OVERLAP(false),
        /** A host that was there before has something in a place that PromGuard needs. */
        CONFLICT(true),
        /** A host shows a WireGuard key that belongs to another. */
        DUPLICATE_KEY(false),
        /** A host needs a new key, which would cut a tunnel with a host that cannot take part. */
        WAITS_FOR_PEERS(false);

        private final boolean blocking;

        Kind(boolean blocking) {
            this.blocking = blocking;
        }

        /**
         * Whether nothing at all is done while there is such a problem. Others concern their host alone.
         *
         * @return true if so
         */
        public boolean blocking() {
            return blocking;
        }
    }

    /**
     * Checks that all are there.
     *
     * @throws NullPointerException if one is null
     */
    public Problem {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(host, "host");
        Objects.requireNonNull(text, "text");
    }

    /** Everything that stands in the way, in the one order in which all verbs report it. */
    static List<Problem> all(Observed observed, List<HostDecision> hosts, String stateLocation) {
        List<Problem> problems = new ArrayList<>(ofCloud(observed.roster(), observed.quote(), stateLocation));
        hosts.forEach(host -> problems.addAll(host.problems()));
        return List.copyOf(problems);
    }

    /** What the cloud alone can tell to stand in the way. */
    static List<Problem> ofCloud(Roster roster, Quote quote, String stateLocation) {
        List<Problem> problems = new ArrayList<>();
        roster.identities()
                .problems(stateLocation)
                .forEach(text -> problems.add(new Problem(Kind.UNMANAGED_HOST, Optional.empty(), text)));
        for (String name : roster.forgotten()) {
            problems.add(new Problem(
                    Kind.FORGOTTEN_HOST,
                    Optional.empty(),
                    name
                            + " carries parts of this mesh, and the inventory does not name it any more: name it again so that they"
                            + " can be taken off, or say that it is gone for good"));
        }
        quote.faults().forEach(text -> problems.add(new Problem(Kind.REFUSED_BY_PROVIDER, Optional.empty(), text)));
        return problems;
    }

    /** A problem of one host. */
    static Problem ofHost(Kind kind, String host, String text) {
        return new Problem(kind, Optional.of(host), text);
    }

    /**
     * The problem in a line, with the host that it is about.
     *
     * @return such as {@code db-1: it is in mesh other already: …}
     */
    @Override
    public String toString() {
        return host.map(name -> name + ": ").orElse("") + text;
    }
}
