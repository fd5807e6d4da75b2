package dev.promguard.internal.act;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidMeshException;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.host.HostProblem;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.observe.CloudObserver;
import dev.promguard.internal.observe.HostIdentities;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.ListLag;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.CreateIntent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Deletes hosts in a cloud: those that are the mesh's, or those that a user names. */
public final class Deleter {
    private final Context context;
    private final CloudObserver observer;
    private final String mesh;

    /**
     * A deleter.
     *
     * @param context the run's context
     */
    public Deleter(Context context) {
        this.context = context;
        this.observer = new CloudObserver(context);
        this.mesh = context.mesh();
    }

    /**
     * What a deletion did.
     *
     * @param removed the names of the hosts that are gone
     * @param problems why hosts that carry the mesh's tag were left, and what to do; empty if there are none
     * @param checked how long the cloud was checked for hosts of orders whose outcome was not known; zero if there were none
     */
    public record Result(List<String> removed, List<String> problems, Duration checked) {}

    /**
     * Deletes the mesh's own hosts, and those of orders whose outcome is not known. Hosts that carry the mesh's tag and are neither
     * stay.
     *
     * @param journal the state, which forgets the hosts if others stay
     * @param hosts what each host of the cloud is to the mesh
     * @param lag how long the cloud's list may still lack hosts of orders whose outcome is not known
     * @return what was done
     * @throws ProviderException if the cloud refuses, or some hosts are not gone in time; the message names the hosts
     */
    public Result destroy(StateJournal journal, HostIdentities hosts, ListLag lag) {
        MeshState state = journal.state();
        List<CloudHost> own = hosts.own();
        List<String> names = own.stream().map(CloudHost::name).toList();
        Set<String> open = state.openAttempts();
        // Hosts of orders whose outcome is not known go by their orders, and are steps as well.
        Set<String> going = new TreeSet<>(names);
        hosts.unmanaged().stream()
                .filter(host -> host.attempt().filter(open::contains).isPresent())
                .forEach(host -> going.add(host.name()));
        removing(going, () -> naming(names, () -> delete(hosts, own, open)));
        if (!open.isEmpty()) {
            deleteLate(state, lag);
        }

        List<String> problems = hosts
                .withoutAttempts(open)
                .problems(context.store().describe(mesh))
                .stream()
                .map(HostProblem::text)
                .toList();
        if (!problems.isEmpty()) {
            journal.update(before -> {
                MeshState after = before;
                for (String name : before.hosts().keySet()) {
                    after = after.without(name);
                }
                for (CreateIntent intent : before.intents()) {
                    after = after.settled(intent);
                }
                return after;
            });
        }
        return new Result(names, problems, open.isEmpty() ? Duration.ZERO : lag.elapsed());
    }

    /** Deletes what orders whose outcome is not known created, until no list can still lack any of it. */
    private void deleteLate(MeshState state, ListLag lag) {
        Set<String> names = new TreeSet<>();
        state.intents().forEach(intent -> names.addAll(intent.names()));
        String step = "check that no order of an earlier run leaves " + String.join(", ", names);
        try (Events.Task task = context.events().task(null, step)) {
            while (!lag.isOver()) {
                lag.pause("checking for hosts of an earlier run's order; the state was kept");
                context.provider().deleteAttempts(mesh, state.openAttempts(), Timeouts.DELETION);
            }
            task.done();
        }
    }

    /** By the attempts that only this mesh's hosts carry, which takes a call for each, and else by id. */
    private void delete(HostIdentities hosts, List<CloudHost> own, Set<String> open) {
        List<String> untagged = own.stream()
                .filter(host -> hosts.hasLostItsTag(host.name()))
                .map(CloudHost::id)
                .toList();
        if (!untagged.isEmpty()) {
            context.provider().tag(mesh, untagged);
        }
        Set<String> attempts = new TreeSet<>(open);
        own.forEach(host -> host.attempt().ifPresent(attempts::add));
        hosts.unmanaged().stream()
                .flatMap(host -> host.attempt().stream())
                .filter(attempt -> !open.contains(attempt))
                .forEach(attempts::remove);
        if (!attempts.isEmpty()) {
            context.provider().deleteAttempts(mesh, attempts, Timeouts.DELETION);
        }
        List<String> others = own.stream()
                .filter(host -> host.attempt().filter(attempts::contains).isEmpty())
                .map(CloudHost::id)
                .toList();
        if (!others.isEmpty()) {
            context.provider().delete(mesh, others, Timeouts.DELETION);
        }
    }

    /**
     * Deletes the hosts of some ids, if none of them is the mesh's own.
     *
     * @param state what is remembered
     * @param ids the ids
     * @return the names of the hosts
     * @throws InvalidMeshException if an id is not that of a host which carries the mesh's tag and is not the mesh's own
     * @throws ProviderException if the cloud refuses, or some hosts are not gone in time
     */
    public List<String> unmanaged(MeshState state, Collection<String> ids) {
        HostIdentities hosts =
                context.provider().inventory().isPresent() ? HostIdentities.NONE : observer.identify(state);
        List<String> problems = new ArrayList<>();
        List<CloudHost> wanted = new ArrayList<>();
        for (String id : ids) {
            Optional<CloudHost> host = hosts.unmanaged().stream()
                    .filter(one -> one.id().equals(id))
                    .findFirst();
            host.ifPresentOrElse(wanted::add, () -> problems.add(notUnmanaged(hosts, id)));
        }
        if (!problems.isEmpty()) {
            throw new InvalidMeshException(ErrorCode.UNKNOWN_NAME, mesh, problems);
        }
        List<String> names = wanted.stream().map(CloudHost::name).sorted().toList();
        removing(
                names,
                () -> naming(names, () -> context.provider().delete(mesh, new TreeSet<>(ids), Timeouts.DELETION)));
        return names;
    }

    private void removing(Collection<String> names, Runnable deletion) {
        try (Events.Task task =
                context.events().steps(names.stream().map(Decision::removal).toList())) {
            deletion.run();
            task.done();
        }
    }

    private static String notUnmanaged(HostIdentities hosts, String id) {
        return hosts.own().stream()
                .filter(host -> host.id().equals(id))
                .findFirst()
                .map(host -> "deleteUnmanaged: " + Names.quote(id) + " is " + host.name()
                        + ", which the state knows. Leave it out of the spec and run apply, or destroy the mesh.")
                .orElse("deleteUnmanaged: " + Names.quote(id)
                        + " is not the id of a host that carries this mesh's tag. Take the ids from plan().");
    }

    /** A failure names the hosts, whatever the provider says. */
    private static void naming(List<String> names, Runnable deletion) {
        try {
            deletion.run();
        } catch (ProviderException e) {
            String message = e.reason();
            if (names.isEmpty() || names.stream().anyMatch(message::contains)) {
                throw e;
            }
            throw e.withReason(String.join(", ", names) + ": " + message);
        }
    }
}
