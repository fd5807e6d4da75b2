package dev.promguard.internal.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.MeshEvent.Kind;
import dev.promguard.MeshEvent.State;
import dev.promguard.MeshListener;
import java.io.ByteArrayOutputStream;
import java.io.IOError;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.ExternalTerminal;
import org.jline.utils.ScreenTerminal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Live lines on a virtual terminal: what somebody would see there. */
@Timeout(60)
class JLineScreenTest {
    private static final Pattern COLOUR = Pattern.compile("\u001b\\[[0-9;]*3[0-9][0-9;]*m");
    private static final Duration SOON = Duration.ofSeconds(20);

    private final ByteArrayOutputStream plain = new ByteArrayOutputStream();

    /** A terminal, what it shows, and what tells it what happens. */
    private final class Sight {
        private final ScreenTerminal.VirtualTerminal virtual;
        private final Story story;
        private final MeshListener[] live = new MeshListener[1];

        Sight(int columns, int rows, boolean colour) throws IOException {
            virtual = ScreenTerminal.withTerminal("test", "xterm-256color", columns, rows);
            PrintStream lines = new PrintStream(plain, true, StandardCharsets.UTF_8);
            story = new Story("r", event -> live[0].on(event));
            live[0] = new LiveLines(
                    () -> Optional.of(new JLineScreen(virtual.terminal(), colour)), new PlainLines(lines), story);
        }

        String text() {
            return virtual.screen()
                    .toString()
                    .lines()
                    .map(String::stripTrailing)
                    .collect(Collectors.joining("\n"))
                    .strip();
        }

        String await(Predicate<String> shown) throws InterruptedException {
            long end = System.nanoTime() + SOON.toNanos();
            String text = text();
            while (!shown.test(text) && System.nanoTime() < end) {
                virtual.screen().waitDirty(50);
                text = text();
            }
            assertThat(text).as("what is shown after %s", SOON).matches(shown, "what is awaited");
            return text;
        }

        void resize(int columns, int rows) {
            virtual.screen().setSize(Size.of(columns, rows));
            virtual.terminal().setSize(Size.of(columns, rows));
            virtual.terminal().raise(Terminal.Signal.WINCH);
        }

        void tellApply() {
            virtual.terminal().writer().println("$ apply");
            virtual.terminal().flush();
            story.run("apply");
            long one =
                    story.after(1).percent(30).begin(Kind.STEP, "shop-monitor-1", 1, "create the host and set it up");
            story.begin(
                    Kind.TASK,
                    "shop-monitor-1",
                    one,
                    "write /etc/prometheus/prometheus.yml and everything that it needs to go with it");
            long two = story.task("shop-node-1", "connect over SSH");
            story.after(3.5).failed("shop-node-1", two, "connect over SSH");
            story.after(2);
        }

