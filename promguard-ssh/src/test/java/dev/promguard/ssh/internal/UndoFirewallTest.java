package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the firewall is before PromGuard, and after it: this machine's kernel in a network namespace of its own, and no ufw. */
@Timeout(60)
class UndoFirewallTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";

    /** A host whose owner set a policy and rules by hand, and what ufw does when it is enabled and disabled. */
    private static final String HOST = """
            STATE=FOLDER/state MANIFEST=FOLDER/state/before
            mkdir -p $MANIFEST
            : >$MANIFEST/things
            ufw() { iptables -P INPUT ACCEPT; iptables -P FORWARD ACCEPT; }
            systemctl() { :; }
            sync() { :; }
            iptables -P INPUT DROP
            iptables -A INPUT -i lo -j ACCEPT
            iptables -A INPUT -p tcp --dport 22 -j ACCEPT
            iptables -P FORWARD DROP
            note_firewall
            iptables -N ufw-before-input
            iptables -A INPUT -j ufw-before-input
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void needNamespace() throws Exception {
        Process namespace = new ProcessBuilder("unshare", "-n", "iptables", "-S").start();
        assumeTrue(namespace.waitFor() == 0, "needs root, for a network namespace, and iptables");
    }

    private String run(String shell) throws Exception {
        String text;
        try (Script script = Script.begin(NONCE)) {
            text = script.shell((HOST + shell).replace("FOLDER", folder.toString()))
                    .end()
                    .text()
                    .replace("/etc/ufw", folder + "/ufw")
                    .replace("/etc/default/ufw", folder + "/default");
        }
        Process process = new ProcessBuilder("unshare", "-n", "sh", "-s").start();
        try (var in = process.getOutputStream()) {
            in.write(text.getBytes(UTF_8));
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return out.replace(NONCE + "\t", "").replace('\t', ' ').strip().replaceFirst("\n?end$", "");
    }

    @Test
    void undo_rulesOfTheOwnerAreThere_putsThePoliciesBack() throws Exception {
        assertThat(run("undo_firewall; iptables -S | grep -e '^-P' -e INPUT >&3"))
                .isEqualTo("""
                        -P INPUT DROP
                        -P FORWARD DROP
                        -P OUTPUT ACCEPT
                        -A INPUT -i lo -j ACCEPT
                        -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT""");
    }

    @Test
    void undo_rulesGoneWithAReboot_leavesTheHostReachableAndSaysSo() throws Exception {
        assertThat(run("iptables -F INPUT; undo_firewall && iptables -S | grep -e '^-P' -e INPUT >&3"))
                .isEqualTo("""
                        leftover iptables -P INPUT DROP, not put back: the rules are gone that admitted what it does not drop
                        -P INPUT ACCEPT
                        -P FORWARD DROP
                        -P OUTPUT ACCEPT""");
    }
}
