package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import dev.promguard.host.HostFacts.UnitFact;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The kill switch: packets for the mesh's network leave through the WireGuard interface alone, also while that is down, and packets for
 * the host's address in it are accepted from there alone. Its script and its unit are files, which are compared here, for they come before all that names an address of the network.
 */
public final class KillSwitches implements Resource {
    static final KillSwitches RESOURCE = new KillSwitches();
    /** What is asked of a host about it. */
    public static final ResourceFacts<KillSwitchFact> FACTS =
            ResourceFacts.of("kill-switch", KillSwitchFact.class, KillSwitchFact.NONE, Reader::new);

    private static final Pattern NETWORK = Pattern.compile("[0-9a-fA-F.:]{2,45}(/[0-9]{1,3})?");
    private static final Pattern ADDRESS = Pattern.compile("[0-9a-fA-F.:]{2,45}");
    private static final int LONGEST_WORD = 60;

    private KillSwitches() {}

    /**
     * What the kill switch has set in the kernel, whichever unit file did it.
     *
     * @param unreachable the networks with an unreachable route that only routes of an interface override
     * @param dropped the networks whose packets a rule drops that do not leave through the WireGuard interface
     * @param guarded the addresses that routing rules accept packets for from the WireGuard interface alone
     * @param closed the TCP ports that routing rules close to peers, by guarded address: each with the peers that reach it all the same
     * @param shut the peers that routing rules let reach nothing but such ports
     */
    public record KillSwitchFact(
            Set<String> unreachable,
            Set<String> dropped,
            Set<String> guarded,
            Map<String, Map<Integer, Set<String>>> closed,
            Set<String> shut) {
        /** Nothing is set. */
        public static final KillSwitchFact NONE = new KillSwitchFact(Set.of(), Set.of(), Set.of(), Map.of(), Set.of());

        /**
         * Copies the sets and the map.
         *
         * @throws NullPointerException if one is null
         */
        public KillSwitchFact {
            unreachable = Set.copyOf(unreachable);
            dropped = Set.copyOf(dropped);
            guarded = Set.copyOf(guarded);
            closed = Map.copyOf(closed);
            shut = Set.copyOf(shut);
        }

        /**
         * Whether both layers are there for a network, and the routing rules for the host's address and its ports in it.
         *
         * @param killSwitch the kill switch as it should be
         * @return false if one is missing
         */
        public boolean covers(KillSwitch killSwitch) {
            return unreachable.contains(killSwitch.network())
                    && dropped.contains(killSwitch.network())
                    && guarded.contains(killSwitch.address())
                    && closesPorts(killSwitch);
        }

        /**
         * Whether its peers reach exactly the ports of the host's address that they should, and its viewers nothing else.
         *
         * @param killSwitch the kill switch as it should be
         * @return false if a port is open to another peer, or closed to one that should reach it, or a viewer reaches more
         */
        public boolean closesPorts(KillSwitch killSwitch) {
            return closed.getOrDefault(killSwitch.address(), Map.of()).equals(killSwitch.closedPorts())
                    && shut.containsAll(killSwitch.viewers());
        }

        /**
         * Whether it covers nothing but one network and one address, and shuts out nobody but its viewers.
         *
         * @param killSwitch the kill switch as it should be
         * @return false if a layer is there for another network or another address, or for somebody who is no viewer any more
         */
        public boolean coversNothingBut(KillSwitch killSwitch) {
            Set<String> network = Set.of(killSwitch.network());
            return network.containsAll(unreachable)
                    && network.containsAll(dropped)
                    && Set.of(killSwitch.address()).containsAll(guarded)
                    && killSwitch.viewers().containsAll(shut);
        }
    }

    /** Reads a line for each network that has the route, one for each that has the rule, and those of guarded addresses and their ports. */
    private static final class Reader implements ResourceFacts.Reader<KillSwitchFact> {
        private final Set<String> unreachable = new HashSet<>();
        private final Set<String> dropped = new HashSet<>();
        private final Set<String> guarded = new HashSet<>();
        private final Map<String, Map<Integer, Set<String>>> admitted = new HashMap<>();
        private final Map<String, Map<Integer, Set<String>>> closed = new HashMap<>();
        private final Set<String> shut = new HashSet<>();

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            switch (line.kind()) {
                case "unreachable" -> unreachable.add(network(line));
                case "dropped" -> dropped.add(network(line));
                case "guarded" -> guarded.add(line.fields(1).field(1, ADDRESS));
                case "shut" -> shut.add(line.fields(1).field(1, ADDRESS));
                case "admitted" -> admitted(line.fields(3)).add(line.field(3, ADDRESS));
                case "closed" -> {
                    Set<String> peers = admitted(line.fields(2));
                    closed.computeIfAbsent(line.field(1, ADDRESS), address -> new HashMap<>())
                            .put(line.number(2), peers);
                }
                default -> throw line.unknown();
            }
        }

