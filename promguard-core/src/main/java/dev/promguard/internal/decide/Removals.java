package dev.promguard.internal.decide;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidMeshException;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.host.Change;
import dev.promguard.host.ExplainedChange;
import dev.promguard.host.HostProblem;
import dev.promguard.host.LastApplied;
import dev.promguard.internal.observe.Roster;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is lost with hosts that leave the mesh, and whether an apply may remove them. */
public final class Removals {
    /** The stable name of the kind of resource that a host's protection is. */
    public static final String PROTECTION = "protection";

    private Removals() {}

    /**
     * What is lost with a host that leaves the mesh, for people.
     *
     * @param state what is remembered
     * @param host the host
     * @param stays whether it was there before the mesh, and stays
     * @return a clause
     */
    public static String lost(MeshState state, CloudHost host, boolean stays) {
        boolean monitor = Optional.ofNullable(state.hosts().get(host.name()))
                .filter(held -> held.providerId().equals(Optional.of(host.id())))
                .flatMap(HostState::lastApplied)
                .filter(LastApplied::ranPrometheus)
                .isPresent();
        if (stays) {
            return monitor
                    ? "the host stays; Prometheus' history on it is deleted"
                    : "the host stays; what PromGuard put there is removed";
        }
        return monitor
                ? "deleted for good with its disk: Prometheus' history, and all else on it"
                : "deleted for good with its disk and all data on it";
    }

    /**
     * Refuses to remove hosts that the spec does not name any more. A host that was created twice by a cut-off run is no loss.
     *
     * @param roster the hosts
     * @throws InvalidMeshException if there are any; it says what would be lost, and how to agree
     */
    public static void refuse(Roster roster) {
        refuse(roster.blueprint().mesh(), ofProtected(roster));
        List<String> losses = leaving(roster)
                .map(host -> host.name() + " ("
                        + lost(roster.state(), host, roster.inventory().isPresent()) + ')')
                .toList();
        if (!losses.isEmpty()) {
            String mesh = roster.blueprint().mesh();
            throw new InvalidMeshException(
                    ErrorCode.REMOVAL_NOT_ALLOWED,
                    mesh,
                    List.of("the spec does not name " + (losses.size() == 1 ? "a host" : losses.size() + " hosts")
                            + " of the mesh any more, and apply would remove " + (losses.size() == 1 ? "it" : "them")
                            + ": " + String.join(", ", losses)
                            + ". Name what is to stay. To remove the rest, call allowRemoval(), or review plan() and pass it to"
                            + " apply(plan)."));
        }
    }

    /** What a run changes in a host's protection. */
    static List<ExplainedChange> protection(Roster roster, Blueprint.Host host) {
        boolean was = roster.state().protectedHosts().contains(host.name());
        boolean is = host.spec().isProtected();
        return was == is
                ? List.of()
                : List.of(ExplainedChange.of(
                        PROTECTION,
                        Change.Action.UPDATE,
                        host.name(),
                        false,
                        is ? "protect it: no run may remove or replace it" : "protect it no more"));
    }

    /** The problem of a run that would remove protected hosts. */
    static Optional<Problem> ofProtected(Roster roster) {
        return ofProtected(
                roster.state(),
                leaving(roster).map(CloudHost::name),
                it -> "the spec does not name " + it + " any more",
                it -> "Name " + it + " again, or apply once with protect(false) for " + it + " and then remove " + it
                        + '.');
    }

    /** The hosts that the spec does not name any more, without those that were created twice. */
    private static Stream<CloudHost> leaving(Roster roster) {
        return roster.orphaned().stream()
                .filter(host -> !roster.identities().duplicates().contains(host));
    }

    /** The problem of a destruction of a mesh with protected hosts, by the state or by a spec that was not applied yet. */
    static Optional<Problem> ofDestroyed(MeshState state, Set<String> protectedBySpec, Stream<String> removed) {
        return ofProtected(
                state.protecting(protectedBySpec.stream().collect(Collectors.toMap(name -> name, name -> true))),
                removed,
                it -> "a destroy would remove " + it,
                it -> "Apply once with protect(false) for " + it + ", then destroy.");
    }

    /**
     * Refuses to replace a host that is protected.
     *
     * @param mesh the mesh's name
     * @param state what is remembered
     * @param host the host as the spec describes it
     * @throws InvalidMeshException if it is protected by either
     */
    public static void refuseToReplace(String mesh, MeshState state, HostSpec host) {
        refuse(
                mesh,
                ofProtected(
                        state.protecting(host.isProtected() ? Map.of(host.name(), true) : Map.of()),
                        Stream.of(host.name()),
                        it -> "replacing " + it + " would delete " + it,
                        it -> "Apply once with protect(false) for " + it + ", then replace " + it + '.'));
    }

    private static void refuse(String mesh, Optional<Problem> problem) {
        problem.ifPresent(found -> {
            throw found.refusal(mesh);
        });
    }

    /** The problem in words that are given what stands for the hosts. */
    private static Optional<Problem> ofProtected(
            MeshState state, Stream<String> removed, UnaryOperator<String> why, UnaryOperator<String> remedy) {
        List<String> hosts =
                removed.filter(state.protectedHosts()::contains).sorted().toList();
        if (hosts.isEmpty()) {
            return Optional.empty();
        }
        boolean one = hosts.size() == 1;
        String it = one ? "it" : "them";
        return Optional.of(Problem.ofMesh(
                Problem.Kind.PROTECTED,
                new HostProblem(
                        String.join(", ", hosts) + (one ? " is" : " are") + " protected, and " + why.apply(it),
                        remedy.apply(it))));
    }

    /** The problem that a rotation has with hosts that do not exist. */
    static Optional<Problem> notCreated(Request request, Roster roster) {
        List<String> missing = roster.missing().stream().map(HostOrder::name).toList();
        if (!request.rotate() || missing.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(Problem.ofMesh(
                Problem.Kind.NOT_CREATED,
                new HostProblem(
                        "a rotation creates no hosts, and " + String.join(", ", missing)
                                + (missing.size() == 1 ? " does" : " do") + " not exist",
                        "Run apply first.")));
    }
}
