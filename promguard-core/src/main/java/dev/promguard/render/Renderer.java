package dev.promguard.render;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Role;
import dev.promguard.keys.PublicKey;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Renders what each host of a blueprint should be. A pure function of its arguments; thread-safe, and quicker when one
 * instance is used for many hosts.
 */
public final class Renderer {
    private static final List<String> PACKAGES = List.of("ca-certificates", "curl", "ufw", "wireguard-tools");
    private static final String PROMETHEUS_CONFIG = "/etc/prometheus/prometheus.yml";
    private static final String PROMETHEUS_TARGETS = "/etc/prometheus/targets/node.json";
    private static final String PROMETHEUS_UNIT = "prometheus.service";
    private static final String NODE_EXPORTER_UNIT = "node_exporter.service";
    private static final String UNKNOWN = "(known after apply)";

    private final Templates templates = new Templates();

    /** Makes a renderer. */
    public Renderer() {}

    /**
     * Renders one host. Peers whose public key is not known yet are left out: they cannot be peers before it is.
     *
     * @param blueprint the blueprint
     * @param name the host's name
     * @param publicAddresses the public address of each host that has one, by name
     * @param publicKeys the WireGuard public key of each host that has one, by name; must hold the host's own
     * @return what the host should be
     * @throws IllegalArgumentException if the blueprint has no such host, or its own public key is missing
     */
    public DesiredHost render(
            Blueprint blueprint, String name, Map<String, String> publicAddresses, Map<String, PublicKey> publicKeys) {
        Set<String> peers = blueprint.spec().presharedKeys()
                ? Set.copyOf(blueprint.host(name).peers())
                : Set.of();
        return render(blueprint, name, publicAddresses, publicKeys, peers);
    }

    /**
     * Renders one host, which shares a preshared key with some of its peers only: with the others none was agreed on yet.
     *
     * @param blueprint the blueprint
     * @param name the host's name
     * @param publicAddresses the public address of each host that has one, by name
     * @param publicKeys the WireGuard public key of each host that has one, by name; must hold the host's own
     * @param presharedWith the names of the peers that it shares a preshared key with
     * @return what the host should be
     * @throws IllegalArgumentException if the blueprint has no such host, or its own public key is missing
     */
    public DesiredHost render(
            Blueprint blueprint,
            String name,
            Map<String, String> publicAddresses,
            Map<String, PublicKey> publicKeys,
            Set<String> presharedWith) {
        Blueprint.Host host = blueprint.host(name);
        PublicKey ownKey = publicKeys.get(name);
        if (ownKey == null) {
            throw new IllegalArgumentException("the public key of " + Names.quote(name) + " is missing");
        }
        List<WireGuardInterface.Peer> peers = new ArrayList<>();
        for (String peerName : host.peers()) {
            PublicKey key = publicKeys.get(peerName);
            if (key != null) {
                peers.add(new WireGuardInterface.Peer(
                        peerName,
                        key,
                        Optional.ofNullable(publicAddresses.get(peerName))
                                .map(address ->
                                        endpoint(address, blueprint.spec().wireGuardPort())),
                        List.of(blueprint.host(peerName).allowedIp()),
                        presharedWith.contains(peerName)
                                ? Optional.of(
                                        WireGuardInterface.presharedKeyPath(Blueprint.WIREGUARD_INTERFACE, peerName))
                                : Optional.empty()));
            }
        }
        List<Map<String, String>> peerTexts = peers.stream()
                .map(peer -> peer(
                        peer.name(),
                        peer.publicKey().base64(),
                        peer.endpoint().orElse(""),
                        String.join(", ", peer.allowedIps()),
                        peer.presharedKeyPath().orElse("")))
                .toList();
        String interfaceName = Blueprint.WIREGUARD_INTERFACE;
        ManagedFile config = new ManagedFile(
                "/etc/wireguard/" + interfaceName + ".conf",
                wireGuardConfig(blueprint, host, peerTexts),
                0600,
                "root",
                List.of());
        WireGuardInterface wireGuard = new WireGuardInterface(
                interfaceName,
                host.address() + '/' + host.prefixLength(),
                blueprint.spec().wireGuardPort(),
                ownKey,
                peers,
                config);

        List<SystemUser> users = new ArrayList<>();
        List<ReleaseInstall> releases = new ArrayList<>();
        List<ManagedFile> files = new ArrayList<>();
        List<Unit> units = new ArrayList<>();

        ReleaseInstall exporter = nodeExporter(blueprint);
        users.add(new SystemUser("node_exporter"));
        releases.add(exporter);
        ManagedFile exporterUnit = ManagedFile.readable(
                "/etc/systemd/system/" + NODE_EXPORTER_UNIT, nodeExporterUnit(blueprint, host, exporter));
        files.add(exporterUnit);
        units.add(new Unit(NODE_EXPORTER_UNIT, Set.of(exporterUnit.path(), exporter.folder()), Set.of()));

        if (host.role() == Role.MONITOR) {
            ReleaseInstall prometheus = prometheus(blueprint);
            users.add(new SystemUser("prometheus"));
            releases.add(prometheus);
            files.add(ManagedFile.readable(PROMETHEUS_TARGETS, targets(blueprint)));
            files.add(ManagedFile.readable(PROMETHEUS_CONFIG, prometheusConfig(blueprint, host))
                    .checkedBy(List.of(prometheus.path("promtool"), "check", "config")));
            ManagedFile prometheusUnit = ManagedFile.readable(
                    "/etc/systemd/system/" + PROMETHEUS_UNIT, prometheusUnit(blueprint, prometheus));
            files.add(prometheusUnit);
            units.add(new Unit(
                    PROMETHEUS_UNIT, Set.of(prometheusUnit.path(), prometheus.folder()), Set.of(PROMETHEUS_CONFIG)));
        }
        return new DesiredHost(name, PACKAGES, users, releases, host.firewall(), wireGuard, files, units);
    }