        private Set<String> admitted(FactLine line) throws MalformedFactsException {
            return admitted.computeIfAbsent(line.field(1, ADDRESS), address -> new HashMap<>())
                    .computeIfAbsent(line.number(2), port -> new HashSet<>());
        }

        private static String network(FactLine line) throws MalformedFactsException {
            String text = line.fields(1).field(1, NETWORK);
            return text.contains("/") ? text : text + (text.contains(":") ? "/128" : "/32");
        }

        @Override
        public KillSwitchFact facts() {
            return new KillSwitchFact(unreachable, dropped, guarded, closed, shut);
        }
    }

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
                                    + " alone"
                                    + (killSwitch.ports().isEmpty()
                                            ? ""
                                            : ", and no peer but monitors reach "
                                                    + killSwitch.portArguments().get(0))
                                    + (killSwitch.viewers().isEmpty()
                                            ? ""
                                            : ", and viewers nothing but " + killSwitch.viewed());
                        case RELEASE_OTHERS -> "cover no network but " + killSwitch.network();
                    };
        }

        @Override
        public boolean risky() {
            return true;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            List<String> arguments = new ArrayList<>(
                    List.of(does.name(), killSwitch.network(), killSwitch.interfaceName(), killSwitch.address()));
            arguments.addAll(killSwitch.portArguments());
            return ShellCall.of("apply_kill_switch", arguments);
        }
    }

    @Override
    public String id() {
        return FACTS.id();
    }

    @Override
    public String shellFile() {
        return "killswitch.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        desired.killSwitch().files().forEach(file -> query.file(file.path(), Hashes.of(file.content())));
        query.units(List.of(KillSwitch.UNIT));
        query.resource(FACTS, desired.killSwitch().interfaceName());
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
                || !comparison.facts().killSwitch().covers(desired)) {
            comparison.add(new Configure(desired, KillSwitchAction.COVER));
        }
    }

    static void release(Comparison comparison) {
        KillSwitch desired = comparison.desired().killSwitch();
        if (!comparison.facts().killSwitch().coversNothingBut(desired)) {
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
            String others = others(configure.killSwitch(), explanation.facts().killSwitch());
            return !others.isEmpty()
                    ? List.of(explanation
                            .explained(
                                    change,
                                    "kill switch: covers " + others + ", and should cover " + network + " alone",
                                    "release")
                            .between("covers " + others, "covers " + network + " alone"))
                    : List.of(explanation
                            .explained(
                                    change, "kill switch: has rules for somebody who is no viewer any more", "release")
                            .between("rules for former viewers", "rules for viewers alone"));
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
        if (!facts.killSwitch().guarded().contains(configure.killSwitch().address())) {
            missing.add("its routing rules are gone");
        } else if (!facts.killSwitch().closesPorts(configure.killSwitch())) {
            missing.add(portRules(configure.killSwitch(), facts.killSwitch()));
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

    /** What it covers and should not: networks, and addresses whose own network it does not know. */
    private static String others(KillSwitch desired, KillSwitchFact fact) {
        Set<String> others = new TreeSet<>(fact.unreachable());
        others.addAll(fact.dropped());
        others.addAll(fact.guarded());
        others.removeAll(Set.of(desired.network(), desired.address()));
        return String.join(", ", others);
    }

    /** Which of the ports that peers must not all reach have other rules than they should. */
    private static String portRules(KillSwitch desired, KillSwitchFact fact) {
        Map<Integer, Set<String>> there = fact.closed().getOrDefault(desired.address(), Map.of());
        Set<Integer> ports = new TreeSet<>(desired.closedPorts().keySet());
        ports.addAll(there.keySet());
        ports.removeIf(
                port -> Objects.equals(there.get(port), desired.closedPorts().get(port)));
        List<String> parts = new ArrayList<>();
        ports.forEach(port -> parts.add("port " + port + " is " + reach(there.get(port)) + " instead of "
                + reach(desired.closedPorts().get(port))));
        Set<String> viewers = new TreeSet<>(desired.viewers());
        viewers.removeAll(fact.shut());
        if (!viewers.isEmpty()) {
            parts.add("viewers at " + String.join(", ", viewers) + " may reach other ports");
        }
        return "by its routing rules " + String.join(", ", parts);
    }

    private static String reach(@Nullable Set<String> peers) {
        if (peers == null) {
            return "open to all peers";
        }
        return peers.isEmpty()
                ? "closed to all peers"
                : "open to " + String.join(", ", new TreeSet<>(peers)) + " alone";
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        return known.toBuilder().withoutUnit(KillSwitch.UNIT).build();
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, LastApplied.Builder left) {
        desired.killSwitch().files().forEach(left::file);
        left.unit(KillSwitch.UNIT);
    }
}
