package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.promguard.Golden;
import dev.promguard.SpecFile;
import dev.promguard.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** PromGuard's own alerting rules, judged by promtool: each has a file of cases in which it has to fire and cases in which it must not. */
class RulesTest {
    private static final Golden CASES = new Golden("/dev/promguard/host/render/rules");
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    @TempDir
    private Path folder;

    private static String rules(int scrapeSeconds) {
        SpecFile spec = SpecFile.parse("monitor mon tor1\nscrapeSeconds " + scrapeSeconds);
        return new Renderer()
                .render(spec.blueprint(), "mon", Map.of(), spec.publicKeys()).files().stream()
                        .filter(file -> file.path().equals("/etc/prometheus/rules/promguard.yml"))
                        .findFirst()
                        .orElseThrow()
                        .content();
    }

    private static List<ObjectNode> all(JsonNode rules) {
        List<ObjectNode> all = new ArrayList<>();
        rules.path("groups").forEach(group -> group.path("rules").forEach(rule -> all.add((ObjectNode) rule)));
        return all;
    }

    static List<String> alerts() throws IOException {
        return all(YAML.readTree(rules(15))).stream()
                .map(rule -> rule.path("alert").asText())
                .toList();
    }

    /** Has promtool try the cases of one alert on the rules as they would be after an edit. */
    private Tool.Answer judge(String alert, Consumer<ObjectNode> edit) throws IOException, InterruptedException {
        Tool promtool = Tool.orSkip("promtool", "prometheus");
        JsonNode rules = YAML.readTree(rules(15));
        all(rules).stream()
                .filter(rule -> rule.path("alert").asText().equals(alert))
                .forEach(edit);
        Files.writeString(folder.resolve("promguard.yml"), YAML.writeValueAsString(rules));
        Path cases = Files.writeString(folder.resolve("cases.yml"), CASES.read(alert + ".yml"));
        return promtool.run("", "test", "rules", cases.toString());
    }

    @ParameterizedTest
    @MethodSource("alerts")
    void alert_inItsCases_firesWhereItShouldAndNowhereElse(String alert) throws Exception {
        Tool.Answer answer = judge(alert, rule -> {});

        assertThat(answer.exitCode()).as(answer.output()).isZero();
        assertThat(answer.output()).contains("SUCCESS");
    }

    @ParameterizedTest
    @MethodSource("alerts")
    void cases_ofARuleThatNeverFires_fail(String alert) throws Exception {
        Tool.Answer answer = judge(alert, rule -> rule.put("expr", "vector(1) > 2"));

        assertThat(answer.exitCode()).as(answer.output()).isPositive();
        assertThat(answer.output()).contains("got:[]");
    }

    @ParameterizedTest
    @MethodSource("alerts")
    void cases_ofARuleThatAlwaysFires_fail(String alert) throws Exception {
        Tool.Answer answer = judge(alert, rule -> rule.put("expr", "vector(1)").remove("for"));

        assertThat(answer.exitCode()).as(answer.output()).isPositive();
        assertThat(answer.output()).contains("exp:[]");
    }

    @ParameterizedTest
    @MethodSource("alerts")
    void cases_ofARuleThatDoesNotWait_fail(String alert) throws Exception {
        Tool.Answer answer = judge(alert, rule -> rule.remove("for"));

        assertThat(answer.exitCode()).as(answer.output()).isPositive();
    }

    @ParameterizedTest
    @MethodSource("alerts")
    void alert_any_saysHowBadItIsAndWhatToDo(String alert) throws Exception {
        ObjectNode rule = all(YAML.readTree(rules(15))).stream()
                .filter(each -> each.path("alert").asText().equals(alert))
                .findFirst()
                .orElseThrow();

        assertThat(rule.at("/labels/severity").asText()).isIn("critical", "warning");
        assertThat(rule.at("/annotations/summary").asText())
                .hasSizeBetween(20, 80)
                .doesNotContain("\n");
        assertThat(rule.at("/annotations/description").asText())
                .hasSizeGreaterThan(100)
                .endsWith(".");
    }

