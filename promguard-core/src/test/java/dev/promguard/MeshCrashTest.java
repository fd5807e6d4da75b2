package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.memory.Calls;
import dev.promguard.memory.Calls.Death;
import dev.promguard.memory.Calls.Problem;
import dev.promguard.memory.MemoryMachine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Breaks a verb at each of its calls to the outside in turn: whatever a problem leaves behind, the next apply ends with exactly the
 * hosts of the spec, and destroy with none.
 */
class MeshCrashTest {
    private static final int EVERY = Integer.getInteger("promguard.every", 4);
    private static final Duration HANGS = Duration.ofSeconds(60);

    private static Account empty() {
        return new Account();
    }

    private static Account applied() {
        Account account = new Account();
        small(account.spec()).apply();
        return account;
    }

    private static Account rebuilt() {
        Account account = applied();
        account.cloud.rebuild("shop-node-1");
        return account;
    }

    private static MeshBuilder small(MeshBuilder spec) {
        return spec.nodes(1, "lon1").parallelism(1);
    }

    private static MeshBuilder changed(MeshBuilder spec) {
        return spec.allowRemoval()
                .nodes(0)
                .node("other", host -> host.region("ams3"))
                .parallelism(1);
    }

    /**
     * Runs a verb once for every fourth of its calls, breaking that one, and hands what is left to a check. A program dies at the second, the
     * sixth and so on, and goes on at the first and the fifth; {@code -Plong} breaks all.
     */
    private static void breakEach(
            Supplier<Account> before,
            UnaryOperator<MeshBuilder> spec,
            Function<Mesh, ?> verb,
            Problem problem,
            Check check) {
        List<String> calls = new Rehearsal(before, spec, verb).calls();
        boolean dies = problem == Problem.DIES_BEFORE || problem == Problem.DIES_AFTER;
        for (int number = dies ? Math.min(2, EVERY) : 1; number <= calls.size(); number += EVERY) {
            Account account = before.get();
            Calls program = new Calls();
            program.breakAt(number, problem);
            List<Throwable> thrown = new ArrayList<>();
            try {
                Object outcome = verb.apply(spec.apply(account.spec(program)).build());
                if (outcome instanceof Tunnel tunnel) {
                    tunnel.close();
                }
            } catch (PromGuardException | Death e) {
                thrown.add(e);
            } catch (IllegalStateException e) {
                assertThat(e).as("an abnormal end").hasRootCauseInstanceOf(Death.class);
                thrown.add(e);
            }
            String moment = problem + " at call " + number + ", " + calls.get(number - 1);
            assertThat(account.hosts.open()).as("sessions open, " + moment).isZero();
            try {
                check.after(account, thrown);
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(moment + " of " + calls, e);
            }
        }
    }

    private interface Check {
        void after(Account account, List<Throwable> thrown);
    }

    @ParameterizedTest
    @EnumSource(
            value = Problem.class,
            names = {"FAILS", "LOSES_ANSWER", "DIES_BEFORE", "DIES_AFTER"})
    void apply_brokenAtEachCall_isFinishedByTheNext(Problem problem) {
        assertTimeoutPreemptively(
                HANGS,
                () -> breakEach(MeshCrashTest::empty, MeshCrashTest::small, Mesh::apply, problem, (account, thrown) -> {
                    boolean dies = problem == Problem.DIES_BEFORE || problem == Problem.DIES_AFTER;
                    if (dies || !thrown.isEmpty()) {
                        assertThat(thrown).hasSize(1);
                    } else {
                        assertThat(account.cloud.machines())
                                .as("where it was in doubt whether changes are kept, apply has found out and gone on")
                                .isNotEmpty()
                                .noneMatch(MemoryMachine::armed);
                    }
                    Mesh next = small(account.spec()).build();
                    next.apply();
                    account.assertUpToDate(next);
                }));
    }

