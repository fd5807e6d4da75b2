package dev.promguard.blueprint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.Exporters;
import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Exporter.ConfigFile;
import dev.promguard.blueprint.Exporter.FromPackage;
import dev.promguard.blueprint.Exporter.FromRelease;
import dev.promguard.blueprint.Exporter.Probe;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExporterTest {
    private static final Exporter BLACKBOX = Exporters.blackbox();

    private static void assertRefused(String field, String value, ThrowingCallable call) {
        assertThatThrownBy(call)
                .as("%s %s", field, value)
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining(field + ' ' + Names.quote(value) + " is ")
                .hasMessageContaining(": use ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "ssh",
                "root",
                "exporter",
                "_exporter",
                "Blackbox_exporter",
                "black-box_exporter",
                "a b_exporter",
                "../a_exporter",
                "a\n_exporter",
                "a2345678901234567890123_exporter",
                "node_exporter"
            })
    void withName_nameThatCouldBeAnothersOrNone_isRefused(String name) {
        assertRefused("exporter name", name, () -> BLACKBOX.withName(name));
    }

    @Test
    void withName_longestName_isAUserThatDebianTakes() {
        Exporter longest = BLACKBOX.withName("a234567890123456789012_exporter");

        assertThat(longest.name()).hasSize(31);
        assertThat(longest.unit()).isEqualTo(longest.name() + ".service");
        assertThat(longest.folder()).isEqualTo("/etc/promguard/" + longest.name());
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 22, 65536})
    void withPort_noPortOrSshs_isRefused(int port) {
        assertThatThrownBy(() -> BLACKBOX.withPort(port))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessage("exporter port " + port
                        + " is not a valid port: use 1 to 65535, but not SSH's port 22 [PG-1007]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "A", "-a", "a b", "a.b", "a/b", "a\n", "../a"})
    void withJob_malformed_isRefused(String job) {
        assertRefused("exporter job", job, () -> BLACKBOX.withJob(job));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "metrics", "/a b", "/a?b", "/a\n", "/a\"", "/%41"})
    void withMetricsPath_malformed_isRefused(String path) {
        assertRefused("exporter metricsPath", path, () -> BLACKBOX.withMetricsPath(path));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\nb", "a\rb", "a\u0000", "a\u2028", "\u001b[2J", "a\tb", "\ud800"})
    void addArguments_unprintable_isRefused(String argument) {
        assertRefused("exporter argument", argument, () -> BLACKBOX.addArguments(argument));
        assertRefused("exporter argument", argument, () -> BLACKBOX.withListen("{listen}", argument));
    }

    @Test
    void addArguments_anotherListenAddress_isRefused() {
        assertRefused(
                "exporter argument",
                "--web.listen-address=:9116",
                () -> BLACKBOX.addArguments("--web.listen-address=:9116"));
    }

    @Test
    void withListen_withoutTheAddress_isRefusedForItWouldListenEverywhere() {
        assertThatThrownBy(() -> BLACKBOX.withListen("--port={port}"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("exporter listen arguments \"--port={port}\"")
                .hasMessageContaining("every address");
        assertThat(BLACKBOX.withListen("-a", "{address}", "-p", "{port}").listen())
                .containsExactly("-a", "{address}", "-p", "{port}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "A-b", "-rf", "a b", "a;id", "a/b", "a\n"})
    void fromPackage_malformedPackage_isRefused(String name) {
        assertRefused("exporter package", name, () -> Exporter.fromPackage("a_exporter", name, "/usr/bin/a", 9000));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "a", "/", "/usr/bin/../x", "/usr/bin/a b", "/usr/bin/a\n", "/usr/bin/%i", "/usr/bin/-$x"})
    void fromPackage_malformedPath_isRefused(String path) {
        assertRefused("exporter path", path, () -> Exporter.fromPackage("a_exporter", "ab", path, 9000));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "a.mount", "-a.service", "a b.service", "../a.service"})
    void fromPackage_malformedUnit_isRefused(String unit) {
        assertRefused("exporter unit", unit, () -> new FromPackage("ab", "/usr/bin/a", List.of(unit)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "A", "../a", "a b", "-a", "a/b", "a\n", "a.b"})
    void fromRelease_malformedProgram_isRefused(String program) {
        assertRefused("exporter program", program, () -> new FromRelease(Release.blackboxExporter(), program));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a/b", ".hidden", "-a", "a b", "a\n"})
    void configFile_malformedName_isRefused(String name) {
        assertRefused("exporter configuration file", name, () -> new ConfigFile(name, "", List.of()));
    }

    @Test
    void configFile_text_isKeptAsItIsButForTheLastLineEnd() {
        String text = "a: \"$HOME {{ x }}\"\n\tb: 'ü'";

        assertThat(new ConfigFile("a", text, List.of()).content()).isEqualTo(text + '\n');
        assertThat(new ConfigFile("a", text + '\n', List.of()).content()).isEqualTo(text + '\n');
        for (String bad : List.of("a\u0000", "a\r\n", "\u001b[2J", "\ud800")) {
            assertRefused("exporter configuration", bad, () -> new ConfigFile("a", bad, List.of()));
        }
        assertThatThrownBy(() -> new ConfigFile("big.yml", "x".repeat(256 * 1024 + 1), List.of()))
                .hasMessage("exporter configuration \"big.yml\" is too large: use at most 256 KiB [PG-1007]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://example.org",
                "http://example.org:8080/a/b?c=d&e=%20#f",
                "https://[2001:db8::7]:8443/",
                "example.org",
                "example.org:5432",
                "192.0.2.7",
                "[2001:db8::7]:53",
                "2001:db8::7"
            })
    void addProbe_targetOfAnyForm_isTaken(String target) {
        assertThat(BLACKBOX.addProbe(target, "m").probes()).containsExactly(new Probe(target, "m"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "a b",
                "ftp://example.org",
                "file:///etc/passwd",
                "https://",
                "https:///path",
                "https://user:password@example.org",
                "https://example.org/a b",
                "https://example.org/\n",
                "https://example.org/\u00e9",
                "a\nb",
                "a;id",
                "$(id)"
            })
    void addProbe_targetOfNoForm_isRefused(String target) {
        assertRefused("probe target", target, () -> BLACKBOX.addProbe(target, "m"));
    }

    @Test
    void addProbe_malformedModuleOrTwice_isRefused() {
        assertRefused("probe module", "a b", () -> BLACKBOX.addProbe("a", "a b"));
        assertThatThrownBy(() -> BLACKBOX.addProbe("a", "m").addProbe("a", "m"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("give each probe once");
        assertThat(BLACKBOX.addProbe("a", "m").addProbe("a", "n").probes()).hasSize(2);
    }

    @Test
    void with_anything_leavesTheOriginalAsItWas() {
        Exporter before = Exporters.blackbox();
        Exporter changed = before.withName("b_exporter")
                .withPort(9116)
                .withJob("b")
                .withMetricsPath("/m")
                .withListen("{listen}")
                .addArguments("--x")
                .addConfigFile(new ConfigFile("blackbox.yml", "modules: {}", List.of()))
                .addCapability(Capability.NET_RAW)
                .addCapability(Capability.SYS_PTRACE)
                .addProbe("a", "m");

        assertThat(before).isEqualTo(Exporters.blackbox());
        assertThat(changed.exposure()).isEqualTo(new Exposure("b", 9116, "/m"));
        assertThat(changed.arguments()).containsExactly("--config.file={folder}/blackbox.yml", "--x");
        assertThat(changed.configFiles()).containsExactly(new ConfigFile("blackbox.yml", "modules: {}\n", List.of()));
        assertThat(changed.capabilities()).containsExactly(Capability.NET_RAW, Capability.SYS_PTRACE);
        assertThat(changed.probeJob()).isEqualTo("b-probe");
    }

    @Test
    void fromRelease_programOfAnotherName_isTakenFromTheTarball() {
        Release release = new Release(
                "process-exporter",
                "0.8.7",
                URI.create("https://example.org/"),
                Map.of(Architecture.AMD64, "0".repeat(64)));

        Exporter exporter = Exporter.fromRelease("process_exporter", release, "process-exporter", 9256);

        assertThat(exporter.job()).isEqualTo("process");
        assertThat(exporter.describe()).isEqualTo("process_exporter (process-exporter 0.8.7)");
        assertRefused("exporter name", "process-exporter", () -> Exporter.fromRelease(release, 9256));
    }
}
