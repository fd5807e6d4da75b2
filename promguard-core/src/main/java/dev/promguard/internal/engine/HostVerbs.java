package dev.promguard.internal.engine;

import dev.promguard.AppliedChange;
import dev.promguard.CancelledException;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.InvalidMeshException;
import dev.promguard.PromGuardException;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.internal.act.Outcome;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.decide.Placement;
import dev.promguard.internal.decide.Removals;
import dev.promguard.internal.observe.CloudObserver;
import dev.promguard.internal.observe.RecoveryObserver;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.Interruption;
import dev.promguard.internal.run.LoginKeys;
import dev.promguard.internal.run.RunStep;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.MeshState;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** What is done to one host in the cloud when it is asked for, and never on the way of an apply. */
public final class HostVerbs {
    private final Context context;

    /**
     * The verbs of a run.
     *
     * @param context the run's context
     */
    public HostVerbs(Context context) {
        this.context = context;
    }

    /**
     * Powers a host on, and waits until it runs.
     *
     * @param name the name of a host of the spec
     * @throws HostException if it does not exist
     * @throws dev.promguard.ProviderException if the provider refuses, or it does not run in time
     */
    public void powerOn(String name) {
        CloudHost host = find(roster(), name);
        try (Events.Task task = context.events().task(name, "power on")) {
            context.provider().powerOn(context.mesh(), host.id(), Timeouts.PROVISIONING);
            task.done();
        }
    }

    /**
     * Gives a host the size of its spec, if it has another, and then applies to it.
     *
     * @param name the name of a host of the spec
     * @return what the apply did
     * @throws HostException if it does not exist
     * @throws dev.promguard.ProviderException if the provider refuses the size, or the host does not run in time
     */
    public Outcome resize(String name) {
        CloudHost host = find(roster(), name);
        String size = spec(name).size();
        Set<String> only = Set.of(name);
        if (host.size().equals(size)) {
            return new Engine(context).apply(only).continuedBy(resizeAgain(name));
        }
        Decision planned = new Engine(context).plan(only).orThrow();
        String text = "resize from " + host.size() + " to " + size;
        try (Events.Task task = context.events().task(name, text)) {
            context.provider().resize(context.mesh(), host.id(), size, Timeouts.PROVISIONING);
            task.done();
        } catch (PromGuardException e) {
            throw cutOff(
                    e,
                    name + " (id " + host.id() + "): " + text,
                    () -> afterResize(name, e.code()),
                    "Whether it is off is not known. Run plan: if that names it as off, call powerOn("
                            + Names.quote(name) + "). Then call resize(" + Names.quote(name) + ") again.");
        }
        String sentence = name + " has size " + size + " now, and not " + host.size() + " any more.";
        return applyAfter(
                Outcome.of(planned, name, change(planned, name, text, Placement.SIZE), sentence),
                only,
                Optional.empty(),
                resizeAgain(name));
    }

    private static String resizeAgain(String name) {
        return "Fix what is named above, then call resize(" + Names.quote(name) + ") again.";
    }

    /** Where a resize that failed has left a host, and what to do. */
    private String afterResize(String name, ErrorCode code) {
        CloudHost host = find(roster(), name);
        String powerOn = "powerOn(" + Names.quote(name) + ")";
        String resize = "resize(" + Names.quote(name) + ")";
        return host.status() == CloudHost.Status.OFF
                ? "It is off, with size " + host.size() + ". Call " + powerOn + ", and then " + resize + " again."
                : "It is on, with size " + host.size() + "."
                        + (code == ErrorCode.CANNOT_RESIZE ? "" : " Call " + resize + " again.");
    }

    /**
     * Deletes a host and applies, which creates it anew under its name and WireGuard address. Nothing is deleted if the provider would not
     * create it, or something stands in the way of an apply.
     *
     * @param name the name of a host of the spec
     * @return what the apply did
     * @throws InvalidMeshException if something stands in the way
     * @throws HostException if the host does not exist
     * @throws dev.promguard.ProviderException if the provider refuses, or the host is not gone in time
     */
    public Outcome replace(String name) {
        MeshState state = known();
        Roster roster = roster(state);
        CloudHost host = find(roster, name);
        refuseUnlessOwn(state, roster, host);
        Removals.refuseToReplace(context.mesh(), roster.state(), spec(name));
        if (!context.removalAllowed()) {
            Removals.refuse(roster);
        }
        new LoginKeys(context).requireSameAs(roster.state());
        Decision planned = new Engine(context).plan(Set.of()).orThrow();
        HostSpec spec = spec(name);
        List<String> problems = context.provider()
                .preflight(List.of(new HostOrder(name, spec.region(), spec.size(), spec.image())))
                .problems();
        if (!problems.isEmpty()) {
            throw new InvalidMeshException(ErrorCode.CANNOT_CREATE, context.mesh(), problems);
        }
        try (Events.Task task = context.events().task(name, "delete")) {
            context.provider().delete(context.mesh(), Set.of(host.id()), Timeouts.DELETION);
            task.done();
        } catch (PromGuardException e) {
            throw cutOff(
                    e,
                    name + " (id " + host.id() + "): delete it, to create it anew",
                    () -> afterDeletion(name),
                    "Whether it is deleted is not known. Run plan: if it is to be created, run apply; if it is still there,"
                            + " call replace(" + Names.quote(name) + ") again.");
        }
        String sentence = name + " (id " + host.id()
                + ") was deleted with its data. Where it is not there again yet, apply() creates it anew; replace("
                + Names.quote(name) + ") would delete the new one.";
        AppliedChange deleted = change(
                planned,
                name,
                "delete it (id " + host.id() + ") with its data, to create it anew",
                Placement.SIZE,
                Placement.REGION,
                Placement.IMAGE);
        HostException missing = HostException.of(ErrorCode.HOST_NOT_CREATED, name, "", "create it anew")
                .retryable()
                .because("it was deleted, and the rest was not done", "Run apply, which creates it.");
        return applyAfter(
                Outcome.of(planned, name, deleted, sentence),
                Set.of(),
                Optional.of(missing),
                "Fix what is named above, then call apply().");
    }

