package dev.promguard.blueprint;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;

/** The forms of names, in one place, and how a refused value is shown. */
public final class Names {
    private static final Pattern HOST = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern MESH = Pattern.compile("[a-z]([a-z0-9-]{0,30}[a-z0-9])?");
    private static final Pattern WORD = Pattern.compile("[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?");

    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}]");

    private static final int LONGEST_COMPARED = 100;

    private Names() {}

    /**
     * Whether a text can be a host's name: one label of RFC 1123.
     *
     * @param text the text
     * @return true if it can
     */
    public static boolean isHost(String text) {
        return HOST.matcher(text).matches();
    }

    /**
     * Whether a text can be a mesh's name: a label that starts with a letter, of at most 32 characters, so that host names
     * made from it still fit.
     *
     * @param text the text
     * @return true if it can
     */
    public static boolean isMesh(String text) {
        return MESH.matcher(text).matches();
    }

    /**
     * Whether a text can be a region, a size or an image: what providers use as such words, and no shell's special characters.
     *
     * @param text the text
     * @return true if it can
     */
    public static boolean isWord(String text) {
        return WORD.matcher(text).matches();
    }

    /**
     * Finds what somebody may have meant.
     *
     * @param value what they wrote
     * @param choices what there is
     * @param most how many to find
     * @return the choices that differ least from the value, the nearest first; those equally near in the order of the alphabet
     */
    public static List<String> nearest(String value, Collection<String> choices, int most) {
        String compared = value.length() > LONGEST_COMPARED ? value.substring(0, LONGEST_COMPARED) : value;
        return choices.stream()
                .sorted(Comparator.comparingInt((String choice) -> distance(choice, compared))
                        .thenComparing(Comparator.naturalOrder()))
                .limit(most)
                .toList();
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int cost = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j] + 1, row[j - 1] + 1), diagonal + cost);
                diagonal = above;
            }
        }
        return row[b.length()];
    }

    /**
     * Shows a value in a message: quoted, cut at 60 characters, and without what a terminal might obey or hide.
     *
     * @param value any text
     * @return the text to show
     */
    public static String quote(String value) {
        String shown = value.length() > 60 ? value.substring(0, 60) + "…" : value;
        return '"' + UNPRINTABLE.matcher(shown).replaceAll("?") + '"';
    }
}
