package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The names of the mesh's hosts in /etc/hosts: what plan, apply and destroy know of them. */
class MeshHostsFileTest {
    private static final String FOREIGN = "127.0.0.1 localhost\n::1 localhost\n";
    private static final String NAMES = """
            # BEGIN PromGuard
            # The hosts of mesh shop. All between this block's first and last line is replaced.
            10.0.0.1 shop-monitor-1.shop.mesh
            10.0.0.2 shop-node-1.shop.mesh
            10.0.0.3 shop-node-2.shop.mesh
            # END PromGuard
            """;

    private final Account account = new Account();

    private MeshBuilder spec() {
        return account.spec().hostsFile(true);
    }

    private MemoryMachine machine(String name) {
        return account.cloud.machine(name);
    }

    private static List<String> drift(Plan plan) {
        return plan.drift().stream().map(PlannedChange::text).toList();
    }

    @Test
    void apply_unlessAskedFor_leavesTheFileAlone() {
        account.spec().apply();

        assertThat(account.cloud.machines())
                .hasSize(3)
                .allSatisfy(machine -> assertThat(machine.hostsFile()).isEqualTo(FOREIGN));
        assertThat(account.spec().build().plan().isEmpty()).isTrue();
    }

    @Test
    void apply_askedFor_namesEveryHostOnEveryHost() {
        spec().apply();

        assertThat(account.cloud.machines())
                .hasSize(3)
                .allSatisfy(machine -> assertThat(machine.hostsFile()).isEqualTo(NAMES + FOREIGN));
        account.assertUpToDate(spec().build());
    }

    @Test
    void apply_networkOfIpv6_namesItsAddresses() {
        spec().network("fd00:77::/64").apply();

        assertThat(machine("shop-node-2").hostsFile())
                .contains("\nfd00:77::1 shop-monitor-1.shop.mesh\nfd00:77::2 shop-node-1.shop.mesh\n")
                .endsWith("# END PromGuard\n" + FOREIGN);
        account.assertUpToDate(spec().network("fd00:77::/64").build());
    }

    @Test
    void plan_switchedOnLater_saysWhatIsAdded() {
        account.spec().apply();

        Plan plan = spec().build().plan();

        assertThat(plan.drift()).isEmpty();
        assertThat(plan.entries())
                .hasSize(3)
                .allSatisfy(entry -> assertThat(entry.changes())
                        .extracting(PlannedChange::toString)
                        .containsExactly("~ add 3 names to /etc/hosts"));
        assertThat(plan.details()).contains("+10.0.0.2 shop-node-1.shop.mesh\n").doesNotContain("localhost");
        spec().build().apply(plan);
        assertThat(machine("shop-node-1").hostsFile()).isEqualTo(NAMES + FOREIGN);
        account.assertUpToDate(spec().build());
    }

    @Test
    void plan_blockEdited_isDriftThatApplyPutsBack() {
        spec().apply();
        machine("shop-node-1")
                .editHostsFile(text -> text.replace("10.0.0.1 shop", "192.0.2.66 shop") + "192.0.2.1 printer\n");
        machine("shop-node-2").editHostsFile(text -> FOREIGN);
        machine("shop-monitor-1").editHostsFile(text -> text + NAMES);

        Plan plan = spec().build().plan();

        assertThat(drift(plan))
                .containsExactly(
                        "/etc/hosts   the mesh's names stand there 2 times (drift)   → put back",
                        "/etc/hosts   the mesh's names differ, +1 -1 lines (drift)   → put back",
                        "/etc/hosts   the mesh's names are gone (drift)   → put back");
        assertThat(plan.details())
                .contains("-192.0.2.66 shop-monitor-1.shop.mesh\n+10.0.0.1 shop-monitor-1.shop.mesh\n")
                .doesNotContain("printer");
        assertThat(spec().build().verify().failures())
                .filteredOn(check -> check.observed().startsWith("/etc/hosts   the mesh's names "))
                .extracting(VerifyReport.Check::host)
                .containsExactly("shop-monitor-1", "shop-node-1", "shop-node-2");
        spec().build().apply(plan);
        assertThat(machine("shop-monitor-1").hostsFile()).isEqualTo(NAMES + FOREIGN);
        assertThat(machine("shop-node-1").hostsFile()).isEqualTo(NAMES + FOREIGN + "192.0.2.1 printer\n");
        assertThat(machine("shop-node-2").hostsFile()).isEqualTo(NAMES + FOREIGN);
        account.assertUpToDate(spec().build());
    }

