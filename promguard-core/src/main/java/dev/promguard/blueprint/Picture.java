package dev.promguard.blueprint;

import dev.promguard.blueprint.Overlay.Mark;
import dev.promguard.blueprint.Overlay.State;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Draws a blueprint as SVG. Lines run between the boxes only: from a monitor down to a line of its own, along it to a trunk at the left edge, and
 * from there along a line above each row of nodes or to the frame of a region. Every text in it is of a form that needs no escaping, by
 * the planner's checks.
 */
final class Picture {
    private static final int BOX_WIDTH = 250;
    private static final int BOX_HEIGHT = 74;
    private static final int GAP = 28;
    private static final int TITLE = 62;
    private static final int STEP = 7;
    private static final int PER_ROW = 5;
    private static final int FRAME_TITLE = 30;
    private static final int LONGEST_NAME = 26;
    private static final int LONGEST_SERVICES = 34;
    private static final int LONGEST_PLACE = 32;
    private static final int SHORTEST_REGION = 8;
    private static final String WIDE = "mwMW";
    private static final String MONITOR = "#e6522c";
    private static final String NODE = "#33658a";
    private static final String VIEWER = "#6a4c93";
    private static final String BOLD = " font-weight=\"bold\" fill=\"#222222\"";

    private final Blueprint blueprint;
    private final Overlay overlay;
    private final List<Blueprint.Host> monitors;
    private final int boxHeight;
    private final int left;
    private final int width;
    private final int monitorY;
    private final List<String> viewers;
    private final StringBuilder lines = new StringBuilder(2048);
    private final StringBuilder boxes = new StringBuilder(4096);

    Picture(Blueprint blueprint, Overlay overlay) {
        this.blueprint = blueprint;
        this.overlay = overlay;
        this.monitors = blueprint.monitors();
        this.boxHeight = BOX_HEIGHT + (overlay.hosts().isEmpty() ? 0 : 19);
        this.left = GAP + monitors.size() * STEP + STEP;
        this.viewers = viewers(blueprint);
        int columns = Math.max(
                Math.max(monitors.size(), viewers.size()),
                Math.min(PER_ROW, Math.max(2, blueprint.nodes().size())));
        this.width = left + columns * (BOX_WIDTH + GAP) + (Regions.isGrouped(blueprint) ? GAP : 0);
        this.monitorY = TITLE + (viewers.isEmpty() ? 0 : BOX_HEIGHT + GAP + monitors.size() * STEP) + arcs() * STEP;
    }

    /** A line for each viewer, in one row: many of them are counted. */
    private static List<String> viewers(Blueprint blueprint) {
        List<String> all =
                blueprint.viewers().stream().map(Blueprint.Viewer::name).toList();
        if (all.size() <= PER_ROW) {
            return all;
        }
        List<String> some = new ArrayList<>(all.subList(0, PER_ROW - 1));
        some.add("and " + (all.size() - PER_ROW + 1) + " more viewers");
        return List.copyOf(some);
    }

    /** How many tunnels between monitors lead over another monitor. */
    private int arcs() {
        int others = Math.max(0, monitors.size() - 1);
        return others * Math.max(0, others - 1) / 2;
    }

    @Override
    public String toString() {
        for (int m = 0; m < monitors.size(); m++) {
            box(monitors.get(m), monitorX(m), monitorY, MONITOR, List.of("Prometheus"));
        }
        viewers();
        betweenMonitors();
        int below = monitorY + boxHeight;
        int end = blueprint.nodes().isEmpty() ? below : Regions.isGrouped(blueprint) ? regions(below) : rows(below);
        return svg(end + 52);
    }

    /** Viewers above the monitors, each with a line to every monitor. */
    private void viewers() {
        for (int v = 0; v < viewers.size(); v++) {
            int x = monitorX(v);
            boolean one = v < PER_ROW - 1 || blueprint.viewers().size() <= PER_ROW;
            frame(x, TITLE, BOX_HEIGHT, VIEWER);
            text("pg-text", 0, 24, BOLD, cut(viewers.get(v)));
            if (one) {
                text(
                        "pg-dim",
                        0,
                        44,
                        " fill=\"#333333\"",
                        blueprint.viewers().get(v).address());
            }
            text("pg-kind", 0, 63, " fill=\"" + VIEWER + '"', one ? "viewer" : "viewers");
            boxes.append("  </svg>\n");
            for (int m = 0; m < monitors.size(); m++) {
                line(
                        State.GOOD,
                        "M%d %dV%dH%dV%d",
                        x + BOX_WIDTH / 2 + (2 * m - monitors.size() + 1) * STEP,
                        TITLE + BOX_HEIGHT,
                        TITLE + BOX_HEIGHT + GAP / 2 + m * STEP,
                        monitorX(m) + BOX_WIDTH / 4,
                        monitorY);
            }
        }
    }

    private int monitorX(int index) {
        return left + index * (BOX_WIDTH + GAP);
    }

