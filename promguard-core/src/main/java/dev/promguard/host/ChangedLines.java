package dev.promguard.host;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Lines in the place of others, as a person is shown them: a long line is cut so that what differs is to be seen, and white space that alone
 * differs is made visible.
 *
 * @param removed the lines that are replaced
 * @param added the lines in their place
 */
record ChangedLines(List<String> removed, List<String> added) {
    private static final int LONGEST_LINE = 200;
    /** So much of what lines have in common is shown before the first difference. */
    private static final int BEFORE_THE_DIFFERENCE = 60;
    /** So much of the beginning, which tells what line it is. */
    private static final int BEGINNING = 40;

    private static final Pattern WHITE_SPACE = Pattern.compile("[ \\t]+");

    /** Lines that are the same before and after, or have no others in their place. */
    static List<String> unchanged(List<String> lines) {
        return lines.stream().map(line -> Printable.line(line, LONGEST_LINE)).toList();
    }

    /**
     * Shows lines.
     *
     * @param removed the lines that are replaced, masked
     * @param added the lines in their place, masked
     */
    static ChangedLines shown(List<String> removed, List<String> added) {
        List<String> shownRemoved = new ArrayList<>();
        List<String> shownAdded = new ArrayList<>();
        for (int i = 0; i < removed.size(); i++) {
            shownRemoved.add(shown(removed.get(i), i, added));
        }
        for (int i = 0; i < added.size(); i++) {
            shownAdded.add(shown(added.get(i), i, removed));
        }
        return new ChangedLines(List.copyOf(shownRemoved), List.copyOf(shownAdded));
    }

    /** Whether nobody could tell the lines apart that are shown. */
    boolean looksTheSame() {
        return removed.equals(added);
    }

    private static String shown(String line, int index, List<String> others) {
        if (line.length() > LONGEST_LINE) {
            return window(line, others);
        }
        boolean spaceAlone = index < others.size()
                && !others.get(index).equals(line)
                && withoutSpace(others.get(index)).equals(withoutSpace(line));
        return Printable.line(spaceAlone ? visible(line) : line, LONGEST_LINE);
    }

    /** The part of a long line around the first difference to the line that it is most like. */
    private static String window(String line, List<String> others) {
        int common = 0;
        for (String other : others) {
            common = Math.max(common, commonPrefix(line, other));
        }
        if (common < LONGEST_LINE - BEFORE_THE_DIFFERENCE) {
            return Printable.line(line, LONGEST_LINE);
        }
        int from = Math.min(common, line.length() - 1) - BEFORE_THE_DIFFERENCE;
        if (Character.isLowSurrogate(line.charAt(from))) {
            from--;
        }
        String beginning = line.substring(0, line.offsetByCodePoints(0, BEGINNING));
        return Printable.line(beginning + '…' + line.substring(from), LONGEST_LINE);
    }

    private static int commonPrefix(String one, String other) {
        int least = Math.min(one.length(), other.length());
        int common = 0;
        while (common < least && one.charAt(common) == other.charAt(common)) {
            common++;
        }
        return common;
    }

    private static String withoutSpace(String line) {
        return WHITE_SPACE.matcher(line).replaceAll("");
    }

    private static String visible(String line) {
        return line.replace("\t", "⇥").replace(' ', '·');
    }
}
