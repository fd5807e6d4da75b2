package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.host.HostFacts;
import dev.promguard.host.HostsFile;
import dev.promguard.host.KillSwitch;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FactsParserTest {
    static List<String> cases() throws Exception {
        try (Stream<Path> files = Files.list(folder())) {
            List<String> names =
                    files.map(file -> file.getFileName().toString()).sorted().toList();
            assertThat(names).allMatch(name -> name.endsWith(".input") || name.endsWith(".expected"));
            for (String name : names) {
                String stem = name.substring(0, name.lastIndexOf('.'));
                assertThat(names).contains(stem + ".input", stem + ".expected");
            }
            return names.stream()
                    .filter(name -> name.endsWith(".input"))
                    .map(name -> name.substring(0, name.lastIndexOf('.')))
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void facts_linesOfAHost_areReadAsWrittenDown(String name) throws Exception {
        assertThat(text(parse(Files.readString(folder().resolve(name + ".input")))))
                .isEqualTo(Files.readString(folder().resolve(name + ".expected")));
    }

    @Test
    void facts_anyLineLost_isRefusedOrOnlyLacksThatFact() throws Exception {
        List<String> lines = Files.readAllLines(folder().resolve("node.input"), UTF_8);
        for (int i = 0; i < lines.size(); i++) {
            List<String> rest = new java.util.ArrayList<>(lines);
            String lost = rest.remove(i);
            if (lost.startsWith("system\t")
                    || lost.equals("end")
                    || lost.equals("unit\t")
                    || lost.startsWith("fact\thosts-file\tblocks")
                    || lost.startsWith("fact\thosts-file\tsum")
                    || lost.startsWith("peer-preshared-key\t")) {
                assertThatThrownBy(() -> parse(String.join("\n", rest)))
                        .as(lost)
                        .isInstanceOf(FactsParser.MalformedException.class);
            } else if (lost.startsWith("hook4") || lost.startsWith("loaded4") || lost.startsWith("written4")) {
                assertThat(parse(String.join("\n", rest)).firewall().active())
                        .as(lost)
                        .isFalse();
            } else if (lost.startsWith("policy4")) {
                assertThat(parse(String.join("\n", rest)).firewall().denyIncoming())
                        .isFalse();
            } else if (lost.startsWith("fact\tkill-switch")) {
                assertThat(parse(String.join("\n", rest))
                                .killSwitch()
                                .covers(new KillSwitch(
                                        "10.0.0.0/24",
                                        "10.0.0.2",
                                        "wg0",
                                        new TreeSet<>(Set.of(9100, 9187)),
                                        Set.of("10.0.0.3"),
                                        9090,
                                        Set.of(),
                                        List.of())))
                        .as(lost)
                        .isFalse();
            } else if (lost.startsWith("anti-spoofing")) {
                assertThat(parse(String.join("\n", rest))
                                .wireGuard()
                                .orElseThrow()
                                .antiSpoofing())
                        .as(lost)
                        .isFalse();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "anti-spoofing\t",
                "anti-spoofing\t$(id)",
                "anti-spoofing\t10.0.0.2/32\t-j ACCEPT",
                "fact\tkill-switch\tunreachable\t$(id)",
                "fact\tkill-switch\tdropped\tdefault",
                "fact\tkill-switch\tdropped",
                "fact\tkill-switch\tdropped\t10.0.0.0/24\t10.0.0.0/24",
                "fact\tkill-switch\tguarded\t10.0.0.2/32",
                "fact\tkill-switch\tguarded\t$(id)",
                "fact\tkill-switch\tdenied\t10.0.0.0/24",
                "fact\tkill-switch",
                "fact\tsomething-else\tdropped\t10.0.0.0/24",
                "fact"
            })
    void facts_impossibleAntiSpoofingRule_isRefused(String line) throws Exception {
        String input = Files.readString(folder().resolve("node.input"));
        assertThatThrownBy(() -> parse(line + '\n' + input)).isInstanceOf(FactsParser.MalformedException.class);
    }

    @Test
    void facts_antiSpoofingRuleOfAnotherAddress_isNone() throws Exception {
        String input = Files.readString(folder().resolve("node.input"));
        assertThat(parse(input.replace("anti-spoofing\t10.0.0.2/32", "anti-spoofing\t10.0.0.3/32"))
                        .wireGuard()
                        .orElseThrow()
                        .antiSpoofing())
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"loaded4\t-p tcp -m tcp --dport 9100 -j ACCEPT", "loaded6\t-p tcp -m tcp --dport 9100 -j ACCEPT"
            })
    void facts_ruleLoadedByHand_isNotActive(String line) throws Exception {
        String input = Files.readString(folder().resolve("node.input"));
        assertThat(parse(input).firewall().active()).isTrue();
        assertThat(parse(line + '\n' + input).firewall().active()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "/etc/passwd",
                "/etc/systemd/system/ssh.socket",
                "/etc/systemd/system/../../passwd.service",
                "/etc/prometheus/../x.yml",
                "/etc/prometheus/a/b/c.yml",
                "/etc/promguard/../x",
                "/etc/promguard/x",
                "/opt/promguard/..",
                "/opt/promguard/a b",
                "/opt/other/x"
            })
    void facts_keptWherePromGuardKeepsNothing_isRefused(String path) {
        assertThatThrownBy(() -> parse("managed\t" + path)).isInstanceOf(FactsParser.MalformedException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "manifest\tNot a mesh",
                "manifest\t",
                "socket\ttcp\t0.0.0.0",
                "socket\ttcp\t0.0.0.0:65536",
                "socket\tsctp\t0.0.0.0:22",
                "socket\ttcp\t$(id):22"
            })
    void facts_impossibleManifestOrSocket_isRefused(String line) throws Exception {
        String input = Files.readString(folder().resolve("node.input"));
        assertThatThrownBy(() -> parse(line + '\n' + input)).isInstanceOf(FactsParser.MalformedException.class);
    }

    @ParameterizedTest
    @CsvSource({"yes,true", "no,false", ",", "maybe,false"})
    void facts_clock_isWhatSystemdSays(@Nullable String said, @Nullable Boolean expected) throws Exception {
        String input = Files.readString(folder().resolve("node.input"));
        assertThat(parse(input).clockSynchronized()).isEmpty();
        assertThat(parse("clock\t" + (said == null ? "" : said) + '\n' + input).clockSynchronized())
                .isEqualTo(Optional.ofNullable(expected));
    }

    @Test
    void facts_contentInPieces_isPutTogether() throws Exception {
        assertThat(withContents("content\t/etc/wireguard/wg0.conf\tYWJj\ncontent\t/etc/wireguard/wg0.conf\tZGU=\n"))
                .contains("abcde");
    }

    @Test
    void facts_contentOfAnotherSum_isNotBelieved() throws Exception {
        assertThat(withContents("content\t/etc/wireguard/wg0.conf\tYWJk\n")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/etc/systemd/system/node_exporter.service\tYWJj",
                "/etc/shadow\tYWJj",
                "/etc/wireguard/wg0.conf\tYW$j",
                "/etc/wireguard/wg0.conf\tYWJ=YWJj",
                "/etc/wireguard/wg0.conf\tYWJjZ",
                "/etc/wireguard/wg0.conf",
                "/etc/wireguard/wg0.conf\tLONG"
            })
    void facts_contentThatCannotBe_isRefused(String line) {
        assertThatThrownBy(() -> withContents("content\t" + line.replace("LONG", "YWJj".repeat(21_847)) + "\n"))
                .isInstanceOf(FactsParser.MalformedException.class);
    }

    /** What is in wg0.conf by these lines, if its sum is that of abcde. */
    private static Optional<String> withContents(String lines) throws Exception {
        FactsParser parser = new FactsParser(Queries.node(Map.of("/etc/wireguard/wg0.conf", "0".repeat(64))));
        String input = Files.readString(folder().resolve("node.input"))
                .replace(
                        "e3ea69c4eae7f5da053c6e62dcbf7a087b04f6726caa3756b31b730dfe9f9376",
                        "36bbe50ed96841d10443bcb670d6554f0a34b761be67ec9c4a8ad2c0c44ca42c");
        return Objects.requireNonNull(parse(parser, lines + input).files().get("/etc/wireguard/wg0.conf"))
                .content();
    }

    private static HostFacts parse(String input) throws FactsParser.MalformedException {
        return parse(new FactsParser(Queries.node()), input);
    }

    private static HostFacts parse(FactsParser parser, String input) throws FactsParser.MalformedException {
        for (String line : input.split("\n", -1)) {
            if (!line.isEmpty()) {
                parser.line(line);
            }
        }
        return parser.facts();
    }

    private static Path folder() throws URISyntaxException {
        return Path.of(Objects.requireNonNull(FactsParserTest.class.getResource("facts"))
                .toURI());
    }

    private static String text(HostFacts facts) throws IOException {
        StringBuilder text = new StringBuilder();
        line(text, "system", facts.osId() + ' ' + facts.osVersion() + ' ' + facts.machine());
        map(text, "package", facts.packages());
        new TreeSet<>(facts.users()).forEach(user -> line(text, "user", user));
        map(text, "file", facts.files());
        map(text, "unit", facts.units());
        map(text, "release", facts.releases());
        facts.wireGuard().ifPresent(wireGuard -> {
            line(
                    text,
                    "wireguard",
                    wireGuard.publicKey() + " " + wireGuard.listenPort() + ' ' + wireGuard.addresses()
                            + " anti-spoofing=" + wireGuard.antiSpoofing());
            wireGuard.peers().forEach(peer -> line(text, "peer", peer.toString()));
        });
        line(text, "kill switch", facts.killSwitch().toString());
        line(text, "names", facts.of(HostsFile.FACTS).toString());
        line(text, "key", facts.keyFilePublicKey() + " safe=" + facts.keyFileSafe());
        HostFacts.FirewallFact firewall = facts.firewall();
        line(
                text,
                "firewall",
                "active=" + firewall.active() + " denyIncoming=" + firewall.denyIncoming() + " atBoot="
                        + firewall.atBoot());
        firewall.rules().forEach(rule -> line(text, "rule", rule.toString()));
        firewall.foreign().forEach(rule -> line(text, "foreign", rule));
        firewall.accepting()
                .forEach(rule -> line(text, "accept", rule.family() + " " + rule.chain() + " [" + rule.rule() + ']'));
        map(text, "pending", facts.pendingUnits());
        facts.kept().forEach(path -> line(text, "managed", path));
        line(text, "addresses", facts.addresses().toString());
        facts.manifest().ifPresent(manifest -> {
            line(text, "manifest", manifest.mesh());
            new TreeSet<>(manifest.things()).forEach(thing -> line(text, "thing", thing));
        });
        facts.listening().forEach(socket -> line(text, "socket", socket.toString()));
        return text.toString();
    }

    private static void map(StringBuilder text, String kind, Map<String, ?> values) {
        new TreeMap<>(values).forEach((key, value) -> line(text, kind, key + ' ' + value));
    }

    private static void line(StringBuilder text, String kind, String value) {
        text.append(kind).append(": ").append(value).append('\n');
    }
}
