package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TemplatesTest {
    private final Templates templates = new Templates();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "unknown-name",
                "unknown-name-compared",
                "unknown-name-joined",
                "unknown-name-set",
                "unknown-name-as-default",
                "unknown-name-tested",
                "unknown-key",
                "unknown-key-tested",
                "unknown-filter",
                "unknown-tag",
                "unclosed-expression",
                "unclosed-if",
                "unclosed-for",
                "unclosed-tag",
                "unclosed-comment",
                "include",
                "import",
                "from",
                "extends",
                "java"
            })
    void render_carelessTemplate_fails(String template) {
        assertThatThrownBy(() -> templates.render(
                        "careless/" + template + ".j2", Map.of("name", "value", "peer", Map.of("key", "value"))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(template);
    }

    @Test
    void render_carefulTemplate_succeeds() {
        assertThat(templates.render("careless/careful.j2", Map.of("name", "value", "peer", Map.of("key", "word"))))
                .isEqualTo("value \"word\"\n");
    }

    @Test
    void render_nullValue_fails() {
        assertThatThrownBy(() -> templates.render(
                        "careless/careful.j2", Map.of("name", "value", "peer", Collections.singletonMap("key", null))))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> templates.render("careless/careful.j2", Collections.singletonMap("name", null)))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void render_manyAtOnceAndAfterFailures_knowsItsOwnValuesAlone() {
        IntStream.range(0, 2_000).parallel().forEach(number -> {
            Map<String, ?> key = Map.of("key", "word" + number);
            if (number % 10 == 0) {
                assertThatThrownBy(() -> templates.render("careless/careful.j2", Map.of("peer", key)))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("unknown name");
            } else {
                assertThat(templates.render("careless/careful.j2", Map.of("name", "value" + number, "peer", key)))
                        .isEqualTo("value" + number + " \"word" + number + "\"\n");
            }
        });
    }

    @Test
    void render_missingTemplate_fails() {
        assertThatThrownBy(() -> templates.render("no-such.j2", Map.of()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no-such.j2");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ name }}",
                "{{ 7 * 7 }}",
                "{% include 'wg.conf.j2' %}",
                "{# gone #}",
                "a\nb",
                "\"",
                "\\",
                "a: b",
                "- a",
                "#x",
                "&a *a",
                "!!str",
                "\u0000",
                "\u0085\u2028",
                "é𝄞",
                "</script>",
                "",
                "null",
                "~",
                "yes",
                "0x10"
            })
    void quoted_anyText_staysThatTextInJsonAndInYaml(String text) throws Exception {
        String rendered = templates.render("careless/careful.j2", Map.of("name", "value", "peer", Map.of("key", text)));
        String quoted = rendered.substring("value ".length()).strip();

        assertThat(new ObjectMapper().readTree(quoted).asText()).isEqualTo(text);
        assertThat(new ObjectMapper(new YAMLFactory())
                        .readTree("key: [" + quoted + "]\n")
                        .at("/key/0")
                        .asText())
                .isEqualTo(text);
    }

    @Test
    void argument_anyPrintableText_isOneWordOfSystemdThatStandsForIt() {
        Random random = new Random(20_261_123);
        List<String> bits = List.of(
                "%",
                "%i",
                "%%",
                "$",
                "$HOME",
                "${HOME}",
                "$$",
                "\\",
                "\\n",
                "\"",
                "'",
                " ",
                ";",
                "#",
                "a",
                "=",
                "-",
                "{{ name }}",
                "é",
                "𝄞");
        for (int round = 0; round < 2000; round++) {
            StringBuilder text = new StringBuilder();
            for (int length = 1 + random.nextInt(6); length > 0; length--) {
                text.append(bits.get(random.nextInt(bits.size())));
            }
            String rendered = templates.render("careless/argument.j2", Map.of("name", text.toString()));

            assertThat(systemdReads(rendered.stripTrailing())).isEqualTo(text.toString());
        }
    }

    /** Reads one word as systemd does: quotes and backslashes first, then specifiers, then variables. */
    private static String systemdReads(String word) {
        String inner = word;
        if (word.startsWith("\"")) {
            assertThat(word).matches("\"([^\"\\\\]|\\\\[\"\\\\])*\"");
            inner = word.substring(1, word.length() - 1).replaceAll("\\\\(.)", "$1");
        } else {
            assertThat(word).doesNotContainPattern("[\"'\\\\ ;#]");
        }
        assertThat(inner.replace("%%", "")).doesNotContain("%");
        assertThat(inner.replace("$$", "")).doesNotContain("$");
        return inner.replace("%%", "%").replace("$$", "$");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\nb", "a\rb", "a\tb", "a\u0000", "\u0085", "\u2028", "\ud800", "\u007f"})
    void argument_textThatALineCannotHold_fails(String text) {
        assertThatThrownBy(() -> templates.render("careless/argument.j2", Map.of("name", text)))
                .isInstanceOf(IllegalStateException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ name }}",
                "a\nb",
                "a\rb",
                "a\u0000b",
                "a;b",
                "a#b",
                "a$b",
                "a%b",
                "a`b",
                "a'b",
                "a\"b",
                "a\\b",
                "a|b",
                "a&b",
                "a<b",
                "a*b",
                "a?b",
                "a~b",
                "a!b",
                "{}",
                "é",
                "\u2028"
            })
    void plain_textThatMeansSomethingSomewhere_fails(String text) {
        assertThatThrownBy(() ->
                        templates.render("careless/careful.j2", Map.of("name", text, "peer", Map.of("key", "value"))))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void values_ofTheTemplates_allGoThroughAFilter() throws Exception {
        for (String name : List.of(
                "wg.conf.j2",
                "exporter.service.j2",
                "job.yml.j2",
                "prometheus.service.j2",
                "prometheus.yml.j2",
                "rules.yml.j2",
                "targets.json.j2",
                "wireguard-metrics.service.j2",
                "wireguard-metrics.sh.j2",
                "wireguard-metrics.timer.j2")) {
            try (var in = Templates.class.getResourceAsStream(name)) {
                assertThat(in).as(name).isNotNull();
                String source = new String(in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
                assertThat(source.replaceAll("(?s)\\{% raw %}.*?\\{% endraw %}", "")
                                .replaceAll("\\{\\{ [a-zA-Z.]+\\|(plain|quoted|argument) }}", ""))
                        .as(name)
                        .doesNotContain("{{");
            }
        }
    }
}