    /** What belonged to the lost half cannot be known, so that no line is removed but the other half. */
    @Test
    void plan_markerGone_isDriftAndNoLineIsLost() {
        spec().apply();
        MemoryMachine node = machine("shop-node-1");
        node.editHostsFile(text -> text.replace("# END PromGuard\n", ""));
        String damaged = node.hostsFile();

        Plan plan = spec().build().plan();

        assertThat(drift(plan))
                .containsExactly(
                        "/etc/hosts   the mesh's names are gone (drift)   → put back; a marker line without its"
                                + " other half is removed, the lines beside it stay");
        spec().build().apply(plan);
        assertThat(node.hostsFile()).isEqualTo(NAMES + damaged.replace("# BEGIN PromGuard\n", ""));
        account.assertUpToDate(spec().build());
    }

    @Test
    void plan_linesOfOthersWithOneOfTheNames_namesThem() {
        account.spec().apply();
        machine("shop-node-1")
                .editHostsFile(text ->
                        text + "192.0.2.9 db Shop-Node-2.shop.mesh # by hand\n10.0.0.1 shop-monitor-1.shop.mesh\n"
                                + "192.0.2.8 other.shop.mesh\n");

        Plan plan = spec().build().plan();

        assertThat(plan.entries().get(1).changes())
                .extracting(PlannedChange::text)
                .containsExactly(
                        "add 3 names to /etc/hosts; in lines of others shop-node-2.shop.mesh is 192.0.2.9 there,"
                                + " 10.0.0.3 comes first");
        assertThat(plan.entries().get(2).changes())
                .extracting(PlannedChange::text)
                .containsExactly("add 3 names to /etc/hosts");
    }

    @Test
    void apply_oneHostMore_isNamedOnAllAndIsNoDrift() {
        spec().apply();

        Plan plan = spec().nodes(3, "lon1").build().plan();

        assertThat(plan.drift()).isEmpty();
        assertThat(plan.entries().get(1).changes())
                .extracting(PlannedChange::toString)
                .containsExactly("~ /etc/hosts   the mesh's names: +1 -0 lines");
        spec().nodes(3, "lon1").build().apply(plan);
        assertThat(account.cloud.machines())
                .hasSize(4)
                .allSatisfy(machine -> assertThat(machine.hostsFile())
                        .contains("10.0.0.4 shop-node-3.shop.mesh\n# END PromGuard\n" + FOREIGN));
        account.assertUpToDate(spec().nodes(3, "lon1").build());
    }

    @Test
    void apply_switchedOffAgain_removesTheBlock() {
        spec().apply();
        machine("shop-node-1").editHostsFile(text -> "# first\n" + text + "192.0.2.1 printer\n");

        Plan plan = account.spec().build().plan();

        assertThat(plan.drift()).isEmpty();
        assertThat(plan.entries())
                .allSatisfy(entry -> assertThat(entry.changes())
                        .extracting(PlannedChange::toString)
                        .containsExactly("~ remove the mesh's names from /etc/hosts"));
        account.spec().build().apply(plan);
        assertThat(machine("shop-monitor-1").hostsFile()).isEqualTo(FOREIGN);
        assertThat(machine("shop-node-1").hostsFile()).isEqualTo("# first\n" + FOREIGN + "192.0.2.1 printer\n");
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void toBuilder_mesh_keepsTheOption() {
        assertThat(spec().build().toBuilder().blueprint().spec().hostsFile()).isTrue();
    }

    @Test
    void destroy_hostsOfOnesOwn_leavesTheFileAsItWas() {
        MemoryInventory servers = new MemoryInventory();
        MemoryMachine monitor = servers.host("mon", "root", 22);
        MemoryMachine database = servers.host("db-1", "admin", 2222);
        MeshBuilder spec = Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .node("db-1", host -> {})
                .hostsFile(true)
                .provider(servers)
                .applier(new MemoryHosts(servers))
                .state(new MemoryStateStore())
                .waits(Account.NO_WAITS);
        spec.apply();
        assertThat(database.hostsFile()).contains("10.0.0.2 db-1.shop.mesh\n");
        database.editHostsFile(text -> text + "192.0.2.1 printer\n");

        spec.build().destroy();

        assertThat(monitor.hostsFile()).isEqualTo(FOREIGN);
        assertThat(database.hostsFile()).isEqualTo(FOREIGN + "192.0.2.1 printer\n");
    }
}
