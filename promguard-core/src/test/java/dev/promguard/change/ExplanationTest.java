package dev.promguard.change;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.Golden;
import dev.promguard.WishFile;
import dev.promguard.blueprint.Architecture;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.WireGuardKeyPair;
import dev.promguard.render.DesiredHost;
import dev.promguard.render.Renderer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What a person is told of the differ's cases. */
class ExplanationTest {
    private static final Golden CASES = new Golden("/dev/promguard/change");
    private static final Golden GOLDEN = new Golden("/dev/promguard/explanation");
    private static final WishFile WISH = WishFile.parse(CASES.read("mesh.wish"));
    private static final Renderer RENDERER = new Renderer();

    private static DesiredHost desired(String host, PublicKey ownKey) {
        Map<String, PublicKey> keys = new HashMap<>(WISH.publicKeys());
        keys.put(host, ownKey);
        return RENDERER.render(WISH.blueprint(), host, WISH.publicAddresses(), keys);
    }

    /** The explanations of every case that the differ finds changes in, of hosts on which was last put what this says. */
    private static Map<String, List<ExplainedChange>> explained(Function<DesiredHost, Footprint> left) {
        Map<String, List<ExplainedChange>> explained = new java.util.TreeMap<>();
        for (String name : CASES.names()) {
            FactsFile file = new FactsFile(CASES, name + ".input");
            DesiredHost usual = desired(file.host(), WishFile.publicKey(file.host()));
            HostFacts facts = file.facts(usual);
            if (Differ.faults(usual, facts).isEmpty()) {
                explained.put(name, explained(file, usual, left.apply(usual)));
            }
        }
        return explained;
    }

    private static List<ExplainedChange> explained(FactsFile file, DesiredHost usual, Footprint left) {
        HostFacts facts = file.facts(usual);
        if (WireGuard.needsKey(facts)) {
            try (WireGuardKeyPair pair = KeySource.random().generate()) {
                DesiredHost desired = desired(file.host(), pair.publicKey());
                List<Change> changes = Differ.diff(
                        desired,
                        file.facts(desired),
                        new KeyChanges(Optional.of(pair.publicKey()), Set.of()),
                        file.throwaway());
                return Explanation.of(desired, file.facts(desired), left, changes, desired, Set.of());
            }
        }
        DesiredHost desired = desired(file.host(), facts.keyFilePublicKey().orElseThrow());
        List<Change> changes = Differ.diff(desired, file.facts(desired), KeyChanges.NONE, file.throwaway());
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
    void of_hostsThatWereAsWished_saysWhatSomebodyChanged() {
        GOLDEN.check(
                "as-wished-before.expected", text(explained(desired -> Footprint.of(desired, Architecture.AMD64))));
    }

    @Test
    void of_hostsOfWhichNothingIsKnown_callsNothingDrift() {
        Map<String, List<ExplainedChange>> explained = explained(desired -> Footprint.NONE);

        assertThat(explained.values()).allSatisfy(changes -> assertThat(changes).noneMatch(ExplainedChange::drift));
        GOLDEN.check("nothing-known.expected", text(explained));
    }

    @Test
    void without_anyChanges_callsNoneOfThemDriftAnyMore() {
        for (String name : CASES.names()) {
            FactsFile file = new FactsFile(CASES, name + ".input");
            DesiredHost usual = desired(file.host(), WishFile.publicKey(file.host()));
            HostFacts facts = file.facts(usual);
            if (Differ.faults(usual, facts).isEmpty() && !WireGuard.needsKey(facts)) {
                DesiredHost desired =
                        desired(file.host(), facts.keyFilePublicKey().orElseThrow());
                List<Change> changes = Differ.diff(desired, facts, KeyChanges.NONE, file.throwaway());
                Footprint left = Footprint.of(desired, Architecture.AMD64);

                assertThat(Drift.among(desired, facts, left.without(changes), changes))
                        .as(name)
                        .isEmpty();
                assertThat(left.without(List.of())).isEqualTo(left);
            }
        }
    }

    @Test
    void footprint_ofAHost_holdsNoContent() {
        DesiredHost desired = desired("shop-monitor-1", WishFile.publicKey("shop-monitor-1"));

        String footprint = Footprint.of(desired, Architecture.AMD64).toString();

        assertThat(desired.files())
                .isNotEmpty()
                .allSatisfy(file -> assertThat(footprint).contains(file.path()).doesNotContain(file.content()));
        assertThat(footprint).doesNotContain("scrape_interval", "[Interface]", "PostUp");
    }
}
