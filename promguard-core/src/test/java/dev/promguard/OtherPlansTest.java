package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.keys.PublicKey;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Plans of a destroy and of a rotation of keys, and what carries them out. */
class OtherPlansTest {
    private final Account account = new Account();
    private final MemoryInventory inventory = new MemoryInventory();
    private final MemoryHosts hosts = new MemoryHosts(inventory);
    private final MemoryStateStore store = new MemoryStateStore();
    private final MemoryMachine monitor = inventory.host("mon", "root", 22);
    private final MemoryMachine database = inventory.host("db-1", "admin", 2222);

    private MeshBuilder existing(Calls calls) {
        return Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .node("db-1", host -> {})
                .provider(calls.watch(inventory))
                .applier(calls.watch(hosts))
                .state(calls.watch(store))
                .waits(Account.NO_WAITS);
    }

    private Mesh existing() {
        return existing(new Calls()).build();
    }

    private static Plan.Entry entry(Plan plan, String host) {
        return plan.entries().stream()
                .filter(entry -> entry.name().equals(host))
                .findFirst()
                .orElseThrow();
    }

    private List<Optional<PublicKey>> keys() {
        return account.cloud.machines().stream().map(MemoryMachine::publicKey).toList();
    }

    @Test
    void planRotateKeys_hostThatIsOff_saysThatNoKeyIsChangedAsRotateKeysDoes() {
        account.spec().apply();
        account.cloud.switchOff("shop-node-1");
        List<Optional<PublicKey>> before = keys();
        Mesh mesh = account.spec().build();

        Plan plan = mesh.planRotateKeys();

        assertThat(plan.toString())
                .contains(
                        "\nproblem: no key is changed, because a rotation needs every host, and some cannot take part:"
                                + " shop-node-1. Fix them, or take them out of the mesh, then run rotateKeys. [PG-5011]");
        assertThat(plan.stepIds()).isEmpty();
        assertThat(plan.problems()).extracting(MeshProblem::code).contains(ErrorCode.HOST_NOT_READY);
        for (ThrowingCallable verb : List.<ThrowingCallable>of(mesh::rotateKeys, () -> mesh.rotateKeys(plan))) {
            assertThatThrownBy(verb)
                    .isInstanceOf(ApplyException.class)
                    .hasMessageContaining("no key was changed")
                    .hasMessageContaining("these failed: shop-node-1.");
        }
        assertThat(keys()).isEqualTo(before);
    }

