package dev.promguard.internal.act;

import dev.promguard.ApplyReport.Status;
import dev.promguard.HostException;
import dev.promguard.blueprint.Architecture;
import dev.promguard.host.Change;
import dev.promguard.host.DesiredHost;
import dev.promguard.host.LastApplied;
import dev.promguard.host.NewKeys;
import dev.promguard.host.Resources;
import dev.promguard.host.SymbolicKeys;
import dev.promguard.host.WireGuard;
import dev.promguard.internal.decide.Decider;
import dev.promguard.internal.decide.FirstContact;
import dev.promguard.internal.decide.HostDecision;
import dev.promguard.internal.decide.ViewerAccess;
import dev.promguard.internal.observe.HostObservation.Seen;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.RunStep;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.MeshState.HostState;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes the changes that were decided for one host, and records in the state what must outlive a crash. Thread-safe. */
final class HostChanger {
    /** How much of creating a host and setting it up is done when it is read. */
    private static final double READ = 0.3;

    private final Context context;
    private final StateJournal journal;
    private final Outcome.Recorder outcome;

    HostChanger(Context context, StateJournal journal, Outcome.Recorder outcome) {
        this.context = context;
        this.journal = journal;
        this.outcome = outcome;
    }

    /** The confirmation by a new connection that changes under an armed rollback need. */
    @FunctionalInterface
    interface Confirmation {
        void confirm();
    }

    /**
     * Changes a host.
     *
     * @param decision what was decided, with stand-ins for new keys
     * @param seen what was read of the host
     * @param session the session that it was read over
     * @param standIns the keys in the place of their stand-ins
     * @param keys the keys to send
     * @param confirming how to confirm
     * @param together whether others take their changes with it or not at all: a failure is then rolled back at once
     * @return the confirmation that is due; empty if no rollback was armed
     * @throws HostException if a change fails or the connection breaks
     */
    Optional<Confirmation> change(
            HostDecision decision,
            Seen seen,
            HostSession session,
            Map<PublicKey, PublicKey> standIns,
            NewKeys keys,
            CommitConfirm confirming,
            boolean together) {
        String name = decision.name();
        context.events().share(name, READ);
        if (!decision.changes().isEmpty()) {
            context.events().task(name, "change the host");
        }
        journal.update(state -> state.withJumpHosts(seen.jumpKeys()));
        HostState before = pinned(name, seen.hostKey());
        done(decision, FirstContact.HOST_KEY, false);
        DesiredHost desired = SymbolicKeys.resolve(decision.desired().orElseThrow(), standIns);
        List<Change> changes = SymbolicKeys.resolve(decision.changes(), standIns);
        done(decision, Decider.HOST, true);
        Resources.notes(seen.facts()).forEach(note -> outcome.noted(name, note));
        LastApplied left = LastApplied.of(
                desired, Architecture.ofMachine(seen.facts().machine()).orElseThrow());
        if (changes.isEmpty()) {
            journal.updateHost(name, host -> host.with(left));
            done(decision, ViewerAccess.VIEWER, false);
            context.events().note(name, "nothing to change");
            return Optional.empty();
        }
        // A run that is cut off leaves what it touched unknown, or a later plan would call it drift.
        LastApplied known =
                decision.rebuilt() ? LastApplied.NONE : before.lastApplied().orElse(LastApplied.NONE);
        LastApplied untouched = known.without(changes);
        if (!untouched.equals(before.lastApplied().orElse(LastApplied.NONE))) {
            journal.updateHost(name, host -> host.with(untouched));
        }
        Progress progress = new Progress(decision, SymbolicKeys.resolve(decision.drift(), standIns));
        boolean armed;
        try {
            armed = session.apply(changes, keys, progress);
            done(decision, ViewerAccess.VIEWER, false);
        } catch (HostException e) {
            if (together && e.status() == Status.FAILED) {
                rollBack(session, e);
            }
            session.close();
            throw confirming.afterLoss(e, journal.host(name));
        }
        if (armed) {
            confirming.armed();
            return Optional.of(() -> confirm(name, session, progress, left, confirming));
        }
        journal.updateHost(name, host -> host.with(left));
        return Optional.empty();
    }

    /** A host whose peers stay with the old keys is not left with new ones until its rollback begins by itself. */
    private static void rollBack(HostSession session, HostException failure) {
        try {
            session.rollBack();
        } catch (HostException e) {
            failure.addSuppressed(e);
        }
    }

    /** Pins the host key that the host proved, before anything is sent: one of several, or the one of the first contact. */
    private HostState pinned(String name, HostKeyFingerprint shown) {
        HostState before = journal.host(name);
        boolean bootstrap = before.bootstrapKey().equals(Optional.of(shown));
        if (!bootstrap && (context.isInventory() || before.hostKeys().size() != 1)) {
            journal.updateHost(name, host -> host.pinned(shown));
        }
        return journal.host(name);
    }

    private void confirm(
            String name, HostSession session, Progress progress, LastApplied left, CommitConfirm confirming) {
        session.close();
        HostState now = journal.host(name);
        HostKeyFingerprint fresh = progress.fresh;
        confirming.confirm(fresh == null ? now : now.pinned(fresh), now);
        journal.updateHost(name, host -> (fresh == null ? host : host.pinned(fresh)).with(left));
    }

    /** Of steps that no change makes: what they say is true by now. */
    private void done(HostDecision decision, String resource, boolean isDrift) {
        List<RunStep> steps = decision.otherSteps(resource);
        steps.forEach(step -> context.events().step(step).done());
        outcome.done(decision.name(), steps, isDrift);
    }

    /** Passes on what a host reports, and records its new host key before the host may use it. */
    private final class Progress implements HostSession.Progress {
        private final List<List<RunStep>> steps;
        private final String name;
        private final List<Change> drift;
        private int begun;
        private Events.@Nullable Task going;
        private volatile @Nullable HostKeyFingerprint fresh;

        Progress(HostDecision decision, List<Change> drift) {
            this.steps = decision.stepsOfChanges();
            this.name = decision.name();
            this.drift = drift;
        }

        @Override
        public void started(Change change) {
            going = context.events().steps(steps.get(begun++));
        }

        @Override
        public void done(Change change) {
            if (change instanceof WireGuard.WriteKey key) {
                journal.updateHost(name, host -> host.withPublicKey(key.publicKey()));
            }
            outcome.changed(name, change.describe(), drift.contains(change), RunStep.ids(steps.get(begun - 1)));
            Events.Task ended = going;
            if (ended != null) {
                ended.done();
            }
            context.events().share(name, READ + (1 - READ) * begun / (steps.size() + 1));
        }

        @Override
        public void noted(String note) {
            outcome.noted(name, note);
            context.events().note(name, note);
        }

        @Override
        public void newHostKey(HostKeyFingerprint fingerprint) {
            journal.updateHost(name, host -> host.accepting(fingerprint));
            fresh = fingerprint;
        }
    }
}
