package dev.promguard.internal.engine;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.MeshEvent;
import dev.promguard.PromGuardException;
import dev.promguard.VerifyReport;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.internal.act.Act;
import dev.promguard.internal.act.Outcome;
import dev.promguard.internal.decide.Decider;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.decide.HostDecision;
import dev.promguard.internal.decide.Removals;
import dev.promguard.internal.decide.Request;
import dev.promguard.internal.observe.CloudObserver;
import dev.promguard.internal.observe.HostKeyPolicy;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.observe.HostObserver;
import dev.promguard.internal.observe.Observation;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.observe.Sessions;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.Interruption;
import dev.promguard.internal.run.LoginKeys;
import dev.promguard.internal.run.RunStep;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.internal.text.Origin;
import dev.promguard.internal.verify.ProbeResults;
import dev.promguard.internal.verify.Prober;
import dev.promguard.internal.verify.Verifier;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.Preflight;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/** The verbs that observe, decide, and act or verify. One observation, one decision per host and run. Not for use by several threads. */
public final class Engine {
    /** What a run observes for. */
    private enum Purpose {
        /** To show what an apply would do: a host that is not ready is not waited for. */
        PLAN,
        /** To report the state of everything: like a plan, but problems are reported instead of refused. */
        VERIFY,
        /** To change hosts: waits for those that are not ready, and keeps changes of an earlier run. Removes hosts only if that is allowed. */
        CHANGE,
        /** To make changes that somebody has reviewed. */
        REVIEWED_CHANGE
    }

    private static final String ROTATE = "rotate the keys of every host";
    private static final String ROTATE_AGAIN =
            "Fix what is named above, then call rotateKeys() again, which applies first. apply() alone makes no new keys.";
    private static final String ROTATED = "Every host has new keys. Fix what is named above, then call apply().";

    private final Context context;
    private final CloudObserver cloud;
    private final Decider decider;

    /**
     * An engine for one run.
     *
     * @param context the run's context
     */
    public Engine(Context context) {
        this.context = context;
        this.cloud = new CloudObserver(context);
        this.decider = new Decider(context.renderer(), stateLocation());
    }

    /**
     * Decides what an apply would do.
     *
     * @param only the hosts that it is about; empty for all of them
     * @return the decision
     */
    public Decision plan(Set<String> only) {
        return plan(Request.APPLY, only);
    }

    private Decision plan(Request request, Set<String> only) {
        try (Observation seen = observe(context.loadState(), only, Timeouts.OBSERVE, Purpose.PLAN)) {
            seen.awaitAll();
            return decider.decide(request, seen.observed());
        }
    }

    /**
     * Brings hosts to their spec. A slow host does not delay the others.
     *
     * @param only the hosts that it is about; empty for all of them
     * @return what was done
     */
    public Outcome apply(Set<String> only) {
        try (Observation seen = observe(only, Purpose.CHANGE)) {
            if (seen.observed().roster().identities().adopted().isEmpty()) {
                seen.awaitSome(Optional.empty());
            } else {
                // Whether a host can be adopted is known before anything is done.
                seen.awaitAll();
            }
            Decision decision = decider.decide(Request.APPLY, seen.observed()).orThrow();
            context.events().expect(decision.steps());
            return act(decision, seen);
        }
    }

    /**
     * Brings hosts to their spec if the decision passes a review.
     *
     * @param only the hosts that it is about; empty for all of them
     * @param review is shown the whole decision before anything is done; what it throws ends the run
     * @return what was done
     */
    public Outcome apply(Set<String> only, Consumer<Decision> review) {
        try (Observation seen = observe(only, Purpose.REVIEWED_CHANGE)) {
            seen.awaitAll();
            Decision decision = decider.decide(Request.APPLY, seen.observed()).orThrow();
            review.accept(decision);
            context.events().expect(decision.steps());
            return act(decision, seen);
        }
    }

    /**
     * Gives a host the size of its spec, and applies to it.
     *
     * @param host the name of a host of the spec
     * @return what the apply did
     */
    public Outcome resize(String host) {
        return new HostVerbs(context).resize(host);
    }

    /**
     * Deletes a host, and applies.
     *
     * @param host the name of a host of the spec
     * @return what the apply did
     */
    public Outcome replace(String host) {
        return new HostVerbs(context).replace(host);
    }

