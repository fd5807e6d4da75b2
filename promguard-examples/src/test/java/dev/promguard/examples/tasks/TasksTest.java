package dev.promguard.examples.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.Mesh;
import dev.promguard.MeshBuilder;
import dev.promguard.Plan;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.keys.SshKeyPair;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples as far as they go without machines: their size, names, plans and scripts. */
public class TasksTest {
    private static final int EXAMPLES = 11;
    private static final int MOST_LINES = 39;
    private static final Path SCRIPTS = Path.of("src/main/jshell");
    private static final String START = "LocalCloud cloud = LocalCloud.builder().ownReleases().start();";

    /** The cloud of the test that runs, for the scripts: JShell evaluates them in this JVM. */
    private static LocalCloud current = LocalCloud.builder().recordsOnly().start();

    @TempDir
    private Path folder;

    private LocalCloud cloud = current;

    /**
     * What scripts get instead of a local cloud of their own.
     *
     * @return a cloud whose droplets are records
     */
    public static LocalCloud cloud() {
        return current;
    }

    @BeforeEach
    void startCloud() {
        cloud = LocalCloud.builder().recordsOnly().start();
        current.close();
        current = cloud;
    }

    @AfterEach
    void closeCloud() {
        cloud.close();
    }

    static Stream<String> names() {
        return Specs.all(new Servers(Map.of(), "", Path.of("none"))).keySet().stream();
    }

