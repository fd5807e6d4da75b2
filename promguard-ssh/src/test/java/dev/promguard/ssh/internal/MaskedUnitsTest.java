package dev.promguard.ssh.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Masks of units that a host's owner set: taken off where a unit is to run, and put back afterwards. Systemctl is a stand-in with links of its own. */
@Timeout(60)
class MaskedUnitsTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final String SYSTEMCTL = """
            systemctl() {
                printf '%s\\n' "$*" >>FOLDER/log
                at=FOLDER/system
                verb=
                for word do
                    case $word in
                        --runtime) at=FOLDER/run ;;
                        -*) ;;
                        *)
                            [ -n "$verb" ] || { verb=$word; continue; }
                            case $verb in
                                mask) ln -s /dev/null "$at/$word" ;;
                                unmask) rm -f "$at/$word" ;;
                                is-enabled)
                                    if [ -L "FOLDER/system/$word" ]; then echo masked
                                    elif [ -L "FOLDER/run/$word" ]; then echo masked-runtime
                                    else echo disabled; fi
                                    ;;
                                is-active) [ -e "FOLDER/active/$word" ] ;;
                            esac
                            ;;
                    esac
                done
            }
            stays_active() { :; }
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void folders() throws IOException {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/flock")), "needs flock, of util-linux");
        for (String name : List.of("system", "run", "active", "state")) {
            Files.createDirectories(folder.resolve(name));
        }
    }

    private String here(String text) {
        return text.replace("/var/lib/promguard", "FOLDER/state")
                .replace("/run/promguard.lock", "FOLDER/lock")
                .replace("/etc/systemd/system", "FOLDER/system")
                .replace("/run/systemd/system", "FOLDER/run")
                .replace("/opt/promguard", "FOLDER/opt")
                .replace("sync -f \"$MANIFEST\" /etc", "sync -f \"$MANIFEST\"")
                .replace("FOLDER", folder.toString());
    }

    private String run(String... pieces) throws Exception {
        try (Script script = Script.begin(NONCE)) {
            script.shell(SYSTEMCTL);
            for (String piece : pieces) {
                script.shell(piece);
            }
            return shell(here(script.end().text()));
        }
    }

    private static String shell(String text) throws Exception {
        return OwnNetwork.run(text).replace(NONCE + "\t", "");
    }

    private void mask(String... links) throws IOException {
        for (String link : links) {
            Files.createSymbolicLink(folder.resolve(link), Path.of("/dev/null"));
        }
    }

    private boolean isMasked(String link) {
        return Files.exists(folder.resolve(link), LinkOption.NOFOLLOW_LINKS);
    }

    /** A unit of its own, one of a template, and one whose mask ends at the next boot. */
    @Test
    void masks_thatWereThereBefore_areTakenOffAndPutBackByUninstalling() throws Exception {
        mask("system/wg-quick@wg0.service", "system/wg-quick@.service", "run/prometheus.service");

        assertThat(run(
                        "apply_manifest shop",
                        "apply_unit START wg-quick@wg0.service",
                        "apply_unit START prometheus.service",
                        "facts_manifest"))
                .isEqualTo("""
                        manifest\tshop
                        thing\tmasked wg-quick@wg0.service
                        thing\tmasked wg-quick@.service
                        thing\tunit wg-quick@wg0.service
                        thing\tunit prometheus.service
                        end
                        """);
        assertThat(isMasked("system/wg-quick@wg0.service")).isFalse();
        assertThat(isMasked("system/wg-quick@.service")).isFalse();
        assertThat(isMasked("run/prometheus.service")).isFalse();

        assertThat(run("undo_files")).isEqualTo("""
                        leftover\twg-quick@.service, masked as it was before
                        leftover\twg-quick@wg0.service, masked as it was before
                        end
                        """);
        assertThat(isMasked("system/wg-quick@wg0.service")).isTrue();
        assertThat(isMasked("system/wg-quick@.service")).isTrue();
        assertThat(isMasked("run/prometheus.service")).isFalse();
    }

    @Test
    void mask_setAfterPromGuardRanTheUnit_isNotPutBack() throws Exception {
        run("apply_manifest shop", "apply_unit START wg-quick@wg0.service");
        mask("system/wg-quick@wg0.service");
        run("apply_unit START wg-quick@wg0.service");

        assertThat(run("undo_files")).isEqualTo("end\n");
        assertThat(isMasked("system/wg-quick@wg0.service")).isFalse();
    }

    @Test
    void mask_ofAUnitThatItsOwnerRunsByNow_isNotPutBack() throws Exception {
        mask("system/wg-quick@wg0.service");
        run("apply_manifest shop", "apply_unit START wg-quick@wg0.service");
        Files.createFile(folder.resolve("active/wg-quick@wg0.service"));

        assertThat(run("undo_files"))
                .isEqualTo("leftover\twg-quick@wg0.service, which was masked before, for it runs\nend\n");
        assertThat(isMasked("system/wg-quick@wg0.service")).isFalse();
    }

    /** What was masked for good and until the next boot is so again, whether or not the host has a manifest. */
    @Test
    void rollback_afterMasksWereTakenOff_putsThemBack() throws Exception {
        mask("system/wg-quick@wg0.service", "run/prometheus.service", "system/ufw.service");
        Path saved = Files.createDirectories(folder.resolve("state/rollback"));
        Files.writeString(saved.resolve("units"), "");
        Files.writeString(saved.resolve("interface"), "\n");
        Files.writeString(saved.resolve("run"), "run-1\n");
        run("apply_unit START wg-quick@wg0.service", "apply_unit START prometheus.service", "unmask ufw.service");
        assertThat(isMasked("system/ufw.service")).isFalse();

        shell(here("set -- run-1\nufw() { :; }\n" + SYSTEMCTL + Script.rollback()));

        assertThat(folder.resolve("state/rolled-back")).exists();
        assertThat(isMasked("system/wg-quick@wg0.service")).isTrue();
        assertThat(isMasked("run/prometheus.service")).isTrue();
        assertThat(isMasked("system/ufw.service")).isTrue();
    }

    /** The interface comes up again, which a mask would prevent. */
    @Test
    void rollback_ofAnUninstallation_takesTheMaskOffFirst() throws Exception {
        mask("system/wg-quick@wg0.service");
        run("apply_manifest shop", "apply_unit START wg-quick@wg0.service");
        Path saved = Files.createDirectories(folder.resolve("state/rollback"));
        Files.createDirectories(saved.resolve("wireguard"));
        Files.writeString(saved.resolve("units"), "");
        Files.writeString(saved.resolve("interface"), "wg0\n");
        Files.writeString(saved.resolve("run"), "run-1\n");
        Files.createFile(saved.resolve("wireguard-active"));
        run("undo_files");
        assertThat(isMasked("system/wg-quick@wg0.service")).isTrue();
        Files.delete(folder.resolve("log"));

        shell(here("set -- run-1\nufw() { :; }\n" + SYSTEMCTL + Script.rollback()));

        assertThat(Files.readAllLines(folder.resolve("log")))
                .containsSubsequence(
                        "unmask wg-quick@wg0.service", "--job-mode=ignore-dependencies restart wg-quick@wg0.service");
        assertThat(isMasked("system/wg-quick@wg0.service")).isFalse();
        assertThat(folder.resolve("state/before")).isDirectory();
    }
}