    /** Where the line of a monitor leaves it: beside the middle, where others come to the boxes below. */
    private int exit(int monitor) {
        return monitorX(monitor) + BOX_WIDTH * 3 / 4;
    }

    /** Where the trunk of a monitor runs. */
    private int trunk(int monitor) {
        return GAP / 2 + monitor * STEP;
    }

    private void betweenMonitors() {
        int arc = 0;
        for (int i = 0; i < monitors.size(); i++) {
            for (int j = i + 1; j < monitors.size(); j++) {
                if (!monitors.get(i).peers().contains(monitors.get(j).name())) {
                    continue;
                }
                State state = overlay.tunnel(monitors.get(i), monitors.get(j));
                if (j == i + 1) {
                    line(state, "M%d %dH%d", monitorX(i) + BOX_WIDTH, monitorY + boxHeight / 2, monitorX(j));
                } else {
                    arc++;
                    line(
                            state,
                            "M%d %dV%dH%dV%d",
                            monitorX(i) + BOX_WIDTH / 2 + j * STEP,
                            monitorY,
                            monitorY - arc * STEP,
                            monitorX(j) + BOX_WIDTH / 2 - (monitors.size() - i) * STEP,
                            monitorY);
                }
            }
        }
    }

    /** Nodes in rows, each with a line to each of its monitors. */
    private int rows(int below) {
        List<Blueprint.Host> nodes = blueprint.nodes();
        int space = GAP + monitors.size() * STEP;
        int rows = (nodes.size() + PER_ROW - 1) / PER_ROW;
        for (int n = 0; n < nodes.size(); n++) {
            int y = below + space + n / PER_ROW * (boxHeight + space);
            int x = left + n % PER_ROW * (BOX_WIDTH + GAP);
            box(nodes.get(n), x, y, NODE, List.of("node_exporter"));
            for (int m = 0; m < monitors.size(); m++) {
                if (!monitors.get(m).peers().contains(nodes.get(n).name())) {
                    continue;
                }
                int rail = y - space + GAP / 2 + m * STEP;
                int port = x + BOX_WIDTH / 2 + (2 * m - monitors.size() + 1) * STEP;
                State state = overlay.tunnel(monitors.get(m), nodes.get(n));
                if (n < PER_ROW) {
                    line(state, "M%d %dV%dH%dV%d", exit(m), below, rail, port, y);
                } else {
                    int first = below + GAP / 2 + m * STEP;
                    line(state, "M%d %dV%dH%dV%dH%dV%d", exit(m), below, first, trunk(m), rail, port, y);
                }
            }
        }
        return below + rows * (boxHeight + space);
    }

    /** Nodes in frames by region, each with one line to each monitor for all of its tunnels. */
    private int regions(int below) {
        int perRow = Math.max(monitors.size(), PER_ROW);
        int y = below + GAP + monitors.size() * STEP;
        for (Map.Entry<String, List<Blueprint.Host>> region :
                Regions.of(blueprint).entrySet()) {
            List<Blueprint.Host> nodes = region.getValue();
            int rows = (nodes.size() + perRow - 1) / perRow;
            int height = FRAME_TITLE + rows * (boxHeight + GAP / 2);
            boxes.append(String.format(
                    Locale.ROOT,
                    "  <path class=\"pg-frame\" d=\"M%d %dH%dV%dH%dZ\" fill=\"none\" stroke=\"#999999\""
                            + " stroke-dasharray=\"4 3\"/>\n",
                    left,
                    y,
                    width - GAP / 2,
                    y + height,
                    left));
            text("pg-text", left + 14, y + 21, " font-weight=\"bold\" fill=\"#222222\"", Regions.title(region));
            for (int n = 0; n < nodes.size(); n++) {
                box(
                        nodes.get(n),
                        left + 14 + n % perRow * (BOX_WIDTH + GAP),
                        y + FRAME_TITLE + n / perRow * (boxHeight + GAP / 2),
                        NODE,
                        List.of("node_exporter"));
            }
            for (int m = 0; m < monitors.size(); m++) {
                trunkTo(m, below, y + 12 + m * STEP, nodes);
            }
            y += height + GAP;
        }
        return y - GAP;
    }

    private void trunkTo(int m, int below, int y, List<Blueprint.Host> nodes) {
        Blueprint.Host monitor = monitors.get(m);
        List<State> states = nodes.stream()
                .filter(node -> monitor.peers().contains(node.name()))
                .map(node -> overlay.tunnel(monitor, node))
                .toList();
        if (!states.isEmpty()) {
            State worst = states.contains(State.BAD)
                    ? State.BAD
                    : states.contains(State.UNKNOWN) ? State.UNKNOWN : State.GOOD;
            line(worst, "M%d %dV%dH%dV%dH%d", exit(m), below, below + GAP / 2 + m * STEP, trunk(m), y, left);
        }
    }

