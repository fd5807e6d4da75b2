package dev.promguard.internal.decide;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.ChangeAction;
import dev.promguard.DecisionViews;
import dev.promguard.Golden;
import dev.promguard.JsonReader;
import dev.promguard.JsonSchema;
import dev.promguard.MeshProblem;
import dev.promguard.Plan;
import dev.promguard.PlannedChange;
import dev.promguard.internal.text.StableIds;
import dev.promguard.internal.text.StableIds.Candidate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The ids of everything in a plan, for each case of {@link DeciderTest}. */
class StepIdsTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/internal/decide", ".plan", ".changes");

    static List<String> cases() {
        return GOLDEN.names();
    }

    private static Plan plan(String name) {
        DecisionCase of = DecisionCase.read(GOLDEN, name);
        return DecisionViews.plan(of.decider().decide(of.request(), of.observed()));
    }

    private static Stream<String> ids(Plan plan) {
        Stream<String> hosts = plan.entries().stream()
                .flatMap(entry -> Stream.concat(
                        Stream.of(entry.id()), entry.changes().stream().map(PlannedChange::id)));
        return Stream.of(
                        plan.problems().stream().map(MeshProblem::reference),
                        plan.cloud().stream().map(PlannedChange::id),
                        hosts)
                .flatMap(each -> each);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void id_anyPlan_isUniqueInOneWordAndNamesItsHost(String name) {
        Plan plan = plan(name);

        assertThat(ids(plan).toList()).doesNotHaveDuplicates().allMatch(id -> id.matches("\\S+/\\S+"));
        assertThat(plan.entries())
                .allSatisfy(entry -> assertThat(entry.changes())
                        .extracting(PlannedChange::id)
                        .allMatch(id -> id.startsWith(entry.name() + '/')));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void stepIds_decision_areThoseOfThePlan(String name) {
        DecisionCase of = DecisionCase.read(GOLDEN, name);
        Decision decision = of.decider().decide(of.request(), of.observed());
        Plan plan = DecisionViews.plan(decision);

        assertThat(decision.hosts())
                .allSatisfy(host -> assertThat(host.stepIds())
                        .isEqualTo(plan.entries().stream()
                                .filter(entry -> entry.name().equals(host.name()))
                                .findFirst()
                                .orElseThrow()
                                .changes()
                                .stream()
                                .map(PlannedChange::id)
                                .toList()));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void toJson_anyPlan_isAsTheSchemaSaysAndCanBeReadBack(String name) {
        Plan plan = plan(name);

        assertThat(JsonReader.plan(JsonSchema.requireValid(plan.toJson()), plan.blueprint()))
                .isEqualTo(plan);
    }

    /** Scripts and tickets hold these ids: one that changes here breaks them. */
    @Test
    void id_allPlans_areTheOnesWrittenDown() {
        Set<String> ids = new TreeSet<>(Comparator.naturalOrder());
        cases().forEach(name -> ids(plan(name)).forEach(ids::add));

        new Golden("/dev/promguard/ids").check("plans.expected", String.join("\n", ids) + '\n');
    }

    @Test
    void id_changeInNoPlan_isTheSameWithoutTheHost() {
        PlannedChange change = PlannedChange.builder(
                        "unit", ChangeAction.RESTART, "prometheus.service", "restart prometheus.service")
                .build();

        assertThat(change.id()).isEqualTo("unit:prometheus.service#restart");
    }

    @Test
    void distinct_severalWithOneId_getSuffixesOfTheirTextsWhateverTheirNumber() {
        Candidate first = new Candidate("a/x", "one");
        Candidate second = new Candidate("a/x", "two");
        Candidate third = new Candidate("a/x", "three");

        List<String> three = StableIds.distinct(List.of(first, second, third));
        List<String> two = StableIds.distinct(List.of(third, second));

        assertThat(three).doesNotHaveDuplicates().allMatch(id -> id.matches("a/x~[0-9a-f]{8}"));
        assertThat(two).containsExactly(three.get(2), three.get(1));
        assertThat(StableIds.distinct(List.of(first))).containsExactly("a/x");
    }

    @Test
    void distinct_evenTheTextIsTheSame_areNumbered() {
        List<Candidate> same = new ArrayList<>(List.of(new Candidate("a", "t"), new Candidate("a", "t")));
        same.add(new Candidate("b", "t"));

        List<String> ids = StableIds.distinct(same);

        assertThat(ids).hasSize(3).doesNotHaveDuplicates();
        assertThat(ids.get(1)).isEqualTo(ids.get(0) + ".2");
    }
}
