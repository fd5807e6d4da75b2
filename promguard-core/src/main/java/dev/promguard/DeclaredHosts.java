package dev.promguard;

import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.Role;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The hosts that were declared with a mesh's builder, from which {@link Mesh#toBuilder()} starts. Hosts without a name of their
 * own are identified by numbers, which may have gaps.
 *
 * @param defaults region, size, image and protection of hosts that have none of their own
 * @param everyNode the exporters of every node
 * @param nodeRegions the regions of numbered nodes, by number in turn; empty if none were given
 * @param monitors the numbered monitors
 * @param namedMonitors the other monitors, in the order in which they were first named
 * @param nodes the numbered nodes
 * @param namedNodes the other nodes, in the order in which they were first named
 */
record DeclaredHosts(
        HostOptions defaults,
        HostOptions everyNode,
        Optional<List<String>> nodeRegions,
        SortedMap<Integer, HostOptions> monitors,
        Map<String, HostOptions> namedMonitors,
        SortedMap<Integer, HostOptions> nodes,
        Map<String, HostOptions> namedNodes) {
    static final DeclaredHosts NONE = new DeclaredHosts(
            HostOptions.NONE,
            HostOptions.NONE,
            Optional.empty(),
            Collections.emptySortedMap(),
            Map.of(),
            Collections.emptySortedMap(),
            Map.of());

    private static final List<String> NODE_REGIONS = List.of("lon1", "sfo3", "sgp1");
    private static final String EXISTING = "existing";

    DeclaredHosts {
        nodeRegions = nodeRegions.map(List::copyOf);
        monitors = Collections.unmodifiableSortedMap(new TreeMap<>(monitors));
        namedMonitors = Collections.unmodifiableMap(new LinkedHashMap<>(namedMonitors));
        nodes = Collections.unmodifiableSortedMap(new TreeMap<>(nodes));
        namedNodes = Collections.unmodifiableMap(new LinkedHashMap<>(namedNodes));
    }

    /** The name of a numbered host. */
    static String name(String mesh, Role role, int number) {
        return mesh + '-' + role.id() + '-' + number;
    }

    /**
     * The hosts with everything filled in.
     *
     * @param mesh the mesh's name
     * @param existing whether the hosts are there already, so that regions, sizes and images are labels
     * @return monitors first, of each role the numbered ones first
     */
    List<HostSpec> specs(String mesh, boolean existing) {
        List<HostSpec> specs = new ArrayList<>();
        monitors.forEach((number, options) ->
                specs.add(spec(name(mesh, Role.MONITOR, number), Role.MONITOR, options, Optional.empty(), existing)));
        namedMonitors.forEach(
                (name, options) -> specs.add(spec(name, Role.MONITOR, options, Optional.empty(), existing)));
        List<String> regions = nodeRegions.orElse(existing ? List.of() : NODE_REGIONS);
        nodes.forEach((number, options) -> {
            Optional<String> region =
                    regions.isEmpty() ? Optional.empty() : Optional.of(regions.get((number - 1) % regions.size()));
            specs.add(spec(name(mesh, Role.NODE, number), Role.NODE, options, region, existing));
        });
        namedNodes.forEach((name, options) -> specs.add(spec(name, Role.NODE, options, Optional.empty(), existing)));
        return specs;
    }

    private HostSpec spec(
            String name, Role role, HostOptions options, Optional<String> regionByNumber, boolean existing) {
        List<Exporter> exporters = new ArrayList<>(role == Role.NODE ? everyNode.exporters() : List.of());
        exporters.removeIf(shared ->
                options.exporters().stream().anyMatch(own -> own.name().equals(shared.name())));
        exporters.addAll(options.exporters());
        return new HostSpec(
                name,
                role,
                options.region().or(() -> regionByNumber).or(defaults::region).orElse(existing ? EXISTING : "tor1"),
                options.size().or(defaults::size).orElse(existing ? EXISTING : "s-1vcpu-1gb"),
                options.image().or(defaults::image).orElse(existing ? EXISTING : "debian-12-x64"),
                exporters,
                options.services(),
                options.openPorts(),
                options.ports(),
                options.endpoint(),
                options.isProtected().or(defaults::isProtected).orElse(false));
    }
}
