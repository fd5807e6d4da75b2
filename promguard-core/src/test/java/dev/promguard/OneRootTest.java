package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whoever catches {@link PromGuardException} catches every failure: what users call throws nothing else, but for null. */
class OneRootTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    /** The packages that users import and implement, and the classes behind them that read what users give. */
    private static final List<String> PUBLIC = List.of(
            "promguard-core/src/main/java/dev/promguard",
            "promguard-core/src/main/java/dev/promguard/blueprint",
            "promguard-core/src/main/java/dev/promguard/keys",
            "promguard-core/src/main/java/dev/promguard/spi",
            "promguard-core/src/main/java/dev/promguard/state",
            "promguard-do/src/main/java/dev/promguard/digitalocean",
            "promguard-ssh/src/main/java/dev/promguard/ssh");

    private static final Pattern OTHER = Pattern.compile(
            "throw new (Illegal\\w+|Unchecked\\w+|NoSuch\\w+|Unsupported\\w+|Runtime\\w+|\\w+Error)\\(" + "(.*?)\\);",
            Pattern.DOTALL);

    private static final Pattern DOCUMENTED =
            Pattern.compile("@throws (Illegal\\w+|Unchecked\\w+|NoSuch\\w+|Unsupported\\w+)");

    /** What no argument and no machine can cause. */
    private static final Pattern IMPOSSIBLE = Pattern.compile(
            "every Java platform has|has no address\"|an ed25519 key cannot be encoded|a tree can always be written"
                    + "|the style cannot be read|a spec has no |component \\+ \" cannot be read");

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        for (String folder : PUBLIC) {
            try (Stream<Path> files = Files.list(ROOT.resolve(folder))) {
                files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
            }
        }
        return sources;
    }

    @Test
    void publicCode_ofAllModules_throwsAndDocumentsPromGuardsExceptionsAlone() throws IOException {
        List<String> others = new ArrayList<>();
        for (Path source : sources()) {
            String text = Files.readString(source);
            Matcher thrown = OTHER.matcher(text);
            while (thrown.find()) {
                if (!IMPOSSIBLE.matcher(thrown.group(2)).find()) {
                    others.add(source.getFileName() + " throws " + thrown.group(1) + '(' + thrown.group(2) + ')');
                }
            }
            DOCUMENTED
                    .matcher(text)
                    .results()
                    .forEach(found -> others.add(source.getFileName() + " documents " + found.group(1)));
        }

        assertThat(others).isEmpty();
    }

    @Test
    void exceptions_ofPublicPackages_areAllOfTheOneRoot() throws Exception {
        List<String> others = new ArrayList<>();
        int seen = 0;
        for (Path source : sources()) {
            String name = source.getFileName().toString().replace(".java", "");
            if (name.endsWith("Exception") && source.startsWith(ROOT.resolve("promguard-core"))) {
                String text = Files.readString(source);
                seen++;
                if (!text.contains("extends PromGuardException") && !name.equals("PromGuardException")) {
                    others.add(name);
                }
            }
        }

        assertThat(others).isEmpty();
        assertThat(seen).isGreaterThan(10);
    }
}
