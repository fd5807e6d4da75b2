package dev.promguard.internal.decide;

import dev.promguard.change.HostProblem;
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
 * @param message what is wrong, as a clause
 * @param remedy what to do about it, as in {@link HostProblem}; an empty text where nothing is known, or the message says it
 */
public record Problem(Kind kind, Optional<String> host, String message, String remedy) {
    /** The kinds of problems, in the order in which they are reported. */
    public enum Kind {
        /** The network has no address left for a host. */
        NO_ADDRESS(true),
        /** Hosts carry the mesh's tag, and the state does not know them. */
        UNMANAGED_HOST(true),
        /** A host of an inventory carries parts of the mesh, and the inventory does not name it any more. */
        FORGOTTEN_HOST(true),
        /** The cloud would refuse to create a host. */
        REFUSED_BY_PROVIDER(true),
        /** A host that was there before has something in a place that PromGuard needs. */
        CONFLICT(true),
        /** A host cannot be reached or read. */
        UNREACHABLE(false),
        /** A host is not running, or has no public address yet. */
        NOT_READY(false),
        /** A host's system or architecture is not supported. */
        UNSUPPORTED(false),
        /** The mesh's network overlaps one of a host's own. */
        NETWORK_OVERLAP(false),
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
        Objects.requireNonNull(message, "message");
        Objects.requireNonNull(remedy, "remedy");
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
                .forEach(problem -> problems.add(ofMesh(Kind.UNMANAGED_HOST, problem)));
        for (String name : roster.forgotten()) {
            problems.add(ofMesh(
                    Kind.FORGOTTEN_HOST,
                    new HostProblem(
                            name + " carries parts of this mesh, and the inventory does not name it any more",
                            "name it again so that they can be taken off, or say that it is gone for good")));
        }
        quote.faults().forEach(text -> problems.add(ofMesh(Kind.REFUSED_BY_PROVIDER, new HostProblem(text, ""))));
        return problems;
    }

    /** A problem of one host. */
    static Problem ofHost(Kind kind, String host, HostProblem problem) {
        return new Problem(kind, Optional.of(host), problem.message(), problem.remedy());
    }

    private static Problem ofMesh(Kind kind, HostProblem problem) {
        return new Problem(kind, Optional.empty(), problem.message(), problem.remedy());
    }

    /**
     * What is wrong and what to do about it.
     *
     * @return both in a line
     */
    public String text() {
        return new HostProblem(message, remedy).text();
    }

    /**
     * The problem in a line, with the host that it is about.
     *
     * @return such as {@code db-1: it is in mesh other already: …}
     */
    @Override
    public String toString() {
        return host.map(name -> name + ": ").orElse("") + text();
    }
}
