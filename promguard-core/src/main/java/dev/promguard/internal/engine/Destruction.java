package dev.promguard.internal.engine;

import dev.promguard.blueprint.HostSpec;
import dev.promguard.internal.act.Deleter;
import dev.promguard.internal.act.Uninstaller;
import dev.promguard.internal.decide.DestroyDecision;
import dev.promguard.internal.observe.CloudObserver;
import dev.promguard.internal.observe.HostIdentities;
import dev.promguard.internal.observe.ManifestObserver;
import dev.promguard.internal.observe.ManifestObserver.Manifests;
import dev.promguard.internal.observe.Sessions;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.ListLag;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.spi.HostInventory;
import dev.promguard.spi.MeshState;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Takes a whole mesh away: deletes hosts that PromGuard created, and uninstalls PromGuard from those that were there before. */
public final class Destruction {
    private final Context context;

    /**
     * A destruction.
     *
     * @param context the run's context
     */
    public Destruction(Context context) {
        this.context = context;
    }

    /**
     * What a destruction did.
     *
     * @param mesh the mesh's name
     * @param removed the names of the hosts that are no longer in the mesh
     * @param leftovers what was left on hosts that stay, by their names
     * @param failures why hosts are still in it, by their names
     * @param problems why hosts that carry the mesh's tag were left, and what to do
     * @param checked how long the cloud was checked for hosts of orders whose outcome was not known; zero if there were none
     */
    public record Result(
            String mesh,
            List<String> removed,
            Map<String, List<String>> leftovers,
            Map<String, RuntimeException> failures,
            List<String> problems,
            Duration checked) {}

    /**
     * Decides what a destruction would do. Changes nothing.
     *
     * @return the decision
     * @throws dev.promguard.ProviderException if the cloud refuses
     */
    public DestroyDecision plan() {
        MeshState state = context.loadState();
        Optional<HostInventory> inventory = context.provider().inventory();
        if (inventory.isEmpty()) {
            return decide(state, identify(state, new ListLag(context)));
        }
        try (Sessions sessions = new Sessions(context::identity, state.jumpHosts())) {
            return decide(
                    state,
                    new ManifestObserver(context, inventory.get())
                            .observe(names(state, inventory.get()), state, sessions));
        }
    }

    /**
     * Takes the mesh away, as far as it goes, if what is to be done passes a review. The state stays the caller's to delete.
     *
     * @param review is shown the whole decision before anything is done; what it throws ends the run
     * @return what was done
     * @throws dev.promguard.ProviderException if the cloud refuses, or some hosts are not gone in time
     */
    public Result destroy(Consumer<DestroyDecision> review) {
        MeshState state = context.loadState();
        StateJournal journal = new StateJournal(context.store(), state);
        Optional<HostInventory> inventory = context.provider().inventory();
        if (inventory.isPresent()) {
            return uninstall(journal, inventory.get(), review);
        }
        ListLag lag = new ListLag(context);
        HostIdentities hosts = identify(state, lag);
        accept(decide(state, hosts), review);
        Deleter.Result deleted = new Deleter(context).destroy(journal, hosts, lag);
        if (deleted.problems().isEmpty()) {
            try (Events.Task task = context.events().task(null, "remove what the mesh has in the cloud beside hosts")) {
                context.provider().cleanUp(context.mesh(), state.accessKey());
                task.done();
            }
        }
        return new Result(context.mesh(), deleted.removed(), Map.of(), Map.of(), deleted.problems(), deleted.checked());
    }

    private HostIdentities identify(MeshState state, ListLag lag) {
        try (Events.Task task = context.events().task(null, "observe what exists")) {
            HostIdentities hosts = new CloudObserver(context).identify(state, lag);
            task.done();
            return hosts;
        }
    }

    private void accept(DestroyDecision decision, Consumer<DestroyDecision> review) {
        decision.requireUnprotected(context.mesh());
        review.accept(decision);
        context.events().expect(decision.steps());
    }

    private DestroyDecision decide(MeshState state, HostIdentities hosts) {
        return DestroyDecision.ofCloud(state, hosts, context.store().describe(context.mesh()))
                .sparing(state, protectedBySpec());
    }

    private DestroyDecision decide(MeshState state, Manifests manifests) {
        return DestroyDecision.ofInventory(context.mesh(), state, manifests.hosts(), manifests.addresses())
                .sparing(state, protectedBySpec());
    }

    private Set<String> protectedBySpec() {
        return context.spec().hosts().stream()
                .filter(HostSpec::isProtected)
                .map(HostSpec::name)
                .collect(Collectors.toSet());
    }

    private Set<String> names(MeshState state, HostInventory inventory) {
        Set<String> names = new TreeSet<>(state.hosts().keySet());
        context.spec().hosts().stream()
                .map(HostSpec::name)
                .filter(inventory.logins()::containsKey)
                .forEach(names::add);
        return names;
    }

    private Result uninstall(StateJournal journal, HostInventory inventory, Consumer<DestroyDecision> review) {
        Uninstaller.Result result;
        MeshState state = journal.state();
        try (Sessions sessions = new Sessions(context::identity, state.jumpHosts())) {
            Uninstaller uninstaller = new Uninstaller(context, journal);
            Manifests manifests = new ManifestObserver(context, inventory)
                    .observe(names(state, inventory), state, sessions, uninstaller::pin);
            accept(decide(state, manifests), review);
            result = uninstaller.uninstall(manifests, sessions);
        }
        List<String> nothing = List.of(Uninstaller.NOTHING);
        List<String> removed = result.leftovers().entrySet().stream()
                .filter(entry -> !entry.getValue().equals(nothing))
                .map(Map.Entry::getKey)
                .toList();
        Map<String, List<String>> leftovers = new TreeMap<>(result.leftovers());
        leftovers.values().removeIf(what -> what.equals(nothing) || what.isEmpty());
        return new Result(context.mesh(), removed, leftovers, result.failures(), List.of(), Duration.ZERO);
    }
}
