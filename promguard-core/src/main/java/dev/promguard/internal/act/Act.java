package dev.promguard.internal.act;

import dev.promguard.AppliedChange;
import dev.promguard.InvalidMeshException;
import dev.promguard.PromGuardException;
import dev.promguard.ProviderException;
import dev.promguard.StateException;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.ExplainedChange;
import dev.promguard.internal.decide.Decider;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.decide.HostDecision;
import dev.promguard.internal.decide.Placement;
import dev.promguard.internal.decide.Removals;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.observe.Observation;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.Interruption;
import dev.promguard.internal.run.RunStep;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.keys.PublicKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.CreateIntent;
import dev.promguard.spi.MeshState.HostState;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Carries out a decision over the sessions that it was made over. Hosts that are created on the way are observed alone, and the
 * same decider decides about them and their peers. Hosts are configured as soon as they are ready: one that is late or never
 * comes does not keep the others waiting.
 */
public final class Act {
    private final Context context;
    private final Decider decider;

    /**
     * What carries out decisions.
     *
     * @param context the run's context
     * @param decider what decides about hosts that are created on the way
     */
    public Act(Context context, Decider decider) {
        this.context = context;
        this.decider = decider;
    }

    /**
     * Carries out a decision.
     *
     * @param decision a decision that nothing blocks
     * @param seen the observation that it was made from
     * @param journal the state
     * @return what was done; failures of single hosts are part of it
     * @throws ProviderException if the cloud refuses before a host is created
     * @throws dev.promguard.StateException if the state cannot be kept
     */
    public Outcome carryOut(Decision decision, Observation seen, StateJournal journal) {
        Outcome.Recorder outcome = new Outcome.Recorder(decision);
        try (KeyRing ring = new KeyRing(context.keys())) {
            carryOut(decision, seen, journal, outcome, ring);
            return outcome.outcome(Optional.empty());
        } catch (PromGuardException e) {
            return outcome.outcome(Optional.of(Interruption.behind(e).orElseThrow(() -> e)));
        }
    }

    /**
     * Reports why hosts stand in the way of a decision that is not carried out.
     *
     * @param decision the decision
     * @param seen the observation that it was made from
     * @param journal the state, which is not changed
     * @param names the hosts
     * @return an outcome in which these hosts failed, and nothing was done
     */
    public Outcome refuse(Decision decision, Observation seen, StateJournal journal, List<String> names) {
        Outcome.Recorder outcome = new Outcome.Recorder(decision);
        outcome.at(decision.observed().roster().publicAddresses());
        try (KeyRing ring = new KeyRing(context.keys())) {
            Rollout rollout = rollout(decision, seen, journal, outcome, ring);
            names.forEach(rollout::refuse);
        }
        return outcome.outcome(Optional.empty());
    }

    private void carryOut(
            Decision decision, Observation seen, StateJournal journal, Outcome.Recorder outcome, KeyRing ring) {
        Roster roster = decision.observed().roster();
        outcome.at(roster.publicAddresses());
        settle(journal, roster);
        protect(decision, outcome);
        Provisioner provisioner = new Provisioner(context, journal, outcome);
        provisioner.ensureLoginKey(roster);
        restoreTags(decision, roster, outcome);
        ensureFirewall(decision, outcome);

        Map<String, CloudHost> created =
                roster.missing().isEmpty() ? Map.of() : provisioner.create(roster.blueprint(), roster.missing());
        if (!created.isEmpty() && !isAlone(provisioner, roster, outcome)) {
            return;
        }
        Map<String, CloudHost> waiting = new TreeMap<>(created);
        Map<String, HostObservation> known = new LinkedHashMap<>();
        for (HostDecision host : decision.hosts()) {
            CloudHost present = roster.present().get(host.name());
            if (host.kind() == HostDecision.Kind.CREATE) {
                known.put(host.name(), new HostObservation.Awaited());
            } else if (host.kind() == HostDecision.Kind.AWAITED && present != null && !present.isReady()) {
                waiting.put(host.name(), present);
            }
        }
        seen.update(journal.state(), created, known);
        if (!waiting.isEmpty()) {
            seen.readWhenReady(waiting.keySet(), told -> provisioner.await(waiting, told));
        }
        rollOut(decision, seen, journal, outcome, ring);
        forgetViewers(roster, journal, outcome);
        new Remover(context, journal, outcome).remove(roster, seen.sessions());
        boolean complete = !outcome.hasFailures();
        reportDifferences(decision, roster, outcome);
        // A host that was not observed may still have a peer that is gone.
        if (complete && roster.only().isEmpty()) {
            try {
                journal.update(MeshState::rested);
            } catch (StateException e) {
                failed("record that no address is reserved any more", e, outcome);
            }
        }
    }

