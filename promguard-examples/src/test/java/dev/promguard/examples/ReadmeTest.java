package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the READMEs say is so. */
class ReadmeTest {
    private static final Path ROOT = Path.of("..");
    private static final Path README = ROOT.resolve("README.md");
    private static final int MOST_LINES = 250;
    private static final Path EXAMPLES = Path.of("src", "main", "java", "dev", "promguard", "examples");
    private static final Pattern BLOCK = Pattern.compile("^```(\\w*)\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern LINK = Pattern.compile("\\]\\((?!https?:)([^)#]*)(#[^)]*)?\\)");

    private static List<Path> pages() {
        return Stream.concat(
                        Stream.of("README.md", "CONTRIBUTING.md", "docs/errors.md"),
                        Stream.of("core", "do", "ssh", "examples").map(module -> "promguard-" + module + "/README.md"))
                .map(ROOT::resolve)
                .toList();
    }

    private static List<String> blocks(Path page, String language) throws IOException {
        List<String> blocks = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(Files.readString(page));
        while (matcher.find()) {
            if (matcher.group(1).equals(language)) {
                blocks.add(matcher.group(2));
            }
        }
        return blocks;
    }

    /** The anchors that a page's headings make. */
    private static Set<String> anchors(Path page) throws IOException {
        return Files.readAllLines(page).stream()
                .filter(line -> line.matches("#+ .*"))
                .map(line -> line.replaceFirst("^#+ ", "")
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^a-z0-9 _-]", "")
                        .replace(' ', '-'))
                .collect(Collectors.toSet());
    }

    private static String unindented(String text) {
        return text.lines().map(String::strip).filter(line -> !line.isEmpty()).collect(Collectors.joining("\n"));
    }

    @Test
    void javaBlocks_ofEveryPage_areCompiledCode() throws IOException {
        StringBuilder compiled =
                new StringBuilder(unindented(Files.readString(EXAMPLES.resolve("ReadmeExamples.java"))));
        try (Stream<Path> tasks = Files.list(EXAMPLES.resolve("tasks"))) {
            for (Path source : tasks.toList()) {
                compiled.append('\n').append(unindented(Files.readString(source)));
            }
        }
        int seen = 0;
        for (Path page : pages()) {
            for (String block : blocks(page, "java")) {
                assertThat(compiled).as("%s", page).contains(unindented(block));
                seen++;
            }
        }

        assertThat(seen).isGreaterThan(20);
    }

    @Test
    void tasks_all_areInTheReadmeWithCode() throws IOException {
        String readme = Files.readString(README);

        try (Stream<Path> scripts = Files.list(Path.of("src", "main", "jshell"))) {
            assertThat(scripts.map(script -> script.getFileName().toString().replace(".jsh", ""))
                            .filter(name -> !name.equals("promguard")))
                    .hasSize(11)
                    .allSatisfy(name -> assertThat(readme).contains("(`" + name + "`)"));
        }
        assertThat(blocks(README, "java")).hasSize(12);
    }

    @Test
    void readme_itself_isShort() throws IOException {
        assertThat(Files.readAllLines(README)).hasSizeLessThanOrEqualTo(MOST_LINES);
    }

    @Test
    void links_ofEveryPage_leadSomewhere() throws IOException {
        int seen = 0;
        for (Path page : pages()) {
            Matcher link = LINK.matcher(BLOCK.matcher(Files.readString(page)).replaceAll(""));
            while (link.find()) {
                Path target = link.group(1).isEmpty() ? page : page.resolveSibling(link.group(1));
                assertThat(target).as("%s: %s", page, link.group()).exists();
                if (link.group(2) != null) {
                    assertThat(anchors(target))
                            .as("%s: %s", page, link.group())
                            .contains(link.group(2).substring(1));
                }
                seen++;
            }
        }

        assertThat(seen).isGreaterThan(30);
    }

    @Test
    void shellBlocks_theTwoCommands_standAsWritten() throws IOException {
        assertThat(blocks(README, "sh")).contains("mvn -q compile exec:java\n", "mvn verify\n");
    }

    @Test
    void jshellBlock_inAJShellWithTheStartupFile_isWhatIsPrinted() throws Exception {
        List<String> block = blocks(README, "").stream()
                .filter(text -> text.startsWith("jshell> "))
                .findFirst()
                .orElseThrow()
                .lines()
                .toList();
        Process jshell = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jshell")
                                .toString(),
                        "--class-path",
                        System.getProperty("java.class.path"),
                        "--startup",
                        "DEFAULT",
                        "--startup",
                        Path.of("src", "main", "jshell", "promguard.jsh").toString())
                .redirectErrorStream(true)
                .start();
        try (OutputStream input = jshell.getOutputStream()) {
            input.write((block.get(0).replace("jshell> ", "") + "\n/exit\n").getBytes(StandardCharsets.UTF_8));
        }
        String printed = new String(jshell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        jshell.waitFor();

        assertThat(printed).contains("PromGuard is imported.").doesNotContain("rror");
        assertThat(block.stream().skip(1).filter(line -> !line.strip().equals("…")))
                .hasSize(3)
                .allSatisfy(line -> assertThat(printed).contains(line + "\n"));
    }
}