    /**
     * Decides what a rotation would do: an apply, and new keys for every host.
     *
     * @return the decision
     */
    public Decision planRotation() {
        return plan(Request.ROTATE, Set.of());
    }

    /**
     * Brings the mesh to its spec and gives every host new keys. This takes one pass if the mesh is up to date,
     * and two if it is not. A rotation needs every host.
     *
     * @return what was done
     */
    public Outcome rotateKeys() {
        return rotateKeys(Optional.empty());
    }

    /**
     * Does what {@link #rotateKeys()} does if what is to be done passes a review.
     *
     * @param review is shown the whole decision before anything is done; what it throws ends the run
     * @return what was done
     */
    public Outcome rotateKeys(Consumer<Decision> review) {
        return rotateKeys(Optional.of(review));
    }

    private Outcome rotateKeys(Optional<Consumer<Decision>> review) {
        Outcome applied;
        Purpose purpose = review.isPresent() ? Purpose.REVIEWED_CHANGE : Purpose.CHANGE;
        try (Observation seen = observe(Set.of(), purpose)) {
            seen.awaitAll();
            Decision rotation = decider.decide(Request.ROTATE, seen.observed()).orThrow();
            Decision decision = decider.decide(Request.APPLY, seen.observed()).orThrow();
            review.ifPresent(reviewer -> reviewer.accept(rotation));
            context.events().expect(rotation.steps());
            if (decision.isEmpty()) {
                return rotate(seen);
            }
            applied = act(decision, seen);
        }
        Set<String> failed = applied.unableHosts();
        if (!failed.isEmpty()) {
            return applied.with(ROTATE, new NotRotatedException(failed)).continuedBy(ROTATE_AGAIN);
        } else if (applied.cancelled().isPresent()) {
            return applied;
        }
        try (Observation seen = observe(Set.of(), purpose)) {
            seen.awaitAll();
            return applied.then(rotate(seen));
        } catch (PromGuardException e) {
            return Interruption.behind(e)
                    .map(applied::cancelledBy)
                    .orElseGet(() -> applied.with(ROTATE, e).continuedBy(ROTATE_AGAIN));
        }
    }

    private Outcome rotate(Observation seen) {
        context.events().note(null, ROTATE);
        Decision decision = decider.decide(Request.ROTATE, seen.observed()).orThrow();
        List<String> unable = decision.hosts().stream()
                .filter(host -> host.desired().isEmpty() || !host.problems().isEmpty())
                .map(HostDecision::name)
                .toList();
        if (unable.isEmpty() && decision.problems().isEmpty()) {
            Outcome rotated = act(decision, seen);
            return rotated.continuedBy(rotated.unableHosts().isEmpty() ? ROTATED : ROTATE_AGAIN);
        }
        // Nothing is changed, but the hosts that stand in the way say why.
        return new Act(context, decider)
                .refuse(decision, seen, journal(seen), unable)
                .with(ROTATE, new NotRotatedException(unable))
                .continuedBy(ROTATE_AGAIN);
    }

    /**
     * Judges the mesh: whether an apply would change something, and what answers from outside, from the hosts and from Prometheus.
     *
     * @param now the time that the report is to name
     * @return the report
     * @throws dev.promguard.StateException if nothing is known of the mesh
     */
    public VerifyReport verify(Instant now) {
        MeshState loaded = context.isInventory()
                ? context.loadState()
                : context.store().load(context.mesh()).orElseThrow(context::unknownMesh);
        try (Observation seen = observe(loaded, Set.of(), Timeouts.OBSERVE, Purpose.VERIFY)) {
            seen.awaitAll();
            ProbeResults probes = new Prober(context).probe(seen);
            Decision decision = decider.decide(Request.APPLY, seen.observed());
            return new Verifier(context.provider().name(), stateLocation(), Origin.ofThisProgram(), decision, probes)
                    .judge(now);
        }
    }

    private String stateLocation() {
        return context.store().describe(context.mesh());
    }

