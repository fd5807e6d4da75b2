package dev.promguard.internal.text;

import dev.promguard.blueprint.Names;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Text by the columns that it takes on a terminal: a Chinese character or an emoji takes two, a combining mark none. What a terminal might
 * obey counts, and is shown, as {@link Names#printable} replaces it. Pure functions.
 */
public final class Columns {
    /** What a line of a report takes at the most, where it can be broken: what every terminal has. */
    public static final int LINE = 80;

    private static final String MORE = "…";
    /** The first and last characters of the ranges that take two columns, by Unicode's East Asian Width and its emoji. A test compares them with JLine's. */
    private static final int[] WIDE = {
        0x1100, 0x115f, 0x231a, 0x231b, 0x2329, 0x232a, 0x23e9, 0x23ec, 0x23f0, 0x23f0, 0x23f3, 0x23f3, 0x25fd, 0x25fe,
        0x2614, 0x2615, 0x2630, 0x2637, 0x2648, 0x2653, 0x267f, 0x267f, 0x268a, 0x268f, 0x2693, 0x2693, 0x26a1, 0x26a1,
        0x26aa, 0x26ab, 0x26bd, 0x26be, 0x26c4, 0x26c5, 0x26ce, 0x26ce, 0x26d4, 0x26d4, 0x26ea, 0x26ea, 0x26f2, 0x26f3,
        0x26f5, 0x26f5, 0x26fa, 0x26fa, 0x26fd, 0x26fd, 0x2705, 0x2705, 0x270a, 0x270b, 0x2728, 0x2728, 0x274c, 0x274c,
        0x274e, 0x274e, 0x2753, 0x2755, 0x2757, 0x2757, 0x2795, 0x2797, 0x27b0, 0x27b0, 0x27bf, 0x27bf, 0x2b1b, 0x2b1c,
        0x2b50, 0x2b50, 0x2b55, 0x2b55, 0x2e80, 0x3029, 0x302e, 0x303e, 0x3041, 0x3098, 0x309b, 0x3247, 0x3250, 0xa4cf,
        0xa960, 0xa97c, 0xac00, 0xd7a3, 0xf900, 0xfaff, 0xfe10, 0xfe19, 0xfe30, 0xfe6f, 0xff00, 0xff60, 0xffe0, 0xffe6,
        0x16fe0, 0x16fe3, 0x16fe5, 0x16ff1, 0x17000, 0x187f7, 0x18800, 0x18cd5, 0x18cff, 0x18d08, 0x1aff0, 0x1aff3,
        0x1aff5, 0x1affb, 0x1affd, 0x1affe, 0x1b000, 0x1b122, 0x1b132, 0x1b132, 0x1b150, 0x1b152, 0x1b155, 0x1b155,
        0x1b164, 0x1b167, 0x1b170, 0x1b2fb, 0x1d300, 0x1d356, 0x1d360, 0x1d376, 0x1f004, 0x1f004, 0x1f0cf, 0x1f0cf,
        0x1f18e, 0x1f18e, 0x1f191, 0x1f19a, 0x1f1e6, 0x1f202, 0x1f210, 0x1f23b, 0x1f240, 0x1f248, 0x1f250, 0x1f251,
        0x1f260, 0x1f265, 0x1f300, 0x1f320, 0x1f32d, 0x1f335, 0x1f337, 0x1f37c, 0x1f37e, 0x1f393, 0x1f3a0, 0x1f3ca,
        0x1f3cf, 0x1f3d3, 0x1f3e0, 0x1f3f0, 0x1f3f4, 0x1f3f4, 0x1f3f8, 0x1f3fa, 0x1f400, 0x1f43e, 0x1f440, 0x1f440,
        0x1f442, 0x1f4fc, 0x1f4ff, 0x1f53d, 0x1f54b, 0x1f54e, 0x1f550, 0x1f567, 0x1f57a, 0x1f57a, 0x1f595, 0x1f596,
        0x1f5a4, 0x1f5a4, 0x1f5fb, 0x1f64f, 0x1f680, 0x1f6c5, 0x1f6cc, 0x1f6cc, 0x1f6d0, 0x1f6d2, 0x1f6d5, 0x1f6d7,
        0x1f6dc, 0x1f6df, 0x1f6eb, 0x1f6ec, 0x1f6f4, 0x1f6fc, 0x1f7e0, 0x1f7eb, 0x1f7f0, 0x1f7f0, 0x1f90c, 0x1f93a,
        0x1f93c, 0x1f945, 0x1f947, 0x1f9ff, 0x1fa70, 0x1fa7c, 0x1fa80, 0x1fa89, 0x1fa8f, 0x1fac6, 0x1face, 0x1fadc,
        0x1fadf, 0x1fae9, 0x1faf0, 0x1faf8, 0x20000, 0x2fffd, 0x30000, 0x3fffd
    };

    private Columns() {}

    /**
     * How many columns a text takes.
     *
     * @param text a text of one line
     * @return the columns
     */
    public static int width(String text) {
        return text.codePoints().map(Columns::width).sum();
    }

    static int width(int codePoint) {
        if (codePoint < 0x300) {
            return codePoint == 0xad ? 0 : 1;
        }
        int type = Character.getType(codePoint);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK || type == Character.FORMAT) {
            return 0;
        }
        return isJoined(codePoint) ? 0 : isWide(codePoint) ? 2 : 1;
    }

    /** The later parts of Korean syllables, and the colours of skin, which join what stands before them. */
    private static boolean isJoined(int codePoint) {
        return (codePoint >= 0x1160 && codePoint <= 0x11ff) || (codePoint >= 0x1f3fb && codePoint <= 0x1f3ff);
    }

    private static boolean isWide(int codePoint) {
        int found = Arrays.binarySearch(WIDE, codePoint);
        // Between the first and the last character of a range, the place to insert is odd.
        return found >= 0 || (-found - 1) % 2 == 1;
    }

    /**
     * A text filled up with blanks.
     *
     * @param text a text of one line
     * @param columns how many columns to fill; a wider text stays as it is
     * @return the text
     */
    public static String pad(String text, int columns) {
        return text + " ".repeat(Math.max(0, columns - width(text)));
    }

    /**
     * A text with what does not fit left out of its middle.
     *
     * @param text a text of one line
     * @param columns how many columns it may take
     * @return the text, or its beginning and its end with {@code …} between them; empty if there is no column
     */
    public static String clip(String text, int columns) {
        if (width(text) <= columns) {
            return text;
        } else if (columns < 1) {
            return "";
        }
        int head = columns / 2;
        String start = start(text, head);
        return start + MORE + end(text, columns - 1 - width(start));
    }

    /**
     * A sentence with the words left out that do not fit at its end. Where that left less than a third of the room in use, since a word is long,
     * what does not fit is left out of the middle.
     *
     * @param sentence a text of one line
     * @param columns how many columns it may take
     * @return the text, or its first words with {@code …} behind them; empty if there is no column
     */
    public static String clipWords(String sentence, int columns) {
        if (width(sentence) <= columns) {
            return sentence;
        }
        String start = start(sentence, columns - 1 - MORE.length());
        boolean whole = start.length() < sentence.length() && sentence.charAt(start.length()) == ' ';
        int end = whole ? start.length() : start.lastIndexOf(' ');
        String words = end < 0 ? "" : start.substring(0, end).stripTrailing();
        return words.isEmpty() || 3 * width(words) < columns ? clip(sentence, columns) : words + ' ' + MORE;
    }

    private static String start(String text, int columns) {
        int end = 0;
        for (int left = columns; end < text.length(); ) {
            int codePoint = text.codePointAt(end);
            left -= width(codePoint);
            if (left < 0) {
                break;
            }
            end += Character.charCount(codePoint);
        }
        return text.substring(0, end);
    }

    private static String end(String text, int columns) {
        int start = text.length();
        for (int left = columns; start > 0; ) {
            int codePoint = text.codePointBefore(start);
            left -= width(codePoint);
            if (left < 0) {
                break;
            }
            start -= Character.charCount(codePoint);
        }
        // A mark that has lost what it belongs to would join the dots.
        while (start < text.length() && width(text.codePointAt(start)) == 0) {
            start += Character.charCount(text.codePointAt(start));
        }
        return text.substring(start);
    }

    /**
     * A sentence in lines of a width. A word that is longer stays whole, on a line of its own.
     *
     * @param text the text; line ends in it stay
     * @param columns how many columns a line may take
     * @return the lines, without line ends
     */
    public static List<String> wrap(String text, int columns) {
        List<String> lines = new ArrayList<>();
        for (String paragraph : text.split("\n", -1)) {
            String indent =
                    " ".repeat(paragraph.length() - paragraph.stripLeading().length());
            StringBuilder line = new StringBuilder();
            int taken = 0;
            for (String word : paragraph.stripLeading().split(" ", -1)) {
                int width = width(word);
                if (taken > 0 && indent.length() + taken + 1 + width > columns) {
                    lines.add((indent + line).stripTrailing());
                    line.setLength(0);
                    taken = 0;
                } else if (line.length() > 0) {
                    line.append(' ');
                    taken++;
                }
                line.append(word);
                taken += width;
            }
            lines.add((indent + line).stripTrailing());
        }
        return lines;
    }

    /**
     * A text whose lines keep to a width. What does not fit goes on in further lines, which begin two columns further to the right. A word
     * that is longer, such as a path, stays whole, on a line of its own.
     *
     * @param text the text
     * @param columns how many columns a line may take
     * @return the text
     */
    public static String fit(String text, int columns) {
        List<String> lines = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            if (width(line) <= columns) {
                lines.add(line);
                continue;
            }
            String indent = " ".repeat(line.length() - line.stripLeading().length());
            List<String> wrapped = wrap(line.stripLeading(), Math.max(1, columns - indent.length() - 2));
            lines.add(indent + wrapped.get(0));
            wrapped.stream().skip(1).forEach(more -> lines.add(indent + "  " + more));
        }
        return String.join("\n", lines);
    }
}
