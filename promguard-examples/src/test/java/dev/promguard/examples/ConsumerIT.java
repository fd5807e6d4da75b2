package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What empty projects get that depend on the modules as they are published: Maven resolves each from a repository of its own. A bill of
 * materials made there holds what the modules' own bills hold, by which they were built and tested.
 */
class ConsumerIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path REPOSITORY = Path.of("target", "consumer-repository");
    private static final String VERSION = System.getProperty("promguard.version");
    private static final String VERSIONED = "<version>" + VERSION + "</version>";
    /** What a consumer imports that names no versions of modules. */
    private static final String BOM = """
            <dependencyManagement><dependencies>
              <dependency>
                <groupId>dev.promguard</groupId><artifactId>promguard-bom</artifactId>%s<type>pom</type><scope>import</scope>
              </dependency>
            </dependencies></dependencyManagement>
            """.formatted(VERSIONED);

    private static final String BILL =
            "org.cyclonedx:cyclonedx-maven-plugin:" + System.getProperty("cyclonedx.version") + ":makeBom";

    private static final String SETTINGS = """
            <settings>
              <mirrors>
                <mirror><id>built-with</id><mirrorOf>*</mirrorOf><url>%s</url></mirror>
              </mirrors>
            </settings>
            """;
    private static final String PROJECT = """
            <project xmlns="http://maven.apache.org/POM/4.0.0">
              <modelVersion>4.0.0</modelVersion>
              <groupId>org.example</groupId>
              <artifactId>%s</artifactId>
              <version>1</version>
              <packaging>%s</packaging>
              %s
            </project>
            """;

    @TempDir
    static Path folder;

    @BeforeAll
    static void resolve() throws IOException, InterruptedException {
        publishBom();
        Map<String, String> consumers = new LinkedHashMap<>();
        consumers.put("core", dependencies(dependency("promguard-core", VERSIONED, "compile")));
        consumers.put("do", dependencies(dependency("promguard-do", VERSIONED, "compile")));
        consumers.put("ssh", dependencies(dependency("promguard-ssh", VERSIONED, "compile")));
        consumers.put(
                "program",
                BOM
                        + dependencies(
                                dependency("promguard-do", "", "compile"), dependency("promguard-ssh", "", "compile")));
        consumers.put("tests", BOM + dependencies(dependency("promguard-examples", "", "test")));
        for (Map.Entry<String, String> consumer : consumers.entrySet()) {
            Files.createDirectories(folder.resolve(consumer.getKey()));
            Files.writeString(
                    folder.resolve(consumer.getKey()).resolve("pom.xml"),
                    PROJECT.formatted(consumer.getKey(), "jar", consumer.getValue()));
        }
        String modules = consumers.keySet().stream()
                .map(name -> "<module>" + name + "</module>")
                .collect(Collectors.joining("", "<modules>", "</modules>"));
        Files.writeString(folder.resolve("pom.xml"), PROJECT.formatted("consumers", "pom", modules));
        Files.writeString(
                folder.resolve("settings.xml"),
                SETTINGS.formatted(
                        Path.of(System.getProperty("promguard.repository")).toUri()));
        Process maven = new ProcessBuilder(
                        Path.of(System.getProperty("maven.home"), "bin", "mvn").toString(),
                        "-B",
                        "-ntp",
                        "-q",
                        "-s",
                        folder.resolve("settings.xml").toString(),
                        "-Dmaven.repo.local=" + REPOSITORY.toAbsolutePath(),
                        "-DincludeTestScope=true",
                        "-DincludeBomSerialNumber=false",
                        BILL)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
        boolean ended = maven.waitFor(6, TimeUnit.MINUTES);
        maven.destroyForcibly();
        String log = Files.readString(folder.resolve("log"), StandardCharsets.UTF_8);
        assertThat(ended).as(log).isTrue();
        assertThat(maven.exitValue()).as(log).isZero();
    }

    /** The invoker plugin publishes what a module depends on, and nothing depends on a BOM. */
    private static void publishBom() throws IOException {
        Path published = published("promguard-bom", ".pom");
        Files.createDirectories(published.getParent());
        Files.copy(
                Path.of("..", "promguard-bom", "target", "published-pom.xml"),
                published,
                StandardCopyOption.REPLACE_EXISTING);
    }

    private static String dependency(String module, String version, String scope) {
        return """
                <dependency>
                  <groupId>dev.promguard</groupId><artifactId>%s</artifactId>%s<scope>%s</scope>
                </dependency>
                """.formatted(module, version, scope);
    }

    private static String dependencies(String... all) {
        return "<dependencies>" + String.join("", all) + "</dependencies>";
    }

    @ParameterizedTest
    @ValueSource(strings = {"core", "do", "ssh"})
    void tree_ofAModule_isTheOneTheModuleWasTestedWith(String module) throws IOException {
        assertThat(artifacts(consumer(module))).isEqualTo(testedWith(module));
    }

    @Test
    void tree_ofAProgram_isTheOneTheModulesWereTestedWith() throws IOException {
        assertThat(artifacts(consumer("program"))).isEqualTo(testedWith("do", "ssh"));
    }

    @Test
    void tree_ofTestsOnTheLocalCloud_hasNothingMoreThanTheModules() throws IOException {
        Set<String> expected = testedWith("do", "ssh");
        expected.add(artifact("promguard-examples"));

        assertThat(artifacts(consumer("tests"))).isEqualTo(expected);
    }

    /**
     * A program that is a module itself. The modules here have names of their own and no descriptors, so the descriptors of libraries that
     * have one are asked for with a flag. Jinjava has not even a name, so no descriptor here could require it.
     */
    @Test
    void program_onTheModulePath_plansAndFindsProviderAndApplier() throws IOException, InterruptedException {
        Path source = folder.resolve(Path.of("modular", "org.example.monitoring"));
        Path classes = folder.resolve(Path.of("modular-classes"));
        Files.createDirectories(source);
        Files.writeString(source.resolve("module-info.java"), """
                module org.example.monitoring {
                    requires dev.promguard;
                    requires dev.promguard.digitalocean;
                    requires dev.promguard.ssh;
                }
                """);
        Files.writeString(source.resolve("Main.java"), """
                package org.example;
                import dev.promguard.*;
                import dev.promguard.digitalocean.DigitalOcean;
                import dev.promguard.keys.Secret;
                import dev.promguard.ssh.*;
                import java.net.URI;
                import java.nio.file.Path;
                public class Main {
                    public static void main(String[] args) {
                        System.out.println(Main.class.getModule() + " uses " + Mesh.class.getModule());
                        SshApplier.builder().build();
                        MeshBuilder mesh = Mesh.builder().monitor("tor1").nodes(1).state(Path.of(args[0]));
                        System.out.println(mesh.build().writePreview(Path.of(args[0], "preview")).size() + " files");
                        try {
                            mesh.provider(DigitalOcean.builder()
                                            .endpoint(URI.create("http://127.0.0.1:1/"))
                                            .token(Secret.of("dop_v1_x"))
                                            .build())
                                    .plan();
                        } catch (PromGuardException e) {
                            System.out.println(e.id());
                        }
                        try {
                            ExistingHosts.builder().host("mon", "root@127.0.0.1").identity(Path.of("no such key")).build();
                        } catch (PromGuardException e) {
                            System.out.println(e.id());
                        }
                    }
                }
                """);
        String modules = jars(consumer("program"));
        ModuleReference jinjava =
                ModuleFinder.of(jar(modules, "jinjava")).findAll().iterator().next();
        assertThat(jinjava.descriptor().isAutomatic())
                .as("if Jinjava has a descriptor now, write ours")
                .isTrue();

        run(
                "javac",
                "-d",
                classes.toString(),
                "--module-path",
                modules,
                source.resolve("module-info.java").toString(),
                source.resolve("Main.java").toString());
        String printed = run(
                "java",
                "--module-path",
                modules + java.io.File.pathSeparator + classes,
                "--add-modules",
                "ALL-MODULE-PATH",
                "--module",
                "org.example.monitoring/org.example.Main",
                folder.resolve("modular-state").toString());

        assertThat(printed)
                .contains("module org.example.monitoring uses module dev.promguard")
                .containsPattern("\\d+ files")
                .contains("PG-3001", "PG-1009");
    }

    private static String run(String program, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", program).toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(printed).isZero();
        return printed;
    }

    /** The jars of a consumer, as a path. */
    private static String jars(Path bill) throws IOException {
        return artifacts(bill).stream()
                .map(purl -> purl.replaceFirst("^pkg:maven/", "").replaceFirst("\\?.*$", ""))
                .map(name -> {
                    String[] parts = name.split("[/@]", 3);
                    return REPOSITORY
                            .toAbsolutePath()
                            .resolve(parts[0].replace('.', '/'))
                            .resolve(Path.of(parts[1], parts[2], parts[1] + '-' + parts[2] + ".jar"))
                            .toString();
                })
                .collect(Collectors.joining(java.io.File.pathSeparator));
    }

    private static Path jar(String path, String artifact) {
        return Stream.of(path.split(java.io.File.pathSeparator, -1))
                .map(Path::of)
                .filter(jar -> jar.getFileName().toString().startsWith(artifact + '-'))
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"core", "do", "ssh", "examples"})
    void jar_ofAModule_hasNothingAtItsRoot(String module) throws IOException {
        try (JarFile jar = new JarFile(published("promguard-" + module, ".jar").toFile())) {
            List<String> others = jar.stream()
                    .filter(entry -> !entry.isDirectory())
                    .map(JarEntry::getName)
                    .filter(name -> !name.startsWith("META-INF/") && !name.startsWith("dev/promguard/"))
                    .toList();

            assertThat(others).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"core", "do", "ssh", "examples"})
    void pom_ofAModule_needsNoParentAndNoProperties(String module) throws IOException {
        assertThat(Files.readString(published("promguard-" + module, ".pom")))
                .contains("<dependencies>")
                .doesNotContain("<parent>", "<dependencyManagement>", "${", "<scope>test</scope>");
    }

    /** Whoever imports it gets the versions of the modules and of nothing else. */
    @Test
    void pom_ofTheBom_managesTheModulesAlone() throws IOException {
        String pom = Files.readString(published("promguard-bom", ".pom")).replace("${project.version}", VERSION);

        assertThat(Pattern.compile(
                                "<dependency>\\s*<groupId>(.*?)</groupId>\\s*<artifactId>(.*?)</artifactId>\\s*<version>(.*?)<")
                        .matcher(pom)
                        .results()
                        .map(found -> found.group(1) + ':' + found.group(2) + ':' + found.group(3)))
                .containsExactlyInAnyOrder(
                        "dev.promguard:promguard-core:" + VERSION,
                        "dev.promguard:promguard-do:" + VERSION,
                        "dev.promguard:promguard-ssh:" + VERSION,
                        "dev.promguard:promguard-examples:" + VERSION);
        assertThat(pom).contains("<dependencyManagement>").doesNotContain("<parent>", "${");
    }

    private static Path published(String artifact, String suffix) {
        return REPOSITORY.resolve(Path.of("dev", "promguard", artifact, VERSION, artifact + "-" + VERSION + suffix));
    }

    private static Path consumer(String name) {
        return folder.resolve(Path.of(name, "target", "bom.json"));
    }

    /** What modules' own bills of materials hold, and the modules. */
    private static Set<String> testedWith(String... modules) throws IOException {
        Set<String> artifacts = new TreeSet<>();
        for (String module : modules) {
            Path bill = Path.of("..", "promguard-" + module, "target", "bom.json");
            assumeTrue(Files.exists(bill), "needs " + bill + ", which Maven does not make with --offline");
            artifacts.addAll(artifacts(bill));
            artifacts.add(artifact("promguard-" + module));
        }
        return artifacts;
    }

    private static String artifact(String module) {
        return "pkg:maven/dev.promguard/" + module + "@" + VERSION + "?type=jar";
    }

    /** What a bill names, without what a consumer gets only by asking for it. */
    private static Set<String> artifacts(Path bill) throws IOException {
        List<String> artifacts = new ArrayList<>();
        for (JsonNode component : JSON.readTree(bill.toFile()).path("components")) {
            if (!component.path("scope").asText().equals("optional")) {
                artifacts.add(component.path("purl").asText());
            }
        }
        assertThat(artifacts).as("%s", bill).isNotEmpty();
        return new TreeSet<>(artifacts);
    }
}
