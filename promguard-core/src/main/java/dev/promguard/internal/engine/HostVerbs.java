package dev.promguard.internal.engine;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.internal.observe.CloudObserver;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.MeshState;
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
        context.events().started(name, "power on");
        context.provider().powerOn(context.mesh(), host.id(), Timeouts.PROVISIONING);
        context.events().done(name, "runs");
    }

    private Roster roster() {
        MeshState state = context.isInventory()
                ? context.loadState()
                : context.store().load(context.mesh()).orElseThrow(context::unknownMesh);
        return new CloudObserver(context).observe(state, Set.of());
    }

    private static CloudHost find(Roster roster, String name) {
        return Optional.ofNullable(roster.present().get(name))
                .orElseThrow(() -> HostException.of(ErrorCode.HOST_NOT_CREATED, name, "", "look it up")
                        .because("it does not exist yet", "Run apply first."));
    }
}
