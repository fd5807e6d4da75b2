package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.FirewallRule.Protocol;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.MeshState.HostState;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The verbs on hosts that were there before the mesh. */
class MeshInventoryTest {
    private final MemoryInventory inventory = new MemoryInventory();
    private final MemoryHosts hosts = new MemoryHosts(inventory);
    private final MemoryStateStore store = new MemoryStateStore();
    private final MemoryMachine monitor = inventory.host("mon", "root", 22);
    private final MemoryMachine database = inventory.host("db-1", "admin", 2222);

    private MeshBuilder spec() {
        return spec(new Calls());
    }

    private MeshBuilder spec(Calls calls) {
        return Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .node("db-1", host -> {})
                .provider(calls.watch(inventory))
                .applier(calls.watch(hosts))
                .state(calls.watch(store))
                .waits(Account.NO_WAITS);
    }

    private HostState state(String host) {
        return Objects.requireNonNull(store.load("shop").orElseThrow().hosts().get(host), host);
    }

    @Test
    void plan_hostsThatAreThere_changesThemAndCreatesNone() {
        Plan plan = spec().plan();

        assertThat(plan.entries()).extracting(Plan.Entry::kind).containsOnly(Plan.Kind.CHANGE);
        assertThat(plan.entries()).extracting(Plan.Entry::region).containsOnly("existing");
        assertThat(plan.price()).isEmpty();
        assertThat(plan.toString()).contains("2 to change").doesNotContain("$");
        assertThat(plan.entries().get(0).changes())
                .extracting(PlannedChange::text)
                .startsWith("begin a record of what is changed, for the day it is taken off")
                .doesNotContain("replace the bootstrap SSH host key");
        assertThat(plan.entries().get(0).changes()).noneMatch(PlannedChange::drift);
        assertThat(monitor.changes()).isEmpty();
        assertThat(store.load("shop")).isEmpty();
    }

    @Test
    void apply_thenAgain_makesTheMeshAndThenChangesNothing() {
        Calls calls = new Calls();
        ApplyReport first = spec(calls).apply();

        assertThat(first.ok()).isTrue();
        assertThat(monitor.violations()).isEmpty();
        assertThat(monitor.mesh()).contains("shop");
        assertThat(monitor.peers()).hasSize(1);
        assertThat(database.peers()).hasSize(1);
        assertThat(calls.made()).doesNotContain("CloudProvider.create", "CloudProvider.registerAccessKey");
        assertThat(calls.made()).doesNotContain("StateStore.saveLoginKey");
        assertThat(spec().apply().changes()).isZero();
        assertThat(spec().plan().isEmpty()).isTrue();
        assertThat(hosts.open()).isZero();
    }

