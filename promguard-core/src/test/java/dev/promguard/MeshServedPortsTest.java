package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Services that a host had before the mesh: none is cut off that the spec does not name. */
class MeshServedPortsTest {
    private final MemoryInventory inventory = new MemoryInventory();
    private final MemoryHosts hosts = new MemoryHosts(inventory);
    private final MemoryStateStore store = new MemoryStateStore();
    private final MemoryMachine database = inventory.host("db-1", "root", 22);

    @BeforeEach
    void serve() {
        inventory.host("mon", "root", 22);
        database.listen("tcp", "0.0.0.0", 80);
        database.listen("udp", "*", 9999);
    }

    private MeshBuilder spec(Consumer<HostBuilder> host) {
        return Mesh.builder()
                .name("shop")
                .namedMonitor("mon", monitor -> {})
                .node("db-1", host)
                .provider(inventory)
                .applier(hosts)
                .state(store)
                .waits(Account.NO_WAITS);
    }

    private Mesh withServer(Consumer<HostBuilder> server) {
        return spec(host -> host.closeOtherPorts(true)).node("web-1", server).build();
    }

    @Test
    void apply_servicesThatNobodySpokeOf_changesNothingThereAndNamesEach() {
        Mesh mesh = spec(host -> {}).build();
        String problem = "ports 80/tcp (theirs), 9999/udp (theirs) answer now and would be closed";

        assertThat(mesh.plan().problems())
                .singleElement()
                .satisfies(found -> assertThat(found.toString()).contains("db-1: " + problem, "[PG-5021]"));
        assertThatThrownBy(mesh::apply).isInstanceOf(ApplyException.class).hasMessageContaining(problem);
        assertThat(database.changes()).isEmpty();
        assertThat(mesh.verify().failures())
                .filteredOn(check -> check.host().equals("db-1"))
                .anySatisfy(check -> assertThat(check.observed()).contains(problem))
                .extracting(Check::remedy)
                .noneMatch(remedy -> remedy.startsWith("Run apply"));
    }

    @Test
    void apply_onePortAllowedAndTheOtherToBeClosed_addsARuleAndThenChangesNothing() {
        Mesh mesh = spec(host -> host.allow(80, Protocol.TCP).close(9999, Protocol.UDP))
                .build();

        assertThat(mesh.plan().toString())
                .contains("ufw: allow 80/tcp", "ufw: close 9999/udp (theirs), which answers now");
        assertThat(mesh.apply().ok()).isTrue();

        assertThat(database.rules()).contains("80/tcp").doesNotContain("9999/udp");
        assertThat(mesh.apply().changes()).isZero();
        assertThat(mesh.verify().failures())
                .filteredOn(check -> check.host().equals("db-1"))
                .extracting(Check::kind)
                .doesNotContain(CheckKind.HOST_UP_TO_DATE, CheckKind.NO_OTHER_LISTENER_REACHABLE);
        Mesh without = mesh.toBuilder()
                .editHost("db-1", host -> host.withoutPort(80, Protocol.TCP))
                .build();
        assertThat(without.plan().toString()).contains("ufw: remove 80/tcp");
        without.apply();
        assertThat(database.rules()).doesNotContain("80/tcp");
    }

    @Test
    void apply_declaredWithOpenPortsOnly_isRefusedAndSaysWhy() {
        assertThat(spec(host -> host.openPorts(80, 9999)).build().plan().problems())
                .singleElement()
                .satisfies(found -> assertThat(found.toString()).contains("openPorts(…) only declares a port"));
    }

    @Test
    void apply_allOthersMayBeClosed_closesThem() {
        Mesh mesh = spec(host -> host.closeOtherPorts(true)).build();

        assertThat(mesh.apply().ok()).isTrue();
        assertThat(database.rules()).doesNotContain("80/tcp", "9999/udp");
    }

    /** Each has somebody who is served there, and is none of the mesh's own programs. */
    @ParameterizedTest
    @CsvSource({
        "tcp, 0.0.0.0, 9090, port 9090/tcp",
        "tcp, 203.0.113.5, 9100, port 9100/tcp",
        "udp, 0.0.0.0, 5353, port 5353/udp",
        "udp, 0.0.0.0%br+lan, 1900, port 1900/udp"
    })
    void apply_servicesAtPortsOfTheMeshOrOfMulticast_areNamedToo(
            String protocol, String address, int port, String named) {
        MemoryMachine other = inventory.host("web-1", "root", 22);
        other.listen(protocol, address, port);
        Mesh mesh = withServer(host -> {});

        assertThat(mesh.plan().problems())
                .singleElement()
                .satisfies(found -> assertThat(found.toString())
                        .contains("web-1: " + named + " (theirs) answers now and would be closed", "[PG-5021]"));
    }

    @Test
    void apply_portThatTheMeshKeeps_isNotSaidToBeAllowed() {
        MemoryMachine other = inventory.host("web-1", "root", 22);
        other.listen("tcp", "*", 9090);
        Mesh mesh = withServer(host -> {});

        assertThat(mesh.plan().problems())
                .singleElement()
                .satisfies(found -> assertThat(found.toString())
                        .contains("The mesh keeps port 9090 for its monitors", "agree with close(9090, Protocol.TCP)")
                        .doesNotContain("allow(9090"));
        assertThat(withServer(host -> host.close(9090, Protocol.TCP)).plan().problems())
                .isEmpty();
    }

    /** They have no effect as long as ufw is off, and enabling it is not what its owner did. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "setting\tDEFAULT_OUTPUT_POLICY\tDROP | DEFAULT_OUTPUT_POLICY=DROP in /etc/default/ufw",
                "ufw4\t-A ufw-user-output -p tcp --dport 25 -j DROP | -A ufw-user-output -p tcp --dport 25 -j DROP",
                "ufw6\t-A ufw6-user-output -p tcp --dport 25 -j REJECT --reject-with tcp-reset | -A ufw6-user-output -p tcp --dport 25",
                "setting\tMANAGE_BUILTINS\tyes | MANAGE_BUILTINS=yes"
            })
    void apply_settingsOfUfwThatIsOff_areNotPutIntoForce(String line, String named) {
        MemoryMachine other = inventory.host("web-1", "root", 22);
        other.ruleset(line.replace("\\t", "\t"));
        Mesh mesh = withServer(host -> {});

        assertThat(mesh.plan().problems())
                .singleElement()
                .satisfies(found ->
                        assertThat(found.toString()).contains("web-1: enabling ufw would", named, "[PG-5010]"));
        assertThatThrownBy(mesh::apply).isInstanceOf(InvalidMeshException.class).hasMessageContaining(named);
        assertThat(other.changes()).isEmpty();
    }

    @Test
    void build_allowedPortOfTheMeshOrClosedPortThatItNeeds_isRefused() {
        assertThatThrownBy(spec(host ->
                        host.allow(9100, Protocol.TCP).close(22, Protocol.TCP).close(51820, Protocol.UDP))::build)
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("allowed port 9100/tcp of node \"db-1\" is used by node_exporter")
                .hasMessageContaining("closed port 22/tcp of node \"db-1\" is one that every host of the mesh needs")
                .hasMessageContaining("closed port 51820/udp of node \"db-1\"");
        assertThat(spec(host -> host.allow(9100, Protocol.UDP))
                        .build()
                        .blueprint()
                        .hosts())
                .hasSize(2);
    }
}
