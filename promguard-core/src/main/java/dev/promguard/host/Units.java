package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import dev.promguard.host.HostFacts.UnitFact;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** systemd units: those that run, those that packages bring and must never run, and those that are no longer desired. */
public final class Units implements Resource {
    static final Units RESOURCE = new Units();
    private static final String EXPORTER_UNIT = "_exporter.service";
    private static final int LONGEST_WORD = 40;
    private static final List<String> DROP_IN_FOLDERS = List.of(
            "/etc/systemd/system.control", "/run/systemd/system.control", "/etc/systemd/system", "/run/systemd/system");

    private Units() {}

    /** What to do with a unit. The unit files are read anew first where they changed. */
    public enum UnitAction {
        /** Have it come up at boot; it runs as it should. */
        ENABLE,
        /** Stop it; a START follows, once another has given up what it needs, such as a port. */
        STOP,
        /** Enable it and start it; it is not running. */
        START,
        /** Restart it. */
        RESTART,
        /** Have it read its configuration anew. */
        RELOAD
    }

    /**
     * Has systemd run a unit as its file says.
     *
     * @param unit the unit's name
     * @param does what to do
     */
    public record Apply(String unit, UnitAction does) implements Change {
        /**
         * Checks that both are there.
         *
         * @throws NullPointerException if one is null
         */
        public Apply {
            Objects.requireNonNull(unit, "unit");
            Objects.requireNonNull(does, "does");
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.valueOf(does.name());
        }

        @Override
        public String subject() {
            return unit;
        }

        @Override
        public String describe() {
            return switch (does) {
                case ENABLE -> "enable " + unit;
                case STOP -> "stop " + unit;
                case START -> "start " + unit;
                case RESTART -> "restart " + unit;
                case RELOAD -> "reload " + unit;
            };
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("apply_unit", does.name(), Forms.requireUnit(unit));
        }
    }

    /**
     * Removes the drop-ins that override a unit's file. Systemd reads the unit anew; what runs goes on as it was.
     *
     * @param unit the unit's name
     * @param folders the folders that hold them, each removed as a whole
     */
    public record RemoveDropIns(String unit, List<String> folders) implements Change {
        /**
         * Copies the list.
         *
         * @throws NullPointerException if something is null
         */
        public RemoveDropIns {
            Objects.requireNonNull(unit, "unit");
            folders = List.copyOf(folders);
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.REMOVE;
        }

        @Override
        public String subject() {
            return unit;
        }

        @Override
        public String describe() {
            return "remove drop-ins of " + unit + ": " + String.join(", ", folders);
        }

        @Override
        public ShellCall call(NewKeys keys) {
            List<String> known = dropInFolders(Forms.requireUnit(unit));
            for (String folder : folders) {
                if (!known.contains(folder)) {
                    throw new IllegalArgumentException(
                            "folder \"" + folder + "\" is not one that holds drop-ins of " + unit);
                }
            }
            return ShellCall.of("undo_drop_ins", folders);
        }
    }

    /**
     * Stops a unit that comes with a package, and masks it, so that nothing can start it. The unit need not be there yet.
     *
     * @param unit the unit's name
     */
    public record Mask(String unit) implements Change {
        /**
         * Checks that it is there.
         *
         * @throws NullPointerException if it is null
         */
        public Mask {
            Objects.requireNonNull(unit, "unit");
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.MASK;
        }

        @Override
        public String subject() {
            return unit;
        }

        @Override
        public String describe() {
            return "mask " + unit;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("apply_mask", Forms.requireUnit(unit));
        }
    }

    /**
     * Stops and disables a unit, and removes its file from {@code /etc/systemd/system}.
     *
     * @param unit the unit's name
     */
    public record Remove(String unit) implements Change {
        /**
         * Checks that it is there.
         *
         * @throws NullPointerException if it is null
         */
        public Remove {
            Objects.requireNonNull(unit, "unit");
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.REMOVE;
        }

        @Override
        public String subject() {
            return unit;
        }

        @Override
        public String describe() {
            return "remove " + unit;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("undo_unit", Forms.requireUnit(unit));
        }
    }

    /**
     * Where drop-ins for one unit alone can be, apart from where packages put theirs.
     *
     * @param unit the unit's name
     * @return the folders
     */
    public static List<String> dropInFolders(String unit) {
        return DROP_IN_FOLDERS.stream()
                .map(folder -> folder + '/' + unit + ".d")
                .toList();
    }

