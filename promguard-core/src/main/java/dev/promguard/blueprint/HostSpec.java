package dev.promguard.blueprint;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * A host of the spec, before it has an address.
 *
 * @param name its name
 * @param role what it is in the mesh
 * @param region the provider's word for where it is
 * @param size the provider's word for its size
 * @param image the provider's word for its image
 * @param exporters the exporters that it runs in addition to node_exporter
 * @param services what already listens on it and is to be scraped
 * @param openPorts TCP and UDP ports that others may reach there, sorted; a firewall rule of PromGuard's is made for none of them
 * @param ports which ports of its own services stay reachable, and which may be closed
 * @param endpoint where peers reach its WireGuard
 * @param isProtected whether no run may remove or replace it
 */
public record HostSpec(
        String name,
        Role role,
        String region,
        String size,
        String image,
        List<Exporter> exporters,
        List<Exposure> services,
        Set<Integer> openPorts,
        PortPolicy ports,
        HostEndpoint endpoint,
        boolean isProtected) {
    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     */
    public HostSpec {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(role, "role");
        Objects.requireNonNull(region, "region");
        Objects.requireNonNull(size, "size");
        Objects.requireNonNull(image, "image");
        exporters = List.copyOf(exporters);
        services = List.copyOf(services);
        openPorts = Collections.unmodifiableSet(new TreeSet<>(openPorts));
        Objects.requireNonNull(ports, "ports");
        Objects.requireNonNull(endpoint, "endpoint");
    }

    /**
     * A host of which no other port is to be reached.
     *
     * @param name its name
     * @param role what it is in the mesh
     * @param region the provider's word for where it is
     * @param size the provider's word for its size
     * @param image the provider's word for its image
     * @param exporters the exporters that it runs in addition to node_exporter
     * @param services what already listens on it and is to be scraped
     * @throws NullPointerException if something is null
     */
    public HostSpec(
            String name,
            Role role,
            String region,
            String size,
            String image,
            List<Exporter> exporters,
            List<Exposure> services) {
        this(
                name,
                role,
                region,
                size,
                image,
                exporters,
                services,
                Set.of(),
                PortPolicy.NONE,
                HostEndpoint.PUBLIC,
                false);
    }

    /**
     * A host with node_exporter alone.
     *
     * @param name its name
     * @param role what it is in the mesh
     * @param region the provider's word for where it is
     * @param size the provider's word for its size
     * @param image the provider's word for its image
     * @throws NullPointerException if something is null
     */
    public HostSpec(String name, Role role, String region, String size, String image) {
        this(name, role, region, size, image, List.of(), List.of());
    }

    /**
     * Every port, apart from node_exporter's, that the monitors may reach and scrape: the exporters' first.
     *
     * @return maybe none
     */
    public List<Exposure> exposures() {
        List<Exposure> exposures = new ArrayList<>();
        exporters.forEach(exporter -> exposures.add(exporter.exposure()));
        exposures.addAll(services);
        return List.copyOf(exposures);
    }

    /** The same host with other releases in the place of PromGuard's own choices of the same names. */
    HostSpec withReleases(List<Release> releases) {
        return new HostSpec(
                name,
                role,
                region,
                size,
                image,
                exporters.stream()
                        .map(exporter -> exporter.withReleases(releases))
                        .toList(),
                services,
                openPorts,
                ports,
                endpoint,
                isProtected);
    }

    /** The same host somewhere else. */
    HostSpec in(String where) {
        return new HostSpec(
                name, role, where, size, image, exporters, services, openPorts, ports, endpoint, isProtected);
    }
}
