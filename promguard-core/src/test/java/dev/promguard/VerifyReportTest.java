package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class VerifyReportTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/verification");

    static List<String> reports() {
        return GOLDEN.names();
    }

    private static VerifyReport.Builder report(String version) {
        return VerifyReport.builder("shop", Instant.parse("2026-11-23T10:15:30.123Z"), version);
    }

    private static Check check(String host, Verdict verdict, String description, String method, String observed) {
        return check(host, verdict, description, method, observed, "");
    }

    private static Check check(
            String host, Verdict verdict, String description, String method, String observed, String remedy) {
        return Check.builder(host, CheckKind.HOST_EXISTS, description)
                .method(method)
                .observed(observed)
                .verdict(verdict)
                .remedy(remedy)
                .build();
    }

    /** A report as a file writes it down: a host or a check a line, the parts between bars. */
    private static VerifyReport read(String name) {
        VerifyReport.Builder report = report("1.2.3");
        for (String line : GOLDEN.read(name + ".input").lines().toList()) {
            List<String> parts = Arrays.stream(line.split(" \\| ", -1))
                    .map(part ->
                            part.replace("\\n", "\n").replace("\\e", "\u001b").replace("\\u202e", "\u202e"))
                    .toList();
            if (parts.get(0).equals("host")) {
                HostHealth.Builder host = HostHealth.builder(parts.get(1), parts.get(2), parts.get(4))
                        .target(parts.get(6));
                Optional.of(parts.get(3)).filter(text -> !text.equals("-")).ifPresent(host::publicAddress);
                Optional.of(parts.get(5))
                        .filter(text -> !text.equals("-"))
                        .map(text -> Duration.ofSeconds(Long.parseLong(text)))
                        .ifPresent(host::handshakeAge);
                report.addHost(host.build());
            } else if (!line.startsWith("#")) {
                report.addCheck(check(
                        parts.get(1),
                        Verdict.valueOf(parts.get(0)),
                        parts.get(2),
                        parts.get(3),
                        parts.get(4),
                        parts.size() > 5 ? parts.get(5) : ""));
            }
        }
        return report.build();
    }

    @ParameterizedTest
    @MethodSource("reports")
    void toStringAndToMarkdown_report_areAsWrittenDown(String name) {
        VerifyReport report = read(name);

        GOLDEN.check(name + ".expected", report + "\n\n--- to be handed on ---\n\n" + report.toMarkdown());
    }

    static Stream<String> hostile() {
        return Stream.of(
                "a | b |\n| x",
                "<script>alert(1)</script>",
                "![x](http://192.0.2.1/x.png)",
                "**bold** _it_ `code` ~~no~~",
                "\u001b[31mred\u001b[0m",
                "\u202ereversed",
                "https://evil.example and www.evil.example and a@b.example",
                "&lt;b&gt;",
                "\\| \\\\|",
                "\r\n\r\n# heading\n- item");
    }

    private static VerifyReport quoting(String text) {
        return report("1")
                .addHost(HostHealth.builder("node", "lon1", "10.0.0.2")
                        .target(text)
                        .build())
                .addCheck(check("node", Verdict.FAILED, "failed", "method", text, "remedy"))
                .addCheck(check("node", Verdict.NOTE, "note", "method", text))
                .build();
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void toMarkdown_whateverAHostSays_staysInItsCellAsText(String text) {
        VerifyReport report = quoting(text);
        VerifyReport plain = quoting("x");

        assertThat(report.toMarkdown().lines())
                .hasSameSizeAs(plain.toMarkdown().lines().toList());
        assertThat(report.toString().lines())
                .hasSameSizeAs(plain.toString().lines().toList());
        assertThat(report.toMarkdown() + report).doesNotContain("\u001b", "\u202e", "\r");
        RenderedMarkdown page = new RenderedMarkdown(report.toMarkdown());
        assertThat(page.active).isEmpty();
        assertThat(page.html).isEmpty();
        assertThat(page.cells).isEqualTo(new RenderedMarkdown(plain.toMarkdown()).cells);
    }

    @ParameterizedTest
    @ValueSource(ints = {1_001, 100_000})
    void toMarkdown_endlessText_isCut(int length) {
        VerifyReport report = report("1")
                .addCheck(check("node", Verdict.PASSED, "check", "method", "y".repeat(length)))
                .build();

        assertThat(report.toMarkdown()).hasSizeLessThan(3_000).contains("… (" + length + " characters)");
    }

    @Test
    void toMarkdown_hostNotAmongTheHosts_isNotLost() {
        VerifyReport report = report("1")
                .addCheck(check("gone", Verdict.PASSED, "check", "method", "x"))
                .build();

        assertThat(report.toMarkdown()).contains("### gone\n", "- passed: check  \n  observed: x  \n  by: method\n");
    }

    @Test
    void toStringAndToMarkdown_checkOfTheMeshAsAWhole_nameTheMesh() {
        VerifyReport report = report("1")
                .addCheck(check("", Verdict.FAILED, "can be applied", "method", "x", "remedy"))
                .addCheck(check("", Verdict.UNCHECKED, "other", "method", "y", "remedy"))
                .build();

        assertThat(report.toString())
                .contains("FAILED  mesh shop: can be applied\n", "NOT CHECKED  mesh shop: 1 check could not be made");
        assertThat(report.toMarkdown())
                .contains("- mesh shop: can be applied  \n", "- mesh shop: 1 check  \n", "### mesh shop\n");
    }

    @Test
    void toSvgAndToMermaid_report_haveTheColoursOfTheChecks() {
        VerifyReport report = Samples.verification()
                .addCheck(Check.builder("shop-node-2", CheckKind.HANDSHAKE_FRESH, "has a fresh handshake")
                        .subject("shop-monitor-1")
                        .verdict(Verdict.FAILED)
                        .build())
                .build();

        assertThat(report.toSvg())
                .contains(">1 check passed<", ">1 of 1 not checked<", ">2 of 2 checks failed<")
                .containsPattern("pg-line[^>]*#2f7d5b[^>]*/>")
                .containsPattern("pg-line[^>]*#c62828[^>]*stroke-dasharray");
        assertThat(report.toMermaid())
                .contains("class h0 good\n", "class h2 bad\n", "class h1 unknown\n", "<br/>1 of 1 not checked\"]");
        assertThatThrownBy(() -> report("1").build().toSvg())
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("no blueprint");
    }

    @Test
    void build_builderThatGoesOn_leavesTheReportAsItWas() {
        VerifyReport.Builder builder = report("1");
        VerifyReport before = builder.build();

        builder.addCheck(check("node", Verdict.FAILED, "check", "method", "x", "remedy"));

        assertThat(before.checks()).isEmpty();
        assertThat(before.ok()).isTrue();
        assertThat(builder.build().ok()).isFalse();
    }
}
