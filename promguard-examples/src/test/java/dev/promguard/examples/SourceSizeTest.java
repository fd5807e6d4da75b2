package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A class that nobody can keep in mind is to be divided. Javadoc makes no class harder to keep in mind. */
class SourceSizeTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final int MOST_LINES = 450;

    /** Empty lines, comments and imports. */
    private static final Pattern NO_CODE = Pattern.compile("\\s*(\\*.*|/\\*.*|//.*|import .*)?");

    @Test
    void source_ofEachMainClass_isShort() throws IOException {
        Map<String, Long> sizes = new TreeMap<>();
        for (String module : List.of("core", "do", "ssh", "examples")) {
            try (Stream<Path> below = Files.walk(ROOT.resolve("promguard-" + module + "/src/main/java"))) {
                for (Path file :
                        below.filter(path -> path.toString().endsWith(".java")).toList()) {
                    sizes.put(ROOT.relativize(file).toString(), linesOfCode(Files.readAllLines(file)));
                }
            }
        }

        assertThat(sizes).hasSizeGreaterThan(300);
        assertThat(sizes)
                .allSatisfy((file, lines) ->
                        assertThat(lines).as("lines of code in %s", file).isLessThanOrEqualTo(MOST_LINES));
    }

    private static long linesOfCode(List<String> lines) {
        return lines.stream().filter(line -> !NO_CODE.matcher(line).matches()).count();
    }
}
