package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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

    private static final String NO_FORWARDING = """
            echo 0 >/proc/sys/net/ipv4/ip_forward
            echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
            ip link add guest0 type veth peer name guest1
            iptables -P FORWARD ACCEPT
            ip6tables -P FORWARD ACCEPT
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void needNamespace() throws Exception {
        Process namespace = new ProcessBuilder("unshare", "-n", "iptables", "-S").start();
        assumeTrue(namespace.waitFor() == 0, "needs root, for a network namespace, and iptables");
    }

    private String run(String shell) throws Exception {
        return run(Map.of(), shell);
    }

    private String run(Map<String, String> environment, String shell) throws Exception {
        String text;
        try (Script script = Script.begin(NONCE)) {
            text = script.shell((HOST + shell).replace("FOLDER", folder.toString()))
                    .end()
                    .text()
                    .replace("/etc/ufw", folder + "/ufw")
                    .replace("/etc/default/ufw", folder + "/default/ufw")
                    .replace("/lib/ufw", folder + "/lib-ufw");
        }
        ProcessBuilder builder = new ProcessBuilder("unshare", "-n", "sh", "-s");
        builder.environment().putAll(environment);
        Process process = builder.start();
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

    /** A ufw that was on and that nothing was to bring up at boot, as its owner wants it, is so again. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "masked | systemctl mask -- ufw.service;leftover ufw.service, masked as it was before",
                "disabled | systemctl disable ufw.service",
                "enabled | ''"
            })
    void undo_ufwThatWasOn_comesUpAtBootAsBefore(String state, String done) throws Exception {
        assertThat(run("""
                        rm -rf $MANIFEST/ufw; mkdir -p FOLDER/ufw; echo ENABLED=yes >FOLDER/ufw/ufw.conf
                        systemctl() { case $1 in is-enabled) echo STATE ;; *) echo "systemctl $*" >&3 ;; esac; }
                        reload_closed() { :; }
                        note_firewall && undo_firewall
                        """.replace("STATE ;;", state + " ;;"))).isEqualTo(done.replace(';', '\n'));
    }

    /** A line in before.rules that the owner wrote by hand and never tried, say: ufw has taken its chains away by then. */
    @ParameterizedTest
    @CsvSource({
        "reload_closed, 'ufw could not load its rules (/lib-ufw/ufw-init start says why), and those that were loaded before are again'",
        "restore_firewall, ''"
    })
    void reload_rulesThatUfwCannotLoad_leavesThoseThatWereLoaded(String function, String why) throws Exception {
        Path init = Files.createDirectories(folder.resolve("lib-ufw")).resolve("ufw-init");
        Files.writeString(init, "#!/bin/sh\niptables -N ufw-before-input\nexit 1\n");
        Files.setPosixFilePermissions(init, PosixFilePermissions.fromString("rwxr-xr-x"));

        assertThat(run("""
                                iptables -A ufw-before-input -p tcp --dport 2222 -j ACCEPT
                                saved=FOLDER/saved; mkdir $saved; : >$saved/ufw-enabled
                                iptables -S >FOLDER/then; ip6tables -P INPUT DROP; ip6tables -S >>FOLDER/then
                                save_loaded $saved
                                [ FUNCTION = reload_closed ] || { iptables -F; ip6tables -P INPUT ACCEPT; }
                                FUNCTION || say "$WHY"
                                { iptables -S; ip6tables -S; } | diff FOLDER/then - >&3 && say same
                                """.replace("FUNCTION", function)).replace(folder.toString(), ""))
                .isEqualTo((why.isEmpty() ? "" : why + "\n") + "same");
    }

    /** A setting that lies elsewhere stays there, and is put back there. */
    @Test
    void undo_settingsBehindALink_putsThemBackWhereTheyAre() throws Exception {
        String link = """
                mkdir -p FOLDER/default FOLDER/ufw; : >FOLDER/ufw/ufw.conf
                echo 'DEFAULT_FORWARD_POLICY="DROP"' >FOLDER/default/mine; ln -s mine FOLDER/default/ufw
                """.replace("default/ufw\n", "default/ufw; rm -rf $MANIFEST/ufw; note_firewall\n");
        String changed = "sed -i 's/DROP/ACCEPT/' FOLDER/default/mine; ";
        String look = "cat FOLDER/default/mine >&3; [ -L FOLDER/default/ufw ] && say link";

        assertThat(run(link + changed + "undo_firewall; " + look)).isEqualTo("DEFAULT_FORWARD_POLICY=\"DROP\"\nlink");
        String copy = (folder + "/default/ufw").substring(1).replace('/', ':');
        assertThat(run("rm FOLDER/default/ufw; " + link
                        + "saved=FOLDER/saved; mkdir -p $saved/ufw; cp -pL FOLDER/default/ufw $saved/ufw/COPY; "
                                .replace("COPY", copy)
                        + changed + "restore_ufw; " + look))
                .isEqualTo("DEFAULT_FORWARD_POLICY=\"DROP\"\nlink");
    }

    /** What ufw writes down of the two rules was printed by ufw 0.36.2. */
    @Test
    void apply_hostThatForwards_goesOnForwardingAndNothingOfItStays() throws Exception {
        String begin = """
                mkdir -p FOLDER/default; iptables -F; iptables -P INPUT ACCEPT; iptables -P FORWARD ACCEPT; ip6tables -P FORWARD ACCEPT
                echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
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

    /** While somebody has stopped ufw.service, say: what its owner decided about forwarding is not changed, as the plan tells. */
    @ParameterizedTest
    @CsvSource({"yes, 0", "no, 2"})
    void apply_ufwThatIsOnAndNotLoaded_leavesItsForwardingAlone(String enabled, String routes) throws Exception {
        assertThat(run(NO_FORWARDING
                        + """
                        echo 1 >/proc/sys/net/ipv4/ip_forward
                        mkdir -p FOLDER/ufw FOLDER/default FOLDER/state/rollback; echo wg0 >FOLDER/state/rollback/interface
                        echo ENABLED=IS >FOLDER/ufw/ufw.conf; : >FOLDER/ufw/user.rules
                        printf 'DEFAULT_INPUT_POLICY="DROP"\\nDEFAULT_FORWARD_POLICY="DROP"\\n' >FOLDER/default/ufw; true
                        ufw() { echo "$*" >>FOLDER/calls; }
                        firewall_loaded() { :; }
                        ip6tables() { echo '-P INPUT DROP'; }
                        apply_firewall; grep -c route FOLDER/calls >&3
                        """.replace("ENABLED=IS", "ENABLED=" + enabled)
                                .replace("default/ufw; true", "default/ufw ; true")))
                .isEqualTo(routes);
    }

    @Test
    void forwards_notAtAllOrByRulesAlone_isNoReasonToForwardEverything() throws Exception {
        assertThat(run(NO_FORWARDING + "forwards_for_others || echo no >&3")).isEqualTo("no");
        assertThat(run(NO_FORWARDING + "echo 1 >/proc/sys/net/ipv4/ip_forward; iptables -P FORWARD DROP;"
                        + " forwards_for_others || echo no >&3"))
                .as("as Docker has it")
                .isEqualTo("no");
    }

    /** Each would be cut off by ufw's policy for what is passed on. */
    @ParameterizedTest
    @CsvSource({
        "echo 1 >ipv4/ip_forward, ' 4'",
        "echo 1 >ipv4/conf/guest0/forwarding, ' 4'",
        "echo 1 >ipv6/conf/all/forwarding, ' 6'",
        "echo 1 >ipv4/ip_forward; echo 1 >ipv6/conf/all/forwarding, ' 4 6'",
        "ip link set guest0 master br0, ' 4 6'",
        "ip link set guest0 master br0; echo 0 >bridge/bridge-nf-call-iptables, ' 6'",
        "ip link set guest0 master br0; echo 0 | tee bridge/bridge-nf-call-iptables bridge/bridge-nf-call-ip6tables, ' none'",
        "ip link set guest0 up; ip link set br0 up, ' none'"
    })
    void forwards_routedOrBridged_isSeen(String how, String expected) throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/sys/net/bridge/bridge-nf-call-iptables")), "needs br_netfilter");

        assertThat(run(NO_FORWARDING + "ip link add br0 type bridge; cd /proc/sys/net; " + how
                        + "; forwards_for_others || FORWARDED=' none'; echo \"of$FORWARDED\" >&3"))
                .isEqualTo("of" + expected);
    }

    /** A host that routes one of IPv4 and IPv6 for everybody and the other by rules goes on doing both, and no more. */
    @ParameterizedTest
    @CsvSource({
        "iptables -P FORWARD ACCEPT; ip6tables -P FORWARD DROP, 0.0.0.0/0",
        "iptables -P FORWARD DROP; ip6tables -P FORWARD ACCEPT, ::/0"
    })
    void forwards_oneFamilyByRules_theOtherIsAdmittedByARuleAndNothingOfItStays(String policies, String any)
            throws Exception {
        String begin = NO_FORWARDING + """
                echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
                mkdir -p FOLDER/default FOLDER/ufw FOLDER/state/rollback; echo wg0 >FOLDER/state/rollback/interface
                printf 'DEFAULT_INPUT_POLICY="DROP"\nDEFAULT_FORWARD_POLICY="DROP"\n' >POLICY
                for six in '' 6; do printf '*filter\nCOMMIT\n' >FOLDER/ufw/user$six.rules; done
                : >FOLDER/ufw/ufw.conf; rm -rf $MANIFEST/ufw
                note_firewall
                ufw() { echo "ufw $*" >&3; }
                """.replace("POLICY\n", folder + "/default/ufw\n") + policies + "\n";
        assertThat(run(begin + "forwards_for_others && keep_forwarding; grep FORWARD FOLDER/default/ufw >&3"))
                .isEqualTo("""
                        ufw route deny in on wg0 comment PromGuard no forwarding
                        ufw route deny out on wg0 comment PromGuard no forwarding
                        ufw route allow from ANY to ANY comment PromGuard forwarding
                        DEFAULT_FORWARD_POLICY="DROP\"""".replace("ANY", any));
        String tuple =
                "### tuple ### route:%s any any %s any %s %s comment=50726f6d4775617264%s20666f7277617264696e67\n";
        String deny = tuple.formatted("deny", "0.0.0.0/0", "0.0.0.0/0", "%s_wg0", "206e6f");
        String allow = tuple.formatted("allow", any, any, "in", "");
        String written = "printf '*filter\n" + deny.formatted("in") + "\n" + deny.formatted("out")
                + "\nCOMMIT\n' >FOLDER/ufw/user.rules; printf '"
                + allow + "-A ufw-user-forward -j ACCEPT\n\n' >>FOLDER/ufw/"
                + (any.contains(":") ? "user6.rules" : "user.rules") + "; ";
        assertThat(run(begin + written + "keeps_forwarding && echo kept >&3; undo_firewall;"
                        + " cat FOLDER/ufw/user.rules FOLDER/ufw/user6.rules >&3"))
                .isEqualTo("""
                        kept
                        ufw --force disable
                        *filter
                        COMMIT
                        *filter
                        COMMIT""");
    }

    /** A full or missing folder for temporary files, and options in the environment, are no reason to remove nothing and to say that it is done. */
    @Test
    void manifest_programsLedAstrayByTheEnvironment_isReadFromItsEnd() throws Exception {
        assertThat(run(Map.of("TMPDIR", "/nonexistent", "POSIXLY_CORRECT", "1", "GREP_OPTIONS", "-v"), """
                        printf 'unit a\\nfile /b\\nunit c\\n' >$MANIFEST/things
                        manifest_entries unit >&3; echo "left:${TMPDIR-}${POSIXLY_CORRECT-}${GREP_OPTIONS-}" >&3"""))
                .isEqualTo("""
                        c
                        a
                        left:""");
    }

    /** What the spec allowed was open before, and stays so where ufw stays on for rules of others. */
    @Test
    void undo_ufwStaysOnForRulesOfOthers_keepsWhatTheSpecAllowed() throws Exception {
        String rules = """
                mkdir -p FOLDER/ufw FOLDER/default; : >FOLDER/ufw/ufw.conf; printf 'DEFAULT_INPUT_POLICY="ACCEPT"\\n' >FOLDER/default/ufw
                printf '*filter\\nCOMMIT\\n' >FOLDER/ufw/user.rules; rm -rf $MANIFEST/ufw; note_firewall
                note rule allow proto tcp from any to any port 22 comment OpenSSH
                note rule allow proto tcp from any to any port 8080 comment 'PromGuard allow'
                note rule allow proto udp from any to any port 51820 comment WireGuard
                {
                    echo '*filter'
                    for what in 'tcp 22' 'tcp 8080' 'udp 51820'; do
                        printf '### tuple ### allow %s 0.0.0.0/0 any 0.0.0.0/0 in comment=41\\n-A ufw-user-input -j ACCEPT\\n\\n' "$what"
                    done
                    printf '### tuple ### allow tcp 8081 0.0.0.0/0 any 203.0.113.4 in\\n-A ufw-user-input -j ACCEPT\\n\\nCOMMIT\\n'
                } >FOLDER/ufw/user.rules
                reload_closed() { :; }
                undo_firewall
                grep -o 'allow ... [0-9]*' FOLDER/ufw/user.rules >&3
                """;
        assertThat(run(rules)).isEqualTo("""
                leftover ufw stays on and denies what no rule admits, with the rules that admit SSH and the allowed ports: rules were added that are not from PromGuard
                allow tcp 22
                allow tcp 8080
                allow tcp 8081""");
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
