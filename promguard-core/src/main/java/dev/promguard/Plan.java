package dev.promguard;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.change.PlannedChange;
import dev.promguard.spi.Price;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * What an apply would do, found by looking only. {@link #toString()} is meant to be read by a person.
 *
 * @param blueprint the mesh as it would be
 * @param only the names of the hosts that it is about alone, in the order of the blueprint; empty if it is about all
 * @param problems why an apply would refuse as a whole, and do nothing, each with what to do; empty if it would not
 * @param cloud what would be changed in the cloud beside hosts, such as the rules of its firewall, each in a line
 * @param entries these hosts, in the order of the blueprint, then those to remove
 */
public record Plan(
        Blueprint blueprint, List<String> only, List<String> problems, List<String> cloud, List<Entry> entries) {
    /**
     * Copies the lists.
     *
     * @throws NullPointerException if something is null
     */
    public Plan {
        Objects.requireNonNull(blueprint, "blueprint");
        only = List.copyOf(only);
        problems = problems.stream().map(Names::printable).toList();
        cloud = cloud.stream().map(Names::printable).toList();
        entries = List.copyOf(entries);
    }

    /** What would happen to a host. */
    public enum Kind {
        /** It would be made. */
        CREATE("+"),
        /** It would be changed. */
        CHANGE("~"),
        /** It is as it should be. */
        KEEP("="),
        /** It would be removed. */
        REMOVE("-"),
        /** It could not be looked at, so what would happen to it is not known. */
        UNKNOWN("?");

        private final String mark;

        Kind(String mark) {
            this.mark = mark;
        }
    }

    /**
     * What would happen to one host.
     *
     * @param kind what, in a word
     * @param name the host's name
     * @param region where it is or will be
     * @param size the provider's word for its size
     * @param address its address inside the tunnels; empty for a host to remove that never had one
     * @param publicAddress its public address; empty while it has none
     * @param changes what would be changed on it, in order; for {@link Kind#UNKNOWN}, why it could not be looked at
     * @param notes what others did to it in the cloud, such as giving it another name, each in a line
     * @param price what it costs; empty where that is not known
     */
    public record Entry(
            Kind kind,
            String name,
            String region,
            String size,
            Optional<String> address,
            Optional<String> publicAddress,
            List<PlannedChange> changes,
            List<String> notes,
            Optional<Price> price) {
        /**
         * Copies the lists.
         *
         * @throws NullPointerException if something is null
         */
        public Entry {
            Objects.requireNonNull(kind, "kind");
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(region, "region");
            Objects.requireNonNull(size, "size");
            Objects.requireNonNull(address, "address");
            Objects.requireNonNull(publicAddress, "publicAddress");
            Objects.requireNonNull(price, "price");
            changes = List.copyOf(changes);
            notes = notes.stream().map(Names::printable).toList();
        }

        private boolean isQuiet() {
            return kind == Kind.KEEP && notes.isEmpty();
        }
    }

    /**
     * Whether an apply would do nothing.
     *
     * @return true if every host and the cloud's part is as it should be, no host is to be made or removed, and there is no problem
     */
    public boolean isEmpty() {
        return problems.isEmpty() && cloud.isEmpty() && entries.stream().allMatch(entry -> entry.kind() == Kind.KEEP);
    }

    /**
     * Insists that an apply would do nothing: the way for a nightly job to fail, and to say why.
     *
     * @throws PlanNotEmptyException if an apply would do something, or a host could not be looked at; its message is this plan
     */
    public void requireEmpty() {
        if (!isEmpty()) {
            throw new PlanNotEmptyException(this);
        }
    }

    /**
     * What somebody changed on the hosts since the last apply, and an apply would put back.
     *
     * @return the changes that are drift, in the order of the entries
     */
    public List<PlannedChange> drift() {
        return entries.stream()
                .flatMap(entry -> entry.changes().stream())
                .filter(PlannedChange::drift)
                .toList();
    }

    /**
     * What the hosts that the plan is about would cost after an apply: those to create and those that stay.
     *
     * @return the sum; empty if the price of one of them is not known
     */
    public Optional<Price> price() {
        return sum(entries.stream().filter(entry -> entry.kind() != Kind.REMOVE).toList());
    }

    /**
     * What the hosts cost together that the same would happen to.
     *
     * @param kind what would happen to them
     * @return the sum, zero if there are none; empty if the price of one of them is not known
     */
    public Optional<Price> price(Kind kind) {
        return sum(entries.stream().filter(entry -> entry.kind() == kind).toList());
    }

    private static Optional<Price> sum(List<Entry> entries) {
        Price sum = Price.ZERO;
        for (Entry entry : entries) {
            if (entry.price().isEmpty()) {
                return Optional.empty();
            }
            sum = sum.plus(entry.price().get());
        }
        return Optional.of(sum);
    }

    /** The price afterwards, and the difference to now where something is there now and the price changes. */
    private String prices() {
        Optional<Price> after = price();
        Optional<Price> more = price(Kind.CREATE);
        Optional<Price> less = price(Kind.REMOVE);
        if (after.isEmpty() || more.isEmpty() || less.isEmpty()) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        boolean startsFromNothing = only.isEmpty() && count(Kind.CREATE) == entries.size();
        if (only.isEmpty()) {
            text.append(" · ").append(inWords(after.get()));
        }
        int change = more.get().monthly().compareTo(less.get().monthly());
        if (change != 0 && !startsFromNothing) {
            Price difference =
                    change > 0 ? more.get().minus(less.get()) : less.get().minus(more.get());
            text.append(only.isEmpty() ? ", " : " · ")
                    .append(dollars(difference.monthly(), 2))
                    .append(change > 0 ? " more" : " less")
                    .append(only.isEmpty() ? "" : " a month");
        }
        return text.toString();
    }

    private static String inWords(Price price) {
        return dollars(price.monthly(), 2) + " a month (" + dollars(price.hourly(), 3) + " an hour)";
    }

    private static String dollars(BigDecimal amount, int digits) {
        return "$" + amount.setScale(digits, RoundingMode.HALF_UP).toPlainString();
    }

    /**
     * The plan as a person reads it in ten seconds: a line for the mesh, one for each problem, one for each change in the cloud
     * beside hosts, one for each host that something would happen to or there is a note on, and its changes, those of the wish
     * behind {@code ~} and drift behind {@code !}.
     *
     * @return the text, without a line end at the end
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(512);
        text.append("mesh ").append(blueprint.mesh());
        if (!only.isEmpty()) {
            text.append(", only ").append(String.join(", ", only));
        }
        text.append(": ");
        if (isEmpty()) {
            text.append("nothing to do, ")
                    .append(entries.size())
                    .append(entries.size() == 1 ? " host is" : " hosts are")
                    .append(" as wished");
            return appendEntries(text).toString();
        }
        text.append(count(Kind.CREATE)).append(" to create, ");
        text.append(count(Kind.CHANGE)).append(" to change, ");
        text.append(count(Kind.REMOVE)).append(" to remove");
        if (count(Kind.UNKNOWN) > 0) {
            text.append(", ").append(count(Kind.UNKNOWN)).append(" not readable");
        }
        if (!cloud.isEmpty()) {
            text.append(", ")
                    .append(cloud.size())
                    .append(cloud.size() == 1 ? " change" : " changes")
                    .append(" in the cloud");
        }
        text.append(prices());
        if (!problems.isEmpty()) {
            text.append('\n');
            problems.forEach(problem -> text.append("\napply refuses: ").append(problem));
        }
        if (!cloud.isEmpty()) {
            text.append('\n');
            cloud.forEach(change -> text.append("\n~ ").append(change));
        }
        return appendEntries(text).toString();
    }

    /** Adds the hosts that there is something to say of. */
    private StringBuilder appendEntries(StringBuilder text) {
        if (cloud.isEmpty() && entries.stream().anyMatch(entry -> !entry.isQuiet())) {
            text.append('\n');
        }
        int name = width(Entry::name);
        int region = width(Entry::region);
        int size = width(Entry::size);
        int address = width(entry -> entry.address().orElse("-"));
        for (Entry entry : entries) {
            if (entry.isQuiet()) {
                continue;
            }
            String line = String.format(
                    Locale.ROOT,
                    "%n%s %-" + name + "s  %-" + region + "s  %-" + size + "s  %-" + address + "s  %s",
                    entry.kind().mark,
                    entry.name(),
                    entry.region(),
                    entry.size(),
                    entry.address().orElse("-"),
                    entry.publicAddress().orElse("public address known after apply"));
            text.append(line.replace("\r\n", "\n").stripTrailing());
            for (PlannedChange change : entry.changes()) {
                String shown = entry.kind() == Kind.UNKNOWN ? change.text() : change.toString();
                text.append("\n    ").append(shown.replace("\n", "\n    "));
            }
            entry.notes().forEach(note -> text.append("\n    (").append(note).append(')'));
        }
        return text;
    }

    /**
     * The plan with every difference in the files: what {@link #toString()} says, and then for each file that would be changed on a
     * host the unified diff from what is there to what is wished. Secrets are masked, and what came from a host is escaped and
     * bounded in length.
     *
     * @return the text, without a line end at the end
     */
    public String details() {
        StringBuilder text = new StringBuilder(toString());
        for (Entry entry : entries) {
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

    private int width(Function<Entry, String> column) {
        return entries.stream().map(column).mapToInt(String::length).reduce(1, Math::max);
    }

    private long count(Kind kind) {
        return entries.stream().filter(entry -> entry.kind() == kind).count();
    }
}
