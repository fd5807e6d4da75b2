package dev.promguard;

import dev.promguard.internal.console.Consoles;
import dev.promguard.internal.console.PlainLines;
import dev.promguard.internal.text.Columns;
import java.io.PrintStream;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listeners that show progress to a person. */
public final class Progress {
    private Progress() {}

    /**
     * Shows on the standard output what happens. On a terminal, each host has a line that says what goes on there and for how long, and a recap
     * stays when the run ends. For that, {@code org.jline:jline-terminal} has to be on the class path. Nothing wraps, and a terminal that
     * changes its size is followed. There is no colour where the environment variable {@code NO_COLOR} is set.
     *
     * <p>Without that library, without a terminal, where {@code TERM} is {@code dumb} or missing, and where {@code CI} is set, it writes lines
     * as {@link #to} does.
     *
     * @return a listener, with a clock for each run. It may be shared by several meshes and threads
     */
    public static MeshListener console() {
        return Consoles.ofProcess(System.out, System.getenv());
    }

    /**
     * A plan, a report or a message as it is best read on a terminal: no line takes more than 80 columns. What is longer goes on in further
     * lines, indented, and breaks between words only, so that paths and addresses stay whole.
     *
     * @param text what to show, such as a {@link Plan}
     * @return its text
     */
    public static String wrapped(Object text) {
        return Columns.fit(String.valueOf(text), Columns.LINE);
    }

    /**
     * Logs each step with SLF4J: at INFO when it is done, at WARN when it has failed, at DEBUG when it begins. For programs that embed
     * PromGuard.
     *
     * @param logger the name of the logger, such as {@code com.example.mesh}
     * @return a listener
     * @throws NullPointerException if it is null
     */
    public static MeshListener toLog(String logger) {
        Logger log = LoggerFactory.getLogger(Objects.requireNonNull(logger, "logger"));
        return event -> {
            String host = event.host().orElse("mesh");
            switch (event.state()) {
                case STARTED -> log.debug("{}: begin: {}", host, event.step());
                case DONE, NOTED -> log.info("{}: {}", host, event.step());
                case FAILED -> log.warn("{}: failed: {}", host, event.step());
                case CANCELLED, SKIPPED -> log.info("{}: not done: {}", host, event.step());
            }
        };
    }

    /**
     * Writes a line when a run begins and ends, for what begins in the mesh as a whole, and for what is done or has failed on a host, with the
     * seconds since the run began.
     *
     * @param out where to write; never closed
     * @return a listener, with a clock for each run. It may be shared by several meshes and threads
     * @throws NullPointerException if it is null
     */
    public static MeshListener to(PrintStream out) {
        return new PlainLines(Objects.requireNonNull(out, "out"));
    }
}
