package dev.promguard.internal.act;

import dev.promguard.ProviderException;
import dev.promguard.StateException;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.observe.ManifestObserver;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.observe.Sessions;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.util.List;
import java.util.Optional;

/** Takes orphaned hosts out of the mesh: deletes those that PromGuard created, and uninstalls from those that were there before. */
final class Remover {
    private final Context context;
    private final StateJournal journal;
    private final Outcome.Recorder outcome;

    Remover(Context context, StateJournal journal, Outcome.Recorder outcome) {
        this.context = context;
        this.journal = journal;
        this.outcome = outcome;
    }

    void remove(Roster roster, Sessions sessions) {
        // The provider deletes nothing that lacks the tag, so a host that did not get it back would pass for gone.
        List<CloudHost> orphaned = roster.orphaned().stream()
                .filter(host -> !outcome.hasFailed(host.name()))
                .toList();
        if (orphaned.isEmpty()) {
            return;
        }
        List<String> names = orphaned.stream().map(CloudHost::name).sorted().toList();
        if (roster.inventory().isPresent()) {
            Uninstaller uninstaller = new Uninstaller(context, journal);
            Uninstaller.Result result = uninstaller.uninstall(
                    new ManifestObserver(context, roster.inventory().get())
                            .observe(names, journal.state(), sessions, uninstaller::pin),
                    sessions);
            result.failures().forEach((name, failure) -> outcome.failed("take PromGuard's parts off " + name, failure));
            outcome.removed(List.copyOf(result.leftovers().keySet()));
            return;
        }
        String step = "remove " + String.join(", ", names);
        names.forEach(name -> context.events().step(Decision.removal(name)));
        try {
            context.provider()
                    .delete(context.mesh(), orphaned.stream().map(CloudHost::id).toList(), Timeouts.DELETION);
            forget(orphaned);
        } catch (ProviderException | StateException e) {
            outcome.failed(step, e);
            names.forEach(name -> context.events().failed(name, step));
            return;
        }
        names.forEach(context.events()::done);
        outcome.removed(names);
    }

    private void forget(List<CloudHost> orphaned) {
        journal.update(state -> {
            MeshState changed = state;
            for (CloudHost host : orphaned) {
                HostState held = changed.hosts().get(host.name());
                if (held != null && held.providerId().equals(Optional.of(host.id()))) {
                    changed = changed.without(host.name());
                }
            }
            return changed;
        });
    }
}
