package dev.promguard.internal.console;

import java.util.List;

/** A terminal with some lines at its end that change. Not thread-safe. */
interface Screen extends AutoCloseable {
    /** How many columns it has now. */
    int columns();

    /** How many rows it has now. */
    int rows();

    /** Shows other lines in the place of those that change. */
    void draw(List<Line> lines);

    /** Adds lines that stay before those that change. */
    void print(List<Line> lines);

    /** Leaves the terminal as it was, without the lines that change. */
    @Override
    void close();
}