        void tellRest() {
            story.end(Kind.TASK, State.DONE, "shop-monitor-1", 3, 2, "write");
            story.end(Kind.STEP, State.DONE, "shop-monitor-1", 2, 1, "create the host and set it up");
            story.over(State.FAILED, "apply");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {80, 120})
    void run_onATerminal_showsALineForEachHostAndLeavesARecap(int columns) throws Exception {
        Sight sight = new Sight(columns, 24, true);
        sight.tellApply();

        String live = sight.await(text -> text.contains("6.5 s"));

        String step = columns == 80
                ? "write /etc/prometheus/prometheus.yml and …"
                : "write /etc/prometheus/prometheus.yml and everything that it needs to go with it";
        assertThat(live).isEqualTo("""
                $ apply
                apply shop  6.5 s  30 %
                  shop-monitor-1     5.5 s  STEP
                  shop-node-1        3.5 s  FAILED: connect over SSH""".replace("STEP", step));

        sight.tellRest();

        assertThat(sight.text()).isEqualTo("""
                $ apply
                apply shop: FAILED after 6.5 s
                  shop-monitor-1     5.5 s  create the host and set it up: done
                  shop-node-1        3.5 s  FAILED at: connect over SSH""");
        assertThat(plain.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void run_terminalChangesItsSize_isDrawnAnewWithoutTraces() throws Exception {
        Sight sight = new Sight(120, 24, false);
        sight.tellApply();
        sight.await(text -> text.contains("6.5 s"));

        sight.resize(70, 20);

        String live = sight.await(text -> text.contains("…"));
        assertThat(live.split("shop-monitor-1", -1)).hasSize(2);
        assertThat(live.split("apply shop", -1)).hasSize(2);

        sight.resize(120, 24);

        live = sight.await(text -> text.contains("everything"));
        assertThat(live.split("shop-monitor-1", -1)).hasSize(2);
        assertThat(live.split("apply shop", -1)).hasSize(2);
    }

    @Test
    void run_withoutColour_writesNone() throws Exception {
        for (boolean colour : new boolean[] {true, false}) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (JLineScreen screen = new JLineScreen(terminal(bytes), colour)) {
                screen.draw(List.of(Line.of(Line.Style.BAD, "FAILED")));
                screen.print(List.of(Line.of(Line.Style.GOOD, "done")));
            }
            assertThat(COLOUR.matcher(bytes.toString(StandardCharsets.UTF_8)).find())
                    .isEqualTo(colour);
        }
    }

    private static Terminal terminal(ByteArrayOutputStream bytes) throws IOException {
        return new ExternalTerminal(
                "test", "xterm-256color", InputStream.nullInputStream(), bytes, StandardCharsets.UTF_8);
    }

    @Test
    void run_otherRunsOnTheSameTerminal_shareIt() throws Exception {
        Sight sight = new Sight(80, 24, false);
        Story other = new Story("other", event -> sight.live[0].on(event));
        sight.tellApply();
        other.run("verify");
        other.task("shop-node-9", "read the host");
        sight.await(text -> text.contains("verify shop") && text.contains("shop-node-9") && text.contains("6.5 s"));

        sight.tellRest();

        assertThat(sight.await(text -> text.contains("shop-node-9"))).contains("apply shop: FAILED after 6.5 s");

        other.over(State.DONE, "verify");

        assertThat(sight.text()).endsWith("verify shop: done in 0.0 s\n  shop-node-9     0.0 s  read the host");
    }

    @Test
    void run_noTerminal_isToldLineByLine() {
        PrintStream lines = new PrintStream(plain, true, StandardCharsets.UTF_8);
        LiveLines live = new LiveLines(Optional::empty, new PlainLines(lines), Clock.systemUTC());
        Story story = new Story("r", live);

        story.run("apply");
        long read = story.after(1).task("shop-node-1", "read the host");
        story.after(1.5).done("shop-node-1", read, "read the host");
        story.over(State.DONE, "apply");

        assertThat(plain.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        "    0.0 s  mesh                    apply shop ...",
                        "    2.5 s  shop-node-1             read the host",
                        "    2.5 s  mesh                    apply: done");
    }

    @Test
    void plainLines_longNames_align() {
        PrintStream lines = new PrintStream(plain, true, StandardCharsets.UTF_8);
        Story story = new Story("r", new PlainLines(lines));

        story.run("apply");
        for (String host : List.of("promguard-quickstart-monitor-1", "多台主机", "a")) {
            story.failed(host, story.task(host, "read the host"), "read the host");
        }

        assertThat(plain.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        "    0.0 s  mesh                    apply shop ...",
                        "    0.0 s  promguard-quickstart-monitor-1  FAILED read the host",
                        "    0.0 s  多台主机                        FAILED read the host",
                        "    0.0 s  a                               FAILED read the host");
    }

    @Test
    void run_terminalBreaks_theRunGoesOnAndItsEndIsTold() {
        PrintStream lines = new PrintStream(plain, true, StandardCharsets.UTF_8);
        LiveLines live = new LiveLines(() -> Optional.of(new BrokenScreen()), new PlainLines(lines), Clock.systemUTC());
        for (String run : List.of("first", "second")) {
            Story story = new Story(run, live);
            story.run("apply");
            story.task("shop-node-1", "read the host");
            story.over(State.DONE, "apply");
        }

        assertThat(plain.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        "    0.0 s  mesh                    apply: done",
                        "    0.0 s  mesh                    apply: done");
    }

    /** A terminal whose window was closed. */
    private static final class BrokenScreen implements Screen {
        @Override
        public int columns() {
            return 80;
        }

        @Override
        public int rows() {
            return 24;
        }

        @Override
        public void draw(List<Line> lines) {
            throw new IOError(new IOException("Input/output error"));
        }

        @Override
        public void print(List<Line> lines) {
            throw new IOError(new IOException("Input/output error"));
        }

        @Override
        public void close() {
            throw new IOError(new IOException("Input/output error"));
        }
    }
}
