package dev.promguard.host;

import java.util.regex.Pattern;

/** Checks that what goes into a script has the form of what it names. */
final class Forms {
    static final Pattern PATH = Pattern.compile("(/[A-Za-z0-9_@.+-]+)+");
    private static final Pattern UNIT = Pattern.compile("[A-Za-z0-9_@:][A-Za-z0-9_@:.-]{0,199}\\.[a-z]{4,10}");
    private static final int LONGEST_SHOWN = 80;

    private Forms() {}

    /** Returns the value. */
    static String require(Pattern form, String value, String what, String wanted) {
        if (!form.matcher(value).matches()) {
            throw new IllegalArgumentException(what + ' ' + shown(value) + " is not " + wanted);
        }
        return value;
    }

    static String requireUnit(String name) {
        return require(UNIT, name, "unit", "a systemd unit's name");
    }

    static String requirePath(String path) {
        return require(PATH, path, "path", "a plain absolute path");
    }

    private static String shown(String value) {
        String cut = value.length() > LONGEST_SHOWN ? value.substring(0, LONGEST_SHOWN) + "…" : value;
        return '"' + cut.replaceAll("\\p{Cntrl}", "?") + '"';
    }
}
