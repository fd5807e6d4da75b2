package dev.promguard.internal.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the environment says of the terminal. */
class ConsolesTest {
    @Test
    void ofProcess_environment_decidesWhetherAnythingIsDrawn() {
        assertThat(Consoles.isForPeople(Map.of("TERM", "xterm-256color"))).isTrue();
        assertThat(Consoles.isForPeople(Map.of("TERM", "xterm", "CI", ""))).isTrue();
        assertThat(Consoles.isForPeople(Map.of("TERM", "dumb"))).isFalse();
        assertThat(Consoles.isForPeople(Map.of("TERM", ""))).isFalse();
        assertThat(Consoles.isForPeople(Map.of())).isFalse();
        assertThat(Consoles.isForPeople(Map.of("TERM", "xterm", "CI", "true"))).isFalse();
        assertThat(Consoles.ofProcess(new PrintStream(PrintStream.nullOutputStream()), Map.of("TERM", "dumb")))
                .isInstanceOf(PlainLines.class);
    }

    /** What a program writes that shows a run on a terminal of its own, or into a pipe. */
    private static String shown(boolean terminal, String... environment) throws IOException, InterruptedException {
        String command = Path.of(System.getProperty("java.home"), "bin", "java") + " -XX:TieredStopAtLevel=1 -cp "
                + System.getProperty("java.class.path") + " " + ConsoleMain.class.getName();
        List<String> program = new ArrayList<>(List.of("env", "-u", "CI", "-u", "NO_COLOR", "TERM=xterm-256color"));
        program.addAll(List.of(environment));
        program.addAll(
                terminal
                        ? List.of("script", "-qec", "stty cols 80 rows 24; " + command, "/dev/null")
                        : List.of("sh", "-c", command));
        Process process = new ProcessBuilder(program)
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    @Test
    void console_inATerminal_drawsInColourAndAsksTheTerminalNothing() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "script(1) gives a program a terminal");

        String output = shown(true);

        assertThat(output)
                .contains("apply shop")
                .contains("\u001b[32m")
                .contains("done")
                .contains(" in 2.5 s");
        assertThat(output).as("what a terminal would answer").doesNotContain("\u001b[6n", "\u001b[c", "$p");
        assertThat(shown(true, "NO_COLOR=1"))
                .contains("apply shop: done in 2.5 s")
                .doesNotContain("\u001b[3");
        assertThat(shown(true, "TERM=dumb")).contains("    0.0 s  mesh  ").doesNotContain("\u001b");
        assertThat(shown(true, "CI=true")).contains("    0.0 s  mesh  ").doesNotContain("\u001b");
        assertThat(shown(false)).contains("    0.0 s  mesh  ").doesNotContain("\u001b");
    }

    /** As cron runs it: without LANG, Java writes a question mark for what is not in ASCII. */
    @Test
    void console_withoutALanguage_writesWhatCanBeRead() throws Exception {
        assertThat(shown(false, "LC_ALL=C")).contains("  apply shop ...").doesNotContain("?");
    }

    @Test
    void colour_environment_decides() {
        assertThat(Consoles.hasColour(Map.of())).isTrue();
        assertThat(Consoles.hasColour(Map.of("NO_COLOR", ""))).isTrue();
        assertThat(Consoles.hasColour(Map.of("NO_COLOR", "0"))).isFalse();
    }
}
