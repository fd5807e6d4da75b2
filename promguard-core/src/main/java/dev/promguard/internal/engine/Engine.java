package dev.promguard.internal.engine;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.internal.act.Act;
import dev.promguard.internal.act.Outcome;
import dev.promguard.internal.decide.Decider;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.decide.HostDecision;
import dev.promguard.internal.decide.Request;
import dev.promguard.internal.observe.CloudObserver;
import dev.promguard.internal.observe.HostKeyPolicy;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.observe.HostObserver;
import dev.promguard.internal.observe.Observation;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.keys.Secret;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.Quote;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/** The verbs that observe, decide and act. One observation, one decision per host and run. Not for use by several threads. */
public final class Engine {
    private static final String ROTATE = "rotate the keys of every host";

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
        this.decider = new Decider(context.renderer(), context.store().describe(context.mesh()));
    }

    /**
     * Decides what an apply would do.
     *
     * @param only the hosts that it is about; empty for all of them
     * @return the decision
     */
    public Decision plan(Set<String> only) {
        try (Observation seen = observe(only, Timeouts.OBSERVE, false)) {
            seen.awaitAll();
            return decider.decide(Request.APPLY, seen.observed());
        }
    }

    /**
     * Brings hosts to their spec. A host that is slow to answer does not keep the others waiting.
     *
     * @param only the hosts that it is about; empty for all of them
     * @return what was done
     */
    public Outcome apply(Set<String> only) {
        context.events().started(null, "observe what exists");
        try (Observation seen = observe(only, context.sshTimeout(), true)) {
            seen.awaitSome(Optional.empty());
            return act(decider.decide(Request.APPLY, seen.observed()).orThrow(), seen);
        }
    }

    /**
     * Brings hosts to their spec if what is to be done passes a review.
     *
     * @param only the hosts that it is about; empty for all of them
     * @param review is shown the whole decision before anything is done; what it throws ends the run
     * @return what was done
     */
    public Outcome apply(Set<String> only, Consumer<Decision> review) {
        context.events().started(null, "observe what exists");
        try (Observation seen = observe(only, context.sshTimeout(), true)) {
            seen.awaitAll();
            Decision decision = decider.decide(Request.APPLY, seen.observed()).orThrow();
            review.accept(decision);
            return act(decision, seen);
        }
    }

    /**
     * Brings the mesh to its spec, and gives every host new keys. In one pass where nothing else is to do. A rotation needs every host.
     *
     * @return what was done
     */
    public Outcome rotateKeys() {
        Outcome applied;
        context.events().started(null, "observe what exists");
        try (Observation seen = observe(Set.of(), context.sshTimeout(), true)) {
            seen.awaitAll();
            Decision decision = decider.decide(Request.APPLY, seen.observed()).orThrow();
            if (decision.isEmpty()) {
                return rotate(seen);
            }
            applied = act(decision, seen);
        }
        Set<String> failed = applied.failedHosts();
        if (!failed.isEmpty()) {
            return applied.with(ROTATE, new NotRotatedException(failed));
        } else if (applied.cancelled().isPresent()) {
            return applied;
        }
        try (Observation seen = observe(Set.of(), context.sshTimeout(), true)) {
            seen.awaitAll();
            return applied.then(rotate(seen));
        }
    }

    private Outcome rotate(Observation seen) {
        context.events().started(null, ROTATE);
        Decision decision = decider.decide(Request.ROTATE, seen.observed()).orThrow();
        List<String> unable = decision.hosts().stream()
                .filter(host -> host.desired().isEmpty() || !host.problems().isEmpty())
                .map(HostDecision::name)
                .toList();
        if (unable.isEmpty()) {
            return act(decision, seen);
        }
        // Nothing is changed, but the hosts that stand in the way say why.
        return new Act(context, decider)
                .refuse(decision, seen, journal(seen), unable)
                .with(ROTATE, new NotRotatedException(unable));
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
        Roster roster = cloud.observe(state, Set.of());
        String address = Optional.ofNullable(roster.present().get(host))
                .flatMap(CloudHost::publicAddress)
                .filter(known -> roster.state().hosts().containsKey(host))
                .orElseThrow(() -> HostException.of(ErrorCode.HOST_NOT_CREATED, host, "", "connect")
                        .because("it does not exist yet", "Run apply first."));
        try (Secret loginKey = context.loginKey()) {
            return new HostKeyPolicy(context)
                    .openPinned(host, address, roster.remembered(host), loginKey, Timeouts.OBSERVE);
        }
    }

    private Outcome act(Decision decision, Observation seen) {
        return new Act(context, decider).carryOut(decision, seen, journal(seen));
    }

    private StateJournal journal(Observation seen) {
        return new StateJournal(context.store(), seen.loaded());
    }

    /**
     * Begins an observation.
     *
     * @param acts whether the run is going to act: then it waits for hosts that are not ready, and refuses hosts of others
     */
    private Observation observe(Set<String> only, Duration timeout, boolean acts) {
        MeshState loaded = context.loadState();
        Roster roster = cloud.observe(loaded, only);
        Quote quote = roster.missing().isEmpty()
                ? new Quote(List.of(), Map.of())
                : context.provider().check(roster.missing());
        decider.refuse(roster, quote, acts);
        List<String> firewall =
                context.provider().unprotected(context.mesh(), context.spec().wireGuardPort());
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
            if (host.publicAddress().isEmpty() && !acts) {
                known.put(name, new HostObservation.Unreachable(HostObserver.withoutAddress(name)));
            } else if (!acts || host.isReady()) {
                reachable.add(name);
            }
        }
        Observation seen =
                new Observation(context, loaded, new Observed(roster, quote, firewall, Map.of(), known), timeout, acts);
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