    /**
     * Renders every file of every host as far as the blueprint alone can tell. What is known only after an apply, such as
     * public keys and addresses, stands there in those words.
     *
     * @param blueprint the blueprint
     * @return for each host's name its files' contents by absolute path, both sorted
     */
    public Map<String, Map<String, String>> preview(Blueprint blueprint) {
        Map<String, Map<String, String>> hosts = new TreeMap<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            Map<String, String> files = new TreeMap<>();
            List<Map<String, String>> peers = host.peers().stream()
                    .map(name -> peer(
                            name,
                            UNKNOWN,
                            UNKNOWN,
                            blueprint.host(name).allowedIp(),
                            blueprint.spec().presharedKeys()
                                    ? WireGuardInterface.presharedKeyPath(Blueprint.WIREGUARD_INTERFACE, name)
                                    : ""))
                    .toList();
            files.put(
                    "/etc/wireguard/" + Blueprint.WIREGUARD_INTERFACE + ".conf",
                    wireGuardConfig(blueprint, host, peers));
            files.put(
                    "/etc/systemd/system/" + NODE_EXPORTER_UNIT,
                    nodeExporterUnit(blueprint, host, nodeExporter(blueprint)));
            if (host.role() == Role.MONITOR) {
                files.put(PROMETHEUS_CONFIG, prometheusConfig(blueprint, host));
                files.put(PROMETHEUS_TARGETS, targets(blueprint));
                files.put("/etc/systemd/system/" + PROMETHEUS_UNIT, prometheusUnit(blueprint, prometheus(blueprint)));
            }
            hosts.put(host.name(), files);
        }
        return hosts;
    }

    private static ReleaseInstall nodeExporter(Blueprint blueprint) {
        return new ReleaseInstall(blueprint.spec().nodeExporter(), List.of("node_exporter"));
    }

    private static ReleaseInstall prometheus(Blueprint blueprint) {
        return new ReleaseInstall(blueprint.spec().prometheus().release(), List.of("prometheus", "promtool"));
    }

    private static Map<String, String> peer(
            String name, String publicKey, String endpoint, String allowedIps, String presharedKeyPath) {
        return Map.of(
                "name",
                name,
                "publicKey",
                publicKey,
                "endpoint",
                endpoint,
                "allowedIps",
                allowedIps,
                "presharedKeyPath",
                presharedKeyPath);
    }

    private String wireGuardConfig(Blueprint blueprint, Blueprint.Host host, List<Map<String, String>> peers) {
        return templates.render(
                "wg.conf.j2",
                Map.of(
                        "mesh",
                        blueprint.mesh(),
                        "address",
                        host.address() + '/' + host.prefixLength(),
                        "listenPort",
                        blueprint.spec().wireGuardPort(),
                        "keyPath",
                        "/etc/wireguard/" + Blueprint.WIREGUARD_INTERFACE + ".key",
                        "peers",
                        peers));
    }

    private String nodeExporterUnit(Blueprint blueprint, Blueprint.Host host, ReleaseInstall exporter) {
        return templates.render(
                "node_exporter.service.j2",
                Map.of(
                        "mesh", blueprint.mesh(),
                        "wireGuardUnit", "wg-quick@" + Blueprint.WIREGUARD_INTERFACE + ".service",
                        "user", "node_exporter",
                        "binary", exporter.path("node_exporter"),
                        "listen", endpoint(host.address(), blueprint.spec().nodeExporterPort())));
    }

    private String prometheusUnit(Blueprint blueprint, ReleaseInstall prometheus) {
        return templates.render(
                "prometheus.service.j2",
                Map.of(
                        "mesh",
                        blueprint.mesh(),
                        "wireGuardUnit",
                        "wg-quick@" + Blueprint.WIREGUARD_INTERFACE + ".service",
                        "user",
                        "prometheus",
                        "binary",
                        prometheus.path("prometheus"),
                        "config",
                        PROMETHEUS_CONFIG,
                        "listen",
                        endpoint("127.0.0.1", blueprint.spec().prometheus().port())));
    }

    private String prometheusConfig(Blueprint blueprint, Blueprint.Host monitor) {
        long interval = blueprint.spec().prometheus().scrapeInterval().toSeconds();
        return templates.render(
                "prometheus.yml.j2",
                Map.of(
                        "mesh", blueprint.mesh(),
                        "scrapeInterval", interval + "s",
                        "scrapeTimeout", Math.min(10, interval) + "s",
                        "selfAddress",
                                endpoint(
                                        "127.0.0.1",
                                        blueprint.spec().prometheus().port()),
                        "node", monitor.name(),
                        "region", monitor.spec().region(),
                        "targetsFile", PROMETHEUS_TARGETS));
    }

    private String targets(Blueprint blueprint) {
        List<Map<String, String>> targets = new ArrayList<>();
        for (Blueprint.Host host : blueprint.hosts()) {
            Map<String, String> target = new LinkedHashMap<>();
            target.put("address", endpoint(host.address(), blueprint.spec().nodeExporterPort()));
            target.put("node", host.name());
            target.put("region", host.spec().region());
            target.put("role", host.role().word());
            targets.add(target);
        }
        return templates.render("targets.json.j2", Map.of("targets", targets));
    }

    private static String endpoint(String address, int port) {
        return (address.indexOf(':') >= 0 ? '[' + address + ']' : address) + ':' + port;
    }
}
