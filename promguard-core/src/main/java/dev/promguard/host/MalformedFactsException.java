package dev.promguard.host;

/** A line of a host's facts is malformed, so that none of its facts can be trusted. */
public final class MalformedFactsException extends Exception {
    private static final long serialVersionUID = 1L;
    private static final int LONGEST_SHOWN = 80;

    /**
     * A malformed line.
     *
     * @param what what was read, in a few words
     * @param value what stood there instead; shown cut off, and without what a terminal might obey
     */
    public MalformedFactsException(String what, String value) {
        super(what + ": \"" + shown(value) + '"');
    }

    private static String shown(String value) {
        String cut = value.length() > LONGEST_SHOWN ? value.substring(0, LONGEST_SHOWN) + "…" : value;
        return cut.replaceAll("[^\\x20-\\x7e…]", "?");
    }
}
