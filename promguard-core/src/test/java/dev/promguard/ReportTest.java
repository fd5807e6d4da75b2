package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.Plan.Entry;
import dev.promguard.Plan.Kind;
import dev.promguard.Plan.Operation;
import dev.promguard.VerifyReport.Check;
import dev.promguard.VerifyReport.Verdict;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The page to attach to a ticket. */
class ReportTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/report");
    private static final int CHROMIUM_SECONDS = 180;
    private static final Pattern RESULT =
            Pattern.compile("<p id=\"result\">width ([0-9]+) wide (\\S*) text ([0-9]+)</p>");

    private static Report sample() {
        return Report.builder()
                .plan(Samples.plan())
                .applied(Samples.applyReport())
                .verified(Samples.verifyReport())
                .removed(Samples.destroyReport())
                .createdAt(Instant.parse("2026-11-23T10:20:30Z"))
                .build();
    }

    @Test
    void toHtml_sample_isAsWrittenDown() {
        GOLDEN.check("sample.html", sample().toHtml().replaceAll("sha256:[0-9a-f]{64}", "sha256:(64 digits)"));
    }

    @Test
    void toHtml_anyParts_needsNothingBesideItselfAndRunsNothing() {
        String html = sample().toHtml();

        assertThat(html)
                .startsWith("<!DOCTYPE html>\n")
                .contains("default-src 'none'", "prefers-color-scheme: dark", "width=device-width")
                .doesNotContain("<script", "<link", "<img", "<iframe", "@import", "url(", "src=", "javascript:")
                .doesNotContainPattern(" on[a-z]+=");
        assertThat(html.replace("xmlns=\"http://www.w3.org/2000/svg\"", "").replace("http://deb.example", ""))
                .doesNotContain("http://", "https://");
    }

    @Test
    void toHtml_eachPartAlone_isAPage() {
        assertThat(Report.builder()
                        .plan(Samples.emptyPlan(Operation.APPLY))
                        .build()
                        .toHtml())
                .contains("id=\"plan\"", "nothing to do")
                .doesNotContain("id=\"applied\"", "id=\"verified\"");
        assertThat(Report.builder().applied(Samples.applyReport()).build().toHtml())
                .contains("1 of 3 hosts failed")
                .doesNotContain("id=\"plan\"");
        assertThat(Report.builder().verified(Samples.verifyReport()).build().toHtml())
                .contains("anna@build-7", "<svg", "6.1.0-18-amd64");
    }

    @Test
    void build_nothingOrSeveralMeshes_isRefused() {
        assertThatThrownBy(() -> Report.builder().build())
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("about nothing");
        Report.Builder two = Report.builder()
                .applied(ApplyReport.builder("shop").build())
                .removed(DestroyReport.builder("till").build());
        assertThatThrownBy(two::build)
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("shop, till");
    }

    private static Report quoting(String text) {
        return Report.builder()
                .plan(Plan.builder(Operation.APPLY, Samples.blueprint())
                        .problems(List.of(MeshProblem.builder(ErrorCode.UNMANAGED_HOSTS, text)
                                .remedy(text)
                                .build()))
                        .cloud(List.of(PlannedChange.builder("cloud-firewall", ChangeAction.UPDATE, "shop", text)
                                .build()))
                        .addEntry(Entry.builder(Kind.CHANGE, text)
                                .region(text)
                                .size(text)
                                .changes(List.of(Samples.file(
                                        text, "+" + text.lines().findFirst().orElse("") + "\n")))
                                .notes(List.of(text))
                                .build())
                        .build())
                .applied(ApplyReport.builder("shop")
                        .addHost(HostOutcome.builder(text, Status.FAILED)
                                .changes(List.of(Samples.applied(text, text)))
                                .notes(List.of(text))
                                .failure(new IllegalStateException(text))
                                .build())
                        .addFailedStep(text, new IllegalStateException(text))
                        .build())
                .removed(DestroyReport.builder("shop")
                        .leftovers(text, List.of(text))
                        .build())
                .verified(VerifyReport.builder("shop", Instant.EPOCH, text)
                        .origin(text)
                        .blueprint(Samples.blueprint())
                        .addHost(HostHealth.builder("a", text, text)
                                .target(text)
                                .system(text)
                                .kernel(text)
                                .build())
                        .addCheck(Check.builder("a", CheckKind.HOST_EXISTS, text)
                                .observed(text)
                                .method(text)
                                .remedy(text)
                                .verdict(Verdict.FAILED)
                                .build())
                        .build())
                .build();
    }

    @ParameterizedTest
    @MethodSource("dev.promguard.MarkdownTest#hostile")
    void toHtml_whateverATextSays_staysText(String text) {
        String html = quoting(text).toHtml();
        String plain = quoting("x").toHtml();

        assertThat(html.chars().filter(c -> c == '<').count())
                .isEqualTo(plain.chars().filter(c -> c == '<').count());
        assertThat(html.chars().filter(c -> c == '"').count())
                .isEqualTo(plain.chars().filter(c -> c == '"').count());
        assertThat(html).doesNotContain("\u001b", "\u202e", "<script", "<img");
    }

    /** Long words and wide pictures are what makes a page wider than a phone. */
    @ParameterizedTest
    @CsvSource({"360", "768", "1280"})
    void toHtml_anyWidth_fitsWithEverythingOpened(int width, @TempDir Path folder) throws Exception {
        assumeTrue(
                Arrays.stream(System.getenv("PATH").split(":"))
                        .anyMatch(path -> Files.isExecutable(Path.of(path, "chromium"))),
                "chromium is not installed, so the page cannot be laid out");
        String page = quoting("a-word-that-no-line-has-room-for/".repeat(12)).toHtml();
        Path wrapper = Files.writeString(folder.resolve("wrapper.html"), """
                <!DOCTYPE html><meta charset="utf-8"><iframe id="page" width="%d" height="800" style="border:0" srcdoc="%s"></iframe>
                <p id="result"></p>
                <script>
                  document.getElementById('page').onload = event => {
                    const page = event.target.contentDocument;
                    page.querySelectorAll('details').forEach(each => each.open = true);
                    const wide = [...page.querySelectorAll('body *:not(svg, svg *, pre *, thead, thead *)')]
                      .filter(each => each.getBoundingClientRect().right > %1$d + 1).map(each => each.tagName);
                    document.getElementById('result').textContent =
                      'width ' + page.documentElement.scrollWidth + ' wide ' + wide.join(',') + ' text ' + page.body.innerText.length;
                  };
                </script>
                """.formatted(width, Html.text(page)));

        String dom = chromium(folder, "--dump-dom", wrapper.toUri().toString());

        Matcher result = RESULT.matcher(dom);
        assertThat(result.find()).as("%s", dom).isTrue();
        assertThat(Integer.parseInt(result.group(1))).as("width of the page").isLessThanOrEqualTo(width);
        assertThat(result.group(2)).as("wider than the page").isEmpty();
        assertThat(Integer.parseInt(result.group(3))).as("length of its text").isGreaterThan(5_000);
    }

    private static String chromium(Path folder, String... what) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "chromium",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--user-data-dir=" + Files.createTempDirectory(folder, "profile"),
                "--virtual-time-budget=5000"));
        command.addAll(List.of(what));
        Path out = folder.resolve("dom.html");
        Process process = new ProcessBuilder(command)
                .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(out.toFile())
                .redirectError(folder.resolve("browser.log").toFile())
                .start();
        if (!process.waitFor(CHROMIUM_SECONDS, TimeUnit.SECONDS)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            throw new AssertionError("chromium did not end in " + CHROMIUM_SECONDS + " s: "
                    + Files.readString(folder.resolve("browser.log")));
        }
        return Files.readString(out);
    }
}