    @Test
    void cases_all_belongToAnAlert() throws Exception {
        JsonNode rules = YAML.readTree(rules(15));

        for (ObjectNode rule : all(rules)) {
            ArrayNode cases =
                    (ArrayNode) YAML.readTree(CASES.read(rule.path("alert").asText() + ".yml"))
                            .path("tests");
            assertThat(cases).hasSizeGreaterThanOrEqualTo(2);
            assertThat(cases)
                    .allSatisfy(each -> each.path("alert_rule_test")
                            .forEach(expected ->
                                    assertThat(expected.path("alertname")).isEqualTo(rule.path("alert"))));
        }
    }

    @ParameterizedTest
    @MethodSource("intervals")
    void rules_forAnyInterval_areTakenAndWaitForAtLeastThreeScrapes(int seconds) throws Exception {
        Tool promtool = Tool.orSkip("promtool", "prometheus");
        String text = rules(seconds);
        Path file = Files.writeString(folder.resolve("promguard.yml"), text);

        Tool.Answer answer = promtool.run("", "check", "rules", file.toString());

        assertThat(answer.exitCode()).as(answer.output()).isZero();
        ObjectNode targetDown = all(YAML.readTree(text)).get(0);
        assertThat(Integer.parseInt(targetDown.path("for").asText().replace("s", "")))
                .isGreaterThanOrEqualTo(Math.max(120, 3 * seconds));
    }

    static List<Integer> intervals() {
        return List.of(1, 15, 60, 3600);
    }

    @Test
    void render_withoutTheDefaultRules_hasNone() {
        SpecFile spec = SpecFile.parse("monitor mon tor1\ndefaultRules no");

        DesiredHost host = new Renderer().render(spec.blueprint(), "mon", Map.of(), spec.publicKeys());

        assertThat(host.files()).noneMatch(file -> file.path().startsWith("/etc/prometheus/rules/"));
        assertThat(host.files())
                .filteredOn(file -> file.path().equals("/etc/prometheus/prometheus.yml"))
                .allSatisfy(file -> assertThat(file.content()).doesNotContain("rule_files"));
    }

    /** Who writes the alerts needs something to write them about. */
    @Test
    void render_expiringViewerWithoutTheDefaultRules_hasTheMetricAndNoAlert() throws Exception {
        SpecFile spec =
                SpecFile.parse("monitor mon tor1\ndefaultRules no\nviewer anna 2030-01-01T00:00:00Z\nviewer bob");

        DesiredHost host = new Renderer().render(spec.blueprint(), "mon", Map.of(), spec.publicKeys());

        String text = host.files().stream()
                .filter(file -> file.path().equals("/etc/prometheus/rules/promguard.yml"))
                .findFirst()
                .orElseThrow()
                .content();
        List<JsonNode> rules = new ArrayList<>();
        YAML.readTree(text).path("groups").forEach(group -> group.path("rules").forEach(rules::add));
        assertThat(rules).singleElement().satisfies(rule -> {
            assertThat(rule.path("record").asText()).isEqualTo("promguard_viewer_expires_timestamp_seconds");
            assertThat(rule.path("expr").asText()).isEqualTo("vector(1893456000)");
            assertThat(rule.at("/labels/viewer").asText()).isEqualTo("anna");
        });
        assertThat(host.files())
                .filteredOn(file -> file.path().equals("/etc/prometheus/prometheus.yml"))
                .allSatisfy(file -> assertThat(file.content()).contains("/etc/prometheus/rules/promguard.yml"));
        Path file = Files.writeString(folder.resolve("promguard.yml"), text);
        Tool.Answer answer = Tool.orSkip("promtool", "prometheus").run("", "check", "rules", file.toString());
        assertThat(answer.exitCode()).as(answer.output()).isZero();
    }
}
