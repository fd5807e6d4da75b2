package dev.promguard.blueprint;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The spec, as data.
 *
 * @param name the mesh's name
 * @param network the network inside the tunnels in CIDR notation, such as {@code 10.0.0.0/24}
 * @param wireGuard the WireGuard interface of every host
 * @param wireGuardPort the UDP port of WireGuard, 1 to 65535
 * @param presharedKeys whether each pair of peers has a preshared key in addition to its key pairs
 * @param hostsFile whether every host has the names of all in {@code /etc/hosts}
 * @param nodeExporterPort the TCP port of node_exporter on the WireGuard address, 1 to 65535
 * @param prometheus how Prometheus is to run on the monitors
 * @param nodeExporter the release of node_exporter
 * @param hosts the hosts of the spec, monitors and nodes, in the order in which they get addresses
 * @param viewers who reaches Prometheus on the monitors, in the order in which they get addresses; also those whose access has ended
 * @param loginKeys the public SSH keys that hosts which PromGuard creates admit beside the mesh's own, each as type and base64 blob with a
 *     blank between them
 */
public record MeshSpec(
        String name,
        String network,
        WireGuardSpec wireGuard,
        int wireGuardPort,
        boolean presharedKeys,
        boolean hostsFile,
        int nodeExporterPort,
        PrometheusSpec prometheus,
        Release nodeExporter,
        List<HostSpec> hosts,
        List<ViewerSpec> viewers,
        List<String> loginKeys) {
    /**
     * Copies the lists. Whether the whole makes sense is {@link Planner#problems(MeshSpec)}'s to say.
     *
     * @throws NullPointerException if something is null
     */
    public MeshSpec {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(network, "network");
        Objects.requireNonNull(wireGuard, "wireGuard");
        Objects.requireNonNull(prometheus, "prometheus");
        Objects.requireNonNull(nodeExporter, "nodeExporter");
        hosts = List.copyOf(hosts);
        viewers = List.copyOf(viewers);
        loginKeys = List.copyOf(loginKeys);
    }

    /**
     * A spec with the usual interface and without names in {@code /etc/hosts}.
     *
     * @param name the mesh's name
     * @param network the network inside the tunnels in CIDR notation
     * @param wireGuardPort the UDP port of WireGuard, 1 to 65535
     * @param presharedKeys whether each pair of peers has a preshared key in addition to its key pairs
     * @param nodeExporterPort the TCP port of node_exporter on the WireGuard address, 1 to 65535
     * @param prometheus how Prometheus is to run on the monitors
     * @param nodeExporter the release of node_exporter
     * @param hosts the hosts, monitors and nodes, in the order in which they get addresses
     * @throws NullPointerException if something is null
     */
    public MeshSpec(
            String name,
            String network,
            int wireGuardPort,
            boolean presharedKeys,
            int nodeExporterPort,
            PrometheusSpec prometheus,
            Release nodeExporter,
            List<HostSpec> hosts) {
        this(
                name,
                network,
                WireGuardSpec.DEFAULT,
                wireGuardPort,
                presharedKeys,
                false,
                nodeExporterPort,
                prometheus,
                nodeExporter,
                hosts,
                List.of(),
                List.of());
    }

    /**
     * The same spec with other viewers.
     *
     * @param others the viewers
     * @return a copy
     * @throws NullPointerException if something is null
     */
    public MeshSpec withViewers(List<ViewerSpec> others) {
        return with(prometheus, nodeExporter, hosts, others);
    }

    private MeshSpec with(
            PrometheusSpec otherPrometheus,
            Release otherExporter,
            List<HostSpec> otherHosts,
            List<ViewerSpec> otherViewers) {
        return new MeshSpec(
                name,
                network,
                wireGuard,
                wireGuardPort,
                presharedKeys,
                hostsFile,
                nodeExporterPort,
                otherPrometheus,
                otherExporter,
                otherHosts,
                otherViewers,
                loginKeys);
    }

    /**
     * The UDP port that a host's WireGuard listens on.
     *
     * @param host a host of this spec
     * @return its own, or else the mesh's
     */
    public int wireGuardPort(HostSpec host) {
        return host.endpoint().listenPort().orElse(wireGuardPort);
    }

    /**
     * The UDP ports that the hosts' WireGuard listens on.
     *
     * @return each once, sorted
     */
    public Set<Integer> wireGuardPorts() {
        return hosts.stream().map(this::wireGuardPort).collect(Collectors.toCollection(TreeSet::new));
    }

    /**
     * A sum that tells specs apart: of all that the spec says, and of no secret, since a spec holds none. The same spec has the same hash on
     * every machine that runs the same version of PromGuard.
     *
     * @return {@code sha256:} and 64 hex digits
     */
    public String hash() {
        return SpecHash.of(this);
    }

    /**
     * The same spec with other releases in the place of PromGuard's own choices of the same names. A release that was chosen
     * by the user stays.
     *
     * @param releases the releases to take; names that the spec does not hold are passed over
     * @return a copy
     */
    public MeshSpec withReleases(List<Release> releases) {
        PrometheusSpec chosenPrometheus = prometheus;
        Release chosenExporter = nodeExporter;
        for (Release release : releases) {
            if (release.name().equals(prometheus.release().name())
                    && prometheus.release().equals(Release.prometheus())) {
                chosenPrometheus = prometheus.withRelease(release);
            } else if (release.name().equals(nodeExporter.name()) && nodeExporter.equals(Release.nodeExporter())) {
                chosenExporter = release;
            }
        }
        return with(
                chosenPrometheus,
                chosenExporter,
                hosts.stream().map(host -> host.withReleases(releases)).toList(),
                viewers);
    }
}
