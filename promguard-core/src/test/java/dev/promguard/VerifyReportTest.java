package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.HostHealth;
import dev.promguard.VerifyReport.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
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

    /** A report as a file writes it down: a host or a check a line, the parts between bars. */
    private static VerifyReport read(String name) {
        List<HostHealth> hosts = new ArrayList<>();
        List<Check> checks = new ArrayList<>();
        for (String line : GOLDEN.read(name + ".input").lines().toList()) {
            List<String> parts = Arrays.stream(line.split(" \\| ", -1))
                    .map(part ->
                            part.replace("\\n", "\n").replace("\\e", "\u001b").replace("\\u202e", "\u202e"))
                    .toList();
            if (parts.get(0).equals("host")) {
                hosts.add(new HostHealth(
                        parts.get(1),
                        parts.get(2),
                        Optional.of(parts.get(3)).filter(text -> !text.equals("-")),
                        parts.get(4),
                        parts.get(5).equals("-")
                                ? Optional.empty()
                                : Optional.of(Duration.ofSeconds(Long.parseLong(parts.get(5)))),
                        parts.get(6)));
            } else if (!line.startsWith("#")) {
                checks.add(new Check(
                        parts.get(1),
                        parts.get(2),
                        parts.get(3),
                        parts.get(4),
                        Verdict.valueOf(parts.get(0)),
                        parts.size() > 5 ? parts.get(5) : ""));
            }
        }
        return new VerifyReport("shop", Instant.parse("2026-11-23T10:15:30.123Z"), "1.2.3", hosts, checks);
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

    @ParameterizedTest
    @MethodSource("hostile")
    void toMarkdown_whateverAHostSays_staysInItsCellAsText(String text) {
        VerifyReport report = new VerifyReport(
                "shop",
                Instant.EPOCH,
                "1",
                List.of(new HostHealth("node", "lon1", Optional.empty(), "10.0.0.2", Optional.empty(), text)),
                List.of(
                        new Check("node", "claim", "how", text, Verdict.FAILS, "mend"),
                        new Check("node", "noted", "how", text, Verdict.NOTED, "")));
        VerifyReport plain = new VerifyReport(
                "shop",
                Instant.EPOCH,
                "1",
                List.of(new HostHealth("node", "lon1", Optional.empty(), "10.0.0.2", Optional.empty(), "x")),
                List.of(
                        new Check("node", "claim", "how", "x", Verdict.FAILS, "mend"),
                        new Check("node", "noted", "how", "x", Verdict.NOTED, "")));

        assertThat(report.toMarkdown().lines())
                .hasSameSizeAs(plain.toMarkdown().lines().toList());
        assertThat(report.toString().lines())
                .hasSameSizeAs(plain.toString().lines().toList());
        assertThat(report.toMarkdown() + report).doesNotContain("\u001b", "\u202e", "\r");
        assertThat(report.toMarkdown())
                .doesNotContain("<", "://", "www.", "a@b")
                .doesNotContainPattern("[^\\\\]`");
        String bars = report.toMarkdown().replaceAll("\\\\.", "").replaceAll("[^|]", "");
        assertThat(bars).hasSameSizeAs(plain.toMarkdown().replaceAll("[^|]", ""));
    }

    @ParameterizedTest
    @ValueSource(ints = {1_001, 100_000})
    void toMarkdown_endlessText_isCut(int length) {
        VerifyReport report = new VerifyReport(
                "shop",
                Instant.EPOCH,
                "1",
                List.of(),
                List.of(new Check("node", "claim", "how", "y".repeat(length), Verdict.HOLDS, "")));

        assertThat(report.toMarkdown()).hasSizeLessThan(2_000).contains("… (" + length + " characters)");
    }

    @Test
    void toMarkdown_hostNotAmongTheHosts_isNotLost() {
        VerifyReport report = new VerifyReport(
                "shop",
                Instant.EPOCH,
                "1",
                List.of(),
                List.of(new Check("gone", "claim", "how", "x", Verdict.HOLDS, "")));

        assertThat(report.toMarkdown()).contains("### gone\n", "| holds | claim | x | how |");
    }
}