    /**
     * Opens a session with a host.
     *
     * @param host the name of a host of the spec
     * @return the session, which the caller closes
     * @throws HostException if the host does not exist or cannot be reached
     * @throws dev.promguard.StateException if nothing is known of the mesh
     */
    public HostSession open(String host) {
        MeshState state = context.store().load(context.mesh()).orElseThrow(context::unknownMesh);
        Roster roster = cloud.observeBriefly(state);
        String address = Optional.ofNullable(roster.present().get(host))
                .flatMap(CloudHost::publicAddress)
                .filter(known -> roster.state().hosts().containsKey(host))
                .orElseThrow(() -> HostException.of(ErrorCode.HOST_NOT_CREATED, host, "", "connect")
                        .because("it does not exist yet", "Run apply first."));
        if (!context.isInventory()) {
            new LoginKeys(context).requireSameAs(state);
        }
        try (Sessions sessions = new Sessions(context::identity, state.jumpHosts())) {
            return new HostKeyPolicy(context)
                    .openPinned(host, address, roster.remembered(host), sessions, Timeouts.OBSERVE);
        }
    }

    /** What a run that changes nothing consists of. */
    private void expectReading(Roster roster, Set<String> reachable) {
        List<RunStep> steps =
                new ArrayList<>(reachable.stream().map(HostObserver::reading).toList());
        context.events().expectOf(MeshEvent.Verb.PLAN, steps);
        steps.addAll(Prober.steps(roster.blueprint(), reachable));
        context.events().expectOf(MeshEvent.Verb.VERIFY, steps);
    }

    private Outcome act(Decision decision, Observation seen) {
        return new Act(context, decider).carryOut(decision, seen, journal(seen));
    }

    private StateJournal journal(Observation seen) {
        return new StateJournal(context.store(), seen.loaded());
    }

    /** Begins an observation for a run that changes hosts. */
    private Observation observe(Set<String> only, Purpose purpose) {
        return observe(context.loadState(), only, context.sshTimeout(), purpose);
    }

    private Observation observe(MeshState loaded, Set<String> only, Duration timeout, Purpose purpose) {
        try (Events.Task task = context.events().task(null, "observe what exists")) {
            Observation seen = begin(loaded, only, timeout, purpose);
            task.done();
            return seen;
        }
    }

    private Observation begin(MeshState loaded, Set<String> only, Duration timeout, Purpose purpose) {
        boolean acts = purpose == Purpose.CHANGE || purpose == Purpose.REVIEWED_CHANGE;
        Roster roster = purpose == Purpose.VERIFY ? cloud.observeAsApplied(loaded) : cloud.observe(loaded, only);
        Preflight preflight = roster.missing().isEmpty()
                ? new Preflight(List.of(), Map.of())
                : context.provider().preflight(roster.missing());
        if (purpose != Purpose.VERIFY) {
            decider.refuse(roster, preflight, acts);
        }
        if (purpose == Purpose.CHANGE && !context.removalAllowed()) {
            Removals.refuse(roster);
        }
        boolean loginKeyIsDue = purpose == Purpose.VERIFY ? !roster.present().isEmpty() : roster.mayHaveHosts();
        if (!context.isInventory() && loginKeyIsDue) {
            new LoginKeys(context).requireSameAs(roster.state());
        }
        List<String> firewall =
                context.provider().planFirewall(context.mesh(), context.spec().wireGuardPorts());
        Map<String, HostObservation> known = new LinkedHashMap<>();
        Set<String> reachable = new TreeSet<>();
        roster.missing().forEach(order -> known.put(order.name(), new HostObservation.Absent()));
        for (Blueprint.Host selected : roster.selected()) {
            String name = selected.name();
            CloudHost host = roster.present().get(name);
            if (host == null) {
                continue;
            }
            known.put(name, new HostObservation.Awaited());
            Optional<HostException> down = context.isInventory()
                    ? Optional.empty()
                    : HostObserver.notRunning(host, context.provider().name());
            if (down.isPresent()) {
                known.put(name, new HostObservation.Unreachable(down.get()));
            } else if (host.publicAddress().isEmpty() && !acts) {
                known.put(name, new HostObservation.Unreachable(HostObserver.withoutAddress(name)));
            } else if (!acts || host.isReady()) {
                reachable.add(name);
            }
        }
        expectReading(roster, reachable);
        Observation seen = new Observation(
                context, loaded, new Observed(roster, preflight, firewall, Map.of(), known), timeout, acts);
        boolean begun = false;
        try {
            seen.read(reachable);
            begun = true;
            return seen;
        } finally {
            if (!begun) {
                seen.close();
            }
        }
    }
}
