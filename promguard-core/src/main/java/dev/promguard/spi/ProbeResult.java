package dev.promguard.spi;

import java.util.Objects;

/**
 * What came of trying a port.
 *
 * @param result what happened
 * @param bytes how much of the page came, in bytes; 0 where none was asked for
 * @param whole whether the page came whole and with status 200; false where none was asked for
 */
public record ProbeResult(Result result, long bytes, boolean whole) {
    /** What happens at a port. */
    public enum Result {
        /** A connection came about. */
        OPEN("open"),
        /** The other side refused it. */
        REFUSED("refused"),
        /** Nobody answered in time. */
        SILENT("no answer"),
        /** The host itself knows no way there. */
        NO_WAY("no way there"),
        /** It could not be tried, so nothing is known of it. */
        NOT_TRIED("could not be tried");

        private final String words;

        Result(String words) {
            this.words = words;
        }

        /**
         * The result as a person reads it.
         *
         * @return such as {@code no answer}
         */
        public String words() {
            return words;
        }
    }

    /**
     * Checks that there is a result.
     *
     * @throws NullPointerException if not
     */
    public ProbeResult {
        Objects.requireNonNull(result, "result");
    }

    /**
     * The answer of a port where no page was asked for.
     *
     * @param result what happened
     */
    public ProbeResult(Result result) {
        this(result, 0, false);
    }
}
