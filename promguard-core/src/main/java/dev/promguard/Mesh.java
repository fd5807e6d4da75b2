package dev.promguard;

import dev.promguard.MeshEvent.Verb;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Planner;
import dev.promguard.blueprint.Role;
import dev.promguard.blueprint.ViewerSpec;
import dev.promguard.host.Renderer;
import dev.promguard.internal.act.Deleter;
import dev.promguard.internal.act.Outcome;
import dev.promguard.internal.decide.DestroyDecision;
import dev.promguard.internal.engine.Destruction;
import dev.promguard.internal.engine.Engine;
import dev.promguard.internal.engine.HostVerbs;
import dev.promguard.internal.engine.Recovery;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.Interruption;
import dev.promguard.internal.run.MeshStates;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.Identity;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A private, encrypted Prometheus monitoring mesh: its spec, and the verbs that create, change, verify and remove it.
 *
 * <pre>{@code
 * Mesh.builder().monitor("tor1").nodes(3).apply();
 * }</pre>
 *
 * <p>The verbs block, work on several hosts at once inside, and end soon after the calling thread is interrupted. Immutable
 * and thread-safe; two verbs that change the same mesh keep each other out by the state's lock. Every verb is here with its
 * documentation, which makes this class longer than others; the work itself is the engine's.
 */
public final class Mesh {
    private static final int NEAR = 3;
    private static final String ROTATE = "rotate keys";

    private final MeshSpec spec;
    private final DeclaredHosts declared;
    private final MeshSettings settings;

    Mesh(MeshSpec spec, DeclaredHosts declared, MeshSettings settings) {
        this.spec = spec;
        this.declared = declared;
        this.settings = settings;
    }

    /**
     * Starts the description of a mesh.
     *
     * @return a builder with a default for everything but the monitor
     */
    public static MeshBuilder builder() {
        return new MeshBuilder();
    }