    private static VerifyReport.Check peers(Mesh mesh, String host) {
        return mesh.verify().checks().stream()
                .filter(check -> check.host().equals(host) && check.id().equals(CheckKind.WIREGUARD_PEERS.id()))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void verify_stateLost_knowsThePeersByWhatTheHostsShow() {
        spec().apply();
        Mesh forgetful = spec().state(new MemoryStateStore()).build();

        assertThat(peers(forgetful, "mon").observed()).isEqualTo("these, and no other peer");
        assertThat(peers(forgetful, "db-1").verdict()).isEqualTo(VerifyReport.Verdict.PASSED);
        monitor.befriend(new PublicKey("umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k="), "10.0.0.77/32");
        assertThat(peers(forgetful, "mon").observed()).startsWith("an unknown peer ");
        assertThat(peers(forgetful, "mon").remedy()).contains("it had to be root");
    }

    @Test
    void verify_hostOfAnotherMesh_knowsThePeersOfThatByItsConfiguration() {
        spec().apply();
        Mesh other = Mesh.builder()
                .name("bank")
                .namedMonitor("mon")
                .provider(inventory)
                .applier(hosts)
                .state(new MemoryStateStore())
                .waits(Account.NO_WAITS)
                .build();

        VerifyReport.Check check = peers(other, "mon");

        assertThat(check.observed())
                .startsWith("PromGuard's own peer db-1 of mesh shop, whom the spec does not give it, ")
                .doesNotContain("unknown");
        assertThat(check.remedy()).isEqualTo("Take the host out of that mesh first, or leave it out of this one.");
    }

    @Test
    void apply_sshServerOnAnotherPort_isAdmittedBesideTheUsualOne() {
        spec().apply();

        assertThat(database.rules()).contains("2222/tcp", "22/tcp");
        assertThat(monitor.rules()).contains("22/tcp").doesNotContain("2222/tcp");
    }

    @Test
    void apply_namesThatNobodyKnows_isRefusedBeforeAnythingNamingBoth() {
        assertThatThrownBy(() -> spec().node("web-1", host -> {}).apply())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("web-1")
                .hasMessageContaining("db-1, mon");
        assertThat(hosts.opened()).isZero();
    }

    @Test
    void apply_oneHostIsOccupied_changesNoHostAndNamesTheFix() {
        database.foreignUnit("node_exporter.service");
        database.listen("tcp", "*", 9100);

        assertThatThrownBy(() -> spec().apply())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("db-1: it has a node_exporter.service that PromGuard did not put there")
                .hasMessageContaining("systemctl disable --now node_exporter.service")
                .hasMessageContaining("another program listens on *:9100/tcp");
        assertThat(monitor.changes()).isEmpty();
        assertThat(database.changes()).isEmpty();
        assertThat(hosts.open()).isZero();
        Plan plan = spec().plan();
        assertThat(plan.toString()).contains("that PromGuard did not put there");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "create user node_exporter",
                "install node_exporter 1.12.1",
                "ufw: allow 22/tcp",
                "ufw: deny what no rule admits, and enable",
                "write /etc/wireguard/wg0.conf",
                "wg0: bring up",
                "start node_exporter.service"
            })
    void apply_cutOffAtAnyChange_isFinishedByTheNextAndTakenOffByADestroyInItsPlace(String change) {
        database.failAt(change);
        assertThatThrownBy(() -> spec().apply()).isInstanceOf(ApplyException.class);
        database.failAt(null);
        database.rollBack();

        assertThat(spec().apply().ok()).isTrue();

        assertThat(spec().plan().isEmpty()).isTrue();
        spec().build().destroy();
        database.failAt(change);
        assertThatThrownBy(() -> spec().apply()).isInstanceOf(ApplyException.class);
        database.failAt(null);
        spec().build().destroy();
        assertThat(database.parts()).isEmpty();
        assertThat(database.firewallOn()).isFalse();
    }

    @Test
    void apply_hostOfAnotherMesh_isRefused() {
        spec().apply();

        assertThatThrownBy(() -> spec().name("bank").apply())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("mon: it is in mesh shop already")
                .hasMessageContaining("db-1: it is in mesh shop already");
    }

    @Test
    void trustOnFirstUse_firstContact_isShownByPlanPinnedByApplyAndHeldTo() {
        MemoryMachine web = inventory.trusted("web-1");
        MeshBuilder spec = spec().node("web-1", host -> {});

        assertThat(spec.plan().toString()).contains("trust the host key " + web.hostKey());
        assertThat(store.load("shop")).as("a plan keeps nothing").isEmpty();
        spec.apply();

        assertThat(state("web-1").hostKeys()).isEqualTo(Set.of(web.hostKey()));
        assertThat(spec.plan().isEmpty()).isTrue();
        List<String> before = web.changes();
        web.impostor();
        ApplyException failure = catchThrowableOfType(ApplyException.class, spec::apply);
        assertThat(failure)
                .hasMessageContaining("web-1")
                .hasMessageContaining(web.hostKey().text());
        assertThat(web.changes()).isEqualTo(before);
    }

