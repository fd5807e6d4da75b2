package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryMachine;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Lets one thing go wrong at each phase of each verb, ends it, and runs the verb again. The build tries every so many moments of a verb,
 * and with {@code -Plong} all of them.
 */
class MeshFaultPhasesTest {
    private static final int EVERY = Integer.getInteger("promguard.every", 29);
    private static final int ALWAYS = Integer.MAX_VALUE;
    private static final Duration HOUR = Duration.ofHours(1);

    /** It says of each state that could not be shortened. */
    @RegisterExtension
    static final SilentLogger SILENT = new SilentLogger("dev.promguard.internal.run");

    /** What goes wrong, and the calls that feel it. */
    private enum Fault {
        TOKEN_REVOKED("CloudProvider."),
        API_DOWN_FOR_A_MINUTE("CloudProvider."),
        RATE_LIMIT("CloudProvider."),
        CONTROLLER_DISK_FULL("StateStore."),
        CONTROLLER_DISK_FULL_ONCE("StateStore."),
        HOST_DISK_FULL_BEFORE_A_STEP("Progress.started"),
        HOST_DISK_FULL_AFTER_A_STEP("Progress.done"),
        SSH_CUT("Host"),
        CLOCK_AHEAD(""),
        CLOCK_BEHIND(""),
        INTERRUPTED("");

        private final String calls;

        Fault(String calls) {
            this.calls = calls;
        }

        private static RuntimeException refusal(ErrorCode code, int status, boolean retryable) {
            return new ProviderException(code, "told to fail", status, null, null, retryable, null);
        }

        private static RuntimeException full() {
            return new StateException(ErrorCode.STATE_INACCESSIBLE, "told to fail: no space left", true, null);
        }

        private static RuntimeException hostFull() {
            return HostException.of(ErrorCode.STEP_FAILED, "host", "", "write")
                    .exitCode(1)
                    .because("told to fail: no space left", "");
        }

        /** Has it happen at a moment. */
        void happen(Calls program, int moment, World world, Shift clock) {
            switch (this) {
                case CLOCK_AHEAD -> program.before(moment, () -> clock.by = HOUR);
                case CLOCK_BEHIND -> program.before(moment, () -> clock.by = HOUR.negated());
                case SSH_CUT -> {
                    program.before(moment, () -> world.machines().forEach(machine -> machine.down(true)));
                    program.before(moment + 6, () -> world.machines().forEach(machine -> machine.down(false)));
                }
                case INTERRUPTED -> {
                    Thread caller = Thread.currentThread();
                    program.before(moment, () -> interrupt(caller));
                }
                case TOKEN_REVOKED ->
                    program.failFrom(moment, ALWAYS, calls, () -> refusal(ErrorCode.PROVIDER_TOKEN, 401, false));
                case API_DOWN_FOR_A_MINUTE ->
                    program.failFrom(moment, 3, calls, () -> refusal(ErrorCode.PROVIDER_UNAVAILABLE, 503, true));
                case RATE_LIMIT ->
                    program.failFrom(moment, 1, calls, () -> refusal(ErrorCode.PROVIDER_RATE_LIMIT, 429, true));
                case CONTROLLER_DISK_FULL -> program.failFrom(moment, ALWAYS, calls, Fault::full);
                case CONTROLLER_DISK_FULL_ONCE -> program.failFrom(moment, 1, calls, Fault::full);
                case HOST_DISK_FULL_BEFORE_A_STEP -> program.failFrom(moment, 1, calls, Fault::hostFull);
                case HOST_DISK_FULL_AFTER_A_STEP -> program.failFrom(moment, ALWAYS, calls, Fault::hostFull);
            }
        }

        private static void interrupt(Thread caller) {
            caller.interrupt();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        /** Where no host is changed, nothing is told of steps, and the destroy of a cloud's mesh asks no host. */
        boolean mayHaveNoMoment() {
            return this == SSH_CUT || calls.startsWith("Progress.");
        }

        /** Whether what fails says why. */
        boolean isTold() {
            return this != SSH_CUT && !isHarmless();
        }

        boolean isHarmless() {
            return this == CLOCK_AHEAD || this == CLOCK_BEHIND;
        }
    }

    /** The controller's clock. */
    private static final class Shift extends Clock {
        private volatile Duration by = Duration.ZERO;

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return Instant.now().plus(by);
        }
    }

    static Stream<Arguments> faults() {
        return Story.all().flatMap(story -> Stream.of(Fault.values()).map(fault -> Arguments.of(story, fault)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("faults")
    void verb_faultAtEachPhase_isEndedByTheNextRun(Story story, Fault fault) {
        Calls rehearsal = new Calls().countingSteps();
        story.verb().accept(story.before().get().spec(rehearsal));
        List<String> moments = rehearsal.made();
        int tried = 0;
        // Other moments for each fault.
        int found = fault.name().length();
        for (int moment = 1; moment <= moments.size(); moment++) {
            String call = moments.get(moment - 1);
            if (!call.startsWith(fault.calls) || found++ % EVERY != 0) {
                continue;
            }
            tried++;
            try {
                World world = story.before().get();
                broken(story, fault, world, moment);
                story.again().accept(world.spec(new Calls()));
                world.check();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(
                        story + ", " + fault + " at " + moment + " of " + moments.size() + ", " + call, e);
            }
        }
        assertThat(EVERY > 1 || tried > 0 || fault.mayHaveNoMoment())
                .as("moments of " + moments)
                .isTrue();
    }

    private static void broken(Story story, Fault fault, World world, int moment) {
        Calls program = new Calls().countingSteps();
        Shift clock = new Shift();
        fault.happen(program, moment, world, clock);
        try {
            story.verb().accept(world.spec(program).clock(clock));
        } catch (PromGuardException e) {
            assertThat(fault.isHarmless()).as("%s", e).isFalse();
            if (fault == Fault.INTERRUPTED) {
                assertThat(e).isInstanceOf(CancelledException.class);
            } else if (fault.isTold()) {
                assertThat(e).as("the reason is told").hasMessageContaining("told to fail");
            }
        } finally {
            boolean unused = Thread.interrupted();
            world.machines().forEach(machine -> machine.down(false));
        }
        if (fault.isHarmless()) {
            assertThat(world.machines()).noneMatch(MemoryMachine::armed);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("stories")
    void verb_listenerThrowsAtEachEvent_isDone(Story story) {
        World world = story.before().get();

        story.verb().accept(world.spec(new Calls()).listener(event -> {
            throw new IllegalStateException("told to throw");
        }));
        story.again().accept(world.spec(new Calls()));

        world.check();
    }

    static Stream<Story> stories() {
        return Story.all();
    }
}
