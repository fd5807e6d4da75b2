package dev.promguard.blueprint;

import java.util.regex.Pattern;

/** The forms of names, in one place, and how a refused value is shown. */
public final class Names {
    private static final Pattern HOST = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern MESH = Pattern.compile("[a-z]([a-z0-9-]{0,30}[a-z0-9])?");
    private static final Pattern WORD = Pattern.compile("[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?");

    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}]");

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
