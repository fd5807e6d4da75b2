package dev.promguard.internal.decide;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.DecisionViews;
import dev.promguard.Golden;
import dev.promguard.internal.decide.HostDecision.Kind;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.observe.Roster;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each case is an input, the plan that a user reads, and the changes that an apply makes: see {@link DecisionCase}. */
class DeciderTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/internal/decide", ".plan", ".changes");
    private static final int ORDERS = 5;

    static List<String> cases() {
        return GOLDEN.names();
    }

    private static Decision decide(DecisionCase of) {
        return of.decider().decide(of.request(), of.observed());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void decide_input_givesThePlanExpected(String name) {
        GOLDEN.check(name + ".plan", DecisionText.plan(DecisionCase.read(GOLDEN, name)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void decide_input_givesTheChangesExpected(String name) {
        GOLDEN.check(name + ".changes", DecisionText.changes(DecisionCase.read(GOLDEN, name)));
    }

    @Test
    void decide_allInputs_meetEveryKindOfProblemAndOfDecision() {
        Set<Problem.Kind> problems = EnumSet.noneOf(Problem.Kind.class);
        Set<Kind> kinds = EnumSet.noneOf(Kind.class);
        for (String name : cases()) {
            Decision decision = decide(DecisionCase.read(GOLDEN, name));
            decision.problems().forEach(problem -> problems.add(problem.kind()));
            decision.hosts().forEach(host -> kinds.add(host.kind()));
        }

        assertThat(problems).containsExactly(Problem.Kind.values());
        assertThat(kinds).containsExactly(Kind.values());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void decide_input_namesTheMeshsProblemsFirstThenThoseOfEachHostInOneOrder(String name) {
        Decision decision = decide(DecisionCase.read(GOLDEN, name));
        List<Problem> sorted = new ArrayList<>();
        List<Optional<String>> hosts = new ArrayList<>(List.of(Optional.empty()));
        decision.observed().roster().selected().forEach(host -> hosts.add(Optional.of(host.name())));
        for (Optional<String> host : hosts) {
            for (Problem.Kind kind : Problem.Kind.values()) {
                decision.problems().stream()
                        .filter(problem -> problem.host().equals(host) && problem.kind() == kind)
                        .forEach(sorted::add);
            }
        }

        assertThat(decision.problems()).isEqualTo(sorted);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void decide_input_changesNoHostThatIsKeptOrRefused(String name) {
        Decision decision = decide(DecisionCase.read(GOLDEN, name));

        assertThat(decision.hosts()).allSatisfy(host -> {
            assertThat(host.planned().isEmpty()).as("nothing to read").isEqualTo(host.kind() != Kind.CHANGE);
            assertThat(host.changes().isEmpty() || host.kind() == Kind.CHANGE)
                    .as("changes")
                    .isTrue();
            assertThat(host.problems().isEmpty())
                    .as("no problems")
                    .isEqualTo(host.kind() != Kind.REFUSED && host.kind() != Kind.AWAITED);
            assertThat(host.changes()).as("drift is of the changes").containsAll(host.drift());
        });
        assertThat(decision.isEmpty())
                .isEqualTo(DecisionViews.plan(decision).isEmpty()
                        && decision.problems().isEmpty());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void decide_sameInputTwice_givesEqualDecisions(String name) {
        DecisionCase input = DecisionCase.read(GOLDEN, name);
        Observed observed = input.observed();

        Decision decision = input.decider().decide(input.request(), observed);

        assertThat(input.decider().decide(input.request(), observed))
                .isEqualTo(decision)
                .hasSameHashCodeAs(decision);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void decide_observationInAnyOrder_givesEqualDecisionsAndPlans(String name) {
        DecisionCase input = DecisionCase.read(GOLDEN, name);
        Observed observed = input.observed();
        Decision decision = input.decider().decide(input.request(), observed);
        Random random = new Random(20_261_128);
        for (int round = 0; round < ORDERS; round++) {
            Decision other = input.decider().decide(input.request(), shuffled(observed, random));

            assertThat(other).isEqualTo(decision);
            assertThat(DecisionViews.plan(other)).isEqualTo(DecisionViews.plan(decision));
        }
    }

    private static Observed shuffled(Observed observed, Random random) {
        Roster roster = observed.roster();
        return new Observed(
                new Roster(
                        roster.blueprint(),
                        roster.state(),
                        shuffled(roster.present(), random),
                        roster.orphaned(),
                        roster.inventory(),
                        roster.cloudJumpHosts(),
                        roster.only(),
                        roster.identities(),
                        roster.forgotten()),
                observed.preflight(),
                observed.firewall(),
                shuffled(observed.expected(), random),
                shuffled(observed.hosts(), random));
    }

    private static <V> Map<String, V> shuffled(Map<String, V> map, Random random) {
        List<String> keys = new ArrayList<>(map.keySet());
        Collections.shuffle(keys, random);
        Map<String, V> shuffled = new LinkedHashMap<>();
        keys.forEach(key -> shuffled.put(key, map.get(key)));
        return shuffled;
    }
}
