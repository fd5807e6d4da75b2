package dev.promguard.ssh.internal;

import dev.promguard.blueprint.Release;
import dev.promguard.host.AuthorizedKeys;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.FirstBoot;
import dev.promguard.host.HostsFile;
import dev.promguard.host.Interfaces;
import dev.promguard.host.Kernel;
import dev.promguard.host.KillSwitches;
import dev.promguard.host.Leftovers;
import dev.promguard.host.Membership;
import dev.promguard.host.NetworkManagers;
import dev.promguard.host.Packages;
import dev.promguard.host.ReleaseInstall;
import dev.promguard.host.Ruleset;
import dev.promguard.host.ServedPorts;
import dev.promguard.host.StateFolders;
import dev.promguard.host.StrayKeys;
import dev.promguard.host.UfwSettings;
import java.util.List;
import java.util.Map;

/** What the tests ask a host. */
final class Queries {
    private Queries() {}

    static FactsQuery node() {
        return node(Map.of());
    }

    /** The same, which expects sums of files. */
    static FactsQuery node(Map<String, String> expected) {
        return new FactsQuery(
                List.of("ufw", "wireguard-tools", "curl"),
                List.of("node_exporter", "prometheus"),
                List.of("/etc/wireguard/wg0.conf", "/etc/systemd/system/node_exporter.service", "/etc/absent"),
                List.of("node_exporter.service", "wg-quick@wg0.service", "absent.service"),
                List.of(new ReleaseInstall(Release.nodeExporter(), List.of("node_exporter"))),
                "wg0",
                "/etc/wireguard/wg0.key",
                expected,
                List.of(
                        new FactsQuery.ResourceCall(KillSwitches.FACTS, List.of("wg0")),
                        new FactsQuery.ResourceCall(Ruleset.FACTS, List.of()),
                        new FactsQuery.ResourceCall(HostsFile.FACTS, List.of("0".repeat(64), ".shop.mesh")),
                        new FactsQuery.ResourceCall(ServedPorts.FACTS, List.of()),
                        new FactsQuery.ResourceCall(FirstBoot.FACTS, List.of()),
                        new FactsQuery.ResourceCall(Leftovers.FACTS, List.of()),
                        new FactsQuery.ResourceCall(Kernel.FACTS, List.of()),
                        new FactsQuery.ResourceCall(Interfaces.FACTS, List.of("wg0")),
                        new FactsQuery.ResourceCall(NetworkManagers.FACTS, List.of("wg0")),
                        new FactsQuery.ResourceCall(UfwSettings.FACTS, List.of()),
                        new FactsQuery.ResourceCall(StateFolders.FACTS, List.of("/var/lib/absent")),
                        new FactsQuery.ResourceCall(AuthorizedKeys.FACTS, List.of()),
                        new FactsQuery.ResourceCall(Membership.FACTS, List.of()),
                        new FactsQuery.ResourceCall(StrayKeys.FACTS, List.of("wg0")),
                        new FactsQuery.ResourceCall(Packages.FACTS, List.of("ufw")),
                        new FactsQuery.ResourceCall(Packages.REMOVALS, List.of("ufw"))));
    }
}
