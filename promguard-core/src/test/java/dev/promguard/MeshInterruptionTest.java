package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.memory.Calls;
import dev.promguard.memory.Calls.Problem;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.StateStore;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Interrupts each verb while it waits for every third of its calls to the outside, and with {@code -Plong} for each of them. */
class MeshInterruptionTest {
    private static final int EVERY = Integer.getInteger("promguard.every", 3);
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final FakePrometheus PROMETHEUS = new FakePrometheus();

    static Stream<Arguments> verbs() {
        return Stream.of(
                verb("apply, first time", false, Mesh::apply),
                verb("apply of a plan", false, mesh -> mesh.apply(mesh.plan())),
                verb("plan", true, Mesh::plan),
                verb("verify", true, Mesh::verify),
                verb("openPrometheus", true, mesh -> mesh.openPrometheus().close()),
                verb("destroy", true, Mesh::destroy));
    }

    private static Arguments verb(String name, boolean applied, Consumer<Mesh> verb) {
        return Arguments.of(name, applied, verb);
    }

    @BeforeAll
    static void start() {
        PROMETHEUS.scrapes(new Account().spec().nodes(1, "lon1").blueprint());
    }

    @AfterAll
    static void stop() {
        PROMETHEUS.close();
    }

    private static Account account(boolean applied) {
        Account account = new Account();
        if (applied) {
            account.spec().nodes(1, "lon1").apply();
            account.cloud.machine("shop-monitor-1").forwardTo(PROMETHEUS.port());
        }
        return account;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("verbs")
    void verb_interruptedAtEachCall_endsSoonSaysSoAndLeavesNothingOpen(
            String name, boolean applied, Consumer<Mesh> verb) throws Exception {
        List<String> calls = new Rehearsal(() -> account(applied), spec -> spec.nodes(1, "lon1"), mesh -> {
                    verb.accept(mesh);
                    return mesh;
                })
                .calls();
        for (int number = 1; number <= calls.size(); number += EVERY) {
            String moment = "at call " + number + ", " + calls.get(number - 1);
            Account account = account(applied);
            Calls program = new Calls();
            program.breakAt(number, Problem.BLOCKS);
            Mesh mesh = account.spec(program).nodes(1, "lon1").parallelism(1).build();
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            AtomicBoolean flagged = new AtomicBoolean();
            Thread caller = new Thread(() -> {
                try {
                    verb.accept(mesh);
                } catch (Throwable e) {
                    thrown.set(e);
                } finally {
                    flagged.set(Thread.currentThread().isInterrupted());
                }
            });
            caller.start();
            program.awaitBlocked();

            caller.interrupt();

            caller.join(SOON.toMillis());
            assertThat(caller.isAlive())
                    .as("still running, interrupted " + moment)
                    .isFalse();
            assertThat(flagged).as("the interrupt flag, " + moment).isTrue();
            if (calls.get(number - 1).equals("StateStore.merge")) {
                assertThat(thrown.get())
                        .as("all is done and durable, " + moment)
                        .isNull();
            } else {
                assertThat(thrown.get()).as(moment).isInstanceOf(CancelledException.class);
                Optional<ApplyReport> report = ((CancelledException) thrown.get()).report();
                assertThat(report.isPresent() && report.get().ok())
                        .as("a report of success, " + moment)
                        .isFalse();
                assertThat(number > 1 || report.isEmpty())
                        .as("no report of nothing")
                        .isTrue();
            }
            assertThat(account.hosts.open()).as("open sessions, " + moment).isZero();
            try (StateStore.Lock lock = account.store.lock("shop")) {
                assertThat(lock).isNotNull();
            }
            Mesh next = account.spec().nodes(1, "lon1").build();
            next.apply();
            account.assertUpToDate(next);
        }
    }

    /** Interrupts a verb as soon as a step on a host is done. */
    private static CancelledException interruptedAfter(MeshBuilder spec, String host, String step, Consumer<Mesh> verb)
            throws Exception {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        AtomicReference<Thread> caller = new AtomicReference<>();
        Mesh mesh = spec.parallelism(1)
                .listener(event -> {
                    if (event.host().equals(Optional.of(host))
                            && event.step().equals(step)
                            && event.state() == MeshEvent.State.DONE) {
                        Objects.requireNonNull(caller.get()).interrupt();
                    }
                })
                .build();
        Thread thread = new Thread(() -> {
            try {
                verb.accept(mesh);
            } catch (Throwable e) {
                thrown.set(e);
            }
        });
        caller.set(thread);
        thread.start();
        thread.join(SOON.toMillis());
        assertThat(thrown.get()).isInstanceOf(CancelledException.class);
        return (CancelledException) thrown.get();
    }

    @Test
    void apply_interruptedWhileItChangesHosts_saysWhatWasDone() throws Exception {
        Account account = new Account();

        CancelledException cancelled =
                interruptedAfter(account.spec(), "shop-node-1", "create user node_exporter", Mesh::apply);

        ApplyReport report = cancelled.report().orElseThrow();
        assertThat(report.hosts()).hasSize(3);
        assertThat(report.hosts().get(1).changes()).contains("create user node_exporter");
        account.spec().apply();
        account.assertUpToDate(account.spec().build());
    }

    @Test
    void rotateKeys_interruptedAfterTheApplyBefore_saysWhatThatDid() throws Exception {
        Calls rehearsal = new Calls();
        changed().spec(rehearsal).parallelism(1).build().rotateKeys();
        Account account = changed();
        Calls program = new Calls();
        program.breakAt(rehearsal.made().lastIndexOf("CloudProvider.list") + 1, Problem.BLOCKS);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread caller = new Thread(() -> {
            try {
                account.spec(program).parallelism(1).build().rotateKeys();
            } catch (Throwable e) {
                thrown.set(e);
            }
        });
        caller.start();
        program.awaitBlocked();

        caller.interrupt();

        caller.join(SOON.toMillis());
        assertThat(thrown.get())
                .isInstanceOfSatisfying(
                        CancelledException.class,
                        cancelled -> assertThat(cancelled
                                        .report()
                                        .orElseThrow()
                                        .hosts()
                                        .get(2)
                                        .changes())
                                .containsExactly("ufw: deny what no rule admits, and enable"));
    }

    private static Account changed() {
        Account account = new Account();
        account.spec().apply();
        account.cloud.machine("shop-node-2").disableFirewall();
        return account;
    }

    /** The worker is at something that no interrupt ends, such as asking for a name's address, and takes no notice of one. */
    @Test
    void apply_interruptedWhileAWorkerTakesNoNotice_closesTheSessionThatItOpensAfterwards() throws Exception {
        Account account = account(true);
        CountDownLatch opening = new CountDownLatch(1);
        CountDownLatch proceed = new CountDownLatch(1);
        AtomicReference<Thread> worker = new AtomicReference<>();
        Mesh mesh = account.spec()
                .nodes(1, "lon1")
                .applier(target -> {
                    worker.set(Thread.currentThread());
                    HostSession session = account.hosts.open(target);
                    opening.countDown();
                    awaitWhateverComes(proceed);
                    return session;
                })
                .parallelism(1)
                .build();
        Thread caller = new Thread(() -> assertThatThrownBy(mesh::apply).isInstanceOf(CancelledException.class));
        caller.start();
        opening.await();

        caller.interrupt();
        caller.join(SOON.toMillis());
        assertThat(caller.isAlive()).isFalse();
        proceed.countDown();
        Thread late = Objects.requireNonNull(worker.get());
        late.join(SOON.toMillis());

        assertThat(late.isAlive()).isFalse();
        assertThat(account.hosts.open()).isZero();
    }

    private static void awaitWhateverComes(CountDownLatch event) {
        while (event.getCount() > 0) {
            try {
                event.await();
            } catch (InterruptedException e) {
                assertThat(e).as("the interrupt is taken and not passed on").isNotNull();
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("verbs")
    void verb_interruptedBefore_doesNothing(String name, boolean applied, Consumer<Mesh> verb) throws Exception {
        Account account = account(applied);
        Calls program = new Calls();
        Mesh mesh = account.spec(program).nodes(1, "lon1").build();
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread caller = new Thread(() -> {
            Thread.currentThread().interrupt();
            try {
                verb.accept(mesh);
            } catch (Throwable e) {
                thrown.set(e);
            }
        });

        caller.start();
        caller.join();

        assertThat(thrown.get()).isInstanceOf(CancelledException.class);
        assertThat(program.made()).isEmpty();
    }
}
