package dev.promguard.internal.decide;

import dev.promguard.DecisionViews;
import dev.promguard.InvalidMeshException;
import dev.promguard.Plan;
import dev.promguard.PlannedChange;
import dev.promguard.SpecFile;
import dev.promguard.host.Change;
import dev.promguard.host.DesiredHost;
import dev.promguard.host.ManagedFile;
import dev.promguard.host.NewKeys;
import dev.promguard.host.PresharedKeys.Pair;
import dev.promguard.host.ShellCall;
import dev.promguard.host.SymbolicKeys;
import dev.promguard.keys.Secret;
import dev.promguard.keys.WireGuardKeyPair;
import dev.promguard.spi.CloudHost;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A decision as text: what a user reads of it, and all that it has an apply do. */
final class DecisionText {
    private DecisionText() {}

    /** The plan with its details, or why there is none. What is in new files, the tests of the renderer tell. */
    static String plan(DecisionCase of) {
        Decision decision = of.decider().decide(of.request(), of.observed());
        String refusal = refusal(of, decision, false);
        String text = refusal.isEmpty()
                ? withoutNewFiles(DecisionViews.plan(decision)).details() + '\n'
                : refusal;
        return of.named(text);
    }

    private static Plan withoutNewFiles(Plan plan) {
        Plan.Builder shown = Plan.builder(plan.operation(), plan.blueprint())
                .only(plan.only())
                .problems(plan.problems().stream()
                        .filter(problem -> problem.host().isEmpty())
                        .toList())
                .cloud(plan.cloud());
        for (Plan.Entry entry : plan.entries()) {
            Plan.Entry.Builder copy = Plan.Entry.builder(entry.kind(), entry.name())
                    .region(entry.region())
                    .size(entry.size())
                    .problems(entry.problems())
                    .changes(entry.changes().stream()
                            .map(DecisionText::withoutNewFile)
                            .toList())
                    .notes(entry.notes());
            entry.address().ifPresent(copy::address);
            entry.publicAddress().ifPresent(copy::publicAddress);
            entry.price().ifPresent(copy::price);
            shown.addEntry(copy.build());
        }
        return shown.build();
    }

    private static PlannedChange withoutNewFile(PlannedChange change) {
        PlannedChange.Builder copy = PlannedChange.builder(
                        change.resource(),
                        change.action(),
                        change.subject(),
                        change.text().replaceAll("new, [0-9]+ lines", "new, so many lines"))
                .drift(change.drift());
        change.before().ifPresent(copy::before);
        change.after().ifPresent(copy::after);
        change.diff().filter(diff -> !diff.contains("\n@@ -0,0 ")).ifPresent(copy::diff);
        return copy.build();
    }

    /** What an apply would do. */
    static String changes(DecisionCase of) {
        Decision decision = of.decider().decide(of.request(), of.observed());
        StringBuilder text = new StringBuilder(refusal(of, decision, true));
        if (!decision.blocking().isEmpty()) {
            text.append("nothing is done: ")
                    .append(decision.blocking().size())
                    .append(" of the problems block the run\n");
        }
        for (Problem problem : decision.problems()) {
            text.append("problem ")
                    .append(problem.kind())
                    .append(problem.kind().blocking() ? ", blocking: " : ": ")
                    .append(problem)
                    .append('\n');
        }
        keys(decision.keys(), text);
        decision.observed()
                .firewall()
                .forEach(line -> text.append("in the cloud: ").append(line).append('\n'));
        decision.hosts().forEach(host -> host(host, text));
        for (CloudHost orphaned : decision.observed().roster().orphaned()) {
            text.append("\n- ")
                    .append(orphaned.name())
                    .append(", id ")
                    .append(orphaned.id())
                    .append('\n');
        }
        return of.named(text.toString());
    }

    private static String refusal(DecisionCase of, Decision decision, boolean acts) {
        try {
            of.decider()
                    .refuse(decision.observed().roster(), decision.observed().preflight(), acts);
            return "";
        } catch (InvalidMeshException e) {
            return "refused before a host is contacted: " + e.getMessage() + '\n';
        }
    }

    private static void keys(KeyDecision keys, StringBuilder text) {
        list("new key pairs", keys.pairs(), Function.identity(), text);
        list("new preshared keys", keys.preshared(), DecisionText::pair, text);
        list("running tunnels that change secrets", keys.exchange(), DecisionText::pair, text);
        list("not believed", keys.rejected().keySet(), Function.identity(), text);
        list(
                "waiting",
                keys.deferred().entrySet(),
                entry -> entry.getKey() + " for "
                        + entry.getValue().stream().sorted().collect(Collectors.joining(" and ")),
                text);
    }

    private static String pair(Pair pair) {
        return pair.first() + " with " + pair.second();
    }

    private static <T> void list(String what, Collection<T> things, Function<T, String> shown, StringBuilder text) {
        if (!things.isEmpty()) {
            text.append(what)
                    .append(": ")
                    .append(things.stream().map(shown).sorted().collect(Collectors.joining(", ")))
                    .append('\n');
        }
    }

    private static void host(HostDecision host, StringBuilder text) {
        text.append('\n').append(host.kind()).append(' ').append(host.name());
        text.append(host.rebuilt() ? ", rebuilt\n" : "\n");
        try (WireGuardKeyPair pair = new WireGuardKeyPair(
                Secret.of("{new private key of " + host.name() + '}'), SymbolicKeys.of(host.name()))) {
            Map<String, Secret> preshared = new HashMap<>();
            host.host().peers().forEach(peer -> preshared.put(peer, Secret.of("{new preshared key}")));
            for (Change change : host.changes()) {
                ShellCall call = change.call(new NewKeys(Optional.of(pair), preshared));
                text.append(change.risky() ? "  ! " : "    ")
                        .append(change.resource().id())
                        .append(' ')
                        .append(change.action())
                        .append(' ')
                        .append(change.subject())
                        .append(host.drift().contains(change) ? " (drift)" : "")
                        .append("\n          ")
                        .append(shown(call, host.desired()))
                        .append('\n');
            }
        }
    }

    private static String shown(ShellCall call, Optional<DesiredHost> desired) {
        return Stream.concat(Stream.of(call.function()), call.arguments().stream())
                        .map(word -> word.isEmpty() || word.contains(" ") ? '\'' + word + '\'' : word)
                        .collect(Collectors.joining(" "))
                + input(call.input(), desired);
    }

    /** A file as rendered is shown by its path: the tests of the renderer show the content. */
    private static String input(ShellCall.Input input, Optional<DesiredHost> desired) {
        if (input instanceof ShellCall.Input.Text text) {
            List<String> rendered = desired.stream()
                    .flatMap(host -> host.allFiles().stream())
                    .filter(file -> file.content().equals(text.text()))
                    .map(ManagedFile::path)
                    .toList();
            return rendered.isEmpty() ? " < '" + text.text() + '\'' : " < {" + rendered.get(0) + '}';
        } else if (input instanceof ShellCall.Input.SecretLine line) {
            return " < "
                    + line.secret().useText(secret -> secret.equals(SpecFile.PASSWORD) ? "{the password}" : secret);
        } else if (input instanceof ShellCall.Input.SecretLines lines) {
            return lines.secrets().entrySet().stream()
                    .map(entry -> entry.getKey() + ' ' + entry.getValue().useText(secret -> secret))
                    .collect(Collectors.joining(", ", " < ", ""));
        }
        return "";
    }
}