    private Servers servers() throws IOException {
        try (SshKeyPair key = SshKeyPair.generate(new SecureRandom())) {
            Path file = folder.resolve("id_ed25519");
            key.privateKey().useText(text -> {
                try {
                    return Files.writeString(file, text);
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            return new Servers(
                    Map.of("mon", "203.0.113.10", "db-1", "203.0.113.20"),
                    key.publicKey().fingerprint().text(),
                    file);
        }
    }

    private Specs.Spec spec(String name) throws IOException {
        return Objects.requireNonNull(Specs.all(servers()).get(name));
    }

    private static String list(String name, int expected) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(Tasks.run(name, new PrintStream(out, true, StandardCharsets.UTF_8)))
                .isEqualTo(expected);
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void list_ofTheExamples_namesEachInALine() {
        String printed = list("list", 0);

        assertThat(printed.lines()).hasSize(EXAMPLES + 2).allMatch(line -> line.length() < 80);
        assertThat(printed.lines().limit(EXAMPLES)).allMatch(line -> line.matches("  [a-z-]+ +\\S.*"));
        assertThat(printed.lines().limit(EXAMPLES).map(line -> line.strip().split(" ", 2)[0]))
                .containsExactlyElementsOf(names().toList());
    }

    @Test
    void run_unknownName_saysSoAndListsThem() {
        assertThat(list("frist-mesh\u001b", 2))
                .startsWith("There is no example \"frist-mesh")
                .contains("  first-mesh ")
                .doesNotContain("\u001b");
    }

    @ParameterizedTest
    @MethodSource("names")
    void main_ofEach_isShort(String name) throws IOException {
        assertThat(Files.readAllLines(spec(name).source())).hasSizeLessThanOrEqualTo(MOST_LINES);
    }

    @ParameterizedTest
    @MethodSource("names")
    void mesh_ofEach_isPlannedAnywhere(String name) throws IOException {
        Mesh mesh = spec(name).mesh().apply(cloud.mesh().state(folder.resolve("state")));

        if (name.equals("servers")) {
            assertThat(mesh.blueprint().hosts()).hasSize(2);
        } else {
            Plan plan = mesh.plan();
            assertThat(plan.problems()).isEmpty();
            assertThat(plan.entries()).hasSizeBetween(2, 3).allMatch(entry -> entry.kind() == Plan.Kind.CREATE);
        }
    }

    /** Without white space, by which a JShell script has to differ: a line of it must not begin with a dot. */
    private static String bare(String code) {
        return code.replaceAll("(?m)^//.*$", "").replaceAll("\\s+", "");
    }

    private static String body(String source, String method) {
        Matcher found = Pattern.compile(
                        "    static \\w+ " + method + "\\([^)]*\\)[^{]*\\{\n(.*?)\n    }\n", Pattern.DOTALL)
                .matcher(source);
        assertThat(found.find()).as(method).isTrue();
        return bare(found.group(1)).replace("returnmesh;", "").replace("builder.name", "cloud.mesh().name");
    }

    @ParameterizedTest
    @MethodSource("names")
    void script_ofEach_isTheCodeOfTheExample(String name) throws IOException {
        String source = Files.readString(spec(name).source());
        String script = bare(Files.readString(SCRIPTS.resolve(name + ".jsh")));

        if (name.equals("junit")) {
            assertThat(script).isEqualTo("OwnTest.main(newString[0]);");
        } else {
            assertThat(script)
                    .startsWith(bare(START))
                    .contains(body(source, "mesh"))
                    .endsWith(body(source, "run") + "cloud.close();");
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void script_ofEach_isValidInJShellAndMakesTheMesh(String name) throws IOException {
        String script = Files.readString(SCRIPTS.resolve(name + ".jsh"))
                .replace(START, "LocalCloud cloud = " + TasksTest.class.getName() + ".cloud();")
                .replace("Servers.start(cloud)", "new Servers(Map.of(), \"\", Path.of(\"none\"))");
        try (JShell shell = JShell.builder().executionEngine("local").build()) {
            for (String entry : System.getProperty("java.class.path").split(java.io.File.pathSeparator, -1)) {
                shell.addToClasspath(entry);
            }
            for (String line : Files.readAllLines(SCRIPTS.resolve("promguard.jsh"))) {
                if (line.startsWith("import")) {
                    evaluate(shell, line);
                }
            }
            for (String used : List.of("java.io.*", "java.net.*", "java.util.*")) {
                evaluate(shell, "import " + used + ";");
            }
            List<String> snippets = snippets(shell, script);
            int made = snippets.indexOf(snippets.stream()
                    .filter(snippet -> snippet.startsWith("Mesh mesh ="))
                    .findFirst()
                    .orElse(snippets.get(0)));
            if (!name.equals("servers") && !name.equals("junit")) {
                for (String snippet : snippets.subList(0, made + 1)) {
                    evaluate(shell, snippet);
                }
                assertThat(evaluate(shell, "mesh.blueprint().hosts().size()")).isBetween("2", "3");
                snippets = snippets.subList(made + 1, snippets.size());
            }
            // Declared, and so compiled, but not called: what follows needs machines.
            evaluate(shell, "void rest() throws Exception {\n" + String.join("\n", snippets) + "\n}");
        }
    }

    private static List<String> snippets(JShell shell, String script) {
        List<String> snippets = new ArrayList<>();
        String rest = script;
        while (!rest.isBlank()) {
            SourceCodeAnalysis.CompletionInfo next = shell.sourceCodeAnalysis().analyzeCompletion(rest);
            assertThat(next.completeness().isComplete()).as(rest).isTrue();
            snippets.add(next.source().replaceAll("(?m)^//.*\n", "").strip());
            rest = next.remaining();
        }
        snippets.removeIf(String::isEmpty);
        return snippets;
    }

    private static String evaluate(JShell shell, String code) {
        String value = "";
        for (SnippetEvent event : shell.eval(code)) {
            assertThat(event.status())
                    .as(
                            "%s: %s",
                            code,
                            shell.diagnostics(event.snippet())
                                    .map(one -> one.getMessage(null))
                                    .toList())
                    .isEqualTo(Snippet.Status.VALID);
            assertThat(event.exception()).as(code).isNull();
            value = String.valueOf(event.value());
        }
        return value;
    }

    /** One place decides what an example may be started with. */
    @Test
    void mesh_ofTheLocalCloud_hasItsProvider() {
        MeshBuilder builder = cloud.mesh().state(folder);

        assertThat(builder.monitor("tor1").plan().entries()).hasSize(1);
    }
}
