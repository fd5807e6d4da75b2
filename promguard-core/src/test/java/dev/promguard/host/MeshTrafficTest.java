package dev.promguard.host;

import dev.promguard.Golden;
import dev.promguard.Mesh;
import dev.promguard.SpecFile;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.HostFacts.FirewallFact;
import dev.promguard.keys.PublicKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Which rules of others the mesh's packets do not pass. An input names a host of a mesh of a monitor (10.0.0.1) and two nodes (10.0.0.2 and
 * 10.0.0.3, with the public addresses 203.0.113.11 to 13), and has the texts of its packet filters as their commands print them, each
 * behind a line {@code == KIND}.
 */
class MeshTrafficTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/host/traffic");
    private static final Blueprint MESH =
            Mesh.builder().name("shop").monitor("tor1").nodes(2).blueprint();

    static List<String> inputs() {
        return GOLDEN.names();
    }

    private static DesiredHost desired(String name) {
        Map<String, String> addresses = new HashMap<>();
        Map<String, PublicKey> keys = new HashMap<>();
        for (Blueprint.Host host : MESH.hosts()) {
            addresses.put(host.name(), "203.0.113." + (11 + addresses.size()));
            keys.put(host.name(), SpecFile.publicKey(host.name()));
        }
        return new Renderer().render(MESH, name, addresses, keys);
    }

    private static HostFacts facts(String address, List<String> lines) throws MalformedFactsException {
        FactsQuery.Builder query = new FactsQuery.Builder();
        query.resource(Ruleset.FACTS);
        FactsByResource.Collector collector = new FactsByResource.Collector(query.build());
        collector.lines(Ruleset.FACTS, lines);
        return new HostFacts(
                "debian",
                "12",
                "x86_64",
                Map.of(),
                Set.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Optional.empty(),
                collector.facts(),
                Optional.empty(),
                true,
                new FirewallFact(true, true, true, List.of(), List.of(), List.of()),
                Map.of(),
                List.of(address + "/20"),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                List.of(),
                false);
    }

    @ParameterizedTest
    @MethodSource("inputs")
    void of_rulesOfOthers_findsThoseThatTheMeshsPacketsDoNotPass(String name) throws Exception {
        String host = "";
        String kind = "";
        List<String> lines = new ArrayList<>(List.of("outside\teth0"));
        for (String line : GOLDEN.read(name + ".input").lines().toList()) {
            if (line.startsWith("host ")) {
                host = line.substring("host ".length());
            } else if (line.startsWith("== ")) {
                kind = line.substring("== ".length());
            } else if (!line.isBlank() && !line.startsWith("#") && !line.equals("COMMIT")) {
                lines.add(kind
                        + '\t'
                        + line.strip()
                                .replaceAll(" \\[[0-9:]+]$", "")
                                .replace(kind.equals("setting") ? "=" : "\0", "\t"));
            }
        }
        DesiredHost desired = desired(host);
        int number = MESH.hosts().indexOf(MESH.host(host));

        MeshTraffic traffic = MeshTraffic.of(desired, facts("203.0.113." + (11 + number), lines));

        StringBuilder text = new StringBuilder();
        for (MeshTraffic.Blocked blocked : traffic.blocked()) {
            text.append(blocked.problem().text()).append('\n');
        }
        desired.firewall()
                .forEach(rule -> traffic.before(rule)
                        .ifPresent(other -> text.append(rule.describe() + " goes before " + other.describe() + '\n')));
        for (MeshTraffic.Published published : traffic.published()) {
            text.append(published.describe() + " (" + published.rule().removal() + ")\n");
        }
        traffic.sshLimit().ifPresent(limit -> text.append(limit).append('\n'));
        GOLDEN.check(name + ".expected", text.isEmpty() ? "nothing\n" : text.toString());
    }
}
