package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

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
 * Pairs of files in a folder of test resources, {@code X.input} and {@code X.expected}. What a test gets instead of the expected is
 * written below {@code target/golden}, to be read and then put in place by hand.
 */
public final class Golden {
    private final String folder;

    /** The pairs of a folder of test resources, such as {@code /dev/promguard/change}. */
    public Golden(String folder) {
        this.folder = folder;
    }

    /** The names of all pairs, sorted; fails where a file has lost its other half. */
    public List<String> names() {
        List<String> inputs = endingIn(".input");
        List<String> expected = endingIn(".expected");
        assertThat(expected).as("pairs of .input and .expected in %s", folder).isEqualTo(inputs);
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
        assertThat(actual)
                .as("%s/%s; what came instead is in %s", folder, file, got)
                .isEqualTo(read(file));
    }
}
