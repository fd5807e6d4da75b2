package dev.promguard.internal.decide;

import dev.promguard.InvalidMeshException;
import dev.promguard.host.ExplainedChange;
import dev.promguard.host.Manifest;
import dev.promguard.internal.observe.HostIdentities;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.run.RunStep;
import dev.promguard.internal.text.StableIds;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What a destruction of a mesh is going to do. Pure: the same for the same observation.
 *
 * @param hosts what is to happen to each host
 * @param problems what concerns the mesh as a whole; does not keep the hosts from being removed
 */
public record DestroyDecision(List<Host> hosts, List<Problem> problems) {
    /**
     * Copies the lists.
     *
     * @throws NullPointerException if something is null
     */
    public DestroyDecision {
        hosts = List.copyOf(hosts);
        problems = List.copyOf(problems);
    }

    /**
     * The same decision with what keeps protected hosts.
     *
     * @param state what is remembered
     * @param protectedBySpec the names of hosts that the spec protects
     * @return a copy, with a problem if a host would be removed that is protected
     */
    public DestroyDecision sparing(MeshState state, Set<String> protectedBySpec) {
        Stream<String> removed = hosts.stream()
                .filter(host -> host.kind() != Kind.FORGET && host.kind() != Kind.KEEP)
                .map(Host::name);
        List<Problem> all = new ArrayList<>();
        Removals.ofDestroyed(state, protectedBySpec, removed).ifPresent(all::add);
        all.addAll(problems);
        return new DestroyDecision(hosts, all);
    }

    /**
     * Insists that no host would be removed that is protected.
     *
     * @param mesh the mesh's name
     * @throws InvalidMeshException if one would be; it names them
     */
    public void requireUnprotected(String mesh) {
        problems.stream()
                .filter(problem -> problem.kind() == Problem.Kind.PROTECTED)
                .findFirst()
                .ifPresent(problem -> {
                    throw problem.refusal(mesh);
                });
    }

    /** What is to happen to a host. */
    public enum Kind {
        /** It is deleted. */
        DELETE,
        /** PromGuard is uninstalled from it. */
        UNINSTALL,
        /** It was declared as gone, and is removed from the state. */
        FORGET,
        /** It carries nothing of the mesh. */
        KEEP,
        /** It could not be read. */
        UNREADABLE
    }

    /**
     * What is to happen to one host.
     *
     * @param kind what, in a word
     * @param name the host's name
     * @param cloud the host in the cloud; empty for a host of an inventory
     * @param address its address inside the tunnels; empty if it is not known
     * @param publicAddress its public address; empty if it is not known
     * @param changes the changes for people
     * @param leftovers what is going to be left, each in a line
     * @param problem why it could not be read
     * @param lost what is lost with a host that is deleted
     */
    public record Host(
            Kind kind,
            String name,
            Optional<CloudHost> cloud,
            Optional<String> address,
            Optional<String> publicAddress,
            List<ExplainedChange> changes,
            List<String> leftovers,
            Optional<Problem> problem,
            Optional<String> lost) {
        /**
         * Copies the lists.
         *
         * @throws NullPointerException if something is null
         */
        public Host {
            Objects.requireNonNull(kind, "kind");
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(cloud, "cloud");
            Objects.requireNonNull(address, "address");
            Objects.requireNonNull(publicAddress, "publicAddress");
            changes = List.copyOf(changes);
            leftovers = List.copyOf(leftovers);
            Objects.requireNonNull(problem, "problem");
            Objects.requireNonNull(lost, "lost");
        }
    }

    /**
     * The steps that carrying it out takes: those that the plan lists.
     *
     * @return the changes of each host that stays, and one step for each other host that leaves the mesh
     */
    public List<RunStep> steps() {
        List<RunStep> steps = new ArrayList<>();
        for (Host host : hosts) {
            if (!host.changes().isEmpty()) {
                steps.addAll(uninstallation(host));
            } else if (host.kind() == Kind.DELETE || host.kind() == Kind.UNINSTALL || host.kind() == Kind.FORGET) {
                steps.add(Decision.removal(host.name()));
            }
        }
        return List.copyOf(steps);
    }

