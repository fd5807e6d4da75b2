package dev.promguard;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;

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
            boolean whole = event.host().isEmpty();
            if (event.state() == MeshEvent.State.STARTED && !whole) {
                return;
            }
            String mark = event.state() == MeshEvent.State.FAILED
                    ? "FAILED "
                    : event.state() == MeshEvent.State.STARTED ? "… " : "";
            double seconds = Duration.ofNanos(now - start.get()).toMillis() / 1000.0;
            out.printf(
                    Locale.ROOT, "%7.1f s  %-22s  %s%s%n", seconds, event.host().orElse("mesh"), mark, event.step());
        };
    }
}
