package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.VerifyReport.Verdict;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.JumpHost;
import dev.promguard.spi.Login;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The verbs on hosts behind jump hosts, of which the first key is trusted. */
class MeshJumpHostTest {
    private static final HostKeyFingerprint KEY = new HostKeyFingerprint("SHA256:" + "j".repeat(43));
    private static final HostKeyFingerprint OTHER = new HostKeyFingerprint("SHA256:" + "o".repeat(43));

    private final MemoryInventory inventory = new MemoryInventory();
    private final MemoryHosts hosts = new MemoryHosts(inventory);
    private final MemoryStateStore store = new MemoryStateStore();
    private final JumpHost bastion = new JumpHost(
            "bastion", "203.0.113.1", Login.of("jump").trustOnFirstUse(true).build());
    private final MemoryMachine monitor = inventory.behind("mon", bastion);
    private final MemoryMachine database = inventory.behind("db-1", bastion);

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

    @Test
    void apply_monitorBehindAJumpHost_saysHowAColleagueGetsToPrometheus() {
        hosts.jumpHosts(name -> KEY);

        ApplyReport report = spec().prometheus(p -> p.port(9095)).apply();

        assertThat(report.prometheusCommands())
                .singleElement()
                .asString()
                .matches("ssh -L 9095:127\\.0\\.0\\.1:9095 -J jump@203\\.0\\.113\\.1:22 root@[0-9.]+");
        assertThat(report.toString())
                .endsWith("\nPrometheus, for a colleague without Java:\n  "
                        + report.prometheusCommands().get(0));
    }

    @Test
    void apply_jumpHostTrustedOnFirstUse_showsItsKeyInThePlanAndAcceptsNoOtherAfterwards() {
        hosts.jumpHosts(name -> KEY);
        String trust =
                "trust the host key " + KEY + " of jump host bastion (203.0.113.1:22), shown at this first contact";
        assertThat(spec().plan().entries())
                .allSatisfy(entry -> assertThat(entry.changes())
                        .extracting(PlannedChange::text)
                        .contains(trust));
        assertThat(spec().build().verify().checks())
                .filteredOn(check -> check.id().equals(CheckKind.HOST_KEY_PINNED.id()))
                .hasSize(2)
                .allSatisfy(check -> {
                    assertThat(check.verdict()).isEqualTo(Verdict.FAILED);
                    assertThat(check.observed())
                            .contains("through jump host bastion (203.0.113.1:22) with " + KEY
                                    + ", trusted on first use");
                });
        assertThat(store.load("shop")).as("nothing is kept yet").isEmpty();

        spec().apply();

        assertThat(store.load("shop").orElseThrow().jumpHosts()).isEqualTo(Map.of("203.0.113.1:22", KEY));
        assertThat(spec().plan().isEmpty()).isTrue();
        assertThat(spec().build().verify().checks())
                .filteredOn(check -> check.id().equals(CheckKind.HOST_KEY_PINNED.id()))
                .allSatisfy(check -> assertThat(check.verdict()).isEqualTo(Verdict.PASSED));
        hosts.jumpHosts(name -> OTHER);
        ApplyException failure = catchThrowableOfType(ApplyException.class, () -> spec().apply());
        assertThat(failure).hasMessageContaining("jump host bastion showed " + OTHER);
        assertThatThrownBy(() -> spec().build().destroy()).hasMessageContaining("jump host bastion showed " + OTHER);
    }

    @Test
    void plan_jumpHostThatShowsTwoKeysInOneRun_isRefusedForTheHostThatCameSecond() {
        AtomicInteger connections = new AtomicInteger();
        hosts.jumpHosts(name -> connections.incrementAndGet() == 1 ? KEY : OTHER);

        String plan = spec().parallelism(1).plan().toString();

        // The first contact is what the other host is held to.
        assertThat(plan).contains("jump host bastion").contains(OTHER.text()).contains(KEY.text());
        connections.set(0);
        ApplyException failure = catchThrowableOfType(
                ApplyException.class, () -> spec().parallelism(1).apply());
        assertThat(failure).hasMessageContaining(OTHER.text());
        assertThat(Set.of(monitor.mesh().isPresent(), database.mesh().isPresent()))
                .as("the host behind the other key is not touched")
                .contains(false);
    }

    @Test
    void destroy_jumpHostTrustedOnFirstUse_leavesNothing() {
        hosts.jumpHosts(name -> KEY);
        spec().apply();

        DestroyReport report = spec().build().destroy();

        assertThat(report.removed()).containsExactlyInAnyOrder("db-1", "mon");
        assertThat(store.load("shop")).isEmpty();
    }

    @Test
    void apply_cloudBehindAJumpHost_reachesEveryHostThroughItAndAcceptsItsKeyAlone() {
        Account account = new Account();
        account.hosts.lead(new JumpHost(
                "bastion", "203.0.113.1", Login.of("jump").hostKeys(Set.of(KEY)).build()));
        account.hosts.jumpHosts(name -> KEY);
        MeshBuilder spec = account.spec().applier(account.hosts);

        ApplyReport report = spec.apply();

        assertThat(report.prometheusCommands()).singleElement().asString().contains(" -J jump@203.0.113.1:22 root@");
        account.assertUpToDate(spec.build());
        assertThat(spec.build().verify().checks())
                .filteredOn(check -> check.id().equals(CheckKind.HOST_KEY_PINNED.id()))
                .hasSize(3)
                .allSatisfy(check -> {
                    assertThat(check.verdict()).isEqualTo(Verdict.PASSED);
                    assertThat(check.observed()).contains("through jump host bastion (203.0.113.1:22)");
                });
        account.hosts.jumpHosts(name -> OTHER);
        ApplyException failure = catchThrowableOfType(ApplyException.class, () -> spec.apply());
        assertThat(failure).hasMessageContaining("jump host bastion showed " + OTHER);
    }

    /** As it is with one that proves itself by a certificate. */
    @Test
    void apply_cloudBehindAJumpHostWithoutAGivenKey_pinsTheKeyThatItShowed() {
        Account account = new Account();
        account.hosts.lead(new JumpHost(
                "bastion", "203.0.113.1", Login.of("jump").trustOnFirstUse(true).build()));
        account.hosts.jumpHosts(name -> KEY);
        MeshBuilder spec = account.spec().applier(account.hosts);

        spec.apply();

        assertThat(account.state("shop").jumpHosts()).isEqualTo(Map.of("203.0.113.1:22", KEY));
        account.assertUpToDate(spec.build());
    }
}
