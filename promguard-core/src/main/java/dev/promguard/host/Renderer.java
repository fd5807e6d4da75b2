package dev.promguard.host;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exposure;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.HostEndpoint;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Port;
import dev.promguard.blueprint.Role;
import dev.promguard.blueprint.ValueChecks;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Renders what each host of a blueprint should be. A pure function of its arguments; thread-safe, and quicker when one
 * instance is used for many hosts.
 */
public final class Renderer {
    private static final List<String> PACKAGES = List.of("ca-certificates", "curl", "dbus", "ufw", "wireguard-tools");

    private static final String NODE_EXPORTER_UNIT = "node_exporter.service";
    private static final String UNIT_FOLDER = "/etc/systemd/system/";

    private static final String METRICS = "promguard-wireguard-metrics";
    private static final String METRICS_TIMER = METRICS + ".timer";
    private static final String METRICS_SERVICE = METRICS + ".service";
    private static final String METRICS_SCRIPT = "/usr/local/lib/promguard/wireguard-metrics.sh";
    /** Below /run: what was true before a boot is not told after it. */
    private static final String METRICS_FOLDER = "/run/" + METRICS;

    /**
     * Every how many seconds a peer that others cannot reach by themselves sends something, so that routers on the way keep its address: more
     * often than any NAT forgets a UDP mapping that was used both ways.
     */
    public static final int KEEPALIVE_SECONDS = 25;

    private static final String UNKNOWN = "(known after apply)";

    private final Templates templates;
    private final Map<String, Secret> secrets;
    private final ExporterFiles exporterFiles;
    private final PrometheusFiles prometheusFiles;
    private final ViewerFiles viewerFiles;

    /** Makes a renderer. */
    public Renderer() {
        this(new Templates(), Map.of());
    }

    private Renderer(Templates templates, Map<String, Secret> secrets) {
        this.templates = templates;
        exporterFiles = new ExporterFiles(templates);
        prometheusFiles = new PrometheusFiles(templates, exporterFiles);
        viewerFiles = new ViewerFiles(templates);
        this.secrets = Map.copyOf(secrets);
    }

    /**
     * The same renderer with the secrets that hosts are to hold.
     *
     * @param ofRemoteWrites the secret of each remote write that has one, by its name; the caller's to close
     * @return a renderer that shares this one's templates
     */
    public Renderer withSecrets(Map<String, Secret> ofRemoteWrites) {
        return new Renderer(templates, ofRemoteWrites);
    }

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
        String interfaceName = blueprint.interfaceName();
        List<WireGuardInterface.Peer> peers = new ArrayList<>();
        for (String peerName : host.peers()) {
            PublicKey key = publicKeys.get(peerName);
            if (key != null) {
                peers.add(new WireGuardInterface.Peer(
                        peerName,
                        key,
                        endpoint(blueprint, peerName, Optional.ofNullable(publicAddresses.get(peerName))),
                        List.of(blueprint.host(peerName).allowedIp()),
                        presharedWith.contains(peerName)
                                ? Optional.of(WireGuardInterface.presharedKeyPath(interfaceName, peerName))
                                : Optional.empty()));
            }
        }
        for (Blueprint.Viewer viewer : blueprint.viewersOf(host)) {
            peers.add(new WireGuardInterface.Peer(
                    viewer.name(),
                    new PublicKey(viewer.spec().publicKey()),
                    Optional.empty(),
                    List.of(viewer.allowedIp()),
                    Optional.empty()));
        }
        String keepalive = keepalive(
                host,
                endpoint(blueprint, name, Optional.ofNullable(publicAddresses.get(name)))
                                .isEmpty()
                        && publicAddresses.containsKey(name));
        List<Map<String, String>> peerTexts = peers.stream()
                .map(peer -> peer(
                        peer.name(),
                        peer.publicKey().base64(),
                        peer.endpoint().orElse(""),
                        String.join(", ", peer.allowedIps()),
                        peer.presharedKeyPath().orElse(""),
                        blueprint.contains(peer.name()) ? keepalive : ""))
                .toList();
        ManagedFile config = new ManagedFile(
                WireGuardInterface.configPath(interfaceName),
                wireGuardConfig(blueprint, host, peerTexts),
                0600,
                "root",
                List.of());
        WireGuardInterface wireGuard = new WireGuardInterface(
                interfaceName,
                host.address() + '/' + host.prefixLength(),
                blueprint.spec().wireGuardPort(host.spec()),
                mtu(blueprint, host),
                ownKey,
                peers,
                config);

