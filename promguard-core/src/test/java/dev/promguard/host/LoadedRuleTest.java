package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.host.HostFacts.AcceptFact;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoadedRuleTest {
    private static LoadedRule rule(String text) {
        return new LoadedRule(new AcceptFact(4, "ufw-user-input", text));
    }

    @ParameterizedTest
    @CsvSource({
        "6, INPUT, -i lo -j ACCEPT, true",
        "6, ufw6-before-input, -i lo -j ACCEPT, true",
        "4, INPUT, -i lo -j ACCEPT, false",
        "6, INPUT, -i lo+ -j ACCEPT, false",
        "6, INPUT, -j ACCEPT, false"
    })
    void isUfwsOwn_loopback_isWhatUfwLoadsWithoutIpv6Too(int family, String chain, String text, boolean ufws) {
        assertThat(new LoadedRule(new AcceptFact(family, chain, text)).isUfwsOwn())
                .isEqualTo(ufws);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-j ACCEPT",
                "",
                "-p tcp -j ACCEPT",
                "-p 6 -j ACCEPT",
                "-p all -j ACCEPT",
                "! -p udp -j ACCEPT",
                "-p tcp -m tcp --dport 9100 -j ACCEPT",
                "-p tcp -m tcp --dport 9000:9200 -j ACCEPT",
                "-p tcp -m tcp --dport :9200 -j ACCEPT",
                "-p tcp -m tcp ! --dport 9101 -j ACCEPT",
                "-p tcp -m multiport --dports 80,9100 -j ACCEPT",
                "-p tcp -m multiport --dports 80,9000:9200 -j ACCEPT",
                "-m conntrack --ctstate NEW,RELATED -j ACCEPT",
                "-m conntrack ! --ctstate RELATED,ESTABLISHED -j ACCEPT",
                "! -i lo -j ACCEPT",
                "-i lo+ -j ACCEPT",
                "-p tcp -m tcp --sport 80 -j ACCEPT",
                "-m recent --rcheck ! --dport 80 -j ACCEPT",
                "-m comment --comment \"--dport 80\" -j ACCEPT",
                "-m comment --comment \"x -o eth0\" -j ACCEPT",
                "-m comment --comment \"a\\\"b -i lo\" -j ACCEPT",
                "-m comment --comment -i -j ACCEPT",
                "-p tcp -m set --match-set office src -j ACCEPT"
            })
    void mayAdmit_ruleThatCouldLetThePortIn_isTakenToDoSo(String text) {
        assertThat(rule(text).mayAdmit(Protocol.TCP, 9100)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-i lo -j ACCEPT",
                "-p udp -j ACCEPT",
                "-p icmp -j ACCEPT",
                "-p tcp -m tcp --dport 9101 -j ACCEPT",
                "-p tcp -m tcp --dport 9101:9200 -j ACCEPT",
                "-p tcp -m multiport --dports 80,443 -j ACCEPT",
                "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                "-m state --state ESTABLISHED -j ACCEPT",
                "-i eth0 -o docker0 -j ACCEPT"
            })
    void mayAdmit_ruleThatSurelyDoesNot_doesNot(String text) {
        assertThat(rule(text).mayAdmit(Protocol.TCP, 9100)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "-s 10.0.0.1/32 -d 10.0.0.2/32 -i wg0 -p tcp -m tcp --dport 9100 -j ACCEPT, true",
        "-s 10.0.0.1 -d 10.0.0.2 -i wg0 -p tcp -m tcp --dport 9100 -m comment --comment \"a b\" -j ACCEPT, true",
        "-s 10.0.0.1/32 -d 10.0.0.2/32 -p tcp -m tcp --dport 9100 -j ACCEPT, false",
        "-s 10.0.0.0/24 -d 10.0.0.2/32 -i wg0 -p tcp -m tcp --dport 9100 -j ACCEPT, false",
        "-d 10.0.0.2/32 -i wg0 -p tcp -m tcp --dport 9100 -j ACCEPT, false",
        "-s 10.0.0.1/32 -i wg0 -p tcp -m tcp --dport 9100 -j ACCEPT, false",
        "! -s 10.0.0.1/32 -d 10.0.0.2/32 -i wg0 -p tcp -m tcp --dport 9100 -j ACCEPT, false",
        "-s 10.0.0.1/32 -d 10.0.0.2/32 ! -i wg0 -p tcp -m tcp --dport 9100 -j ACCEPT, false",
        "-s 10.0.0.1/32 -d 10.0.0.2/32 -i wg0 -p udp -m udp --dport 9100 -j ACCEPT, false",
        "-s 10.0.0.1/32 -d 10.0.0.2/32 -i wg0 -p tcp -m tcp --dport 9100:9101 -j ACCEPT, false"
    })
    void isFor_ruleOfABlueprint_onlyIfItIsExactlyThat(String text, boolean exactly) {
        FirewallRule desired = new FirewallRule(
                Optional.of("wg0"), Optional.of("10.0.0.1"), Optional.of("10.0.0.2"), 9100, Protocol.TCP, "a");
        assertThat(rule(text).isFor(desired)).isEqualTo(exactly);
    }

    @Test
    void isFor_ipv6_howeverItIsSpelled() {
        FirewallRule desired = new FirewallRule(
                Optional.of("wg0"), Optional.of("fd00::1"), Optional.of("fd00::2"), 9100, Protocol.TCP, "a");
        assertThat(rule("-s fd00:0:0:0:0:0:0:1/128 -d fd00::2/128 -i wg0 -p tcp -m tcp --dport 9100 -j ACCEPT")
                        .isFor(desired))
                .isTrue();
    }
}
