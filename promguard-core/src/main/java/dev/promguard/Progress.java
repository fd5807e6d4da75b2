package dev.promguard;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listeners that show progress to a person. */
public final class Progress {
    private Progress() {}

    /**
     * Writes a line to the standard output for each step that is done or has failed.
     *
     * @return a listener; its clock starts at the first event
     */
    public static MeshListener console() {
        return to(System.out);
    }

    /**
     * Logs each step with SLF4J: at INFO when it is done, at WARN when it has failed, at DEBUG when it begins. For programs that embed
     * PromGuard.
     *
     * @param logger the name of the logger, such as {@code com.example.mesh}
     * @return a listener
     */
    public static MeshListener toLog(String logger) {
        Logger log = LoggerFactory.getLogger(logger);
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
     * Writes a line for each step that is done or has failed, with the seconds since the first event.
     *
     * @param out where to write; never closed
     * @return a listener; its clock starts at the first event
     */
    public static MeshListener to(PrintStream out) {
        AtomicLong start = new AtomicLong();
        return event -> {
            long now = System.nanoTime();
            start.compareAndSet(0, now);
            boolean begins = event.state() == MeshEvent.State.STARTED;
            if (begins ? event.kind() != MeshEvent.Kind.PHASE : event.kind() == MeshEvent.Kind.PHASE) {
                return;
            }
            String mark = switch (event.state()) {
                case FAILED -> "FAILED ";
                case CANCELLED -> "cancelled ";
                case SKIPPED -> "not done: ";
                case STARTED -> "… ";
                case DONE, NOTED -> "";
            };
            double seconds = Duration.ofNanos(now - start.get()).toMillis() / 1000.0;
            out.printf(
                    Locale.ROOT, "%7.1f s  %-22s  %s%s%n", seconds, event.host().orElse("mesh"), mark, event.step());
        };
    }
}
