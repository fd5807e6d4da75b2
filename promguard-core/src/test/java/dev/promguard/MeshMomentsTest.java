package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.promguard.internal.run.Events;
import dev.promguard.keys.PublicKey;
import dev.promguard.memory.Calls;
import dev.promguard.memory.Calls.Death;
import dev.promguard.memory.Calls.Problem;
import dev.promguard.memory.MemoryCloud;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryInventory;
import dev.promguard.memory.MemoryMachine;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.LockHolder;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/**
 * Breaks verbs at random moments, which a seed chooses: at any call to the outside and at the begin and end of any change on a host.
 * The program is killed, an answer is lost, or an outage begins of the API, the way to the hosts, or the folder of the state. Hosts then
 * roll back or wait, and the cloud's lists lag. When the verb is run again, it ends in the spec or in nothing. What there is then is
 * read from the cloud, the hosts and the store alone. More moments: {@code -Dpromguard.moments=2000 -Dpromguard.seed=1}.
 */
class MeshMomentsTest {
    private static final int MOMENTS = Integer.getInteger("promguard.moments", 20);
    private static final long SEED = Long.getLong("promguard.seed", 20_261_129L);
    private static final int[] LAGS = {0, 0, 3, 8, 20, 60};
    private static final Pattern ADDRESS = Pattern.compile("(?m)^Address = ([0-9.]+)/");

    /** It says of each exception that a listener throws. */
    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger(Events.class);

    @BeforeAll
    static void silence() {
        LOGGER.setLevel(Level.OFF);
    }

    @AfterAll
    static void speak() {
        LOGGER.setLevel(null);
    }

    /** What goes wrong. */
    private enum Fault {
        DIES_BEFORE,
        DIES_AFTER,
        LOSES_ANSWER,
        API_DOWN,
        SSH_DOWN,
        DISK_FULL
    }

    /** Machines, and a program that works on them. */
    private interface World {
        MeshBuilder spec(Calls calls);

        List<MemoryMachine> machines();

        /** Hides new hosts from so many of the cloud's lists. */
        void lag(int lists);

        /** Insists on what there is to be at the end. */
        void check();
    }

