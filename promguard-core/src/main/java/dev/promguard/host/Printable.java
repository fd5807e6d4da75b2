package dev.promguard.host;

import java.util.Locale;
import java.util.regex.Pattern;

/** Shows what came from a host so that no terminal obeys it and no reader is misled by it. */
final class Printable {
    private static final Pattern UNPRINTABLE =
            Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}&&[^\\t]]");

    private Printable() {}

    /**
     * A line as text to look at.
     *
     * @param most how many characters of it to show
     * @return the line with what is unprintable, but for tabs, written as escapes, and an ellipsis where it is cut
     */
    static String line(String line, int most) {
        String cut = line.codePointCount(0, line.length()) > most
                ? line.substring(0, line.offsetByCodePoints(0, most)) + '…'
                : line;
        // Nearly every line is plain, and the pattern takes far longer than to see that.
        return isPlain(cut) ? cut : escaped(cut);
    }

    private static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if ((c < ' ' || c > '~') && c != '\t') {
                return false;
            }
        }
        return true;
    }

    private static String escaped(String text) {
        return UNPRINTABLE.matcher(text).replaceAll(found -> {
            int code = found.group().codePointAt(0);
            String form = code < 0x100 ? "\\\\x%02x" : "\\\\u{%04x}";
            return String.format(Locale.ROOT, form, code);
        });
    }
}
