package dev.promguard;

import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exposure;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.blueprint.HostEndpoint;
import dev.promguard.blueprint.Port;
import dev.promguard.blueprint.PortPolicy;
import dev.promguard.blueprint.ValueChecks;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Describes one host. Settings that are not made come from the mesh's defaults. Not thread-safe.
 *
 * <p>A method with a plain name sets: called again, it replaces what it set before (for a job or a port: what it set for that
 * one). A method
 * that starts with {@code add} adds. A method that starts with {@code without} removes. Each throws {@link NullPointerException} if
 * an argument is null, and {@link InvalidSettingException} if a value is malformed or what is to be removed is not there.
 */
public final class HostBuilder {
    private final String of;
    private @Nullable String region;
    private @Nullable String size;
    private @Nullable String image;
    private final Map<String, Exporter> exporters = new LinkedHashMap<>();
    private final List<Exposure> services;
    private final SortedSet<Integer> openPorts;
    private final SortedSet<Port> allowed;
    private final SortedSet<Port> closed;
    private boolean closesOthers;
    private HostEndpoint endpoint;
    private @Nullable Boolean isProtected;

    HostBuilder(String of, HostOptions options) {
        this.of = of;
        region = options.region().orElse(null);
        size = options.size().orElse(null);
        image = options.image().orElse(null);
        options.exporters().forEach(exporter -> exporters.put(exporter.name(), exporter));
        services = new ArrayList<>(options.services());
        openPorts = new TreeSet<>(options.openPorts());
        allowed = new TreeSet<>(options.ports().allowed());
        closed = new TreeSet<>(options.ports().closed());
        closesOthers = options.ports().closesOthers();
        endpoint = options.endpoint();
        isProtected = options.isProtected().orElse(null);
    }

    HostOptions options() {
        return new HostOptions(
                Optional.ofNullable(region),
                Optional.ofNullable(size),
                Optional.ofNullable(image),
                List.copyOf(exporters.values()),
                services,
                openPorts,
                new PortPolicy(allowed, closed, closesOthers),
                endpoint,
                Optional.ofNullable(isProtected));
    }

    /**
     * Sets where the host is to be.
     *
     * @param region the provider's name for a region, such as {@code fra1}
     * @return this builder
     */
    public HostBuilder region(String region) {
        this.region = word("region", region);
        return this;
    }

    /**
     * Sets how large the host is to be.
     *
     * @param size the provider's name for a size, such as {@code s-2vcpu-4gb}
     * @return this builder
     */
    public HostBuilder size(String size) {
        this.size = word("size", size);
        return this;
    }

    /**
     * Sets what the host is to run: an image of Debian or Ubuntu.
     *
     * @param image the provider's name for an image, such as {@code debian-12-x64}
     * @return this builder
     */
    public HostBuilder image(String image) {
        this.image = word("image", image);
        return this;
    }

    /**
     * Says whether the host is protected: then no run removes or replaces it, neither because the spec no longer names it nor with
     * {@link Mesh#destroy()}, whatever {@link MeshBuilder#allowRemoval()} says. The state remembers it from the next
     * {@link Mesh#apply()} on, so that it holds for a spec without this host too; it is lost with the state. To remove the host after all,
     * apply once with {@code protect(false)}. What somebody deletes in the cloud is not protected from that.
     *
     * @param isProtected whether it is; by default as {@link MeshBuilder#protectHosts} says
     * @return this builder
     */
    public HostBuilder protect(boolean isProtected) {
        this.isProtected = isProtected;
        return this;
    }

    /**
     * Sets where peers reach the host's WireGuard, where that is not its public address: the outside of a port forwarding, say. The port
     * is the one that the host listens on.
     *
     * @param address an IPv4 or IPv6 address, or a name
     * @return this builder
     * @see #endpoint(String, int)
     */
    public HostBuilder endpoint(String address) {
        return endpoint(address, OptionalInt.empty());
    }

    /**
     * Sets where peers reach the host's WireGuard, where that is not its public address and the port that it listens on.
     *
     * @param address an IPv4 or IPv6 address, or a name; not a loopback, link-local, multicast or unspecified address
     * @param port the UDP port there, 1 to 65535
     * @return this builder
     */
    public HostBuilder endpoint(String address, int port) {
        ValueChecks.require(ValueChecks.endpointPort(port, of));
        return endpoint(address, OptionalInt.of(port));
    }

