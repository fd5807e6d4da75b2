package dev.promguard;

import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Role;
import java.util.function.Consumer;

/** The part of {@link MeshBuilder} that collects hosts. Its rules for methods also apply here. */
abstract sealed class MeshHostsBuilder permits MeshBuilder {
    final HostDeclarations hosts;

    MeshHostsBuilder(DeclaredHosts declared) {
        hosts = new HostDeclarations(declared);
    }

    abstract MeshBuilder self();

    /** The mesh's name by now, after which numbered hosts are named. */
    abstract String meshName();

    /**
     * Sets the first monitor without a name of its own, {@code NAME-monitor-1}, in the region of {@link #region(String)}.
     *
     * @return this builder
     */
    public MeshBuilder monitor() {
        return monitor(host -> {});
    }

    /**
     * Sets the first monitor without a name of its own, {@code NAME-monitor-1}, by its region. For a monitor with a name of its own
     * see {@link #namedMonitor(String)}; where the hosts are there already, each needs one.
     *
     * @param region the provider's name for a region, such as {@code tor1}: not a name of the monitor
     * @return this builder
     */
    public MeshBuilder monitor(String region) {
        return monitor(host -> host.region(region));
    }

    /**
     * Sets the first monitor without a name of its own, {@code NAME-monitor-1}. Others stay.
     *
     * @param host sets how it is to be
     * @return this builder
     */
    public MeshBuilder monitor(Consumer<HostBuilder> host) {
        hosts.firstMonitor(host);
        return self();
    }

    /**
     * Adds a monitor without a name of its own, by its region.
     *
     * @param region the provider's name for a region, such as {@code ams3}: not a name of the monitor
     * @return this builder
     */
    public MeshBuilder addMonitor(String region) {
        return addMonitor(host -> host.region(region));
    }

    /**
     * Adds a monitor without a name of its own. Its number is one more than the highest so far.
     *
     * @param host sets how it is to be
     * @return this builder
     */
    public MeshBuilder addMonitor(Consumer<HostBuilder> host) {
        hosts.addMonitor(host);
        return self();
    }

    /**
     * Sets the monitor with a given name, with the mesh's defaults. The others stay.
     *
     * @param name 1 to 63 lower-case letters, digits and dashes
     * @return this builder
     */
    public MeshBuilder namedMonitor(String name) {
        return namedMonitor(name, host -> {});
    }

    /**
     * Sets the monitor with a given name. The others stay.
     *
     * @param name 1 to 63 lower-case letters, digits and dashes
     * @param host sets how it is to be
     * @return this builder
     */
    public MeshBuilder namedMonitor(String name, Consumer<HostBuilder> host) {
        hosts.named(Role.MONITOR, name, host);
        return self();
    }

    /**
     * Removes a monitor, named or numbered. The others keep their names.
     *
     * @param name its current name
     * @return this builder
     */
    public MeshBuilder withoutMonitor(String name) {
        hosts.remove(Role.MONITOR, meshName(), name);
        return self();
    }

    /**
     * Sets the number of nodes without a name of their own: {@code NAME-node-1} to {@code NAME-node-count}, also those that
     * {@link #withoutNode} removed before. Those that stay keep what {@link #editHost} set. Nodes with names of their own are
     * kept as well; {@link MeshBuilder#build()} refuses a name that a numbered node has. The regions are those given before, or
     * lon1, sfo3 and sgp1 in turn; existing hosts have the region of {@link #region(String)}.
     *
     * @param count 0 to 65536
     * @return this builder
     */
    public MeshBuilder nodes(int count) {
        hosts.nodes(count);
        return self();
    }

    /**
     * Sets the number of nodes without a name of their own, as {@link #nodes(int)} does, and their regions.
     *
     * @param count 0 to 65536
     * @param regions the provider's names for regions, at least one; nodes have them in turn, by their numbers
     * @return this builder
     */
    public MeshBuilder nodes(int count, String... regions) {
        hosts.nodes(count, regions);
        return self();
    }

    /**
     * Sets the node with a given name, with the mesh's defaults. The others stay.
     *
     * @param name 1 to 63 lower-case letters, digits and dashes
     * @return this builder
     */
    public MeshBuilder node(String name) {
        return node(name, host -> {});
    }

    /**
     * Sets the node with a given name. The others stay.
     *
     * @param name 1 to 63 lower-case letters, digits and dashes
     * @param host sets how it is to be
     * @return this builder
     */
    public MeshBuilder node(String name, Consumer<HostBuilder> host) {
        hosts.named(Role.NODE, name, host);
        return self();
    }

    /**
     * Edits a host, named or numbered.
     *
     * @param name its current name
     * @param change changes its settings; those that it does not change stay
     * @return this builder
     */
    public MeshBuilder editHost(String name, Consumer<HostBuilder> change) {
        hosts.edit(meshName(), name, change);
        return self();
    }

    /**
     * Removes a node, named or numbered. The others keep their names and regions.
     *
     * @param name its current name
     * @return this builder
     */
    public MeshBuilder withoutNode(String name) {
        hosts.remove(Role.NODE, meshName(), name);
        return self();
    }

    /**
     * Sets the default region. {@code tor1} by default. For existing hosts this is only a label, {@code existing} by default.
     *
     * @param region the provider's name for a region
     * @return this builder
     */
    public MeshBuilder region(String region) {
        hosts.defaults(host -> host.region(region));
        return self();
    }

    /**
     * Sets the default size. {@code s-1vcpu-1gb} by default. This has no effect on existing hosts.
     *
     * @param size the provider's name for a size
     * @return this builder
     */
    public MeshBuilder size(String size) {
        hosts.defaults(host -> host.size(size));
        return self();
    }

    /**
     * Protects every host that does not say otherwise with {@link HostBuilder#protect}: no run removes or replaces it.
     *
     * @param areProtected whether they are; false by default
     * @return this builder
     * @see HostBuilder#protect
     */
    public MeshBuilder protectHosts(boolean areProtected) {
        hosts.defaults(host -> host.protect(areProtected));
        return self();
    }

    /**
     * Sets the default image. {@code debian-12-x64} by default. This has no effect on existing hosts.
     *
     * @param image the provider's name for an image of Debian or Ubuntu
     * @return this builder
     */
    public MeshBuilder image(String image) {
        hosts.defaults(host -> host.image(image));
        return self();
    }

    /**
     * Adds an exporter to every node, named or numbered, beside node_exporter. It replaces an exporter of the same name; a node
     * that has its own exporter of that name runs that one instead. Monitors do not run it; for them see {@link
     * HostBuilder#addExporter(Exporter)}.
     *
     * @param exporter the exporter, such as {@link Exporters#blackbox()}
     * @return this builder
     */
    public MeshBuilder addExporter(Exporter exporter) {
        hosts.everyNode(node -> node.addExporter(exporter));
        return self();
    }

    /**
     * Removes an exporter that was added to every node. One that a node has of its own stays.
     *
     * @param name the exporter's name, such as {@code blackbox_exporter}
     * @return this builder
     */
    public MeshBuilder withoutExporter(String name) {
        hosts.everyNode(node -> node.withoutExporter(name));
        return self();
    }
}
