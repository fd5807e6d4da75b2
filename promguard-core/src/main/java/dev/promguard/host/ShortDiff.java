package dev.promguard.host;

import java.util.ArrayList;
import java.util.List;

/**
 * A unified diff in a bounded number of lines. Where it has more, long runs of lines of one kind are cut, each to the same length, so that
 * every place that differs is still to be seen.
 */
final class ShortDiff {
    private static final int HEADER = 2;

    private final List<List<String>> runs = new ArrayList<>();
    private final List<String> header;

    /**
     * A diff.
     *
     * @param lines its lines, the first two of which name the files
     */
    ShortDiff(List<String> lines) {
        header = lines.subList(0, Math.min(HEADER, lines.size()));
        char kind = 0;
        for (String line : lines.subList(header.size(), lines.size())) {
            char next = line.isEmpty() ? ' ' : line.charAt(0);
            if (next != kind || next == '@') {
                runs.add(new ArrayList<>());
                kind = next;
            }
            runs.get(runs.size() - 1).add(line);
        }
    }

    /**
     * The diff.
     *
     * @param most how many lines of it to show, beside one that says what is left out
     * @return the text, ending in a line end
     */
    String text(int most) {
        int longest = runs.stream().mapToInt(List::size).max().orElse(0);
        if (length(longest) > most) {
            int low = 1;
            int high = longest;
            while (low < high) {
                int middle = (low + high + 1) >>> 1;
                if (length(middle) <= most + 1) {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            longest = low;
        }
        StringBuilder text = new StringBuilder();
        header.forEach(line -> text.append(line).append('\n'));
        int shown = header.size();
        int left = 0;
        for (List<String> run : runs) {
            int lines = length(run, longest);
            if (left > 0 || shown + lines > most + 1) {
                left += run.size();
            } else {
                shown += lines;
                append(text, run, longest);
            }
        }
        return left == 0 ? text.toString() : text.append(moreLines(left)).toString();
    }

    private int length(int longest) {
        return header.size()
                + runs.stream().mapToInt(run -> length(run, longest)).sum();
    }

    private static int length(List<String> run, int longest) {
        return run.size() <= longest ? run.size() : longest + 1;
    }

    private static void append(StringBuilder text, List<String> run, int longest) {
        run.stream().limit(longest).forEach(line -> text.append(line).append('\n'));
        if (run.size() > longest) {
            text.append(moreLines(run.size() - longest));
        }
    }

    private static String moreLines(int count) {
        return "… " + count + (count == 1 ? " more line\n" : " more lines\n");
    }
}
