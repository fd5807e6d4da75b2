package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.host.Interfaces;
import dev.promguard.host.Renderer;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The name of the mesh's WireGuard interface, and the interfaces of others. */
class MeshInterfaceTest {
    private final MemoryInventory inventory = new MemoryInventory();
    private final MemoryHosts hosts = new MemoryHosts(inventory);
    private final MemoryStateStore store = new MemoryStateStore();
    private final MemoryMachine monitor = inventory.host("mon", "root", 22);
    private final MemoryMachine database = inventory.host("db-1", "admin", 2222);

    private MeshBuilder spec() {
        return Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .node("db-1", host -> {})
                .provider(inventory)
                .applier(hosts)
                .state(store)
                .waits(Account.NO_WAITS);
    }

    private List<String> problems(MeshBuilder spec) {
        return spec.plan().problems().stream().map(MeshProblem::toString).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"wg0", "promguard0", "a", "fifteen-letters", "Wg_mon-2"})
    void interfaceName_good_isTaken(String name) {
        assertThat(spec().interfaceName(name).blueprint().interfaceName()).isEqualTo(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "sixteen-letters-",
                ".",
                "..",
                "wg/0",
                "wg 0",
                "wg\t0",
                "wg\n0",
                "wg.0",
                "wg+",
                "0wg",
                "-wg",
                "_wg",
                "wg:0",
                "wg@0",
                "wg%i",
                "$wg",
                "wg'",
                "wg!",
                "wgé",
                "lo",
                "all",
                "default",
                "interfaces"
            })
    void interfaceName_bad_isRefusedAtOnce(String name) {
        assertThatThrownBy(() -> spec().interfaceName(name))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("interfaceName \"")
                .hasMessageContaining("use 1 to 15 letters");
    }

    @Test
    void preview_anotherName_isEverywhere() {
        Mesh mesh = spec().interfaceName("promguard0").build();
        String everything = new Renderer().preview(mesh.blueprint()).toString()
                + mesh.blueprint()
                + mesh.toBuilder().blueprint();

        assertThat(everything)
                .contains("/etc/wireguard/promguard0.conf", "wg-quick@promguard0.service")
                .doesNotContain("wg0");
    }

    @Test
    void apply_anotherName_isUsedForAllAndNothingIsLeftToDo() {
        Mesh mesh = spec().interfaceName("promguard0").build();

        assertThat(mesh.plan().toString() + mesh.plan().details())
                .contains("promguard0: bring up", "9100/tcp on promguard0")
                .doesNotContain("wg0");
        mesh.apply();

        assertThat(mesh.plan().isEmpty()).isTrue();
        assertThat(database.rules())
                .contains("9100/tcp on promguard0 from 10.0.0.1")
                .noneMatch(rule -> rule.contains("wg0"));
        assertThat(mesh.verify().checks())
                .extracting(check -> check.description() + ": " + check.method())
                .anyMatch(text -> text.startsWith("wg-quick@promguard0.service runs"))
                .anyMatch(text -> text.endsWith(": wg show promguard0"))
                .noneMatch(text -> text.contains("wg0"));
    }

    @Test
    void apply_runningMeshAndAnotherName_isRefusedBeforeAnythingChanges() {
        spec().apply();
        monitor.says(Interfaces.FACTS, "configured\twg0\tshop");
        database.says(Interfaces.FACTS, "configured\twg0\tshop");
        MeshBuilder renamed = spec().interfaceName("promguard0");

        assertThat(problems(renamed))
                .as("one on each host")
                .hasSize(2)
                .contains(
                        "db-1: the mesh's interface on it is wg0, and the spec says promguard0. Keep interfaceName(\"wg0\"). For the"
                                + " other name run destroy(), then apply again. [PG-5010]");
        assertThatThrownBy(renamed::apply)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("Keep interfaceName(\"wg0\")");
        assertThatThrownBy(() -> renamed.build().rotateKeys()).isInstanceOf(InvalidMeshException.class);
        assertThat(renamed.build().verify().toString()).contains("the mesh's interface on it is wg0");
        assertThat(database.rules())
                .contains("9100/tcp on wg0 from 10.0.0.1")
                .noneMatch(rule -> rule.contains("promguard0"));

        monitor.says(Interfaces.FACTS);
        database.says(Interfaces.FACTS);
        assertThat(spec().plan().isEmpty()).as("under its old name").isTrue();
        assertThatCode(() -> renamed.build().destroy()).doesNotThrowAnyException();
    }

    @Test
    void plan_configurationOfAnotherMesh_isNoneOfThisOne() {
        database.says(Interfaces.FACTS, "configured\twg1\tbank");

        assertThat(problems(spec())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "link\tother\t1500 | db-1: it has a network interface wg0 that is not WireGuard's",
                "link\twireguard\t1420 | db-1: it has a running interface wg0 that PromGuard did not put there. Choose another name for the"
                        + " mesh's interface with interfaceName(…)",
            })
    void plan_interfaceOfTheName_isRefused(String fact, String problem) {
        database.says(Interfaces.FACTS, fact);

        assertThat(problems(spec())).anyMatch(text -> text.startsWith(problem));
    }

    @Test
    void plan_tunnelOfTheOwnersWithAPortAndNetworksOfItsOwn_stays() {
        database.says(
                Interfaces.FACTS,
                "tunnel\twg0\t51821",
                "leads\twg0\t10.9.0.0/24",
                "leads\twg0\t0.0.0.0/0",
                "leads\twg0\t::/0");

        assertThat(problems(spec().interfaceName("promguard0"))).isEmpty();
    }

    @Test
    void plan_tunnelOfTheOwnersThatLeadsToTheNetwork_isRefused() {
        database.says(Interfaces.FACTS, "tunnel\twg0\t51821", "leads\twg0\t10.0.0.0/8", "leads\twg0\t10.9.0.0/24");

        assertThat(problems(spec().interfaceName("promguard0")))
                .containsExactly(
                        "db-1: the mesh's network 10.0.0.0/24 overlaps the host's own 10.0.0.0/8 (behind its WireGuard"
                                + " interface wg0). Choose another network with network(…). [PG-1004]");
    }

    @Test
    void plan_tunnelOfTheOwnersOnThePort_isRefusedAndNamed() {
        database.says(Interfaces.FACTS, "tunnel\twg0\t51820");
        database.listen("udp", "0.0.0.0", 51820);

        assertThat(problems(spec().interfaceName("promguard0")))
                .containsExactly(
                        "db-1: its WireGuard interface wg0 listens on 0.0.0.0:51820/udp, the mesh's WireGuard port. Choose"
                                + " another port with wireGuardPort(…), on the mesh or the host. [PG-5010]");
        assertThat(problems(spec().interfaceName("promguard0")
                        .wireGuardPort(51821)
                        .editHost("db-1", host -> host.allow(51820, Protocol.UDP))))
                .isEmpty();
    }

    @Test
    void mtu_outOfRange_isRefusedAtOnce() {
        for (int bytes : new int[] {-1, 0, 575, 65_456}) {
            assertThatThrownBy(() -> spec().mtu(bytes))
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessage("mtu " + bytes + " is out of range: use 576 to 65455 [PG-1007]");
            assertThatThrownBy(() -> spec().editHost("db-1", host -> host.mtu(bytes)))
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessageStartingWith("mtu " + bytes + " of node \"db-1\"");
        }
        assertThatThrownBy(() -> spec().network("fd00:77::/64")
                        .mtu(1279)
                        .editHost("db-1", host -> host.mtu(1000))
                        .build())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("mtu 1279 is too small for an IPv6 network: use at least 1280")
                .hasMessageContaining("mtu 1000 of node \"db-1\" is too small");
    }

    @Test
    void preview_mtu_isThatOfTheHostOrElseOfTheMesh() {
        Blueprint blueprint =
                spec().mtu(1380).editHost("db-1", host -> host.mtu(1280)).blueprint();

        assertThat(config(blueprint, "mon")).contains("\nMTU = 1380\n").doesNotContain("Lowers the MTU");
        assertThat(config(blueprint, "db-1")).contains("\nMTU = 1280\n").doesNotContain("Lowers the MTU");
        assertThat(config(spec().blueprint(), "mon")).contains("\nMTU = 1420\n", "Lowers the MTU");
    }

    private static String config(Blueprint blueprint, String host) {
        return Objects.requireNonNull(
                Objects.requireNonNull(new Renderer().preview(blueprint).get(host))
                        .get("/etc/wireguard/wg0.conf"));
    }

    @Test
    void plan_otherMtuThanTheSpecs_isDriftWithoutARestart() {
        MeshBuilder spec = spec().mtu(1300);
        spec.apply();
        database.says(Interfaces.FACTS, "link\twireguard\t1300");
        assertThat(spec.plan().isEmpty()).isTrue();

        database.says(Interfaces.FACTS, "link\twireguard\t1420");

        assertThat(spec.plan().toString())
                .contains("! wg0: its MTU is 1420 instead of 1300 (drift)   → put back")
                .doesNotContain("restart");
        assertThat(spec.build().verify().toString()).contains("its MTU is 1420");
        spec().apply();
        assertThat(spec().plan().isEmpty())
                .as("where the spec says none, any will do")
                .isTrue();
    }

    @Test
    void plan_mtuOnARunningMesh_changesTheFileAndTheInterfaceAndIsNoDrift() {
        spec().apply();

        assertThat(spec().mtu(1300).plan().toString())
                .contains("~ /etc/wireguard/wg0.conf", "~ wg0: set peers")
                .doesNotContain("drift", "restart");
    }

    @Test
    void plan_keepaliveTakenAwayOrAdded_isDrift() {
        MeshBuilder spec = spec().editHost("db-1", host -> host.behindNat(true));
        spec.apply();
        String peer = key("mon");
        database.says(Interfaces.FACTS, "keepalive\t" + peer + "\t25");
        assertThat(spec.plan().isEmpty()).isTrue();

        database.says(Interfaces.FACTS, "keepalive\t" + peer + "\t0");
        assertThat(spec.plan().toString())
                .contains("! wg0: peer mon has no keepalive instead of a keepalive of 25 s (drift)   → put back");

        database.says(Interfaces.FACTS);
        monitor.says(Interfaces.FACTS, "keepalive\t" + key("db-1") + "\t5");
        assertThat(spec.plan().toString())
                .contains("! wg0: peer db-1 has a keepalive of 5 s instead of no keepalive (drift)   → put back");
    }

    private String key(String host) {
        return Objects.requireNonNull(
                        store.load("shop").orElseThrow().publicKeys().get(host))
                .base64();
    }

    @Test
    void verify_hostBehindNat_doesNotProbeWhoForwardsSshToIt() {
        MeshBuilder spec = spec().editHost("db-1", host -> host.behindNat(true));
        spec.apply();

        List<VerifyReport.Check> outside = spec.build().verify().checks().stream()
                .filter(check -> check.host().equals("db-1") && check.kind() == CheckKind.PORT_CLOSED_TO_OUTSIDE)
                .toList();

        assertThat(outside).hasSize(2).allSatisfy(check -> {
            assertThat(check.verdict()).isEqualTo(VerifyReport.Verdict.NOTE);
            assertThat(check.observed()).startsWith("not probed: the host is behind NAT");
        });
    }
}
