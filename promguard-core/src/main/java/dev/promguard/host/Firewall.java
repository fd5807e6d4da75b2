package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.host.HostFacts.FirewallFact;
import dev.promguard.host.HostFacts.UnitFact;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** ufw: rules that admit, and the firewall itself. Rules of others are left alone. */
public final class Firewall implements Resource {
    static final Firewall RESOURCE = new Firewall();
    private static final String NFTABLES = "nftables.service";
    private static final Pattern SCRAPER = Pattern.compile("[a-z0-9-]+ WireGuard [a-z0-9_-]+ scraper");

    private Firewall() {}

    /**
     * Adds a firewall rule.
     *
     * @param rule the rule
     */
    public record Allow(FirewallRule rule) implements Change {
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
            return "ufw: allow " + rule.describe();
        }

        @Override
        public boolean risky() {
            return true;
        }

        @Override
        public ShellCall call(NewKeys keys) {
            List<String> arguments = arguments(rule);
            arguments.addAll(List.of("comment", rule.comment()));
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
        desired.stream().filter(rule -> !present.contains(rule)).forEach(rule -> comparison.add(new Allow(rule)));
        FirewallFact firewall = comparison.facts().firewall();
        if (!firewall.active() || !firewall.denyIncoming() || !firewall.atBoot()) {
            comparison.add(new Enable());
        }
        present.stream()
                .filter(rule -> isOurs(rule, comparison.desired().wireGuard().name()))
                .filter(rule -> desired.stream().noneMatch(rule::admitsSameAs))
                .forEach(rule -> comparison.add(new Disallow(rule)));
    }

    private static boolean isOurs(FirewallRule rule, String wireGuardInterface) {
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
        if (change instanceof Allow allow) {
            boolean altered =
                    explanation.facts().firewall().rules().stream().anyMatch(rule -> rule.admitsSameAs(allow.rule()));
            return List.of(explanation
                    .explained(
                            change,
                            "ufw: rule " + change.subject() + (altered ? " has another comment" : " is gone"),
                            Explanation.PUT_BACK)
                    .between(
                            altered ? "with another comment" : ExplainedChange.ABSENT,
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
        String cause = firewall.active()
                ? ""
                : flushedBy(explanation.facts()).map("; "::concat).orElse("");
        return List.of(explanation
                .explained(change, "ufw: " + state + cause, Explanation.PUT_BACK)
                .between(state, "denies what no rule admits, also at boot"));
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
