package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.LoggerFactory;

/**
 * Random operations on random meshes, with faults at random moments: see {@link SoakRun}. The build does a few. For so many minutes, from
 * another seed on: {@code mvn test -pl promguard-core -Psoak -Dpromguard.soak.minutes=60 -Dpromguard.soak.seed=1}. Where it fails, it
 * says the seed of the mesh: {@code -Dpromguard.soak.seed=} and that seed begin with it.
 */
class MeshSoakTest {
    private static final long MINUTES = Long.getLong("promguard.soak.minutes", 0);
    private static final long SEED = Long.getLong("promguard.soak.seed", 20_261_129L);
    private static final int MESHES = 2;
    private static final int OPERATIONS = MINUTES > 0 ? 25 : 15;

    /** It says of each exception that a listener throws, and of states that could not be shortened. */
    @RegisterExtension
    static final SilentLogger SILENT = new SilentLogger("dev.promguard.internal.run");

    @Test
    void operations_brokenAtRandomMoments_endInTheSpecOrInNothingWhenTheyAreRunAgain() {
        SoakCounts counts = new SoakCounts();
        long end = System.nanoTime() + Duration.ofMinutes(MINUTES).toNanos();
        long seed = SEED;
        while (MINUTES > 0 ? System.nanoTime() < end : seed < SEED + MESHES) {
            SoakRun run = new SoakRun(seed, counts);
            for (int operation = 1; operation <= OPERATIONS; operation++) {
                try {
                    run.step();
                } catch (AssertionError | RuntimeException e) {
                    throw new AssertionError(
                            "seed " + seed + ", operation " + operation + ":\n  " + String.join("\n  ", run.history())
                                    + "\nBefore: " + counts,
                            e);
                }
            }
            seed++;
        }
        if (MINUTES > 0) {
            LoggerFactory.getLogger(MeshSoakTest.class).warn("seeds {} to {}: {}", SEED, seed - 1, counts);
        }
        assertThat(counts.faults()).as("faults that happened").isGreaterThan(counts.operations() / 3);
    }
}