    private HostBuilder endpoint(String address, OptionalInt port) {
        Objects.requireNonNull(address, "address");
        ValueChecks.require(ValueChecks.endpoint(address, of));
        endpoint = endpoint.at(address, port);
        return this;
    }

    /**
     * Says that the host is behind NAT: its peers cannot send it a first packet. They have no endpoint for it then, unless
     * {@link #endpoint(String)} gives one, and it sends a packet to each of them every 25 seconds, so that the way back stays open. After
     * a reboot of a peer the tunnel may take up to four minutes to come back, by WireGuard's own timers.
     *
     * @param behindNat whether it is; false by default
     * @return this builder
     */
    public HostBuilder behindNat(boolean behindNat) {
        endpoint = endpoint.withBehindNat(behindNat);
        return this;
    }

    /**
     * Sets the UDP port that the host's WireGuard listens on, where the mesh's is taken there.
     *
     * @param port 1 to 65535, not 22
     * @return this builder
     * @see MeshBuilder#wireGuardPort
     */
    public HostBuilder wireGuardPort(int port) {
        ValueChecks.require(ValueChecks.port("wireGuardPort", port, of));
        endpoint = endpoint.withListenPort(port);
        return this;
    }

    /**
     * Sets the MTU of the host's WireGuard interface, where its way out takes smaller packets than the mesh's setting fits. TCP
     * connections with its peers follow the smaller of the two ends.
     *
     * @param mtu the MTU in bytes, as in {@link MeshBuilder#mtu}
     * @return this builder
     */
    public HostBuilder mtu(int mtu) {
        ValueChecks.require(ValueChecks.mtu(mtu, of));
        endpoint = endpoint.withMtu(mtu);
        return this;
    }

    private String word(String field, String value) {
        Objects.requireNonNull(value, field);
        ValueChecks.require(ValueChecks.word(field, value, of));
        return value;
    }

    /**
     * Adds an exporter beside node_exporter. It listens on the WireGuard address only, and only the monitors may reach it; they
     * scrape it. It replaces an exporter of the same name, including one that was added to every node.
     *
     * @param exporter the exporter, such as {@link Exporters#blackbox()}
     * @return this builder
     */
    public HostBuilder addExporter(Exporter exporter) {
        Objects.requireNonNull(exporter, "exporter");
        exporters.put(exporter.name(), exporter);
        return this;
    }

    /**
     * Removes an exporter that was added to this host. An exporter that was added to every node stays.
     *
     * @param name the exporter's name, such as {@code blackbox_exporter}
     * @return this builder
     */
    public HostBuilder withoutExporter(String name) {
        Objects.requireNonNull(name, "name");
        ValueChecks.require(ErrorCode.UNKNOWN_NAME, ValueChecks.known("exporter", name, exporters.keySet()));
        exporters.remove(name);
        return this;
    }

    /**
     * Has the monitors scrape a service that already runs on the host, at {@code /metrics}.
     *
     * @param job the name of the scrape job, such as {@code postgres}
     * @param port the TCP port that the service listens on, not 22
     * @return this builder
     * @see #expose(String, int, String)
     */
    public HostBuilder expose(String job, int port) {
        return expose(job, port, Exposure.METRICS);
    }

    /**
     * Has the monitors scrape a service that already runs on the host. PromGuard does not start, stop or check the service. It
     * adds a firewall rule that admits the monitors' WireGuard addresses on the WireGuard interface, and a scrape job. The
     * service must listen on the host's WireGuard address, or on every address, where the firewall then denies everyone else.
     *
     * @param job the name of the scrape job, such as {@code postgres}: 1 to 63 lower-case letters, digits, dashes and underscores,
     *     starting with a letter; {@code node} and {@code prometheus} are taken
     * @param port the TCP port that the service listens on, not 22
     * @param metricsPath the path of its metrics, without a query
     * @return this builder
     */
    public HostBuilder expose(String job, int port, String metricsPath) {
        Exposure service = checked(job, port, metricsPath);
        services.removeIf(other -> other.job().equals(job));
        services.add(service);
        return this;
    }

    /**
     * Adds a service to a job of this host, such as a second database whose metrics belong to the same job.
     *
     * @param job the name of the scrape job, as in {@link #expose(String, int, String)}
     * @param port the TCP port that the service listens on, not 22
     * @param metricsPath the path of its metrics, without a query
     * @return this builder
     */
    public HostBuilder addExposure(String job, int port, String metricsPath) {
        services.add(checked(job, port, metricsPath));
        return this;
    }

