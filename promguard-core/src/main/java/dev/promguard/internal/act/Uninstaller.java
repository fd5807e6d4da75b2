package dev.promguard.internal.act;

import dev.promguard.HostException;
import dev.promguard.host.Change;
import dev.promguard.host.Manifest;
import dev.promguard.host.NewKeys;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.observe.HostObservation.Seen;
import dev.promguard.internal.observe.ManifestObserver.Manifests;
import dev.promguard.internal.observe.Sessions;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.Parallel;
import dev.promguard.internal.run.RunStep;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.internal.text.StableIds;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.util.ArrayList;
import java.util.Collections;
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
    private final MeshState before;

    /**
     * An uninstaller. What is remembered now tells which hosts were in the mesh before it pins their host keys.
     *
     * @param context the run's context
     * @param journal the state, which forgets each host that is done
     */
    public Uninstaller(Context context, StateJournal journal) {
        this.context = context;
        this.journal = journal;
        this.before = journal.state();
    }

    /**
     * Holds a host that is trusted on first use to the key that it showed, also in the next run.
     *
     * @param name the host's name
     * @param host what is known of it, with that key
     * @param jumpHosts the keys of the jump hosts on the way, by their paths
     */
    public void pin(String name, HostState host, Map<String, HostKeyFingerprint> jumpHosts) {
        journal.update(state -> state.with(name, host).withJumpHosts(jumpHosts));
    }

    /**
     * What came of some hosts.
     *
     * @param leftovers what was left on each host that is done, by its name
     * @param failures why the others are not done, by name
     */
    public record Result(Map<String, List<String>> leftovers, Map<String, RuntimeException> failures) {}

    /**
     * Uninstalls PromGuard from several hosts at once, over the sessions that read them.
     *
     * @param manifests what was read of the hosts
     * @param sessions the open sessions
     * @return what came of each
     */
    public Result uninstall(Manifests manifests, Sessions sessions) {
        Map<String, List<String>> leftovers = new TreeMap<>();
        Map<String, RuntimeException> failures = new TreeMap<>();
        Map<String, Seen> read = new TreeMap<>();
        manifests.hosts().forEach((name, host) -> {
            if (host instanceof Seen seen) {
                read.put(name, seen);
            } else if (host instanceof HostObservation.Unreachable unreachable) {
                failures.put(name, unreachable.failure());
                context.events().failed(name, STEP);
            } else {
                journal.update(state -> state.without(name));
                context.events().step(Decision.removal(name)).done();
                leftovers.put(
                        name,
                        List.of("everything: the host was declared as gone with forget(…), and was not contacted"));
            }
        });
        Parallel.map(
                        read.keySet(),
                        context.parallelism(),
                        name -> uninstall(
                                name,
                                Objects.requireNonNull(manifests.addresses().get(name), name),
                                Objects.requireNonNull(read.get(name), name),
                                sessions))
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

    private List<String> uninstall(String name, String address, Seen seen, Sessions sessions) {
        // A step of an apply; in a destroy, the changes that it is made of are the steps.
        context.events().step(RunStep.of(name, StableIds.ofHost(name), STEP));
        HostState remembered = before.hosts().get(name);
        // Of a host that is not remembered the address inside the tunnels is not known, and not needed.
        HostState known = remembered == null ? HostState.adopted(address, name) : remembered;
        HostState pinned = known.pinned(seen.hostKey());
        if (!Manifest.isOf(context.mesh(), seen.facts())) {
            sessions.close(name);
            journal.update(state -> forget(state, name, remembered));
            context.events().note(name, NOTHING);
            context.events().done(name);
            return List.of(NOTHING);
        }
        List<String> leftovers = Collections.synchronizedList(new ArrayList<>());
        CommitConfirm confirming = new CommitConfirm(context, name, address, sessions);
        boolean armed;
        try {
            armed = sessions.with(name)
                    .orElseThrow()
                    .apply(Manifest.uninstall(), NewKeys.NONE, new Notes(name, leftovers));
        } catch (HostException e) {
            sessions.close(name);
            throw confirming.afterLoss(e, known);
        }
        sessions.close(name);
        if (armed) {
            confirming.armed();
            confirming.confirm(pinned, pinned);
        }
        journal.update(state -> forget(state, name, remembered));
        context.events().done(name);
        return List.copyOf(leftovers);
    }

    /** Of a host that was not remembered no address is reserved: the mesh did not give it one that is known. */
    private static MeshState forget(MeshState state, String name, @Nullable HostState remembered) {
        if (remembered != null) {
            return state.without(name);
        }
        Map<String, HostState> hosts = new TreeMap<>(state.hosts());
        hosts.remove(name);
        return new MeshState(
                state.mesh(),
                hosts,
                state.resting(),
                state.intents(),
                state.accessKey(),
                state.jumpHosts(),
                state.protectedHosts(),
                state.viewers());
    }

    /** Passes on what a host reports. */
    private final class Notes implements HostSession.Progress {
        private final String name;
        private final List<String> leftovers;
        private Events.@Nullable Task going;

        Notes(String name, List<String> leftovers) {
            this.name = name;
            this.leftovers = leftovers;
        }

        @Override
        public void started(Change change) {
            going = context.events()
                    .step(RunStep.of(
                            name,
                            name
                                    + '/'
                                    + StableIds.ofChange(
                                            change.resource().id(),
                                            change.action().name(),
                                            change.subject()),
                            change.describe()));
        }

        @Override
        public void done(Change change) {
            Events.Task ended = going;
            if (ended != null) {
                ended.done();
            }
        }

        @Override
        public void newHostKey(HostKeyFingerprint fingerprint) {
            throw new IllegalStateException(name + " replaces its host key while PromGuard is uninstalled");
        }

        @Override
        public void left(String what) {
            leftovers.add(what);
            context.events().note(name, "left: " + what);
        }
    }
}