    @ParameterizedTest
    @EnumSource(
            value = Problem.class,
            names = {"FAILS", "DIES_AFTER"})
    void apply_brokenAtEachCallWhileHostsRollBack_isFinishedByTheNext(Problem problem) {
        breakEach(MeshCrashTest::empty, MeshCrashTest::small, Mesh::apply, problem, (account, thrown) -> {
            account.cloud.machines().forEach(MemoryMachine::rollBack);
            Mesh next = small(account.spec()).build();
            next.apply();
            account.assertUpToDate(next);
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = Problem.class,
            names = {"FAILS", "LOSES_ANSWER", "DIES_BEFORE", "DIES_AFTER"})
    void apply_toARebuiltHostBrokenAtEachCall_isFinishedByTheNext(Problem problem) {
        breakEach(MeshCrashTest::rebuilt, MeshCrashTest::small, Mesh::apply, problem, (account, thrown) -> {
            if (problem == Problem.DIES_AFTER) {
                account.cloud.machines().forEach(MemoryMachine::rollBack);
            }
            Mesh next = small(account.spec()).build();
            next.apply();
            account.assertUpToDate(next);
            MemoryMachine node = account.cloud.machine("shop-node-1");
            HostKeyFingerprint own = node.hostKey();
            node.impostorWithBootstrapKey();
            assertThatThrownBy(next::apply)
                    .as("the same rebuild does not count a second time")
                    .isInstanceOf(ApplyException.class)
                    .hasMessageContaining(own.text());
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = Problem.class,
            names = {"LOSES_ANSWER", "DIES_AFTER"})
    void apply_exchangeOfAHostBrokenAtEachCall_isFinishedByTheNext(Problem problem) {
        breakEach(MeshCrashTest::applied, MeshCrashTest::changed, Mesh::apply, problem, (account, thrown) -> {
            Mesh next = changed(account.spec()).build();
            next.apply();
            account.assertUpToDate(next);
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = Problem.class,
            names = {"LOSES_ANSWER", "DIES_BEFORE"})
    void destroy_afterAnApplyBrokenAtEachCall_leavesNothing(Problem problem) {
        breakEach(MeshCrashTest::empty, MeshCrashTest::small, Mesh::apply, problem, (account, thrown) -> {
            small(account.spec()).build().destroy();
            account.assertIsGone("shop");
            assertThat(account.cloud.accessKeys())
                    .as("login keys left in the account")
                    .isZero();
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = Problem.class,
            names = {"FAILS", "LOSES_ANSWER", "DIES_AFTER"})
    void destroy_brokenAtEachCall_isFinishedByTheNext(Problem problem) {
        breakEach(MeshCrashTest::applied, MeshCrashTest::small, Mesh::destroy, problem, (account, thrown) -> {
            assertThat(thrown).hasSize(1);
            small(account.spec()).build().destroy();
            account.assertIsGone("shop");
        });
    }

    static Stream<Arguments> readers() {
        return Stream.of(
                Arguments.of("plan", (Function<Mesh, ?>) Mesh::plan),
                Arguments.of("verify", (Function<Mesh, ?>) Mesh::verify),
                Arguments.of("openPrometheus", (Function<Mesh, ?>) MeshCrashTest::open));
    }

    private static Tunnel open(Mesh mesh) {
        return mesh.openPrometheus();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("readers")
    void reader_brokenAtEachCall_changesNothing(String name, Function<Mesh, ?> verb) {
        FakePrometheus prometheus =
                new FakePrometheus().scrapes(small(new Account().spec()).blueprint());
        Supplier<Account> before = () -> {
            Account account = applied();
            account.cloud.machine("shop-monitor-1").forwardTo(prometheus.port());
            return account;
        };
        try (prometheus) {
            for (Problem problem : List.of(Problem.FAILS, Problem.DIES_BEFORE)) {
                breakEach(before, MeshCrashTest::small, verb, problem, (account, thrown) -> {
                    account.assertUpToDate(small(account.spec()).build());
                });
            }
        }
    }
}
