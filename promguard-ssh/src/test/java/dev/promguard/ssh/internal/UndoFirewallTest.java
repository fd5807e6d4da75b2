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
                    .replace("/etc/default/ufw", folder + "/default/ufw");
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

    /** What ufw writes down of the two rules was printed by ufw 0.36.2. */
    @Test
    void apply_hostThatForwards_goesOnForwardingAndNothingOfItStays() throws Exception {
        String begin = """
                mkdir -p FOLDER/default; iptables -F; iptables -P INPUT ACCEPT; iptables -P FORWARD ACCEPT; ip6tables -P FORWARD ACCEPT
                cat() { case $1 in /proc/sys/*) echo 1 ;; *) command cat "$@" ;; esac; }
                printf 'DEFAULT_INPUT_POLICY="DROP"\\nDEFAULT_FORWARD_POLICY="DROP"\\n' >DEFAULT
                mkdir -p FOLDER/state/rollback FOLDER/ufw; echo wg0 >FOLDER/state/rollback/interface
                printf '*filter\\nCOMMIT\\n' >FOLDER/ufw/user.rules; : >FOLDER/ufw/ufw.conf
                rm -rf $MANIFEST/ufw; note_firewall
                ufw() { echo "ufw $*" >&3; }
                """.replace("DEFAULT\n", folder + "/default/ufw\n");
        String tuple = "### tuple ### route:deny any any 0.0.0.0/0 any 0.0.0.0/0 in_wg0"
                + " comment=50726f6d4775617264206e6f20666f7277617264696e67";

        assertThat(run(begin + "forwards_for_others && keep_forwarding; grep FORWARD FOLDER/default/ufw >&3"))
                .isEqualTo("""
                        ufw route deny in on wg0 comment PromGuard no forwarding
                        ufw route deny out on wg0 comment PromGuard no forwarding
                        DEFAULT_FORWARD_POLICY="ACCEPT\"""");
        assertThat(run(begin
                        + "sed -i 's/FORWARD_POLICY=\"DROP/FORWARD_POLICY=\"ACCEPT/' FOLDER/default/ufw; keeps_forwarding || echo theirs >&3;"
                        + " printf '%s\n' '" + tuple + "' '" + tuple.replace("in_", "out_")
                        + "' >FOLDER/ufw/user.rules;"
                        + " keeps_forwarding && echo kept >&3;"
                        + " sed -i 's/ACCEPT/DROP/' FOLDER/default/ufw; keeps_forwarding || echo dropped >&3"))
                .as("what is kept is neither a change nor written again")
                .isEqualTo("""
                        theirs
                        kept
                        dropped""");
        assertThat(run(begin
                        + "keep_forwarding 3>/dev/null; printf '*filter\\n%s\\n-A ufw-user-forward -i wg0 -j DROP\\n\\nCOMMIT\\n' '"
                        + tuple
                        + "' >FOLDER/ufw/user.rules; undo_firewall; cat FOLDER/ufw/user.rules FOLDER/default/ufw >&3"))
                .isEqualTo("""
                        ufw --force disable
                        *filter
                        COMMIT
                        DEFAULT_INPUT_POLICY="DROP"
                        DEFAULT_FORWARD_POLICY="DROP\"""");
    }

    @Test
    void forwards_notAtAllOrByRulesAlone_isNoReasonToForwardEverything() throws Exception {
        String forwarding = "cat() { echo 1; }\n";
        assertThat(run("cat() { echo 0; }\niptables -P FORWARD ACCEPT; forwards_for_others || echo no >&3"))
                .isEqualTo("no");
        assertThat(run(forwarding + "iptables -P FORWARD DROP; forwards_for_others || echo no >&3"))
                .as("as Docker has it")
                .isEqualTo("no");
        assertThat(run(forwarding + "iptables -P FORWARD ACCEPT; forwards_for_others && echo yes >&3"))
                .isEqualTo("yes");
    }

    /** What ufw 0.36.2 loads where IPV6=no, and leaves loaded when it is disabled. */
    @Test
    void undo_ipv6SwitchedOffInUfw_takesItsLoopbackRulesToo() throws Exception {
        String ofUfw = "ip6tables -A INPUT -i lo -j ACCEPT; ip6tables -A OUTPUT -o lo -j ACCEPT;"
                + " mkdir -p FOLDER/default; echo 'IPV6=%s' >FOLDER/default/ufw;"
                + " undo_firewall && ip6tables -S | grep -e ' lo ' >&3";

        assertThat(run(String.format(ofUfw, "no"))).isEmpty();
        assertThat(run(String.format(ofUfw, "yes"))).as("the owner's").isEqualTo("""
                        -A INPUT -i lo -j ACCEPT
                        -A OUTPUT -o lo -j ACCEPT""");
    }

    /** ufw 0.36.2 writes its file for IPv6 without a rule where IPV6=no, and shows none. */
    @Test
    void undo_ipv6SwitchedOffInUfw_bringsTheOwnersRulesForItBack() throws Exception {
        String begin = """
                mkdir -p FOLDER/default FOLDER/ufw; echo 'IPV6=%s' >FOLDER/default/ufw; : >FOLDER/ufw/ufw.conf
                printf '*filter\n### tuple ### allow tcp 22 ::/0 any ::/0 in\n-A ufw6-user-input -p tcp --dport 22 -j ACCEPT\n\nCOMMIT\n' \
                    >FOLDER/ufw/user6.rules
                rm -rf $MANIFEST/ufw; note_firewall
                printf '*filter\n%s\nCOMMIT\n' >FOLDER/ufw/user6.rules
                undo_firewall; grep tuple FOLDER/ufw/user6.rules >&3
                """;
        String others = "### tuple ### allow tcp 443 ::/0 any ::/0 in";

        assertThat(run(String.format(begin, "no", ""))).isEqualTo("### tuple ### allow tcp 22 ::/0 any ::/0 in");
        assertThat(run(String.format(begin, "off", "")))
                .as("anything but yes")
                .isEqualTo("### tuple ### allow tcp 22 ::/0 any ::/0 in");
        assertThat(run(String.format(begin, "yes", "")))
                .as("the owner has deleted it")
                .isEmpty();
        assertThat(run(String.format(begin, "no", others)))
                .as("somebody has added one")
                .endsWith(others);
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