    private static List<RunStep> uninstallation(Host host) {
        List<String> ids = StableIds.distinct(host.changes().stream()
                .map(change -> new StableIds.Candidate(
                        host.name()
                                + '/'
                                + StableIds.ofChange(
                                        change.resource(), change.action().name(), change.subject()),
                        change.text()))
                .toList());
        return IntStream.range(0, ids.size())
                .mapToObj(number -> RunStep.of(
                        host.name(), ids.get(number), host.changes().get(number).text()))
                .toList();
    }

    /**
     * Decides about hosts that PromGuard created.
     *
     * @param state what is remembered
     * @param identities what each host of the cloud is to the mesh
     * @param stateLocation where the state is, for messages
     * @return the decision
     */
    public static DestroyDecision ofCloud(MeshState state, HostIdentities identities, String stateLocation) {
        Set<String> open = state.openAttempts();
        List<CloudHost> deleted = new ArrayList<>(identities.own());
        identities.unmanaged().stream()
                .filter(host -> host.attempt().filter(open::contains).isPresent())
                .forEach(deleted::add);
        return new DestroyDecision(
                deleted.stream().map(host -> deleted(state, host)).toList(),
                identities.withoutAttempts(open).problems(stateLocation).stream()
                        .map(problem -> Problem.ofMesh(Problem.Kind.UNMANAGED_HOST, problem))
                        .toList());
    }

    private static Host deleted(MeshState state, CloudHost host) {
        HostState held = state.hosts().get(host.name());
        return new Host(
                Kind.DELETE,
                host.name(),
                Optional.of(host),
                held != null && held.providerId().equals(Optional.of(host.id()))
                        ? Optional.of(held.address())
                        : Optional.empty(),
                host.publicAddress(),
                List.of(),
                List.of(),
                Optional.empty(),
                Optional.of(Removals.lost(state, host, false)));
    }

    /**
     * Decides about hosts that were there before the mesh.
     *
     * @param mesh the mesh's name
     * @param state what is remembered
     * @param observed what is known of each host, by name
     * @param addresses where those are that were read
     * @return the decision
     */
    public static DestroyDecision ofInventory(
            String mesh, MeshState state, Map<String, HostObservation> observed, Map<String, String> addresses) {
        List<Host> hosts = new ArrayList<>();
        observed.forEach((name, seen) -> hosts.add(uninstalled(
                mesh,
                name,
                seen,
                Optional.ofNullable(state.hosts().get(name)).map(HostState::address),
                Optional.ofNullable(addresses.get(name)))));
        return new DestroyDecision(hosts, List.of());
    }

    private static Host uninstalled(
            String mesh,
            String name,
            HostObservation observation,
            Optional<String> address,
            Optional<String> publicAddress) {
        Kind kind = Kind.FORGET;
        List<ExplainedChange> changes = List.of();
        List<String> leftovers = List.of();
        Optional<Problem> problem = Optional.empty();
        if (observation instanceof HostObservation.Seen seen) {
            kind = Manifest.isOf(mesh, seen.facts()) ? Kind.UNINSTALL : Kind.KEEP;
            if (kind == Kind.UNINSTALL) {
                changes = Manifest.explainUninstall(seen.facts());
                leftovers = Manifest.leftovers(seen.facts().manifest().orElseThrow());
            }
        } else if (observation instanceof HostObservation.Unreachable unreachable) {
            kind = Kind.UNREADABLE;
            problem = Optional.of(Problem.unreachable(name, unreachable.failure()));
        }
        return new Host(
                kind, name, Optional.empty(), address, publicAddress, changes, leftovers, problem, Optional.empty());
    }
}
