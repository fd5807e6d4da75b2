package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.internal.run.Events;
import dev.promguard.memory.Calls;
import dev.promguard.memory.Calls.Death;
import dev.promguard.memory.Calls.Problem;
import dev.promguard.memory.MemoryMachine;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Breaks verbs at random moments, which a seed chooses: at any call to the outside and at the begin and end of any change on a host.
 * The program is killed, an answer is lost, or an outage begins of the API, the way to the hosts, or the folder of the state. Hosts then
 * roll back or wait, and the cloud's lists lag. When the verb is run again, it ends in the spec or in nothing. What there is then is
 * read from the cloud, the hosts and the store alone. More moments: {@code -Dpromguard.moments=2000 -Dpromguard.seed=1}.
 */
class MeshMomentsTest {
    private static final int MOMENTS = Integer.getInteger("promguard.moments", 12);
    private static final long SEED = Long.getLong("promguard.seed", 20_261_129L);
    private static final int[] LAGS = {0, 0, 3, 8, 20, 60};

    /** It says of each exception that a listener throws. */
    @RegisterExtension
    static final SilentLogger SILENT = new SilentLogger(Events.class.getName());

    /** What goes wrong. */
    private enum Fault {
        DIES_BEFORE,
        DIES_AFTER,
        LOSES_ANSWER,
        API_DOWN,
        SSH_DOWN,
        DISK_FULL
    }

    static Stream<Story> stories() {
        return Story.all();
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
