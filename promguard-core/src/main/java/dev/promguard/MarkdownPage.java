package dev.promguard;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A Markdown document of bounded length, made of blocks. Where not all of them fit, those of the least weight are left out, the later ones
 * first, and the document says how many of which. Not thread-safe.
 */
final class MarkdownPage {
    /** What GitHub takes as a comment is 65,536 characters; the rest is for whoever puts a line of theirs before it. */
    static final int COMMENT = 65_000;

    private static final int FOR_THE_NOTE = 500;

    private final List<Block> blocks = new ArrayList<>();

    /** How much a block is needed: what comes first is left out last. */
    enum Weight {
        /** Left out by nobody who wants to know what it is about: the head, and what is refused. */
        HEAD,
        /** A line for each host. */
        OVERVIEW,
        /** What happens to a host, in a few lines. */
        DETAIL,
        /** What is only seen once it is asked for. */
        DIFFERENCE
    }

    private record Block(Weight weight, String noun, String text) {}

    /**
     * Adds a block.
     *
     * @param weight how much it is needed
     * @param noun what it is, in the singular, such as {@code host}
     * @param text its text, which ends in a line end
     */
    MarkdownPage add(Weight weight, String noun, String text) {
        blocks.add(new Block(weight, noun, text));
        return this;
    }

    /**
     * The document.
     *
     * @param most how many characters it may have
     * @param elsewhere where all of it is to be had, such as {@code toJson()}
     */
    String text(int most, String elsewhere) {
        int whole = blocks.stream().mapToInt(block -> block.text().length()).sum();
        if (whole <= most) {
            return blocks.stream().map(Block::text).collect(Collectors.joining());
        }
        boolean[] kept = new boolean[blocks.size()];
        int room = most - FOR_THE_NOTE;
        for (int index : byWeight()) {
            int length = blocks.get(index).text().length();
            kept[index] = length <= room;
            room -= kept[index] ? length : 0;
        }
        StringBuilder text = new StringBuilder(most);
        Map<String, Integer> left = new LinkedHashMap<>();
        for (int i = 0; i < kept.length; i++) {
            if (kept[i]) {
                text.append(blocks.get(i).text());
            } else {
                left.merge(blocks.get(i).noun(), 1, Integer::sum);
            }
        }
        return text.append("\n**Left out here, to stay below ")
                .append(String.format(Locale.ROOT, "%,d", most))
                .append(" characters:** ")
                .append(left.entrySet().stream()
                        .map(entry -> entry.getValue() + " × " + entry.getKey())
                        .collect(Collectors.joining(", ")))
                .append(". ")
                .append(elsewhere)
                .append(" has all of it.\n")
                .toString();
    }

    private List<Integer> byWeight() {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < blocks.size(); i++) {
            order.add(i);
        }
        order.sort(Comparator.comparing((Integer index) -> blocks.get(index).weight()));
        return order;
    }
}
