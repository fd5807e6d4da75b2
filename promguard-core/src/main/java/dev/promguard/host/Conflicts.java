package dev.promguard.host;

import dev.promguard.host.HostFacts.ManifestFact;
import dev.promguard.host.HostFacts.SocketFact;
import dev.promguard.host.HostFacts.UnitFact;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Finds what already occupies the ports, files, units and folders for data that PromGuard needs on an existing host. A pure function. */
public final class Conflicts {
    private static final Set<String> EVERYWHERE = Set.of("*", "0.0.0.0", "[::]");

    private Conflicts() {}

    /**
     * A TCP port that a unit is to listen on.
     *
     * @param unit the unit
     * @param address the local address
     * @param port the port
     * @param option where the user may choose another, such as {@code nodeExporterPort(…)}
     */
    public record Claim(String unit, String address, int port, String option) {}

    /**
     * Finds the conflicts on an existing host.
     *
     * @param mesh the mesh's name
     * @param desired what the host should be
     * @param facts what the host is
     * @param claims the ports that its units are to listen on
     * @return the conflicts, each with its remedy; empty if there are none
     */
    public static List<HostProblem> inTheWay(String mesh, DesiredHost desired, HostFacts facts, List<Claim> claims) {
        Optional<ManifestFact> manifest = facts.manifest();
        if (manifest.isPresent() && !manifest.get().mesh().equals(mesh)) {
            return List.of(new HostProblem(
                    "it is in mesh " + manifest.get().mesh() + " already",
                    "Take it out of that mesh first, or leave it out of this one."));
        }
        Set<String> ours = manifest.map(ManifestFact::things).orElse(Set.of());
        List<HostProblem> found = new ArrayList<>();
        wireGuard(desired.wireGuard(), facts, ours, found);
        for (Unit unit : desired.units()) {
            UnitFact there = facts.units().get(unit.name());
            if (!isOurs(unit.name(), ours) && there != null && !Units.isMaskAlone(there)) {
                found.add(new HostProblem(
                        "it has a " + unit.name() + " that PromGuard did not put there",
                        "Remove it (systemctl disable --now " + unit.name()
                                + ", then remove its file or its package), or leave the host out of the mesh."));
            }
        }
        found.addAll(StateFolders.problems(desired, facts, ours));
        for (Claim claim : claims) {
            if (!isOurs(claim.unit(), ours)) {
                facts.listening().stream()
                        .filter(socket -> socket.protocol().equals("tcp") && socket.port() == claim.port())
                        .filter(socket -> EVERYWHERE.contains(socket.address())
                                || socket.address().replaceAll("[\\[\\]]", "").equals(claim.address()))
                        .findFirst()
                        .ifPresent(socket -> found.add(new HostProblem(
                                "another program listens on " + shown(socket) + ", where " + claim.unit()
                                        + " is to listen",
                                "Stop it (find it with ss -ltnp), or choose another port with " + claim.option()
                                        + ".")));
            }
        }
        return List.copyOf(found);
    }

    /** Its file comes before it is started, and an apply may have been cut off in between. */
    private static boolean isOurs(String unit, Set<String> ours) {
        return ours.contains("unit " + unit) || ours.contains("file /etc/systemd/system/" + unit);
    }

    private static void wireGuard(
            WireGuardInterface desired, HostFacts facts, Set<String> ours, List<HostProblem> found) {
        String config = desired.config().path();
        boolean ownInterface = ours.contains("file " + config) || ours.contains("file " + desired.keyPath());
        UnitFact unit = facts.units().get(desired.unit());
        String seen = null;
        if (ownInterface) {
            seen = null;
        } else if (facts.files().containsKey(config)) {
            seen = config;
        } else if (facts.wireGuard().isPresent()
                || facts.of(Interfaces.FACTS).link().isPresent()) {
            seen = "a running interface " + desired.name();
        } else if (unit != null
                && (unit.active().equals("active") || unit.enabled().equals("enabled"))) {
            seen = desired.unit();
        } else if (facts.keyFilePublicKey().isPresent()) {
            seen = desired.keyPath();
        }
        if (seen != null) {
            found.add(
                    new HostProblem(
                            "it has " + seen + " that PromGuard did not put there",
                            "Choose another name for the mesh's interface with interfaceName(…), or leave the host out of the mesh."));
            return;
        }
        Optional<String> tunnel = Interfaces.listeningOn(desired.listenPort(), facts);
        facts.listening().stream()
                .filter(socket -> socket.protocol().equals("udp") && socket.port() == desired.listenPort())
                // Where the mesh's interface may be up, the port is its own.
                .filter(socket -> !ownInterface
                        || (tunnel.isPresent() && facts.wireGuard().isEmpty()))
                .findFirst()
                .ifPresent(
                        socket -> found.add(
                                tunnel.map(name -> new HostProblem(
                                                "its WireGuard interface " + name + " listens on " + shown(socket)
                                                        + ", the mesh's WireGuard port",
                                                "Choose another port with wireGuardPort(…), on the mesh or the host."))
                                        .orElseGet(
                                                () -> new HostProblem(
                                                        "another program listens on " + shown(socket)
                                                                + ", WireGuard's port",
                                                        "Stop it (find it with ss -lunp), or choose another port with wireGuardPort(…), on the mesh or the host."))));
    }

    private static String shown(SocketFact socket) {
        return socket.address() + ':' + socket.port() + '/' + socket.protocol();
    }
}
