package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.Support;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** The quickstart in a JVM of its own, as a user starts it. */
@Isolated("looks at what the whole machine is left with")
@Order(Integer.MAX_VALUE)
class QuickstartIT {
    @TempDir
    static Path temporary;

    /** A run that was ended, and what it had printed. */
    private record Run(int status, List<String> lines) {}

    @Test
    void run_afterAKilledOne_showsTheWholeJobAndLeavesNothing() throws Exception {
        Support support = LocalCloud.support();
        assumeTrue(support.okOnceInstalled(), () -> "the end-to-end tests are skipped: " + support);
        LocalCloud.installMissing(System.out::println);
        LocalCloud.cleanUp();
        List<String> before = traces();

        Run killed = run(line -> line.contains("looked at"));
        assertThat(traces()).as("a killed run leaves machines").isNotEqualTo(before);
        Run whole = run(line -> false);

        System.out.println(String.join("\n", whole.lines()));
        assertThat(killed.status()).isEqualTo(137);
        assertThat(whole.status()).isZero();
        assertThat(String.join("\n", whole.lines()))
                .as("the local cloud costs nothing")
                .doesNotContain("$");
        assertThat(whole.lines())
                .contains("mesh promguard-quickstart: 4 to create, 0 to change, 0 to remove")
                .contains("Everything is removed: machines, network, rules and state.");
        assertThat(String.join("\n", whole.lines()))
                .containsPattern(
                        "promguard-quickstart-node-3 +sgp1 +198\\.1[89]\\.[0-9.]+ +10\\.0\\.0\\.4 +[0-9]+ s ago +up")
                .containsPattern("Prometheus: http://127\\.0\\.0\\.1:[0-9]+/");
        assertThat(traces()).isEqualTo(before);
    }

    @Test
    void preview_anywhere_writesEveryFileAndThePicture() throws Exception {
        Run preview = run(line -> false, "--preview");

        assertThat(preview.status()).isZero();
        assertThat(String.join("\n", preview.lines())).contains("promguard-quickstart-monitor-1", "DIGITALOCEAN_TOKEN");
        Path folder = temporary.resolve("target").resolve("promguard-preview");
        assertThat(folder.resolve("mesh.svg")).content().startsWith("<svg");
        assertThat(folder.resolve("promguard-quickstart-node-1/etc/wireguard/wg0.conf"))
                .content()
                .contains("[Peer]");
    }

    @Test
    void run_withAnUnknownOption_saysWhichThereAre() throws Exception {
        Run run = run(line -> false, "--help-me");

        assertThat(run.status()).isEqualTo(2);
        assertThat(String.join("\n", run.lines())).contains("--preview", "--digitalocean", "--destroy");
    }

    /** Runs the quickstart, and kills it, with no chance to tidy up, when it prints a line of that kind. */
    private static Run run(Predicate<String> deadly, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Quickstart.class.getName()));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command)
                .directory(temporary.toFile())
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .start();
        List<String> lines = new ArrayList<>();
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line = reader.readLine();
            while (line != null) {
                lines.add(line);
                if (deadly.test(line)) {
                    process.destroyForcibly();
                    break;
                }
                line = reader.readLine();
            }
        } finally {
            assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        }
        return new Run(process.exitValue(), lines);
    }

    /** What a local cloud could leave on this machine: namespaces, links, firewall rules, mounts, machines, settings. */
    private static List<String> traces() throws IOException, InterruptedException {
        List<String> traces = new ArrayList<>();
        for (String look : List.of(
                "ip netns list",
                "ip -brief link | cut -d' ' -f1",
                "iptables -S; iptables -t nat -S",
                "cut -d' ' -f5 /proc/self/mountinfo",
                "pgrep -a systemd-nspawn",
                "cat /proc/sys/net/ipv4/ip_forward",
                "ls /run/netns /tmp | grep -E 'promguard|pg-'")) {
            Process process = new ProcessBuilder("sh", "-c", look)
                    .redirectErrorStream(true)
                    .start();
            String seen = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            process.waitFor();
            traces.add(look + ": " + seen);
        }
        return traces;
    }
}