    /** Who is shut out of every monitor is not remembered. */
    private void forgetViewers(Roster roster, StateJournal journal, Outcome.Recorder outcome) {
        if (roster.blueprint().monitors().stream()
                .anyMatch(monitor -> !roster.covers(monitor.name()) || outcome.hasFailed(monitor.name()))) {
            return;
        }
        Set<String> viewers = roster.blueprint().viewers().stream()
                .map(Blueprint.Viewer::name)
                .collect(Collectors.toSet());
        try {
            journal.update(state -> state.retainingViewers(viewers));
        } catch (StateException e) {
            failed("record which viewers are shut out", e, outcome);
        }
    }

    /** Which hosts are protected is kept in the state, and was written there with the rest. */
    private void protect(Decision decision, Outcome.Recorder outcome) {
        for (HostDecision host : decision.hosts()) {
            List<RunStep> steps = host.otherSteps(Removals.PROTECTION);
            steps.forEach(step -> context.events().step(step).done());
            outcome.done(host.name(), steps, false);
        }
    }

    private void ensureFirewall(Decision decision, Outcome.Recorder outcome) {
        List<RunStep> planned = decision.cloudSteps();
        List<String> inCloud;
        try (Events.Task task = context.events().steps(planned)) {
            inCloud = context.provider()
                    .ensureFirewall(context.mesh(), context.spec().wireGuardPorts());
            task.done();
        }
        outcome.cloud(inCloud.stream()
                .map(change -> AppliedChange.builder(change)
                        .stepIds(RunStep.ids(planned.stream()
                                .filter(step -> step.text().equals(change))
                                .toList()))
                        .build())
                .toList());
        inCloud.stream()
                .filter(change -> planned.stream().noneMatch(step -> step.text().equals(change)))
                .forEach(change -> context.events().note(null, change));
    }

    /** An apply that leaves a host as different from its spec as plan shows it must not pass for complete. */
    private void reportDifferences(Decision decision, Roster roster, Outcome.Recorder outcome) {
        for (HostDecision host : decision.hosts()) {
            List<ExplainedChange> differences = Placement.differences(roster, host.name());
            if (!differences.isEmpty() && !outcome.hasFailed(host.name())) {
                outcome.failed(host.name(), Placement.failure(host.name(), differences));
                context.events().failed(host.name(), "compare with the spec");
            }
        }
    }

    /** Restores the mesh's tag on hosts that have lost it. The cloud's firewall selects hosts by this tag, so this comes first. */
    private void restoreTags(Decision decision, Roster roster, Outcome.Recorder outcome) {
        Map<String, String> lost = new TreeMap<>();
        roster.present().forEach((name, host) -> {
            if (roster.covers(name)) {
                lost.put(name, host.id());
            }
        });
        roster.orphaned().forEach(host -> lost.putIfAbsent(host.name(), host.id()));
        lost.keySet().removeIf(name -> !roster.identities().hasLostItsTag(name));
        if (lost.isEmpty()) {
            return;
        }
        Map<String, Events.Task> tasks = new TreeMap<>();
        lost.keySet().forEach(name -> tasks.put(name, restoringTag(decision, name)));
        try {
            context.provider().tag(context.mesh(), lost.values());
        } catch (ProviderException e) {
            lost.keySet().forEach(name -> {
                outcome.failed(name, e);
                context.events().failed(name, Decider.LOST_TAG);
            });
            return;
        }
        lost.keySet().forEach(name -> {
            if (roster.present().containsKey(name)) {
                outcome.changed(name, Decider.LOST_TAG, true, RunStep.ids(tagSteps(decision, name)));
            }
            Objects.requireNonNull(tasks.get(name)).done();
        });
    }

