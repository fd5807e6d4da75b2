package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The project speaks the terms of the field: words that nobody could guess or search for do not come back. */
class VocabularyTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    /** The parts of identifiers, and words: {@code isWished} has two. */
    private static final Pattern PART = Pattern.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+");

    private static final Set<String> RETIRED = Set.of(
            "wish",
            "wishes",
            "wished",
            "knock",
            "knocks",
            "knocked",
            "mend",
            "mends",
            "mended",
            "ledger",
            "fence",
            "fences",
            "fenced",
            "throwaway",
            "patience",
            "occupancy",
            "disbelieve",
            "disbelieved",
            "footprints");

    private static final List<String> TOPS = List.of(
            "README.md",
            "CONTRIBUTING.md",
            "promguard-core/README.md",
            "promguard-do/README.md",
            "promguard-ssh/README.md",
            "promguard-examples/README.md",
            "docs",
            "promguard-core/src",
            "promguard-do/src",
            "promguard-ssh/src",
            "promguard-examples/src");

    private static final Set<String> ENDINGS = Set.of(".java", ".sh", ".j2", ".jsh", ".md", ".xml");

    /** Files that name the words because they are about them, read what earlier versions wrote, or use one in its everyday sense. */
    private static final Set<String> EXEMPT = Set.of(
            "VocabularyTest.java", "ShellFilesTest.java", "StateFormat.java", "customize.sh", "RenderedMarkdown.java");

    private static List<String> retiredIn(String text) {
        List<String> found = new ArrayList<>();
        Matcher parts = PART.matcher(text);
        while (parts.find()) {
            if (RETIRED.contains(parts.group().toLowerCase(Locale.ROOT))) {
                found.add(parts.group());
            }
        }
        return found;
    }

    @Test
    void project_everyFile_usesTheTermsOfTheField() throws IOException {
        List<String> found = new ArrayList<>();
        int read = 0;
        for (Path file : files()) {
            read++;
            List<String> lines = Files.readAllLines(file);
            for (int i = 0; i < lines.size(); i++) {
                for (String word : retiredIn(lines.get(i))) {
                    found.add(ROOT.relativize(file) + ":" + (i + 1) + ": " + word);
                }
            }
        }

        assertThat(found).isEmpty();
        assertThat(read).as("files read").isGreaterThan(300);
    }

    private static List<Path> files() throws IOException {
        List<Path> files = new ArrayList<>();
        for (String top : TOPS) {
            try (Stream<Path> below = Files.walk(ROOT.resolve(top))) {
                below.filter(Files::isRegularFile)
                        .filter(file -> ENDINGS.stream().anyMatch(String.valueOf(file.getFileName())::endsWith))
                        .filter(file -> !EXEMPT.contains(String.valueOf(file.getFileName())))
                        .forEach(files::add);
            }
        }
        return files;
    }

    @ParameterizedTest
    @CsvSource({
        "isWished, Wished",
        "NO_PATIENCE, PATIENCE",
        "a host as wished, wished",
        "facts_ledger, ledger",
        "recommended defaults, ''",
        "wishful, ''"
    })
    void retiredIn_text_findsWordsAndPartsOfIdentifiers(String text, String expected) {
        assertThat(String.join(" ", retiredIn(text))).isEqualTo(expected);
    }
}
