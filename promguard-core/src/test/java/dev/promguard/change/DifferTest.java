package dev.promguard.change;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.Golden;
import dev.promguard.WishFile;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.change.Change.InterfaceAction;
import dev.promguard.change.Change.UnitAction;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.Secret;
import dev.promguard.keys.WireGuardKeyPair;
import dev.promguard.render.DesiredHost;
import dev.promguard.render.ManagedFile;
import dev.promguard.render.Renderer;
import dev.promguard.render.SystemUser;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DifferTest {
    private static final Golden GOLDEN = new Golden("/dev/promguard/change");
    private static final WishFile WISH = WishFile.parse(GOLDEN.read("mesh.wish"));
    private static final Renderer RENDERER = new Renderer();

    static List<String> cases() {
        return GOLDEN.names();
    }

    private static DesiredHost desired(String host, PublicKey ownKey) {
        Map<String, PublicKey> keys = new HashMap<>(WISH.publicKeys());
        keys.put(host, ownKey);
        return RENDERER.render(WISH.blueprint(), host, WISH.publicAddresses(), keys);
    }

    /** What the differ says of the facts in a file. */
    private static List<Change> changes(FactsFile file) {
        DesiredHost usual = desired(file.host(), WishFile.publicKey(file.host()));
        HostFacts facts = file.facts(usual);
        if (Differ.needsKey(facts)) {
            try (WireGuardKeyPair pair = KeySource.random().generate()) {
                DesiredHost desired = desired(file.host(), pair.publicKey());
                return Differ.diff(
                        desired, file.facts(desired), new NewKeys(Optional.of(pair), Map.of()), file.throwaway());
            }
        }
        DesiredHost desired = desired(file.host(), facts.keyFilePublicKey().orElseThrow());
        return Differ.diff(desired, file.facts(desired), NewKeys.NONE, file.throwaway());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void diff_facts_givesTheChangesExpected(String name) {
        FactsFile file = new FactsFile(GOLDEN, name + ".input");
        DesiredHost usual = desired(file.host(), WishFile.publicKey(file.host()));
        List<String> faults = Differ.faults(usual, file.facts(usual));
        StringBuilder text = new StringBuilder();
        faults.forEach(fault -> text.append("fault: ").append(fault).append('\n'));
        if (faults.isEmpty()) {
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
        DesiredHost usual = desired(file.host(), WishFile.publicKey(file.host()));
        if (Differ.faults(usual, file.facts(usual)).isEmpty()) {
            assertInOrder(changes(file));
        }
    }

    private static void assertInOrder(List<Change> changes) {
        int[] rank = {0};
        assertThat(changes).allSatisfy(change -> {
            int now = change.accept(new Rank());
            assertThat(now)
                    .as("%s after what comes later, in %s", change.describe(), changes)
                    .isGreaterThanOrEqualTo(rank[0]);
            rank[0] = now;
        });
    }

    /** The place of each kind of change: what opens nothing, the firewall, SSH before all, WireGuard, services, the host key. */
    private static final class Rank implements Change.Visitor<Integer> {
        @Override
        public Integer remember(Change.Remember change) {
            throw new AssertionError(change.describe() + " is none of the differ's changes");
        }

        @Override
        public Integer takeOff(Change.TakeOff change) {
            throw new AssertionError(change.describe() + " is none of the differ's changes");
        }

        @Override
        public Integer maskUnit(Change.MaskUnit change) {
            return 0;
        }

        @Override
        public Integer installPackages(Change.InstallPackages change) {
            return 1;
        }

        @Override
        public Integer createUser(Change.CreateUser change) {
            return 2;
        }

        @Override
        public Integer installRelease(Change.InstallRelease change) {
            return 3;
        }

        @Override
        public Integer writeSecret(Change.WriteSecret change) {
            return 4;
        }

        @Override
        public Integer writeFile(Change.WriteFile change) {
            return change.risky() ? 9 : 4;
        }

        @Override
        public Integer removeDropIns(Change.RemoveDropIns change) {
            return 4;
        }

        @Override
        public Integer allow(Change.Allow change) {
            return change.rule().port() == 22 ? 5 : 6;
        }

        @Override
        public Integer enableFirewall(Change.EnableFirewall change) {
            return 7;
        }

        @Override
        public Integer disallow(Change.Disallow change) {
            return 8;
        }

        @Override
        public Integer writeKey(Change.WriteKey change) {
            return 9;
        }

        @Override
        public Integer writePresharedKeys(Change.WritePresharedKeys change) {
            return 9;
        }

        @Override
        public Integer wireGuard(Change.ApplyWireGuard change) {
            return 10;
        }

        @Override
        public Integer removeUnit(Change.RemoveUnit change) {
            return 11;
        }

        @Override
        public Integer unit(Change.ApplyUnit change) {
            return change.action() == UnitAction.STOP ? 11 : 12;
        }

        @Override
        public Integer removeFile(Change.RemoveFile change) {
            return 13;
        }

        @Override
        public Integer replaceHostKey(Change.ReplaceHostKey change) {
            return 14;
        }
    }

    @Test
    void diff_anyMixtureOfDrifts_keepsTheOrderAndAsksForNothingTwice() {
        Random random = new Random(20_261_123);
        FactsFile wished = new FactsFile(GOLDEN, "monitor.facts");
        DesiredHost desired = desired(wished.host(), WishFile.publicKey(wished.host()));
        HostFacts whole = wished.facts(desired);
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
                            .toList());

            List<Change> changes = Differ.diff(desired, facts, NewKeys.NONE, random.nextBoolean());

            assertInOrder(changes);
            assertThat(changes.stream().map(Change::describe)).doesNotHaveDuplicates();
            boolean firewallBad = !facts.firewall().active()
                    || !facts.firewall().denyIncoming()
                    || !facts.firewall().atBoot();
            assertThat(changes.contains(new Change.EnableFirewall())).isEqualTo(firewallBad);
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
        DesiredHost desired = desired("shop-monitor-1", WishFile.publicKey("shop-monitor-1"));

        FactsQuery query = Differ.query(desired);

        assertThat(query.packages()).isEqualTo(desired.packages());
        assertThat(query.users()).containsExactly("node_exporter", "prometheus");
        assertThat(query.files())
                .containsExactly(
                        "/etc/wireguard/wg0.conf",
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
                .containsExactly(
                        "wg-quick@wg0.service",
                        "promguard-wireguard-metrics.timer",
                        "node_exporter.service",
                        "prometheus.service");
        assertThat(query.releases()).isEqualTo(desired.releases());
        assertThat(query.wireGuardInterface()).isEqualTo("wg0");
        assertThat(query.keyPath()).isEqualTo("/etc/wireguard/wg0.key");
    }

    @Test
    void risky_anyChange_isWhatCouldCutTheWayToTheHost() {
        DesiredHost desired = desired("shop-node-1", WishFile.publicKey("shop-node-1"));
        FirewallRule rule = desired.firewall().get(0);
        List<Change> risky = new ArrayList<>(List.of(
                new Change.Allow(rule),
                new Change.Disallow(rule),
                new Change.EnableFirewall(),
                new Change.WriteFile(desired.wireGuard().config()),
                new Change.ReplaceHostKey()));
        List<Change> harmless = new ArrayList<>(List.of(
                new Change.InstallPackages(List.of("ufw")),
                new Change.CreateUser(new SystemUser("prometheus")),
                new Change.WriteFile(ManagedFile.readable("/etc/prometheus/prometheus.yml", "\n")),
                new Change.ApplyUnit("a.service", UnitAction.RESTART),
                new Change.MaskUnit("a.service"),
                new Change.RemoveUnit("a.service"),
                new Change.RemoveFile("/etc/prometheus/targets/a.yml"),
                new Change.ApplyWireGuard(desired.wireGuard(), InterfaceAction.ENABLE)));
        for (InterfaceAction action : InterfaceAction.values()) {
            if (action != InterfaceAction.ENABLE) {
                risky.add(new Change.ApplyWireGuard(desired.wireGuard(), action));
            }
        }
        try (Secret key = Secret.of("x")) {
            risky.add(new Change.WriteKey(
                    "/etc/wireguard/wg0.key", key, desired.wireGuard().publicKey()));
            assertThat(risky)
                    .allSatisfy(change ->
                            assertThat(change.risky()).as(change.describe()).isTrue());
            assertThat(harmless)
                    .allSatisfy(change ->
                            assertThat(change.risky()).as(change.describe()).isFalse());
        }
    }

    @Test
    void writeKey_printed_neverShowsTheKey() {
        try (WireGuardKeyPair pair = KeySource.random().generate()) {
            String key = pair.privateKey().useText(text -> text);
            Change change = new Change.WriteKey("/etc/wireguard/wg0.key", pair.privateKey(), pair.publicKey());

            assertThat(change.toString() + change.describe()).doesNotContain(key);
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
