package dev.promguard;

import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Role;
import dev.promguard.blueprint.ValueChecks;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Collects the hosts of a mesh for {@link MeshBuilder}, whose rules for setters hold here too. Not thread-safe. */
final class HostDeclarations {
    private static final int MOST_NODES = 65_536;

    /** The hosts of one role. */
    private static final class Group {
        private final SortedMap<Integer, HostOptions> numbered;
        private final Map<String, HostOptions> named;

        Group(SortedMap<Integer, HostOptions> numbered, Map<String, HostOptions> named) {
            this.numbered = new TreeMap<>(numbered);
            this.named = new LinkedHashMap<>(named);
        }
    }

    private HostOptions defaults;
    private HostOptions everyNode;
    private Optional<List<String>> nodeRegions;
    private final Group monitors;
    private final Group nodes;

    HostDeclarations(DeclaredHosts hosts) {
        defaults = hosts.defaults();
        everyNode = hosts.everyNode();
        nodeRegions = hosts.nodeRegions();
        monitors = new Group(hosts.monitors(), hosts.namedMonitors());
        nodes = new Group(hosts.nodes(), hosts.namedNodes());
    }

    DeclaredHosts declared() {
        return new DeclaredHosts(
                defaults, everyNode, nodeRegions, monitors.numbered, monitors.named, nodes.numbered, nodes.named);
    }

    void defaults(Consumer<HostBuilder> change) {
        defaults = defaults.changed("", change);
    }

    void everyNode(Consumer<HostBuilder> change) {
        everyNode = everyNode.changed("", change);
    }

    void firstMonitor(Consumer<HostBuilder> host) {
        monitors.numbered.put(1, HostOptions.NONE.changed("", host));
    }

    void addMonitor(Consumer<HostBuilder> host) {
        HostOptions options = HostOptions.NONE.changed("", host);
        monitors.numbered.put(monitors.numbered.isEmpty() ? 1 : monitors.numbered.lastKey() + 1, options);
    }

    void nodes(int count) {
        ValueChecks.require(ValueChecks.range("nodes", count, 0, MOST_NODES));
        nodes.numbered.tailMap(count + 1).clear();
        for (int number = 1; number <= count; number++) {
            nodes.numbered.putIfAbsent(number, HostOptions.NONE);
        }
    }

    void nodes(int count, String... regions) {
        Objects.requireNonNull(regions, "regions");
        ValueChecks.require(ValueChecks.range("nodes", count, 0, MOST_NODES));
        if (regions.length == 0) {
            throw new InvalidSettingException("nodes: no region is given: use at least one, or leave them out");
        }
        for (String region : regions) {
            Objects.requireNonNull(region, "region");
            ValueChecks.require(ValueChecks.word("region", region, ""));
        }
        nodeRegions = Optional.of(List.of(regions));
        nodes(count);
    }

    void named(Role role, String name, Consumer<HostBuilder> host) {
        Objects.requireNonNull(name, "name");
        ValueChecks.require(ValueChecks.hostName(role, name));
        HostOptions options = HostOptions.NONE.changed(of(role, name), host);
        group(role).named.put(name, options);
    }

    void edit(String mesh, String name, Consumer<HostBuilder> change) {
        Objects.requireNonNull(name, "name");
        List<String> names = new ArrayList<>(names(Role.MONITOR, mesh));
        boolean isMonitor = names.contains(name);
        names.addAll(names(Role.NODE, mesh));
        ValueChecks.require(ErrorCode.UNKNOWN_NAME, ValueChecks.known("host", name, names));
        edit(isMonitor ? Role.MONITOR : Role.NODE, mesh, name, change);
    }

    private void edit(Role role, String mesh, String name, Consumer<HostBuilder> change) {
        Group group = group(role);
        HostOptions named = group.named.get(name);
        if (named != null) {
            group.named.put(name, named.changed(of(role, name), change));
        } else {
            group.numbered.replaceAll(
                    (number, options) -> DeclaredHosts.name(mesh, role, number).equals(name)
                            ? options.changed(of(role, name), change)
                            : options);
        }
    }

    void remove(Role role, String mesh, String name) {
        Objects.requireNonNull(name, "name");
        ValueChecks.require(ErrorCode.UNKNOWN_NAME, ValueChecks.known(role.id(), name, names(role, mesh)));
        Group group = group(role);
        if (group.named.remove(name) == null) {
            group.numbered
                    .keySet()
                    .removeIf(number -> DeclaredHosts.name(mesh, role, number).equals(name));
        }
    }

    private List<String> names(Role role, String mesh) {
        Group group = group(role);
        List<String> names = new ArrayList<>(group.named.keySet());
        group.numbered.keySet().forEach(number -> names.add(DeclaredHosts.name(mesh, role, number)));
        return names;
    }

    private Group group(Role role) {
        return role == Role.MONITOR ? monitors : nodes;
    }

    private static String of(Role role, String name) {
        return " of " + role.id() + ' ' + Names.quote(name);
    }
}
