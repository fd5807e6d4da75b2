package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.change.HostFacts;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
            }
        }
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
                "ledger\tNot a mesh",
                "ledger\t",
                "socket\ttcp\t0.0.0.0",
                "socket\ttcp\t0.0.0.0:65536",
                "socket\tsctp\t0.0.0.0:22",
                "socket\ttcp\t$(id):22"
            })
    void facts_impossibleLedgerOrSocket_isRefused(String line) throws Exception {
        String input = Files.readString(folder().resolve("node.input"));
        assertThatThrownBy(() -> parse(line + '\n' + input)).isInstanceOf(FactsParser.MalformedException.class);
    }

    private static HostFacts parse(String input) throws FactsParser.MalformedException {
        FactsParser parser = new FactsParser(Queries.node());
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
            line(text, "wireguard", wireGuard.publicKey() + " " + wireGuard.listenPort() + ' ' + wireGuard.addresses());
            wireGuard.peers().forEach(peer -> line(text, "peer", peer.toString()));
        });
        line(text, "key", facts.keyFilePublicKey() + " safe=" + facts.keyFileSafe());
        HostFacts.FirewallFact firewall = facts.firewall();
        line(
                text,
                "firewall",
                "active=" + firewall.active() + " denyIncoming=" + firewall.denyIncoming() + " atBoot="
                        + firewall.atBoot());
        firewall.rules().forEach(rule -> line(text, "rule", rule.toString()));
        firewall.foreign().forEach(rule -> line(text, "foreign", rule));
        map(text, "owed", facts.pendingUnits());
        line(text, "addresses", facts.addresses().toString());
        facts.ledger().ifPresent(ledger -> {
            line(text, "ledger", ledger.mesh());
            new TreeSet<>(ledger.things()).forEach(thing -> line(text, "thing", thing));
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