    /**
     * Starts the description of a mesh from this one, to change, add and remove single things. This mesh stays as it is.
     *
     * @return a builder that builds a mesh equal to this one until something is changed
     */
    public MeshBuilder toBuilder() {
        return new MeshBuilder(spec, declared, settings);
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
     * Every decision that can be made before anything exists. It is a pure function of the spec: it reads no file, makes no
     * request, and always gives the same answer. A mesh that has changed over time may use other addresses: see {@link #plan()}.
     *
     * @return the blueprint
     */
    public Blueprint blueprint() {
        return Planner.plan(spec, Map.of());
    }

    /**
     * Writes the blueprint, its pictures and every file of every host, as far as they are known beforehand, to a folder.
     *
     * @param folder the folder, which is created if it does not exist. Existing files of the same names are replaced
     * @return the files written, sorted
     * @throws InvalidSettingException if a file cannot be written
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
            throw new InvalidSettingException(
                    ErrorCode.FILE_INACCESSIBLE,
                    "the preview cannot be written to " + Names.quote(folder.toString())
                            + ": give a folder that you may write",
                    e);
        }
        return files.keySet().stream().map(folder::resolve).toList();
    }

    /**
     * Shows what {@link #apply()} would do, in the cloud and on the hosts that exist. Read-only. If an earlier run ended before it
     * confirmed its changes, the plan says so; the host rolls them back by itself unless an apply confirms them. If a rollback
     * has begun, this waits for it or completes it.
     *
     * @return the plan
     * @throws InvalidMeshException if the spec cannot be met, for example because a region does not exist
     * @throws ProviderException if the cloud refuses or does not answer
     * @throws StateException if the state cannot be read
     * @throws CancelledException if the calling thread is interrupted
     */
    public Plan plan() {
        return plan(Set.of());
    }

    /**
     * Reconciles the mesh with its spec: creates missing hosts, configures all hosts, deletes orphaned ones. A host that is up to date
     * is not written to. After a failure, calling again continues from there.
     *
     * <p>A host is identified by the provider's id: a host that was renamed in the cloud is still the same host, and a host that
     * has lost the mesh's tag gets it back. Hosts that carry the tag but are not in the state are never changed or deleted: if
     * there are any, apply does nothing, and the message says how to continue. If another program creates such hosts during the
     * run, apply stops; the hosts that it has created are in the state.
     *
     * <p>Hosts that the spec does not name any more are removed only if {@link MeshBuilder#allowRemoval()} says so; otherwise apply does
     * nothing. {@link #apply(Plan)} removes what its plan shows.
     *
     * @return what was done
     * @throws InvalidMeshException if the spec cannot be met, hosts would be removed that nobody has agreed to, or hosts carry the mesh's
     *     tag that the state does not know; nothing was made or changed then
     * @throws ApplyException if it did not finish on every host; the exception holds the report of what was done
     * @throws ProviderException if the cloud refuses or does not answer
     * @throws StateException if the state cannot be kept, or another program is changing the same mesh
     * @throws CancelledException if the calling thread is interrupted; it holds the report of what was done
     */
    public ApplyReport apply() {
        return apply(Set.of());
    }

    /**
     * Selects hosts, so that plan and apply concern only these, for example to change one of many first:
     *
     * <pre>{@code
     * mesh.only("shop-node-2").apply();
     * }</pre>
     *
     * @param hosts names of hosts of the spec, at least one
     * @return the verbs for these hosts
     * @throws InvalidMeshException if no name is given, or a name is none of the spec's; it names those that are near
     * @throws NullPointerException if a name is null
     */
    public Selection only(String... hosts) {
        if (hosts.length == 0) {
            throw unknown(List.of("only: no host is named. Name at least one, or leave out only(…)."));
        }
        requireHosts("only", hosts);
        return new Selection(this, new TreeSet<>(List.of(hosts)));
    }

    private void requireHosts(String verb, String... hosts) {
        List<String> all = spec.hosts().stream().map(HostSpec::name).toList();
        List<String> problems = Arrays.stream(hosts)
                .filter(host -> !all.contains(Objects.requireNonNull(host, "host")))
                .map(host -> verb + ": " + Names.quote(host) + " is not one of its hosts. The nearest names are "
                        + String.join(", ", Names.nearest(host, all, NEAR)) + ".")
                .toList();
        if (!problems.isEmpty()) {
            throw unknown(problems);
        }
    }

    private InvalidMeshException unknown(List<String> problems) {
        return new InvalidMeshException(ErrorCode.UNKNOWN_NAME, spec.name(), problems);
    }

    Plan plan(Set<String> only) {
        return running(Verb.PLAN, "plan", context -> Views.plan(new Engine(context).plan(only)));
    }

    ApplyReport apply(Set<String> only) {
        return changed(Verb.APPLY, "apply", engine -> engine.apply(only));
    }

    /**
     * Carries out a plan, or does nothing. The mesh is observed once and compared with the plan; the changes are then made over
     * the same sessions. A host that is trusted on first use is therefore pinned to the key that the plan shows. A plan for
     * selected hosts is carried out on these only.
     *
     * @param plan a plan that {@link #plan()}, or {@link Selection#plan()}, of an equal spec returned
     * @return what was done
     * @throws PlanOutdatedException if an apply would now do something other than the plan says; nothing was done then
     * @throws InvalidSettingException if it is a plan of another verb, or of a mesh of another name
     * @throws PromGuardException as {@link #apply()}
     * @throws NullPointerException if the plan is null
     */
    public ApplyReport apply(Plan plan) {
        require(plan, Plan.Operation.APPLY);
        return changed(
                Verb.APPLY,
                "apply",
                engine -> engine.apply(
                        Set.copyOf(plan.only()), decision -> requireUnchanged(plan, Views.plan(decision))));
    }

    private void require(Plan plan, Plan.Operation operation) {
        if (plan.operation() != operation) {
            throw new InvalidSettingException(
                    ErrorCode.MISUSE,
                    "this is a plan of " + plan.operation() + ", and not of " + operation + ": pass it to its own verb",
                    null);
        }
        requireOwn("plan", plan.blueprint().mesh());
    }

    private void requireOwn(String what, String mesh) {
        if (!mesh.equals(spec.name())) {
            throw new InvalidSettingException(
                    ErrorCode.MISUSE,
                    "this is a " + what + " of mesh " + mesh + ", and not of " + spec.name()
                            + ": pass it to the mesh that made it. Nothing was done.",
                    null);
        }
    }

    private static void requireUnchanged(Plan reviewed, Plan current) {
        if (!current.equals(reviewed)) {
            throw new PlanOutdatedException(reviewed, current);
        }
    }

    /**
     * Powers on a host that {@link #plan()} names as off, and waits until the cloud says that it runs. Run {@link #apply()} afterwards.
     *
     * @param host the name of a host of the spec
     * @throws InvalidMeshException if the spec has no host of this name
     * @throws HostException if it does not exist yet
     * @throws PromGuardException as {@link #destroy()}
     * @throws NullPointerException if the name is null
     */
    public void powerOn(String host) {
        requireHosts("powerOn", host);
        changing(Verb.POWER_ON, "power on " + host, context -> {
            new HostVerbs(context).powerOn(host);
            return true;
        });
    }

    /**
     * Gives a host the size that its spec says, and applies to it. {@link #apply()} never does that: the host is powered off for it, about a
     * minute. Its disk stays as large as it is, with its data and its address. A host of that size is only applied to.
     *
     * @param host the name of a host of the spec
     * @return what was done: the resize from which size to which is the host's first change, if there was one
     * @throws InvalidMeshException if the spec has no host of this name, or something stands in the way of an apply
     * @throws HostException if it does not exist yet
     * @throws ProviderException if the size is not offered there or has a smaller disk, before anything is done; or if it was not resized,
     *     in which case the message says whether it is off
     * @throws PromGuardException as {@link #apply()}
     * @throws NullPointerException if the name is null
     */
    public ApplyReport resize(String host) {
        requireHosts("resize", host);
        return changed(Verb.RESIZE, "resize " + host, engine -> engine.resize(host));
    }

    /**
     * Deletes one host with all its data, a monitor with Prometheus' history, and creates it anew as its spec says, under its name and WireGuard
     * address; then applies to the whole mesh. For a host whose region or image has changed in the spec, or that is broken. Before
     * anything is deleted, everything that would keep an apply from creating it is checked; the account's limit of hosts must have room
     * for one more. After a failure, {@link #apply()} goes on.
     *
     * @param host the name of a host of the spec
     * @return what was done: the deletion is the host's first change
     * @throws InvalidMeshException if the spec has no host of this name, the host was there before the mesh, it is to be adopted and was not
     *     yet, or it could not be created anew; nothing was deleted then
     * @throws HostException if it does not exist yet
     * @throws PromGuardException as {@link #apply()}
     * @throws NullPointerException if the name is null
     */
    public ApplyReport replace(String host) {
        requireHosts("replace", host);
        return changed(Verb.REPLACE, "replace " + host, engine -> engine.replace(host));
    }

    /**
     * Shows what {@link #rotateKeys()} would do: the changes of an apply, and new keys for every host. Read-only. A host with a
     * problem keeps every host from getting new keys.
     *
     * @return the plan; {@link #rotateKeys(Plan)} does what it says
     * @throws PromGuardException as {@link #plan()}
     */
    public Plan planRotateKeys() {
        return running(
                Verb.PLAN, "plan the rotation of keys", context -> Views.plan(new Engine(context).planRotation()));
    }

    /**
     * Reconciles the mesh with its spec as {@link #apply()} does, and then gives every host a new WireGuard key pair and every pair of peers a
     * new preshared key. The nodes change first, and right after them the monitors: a tunnel is down for about as long as one
     * exchange with a node and one with its monitor take (0.4 s on the local cloud). Unanswered packets of a scrape are sent
     * again until the scrape timeout, so no scrape is missed if that timeout is a few seconds.
     *
     * <p>It creates no hosts: where one of the spec does not exist, it refuses. If a host cannot be reached beforehand, no keys are rotated. If a host fails during the rotation, every host that has
     * new keys restores its old keys at once, and the tunnels stay up. If this program ends during the rotation, each host
     * restores its old keys by itself after two minutes, unless an apply completes the rotation before then. After a failure call this
     * verb again, which makes new keys for every host; {@link #apply()} alone brings hosts to their spec, and makes none.
     *
     * @return what was done
     * @throws PromGuardException as {@link #apply()}
     */
    public ApplyReport rotateKeys() {
        return changed(Verb.ROTATE_KEYS, ROTATE, Engine::rotateKeys);
    }

    /**
     * Rotates keys as a plan says, or does nothing. The mesh is observed and compared with the plan before anything is changed.
     *
     * @param plan a plan that {@link #planRotateKeys()} of an equal mesh returned
     * @return what was done
     * @throws PlanOutdatedException if a rotation would now do something other than the plan says; nothing was done then
     * @throws InvalidSettingException if it is a plan of another verb, or of a mesh of another name
     * @throws PromGuardException as {@link #apply()}
     * @throws NullPointerException if the plan is null
     */
    public ApplyReport rotateKeys(Plan plan) {
        require(plan, Plan.Operation.ROTATE_KEYS);
        return changed(
                Verb.ROTATE_KEYS,
                ROTATE,
                engine -> engine.rotateKeys(decision -> requireUnchanged(plan, Views.plan(decision))));
    }

    /**
     * Checks the mesh: that {@link #plan()} finds nothing to change, Prometheus' own targets and rules, the running wg and ufw and
     * units, a page larger than a packet over each tunnel, and closed ports, which are probed both from this machine and from the
     * other hosts. {@link CheckKind} names every kind of check. Read-only, like {@link #plan()}.
     *
     * <p>A check that the spec requires but that cannot be made is reported as {@link VerifyReport#unchecked()}, and the report
     * is then not {@link VerifyReport#ok()}: a host that does not exist, has no address, or does not answer passes no check.
     *
     * <p>Takes about two seconds for ports that do not answer. Where Prometheus has not scraped a target of the mesh yet, it waits for
     * that scrape, up to the scrape interval and 20 seconds; where it does not answer or lacks a target, up to 20 seconds. It
     * waits for a target that is down only if the target already answers the monitor. Targets of other jobs are neither checked
     * nor waited for.
     *
     * <p>Run it on a machine outside the mesh, and outside the hosts' private networks: what is closed to the outside is probed
     * from where it runs.
     *
     * @return every check with what was observed; see {@link VerifyReport#orThrow()}
     * @throws ProviderException if the cloud refuses or does not answer
     * @throws StateException if nothing is known of the mesh
     * @throws CancelledException if the calling thread is interrupted
     */
    public VerifyReport verify() {
        return running(Verb.VERIFY, "verify", context -> new Engine(context).verify(context.now()));
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
        return openTunnel(monitors().get(0));
    }

    /**
     * Opens a way to one monitor's Prometheus through SSH.
     *
     * @param monitor the name of a monitor of the spec
     * @return the tunnel; the caller closes it
     * @throws InvalidMeshException if the spec has no monitor of this name; the message names those that it has
     * @throws HostException if the monitor cannot be reached
     * @throws ProviderException if the cloud refuses or does not answer
     * @throws StateException if nothing is known of the mesh
     * @throws CancelledException if the calling thread is interrupted
     * @throws NullPointerException if the name is null
     */
    public Tunnel openPrometheus(String monitor) {
        Objects.requireNonNull(monitor, "monitor");
        if (!monitors().contains(monitor)) {
            boolean isNode = spec.hosts().stream().anyMatch(host -> host.name().equals(monitor));
            throw new InvalidMeshException(
                    ErrorCode.UNKNOWN_NAME,
                    spec.name(),
                    List.of("openPrometheus: " + Names.quote(monitor)
                            + (isNode ? " is a node, and Prometheus runs on monitors" : " is none of its hosts")
                            + ": its monitors are " + String.join(", ", monitors())));
        }
        return openTunnel(monitor);
    }

    /**
     * Makes the WireGuard configuration of a viewer's machine: what it needs to reach Prometheus on the monitors. Read-only. After a rotation
     * of keys, or where a monitor has another address, the viewer needs a new one.
     *
     * @param viewer the name of a viewer of the spec, which was applied
     * @return the configuration, without the viewer's private key: see {@link ViewerConfig#withPrivateKey}
     * @throws InvalidMeshException if the spec has no viewer of this name, its access has ended, it was not applied yet, or no monitor has an
     *     address that it could reach
     * @throws ProviderException if the cloud refuses or does not answer
     * @throws StateException if nothing is known of the mesh
     * @throws CancelledException if the calling thread is interrupted
     * @throws NullPointerException if the name is null
     */
    public ViewerConfig viewerConfig(String viewer) {
        ViewerSpec known = ViewerConfigs.require(spec, Objects.requireNonNull(viewer, "viewer"));
        return running(
                Verb.VIEWER_CONFIG, "make the configuration of " + viewer, context -> ViewerConfigs.of(context, known));
    }

    private List<String> monitors() {
        return spec.hosts().stream()
                .filter(host -> host.role() == Role.MONITOR)
                .map(HostSpec::name)
                .toList();
    }

    private Tunnel openTunnel(String monitor) {
        return running(Verb.OPEN_PROMETHEUS, "open Prometheus", context -> tunnel(new Engine(context), monitor));
    }

    private Tunnel tunnel(Engine engine, String monitor) {
        HostSession session = engine.open(monitor);
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
     * Removes the mesh: its hosts, its login key and tags in the cloud, and its state. Returns when the hosts are gone. Calling
     * it again does nothing. The mesh's hosts are those whose ids are in the state, whatever their current names and tags, and
     * those of orders whose outcome is unknown. Existing hosts stay: PromGuard is uninstalled from them, and what the manifest on
     * each host records is restored.
     *
     * <p>Other hosts that carry the mesh's tag are never deleted, because they may belong to another program. If there are any,
     * this verb deletes the mesh's own hosts and then fails with the names of the others. To delete those too, for example
     * because the state folder is lost, call {@link #deleteUnmanaged}, and then this verb again.
     *
     * @return what was removed, and what was left on hosts that stay
     * @throws DestroyException if it did not finish on every existing host, or hosts that are not in the state carry the mesh's
     *     tag; calling it again continues from there
     * @throws ProviderException if the cloud refuses or does not answer, or some hosts are not gone in time; calling it again
     *     continues from there
     * @throws StateException if the state cannot be kept, or another program is changing the same mesh
     * @throws CancelledException if the calling thread is interrupted
     */
    public DestroyReport destroy() {
        return destroy(decision -> {});
    }

    /**
     * Shows what {@link #destroy()} would do: which hosts it would delete, and what uninstalling would change and leave on
     * existing hosts, according to their manifests. Read-only.
     *
     * @return the plan; {@link #destroy(Plan)} does what it says
     * @throws ProviderException if the cloud refuses or does not answer
     * @throws StateException if the state cannot be read
     * @throws CancelledException if the calling thread is interrupted
     */
    public Plan planDestroy() {
        return running(
                Verb.PLAN, "plan the removal", context -> Views.plan(new Destruction(context).plan(), blueprint()));
    }

    /**
     * Removes the mesh as a plan says, or does nothing. The mesh is observed once and compared with the plan; the changes are
     * then made over the same sessions.
     *
     * @param plan a plan that {@link #planDestroy()} of an equal mesh returned
     * @return what was removed, and what was left on hosts that stay
     * @throws PlanOutdatedException if a destroy would now do something other than the plan says; nothing was done then
     * @throws InvalidSettingException if it is a plan of another verb, or of a mesh of another name
     * @throws PromGuardException as {@link #destroy()}
     * @throws NullPointerException if the plan is null
     */
    public DestroyReport destroy(Plan plan) {
        require(plan, Plan.Operation.DESTROY);
        return destroy(decision -> requireUnchanged(plan, Views.plan(decision, blueprint())));
    }

    private DestroyReport destroy(Consumer<DestroyDecision> review) {
        return changing(Verb.DESTROY, "destroy", context -> {
            DestroyReport report = Views.report(new Destruction(context).destroy(review));
            context.store().delete(spec.name());
            return report;
        });
    }

    /**
     * Deletes hosts that carry the mesh's tag but are not in the state, by the ids that {@link #plan()} and {@link #apply()}
     * show. Their data is lost. Use it only for hosts whose state folder is lost or that are no longer used. Returns when they
     * are gone. The mesh's own hosts stay unchanged.
     *
     * @param ids the provider's ids of these hosts, at least one
     * @return what was deleted
     * @throws InvalidMeshException if no id is given, or one is not the id of such a host; nothing was deleted then
     * @throws ProviderException if the cloud refuses or does not answer, or some hosts are not gone in time; calling it again
     *     continues from there
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
                Verb.DELETE_UNMANAGED,
                "delete unmanaged hosts",
                context -> DestroyReport.builder(spec.name())
                        .removed(new Deleter(context).unmanaged(context.loadState(), named))
                        .build());
    }

    /**
     * Shows what {@link #recover()} would find and write. Read-only.
     *
     * @return what was found, with every problem that would keep it from being written
     * @throws PromGuardException as {@link #recover()}, except for the problems
     */
    public RecoverReport planRecover() {
        return planRecover(settings -> {});
    }

    /**
     * Shows what {@link #recover(Consumer)} would find and write, such as the host keys that hosts show. Read-only.
     *
     * @param how sets how to get in, and what to trust
     * @return what was found, with every problem; {@link #recover(RecoverReport)} writes it
     * @throws PromGuardException as {@link #recover()}, except for the problems
     * @throws NullPointerException if {@code how} is null
     */
    public RecoverReport planRecover(Consumer<RecoverBuilder> how) {
        RecoverBuilder builder = RecoverBuilder.of(how);
        return running(Verb.PLAN, "plan the recovery", context -> recovery(context, builder, Recovery::plan));
    }

    /**
     * Rebuilds the state from what exists, after the state was lost: from the provider's tags, and from what each host says of the mesh.
     * An apply that has nothing to change would change nothing afterwards. Nothing on a host is changed, except that a new login key is
     * admitted where the old one is lost. It gets in with the mesh's own login key if that is still in the state's folder; see
     * {@link #recover(Consumer)} for what else it can be given. Existing hosts are reached as their inventory says.
     *
     * <p>It writes all or nothing, and guesses nothing: two hosts of one name or address, a host that cannot be reached or has parts of another
     * mesh, a monitor that does not exist, and a state that is there already are refused, and the message says how to go on. Nodes that do not
     * exist are no problem: the next apply creates them, at the addresses inside the tunnels that their peers know. A host that is rebuilt from
     * its image after that has to be {@linkplain #replace replaced}, unless a copy of the state was given.
     *
     * @return what was found and written
     * @throws InvalidMeshException if what exists does not tell what the state was; nothing was written then
     * @throws HostException if the login key could not be admitted on a host; the state was not written then, and calling again goes on
     * @throws ProviderException if the cloud refuses or does not answer
     * @throws StateException if there is a state already, there is no key to log in with, the state cannot be kept, or another program is
     *     changing the same mesh
     * @throws CancelledException if the calling thread is interrupted; calling again goes on
     */
    public RecoverReport recover() {
        return recover(settings -> {});
    }

    /**
     * Rebuilds the state from what exists, as {@link #recover()} does, and is told how to get in and what to trust:
     *
     * <pre>{@code
     * mesh.recover(how -> how.hostKey("shop-monitor-1", "SHA256:…").hostKey("shop-node-1", "SHA256:…"));
     * }</pre>
     *
     * @param how sets how to get in, and what to trust
     * @return what was found and written
     * @throws PromGuardException as {@link #recover()}
     * @throws NullPointerException if {@code how} is null
     */
    public RecoverReport recover(Consumer<RecoverBuilder> how) {
        return recover(RecoverBuilder.of(how), found -> {});
    }

    /**
     * Writes what {@link #planRecover(Consumer)} has shown, or nothing. A host that is trusted on first use has to show the key again that
     * the plan shows.
     *
     * @param plan what {@link #planRecover()} of an equal mesh returned
     * @return what was found and written
     * @throws InvalidSettingException if what is found now is not what the plan shows, or that is of a mesh of another name; nothing was
     *     written then
     * @throws PromGuardException as {@link #recover()}
     * @throws NullPointerException if the plan is null
     */
    public RecoverReport recover(RecoverReport plan) {
        requireOwn("recovery", plan.mesh());
        return recover(plan.how(), found -> {
            if (!found.finds(plan)) {
                throw new InvalidSettingException(
                        ErrorCode.PLAN_OUTDATED,
                        "mesh " + spec.name()
                                + ": what exists is not what the plan of the recovery shows. Nothing was written. Found now:\n"
                                + found,
                        null);
            }
        });
    }

    private RecoverReport recover(RecoverBuilder builder, Consumer<RecoverReport> review) {
        return changing(
                Verb.RECOVER,
                "recover",
                context -> recovery(
                        context,
                        builder,
                        recovery -> recovery.recover(found -> review.accept(Views.report(context, found, builder)))));
    }

    private static RecoverReport recovery(
            Context context, RecoverBuilder builder, Function<Recovery, Recovery.Result> work) {
        List<Identity> identities = builder.identities();
        try {
            return Views.report(context, work.apply(new Recovery(context, builder.access(identities))), builder);
        } finally {
            identities.forEach(Identity::close);
        }
    }

    /** Runs a verb that changes hosts, and reports what it did. */
    private ApplyReport changed(Verb verb, String text, Function<Engine, Outcome> work) {
        return changing(verb, text, context -> {
            long start = System.nanoTime();
            Outcome outcome = work.apply(new Engine(context));
            return Views.report(outcome, text, Duration.ofNanos(System.nanoTime() - start));
        });
    }

    /** Runs a verb that changes the mesh, while others are kept from doing so. */
    private <R> R changing(Verb verb, String text, Function<Context, R> work) {
        return running(verb, text, context -> {
            try (MeshStates.Locked lock = context.store().lock(spec.name(), text)) {
                Objects.requireNonNull(lock);
                return work.apply(context);
            }
        });
    }

    /** Runs a verb, and tells the listener when it begins and how it ends. */
    private <R> R running(Verb verb, String text, Function<Context, R> work) {
        return interruptibly(() -> {
            Context context = Contexts.of(spec, settings, verb);
            try (Events.Task run = context.events().run(text)) {
                R result = work.apply(context);
                run.done();
                return result;
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
        } catch (PromGuardException e) {
            Optional<CancelledException> cancelled = Interruption.behind(e);
            if (cancelled.isEmpty()) {
                throw e;
            }
            throw e instanceof ApplyException failure ? cancelled.get().with(failure.report()) : cancelled.get();
        }
    }

    MeshSettings settings() {
        return settings;
    }

    /**
     * The spec in a line.
     *
     * @return such as {@code Mesh[shop: 1 monitor, 3 nodes in 10.0.0.0/24]}
     */
    @Override
    public String toString() {
        Blueprint blueprint = blueprint();
        return "Mesh["
                + summary(
                        spec.name(),
                        blueprint.monitors().size(),
                        blueprint.nodes().size(),
                        spec.network())
                + "]";
    }

    static String summary(String name, int monitors, int nodes, String network) {
        return name + ": " + Names.counted(monitors, "monitor") + ", " + Names.counted(nodes, "node") + " in "
                + network;
    }
}
