package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.host.HostFacts.FirewallFact;
import dev.promguard.host.HostFacts.UnitFact;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** ufw: rules that admit, and the firewall itself. Rules of others are left alone. */
public final class Firewall implements Resource {
    static final Firewall RESOURCE = new Firewall();
    private static final String ANY = "0.0.0.0/0";
    private static final Pattern LIMIT =
            Pattern.compile("limit(?:_log(?:-all)?)? (?:tcp|any) (\\S+) \\S+ \\S+ \\S+ (?:.* )?in(?:_\\S+)?(?: .*)?");

    private static final int LONGEST_COMMENT = 60;
    private static final String NFTABLES = "nftables.service";
    private static final String UFW_UNIT = "ufw.service";
    private static final Pattern SCRAPER =
            Pattern.compile("[a-z0-9-]+ WireGuard ([a-z0-9_-]+ scraper|Prometheus viewer)");

    private Firewall() {}

    /**
     * Adds a firewall rule.
     *
     * @param rule the rule
     * @param before a rule of somebody else that drops what this one admits, as iptables shows it: this one is put before all others,
     *     also where it is there already; empty where it may be the last
     */
    public record Allow(FirewallRule rule, Optional<String> before) implements Change {
        /**
         * A rule that may be the last.
         *
         * @param rule the rule
         */
        public Allow(FirewallRule rule) {
            this(rule, Optional.empty());
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.CREATE;
        }

        @Override
        public String subject() {
            return rule.describe();
        }

        @Override
        public String describe() {
            return "ufw: allow " + rule.describe()
                    + before.map(other -> ", before the rule " + other).orElse("");
        }

        @Override
        public boolean risky() {
            return true;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            List<String> arguments = arguments(rule);
            arguments.addAll(List.of("comment", rule.comment()));
            if (before.isPresent()) {
                arguments.add(0, "prepend");
            }
            return ShellCall.of("apply_rule", arguments);
        }
    }

    /**
     * Removes a firewall rule.
     *
     * @param rule the rule
     */
    public record Disallow(FirewallRule rule) implements Change {
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
            return rule.describe();
        }

        @Override
        public String describe() {
            return "ufw: remove " + rule.describe();
        }

