package dev.promguard.internal.act;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.change.Change;
import dev.promguard.change.FactsQuery;
import dev.promguard.change.HostFacts;
import dev.promguard.change.Manifest;
import dev.promguard.change.NewKeys;
import dev.promguard.internal.observe.HostKeyPolicy;
import dev.promguard.internal.observe.HostObserver;
import dev.promguard.internal.observe.Sessions;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Parallel;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.Arrival;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.Inventory;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Uninstalls PromGuard from hosts that stay when the mesh goes, and leaves each as it was as far as its manifest tells. */
public final class Uninstaller {
    /** What is left on a host that had nothing of the mesh. */
    public static final String NOTHING = "nothing of the mesh was there";

    private static final String STEP = "uninstall PromGuard";

    private final Context context;
    private final StateJournal journal;
    private final Inventory inventory;
    private final HostKeyPolicy policy;

    /**
     * An uninstaller.
     *
     * @param context the run's context
     * @param journal the state, which forgets each host that is done
     * @param inventory how to log in to the hosts
     */
    public Uninstaller(Context context, StateJournal journal, Inventory inventory) {
        this.context = context;
        this.journal = journal;
        this.inventory = inventory;
        this.policy = new HostKeyPolicy(context);
    }

    /**
     * What came of some hosts.
     *
     * @param leftovers what was left on each host that is done, by its name
     * @param failures why the others are not done, by name
     */
    public record Result(Map<String, List<String>> leftovers, Map<String, RuntimeException> failures) {}

    /**
     * Uninstalls PromGuard from hosts, several at once.
     *
     * @param names the hosts' names
     * @param sessions what holds the key to log in with
     * @return what came of each
     */
    public Result uninstall(Collection<String> names, Sessions sessions) {
        Map<String, List<String>> leftovers = new TreeMap<>();
        Map<String, RuntimeException> failures = new TreeMap<>();
        Map<String, String> addresses = addresses(names, failures);
        for (String name : names) {
            if (inventory.gone().contains(name)) {
                journal.update(state -> state.without(name));
                leftovers.put(name, List.of("everything: it is said to be gone for good, and was not contacted"));
            } else if (!inventory.logins().containsKey(name)) {
                failures.put(
                        name,
                        HostException.of(ErrorCode.HOST_NOT_IN_INVENTORY, name, "", STEP)
                                .because(
                                        "it is not among the hosts that "
                                                + context.provider().name() + " names",
                                        "Name it again so that it can be reached, or say with gone(…) that it no longer exists."));
            }
        }
        Parallel.map(
                        addresses.keySet(),
                        context.parallelism(),
                        name -> uninstall(name, Objects.requireNonNull(addresses.get(name)), sessions))
                .forEach((name, result) -> {
                    if (result.failure() != null) {
                        failures.put(name, result.failure());
                        context.events().failed(name, STEP);
                    } else {
                        leftovers.put(name, result.orThrow());
                    }
                });
        return new Result(leftovers, failures);
    }

    /** Where the named hosts are, as far as their names can be resolved. */
    private Map<String, String> addresses(Collection<String> names, Map<String, RuntimeException> failures) {
        Map<String, CloudHost> wanted = new TreeMap<>();
        Map<String, String> waiting = new HashMap<>();
        for (CloudHost host : context.provider().list(context.mesh())) {
            if (names.contains(host.name())) {
                wanted.put(host.name(), host);
                if (host.publicAddress().isEmpty()) {
                    waiting.put(host.id(), host.name());
                }
            }
        }
        if (!waiting.isEmpty()) {
            Arrival arrival = context.provider().await(context.mesh(), waiting.keySet(), Timeouts.PROVISIONING);
            arrival.ready().forEach(host -> wanted.put(host.name(), host));
            arrival.missing().forEach((id, reason) -> {
                String name = Objects.requireNonNullElse(waiting.get(id), id);
                wanted.remove(name);
                failures.put(
                        name,
                        HostException.of(ErrorCode.ADDRESS_UNKNOWN, name, "", "connect")
                                .because(reason, ""));
            });
        }
        Map<String, String> addresses = new TreeMap<>();
        wanted.forEach((name, host) -> host.publicAddress().ifPresent(address -> addresses.put(name, address)));
        return addresses;
    }

    private List<String> uninstall(String name, String address, Sessions sessions) {
        context.events().started(name, STEP);
        HostState remembered = journal.state().hosts().get(name);
        // Of a host that is not remembered the address inside the tunnels is not known, and not needed.
        HostState known = remembered == null ? HostState.adopted(address, name) : remembered;
        List<String> leftovers = Collections.synchronizedList(new ArrayList<>());
        CommitConfirm confirming = new CommitConfirm(context, name, address, sessions.loginKey());
        boolean armed;
        HostState pinned;
        try (HostSession session =
                context.applier().open(policy.target(name, address, known, sessions.loginKey(), Timeouts.OBSERVE))) {
            HostState proven = known.pinned(session.hostKey());
            // A host that is trusted on first use is held to the key that it showed, also by the next run.
            journal.update(state -> state.with(name, proven));
            pinned = proven;
            HostFacts facts = HostObserver.settled(session, FactsQuery.MANIFEST_ALONE);
            if (facts.ledger()
                    .filter(manifest -> manifest.mesh().equals(context.mesh()))
                    .isEmpty()) {
                journal.update(state -> forget(state, name, remembered));
                context.events().done(name, NOTHING);
                return List.of(NOTHING);
            }
            armed = session.apply(Manifest.uninstall(), NewKeys.NONE, new Notes(name, leftovers));
        } catch (HostException e) {
            throw confirming.afterLoss(e, known);
        }
        if (armed) {
            confirming.armed();
            confirming.confirm(pinned, pinned);
        }
        journal.update(state -> forget(state, name, remembered));
        context.events().done(name, "is as it was before");
        return List.copyOf(leftovers);
    }

    /** Of a host that was not remembered no address is reserved: the mesh did not give it one that is known. */
    private static MeshState forget(MeshState state, String name, @Nullable HostState remembered) {
        if (remembered != null) {
            return state.without(name);
        }
        Map<String, HostState> hosts = new TreeMap<>(state.hosts());
        hosts.remove(name);
        return new MeshState(state.mesh(), hosts, state.resting(), state.intents(), state.accessKey());
    }

    /** Passes on what a host reports. */
    private final class Notes implements HostSession.Progress {
        private final String name;
        private final List<String> leftovers;

        Notes(String name, List<String> leftovers) {
            this.name = name;
            this.leftovers = leftovers;
        }

        @Override
        public void started(Change change) {
            context.events().started(name, change.describe());
        }

        @Override
        public void done(Change change) {
            context.events().done(name, change.describe());
        }

        @Override
        public void newHostKey(HostKeyFingerprint fingerprint) {
            throw new IllegalStateException(name + " replaces its host key while PromGuard is uninstalled");
        }

        @Override
        public void left(String what) {
            leftovers.add(what);
            context.events().done(name, "left: " + what);
        }
    }
}
