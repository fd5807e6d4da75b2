package dev.promguard.blueprint;

import dev.promguard.blueprint.Overlay.Mark;
import dev.promguard.blueprint.Overlay.State;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Draws a blueprint as a Mermaid flowchart. Every text in it is of a form that needs no escaping, by the planner's checks. */
final class Flowchart {
    private static final int LONGEST_SERVICES = 40;

    private final Blueprint blueprint;
    private final Overlay overlay;
    private final Map<String, String> ids = new HashMap<>();
    private final StringBuilder text = new StringBuilder("flowchart TB\n");

    Flowchart(Blueprint blueprint, Overlay overlay) {
        this.blueprint = blueprint;
        this.overlay = overlay;
        for (Blueprint.Host host : blueprint.hosts()) {
            ids.put(host.name(), "h" + ids.size());
        }
    }

    @Override
    public String toString() {
        blueprint.monitors().forEach(monitor -> host("  ", monitor));
        boolean grouped = Regions.isGrouped(blueprint);
        Map<String, List<Blueprint.Host>> regions = Regions.of(blueprint);
        List<String> links = new ArrayList<>();
        if (grouped) {
            int number = 0;
            for (Map.Entry<String, List<Blueprint.Host>> region : regions.entrySet()) {
                String id = "r" + number++;
                text.append("  subgraph ")
                        .append(id)
                        .append("[\"")
                        .append(Regions.title(region))
                        .append("\"]\n");
                region.getValue().forEach(host -> host("    ", host));
                text.append("  end\n");
                blueprint.monitors().forEach(monitor -> region(monitor, id, region.getValue(), links));
            }
        } else {
            blueprint.nodes().forEach(node -> host("  ", node));
        }
        betweenMonitors();
        if (!grouped) {
            blueprint.monitors().forEach(this::nodes);
        }
        links.forEach(text::append);
        viewers();
        states();
        return text.toString();
    }

    private String id(Blueprint.Host host) {
        return ids.getOrDefault(host.name(), "");
    }

    private void host(String indent, Blueprint.Host host) {
        String shape = host.role() == Role.MONITOR ? "([\"%s\"])" : "[\"%s\"]";
        String label = host.name() + "<br/>" + host.spec().region() + "<br/>" + host.address();
        if (!host.spec().exposures().isEmpty()) {
            label += "<br/>" + Regions.services(host, List.of(), LONGEST_SERVICES);
        }
        Mark mark = overlay.hosts().get(host.name());
        if (mark != null) {
            label += "<br/>" + mark.text();
        }
        text.append(indent)
                .append(id(host))
                .append(String.format(Locale.ROOT, shape, label))
                .append('\n');
    }

    /** A viewer knows the monitors alone. */
    private void viewers() {
        int number = 0;
        for (Blueprint.Viewer viewer : blueprint.viewers()) {
            String id = "v" + number++;
            text.append("  ")
                    .append(id)
                    .append("([\"")
                    .append(viewer.name())
                    .append("<br/>viewer<br/>")
                    .append(viewer.address())
                    .append("\"])\n");
            for (Blueprint.Host monitor : blueprint.monitors()) {
                text.append("  ")
                        .append(id)
                        .append(" -. \"WireGuard · Prometheus ")
                        .append(blueprint.spec().prometheus().port())
                        .append("/tcp\" .-> ")
                        .append(id(monitor))
                        .append('\n');
            }
        }
    }

    private void betweenMonitors() {
        List<Blueprint.Host> monitors = blueprint.monitors();
        for (int i = 0; i < monitors.size(); i++) {
            for (int j = i + 1; j < monitors.size(); j++) {
                if (monitors.get(i).peers().contains(monitors.get(j).name())) {
                    text.append("  ")
                            .append(id(monitors.get(i)))
                            .append(" <== \"WireGuard · scrape ")
                            .append(blueprint.spec().nodeExporterPort())
                            .append("/tcp\" ==> ")
                            .append(id(monitors.get(j)))
                            .append('\n');
                }
            }
        }
    }

    private void nodes(Blueprint.Host monitor) {
        for (Blueprint.Host node : blueprint.nodes()) {
            if (monitor.peers().contains(node.name())) {
                text.append(link(monitor, ports(List.of(node)), id(node)));
            }
        }
    }

    private void region(Blueprint.Host monitor, String id, List<Blueprint.Host> nodes, List<String> links) {
        List<Blueprint.Host> peers = nodes.stream()
                .filter(node -> monitor.peers().contains(node.name()))
                .toList();
        if (!peers.isEmpty()) {
            links.add(link(monitor, ports(peers), id));
        }
    }

    private String link(Blueprint.Host monitor, String ports, String to) {
        return "  " + id(monitor) + " == \"WireGuard · scrape " + ports + "/tcp\" ==> " + to + '\n';
    }

    private String ports(List<Blueprint.Host> nodes) {
        List<Integer> ports = new ArrayList<>(List.of(blueprint.spec().nodeExporterPort()));
        if (nodes.size() == 1) {
            nodes.get(0).spec().exposures().forEach(exposure -> ports.add(exposure.port()));
        } else {
            ports.addAll(nodes.stream()
                    .flatMap(node -> node.spec().exposures().stream())
                    .map(Exposure::port)
                    .filter(port -> !ports.contains(port))
                    .collect(Collectors.toCollection(TreeSet::new)));
        }
        return ports.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    private void states() {
        Map<State, List<String>> byState = new EnumMap<>(State.class);
        for (Blueprint.Host host : blueprint.hosts()) {
            Mark mark = overlay.hosts().get(host.name());
            if (mark != null) {
                byState.computeIfAbsent(mark.state(), state -> new ArrayList<>())
                        .add(id(host));
            }
        }
        byState.forEach((state, hosts) -> text.append("  classDef ")
                .append(state.word())
                .append(" stroke:")
                .append(state.colour())
                .append(",stroke-width:3px\n  class ")
                .append(String.join(",", hosts))
                .append(' ')
                .append(state.word())
                .append('\n'));
    }
}
