package dev.promguard.change;

import java.util.Objects;

/**
 * Something about a host that no change can fix.
 *
 * @param message what is wrong, as a clause without a full stop
 * @param remedy what to do about it: a clause, or sentences that begin with a capital letter; an empty text if nothing is known
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
     * @return the message, and behind a colon, or a full stop before sentences, the remedy
     */
    public String text() {
        if (remedy.isEmpty()) {
            return message;
        }
        return message + (Character.isUpperCase(remedy.charAt(0)) ? ". " : ": ") + remedy;
    }
}