    private Exposure checked(String job, int port, String metricsPath) {
        Exposure service = new Exposure(job, port, metricsPath);
        ValueChecks.require(ValueChecks.job("job", job, of));
        ValueChecks.require(ValueChecks.port("port", port, of));
        ValueChecks.require(ValueChecks.metricsPath("metricsPath", metricsPath, of));
        return service;
    }

    /**
     * Removes the services of a job from this host.
     *
     * @param job the name of the scrape job
     * @return this builder
     */
    public HostBuilder withoutExposure(String job) {
        Objects.requireNonNull(job, "job");
        ValueChecks.require(
                ErrorCode.UNKNOWN_NAME,
                ValueChecks.known(
                        "job",
                        job,
                        services.stream().map(Exposure::job).distinct().toList()));
        services.removeIf(service -> service.job().equals(job));
        return this;
    }

    /**
     * Keeps a port of a service of your own reachable from anywhere: PromGuard adds a rule to the host's firewall, unless there is one
     * already, and {@link Mesh#verify()} accepts it. A firewall of the provider's in front of the host is not changed.
     *
     * <p>On a host whose firewall is not closed yet, {@link Mesh#apply()} would close every port that no rule admits. It refuses as long
     * as one of them answers that is neither allowed here nor agreed to with {@link #close} or {@link #closeOtherPorts}.
     *
     * @param port a port number, 1 to 65535; none that PromGuard admits the monitors to
     * @param protocol its protocol
     * @return this builder
     */
    public HostBuilder allow(int port, Protocol protocol) {
        Port added = checked("allowed port", port, protocol);
        closed.remove(added);
        allowed.add(added);
        return this;
    }

    /**
     * Agrees that a port is closed which answers now. Firewall rules of your own stay: whoever they admit still gets in.
     *
     * @param port a port number, 1 to 65535, neither SSH's nor WireGuard's
     * @param protocol its protocol
     * @return this builder
     * @see #allow
     */
    public HostBuilder close(int port, Protocol protocol) {
        Port added = checked("closed port", port, protocol);
        allowed.remove(added);
        closed.add(added);
        return this;
    }

    /**
     * Forgets what was said of a port with {@link #allow} or {@link #close}.
     *
     * @param port the port number
     * @param protocol its protocol
     * @return this builder
     */
    public HostBuilder withoutPort(int port, Protocol protocol) {
        Port removed = new Port(port, protocol);
        Set<Port> known = new TreeSet<>(allowed);
        known.addAll(closed);
        ValueChecks.require(
                ErrorCode.UNKNOWN_NAME,
                ValueChecks.known(
                        "port",
                        removed.toString(),
                        known.stream().map(Port::toString).toList()));
        allowed.remove(removed);
        closed.remove(removed);
        return this;
    }

    /**
     * Agrees that every port is closed which answers now and is not allowed, whichever that is when the firewall is enabled. By default
     * {@link Mesh#apply()} refuses instead, and names the ports.
     *
     * @param close whether to agree
     * @return this builder
     * @see #allow
     */
    public HostBuilder closeOtherPorts(boolean close) {
        closesOthers = close;
        return this;
    }

    private Port checked(String field, int port, Protocol protocol) {
        Port checked = new Port(port, protocol);
        ValueChecks.require(ValueChecks.servicePort(field, port, of));
        return checked;
    }

    /**
     * Sets the ports of services of your own that others may reach on the host by firewall rules of your own; none by default. PromGuard
     * neither opens nor closes them: your rules decide who reaches them. {@link Mesh#verify()} fails where anything else can be reached.
     * To have PromGuard admit everybody, use {@link #allow}.
     *
     * @param ports port numbers, for TCP and UDP alike, 1 to 65535; none that PromGuard admits the monitors to
     * @return this builder
     */
    public HostBuilder openPorts(int... ports) {
        Objects.requireNonNull(ports, "ports");
        for (int port : ports) {
            ValueChecks.require(ValueChecks.openPort(port, of));
        }
        openPorts.clear();
        for (int port : ports) {
            openPorts.add(port);
        }
        return this;
    }

    /**
     * Adds a port of a service of your own that others may reach.
     *
     * @param port a port number, as in {@link #openPorts}
     * @return this builder
     */
    public HostBuilder addOpenPort(int port) {
        ValueChecks.require(ValueChecks.openPort(port, of));
        openPorts.add(port);
        return this;
    }
}
