package dev.promguard.internal.text;

import java.util.ArrayList;
import java.util.List;

/** Rows whose columns align on a terminal, whatever is in them. Not thread-safe. */
public final class TextTable {
    private static final String GAP = "  ";

    private final List<Integer> widths = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();

    /**
     * Adds a row.
     *
     * @param cells its cells, each of one line
     * @return this table
     */
    public TextTable add(String... cells) {
        for (int column = 0; column < cells.length; column++) {
            int width = Columns.width(cells[column]);
            if (column == widths.size()) {
                widths.add(width);
            } else {
                widths.set(column, Math.max(widths.get(column), width));
            }
        }
        rows.add(List.of(cells));
        return this;
    }

    /**
     * The rows in lines.
     *
     * @return a line for each row, without line ends and without blanks at its end
     */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < row.size(); column++) {
                line.append(column == 0 ? "" : GAP).append(Columns.pad(row.get(column), widths.get(column)));
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }
}
