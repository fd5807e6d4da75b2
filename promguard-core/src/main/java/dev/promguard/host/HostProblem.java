package dev.promguard.host;

import java.util.Objects;
import java.util.Optional;

/**
 * Something about a host that no change can fix.
 *
 * @param message what is wrong, as a clause without a full stop
 * @param remedy what to do about it, in sentences; an empty text if nothing is known, or the message says it
 */
public record HostProblem(String message, String remedy) {
    /**
     * Checks that both are there.
     *
     * @throws NullPointerException if one is null
     */
    public HostProblem {
        Objects.requireNonNull(message, "message");
        Objects.requireNonNull(remedy, "remedy");
    }

    /**
     * Both in a line.
     *
     * @return the message, and behind a full stop the remedy
     */
    public String text() {
        return remedy.isEmpty() ? message : message + ". " + remedy;
    }

    /**
     * Both in a line, with the host that the problem is about.
     *
     * @param host the host's name; empty for the mesh as a whole
     * @return the text behind the host's name, unless the message begins with that, as those of failures do
     */
    public String textOf(Optional<String> host) {
        return host.filter(name -> !message.startsWith(name + ": ") && !message.startsWith(name + " ("))
                        .map(name -> name + ": ")
                        .orElse("")
                + text();
    }
}
