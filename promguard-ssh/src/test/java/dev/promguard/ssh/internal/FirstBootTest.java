package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a host says of its first boot, from the files that cloud-init and its generator leave. */
@Timeout(60)
class FirstBootTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";

    @TempDir
    Path folder;

    @BeforeEach
    void install() throws Exception {
        Files.createDirectory(folder.resolve("bin"));
        Files.createDirectories(folder.resolve("run/cloud-init"));
        Files.createDirectories(folder.resolve("etc/cloud"));
        program("cloud-init", "exit 0");
        program("systemctl", "");
    }

    private void program(String name, String code) throws Exception {
        Path file = Files.writeString(folder.resolve("bin/" + name), "#!/bin/sh\n" + code + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private void result(String errors) throws Exception {
        Files.writeString(
                folder.resolve("run/cloud-init/result.json"),
                "{\n \"v1\": {\n  \"datasource\": \"DataSourceNoCloud\",\n  \"errors\": " + errors + "\n }\n}\n");
    }

    private String run(String call) throws Exception {
        byte[] text;
        try (Script script = Script.begin(NONCE)) {
            script.shell("PATH=" + Script.quote(folder.resolve("bin").toString()) + ":$PATH");
            text = script.shell(call)
                    .end()
                    .text()
                    .replace("/run/cloud-init", folder + "/run/cloud-init")
                    .replace("/etc/cloud", folder + "/etc/cloud")
                    .getBytes(UTF_8);
        }
        Process process =
                new ProcessBuilder("sh", "-s").redirectErrorStream(true).start();
        try (var in = process.getOutputStream()) {
            in.write(text);
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return out.replace(NONCE + "\t", "").replace('\t', ' ').strip().replaceFirst("\n?end$", "");
    }

    private String fact() throws Exception {
        return run("facts_first_boot");
    }

    @Test
    void facts_bootIsDone_saysNothing() throws Exception {
        result("[]");

        assertThat(fact()).isEmpty();
    }

    @Test
    void facts_cloudInitIsNotThere_saysNothing() throws Exception {
        Files.delete(folder.resolve("bin/cloud-init"));

        assertThat(run("command() { [ \"$2\" != cloud-init ]; }; facts_first_boot"))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"etc/cloud/cloud-init.disabled", "run/cloud-init/disabled"})
    void facts_cloudInitIsDisabled_saysNothing(String file) throws Exception {
        Files.createFile(folder.resolve(file));

        assertThat(fact()).isEmpty();
    }

    @Test
    void facts_maskedOnARunningServer_saysAtOnceThatItDidNotRun() throws Exception {
        assertThat(fact()).isEqualTo("fact first-boot not-run");
    }

    @Test
    void facts_jobsOfItWait_saysThatItRuns() throws Exception {
        program("systemctl", "[ \"$1\" = list-jobs ] && echo '112 cloud-final.service start waiting'");

        assertThat(fact()).isEqualTo("fact first-boot running");
    }

    @Test
    void facts_aModuleFailed_saysWhichInOneLine() throws Exception {
        result("[\n   \"('scripts_user',\tRuntimeError('\u001b[31mé'))\"\n  ]");

        assertThat(fact())
                .startsWith("fact first-boot failed errors: ")
                .contains("('scripts_user', RuntimeError(")
                .doesNotContain("\u001b", "é")
                .doesNotContain("\n");
    }

    @Test
    void firstBoot_aModuleFailedOnAHostThatPromGuardCreated_isStillAnError() throws Exception {
        result("[\n   \"('scripts_user', RuntimeError())\"\n  ]");

        assertThat(run("first_boot 5")).startsWith("boot error errors: ").contains("scripts_user");
    }

    @Test
    void firstBoot_modulesAreDone_isOver() throws Exception {
        result("[]");

        assertThat(run("first_boot 5 && say over")).isEqualTo("over");
    }

    @Test
    void script_noTimeForTheFirstBoot_neitherWaitsForItNorMindsIt() {
        try (Script now = FactsScript.of(NONCE, Queries.node(), Duration.ZERO, false, Optional.empty());
                Script waiting =
                        FactsScript.of(NONCE, Queries.node(), Duration.ofMinutes(6), false, Optional.empty())) {
            assertThat(now.text()).doesNotContain("first_boot 1", "say boot").contains("facts_first_boot");
            assertThat(waiting.text()).contains("first_boot 360 ||");
        }
    }
}
