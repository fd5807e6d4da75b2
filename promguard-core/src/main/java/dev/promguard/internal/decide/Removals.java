package dev.promguard.internal.decide;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidMeshException;
import dev.promguard.host.HostProblem;
import dev.promguard.host.LastApplied;
import dev.promguard.internal.observe.Roster;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.util.List;
import java.util.Optional;

/** What is lost with hosts that leave the mesh, and whether an apply may remove them. */
public final class Removals {
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
        List<String> losses = roster.orphaned().stream()
                .filter(host -> !roster.identities().duplicates().contains(host))
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
