package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ApplyReport.Status;
import dev.promguard.internal.run.PollIntervals;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.Rebuild;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A host that was rebuilt is set up again; whoever only shows the host key of its creation is not let in. */
class MeshRebuildTest {
    private static final String NODE = "shop-node-1";

    private final Account account = new Account();

    @BeforeEach
    void apply() {
        account.spec().apply();
    }

    private MemoryMachine node() {
        return account.cloud.machine(NODE);
    }

    /** Insists that the node is refused by an apply, and that nothing was sent to it. */
    private ApplyException assertRefused() {
        MemoryMachine node = node();
        List<String> before = node.changes();
        HostState known = account.state("shop", NODE);
        int opened = account.hosts.opened();

        ApplyException failure =
                catchThrowableOfType(ApplyException.class, () -> account.spec().apply());

        assertThat(failure)
                .isNotNull()
                .hasMessageContaining(node.firstHostKey().text())
                .hasMessageContaining(known.hostKeys().iterator().next().text())
                .hasMessageContaining("Nothing was sent to it.")
                .hasMessageContaining("2 of 3 hosts are done");
        assertThat(failure.getCause())
                .isInstanceOfSatisfying(
                        HostException.class, e -> assertThat(e.refusedHostKey()).contains(node.firstHostKey()));
        assertThat(node.changes()).isEqualTo(before);
        assertThat(account.hosts.opened())
                .as("sessions, of the two others alone")
                .isEqualTo(opened + 2);
        assertThat(account.state("shop", NODE).hostKeys()).isEqualTo(known.hostKeys());
        return failure;
    }

