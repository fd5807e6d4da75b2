package dev.promguard.internal.console;

import dev.promguard.blueprint.Names;
import dev.promguard.internal.console.Line.Style;
import dev.promguard.internal.console.RunView.HostView;
import dev.promguard.internal.text.Columns;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Lays out what is known of runs in the lines of a terminal. What does not fit is left out: nothing wraps. Pure functions. */
final class Layout {
    private static final int MOST_HOSTS_IN_RECAP = 20;
    private static final int TIME = 8;
    private static final int LEAST_TEXT = 24;
    private static final int LEAST_WORD = 6;
    private static final int GAPS = 6;
    private static final String GAP = "  ";

    private Layout() {}

    /** A run that goes on: a line for it, and one for each host, or for those where something goes on if there is no room for more. */
    static List<Line> live(RunView run, Instant now, int columns, int rows) {
        List<Line> lines = new ArrayList<>();
        Line head = Line.of(Style.STRONG, run.title()).and(Style.PLAIN, GAP + clock(run.time(now)));
        if (run.percent().isPresent()) {
            head = head.and(Style.PLAIN, GAP + run.percent().getAsInt() + " %");
        }
        if (run.phase().isPresent()) {
            head = head.and(Style.FAINT, GAP + run.phase().get());
        }
        lines.add(head.within(columns));
        List<HostView> hosts = run.hosts();
        int room = Math.max(1, rows - 1);
        List<HostView> shown = hosts.size() <= room ? hosts : mostActive(hosts, Math.max(0, room - 1));
        Widths widths = Widths.of(shown, columns);
        shown.forEach(host -> lines.add(host(host, host.text(), now, widths, columns)));
        if (shown.size() < hosts.size()) {
            lines.add(Line.of(Style.FAINT, GAP + rest(hosts, shown)).within(columns));
        }
        return lines;
    }

    private static List<HostView> mostActive(List<HostView> hosts, int room) {
        List<HostView> first = new ArrayList<>();
        hosts.stream().filter(HostView::isActive).forEach(first::add);
        hosts.stream().filter(host -> !host.isActive() && host.hasFailed()).forEach(first::add);
        hosts.stream().filter(host -> !first.contains(host)).forEach(first::add);
        List<HostView> shown = first.subList(0, Math.min(room, first.size()));
        return hosts.stream().filter(shown::contains).toList();
    }

    private static String rest(List<HostView> hosts, List<HostView> shown) {
        List<HostView> others =
                hosts.stream().filter(host -> !shown.contains(host)).toList();
        long active = others.stream().filter(HostView::isActive).count();
        long failed = others.stream()
                .filter(host -> !host.isActive() && host.hasFailed())
                .count();
        List<String> parts = new ArrayList<>();
        if (active > 0) {
            parts.add(active + " at work");
        }
        if (failed > 0) {
            parts.add(failed + " failed");
        }
        long idle = others.size() - active - failed;
        if (idle > 0) {
            parts.add(idle + " with nothing to do now");
        }
        return "… and " + Names.counted(others.size(), "host") + " more: " + String.join(", ", parts);
    }

    /** The steps that a run has ended without beginning, after what else is said of it. */
    static String notBegun(int steps) {
        return ", " + Names.counted(steps, "step") + " not begun";
    }

    /** A run that is over. */
    static List<Line> recap(RunView run, int columns) {
        if (run.goesWithoutSaying()) {
            return List.of();
        }
        List<Line> lines = new ArrayList<>();
        String time = clock(run.time(Instant.EPOCH));
        Line head = Line.of(Style.STRONG, run.title()).and(Style.PLAIN, ": ");
        head = switch (run.outcome()) {
            case DONE -> head.and(Style.GOOD, "done").and(Style.PLAIN, " in " + time);
            case CANCELLED -> head.and(Style.BAD, "CANCELLED").and(Style.PLAIN, " after " + time);
            default -> head.and(Style.BAD, "FAILED").and(Style.PLAIN, " after " + time);
        };
        if (run.skipped() > 0) {
            head = head.and(Style.PLAIN, notBegun(run.skipped()));
        }
        lines.add(head.within(columns));
        List<HostView> hosts = run.hosts();
        boolean all = run.showsHosts() && hosts.size() <= MOST_HOSTS_IN_RECAP;
        List<HostView> shown = hosts.stream()
                .filter(host -> all || host.hasFailed())
                .limit(MOST_HOSTS_IN_RECAP)
                .toList();
        Widths widths = Widths.of(shown, columns);
        shown.forEach(host -> lines.add(host(host, host.outcome(), Instant.EPOCH, widths, columns)));
        if (run.showsHosts() && shown.size() < hosts.size()) {
            lines.add(Line.of(
                            Style.FAINT,
                            GAP + rest(hosts, shown).replace(" with nothing to do now", " without a failure"))
                    .within(columns));
        }
        return lines;
    }

    private static Line host(HostView host, RunView.Said said, Instant now, Widths widths, int columns) {
        String left = GAP + Columns.pad(Columns.clip(host.name(), widths.name()), widths.name()) + GAP;
        String time = widths.time() ? String.format(Locale.ROOT, "%" + TIME + "s", clock(host.time(now))) + GAP : "";
        Style style = host.isActive() ? Style.PLAIN : host.hasFailed() ? Style.BAD : Style.GOOD;
        int room = Math.max(0, columns - Columns.width(left) - Columns.width(time));
        return Line.of(Style.PLAIN, left)
                .and(Style.FAINT, time)
                .and(style, said.within(room))
                .within(columns);
    }

    /**
     * How the lines of hosts are divided. What is said of the hosts is clipped before their names are, and where a terminal is narrow, the
     * times are left out before that.
     */
    private record Widths(int name, boolean time) {
        static Widths of(List<HostView> hosts, int columns) {
            int longest = hosts.stream()
                    .mapToInt(host -> Columns.width(host.name()))
                    .max()
                    .orElse(0);
            int room = columns - GAPS - TIME;
            if (room >= 2 * LEAST_TEXT) {
                return new Widths(Math.min(longest, room - LEAST_TEXT), true);
            }
            boolean time = longest <= room - LEAST_WORD;
            int most = time ? room - LEAST_WORD : columns - 2 * GAP.length() - LEAST_WORD;
            return new Widths(Math.min(longest, Math.max(1, most)), time);
        }
    }

    /** Such as 3.2 s or 4:07 min. */
    static String clock(Duration time) {
        long seconds = Math.max(0, time.toSeconds());
        return seconds < 100
                ? String.format(Locale.ROOT, "%.1f s", Math.max(0, time.toMillis()) / 1000.0)
                : String.format(Locale.ROOT, "%d:%02d min", seconds / 60, seconds % 60);
    }
}
