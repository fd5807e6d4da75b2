package dev.promguard.internal.console;

import dev.promguard.MeshListener;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decides how a process shows what happens: live lines where there is a terminal to draw on, and else one line below the other. */
public final class Consoles {
    private static final Logger LOG = LoggerFactory.getLogger(Consoles.class);

    private Consoles() {}

    /**
     * What shows events on the process's standard output.
     *
     * @param out the standard output, for lines one below the other
     * @param environment the process's environment variables
     * @return a listener
     */
    public static MeshListener ofProcess(PrintStream out, Map<String, String> environment) {
        MeshListener plain = new PlainLines(out);
        return isForPeople(environment)
                ? new LiveLines(() -> screen(hasColour(environment)), plain, Clock.systemUTC())
                : plain;
    }

    /** Whether somebody looks at a terminal that can more than write on. */
    static boolean isForPeople(Map<String, String> environment) {
        String type = environment.getOrDefault("TERM", "");
        return !type.isEmpty()
                && !type.equals("dumb")
                && environment.getOrDefault("CI", "").isEmpty();
    }

    /** As no-color.org has it. */
    static boolean hasColour(Map<String, String> environment) {
        return environment.getOrDefault("NO_COLOR", "").isEmpty();
    }

    private static Optional<Screen> screen(boolean colour) {
        try {
            return Optional.of(JLineScreen.ofProcess(colour));
        } catch (IOException | IllegalStateException e) {
            LOG.debug("The standard output is no terminal to draw on.", e);
            return Optional.empty();
        } catch (LinkageError e) {
            LOG.debug("There is no jline-terminal on the class path, so nothing is drawn.", e);
            return Optional.empty();
        }
    }
}
