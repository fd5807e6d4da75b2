package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.Golden;
import dev.promguard.SpecFile;
import dev.promguard.keys.PublicKey;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ConflictsTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/host/conflicts");
    private static final SpecFile SPEC = SpecFile.parse(new Golden("/dev/promguard/host/diff").read("mesh.spec"));

    static List<String> cases() {
        return GOLDEN.names();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void inTheWay_facts_namesWhatOthersHaveAndTheFix(String name) {
        FactsFile file = new FactsFile(GOLDEN, name + ".input");
        Map<String, PublicKey> keys = new HashMap<>(SPEC.publicKeys());
        DesiredHost desired = new Renderer().render(SPEC.blueprint(), file.host(), SPEC.publicAddresses(), keys);
        List<Conflicts.Claim> claims = List.of(
                new Conflicts.Claim("node_exporter.service", "10.0.0.1", 9100, "nodeExporterPort(…)"),
                new Conflicts.Claim(
                        "prometheus.service", "127.0.0.1", 9090, "prometheus(settings -> settings.port(…))"));

        List<String> found = Conflicts.inTheWay("shop", desired, file.facts(desired), claims).stream()
                .map(HostProblem::text)
                .toList();

        StringBuilder text = new StringBuilder();
        found.forEach(line -> text.append(line).append('\n'));
        GOLDEN.check(name + ".expected", text.toString());
    }

    @Test
    void takeOff_anyHost_stopsWhatExportsBeforeTheFirewallOpens() {
        assertThat(Manifest.uninstall())
                .extracting(Change::describe)
                .containsExactly(
                        "stop and disable what PromGuard runs",
                        "take the WireGuard interface down",
                        "ufw: put back what was before",
                        "remove the mesh's names from /etc/hosts",
                        "remove PromGuard's files, releases, data and users");
        assertThat(Manifest.uninstall())
                .filteredOn(Manifest.Uninstall.class::isInstance)
                .hasSize(4)
                .allMatch(Change::risky);
    }
}
