package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/** What a listener that throws does to a verb: nothing. */
class MeshListenerTest {
    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger("dev.promguard");

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeEach
    void watch() {
        log.start();
        LOGGER.addAppender(log);
        LOGGER.setAdditive(false);
    }

    @AfterEach
    void stop() {
        LOGGER.detachAppender(log);
        LOGGER.setAdditive(true);
    }

    static List<Supplier<Throwable>> thrown() {
        return List.of(
                () -> new IllegalStateException("no screen"),
                () -> new CancelledException("thrown by a listener", new InterruptedException()),
                () -> new Exception("undeclared"),
                StackOverflowError::new,
                () -> new AssertionError("expected another step"),
                () -> new NoClassDefFoundError("Screen"));
    }

    private static MeshListener throwing(List<MeshEvent> events, Supplier<Throwable> what) {
        return event -> {
            events.add(event);
            MeshListenerTest.<RuntimeException>raise(what.get());
        };
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <E extends Throwable> void raise(Throwable thrown) throws E {
        throw (E) thrown;
    }

    @ParameterizedTest
    @MethodSource("thrown")
    void apply_listenerThrowsAtEveryEvent_isLoggedOncePerEventAndTheApplyIsDone(Supplier<Throwable> what) {
        Account account = new Account();
        List<MeshEvent> events = new ArrayList<>();

        ApplyReport report =
                account.spec().listener(throwing(events, what)).build().apply();

        assertThat(report.ok()).isTrue();
        account.assertUpToDate(account.spec().build());
        assertThat(events).hasSizeGreaterThan(40);
        assertThat(log.list).hasSameSizeAs(events).allSatisfy(line -> {
            assertThat(line.getLevel()).isEqualTo(Level.WARN);
            assertThat(line.getThrowableProxy().getClassName())
                    .isEqualTo(what.get().getClass().getName());
        });
        assertThat(log.list.get(1).getFormattedMessage()).contains("listener").contains("observe what exists");
    }

    static List<Arguments> verbs() {
        return List.of(
                verb("apply", Mesh::apply),
                verb("apply(plan)", mesh -> mesh.apply(mesh.plan())),
                verb("rotateKeys", Mesh::rotateKeys),
                verb("plan", Mesh::plan),
                verb("verify", Mesh::verify),
                verb("destroy", Mesh::destroy));
    }

    private static Arguments verb(String name, Consumer<Mesh> verb) {
        return Arguments.of(name, verb);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("verbs")
    void verb_listenerThrowsAtEveryEvent_reachesItsEnd(String name, Consumer<Mesh> verb) {
        Account account = new Account();
        account.spec().apply();
        List<MeshEvent> events = new ArrayList<>();

        verb.accept(account.spec()
                .listener(throwing(events, () -> new IllegalStateException("no screen")))
                .build());

        assertThat(log.list).hasSameSizeAs(events);
        assertThat(account.hosts.open()).isZero();
    }

    @Test
    void apply_listenerThrowsWhileAHostFails_stillReportsThatHostsFailure() {
        Account account = new Account();
        account.spec().apply();
        account.cloud.machine("shop-node-1").down(true);
        List<MeshEvent> events = new ArrayList<>();

        assertThatThrownBy(() -> account.spec()
                        .listener(throwing(events, () -> new IllegalStateException("no screen")))
                        .apply())
                .isInstanceOf(ApplyException.class)
                .hasMessageContaining("shop-node-1")
                .hasMessageNotContaining("no screen");
    }

    @Test
    void apply_undeclaredInterruptionFromTheListener_cancels() {
        Account account = new Account();
        MeshListener interrupted = event -> MeshListenerTest.<RuntimeException>raise(new InterruptedException());

        assertThatThrownBy(() -> account.spec().listener(interrupted).apply()).isInstanceOf(CancelledException.class);

        assertThat(Thread.interrupted()).as("the interrupt flag").isTrue();
    }

    @Test
    @SuppressWarnings("NullAway") // what a caller without NullAway might pass
    void progress_null_isNamed() {
        assertThatThrownBy(() -> Progress.toLog(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("logger");
        assertThatThrownBy(() -> Progress.to(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("out");
    }
}
