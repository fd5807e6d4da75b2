package dev.promguard;

import dev.promguard.blueprint.Names;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Text in Markdown, CommonMark with tables as GitHub has it. Whatever a text holds stays text: words that Markdown, HTML or GitHub would take
 * for more become code, where nothing is interpreted, nobody is mentioned and nothing is linked. The source stays readable.
 */
final class Markdown {
    private static final int LONGEST_TEXT = 1_000;
    private static final int LEAST_TICKS = 3;
    private static final int WIDEST_COLUMN = 40;

    private static final Pattern LINE_END = Pattern.compile("\\s*\\R\\s*");
    private static final Pattern SPACES = Pattern.compile("[ \\t]+");
    private static final Pattern BACKTICKS = Pattern.compile("`+");

    /** What is or may be more than text in some place: an underscore inside a word is not. */
    private static final Pattern ACTIVE = Pattern.compile(
            "[\\\\`*\\[\\]<>|~$@#{}]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&[#A-Za-z]|://|www[.]|:[a-z0-9_+-]+:|!\\[",
            Pattern.CASE_INSENSITIVE);

    /** What would begin a list, a line or a heading where it is the first word. */
    private static final Pattern MARKER = Pattern.compile("[-+=]+|[0-9]+[.)]");

    /** A word without the quotation marks, brackets and points around it. */
    private static final Pattern WORD = Pattern.compile("([(\"']*)(.*?)([)\"'.,;:]*)", Pattern.DOTALL);

    private Markdown() {}

    /** A text as it may be shown in one line: what does not show itself is a question mark, and what is too long is cut. */
    static String shown(String text) {
        String cut = text.length() <= LONGEST_TEXT
                ? text
                : text.substring(0, LONGEST_TEXT) + "… (" + text.length() + " characters)";
        return Names.printable(LINE_END.matcher(cut.strip()).replaceAll(" / ")).replace('\t', ' ');
    }

    /** A text in a line, or the rest of one. */
    static String text(String text) {
        String words = words(text);
        int end = words.indexOf(' ');
        String first = end < 0 ? words : words.substring(0, end);
        return MARKER.matcher(first).matches() ? code(first) + words.substring(first.length()) : words;
    }

    /** A text in a table. There, a bar needs a backslash even in code. */
    private static String cell(String text) {
        return words(text).replace("|", "\\|");
    }

    private static String words(String text) {
        return Arrays.stream(SPACES.split(shown(text))).map(Markdown::word).collect(Collectors.joining(" "));
    }

    private static String word(String word) {
        if (!ACTIVE.matcher(word).find()) {
            return word;
        }
        Matcher parts = WORD.matcher(word);
        if (parts.matches()
                && !parts.group(2).isEmpty()
                && !ACTIVE.matcher(parts.group(1) + ' ' + parts.group(3)).find()) {
            return parts.group(1) + code(parts.group(2)) + parts.group(3);
        }
        return code(word);
    }

    /** A text of one line as code. */
    static String code(String text) {
        String ticks = "`".repeat(longestRun(text) + 1);
        String space = text.startsWith("`") || text.endsWith("`") ? " " : "";
        return ticks + space + text + space + ticks;
    }

    /** Cells of a table as a line of it. */
    static String row(List<String> cells) {
        return cells.stream().map(Markdown::cell).collect(Collectors.joining(" | ", "| ", " |\n"));
    }

    /** The headings of a table. */
    static String headings(List<String> cells) {
        return row(cells) + "|" + "---|".repeat(cells.size()) + '\n';
    }

    /**
     * A table whose columns are aligned in the source.
     *
     * @return its lines: the headings, the line below them, and one for each row
     */
    static List<String> table(List<String> headings, List<List<String>> rows) {
        List<List<String>> all = new ArrayList<>();
        all.add(headings);
        all.addAll(rows);
        List<List<String>> cells = all.stream()
                .map(row -> row.stream().map(Markdown::cell).toList())
                .toList();
        int[] widths = new int[headings.size()];
        cells.forEach(row -> {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], Math.min(row.get(i).length(), WIDEST_COLUMN));
            }
        });
        List<String> lines = new ArrayList<>();
        for (List<String> row : cells) {
            StringBuilder line = new StringBuilder("|");
            for (int i = 0; i < widths.length; i++) {
                line.append(' ')
                        .append(row.get(i))
                        .append(" ".repeat(Math.max(0, widths[i] - row.get(i).length())))
                        .append(" |");
            }
            lines.add(line.append('\n').toString());
        }
        StringBuilder below = new StringBuilder("|");
        for (int width : widths) {
            below.append("-".repeat(width + 2)).append('|');
        }
        lines.add(1, below.append('\n').toString());
        return lines;
    }

    /** Lines of code that are only seen once they are asked for. */
    static String details(String summary, String language, String code) {
        String ticks = "`".repeat(Math.max(LEAST_TICKS, longestRun(code) + 1));
        return "\n<details><summary><code>" + Html.text(shown(summary)) + "</code></summary>\n\n" + ticks + language
                + '\n' + Names.printable(code).stripTrailing() + '\n' + ticks + "\n\n</details>\n";
    }

    private static int longestRun(String text) {
        return BACKTICKS
                .matcher(text)
                .results()
                .mapToInt(run -> run.group().length())
                .max()
                .orElse(0);
    }
}
