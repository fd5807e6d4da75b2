package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.promguard.MeshEvent.Kind;
import dev.promguard.MeshEvent.State;
import dev.promguard.MeshEvent.Verb;
import dev.promguard.internal.run.Events;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.memory.Calls;
import dev.promguard.memory.Calls.Problem;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.Identity;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The events of a run: that they pair and nest whatever becomes of it, and that they are the steps of the plan. */
class MeshEventsTest {
    private static final FakePrometheus PROMETHEUS = new FakePrometheus();
    private static final List<Consumer<Mesh>> VERBS = List.of(
            Mesh::plan,
            Mesh::apply,
            mesh -> mesh.apply(mesh.plan()),
            Mesh::verify,
            Mesh::rotateKeys,
            mesh -> mesh.rotateKeys(mesh.planRotateKeys()),
            Mesh::destroy,
            mesh -> mesh.destroy(mesh.planDestroy()),
            mesh -> mesh.openPrometheus().close(),
            mesh -> mesh.resize("shop-node-1"),
            mesh -> mesh.replace("shop-node-1"));
    private static final int OF_A_NODE = 2;
    private static final SshKeyPair LOGIN = SshKeyPair.generate(new SecureRandom());
    private static final PublicKey LAPTOP = new PublicKey("umwepvUC0rzcz8xT9U9wEodowKr15ol7y2LxBK/Vw1k=");
    /** It says of each exception that a listener throws. */
    @RegisterExtension
    static final SilentLogger SILENT = new SilentLogger(Events.class.getName());

    private final EventLog log = new EventLog();

    @BeforeAll
    static void start() {
        PROMETHEUS.scrapes(new Account().spec().blueprint());
    }

    @AfterAll
    static void stop() {
        PROMETHEUS.close();
    }

