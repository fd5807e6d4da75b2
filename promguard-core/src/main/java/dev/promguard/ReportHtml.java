package dev.promguard;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.Plan.Entry;
import dev.promguard.VerifyReport.Check;
import dev.promguard.internal.text.Version;
import java.util.List;
import java.util.Optional;

/** A report as one HTML page. */
final class ReportHtml {
    private final Report report;
    private final HtmlPage page;

    ReportHtml(Report report) {
        this.report = report;
        this.page = new HtmlPage("Mesh " + report.mesh());
    }

    @Override
    public String toString() {
        page.element("h1", "Mesh " + report.mesh());
        String at = report.createdAt().map(time -> " on " + Cells.time(time)).orElse("");
        page.element("p", "dim", "Made by PromGuard " + Version.running() + at + ".");
        page.open("nav");
        report.plan().ifPresent(plan -> page.link("#plan", "Plan: " + new PlanText(plan).summary()));
        report.applied().ifPresent(done -> page.link("#applied", "Applied: " + new ApplyText(done).summary()));
        report.removed()
                .ifPresent(done ->
                        page.link("#removed", "Removed: " + done.removed().size()));
        report.verified().ifPresent(done -> page.link("#verified", "Verified: " + new VerifyText(done).count()));
        page.close("nav");
        report.plan().ifPresent(this::plan);
        report.applied().ifPresent(this::applied);
        report.removed().ifPresent(this::removed);
        report.verified().ifPresent(this::verified);
        return page.toString();
    }

    private void plan(Plan plan) {
        page.section("plan", "Plan");
        page.element("p", plan.isEmpty() ? "good" : "", new PlanText(plan).summary());
        page.element("p", "dim", "Digest of the plan: " + plan.digest());
        page.list(plan.problems().stream()
                .map(problem -> (problem.blocking() ? "Nothing is done: " : "") + problem)
                .map(text -> new HtmlPage.Item("bad", text))
                .toList());
        page.table(
                List.of("action", "host", "region", "size", "WireGuard address", "public address", "changes"),
                plan.entries().stream().map(ReportHtml::row).toList());
        if (!plan.cloud().isEmpty()) {
            page.element("h3", "In the cloud");
            changes(plan.cloud());
        }
        for (Entry entry : plan.entries()) {
            if (!entry.changes().isEmpty() || !entry.notes().isEmpty()) {
                page.element("h3", entry.name());
                entry.notes().forEach(note -> page.element("p", note));
                changes(entry.changes());
            }
        }
    }

    private static List<String> row(Entry entry) {
        long drift = entry.changes().stream().filter(PlannedChange::drift).count();
        return List.of(
                PlanMarkdown.word(entry),
                entry.name(),
                Cells.orNothing(entry.region()),
                Cells.orNothing(entry.size()),
                entry.address().orElse(Cells.NOTHING),
                entry.publicAddress().orElse(Cells.NOTHING),
                entry.changes().size() + (drift == 0 ? "" : ", " + drift + " of them drift"));
    }

    private void changes(List<PlannedChange> changes) {
        if (changes.isEmpty()) {
            return;
        }
        page.table(Cells.CHANGE, changes.stream().map(Cells::of).toList());
        for (PlannedChange change : changes) {
            change.diff().ifPresent(diff -> {
                page.details(change.subject());
                page.diff(diff);
                page.close("details");
            });
        }
    }

    private void applied(ApplyReport done) {
        page.section("applied", "Applied");
        page.element("p", done.ok() ? "good" : "bad", new ApplyText(done).summary());
        page.list(done.failedSteps().stream()
                .map(step -> new HtmlPage.Item("bad", step.toString()))
                .toList());
        page.table(Cells.OUTCOME, done.hosts().stream().map(Cells::of).toList());
        page.list(items(done.cloudChanges()));
        for (HostOutcome host : done.hosts()) {
            Optional.ofNullable(host.failure())
                    .ifPresent(why -> page.element("p", "bad lines", Cells.failure(host, why)));
            host.notes().forEach(note -> page.element("p", host.name() + ": " + note));
            if (!host.changes().isEmpty()) {
                page.details(host.name() + ": " + ApplyText.outcome(host));
                page.list(items(host.appliedChanges()));
                page.close("details");
            }
        }
    }

    private static List<HtmlPage.Item> items(List<AppliedChange> changes) {
        return changes.stream()
                .map(change -> new HtmlPage.Item(
                        "", change.text() + (change.drift() ? " (drift)" : ""), String.join(", ", change.stepIds())))
                .toList();
    }

    private void removed(DestroyReport done) {
        page.section("removed", "Removed");
        page.element("p", done.toString().lines().findFirst().orElse(""));
        done.leftovers().forEach((host, things) -> {
            page.element("h3", "Left on " + host);
            page.list(things.stream().map(thing -> new HtmlPage.Item("", thing)).toList());
        });
        done.check().ifPresent(line -> page.element("p", line));
    }

    private void verified(VerifyReport done) {
        VerifyText text = new VerifyText(done);
        page.section("verified", "Verified");
        page.element("p", done.ok() ? "good" : "bad", text.count());
        page.element(
                "p",
                "dim",
                "Checked on " + Cells.time(done.checkedAt()) + " by PromGuard " + done.version()
                        + done.origin().map(" for "::concat).orElse("")
                        + done.blueprint()
                                .map(blueprint -> ". Hash of the spec: "
                                        + blueprint.spec().hash())
                                .orElse("")
                        + ".");
        done.blueprint().ifPresent(blueprint -> page.picture(done.toSvg()));
        page.table(
                List.of("host", "region", "public address", "WireGuard address", "last handshake", "target"),
                done.hosts().stream()
                        .map(host -> List.of(
                                host.name(),
                                Cells.orNothing(host.region()),
                                host.publicAddress().orElse(Cells.NOTHING),
                                host.address(),
                                VerifyText.handshake(host),
                                host.target()))
                        .toList());
        checks("What fails", "bad", done.failures(), text);
        checks("What could not be checked", "warn", done.unchecked(), text);
        checks("Notes", "", done.notes(), text);
        versions(done);
        page.element("h3", "Every check");
        Cells.byHost(done).forEach((name, own) -> {
            page.details(text.subject(name) + ": " + Cells.passed(own));
            page.table(
                    List.of("verdict", "check", "observed", "method"),
                    own.stream()
                            .map(check -> List.of(
                                    check.verdict().label(),
                                    check.description(),
                                    Markdown.shown(check.observed()),
                                    Markdown.shown(check.method())))
                            .toList());
            page.close("details");
        });
    }

    private void checks(String title, String type, List<Check> checks, VerifyText text) {
        if (checks.isEmpty()) {
            return;
        }
        page.element("h3", title);
        page.list(checks.stream()
                .map(check -> new HtmlPage.Item(
                        type,
                        text.subject(check.host()) + ": " + check.description(),
                        Markdown.shown(check.observed())
                                + (check.remedy().isEmpty() ? "" : ". To do: " + check.remedy())))
                .toList());
    }

    private void versions(VerifyReport done) {
        List<List<String>> rows = done.hosts().stream()
                .filter(host -> host.system().isPresent())
                .map(host -> List.of(
                        host.name(),
                        host.system().orElse(Cells.NOTHING),
                        host.kernel().orElse(Cells.NOTHING),
                        Cells.software(host)))
                .toList();
        if (!rows.isEmpty()) {
            page.element("h3", "Versions");
            page.table(List.of("host", "system", "kernel", "software"), rows);
        }
    }
}
