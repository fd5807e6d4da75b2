package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.host.Change;
import dev.promguard.memory.MemoryMachine;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a program reads from a plan: typed changes, and problems apart from them. */
class PlanDataTest {
    private static final String CONFIG = "/etc/prometheus/prometheus.yml";

    private final Account account = new Account();

    @BeforeEach
    void start() {
        account.spec().apply();
    }

    private MemoryMachine machine(String host) {
        return account.cloud.machine(host);
    }

    private static Plan.Entry entry(Plan plan, String host) {
        return plan.entries().stream()
                .filter(entry -> entry.name().equals(host))
                .findFirst()
                .orElseThrow();
    }

    private static PlannedChange change(Plan plan, String host, String resource) {
        return entry(plan, host).changes().stream()
                .filter(change -> change.resource().equals(resource))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void changes_fileEditedByHand_sayWhatIsThereAndWhatWillBe() {
        machine("shop-monitor-1").edit(CONFIG, text -> text + "# mine\n");

        PlannedChange change = change(account.spec().plan(), "shop-monitor-1", "file");

        assertThat(change.action()).isEqualTo(ChangeAction.UPDATE);
        assertThat(change.subject()).isEqualTo(CONFIG);
        assertThat(change.before().orElseThrow()).matches("sha256:[0-9a-f]{12} 0644 root:root");
        assertThat(change.after().orElseThrow())
                .matches("sha256:[0-9a-f]{12} 0644 root:root")
                .isNotEqualTo(change.before().orElseThrow());
        assertThat(change.drift()).isTrue();
        assertThat(change.restart()).isFalse();
    }

    @Test
    void changes_fileIsGone_isCreatedAndItsUnitRestarted() {
        machine("shop-node-1").remove("/etc/systemd/system/node_exporter.service");

        Plan plan = account.spec().plan();

        assertThat(change(plan, "shop-node-1", "file").action()).isEqualTo(ChangeAction.CREATE);
        assertThat(change(plan, "shop-node-1", "file").before()).contains("absent");
        PlannedChange restart = change(plan, "shop-node-1", "unit");
        assertThat(restart.restart()).isTrue();
        assertThat(restart.subject()).isEqualTo("node_exporter.service");
    }

    @Test
    void changes_ruleRemovedAndUnitStopped_nameRuleAndState() {
        machine("shop-node-1").removeRules(9100);
        machine("shop-node-1").stop("node_exporter.service");

        Plan plan = account.spec().plan();

        PlannedChange rule = change(plan, "shop-node-1", "firewall");
        assertThat(rule.before()).contains("absent");
        assertThat(rule.after().orElseThrow()).startsWith("9100/tcp on wg0 from 10.0.0.1");
        PlannedChange unit = change(plan, "shop-node-1", "unit");
        assertThat(unit.action()).isEqualTo(ChangeAction.START);
        assertThat(unit.before()).contains("inactive, enabled");
        assertThat(unit.after()).contains("active, enabled");
    }

    @Test
    void changes_keyIsLost_areNotKnownBeforeTheApply() {
        machine("shop-node-1").loseKey();

        Plan plan = account.spec().plan();

        PlannedChange key = change(plan, "shop-node-1", "wireguard");
        assertThat(key.after()).contains("known after apply");
        assertThat(change(plan, "shop-monitor-1", "file").after().orElseThrow()).startsWith("known after apply 0");
        assertThat(account.spec().plan()).isEqualTo(plan).hasSameHashCodeAs(plan);
    }

    @Test
    void cloud_firewallOfTheCloudDiffers_isATypedChange() {
        account.cloud.unprotect("put firewall promguard-shop right");

        assertThat(account.spec().plan().cloud())
                .containsExactly(PlannedChange.builder(
                                "cloud-firewall", ChangeAction.UPDATE, "shop", "put firewall promguard-shop right")
                        .build());
    }

    @Test
    void changeAction_actionsOfHosts_haveTheSameNames() {
        assertThat(ChangeAction.values())
                .extracting(Enum::name)
                .containsAll(
                        Arrays.stream(Change.Action.values()).map(Enum::name).toList());
    }

    @Test
    void problems_ofSeveralHostsAndTheMesh_areAllThereInOrderAndShownOnce() {
        account.cloud.plant("shop", "shop-stranger", Optional.of("another"));
        machine("shop-node-2").system("plan9");
        machine("shop-monitor-1").down(true);

        Plan plan = account.spec().plan();

        assertThat(plan.problems()).extracting(MeshProblem::id).containsExactly("PG-2007", "PG-4001", "PG-5009");
        assertThat(plan.problems())
                .extracting(MeshProblem::host)
                .containsExactly(Optional.empty(), Optional.of("shop-monitor-1"), Optional.of("shop-node-2"));
        assertThat(plan.problems()).extracting(MeshProblem::blocking).containsExactly(true, false, false);
        assertThat(plan.problems().get(0).remedy()).contains("deleteUnmanaged(");
        assertThat(plan.problems().get(2).message()).isEqualTo("its system is \"plan9\"");
        assertThat(plan.problems().get(2).remedy()).isEqualTo("Use an image of Debian or Ubuntu.");
        assertThat(plan.problems().get(2))
                .hasToString("shop-node-2: its system is \"plan9\". Use an image of Debian or Ubuntu. [PG-5009]");
        assertThat(plan.toString())
                .contains("\napply refuses: shop-stranger (id ")
                .contains(
                        "\n    cannot be changed: its system is \"plan9\". Use an image of Debian or Ubuntu. [PG-5009]");
        for (MeshProblem problem : plan.problems()) {
            assertThat(plan.toString())
                    .containsOnlyOnce(problem.message().lines().findFirst().orElseThrow());
        }
    }

    @Test
    void problems_hostThatDoesNotAnswer_areNoChanges() {
        machine("shop-node-1").down(true);

        Plan plan = account.spec().plan();

        Plan.Entry entry = entry(plan, "shop-node-1");
        assertThat(entry.kind()).isEqualTo(Plan.Kind.UNKNOWN);
        assertThat(entry.changes()).isEmpty();
        assertThat(entry.problems()).isEqualTo(plan.problems()).hasSize(1);
        assertThat(plan.isEmpty()).isFalse();
    }

    @Test
    void equals_plansThatDifferInOneChange_areDifferent() {
        Plan.Builder plan =
                Plan.builder(Plan.Operation.APPLY, account.spec().build().blueprint());
        Plan empty = plan.build();
        PlannedChange.Builder change =
                PlannedChange.builder("unit", ChangeAction.RESTART, "a.service", "restart a.service");
        Plan restarts = plan.addEntry(Plan.Entry.builder(Plan.Kind.CHANGE, "a")
                        .changes(List.of(change.build()))
                        .build())
                .build();

        assertThat(empty).isNotEqualTo(restarts);
        assertThat(change.build()).isEqualTo(change.build()).hasSameHashCodeAs(change.build());
        assertThat(change.drift(true).build())
                .isNotEqualTo(restarts.entries().get(0).changes().get(0));
        assertThatThrownBy(() -> restarts.entries().clear()).isInstanceOf(UnsupportedOperationException.class);
    }
}
