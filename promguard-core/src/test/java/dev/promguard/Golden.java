package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.difflib.DiffUtils;
import com.github.difflib.UnifiedDiffUtils;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Files in a folder of test resources that belong together: {@code X.input} and what is expected of it, {@code X.expected} unless a test
 * has endings of its own. What a test gets instead of the expected is written below {@code target/golden}, to be read and then put in
 * place by hand.
 */
public final class Golden {
    private final String folder;
    private final List<String> outputs;

    /** The files of a folder of test resources, such as {@code /dev/promguard/host/diff}. */
    public Golden(String folder) {
        this(folder, ".expected");
    }

    /** The files of a folder, where what is expected of an input is in files with these endings, such as {@code .plan}. */
    public Golden(String folder, String... outputs) {
        this.folder = folder;
        this.outputs = List.of(outputs);
    }

    /** The names of all inputs, sorted; fails where a file has lost what belongs to it. */
    public List<String> names() {
        List<String> inputs = endingIn(".input");
        for (String output : outputs) {
            assertThat(endingIn(output))
                    .as(".input and %s in %s", output, folder)
                    .isEqualTo(inputs);
        }
        assertThat(inputs).isNotEmpty();
        return inputs;
    }

    private List<String> endingIn(String ending) {
        List<String> names = new ArrayList<>();
        try {
            for (URL url : Collections.list(Golden.class.getClassLoader().getResources(folder.substring(1)))) {
                try (Stream<Path> files = Files.list(Path.of(url.toURI()))) {
                    files.map(file -> String.valueOf(file.getFileName()))
                            .filter(name -> name.endsWith(ending))
                            .map(name -> name.substring(0, name.length() - ending.length()))
                            .forEach(names::add);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
        return names.stream().sorted().toList();
    }

    /** The text of a file of the folder. */
    public String read(String file) {
        try (InputStream in =
                Objects.requireNonNull(Golden.class.getResourceAsStream(folder + '/' + file), folder + '/' + file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Insists that a file of the folder holds this text. */
    public void check(String file, String actual) {
        Path got = Path.of("target", "golden" + folder, file);
        try {
            Files.createDirectories(Objects.requireNonNull(got.getParent()));
            Files.writeString(got, actual);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String expected = read(file);
        assertThat(actual)
                .as("%s/%s; what came instead is in %s\n%s", folder, file, got, diff(expected, actual))
                .isEqualTo(expected);
    }

    private static String diff(String expected, String actual) {
        List<String> lines = expected.lines().toList();
        return String.join(
                "\n",
                UnifiedDiffUtils.generateUnifiedDiff(
                        "expected",
                        "actual",
                        lines,
                        DiffUtils.diff(lines, actual.lines().toList()),
                        2));
    }
}
