package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.host.FactsByResource;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.Ruleset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The facts about packet filters, read from this machine's kernel in a network namespace of its own. */
@Timeout(60)
class RulesetTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";

    @TempDir
    Path folder;

    @BeforeEach
    void needsANamespace() throws Exception {
        Process namespace = new ProcessBuilder("unshare", "-n", "iptables", "-S").start();
        assumeTrue(namespace.waitFor() == 0, "needs root, for a network namespace, and iptables");
    }

    /** What the facts are after some shell, with blanks for tabs. The files of ufw are those in a folder of the test. */
    private List<String> facts(String shell) throws Exception {
        String text;
        try (Script script = Script.begin(NONCE)) {
            text = script.shell(shell).call("facts_ruleset").end().text();
        }
        Process process = new ProcessBuilder("unshare", "-n", "sh", "-s")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (var in = process.getOutputStream()) {
            in.write(text.replace("/etc/ufw/", folder + "/")
                    .replace("/etc/default/ufw", folder + "/default")
                    .getBytes(UTF_8));
        }
        List<String> lines = new String(process.getInputStream().readAllBytes(), UTF_8)
                .lines()
                .filter(line -> line.startsWith(NONCE + "\tfact\truleset\t"))
                .map(line -> line.substring((NONCE + "\tfact\truleset\t").length()))
                .toList();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return lines;
    }

    private static Ruleset read(List<String> lines) throws Exception {
        FactsByResource.Collector collector = new FactsByResource.Collector(new FactsQuery(
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                "wg0",
                "/etc/wireguard/wg0.key",
                Map.of(),
                List.of(new FactsQuery.ResourceCall(Ruleset.FACTS, List.of()))));
        collector.lines(Ruleset.FACTS, lines);
        return collector.facts().of(Ruleset.FACTS);
    }

    @Test
    void facts_rulesOfIptables_areReadInOrderWithoutCountersAndForwarding() throws Exception {
        List<String> lines = facts("""
                ip link set lo up
                iptables -A INPUT -p udp --sport 123 -j ACCEPT
                iptables -A INPUT -m comment --comment 'caf\\303\\251 "x"' -j REJECT --reject-with icmp-host-prohibited
                iptables -A FORWARD -j DROP
                iptables -t nat -A PREROUTING -p tcp --dport 9100 -j DNAT --to-destination 172.17.0.2:80
                ip6tables -P OUTPUT DROP
                timeout 1 bash -c 'exec 3<>/dev/tcp/127.0.0.1/9' || :""");

        assertThat(lines)
                .containsSubsequence(
                        "nft-ip4\t*filter",
                        "nft-ip4\t:INPUT ACCEPT",
                        "nft-ip4\t:OUTPUT ACCEPT",
                        "nft-ip4\t-A INPUT -p udp -m udp --sport 123 -j ACCEPT")
                .containsSubsequence(
                        "nft-ip4\t*nat",
                        "nft-ip4\t-A PREROUTING -p tcp -m tcp --dport 9100 -j DNAT --to-destination 172.17.0.2:80")
                .contains("nft-ip6\t:OUTPUT DROP")
                .anyMatch(line -> line.matches(
                        "nft-ip4\t-A INPUT -m comment --comment \".*\" -j REJECT --reject-with icmp-host-prohibited"))
                .noneMatch(line -> line.contains("FORWARD"))
                .noneMatch(line -> line.contains("#"));
        assertThat(read(lines).lines()).hasSize(lines.size());
    }

    @Test
    void facts_filesAndSettingsOfUfwAndTheWayOut_areRead() throws Exception {
        Files.writeString(folder.resolve("user.rules"), """
                *filter
                :ufw-user-input - [0:0]
                ### RULES ###

                ### tuple ### deny tcp 9100 0.0.0.0/0 any 0.0.0.0/0 in
                -A ufw-user-input -p tcp --dport 9100 -j DROP
                -A ufw-user-forward -j DROP
                COMMIT
                """);
        Files.writeString(folder.resolve("before6.rules"), "*filter\n-A ufw6-before-input -i lo -j ACCEPT\nCOMMIT\n");
        Files.writeString(folder.resolve("default"), "IPV6=no\nDEFAULT_OUTPUT_POLICY=\"DROP\"\nIPT_SYSCTL=/etc/x\n");

        List<String> lines = facts("""
                ip link add eth0 type veth peer name gateway
                ip address add 192.0.2.2/24 dev eth0
                ip link set eth0 up
                ip link set gateway up
                ip route add default via 192.0.2.1""");

        assertThat(lines)
                .containsExactlyInAnyOrder(
                        "ufw4\t*filter",
                        "ufw4\t:ufw-user-input -",
                        "ufw4\t-A ufw-user-input -p tcp --dport 9100 -j DROP",
                        "ufw6\t*filter",
                        "ufw6\t-A ufw6-before-input -i lo -j ACCEPT",
                        "outside\teth0",
                        "setting\tIPV6\tno",
                        "setting\tDEFAULT_OUTPUT_POLICY\tDROP");
        assertThat(read(lines).outside()).containsExactly("eth0");
        assertThat(read(lines).settings()).containsEntry("IPV6", "no").hasSize(2);
    }

    @Test
    void facts_moreRulesThanAnybodyCanCheck_areCutAndSaySo() throws Exception {
        List<String> lines = facts("""
                { printf '*filter\\n'; seq -f '-A INPUT -s 10.0.%g.0/24 -j DROP' 0 255; seq -f '-A INPUT -p udp --dport %g -j DROP' 1 9000; \
                printf 'COMMIT\\n'; } | iptables-restore""");

        assertThat(lines).hasSize(8001).contains("cut");
        assertThat(read(lines).cut()).isTrue();
    }

    /** ufw leaves a rule that is there where it is, whatever it is asked. */
    @Test
    void applyRule_prepend_takesTheRuleAwayAndPutsItFirst() throws Exception {
        Path asked = folder.resolve("asked");
        facts("ufw() { printf '%s\\n' \"$*\" >>ASKED; }\n".replace("ASKED", asked.toString())
                + "apply_rule prepend allow in on wg0 proto tcp from 10.0.0.1 to any port 9100 comment 'a b c'");

        assertThat(asked).hasContent("""
                        delete allow in on wg0 proto tcp from 10.0.0.1 to any port 9100
                        prepend allow in on wg0 proto tcp from 10.0.0.1 to any port 9100 comment a b c
                        """);
    }

    @Test
    void facts_toReadThem_changesNothing() throws Exception {
        assertThat(facts("")).isEmpty();
        assertThat(facts(
                        "facts_ruleset\niptables-save >FILE\nip6tables-save >>FILE".replace("FILE", folder + "/after")))
                .isEmpty();
        assertThat(folder.resolve("after")).isEmptyFile();
    }
}
