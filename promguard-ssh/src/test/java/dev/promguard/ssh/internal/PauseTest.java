package dev.promguard.ssh.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How often a host that cannot be reached yet is tried. */
class PauseTest {
    private static final Duration WINDOW = Duration.ofSeconds(30);

    private static List<Duration> attempts(boolean refused) {
        List<Duration> attempts = new ArrayList<>();
        Duration now = Duration.ZERO;
        Duration pause = SshConnector.FIRST_PAUSE;
        while (now.toMinutes() < 3) {
            attempts.add(now);
            now = now.plus(pause);
            pause = SshConnector.after(pause, refused);
        }
        return attempts;
    }

    @Test
    void after_silence_triesSoonAndThenEveryTwoSeconds() {
        assertThat(attempts(false)).filteredOn(time -> time.toSeconds() < 5).hasSizeGreaterThan(6);
        assertThat(attempts(false)).hasSizeBetween(85, 100);
    }

    /** As the kernel's list of recent connections does it: each is noted, and noted again where six notes are in 30 seconds. */
    @Test
    void after_refusals_isSlowEnoughToBeLetInByAFirewallThatLimits() {
        List<Duration> notes = new ArrayList<>();
        List<Duration> letIn = new ArrayList<>();
        boolean refusedOnce = false;
        for (Duration attempt : attempts(true)) {
            notes.add(attempt);
            long recent = notes.stream()
                    .filter(note -> attempt.minus(note).compareTo(WINDOW) <= 0)
                    .count();
            if (recent >= 6) {
                notes.add(attempt);
                refusedOnce = true;
            } else if (refusedOnce) {
                letIn.add(attempt);
            }
        }
        assertThat(letIn.get(0)).isLessThan(Duration.ofSeconds(100));
    }
}
