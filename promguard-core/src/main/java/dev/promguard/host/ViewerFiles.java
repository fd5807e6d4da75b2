package dev.promguard.host;

import dev.promguard.blueprint.Blueprint;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Renders what passes Prometheus' page on to viewers: a socket on the monitor's WireGuard address, and systemd's own proxy behind it.
 * Prometheus stays on loopback.
 */
public final class ViewerFiles {
    /** The name of the socket's unit. */
    public static final String SOCKET = "promguard-viewers.socket";

    private static final String SERVICE = "promguard-viewers.service";

    private final Templates templates;

    ViewerFiles(Templates templates) {
        this.templates = templates;
    }

    /** The unit files of a monitor, the service's first; none without viewers. */
    List<ManagedFile> files(Blueprint blueprint, Blueprint.Host monitor) {
        List<Blueprint.Viewer> viewers = blueprint.viewersOf(monitor);
        if (viewers.isEmpty()) {
            return List.of();
        }
        int port = blueprint.spec().prometheus().port();
        Map<String, Object> values = Map.of(
                "mesh",
                blueprint.mesh(),
                "killSwitchUnit",
                KillSwitch.UNIT,
                "socketUnit",
                SOCKET,
                "listen",
                Renderer.endpoint(monitor.address(), port),
                "prometheus",
                Renderer.endpoint("127.0.0.1", port),
                "viewers",
                viewers.stream().map(Blueprint.Viewer::address).sorted().collect(Collectors.joining(" ")));
        return List.of(
                ManagedFile.readable(
                        ManagedFiles.UNIT_FOLDER + SERVICE, templates.render("viewers.service.j2", values)),
                ManagedFile.readable(ManagedFiles.UNIT_FOLDER + SOCKET, templates.render("viewers.socket.j2", values)));
    }

    /** The socket, as part of what a monitor should run. Its service goes and comes with it. */
    static Optional<Unit> unit(List<ManagedFile> files) {
        return files.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        new Unit(SOCKET, files.stream().map(ManagedFile::path).collect(Collectors.toSet()), Set.of()));
    }
}
