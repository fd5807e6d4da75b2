package dev.promguard;

import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.Verdict;
import dev.promguard.blueprint.Names;
import dev.promguard.internal.text.Columns;
import dev.promguard.internal.text.TextTable;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A verification's report as text: for a terminal, and as Markdown. Text that comes from hosts is escaped, so that a host cannot
 * falsify the report.
 */
final class VerifyText {
    private static final int LONGEST_TEXT = 1_000;
    private static final int MOST_LISTED = 5;
    /** What a target's health takes at the most, which is {@code up}, {@code down} or {@code unknown} where nobody lies. */
    private static final int MOST_OF_TARGET = 20;

    private static final Pattern LINE_END = Pattern.compile("\\s*\\R\\s*");
    private static final Pattern MARKDOWN = Pattern.compile("[\\\\`*_{}\\[\\]<>#|!~&$@]|://|www[.]");

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
                    Columns.clip(shown(host.target()), MOST_OF_TARGET));
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

    private static String handshake(HostHealth host) {
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
                .append(shown(check.description()))
                .append(line)
                .append("observed: ")
                .append(shown(check.observed()))
                .append(line)
                .append("by: ")
                .append(shown(check.method()));
        if (!check.remedy().isEmpty()) {
            text.append(line).append("to do: ").append(shown(check.remedy()));
        }
    }

    /** The checks of one host that could not be made for the same reason, together. */
    private static Collection<List<Check>> grouped(List<Check> checks) {
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
                .append(shown(first.observed()))
                .append(line)
                .append("which: ")
                .append(listed(unchecked));
        if (!first.remedy().isEmpty()) {
            text.append(line).append("to do: ").append(shown(first.remedy()));
        }
    }

    private static String listed(List<Check> checks) {
        String some = checks.stream()
                .limit(MOST_LISTED)
                .map(check -> shown(check.description()))
                .collect(Collectors.joining("; "));
        return checks.size() <= MOST_LISTED ? some : some + "; and " + (checks.size() - MOST_LISTED) + " more";
    }

    private String count() {
        int notes = report.notes().size();
        int made = report.checks().size() - notes;
        int unchecked = report.unchecked().size();
        return (made - report.failures().size() - unchecked) + " of " + made + " checks passed"
                + (unchecked == 0 ? "" : ", " + unchecked + " could not be checked")
                + (notes == 0 ? "" : notes == 1 ? ", 1 note" : ", " + notes + " notes");
    }

    /** The whole report as Markdown. */
    String markdown() {
        StringBuilder text = new StringBuilder(16 * 1024);
        text.append("# Verification of mesh ").append(escaped(report.mesh())).append("\n\n");
        text.append("Checked on ")
                .append(report.checkedAt()
                        .truncatedTo(ChronoUnit.SECONDS)
                        .toString()
                        .replace("T", " at ")
                        .replace("Z", " UTC"))
                .append(" by PromGuard ")
                .append(escaped(report.version()))
                .append(", which changed nothing on any host.\n\n");
        text.append("**").append(count()).append(".** ");
        text.append(
                report.failures().isEmpty()
                        ? "Nothing fails"
                                + (report.unchecked().isEmpty() ? ".\n" : ", but not everything could be checked.\n")
                        : report.failures().size() == 1
                                ? "One fails.\n"
                                : report.failures().size() + " fail.\n");
        text.append("\n| host | region | public address | WireGuard address | last handshake | target | checks |\n");
        text.append("|---|---|---|---|---|---|---|\n");
        for (HostHealth host : hosts()) {
            List<Check> own = about(host.name());
            long made = own.stream()
                    .filter(check -> check.verdict() != Verdict.NOTE)
                    .count();
            row(
                    text,
                    host.name(),
                    host.region(),
                    host.publicAddress().orElse("-"),
                    host.address(),
                    handshake(host),
                    host.target(),
                    own.stream().filter(Check::passed).count() + " of " + made + " passed");
        }
        section(text, "What fails, and what to do", report.failures());
        uncheckedSection(text);
        section(text, "Notes", report.notes());
        text.append("\n## Every check\n");
        Set<String> names = new LinkedHashSet<>();
        hosts().forEach(host -> names.add(host.name()));
        report.checks().forEach(check -> names.add(check.host()));
        for (String name : names) {
            text.append("\n### ").append(escaped(subject(name))).append("\n\n");
            text.append("| verdict | check | observed | method |\n|---|---|---|---|\n");
            for (Check check : about(name)) {
                row(text, check.verdict().label(), check.description(), check.observed(), check.method());
            }
        }
        return text.toString();
    }

    /** What a check is about, in words. */
    private String subject(String host) {
        return host.isEmpty() ? "mesh " + report.mesh() : host;
    }

    private List<Check> about(String host) {
        return report.checks().stream()
                .filter(check -> check.host().equals(host))
                .toList();
    }

    private void uncheckedSection(StringBuilder text) {
        if (report.unchecked().isEmpty()) {
            return;
        }
        text.append("\n## What could not be checked, and what to do\n\n");
        for (List<Check> checks : grouped(report.unchecked())) {
            Check first = checks.get(0);
            text.append("- ")
                    .append(escaped(subject(first.host())))
                    .append(": ")
                    .append(checks.size())
                    .append(checks.size() == 1 ? " check" : " checks")
                    .append("  \n  why: ")
                    .append(escaped(first.observed()));
            if (!first.remedy().isEmpty()) {
                text.append("  \n  to do: ").append(escaped(first.remedy()));
            }
            text.append('\n');
        }
    }

    private void section(StringBuilder text, String title, List<Check> checks) {
        if (checks.isEmpty()) {
            return;
        }
        text.append("\n## ").append(title).append("\n\n");
        for (Check check : checks) {
            text.append("- ")
                    .append(escaped(subject(check.host())))
                    .append(": ")
                    .append(escaped(check.description()))
                    .append("  \n  observed: ")
                    .append(escaped(check.observed()));
            if (!check.remedy().isEmpty()) {
                text.append("  \n  to do: ").append(escaped(check.remedy()));
            }
            text.append('\n');
        }
    }

    private static void row(StringBuilder text, String... cells) {
        text.append('|');
        for (String cell : cells) {
            text.append(' ').append(escaped(cell)).append(" |");
        }
        text.append('\n');
    }

    /** A text as it may be shown in one line: what does not show itself is a question mark, and what is too long is cut. */
    private static String shown(String text) {
        String cut = text.length() <= LONGEST_TEXT
                ? text
                : text.substring(0, LONGEST_TEXT) + "… (" + text.length() + " characters)";
        return Names.printable(LINE_END.matcher(cut.strip()).replaceAll(" / ")).replace('\t', ' ');
    }

    /** The same, with nothing in it that Markdown or HTML would take for more than text. */
    private static String escaped(String text) {
        return MARKDOWN.matcher(shown(text))
                .replaceAll(found -> Matcher.quoteReplacement(
                        switch (found.group()) {
                            case "<" -> "&lt;";
                            case ">" -> "&gt;";
                            case "&" -> "&amp;";
                            case "@" -> "&#64;";
                            case "://" -> ":&#47;&#47;";
                            case "www." -> "www&#46;";
                            default -> '\\' + found.group();
                        }));
    }
}
