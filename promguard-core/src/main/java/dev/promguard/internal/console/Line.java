package dev.promguard.internal.console;

import dev.promguard.internal.text.Columns;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A line on a terminal.
 *
 * @param spans its parts from left to right
 */
public record Line(List<Span> spans) {
    /** How a part of a line looks where there is colour. */
    public enum Style {
        /** As other text. */
        PLAIN,
        /** What to see first. */
        STRONG,
        /** What is less important. */
        FAINT,
        /** What went well. */
        GOOD,
        /** What went wrong. */
        BAD
    }

    /**
     * A part of a line.
     *
     * @param style how it looks
     * @param text the text
     */
    public record Span(Style style, String text) {
        /** Keeps the text in its line. */
        public Span {
            text = text.replace('\n', ' ').replace('\t', ' ');
        }
    }

    /** Copies the parts. */
    public Line {
        spans = List.copyOf(spans);
    }

    static Line of(Style style, String text) {
        return new Line(List.of(new Span(style, text)));
    }

    Line and(Style style, String text) {
        List<Span> more = new ArrayList<>(spans);
        more.add(new Span(style, text));
        return new Line(more);
    }

    /** This line with its end left out where it is wider. */
    Line within(int columns) {
        List<Span> fitting = new ArrayList<>();
        int left = columns;
        for (Span span : spans) {
            String text = Columns.clip(span.text(), left);
            fitting.add(new Span(span.style(), text));
            left -= Columns.width(text);
        }
        return new Line(fitting);
    }

    /**
     * The line without its looks.
     *
     * @return the text
     */
    public String text() {
        return spans.stream().map(Span::text).collect(Collectors.joining()).stripTrailing();
    }
}
