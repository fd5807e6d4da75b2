package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.memory.Calls;
import dev.promguard.memory.Calls.Problem;
import dev.promguard.memory.MemoryMachine;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What became of changes under an armed rollback: kept, rolled back, or unknown, as the report has it. */
class MeshOutcomeTest {
    private static final String NODE = "shop-node-2";
    private static final String CONNECT = "reconnect";
    private static final String LOOK = "check whether it keeps its changes";

    private final Account account = new Account();
    private final AtomicInteger looks = new AtomicInteger();

    /** Applies while something is done to the node when a step is begun there, and something else when it is looked at again. */
    private ApplyReport apply(String step, Consumer<MemoryMachine> first, Consumer<MemoryMachine> then) {
        MeshListener mischief = event -> {
            if (event.host().equals(Optional.of(NODE)) && event.state() == MeshEvent.State.STARTED) {
                if (event.step().equals(step)) {
                    first.accept(node());
                } else if (event.step().equals(LOOK)) {
                    looks.incrementAndGet();
                    then.accept(node());
                }
            }
        };
        try {
            return account.spec().listener(mischief).apply();
        } catch (ApplyException e) {
            return e.report();
        }
    }

    private MemoryMachine node() {
        return account.cloud.machine(NODE);
    }

    private HostOutcome assertOutcome(ApplyReport report, Status wanted) {
        HostOutcome outcome = report.hosts().get(2);
        assertThat(outcome.status()).as("%s", report).isEqualTo(wanted);
        assertThat(report.ok()).isEqualTo(wanted.ok());
        assertThat(report.hosts().subList(0, 2)).extracting(HostOutcome::status).containsOnly(Status.CHANGED);
        if (!wanted.ok()) {
            HostException failure = (HostException) Objects.requireNonNull(outcome.failure());
            assertThat(failure.status()).isEqualTo(wanted);
            assertThat(failure.code())
                    .isEqualTo(
                            switch (wanted) {
                                case ROLLED_BACK -> ErrorCode.ROLLED_BACK;
                                case UNKNOWN -> ErrorCode.OUTCOME_UNKNOWN;
                                default -> ErrorCode.CONNECTION_LOST;
                            });
        }
        return outcome;
    }

    private void assertNextApplyFinishes() {
        assertThat(account.spec().apply().ok()).isTrue();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_confirmedInTime_isChangedAndNotLookedAtAgain() {
        assertOutcome(apply(CONNECT, node -> {}, node -> {}), Status.CHANGED);

        assertThat(looks).hasValue(0);
    }

    @Test
    void apply_confirmedTooLate_isRolledBack() {
        HostOutcome outcome = assertOutcome(apply(CONNECT, MemoryMachine::rollBack, node -> {}), Status.ROLLED_BACK);

        assertThat(outcome.failure()).hasMessageContaining("the host has rolled back");
        assertThat(outcome.changes()).isNotEmpty();
        assertNextApplyFinishes();
    }

    @Test
    void apply_answerOfTheConfirmationLost_findsThatTheChangesAreKept() {
        Calls calls = new Calls();
        Calls rehearsal = new Calls();
        new Account().spec(rehearsal).parallelism(1).apply();
        calls.breakAt(rehearsal.made().indexOf("HostSession.confirm") + 1, Problem.LOSES_ANSWER);

        ApplyReport report = account.spec(calls).parallelism(1).apply();

        assertThat(report.hosts()).extracting(HostOutcome::status).containsOnly(Status.CHANGED);
        assertThat(calls.made("HostSession.confirm")).isEqualTo(4);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_outOfReachUntilItRolledBack_isRolledBackAndSaysWhatStoodInTheWay() {
        ApplyReport report = apply(CONNECT, node -> node.down(true), node -> {
            node.rollBack();
            node.down(false);
        });

        assertThat(assertOutcome(report, Status.ROLLED_BACK).failure())
                .hasMessageContaining("rolled back, because no new connection confirmed the changes in time")
                .hasMessageContaining("The reason: " + NODE)
                .hasMessageContaining("ufw status numbered");
        assertThat(looks).hasValue(1);
        assertNextApplyFinishes();
    }

    @Test
    void apply_outOfReachForAWhile_isChanged() {
        assertOutcome(apply(CONNECT, node -> node.down(true), node -> node.down(false)), Status.CHANGED);

        assertThat(looks).hasValue(1);
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void apply_outOfReachForGood_isUnknownAndSaysWhatToDo() {
        ApplyReport report = apply(CONNECT, node -> node.down(true), node -> {});

        assertThat(assertOutcome(report, Status.UNKNOWN).failure())
                .hasMessageContaining("whether the host keeps its changes or has rolled back is not known")
                .hasMessageContaining("the next run makes the changes that are missing")
                .hasMessageContaining("check on its console");
        assertThat(report.toString()).contains("1 of 3 hosts failed").contains("UNKNOWN after ");
        node().rollBack();
        node().down(false);
        assertNextApplyFinishes();
    }

    @Test
    void apply_impostorAtTheConfirmation_isUnknownWithBothFingerprintsAndSendsNothing() {
        HostKeyFingerprint[] own = new HostKeyFingerprint[1];
        int[] done = new int[1];
        ApplyReport report = apply(
                CONNECT,
                node -> {
                    own[0] = node.hostKey();
                    done[0] = node.changes().size();
                    node.impostor();
                },
                node -> {});

        HostOutcome outcome = assertOutcome(report, Status.UNKNOWN);
        assertThat(outcome.failure())
                .hasMessageContaining(own[0].text())
                .hasMessageContaining(node().hostKey().text());
        assertThat(((HostException) Objects.requireNonNull(outcome.failure())).refusedHostKey())
                .contains(node().hostKey());
        assertThat(node().changes()).hasSize(done[0]);
        assertThat(node().armed()).as("nobody confirmed").isTrue();
    }

    @Test
    void apply_oldHostKeyAndAClaimThatTheChangesAreKept_isUnknown() {
        ApplyReport report = apply(CONNECT, MemoryMachine::impostorWithBootstrapKey, node -> {});

        assertThat(assertOutcome(report, Status.UNKNOWN).failure()).hasMessageContaining("One of the two is wrong");
    }

    @Test
    void apply_connectionLostWhileARollbackIsArmed_isLookedAtAgain() {
        ApplyReport report = apply("start node_exporter.service", node -> node.down(true), node -> {
            node.rollBack();
            node.down(false);
        });

        assertOutcome(report, Status.ROLLED_BACK);
        assertNextApplyFinishes();
    }

    @Test
    void apply_connectionLostForAWhile_isFailedAndWhatWasDoneIsKept() {
        ApplyReport report = apply("start node_exporter.service", node -> node.down(true), node -> node.down(false));

        assertThat(assertOutcome(report, Status.FAILED).failure())
                .hasMessageContaining("the host keeps what it had changed by then");
        assertNextApplyFinishes();
    }

    @Test
    void apply_unknownOutcome_isNotCountedAmongTheHostsThatAreDone() {
        account.spec().apply();
        node().disableFirewall();
        MeshListener vanish = event -> {
            if (event.step().equals(CONNECT)) {
                node().down(true);
            }
        };

        ApplyException failure = catchThrowableOfType(
                ApplyException.class, () -> account.spec().listener(vanish).apply());

        assertThat(failure).hasMessageContaining("2 of 3 hosts are done");
        assertThat(failure.report().hosts())
                .extracting(HostOutcome::status)
                .isEqualTo(List.of(Status.UNCHANGED, Status.UNCHANGED, Status.UNKNOWN));
    }
}
