package dev.promguard.digitalocean.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ProviderException;
import dev.promguard.keys.Secret;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class HttpTest {
    @Test
    void get_deadlineBeforeTheCallTimeout_endsTheCall() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                Secret token = Secret.of("dop_v1_x")) {
            Http http = new Http(
                    URI.create("http://127.0.0.1:" + silent.getLocalPort()),
                    Token.given(token),
                    Duration.ofSeconds(60),
                    Duration.ofMillis(1));
            long start = System.nanoTime();

            assertThatThrownBy(() -> http.get("/v2/account", Object.class, Deadline.after(Duration.ofMillis(150))))
                    .isInstanceOf(ProviderException.class)
                    .hasMessageContaining("no whole answer within");

            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofMillis(140), Duration.ofSeconds(5));
        }
    }

    @Test
    void deadline_ofAnyLength_counts() {
        assertThat(Deadline.after(Duration.ZERO).isOver()).isTrue();
        assertThat(Deadline.after(Duration.ofSeconds(-5)).left()).isZero();
        assertThat(Deadline.after(Duration.ofSeconds(Long.MAX_VALUE)).left()).isGreaterThan(Duration.ofDays(300));
        assertThat(Deadline.never().plus(Duration.ofDays(100)).isOver()).isFalse();
        assertThat(Deadline.after(Duration.ZERO).plus(Duration.ofHours(1)).left())
                .isBetween(Duration.ofMinutes(59), Duration.ofHours(1));
        assertThat(Deadline.after(Duration.ofHours(1)).atMost(Duration.ofSeconds(1)))
                .isEqualTo(Duration.ofSeconds(1));
        assertThat(Deadline.after(Duration.ofSeconds(1)).atMost(Duration.ofHours(1)))
                .isLessThanOrEqualTo(Duration.ofSeconds(1));
    }
}
