package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.promguard.Plan.Operation;
import dev.promguard.blueprint.Blueprint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The JSON documents, which programs of others read. */
class JsonTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/json");

    static Stream<Arguments> documents() {
        return Stream.of(
                Arguments.of("plan", (Supplier<String>) () -> Samples.plan().toJson()),
                Arguments.of("plan-empty", (Supplier<String>)
                        () -> Samples.emptyPlan(Operation.APPLY).toJson()),
                Arguments.of("plan-rotate-keys", (Supplier<String>)
                        () -> Samples.emptyPlan(Operation.ROTATE_KEYS).toJson()),
                Arguments.of("plan-destroy", (Supplier<String>)
                        () -> Samples.emptyPlan(Operation.DESTROY).toJson()),
                Arguments.of("apply-report", (Supplier<String>)
                        () -> Samples.applyReport().toJson()),
                Arguments.of("destroy-report", (Supplier<String>)
                        () -> Samples.destroyReport().toJson()),
                Arguments.of("recover-report", (Supplier<String>)
                        () -> Samples.recoverReport().toJson()),
                Arguments.of("recover-report-refused", (Supplier<String>)
                        () -> Samples.refusedRecovery().toJson()),
                Arguments.of("verify-report", (Supplier<String>)
                        () -> Samples.verifyReport().toJson()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("documents")
    void toJson_document_isAsWrittenDownAndAsTheSchemaSays(String name, Supplier<String> json) {
        String document = json.get();

        GOLDEN.check(name + ".json", document.replaceAll("sha256:[0-9a-f]{64}", "sha256:(64 digits)"));
        JsonSchema.requireValid(document);
    }

    /** A validator that lets everything pass would do the same for the documents. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("documents")
    void schema_documentWithoutAnyOneOfItsFields_isRefused(String name, Supplier<String> json) {
        ObjectNode document = (ObjectNode) JsonSchema.requireValid(json.get());

        List<String> fields = new ArrayList<>();
        document.fieldNames().forEachRemaining(fields::add);
        assertThat(fields).contains("formatVersion", "kind").allSatisfy(field -> {
            ObjectNode without = document.deepCopy();
            without.remove(field);
            assertThat(JsonSchema.isValid(without)).as("without %s", field).isFalse();
        });
        assertThat(JsonSchema.isValid(document.deepCopy().put("formatVersion", 2)))
                .isFalse();
        assertThat(JsonSchema.isValid(document.deepCopy().put("later", "field")))
                .isTrue();
    }

    @Test
    void schema_wordsThatItNames_areThoseOfTheTypes() {
        JsonNode defs = JsonSchema.source().get("$defs");

        assertThat(words(defs.at("/change/properties/action/examples"))).isEqualTo(constants(ChangeAction.values()));
        assertThat(words(defs.at("/plan/properties/operation/examples"))).isEqualTo(constants(Operation.values()));
        assertThat(words(defs.at("/plannedHost/properties/action/examples"))).isEqualTo(constants(Plan.Kind.values()));
        assertThat(words(defs.at("/check/properties/verdict/enum")))
                .isEqualTo(constants(VerifyReport.Verdict.values()));
        assertThat(words(defs.at("/apply-report/properties/hosts/items/properties/status/enum")))
                .isEqualTo(constants(ApplyReport.Status.values()));
    }

    private static List<String> words(JsonNode array) {
        List<String> words = new ArrayList<>();
        array.forEach(each -> words.add(each.textValue()));
        return words;
    }

    private static List<String> constants(Enum<?>... all) {
        return Arrays.stream(all).map(Json::word).toList();
    }

    @Test
    void plan_readBack_isEqualAndHasTheSameIdsAndDigest() {
        Plan plan = Samples.plan();

        Plan read = JsonReader.plan(JsonSchema.requireValid(plan.toJson()), plan.blueprint());

        assertThat(read).isEqualTo(plan);
        assertThat(read.toJson()).isEqualTo(plan.toJson()).contains("\"" + plan.digest() + "\"");
    }

    @Test
    void reports_readBack_sayTheSame() {
        ApplyReport applied = Samples.applyReport();
        DestroyReport destroyed = Samples.destroyReport();
        VerifyReport verified = Samples.verifyReport();

        assertThat(JsonReader.applyReport(JsonSchema.requireValid(applied.toJson())))
                .hasToString(applied.toString())
                .extracting(ApplyReport::details, ApplyReport::stepIds)
                .containsExactly(applied.details(), applied.stepIds());
        assertThat(JsonReader.destroyReport(JsonSchema.requireValid(destroyed.toJson()))
                        .toJson())
                .isEqualTo(destroyed.toJson());
        VerifyReport read = JsonReader.verifyReport(
                JsonSchema.requireValid(verified.toJson()), verified.blueprint().orElseThrow());
        assertThat(read.toJson()).isEqualTo(verified.toJson());
        assertThat(read.toMarkdown()).isEqualTo(verified.toMarkdown());
    }

    @Test
    void digest_reviewedPlanInAnotherProgram_isTheSameUntilSomethingChanges() {
        Account account = new Account();
        account.spec().apply();
        account.cloud.machine("shop-node-1").edit("/etc/systemd/system/node_exporter.service", text -> text + "#\n");

        Plan reviewed = account.spec().build().plan();
        Plan later = account.spec().build().plan();

        assertThat(later.digest()).isEqualTo(reviewed.digest()).matches("sha256:[0-9a-f]{64}");
        account.cloud.machine("shop-node-1").edit("/etc/systemd/system/node_exporter.service", text -> text + "#\n");
        assertThat(account.spec().plan().digest()).isNotEqualTo(reviewed.digest());
    }

    @Test
    void digest_otherSpecWithTheSameSteps_isAnother() {
        Blueprint blueprint = Samples.blueprint();
        Blueprint other = new Account().spec().presharedKeys(false).build().blueprint();

        assertThat(Plan.builder(Operation.APPLY, other).build().digest())
                .isNotEqualTo(Plan.builder(Operation.APPLY, blueprint).build().digest());
    }

    @Test
    void toJson_whateverTextsSay_isOneDocument() {
        String text = "\"quoted\" \\ \u0000 \u001b[31m \u202e </script> \ud800 \n\t€ 𝄞";
        Plan plan = Plan.builder(Operation.APPLY, Samples.blueprint())
                .addEntry(Plan.Entry.builder(Plan.Kind.CHANGE, "a")
                        .notes(List.of(text))
                        .changes(List.of(
                                PlannedChange.builder("file", ChangeAction.UPDATE, text, text)
                                        .build(),
                                PlannedChange.builder("file", ChangeAction.UPDATE, text, text)
                                        .build()))
                        .build())
                .build();

        JsonNode document = JsonSchema.requireValid(plan.toJson());

        assertThat(plan.toJson()).doesNotContain("\u0000", "\u001b", "\u202e");
        assertThat(JsonReader.plan(document, plan.blueprint())).isEqualTo(plan);
    }
}
