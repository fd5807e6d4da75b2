package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.internal.run.MeshStates;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.memory.MemoryCloud;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.States;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.state.FileStateStore;
import dev.promguard.state.LossyDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The power is cut at every write, sync, rename and deletion: the state can be read, and whatever was acknowledged is in it. */
class StateDurabilityTest {
    private static final long SEED = 20_311_129;

    @TempDir
    Path folder;

    private final SshKeyPair key = SshKeyPair.generate(new SecureRandom());

    /** What a run has done so far. */
    private static final class Progress {
        private Optional<MeshState> done = Optional.empty();
        private Optional<MeshState> next = Optional.empty();
        private boolean keyIsKept;
        private boolean finished;

        void change(MeshStates states, MeshState to) {
            next = Optional.of(to);
            states.change(to);
            done = next;
        }
    }

    private static HostState host(int number) {
        return HostState.created("10.0.0." + number, "id-" + number, States.BOOTSTRAP_KEY);
    }

    private void run(FileStateStore store, Progress progress) {
        MeshState one = States.full("shop");
        MeshState two = one.with("a", host(20)).with("b", host(21));
        States.locked(store, "shop", states -> {
            states.load("shop");
            progress.change(states, one);
            states.saveLoginKey("shop", key);
            progress.keyIsKept = true;
            progress.change(states, two);
            progress.change(states, two.without("a"));
        });
        States.locked(store, "shop", states -> {
            states.load("shop");
            progress.change(states, two);
            progress.change(states, one);
        });
        States.locked(store, "shop", states -> {
            states.load("shop");
            progress.change(states, two);
            progress.keyIsKept = false;
            progress.next = Optional.empty();
            states.delete("shop");
            progress.done = Optional.empty();
        });
        States.locked(store, "shop", states -> {
            states.load("shop");
            progress.change(states, MeshState.empty("shop"));
            progress.change(states, MeshState.empty("shop").with("c", host(22)));
        });
        progress.finished = true;
    }

    @Test
    void state_powerCutAtEachOperation_isWhatWasAcknowledgedOrTheNext() throws Exception {
        int cuts = 0;
        for (int cutAt = 1; ; cutAt++) {
            LossyDisk disk = new LossyDisk(cutAt);
            Path base = Files.createDirectories(folder.resolve("run-" + cutAt));
            Progress progress = new Progress();
            try {
                run(disk.store(base.resolve("deep/root")), progress);
            } catch (LossyDisk.PowerCut e) {
                cuts++;
            }
            for (int chance = 0; chance < 3; chance++) {
                Path left = folder.resolve("left-" + cutAt + "-" + chance);
                disk.leave(base, left, chance == 0 ? null : new Random(SEED + 1000L * cutAt + chance));
                assertThatAllIsThere(
                        new FileStateStore(left.resolve("deep/root")),
                        progress,
                        "cut at operation " + cutAt + ", chance " + chance + ", seed " + SEED);
            }
            if (progress.finished) {
                break;
            }
        }
        assertThat(cuts).isGreaterThan(80);
    }

    private void assertThatAllIsThere(FileStateStore store, Progress progress, String which) {
        assertThat(States.load(store, "shop")).as(which).isIn(progress.done, progress.next);
        try (Secret kept = new MeshStates(store).loadLoginKey("shop").orElse(null)) {
            if (progress.keyIsKept) {
                assertThat(kept).as(which).isNotNull();
                assertThat(kept.<String>useText(text -> text))
                        .as(which)
                        .isEqualTo(key.privateKey().<String>useText(text -> text));
            }
        }
        States.locked(store, "shop", states -> {
            states.load("shop");
            states.change(States.full("shop"));
        });
        assertThat(States.load(store, "shop")).as(which + ", then changed").contains(States.full("shop"));
    }

    @Test
    void journal_powerCutWhileThreadsChangeHosts_hasEveryAcknowledgedChange() throws Exception {
        Random random = new Random(SEED);
        int lost = 0;
        for (int round = 0; round < 12; round++) {
            LossyDisk disk = new LossyDisk(30 + random.nextInt(300));
            Path base = Files.createDirectories(folder.resolve("round-" + round));
            Set<String> acknowledged = Collections.synchronizedSet(new TreeSet<>());
            try {
                States.locked(disk.store(base.resolve("root")), "shop", states -> {
                    StateJournal journal =
                            new StateJournal(states, states.load("shop").orElse(MeshState.empty("shop")));
                    changeFromManyThreads(journal, acknowledged);
                });
            } catch (LossyDisk.PowerCut e) {
                lost++;
            }
            Path left = folder.resolve("after-" + round);
            disk.leave(base, left, new Random(SEED + round));
            Set<String> there = States.load(new FileStateStore(left.resolve("root")), "shop")
                    .map(state -> state.hosts().keySet())
                    .orElse(Set.of());
            assertThat(there).as("round " + round + ", seed " + SEED).containsAll(acknowledged);
        }
        assertThat(lost).as("rounds in which the power was cut").isGreaterThan(6);
    }

