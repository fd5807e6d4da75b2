package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.host.Kernel;
import dev.promguard.host.Packages;
import dev.promguard.host.UfwSettings;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a host is and PromGuard leaves alone, where it stands in the way or somebody should know of it. */
class MeshSystemTest {
    private final MemoryInventory inventory = new MemoryInventory();
    private final MemoryHosts hosts = new MemoryHosts(inventory);
    private final MemoryStateStore store = new MemoryStateStore();
    private final MemoryMachine monitor = inventory.host("mon", "root", 22);

    private MeshBuilder spec() {
        return Mesh.builder()
                .name("shop")
                .namedMonitor("mon")
                .provider(new Calls().watch(inventory))
                .applier(new Calls().watch(hosts))
                .state(new Calls().watch(store))
                .waits(Account.NO_WAITS);
    }

    private void assertRefused(UnaryOperator<MeshBuilder> changed, String... reasons) {
        assertRefused(ErrorCode.UNSUPPORTED_SYSTEM, changed, reasons);
    }

    private void assertRefused(ErrorCode code, UnaryOperator<MeshBuilder> changed, String... reasons) {
        Plan plan = changed.apply(spec()).plan();
        assertThat(plan.problems()).singleElement().satisfies(problem -> {
            assertThat(problem.code()).isEqualTo(code);
            assertThat(problem.toString()).contains(reasons);
        });

        ApplyException refused = catchThrowableOfType(
                ApplyException.class, () -> changed.apply(spec()).apply());

        assertThat(refused).hasMessageContainingAll(reasons);
        assertThat(monitor.changes()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"no, Reboot the host", "yes, Boot a kernel that has it"})
    void planAndApply_kernelThatCannotLoadWireGuard_refuseBeforeAnyChange(String modules, String remedy) {
        monitor.says(Kernel.FACTS, "without-wireguard\t6.1.0-18-amd64\t" + modules);

        assertRefused(spec -> spec, "6.1.0-18-amd64", remedy);
    }

    @Test
    void planAndApply_loginOverIpv6ThatUfwWouldDrop_refuseBeforeAnyChange() {
        monitor.says(UfwSettings.FACTS, "drops-ipv-six", "login-over-ipv-six");

        assertRefused(spec -> spec, "IPV6=no", "the SSH login is IPv6", "Set IPV6=yes");
    }

    @Test
    void planAndApply_networkOfIpv6ThatUfwWouldDrop_refuseBeforeAnyChange() {
        monitor.says(UfwSettings.FACTS, "drops-ipv-six");

        assertRefused(spec -> spec.network("fd00:77::/64"), "the mesh's network fd00:77::/64 is IPv6");
    }

    @Test
    void apply_ufwWithoutIpv6OnAHostThatUsesNone_isDone() {
        monitor.says(UfwSettings.FACTS, "drops-ipv-six");

        assertThat(spec().apply().ok()).isTrue();
    }

    @Test
    void planAndApply_fileThatUfwsStartDoesNotRead_refuseBeforeAnyChange() {
        monitor.says(UfwSettings.FACTS, "carriage-return\t/etc/default/ufw", "carriage-return\t/etc/ufw/before.rules");

        assertRefused(
                spec -> spec,
                "ufw cannot start, for lines in /etc/default/ufw, /etc/ufw/before.rules end in CR LF",
                "sed -i 's/\\r$//' /etc/default/ufw /etc/ufw/before.rules");
    }

    @Test
    void plan_unitOfUfwThatItsOwnerMasked_isUnmaskedByName() {
        monitor.says(UfwSettings.FACTS, "masked");

        assertThat(spec().plan().toString()).contains("~ unmask ufw.service");
        spec().apply();
        monitor.disableFirewall();
        assertThat(spec().plan().toString()).contains("! ufw.service is masked (drift)   → unmask");
    }

    @Test
    void planAndApply_missingPackagesOnHold_refuseBeforeAnyChange() {
        monitor.says(Packages.FACTS, "held\tufw", "held\twireguard-tools");

        assertRefused(
                ErrorCode.INSTALL_FAILED,
                spec -> spec,
                "apt does not install ufw, wireguard-tools, for somebody put them on hold",
                "Run apt-mark unhold ufw wireguard-tools on the host");
    }

    @Test
    void planAndApply_missingPackagesRuledOut_refuseBeforeAnyChange() {
        monitor.says(Packages.FACTS, "pinned\tufw");

        assertRefused(
                ErrorCode.INSTALL_FAILED,
                spec -> spec,
                "apt installs no version of ufw, for its preferences rule all of them out (a priority below 0)",
                "Take that out of /etc/apt/preferences or /etc/apt/preferences.d on the host (apt-cache policy ufw shows it)");
    }

    @Test
    void plan_packagesThatDpkgHasNotFinished_areNamed() {
        monitor.says(Packages.FACTS, "unfinished\thalf-configured\tbroken-thing", "unfinished\tunpacked\tneedy:amd64");

        assertThat(spec().plan().toString())
                .contains("dpkg has not finished broken-thing (half-configured), needy:amd64 (unpacked)");
    }
}
