package dev.promguard;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.blueprint.Names;
import dev.promguard.internal.text.Columns;
import dev.promguard.internal.text.StableIds;
import dev.promguard.internal.text.TextTable;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;

/** The report of an apply as text for people. */
final class ApplyText {
    private final ApplyReport report;

    ApplyText(ApplyReport report) {
        this.report = report;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(256);
        text.append("mesh ").append(report.mesh()).append(": ").append(summary());
        report.cloud().forEach(change -> text.append("\n  ").append(change));
        report.failedSteps()
                .forEach(step ->
                        text.append("\n  FAILED ").append(step.toString().replace("\n", "\n    ")));
        TextTable table = new TextTable();
        report.hosts()
                .forEach(host -> table.add(
                        "  " + host.name(),
                        host.region(),
                        host.publicAddress().orElse("-"),
                        host.address(),
                        outcome(host)));
        Iterator<String> rows = table.lines(Columns.LINE, "    ").iterator();
        for (HostOutcome host : report.hosts()) {
            text.append('\n').append(rows.next());
            host.notes().forEach(note -> text.append("\n    (").append(note).append(')'));
        }
        if (report.ok() && !report.prometheusCommands().isEmpty()) {
            text.append("\nPrometheus, for a colleague without Java:");
            report.prometheusCommands().forEach(command -> text.append("\n  ").append(command));
        }
        return text.toString();
    }

    /** The text, and every change with the ids of its steps. */
    String details() {
        StringBuilder text = new StringBuilder(toString());
        details(text, "in the cloud", report.cloudChanges());
        report.hosts().forEach(host -> details(text, host.name(), host.appliedChanges()));
        if (!report.removed().isEmpty()) {
            text.append("\n\nremoved:");
            report.removed()
                    .forEach(name -> text.append("\n  - ")
                            .append(name)
                            .append("\n      ")
                            .append(StableIds.ofHost(name)));
        }
        return text.toString();
    }

    private static void details(StringBuilder text, String where, List<AppliedChange> changes) {
        if (changes.isEmpty()) {
            return;
        }
        text.append("\n\n").append(where).append(':');
        for (AppliedChange change : changes) {
            text.append("\n  ").append(change);
            change.stepIds().forEach(id -> text.append("\n      ").append(id));
        }
    }

    /** How much was done, and whether all is well. */
    String summary() {
        return String.format(
                Locale.ROOT,
                "%s, %s%s on %s%s in %.1f s",
                result(),
                Names.counted(report.changes(), "change"),
                report.drift() == 0 ? "" : " (" + report.drift() + " of drift)",
                Names.counted(report.hosts().size(), "host"),
                report.removed().isEmpty() ? "" : ", removed " + String.join(", ", report.removed()),
                report.duration().toMillis() / 1000.0);
    }

    private String result() {
        if (report.ok()) {
            return "up to date";
        }
        int steps = report.failedSteps().size();
        String failedSteps = Names.counted(steps, "step") + " failed";
        long failed =
                report.hosts().stream().filter(host -> !host.status().ok()).count();
        return failed == 0
                ? failedSteps
                : failed + " of " + report.hosts().size() + " hosts failed" + (steps == 0 ? "" : ", " + failedSteps);
    }

    /** What came of a host, in a few words. */
    static String outcome(HostOutcome host) {
        String done = Names.counted(host.changes().size(), "change")
                + (host.drift().isEmpty() ? "" : ", " + host.drift().size() + " of them drift");
        return switch (host.status()) {
            case UNCHANGED -> "unchanged";
            case CHANGED -> done;
            case ROLLED_BACK -> "ROLLED BACK after " + done;
            case UNKNOWN -> "UNKNOWN after " + done;
            case FAILED -> "FAILED after " + done;
        };
    }
}
