package dev.promguard;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.MarkdownPage.Weight;
import dev.promguard.blueprint.Names;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What was done, as a comment on a pull request. */
final class ReportMarkdown {
    private ReportMarkdown() {}

    static String of(ApplyReport report) {
        MarkdownPage page = new MarkdownPage()
                .add(
                        Weight.HEAD,
                        "head",
                        "## PromGuard: mesh " + Markdown.text(report.mesh()) + "\n\n**"
                                + Markdown.text(new ApplyText(report).summary()) + ".**\n");
        if (!report.ok()) {
            page.add(Weight.HEAD, "heading", "\n");
        }
        failures(report, page);
        page.add(Weight.OVERVIEW, "heading", "\n" + Markdown.headings(Cells.OUTCOME));
        for (HostOutcome host : report.hosts()) {
            page.add(Weight.OVERVIEW, "host", Markdown.row(Cells.of(host)));
        }
        if (!report.cloud().isEmpty()) {
            page.add(Weight.DETAIL, "change in the cloud", changes("In the cloud", report.cloudChanges()));
        }
        report.hosts().stream()
                .filter(host -> !host.notes().isEmpty())
                .forEach(host ->
                        page.add(Weight.DETAIL, "host with notes", list("Notes on " + host.name(), host.notes())));
        report.hosts().stream()
                .filter(host -> !host.changes().isEmpty())
                .forEach(host -> page.add(
                        Weight.DIFFERENCE,
                        "list of a host's changes",
                        Markdown.details(
                                host.name() + ": "
                                        + Names.counted(host.changes().size(), "change"),
                                "",
                                marked(host))));
        return page.text(MarkdownPage.COMMENT, "`toJson()`");
    }

    /** Adds what failed, in whole messages. */
    private static void failures(ApplyReport report, MarkdownPage page) {
        report.failedSteps()
                .forEach(step -> page.add(Weight.HEAD, "failure", failure("**failed:** ", step.toString())));
        report.hosts()
                .forEach(host -> Optional.ofNullable(host.failure())
                        .ifPresent(why -> page.add(Weight.HEAD, "failure", failure("", Cells.failure(host, why)))));
    }

    private static String failure(String label, String message) {
        return "- " + label + Markdown.text(message) + '\n';
    }

    private static String marked(HostOutcome host) {
        StringBuilder lines = new StringBuilder();
        for (AppliedChange change : host.appliedChanges()) {
            lines.append(Markdown.shown(change.toString())).append('\n');
            change.stepIds()
                    .forEach(id ->
                            lines.append("    ").append(Markdown.shown(id)).append('\n'));
        }
        return lines.toString();
    }

    private static String changes(String heading, List<AppliedChange> changes) {
        StringBuilder list = heading(heading);
        changes.forEach(change -> list.append("- ")
                .append(Markdown.text(change.text()))
                .append(change.stepIds().stream()
                        .map(id -> " " + Markdown.code(Markdown.shown(id)))
                        .collect(Collectors.joining()))
                .append('\n'));
        return list.toString();
    }

    private static StringBuilder heading(String heading) {
        return new StringBuilder("\n### ").append(Markdown.text(heading)).append("\n\n");
    }

    private static String list(String heading, Iterable<String> lines) {
        StringBuilder list = heading(heading);
        lines.forEach(line -> list.append("- ").append(Markdown.text(line)).append('\n'));
        return list.toString();
    }

    static String of(DestroyReport report) {
        MarkdownPage page = new MarkdownPage()
                .add(
                        Weight.HEAD,
                        "head",
                        "## PromGuard: mesh " + Markdown.text(report.mesh()) + "\n\n**"
                                + (report.removed().isEmpty()
                                        ? "There was nothing to remove"
                                        : Names.counted(report.removed().size(), "host") + " removed")
                                + ".**\n");
        if (!report.removed().isEmpty()) {
            page.add(Weight.OVERVIEW, "list of hosts", list("Removed", report.removed()));
        }
        report.leftovers().forEach((host, things) -> page.add(Weight.DETAIL, "host", list("Left on " + host, things)));
        report.check().ifPresent(line -> page.add(Weight.OVERVIEW, "check", "\n" + Markdown.text(line) + ".\n"));
        return page.text(MarkdownPage.COMMENT, "`toJson()`");
    }
}
