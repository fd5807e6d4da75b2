package dev.promguard;

import dev.promguard.MarkdownPage.Weight;
import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Names;
import java.util.List;
import java.util.Map;

/** A verification's report as a document for a reader who did not see the run; its source reads like a letter. */
final class VerifyMarkdown {
    private final VerifyReport report;
    private final VerifyText text;
    private final Map<String, List<Check>> byHost;
    private final MarkdownPage page = new MarkdownPage();

    VerifyMarkdown(VerifyReport report) {
        this.report = report;
        this.text = new VerifyText(report);
        this.byHost = Cells.byHost(report);
    }

    /** The document, in at most so many characters. */
    String text(int most) {
        page.add(Weight.HEAD, "head", head());
        hosts();
        section("What fails, and what to do", "failed check", report.failures());
        unchecked();
        section("Notes", "note", report.notes());
        versions();
        everyCheck();
        return page.text(most, "`toMarkdown()` without a limit");
    }

    private String head() {
        StringBuilder head = new StringBuilder(512);
        head.append("# Verification of mesh ")
                .append(Markdown.text(report.mesh()))
                .append("\n\nChecked on ")
                .append(Cells.time(report.checkedAt()))
                .append(" by PromGuard ")
                .append(Markdown.text(report.version()))
                .append(", which changed nothing on any host.\n");
        report.origin()
                .ifPresent(origin -> head.append("Run by ")
                        .append(Markdown.text(origin))
                        .append(", from where the ports were probed.\n"));
        report.blueprint()
                .ifPresent(blueprint -> head.append("The hash of the spec is ")
                        .append(blueprint.spec().hash())
                        .append(".\n"));
        head.append("\n**").append(text.count()).append(".** ");
        int failures = report.failures().size();
        head.append(
                failures > 0
                        ? failures == 1 ? "One fails.\n" : failures + " fail.\n"
                        : "Nothing fails"
                                + (report.unchecked().isEmpty() ? ".\n" : ", but not everything could be checked.\n"));
        return head.toString();
    }

    private void hosts() {
        List<List<String>> rows = report.hosts().stream()
                .map(host -> List.of(
                        host.name(),
                        host.region(),
                        host.publicAddress().orElse(Cells.NOTHING),
                        host.address(),
                        VerifyText.handshake(host),
                        host.target(),
                        Cells.passed(byHost.getOrDefault(host.name(), List.of()))))
                .toList();
        List<String> lines = Markdown.table(
                List.of("host", "region", "public address", "WireGuard address", "last handshake", "target", "checks"),
                rows);
        page.add(Weight.OVERVIEW, "heading", '\n' + lines.get(0) + lines.get(1));
        lines.stream().skip(2).forEach(line -> page.add(Weight.OVERVIEW, "host", line));
    }

    private void versions() {
        List<HostHealth> known = report.hosts().stream()
                .filter(host -> host.system().isPresent() || !host.software().isEmpty())
                .toList();
        if (known.isEmpty()) {
            return;
        }
        List<String> lines = Markdown.table(
                List.of("host", "system", "kernel", "software"),
                known.stream()
                        .map(host -> List.of(
                                host.name(),
                                host.system().orElse(Cells.NOTHING),
                                host.kernel().orElse(Cells.NOTHING),
                                Cells.orNothing(Cells.software(host))))
                        .toList());
        page.add(Weight.DETAIL, "heading", "\n## Versions\n\n" + lines.get(0) + lines.get(1));
        lines.stream().skip(2).forEach(line -> page.add(Weight.DETAIL, "line of versions", line));
    }

    private void section(String title, String noun, List<Check> checks) {
        if (checks.isEmpty()) {
            return;
        }
        page.add(Weight.HEAD, "heading", "\n## " + title + "\n\n");
        for (Check check : checks) {
            StringBuilder item = new StringBuilder("- ")
                    .append(Markdown.text(text.subject(check.host())))
                    .append(": ")
                    .append(Markdown.text(check.description()));
            line(item, "observed", check.observed());
            line(item, "to do", check.remedy());
            page.add(Weight.OVERVIEW, noun, item.append('\n').toString());
        }
    }

    private void unchecked() {
        if (report.unchecked().isEmpty()) {
            return;
        }
        page.add(Weight.HEAD, "heading", "\n## What could not be checked, and what to do\n\n");
        for (List<Check> checks : VerifyText.grouped(report.unchecked())) {
            Check first = checks.get(0);
            StringBuilder item = new StringBuilder("- ")
                    .append(Markdown.text(text.subject(first.host())))
                    .append(": ")
                    .append(Names.counted(checks.size(), "check"));
            line(item, "why", first.observed());
            line(item, "to do", first.remedy());
            page.add(Weight.OVERVIEW, "reason", item.append('\n').toString());
        }
    }

    private void everyCheck() {
        page.add(Weight.DETAIL, "heading", "\n## Every check\n");
        byHost.forEach((name, checks) -> {
            StringBuilder list = new StringBuilder("\n### ")
                    .append(Markdown.text(text.subject(name)))
                    .append("\n\n");
            for (Check check : checks) {
                list.append("- ")
                        .append(check.verdict().label())
                        .append(": ")
                        .append(Markdown.text(check.description()));
                line(list, "observed", check.observed());
                line(list, "by", check.method());
                list.append('\n');
            }
            page.add(Weight.DIFFERENCE, "list of all checks of a host", list.toString());
        });
    }

    private static void line(StringBuilder item, String label, String value) {
        if (!value.isEmpty()) {
            item.append("  \n  ").append(label).append(": ").append(Markdown.text(value));
        }
    }
}
