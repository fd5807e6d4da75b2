package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.Plan.Entry;
import dev.promguard.Plan.Kind;
import dev.promguard.Plan.Operation;
import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.Verdict;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Plans and reports as comments on pull requests. */
class MarkdownTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/markdown");
    private static final int GITHUB = 65_536;

    static Stream<Arguments> documents() {
        return Stream.of(
                Arguments.of("plan", (Supplier<String>) () -> Samples.plan().toMarkdown()),
                Arguments.of("plan-empty", (Supplier<String>)
                        () -> Samples.emptyPlan(Operation.APPLY).toMarkdown()),
                Arguments.of("apply-report", (Supplier<String>)
                        () -> Samples.applyReport().toMarkdown()),
                Arguments.of("destroy-report", (Supplier<String>)
                        () -> Samples.destroyReport().toMarkdown()),
                Arguments.of("verify-report", (Supplier<String>)
                        () -> Samples.verifyReport().toMarkdown()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("documents")
    void toMarkdown_sample_isAsWrittenDownAndHasNoLinks(String name, Supplier<String> markdown) {
        String document = markdown.get();

        GOLDEN.check(name + ".md", document.replaceAll("sha256:[0-9a-f]{64}", "sha256:(64 digits)"));
        assertThat(new RenderedMarkdown(document).active).isEmpty();
    }

    static Stream<String> hostile() {
        return Stream.of(
                "a | b |\n| x",
                "a \\| b \\\\| c",
                "<script>alert(1)</script>",
                "</code></summary></details><img src=x onerror=alert(1)>",
                "![x](http://192.0.2.1/x.png)",
                "[click](javascript:alert(1)) [a]: http://192.0.2.1",
                "**bold** _it_ __b__ *i* `code` ``two`` ~~no~~ ~one~",
                "` odd `` ticks ```",
                "```\n</details>\n~~~",
                "- item\n1. one\n> quote\n# heading\n===\n---",
                "- item",
                "1. one",
                "https://evil.example and www.evil.example and a@b.example",
                "@someone @org/team #12 org/repo#12 :tada: $x$ $$y$$",
                "&lt;b&gt; &amp; &#64;",
                "\u001b[31mred\u001b[0m \u202ereversed",
                "<!-- hidden -->",
                "x".repeat(5_000));
    }

    private static List<Function<String, String>> places() {
        return List.of(
                text -> Plan.builder(Operation.APPLY, Samples.blueprint())
                        .problems(List.of(MeshProblem.builder(ErrorCode.UNMANAGED_HOSTS, text)
                                .remedy(text)
                                .build()))
                        .cloud(List.of(PlannedChange.builder("cloud-firewall", ChangeAction.UPDATE, "shop", text)
                                .build()))
                        .addEntry(Entry.builder(Kind.CHANGE, "a")
                                .region(text)
                                .size(text)
                                .changes(List.of(PlannedChange.builder("file", ChangeAction.UPDATE, text, text)
                                        .before(text)
                                        .after(text)
                                        .diff(text + "\n")
                                        .build()))
                                .notes(List.of(text))
                                .build())
                        .build()
                        .toMarkdown()
                        .replaceAll("sha256:[0-9a-f]{64}", ""),
                text -> ApplyReport.builder("shop")
                        .addHost(HostOutcome.builder("a", Status.FAILED)
                                .region(text)
                                .changes(List.of(Samples.applied(text, text)))
                                .notes(List.of(text))
                                .failure(new IllegalStateException(text))
                                .build())
                        .cloud(List.of(Samples.applied(text, text)))
                        .addFailedStep(text, new IllegalStateException(text))
                        .build()
                        .toMarkdown(),
                text -> DestroyReport.builder("shop")
                        .removed(List.of(text))
                        .leftovers("a", List.of(text))
                        .build()
                        .toMarkdown(),
                text -> VerifyReport.builder("shop", Instant.EPOCH, text)
                        .origin(text)
                        .addHost(HostHealth.builder("a", text, "10.0.0.1")
                                .target(text)
                                .system(text)
                                .kernel(text)
                                .build())
                        .addCheck(check(text, Verdict.FAILED))
                        .addCheck(check(text, Verdict.UNCHECKED))
                        .addCheck(check(text, Verdict.NOTE))
                        .build()
                        .toMarkdown());
    }

    private static Check check(String text, Verdict verdict) {
        return Check.builder("a", CheckKind.HOST_EXISTS, text)
                .method(text)
                .observed(text)
                .remedy(text)
                .verdict(verdict)
                .build();
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void toMarkdown_whateverATextSays_staysText(String text) {
        for (Function<String, String> place : places()) {
            String source = place.apply(text);
            RenderedMarkdown page = new RenderedMarkdown(source);
            RenderedMarkdown plain = new RenderedMarkdown(place.apply("x"));

            assertThat(page.active).as(source).isEmpty();
            assertThat(page.html).as(source).hasSameSizeAs(plain.html);
            assertThat(List.of(page.headings, page.items, page.cells))
                    .as(source)
                    .isEqualTo(List.of(plain.headings, plain.items, plain.cells));
            assertThat(page.text.toString().replaceAll("[ \t]+", " "))
                    .as(source)
                    .contains(Markdown.shown(text).replaceAll("[ \t]+", " "));
            assertThat(page.outsideCode.toString())
                    .as("outside code of %s", source)
                    .doesNotContain("@", ":tada:", "#1", "$")
                    .doesNotContain("://", "www.");
            assertThat(source).doesNotContain("\u001b", "\u202e", "\r");
            assertThat(String.join("", page.html)).doesNotContain("<img", "<script");
        }
    }

    @Test
    void toMarkdown_usualTexts_readWellInTheSource() {
        assertThat(Markdown.text("write /etc/systemd/system/node_exporter.service"))
                .isEqualTo("write /etc/systemd/system/node_exporter.service");
        assertThat(Markdown.text("wg-quick@wg0.service runs, and will after a reboot"))
                .isEqualTo("`wg-quick@wg0.service` runs, and will after a reboot");
        assertThat(Markdown.text("+1 -1 lines (drift)   → put back [PG-5009]"))
                .isEqualTo("+1 -1 lines (drift) → put back `[PG-5009]`");
        assertThat(Markdown.text("curl http://10.0.0.2:9100/metrics, on mon"))
                .isEqualTo("curl `http://10.0.0.2:9100/metrics`, on mon");
    }

    private static Plan large(int hosts) {
        Plan.Builder plan = Plan.builder(Operation.APPLY, Samples.blueprint())
                .problems(List.of(MeshProblem.builder(ErrorCode.UNMANAGED_HOSTS, "the problem")
                        .build()));
        for (int i = 0; i < hosts; i++) {
            plan.addEntry(Entry.builder(Kind.CHANGE, "node-" + i)
                    .region("lon1")
                    .address("10.0.0.1")
                    .changes(List.of(Samples.file("/etc/file-" + i, "+line\n".repeat(50))))
                    .build());
        }
        return plan.build();
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 200, 1_000, 10_000})
    void toMarkdown_anyNumberOfHosts_staysBelowWhatGitHubTakesAndSaysWhatIsLeftOut(int hosts) {
        String document = large(hosts).toMarkdown();

        assertThat(document).hasSizeLessThan(GITHUB).contains("the problem", "node-0", "Digest of this plan");
        assertThat(document.contains("Left out here")).isEqualTo(hosts > 3);
        assertThat(new RenderedMarkdown(document).active).isEmpty();
        if (hosts == 200) {
            assertThat(document).contains("| node-199 |", "× difference of a file", "`toJson()` has all of it");
        }
    }

    @Test
    void toMarkdown_hugeReports_stayBelowWhatGitHubTakes() {
        ApplyReport.Builder applied = ApplyReport.builder("shop");
        VerifyReport.Builder verified = VerifyReport.builder("shop", Instant.EPOCH, "1");
        for (int i = 0; i < 2_000; i++) {
            applied.addHost(HostOutcome.builder("node-" + i, Status.CHANGED)
                    .changes(List.of(Samples.applied("write /etc/hosts"), Samples.applied("x".repeat(200))))
                    .build());
            verified.addCheck(Check.builder("node-" + i, CheckKind.HOST_EXISTS, "exists")
                    .method("m".repeat(200))
                    .build());
        }
        VerifyReport report =
                verified.addCheck(check("fails here", Verdict.FAILED)).build();

        assertThat(applied.build().toMarkdown()).hasSizeLessThan(GITHUB).contains("Left out here");
        assertThat(report.toMarkdown(65_000)).hasSizeLessThan(GITHUB).contains("fails here", "Left out here");
        assertThat(report.toMarkdown()).hasSizeGreaterThan(GITHUB).doesNotContain("Left out here");
        assertThatThrownBy(() -> report.toMarkdown(1_999)).isInstanceOf(InvalidSettingException.class);
    }
}
