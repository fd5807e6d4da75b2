package dev.promguard;

import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exposure;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Says how one host is to be. What is not said is taken from the mesh's defaults. Not thread-safe. */
public final class HostBuilder {
    private @Nullable String region;
    private @Nullable String size;
    private @Nullable String image;
    private final List<Exporter> exporters = new ArrayList<>();
    private final List<Exposure> services = new ArrayList<>();
    private final Set<Integer> openPorts = new TreeSet<>();

    HostBuilder() {}

    /**
     * Where the host is to be.
     *
     * @param value the provider's word for a region, such as {@code fra1}
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public HostBuilder region(String value) {
        region = Objects.requireNonNull(value, "region");
        return this;
    }

    /**
     * How large the host is to be.
     *
     * @param value the provider's word for a size, such as {@code s-2vcpu-4gb}
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public HostBuilder size(String value) {
        size = Objects.requireNonNull(value, "size");
        return this;
    }

    /**
     * What the host is to run: an image of Debian or Ubuntu.
     *
     * @param value the provider's word for an image, such as {@code debian-12-x64}
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public HostBuilder image(String value) {
        image = Objects.requireNonNull(value, "image");
        return this;
    }

    /**
     * Runs one exporter more on the host, beside node_exporter. It listens on the WireGuard address alone, the monitors alone are
     * admitted to it, and they scrape it. In the place of one of the same name that the mesh has for all nodes.
     *
     * @param value the exporter, such as {@link Exporters#blackbox()}
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public HostBuilder exporter(Exporter value) {
        exporters.add(Objects.requireNonNull(value, "exporter"));
        return this;
    }

    /**
     * Has the monitors scrape a service that already runs on the host, at {@code /metrics}.
     *
     * @param job the name of the scrape job, such as {@code postgres}
     * @param port the TCP port that the service listens on
     * @return this builder
     * @throws NullPointerException if {@code job} is null
     * @see #expose(String, int, String)
     */
    public HostBuilder expose(String job, int port) {
        return expose(job, port, Exposure.METRICS);
    }

    /**
     * Has the monitors scrape a service that already runs on the host. PromGuard neither starts, stops nor looks at the service: it
     * adds a firewall rule that admits the monitors' WireGuard addresses on the WireGuard interface, and a scrape job. The service must
     * listen on the host's WireGuard address, or on every address, where the firewall then denies everyone else.
     *
     * @param job the name of the scrape job, such as {@code postgres}
     * @param port the TCP port that the service listens on
     * @param metricsPath the path of its metrics
     * @return this builder
     * @throws NullPointerException if a text is null
     */
    public HostBuilder expose(String job, int port, String metricsPath) {
        services.add(new Exposure(job, port, metricsPath));
        return this;
    }

    /**
     * Declares ports of services of your own that others may reach on the host. PromGuard neither opens nor closes them: your own
     * firewall rules decide who reaches them. {@link Mesh#verify()} fails where anything else can be reached.
     *
     * @param ports port numbers, for TCP and UDP alike, 1 to 65535; none that PromGuard admits the monitors to
     * @return this builder
     */
    public HostBuilder openPort(int... ports) {
        for (int port : ports) {
            openPorts.add(port);
        }
        return this;
    }

    /** The host's own exporters, and of the mesh's those that it has none of the same name for. */
    List<Exporter> exporters(List<Exporter> ofTheMesh) {
        List<Exporter> all = new ArrayList<>(ofTheMesh);
        all.removeIf(shared -> exporters.stream().anyMatch(own -> own.name().equals(shared.name())));
        all.addAll(exporters);
        return all;
    }

    Set<Integer> openPorts() {
        return openPorts;
    }

    List<Exposure> services() {
        return services;
    }

    @Nullable
    String region() {
        return region;
    }

    @Nullable
    String size() {
        return size;
    }

    @Nullable
    String image() {
        return image;
    }
}
