package dev.promguard.internal.engine;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.InvalidMeshException;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.internal.act.Outcome;
import dev.promguard.internal.decide.Removals;
import dev.promguard.internal.observe.CloudObserver;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.LoginKeys;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.MeshState;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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
        if (!host.size().equals(size)) {
            try (Events.Task task = context.events().task(name, "resize from " + host.size() + " to " + size)) {
                context.provider().resize(context.mesh(), host.id(), size, Timeouts.PROVISIONING);
                task.done();
            }
        }
        return new Engine(context).apply(Set.of(name));
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
        Roster roster = roster();
        CloudHost host = find(roster, name);
        Removals.refuseToReplace(context.mesh(), roster.state(), spec(name));
        if (!context.removalAllowed()) {
            Removals.refuse(roster);
        }
        new LoginKeys(context).requireSameAs(roster.state());
        new Engine(context).plan(Set.of()).orThrow();
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
        }
        return new Engine(context).apply(Set.of());
    }

    private HostSpec spec(String name) {
        return context.spec().hosts().stream()
                .filter(host -> host.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private Roster roster() {
        if (context.isInventory()) {
            throw new InvalidMeshException(
                    ErrorCode.MISUSE,
                    context.mesh(),
                    List.of(
                            "its hosts were there before the mesh, so PromGuard neither powers them on nor resizes or replaces them."
                                    + " Do it where they come from, then run apply."));
        }
        MeshState state = context.store().load(context.mesh()).orElseThrow(context::unknownMesh);
        return new CloudObserver(context).observeBriefly(state);
    }

    private static CloudHost find(Roster roster, String name) {
        return Optional.ofNullable(roster.present().get(name))
                .orElseThrow(() -> HostException.of(ErrorCode.HOST_NOT_CREATED, name, "", "look it up")
                        .because("it does not exist yet", "Run apply first."));
    }
}
