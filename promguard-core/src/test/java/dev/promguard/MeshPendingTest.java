package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.memory.MemoryMachine;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Changes that a run could not confirm: reading leaves them as they are and says so, and a run that changes hosts keeps them. */
class MeshPendingTest {
    private static final String NODE = "shop-node-2";

    private final Account account = new Account();

    /** Makes the mesh, and loses the node before its changes are confirmed. */
    @BeforeEach
    void loseTheNode() {
        MeshListener cut = event -> {
            if (event.host().equals(Optional.of(NODE)) && event.step().equals("reconnect")) {
                node().down(true);
            }
        };
        try {
            account.spec().listener(cut).apply();
        } catch (ApplyException e) {
            assertThat(e.report().hosts().get(2).status()).isEqualTo(ApplyReport.Status.UNKNOWN);
        }
        node().down(false);
        assertThat(node().armed()).isTrue();
    }

    private MemoryMachine node() {
        return account.cloud.machine(NODE);
    }

    @Test
    void plan_changesNotConfirmed_saysSoAndLeavesThem() {
        Plan plan = account.spec().plan();

        assertThat(plan.toString()).containsOnlyOnce("changes of an earlier run were not confirmed: apply keeps them");
        assertThat(node().armed()).isTrue();
        node().rollBack();
        assertThat(account.spec().plan().toString()).doesNotContain("not confirmed");
    }

    @Test
    void verify_changesNotConfirmed_failsAndLeavesThem() {
        VerifyReport report = account.spec().build().verify();

        assertThat(report.failures())
                .filteredOn(check -> check.description().equals("has no changes that wait for a confirmation"))
                .extracting(VerifyReport.Check::host)
                .containsExactly(NODE);
        assertThat(node().armed()).isTrue();
    }

    @Test
    void apply_changesNotConfirmed_keepsThem() {
        account.spec().apply();

        assertThat(node().armed()).isFalse();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void applyPlan_madeWhileChangesWereNotConfirmed_isTheSamePlanAndKeepsThem() {
        Plan plan = account.spec().plan();

        account.spec().build().apply(plan);

        assertThat(node().armed()).isFalse();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_rolledBackBetweenReadingAndConfirming_startsFromWhatTheHostIsThen() {
        node().rollBack();

        account.spec().apply();

        account.assertUpToDate(account.spec().build());
    }
}
