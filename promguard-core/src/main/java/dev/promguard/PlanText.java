package dev.promguard;

import dev.promguard.Plan.Entry;
import dev.promguard.Plan.Kind;
import dev.promguard.Plan.Operation;
import dev.promguard.blueprint.Names;
import dev.promguard.internal.text.Columns;
import dev.promguard.internal.text.TextTable;
import dev.promguard.spi.Price;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Iterator;
import java.util.Optional;

/** A plan as text for people. */
final class PlanText {
    /** What a note begins with that names something which a verification reports and no apply changes. */
    static final String NOT_CHANGED = "not changed: ";

    private final Plan plan;

    PlanText(Plan plan) {
        this.plan = plan;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(512);
        text.append("mesh ").append(plan.blueprint().mesh());
        if (!plan.only().isEmpty()) {
            text.append(", only ").append(String.join(", ", plan.only()));
        }
        text.append(
                switch (plan.operation()) {
                    case APPLY -> ": ";
                    case ROTATE_KEYS -> ", rotate keys: ";
                    case DESTROY -> ", destroy: ";
                });
        text.append(summary());
        if (plan.isEmpty()) {
            return appendEntries(text).toString();
        }
        if (!plan.meshProblems().isEmpty()) {
            text.append('\n');
            plan.meshProblems()
                    .forEach(problem -> text.append('\n')
                            .append(problem.blocking() ? verb() + " refuses: " : "problem: ")
                            .append(problem));
        }
        if (!plan.cloud().isEmpty()) {
            text.append('\n');
            plan.cloud().forEach(change -> text.append('\n').append(change));
        }
        return appendEntries(text).toString();
    }

    /** How much would happen, and what it would cost. */
    String summary() {
        if (plan.isEmpty()) {
            return nothingToDo();
        }
        StringBuilder text = new StringBuilder(counts());
        if (count(Kind.UNKNOWN) > 0) {
            text.append(", ").append(count(Kind.UNKNOWN)).append(" not readable");
        }
        if (!plan.cloud().isEmpty()) {
            text.append(", ")
                    .append(Names.counted(plan.cloud().size(), "change"))
                    .append(" in the cloud");
        }
        return text.append(prices()).toString();
    }

    /** The text, and the difference in each file. */
    String details() {
        StringBuilder text = new StringBuilder(toString());
        for (Entry entry : plan.entries()) {
            for (PlannedChange change : entry.changes()) {
                change.diff()
                        .ifPresent(diff -> text.append("\n\n")
                                .append(entry.name())
                                .append(":\n")
                                .append(diff.stripTrailing()));
            }
        }
        return text.toString();
    }

    private String verb() {
        return switch (plan.operation()) {
            case APPLY -> "apply";
            case ROTATE_KEYS -> "rotateKeys";
            case DESTROY -> "destroy";
        };
    }

    private String nothingToDo() {
        int hosts = plan.entries().size();
        return plan.operation() == Operation.DESTROY
                ? "nothing to remove"
                : "nothing to do, " + hosts + (hosts == 1 ? " host is" : " hosts are") + " up to date"
                        + (namesWhatStays() ? ", but for what PromGuard does not change" : "");
    }

    private boolean namesWhatStays() {
        return plan.entries().stream()
                .flatMap(entry -> entry.notes().stream())
                .anyMatch(note -> note.startsWith(NOT_CHANGED));
    }

    private String counts() {
        String removed = count(Kind.REMOVE) + " to remove";
        return plan.operation() == Operation.DESTROY
                ? removed
                : count(Kind.CREATE) + " to create, " + count(Kind.CHANGE) + " to change, " + removed;
    }

    /** The price afterwards, and the difference to now where something is there now and the price changes. */
    private String prices() {
        Optional<Price> after = plan.price();
        Optional<Price> more = plan.price(Kind.CREATE);
        Optional<Price> less = plan.price(Kind.REMOVE);
        if (after.isEmpty() || more.isEmpty() || less.isEmpty()) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        boolean showsTotal = plan.only().isEmpty() && plan.operation() != Operation.DESTROY;
        boolean startsFromNothing =
                plan.only().isEmpty() && count(Kind.CREATE) == plan.entries().size();
        if (showsTotal) {
            text.append(" · ").append(monthly(after.get()));
        }
        int change = more.get().monthly().compareTo(less.get().monthly());
        if (change != 0 && !startsFromNothing) {
            Price difference =
                    change > 0 ? more.get().minus(less.get()) : less.get().minus(more.get());
            text.append(showsTotal ? ", " : " · ")
                    .append(dollars(difference.monthly(), 2))
                    .append(change > 0 ? " more" : " less")
                    .append(showsTotal ? "" : " a month");
        }
        return text.toString();
    }

    private static String monthly(Price price) {
        return dollars(price.monthly(), 2) + " a month (" + dollars(price.hourly(), 3) + " an hour)";
    }

    private static String dollars(BigDecimal amount, int digits) {
        return "$" + amount.setScale(digits, RoundingMode.HALF_UP).toPlainString();
    }

    /** Adds the hosts that there is something to say of. */
    private StringBuilder appendEntries(StringBuilder text) {
        if (plan.cloud().isEmpty() && plan.entries().stream().anyMatch(PlanText::isShown)) {
            text.append('\n');
        }
        TextTable table = new TextTable();
        plan.entries()
                .forEach(entry -> table.add(
                        entry.kind().symbol() + " " + entry.name(),
                        entry.region(),
                        entry.size(),
                        entry.address().orElse("-"),
                        entry.publicAddress().orElse(publicAddressLater(entry))));
        Iterator<String> rows = table.lines(Columns.LINE, "    ").iterator();
        for (Entry entry : plan.entries()) {
            String row = rows.next();
            if (!isShown(entry)) {
                continue;
            }
            text.append('\n').append(row);
            entry.problems().forEach(problem -> appendLines(text, label(entry, problem) + problem.text()));
            entry.changes().forEach(change -> appendLines(text, change.toString()));
            entry.notes().forEach(note -> appendLines(text, '(' + note + ')'));
        }
        return text;
    }

    private String label(Entry entry, MeshProblem problem) {
        if (problem.blocking()) {
            return verb() + " refuses: ";
        }
        return entry.kind() == Kind.UNKNOWN ? "" : "cannot be changed: ";
    }

    private static String publicAddressLater(Entry entry) {
        return entry.kind() == Kind.REMOVE ? "no public address" : "known after apply";
    }

    private static void appendLines(StringBuilder text, String lines) {
        text.append("\n    ").append(lines.replace("\n", "\n    "));
    }

    private static boolean isShown(Entry entry) {
        return entry.kind() != Kind.KEEP || !entry.notes().isEmpty();
    }

    private long count(Kind kind) {
        return plan.entries().stream().filter(entry -> entry.kind() == kind).count();
    }
}