    @Override
    public String id() {
        return "unit";
    }

    @Override
    public String shellFile() {
        return "units.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.units(desired.units().stream().map(Unit::name).toList());
        query.units(desired.maskedUnits());
    }

    /** Units that packages bring are masked before these are installed. */
    static void mask(Comparison comparison) {
        comparison.desired().maskedUnits().stream()
                .filter(unit -> !isMasked(comparison.facts().units().get(unit)))
                .forEach(unit -> comparison.add(new Mask(unit)));
    }

    private static boolean isMasked(@Nullable UnitFact fact) {
        return fact != null && fact.enabled().equals("masked") && !isActive(fact);
    }

    /** Whether somebody masked a unit and nothing of it runs: the mask goes where the unit is to run. */
    static boolean isMaskAlone(@Nullable UnitFact fact) {
        return fact != null
                && isMaskedByOthers(fact)
                && (fact.active().equals("inactive") || fact.active().equals("failed"));
    }

    /** Whether a unit is masked, until the next boot or for good. */
    static boolean isMaskedByOthers(@Nullable UnitFact fact) {
        return fact != null && fact.enabled().startsWith("masked");
    }

    static boolean isActive(@Nullable UnitFact fact) {
        return fact != null && fact.active().equals("active");
    }

    static void removeDropIns(Comparison comparison) {
        Stream.concat(
                        Stream.of(comparison.desired().wireGuard().unit()),
                        comparison.desired().units().stream().map(Unit::name))
                .forEach(unit -> removeDropIns(unit, comparison));
    }

    static void removeDropIns(String unit, Comparison comparison) {
        UnitFact fact = comparison.facts().units().get(unit);
        if (fact != null && !fact.dropIns().isEmpty()) {
            comparison.add(new RemoveDropIns(unit, fact.dropIns()));
        }
    }

    /** Units that are no longer desired go before those that are desired start. */
    static void remove(Comparison comparison) {
        ManagedFiles.obsolete(comparison).stream()
                .filter(path -> path.startsWith(ManagedFiles.UNIT_FOLDER))
                .forEach(path -> comparison.add(new Remove(path.substring(ManagedFiles.UNIT_FOLDER.length()))));
    }

    static void apply(Comparison comparison) {
        Set<String> stopped = stopped(comparison);
        stopped.forEach(unit -> comparison.add(new Apply(unit, UnitAction.STOP)));
        comparison.desired().units().forEach(unit -> apply(unit, stopped, comparison));
    }

    /** Where several exporters get new units at once, one may want the port of another: those that run are stopped first. */
    private static Set<String> stopped(Comparison comparison) {
        List<String> moving = comparison.desired().units().stream()
                .map(Unit::name)
                .filter(name ->
                        name.endsWith(EXPORTER_UNIT) && comparison.touched().contains(ManagedFiles.UNIT_FOLDER + name))
                .toList();
        return moving.size() < 2
                ? Set.of()
                : new TreeSet<>(moving.stream()
                        .filter(name -> isActive(comparison.facts().units().get(name)))
                        .toList());
    }

    /** A restarted interface takes the address from under a service, but a timer has none. */
    private static void apply(Unit unit, Set<String> stopped, Comparison comparison) {
        UnitFact fact = comparison.facts().units().get(unit.name());
        UnitAction pending = comparison.facts().pendingUnits().get(unit.name());
        if (fact == null || !isActive(fact) || stopped.contains(unit.name())) {
            comparison.add(new Apply(unit.name(), UnitAction.START));
            return;
        }
        if (!Collections.disjoint(unit.restartWith(), comparison.touched())
                || fact.needsReload()
                || !fact.dropIns().isEmpty()
                || (comparison.restartsInterface() && !unit.name().endsWith(".timer"))
                || pending == UnitAction.RESTART
                || pending == UnitAction.START) {
            comparison.add(new Apply(unit.name(), UnitAction.RESTART));
        } else if (!Collections.disjoint(unit.reloadWith(), comparison.touched()) || pending == UnitAction.RELOAD) {
            comparison.add(new Apply(unit.name(), UnitAction.RELOAD));
        }
        if (!fact.enabled().equals("enabled")) {
            comparison.add(new Apply(unit.name(), UnitAction.ENABLE));
        }
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        if (change instanceof RemoveDropIns) {
            return drift.left().units().contains(change.subject());
        } else if (change instanceof Mask) {
            // A unit is masked before the package that brings it is there: if that is, somebody took the mask away.
            return drift.left().packages().containsAll(drift.desired().packages());
        } else if (!(change instanceof Apply apply) || !drift.left().units().contains(apply.unit())) {
            return false;
        } else {
            boolean stoppedFirst = drift.changes().contains(new Apply(apply.unit(), UnitAction.STOP));
            if ((apply.does() == UnitAction.START && !stoppedFirst) || apply.does() == UnitAction.ENABLE) {
                return true;
            }
            List<Change> causes = causes(drift.desired(), apply, drift.changes());
            return causes.isEmpty()
                    ? !drift.facts().pendingUnits().containsKey(apply.unit())
                    : drift.followsFrom(causes);
        }
    }

