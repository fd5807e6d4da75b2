package dev.promguard.internal.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class RuleNamesTest {
    @Test
    void in_namesThatYamlTakesForSomethingElse_areTheirTexts() {
        assertThat(RuleNames.in("groups: [{rules: [{alert: yes}, {alert: 0x1F}, {record: 2026-11-28}, {alert: ~}]}]"))
                .containsExactly("0x1F", "2026-11-28", "yes", "~");
    }

    @Test
    void in_aliases_areFollowed() {
        assertThat(RuleNames.in("groups: [{rules: &r [{alert: &a A}, {record: *a}, {alert: B}]}, {rules: *r}]"))
                .containsExactly("A", "B");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "---",
                "null",
                "[]",
                "groups:",
                "groups: text",
                "groups: {rules: [{alert: A}]}",
                "groups: [1, [], {rules: {alert: A}}]",
                "groups: [{rules: [{alert: {a: b}}, {alert: []}, {record: ''}]}]",
                "rules: [{alert: A}]",
                "--- \n--- {groups: [{rules: [{alert: A}]}]}"
            })
    void in_noRulesWhereRulesAre_findsNone(String text) {
        assertThat(RuleNames.in(text)).isEmpty();
    }

    static Stream<String> hostile() {
        StringBuilder bomb = new StringBuilder("a0: &a0 [x, x]\n");
        for (int i = 1; i < 40; i++) {
            bomb.append('a')
                    .append(i)
                    .append(": &a")
                    .append(i)
                    .append(" [")
                    .append(("*a" + (i - 1) + ',').repeat(9))
                    .append("]\n");
        }
        return Stream.of(
                bomb + "groups: [{rules: *a39}]",
                "groups: &g [*g, {rules: *g}]",
                "groups: [&m {<<: [" + "*m,".repeat(500) + "]}]",
                "groups: [&m {rules: [&r {<<: [" + "*m,*r,".repeat(200) + "], x: 1}]}]");
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void in_bombsAndCycles_ends(String text) {
        assertThat(RuleNames.in(text)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("broken")
    void in_notYamlOrWithTagsOfClasses_saysSoInOneLine(String text) {
        assertThatThrownBy(() -> RuleNames.in(text))
                .isInstanceOf(IllegalArgumentException.class)
                .satisfies(
                        e -> assertThat(String.valueOf(e.getMessage()).lines()).hasSizeLessThan(2));
    }

    static Stream<String> broken() {
        return Stream.of(
                "groups: [",
                "\t- a",
                "a: b: c",
                "groups: *nowhere",
                "groups: \u0007",
                "[".repeat(100_000),
                "{a: ".repeat(100_000),
                "groups: [{rules: [!!javax.script.ScriptEngineManager [!!java.net.URL ['http://192.0.2.1/']]]}]",
                "groups: [{rules: [" + "{alert: !!java.lang.Runtime {}},".repeat(1_000) + "]}]",
                "groups: [" + "&a [],*a,".repeat(2_000) + "]");
    }
}
