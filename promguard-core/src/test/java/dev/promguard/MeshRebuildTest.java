package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ApplyReport.Status;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.Rebuild;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A host that was rebuilt is set up again; whoever only shows the host key of its creation is not let in. */
class MeshRebuildTest {
    private static final String NODE = "shop-node-1";

    private final Account account = new Account();

    @BeforeEach
    void apply() {
        account.wish().apply();
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
                catchThrowableOfType(ApplyException.class, () -> account.wish().apply());

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

        ApplyReport report = account.wish().apply();

        assertThat(report.hosts())
                .filteredOn(host -> host.name().equals(name))
                .singleElement()
                .satisfies(host -> assertThat(host.changes())
                        .startsWith("set up again: it was rebuilt, and shows the host key of its creation")
                        .contains("write the WireGuard key")
                        .endsWith("replace the throwaway SSH host key"));
        assertThat(machine.hostKey()).isNotIn(pinned, machine.firstHostKey());
        assertThat(machine.publicKey()).isPresent().isNotEqualTo(Optional.of(key));
        account.assertIsAsWished(account.wish().build());
    }

    @Test
    void apply_rebuiltNode_leavesTheOtherNodeAlone() {
        List<String> before = account.cloud.machine("shop-node-2").changes();
        account.cloud.rebuild(NODE);

        ApplyReport report = account.wish().apply();

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
        Mesh mesh = account.wish().build();

        Plan plan = mesh.plan();

        assertThat(plan.entries().get(1).kind()).isEqualTo(Plan.Kind.CHANGE);
        assertThat(plan.toString()).contains("! set up again: it was rebuilt", "replace the throwaway SSH host key");
        assertThat(plan.drift())
                .as("that it was rebuilt is the drift; what follows from it is not")
                .hasSize(1);
        assertThat(account.state("shop", NODE).hostKeys())
                .as("a plan accepts nothing for later")
                .doesNotContain(node().firstHostKey());
        mesh.apply(plan);
        account.assertIsAsWished(mesh);
    }

    @Test
    void apply_rebuiltTwice_setsItUpAgainEachTime() {
        account.cloud.rebuild(NODE);
        account.wish().apply();
        account.cloud.rebuild(NODE);

        assertThat(account.wish().apply().ok()).isTrue();

        account.assertIsAsWished(account.wish().build());
    }

    @Test
    void apply_nothingRebuilt_asksForNoRebuilds() {
        Calls calls = new Calls();
        account.wish(calls).apply();
        account.wish(calls).build().plan();

        assertThat(calls.made()).doesNotContain("CloudProvider.rebuilds", "CloudProvider.clock");
    }

    @Test
    void apply_throwawayKeyWithoutARebuild_isRefused() {
        node().impostorWithThrowaway();

        assertThat(assertRefused())
                .hasMessageContaining("Memory has completed no rebuild of it since 2031-05-06T07:08:09Z");
    }

    @Test
    void apply_throwawayKeyAfterARebuildThatWasPutRight_isRefused() {
        account.cloud.rebuild(NODE);
        account.wish().apply();
        node().impostorWithThrowaway();

        assertThat(assertRefused()).hasMessageContaining("no rebuild of it since 2031-05-06T07:09:09Z");
    }

    @Test
    void apply_throwawayKeyAfterARebuildBeforeThePin_isRefused() {
        Account late = new Account();
        MeshListener rebuild = event -> {
            if (event.host().equals(Optional.of(NODE)) && event.step().startsWith("active")) {
                late.cloud.rebuild(NODE);
            }
        };
        late.wish().listener(rebuild).apply();
        MemoryMachine node = late.cloud.machine(NODE);
        List<String> before = node.changes();
        node.impostorWithThrowaway();

        assertThatThrownBy(() -> late.wish().apply()).isInstanceOf(ApplyException.class);

        assertThat(node.changes()).isEqualTo(before);
    }

    @Test
    void apply_throwawayKeyWhileARebuildIsNotDone_isRefusedUntilItIs() {
        account.cloud.note(NODE, Rebuild.Status.IN_PROGRESS);
        node().impostorWithThrowaway();

        assertThat(assertRefused())
                .hasMessageContaining("Memory has not finished the rebuild that began at 2031-05-06T07:08:39Z")
                .hasMessageContaining("Wait until the rebuild is finished");

        account.cloud.rebuild(NODE);
        assertThat(account.wish().apply().ok()).isTrue();
        account.assertIsAsWished(account.wish().build());
    }

    @Test
    void apply_throwawayKeyWhileASecondRebuildIsNotDone_isRefused() {
        account.cloud.rebuild(NODE);
        account.cloud.note(NODE, Rebuild.Status.IN_PROGRESS);

        assertThat(assertRefused()).hasMessageContaining("has not finished the rebuild");
    }

    @Test
    void apply_throwawayKeyAfterARebuildThatFailed_isRefused() {
        account.cloud.note(NODE, Rebuild.Status.FAILED);
        node().impostorWithThrowaway();

        assertThat(assertRefused()).hasMessageContaining("or a rebuild failed");
    }

    @Test
    void apply_throwawayKeyOfAnotherHostsRebuild_isRefused() {
        account.cloud.rebuild("shop-node-2");
        node().impostorWithThrowaway();

        ApplyException failure =
                catchThrowableOfType(ApplyException.class, () -> account.wish().apply());

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

        assertThatThrownBy(() -> account.wish(calls).apply())
                .isInstanceOf(ApplyException.class)
                .hasMessageContaining(node().hostKey().text());

        assertThat(calls.made()).doesNotContain("CloudProvider.rebuilds");
    }

    @Test
    void apply_cloudThatDoesNotTellTheTime_refusesARebuiltHost() {
        Account timeless = new Account();
        timeless.cloud.hideClock();
        timeless.wish().apply();
        timeless.cloud.rebuild(NODE);

        assertThatThrownBy(() -> timeless.wish().apply())
                .isInstanceOf(ApplyException.class)
                .hasMessageContaining("it is not known since when");
    }

    @Test
    void apply_questionForRebuildsFails_failsThatHostAlone() {
        account.cloud.rebuild(NODE);
        Calls rehearsal = new Calls();
        account.wish(rehearsal).parallelism(1).build().plan();
        Calls calls = new Calls();
        calls.breakAt(rehearsal.made().indexOf("CloudProvider.rebuilds") + 1, Calls.Fault.FAILS);

        Plan plan = account.wish(calls).parallelism(1).build().plan();

        assertThat(plan.entries())
                .extracting(Plan.Entry::kind)
                .containsExactly(Plan.Kind.KEEP, Plan.Kind.UNKNOWN, Plan.Kind.KEEP);
        assertThat(node().changes()).isNotEmpty();
        assertThat(account.hosts.open()).isZero();
    }

    @ParameterizedTest
    @EnumSource(Reader.class)
    void reader_rebuiltHost_saysThatApplyPutsItRight(Reader reader) {
        account.cloud.rebuild("shop-monitor-1");

        assertThat(reader.complaint(account.wish().build()))
                .contains(account.cloud.machine("shop-monitor-1").firstHostKey().text())
                .contains("If it was rebuilt, run apply, which asks Memory whether that is so");
    }

    /** The verbs that only look, and expect every host to be set up. */
    enum Reader {
        VERIFY,
        OPEN_PROMETHEUS;

        String complaint(Mesh mesh) {
            if (this == VERIFY) {
                return mesh.verify().toString();
            }
            return String.valueOf(catchThrowableOfType(HostException.class, mesh::openPrometheus)
                    .getMessage());
        }
    }
}
