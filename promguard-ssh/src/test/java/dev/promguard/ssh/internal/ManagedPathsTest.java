package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.host.HostFacts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a host says that PromGuard put there, and so may remove: exactly what it wrote, whatever lies beside it. */
class ManagedPathsTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final String HEADER = "# Kept by PromGuard for mesh shop: by hand\n";

    @TempDir
    Path folder;

    private Path host;

    @BeforeEach
    void makeHost() throws Exception {
        assumeTrue(System.getProperty("user.name").equals("root"), "needs root, to give files away");
        host = Files.createDirectories(folder.resolve("host"));
    }

    private String run(Script script) throws Exception {
        String text = script.end()
                .text()
                .replace("/etc/", host + "/etc/")
                .replace("/var/lib/promguard", host + "/var/lib/promguard")
                .replace("/opt/promguard", host + "/opt/promguard");
        Path file = Files.writeString(folder.resolve("script"), text, UTF_8);
        Path output = folder.resolve("output");
        Process shell = new ProcessBuilder("sh", "-s")
                .redirectInput(file.toFile())
                .redirectOutput(output.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(shell.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(shell.exitValue()).isZero();
        return Files.readString(output).replace(NONCE + "\t", "").replace(host.toString(), "");
    }

    private void write(String... paths) throws Exception {
        try (Script script = Script.begin(NONCE)) {
            script.shell("systemctl() { :; }");
            int number = 0;
            for (String path : paths) {
                script.feed(
                        (HEADER + "x: 1\n").getBytes(UTF_8),
                        "step",
                        List.of(Integer.toString(number++), "apply_file", path, "0640", "root"));
            }
            String said = run(script);
            assertThat(said).endsWith("end\n");
        }
    }

    /** The paths that the host names, as the parser takes them. */
    private List<String> managed() throws Exception {
        String said;
        try (Script script = Script.begin(NONCE)) {
            said = run(script.shell("facts_managed"));
        }
        FactsParser parser = new FactsParser(Queries.node());
        for (String line :
                Files.readAllLines(Path.of("src/test/resources/dev/promguard/ssh/internal/facts/fresh.input"), UTF_8)) {
            if (!line.equals("end")) {
                parser.line(line);
            }
        }
        for (String line : said.split("\n", -1)) {
            if (!line.isEmpty()) {
                parser.line(line);
            }
        }
        HostFacts facts = parser.facts();
        return facts.kept().stream().sorted().toList();
    }

    private void put(String path) throws Exception {
        Path file = host.resolve(path.substring(1));
        Files.createDirectories(file.getParent());
        Files.writeString(file, HEADER + "x: 1\n");
    }

    @Test
    void managed_filesWritten_areThoseAndNoOther() throws Exception {
        write(
                "/etc/systemd/system/node_exporter.service",
                "/etc/prometheus/prometheus.yml",
                "/etc/prometheus/targets/db.yml",
                "/etc/promguard/blackbox_exporter/blackbox.yml",
                "/etc/wireguard/wg0.conf");

        assertThat(managed())
                .containsExactly(
                        "/etc/prometheus/prometheus.yml",
                        "/etc/prometheus/targets/db.yml",
                        "/etc/promguard/blackbox_exporter/blackbox.yml",
                        "/etc/systemd/system/node_exporter.service");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/etc/promguard/blackbox_exporter/blackbox.yml~",
                "/etc/promguard/blackbox_exporter/blackbox.yml.bak",
                "/etc/promguard/blackbox_exporter/.blackbox.yml.swp",
                "/etc/promguard/blackbox_exporter/a b\tc",
                "/etc/promguard/mine/notes",
                "/etc/prometheus/prometheus.old.yml",
                "/etc/prometheus/targets/copy of db.yml",
                "/etc/systemd/system/node_exporter.old.service",
                "/etc/systemd/system/a\\x2db.service",
                "/opt/promguard/copy of tool/.promguard",
                "/opt/promguard/tool-0.9/.promguard"
            })
    void managed_strayFileBesideThem_isNotNamedAndHindersNothing(String stray) throws Exception {
        write("/etc/prometheus/prometheus.yml", "/etc/promguard/blackbox_exporter/blackbox.yml");
        put(stray);

        assertThat(managed())
                .containsExactly("/etc/prometheus/prometheus.yml", "/etc/promguard/blackbox_exporter/blackbox.yml");
    }

    @Test
    void managed_writtenAgainAndRemoved_areNamedOnceAndNotAnyMore() throws Exception {
        write("/etc/prometheus/prometheus.yml", "/etc/prometheus/rules.yml");
        write("/etc/prometheus/prometheus.yml");
        try (Script script = Script.begin(NONCE)) {
            run(script.call("step", "0", "undo_file", "/etc/prometheus/rules.yml"));
        }
        // Somebody puts a file of their own where one of PromGuard's was.
        put("/etc/prometheus/rules.yml");

        assertThat(managed()).containsExactly("/etc/prometheus/prometheus.yml");
    }

    @Test
    void managed_recordThatSomebodyAltered_namesNothingThatPromGuardNeverWrites() throws Exception {
        write("/etc/prometheus/prometheus.yml");
        Path record = host.resolve("var/lib/promguard/written");
        Files.writeString(
                record,
                Files.readString(record)
                        + "/etc/passwd\n\n/etc/prometheus/../passwd\nnonsense \t\n/etc/promguard/x/b~\n");
        put("/etc/passwd");
        put("/etc/promguard/x/b~");

        assertThat(managed()).containsExactly("/etc/prometheus/prometheus.yml");
    }
}