    @Test
    void certificate_anotherKeyLater_isShownByPlanFailedByVerifyAndPinnedByApply() {
        HostKeyFingerprint authority = new HostKeyFingerprint("SHA256:" + "a".repeat(43));
        MemoryMachine web = inventory.certified("web-1", authority);
        MeshBuilder spec = spec().node("web-1", host -> {});
        HostKeyFingerprint first = web.hostKey();
        assertThat(spec.plan().toString())
                .contains("trust the host key " + first + ", which its certificate vouches for");
        spec.apply();
        assertThat(state("web-1").hostKeys()).isEqualTo(Set.of(first));
        assertThat(spec.plan().isEmpty()).isTrue();

        web.impostor();
        HostKeyFingerprint second = web.hostKey();
        assertThat(second).isNotEqualTo(first);
        Plan plan = spec.plan();
        assertThat(plan.toString()).contains("trust the host key " + second + ", which its certificate vouches for");
        assertThat(spec.build().verify().failures().stream()
                        .filter(check -> check.kind() == CheckKind.HOST_KEY_PINNED)
                        .toList())
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.observed()).contains(second.text(), "trusted by its certificate");
                    assertThat(check.remedy()).isEqualTo("Another key is pinned for this host: run apply.");
                });
        spec.build().apply(plan);

        assertThat(state("web-1").hostKeys()).isEqualTo(Set.of(second));
        assertThat(spec.plan().isEmpty()).isTrue();
        web.certifiedBy(new HostKeyFingerprint("SHA256:" + "b".repeat(43)));
        spec.plan().requireEmpty();
        web.impostor();
        List<String> before = web.changes();
        assertThatThrownBy(spec::apply).isInstanceOf(ApplyException.class).hasMessageContaining("web-1");
        assertThat(web.changes()).isEqualTo(before);
    }

    @Test
    void trustOnFirstUse_pinning_comesBeforeAnyChange() {
        inventory.trusted("web-1");
        Calls calls = new Calls();

        spec(calls).node("web-1", host -> {}).parallelism(1).apply();

        List<String> made = calls.made();
        int apply = made.indexOf("HostSession.apply");
        assertThat(made.subList(0, apply)).contains("HostApplier.open", "HostSession.facts", "StateStore.save");
        assertThat(made.lastIndexOf("HostApplier.open")).isGreaterThan(apply);
    }

    @Test
    void trustOnFirstUse_destroyWithoutTheState_storesTheHostKeyBeforeAnythingIsSent() {
        MemoryMachine web = inventory.trusted("web-1");
        spec().node("web-1", host -> {}).apply();
        store.delete("shop");
        web.failAt("stop and disable what PromGuard runs");
        Calls calls = new Calls();

        assertThatThrownBy(() -> spec(calls)
                        .node("web-1", host -> {})
                        .parallelism(1)
                        .build()
                        .destroy())
                .isInstanceOf(DestroyException.class);

        List<String> made = calls.made();
        assertThat(calls.made("HostSession.facts")).isEqualTo(3);
        for (int facts = 0; facts < made.size(); facts++) {
            if (made.get(facts).equals("HostSession.facts")) {
                assertThat(made.subList(facts - 2, facts)).containsExactly("HostApplier.open", "StateStore.save");
            }
        }
        assertThat(state("web-1").hostKeys()).isEqualTo(Set.of(web.hostKey()));
        web.failAt(null);
        HostKeyFingerprint before = web.hostKey();
        web.impostor();
        assertThatThrownBy(() -> spec().node("web-1", host -> {}).build().destroy())
                .isInstanceOf(DestroyException.class)
                .hasMessageContaining(before.text());
        assertThat(web.parts()).isNotEmpty();
    }

    @Test
    void destroy_withoutTheState_holdsNoAddressForAHostThatIsDone() {
        spec().apply();
        store.delete("shop");
        database.failAt("stop and disable what PromGuard runs");

        assertThatThrownBy(() -> spec().build().destroy()).isInstanceOf(DestroyException.class);

        assertThat(store.load("shop").orElseThrow().hosts()).containsOnlyKeys("db-1");
        assertThat(store.load("shop").orElseThrow().resting()).isEmpty();
    }

    @Test
    void apply_wrongFingerprint_isAHardStopForThatHost() {
        inventory.mistake("db-1");

        ApplyException failure = catchThrowableOfType(ApplyException.class, () -> spec().apply());

        assertThat(failure)
                .hasMessageContaining("db-1")
                .hasMessageContaining(database.hostKey().text());
        assertThat(database.changes()).isEmpty();
        assertThat(database.mesh()).isEmpty();
    }

    @Test
    void apply_hostKeyChangedAndTheUserGivesTheNewOne_goesOn() {
        spec().apply();
        database.impostor();
        assertThatThrownBy(() -> spec().apply()).isInstanceOf(ApplyException.class);

        inventory.host("db-1", "admin", 2222);

        assertThat(spec().apply().changes()).isZero();
        assertThat(state("db-1").hostKeys()).isEqualTo(Set.of(database.hostKey()));
    }

    @Test
    void destroy_wholeMesh_takesEveryPartOffAndSaysWhatIsLeft() {
        database.firewall(FirewallRule.open(22, Protocol.TCP, "the users own"));
        spec().apply();

        DestroyReport report = spec().build().destroy();

        assertThat(report.removed()).containsExactly("db-1", "mon");
        assertThat(report.leftovers()).containsOnlyKeys("db-1", "mon");
        assertThat(report.toString()).contains("left on db-1: packages that PromGuard installed: ufw wireguard-tools");
        for (MemoryMachine machine : List.of(monitor, database)) {
            assertThat(machine.parts()).isEmpty();
            assertThat(machine.violations()).isEmpty();
            assertThat(machine.armed()).as("confirmed by a new session").isFalse();
            assertThat(machine.mesh()).isEmpty();
        }
        assertThat(monitor.firewallOn()).isFalse();
        assertThat(database.firewallOn()).isTrue();
        assertThat(database.rules()).containsExactly("22/tcp");
        assertThat(store.load("shop")).isEmpty();
        assertThat(hosts.open()).isZero();
        assertThat(spec().build().destroy()).hasToString("mesh shop: there was nothing to remove");
    }

    @Test
    void destroy_oneHostUnreachable_takesDownTheOthersKeepsTheStateAndGoesOn() {
        spec().apply();
        database.down(true);

        DestroyException failure = catchThrowableOfType(
                DestroyException.class, () -> spec().build().destroy());

        assertThat(failure).hasMessageContaining("db-1").hasMessageContaining("run destroy again");
        assertThat(failure.report().removed()).containsExactly("mon");
        assertThat(store.load("shop").orElseThrow().hosts()).containsOnlyKeys("db-1");
        database.down(false);
        assertThat(spec().build().destroy().removed()).containsExactly("db-1");
        assertThat(database.parts()).isEmpty();
        assertThat(store.load("shop")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "stop and disable what PromGuard runs",
                "take the WireGuard interface down",
                "ufw: put back what was before",
                "remove PromGuard's files, releases, data and users"
            })
    void destroy_cutOffAtAnyPart_goesOnFromThere(String part) {
        spec().apply();
        database.failAt(part);
        assertThatThrownBy(() -> spec().build().destroy())
                .isInstanceOf(DestroyException.class)
                .hasMessageContaining(part);
        database.failAt(null);

        spec().build().destroy();

        assertThat(database.parts()).isEmpty();
        assertThat(database.violations()).isEmpty();
        assertThat(database.firewallOn()).isFalse();
    }

    @Test
    void destroy_hostGoneForGood_isForgottenOnceTheUserSaysSo() {
        spec().apply();
        inventory.unname("db-1");
        MeshBuilder without = spec();

        assertThatThrownBy(() -> without.build().destroy())
                .isInstanceOf(DestroyException.class)
                .hasMessageContaining("db-1")
                .hasMessageContaining("say with forget(…) that it no longer exists");
        inventory.forget("db-1");
        DestroyReport report = without.build().destroy();

        assertThat(report.leftovers().get("db-1")).singleElement().asString().contains("declared as gone");
        assertThat(database.parts()).as("it was not looked for").isNotEmpty();
        assertThat(store.load("shop")).isEmpty();
    }

    @Test
    void destroy_stateFolderLost_stillTakesThePartsOff() {
        spec().apply();
        store.delete("shop");

        assertThat(spec().build().destroy().removed()).containsExactly("db-1", "mon");
        assertThat(database.parts()).isEmpty();
    }

    @Test
    void destroy_hostsOfAnotherMesh_areLeftAlone() {
        spec().apply();

        assertThat(spec().name("bank").build().destroy().removed()).isEmpty();
        assertThat(database.parts()).isNotEmpty();
        assertThat(database.mesh()).contains("shop");
    }

    @Test
    void apply_nodeLeavesTheSpec_itsPartsAreTakenOffAndTheOthersStay() {
        MemoryMachine web = inventory.host("web-1", "root", 22);
        spec().node("web-1", host -> {}).apply();
        assertThat(spec().plan().entries())
                .extracting(Plan.Entry::kind)
                .containsExactly(Plan.Kind.CHANGE, Plan.Kind.KEEP, Plan.Kind.REMOVE);

        ApplyReport report = spec().allowRemoval().apply();

        assertThat(report.removed()).containsExactly("web-1");
        assertThat(web.parts()).isEmpty();
        assertThat(web.firewallOn()).isFalse();
        assertThat(monitor.peers()).hasSize(1);
        assertThat(spec().plan().isEmpty()).isTrue();
        assertThat(spec().apply().changes()).isZero();
    }

    @Test
    void apply_hostNeitherDesiredNorNamedAnyMore_isNotForgottenSilently() {
        inventory.host("web-1", "root", 22);
        spec().node("web-1", host -> {}).apply();
        inventory.unname("web-1");

        assertThatThrownBy(() -> spec().apply())
                .isInstanceOf(InvalidMeshException.class)
                .hasMessageContaining("web-1 has parts of this mesh");
        inventory.forget("web-1");
        assertThat(spec().apply().ok()).isTrue();
        assertThat(store.load("shop").orElseThrow().hosts()).containsOnlyKeys("db-1", "mon");
    }

    @Test
    void apply_hostsThatAreNamedAndNotDesired_areNotTouched() {
        MemoryMachine web = inventory.host("web-1", "root", 22);

        spec().apply();
        spec().build().destroy();

        assertThat(web.changes()).isEmpty();
    }
}