    /** A verb in a world of its own. */
    private record Story(String name, Supplier<World> before, Consumer<MeshBuilder> verb, Consumer<MeshBuilder> again) {
        Story(String name, Supplier<World> before, Consumer<MeshBuilder> verb) {
            this(name, before, verb, verb);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** A mesh in a cloud. */
    private static final class InCloud implements World {
        private final Account account = new Account();
        private final int before;
        private final int nodes;

        InCloud(int before, int nodes) {
            this.before = before;
            this.nodes = nodes;
            if (before > 0) {
                account.spec().nodes(before, "lon1").parallelism(1).apply();
            }
        }

        @Override
        public MeshBuilder spec(Calls calls) {
            return account.spec(calls)
                    .nodes(nodes > 0 ? nodes : Math.max(before, 1), "lon1")
                    .parallelism(1);
        }

        @Override
        public List<MemoryMachine> machines() {
            return account.cloud.machines();
        }

        @Override
        public void lag(int lists) {
            account.cloud.lag(lists);
        }

        @Override
        public void check() {
            assertThat(account.hosts.open()).as("open sessions").isZero();
            assertUnlocked(account.store);
            if (nodes == 0) {
                assertThat(account.cloud.names()).as("hosts in the account").isEmpty();
                assertThat(account.cloud.accessKeys()).as("keys in the account").isZero();
                assertThat(account.store.load("shop")).isEmpty();
                assertThat(account.store.loadLoginKey("shop")).isEqualTo(Optional.empty());
                return;
            }
            assertThat(account.cloud.names())
                    .as("hosts in the account")
                    .containsExactlyElementsOf(Stream.of("shop-monitor-1", "shop-node-1", "shop-node-2", "shop-node-3")
                            .limit(nodes + 1)
                            .toList());
            assertThat(account.cloud.accessKeys()).as("keys in the account").isEqualTo(1);
            Map<String, MemoryMachine> machines = new HashMap<>();
            account.cloud.names().forEach(name -> machines.put(name, account.cloud.machine(name)));
            checkTunnels("shop-monitor-1", machines);
            Map<String, String> ids = new HashMap<>();
            for (int list = 0; list <= MemoryCloud.LONGEST_LAG && ids.size() < machines.size(); list++) {
                account.cloud.list("shop").forEach(host -> ids.put(host.name(), host.id()));
            }
            MeshState state = account.state("shop");
            assertThat(state.intents()).isEmpty();
            assertThat(state.resting()).isEmpty();
            assertThat(state.hosts()).containsOnlyKeys(machines.keySet());
            machines.forEach((name, machine) -> {
                assertThat(account.cloud.isTagged(name)).isTrue();
                MeshState.HostState known = account.state("shop", name);
                assertThat(known.providerId()).isEqualTo(Optional.ofNullable(ids.get(name)));
                assertThat(known.hostKeys()).isEqualTo(Set.of(machine.hostKey()));
                assertThat(known.publicKey()).isEqualTo(machine.publicKey());
                assertThat(machine.config()).contains("Address = " + known.address() + '/');
            });
        }
    }

    /** A mesh on machines that were there before. */
    private static final class OnExisting implements World {
        private final MemoryInventory inventory = new MemoryInventory();
        private final MemoryHosts hosts;
        private final MemoryStateStore store = new MemoryStateStore();
        private final Map<String, MemoryMachine> machines = new HashMap<>();
        private final boolean gone;

        OnExisting(boolean applied, boolean gone) {
            this.gone = gone;
            for (String name : List.of("mon", "db-1")) {
                machines.put(name, inventory.host(name, "root", 22));
            }
            hosts = new MemoryHosts(inventory);
            if (applied) {
                spec(new Calls()).apply();
            }
        }

        @Override
        public MeshBuilder spec(Calls calls) {
            return Mesh.builder()
                    .name("shop")
                    .namedMonitor("mon")
                    .node("db-1", host -> {})
                    .provider(calls.watch(inventory))
                    .applier(calls.watch(hosts))
                    .state(calls.watch(store))
                    .waits(Account.NO_WAITS)
                    .parallelism(1);
        }

        @Override
        public List<MemoryMachine> machines() {
            return List.copyOf(machines.values());
        }

        @Override
        public void lag(int lists) {
            // An inventory does not lag.
        }

        @Override
        public void check() {
            assertThat(hosts.open()).as("open sessions").isZero();
            assertUnlocked(store);
            if (!gone) {
                checkTunnels("mon", machines);
                assertThat(store.load("shop").orElseThrow().hosts()).containsOnlyKeys("mon", "db-1");
                return;
            }
            assertThat(store.load("shop")).isEmpty();
            machines.forEach((name, machine) -> {
                assertThat(machine.parts()).as("what is left on %s", name).isEmpty();
                assertThat(machine.mesh()).isEmpty();
                assertThat(machine.rules()).isEmpty();
                assertThat(machine.firewallOn()).isFalse();
                assertThat(machine.armed()).isFalse();
            });
        }
    }

    private static void assertUnlocked(StateStore store) {
        try (StateStore.Lock lock = store.lock("shop", LockHolder.ofThisProcess("look"))) {
            assertThat(lock).isNotNull();
        }
    }

    /** Each node has the monitor as its only peer, the monitor has each node, and all are closed. */
    private static void checkTunnels(String monitor, Map<String, MemoryMachine> machines) {
        Set<String> addresses = new HashSet<>();
        machines.forEach((name, machine) -> {
            assertThat(machine.violations()).as(name).isEmpty();
            assertThat(machine.armed()).as("a rollback waits on %s", name).isFalse();
            assertThat(machine.firewallOn()).as("the firewall of %s", name).isTrue();
            assertThat(addresses.add(address(machine)))
                    .as("the address of %s is its own", name)
                    .isTrue();
            Map<PublicKey, List<String>> peers = new HashMap<>();
            machines.forEach((other, peer) -> {
                if (!other.equals(name) && (name.equals(monitor) || other.equals(monitor))) {
                    peers.put(peer.publicKey().orElseThrow(), List.of(address(peer) + "/32"));
                }
            });
            assertThat(machine.peers()).as("peers of %s", name).isEqualTo(peers);
        });
    }

    private static String address(MemoryMachine machine) {
        Matcher address = ADDRESS.matcher(machine.config());
        assertThat(address.find()).isTrue();
        return address.group(1);
    }

    static Stream<Story> stories() {
        return Stream.of(
                new Story("first apply", () -> new InCloud(0, 2), MeshBuilder::apply),
                new Story("growth", () -> new InCloud(1, 2), MeshBuilder::apply),
                new Story(
                        "change of the spec",
                        () -> new InCloud(1, 1),
                        mesh -> mesh.wireGuardPort(51_999).apply()),
                new Story(
                        "rotation",
                        () -> new InCloud(1, 1),
                        mesh -> mesh.build().rotateKeys()),
                new Story(
                        "removal",
                        () -> new InCloud(2, 1),
                        mesh -> mesh.allowRemoval().apply()),
                new Story(
                        "replacement",
                        () -> new InCloud(1, 1),
                        mesh -> mesh.build().replace("shop-node-1"),
                        MeshBuilder::apply),
                new Story(
                        "destroy", () -> new InCloud(2, 0), mesh -> mesh.build().destroy()),
                new Story(
                        "destroy of a first apply",
                        () -> new InCloud(0, 0),
                        MeshBuilder::apply,
                        mesh -> mesh.build().destroy()),
                new Story("first apply to existing hosts", () -> new OnExisting(false, false), MeshBuilder::apply),
                new Story(
                        "uninstallation",
                        () -> new OnExisting(true, true),
                        mesh -> mesh.build().destroy()));
    }

    @ParameterizedTest
    @MethodSource("stories")
    void verb_brokenAtRandomMoments_endsInTheSpecOrInNothingWhenItIsRunAgain(Story story) {
        Calls rehearsal = new Calls().countingSteps();
        story.verb().accept(story.before().get().spec(rehearsal));
        List<String> moments = rehearsal.made();
        for (int i = 0; i < MOMENTS; i++) {
            long seed = SEED + i;
            Random random = new Random(seed);
            random.nextInt();
            int moment = random.nextInt(moments.size());
            Fault fault = Fault.values()[random.nextInt(Fault.values().length)];
            if (moments.get(moment).startsWith("Progress.")) {
                fault = random.nextBoolean() ? Fault.DIES_BEFORE : Fault.DIES_AFTER;
            }
            int lag = LAGS[random.nextInt(LAGS.length)];
            boolean rollsBack = random.nextBoolean();
            boolean throwing = random.nextInt(4) == 0;
            try {
                World world = story.before().get();
                world.lag(lag);
                run(story, world, moment + 1, fault, throwing);
                world.lag(0);
                if (rollsBack) {
                    world.machines().forEach(MemoryMachine::rollBack);
                }
                story.again().accept(world.spec(new Calls()));
                world.check();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(
                        story + ", seed " + seed + ": " + fault + " at " + (moment + 1) + " of " + moments.size() + ", "
                                + moments.get(moment) + ", lag " + lag + (rollsBack ? ", hosts roll back" : "")
                                + (throwing ? ", throwing listener" : ""),
                        e);
            }
        }
    }

    private static void run(Story story, World world, int number, Fault fault, boolean throwing) {
        Calls program = new Calls().countingSteps();
        switch (fault) {
            case DIES_BEFORE -> program.breakAt(number, Problem.DIES_BEFORE);
            case DIES_AFTER -> program.breakAt(number, Problem.DIES_AFTER);
            case LOSES_ANSWER -> program.breakAt(number, Problem.LOSES_ANSWER);
            case API_DOWN -> program.failFrom(number, "CloudProvider.");
            case SSH_DOWN -> program.failFrom(number, "Host");
            case DISK_FULL -> program.failFrom(number, "StateStore.save");
        }
        MeshBuilder spec = world.spec(program);
        if (throwing) {
            spec.listener(event -> {
                throw new IllegalStateException("told to throw");
            });
        }
        try {
            story.verb().accept(spec);
        } catch (PromGuardException | Death e) {
            assertThat(e).hasMessageNotContaining("told to throw");
        } catch (IllegalStateException e) {
            assertThat(e).as("an abnormal end").hasRootCauseInstanceOf(Death.class);
        }
    }
}
