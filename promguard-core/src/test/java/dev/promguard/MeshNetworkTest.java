package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.memory.MemoryMachine;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A change of the mesh's network: every host gets an address in the new one and keeps that from then on. */
class MeshNetworkTest {
    private static final String OTHER = "10.9.0.0/24";

    private final Account account = new Account();

    private MeshBuilder spec(String network, String... nodes) {
        MeshBuilder spec = account.spec().network(network).nodes(0);
        for (String node : nodes) {
            spec = spec.node(node, host -> host.region("lon1"));
        }
        return spec;
    }

    @Test
    void apply_networkChanged_stateHoldsTheNewAddresses() {
        spec("10.0.0.0/24", "a", "b", "c").apply();

        spec(OTHER, "a", "b", "c").apply();

        assertThat(account.address("shop-monitor-1")).isEqualTo("10.9.0.1");
        assertThat(account.address("a")).isEqualTo("10.9.0.2");
        assertThat(account.address("b")).isEqualTo("10.9.0.3");
        assertThat(account.address("c")).isEqualTo("10.9.0.4");
        account.assertUpToDate(spec(OTHER, "a", "b", "c").build());
    }

    @Test
    void apply_hostRemovedAfterTheNetworkChanged_renumbersNobody() {
        spec("10.0.0.0/24", "a", "b", "c").apply();
        spec(OTHER, "a", "b", "c").apply();
        MemoryMachine b = account.cloud.machine("b");
        List<String> before = b.changes();

        ApplyReport report = spec(OTHER, "b", "c").allowRemoval().apply();

        assertThat(report.removed()).containsExactly("a");
        assertThat(b.changes()).isEqualTo(before);
        assertThat(report.hosts().get(1).status()).isEqualTo(ApplyReport.Status.UNCHANGED);
        assertThat(report.hosts().get(2).status()).isEqualTo(ApplyReport.Status.UNCHANGED);
        assertThat(account.address("b")).isEqualTo("10.9.0.3");
        assertThat(account.address("c")).isEqualTo("10.9.0.4");
        account.assertUpToDate(spec(OTHER, "b", "c").build());
    }

    @Test
    void apply_networkChangedWhileAHostIsDownAndChangedBack_givesEachItsOldAddress() {
        spec("10.0.0.0/24", "a", "b", "c").apply();
        spec("10.0.0.0/24", "b", "c").allowRemoval().apply();
        account.cloud.machine("c").down(true);
        assertThatThrownBy(() -> spec(OTHER, "b", "c").apply()).isInstanceOf(ApplyException.class);
        assertThat(account.address("b")).isEqualTo("10.9.0.2");
        account.cloud.machine("c").down(false);

        spec("10.0.0.0/24", "b", "c").apply();

        assertThat(account.address("b")).isEqualTo("10.0.0.3");
        assertThat(account.address("c"))
                .as("it was down, and has held this address all the time")
                .isEqualTo("10.0.0.4");
        account.assertUpToDate(spec("10.0.0.0/24", "b", "c").build());
    }

    @Test
    void plan_networkOverlapsAHostsOwn_saysWhatApplyRefuses() {
        account.spec().apply();
        account.cloud.machine("shop-node-1").network("10.9.0.14/16");

        Plan plan = account.spec().network(OTHER).plan();
        ApplyException refusal = catchThrowableOfType(
                ApplyException.class, () -> account.spec().network(OTHER).apply());

        String overlap = "the mesh's network 10.9.0.0/24 overlaps the host's own 10.9.0.14/16";
        assertThat(refusal).hasMessageContaining("shop-node-1").hasMessageContaining(overlap);
        assertThat(plan.entries().get(1).problems())
                .extracting(MeshProblem::message)
                .containsExactly(overlap);
    }
}