    private void line(State state, String path, Object... numbers) {
        lines.append("  <path class=\"pg-line\" d=\"")
                .append(String.format(Locale.ROOT, path, numbers))
                .append("\" fill=\"none\" stroke=\"")
                .append(state.colour())
                .append("\" stroke-width=\"2\"")
                .append(state == State.GOOD ? "" : " stroke-dasharray=\"6 4\"")
                .append("/>\n");
    }

    private void box(Blueprint.Host host, int x, int y, String colour, List<String> runs) {
        Mark mark = overlay.hosts().get(host.name());
        String edge = mark == null ? colour : mark.state().colour();
        frame(x, y, boxHeight, edge);
        text("pg-text", 0, 24, BOLD, cut(host.name()));
        text("pg-dim", 0, 44, " fill=\"#333333\"", place(host));
        text("pg-kind", 0, 63, " fill=\"" + colour + '"', Regions.services(host, runs, LONGEST_SERVICES));
        if (mark != null) {
            text(
                    "pg-state pg-" + mark.state().word(),
                    0,
                    82,
                    " font-weight=\"bold\" fill=\"" + edge + '"',
                    mark.text());
        }
        boxes.append("  </svg>\n");
    }

    /** A box, and the beginning of what stands in it. */
    private void frame(int x, int y, int height, String edge) {
        boxes.append(String.format(
                Locale.ROOT,
                "  <rect class=\"pg-box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#fafafa\" stroke=\"%s\""
                        + " stroke-width=\"2\"/>\n",
                x,
                y,
                BOX_WIDTH,
                height,
                edge));
        // What is too long for a box ends at its edge, whatever the font.
        boxes.append(String.format(
                Locale.ROOT,
                "  <svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" overflow=\"hidden\">\n",
                x + 14,
                y,
                BOX_WIDTH - 18,
                height));
    }

    private void text(String type, int x, int y, String attributes, String text) {
        boxes.append(String.format(
                Locale.ROOT,
                "  <text class=\"%s\" x=\"%d\" y=\"%d\"%s>%s</text>\n",
                type,
                x,
                y,
                attributes,
                escaped(text)));
    }

    /** A region may be what a provider says. */
    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    /** The address is shown whole, however long the name of the region is. */
    private static String place(Blueprint.Host host) {
        String address = " · " + host.address();
        return cut(host.spec().region(), Math.max(SHORTEST_REGION, LONGEST_PLACE - address.length())) + address;
    }

    private static String cut(String name) {
        return cut(name, LONGEST_NAME);
    }

    /** As much of a text as fits into the room of so many letters, of which a wide one takes more than one. */
    private static String cut(String text, int longest) {
        double used = 0;
        int fits = 0;
        for (int i = 0; i < text.length(); i++) {
            used += WIDE.indexOf(text.charAt(i)) < 0 ? 1 : 1.6;
            if (used > longest) {
                return text.substring(0, fits) + "…";
            }
            if (used <= longest - 1) {
                fits = i + 1;
            }
        }
        return text;
    }

    private String svg(int height) {
        boolean jobs = blueprint.hosts().stream()
                .anyMatch(host -> !host.spec().exposures().isEmpty());
        boolean many = monitors.size() > 1;
        return String.format(
                        Locale.ROOT,
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%1$d\" height=\"%2$d\" viewBox=\"0 0 %1$d %2$d\""
                                + " font-family=\"sans-serif\" font-size=\"13\">\n"
                                + "  <style>@media (prefers-color-scheme: dark) { .pg-paper { fill: #16191d } .pg-box { fill: #21262d }"
                                + " .pg-text, .pg-dim, .pg-legend { fill: #e6edf3 } .pg-kind { fill: #9fc3e0 } .pg-good { fill: #5fd39a } .pg-bad { fill: #ff8a80 } .pg-unknown { fill: #e6c35c } }</style>\n"
                                + "  <rect class=\"pg-paper\" width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
                                + "  <text class=\"pg-text\" x=\"%3$d\" y=\"34\" font-size=\"18\" font-weight=\"bold\" fill=\"#222222\">"
                                + "mesh %4$s · %5$s</text>\n",
                        width,
                        height,
                        GAP,
                        blueprint.mesh(),
                        blueprint.spec().network())
                + lines
                + boxes
                + String.format(
                        Locale.ROOT,
                        "  <text class=\"pg-legend\" x=\"%d\" y=\"%d\" fill=\"#555555\">lines: WireGuard, %d/udp; inside it the"
                                + " monitor%s alone scrape%s %d/tcp%s;</text>\n"
                                + "  <text class=\"pg-legend\" x=\"%1$d\" y=\"%d\" fill=\"#555555\">everything else is closed but SSH%s"
                                + "</text>\n",
                        GAP,
                        height - 28,
                        blueprint.spec().wireGuardPort(),
                        many ? "s" : "",
                        many ? "" : "s",
                        blueprint.spec().nodeExporterPort(),
                        jobs ? " and the jobs named" : "",
                        height - 10,
                        overlay.hosts().isEmpty() ? "" : "; red: failed, dashed: failed or not known")
                + "</svg>\n";
    }
}
