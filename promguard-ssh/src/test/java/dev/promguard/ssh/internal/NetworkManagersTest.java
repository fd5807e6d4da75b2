package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a host says of programs that configure its interfaces, and how these are told to leave one alone; the programs are stand-ins. */
@Timeout(120)
class NetworkManagersTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";

    @TempDir
    Path folder;

    @BeforeEach
    void needsNamespaces() throws Exception {
        assumeTrue(
                new ProcessBuilder("unshare", "-n", "ip", "link").start().waitFor() == 0,
                "needs root, for a network namespace, and ip");
    }

    private String run(String... lines) throws Exception {
        String text;
        try (Script script = Script.begin(NONCE)) {
            script.shell("STATE=" + folder + "/state MANIFEST=" + folder + "/state/before WHY= D=" + folder);
            for (String line : lines) {
                script.shell(line);
            }
            text = script.end().text();
        }
        Process process = new ProcessBuilder("unshare", "-n", "sh", "-s")
                .redirectErrorStream(true)
                .start();
        try (var in = process.getOutputStream()) {
            in.write(text.getBytes(UTF_8));
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return out.replace(NONCE + "\t", "").replace('\t', ' ').strip().replaceFirst("\n?end$", "");
    }

    /** systemctl as on a host where a manager is enabled and runs, or not. */
    private static String systemctl(String enabled, String active) {
        return "systemctl() { case \"$*\" in 'show '*' -- systemd-networkd.service NetworkManager.service') echo asked >>$D/shows;"
                + " printf 'ActiveState=" + active + "\\nUnitFileState=" + enabled
                + "\\n\\nActiveState=inactive\\nUnitFileState=\\n' ;;"
                + " 'is-active -q systemd-networkd.service') [ " + active
                + " = active ] ;; is-*) echo inactive; return 3 ;;"
                + " *) echo \"systemctl $*\" >>$D/calls ;; esac; }";
    }

    private static String setup(String state) {
        return "networkctl() { case $1 in list) echo \"  3 wg0 none routable " + state + "\" ;; status) printf"
                + " '   Network File: /etc/systemd/network/!all.network\\n' ;; *) echo \"networkctl $*\" >>$D/calls ;; esac; }";
    }

    @ParameterizedTest
    @CsvSource({
        "disabled, inactive, unmanaged, ''",
        "masked, inactive, unmanaged, ''",
        "enabled, inactive, unmanaged, leaves",
        "disabled, active, unmanaged, leaves",
        "enabled, active, pending, leaves",
        "enabled, active, configuring, manages",
        "enabled, active, configured, manages",
        "enabled, active, failed, manages"
    })
    void facts_networkd_sayWhetherItIsUsedAndManages(String enabled, String active, String state, String expected)
            throws Exception {
        String said = run(
                "ip link add wg0 type veth", systemctl(enabled, active), setup(state), "facts_network_managers wg0");

        assertThat(said).isEqualTo(expected.isEmpty() ? "" : "fact network-managers networkd " + expected);
        assertThat(run(systemctl(enabled, active), setup(state), "facts_network_managers wg0"))
                .as("without the interface")
                .isEqualTo(expected.isEmpty() ? "" : "fact network-managers networkd leaves");
    }

    /** To ask systemd takes as long for one unit as for many, and is done on every host in every run. */
    @Test
    void facts_bothManagers_askSystemdOnce() throws Exception {
        run(
                "ip link add wg0 type veth",
                systemctl("enabled", "active"),
                setup("configured"),
                "facts_network_managers wg0");

        assertThat(folder.resolve("shows")).hasContent("asked");
        assertThat(folder.resolve("calls")).doesNotExist();
    }

    @Test
    void facts_firewallsOfOthers_areThoseThatAreEnabledOrRun() throws Exception {
        assertThat(run(
                        "systemctl() { case \"$*\" in 'show '*' -- firewalld.service shorewall.service shorewall6.service nftables.service"
                                + " netfilter-persistent.service') printf 'UnitFileState=disabled\\nActiveState=active\\n\\n"
                                + "UnitFileState=enabled\\nActiveState=inactive\\n\\nUnitFileState=masked\\nActiveState=failed\\n\\n"
                                + "UnitFileState=\\nActiveState=inactive\\n\\nUnitFileState=enabled\\nActiveState=active\\n' ;; esac; }",
                        "other_firewalls"))
                .isEqualTo("""
                        fact served-ports manager firewalld.service
                        fact served-ports manager shorewall.service
                        fact served-ports manager netfilter-persistent.service""");
    }

    @ParameterizedTest
    @CsvSource({"100 (connected (externally)), manages", "10 (unmanaged), leaves", "'', leaves"})
    void facts_networkManager_sayWhetherItManages(String state, String expected) throws Exception {
        assertThat(run(
                        "ip link add wg0 type veth",
                        "systemctl() { case \"$*\" in 'show '*) printf 'ActiveState=inactive\\nUnitFileState=disabled\\n\\n"
                                + "ActiveState=active\\nUnitFileState=static\\n' ;; *) return 3 ;; esac; }",
                        "nmcli() { echo '" + state + "'; }",
                        "facts_network_managers wg0"))
                .isEqualTo("fact network-managers networkmanager " + expected);
    }

    @Test
    void apply_networkdThatRuns_writesTheFileAndReloads() throws Exception {
        Path file = folder.resolve("network/+00-promguard-wg0.network");

        String said = run(
                "ip link add wg0 type veth",
                systemctl("enabled", "active"),
                setup("unmanaged"),
                "printf YWxvbmUK | apply_network_manager networkd wg0 " + file + "; echo $? >&3");

        assertThat(said).isEqualTo("0");
        assertThat(file).hasContent("alone\n");
        assertThat(folder.resolve("calls")).hasContent("networkctl reload\n");
    }

    @Test
    void apply_networkdThatDoesNotRun_writesTheFileAlone() throws Exception {
        Path file = folder.resolve("+00-promguard-wg0.network");

        assertThat(run(
                        systemctl("enabled", "inactive"),
                        setup("unmanaged"),
                        "printf YWxvbmUK | apply_network_manager networkd wg0 " + file + "; echo $? >&3"))
                .isEqualTo("0");
        assertThat(file).hasContent("alone\n");
        assertThat(Files.exists(folder.resolve("calls"))).isFalse();
    }

    @Test
    void apply_anotherFileThatComesFirst_failsAndNamesIt() throws Exception {
        String said = run(
                "ip link add wg0 type veth",
                "sleep() { :; }",
                systemctl("enabled", "active"),
                setup("configured"),
                "printf YWxvbmUK >$D/in; apply_network_manager networkd wg0 $D/x.network <$D/in; echo \"$? $WHY\" >&3");

        assertThat(said)
                .isEqualTo("1 systemd-networkd.service still manages wg0, by /etc/systemd/network/!all.network");
    }
}
