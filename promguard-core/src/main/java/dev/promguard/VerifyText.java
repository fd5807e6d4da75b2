package dev.promguard;

import dev.promguard.VerifyReport.Check;
import dev.promguard.internal.text.Columns;
import dev.promguard.internal.text.TextTable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A verification's report as text for a terminal. Text that comes from hosts is made safe to print. */
final class VerifyText {
    private static final int MOST_LISTED = 5;
    /** What a target's health takes at the most, which is {@code up}, {@code down} or {@code unknown} where nobody lies. */
    private static final int MOST_OF_TARGET = 20;

    private final VerifyReport report;

    VerifyText(VerifyReport report) {
        this.report = report;
    }

    /** The hosts as a table, without their regions where a line would be too wide. */
    String table() {
        List<String> lines = table(true);
        return String.join(
                "\n", lines.stream().allMatch(line -> Columns.width(line) <= Columns.LINE) ? lines : table(false));
    }

    private List<String> table(boolean withRegion) {
        TextTable table = new TextTable();
        row(table, withRegion, "host", "region", "public address", "WireGuard", "handshake", "target");
        for (HostHealth host : hosts()) {
            row(
                    table,
                    withRegion,
                    host.name(),
                    host.region(),
                    host.publicAddress().orElse("-"),
                    host.address(),
                    handshake(host),
                    Columns.clip(Markdown.shown(host.target()), MOST_OF_TARGET));
        }
        return table.lines();
    }

    private static void row(TextTable table, boolean withRegion, String name, String region, String... rest) {
        List<String> cells = new ArrayList<>(List.of(name));
        if (withRegion) {
            cells.add(region);
        }
        cells.addAll(List.of(rest));
        table.add(cells.toArray(String[]::new));
    }

    private List<HostHealth> hosts() {
        return report.hosts();
    }

    static String handshake(HostHealth host) {
        return host.handshakeAge().map(age -> age.toSeconds() + " s ago").orElse("never");
    }

    /** How many checks passed, and each that did not with what to do. */
    String summary() {
        StringBuilder text = new StringBuilder(256);
        text.append("mesh ").append(report.mesh()).append(": ").append(count());
        report.failures().forEach(check -> append(text, "FAILED  ", check));
        grouped(report.unchecked()).forEach(checks -> append(text, checks));
        report.notes().forEach(check -> append(text, "note    ", check));
        return text.toString();
    }

    private void append(StringBuilder text, String verdict, Check check) {
        String line = "\n          ";
        text.append("\n  ")
                .append(verdict)
                .append(subject(check.host()))
                .append(": ")
                .append(Markdown.shown(check.description()))
                .append(line)
                .append("observed: ")
                .append(Markdown.shown(check.observed()))
                .append(line)
                .append("by: ")
                .append(Markdown.shown(check.method()));
        if (!check.remedy().isEmpty()) {
            text.append(line).append("to do: ").append(Markdown.shown(check.remedy()));
        }
    }

    /** The checks of one host that could not be made for the same reason, together. */
    static Collection<List<Check>> grouped(List<Check> checks) {
        Map<List<String>, List<Check>> groups = new LinkedHashMap<>();
        checks.forEach(check -> groups.computeIfAbsent(
                        List.of(check.host(), check.observed(), check.remedy()), key -> new ArrayList<>())
                .add(check));
        return groups.values();
    }

    private void append(StringBuilder text, List<Check> unchecked) {
        String line = "\n          ";
        Check first = unchecked.get(0);
        text.append("\n  NOT CHECKED  ")
                .append(subject(first.host()))
                .append(": ")
                .append(unchecked.size())
                .append(unchecked.size() == 1 ? " check could not be made" : " checks could not be made")
                .append(line)
                .append("why: ")
                .append(Markdown.shown(first.observed()))
                .append(line)
                .append("which: ")
                .append(listed(unchecked));
        if (!first.remedy().isEmpty()) {
            text.append(line).append("to do: ").append(Markdown.shown(first.remedy()));
        }
    }

    private static String listed(List<Check> checks) {
        String some = checks.stream()
                .limit(MOST_LISTED)
                .map(check -> Markdown.shown(check.description()))
                .collect(Collectors.joining("; "));
        return checks.size() <= MOST_LISTED ? some : some + "; and " + (checks.size() - MOST_LISTED) + " more";
    }

    String count() {
        int notes = report.notes().size();
        int made = report.checks().size() - notes;
        int unchecked = report.unchecked().size();
        return (made - report.failures().size() - unchecked) + " of " + made + " checks passed"
                + (unchecked == 0 ? "" : ", " + unchecked + " could not be checked")
                + (notes == 0 ? "" : notes == 1 ? ", 1 note" : ", " + notes + " notes");
    }

    /** What a check is about, in words. */
    String subject(String host) {
        return host.isEmpty() ? "mesh " + report.mesh() : host;
    }
}
