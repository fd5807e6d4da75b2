package dev.promguard.internal.observe;

import dev.promguard.host.DesiredHost;
import dev.promguard.internal.observe.HostObservation.Unreachable;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Parallel;
import dev.promguard.internal.run.Waves;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.MeshState;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * An observation while a run goes on: what is known by now, the sessions that it was read over, and the hosts that are still
 * being read. For one thread, but hosts are read on others.
 */
public final class Observation implements AutoCloseable {
    private static final Duration FOREVER = Duration.ofDays(1);

    private final Context context;
    private final HostObserver observer;
    private final MeshState loaded;
    private final Duration timeout;
    private final boolean settles;
    private final Sessions sessions;
    private final Waves<Arrived> waves;
    private Observed observed;

    /**
     * An observation of which the hosts are not read yet.
     *
     * @param context the run's context
     * @param loaded the state as it was loaded
     * @param observed what is known of the cloud
     * @param timeout how long a host may take to answer
     * @param settles whether unconfirmed changes of an earlier run are kept, because this run is going to change hosts
     */
    public Observation(Context context, MeshState loaded, Observed observed, Duration timeout, boolean settles) {
        this.context = context;
        this.observer = new HostObserver(context);
        this.loaded = loaded;
        this.observed = observed;
        this.timeout = timeout;
        this.settles = settles;
        this.sessions = new Sessions(context::identity, loaded.jumpHosts());
        this.waves = new Waves<>(context.parallelism(), context.intervals().grace());
    }

    /**
     * The state as it was loaded.
     *
     * @return the state before this run
     */
    public MeshState loaded() {
        return loaded;
    }

    /**
     * What is known by now.
     *
     * @return a value, which does not change
     */
    public Observed observed() {
        return observed;
    }

    /**
     * The sessions.
     *
     * @return the open sessions by host
     */
    public Sessions sessions() {
        return sessions;
    }

    /**
     * Reads hosts that can be reached now.
     *
     * @param names the names of hosts that exist
     * @throws dev.promguard.StateException if the key to log in with is missing
     */
    public void read(Set<String> names) {
        if (names.isEmpty()) {
            return;
        }
        sessions.identity();
        Roster roster = observed.roster();
        waves.expect(names);
        names.forEach(
                name -> waves.start(name, () -> observer.observe(roster, name, sessions, timeout, settles, false)));
    }

    /**
     * Reads hosts that this run has created, as soon as they are reported as ready.
     *
     * @param names the hosts' names
     * @param telling says so of each, on a thread of its own
     */
    public void readWhenReady(Set<String> names, ReadyHosts telling) {
        Roster roster = observed.roster();
        waves.expect(names);
        waves.from(() -> telling.tell(new ReadyHosts.Listener() {
            @Override
            public void ready(String name, CloudHost host) {
                waves.start(
                        name,
                        () -> observer.observe(
                                roster.with(roster.state(), Map.of(name, host)),
                                name,
                                sessions,
                                timeout,
                                settles,
                                true));
            }

            @Override
            public void failed(String name, RuntimeException failure) {
                waves.fail(name, failure);
            }
        }));
    }

    /** Says of hosts that they are ready, or will not be. */
    @FunctionalInterface
    public interface ReadyHosts {
        /** Called once for each host. */
        interface Listener {
            /**
             * A host is ready.
             *
             * @param name its name
             * @param host the host
             */
            void ready(String name, CloudHost host);

            /**
             * A host will not be ready.
             *
             * @param name its name
             * @param failure why
             */
            void failed(String name, RuntimeException failure);
        }

        /**
         * Waits for all hosts.
         *
         * @param listener called for each
         */
        void tell(Listener listener);
    }

    /**
     * Whether every host that is to be read was read, or is known not to be reachable.
     *
     * @return true if nothing more will come
     */
    public boolean complete() {
        return waves.done();
    }

    /** Waits until {@link #complete()}. */
    public void awaitAll() {
        while (!waves.done()) {
            awaitSome(Optional.empty());
        }
    }

    /**
     * Waits until hosts were read: all of them, or those that are within a short while of the first.
     *
     * @param longest how long to wait for the first; empty waits for as long as it takes
     * @return the names of the hosts of which more is known now
     */
    public Set<String> awaitSome(Optional<Duration> longest) {
        return merge(waves.next(longest.orElse(FOREVER)));
    }

    private Set<String> merge(Map<String, Parallel.Result<Arrived>> wave) {
        Map<String, CloudHost> present = new LinkedHashMap<>();
        Map<String, DesiredHost> expected = new LinkedHashMap<>();
        Map<String, HostObservation> hosts = new LinkedHashMap<>();
        wave.forEach((name, result) -> {
            Arrived arrived = result.value();
            if (arrived == null) {
                hosts.put(name, new Unreachable(Objects.requireNonNull(result.failure())));
            } else {
                present.put(name, arrived.host());
                expected.put(name, arrived.expected());
                hosts.put(name, arrived.observation());
            }
        });
        observed = observed.with(observed.roster().with(observed.roster().state(), present), expected, hosts);
        return new TreeSet<>(wave.keySet());
    }

    /**
     * Takes note of what changed in the meantime.
     *
     * @param state what is remembered now
     * @param present hosts that exist now, by name
     * @param hosts what is known of hosts now, by name
     */
    public void update(MeshState state, Map<String, CloudHost> present, Map<String, HostObservation> hosts) {
        observed = observed.with(observed.roster().with(state, present), Map.of(), hosts);
    }

    /**
     * Reads hosts once more, over new sessions, and waits for them.
     *
     * @param names the hosts' names
     */
    public void readAgain(Set<String> names) {
        names.forEach(sessions::close);
        Roster roster = observed.roster();
        merge(Parallel.map(
                names,
                context.parallelism(),
                name -> observer.observe(roster, name, sessions, timeout, settles, false)));
    }

    /** Ends what is still being read, and closes every session. */
    @Override
    public void close() {
        waves.close();
        sessions.close();
    }
}
