package dev.promguard.internal.decide;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidMeshException;
import dev.promguard.PromGuardException;
import dev.promguard.host.HostProblem;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.observe.Roster;
import dev.promguard.spi.Preflight;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A problem that prevents all or part of a request.
 *
 * @param kind what kind of problem it is
 * @param code the code of such failures
 * @param host the host that it is about; empty for the mesh as a whole
 * @param message what is wrong, as a clause, without the id
 * @param remedy what to do about it, as in {@link HostProblem}; an empty text where nothing is known, or the message says it
 */
public record Problem(Kind kind, ErrorCode code, Optional<String> host, String message, String remedy) {
    /** The kinds of problems, in the order in which they are reported: first those of the mesh as a whole, then those of a host. */
    public enum Kind {
        /** Hosts carry the mesh's tag, and the state does not know them; also where they cannot be adopted. */
        UNMANAGED_HOST(true, ErrorCode.UNMANAGED_HOSTS),
        /** A host of an inventory carries parts of the mesh, and the inventory does not name it any more. */
        FORGOTTEN_HOST(true, ErrorCode.HOST_NOT_IN_INVENTORY),
        /** The cloud would refuse to create a host. */
        REFUSED_BY_PROVIDER(true, ErrorCode.CANNOT_CREATE),
        /** A host is protected, and the run would remove it. */
        PROTECTED(true, ErrorCode.HOST_PROTECTED),
        /** A host does not exist, and the run creates none. */
        NOT_CREATED(true, ErrorCode.HOST_NOT_CREATED),
        /** A viewer has the WireGuard key of a host. */
        VIEWER_KEY(true, ErrorCode.INVALID_SPEC),
        /** Some host cannot take part in a rotation, so that no key is changed. */
        NOT_ROTATED(false, ErrorCode.KEYS_HELD_BACK),
        /** A host cannot be reached or read. */
        UNREACHABLE(false, ErrorCode.CONNECT_FAILED),
        /** A host is not running, or has no public address yet. */
        NOT_READY(false, ErrorCode.HOST_NOT_READY),
        /** A host's system or architecture is not supported. */
        UNSUPPORTED(false, ErrorCode.UNSUPPORTED_SYSTEM),
        /** The mesh's network overlaps one of a host's own. */
        NETWORK_OVERLAP(false, ErrorCode.NETWORK_OVERLAP),
        /** A host has something in a place that PromGuard needs, or its mesh's interface has another name. */
        CONFLICT(true, ErrorCode.CONFLICT),
        /** Rules of others on a host drop or redirect what the mesh needs. */
        TRAFFIC_BLOCKED(false, ErrorCode.TRAFFIC_BLOCKED),
        /** Enabling a host's firewall would close ports that answer now, and the spec does not agree. */
        PORTS_IN_USE(false, ErrorCode.PORTS_IN_USE),
        /** Installing packages on a host would remove others. */
        PACKAGES_REMOVED(false, ErrorCode.PACKAGES_REMOVED),
        /** Packages that a host lacks are on hold. */
        PACKAGES_HELD(false, ErrorCode.INSTALL_FAILED),
        /** A host shows a WireGuard key that belongs to another. */
        DUPLICATE_KEY(false, ErrorCode.DUPLICATE_KEY),
        /** A host needs a new key, which would cut a tunnel with a host that cannot take part. */
        WAITS_FOR_PEERS(false, ErrorCode.KEYS_HELD_BACK);

        private final boolean blocking;
        private final ErrorCode code;

        Kind(boolean blocking, ErrorCode code) {
            this.blocking = blocking;
            this.code = code;
        }

        /**
         * The stable id of such problems. One that was found by an exception has the id of that exception instead.
         *
         * @return such as {@code PG-2007}
         * @see Problem#code()
         */
        public String id() {
            return code.id();
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
        Objects.requireNonNull(code, "code");
        Objects.requireNonNull(host, "host");
        Objects.requireNonNull(message, "message");
        Objects.requireNonNull(remedy, "remedy");
    }

