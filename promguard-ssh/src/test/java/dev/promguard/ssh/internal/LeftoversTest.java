package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a host says of the files and units that a run could not remove, and how they go; systemctl is a stand-in. */
@Timeout(60)
class LeftoversTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final Path FOLDER = Path.of("src/main/resources").resolve("dev/promguard/ssh/internal");

    @TempDir
    Path folder;

    @BeforeEach
    void needsFlock() {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/flock")), "needs flock, of util-linux");
    }

    private Path create(String path) throws IOException {
        Path file = folder.resolve(path.substring(1));
        Files.createDirectories(file.getParent());
        return Files.createFile(file);
    }

    /** Runs shell over folders of their own. A systemctl that says these states of the four units, in their order. */
    private String run(String states, String shell) throws Exception {
        String text;
        try (Script script = Script.begin(NONCE)) {
            text = script.shell(
                            "systemctl() { printf 'systemctl %s\\n' \"$*\" >>FOLDER/log; case $1 in is-active) printf '"
                                    + states.replace(" ", "\\n") + "\\n' ;; stop) stopped=yes ;; esac; }\n" + shell)
                    .end()
                    .text();
        }
        text = text.replaceAll("(?<![A-Za-z0-9_}/\"])/(etc|opt|root|run|var|usr/local)/", "FOLDER/$1/")
                .replace("FOLDER", folder.toString());
        Files.createDirectories(folder.resolve("run"));
        Process process =
                new ProcessBuilder("sh", "-s").redirectErrorStream(true).start();
        try (var in = process.getOutputStream()) {
            in.write(text.getBytes(UTF_8));
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return out.replace(NONCE + "\t", "")
                .replace('\t', ' ')
                .replace(folder.toString(), "")
                .replaceFirst("end\n$", "");
    }

    private static final String NONE = "inactive inactive inactive inactive";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/etc/prometheus/.promguard.aB3xYz.yml",
                "/etc/prometheus/.promguard.aB3xYz",
                "/etc/prometheus/rules/.promguard.aB3xYz.yml",
                "/etc/prometheus/targets/.promguard.aB3xYz.json",
                "/etc/prometheus/secrets/.promguard.aB3xYz",
                "/etc/promguard/elasticsearch/.promguard.aB3xYz.yml",
                "/etc/wireguard/.promguard.aB3xYz",
                "/etc/wireguard/wg0.keys/.promguard.aB3xYz",
                "/etc/ssh/.promguard.aB3xYz/key",
                "/etc/systemd/system/.promguard.aB3xYz",
                "/etc/systemd/network/.promguard.aB3xYz",
                "/etc/NetworkManager/conf.d/.promguard.aB3xYz",
                "/usr/local/lib/promguard/.promguard.aB3xYz",
                "/etc/default/.promguard.aB3xYz",
                "/etc/.promguard.aB3xYz/before",
                "/root/.ssh/.promguard.aB3xYz/after",
                "/opt/promguard/.new.aB3xYz/tarball",
                "/run/promguard.aB3xYz",
                "/var/lib/promguard/.new.aB3xYz/mesh",
                "/var/lib/promguard/confirmed.4711/units",
                "/var/lib/promguard/owed.new",
                "/var/lib/promguard/sedaB3xYz",
                "/var/lib/promguard/before/.new.aB3xYz/things",
                "/var/lib/promguard/before/sedaB3xYz",
                "/var/lib/promguard/rollback.sh",
                "/var/lib/promguard/rolled-back",
                "/var/lib/promguard/taken-off/mesh",
                "/etc/systemd/system/promguard-rollback-boot.service",
                "/etc/systemd/system/promguard-rollback-boot.timer",
                "/etc/systemd/system/timers.target.wants/promguard-rollback-boot.timer"
            })
    void facts_remainderOfAKilledRun_isNamedAndRemoved(String path) throws Exception {
        create(path);

        String said = run(NONE, "facts_leftovers");

        assertThat(said).matches("fact leftovers path (\\S+)\n");
        assertThat(path).startsWith(said.strip().substring("fact leftovers path ".length()));
        assertThat(run(NONE, "apply_leftovers; say code $?; facts_leftovers")).isEqualTo("code 0\n");
        assertThat(folder.resolve(path.substring(1))).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/etc/prometheus/prometheus.yml",
                "/etc/prometheus/promguard.yml",
                "/etc/ssh/ssh_host_ed25519_key",
                "/run/promguard.lock",
                "/var/lib/promguard/owed",
                "/var/lib/promguard/written",
                "/var/lib/promguard/before/things",
                "/etc/systemd/system/promguard-kill-switch.service",
                "/etc/.promguarded"
            })
    void apply_filesInPlace_stay(String path) throws Exception {
        create(path);

        assertThat(run(NONE, "facts_leftovers; apply_leftovers; say code $?")).isEqualTo("code 0\n");

        assertThat(folder.resolve(path.substring(1))).exists();
    }

    @ParameterizedTest
    @ValueSource(strings = {"rollback", "rolling-back"})
    void facts_rollbackThatIsArmedOrBegun_sayNothingOfItAndLeaveIt(String state) throws Exception {
        create("/var/lib/promguard/" + state + "/units");
        create("/var/lib/promguard/rollback.sh");
        create("/etc/systemd/system/promguard-rollback-boot.timer");

        assertThat(run("active inactive active inactive", "facts_leftovers; apply_leftovers; say code $?"))
                .isEqualTo("code 0\n");

        assertThat(folder.resolve("var/lib/promguard/rollback.sh")).exists();
        assertThat(folder.resolve("etc/systemd/system/promguard-rollback-boot.timer"))
                .exists();
        assertThat(folder.resolve("log")).doesNotExist();
    }

    @Test
    void facts_unitsThatWaitOrFailed_areNamedWithTheirStates() throws Exception {
        assertThat(run("active failed active failed", "facts_leftovers")).isEqualTo("""
                        fact leftovers unit promguard-rollback.timer active
                        fact leftovers unit promguard-rollback.service failed
                        fact leftovers unit promguard-rollback-boot.timer active
                        fact leftovers unit promguard-rollback-boot.service failed
                        """);
        assertThat(run("failed active inactive activating", "facts_leftovers"))
                .as("a service at work is not left")
                .isEqualTo("fact leftovers unit promguard-rollback.timer failed\n");
    }

    @Test
    void apply_units_areStoppedAndTheirFailuresForgotten() throws Exception {
        run(NONE, "apply_leftovers");

        String units = "promguard-rollback.timer promguard-rollback.service promguard-rollback-boot.timer"
                + " promguard-rollback-boot.service";
        assertThat(Files.readAllLines(folder.resolve("log")))
                .containsSubsequence("systemctl stop " + units, "systemctl reset-failed " + units);
    }

    @Test
    void apply_unitThatStays_failsAndNamesIt() throws Exception {
        assertThat(run("inactive failed inactive inactive", "apply_leftovers; say code $? \"$WHY\""))
                .isEqualTo("code 1 promguard-rollback.service failed could not be removed\n");
    }

    @Test
    void facts_runAtWork_sayNothing() throws Exception {
        create("/etc/prometheus/.promguard.aB3xYz");
        Files.createDirectories(folder.resolve("run"));
        Process run = new ProcessBuilder(
                        "flock", folder.resolve("run/promguard.lock").toString(), "sh", "-c", "echo begun; read -r end")
                .start();
        assertThat(run.getInputStream().read()).isEqualTo('b');

        assertThat(run(NONE, "facts_leftovers")).isEmpty();

        run.getOutputStream().close();
        assertThat(run.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(run(NONE, "facts_leftovers")).isNotEmpty();
    }

    @Test
    void facts_thousandsOfFiles_areCut() throws Exception {
        for (int i = 0; i < 1000; i++) {
            create("/etc/prometheus/.promguard." + i);
        }

        assertThat(run(NONE, "facts_leftovers").lines()).hasSize(90);
        run(NONE, "apply_leftovers");
        assertThat(run(NONE, "facts_leftovers")).isEmpty();
    }

    @Test
    void facts_namesThatARunNeverWrites_areNotSaid() throws Exception {
        create("/etc/prometheus/.promguard.a b");
        create("/etc/prometheus/.promguard.a\nfact");

        assertThat(run(NONE, "facts_leftovers")).isEmpty();
    }

    /** Each folder in which a shell file creates something under a temporary name is one that is searched. */
    @Test
    void temporaryNames_ofEveryShellFile_areSearchedFor() throws Exception {
        String searched = Files.readString(FOLDER.resolve("leftovers.sh"));
        Pattern temporary = Pattern.compile("mktemp (?:-d )?(?:--suffix=\"\\$suffix\" )?(\"[^\"]*\"|\\S+)\\)");
        List<String> names = new ArrayList<>();
        try (Stream<Path> files = Files.list(FOLDER)) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".sh")).toList()) {
                Matcher call = Pattern.compile("mktemp[^\\n]*").matcher(Files.readString(file));
                while (call.find()) {
                    Matcher name = temporary.matcher(call.group());
                    assertThat(name.find()).as(file + ": " + call.group()).isTrue();
                    names.add(name.group(1).replace("\"", "").replaceFirst("^.*/([^/]*)X{6}$", "$1"));
                }
            }
        }

        assertThat(names).hasSizeGreaterThan(9);
        assertThat(names).allSatisfy(name -> assertThat(searched).contains("/" + name));
    }
}