    @Test
    void planDestroy_cloudHosts_removesEachWithItsPriceAndChangesNothing() {
        account.spec().apply();

        Plan plan = account.spec().build().planDestroy();

        assertThat(plan.operation()).isEqualTo(Plan.Operation.DESTROY);
        assertThat(plan.entries()).hasSize(3).extracting(Plan.Entry::kind).containsOnly(Plan.Kind.REMOVE);
        assertThat(entry(plan, "shop-node-1").price()).isPresent();
        assertThat(entry(plan, "shop-node-1").address()).contains("10.0.0.2");
        assertThat(plan.toString())
                .startsWith("mesh shop, destroy: 3 to remove \u00b7 $")
                .contains(" less a month\n\n- shop-monitor-1", "\n- shop-node-1");
        assertThat(account.spec().build().planDestroy()).isEqualTo(plan);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void destroyPlan_cloudHosts_removesThem() {
        account.spec().apply();
        Mesh mesh = account.spec().build();

        DestroyReport report = mesh.destroy(mesh.planDestroy());

        assertThat(report.removed()).containsExactly("shop-monitor-1", "shop-node-1", "shop-node-2");
        account.assertIsGone("shop");
        assertThat(mesh.planDestroy().isEmpty()).isTrue();
        assertThat(mesh.planDestroy()).hasToString("mesh shop, destroy: nothing to remove");
    }

    @Test
    void destroyPlan_hostAddedSince_isOutdatedAndNamesIt() {
        account.spec().nodes(1, "lon1").apply();
        Mesh mesh = account.spec().nodes(1, "lon1").build();
        Plan plan = mesh.planDestroy();
        account.spec().apply();

        PlanOutdatedException outdated = catchThrowableOfType(PlanOutdatedException.class, () -> mesh.destroy(plan));

        assertThat(outdated).hasMessageContaining("since it was made: shop-node-2. Review the plan");
        assertThat(outdated.reviewed()).isSameAs(plan);
        assertThat(outdated.current().entries()).hasSize(3);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void planDestroy_unmanagedHosts_areAProblemThatBlocksNothing() {
        account.spec().apply();
        account.cloud.plant("shop", "shop-stranger", Optional.of("another"));

        Plan plan = account.spec().build().planDestroy();

        assertThat(plan.entries()).hasSize(3);
        assertThat(plan.problems()).extracting(MeshProblem::blocking).containsExactly(false);
        assertThat(plan.toString()).contains("\nproblem: shop-stranger (id ");
        assertThatThrownBy(() -> account.spec().build().destroy(plan)).isInstanceOf(DestroyException.class);
        assertThat(account.cloud.names()).containsExactly("shop-stranger");
    }

    @Test
    void planDestroy_existingHosts_saysWhatIsUninstalledAndWhatIsLeft() {
        existing().apply();
        List<String> before = database.changes();

        Plan plan = existing().planDestroy();

        Plan.Entry entry = entry(plan, "db-1");
        assertThat(entry.kind()).isEqualTo(Plan.Kind.REMOVE);
        assertThat(entry.changes())
                .extracting(PlannedChange::subject)
                .containsExactly("services", "wireguard", "firewall", "files");
        assertThat(entry.changes()).extracting(PlannedChange::action).containsOnly(ChangeAction.REMOVE);
        assertThat(entry.changes().get(0).text())
                .startsWith("stop and disable what PromGuard runs: ")
                .contains("node_exporter.service");
        assertThat(entry.notes())
                .containsExactly("will be left: packages that PromGuard installed: ufw wireguard-tools");
        assertThat(database.changes()).isEqualTo(before);
        assertThat(hosts.open()).isZero();
        assertThat(existing().plan().isEmpty()).isTrue();
    }

    @Test
    void planDestroy_existingHostsWithNamesInHostsFile_saysThatTheyAreRemoved() {
        existing().toBuilder().hostsFile(true).apply();

        Plan plan = existing().toBuilder().hostsFile(true).build().planDestroy();

        assertThat(entry(plan, "db-1").changes())
                .extracting(PlannedChange::subject)
                .containsExactly("services", "wireguard", "firewall", "/etc/hosts", "files");
        assertThat(existing().toBuilder().hostsFile(true).build().destroy().leftovers())
                .containsOnlyKeys("db-1", "mon");
    }

    @Test
    void destroyPlan_existingHosts_leavesWhatThePlanSaysOverTheSessionsThatWereCompared() {
        existing().apply();
        Plan plan = existing().planDestroy();
        Calls calls = new Calls();
        int before = hosts.opened();

        DestroyReport report = existing(calls).build().destroy(plan);

        assertThat(report.leftovers()).containsOnlyKeys("db-1", "mon");
        assertThat(report.leftovers().get("db-1"))
                .containsExactly("packages that PromGuard installed: ufw wireguard-tools");
        assertThat(calls.made("HostSession.facts")).isEqualTo(2);
        assertThat(calls.made("HostSession.apply")).isEqualTo(2);
        assertThat(hosts.opened() - before)
                .as("one a host, and one that confirms")
                .isEqualTo(4);
        assertThat(database.parts()).isEmpty();
        assertThat(monitor.parts()).isEmpty();
        assertThat(store.load("shop")).isEmpty();
        assertThat(existing().planDestroy().toString()).isEqualTo("mesh shop, destroy: nothing to remove");
    }

    @Test
    void destroyPlan_existingHostThatAnswersNoMore_isOutdatedAndNothingIsUninstalled() {
        existing().apply();
        Plan plan = existing().planDestroy();
        database.down(true);

        assertThatThrownBy(() -> existing().destroy(plan))
                .isInstanceOf(PlanOutdatedException.class)
                .hasMessageContaining("since it was made: db-1.");

        assertThat(monitor.parts()).isNotEmpty();
        Plan.Entry unreadable = entry(existing().planDestroy(), "db-1");
        assertThat(unreadable.kind()).isEqualTo(Plan.Kind.UNKNOWN);
        assertThat(unreadable.problems()).singleElement().satisfies(problem -> {
            assertThat(problem.message()).as("without the id").doesNotContain("[PG-");
            assertThat(problem.toString()).containsOnlyOnce("[" + problem.id() + "]");
        });
    }

    @Test
    void planRotateKeys_meshUpToDate_givesEveryHostNewKeysAndChangesNothing() {
        account.spec().apply();
        List<Optional<PublicKey>> before = keys();

        Plan plan = account.spec().build().planRotateKeys();

        assertThat(plan.operation()).isEqualTo(Plan.Operation.ROTATE_KEYS);
        assertThat(plan.toString()).startsWith("mesh shop, rotate keys: 0 to create, 3 to change, 0 to remove");
        assertThat(plan.entries())
                .allSatisfy(entry -> assertThat(entry.changes())
                        .extracting(PlannedChange::resource)
                        .contains("wireguard"));
        assertThat(keys()).isEqualTo(before);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void rotateKeysPlan_unchanged_rotatesAtTheCostOfARotation() {
        account.spec().apply();
        List<Optional<PublicKey>> before = keys();
        Plan plan = account.spec().build().planRotateKeys();
        Calls calls = new Calls();

        ApplyReport report = account.spec(calls).build().rotateKeys(plan);

        assertThat(report.ok()).isTrue();
        assertThat(keys()).doesNotContainAnyElementsOf(before);
        assertThat(calls.made("HostApplier.open")).isEqualTo(6);
        assertThat(calls.made("HostSession.facts")).isEqualTo(3);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void rotateKeysPlan_driftSince_isOutdatedAndRotatesNothing() {
        account.spec().apply();
        Plan plan = account.spec().build().planRotateKeys();
        List<Optional<PublicKey>> before = keys();
        account.cloud.machine("shop-node-2").disableFirewall();

        assertThatThrownBy(() -> account.spec().build().rotateKeys(plan))
                .isInstanceOf(PlanOutdatedException.class)
                .hasMessageContaining("since it was made: shop-node-2.");

        assertThat(keys()).isEqualTo(before);
        Plan both = account.spec().build().planRotateKeys();
        assertThat(account.spec().build().rotateKeys(both).ok()).isTrue();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void verbs_planOfAnotherMesh_isRefusedAsSuch() {
        account.spec().apply();
        Mesh mesh = account.spec().build();
        Mesh other = account.spec().name("other").build();
        String message =
                "this is a plan of mesh shop, and not of other: pass it to the mesh that made it. Nothing was done. [PG-9002]";

        for (ThrowingCallable verb : List.<ThrowingCallable>of(
                () -> other.apply(mesh.plan()),
                () -> other.rotateKeys(mesh.planRotateKeys()),
                () -> other.destroy(mesh.planDestroy()))) {
            assertThatThrownBy(verb).isInstanceOf(InvalidSettingException.class).hasMessage(message);
        }
        account.assertUpToDate(mesh);
    }

    @Test
    void verbs_planOfAnotherVerb_isRefused() {
        account.spec().apply();
        Mesh mesh = account.spec().build();

        assertThatThrownBy(() -> mesh.apply(mesh.planDestroy()))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessage("this is a plan of DESTROY, and not of APPLY: pass it to its own verb [PG-9002]");
        assertThatThrownBy(() -> mesh.apply(mesh.planRotateKeys())).isInstanceOf(InvalidSettingException.class);
        assertThatThrownBy(() -> mesh.destroy(mesh.plan())).isInstanceOf(InvalidSettingException.class);
        assertThatThrownBy(() -> mesh.rotateKeys(mesh.plan())).isInstanceOf(InvalidSettingException.class);
        account.assertUpToDate(mesh);
    }
}
