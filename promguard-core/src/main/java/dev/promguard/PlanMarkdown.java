package dev.promguard;

import dev.promguard.MarkdownPage.Weight;
import dev.promguard.Plan.Entry;
import dev.promguard.Plan.Kind;
import java.util.List;

/** A plan as a comment on a pull request. */
final class PlanMarkdown {
    private final Plan plan;
    private final PlanText text;
    private final MarkdownPage page = new MarkdownPage();

    PlanMarkdown(Plan plan) {
        this.plan = plan;
        this.text = new PlanText(plan);
    }

    @Override
    public String toString() {
        page.add(
                Weight.HEAD,
                "head",
                "## PromGuard plan for mesh " + Markdown.text(plan.blueprint().mesh()) + verb() + "\n\n**"
                        + Markdown.text(text.summary()) + ".**\n");
        if (!plan.problems().isEmpty()) {
            page.add(Weight.HEAD, "heading", "\n### Problems\n\n");
            plan.problems().forEach(problem -> page.add(Weight.HEAD, "problem", problem(problem)));
        }
        overview();
        if (!plan.cloud().isEmpty()) {
            page.add(Weight.DETAIL, "change in the cloud", "\n### In the cloud\n\n" + table(plan.cloud()));
        }
        plan.entries().stream()
                .filter(entry -> !entry.changes().isEmpty() || !entry.notes().isEmpty())
                .forEach(this::host);
        page.add(
                Weight.HEAD,
                "foot",
                "\nDigest of this plan: " + Markdown.code(plan.digest())
                        + (plan.drift().isEmpty()
                                ? ""
                                : ". Drift is what somebody changed on a host since the last apply.")
                        + '\n');
        return page.text(MarkdownPage.COMMENT, "`toJson()`");
    }

    private String verb() {
        return switch (plan.operation()) {
            case APPLY -> "";
            case ROTATE_KEYS -> ": rotate keys";
            case DESTROY -> ": destroy";
        };
    }

    private String problem(MeshProblem problem) {
        String blocks = problem.blocking() ? "**nothing is done:** " : "";
        return "- " + blocks + Markdown.text(problem.toString()) + '\n';
    }

    private void overview() {
        List<Entry> shown = plan.entries().stream()
                .filter(entry -> entry.kind() != Kind.KEEP)
                .toList();
        if (shown.isEmpty()) {
            return;
        }
        page.add(
                Weight.OVERVIEW,
                "heading",
                "\n"
                        + Markdown.headings(List.of(
                                "action", "host", "region", "size", "WireGuard address", "public address", "changes")));
        for (Entry entry : shown) {
            page.add(
                    Weight.OVERVIEW,
                    "host",
                    Markdown.row(List.of(
                            word(entry),
                            entry.name(),
                            Cells.orNothing(entry.region()),
                            Cells.orNothing(entry.size()),
                            entry.address().orElse(Cells.NOTHING),
                            entry.publicAddress().orElse(Cells.NOTHING),
                            changes(entry))));
        }
        int kept = plan.entries().size() - shown.size();
        if (kept > 0) {
            page.add(
                    Weight.OVERVIEW, "line", "\n" + (kept == 1 ? "1 host is" : kept + " hosts are") + " up to date.\n");
        }
    }

    /** What would happen to a host, in a few words. */
    static String word(Entry entry) {
        return switch (entry.kind()) {
            case CREATE -> "create";
            case CHANGE -> entry.problems().isEmpty() ? "change" : "cannot be changed";
            case KEEP -> "keep";
            case REMOVE -> "remove";
            case UNKNOWN -> "not readable";
        };
    }

    private static String changes(Entry entry) {
        int changes = entry.changes().size();
        long drift = entry.changes().stream().filter(PlannedChange::drift).count();
        return changes == 0 ? Cells.NOTHING : changes + (drift == 0 ? "" : ", " + drift + " of them drift");
    }

    private void host(Entry entry) {
        StringBuilder lines = new StringBuilder("\n### " + Markdown.text(entry.name()) + "\n\n");
        if (!entry.changes().isEmpty()) {
            lines.append(table(entry.changes()));
        }
        if (!entry.changes().isEmpty() && !entry.notes().isEmpty()) {
            lines.append('\n');
        }
        entry.notes()
                .forEach(note -> lines.append("- ").append(Markdown.text(note)).append('\n'));
        page.add(Weight.DETAIL, "host with its changes", lines.toString());
        for (PlannedChange change : entry.changes()) {
            change.diff()
                    .ifPresent(diff -> page.add(
                            Weight.DIFFERENCE,
                            "difference of a file",
                            Markdown.details(entry.name() + ": " + change.subject(), "diff", diff)));
        }
    }

    private static String table(List<PlannedChange> changes) {
        StringBuilder table = new StringBuilder(Markdown.headings(Cells.CHANGE));
        changes.forEach(change -> table.append(Markdown.row(Cells.of(change))));
        return table.toString();
    }
}
