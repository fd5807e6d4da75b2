package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.host.Change;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.ManagedFiles;
import dev.promguard.host.NewKeys;
import dev.promguard.host.SecretFile;
import dev.promguard.host.SecretFiles;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.spi.Probe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The shell files as a whole: what Java calls is there, what is there is called, and shellcheck finds nothing. */
class ShellFilesTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final Path FOLDER = Path.of("src/main/resources/dev/promguard/ssh/internal");
    private static final Pattern CALL = Pattern.compile("(?m)^(?:step '[^']*' '([a-z_]+)'.*|([a-z_]+)(?: '.*)?)$");

    @TempDir
    Path folder;

    private static List<Change> changes() {
        List<Change> changes = new ArrayList<>(ScriptTest.everyKind());
        changes.add(new SecretFiles.Write(new SecretFile(
                "/etc/prometheus/secrets/remote-write-1", "prometheus", Secret.of("not-a-real-password"))));
        return changes;
    }

    /** Every script that a host can get, with every change and every query in it. */
    private static List<String> scripts() {
        FactsQuery query = Queries.node(Map.of("/etc/wireguard/wg0.conf", "0".repeat(64)));
        List<Probe> probes = List.of(new Probe("10.0.0.2", 9100), new Probe("10.0.0.2", 9100, Optional.of("/metrics")));
        try (Script facts = FactsScript.of(
                        NONCE,
                        query,
                        Duration.ofMinutes(1),
                        true,
                        Optional.of(new HostKeyFingerprint("SHA256:" + "A".repeat(43))));
                Script changes = ChangeScript.of(NONCE, changes(), ScriptTest.everyKey(), Duration.ofMinutes(2), true);
                Script confirm = Script.begin(NONCE).call("confirm").end();
                Script rollBack = Script.begin(NONCE).call("begin_rollback").end();
                Script scan = new HostKeyScan(probes.get(0), Duration.ofSeconds(1)).script(NONCE);
                Script probe = new ProbeScript(probes, Duration.ofSeconds(1)).script(NONCE)) {
            return List.of(
                    facts.text(),
                    changes.text(),
                    confirm.text(),
                    rollBack.text(),
                    scan.text(),
                    probe.text(),
                    Script.rollback());
        }
    }

    /** The calls at the end of a script: what Java wrote after the functions. */
    private static String calls(String script) {
        return script.substring(script.lastIndexOf("\n}\n", script.length() - "\n}\nmain; exit $?\n".length() - 1))
                .replaceAll("(?s) <<'END-OF-DATA'\n.*?\nEND-OF-DATA", "");
    }

    /** What only gets another name inside PromGuard's own folder, and keys that many peers have, all on disk before. */
    private static final Set<String> RENAMED = Set.of(
            "mv -T \"$target\" \"$TMP/replaced\"",
            "mv -T \"$STATE/rollback\" \"$STATE/confirmed.$$\"",
            "mv -T \"$STATE/rollback\" \"$saved\"",
            "mv -T \"$STATE/taken-off\" \"$STATE/before\"",
            "mv -T \"$MANIFEST\" \"$STATE/taken-off\"",
            "sync \"$TMP\"/* && mv -f \"$TMP\"/* \"$folder/\"");

    /** A new name may be on disk before what the file holds; after a power cut it would be there, and empty. */
    @Test
    void functions_thatPutFilesInPlace_doSoInTheOneWayThatHasThemOnDiskBefore() throws Exception {
        Set<String> renames = new TreeSet<>();
        for (String file : ShellLibrary.FILES) {
            for (String line : Files.readAllLines(FOLDER.resolve(file))) {
                assertThat(line)
                        .as("%s: writes a file that may be cut short", file)
                        .doesNotContain("sed -i");
                if (line.contains("mv -")) {
                    renames.add(
                            RENAMED.stream().filter(line::contains).findFirst().orElse(file + ": " + line.strip()));
                }
            }
        }

        Set<String> expected = new TreeSet<>(RENAMED);
        expected.add("steps.sh: fi && mv -fT \"$1\" \"$2\"");
        assertThat(renames).isEqualTo(expected);
        assertThat(Files.readString(FOLDER.resolve("steps.sh"))).contains("""
                put_in_place() {
                    if [ -f "$1" ] && [ ! -L "$1" ]; then
                        sync "$1"
                    else
                        durable "$1"
                    fi && mv -fT "$1" "$2"
                }
                """);
    }

    @Test
    void calls_ofEveryScript_areFunctionsThatAreThere() {
        Set<String> names = ShellLibrary.ALL.names();
        List<String> called = new ArrayList<>();
        for (String script : scripts()) {
            Matcher call = CALL.matcher(calls(script));
            while (call.find()) {
                called.add(call.group(1) == null ? call.group(2) : call.group(1));
            }
        }

        assertThat(called).hasSizeGreaterThan(40).contains("facts_wireguard", "apply_file", "undo_files", "roll_back");
        assertThat(names).containsAll(called);
    }

    @Test
    void functions_everyOne_isPartOfAScript() {
        Set<String> used = new TreeSet<>();
        scripts()
                .forEach(script -> ShellLibrary.ALL.names().stream()
                        .filter(name -> script.contains("\n" + name + "() {\n"))
                        .forEach(used::add));

        assertThat(new TreeSet<>(ShellLibrary.ALL.names()))
                .as("and those of the prelude, which every script has")
                .isEqualTo(used);
    }

    @Test
    void script_ofOneChange_holdsNoFunctionsThatItDoesNotNeed() {
        try (Script script = ChangeScript.of(
                NONCE,
                List.of(new ManagedFiles.Remove("/etc/promguard/x/y.yml")),
                NewKeys.NONE,
                Duration.ofMinutes(2))) {
            assertThat(script.text())
                    .contains("undo_file() {", "forget_written() {", "step() {")
                    .doesNotContain("facts_", "wg ", "ufw ", "apt-get", "ssh-keygen");
            assertThat(script.length()).isLessThan(8 * 1024);
        }
    }

    @Test
    void files_allOfThem_areInTheListAndDescribedByTheProtocol() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            assertThat(files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".sh")))
                    .containsExactlyInAnyOrderElementsOf(
                            Stream.concat(Stream.of("prelude.sh"), ShellLibrary.FILES.stream())
                                    .toList());
        }
        String protocol = Files.readString(FOLDER.resolve("PROTOCOL.md"));
        Pattern said = Pattern.compile("\\bsay (?:-- )?\"?([a-z][a-z-]*)|\\$\\{?N\\}?\\$\\{?TAB\\}?([a-z-]+)");
        for (String file : ShellLibrary.FILES) {
            Matcher line = said.matcher(Files.readString(FOLDER.resolve(file)));
            while (line.find()) {
                String kind = line.group(1) == null ? line.group(2) : line.group(1);
                assertThat(protocol).as(file + " says " + kind).contains('`' + kind);
            }
        }
    }

    /** The words that PromGuard once had of its own for what has a name. The file of pending restarts goes by one on hosts. */
    @Test
    void files_everyOne_useTheTermsOfTheField() throws IOException {
        Pattern retired = Pattern.compile(
                "(?<![\\p{L}\\d])(fence[sd]?|doors?|knock(s|ed|ing)?|kept|owe[sd]?|ledgers?|look(s|ed|ing)?|wish(es|ed)?|marks?"
                        + "|marked|throwaway|left)(?![\\p{L}\\d])",
                Pattern.CASE_INSENSITIVE);
        List<String> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(FOLDER)) {
            for (Path file : files.sorted().toList()) {
                String text = Files.readString(file)
                        .replace("PENDING=$STATE/owed\n", "")
                        .replace("`owed` (a file of pending restarts)", "")
                        .replace("'# Kept by PromGuard for mesh '", "");
                retired.matcher(text).results().forEach(word -> found.add(file.getFileName() + ": " + word.group()));
            }
        }

        assertThat(found).isEmpty();
    }

    private int run(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"sh", "dash"})
    void scripts_everyOne_isValidForTheShell(String shell) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/" + shell)), "needs " + shell);
        for (String script : scripts()) {
            Path file = Files.writeString(folder.resolve("script"), script, UTF_8);
            assertThat(run(List.of(shell, "-n", file.toString()))).as(script).isZero();
        }
    }

    @Test
    void files_everyOne_passesShellcheck() throws Exception {
        assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/shellcheck")),
                "needs shellcheck, of the Debian package of that name; .ci/run installs it");
        List<String> command = new ArrayList<>(List.of("shellcheck", "-s", "sh"));
        Stream.concat(Stream.of("prelude.sh"), ShellLibrary.FILES.stream())
                .forEach(file -> command.add(FOLDER.resolve(file).toString()));

        assertThat(run(command)).isZero();
    }
}
