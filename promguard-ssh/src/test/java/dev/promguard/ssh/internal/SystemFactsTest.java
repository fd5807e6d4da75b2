package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a host says of its kernel and its ufw, and how the lock of iptables is waited for. */
@Timeout(60)
class SystemFactsTest {
    private static final String RELEASE = "fact kernel release 6.1.0-18-amd64";
    private static final String NONCE = "0123456789abcdef0123456789abcdef";

    @TempDir
    Path folder;

    @BeforeEach
    void install() throws Exception {
        for (String folders : new String[] {"bin", "sys", "lib", "etc/default"}) {
            Files.createDirectories(folder.resolve(folders));
        }
        program("uname", "echo 6.1.0-18-amd64");
        program("modprobe", "[ -e " + folder + "/loadable ]");
    }

    private void program(String name, String code) throws Exception {
        Path file = Files.writeString(folder.resolve("bin/" + name), "#!/bin/sh\n" + code + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private String run(Map<String, String> environment, String call) throws Exception {
        byte[] text;
        try (Script script = Script.begin(NONCE)) {
            // What this machine has besides must not be found.
            script.shell("command() { case $1 in -v) [ -x " + folder + "/bin/\"$2\" ] ;; *) \"$@\" ;; esac; }");
            script.shell("PATH=" + folder + "/bin:$PATH");
            text = script.shell(call)
                    .end()
                    .text()
                    .replace("/sys/module", folder + "/sys")
                    .replace("/lib/modules", folder + "/lib")
                    .replace("/etc/default", folder + "/etc/default")
                    .replace("/etc/ufw", folder + "/etc/ufw")
                    .replace("/etc/systemd", folder + "/etc/systemd")
                    .replace("/run/systemd", folder + "/run/systemd")
                    .getBytes(UTF_8);
        }
        ProcessBuilder shell = new ProcessBuilder("sh", "-s").redirectErrorStream(true);
        shell.environment().remove("SSH_CONNECTION");
        shell.environment().putAll(environment);
        Process process = shell.start();
        try (var in = process.getOutputStream()) {
            in.write(text);
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return out.replace(NONCE + "\t", "").replace('\t', ' ').strip().replaceFirst("\n?end$", "");
    }

    @Test
    void kernel_modulesGoneAfterAnUpdate_saysSo() throws Exception {
        assertThat(run(Map.of(), "facts_kernel"))
                .isEqualTo(RELEASE + "\nfact kernel without-wireguard 6.1.0-18-amd64 no");
    }

    @Test
    void kernel_withoutTheModule_saysSo() throws Exception {
        Files.createDirectory(folder.resolve("lib/6.1.0-18-amd64"));

        assertThat(run(Map.of(), "facts_kernel"))
                .isEqualTo(RELEASE + "\nfact kernel without-wireguard 6.1.0-18-amd64 yes");
    }

    @ParameterizedTest
    @ValueSource(strings = {"loaded or built in", "loadable", "user space", "no modprobe"})
    void kernel_hasItOrMayHaveIt_saysItsReleaseAlone(String how) throws Exception {
        switch (how) {
            case "loadable" -> Files.createFile(folder.resolve("loadable"));
            case "user space" -> program("wireguard-go", "");
            case "no modprobe" -> Files.delete(folder.resolve("bin/modprobe"));
            default -> Files.createDirectory(folder.resolve("sys/wireguard"));
        }

        assertThat(run(Map.of(), "facts_kernel")).isEqualTo(RELEASE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "IPV6=yes | 2001:db8::9 5000 2001:db8::1 22 | ''",
                "#IPV6=no | 2001:db8::9 5000 2001:db8::1 22 | ''",
                "IPV6=no | 192.0.2.9 5000 192.0.2.1 22 | fact ufw-settings drops-ipv-six",
                "IPV6=\"no\" | ::ffff:192.0.2.9 5000 ::ffff:192.0.2.1 22 | fact ufw-settings drops-ipv-six",
                "IPV6=No | 2001:db8::9 5000 2001:db8::1 22"
                        + " | fact ufw-settings drops-ipv-six;fact ufw-settings login-over-ipv-six"
            })
    void ufwSettings_ipv6_sayWhatItWouldCut(String setting, String connection, String facts) throws Exception {
        Files.writeString(folder.resolve("etc/default/ufw"), setting + "\n");
        ufwIs("yes");

        assertThat(run(Map.of("SSH_CONNECTION", connection), "facts_ufw_settings"))
                .isEqualTo(facts.replace(';', '\n'));
    }

    /** ufw's own start is a shell script that reads them, and hands the rules to iptables-restore. A comment does no harm. */
    @Test
    void ufwSettings_filesWithCarriageReturns_areNamed() throws Exception {
        ufwIs("yes");
        Files.writeString(folder.resolve("etc/default/ufw"), "IPV6=yes\r\n");
        Files.writeString(folder.resolve("etc/ufw/before.rules"), "*filter\nCOMMIT\r\n");
        Files.writeString(folder.resolve("etc/ufw/after.rules"), "# of the owner\r\n*filter\nCOMMIT\n");

        assertThat(run(Map.of(), "facts_ufw_settings").replace(folder.toString(), ""))
                .isEqualTo("""
                        fact ufw-settings carriage-return /etc/default/ufw
                        fact ufw-settings carriage-return /etc/ufw/before.rules""");
    }

    @ParameterizedTest
    @CsvSource({"etc, link, masked", "run, link, masked", "etc, empty, masked", "etc, unit, ''", "etc, none, ''"})
    void ufwSettings_maskOfItsUnit_isTold(String where, String what, String told) throws Exception {
        ufwIs("yes");
        Path unit = Files.createDirectories(folder.resolve(where + "/systemd/system"))
                .resolve("ufw.service");
        switch (what) {
            case "link" -> Files.createSymbolicLink(unit, Path.of("/dev/null"));
            case "empty" -> Files.createFile(unit);
            case "unit" -> Files.writeString(unit, "[Unit]\n");
            default -> assertThat(unit).doesNotExist();
        }

        assertThat(run(Map.of(), "facts_ufw_settings")).isEqualTo(told.isEmpty() ? "" : "fact ufw-settings " + told);
    }

    private void ufwIs(String enabled) throws IOException {
        Files.writeString(
                Files.createDirectories(folder.resolve("etc/ufw")).resolve("ufw.conf"), "ENABLED=" + enabled + "\n");
    }

    /** Once ufw is on, its rules let this login pass. */
    @ParameterizedTest
    @CsvSource({
        "no, 192.0.2.9 5000 192.0.2.1 22, fact ufw-settings login-from 192.0.2.9",
        "no, ::ffff:192.0.2.9 5000 ::ffff:192.0.2.1 22, fact ufw-settings login-from 192.0.2.9",
        "no, fe80::1%eth0 5000 fe80::2 22, fact ufw-settings login-from fe80::1",
        "yes, 192.0.2.9 5000 192.0.2.1 22, ''"
    })
    void ufwSettings_login_isToldWhileUfwIsOff(String enabled, String connection, String facts) throws Exception {
        ufwIs(enabled);

        assertThat(run(Map.of("SSH_CONNECTION", connection), "facts_ufw_settings"))
                .isEqualTo(facts);
    }

    @Test
    void ufwSettings_sudoThatPassesNothingOn_areReadAllTheSame() throws Exception {
        Files.writeString(folder.resolve("etc/default/ufw"), "IPV6=no\n");
        String connection = "2001:db8::9 5000 2001:db8::1 22";
        byte[] text;
        try (Script script = Script.begin(NONCE).call("facts_ufw_settings")) {
            text = script.end()
                    .text()
                    .replace("/etc/default", folder + "/etc/default")
                    .replace("/etc/ufw", folder + "/etc/ufw")
                    .getBytes(UTF_8);
        }
        ProcessBuilder sudo = new ProcessBuilder("sh", "-c", "env -u SSH_CONNECTION sh -s; exit $?");
        sudo.environment().put("SSH_CONNECTION", connection);
        Process process = sudo.start();
        try (var in = process.getOutputStream()) {
            in.write(text);
        }

        assertThat(new String(process.getInputStream().readAllBytes(), UTF_8)).contains("login-over-ipv-six");
    }

    /** As older ones do: without -w they fail at once where another program holds the lock. */
    @Test
    void iptables_lockIsBusy_isWaitedForAndNoRuleSeemsToBeGone() throws Exception {
        program("iptables", "[ \"$1\" = -w ] || exit 4; echo '-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT'");
        program("ip6tables", "[ \"$1\" = -w ] || exit 4");

        String facts = run(
                Map.of(), "command() { \"" + folder + "/bin/$1\" \"$2\" \"$3\"; }\nfacts_rules 4 ufw iptables /none");

        assertThat(facts).contains("loaded4 -p tcp -m tcp --dport 22 -j ACCEPT");
    }
}
