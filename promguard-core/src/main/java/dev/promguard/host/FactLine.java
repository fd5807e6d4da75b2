package dev.promguard.host;

import java.util.List;
import java.util.regex.Pattern;

/**
 * A line that a shell function for facts printed: a kind, and fields. The host may be hostile, so every field is checked against
 * a pattern before it is used. Immutable.
 */
public final class FactLine {
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,9}");

    private final String resource;
    private final List<String> words;

    /**
     * A line.
     *
     * @param resource the id of the resource that it is about
     * @param text its kind and its fields, with tabs between them
     */
    public FactLine(String resource, String text) {
        this.resource = resource;
        this.words = List.of(text.split("\t", -1));
    }

    /** What the line tells. */
    String kind() {
        return words.get(0);
    }

    /** Insists on a number of fields. */
    FactLine fields(int count) throws MalformedFactsException {
        if (words.size() != count + 1) {
            throw new MalformedFactsException("fields of a fact about " + resource, String.join(" ", words));
        }
        return this;
    }

    /** A field, counted from 1, that has a form. */
    String field(int at, Pattern form) throws MalformedFactsException {
        String value = words.get(at);
        if (!form.matcher(value).matches()) {
            throw new MalformedFactsException("a fact about " + resource + ", " + kind(), value);
        }
        return value;
    }

    /** A field, counted from 1, that is a number from 0 to 999,999,999. */
    int number(int at) throws MalformedFactsException {
        return Integer.parseInt(field(at, NUMBER));
    }

    /** Why a line of a kind that nobody knows is refused. */
    MalformedFactsException unknown() {
        return new MalformedFactsException("a fact about " + resource + " of an unknown kind", kind());
    }
}
