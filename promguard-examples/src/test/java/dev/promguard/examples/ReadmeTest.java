package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What the README says is so. */
class ReadmeTest {
    private static final Path README = Path.of("..", "README.md");
    private static final Path EXAMPLES =
            Path.of("src", "main", "java", "dev", "promguard", "examples", "ReadmeExamples.java");
    private static final Pattern BLOCK = Pattern.compile("^```(\\w*)\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

    private static List<String> blocks(String language) throws IOException {
        List<String> blocks = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(Files.readString(README));
        while (matcher.find()) {
            if (matcher.group(1).equals(language)) {
                blocks.add(matcher.group(2));
            }
        }
        return blocks;
    }

    private static String unindented(String text) {
        return text.lines().map(String::strip).filter(line -> !line.isEmpty()).collect(Collectors.joining("\n"));
    }

    @Test
    void javaBlocks_all_areCompiledCode() throws IOException {
        String compiled = unindented(Files.readString(EXAMPLES));

        assertThat(blocks("java"))
                .hasSizeGreaterThan(5)
                .allSatisfy(block -> assertThat(compiled).contains(unindented(block)));
    }

    @Test
    void shellBlocks_theTwoCommands_standAsWritten() throws IOException {
        assertThat(blocks("sh")).contains("mvn -q compile exec:java\n", "mvn verify\n");
    }

    @Test
    void jshellBlock_inAJShellWithTheStartupFile_isWhatIsPrinted() throws Exception {
        List<String> block = blocks("").stream()
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
