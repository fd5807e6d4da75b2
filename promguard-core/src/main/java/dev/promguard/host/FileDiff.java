package dev.promguard.host;

import com.github.difflib.UnifiedDiffUtils;
import com.github.difflib.algorithm.Change;
import com.github.difflib.algorithm.myers.MyersDiffWithLinearSpace;
import com.github.difflib.patch.ChangeDelta;
import com.github.difflib.patch.Chunk;
import com.github.difflib.patch.Patch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The difference between two contents of a file. One of them comes from a host, which may have made it to do harm: the work is
 * bounded, and so is what is shown.
 */
final class FileDiff {
    private static final int CONTEXT = 3;
    /** A comparison of so many pairs of lines is quick; beyond that, all between the first and the last difference counts as changed. */
    private static final long MOST_PAIRS = 2_000_000;

    private static final int MOST_LINES = 300;
    private static final String MASKED = "… lines that look the same here differ in what is masked";
    private static final String NO_LINE_END = "\\ No newline at end of file";

    private final List<String> before;
    private final List<String> after;
    private final List<Replacement> replacements;

    private FileDiff(List<String> before, List<String> after, List<Replacement> replacements) {
        this.before = before;
        this.after = after;
        this.replacements = replacements;
    }

    /**
     * Lines in the place of others.
     *
     * @param from the first line that is replaced, counted from 0
     * @param removed how many lines are
     * @param to the first line in their place
     * @param added how many lines there are
     */
    private record Replacement(int from, int removed, int to, int added) {
        boolean isFollowedBy(Replacement next) {
            return from + removed == next.from && to + added == next.to;
        }

        Replacement with(Replacement next) {
            return new Replacement(from, removed + next.removed, to, added + next.added);
        }
    }

    static FileDiff between(String before, String after) {
        List<String> old = lines(before);
        List<String> fresh = lines(after);
        int least = Math.min(old.size(), fresh.size());
        int first = 0;
        while (first < least && old.get(first).equals(fresh.get(first))) {
            first++;
        }
        int last = 0;
        while (last < least - first && old.get(old.size() - 1 - last).equals(fresh.get(fresh.size() - 1 - last))) {
            last++;
        }
        List<String> oldPart = old.subList(first, old.size() - last);
        List<String> freshPart = fresh.subList(first, fresh.size() - last);
        return new FileDiff(old, fresh, replacements(oldPart, freshPart, first));
    }

    private static List<Replacement> replacements(List<String> old, List<String> fresh, int offset) {
        if ((long) old.size() * fresh.size() > MOST_PAIRS) {
            return List.of(new Replacement(offset, old.size(), offset, fresh.size()));
        }
        List<Replacement> found = new ArrayList<>();
        for (Change change : new MyersDiffWithLinearSpace<String>().computeDiff(old, fresh, null)) {
            Replacement next = new Replacement(
                    offset + change.startOriginal,
                    change.endOriginal - change.startOriginal,
                    offset + change.startRevised,
                    change.endRevised - change.startRevised);
            int last = found.size() - 1;
            if (last >= 0 && found.get(last).isFollowedBy(next)) {
                found.set(last, found.get(last).with(next));
            } else {
                found.add(next);
            }
        }
        return found;
    }

    private static List<String> lines(String content) {
        if (content.isEmpty()) {
            return List.of();
        }
        List<String> lines = new ArrayList<>(Arrays.asList(content.split("\n", -1)));
        if (lines.get(lines.size() - 1).isEmpty()) {
            lines.remove(lines.size() - 1);
        } else {
            lines.add(NO_LINE_END);
        }
        return lines;
    }

    /** How many lines are only in the second content. */
    int added() {
        return replacements.stream().mapToInt(Replacement::added).sum();
    }

    /** How many lines are only in the first content. */
    int removed() {
        return replacements.stream().mapToInt(Replacement::removed).sum();
    }

    /** The difference as a unified diff to look at, ending in a line end. */
    String unified(String path) {
        List<String> maskedBefore = Mask.lines(before);
        List<String> maskedAfter = Mask.lines(after);
        List<String> shownBefore = new ArrayList<>(ChangedLines.unchanged(maskedBefore));
        Patch<String> patch = new Patch<>();
        boolean alike = false;
        for (Replacement each : replacements) {
            ChangedLines changed = ChangedLines.shown(
                    maskedBefore.subList(each.from(), each.from() + each.removed()),
                    maskedAfter.subList(each.to(), each.to() + each.added()));
            for (int i = 0; i < each.removed(); i++) {
                shownBefore.set(each.from() + i, changed.removed().get(i));
            }
            alike |= changed.looksTheSame();
            patch.addDelta(new ChangeDelta<>(
                    new Chunk<>(each.from(), changed.removed()), new Chunk<>(each.to(), changed.added())));
        }
        List<String> lines = UnifiedDiffUtils.generateUnifiedDiff(
                path + " (on the host)", path + " (desired)", shownBefore, patch, CONTEXT);
        if (lines.isEmpty()) {
            return "(they differ in bytes that are not text)\n";
        }
        String text = new ShortDiff(lines).text(MOST_LINES);
        return alike ? text + MASKED + '\n' : text;
    }
}