    private Events.Task restoringTag(Decision decision, String name) {
        List<RunStep> planned = tagSteps(decision, name);
        return planned.isEmpty()
                ? context.events().task(name, Decider.LOST_TAG)
                : context.events().steps(planned);
    }

    private static List<RunStep> tagSteps(Decision decision, String name) {
        return decision.hosts().stream()
                .filter(host -> host.name().equals(name))
                .flatMap(host -> host.otherSteps(Decider.CLOUD_TAG).stream())
                .toList();
    }

    /** Observes again whether another program has created hosts of the same mesh meanwhile: then nothing more is done. */
    private boolean isAlone(Provisioner provisioner, Roster roster, Outcome.Recorder outcome) {
        try {
            provisioner.refuseUnmanaged();
            return true;
        } catch (InvalidMeshException | ProviderException e) {
            // What this run has created is in the state, so that it can be told from the others.
            for (HostOrder order : roster.missing()) {
                if (!outcome.hasFailed(order.name())) {
                    outcome.failed(order.name(), e);
                }
            }
            context.events().failed(null, "check for other hosts with the mesh's tag");
            return false;
        }
    }

    /**
     * Configures hosts in waves: those that were read within a short while together, and late ones in later waves, which complete the
     * peers of hosts that are configured already. If all hosts were read, the decision is carried out unchanged.
     */
    private void rollOut(
            Decision reviewed, Observation seen, StateJournal journal, Outcome.Recorder outcome, KeyRing ring) {
        Set<String> now = new TreeSet<>();
        for (HostDecision host : reviewed.hosts()) {
            if (host.kind() != HostDecision.Kind.CREATE
                    && host.kind() != HostDecision.Kind.AWAITED
                    && !outcome.hasFailed(host.name())) {
                now.add(host.name());
            }
        }
        Decision decision = reviewed;
        boolean creates = reviewed.hosts().stream().anyMatch(host -> host.kind() == HostDecision.Kind.CREATE);
        if (!seen.complete() && (creates || now.isEmpty())) {
            now.addAll(arrived(
                    seen.awaitSome(
                            now.isEmpty()
                                    ? Optional.empty()
                                    : Optional.of(context.intervals().first())),
                    seen,
                    journal,
                    outcome));
            decision = decider.decide(reviewed.request(), seen.observed());
            reviewed.requireSameApartFromPeers(decision);
        }
        Set<String> deferred = new TreeSet<>(wave(decision, now, seen, journal, outcome, ring));
        Set<String> configured = new TreeSet<>(now);
        while (!seen.complete()) {
            configured.removeIf(outcome::hasFailed);
            configured.removeAll(deferred);
            Set<String> ready = arrived(seen.awaitSome(Optional.empty()), seen, journal, outcome);
            Set<String> again = peersAmong(configured, seen.observed(), ready);
            if (ready.stream().anyMatch(name -> seen.observed().seen(name).isPresent())) {
                again.addAll(deferred);
                again.addAll(peersAmong(configured, seen.observed(), deferred));
            }
            seen.readAgain(again);
            Set<String> next = new TreeSet<>(ready);
            next.addAll(again);
            decision = decider.decide(reviewed.request(), seen.observed());
            deferred.removeAll(next);
            deferred.addAll(wave(decision, next, seen, journal, outcome, ring));
            configured.addAll(next);
        }
        Rollout rest = rollout(decision, seen, journal, outcome, ring);
        deferred.stream().filter(name -> !outcome.hasFailed(name)).forEach(rest::refuse);
    }

    private Set<String> wave(
            Decision decision,
            Set<String> names,
            Observation seen,
            StateJournal journal,
            Outcome.Recorder outcome,
            KeyRing ring) {
        Set<String> deferred = rollout(decision, seen, journal, outcome, ring).change(names);
        // Now, not when the last host is done: a rebuild that begins before does not count.
        datePins(journal, outcome);
        return deferred;
    }