    /** The changes that a unit's restart or reload follows from. */
    static List<Change> causes(DesiredHost desired, Apply change, List<Change> changes) {
        return desired.units().stream()
                .filter(unit -> unit.name().equals(change.unit()))
                .flatMap(unit -> changes.stream().filter(cause -> isCause(cause, unit)))
                .toList();
    }

    private static boolean isCause(Change cause, Unit unit) {
        if (cause instanceof ManagedFiles.Write write) {
            String path = write.file().path();
            return unit.restartWith().contains(path) || unit.reloadWith().contains(path);
        } else if (cause instanceof Releases.Install install) {
            return unit.restartWith().contains(install.install().folder());
        } else if (cause instanceof Users.Create create) {
            return unit.restartWith().contains(create.user().name());
        } else if (cause instanceof RemoveDropIns dropIns) {
            return dropIns.unit().equals(unit.name());
        }
        return cause instanceof WireGuard.Configure configure && configure.does() == WireGuard.InterfaceAction.RESTART;
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        if (change instanceof RemoveDropIns dropIns) {
            String folders = String.join(", ", dropIns.folders());
            return List.of(explanation
                    .explained(change, dropIns.unit() + " is overridden by " + folders, "remove")
                    .between("overridden by " + folders, "as its file says"));
        }
        String before = state(explanation.facts().units().get(change.subject()));
        if (change instanceof Mask) {
            return List.of(explanation
                    .explained(change, change.subject() + " is not masked", "mask")
                    .between(before, "masked"));
        } else if (change instanceof Apply apply) {
            return List.of(explain(apply, explanation)
                    .between(before, apply.does() == UnitAction.STOP ? "inactive" : "active, enabled"));
        }
        return List.of(ExplainedChange.of(change, false, change.describe()).between(before, ExplainedChange.ABSENT));
    }

    private static String state(@Nullable UnitFact fact) {
        return fact == null
                ? ExplainedChange.ABSENT
                : Printable.line(fact.active(), LONGEST_WORD) + ", " + Printable.line(fact.enabled(), LONGEST_WORD);
    }

    private static ExplainedChange explain(Apply change, Explanation explanation) {
        UnitFact fact = explanation.facts().units().get(change.unit());
        if (isMaskedByOthers(fact) && change.does() != UnitAction.STOP && change.does() != UnitAction.RELOAD) {
            String unmask = "unmask and " + change.action().name().toLowerCase(Locale.ROOT);
            return explanation.isDrift(change)
                    ? explanation.explained(change, change.unit() + " is masked", unmask)
                    : ExplainedChange.of(change, false, unmask + ' ' + change.unit());
        } else if (change.does() == UnitAction.START && !isActive(fact)) {
            String state = fact == null ? "is unknown to systemd" : "is " + Printable.line(fact.active(), LONGEST_WORD);
            return explanation.explained(change, change.unit() + ' ' + state, "start");
        } else if (change.does() == UnitAction.ENABLE) {
            return explanation.explained(change, change.unit() + " does not come up at boot", Explanation.PUT_BACK);
        }
        boolean alone = fact != null
                && fact.needsReload()
                && causes(explanation.desired(), change, explanation.drift()).isEmpty();
        return alone && explanation.isDrift(change)
                ? explanation.explained(change, change.unit() + " runs with an older unit file", "restart")
                : explanation.planned(change);
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        if (change instanceof Mask) {
            return known;
        }
        LastApplied.Builder left = known.toBuilder().withoutUnit(change.subject());
        return (change instanceof Remove ? left.withoutFile(ManagedFiles.UNIT_FOLDER + change.subject()) : left)
                .build();
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, LastApplied.Builder left) {
        desired.units().forEach(unit -> left.unit(unit.name()));
    }
}
