package dev.promguard;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Planner;
import dev.promguard.blueprint.Role;
import dev.promguard.internal.act.Deleter;
import dev.promguard.internal.act.Outcome;
import dev.promguard.internal.engine.Destruction;
import dev.promguard.internal.engine.Engine;
import dev.promguard.internal.run.Context;
import dev.promguard.render.Renderer;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.StateStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A private, encrypted Prometheus monitoring mesh: the wish for one, and the verbs that bring it about, prove it and take it
 * away.
 *
 * <pre>{@code
 * Mesh.builder().monitor("tor1").nodes(3).apply();
 * }</pre>
 *
 * <p>The verbs block, work on several hosts at once inside, and end soon after the calling thread is interrupted. Immutable
 * and thread-safe; two verbs that change the same mesh keep each other out by the state's lock.
 */
public final class Mesh {
    private static final int NEAR = 3;

    private final MeshBuilder builder;
    private final MeshSpec spec;

    Mesh(MeshBuilder builder, MeshSpec spec) {
        this.builder = builder;
        this.spec = spec;
    }

    /**
     * Starts a wish.
     *
     * @return a builder with every default in place but the monitor
     */
    public static MeshBuilder builder() {
        return new MeshBuilder();
    }

    /**
     * Starts a wish from this one.
     *
     * @return a builder that says what this mesh's builder said
     */
    public MeshBuilder toBuilder() {
        return new MeshBuilder(builder);
    }

    /**
     * The mesh's name.
     *
     * @return the name
     */
    public String name() {
        return spec.name();
    }

    /**
     * Every decision that can be made before anything exists. A pure function of the wish: it reads no file, asks nobody, and
     * gives the same answer every time. A mesh that has lived for a while may hold other addresses: see {@link #plan()}.
     *
     * @return the blueprint
     */
    public Blueprint blueprint() {
        return Planner.plan(spec, Map.of());
    }

