package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.promguard.internal.run.StateJournal;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.memory.States;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.slf4j.LoggerFactory;

/** What it costs to keep the state of a large mesh. */
class StateShareTest {
    private static final int HOSTS = Integer.getInteger("promguard.hosts", 1_000);

    /** Bytes tell how much is done for a change, on slow machines as on fast ones. */
    private static long allocated() {
        return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }

    private static HostState host(int number) {
        return HostState.created(
                "10." + number / 62_500 + '.' + number / 250 % 250 + '.' + (1 + number % 250),
                "id-" + number,
                States.BOOTSTRAP_KEY);
    }

    private static MeshState state(int hosts) {
        MeshState state = MeshState.empty("shop");
        for (int i = 0; i < hosts; i++) {
            state = state.with("h" + i, host(i));
        }
        return state;
    }

    private static long bytesOfAChange(int hosts) {
        long[] bytes = new long[20];
        MemoryStateStore store = new MemoryStateStore();
        States.locked(store, "shop", states -> {
            StateJournal journal = new StateJournal(states, states.load("shop").orElse(MeshState.empty("shop")));
            journal.update(state -> state(hosts));
            for (int i = 0; i < bytes.length; i++) {
                int change = i;
                long before = allocated();
                journal.updateHost("h" + change, host -> host.accepting(States.OWN));
                bytes[change] = allocated() - before;
            }
        });
        Arrays.sort(bytes);
        return bytes[bytes.length / 2];
    }

    @Test
    void update_oneHostOfMany_costsHardlyMoreThanOneOfFew() {
        long few = bytesOfAChange(100);
        long many = bytesOfAChange(10_000);

        assertThat(many).as("bytes for a change of one of 10,000 hosts").isLessThan(2 * few);
    }

    /** How often which part of a program is found at work. */
    private static final class Samples implements Runnable {
        private final AtomicBoolean over = new AtomicBoolean();
        private final Thread thread = new Thread(this, "samples");
        private int all;
        private int ofTheCloud;
        private int ofTheState;

        @Override
        public void run() {
            while (!over.get()) {
                for (Map.Entry<Thread, StackTraceElement[]> found :
                        Thread.getAllStackTraces().entrySet()) {
                    if (found.getKey().getState() == Thread.State.RUNNABLE) {
                        sample(found.getValue());
                    }
                }
                try {
                    TimeUnit.MILLISECONDS.sleep(5);
                } catch (InterruptedException e) {
                    return;
                }
            }
        }

        private void sample(StackTraceElement[] stack) {
            if (!isIn(stack, "dev.promguard.")) {
                return;
            }
            all++;
            if (isIn(stack, "dev.promguard.internal.run.StateJournal", "dev.promguard.internal.run.MeshStates")) {
                ofTheState++;
            } else if (isIn(stack, "dev.promguard.memory.")) {
                ofTheCloud++;
            }
        }

        private static boolean isIn(StackTraceElement[] stack, String... prefixes) {
            return Arrays.stream(stack)
                    .anyMatch(frame -> !frame.getClassName().equals(Samples.class.getName())
                            && Arrays.stream(prefixes).anyMatch(frame.getClassName()::startsWith));
        }
    }

    /** {@code -Dpromguard.hosts=1000}: also says the share, which takes a minute or two. */
    @Test
    @EnabledIfSystemProperty(named = "promguard.hosts", matches = "[0-9]+")
    void apply_manyHosts_spendsLittleOfItsTimeOnTheState() throws Exception {
        Account account = new Account();
        MeshBuilder spec = account.spec(new Calls())
                .network("10.0.0.0/16")
                .nodes(HOSTS - 1, "lon1")
                .parallelism(4);
        Samples samples = new Samples();
        long begin = System.nanoTime();
        samples.thread.start();

        spec.apply();

        samples.over.set(true);
        samples.thread.join();
        double share = 100.0 * samples.ofTheState / (samples.all - samples.ofTheCloud);
        LoggerFactory.getLogger(StateShareTest.class)
                .warn(
                        "{} hosts in {} s: {} samples, {} of the simulated cloud and hosts, {} of the state: {} % of the rest",
                        HOSTS,
                        Duration.ofNanos(System.nanoTime() - begin).toSeconds(),
                        samples.all,
                        samples.ofTheCloud,
                        samples.ofTheState,
                        share);
        assertThat(share).isLessThan(5);
    }
}
