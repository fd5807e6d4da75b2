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

    /** The sixth of them in 30 seconds is refused, and so are all that follow as long as that many have come. */
    @Test
    void after_refusals_isSlowEnoughToBeLetInByAFirewallThatLimits() {
        List<Duration> attempts = attempts(true);
        assertThat(attempts).filteredOn(time -> time.toSeconds() < 5).hasSizeGreaterThan(6);
        List<Duration> letIn = attempts.stream()
                .filter(time -> attempts.stream()
                                .filter(other -> other.compareTo(time) <= 0
                                        && time.minus(other).compareTo(WINDOW) <= 0)
                                .count()
                        < 6)
                .filter(time -> time.compareTo(WINDOW) > 0)
                .toList();
        assertThat(letIn.get(0)).isLessThan(Duration.ofSeconds(60));
    }
}