    static IntStream seeds() {
        return IntStream.range(0, 20);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void events_ofVerbsThatGoWrongSomewhere_pairAndNest(int seed) throws Exception {
        Random random = new Random(seed);
        Account account = new Account();
        if (random.nextInt(4) > 0) {
            account.spec().nodes(random.nextInt(3), "lon1").apply();
            account.cloud.machine("shop-monitor-1").forwardTo(PROMETHEUS.port());
        }
        for (int round = 0; round < 3; round++) {
            disturb(account, random);
            Calls program = new Calls();
            MeshBuilder spec = account.spec(program)
                    .nodes(random.nextInt(4), "lon1")
                    .parallelism(1 + random.nextInt(4))
                    .listener(listener(random));
            if (random.nextBoolean()) {
                spec.allowRemoval();
            }
            Mesh mesh = spec.build();
            int verbs = mesh.blueprint().nodes().isEmpty() ? VERBS.size() - OF_A_NODE : VERBS.size();
            Consumer<Mesh> verb = VERBS.get(random.nextInt(verbs));
            List<Problem> problems = List.of(Problem.values());
            Optional<Problem> problem = random.nextInt(5) == 0
                    ? Optional.empty()
                    : Optional.of(problems.get(random.nextInt(problems.size())));
            problem.ifPresent(how -> program.breakAt(1 + random.nextInt(60), how));
            Optional<Throwable> failure = run(
                    () -> verb.accept(mesh),
                    problem.filter(Problem.BLOCKS::equals).map(how -> program));

            String moment = "seed " + seed + ", round " + round + ", " + problem + ", " + failure;
            log.assertWellFormed(moment);
            assertThat(log.outcome() == State.DONE).as(moment).isEqualTo(failure.isEmpty());
            assertThat(log.outcome() == State.CANCELLED)
                    .as(moment)
                    .isEqualTo(
                            failure.filter(CancelledException.class::isInstance).isPresent());
        }
    }

    /** A verb that is called seldom, and what is the matter when it is. */
    private record Rare(String name, Consumer<Account> before, Consumer<Mesh> verb) {}

    private static Stream<Rare> rareVerbs() {
        Consumer<Account> stateLost = account -> account.store.delete("shop");
        Consumer<RecoverBuilder> how =
                builder -> builder.identity(Identity.ofKey(LOGIN.privateKey())).trustOnFirstUse();
        return Stream.of(
                new Rare("planRecover", stateLost, mesh -> mesh.planRecover(how)),
                new Rare("recover", stateLost, mesh -> mesh.recover(how)),
                new Rare("deleteUnmanaged", stateLost, mesh -> mesh.deleteUnmanaged("1")),
                new Rare(
                        "powerOn",
                        account -> account.cloud.switchOff("shop-node-1"),
                        mesh -> mesh.powerOn("shop-node-1")),
                new Rare("planDestroy", account -> {}, Mesh::planDestroy),
                new Rare("viewerConfig", account -> {}, mesh -> mesh.viewerConfig("anna-laptop")));
    }

    @ParameterizedTest
    @MethodSource("rareVerbs")
    void events_ofRareVerbBrokenAtEachCall_pairAndNest(Rare rare) throws Exception {
        for (Problem problem : Problem.values()) {
            boolean reached = true;
            for (int number = 1; reached; number++) {
                Account account = new Account();
                watched(account, new Calls()).apply();
                rare.before().accept(account);
                Calls program = new Calls();
                program.breakAt(number, problem);
                Mesh mesh =
                        watched(account, program).parallelism(1).listener(log).build();

                Optional<Throwable> failure = run(
                        () -> rare.verb().accept(mesh),
                        problem == Problem.BLOCKS ? Optional.of(program) : Optional.empty());

                String moment = rare.name() + ", " + problem + " at call " + number + ", " + failure;
                log.assertWellFormed(moment);
                assertThat(log.outcome() == State.DONE).as(moment).isEqualTo(failure.isEmpty());
                reached = program.made().size() >= number;
            }
        }
    }

    private static MeshBuilder watched(Account account, Calls calls) {
        return account.spec(calls).loginKeys(LOGIN.publicKey()).viewer("anna-laptop", LAPTOP);
    }

    private MeshListener listener(Random random) {
        int way = random.nextInt(3);
        Random own = new Random(random.nextInt());
        return event -> {
            log.on(event);
            if (way == 1 || (way == 2 && own.nextInt(5) == 0)) {
                throw new IllegalStateException("no screen");
            }
        };
    }

    private static void disturb(Account account, Random random) {
        for (MemoryMachine machine : account.cloud.machines()) {
            switch (random.nextInt(8)) {
                case 0 -> machine.disableFirewall();
                case 1 -> machine.down(random.nextBoolean());
                case 2 -> machine.failAt(random.nextBoolean() ? "wg0: set peers" : null);
                case 3 -> machine.dropPeers();
                case 4 -> {
                    if (!machine.changes().isEmpty()) {
                        machine.loseKey();
                    }
                }
                default -> {}
            }
        }
    }

    /** Runs something on a thread of its own, and interrupts it where it blocks. */
    private static Optional<Throwable> run(Runnable verb, Optional<Calls> blocking) throws InterruptedException {
        AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
        Thread caller = new Thread(() -> thrown.set(catchThrowable(verb::run)));
        caller.start();
        if (blocking.isPresent()) {
            while (caller.isAlive() && !blocking.get().isBlocked()) {
                caller.join(1);
            }
            caller.interrupt();
        }
        caller.join();
        return Optional.ofNullable(thrown.get());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void apply_ofPlan_tellsTheStepsThatThePlanLists(int seed) {
        Random random = new Random(seed);
        Account account = new Account();
        int before = random.nextInt(4) - 1;
        if (before >= 0) {
            account.spec().nodes(before, "lon1").apply();
        }
        for (MemoryMachine machine : account.cloud.machines()) {
            switch (random.nextInt(6)) {
                case 0 -> machine.disableFirewall();
                case 1 -> machine.dropPeers();
                case 2 -> machine.stop("node_exporter.service");
                case 3 -> machine.loseKey();
                default -> {}
            }
        }
        Mesh mesh =
                account.spec().nodes(random.nextInt(4), "lon1").listener(log).build();
        Plan plan = mesh.plan();

        ApplyReport report = mesh.apply(plan);

        assertThat(report.stepIds()).as("%s", plan).containsAll(plan.stepIds());
        log.assertWellFormed("seed " + seed);
        assertThat(log.stepIds()).as("%s", plan).isEqualTo(plan.stepIds());
        assertThat(log.lastRun())
                .filteredOn(event -> event.kind() == Kind.STEP)
                .extracting(MeshEvent::state)
                .as("%s", plan)
                .doesNotContain(State.SKIPPED, State.FAILED, State.CANCELLED)
                .hasSize(2 * plan.stepIds().size());
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void verbsOfPlans_onHostsThatWereThere_tellTheStepsThatThePlansList(int seed) {
        Random random = new Random(seed);
        MemoryInventory inventory = new MemoryInventory();
        MemoryHosts hosts = new MemoryHosts(inventory);
        MemoryStateStore store = new MemoryStateStore();
        MemoryMachine monitor = inventory.host("mon", "root", 22);
        inventory.host("db-1", "admin", 2222);
        inventory.host("web-1", "admin", 2222);
        Function<Boolean, Mesh> spec = withWeb -> {
            MeshBuilder builder = Mesh.builder()
                    .name("shop")
                    .namedMonitor("mon")
                    .node("db-1", host -> {})
                    .provider(inventory)
                    .applier(hosts)
                    .state(store)
                    .listener(log)
                    .waits(Account.NO_WAITS);
            return (withWeb ? builder.node("web-1", host -> {}) : builder).build();
        };
        Mesh mesh = spec.apply(true);
        check(mesh.plan(), mesh::apply, "first apply");
        if (random.nextBoolean()) {
            monitor.disableFirewall();
        }
        if (random.nextBoolean()) {
            check(mesh.planRotateKeys(), mesh::rotateKeys, "rotation");
        }
        Mesh smaller = spec.apply(random.nextBoolean());
        check(smaller.plan(), smaller::apply, "second apply");
        check(smaller.planDestroy(), smaller::destroy, "destroy");
    }

    private void check(Plan plan, Function<Plan, ?> verb, String moment) {
        if (verb.apply(plan) instanceof ApplyReport report) {
            assertThat(report.stepIds()).as("%s: %s", moment, plan).containsExactlyInAnyOrderElementsOf(plan.stepIds());
        }
        log.assertWellFormed(moment);
        assertThat(log.stepIds()).as("%s: %s", moment, plan).isEqualTo(plan.stepIds());
        assertThat(log.lastRun())
                .filteredOn(event -> event.kind() == Kind.STEP)
                .extracting(MeshEvent::state)
                .as("%s: %s", moment, plan)
                .doesNotContain(State.SKIPPED, State.FAILED, State.CANCELLED);
    }

    @Test
    void verbs_ofAWholeMesh_haveRunsOfTheirOwn() {
        Account account = new Account();
        Mesh mesh = account.spec().listener(log).build();
        mesh.apply(mesh.plan());
        account.cloud.machine("shop-monitor-1").forwardTo(PROMETHEUS.port());
        mesh.verify();
        check(mesh.planRotateKeys(), mesh::rotateKeys, "rotation");
        check(mesh.planDestroy(), mesh::destroy, "destroy");

        assertThat(log.runs())
                .extracting(run -> run.get(0).verb())
                .containsExactly(
                        Verb.PLAN, Verb.APPLY, Verb.VERIFY, Verb.PLAN, Verb.ROTATE_KEYS, Verb.PLAN, Verb.DESTROY);
        assertThat(log.runs().get(1)).extracting(MeshEvent::percent).last().isEqualTo(OptionalInt.of(100));
        assertThat(log.events()).extracting(MeshEvent::mesh).containsOnly("shop");
    }

    @Test
    void apply_ofPlanOfHostsToCreate_countsThemAsFarAsTheyAre() {
        Account account = new Account();
        Mesh mesh = account.spec().listener(log).build();
        Plan plan = mesh.plan();

        mesh.apply(plan);

        assertThat(plan.stepIds()).contains("shop-monitor-1/host", "shop-node-1/host", "shop-node-2/host");
        assertThat(log.lastRun())
                .filteredOn(event -> event.step().equals("create user node_exporter"))
                .hasSize(6)
                .allSatisfy(event -> {
                    assertThat(event.kind()).isEqualTo(Kind.TASK);
                    assertThat(event.stepId()).contains(event.host().orElseThrow() + "/host");
                    assertThat(event.percent().orElseThrow()).isBetween(10, 99);
                });
    }

    @Test
    void plan_andVerify_tellEachHostThatTheyRead() {
        Account account = new Account();
        account.spec().apply();
        account.cloud.machine("shop-monitor-1").forwardTo(PROMETHEUS.port());
        Mesh mesh = account.spec().listener(log).build();

        mesh.plan();

        assertThat(log.stepIds()).containsExactly("shop-monitor-1/read", "shop-node-1/read", "shop-node-2/read");

        mesh.verify();

        assertThat(log.stepIds())
                .containsExactly(
                        "shop-monitor-1/read",
                        "shop-node-1/read",
                        "shop-node-2/read",
                        "shop-monitor-1/prometheus",
                        "mesh:shop/probe",
                        "shop-monitor-1/probe",
                        "shop-node-1/probe",
                        "shop-node-2/probe");
        log.assertWellFormed("verify");
        assertThat(log.lastRun()).extracting(MeshEvent::state).doesNotContain(State.SKIPPED, State.FAILED);
    }

    @Test
    void apply_ofPlanThatIsOutdated_failsWithoutAStep() {
        Account account = new Account();
        account.spec().apply();
        Mesh mesh = account.spec().listener(log).build();
        account.cloud.machine("shop-node-1").disableFirewall();
        Plan plan = mesh.plan();
        account.cloud.machine("shop-node-2").disableFirewall();

        assertThatThrownBy(() -> mesh.apply(plan)).isInstanceOf(PlanOutdatedException.class);

        log.assertWellFormed("outdated");
        assertThat(log.outcome()).isEqualTo(State.FAILED);
        assertThat(log.stepIds()).isEmpty();
    }

    @Test
    void apply_hostThatFails_tellsWhatItLeavesUndone() {
        Account account = new Account();
        account.spec().apply();
        MemoryMachine machine = account.cloud.machine("shop-node-1");
        machine.disableFirewall();
        machine.stop("node_exporter.service");
        Mesh mesh = account.spec().listener(log).build();
        Plan plan = mesh.plan();
        machine.down(true);

        assertThatThrownBy(mesh::apply).isInstanceOf(ApplyException.class);

        log.assertWellFormed("down");
        assertThat(log.lastRun())
                .filteredOn(event -> event.state() == State.FAILED)
                .extracting(MeshEvent::toString)
                .containsExactly(
                        "shop-node-1: connect over SSH: FAILED",
                        "shop-node-1: read the host: FAILED",
                        "shop: apply: FAILED");
        assertThat(plan.stepIds()).isNotEmpty();
    }

    /** They change no host: the state remembers the one, and the other is what the changes of files and peers come to. */
    @Test
    void apply_stepsThatAreDoneWithTheWhole_areToldAsDone() {
        Account shop = new Account();
        shop.spec().nodes(1).apply();
        List<MeshEvent> told = new ArrayList<>();

        Mesh mesh = shop.spec()
                .nodes(1)
                .protectHosts(true)
                .viewer("anna-laptop", SpecFile.publicKey("anna-laptop"))
                .listener(told::add)
                .build();
        Plan plan = mesh.plan();
        told.clear();
        ApplyReport report = mesh.apply();

        assertThat(told).extracting(MeshEvent::state).doesNotContain(MeshEvent.State.SKIPPED);
        for (String step : List.of("shop-node-1/protection:shop-node-1", "shop-monitor-1/viewer:anna-laptop")) {
            assertThat(told)
                    .filteredOn(event -> event.stepId().equals(Optional.of(step)))
                    .extracting(MeshEvent::state)
                    .as(step)
                    .containsExactly(MeshEvent.State.STARTED, MeshEvent.State.DONE);
        }
        assertThat(told.get(told.size() - 1).percent()).hasValue(100);
        assertThat(report.stepIds()).containsExactlyInAnyOrderElementsOf(plan.stepIds());
        for (String text : List.of(report.details(), report.toMarkdown(), report.toJson())) {
            assertThat(text)
                    .contains("protect it: no run may remove or replace it")
                    .contains("let in viewer anna-laptop");
        }
        assertThat(report.hosts())
                .filteredOn(host -> host.name().equals("shop-node-1"))
                .singleElement()
                .hasToString("shop-node-1: 1 change");
    }
}