    /**
     * Writes the blueprint, its pictures and every file of every host, as far as they are known beforehand, to a folder.
     *
     * @param folder the folder; made if it is not there. Files of the same names in it are replaced
     * @return the files written, sorted
     * @throws UncheckedIOException if a file cannot be written
     */
    public List<Path> writePreview(Path folder) {
        Blueprint blueprint = blueprint();
        Map<String, String> files = new TreeMap<>();
        files.put("blueprint.txt", blueprint + "\n");
        files.put("mesh.mmd", blueprint.toMermaid());
        files.put("mesh.svg", blueprint.toSvg());
        new Renderer()
                .preview(blueprint)
                .forEach((host, contents) -> contents.forEach((path, content) -> files.put(host + path, content)));
        try {
            for (Map.Entry<String, String> file : files.entrySet()) {
                Path target = folder.resolve(file.getKey());
                Files.createDirectories(Objects.requireNonNull(target.getParent()));
                Files.writeString(target, file.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the preview to " + folder, e);
        }
        return files.keySet().stream().map(folder::resolve).toList();
    }

    /**
     * Says what {@link #apply()} would do, in the cloud and on the hosts that exist. Changes nothing. Where a run was cut off before it
     * confirmed its changes, the plan says so, and the host takes them back by itself unless an apply keeps them. If a host has begun
     * to do so, that is waited for, or brought to its end.
     *
     * @return the plan
     * @throws InvalidMeshException if the wish cannot be fulfilled: a region that does not exist, say
     * @throws ProviderException if the cloud refuses or does not answer
     * @throws StateException if the state cannot be read
     * @throws CancelledException if the calling thread is interrupted
     */
    public Plan plan() {
        return plan(Set.of());
    }

    /**
     * Brings the wish about: makes the hosts that are missing, changes on each what differs, removes those that are too many.
     * A host that is as wished is not written to. Calling again after a failure goes on from where it ended.
     *
     * <p>A host is known by the provider's id: one that was given another name in the cloud is the same host, and one that has lost
     * the mesh's tag gets it back. Hosts that carry the tag and that the state does not know are never changed or deleted: where there
     * are some, nothing is done, and the message says how to go on. If another program creates such hosts while this one does, this
     * one stops; what it has created is in the state.
     *
     * @return what was done
     * @throws InvalidMeshException if the wish cannot be fulfilled, or hosts carry the mesh's tag that the state does not know;
     *     nothing was made or changed then
     * @throws ApplyException if it did not reach its end on every host; it holds the report of what was done
     * @throws ProviderException if the cloud refuses or does not answer
     * @throws StateException if the state cannot be kept, or another program is changing the same mesh
     * @throws CancelledException if the calling thread is interrupted
     */
    public ApplyReport apply() {
        return apply(Set.of());
    }

    /**
     * Picks hosts to plan and apply for alone, such as to change one of many first:
     *
     * <pre>{@code
     * mesh.only("shop-node-2").apply();
     * }</pre>
     *
     * @param hosts names of hosts of the wish, at least one
     * @return the verbs for these hosts
     * @throws InvalidMeshException if no name is given, or a name is none of the wish's; it names those that are near
     * @throws NullPointerException if a name is null
     */
    public Selection only(String... hosts) {
        List<String> all = spec.hosts().stream().map(HostSpec::name).toList();
        List<String> faults = new ArrayList<>();
        if (hosts.length == 0) {
            faults.add("only: no host is named. Name at least one, or leave out only(…).");
        }
        for (String host : hosts) {
            if (!all.contains(host)) {
                faults.add("only: " + Names.quote(host) + " is not one of its hosts. The nearest names are "
                        + String.join(", ", Names.nearest(host, all, NEAR)) + ".");
            }
        }
        if (!faults.isEmpty()) {
            throw new InvalidMeshException(ErrorCode.UNKNOWN_NAME, spec.name(), faults);
        }
        return new Selection(this, new TreeSet<>(List.of(hosts)));
    }

    Plan plan(Set<String> only) {
        return interruptibly(() -> Views.plan(engine().plan(only)));
    }

    ApplyReport apply(Set<String> only) {
        return changed(engine -> engine.apply(only));
    }

    /**
     * Does what a plan says, or nothing. What exists is observed once and compared with the plan; then this is acted on, over the same
     * sessions. So a host that is trusted on first use is pinned to the key that the plan shows. A plan for some hosts only is done on
     * these alone.
     *
     * @param plan a plan that {@link #plan()}, or {@link Selection#plan()}, of an equal wish returned
     * @return what was done
     * @throws PlanOutdatedException if an apply would now do something other than the plan says; nothing was done then
     * @throws PromGuardException as {@link #apply()}
     */
    public ApplyReport apply(Plan plan) {
        Objects.requireNonNull(plan, "plan");
        return changed(engine -> engine.apply(Set.copyOf(plan.only()), decision -> {
            Plan current = Views.plan(decision);
            if (!current.equals(plan)) {
                throw new PlanOutdatedException(current);
            }
        }));
    }

    /**
     * Brings the wish about as {@link #apply()} does, and then gives every host a new WireGuard key pair and every pair of peers a
     * new preshared key. The nodes change first, and right after them the monitors: a tunnel is away for about as long as one
     * exchange with a node and one with its monitor take (0.4 s on the local cloud). Prometheus sends a request again that got
     * no answer, and waits for one as long as the scrape timeout says, so that no scrape is missed where that is a few seconds.
     *
     * <p>Where a host cannot be reached beforehand, nothing is rotated. Where one fails in the middle, every host that had begun puts
     * its old keys back at once, and the tunnels stay. If this program ends in the middle, each host puts its old keys back by itself
     * after two minutes, or the next apply joins them before.
     *
     * @return what was done
     * @throws PromGuardException as {@link #apply()}
     */
    public ApplyReport rotateKeys() {
        return changed(Engine::rotateKeys);
    }

    /**
     * Checks every claim about the mesh: Prometheus' own targets and rules, the running wg and ufw and units, a page larger than a
     * packet over each tunnel, and from here, which is outside the mesh, and from the hosts themselves that what should be closed
     * is. Changes nothing, as {@link #plan()} does.
     *
     * <p>A check that is due by the spec and cannot be made is in the report as {@link VerifyReport#unchecked()}, and the report is
     * not {@link VerifyReport#ok()} then: a host that does not exist, has no address, or does not answer passes nothing.
     *
     * <p>Takes about two seconds for doors that do not answer. Where Prometheus has not scraped a target of the mesh yet, it waits for
     * that scrape, up to the scrape interval and 20 seconds; where it does not answer or lacks a target, up to 20 seconds. A target
     * that is down is waited for only if it answers the monitor by now. Targets of other jobs are neither checked nor waited for.
     *
     * <p>Run it on a machine outside the mesh, and outside the hosts' private networks: what is closed to the outside is tried from
     * where it runs.
     *
     * @return every check with what was seen; see {@link VerifyReport#orThrow()}
     * @throws ProviderException if the cloud refuses or does not answer
     * @throws StateException if nothing is known of the mesh
     * @throws CancelledException if the calling thread is interrupted
     */
    public VerifyReport verify() {
        return interruptibly(() -> new Verification(context(), Clock.systemUTC()).verify());
    }

    /**
     * Opens a way to the first monitor's Prometheus through SSH.
     *
     * @return the tunnel; the caller closes it
     * @throws HostException if the monitor cannot be reached
     * @throws ProviderException if the cloud refuses or does not answer
     * @throws StateException if nothing is known of the mesh
     * @throws CancelledException if the calling thread is interrupted
     */
    public Tunnel openPrometheus() {
        return interruptibly(this::tunnel);
    }

    private Tunnel tunnel() {
        String monitor = spec.hosts().stream()
                .filter(host -> host.role() == Role.MONITOR)
                .findFirst()
                .orElseThrow()
                .name();
        HostSession session = engine().open(monitor);
        boolean keep = false;
        try {
            int port = session.forward("127.0.0.1", spec.prometheus().port());
            Tunnel tunnel = new Tunnel(session, URI.create("http://127.0.0.1:" + port + "/"));
            keep = true;
            return tunnel;
        } finally {
            if (!keep) {
                session.close();
            }
        }
    }

    /**
     * Takes the mesh away: its hosts, its login key and marks in the cloud, and its state. Returns when the hosts are gone. Doing it
     * again does nothing. The mesh's hosts are those that the state knows by id, whatever they are called or tagged by now, and those
     * of orders whose outcome was lost. Hosts that were there before the mesh stay: PromGuard's parts are taken off them, and each is
     * left as it was as far as the record on it tells.
     *
     * <p>Hosts that carry the mesh's tag and are none of these are never deleted, since they may be another program's: where there
     * are some, this verb deletes the others and then fails, naming them. If they are to go too, because the state folder is lost,
     * say, delete them with {@link #deleteUnmanaged}, and call this again.
     *
     * @return what was removed, and what was left on hosts that stay
     * @throws DestroyException if it did not reach its end on every host that was there before the mesh, or hosts that the state does
     *     not know carry the mesh's tag; calling again goes on
     * @throws ProviderException if the cloud refuses or does not answer, or some hosts are not gone in time; calling again goes on
     * @throws StateException if the state cannot be kept, or another program is changing the same mesh
     * @throws CancelledException if the calling thread is interrupted
     */
    public DestroyReport destroy() {
        return changing(context -> {
            DestroyReport report = Views.report(new Destruction(context).destroy());
            context.store().delete(spec.name());
            context.events().done(null, "removed");
            return report;
        });
    }

    /**
     * Deletes hosts that carry the mesh's tag and that the state does not know, by the ids with which {@link #plan()} and
     * {@link #apply()} name them. Whoever made them loses them, with all that is on them: this is for hosts whose state folder is lost
     * or that nobody uses any more. Returns when they are gone. The mesh's own hosts are not touched.
     *
     * @param ids the provider's ids of these hosts, at least one
     * @return what was deleted
     * @throws InvalidMeshException if no id is given, or one is not the id of such a host; nothing was deleted then
     * @throws ProviderException if the cloud refuses or does not answer, or some hosts are not gone in time; calling again goes on
     * @throws StateException if the state cannot be read, or another program is changing the same mesh
     * @throws CancelledException if the calling thread is interrupted
     * @throws NullPointerException if an id is null
     */
    public DestroyReport deleteUnmanaged(String... ids) {
        Set<String> named = new TreeSet<>(List.of(ids));
        if (named.isEmpty()) {
            throw new InvalidMeshException(
                    ErrorCode.UNKNOWN_NAME,
                    spec.name(),
                    List.of("deleteUnmanaged: no id is given. Name the ids that plan() shows."));
        }
        return changing(
                context -> new DestroyReport(spec.name(), new Deleter(context).unmanaged(context.loadState(), named)));
    }

    /** Runs a verb that changes hosts, and reports what it did. */
    private ApplyReport changed(Function<Engine, Outcome> verb) {
        return changing(context -> {
            long start = System.nanoTime();
            Outcome outcome = verb.apply(new Engine(context));
            return Views.report(outcome, Duration.ofNanos(System.nanoTime() - start));
        });
    }

    /** Runs a verb that changes the mesh, while others are kept from doing so. */
    private <R> R changing(Function<Context, R> verb) {
        return interruptibly(() -> {
            Context context = context();
            try (StateStore.Lock lock = context.store().lock(spec.name())) {
                Objects.requireNonNull(lock);
                return verb.apply(context);
            }
        });
    }

    /** Runs a verb, and says so where what it failed at is that the thread was interrupted. */
    private static <R> R interruptibly(Supplier<R> verb) {
        if (Thread.currentThread().isInterrupted()) {
            throw new CancelledException("interrupted before anything was done", new InterruptedException());
        }
        try {
            return verb.get();
        } catch (CancelledException e) {
            throw e;
        } catch (PromGuardException e) {
            if (Thread.currentThread().isInterrupted()) {
                throw new CancelledException(
                        "interrupted. What was done is kept, and the same call continues from there.", e);
            }
            throw e;
        }
    }

    private Context context() {
        return Contexts.of(builder, spec);
    }

    private Engine engine() {
        return new Engine(context());
    }

    /**
     * The wish in a line.
     *
     * @return such as {@code Mesh[shop: 1 monitor, 3 nodes in 10.0.0.0/24]}
     */
    @Override
    public String toString() {
        Blueprint blueprint = blueprint();
        return "Mesh[" + spec.name() + ": " + blueprint.monitors().size() + " monitor(s), "
                + blueprint.nodes().size() + " node(s) in " + spec.network() + "]";
    }
}
