package dev.promguard.blueprint;

import dev.promguard.InvalidSettingException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Draws a blueprint. Every text in it is of a form that needs no escaping, by the planner's checks. */
final class Picture {
    private static final int BOX_WIDTH = 230;
    private static final int BOX_HEIGHT = 74;
    private static final int GAP = 28;
    private static final int TOP = 70;
    private static final int ROW = 210;
    private static final int NODES_PER_ROW = 5;

    private Picture() {}

    static String mermaid(Blueprint blueprint) {
        StringBuilder text = new StringBuilder("flowchart TB\n");
        for (Blueprint.Host host : blueprint.hosts()) {
            String shape = host.role() == Role.MONITOR ? "([\"%s\"])" : "[\"%s\"]";
            String label = host.name() + "<br/>" + host.spec().region() + "<br/>" + host.address();
            if (!host.spec().exposures().isEmpty()) {
                label += "<br/>" + services(host, List.of());
            }
            text.append("  ")
                    .append(id(blueprint, host.name()))
                    .append(String.format(Locale.ROOT, shape, label))
                    .append('\n');
        }
        for (Blueprint.Host monitor : blueprint.monitors()) {
            for (String peer : monitor.peers()) {
                if (blueprint.host(peer).role() == Role.NODE) {
                    text.append("  ").append(id(blueprint, monitor.name()));
                    text.append(" == \"WireGuard · scrape ")
                            .append(ports(blueprint, blueprint.host(peer)))
                            .append("/tcp\" ==> ");
                    text.append(id(blueprint, peer)).append('\n');
                }
            }
        }
        return text.toString();
    }

    private static String ports(Blueprint blueprint, Blueprint.Host host) {
        StringBuilder ports = new StringBuilder().append(blueprint.spec().nodeExporterPort());
        host.spec().exposures().forEach(exposure -> ports.append(", ").append(exposure.port()));
        return ports.toString();
    }

    /** What runs on a host: these, and the names of its jobs. */
    private static String services(Blueprint.Host host, List<String> first) {
        return Stream.concat(
                        first.stream(),
                        host.spec().exposures().stream().map(Exposure::job).distinct())
                .collect(Collectors.joining(", "));
    }

    private static String id(Blueprint blueprint, String name) {
        for (int i = 0; i < blueprint.hosts().size(); i++) {
            if (blueprint.hosts().get(i).name().equals(name)) {
                return "h" + i;
            }
        }
        throw new InvalidSettingException(name);
    }

    static String svg(Blueprint blueprint) {
        List<Blueprint.Host> monitors = blueprint.monitors();
        List<Blueprint.Host> nodes = blueprint.nodes();
        int columns = Math.max(monitors.size(), Math.min(NODES_PER_ROW, Math.max(1, nodes.size())));
        int rows = (nodes.size() + NODES_PER_ROW - 1) / NODES_PER_ROW;
        int width = Math.max(760, columns * (BOX_WIDTH + GAP) + GAP);
        int height = TOP + BOX_HEIGHT + (rows == 0 ? 0 : ROW - BOX_HEIGHT + rows * (BOX_HEIGHT + GAP)) + 60;
        StringBuilder svg = new StringBuilder(2048);
        svg.append(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
                        + " font-family=\"sans-serif\" font-size=\"13\">%n",
                width,
                height,
                width,
                height));
        svg.append("  <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
        svg.append(String.format(
                Locale.ROOT,
                "  <text x=\"%d\" y=\"34\" font-size=\"18\" font-weight=\"bold\" fill=\"#222\">mesh %s · %s</text>%n",
                GAP,
                blueprint.mesh(),
                blueprint.spec().network()));
        for (int m = 0; m < monitors.size(); m++) {
            for (int n = 0; n < nodes.size(); n++) {
                svg.append(String.format(
                        Locale.ROOT,
                        "  <line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#2f7d5b\" stroke-width=\"2\"/>%n",
                        x(m, monitors.size(), width) + BOX_WIDTH / 2,
                        TOP + BOX_HEIGHT,
                        x(n % NODES_PER_ROW, inRow(n, nodes.size()), width) + BOX_WIDTH / 2,
                        nodeY(n)));
            }
        }
        for (int m = 0; m < monitors.size(); m++) {
            box(svg, monitors.get(m), x(m, monitors.size(), width), TOP, "#e6522c", List.of("Prometheus"));
        }
        for (int n = 0; n < nodes.size(); n++) {
            box(
                    svg,
                    nodes.get(n),
                    x(n % NODES_PER_ROW, inRow(n, nodes.size()), width),
                    nodeY(n),
                    "#33658a",
                    List.of("node_exporter"));
        }
        boolean jobs = blueprint.hosts().stream()
                .anyMatch(host -> !host.spec().exposures().isEmpty());
        svg.append(String.format(
                Locale.ROOT,
                "  <text x=\"%d\" y=\"%d\" fill=\"#555\">green: WireGuard, %d/udp; inside it the monitor alone scrapes %d/tcp%s;"
                        + " everything else is closed but SSH</text>%n",
                GAP,
                height - 24,
                blueprint.spec().wireGuardPort(),
                blueprint.spec().nodeExporterPort(),
                jobs ? " and the jobs named" : ""));
        return svg.append("</svg>\n").toString().replace("\r\n", "\n");
    }

    private static String cut(String text, int most) {
        return text.length() > most ? text.substring(0, most - 1) + "…" : text;
    }

    private static int inRow(int node, int nodes) {
        int row = node / NODES_PER_ROW;
        return Math.min(NODES_PER_ROW, nodes - row * NODES_PER_ROW);
    }

    private static int nodeY(int node) {
        return TOP + ROW + node / NODES_PER_ROW * (BOX_HEIGHT + GAP);
    }

    private static int x(int index, int count, int width) {
        int span = count * BOX_WIDTH + (count - 1) * GAP;
        return (width - span) / 2 + index * (BOX_WIDTH + GAP);
    }

    private static void box(StringBuilder svg, Blueprint.Host host, int x, int y, String colour, List<String> runs) {
        svg.append(String.format(
                Locale.ROOT,
                "  <rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#fafafa\" stroke=\"%s\""
                        + " stroke-width=\"2\"/>%n",
                x,
                y,
                BOX_WIDTH,
                BOX_HEIGHT,
                colour));
        String name = cut(host.name(), 26);
        String service = cut(services(host, runs), 34);
        svg.append(String.format(
                Locale.ROOT,
                "  <text x=\"%d\" y=\"%d\" font-weight=\"bold\" fill=\"#222\">%s</text>%n",
                x + 14,
                y + 24,
                name));
        svg.append(String.format(
                Locale.ROOT,
                "  <text x=\"%d\" y=\"%d\" fill=\"#333\">%s · %s</text>%n",
                x + 14,
                y + 44,
                host.spec().region(),
                host.address()));
        svg.append(String.format(
                Locale.ROOT, "  <text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>%n", x + 14, y + 63, colour, service));
    }
}
