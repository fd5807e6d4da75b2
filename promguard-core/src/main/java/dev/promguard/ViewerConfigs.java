package dev.promguard;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.ValueChecks;
import dev.promguard.blueprint.ViewerSpec;
import dev.promguard.host.Renderer;
import dev.promguard.internal.observe.CloudObserver;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.run.Context;
import dev.promguard.keys.PublicKey;
import dev.promguard.spi.MeshState;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Finds out what a viewer's machine has to know: from the state, and where the monitors are from the provider. */
final class ViewerConfigs {
    private ViewerConfigs() {}

    /** Refuses what the spec has no viewer of. */
    static ViewerSpec require(MeshSpec spec, String viewer) {
        List<String> problems = ValueChecks.known(
                "viewer", viewer, spec.viewers().stream().map(ViewerSpec::name).toList());
        if (!problems.isEmpty()) {
            throw new InvalidMeshException(ErrorCode.UNKNOWN_NAME, spec.name(), problems);
        }
        return spec.viewers().stream()
                .filter(known -> known.name().equals(viewer))
                .findFirst()
                .orElseThrow();
    }

    static ViewerConfig of(Context context, ViewerSpec viewer) {
        String mesh = context.mesh();
        MeshState state = context.store().load(mesh).orElseThrow(context::unknownMesh);
        if (viewer.isExpired(context.now())) {
            throw refused(
                    mesh,
                    "viewer " + viewer.name() + " expired on " + viewer.until().orElseThrow()
                            + ". Give it a later time with until(…) and run apply.");
        }
        PublicKey key = new PublicKey(viewer.publicKey());
        if (!Optional.ofNullable(state.viewers().get(viewer.name()))
                .map(MeshState.ViewerState::publicKey)
                .equals(Optional.of(key))) {
            throw refused(mesh, "viewer " + viewer.name() + " is not let in yet. Run apply first.");
        }
        Roster roster = new CloudObserver(context).observe(state, Set.of());
        Blueprint blueprint = roster.blueprint();
        List<ViewerConfig.Monitor> monitors = monitors(roster);
        if (monitors.isEmpty()) {
            throw new InvalidMeshException(
                    ErrorCode.ADDRESS_UNKNOWN,
                    mesh,
                    List.of("viewer " + viewer.name()
                            + " cannot reach a monitor: none has an address that is known and reachable. See that the monitors run, or"
                            + " name where one is reached with endpoint(ADDRESS, PORT)."));
        }
        String allowedIp = blueprint.viewers().stream()
                .filter(known -> known.name().equals(viewer.name()))
                .map(Blueprint.Viewer::allowedIp)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(viewer.name() + " is not planned"));
        return new ViewerConfig(mesh, viewer.name(), key, allowedIp, mtu(blueprint), monitors, Optional.empty());
    }

    private static InvalidMeshException refused(String mesh, String why) {
        return new InvalidMeshException(ErrorCode.VIEWER_WITHOUT_ACCESS, mesh, List.of(why));
    }

    private static List<ViewerConfig.Monitor> monitors(Roster roster) {
        Blueprint blueprint = roster.blueprint();
        List<ViewerConfig.Monitor> monitors = new ArrayList<>();
        for (Blueprint.Host monitor : blueprint.monitors()) {
            Optional<PublicKey> key =
                    Optional.ofNullable(roster.state().publicKeys().get(monitor.name()));
            Optional<String> endpoint = Renderer.endpoint(
                    blueprint,
                    monitor.name(),
                    Optional.ofNullable(roster.publicAddresses().get(monitor.name())));
            if (key.isPresent() && endpoint.isPresent()) {
                monitors.add(new ViewerConfig.Monitor(
                        monitor.name(),
                        key.get(),
                        endpoint.get(),
                        monitor.allowedIp(),
                        URI.create("http://"
                                + Renderer.endpoint(
                                        monitor.address(),
                                        blueprint.spec().prometheus().port())
                                + '/')));
            }
        }
        return monitors;
    }

    /** A large page is not to get lost on the way to the monitor that takes the least. */
    private static OptionalInt mtu(Blueprint blueprint) {
        return blueprint.monitors().stream()
                .map(monitor -> monitor.spec().endpoint().mtu())
                .map(own -> own.isPresent() ? own : blueprint.spec().wireGuard().mtu())
                .filter(OptionalInt::isPresent)
                .mapToInt(OptionalInt::getAsInt)
                .min();
    }
}
