package dev.promguard.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.PromGuardException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the engine may expect of any {@link CloudProvider}, whether it makes hosts or knows those that are there. */
public abstract class ProviderContract {
    /** The provider to try; the same one each time within a test. */
    protected abstract CloudProvider provider();

    @Test
    void nameAndBatchSize_always_areUsable() {
        assertThat(provider().batchSize()).isPositive();
        assertThat(provider().name()).isNotBlank();
    }

    @Test
    void list_interruptedThread_endsWithAFailureAndTheFlagSet() {
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> provider().list("shop")).isInstanceOf(PromGuardException.class);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void check_nothing_findsNoProblem() {
        assertThat(provider().preflight(List.of()).problems()).isEmpty();
    }

    @Test
    void deleteAndAwait_nothing_returnAtOnce() {
        provider().delete("shop", List.of(), Duration.ofSeconds(1));
        ProvisioningResult arrival = provider().await("shop", Set.of(), Duration.ofSeconds(1));

        assertThat(arrival.ready()).isEmpty();
        assertThat(arrival.missing()).isEmpty();
    }

    @Test
    void cleanUp_neverUsed_doesNothing() {
        List<CloudHost> before = provider().list("shop");

        provider().cleanUp("shop", Optional.empty());

        assertThat(provider().list("shop")).isEqualTo(before);
    }
}
