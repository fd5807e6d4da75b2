package dev.promguard.change;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.Golden;
import dev.promguard.WishFile;
import dev.promguard.keys.PublicKey;
import dev.promguard.render.DesiredHost;
import dev.promguard.render.Renderer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class OccupancyTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/occupancy");
    private static final WishFile WISH = WishFile.parse(new Golden("/dev/promguard/change").read("mesh.wish"));

    static List<String> cases() {
        return GOLDEN.names();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void inTheWay_facts_namesWhatOthersHaveAndTheMend(String name) {
        FactsFile file = new FactsFile(GOLDEN, name + ".input");
        Map<String, PublicKey> keys = new HashMap<>(WISH.publicKeys());
        DesiredHost desired = new Renderer().render(WISH.blueprint(), file.host(), WISH.publicAddresses(), keys);
        List<Occupancy.Claim> claims = List.of(
                new Occupancy.Claim("node_exporter.service", "10.0.0.1", 9100, "nodeExporterPort(…)"),
                new Occupancy.Claim(
                        "prometheus.service", "127.0.0.1", 9090, "prometheus(settings -> settings.port(…))"));

        List<String> found = Occupancy.inTheWay("shop", desired, file.facts(desired), claims).stream()
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
                        "remove PromGuard's files, releases, data and users");
        assertThat(Manifest.uninstall()).allMatch(Change::risky);
    }
}