    private static void changeFromManyThreads(StateJournal journal, Collection<String> acknowledged) {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> runs = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                int first = 1 + thread * 25;
                runs.add(threads.submit(() -> {
                    for (int i = first; i < first + 25; i++) {
                        int number = i;
                        journal.update(state -> state.with("h" + number, host(number)));
                        acknowledged.add("h" + number);
                    }
                }));
            }
            // With the power off, what the other threads meet is of no account.
            Throwable failure = null;
            for (Future<?> run : runs) {
                try {
                    run.get();
                } catch (java.util.concurrent.ExecutionException e) {
                    if (e.getCause() instanceof LossyDisk.PowerCut || failure == null) {
                        failure = e.getCause();
                    }
                }
            }
            if (failure instanceof LossyDisk.PowerCut cut) {
                throw cut;
            } else if (failure != null) {
                throw new AssertionError(failure);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        } finally {
            threads.shutdown();
        }
    }

    /** At each call that changes the cloud, what a power cut would leave for certain knows of it already. */
    @Test
    void apply_eachCallThatChangesTheCloud_isDurablyIntendedBefore() throws Exception {
        LossyDisk disk = new LossyDisk(0);
        Path base = Files.createDirectories(folder.resolve("disk"));
        MemoryCloud cloud = new MemoryCloud();
        AtomicInteger images = new AtomicInteger();
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        CloudProvider watched = (CloudProvider) Proxy.newProxyInstance(
                CloudProvider.class.getClassLoader(),
                new Class<?>[] {CloudProvider.class},
                (proxy, method, arguments) -> {
                    if (Set.of("create", "registerAccessKey").contains(method.getName())) {
                        seen.add(method.getName() + ": " + durable(disk, base, images.incrementAndGet()));
                        if (arguments[0] instanceof CreateOrder order) {
                            assertThat(durableNames(disk, base, images.incrementAndGet()))
                                    .as("hosts that are known of when they are ordered")
                                    .containsAll(order.names());
                        }
                    }
                    try {
                        return method.invoke(cloud, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });

        Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(2, "lon1")
                .provider(watched)
                .applier(new MemoryHosts(cloud))
                .state(disk.store(base.resolve("root")))
                .waits(Account.NO_WAITS)
                .build()
                .apply();

        assertThat(seen).contains("registerAccessKey: with the login key []");
        assertThat(seen)
                .filteredOn(what -> what.startsWith("create"))
                .isNotEmpty()
                .allSatisfy(what -> assertThat(what).startsWith("create: with the login key"));
    }

    /** What a power cut would leave for certain. */
    private String durable(LossyDisk disk, Path base, int number) {
        Path left = folder.resolve("durable-" + number);
        try {
            disk.leave(base, left, null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        FileStateStore store = new FileStateStore(left.resolve("root"));
        Set<String> names = names(store);
        boolean hasKey = new MeshStates(store)
                .loadLoginKey("shop")
                .map(key -> {
                    key.close();
                    return true;
                })
                .orElse(false);
        return (hasKey ? "with" : "without") + " the login key " + names;
    }

    private Set<String> durableNames(LossyDisk disk, Path base, int number) throws IOException {
        Path left = folder.resolve("names-" + number);
        disk.leave(base, left, null);
        return names(new FileStateStore(left.resolve("root")));
    }

    /** The hosts that are there or intended. */
    private static Set<String> names(FileStateStore store) {
        Set<String> names = new TreeSet<>();
        States.load(store, "shop").ifPresent(known -> {
            names.addAll(known.hosts().keySet());
            known.intents().forEach(intent -> names.addAll(intent.names()));
        });
        return names;
    }

    /** What a first apply writes for 1,000 hosts: a few lines for each change, and not the whole state. */
    @Test
    void journal_aThousandHosts_writesEachChangeAlone() {
        LossyDisk disk = new LossyDisk(0);
        int hosts = 1000;
        States.locked(disk.store(folder.resolve("root")), "shop", states -> {
            StateJournal journal = new StateJournal(states, states.load("shop").orElse(MeshState.empty("shop")));
            for (int round = 0; round < 3; round++) {
                int last = round;
                for (int i = 0; i < hosts; i++) {
                    String name = "h" + i;
                    String address = "10.1." + i / 250 + "." + (1 + i % 250);
                    journal.update(state -> state.with(
                            name,
                            HostState.created(address, "id-" + last, States.BOOTSTRAP_KEY)
                                    .accepting(States.OWN)));
                }
            }
        });

        assertThat(States.load(disk.store(folder.resolve("root")), "shop")
                        .orElseThrow()
                        .hosts())
                .hasSize(hosts)
                .containsEntry(
                        "h7",
                        HostState.created("10.1.0.8", "id-2", States.BOOTSTRAP_KEY)
                                .accepting(States.OWN));
        assertThat(disk.bytes()).as("bytes for 3,000 changes").isLessThan(8_000_000);
        assertThat(disk.syncs()).as("syncs for 3,000 changes").isLessThan(2 * 3_000 + 100);
    }
}
