package dev.promguard.change;

import dev.promguard.blueprint.Architecture;
import dev.promguard.change.HostFacts.UnitFact;
import dev.promguard.render.DesiredHost;
import dev.promguard.render.KillSwitch;
import dev.promguard.render.ManagedFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The kill switch: packets for the mesh's network leave through the WireGuard interface alone, also while that is down. Its script and
 * its unit are files, which are compared here, for they come before all that names an address of the network.
 */
public final class KillSwitches implements Resource {
    static final KillSwitches RESOURCE = new KillSwitches();
    private static final int LONGEST_WORD = 60;

    private KillSwitches() {}

    /** What to do with the kill switch. */
    public enum KillSwitchAction {
        /** Have it cover the network, now and at boot. Other networks that it covers stay covered. */
        COVER,
        /** Have it cover no other network any more, once nothing on the host asks for that. */
        RELEASE_OTHERS
    }

    /**
     * Sets the kill switch as its files say. It comes before the files that name addresses of a new network, and the networks that it
     * covered before are released after all that used them.
     *
     * @param killSwitch the kill switch
     * @param does what to do
     */
    public record Configure(KillSwitch killSwitch, KillSwitchAction does) implements Change {
        /**
         * Checks that both are there.
         *
         * @throws NullPointerException if one is null
         */
        public Configure {
            Objects.requireNonNull(killSwitch, "killSwitch");
            Objects.requireNonNull(does, "does");
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return does == KillSwitchAction.COVER ? Action.UPDATE : Action.REMOVE;
        }

        @Override
        public String subject() {
            return killSwitch.network();
        }

        @Override
        public String describe() {
            return "kill switch: "
                    + switch (does) {
                        case COVER ->
                            "let packets for " + killSwitch.network() + " leave through " + killSwitch.interfaceName()
                                    + " alone";
                        case RELEASE_OTHERS -> "cover no network but " + killSwitch.network();
                    };
        }

        @Override
        public boolean risky() {
            return true;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("apply_kill_switch", does.name(), killSwitch.network(), killSwitch.interfaceName());
        }
    }

    @Override
    public String id() {
        return "kill-switch";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        desired.killSwitch().files().forEach(file -> query.file(file.path(), Sums.of(file.content())));
        query.units(List.of(KillSwitch.UNIT));
    }

    static void cover(Comparison comparison) {
        KillSwitch desired = comparison.desired().killSwitch();
        boolean changed = false;
        for (ManagedFile file : desired.files()) {
            if (ManagedFiles.differs(file, comparison.facts())) {
                comparison.add(new ManagedFiles.Write(file), file.path());
                changed = true;
            }
        }
        Units.removeDropIns(KillSwitch.UNIT, comparison);
        UnitFact unit = comparison.facts().units().get(KillSwitch.UNIT);
        if (changed
                || unit == null
                || !Units.isActive(unit)
                || !unit.enabled().equals("enabled")
                || unit.needsReload()
                || !unit.dropIns().isEmpty()
                || !comparison.facts().killSwitch().covers(desired.network())) {
            comparison.add(new Configure(desired, KillSwitchAction.COVER));
        }
    }

    static void release(Comparison comparison) {
        KillSwitch desired = comparison.desired().killSwitch();
        if (!comparison.facts().killSwitch().coversNothingBut(desired.network())) {
            comparison.add(new Configure(desired, KillSwitchAction.RELEASE_OTHERS));
        }
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        List<Change> causes = drift.changes().stream()
                .filter(cause -> cause instanceof ManagedFiles.Write write
                        && drift.desired().killSwitch().files().contains(write.file()))
                .toList();
        return drift.left().units().contains(KillSwitch.UNIT) && (causes.isEmpty() || drift.followsFrom(causes));
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        Configure configure = (Configure) change;
        String network = configure.killSwitch().network();
        if (configure.does() == KillSwitchAction.RELEASE_OTHERS) {
            return List.of(explanation
                    .explained(change, "kill switch: covers another network than " + network, "release")
                    .between("covers another network", "covers " + network + " alone"));
        }
        HostFacts facts = explanation.facts();
        UnitFact unit = facts.units().get(KillSwitch.UNIT);
        List<String> missing = new ArrayList<>();
        if (!facts.killSwitch().unreachable().contains(network)) {
            missing.add("its route is gone");
        }
        if (!facts.killSwitch().dropped().contains(network)) {
            missing.add("its rule is gone");
        }
        if (unit == null || !unit.enabled().equals("enabled")) {
            missing.add("it does not come up at boot");
        } else if (!Units.isActive(unit)) {
            missing.add(KillSwitch.UNIT + " is " + Printable.line(unit.active(), LONGEST_WORD));
        }
        String what = String.join(", ", missing);
        ExplainedChange explained = missing.isEmpty()
                ? explanation.planned(change)
                : explanation.explained(change, "kill switch of " + network + ": " + what, Explanation.PUT_BACK);
        return List.of(explained.between(
                missing.isEmpty() ? "runs with an older unit file" : what, "covers " + network + ", also at boot"));
    }

    @Override
    public Footprint forget(Change change, Footprint known) {
        return known.toBuilder().withoutUnit(KillSwitch.UNIT).build();
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, Footprint.Builder left) {
        desired.killSwitch().files().forEach(left::file);
        left.unit(KillSwitch.UNIT);
    }
}
