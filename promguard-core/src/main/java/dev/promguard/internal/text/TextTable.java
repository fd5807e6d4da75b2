package dev.promguard.internal.text;

import dev.promguard.blueprint.Names;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Rows whose columns align on a terminal, whatever is in them. Not thread-safe. */
public final class TextTable {
    private static final String GAP = "  ";
    private static final Pattern LINE_END = Pattern.compile("[\\n\\t]");

    private final List<Integer> widths = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();

    /**
     * Adds a row. What a terminal might obey in it is replaced.
     *
     * @param cells its cells
     * @return this table
     */
    public TextTable add(String... cells) {
        List<String> shown = new ArrayList<>();
        for (int column = 0; column < cells.length; column++) {
            shown.add(LINE_END.matcher(Names.printable(cells[column])).replaceAll(" "));
            int width = Columns.width(shown.get(column));
            if (column == widths.size()) {
                widths.add(width);
            } else {
                widths.set(column, Math.max(widths.get(column), width));
            }
        }
        rows.add(shown);
        return this;
    }

    /**
     * The rows in lines.
     *
     * @return a line for each row, without line ends and without blanks at its end
     */
    public List<String> lines() {
        return lines(Integer.MAX_VALUE, "");
    }

    /**
     * The rows in lines of a width. The cells of a row that do not fit go on in a further line.
     *
     * @param columns how many columns a line may take; only a cell that is wider takes more
     * @param next what stands before each further line of a row
     * @return a text for each row, with line ends between its lines, and without blanks at their ends
     */
    public List<String> lines(int columns, String next) {
        List<String> lines = new ArrayList<>();
        for (List<String> row : rows) {
            StringBuilder lineByLine = new StringBuilder();
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < row.size(); column++) {
                String cell = row.get(column);
                boolean fits = Columns.width(line + GAP + cell) <= columns;
                if (column > 0 && !fits && !cell.isEmpty()) {
                    lineByLine.append(line.toString().stripTrailing()).append('\n');
                    line.setLength(0);
                    line.append(next);
                } else if (column > 0) {
                    line.append(GAP);
                }
                line.append(Columns.pad(cell, widths.get(column)));
            }
            lines.add(lineByLine + line.toString().stripTrailing());
        }
        return lines;
    }
}