    /** All problems, in the order in which every verb reports them. */
    static List<Problem> all(
            Request request,
            Observed observed,
            KeyDecision keys,
            List<HostDecision> hosts,
            Optional<Problem> notRotated,
            String stateLocation) {
        List<Problem> problems = new ArrayList<>(ofCloud(observed.roster(), observed.preflight(), stateLocation));
        Removals.ofProtected(observed.roster()).ifPresent(problems::add);
        Removals.notCreated(request, observed.roster()).ifPresent(problems::add);
        ViewerAccess.problem(observed.roster(), keys.known()).ifPresent(problems::add);
        notRotated.ifPresent(problems::add);
        hosts.forEach(host -> problems.addAll(host.problems()));
        return List.copyOf(problems);
    }

    /** What the cloud alone can tell to stand in the way. */
    static List<Problem> ofCloud(Roster roster, Preflight preflight, String stateLocation) {
        List<Problem> problems = new ArrayList<>();
        roster.identities()
                .problems(stateLocation)
                .forEach(problem -> problems.add(ofMesh(Kind.UNMANAGED_HOST, problem)));
        roster.identities().unadoptable().forEach(problem -> problems.add(notAdoptable(Optional.empty(), problem)));
        for (String name : roster.forgotten()) {
            problems.add(
                    ofMesh(
                            Kind.FORGOTTEN_HOST,
                            new HostProblem(
                                    name + " has parts of this mesh, and the inventory no longer names it",
                                    "Name it again so that they can be uninstalled, or say with forget(…) that it no longer exists.")));
        }
        preflight.problems().forEach(text -> problems.add(ofMesh(Kind.REFUSED_BY_PROVIDER, new HostProblem(text, ""))));
        return problems;
    }

    /** A problem of one host. */
    static Problem ofHost(Kind kind, String host, HostProblem problem) {
        return new Problem(kind, kind.code, Optional.of(host), problem.message(), problem.remedy());
    }

    /** A problem of the mesh as a whole. */
    static Problem ofMesh(Kind kind, HostProblem problem) {
        return new Problem(kind, kind.code, Optional.empty(), problem.message(), problem.remedy());
    }

    /** A host that could not be read, and why. */
    static Problem unreachable(String host, RuntimeException failure) {
        return failure instanceof PromGuardException known
                ? new Problem(Kind.UNREACHABLE, known.code(), Optional.of(host), known.reason(), "")
                : ofHost(Kind.UNREACHABLE, host, new HostProblem(String.valueOf(failure.getMessage()), ""));
    }

    /** Why a host cannot be adopted. */
    static Problem notAdoptable(Optional<String> host, HostProblem problem) {
        return new Problem(Kind.UNMANAGED_HOST, ErrorCode.NOT_ADOPTABLE, host, problem.message(), problem.remedy());
    }

    /** The same problem of a host that is to be adopted: nothing is done without it. */
    Problem ofAdoption() {
        return new Problem(
                Kind.UNMANAGED_HOST,
                code,
                host,
                message,
                remedy.isEmpty() ? "Without adopt(…), nothing is done to it." : remedy);
    }

    /** The exception of this problem alone. */
    InvalidMeshException refusal(String mesh) {
        return refusal(mesh, List.of(this));
    }

    /** The exception that names all of some problems, of which there is at least one. */
    static InvalidMeshException refusal(String mesh, List<Problem> problems) {
        List<String> lines = problems.size() == 1
                ? List.of(problems.get(0).line())
                : problems.stream().map(Problem::toString).toList();
        return new InvalidMeshException(problems.get(0).code(), mesh, lines);
    }

    private String line() {
        return new HostProblem(message, remedy).textOf(host);
    }

    /**
     * What is wrong and what to do about it, without the id.
     *
     * @return both in a line
     */
    public String text() {
        return new HostProblem(message, remedy).text();
    }

    /**
     * The problem with the host that it is about and its id.
     *
     * @return such as {@code db-1: it is in mesh other already. … [PG-5010]}
     */
    @Override
    public String toString() {
        return code.appendedTo(line());
    }
}