        @Override
        public boolean risky() {
            return true;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            List<String> arguments = arguments(rule);
            arguments.add(0, "delete");
            return ShellCall.of("apply_rule", arguments);
        }
    }

    /** Denies what no rule admits, now and at boot. */
    public record Enable() implements Change {
        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.ENABLE;
        }

        @Override
        public String subject() {
            return "ufw";
        }

        @Override
        public String describe() {
            return "ufw: deny what no rule admits, and enable";
        }

        @Override
        public boolean risky() {
            return true;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("apply_firewall");
        }
    }

    private static List<String> arguments(FirewallRule rule) {
        List<String> arguments = new ArrayList<>();
        arguments.add("allow");
        rule.networkInterface().ifPresent(name -> arguments.addAll(List.of("in", "on", name)));
        arguments.addAll(List.of(
                "proto",
                rule.protocol().id(),
                "from",
                rule.from().orElse("any"),
                "to",
                rule.to().orElse("any"),
                "port",
                Integer.toString(rule.port())));
        return arguments;
    }

    @Override
    public String id() {
        return "firewall";
    }

    @Override
    public String shellFile() {
        return "firewall.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.units(List.of(NFTABLES));
    }

    /**
     * What takes ufw's rules away, as far as it is known: nftables.service, whose configuration usually begins by flushing all rules.
     *
     * @param facts what the host is
     * @return a clause that says so, and how to end it; empty if that unit neither runs nor comes up at boot
     */
    public static Optional<String> flushedBy(HostFacts facts) {
        UnitFact nftables = facts.units().get(NFTABLES);
        boolean boot = nftables != null && nftables.enabled().equals("enabled");
        if (!Units.isActive(nftables) && !boot) {
            return Optional.empty();
        }
        return Optional.of(NFTABLES + " is " + (Units.isActive(nftables) ? "active" : "inactive")
                + (boot ? " and comes up at boot" : "")
                + ", and flushes every rule where /etc/nftables.conf says \"flush ruleset\": take that line out, or systemctl disable "
                + NFTABLES + " (stopping it flushes too)");
    }

    /** SSH's rule comes before anything is denied, and rules go after all that they protected is closed otherwise. */
    static void configure(Comparison comparison) {
        List<FirewallRule> present = comparison.facts().firewall().rules();
        List<FirewallRule> desired = comparison.desired().firewall();
        MeshTraffic traffic = MeshTraffic.of(comparison.desired(), comparison.facts());
        FirewallFact firewall = comparison.facts().firewall();
        desired.stream()
                .filter(rule -> !present.contains(rule) || traffic.before(rule).isPresent())
                .filter(rule -> !isAllowedByOthers(rule, firewall))
                .forEach(rule ->
                        comparison.add(new Allow(rule, traffic.before(rule).map(RuleName::shownText))));
        if (!firewall.active() || !firewall.denyIncoming() || !firewall.atBoot()) {
            comparison.add(new Enable());
        }
        present.stream()
                .filter(rule -> isOurs(rule, comparison.desired().wireGuard().name()))
                .filter(rule -> desired.stream().noneMatch(rule::admitsSameAs))
                .forEach(rule -> comparison.add(new Disallow(rule)));
    }

    /** A port that the spec allows needs no rule where somebody else's admits everybody. */
    private static boolean isAllowedByOthers(FirewallRule rule, FirewallFact firewall) {
        String rest = " " + rule.port() + " 0.0.0.0/0 any 0.0.0.0/0 in";
        return rule.comment().equals(FirewallRule.ALLOWED)
                && (firewall.rules().stream().anyMatch(rule::admitsSameAs)
                        || firewall.foreign()
                                .contains("allow " + rule.protocol().id() + rest)
                        || firewall.foreign().contains("allow any" + rest));
    }

    /** Whether ufw replaces the rule of somebody else by one of the spec's, since it is for the same packets. */
    private static boolean isReplacedBy(FirewallRule rule, String tuple) {
        List<String> same = List.of(
                rule.protocol().id(),
                String.valueOf(rule.port()),
                rule.to().orElse(ANY),
                "any",
                rule.from().orElse(ANY),
                rule.networkInterface().map("in_"::concat).orElse("in"));
        List<String> words = List.of(tuple.replace("::/0", ANY).split(" ", -1));
        return words.size() > same.size() && words.subList(1, same.size() + 1).equals(same);
    }

    /** What the rule of somebody else does that ufw replaces by one of the spec's, such as {@code limit}. */
    private static Optional<String> replaced(FirewallRule rule, FirewallFact firewall) {
        return firewall.foreign().stream()
                .filter(tuple -> isReplacedBy(rule, tuple))
                .map(tuple -> tuple.split(" ", -1)[0].replace('_', ' '))
                .findFirst();
    }

    /** Whether a rule of somebody else that stays has ufw limit new connections to the port of the login. */
    static boolean limitsSsh(DesiredHost desired, HostFacts facts) {
        int port = desired.sshPort();
        return facts.firewall().foreign().stream()
                .filter(tuple -> desired.firewall().stream().noneMatch(rule -> isReplacedBy(rule, tuple)))
                .map(LIMIT::matcher)
                .anyMatch(limit -> limit.matches()
                        && Stream.of(limit.group(1).split(",", -1))
                                .anyMatch(ports -> ports.equals("any") || LoadedRule.holds(ports, port)));
    }

    private static boolean isOurs(FirewallRule rule, String wireGuardInterface) {
        if (rule.networkInterface().isEmpty() && rule.comment().equals(FirewallRule.ALLOWED)) {
            return true;
        }
        if (rule.networkInterface().equals(Optional.of(wireGuardInterface))) {
            return SCRAPER.matcher(rule.comment()).matches();
        }
        return rule.protocol() == FirewallRule.Protocol.UDP && rule.comment().equals("WireGuard");
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        if (change instanceof Allow allow) {
            return drift.left()
                    .rules()
                    .filter(rules -> rules.contains(LastApplied.words(allow.rule())))
                    .isPresent();
        } else if (change instanceof Disallow disallow) {
            return drift.left()
                    .rules()
                    .filter(rules -> !rules.contains(LastApplied.words(disallow.rule())))
                    .isPresent();
        }
        return drift.left().firewall();
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        if (change instanceof Allow allow && allow.before().isPresent()) {
            return List.of(explanation
                    .explained(
                            change,
                            "ufw: rule " + change.subject() + " is behind "
                                    + allow.before().get(),
                            "put before it")
                    .between("behind a rule that drops the same", "before it"));
        } else if (change instanceof Allow allow) {
            Optional<String> replaced =
                    replaced(allow.rule(), explanation.facts().firewall());
            if (replaced.isPresent()) {
                return List.of(ExplainedChange.of(
                                change,
                                explanation.isDrift(change),
                                change.describe() + ", in place of your rule to " + replaced.get() + " the same")
                        .between(replaced.get(), "allow"));
            }
            Optional<FirewallRule> altered = explanation.facts().firewall().rules().stream()
                    .filter(rule -> rule.admitsSameAs(allow.rule()))
                    .findFirst();
            return List.of(explanation
                    .explained(
                            change,
                            "ufw: rule " + change.subject()
                                    + altered.map(rule ->
                                                    " has " + comment(rule) + " instead of " + comment(allow.rule()))
                                            .orElse(" is gone"),
                            Explanation.PUT_BACK)
                    .between(
                            altered.map(rule -> "with " + comment(rule)).orElse(ExplainedChange.ABSENT),
                            LastApplied.words(allow.rule())));
        } else if (change instanceof Disallow disallow) {
            return List.of(explanation
                    .explained(change, "ufw: rule " + change.subject() + " was added", "remove")
                    .between(LastApplied.words(disallow.rule()), ExplainedChange.ABSENT));
        }
        FirewallFact firewall = explanation.facts().firewall();
        String state = !firewall.active()
                ? "is off, or its loaded rules are not its own"
                : !firewall.denyIncoming() ? "admits what no rule names" : "does not come up at boot";
        List<ExplainedChange> explained = new ArrayList<>();
        ServedPorts.closings(explanation.desired(), explanation.facts())
                .forEach(closing -> explained.add(ExplainedChange.of(
                                id(),
                                Change.Action.REMOVE,
                                closing.what(),
                                false,
                                "ufw: close " + closing.describe() + ", which answers now")
                        .between("answers", "closed")));
        if (explanation.facts().of(ServedPorts.FACTS).forwards()) {
            explained.add(ExplainedChange.of(
                    id(),
                    Change.Action.UPDATE,
                    "forwarding",
                    false,
                    "ufw: go on forwarding packets for others, but none from or to "
                            + explanation.desired().wireGuard().name()));
        }
        if (explanation.facts().of(UfwSettings.FACTS).masked()) {
            boolean drift = explanation.isDrift(change);
            String what = drift ? UFW_UNIT + " is masked (drift)   → unmask" : "unmask " + UFW_UNIT;
            explained.add(ExplainedChange.of(id(), Change.Action.UPDATE, UFW_UNIT, drift, what)
                    .between("masked", "enabled"));
        }
        String cause = firewall.active()
                ? ""
                : flushedBy(explanation.facts()).map("; "::concat).orElse("");
        explained.add(explanation
                .explained(change, "ufw: " + state + cause, Explanation.PUT_BACK)
                .between(state, "denies what no rule admits, also at boot"));
        return List.copyOf(explained);
    }

    private static String comment(FirewallRule rule) {
        return rule.comment().isEmpty()
                ? "no comment"
                : "the comment \"" + Printable.line(rule.comment(), LONGEST_COMMENT) + '"';
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        return change instanceof Enable
                ? known.toBuilder().firewall(false).build()
                : known.toBuilder().withoutRules().build();
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, LastApplied.Builder left) {
        left.firewall(true).rules(desired.firewall());
    }
}