    @ParameterizedTest
    @ValueSource(strings = {NODE, "shop-monitor-1"})
    void apply_rebuiltHost_setsItUpAgainWithNewKeysAndTellsItsPeers(String name) {
        MemoryMachine machine = account.cloud.machine(name);
        HostKeyFingerprint pinned = machine.hostKey();
        PublicKey key = machine.publicKey().orElseThrow();
        account.cloud.rebuild(name);
        assertThat(machine.hostKey()).isEqualTo(machine.firstHostKey());

        ApplyReport report = account.spec().apply();

        assertThat(report.hosts())
                .filteredOn(host -> host.name().equals(name))
                .singleElement()
                .satisfies(host -> assertThat(host.changes())
                        .startsWith("set up again: it was rebuilt, and shows the host key of its creation")
                        .contains("write the WireGuard key")
                        .endsWith("replace the bootstrap SSH host key"));
        assertThat(machine.hostKey()).isNotIn(pinned, machine.firstHostKey());
        assertThat(machine.publicKey()).isPresent().isNotEqualTo(Optional.of(key));
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_rebuiltNode_leavesTheOtherNodeAlone() {
        List<String> before = account.cloud.machine("shop-node-2").changes();
        account.cloud.rebuild(NODE);

        ApplyReport report = account.spec().apply();

        assertThat(report.hosts())
                .extracting(ApplyReport.HostOutcome::status)
                .containsExactly(Status.CHANGED, Status.CHANGED, Status.UNCHANGED);
        assertThat(report.hosts().get(0).changes())
                .contains("write /etc/wireguard/wg0.conf", "wg0: set peers")
                .noneMatch(change -> change.contains("bring up") || change.contains("start "));
        assertThat(account.cloud.machine("shop-node-2").changes()).isEqualTo(before);
    }

    @Test
    void plan_rebuiltHost_saysSoAndApplyDoesIt() {
        account.cloud.rebuild(NODE);
        Mesh mesh = account.spec().build();

        Plan plan = mesh.plan();

        assertThat(plan.entries().get(1).kind()).isEqualTo(Plan.Kind.CHANGE);
        assertThat(plan.toString()).contains("! set up again: it was rebuilt", "replace the bootstrap SSH host key");
        assertThat(plan.drift())
                .as("that it was rebuilt is the drift; what follows from it is not")
                .hasSize(1);
        assertThat(account.state("shop", NODE).hostKeys())
                .as("a plan accepts nothing for later")
                .doesNotContain(node().firstHostKey());
        mesh.apply(plan);
        account.assertUpToDate(mesh);
    }

    @Test
    void apply_rebuiltTwice_setsItUpAgainEachTime() {
        account.cloud.rebuild(NODE);
        account.spec().apply();
        account.cloud.rebuild(NODE);

        assertThat(account.spec().apply().ok()).isTrue();

        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_nothingRebuilt_asksForNoRebuilds() {
        Calls calls = new Calls();
        account.spec(calls).apply();
        account.spec(calls).build().plan();

        assertThat(calls.made()).doesNotContain("CloudProvider.rebuilds", "CloudProvider.clock");
    }

    @Test
    void apply_bootstrapKeyWithoutARebuild_isRefused() {
        node().impostorWithBootstrapKey();

        assertThat(assertRefused())
                .hasMessageContaining("Memory has completed no rebuild of it since 2031-05-06T07:08:09Z");
    }

    @Test
    void apply_bootstrapKeyAfterARebuildThatWasPutRight_isRefused() {
        account.cloud.rebuild(NODE);
        account.spec().apply();
        node().impostorWithBootstrapKey();

        assertThat(assertRefused()).hasMessageContaining("no rebuild of it since 2031-05-06T07:09:09Z");
    }

    @Test
    void apply_bootstrapKeyAfterARebuildBeforeThePin_isRefused() {
        Account late = new Account();
        MeshListener rebuild = event -> {
            if (event.host().equals(Optional.of(NODE))
                    && event.step().equals("connect over SSH")
                    && event.state() == MeshEvent.State.STARTED) {
                late.cloud.rebuild(NODE);
            }
        };
        late.spec().listener(rebuild).apply();
        MemoryMachine node = late.cloud.machine(NODE);
        List<String> before = node.changes();
        node.impostorWithBootstrapKey();

        assertThatThrownBy(() -> late.spec().apply()).isInstanceOf(ApplyException.class);

        assertThat(node.changes()).isEqualTo(before);
    }

    /** Clouds tell their times in whole seconds. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 60})
    void apply_rebuiltInTheSecondOfThePinOrLater_setsItUpAgain(int seconds) {
        Instant pinned = account.state("shop", NODE).pinnedAt().orElseThrow();
        account.cloud.rebuildAt(NODE, pinned.plusSeconds(seconds));

        assertThat(account.spec().apply().ok()).isTrue();

        account.assertUpToDate(account.spec().build());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 60})
    void apply_rebuiltInASecondBeforeThePin_isRefused(int seconds) {
        Instant pinned = account.state("shop", NODE).pinnedAt().orElseThrow();
        account.cloud.rebuildAt(NODE, pinned.minusSeconds(seconds));

        assertThat(assertRefused()).hasMessageContaining("has completed no rebuild of it since " + pinned);
    }

    /** One of the cloud's two times may be finer than the other. */
    @ParameterizedTest
    @CsvSource({
        "2031-05-06T07:08:09.900Z,2031-05-06T07:08:09Z,true",
        "2031-05-06T07:08:09.900Z,2031-05-06T07:08:09.100Z,true",
        "2031-05-06T07:08:09Z,2031-05-06T07:08:09.999Z,true",
        "2031-05-06T07:08:09Z,2031-05-06T07:08:08.999Z,false",
        "2031-05-06T07:08:09.900Z,2031-05-06T07:08:08Z,false"
    })
    void apply_rebuiltByAFinerOrCoarserClock_isJudgedBySeconds(Instant pinned, Instant rebuilt, boolean accepted) {
        Account other = new Account();
        other.cloud.time(pinned);
        other.spec().apply();
        other.cloud.rebuildAt(NODE, rebuilt);

        if (accepted) {
            assertThat(other.spec().apply().ok()).isTrue();
        } else {
            assertThatThrownBy(() -> other.spec().apply())
                    .isInstanceOf(ApplyException.class)
                    .hasMessageContaining("has completed no rebuild");
        }
    }

    /** Another host is late by minutes; meanwhile the first one, which is done, is rebuilt. */
    @Test
    void apply_rebuiltWhileAnotherHostIsAwaited_setsItUpAgain() throws Exception {
        Account slow = new Account();
        slow.cloud.keepBooting("shop-node-2");
        AtomicBoolean rebuilt = new AtomicBoolean();
        MeshListener rebuild = event -> {
            if (event.step().equals("reconnect")
                    && event.host().equals(Optional.of(NODE))
                    && event.state() == MeshEvent.State.DONE
                    && rebuilt.compareAndSet(false, true)) {
                Thread user = new Thread(() -> {
                    while (slow.state("shop", NODE).pinnedAt().isEmpty()) {
                        Thread.onSpinWait();
                    }
                    slow.cloud.rebuild(NODE);
                    slow.cloud.hurry();
                });
                user.setDaemon(true);
                user.start();
            }
        };
        try {
            slow.spec()
                    .waits(new PollIntervals(
                            Duration.ofMillis(1),
                            Duration.ofMillis(1),
                            Duration.ofMillis(-900),
                            Duration.ofMillis(1),
                            Duration.ZERO))
                    .listener(rebuild)
                    .apply();
        } catch (ApplyException e) {
            assertThat(e.report().hosts()).anyMatch(host -> host.name().equals(NODE));
        }
        assertThat(rebuilt).isTrue();

        assertThat(slow.spec().apply().ok()).isTrue();

        slow.assertUpToDate(slow.spec().build());
    }

    @Test
    void apply_bootstrapKeyWhileARebuildIsNotDone_isRefusedUntilItIs() {
        account.cloud.note(NODE, Rebuild.Status.IN_PROGRESS);
        node().impostorWithBootstrapKey();

        assertThat(assertRefused())
                .hasMessageContaining("Memory has not finished the rebuild that began at 2031-05-06T07:08:39Z")
                .hasMessageContaining("Wait until the rebuild is finished");

        account.cloud.rebuild(NODE);
        assertThat(account.spec().apply().ok()).isTrue();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_bootstrapKeyWhileASecondRebuildIsNotDone_isRefused() {
        account.cloud.rebuild(NODE);
        account.cloud.note(NODE, Rebuild.Status.IN_PROGRESS);

        assertThat(assertRefused()).hasMessageContaining("has not finished the rebuild");
    }

    @Test
    void apply_bootstrapKeyAfterARebuildThatFailed_isRefused() {
        account.cloud.note(NODE, Rebuild.Status.FAILED);
        node().impostorWithBootstrapKey();

        assertThat(assertRefused()).hasMessageContaining("or a rebuild failed");
    }

    @Test
    void apply_bootstrapKeyOfAnotherHostsRebuild_isRefused() {
        account.cloud.rebuild("shop-node-2");
        node().impostorWithBootstrapKey();

        ApplyException failure =
                catchThrowableOfType(ApplyException.class, () -> account.spec().apply());

        assertThat(failure.report().hosts())
                .extracting(ApplyReport.HostOutcome::status)
                .containsExactly(Status.CHANGED, Status.FAILED, Status.CHANGED);
        assertThat(failure).hasMessageContaining(NODE).hasMessageContaining("has completed no rebuild");
    }

    @Test
    void apply_anyOtherKeyAfterARebuild_isRefusedAndTheCloudIsNotAsked() {
        account.cloud.rebuild(NODE);
        node().impostor();
        Calls calls = new Calls();

        assertThatThrownBy(() -> account.spec(calls).apply())
                .isInstanceOf(ApplyException.class)
                .hasMessageContaining(node().hostKey().text());

        assertThat(calls.made()).doesNotContain("CloudProvider.rebuilds");
    }

    @Test
    void apply_cloudThatDoesNotTellTheTime_refusesARebuiltHost() {
        Account timeless = new Account();
        timeless.cloud.hideClock();
        timeless.spec().apply();
        timeless.cloud.rebuild(NODE);

        assertThatThrownBy(() -> timeless.spec().apply())
                .isInstanceOf(ApplyException.class)
                .hasMessageContaining("it is not known since when");
    }

    @Test
    void apply_questionForRebuildsFails_failsThatHostAlone() {
        account.cloud.rebuild(NODE);
        Calls rehearsal = new Calls();
        account.spec(rehearsal).parallelism(1).build().plan();
        Calls calls = new Calls();
        calls.breakAt(rehearsal.made().indexOf("CloudProvider.rebuilds") + 1, Calls.Problem.FAILS);

        Plan plan = account.spec(calls).parallelism(1).build().plan();

        assertThat(plan.entries())
                .extracting(Plan.Entry::kind)
                .containsExactly(Plan.Kind.KEEP, Plan.Kind.UNKNOWN, Plan.Kind.KEEP);
        assertThat(node().changes()).isNotEmpty();
        assertThat(account.hosts.open()).isZero();
    }

    @Test
    void openPrometheus_rebuiltMonitor_saysThatApplyPutsItRight() {
        account.cloud.rebuild("shop-monitor-1");

        assertThatThrownBy(account.spec().build()::openPrometheus)
                .isInstanceOf(HostException.class)
                .hasMessageContaining(
                        account.cloud.machine("shop-monitor-1").firstHostKey().text())
                .hasMessageContaining("If it was rebuilt, run apply, which asks Memory whether that is so");
    }

    @Test
    void verify_rebuiltHost_failsItsHostKeyAndSaysThatApplySetsItUpAgain() {
        account.cloud.rebuild(NODE);

        VerifyReport report = account.spec().build().verify();

        assertThat(report.failures())
                .filteredOn(check -> check.kind() == CheckKind.HOST_KEY_PINNED)
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.host()).isEqualTo(NODE);
                    assertThat(check.observed()).contains(node().firstHostKey().text(), "it was rebuilt");
                    assertThat(check.remedy()).contains("sets the host up again");
                });
        assertThat(report.failures())
                .filteredOn(check -> check.kind() == CheckKind.HOST_UP_TO_DATE
                        && check.host().equals(NODE))
                .singleElement()
                .satisfies(check -> assertThat(check.observed()).startsWith("set up again: it was rebuilt"));
    }
}
