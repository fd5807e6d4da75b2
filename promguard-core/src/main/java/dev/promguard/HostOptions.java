package dev.promguard;

import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exposure;
import dev.promguard.blueprint.HostEndpoint;
import dev.promguard.blueprint.PortPolicy;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * The options of one host, or of all hosts of a kind.
 *
 * @param region the region; empty for the mesh's default
 * @param size the size; empty for the mesh's default
 * @param image the image; empty for the mesh's default
 * @param exporters the exporters beside node_exporter, each name once
 * @param services what already listens on the host and is to be scraped
 * @param openPorts ports of services of the user's own
 * @param ports which ports of such services stay reachable, and which may be closed
 * @param endpoint where peers reach the host's WireGuard
 * @param isProtected whether no run may remove or replace the host; empty for the mesh's default
 */
record HostOptions(
        Optional<String> region,
        Optional<String> size,
        Optional<String> image,
        List<Exporter> exporters,
        List<Exposure> services,
        SortedSet<Integer> openPorts,
        PortPolicy ports,
        HostEndpoint endpoint,
        Optional<Boolean> isProtected) {
    /** Nothing said. */
    static final HostOptions NONE = new HostOptions(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            List.of(),
            Collections.emptySortedSet(),
            PortPolicy.NONE,
            HostEndpoint.PUBLIC,
            Optional.empty());

    HostOptions {
        exporters = List.copyOf(exporters);
        services = List.copyOf(services);
        openPorts = Collections.unmodifiableSortedSet(new TreeSet<>(openPorts));
    }

    /**
     * These options with changes.
     *
     * @param of whose options these are in a message, such as {@code " of node \"db\""}; empty to leave it out
     * @param change what changes them
     */
    HostOptions changed(String of, Consumer<HostBuilder> change) {
        HostBuilder builder = new HostBuilder(of, this);
        Objects.requireNonNull(change, "host").accept(builder);
        return builder.options();
    }
}
