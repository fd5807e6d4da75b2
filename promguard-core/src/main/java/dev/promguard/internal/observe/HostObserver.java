package dev.promguard.internal.observe;

import dev.promguard.ApplyReport;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.ProviderException;
import dev.promguard.host.DesiredHost;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.HostFacts;
import dev.promguard.host.Membership;
import dev.promguard.host.Packages;
import dev.promguard.host.Resources;
import dev.promguard.host.SymbolicKeys;
import dev.promguard.internal.observe.HostObservation.Seen;
import dev.promguard.internal.observe.HostObservation.Unreachable;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.RunStep;
import dev.promguard.keys.PublicKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostSession;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Reads hosts, each over one session that stays open for what follows. Changes nothing on them. Thread-safe. */
public final class HostObserver {
    private static final String ASK = "read what is on it";
    private static final String WAIT_AND_ASK = "wait until it has booted, and read what is on it";

    private final Context context;
    private final HostKeyPolicy policy;

    /**
     * An observer.
     *
     * @param context the run's context
     */
    public HostObserver(Context context) {
        this.context = context;
        this.policy = new HostKeyPolicy(context);
    }

    /**
     * What a host should be as far as what is remembered can tell: what it need not send, since it is known.
     *
     * @param roster the hosts
     * @param name the host's name
     * @return what it is expected to be
     */
    public DesiredHost expected(Roster roster, String name) {
        Map<String, PublicKey> keys = roster.state().publicKeys();
        keys.putIfAbsent(name, SymbolicKeys.of(name));
        return context.renderer().render(roster.blueprint(), name, roster.publicAddresses(), keys);
    }

    /**
     * Opens a session with a host.
     *
     * @param roster the hosts
     * @param name the host's name
     * @param sessions where the session is kept
     * @param timeout how long the host may take to answer
     * @param rebuilt whether a host that was rebuilt is let in
     * @return the session
     * @throws HostException if there is none in time, or the host shows a key that is not accepted
     */
    public HostSession open(Roster roster, String name, Sessions sessions, Duration timeout, boolean rebuilt) {
        String address = Objects.requireNonNull(roster.present().get(name), name)
                .publicAddress()
                .orElseThrow(() -> withoutAddress(name));
        HostSession session = rebuilt
                ? policy.open(name, address, roster.remembered(name), sessions, timeout)
                : policy.openPinned(name, address, roster.remembered(name), sessions, timeout);
        sessions.add(name, session);
        return session;
    }

    /**
     * The observation of a host whose address is unknown.
     *
     * @param name the host's name
     * @return the failure
     */
    public static HostException withoutAddress(String name) {
        return HostException.of(ErrorCode.ADDRESS_UNKNOWN, name, "", "connect")
                .because("it has no public address yet", "Run again in a minute.");
    }

    /**
     * Why a host of a cloud will not answer, however long it is waited for.
     *
     * @param host the host, under the mesh's name for it
     * @param provider the provider's name
     * @return the failure; empty if it answers or may soon
     */
    public static Optional<HostException> notRunning(CloudHost host, String provider) {
        String again = ", then run again.";
        String anew = "Create it anew with replace(\"" + host.name() + "\")";
        return switch (host.status()) {
            case OFF ->
                host.locked()
                        ? down(
                                host,
                                "it is off, and locked at " + provider,
                                "Wait until what is done to it there has ended, or ask " + provider
                                        + "'s support why it is locked; then power it on with powerOn(\"" + host.name()
                                        + "\").")
                        : down(
                                host,
                                "it is off",
                                "Power it on with powerOn(\"" + host.name() + "\") or at " + provider + again);
            case ARCHIVED ->
                down(
                        host,
                        "it is archived at " + provider,
                        "Ask " + provider + "'s support to restore it" + again + " " + anew + " if it is not needed.");
            case NEW ->
                host.young()
                        ? Optional.empty()
                        : down(
                                host,
                                "it was ordered long ago, and " + provider + " has not started it",
                                anew + ", or ask " + provider + "'s support.");
            case ACTIVE ->
                host.young() || host.publicAddress().isPresent()
                        ? Optional.empty()
                        : down(
                                host,
                                "it runs and has no public address",
                                "Give it one at " + provider + again + " Or: " + anew + ".");
        };
    }

    private static Optional<HostException> down(CloudHost host, String why, String remedy) {
        return Optional.of(HostException.of(
                        ErrorCode.HOST_NOT_READY,
                        host.name(),
                        host.publicAddress().orElse(""),
                        "connect")
                .because(why, remedy));
    }

    /**
     * Reads a host that a run is to change. Changes of an earlier run that nobody confirmed are kept: that this session could be opened
     * is the proof that they do no harm.
     *
     * @param session the session
     * @param query what to read
     * @param bootTimeout how long to wait for the host's first boot
     * @return the facts, which say whether there were such changes
     * @throws HostException if the host cannot be read, or was not done with a rollback in time
     */
    public static HostFacts settled(HostSession session, FactsQuery query, Duration bootTimeout) {
        HostFacts facts = session.facts(query, bootTimeout);
        if (facts.rollbackPending()) {
            try {
                session.confirm();
            } catch (HostException e) {
                if (e.status() != ApplyReport.Status.ROLLED_BACK) {
                    throw e;
                }
                // The rollback was first: the host is as it was before those changes.
                return session.facts(query, bootTimeout);
            }
        }
        return facts;
    }

    /**
     * The step that reads a host, in runs that change nothing.
     *
     * @param name the host's name
     * @return the step
     */
    public static RunStep reading(String name) {
        return RunStep.of(name, name + "/read", "read the host");
    }

    /**
     * Reads a host over a new session, whatever comes of it.
     *
     * @param roster the hosts
     * @param name the host's name
     * @param sessions where the session is kept
     * @param timeout how long the host may take to answer
     * @param settles whether unconfirmed changes of an earlier run are kept
     * @param created whether this run has created the host. What apt would remove is for a plan that somebody reads; on a host that has
     *     never run apt it takes seconds of its processor to tell, and apply removes nothing in any case
     * @return what was expected of the host, and what is known of it
     */
    public Arrived observe(
            Roster roster, String name, Sessions sessions, Duration timeout, boolean settles, boolean created) {
        DesiredHost expected = expected(roster, name);
        CloudHost host = Objects.requireNonNull(roster.present().get(name), name);
        boolean read = false;
        try (Events.Task reading = context.events().step(reading(name))) {
            HostSession session;
            try (Events.Task connecting = context.events().task(name, "connect over SSH")) {
                session = open(roster, name, sessions, timeout, true);
                connecting.done();
            }
            FactsQuery query = Resources.query(expected);
            if (roster.identities().adopted().containsKey(name)) {
                query = Membership.alsoOf(query);
            }
            if (created) {
                query = query.without(Packages.REMOVALS);
            }
            HostFacts facts;
            try (Events.Task asking = context.events().task(name, context.isInventory() ? ASK : WAIT_AND_ASK)) {
                facts = settles
                        ? settled(session, query, context.bootTimeout())
                        : session.facts(query, context.bootTimeout());
                asking.done();
            }
            read = true;
            reading.done();
            return new Arrived(host, expected, new Seen(facts, session.hostKey(), policy.jumpKeys(name, session)));
        } catch (HostException | ProviderException e) {
            return new Arrived(host, expected, new Unreachable(e));
        } finally {
            if (!read) {
                sessions.close(name);
            }
        }
    }
}
