package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.Golden;
import dev.promguard.SpecFile;
import dev.promguard.blueprint.Architecture;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.WireGuardKeyPair;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What a person is told of the differ's cases. */
class ExplanationTest {
    private static final Golden CASES = new Golden("/dev/promguard/host/diff");
    private static final Golden GOLDEN = new Golden("/dev/promguard/host/explanation");
    private static final SpecFile SPEC = SpecFile.parse(CASES.read("mesh.spec"));
    private static final Renderer RENDERER = new Renderer();

    private static DesiredHost desired(String host, PublicKey ownKey) {
        Map<String, PublicKey> keys = new HashMap<>(SPEC.publicKeys());
        keys.put(host, ownKey);
        return RENDERER.render(SPEC.blueprint(), host, SPEC.publicAddresses(), keys);
    }

    /** The explanations of every case that the differ finds changes in, of hosts on which was last put what this says. */
    private static Map<String, List<ExplainedChange>> explained(Function<DesiredHost, LastApplied> left) {
        Map<String, List<ExplainedChange>> explained = new java.util.TreeMap<>();
        for (String name : CASES.names()) {
            FactsFile file = new FactsFile(CASES, name + ".input");
            DesiredHost usual = desired(file.host(), SpecFile.publicKey(file.host()));
            HostFacts facts = file.facts(usual);
            if (Differ.problems(usual, facts).isEmpty()) {
                explained.put(name, explained(file, usual, left.apply(usual)));
            }
        }
        return explained;
    }

    private static List<ExplainedChange> explained(FactsFile file, DesiredHost usual, LastApplied left) {
        HostFacts facts = file.facts(usual);
        if (WireGuard.needsKey(facts)) {
            try (WireGuardKeyPair pair = KeySource.random().generate()) {
                DesiredHost desired = desired(file.host(), pair.publicKey());
                List<Change> changes = Differ.diff(
                        desired,
                        file.facts(desired),
                        new KeyChanges(Optional.of(pair.publicKey()), Set.of()),
                        file.bootstrapKey());
                return Explanation.of(desired, file.facts(desired), left, changes, desired, Set.of());
            }
        }
        DesiredHost desired = desired(file.host(), facts.keyFilePublicKey().orElseThrow());
        List<Change> changes = Differ.diff(desired, file.facts(desired), KeyChanges.NONE, file.bootstrapKey());
        return Explanation.of(desired, file.facts(desired), left, changes, desired, Set.of());
    }

    private static String text(Map<String, List<ExplainedChange>> explained) {
        StringBuilder text = new StringBuilder();
        explained.forEach((name, changes) -> {
            text.append(name).append('\n');
            changes.forEach(change -> text.append("    ")
                    .append(change.toString().replaceAll("new, [0-9]+ lines", "new, so many lines"))
                    .append('\n'));
        });
        return text.toString();
    }

    @Test
    void of_hostsThatWereUpToDate_saysWhatSomebodyChanged() {
        GOLDEN.check(
                "up-to-date-before.expected", text(explained(desired -> LastApplied.of(desired, Architecture.AMD64))));
    }

    @Test
    void of_hostsOfWhichNothingIsKnown_callsNothingDrift() {
        Map<String, List<ExplainedChange>> explained = explained(desired -> LastApplied.NONE);

        assertThat(explained.values()).allSatisfy(changes -> assertThat(changes).noneMatch(ExplainedChange::drift));
        GOLDEN.check("nothing-known.expected", text(explained));
    }

    @Test
    void without_anyChanges_callsNoneOfThemDriftAnyMore() {
        for (String name : CASES.names()) {
            FactsFile file = new FactsFile(CASES, name + ".input");
            DesiredHost usual = desired(file.host(), SpecFile.publicKey(file.host()));
            HostFacts facts = file.facts(usual);
            if (Differ.problems(usual, facts).isEmpty() && !WireGuard.needsKey(facts)) {
                DesiredHost desired =
                        desired(file.host(), facts.keyFilePublicKey().orElseThrow());
                List<Change> changes = Differ.diff(desired, facts, KeyChanges.NONE, file.bootstrapKey());
                LastApplied left = LastApplied.of(desired, Architecture.AMD64);

                assertThat(Drift.among(desired, facts, left.without(changes), changes))
                        .as(name)
                        .isEmpty();
                assertThat(left.without(List.of())).isEqualTo(left);
            }
        }
    }

    @Test
    void lastApplied_ofAHost_holdsNoContent() {
        DesiredHost desired = desired("shop-monitor-1", SpecFile.publicKey("shop-monitor-1"));

        String lastApplied = LastApplied.of(desired, Architecture.AMD64).toString();

        assertThat(desired.files())
                .isNotEmpty()
                .allSatisfy(
                        file -> assertThat(lastApplied).contains(file.path()).doesNotContain(file.content()));
        assertThat(lastApplied).doesNotContain("scrape_interval", "[Interface]", "PostUp");
    }
}
