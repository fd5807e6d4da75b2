package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Bodies.MESH;
import static dev.promguard.digitalocean.Bodies.MESH_TAG;
import static dev.promguard.digitalocean.Cloud.html;
import static dev.promguard.digitalocean.Cloud.none;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.promguard.CancelledException;
import dev.promguard.keys.Secret;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.HostOrder;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every verb ends within a second of an interruption, says so, and leaves the interrupt flag set. */
class InterruptionTest {
    private static final Duration LONG = Duration.ofMinutes(10);

    @RegisterExtension
    final Cloud cloud = new Cloud();

    enum Verb {
        CHECK,
        LIST,
        REGISTER_ACCESS_KEY,
        CREATE,
        AWAIT,
        DELETE,
        CLOCK,
        REBUILDS,
        CLEAN_UP;

        void call(CloudProvider provider) {
            switch (this) {
                case CHECK -> provider.preflight(List.of(new HostOrder("a", "tor1", "s-1vcpu-1gb", "debian-12-x64")));
                case LIST -> provider.list(MESH);
                case REGISTER_ACCESS_KEY -> provider.registerAccessKey(MESH, RequestsTest.KEY);
                case CREATE -> provider.create(RequestsTest.order("a", "b"));
                case AWAIT -> provider.await(MESH, Set.of("11"), LONG);
                case DELETE -> provider.delete(MESH, List.of("11"), LONG);
                case CLOCK -> provider.clock();
                case REBUILDS -> provider.rebuilds(MESH, "11");
                case CLEAN_UP -> provider.cleanUp(MESH, Optional.of(new AccessKey("7", "fp", true)));
            }
        }
    }

    private record Outcome(@Nullable Throwable thrown, boolean flag) {}

    /** Interrupts a verb once something has happened, and insists on how it ends. */
    private static void interrupt(Verb verb, CloudProvider provider, BooleanSupplier underWay) throws Exception {
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        Thread caller = new Thread(() -> {
            Throwable thrown = catchThrowable(() -> verb.call(provider));
            outcome.complete(new Outcome(thrown, Thread.currentThread().isInterrupted()));
        });
        caller.start();
        while (!underWay.getAsBoolean() && !outcome.isDone()) {
            Thread.onSpinWait();
        }
        assertThat(outcome).isNotDone();
        long start = System.nanoTime();
        caller.interrupt();

        Outcome ended = outcome.get(5, TimeUnit.SECONDS);

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
        assertThat(ended.thrown())
                .isInstanceOf(CancelledException.class)
                .hasMessageContaining("interrupted")
                .hasMessageContaining("the next run continues from there")
                .hasCauseInstanceOf(InterruptedException.class);
        assertThat(((CancelledException) Objects.requireNonNull(ended.thrown())).retryable())
                .isTrue();
        assertThat(ended.flag()).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void verb_interruptedWhileTheApiIsSilent_endsAtOnce(Verb verb) throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch hungUp = new CountDownLatch(1);
        try (RawServer server = new RawServer(connection -> {
            connection.readRequest();
            asked.countDown();
            connection.waitForEnd();
            hungUp.countDown();
        })) {
            interrupt(verb, Cloud.builder(server.endpoint()).build(), () -> asked.getCount() == 0);

            assertThat(hungUp.await(5, TimeUnit.SECONDS)).isTrue();
            assertThat(server.requests()).hasSize(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void verb_interruptedBetweenTwoTries_endsAtOnce(Verb verb) throws Exception {
        cloud.onAny(refusal(429, "too_many_requests", "slow").withHeader("retry-after", "200"));

        interrupt(verb, cloud.provider(), () -> cloud.logged().stream().anyMatch(line -> line.contains("tried again")));
    }

    @Test
    void create_interruptedBetweenTwoLooks_endsAtOnce() throws Exception {
        cloud.on("POST", "/v2/droplets", html(502));

        interrupt(Verb.CREATE, cloud.builder().pollInterval(LONG).build(), this::answeredOnce);
    }

    @Test
    void await_interruptedBetweenTwoLooks_endsAtOnce() throws Exception {
        cloud.on("GET", "/v2/droplets", ok(Bodies.droplets(Bodies.fresh(11, "a"))));

        interrupt(Verb.AWAIT, cloud.builder().pollInterval(LONG).build(), this::answeredOnce);
    }

    @Test
    void delete_interruptedBetweenTwoLooks_endsAtOnce() throws Exception {
        cloud.on("GET", "/v2/droplets?tag_name=" + MESH_TAG, ok(Bodies.droplets(Bodies.active(11, "a"))))
                .on("DELETE", "/v2/droplets/11", none());

        interrupt(
                Verb.DELETE,
                cloud.builder().pollInterval(LONG).build(),
                () -> cloud.logged().stream().anyMatch(line -> line.contains("answered with 204")));
    }

    private boolean answeredOnce() {
        return cloud.logged().stream().anyMatch(line -> line.contains("answered with"));
    }

    @ParameterizedTest
    @EnumSource
    void verb_calledWithTheFlagSet_doesNotEvenLookAtTheToken(Verb verb) throws Exception {
        Secret closed = Secret.of(Cloud.TOKEN);
        closed.close();
        CloudProvider provider = cloud.builder().token(closed).build();
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        Thread caller = new Thread(() -> {
            Thread.currentThread().interrupt();
            Throwable thrown = catchThrowable(() -> verb.call(provider));
            outcome.complete(new Outcome(thrown, Thread.currentThread().isInterrupted()));
        });
        caller.start();

        Outcome ended = outcome.get(5, TimeUnit.SECONDS);

        assertThat(ended.thrown()).isInstanceOf(CancelledException.class);
        assertThat(ended.flag()).isTrue();
        assertThat(cloud.lines()).isEmpty();
    }
}
