package dev.promguard;

import dev.promguard.blueprint.Names;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.CreateIntent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Deletes hosts in a cloud: those that are the mesh's, or those that a user names. */
final class Deletion {
    private final Environment environment;
    private final String mesh;

    Deletion(Environment environment, String mesh) {
        this.environment = environment;
        this.mesh = mesh;
    }

    /**
     * Deletes the mesh's own hosts, and those of orders whose outcome is not known.
     *
     * @throws DestroyException if hosts carry the mesh's tag that are neither; the others are deleted by then
     */
    DestroyReport destroy(Ledger ledger) {
        MeshState state = ledger.state();
        HostIdentities hosts = World.identify(environment, mesh, state);
        List<CloudHost> own = hosts.own();
        List<String> names = own.stream().map(CloudHost::name).toList();
        Set<String> open = new TreeSet<>();
        state.intents().stream().map(CreateIntent::attempt).forEach(open::add);
        if (!own.isEmpty()) {
            environment.started(null, "remove " + String.join(", ", names));
        }
        naming(names, () -> delete(hosts, own, open));
        names.forEach(name -> environment.done(name, "removed"));

        HostIdentities left = new HostIdentities(
                new TreeMap<>(),
                List.of(),
                hosts.unmanaged().stream()
                        .filter(host -> host.attempt().filter(open::contains).isEmpty())
                        .toList(),
                Set.of());
        DestroyReport report = new DestroyReport(mesh, names);
        List<String> problems = left.problems(environment.store().describe(mesh));
        if (!problems.isEmpty()) {
            ledger.update(before -> {
                MeshState after = before;
                for (String name : before.hosts().keySet()) {
                    after = after.without(name);
                }
                for (CreateIntent intent : before.intents()) {
                    after = after.settled(intent);
                }
                return after;
            });
            throw new DestroyException(
                    report + "\n  Not removed: " + String.join("\n  ", problems) + ". Then run destroy again.",
                    report,
                    new InvalidMeshException(mesh, problems));
        }
        return report;
    }

    /** By the attempts that only this mesh's hosts carry, which takes a call for each, and else by id. */
    private void delete(HostIdentities hosts, List<CloudHost> own, Set<String> open) {
        List<String> untagged = own.stream()
                .filter(host -> hosts.hasLostItsTag(host.name()))
                .map(CloudHost::id)
                .toList();
        if (!untagged.isEmpty()) {
            environment.provider().tag(mesh, untagged);
        }
        Set<String> attempts = new TreeSet<>(open);
        own.forEach(host -> host.attempt().ifPresent(attempts::add));
        hosts.unmanaged().stream()
                .flatMap(host -> host.attempt().stream())
                .filter(attempt -> !open.contains(attempt))
                .forEach(attempts::remove);
        if (!attempts.isEmpty()) {
            environment.provider().deleteAttempts(mesh, attempts, Environment.REMOVAL);
        }
        List<String> others = own.stream()
                .filter(host -> host.attempt().filter(attempts::contains).isEmpty())
                .map(CloudHost::id)
                .toList();
        if (!others.isEmpty()) {
            environment.provider().delete(mesh, others, Environment.REMOVAL);
        }
    }

    /** Deletes the hosts of these ids, if none of them is the mesh's own. */
    DestroyReport unmanaged(MeshState state, Collection<String> ids) {
        HostIdentities hosts = environment.provider().inventory().isPresent()
                ? HostIdentities.NONE
                : World.identify(environment, mesh, state);
        List<String> problems = new ArrayList<>();
        List<CloudHost> wanted = new ArrayList<>();
        for (String id : ids) {
            Optional<CloudHost> host = hosts.unmanaged().stream()
                    .filter(one -> one.id().equals(id))
                    .findFirst();
            host.ifPresentOrElse(wanted::add, () -> problems.add(notUnmanaged(hosts, id)));
        }
        if (!problems.isEmpty()) {
            throw new InvalidMeshException(mesh, problems);
        }
        List<String> names = wanted.stream().map(CloudHost::name).sorted().toList();
        environment.started(null, "remove " + String.join(", ", names));
        naming(names, () -> environment.provider().delete(mesh, new TreeSet<>(ids), Environment.REMOVAL));
        names.forEach(name -> environment.done(name, "removed"));
        return new DestroyReport(mesh, names);
    }

    private static String notUnmanaged(HostIdentities hosts, String id) {
        return hosts.own().stream()
                .filter(host -> host.id().equals(id))
                .findFirst()
                .map(host -> "deleteUnmanaged: " + Names.quote(id) + " is " + host.name()
                        + ", which the state knows: leave it out of the mesh and apply, or destroy the mesh")
                .orElse("deleteUnmanaged: " + Names.quote(id)
                        + " is not the id of a host that carries this mesh's tag: take the ids from plan()");
    }

    /** A failure names the hosts, whatever the provider says. */
    private static void naming(List<String> names, Runnable deletion) {
        try {
            deletion.run();
        } catch (ProviderException e) {
            String message = String.valueOf(e.getMessage());
            if (names.isEmpty() || names.stream().anyMatch(message::contains)) {
                throw e;
            }
            throw new ProviderException(
                    String.join(", ", names) + ": " + message,
                    e.status().isPresent() ? e.status().getAsInt() : null,
                    e.id().orElse(null),
                    e.requestId().orElse(null),
                    e.retryable(),
                    e);
        }
    }
}
