package dev.promguard;

import dev.promguard.blueprint.Names;

/** Text in HTML. */
final class Html {
    private Html() {}

    /** A text in which nothing is taken for markup, in elements and in quoted attributes alike. */
    static String text(String text) {
        String printable = Names.printable(text);
        StringBuilder escaped = new StringBuilder(printable.length() + 16);
        for (int i = 0; i < printable.length(); i++) {
            char character = printable.charAt(i);
            switch (character) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.append(character);
            }
        }
        return escaped.toString();
    }
}