        List<String> packages = new ArrayList<>(PACKAGES);
        List<String> maskedUnits = new ArrayList<>();
        List<SystemUser> users = new ArrayList<>();
        List<ReleaseInstall> releases = new ArrayList<>();
        List<ManagedFile> files = new ArrayList<>();
        List<Unit> units = new ArrayList<>();

        ReleaseInstall exporter = nodeExporter(blueprint);
        users.add(new SystemUser("node_exporter"));
        releases.add(exporter);
        wireGuardMetrics(blueprint)
                .forEach((path, content) -> files.add(
                        new ManagedFile(path, content, path.equals(METRICS_SCRIPT) ? 0755 : 0644, "root", List.of())));
        units.add(
                new Unit(METRICS_TIMER, Set.of(UNIT_FOLDER + METRICS_TIMER, UNIT_FOLDER + METRICS_SERVICE), Set.of()));
        ManagedFile exporterUnit =
                ManagedFile.readable(UNIT_FOLDER + NODE_EXPORTER_UNIT, nodeExporterUnit(blueprint, host, exporter));
        files.add(exporterUnit);
        units.add(new Unit(
                NODE_EXPORTER_UNIT, Set.of(exporterUnit.path(), exporter.folder(), "node_exporter"), Set.of()));

        for (Exporter each : host.spec().exporters()) {
            users.add(new SystemUser(each.name()));
            if (each.source() instanceof Exporter.FromPackage from) {
                packages.add(from.debianPackage());
                maskedUnits.addAll(from.units());
            } else if (each.source() instanceof Exporter.FromRelease from) {
                releases.add(ExporterFiles.install(from));
            }
            List<ManagedFile> own = exporterFiles.files(blueprint, host, each);
            files.addAll(own);
            units.add(ExporterFiles.unit(each, own));
        }

