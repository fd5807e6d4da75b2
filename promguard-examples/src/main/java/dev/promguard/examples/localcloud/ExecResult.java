package dev.promguard.examples.localcloud;

import java.util.List;

/**
 * What a command that has ended left behind.
 *
 * @param command the command and its arguments
 * @param exitCode its exit status; 128 and above mean a signal
 * @param stdout what it printed, decoded as UTF-8
 * @param stderr what it complained of, decoded as UTF-8
 */
public record ExecResult(List<String> command, int exitCode, String stdout, String stderr) {
    /**
     * Copies the command.
     *
     * @param command the command and its arguments
     * @param exitCode its exit status
     * @param stdout what it printed
     * @param stderr what it complained of
     */
    public ExecResult {
        command = List.copyOf(command);
    }

    /**
     * Says whether the command ended with status 0.
     *
     * @return true for status 0
     */
    public boolean ok() {
        return exitCode == 0;
    }

    /**
     * Returns this result if the command ended well.
     *
     * @return this
     * @throws LocalCloudException if the status is not 0, naming the command and what it said
     */
    public ExecResult orThrow() {
        if (!ok()) {
            String said = (stderr.isBlank() ? stdout : stderr).strip();
            throw new LocalCloudException("`" + String.join(" ", command) + "` ended with status " + exitCode
                    + (said.isEmpty() ? "" : ": " + last(said, 2000)));
        }
        return this;
    }

    private static String last(String text, int length) {
        return text.length() <= length ? text : "…" + text.substring(text.length() - length);
    }
}
