package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The code in the Javadoc is code: every block of it compiles as a user would paste it. */
class JavadocExamplesTest {
    private static final Pattern BLOCK = Pattern.compile("<pre>\\{@code\\n(.*?)\\n[ *]*}</pre>", Pattern.DOTALL);
    private static final String IMPORTS = Stream.of("", ".blueprint", ".keys", ".digitalocean", ".ssh")
            .map(part -> "import dev.promguard" + part + ".*;\n")
            .collect(Collectors.joining());

    @TempDir
    Path folder;

    /** The blocks, by a class name that says where each stands. */
    private static Map<String, String> blocks() throws IOException {
        Map<String, String> blocks = new LinkedHashMap<>();
        for (String module : List.of("core", "do", "ssh")) {
            try (Stream<Path> files = Files.walk(Path.of("..", "promguard-" + module, "src", "main"))) {
                for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                    String name = file.getFileName().toString();
                    if (name.matches(".*\\.(java|html)")) {
                        BLOCK.matcher(Files.readString(file))
                                .results()
                                .map(found -> found.group(1).replaceAll("(?m)^ *\\* ?", ""))
                                .forEach(code -> blocks.put(name.replace('.', '_') + blocks.size(), code));
                    }
                }
            }
        }
        return blocks;
    }

    private static JavaFileObject source(String name, String code) {
        // In one place each, what the text around an example is about has a name.
        String given = Stream.of("Mesh mesh", "Plan plan")
                .filter(variable -> !code.contains(variable + " ="))
                .collect(Collectors.joining(", "));
        String text = IMPORTS + "class " + name + " {\n    void run(" + given + ") throws Exception {\n" + code
                + "\n    }\n}\n";
        return new SimpleJavaFileObject(URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return text;
            }
        };
    }

    @Test
    void blocks_ofAllModules_compile() throws IOException {
        Map<String, String> blocks = blocks();
        List<JavaFileObject> sources = new ArrayList<>();
        blocks.forEach((name, code) -> sources.add(source(name, code)));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter problems = new StringWriter();

        boolean compiled = compiler.getTask(
                        problems,
                        null,
                        null,
                        List.of(
                                "-proc:none",
                                "-d",
                                folder.toString(),
                                "-classpath",
                                System.getProperty("java.class.path")),
                        null,
                        sources)
                .call();

        assertThat(compiled).as(problems.toString()).isTrue();
        assertThat(blocks.keySet().stream().map(name -> name.replaceAll("\\d+$", "")))
                .contains("Mesh_java", "MeshBuilder_java", "DigitalOcean_java", "ExistingHosts_java", "overview_html");
    }
}
