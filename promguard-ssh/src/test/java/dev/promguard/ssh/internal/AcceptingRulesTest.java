package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The facts script, in a real shell, with a program that prints what iptables might. */
class AcceptingRulesTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";

    private static List<String> accepted(Path folder, String... loaded) throws Exception {
        Path rules = Files.writeString(folder.resolve("rules"), String.join("\n", loaded) + '\n');
        Path iptables = Files.writeString(folder.resolve("iptables"), "#!/bin/sh\ncat '" + rules + "'\n");
        assertThat(iptables.toFile().setExecutable(true)).isTrue();
        try (Script script = Script.begin(NONCE)) {
            script.call("facts_rules", "4", "ufw", iptables.toString(), "/nowhere")
                    .end();
            Process shell = new ProcessBuilder("sh", "-s")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (OutputStream in = shell.getOutputStream()) {
                in.write(script.text().getBytes(UTF_8));
            }
            String out = new String(shell.getInputStream().readAllBytes(), UTF_8);
            assertThat(shell.waitFor()).isZero();
            return out.lines()
                    .filter(line -> line.startsWith(NONCE + "\taccept4\t"))
                    .map(line -> line.substring(NONCE.length() + "\taccept4\t".length()))
                    .toList();
        }
    }

    @Test
    void rules_everyOneThatAcceptsIncomingPackets_isSentWhereverItStands(@TempDir Path folder) throws Exception {
        assertThat(accepted(
                        folder,
                        "-P INPUT DROP",
                        "-N ufw-user-input",
                        "-A INPUT -j ufw-before-input",
                        "-A INPUT -p tcp -m tcp --dport 9100 -j ACCEPT",
                        "-A INPUT -i eth0 -j theirs-forward",
                        "-A theirs-forward -j ACCEPT",
                        "-A ufw-before-input -i lo -j ACCEPT",
                        "-A ufw-before-input -m conntrack --ctstate INVALID -j DROP",
                        "-A ufw-user-input -p tcp -m tcp --dport 80 -m comment --comment \"-j ACCEPT\" -j DROP",
                        "-A ufw-user-input -p tcp -m tcp --dport 2222 -j ufw-user-limit-accept",
                        "-A ufw-user-input -m comment --comment \"x -o y\" -j ACCEPT",
                        "-A ufw-before-forward -j ACCEPT",
                        "-A ufw-track-output -p tcp -j ACCEPT",
                        "-A FORWARD -j ACCEPT",
                        "-A OUTPUT -j ACCEPT"))
                .containsExactly(
                        "INPUT -p tcp -m tcp --dport 9100 -j ACCEPT",
                        "theirs-forward -j ACCEPT",
                        "ufw-before-input -i lo -j ACCEPT",
                        "ufw-user-input -p tcp -m tcp --dport 2222 -j ufw-user-limit-accept",
                        "ufw-user-input -m comment --comment \"x -o y\" -j ACCEPT");
    }
}
