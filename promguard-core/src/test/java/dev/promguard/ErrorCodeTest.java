package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.internal.decide.Problem;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The ids of failures: unique, never changed, shown in every message, and described on one page. */
class ErrorCodeTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path PAGE = ROOT.resolve("docs/errors.md");
    private static final Pattern ENTRY = Pattern.compile("(?m)^### (PG-\\d{4})\n\n\\*\\*(.+)\\*\\*\n\n");
    private static final Pattern USE = Pattern.compile("ErrorCode\\.([A-Z_]+)\\b");

    /** One that a test may create, as a provider or an applier of somebody else's might. */
    private static final class OwnException extends PromGuardException {
        private static final long serialVersionUID = 1L;

        OwnException(ErrorCode code, String message) {
            super(code, message, null);
        }
    }

    private static List<String> released() throws IOException {
        try (InputStream in = Objects.requireNonNull(ErrorCodeTest.class.getResourceAsStream("error-codes.txt"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
    }

    /** A line, once in the list, stays as it is: a code that is no longer used keeps its constant. New codes get new lines. */
    @Test
    void codes_all_areThoseOfTheListThatOnlyGrows() throws IOException {
        List<String> codes = Arrays.stream(ErrorCode.values())
                .map(code -> code.id() + ' ' + code.name())
                .toList();

        assertThat(codes).containsExactlyElementsOf(released());
    }

    @Test
    void ids_all_areUniqueAndAscendWithinTheirGroups() {
        List<String> ids = Arrays.stream(ErrorCode.values()).map(ErrorCode::id).toList();

        assertThat(ids).doesNotHaveDuplicates().isSorted().allMatch(id -> id.matches("PG-[1-69]\\d{3}"));
    }

    @ParameterizedTest
    @EnumSource
    void title_eachCode_isOneSentence(ErrorCode code) {
        assertThat(code.title()).matches("[A-Z][^.]+\\.");
    }

    @Test
    void page_eachCode_isDescribedThereUnderItsTitleAndNoOtherIs() throws IOException {
        Map<String, String> described = new LinkedHashMap<>();
        Map<String, String> expected = new LinkedHashMap<>();
        Matcher entry = ENTRY.matcher(Files.readString(PAGE));
        while (entry.find()) {
            assertThat(described.put(entry.group(1), entry.group(2)))
                    .as(entry.group(1))
                    .isNull();
        }
        for (ErrorCode code : ErrorCode.values()) {
            expected.put(code.id(), code.title());
        }

        assertThat(described).containsExactlyEntriesOf(expected);
    }

    @Test
    void page_eachEntry_saysMeaningCauseAndRemedy() throws IOException {
        String[] entries = Files.readString(PAGE).split("(?m)^### ");

        assertThat(entries).hasSize(ErrorCode.values().length + 1);
        assertThat(List.of(entries).subList(1, entries.length))
                .allSatisfy(entry -> assertThat(entry)
                        .containsPattern("(?s)\n- Meaning: [A-Z`].+\n- Cause: [A-Z`].+\n- Remedy: [A-Z`].+"));
    }

    @Test
    void readme_anyReader_isLedToThePage() throws IOException {
        assertThat(Files.readString(ROOT.resolve("README.md"))).contains("(docs/errors.md)");
    }

    /** What nothing reports would be described in vain, and misleads. */
    @Test
    void codes_all_areReportedSomewhere() throws IOException {
        TreeSet<String> used = new TreeSet<>();
        for (String module : List.of("promguard-core", "promguard-do", "promguard-ssh")) {
            for (Path file : sources(ROOT.resolve(module).resolve("src/main/java"))) {
                USE.matcher(Files.readString(file)).results().forEach(use -> used.add(use.group(1)));
            }
        }

        assertThat(ErrorCode.values()).extracting(ErrorCode::name).allMatch(used::contains);
    }

    private static List<Path> sources(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }

    /** The compiler asks every subclass for a code, so there is no other way to create a failure. */
    @Test
    void exception_eachConstructor_takesACode() {
        List<Class<?>> first = new ArrayList<>();
        for (Constructor<?> constructor : PromGuardException.class.getDeclaredConstructors()) {
            first.add(constructor.getParameterTypes()[0]);
        }

        assertThat(first).containsOnly(ErrorCode.class);
    }

    @Test
    @SuppressWarnings("NullAway")
    void exception_withoutACode_isRefused() {
        assertThatThrownBy(() -> new OwnException(null, "message"))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("code");
    }

    @Test
    void exception_idAndReason_areOfItsCodeAndMessage() {
        OwnException failure = new OwnException(ErrorCode.CONNECT_FAILED, "no answer.\n  Try again.");

        assertThat(failure).hasMessage("no answer. [PG-4001]\n  Try again.");
        assertThat(failure.id()).isEqualTo("PG-4001");
        assertThat(failure.code()).isEqualTo(ErrorCode.CONNECT_FAILED);
        assertThat(failure.reason()).isEqualTo("no answer.\n  Try again.");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "no answer|no answer [PG-4001]",
                "no answer.|no answer. [PG-4001]",
                "two lines:/and more:|two lines [PG-4001]:/and more:",
                "costs $1/\\0|costs $1 [PG-4001]/\\0",
                "''|[PG-4001]",
                "/second|[PG-4001]/second"
            })
    void appendedTo_message_endsItsFirstLine(String message, String expected) {
        assertThat(ErrorCode.CONNECT_FAILED.appendedTo(message.replace('/', '\n')))
                .isEqualTo(expected.replace('/', '\n'));
    }

    @ParameterizedTest
    @EnumSource
    void problem_eachKind_hasAnId(Problem.Kind kind) {
        assertThat(Arrays.stream(ErrorCode.values()).map(ErrorCode::id)).contains(kind.id());
    }
}