    /** Whether a deletion that failed was done, and what to do. */
    private String afterDeletion(String name) {
        return roster().present().containsKey(name)
                ? "It is still there. Call replace(" + Names.quote(name) + ") again."
                : "It is gone, with its data. Run apply, which creates it anew.";
    }

    /** Applies, and tells what the verb has done before whatever becomes of that. */
    private Outcome applyAfter(Outcome before, Set<String> only, Optional<HostException> undone, String next) {
        try {
            Outcome applied = new Engine(context).apply(only);
            Outcome both = before.then(applied).continuedBy(next);
            return undone.filter(failure -> !applied.changes().containsKey(failure.host())
                            && !applied.failures().containsKey(failure.host()))
                    .map(failure -> both.with(failure.host(), failure))
                    .orElse(both);
        } catch (PromGuardException e) {
            Outcome left = undone.map(failure -> before.with(failure.host(), failure))
                    .orElse(before)
                    .continuedBy(next);
            return Interruption.behind(e).map(left::cancelledBy).orElseGet(() -> left.with("apply", e));
        }
    }

    private static AppliedChange change(Decision planned, String name, String text, String... resources) {
        List<RunStep> steps = Arrays.stream(resources)
                .flatMap(resource -> planned.host(name).otherSteps(resource).stream())
                .toList();
        return AppliedChange.builder(text).stepIds(RunStep.ids(steps)).build();
    }

    /** A failure that says of which host it is, how that is now, and what to do. */
    private static PromGuardException cutOff(
            PromGuardException failure, String what, Supplier<String> now, String unknown) {
        Optional<CancelledException> interruption = Interruption.behind(failure);
        if (interruption.isPresent()) {
            return new CancelledException(
                    what + ": " + interruption.get().reason() + "\n  " + unknown,
                    Objects.requireNonNullElse(interruption.get().getCause(), failure));
        }
        if (!(failure instanceof ProviderException refusal)) {
            return failure;
        }
        String remedy;
        try {
            remedy = now.get();
        } catch (PromGuardException e) {
            failure.addSuppressed(e);
            remedy = unknown;
        }
        return refusal.withReason(what + ": " + refusal.reason() + "\n  " + remedy);
    }

    private HostSpec spec(String name) {
        return context.spec().hosts().stream()
                .filter(host -> host.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** One that is to be adopted is somebody else's until an apply has done so. */
    private void refuseUnlessOwn(MeshState state, Roster roster, CloudHost host) {
        if (roster.identities().adopted().containsKey(host.name())
                && RecoveryObserver.remembered(state, host).isEmpty()) {
            throw new InvalidMeshException(
                    ErrorCode.NOT_ADOPTABLE,
                    context.mesh(),
                    List.of("replace: " + host.name() + " (id " + host.id()
                            + ") is to be adopted, and is not the mesh's yet, so it was not deleted. Run apply, which adopts it. Or"
                            + " leave adopt(…) out and call deleteUnmanaged(" + Names.quote(host.id())
                            + "), then apply, which creates it."));
        }
    }

    private Roster roster() {
        return roster(known());
    }

    private MeshState known() {
        if (context.isInventory()) {
            throw new InvalidMeshException(
                    ErrorCode.MISUSE,
                    context.mesh(),
                    List.of(
                            "its hosts were there before the mesh, so PromGuard neither powers them on nor resizes or replaces them."
                                    + " Do it where they come from, then run apply."));
        }
        return context.store().load(context.mesh()).orElseThrow(context::unknownMesh);
    }

    private Roster roster(MeshState state) {
        return new CloudObserver(context).observeBriefly(state);
    }

    private static CloudHost find(Roster roster, String name) {
        return Optional.ofNullable(roster.present().get(name))
                .orElseThrow(() -> HostException.of(ErrorCode.HOST_NOT_CREATED, name, "", "look it up")
                        .because("it does not exist yet", "Run apply first."));
    }
}
