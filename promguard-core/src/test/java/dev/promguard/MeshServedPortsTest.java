package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.host.UfwSettings;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.util.List;
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

    /** What is sent to the host itself, ufw judges by the port that it is sent to. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "127.0.0.1 | legacy-ip4 | -A PREROUTING -i eth0 -p tcp -m tcp --dport 8088 -j DNAT --to-destination 127.0.0.1:3000 | 127.0.0.1:3000",
                "127.0.0.1 | nft-ip4 | -A PREROUTING -p tcp -m tcp --dport 8088 -j DNAT --to-destination 127.0.0.1:3000 | 127.0.0.1:3000",
                "[::]:1 | nft-ip4 | -A PREROUTING -p tcp -m tcp --dport 8088 -j REDIRECT --to-ports 3000 | port 3000",
            })
    void apply_portThatARuleSendsToTheHostItself_isNamedUntilWhatItIsSentToIsAllowed(
            String listens, String kind, String rule, String to) {
        MemoryMachine other = inventory.host("web-1", "root", 22);
        other.listen("tcp", listens.equals("127.0.0.1") ? listens : "0.0.0.0", 3000);
        other.routeLoopback();
        other.ruleset(kind + "\t*nat", kind + "\t:PREROUTING ACCEPT", kind + '\t' + rule);
        Mesh mesh = withServer(host -> host.close(3000, Protocol.TCP));

        assertThat(mesh.plan().problems())
                .singleElement()
                .satisfies(
                        found -> assertThat(found.toString())
                                .contains(
                                        "web-1: port 8088/tcp (sent to " + to + ") answers now and would be closed",
                                        "[PG-5021]")
                                .contains(
                                        "keep 8088/tcp open with allow(3000, Protocol.TCP), or agree with close(8088, Protocol.TCP)"));
        assertThat(mesh.plan().toString()).doesNotContain("past ufw");
        assertThat(withServer(host -> host.close(3000, Protocol.TCP).close(8088, Protocol.TCP))
                        .plan()
                        .problems())
                .isEmpty();
        Mesh allowed = withServer(host -> host.allow(3000, Protocol.TCP));
        allowed.apply();
        assertThat(allowed.verify().checks())
                .as("it is open, as the spec has it")
                .noneMatch(check -> check.toString().contains("port 8088 is"));
    }

    /** Without route_localnet the kernel drops such packets now, and where nothing listens, nobody is served. */
    @Test
    void apply_portThatARuleSendsWhereNothingAnswers_isNotNamed() {
        MemoryMachine other = inventory.host("web-1", "root", 22);
        other.listen("tcp", "127.0.0.1", 3000);
        other.ruleset(
                "nft-ip4\t*nat",
                "nft-ip4\t:PREROUTING ACCEPT",
                "nft-ip4\t-A PREROUTING -p tcp -m tcp --dport 8088 -j DNAT --to-destination 127.0.0.1:3000",
                "nft-ip4\t-A PREROUTING -p tcp -m tcp --dport 8089 -j REDIRECT --to-ports 4000");

        assertThat(withServer(host -> {}).plan().problems()).isEmpty();
    }

    @Test
    void apply_protocolsWithoutPorts_areNamedUntilUfwAcceptsThemOrTheSpecAgrees() {
        MemoryMachine other = inventory.host("web-1", "root", 22);
        other.receive(112, "vrrp", 4, "keepalived");
        other.receive(47, "gre", 4, "gre1");
        other.receive(47, "gre", 6, "gre6");
        Mesh mesh = withServer(host -> {});

        assertThat(mesh.plan().problems())
                .singleElement()
                .satisfies(found -> assertThat(found.toString())
                        .contains(
                                "web-1: IP protocol 47 (gre) (gre1, gre6), IP protocol 112 (vrrp) (keepalived) answer now"
                                        + " and would be closed")
                        .contains("Agree with closeOtherPorts(true)", "-A ufw-before-input -p 47 -j ACCEPT"));
        Plan agreed = withServer(host -> host.closeOtherPorts(true)).plan();
        assertThat(agreed.problems()).isEmpty();
        assertThat(agreed.toString()).contains("ufw: close IP protocol 112 (vrrp) (keepalived), which answers now");
        other.ruleset(
                "ufw4\t-A ufw-before-input -p gre -j ACCEPT",
                "ufw6\t-A ufw6-before-input -p 47 -j ACCEPT",
                "ufw4\t-A ufw-user-input -p vrrp -d 224.0.0.18 -j ACCEPT");
        assertThat(mesh.plan().problems()).isEmpty();
        other.ruleset("ufw4\t-A ufw-before-input -p gre -j ACCEPT", "ufw4\t-A ufw-before-input -p 112 -j ACCEPT");
        assertThat(mesh.plan().problems())
                .singleElement()
                .satisfies(found ->
                        assertThat(found.toString()).contains("IP protocol 47 (gre) over IPv6 (gre6) answers"));
    }

    /** ufw has one rule for the same packets, and the newest counts. */
    @Test
    void plan_ownersRuleThatUfwReplaces_isNamed() {
        MemoryMachine other = inventory.host("web-1", "root", 22);
        other.tuple("limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in");
        other.tuple("deny_log udp 51820 ::/0 any ::/0 in comment=6e6f");
        other.tuple("limit tcp 2222 0.0.0.0/0 any 0.0.0.0/0 OpenSSH - in");

        assertThat(withServer(host -> {}).plan().toString())
                .contains("ufw: allow 22/tcp, in place of your rule to limit the same")
                .contains("ufw: allow 51820/udp, in place of your rule to deny log the same")
                .doesNotContain("ufw limits");
        other.tuple("limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 OpenSSH - in");
        assertThat(withServer(host -> {}).plan().toString())
                .contains("ufw limits new connections to SSH by a rule of yours");
    }

    /** The port of the login counts, wherever that is. */
    @ParameterizedTest
    @CsvSource({"2222, true", "'22,2000:2300', true", "any, true", "22, false"})
    void plan_ownersRuleThatLimitsThePortOfTheLogin_isNoted(String ports, boolean noted) {
        MemoryMachine server = inventory.host("login-2222", "root", 2222);
        server.tuple("limit tcp " + ports + " 0.0.0.0/0 any 198.51.100.0/24 in");
        server.tuple("limit tcp 2222 0.0.0.0/0 any 0.0.0.0/0 out");

        String plan = spec(host -> host.closeOtherPorts(true))
                .node("login-2222")
                .build()
                .plan()
                .toString();

        assertThat(plan.contains("ufw limits new connections to SSH by a rule of yours"))
                .isEqualTo(noted);
    }

    /** A host that is refused gets no key, and so its peers get none for it that would be another one each time. */
    @Test
    void apply_againBesideARefusedHost_changesNothingMore() {
        Mesh mesh = spec(host -> {}).build();
        assertThatThrownBy(mesh::apply).isInstanceOf(ApplyException.class).hasMessageContaining("80/tcp");

        assertThat(mesh.plan().toString())
                .contains("mesh shop: 0 to create, 1 to change")
                .doesNotContain("peer db-1");
        assertThatThrownBy(mesh::apply)
                .isInstanceOfSatisfying(
                        ApplyException.class,
                        failed -> assertThat(failed.report().changes()).isZero());

        spec(host -> host.closeOtherPorts(true)).apply();
        assertThat(database.peers()).hasSize(1);
        assertThat(mesh.plan().isEmpty()).isTrue();
    }

    /** It has no effect as long as ufw is off, and with ufw on this program would not come back. */
    @ParameterizedTest
    @CsvSource({
        "198.51.100.7, -s 198.51.100.0/24 -j DROP, true",
        "198.51.100.7, -s 198.51.100.8 -j DROP, false",
        "2001:db8::7, -p tcp --dport 22 -j DROP, false"
    })
    void apply_ruleOfUfwAgainstThisLogin_isNamedBeforeUfwIsEnabled(String from, String rule, boolean refused) {
        MemoryMachine other = inventory.host("web-1", "root", 22);
        other.says(UfwSettings.FACTS, "login-from\t" + from);
        other.ruleset("ufw4\t-A ufw-user-input " + rule);

        List<MeshProblem> problems = withServer(host -> {}).plan().problems();

        assertThat(problems).hasSize(refused ? 1 : 0);
        assertThat(problems)
                .allSatisfy(found -> assertThat(found.toString())
                        .contains("drops SSH (22/tcp) as soon as ufw is on", rule, "[PG-5022]"));
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