    private Rollout rollout(
            Decision decision, Observation seen, StateJournal journal, Outcome.Recorder outcome, KeyRing ring) {
        return new Rollout(context, decider, journal, outcome, ring, seen.sessions(), decision);
    }

    /** Takes note of hosts that were read, or are known not to come, and returns those that were read. */
    private Set<String> arrived(Set<String> names, Observation seen, StateJournal journal, Outcome.Recorder outcome) {
        seen.update(journal.state(), Map.of(), Map.of());
        outcome.at(seen.observed().roster().publicAddresses());
        return names;
    }

    /** Those of the configured hosts that are peers of hosts which have become ready. */
    private static Set<String> peersAmong(Set<String> configured, Observed observed, Set<String> ready) {
        Set<String> peers = new TreeSet<>();
        for (String name : ready) {
            if (observed.seen(name).isPresent()) {
                peers.addAll(observed.roster().blueprint().host(name).peers());
            }
        }
        peers.retainAll(configured);
        return peers;
    }

    /** Records what was decided and what the listing has shown: addresses, adopted hosts, hosts that are gone, and creates whose outcome is known. */
    private static void settle(StateJournal journal, Roster roster) {
        journal.update(before -> {
            Map<String, String> planned = new TreeMap<>();
            roster.blueprint().hosts().forEach(host -> planned.put(host.name(), host.address()));
            Map<String, MeshState.ViewerState> viewers = new TreeMap<>();
            boolean told = roster.blueprint().monitors().stream().anyMatch(monitor -> roster.covers(monitor.name()));
            (told ? roster.blueprint().viewers() : List.<Blueprint.Viewer>of())
                    .forEach(viewer -> viewers.put(
                            viewer.name(),
                            new MeshState.ViewerState(
                                    viewer.address(),
                                    new PublicKey(viewer.spec().publicKey()))));
            MeshState state = roster.state().moved(planned).withViewers(viewers);
            // Nothing is known to be gone where not everything was looked for.
            Map<String, HostState> held =
                    roster.only().isEmpty() ? roster.state().hosts() : Map.of();
            for (Map.Entry<String, HostState> entry : held.entrySet()) {
                boolean exists = roster.present().containsKey(entry.getKey())
                        || roster.orphaned().stream()
                                .anyMatch(host -> entry.getValue().providerId().equals(Optional.of(host.id())));
                if (!exists && !roster.blueprint().contains(entry.getKey())) {
                    state = state.without(entry.getKey());
                }
            }
            for (CreateIntent intent : before.intents()) {
                boolean settled = intent.names().stream()
                        .allMatch(
                                name -> roster.covers(name) || roster.present().containsKey(name));
                state = settled ? state.settled(intent) : state;
            }
            return state.protecting(roster.selected().stream()
                    .collect(Collectors.toMap(
                            Blueprint.Host::name, host -> host.spec().isProtected())));
        });
    }

    /** Records by the cloud's clock that hosts' own keys are pinned: a rebuild that begins later is news. */
    private void datePins(StateJournal journal, Outcome.Recorder outcome) {
        if (journal.state().hosts().values().stream().noneMatch(HostState::pinnedUndated)) {
            return;
        }
        try {
            context.provider()
                    .clock()
                    .ifPresent(now -> journal.update(state -> {
                        MeshState changed = state;
                        for (Map.Entry<String, HostState> entry : state.hosts().entrySet()) {
                            if (entry.getValue().pinnedUndated()) {
                                changed = changed.with(
                                        entry.getKey(), entry.getValue().pinnedAt(now));
                            }
                        }
                        return changed;
                    }));
        } catch (ProviderException | StateException e) {
            failed("ask " + context.provider().name() + " for the time", e, outcome);
        }
    }

    private void failed(String step, RuntimeException failure, Outcome.Recorder outcome) {
        outcome.failed(step, failure);
        context.events().failed(null, step);
    }
}
