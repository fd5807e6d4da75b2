package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rollback's scripts, run by a shell over folders of their own, with stand-ins for what would change this machine. */
@Timeout(60)
class RollbackTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final String RUN = "fedcba9876543210fedcba9876543210";
    private static final String STAND_INS = """
            systemctl() { printf 'systemctl %s\\n' "$*" >>FOLDER/log; }
            ufw() { printf 'ufw %s\\n' "$*" >>FOLDER/log; }
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void folders() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/flock")), "needs flock, of util-linux");
        Files.createDirectories(folder.resolve("state/rollback/ufw"));
        Files.createDirectories(folder.resolve("state/rollback/wireguard"));
        Files.createDirectories(folder.resolve("state/rollback/ssh"));
        Files.createDirectories(folder.resolve("system"));
        Files.writeString(folder.resolve("state/rollback/interface"), "wg0\n");
        Files.writeString(folder.resolve("state/rollback/units"), "");
        Files.writeString(folder.resolve("state/rollback/run"), RUN + "\n");
    }

    private String here(String text) {
        return text.replace("/var/lib/promguard", "FOLDER/state")
                .replace("/run/promguard.lock", "FOLDER/lock")
                .replace("/etc/systemd/system", "FOLDER/system")
                .replace("/etc/ssh/", "FOLDER/ssh/")
                .replace("/etc/wireguard/", "FOLDER/wireguard/")
                .replace("FOLDER", folder.toString());
    }

    /** The rollback's script as the unit of a run starts it. */
    private String rollback(String run) {
        return here("set -- " + run + "\n" + STAND_INS + Script.rollback());
    }

    private String script(String shell) {
        try (Script script = Script.begin(NONCE)) {
            return here(script.shell(STAND_INS + shell).end().text());
        }
    }

    private String confirm() throws Exception {
        return run(script("confirm"));
    }

    private static String run(String text) throws Exception {
        return OwnNetwork.run(text).replace(NONCE + "\t", "");
    }

    /** A run that is at work: it holds the lock until it is told to end. */
    private Process run() throws Exception {
        Process run = new ProcessBuilder(
                        "flock", folder.resolve("lock").toString(), "sh", "-c", "echo begun; read -r end")
                .start();
        assertThat(run.getInputStream().read()).isEqualTo('b');
        return run;
    }

    private static void end(Process run) throws Exception {
        run.getOutputStream().close();
        assertThat(run.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }

    private List<String> log() throws Exception {
        return Files.readAllLines(folder.resolve("log"));
    }

    @Test
    void confirm_nobodyAtWork_disarmsOnceAndSaysThatNothingIsArmedFromThenOn() throws Exception {
        assertThat(confirm()).isEqualTo("confirm\tdisarmed\nend\n");
        assertThat(folder.resolve("state")).doesNotExist();
        assertThat(confirm()).isEqualTo("confirm\tnone\nend\n");
    }

    @Test
    void facts_changesNotConfirmed_sayThatTheyArePendingAndLeaveThem() throws Exception {
        assertThat(run(script("facts_rollback"))).isEqualTo("rollback-pending\nend\n");
        assertThat(folder.resolve("state/rollback")).isDirectory();
        assertThat(confirm()).isEqualTo("confirm\tdisarmed\nend\n");

        assertThat(run(script("facts_rollback"))).isEqualTo("end\n");
    }

    @Test
    void facts_runAtWork_waitForItAndFail() throws Exception {
        Process other = run();
        Process ending = new ProcessBuilder("sh", "-c", "sleep 0.5; kill " + other.pid()).start();

        assertThat(run(script("facts_rollback; say code $?"))).isEqualTo("code\t2\nend\n");

        assertThat(ending.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void confirm_runAtWork_waitsForItAndLeavesTheRollbackArmed() throws Exception {
        Process other = run();
        Process ending = new ProcessBuilder("sh", "-c", "sleep 0.5; kill " + other.pid()).start();

        assertThat(confirm()).isEqualTo("confirm\tbusy\nend\n");

        assertThat(folder.resolve("state/rollback")).isDirectory();
        assertThat(ending.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(confirm()).as("over a newer connection").isEqualTo("confirm\tdisarmed\nend\n");
    }

    @Test
    void confirm_afterTheRollback_saysSoEachTime() throws Exception {
        run(rollback(RUN));

        assertThat(confirm()).isEqualTo("confirm\trolled-back\nend\n");
        assertThat(confirm()).isEqualTo("confirm\trolled-back\nend\n");
    }

    @Test
    void confirm_rollbackThatHasNotGotTheLockYet_isWaitedFor() throws Exception {
        Files.move(folder.resolve("state/rollback"), folder.resolve("state/rolling-back"));
        String endsWhenAsked = "systemctl() { echo activating; echo inactive; touch FOLDER/state/rolled-back;"
                + " rm -r FOLDER/state/rolling-back; }\n";

        assertThat(run(script(endsWhenAsked + "confirm"))).isEqualTo("confirm\trolled-back\nend\n");
    }

    /** The host went down in its rollback, and is up again. */
    @Test
    void confirm_rollbackThatNobodyIsAtWorkOn_isBroughtToItsEnd() throws Exception {
        Files.move(folder.resolve("state/rollback"), folder.resolve("state/rolling-back"));
        Files.writeString(folder.resolve("state/rollback.sh"), rollback(RUN));

        assertThat(confirm()).endsWith("confirm\trolled-back\nend\n");

        assertThat(log())
                .containsSubsequence(
                        "systemctl stop promguard-rollback.timer promguard-rollback.service promguard-rollback-boot.timer"
                                + " promguard-rollback-boot.service",
                        "ufw --force disable");
        assertThat(folder.resolve("state/rolling-back")).doesNotExist();
    }

    private String rollBack(String systemctl) throws Exception {
        Files.writeString(folder.resolve("state/rollback.sh"), rollback(RUN));
        return run(script(systemctl + "begin_rollback"));
    }

    @Test
    void rollBack_armed_beginsInItsUnitAndIsWaitedFor() throws Exception {
        String starts = "systemctl() { [ \"$*\" != 'start promguard-rollback.service' ] ||"
                + " (exec 8>&-; sh FOLDER/state/rollback.sh) & }\n";

        assertThat(rollBack(starts)).isEqualTo("rollback\tover\nend\n");

        assertThat(log()).contains("ufw --force disable");
        assertThat(confirm()).isEqualTo("confirm\trolled-back\nend\n");
        assertThat(rollBack(starts)).as("again").isEqualTo("rollback\tover\nend\n");
    }

    @Test
    void rollBack_afterAReboot_beginsInTheUnitOfTheBoot() throws Exception {
        String starts = "systemctl() { case $* in 'start promguard-rollback.service') return 5 ;;"
                + " 'start --no-block promguard-rollback-boot.service') sh FOLDER/state/rollback.sh & ;; esac; }\n";

        assertThat(rollBack(starts)).isEqualTo("rollback\tover\nend\n");

        assertThat(confirm()).isEqualTo("confirm\trolled-back\nend\n");
    }

    @Test
    void rollBack_doesNotBegin_saysSo() throws Exception {
        assertThat(rollBack("systemctl() { return 1; }\n")).isEqualTo("rollback\tpending\nend\n");

        assertThat(folder.resolve("state/rollback")).isDirectory();
    }

    /** Two wait for the lock: the one that comes second must not take what it does not find for what was before. */
    @Test
    void rollback_anotherWasFirst_changesNothing() throws Exception {
        Process other = run();
        Process rollback = begunRollback();
        Files.move(folder.resolve("state/rolling-back"), folder.resolve("gone"));

        end(other);

        assertThat(rollback.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(rollback.exitValue()).isZero();
        assertThat(folder.resolve("log")).doesNotExist();
    }

    private Process begunRollback() throws Exception {
        Process rollback = OwnNetwork.shell().redirectErrorStream(true).start();
        try (var in = rollback.getOutputStream()) {
            in.write(rollback(RUN).getBytes(UTF_8));
        }
        long begin = System.nanoTime();
        while (!Files.exists(folder.resolve("state/rolling-back"))) {
            assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(20));
            assertThat(rollback.waitFor(20, TimeUnit.MILLISECONDS)).as("over").isFalse();
        }
        return rollback;
    }

    /** A connection from before the rollback was shown a key that the host has no more, and nothing but the key can tell. */
    @Test
    void outlived_afterTheRollback_isAConnectionThatWasShownAKeyWhichTheHostHasNotAnyMore() throws Exception {
        String theirs = hostKey("ssh_host_ed25519_key");
        String other = hostKey("ssh_host_ecdsa_key");
        String gone = "SHA256:" + "A".repeat(43);
        assertThat(List.of(facts_outdated_key(theirs), facts_outdated_key(gone)))
                .as("without a rollback")
                .containsOnly("");

        run(rollback(RUN));

        assertThat(List.of(facts_outdated_key(theirs), facts_outdated_key(other)))
                .containsOnly("");
        assertThat(facts_outdated_key(gone)).isEqualTo("facts_outdated_key");
        Files.delete(folder.resolve("ssh/ssh_host_ecdsa_key.pub"));
        assertThat(facts_outdated_key(other)).isEqualTo("facts_outdated_key");
    }

    private String facts_outdated_key(String fingerprint) throws Exception {
        return run(script("facts_outdated_key '" + fingerprint + "' && say facts_outdated_key"))
                .replaceFirst("\n?end\n", "");
    }

    /** Makes a key as hosts have it; tells its fingerprint. */
    private String hostKey(String name) throws Exception {
        Path key = Files.createDirectories(folder.resolve("ssh")).resolve(name);
        run("ssh-keygen -q -t ed25519 -N '' -C '' -f " + key);
        return run("ssh-keygen -lf " + key).split(" ", -1)[1];
    }

    @Test
    void step_rolledBackMeanwhile_isNotTaken() throws Exception {
        Files.move(folder.resolve("state/rollback"), folder.resolve("state/rolling-back"));

        String said = run(script("ARMED=yes\nstep 0 touch FOLDER/opened"));

        assertThat(said)
                .contains("begin\t0\n", "rolled-back\nfailed\t0\t1\tthe time for a confirmation was over")
                .doesNotContain("done\t0");
        assertThat(folder.resolve("opened")).doesNotExist();
    }

    @Test
    void step_stillArmed_isTaken() throws Exception {
        String said = run(script("ARMED=yes\nstep 0 touch FOLDER/opened"));

        assertThat(said).contains("done\t0");
        assertThat(folder.resolve("opened")).exists();
    }

    @Test
    void rollback_runAtWork_waitsUntilItIsOver() throws Exception {
        Process other = run();
        Process rollback = begunRollback();
        assertThat(rollback.waitFor(500, TimeUnit.MILLISECONDS)).as("over").isFalse();
        assertThat(folder.resolve("log")).doesNotExist();

        end(other);

        assertThat(rollback.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(log()).contains("ufw --force disable");
        assertThat(folder.resolve("state/rolled-back")).exists();
    }

    /** The timer of an earlier run is still there when another run waits for its confirmation. */
    @ParameterizedTest
    @ValueSource(strings = {"0123456789abcdef0123456789abcdef", "", "none", "fedcba98", ".*"})
    void rollback_ofAnotherRun_changesNothing(String run) throws Exception {
        assertThat(run(rollback(run))).isEmpty();

        assertThat(folder.resolve("state/rollback")).isDirectory();
        assertThat(folder.resolve("log")).doesNotExist();
        assertThat(confirm()).isEqualTo("confirm\tdisarmed\nend\n");
    }

    /** A release before this one armed it: its units name no run, and its own script asks for none. */
    @Test
    void rollback_ofARunThatIsNotKnown_changesNothing() throws Exception {
        Files.delete(folder.resolve("state/rollback/run"));

        assertThat(run(rollback(RUN))).isEmpty();

        assertThat(folder.resolve("state/rollback")).isDirectory();
        assertThat(folder.resolve("log")).doesNotExist();
    }

    /** One that has begun is brought to its end, whoever comes first. */
    @Test
    void rollback_begunByAnother_isBroughtToItsEnd() throws Exception {
        Files.move(folder.resolve("state/rollback"), folder.resolve("state/rolling-back"));

        run(rollback("0123456789abcdef0123456789abcdef"));

        assertThat(folder.resolve("state/rolling-back")).doesNotExist();
        assertThat(folder.resolve("state/rolled-back")).exists();
    }

    @Test
    void rollback_done_leavesNoTimerAndNoScript() throws Exception {
        Files.writeString(folder.resolve("state/rollback.sh"), rollback(RUN));
        armed(folder.resolve("system"));

        run(rollback(RUN));

        assertThat(log()).contains("systemctl stop promguard-rollback.timer promguard-rollback-boot.timer");
        assertThat(tree(folder.resolve("state"))).containsExactly("rolled-back");
        assertThat(tree(folder.resolve("system"))).containsExactly("timers.target.wants");
    }

    /** The timer that came up at a boot goes on when its file is gone, and would fire while the next run waits. */
    @Test
    void confirm_afterABoot_stopsTheTimersWithTheirFiles() throws Exception {
        armed(folder.resolve("system"));

        assertThat(confirm()).isEqualTo("confirm\tdisarmed\nend\n");

        assertThat(log()).contains("systemctl stop promguard-rollback.timer promguard-rollback-boot.timer");
        assertThat(tree(folder.resolve("system"))).containsExactly("timers.target.wants");
    }

    private static void armed(Path system) throws Exception {
        Files.createDirectories(system.resolve("timers.target.wants"));
        Files.writeString(system.resolve("promguard-rollback-boot.service"), "[Service]\n");
        Files.writeString(system.resolve("promguard-rollback-boot.timer"), "[Timer]\n");
        Files.createSymbolicLink(
                system.resolve("timers.target.wants/promguard-rollback-boot.timer"),
                system.resolve("promguard-rollback-boot.timer"));
    }

    private static List<String> tree(Path folder) throws Exception {
        try (var paths = Files.walk(folder)) {
            return paths.filter(path -> !path.equals(folder))
                    .map(path -> folder.relativize(path).toString())
                    .sorted()
                    .toList();
        }
    }

    private String arm(String run, String more) throws Exception {
        Path program = Files.createDirectories(folder.resolve("bin")).resolve("systemd-run");
        Files.writeString(program, here("#!/bin/sh\nprintf 'systemd-run %s\\n' \"$*\" >>FOLDER/log\n"));
        assertThat(program.toFile().setExecutable(true)).isTrue();
        return run(script("PATH=FOLDER/bin:$PATH\nsave_wireguard() { :; }\nsave_kill_switch() { :; }\n" + more + "N="
                + run + "\nprintf '' | arm 60 wg0 | sed 's/^.*\t//'\nN=" + NONCE));
    }

    @Test
    void arm_leftoverTimerOfAnEarlierRun_isStoppedAndTheNewOneIsBoundToThisRun() throws Exception {
        assertThat(confirm()).contains("disarmed");

        arm("run-2", "");

        assertThat(folder.resolve("state/rollback/run")).hasContent("run-2\n");
        assertThat(log())
                .containsSubsequence(
                        "systemctl stop promguard-rollback.timer promguard-rollback.service"
                                + " promguard-rollback-boot.timer promguard-rollback-boot.service",
                        "systemd-run --quiet --unit=promguard-rollback --on-active=60 --timer-property=AccuracySec=1s"
                                + " /bin/sh " + folder + "/state/rollback.sh run-2");
        assertThat(folder.resolve("system/promguard-rollback-boot.service"))
                .content()
                .contains("ExecStart=/bin/sh " + folder + "/state/rollback.sh run-2\n");
    }

    /** What the earlier run saved and nobody confirmed is put back by the timers of the new run, and by no other. */
    @Test
    void arm_overARollbackThatNobodyConfirmed_isBoundToThisRun() throws Exception {
        arm("run-2", "");

        assertThat(folder.resolve("state/rollback/run")).hasContent("run-2\n");
        assertThat(run(rollback(RUN))).isEmpty();
        assertThat(folder.resolve("state/rollback")).isDirectory();
        run(rollback("run-2"));
        assertThat(folder.resolve("state/rolled-back")).exists();
    }

    /** Killed before its own timers are there: the earlier run's still put back what it saved. */
    @Test
    void arm_cutOffBeforeItsTimersAreThere_leavesTheEarlierRunsTimersInForce() throws Exception {
        arm("run-2", "base64() { echo base64 >>FOLDER/log; return 1; }\n");
        assertThat(log()).contains("base64").noneMatch(line -> line.startsWith("systemd-run"));

        run(rollback(RUN));

        assertThat(folder.resolve("state/rolled-back")).exists();
    }

    @Test
    void rollback_toAFirewallThatWasOff_stopsAllThatPromGuardKeepsBeforeItOpens() throws Exception {
        Files.writeString(
                folder.resolve("system/node_exporter.service"), "# Kept by PromGuard for mesh shop: by hand\n[Unit]\n");
        Files.writeString(folder.resolve("system/theirs.service"), "[Unit]\n");
        Files.writeString(folder.resolve("state/rollback/units"), "prometheus.service yes\n");

        run(rollback(RUN));

        assertThat(log())
                .containsSubsequence(
                        "systemctl stop prometheus.service",
                        "systemctl stop node_exporter.service",
                        "ufw --force disable")
                .noneMatch(line -> line.contains("theirs") || line.startsWith("systemctl start"));
    }

    /** The interface brings up what listens on it, which stays down where there is no firewall. */
    @Test
    void rollback_toAFirewallThatWasOff_bringsUpTheInterfaceAlone() throws Exception {
        Files.writeString(folder.resolve("state/rollback/wireguard/wg0.conf"), "before\n");
        Files.createFile(folder.resolve("state/rollback/wireguard-active"));
        Files.createFile(folder.resolve("state/rollback/wireguard-enabled"));
        Path config = Files.createDirectories(folder.resolve("wireguard")).resolve("wg0.conf");
        Files.writeString(config, "after\n");

        run(rollback(RUN));

        assertThat(config).hasContent("before");
        assertThat(log())
                .filteredOn(line -> line.contains("start"))
                .containsExactly("systemctl --job-mode=ignore-dependencies restart wg-quick@wg0.service");
    }

    /** The power may go during the rollback, and a host with half a host key admits nobody. */
    @Test
    void rollback_ofFiles_putsEachInPlaceWholeAndOnDisk() throws Exception {
        Path config = Files.createDirectories(folder.resolve("wireguard")).resolve("wg0.conf");
        Path key = Files.createDirectories(folder.resolve("ssh")).resolve("ssh_host_ed25519_key");
        Path rules = Files.createDirectories(folder.resolve("ufw")).resolve("user.rules");
        Path preshared =
                Files.createDirectories(folder.resolve("wireguard/wg0.psk")).resolve("node-1");
        for (Path changed : List.of(config, key, rules, preshared)) {
            Files.writeString(changed, "after\n");
        }
        Path saved = folder.resolve("state/rollback");
        Files.writeString(saved.resolve("wireguard/wg0.conf"), "before\n");
        Files.writeString(saved.resolve("ssh/ssh_host_ed25519_key"), "before\n");
        Files.writeString(
                Files.createDirectories(saved.resolve("wireguard/wg0.psk")).resolve("node-1"), "before\n");
        Files.writeString(saved.resolve("ufw/" + rules.toString().substring(1).replace('/', ':')), "before\n");
        String watched = """
                cp() { for to do :; done; printf 'cp %s\\n' "$to" >>FOLDER/log; command cp "$@"; }
                sync() { printf 'sync %s\\n' "$*" >>FOLDER/log; command sync "$@"; }
                mv() { for to do :; done; printf 'mv %s\\n' "$to" >>FOLDER/log; command mv "$@"; }
                """;

        run(here("set -- " + RUN + "\n" + STAND_INS + watched + Script.rollback()));

        for (Path changed : List.of(config, key, rules, preshared)) {
            assertThat(changed).hasContent("before");
        }
        for (Path placed : List.of(config, key, rules)) {
            String made =
                    placed.resolveSibling(".promguard." + placed.getFileName()).toString();
            assertThat(log()).containsSubsequence("cp " + made, "sync " + made, "mv " + placed);
        }
        assertThat(log()).contains("mv " + preshared.getParent());
        assertThat(log()).filteredOn(line -> line.startsWith("cp ")).allMatch(line -> line.contains("/.promguard."));
    }
}
