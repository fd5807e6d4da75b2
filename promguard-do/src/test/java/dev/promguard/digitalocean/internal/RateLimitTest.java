package dev.promguard.digitalocean.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How soon the next call may go. */
class RateLimitTest {
    private Instant now = Instant.parse("2026-11-23T12:00:00Z");
    private final RateLimit limit = new RateLimit(() -> now);

    private void take(int calls) {
        IntStream.range(0, calls).forEach(call -> assertThat(limit.take()).isZero());
    }

    @Test
    void take_aFullBucket_lets60GoAtOnceAndThenOneEachThirdOfASecond() {
        take(60);

        assertThat(limit.take()).isCloseTo(Duration.ofNanos(333_333_333), Duration.ofMillis(1));
        assertThat(limit.take()).isCloseTo(Duration.ofNanos(666_666_666), Duration.ofMillis(1));
    }

    @Test
    void take_afterAMinute_isFullAgainAndNotMore() {
        take(60);
        now = now.plusSeconds(600);

        take(60);
        assertThat(limit.take()).isPositive();
    }

    @Test
    void take_anyMinute_neverLetsMoreGoThanTheApiAllows() {
        Instant minuteAfter = now.plusSeconds(60);
        int sent = 0;
        while (now.isBefore(minuteAfter)) {
            Duration wait = limit.take();
            now = now.plus(wait);
            if (now.isBefore(minuteAfter)) {
                sent++;
            }
        }
        assertThat(sent).isBetween(230, 250);
    }

    @Test
    void take_whileClosed_waitsUntilItOpensForEveryCall() {
        limit.close(Duration.ofSeconds(20));
        limit.close(Duration.ofSeconds(5));

        assertThat(limit.take()).isEqualTo(Duration.ofSeconds(20));
        now = now.plusSeconds(8);
        assertThat(limit.take()).isEqualTo(Duration.ofSeconds(12));
        now = now.plusSeconds(12);
        assertThat(limit.take()).isZero();
    }
}