        List<SecretFile> secretFiles = new ArrayList<>();
        if (host.role() == Role.MONITOR) {
            users.add(new SystemUser("prometheus"));
            releases.add(PrometheusFiles.install(blueprint));
            secretFiles.addAll(PrometheusFiles.secrets(blueprint.spec().prometheus(), secrets));
            List<ManagedFile> own = prometheusFiles.files(blueprint, host);
            files.addAll(own);
            units.add(PrometheusFiles.unit(blueprint, own));
            List<ManagedFile> ofViewers = viewerFiles.files(blueprint, host);
            files.addAll(ofViewers);
            ViewerFiles.unit(ofViewers).ifPresent(units::add);
        }
        return new DesiredHost(
                blueprint,
                name,
                packages.stream().distinct().toList(),
                users,
                releases.stream().distinct().toList(),
                host.firewall(),
                wireGuard,
                killSwitch(blueprint, host),
                secretFiles,
                files,
                units,
                maskedUnits.stream().distinct().toList());
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
            String keepalive = keepalive(host, false);
            List<Map<String, String>> peers = new ArrayList<>(host.peers().stream()
                    .map(name -> peer(
                            name,
                            UNKNOWN,
                            previewedEndpoint(blueprint, name),
                            blueprint.host(name).allowedIp(),
                            blueprint.spec().presharedKeys()
                                    ? WireGuardInterface.presharedKeyPath(blueprint.interfaceName(), name)
                                    : "",
                            keepalive))
                    .toList());
            blueprint
                    .viewersOf(host)
                    .forEach(viewer ->
                            peers.add(peer(viewer.name(), viewer.spec().publicKey(), "", viewer.allowedIp(), "", "")));
            files.put(
                    WireGuardInterface.configPath(blueprint.interfaceName()), wireGuardConfig(blueprint, host, peers));
            killSwitch(blueprint, host).files().forEach(file -> files.put(file.path(), file.content()));
            files.putAll(wireGuardMetrics(blueprint));
            files.put(UNIT_FOLDER + NODE_EXPORTER_UNIT, nodeExporterUnit(blueprint, host, nodeExporter(blueprint)));
            host.spec()
                    .exporters()
                    .forEach(exporter -> exporterFiles
                            .files(blueprint, host, exporter)
                            .forEach(file -> files.put(file.path(), file.content())));
            if (host.role() == Role.MONITOR) {
                prometheusFiles.files(blueprint, host).forEach(file -> files.put(file.path(), file.content()));
                viewerFiles.files(blueprint, host).forEach(file -> files.put(file.path(), file.content()));
            }
            hosts.put(host.name(), files);
        }
        return hosts;
    }

    private static ReleaseInstall nodeExporter(Blueprint blueprint) {
        return new ReleaseInstall(blueprint.spec().nodeExporter(), List.of("node_exporter"));
    }

    private static Map<String, String> peer(
            String name,
            String publicKey,
            String endpoint,
            String allowedIps,
            String presharedKeyPath,
            String keepalive) {
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
                presharedKeyPath,
                "keepalive",
                keepalive);
    }

    /** A host that its peers cannot send to has to keep the way back open itself. Viewers do that on their side. */
    private static String keepalive(Blueprint.Host host, boolean withoutEndpoint) {
        return host.spec().endpoint().behindNat() || withoutEndpoint ? Integer.toString(KEEPALIVE_SECONDS) : "";
    }

    private String wireGuardConfig(Blueprint blueprint, Blueprint.Host host, List<Map<String, String>> peers) {
        return templates.render(
                "wg.conf.j2",
                Map.of(
                        "mesh",
                        blueprint.mesh(),
                        "address",
                        host.address() + '/' + host.prefixLength(),
                        "host",
                        host.address(),
                        "iptables",
                        host.address().indexOf(':') >= 0 ? "ip6tables" : "iptables",
                        "listenPort",
                        blueprint.spec().wireGuardPort(host.spec()),
                        "keyPath",
                        WireGuardInterface.keyPath(blueprint.interfaceName()),
                        "mtu",
                        mtu(blueprint, host).isPresent() ? mtu(blueprint, host).getAsInt() : "",
                        "peers",
                        peers));
    }

    private static OptionalInt mtu(Blueprint blueprint, Blueprint.Host host) {
        OptionalInt own = host.spec().endpoint().mtu();
        return own.isPresent() ? own : blueprint.spec().wireGuard().mtu();
    }

    /**
     * Where a host's peers send to.
     *
     * @param blueprint the blueprint
     * @param host the host's name
     * @param publicAddress the public address that is known of it
     * @return such as {@code 203.0.113.7:51820} or {@code [2001:db8::7]:51820}; empty if they cannot, or do not know yet
     */
    public static Optional<String> endpoint(Blueprint blueprint, String host, Optional<String> publicAddress) {
        HostSpec spec = blueprint.host(host).spec();
        HostEndpoint endpoint = spec.endpoint();
        int port = endpoint.port().orElse(blueprint.spec().wireGuardPort(spec));
        return endpoint.addressOr(publicAddress.filter(
                        address -> ValueChecks.unreachable(address).isEmpty()))
                .map(address -> endpoint(address, port));
    }

    private static String previewedEndpoint(Blueprint blueprint, String host) {
        HostEndpoint endpoint = blueprint.host(host).spec().endpoint();
        return endpoint.address().isPresent()
                ? endpoint(blueprint, host, Optional.empty()).orElseThrow()
                : endpoint.isReachable() ? UNKNOWN : "";
    }

    private String nodeExporterUnit(Blueprint blueprint, Blueprint.Host host, ReleaseInstall exporter) {
        return exporterFiles.unit(
                blueprint,
                "node_exporter",
                "https://github.com/prometheus/node_exporter",
                exporter.path("node_exporter"),
                List.of(
                        "--web.listen-address="
                                + endpoint(host.address(), blueprint.spec().nodeExporterPort()),
                        "--collector.textfile.directory=" + METRICS_FOLDER,
                        "--collector.systemd",
                        "--collector.systemd.unit-include=.+[.](service|mount|socket|timer)"),
                false,
                Set.of(),
                blueprint.network());
    }

    private KillSwitch killSwitch(Blueprint blueprint, Blueprint.Host host) {
        KillSwitch withoutFiles = new KillSwitch(
                blueprint.network(),
                host.address(),
                blueprint.interfaceName(),
                portsClosedToPeers(blueprint, host),
                blueprint.monitors().stream()
                        .map(Blueprint.Host::address)
                        .filter(address -> !address.equals(host.address()))
                        .collect(Collectors.toSet()),
                blueprint.spec().prometheus().port(),
                blueprint.viewersOf(host).stream()
                        .map(Blueprint.Viewer::address)
                        .collect(Collectors.toSet()),
                List.of());
        Map<String, Object> values = Map.of(
                "mesh",
                blueprint.mesh(),
                "network",
                withoutFiles.network(),
                "address",
                withoutFiles.address(),
                "interface",
                withoutFiles.interfaceName(),
                "ports",
                String.join(" ", withoutFiles.portArguments()),
                "wireGuardUnit",
                WireGuardInterface.unit(withoutFiles.interfaceName()),
                "script",
                KillSwitch.SCRIPT);
        return withoutFiles.with(List.of(
                new ManagedFile(
                        KillSwitch.SCRIPT, templates.render("kill-switch.sh.j2", values), 0755, "root", List.of()),
                ManagedFile.readable(KillSwitch.UNIT_FILE, templates.render("kill-switch.service.j2", values))));
    }

    /** What is scraped on a monitor, whose peers are not all monitors, unless the spec allows everybody to reach it. */
    private static SortedSet<Integer> portsClosedToPeers(Blueprint blueprint, Blueprint.Host host) {
        if (host.role() != Role.MONITOR) {
            return new TreeSet<>();
        }
        return Stream.concat(
                        Stream.of(blueprint.spec().nodeExporterPort()),
                        host.spec().exposures().stream().map(Exposure::port))
                .map(number -> new Port(number, FirewallRule.Protocol.TCP))
                .filter(port -> host.firewall().stream().noneMatch(rule -> rule.admitsEverybodyTo(port)))
                .map(Port::number)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** The files behind the metrics of WireGuard, by path. */
    private Map<String, String> wireGuardMetrics(Blueprint blueprint) {
        Map<String, Object> values = Map.of(
                "mesh",
                blueprint.mesh(),
                "interface",
                blueprint.interfaceName(),
                "wireGuardUnit",
                WireGuardInterface.unit(blueprint.interfaceName()),
                "config",
                WireGuardInterface.configPath(blueprint.interfaceName()),
                "metrics",
                METRICS_FOLDER + "/wireguard.prom",
                "script",
                METRICS_SCRIPT,
                "runtimeDirectory",
                METRICS);
        Map<String, String> files = new LinkedHashMap<>();
        files.put(METRICS_SCRIPT, templates.render("wireguard-metrics.sh.j2", values));
        files.put(UNIT_FOLDER + METRICS_SERVICE, templates.render("wireguard-metrics.service.j2", values));
        files.put(UNIT_FOLDER + METRICS_TIMER, templates.render("wireguard-metrics.timer.j2", values));
        return files;
    }

    /**
     * An address and a port, an IPv6 address in brackets.
     *
     * @param address an IPv4 or IPv6 address
     * @param port the port
     * @return such as {@code 10.0.0.1:9090} or {@code [fd00:77::1]:9090}
     */
    public static String endpoint(String address, int port) {
        return (address.indexOf(':') >= 0 ? '[' + address + ']' : address) + ':' + port;
    }
}
