package dev.promguard.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.Golden;
import dev.promguard.SpecFile;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.host.KillSwitches.KillSwitchAction;
import dev.promguard.host.Units.UnitAction;
import dev.promguard.host.WireGuard.InterfaceAction;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.WireGuardKeyPair;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DifferTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/host/diff");
    private static final SpecFile SPEC = SpecFile.parse(GOLDEN.read("mesh.spec"));
    private static final Renderer RENDERER = new Renderer();

    static List<String> cases() {
        return GOLDEN.names();
    }

    private static DesiredHost desired(String host, PublicKey ownKey) {
        Map<String, PublicKey> keys = new HashMap<>(SPEC.publicKeys());
        keys.put(host, ownKey);
        return RENDERER.render(SPEC.blueprint(), host, SPEC.publicAddresses(), keys);
    }

    /** What the differ says of the facts in a file. */
    private static List<Change> changes(FactsFile file) {
        DesiredHost usual = desired(file.host(), SpecFile.publicKey(file.host()));
        HostFacts facts = file.facts(usual);
        if (WireGuard.needsKey(facts)) {
            try (WireGuardKeyPair pair = KeySource.random().generate()) {
                DesiredHost desired = desired(file.host(), pair.publicKey());
                return Differ.diff(
                        desired,
                        file.facts(desired),
                        new KeyChanges(Optional.of(pair.publicKey()), Set.of()),
                        file.bootstrapKey());
            }
        }
        DesiredHost desired = desired(file.host(), facts.keyFilePublicKey().orElseThrow());
        return Differ.diff(desired, file.facts(desired), KeyChanges.NONE, file.bootstrapKey());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void diff_facts_givesTheChangesExpected(String name) {
        FactsFile file = new FactsFile(GOLDEN, name + ".input");
        DesiredHost usual = desired(file.host(), SpecFile.publicKey(file.host()));
        List<String> problems = Differ.problems(usual, file.facts(usual)).stream()
                .map(HostProblem::text)
                .toList();
        StringBuilder text = new StringBuilder();
        problems.forEach(problem -> text.append("problem: ").append(problem).append('\n'));
        if (problems.isEmpty()) {
            changes(file)
                    .forEach(change -> text.append(change.risky() ? "! " : "  ")
                            .append(change.describe())
                            .append('\n'));
        }
        GOLDEN.check(name + ".expected", text.toString());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void diff_facts_keepsTheHostClosedAndReachableInThisOrder(String name) {
        FactsFile file = new FactsFile(GOLDEN, name + ".input");
        DesiredHost usual = desired(file.host(), SpecFile.publicKey(file.host()));
        if (Differ.problems(usual, file.facts(usual)).isEmpty()) {
            assertInOrder(changes(file));
        }
    }

    private static void assertInOrder(List<Change> changes) {
        int[] rank = {0};
        assertThat(changes).allSatisfy(change -> {
            int now = rank(change);
            assertThat(now)
                    .as("%s after what comes later, in %s", change.describe(), changes)
                    .isGreaterThanOrEqualTo(rank[0]);
            rank[0] = now;
        });
    }

    /** The place of each kind of change: what opens nothing, the firewall, SSH before all, WireGuard, services, the host key. */
    private static int rank(Change change) {
        if (change instanceof ManagedFiles.Write of) {
            return of.file().path().startsWith("/etc/wireguard/") ? 9 : 4;
        }
        if (change instanceof Firewall.Allow of) {
            return of.rule().port() == 22 ? 5 : 6;
        }
        if (change instanceof Units.Apply of) {
            return of.does() == UnitAction.STOP ? 11 : 12;
        }
        if (change instanceof KillSwitches.Configure of) {
            return of.does() == KillSwitchAction.COVER ? 4 : 13;
        }
        return Objects.requireNonNull(RANKS.get(change.getClass()), change.describe());
    }

    private static final Map<Class<?>, Integer> RANKS = Map.ofEntries(
            Map.entry(Units.Mask.class, 0),
            Map.entry(Packages.Install.class, 1),
            Map.entry(Users.Create.class, 2),
            Map.entry(Releases.Install.class, 3),
            Map.entry(SecretFiles.Write.class, 4),
            Map.entry(Units.RemoveDropIns.class, 4),
            Map.entry(Firewall.Enable.class, 7),
            Map.entry(Firewall.Disallow.class, 8),
            Map.entry(WireGuard.WriteKey.class, 9),
            Map.entry(WireGuard.WritePresharedKeys.class, 9),
            Map.entry(WireGuard.Configure.class, 10),
            Map.entry(Units.Remove.class, 11),
            Map.entry(ManagedFiles.Remove.class, 13),
            Map.entry(HostKey.Replace.class, 14));

    @Test
    void diff_anyMixtureOfDrifts_keepsTheOrderAndAsksForNothingTwice() {
        Random random = new Random(20_261_123);
        FactsFile specified = new FactsFile(GOLDEN, "monitor.facts");
        DesiredHost desired = desired(specified.host(), SpecFile.publicKey(specified.host()));
        HostFacts whole = specified.facts(desired);
        for (int round = 0; round < 400; round++) {
            HostFacts facts = new HostFacts(
                    whole.osId(),
                    whole.osVersion(),
                    whole.machine(),
                    some(whole.packages(), random),
                    new TreeSet<>(some(asMap(whole.users()), random).keySet()),
                    some(whole.files(), random),
                    some(whole.units(), random),
                    some(whole.releases(), random),
                    random.nextBoolean() ? whole.wireGuard() : Optional.empty(),
                    random.nextBoolean() ? whole.byResource() : FactsByResource.NONE,
                    whole.keyFilePublicKey(),
                    true,
                    new HostFacts.FirewallFact(
                            random.nextBoolean(),
                            random.nextBoolean(),
                            random.nextBoolean(),
                            whole.firewall().rules().stream()
                                    .filter(rule -> random.nextBoolean())
                                    .toList(),
                            List.of(),
                            List.of()),
                    Map.of(),
                    List.of(),
                    Optional.empty(),
                    Optional.empty(),
                    List.of(),
                    Stream.of(
                                    "/etc/systemd/system/prometheus.service",
                                    "/etc/systemd/system/blackbox_exporter.service",
                                    "/etc/prometheus/prometheus.yml",
                                    "/etc/prometheus/targets/postgres.yml",
                                    "/etc/promguard/blackbox_exporter/blackbox.yml",
                                    "/opt/promguard/prometheus-3.13.2",
                                    "/opt/promguard/blackbox_exporter-0.28.0")
                            .filter(path -> random.nextBoolean())
                            .toList(),
                    false);

            List<Change> changes = Differ.diff(desired, facts, KeyChanges.NONE, random.nextBoolean());

            assertInOrder(changes);
            assertThat(changes.stream().map(Change::describe)).doesNotHaveDuplicates();
            boolean firewallBad = !facts.firewall().active()
                    || !facts.firewall().denyIncoming()
                    || !facts.firewall().atBoot();
            assertThat(changes.contains(new Firewall.Enable())).isEqualTo(firewallBad);
            assertThat(changes.stream().map(Change::describe).filter(text -> text.startsWith("remove ")))
                    .hasSize((int) facts.kept().stream()
                            .filter(path -> path.contains("blackbox") || path.contains("postgres"))
                            .count())
                    .allMatch(text -> text.contains("blackbox") || text.contains("postgres"));
        }
    }

    private static Map<String, String> asMap(Set<String> words) {
        Map<String, String> map = new HashMap<>();
        words.forEach(word -> map.put(word, word));
        return map;
    }

    private static <V> Map<String, V> some(Map<String, V> all, Random random) {
        Map<String, V> some = new HashMap<>(all);
        some.keySet().removeIf(key -> random.nextInt(3) == 0);
        return some;
    }

    @Test
    void query_desiredHost_asksForAllThatTheDiffLooksAt() {
        DesiredHost desired = desired("shop-monitor-1", SpecFile.publicKey("shop-monitor-1"));

        FactsQuery query = Resources.query(desired);

        assertThat(query.packages()).isEqualTo(desired.packages());
        assertThat(query.users()).containsExactly("node_exporter", "prometheus");
        assertThat(query.files())
                .containsExactlyInAnyOrder(
                        "/etc/wireguard/wg0.conf",
                        "/etc/systemd/network/+00-promguard-wg0.network",
                        "/etc/NetworkManager/conf.d/promguard-wg0.conf",
                        "/usr/local/lib/promguard/kill-switch.sh",
                        "/etc/systemd/system/promguard-kill-switch.service",
                        "/etc/wireguard/wg0.psk/shop-node-1",
                        "/etc/wireguard/wg0.psk/shop-node-2",
                        "/usr/local/lib/promguard/wireguard-metrics.sh",
                        "/etc/systemd/system/promguard-wireguard-metrics.service",
                        "/etc/systemd/system/promguard-wireguard-metrics.timer",
                        "/etc/systemd/system/node_exporter.service",
                        "/etc/prometheus/targets/node.json",
                        "/etc/prometheus/rules/promguard.yml",
                        "/etc/prometheus/prometheus.yml",
                        "/etc/systemd/system/prometheus.service");
        assertThat(query.units())
                .containsExactlyInAnyOrder(
                        "wg-quick@wg0.service",
                        "promguard-kill-switch.service",
                        "nftables.service",
                        "promguard-wireguard-metrics.timer",
                        "node_exporter.service",
                        "prometheus.service");
        assertThat(query.releases()).isEqualTo(desired.releases());
        assertThat(query.wireGuardInterface()).isEqualTo("wg0");
        assertThat(query.keyPath()).isEqualTo("/etc/wireguard/wg0.key");
    }

    @Test
    void risky_anyChange_isWhatCouldCutTheWayToTheHost() {
        DesiredHost desired = desired("shop-node-1", SpecFile.publicKey("shop-node-1"));
        FirewallRule rule = desired.firewall().get(0);
        List<Change> risky = new ArrayList<>(List.of(
                new Firewall.Allow(rule),
                new Firewall.Disallow(rule),
                new Firewall.Enable(),
                new ManagedFiles.Write(desired.wireGuard().config()),
                new ManagedFiles.Write(desired.killSwitch().files().get(1)),
                new KillSwitches.Configure(desired.killSwitch(), KillSwitchAction.COVER),
                new KillSwitches.Configure(desired.killSwitch(), KillSwitchAction.RELEASE_OTHERS),
                new HostKey.Replace()));
        List<Change> harmless = new ArrayList<>(List.of(
                new Packages.Install(List.of("ufw")),
                new Users.Create(new SystemUser("prometheus")),
                new ManagedFiles.Write(ManagedFile.readable("/etc/prometheus/prometheus.yml", "\n")),
                new Units.Apply("a.service", UnitAction.RESTART),
                new Units.Mask("a.service"),
                new Units.Remove("a.service"),
                new ManagedFiles.Remove("/etc/prometheus/targets/a.yml"),
                new HostsFile.Write("", 0),
                new HostsFile.Remove(),
                new WireGuard.Configure(desired.wireGuard(), InterfaceAction.ENABLE)));
        for (InterfaceAction action : InterfaceAction.values()) {
            if (action != InterfaceAction.ENABLE) {
                risky.add(new WireGuard.Configure(desired.wireGuard(), action));
            }
        }
        risky.add(new WireGuard.WriteKey(
                "/etc/wireguard/wg0.key", desired.wireGuard().publicKey()));
        assertThat(risky)
                .allSatisfy(change ->
                        assertThat(change.risky()).as(change.describe()).isTrue());
        assertThat(harmless)
                .allSatisfy(change ->
                        assertThat(change.risky()).as(change.describe()).isFalse());
    }

    @Test
    void newKeys_printed_neverShowTheKeys() {
        try (WireGuardKeyPair pair = KeySource.random().generate();
                Secret preshared = KeySource.random().presharedKey()) {
            NewKeys keys = new NewKeys(Optional.of(pair), Map.of("shop-node-1", preshared));

            assertThat(keys.toString())
                    .doesNotContain(pair.privateKey().useText(text -> text), preshared.useText(text -> text));
        }
    }

    @Test
    void managedFile_unsafePathOrMode_isRefused() {
        for (String path : List.of(
                "", "etc/x", "/", "/etc/", "/etc/../root", "/etc/..", "/a b", "/a;b", "/a\nb", "/a$b", "/é", "//a")) {
            assertThatThrownBy(() -> ManagedFile.readable(path, ""))
                    .as(path)
                    .isInstanceOf(IllegalArgumentException.class);
        }
        for (int mode : new int[] {-1, 01000, 04755}) {
            assertThatThrownBy(() -> new ManagedFile("/a", "", mode, "root", List.of()))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(ManagedFile.readable("/etc/wg-quick@wg0.conf", "").path()).isNotEmpty();
    }
}
