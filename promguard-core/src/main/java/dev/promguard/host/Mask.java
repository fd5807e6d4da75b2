package dev.promguard.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Hides the values of what looks like secrets. PromGuard's own files hold none, but somebody may have put one into them by hand.
 * Rather hides too much than too little.
 */
final class Mask {
    private static final String MASKED = "•••";

    /** So much before a key is looked at to tell whether it is public. */
    private static final int LONGEST_NAME = 40;

    /** A name that has a secret as its value, with what stands between the two. */
    private static final Pattern NAMED =
            Pattern.compile("(?i)((?:private|preshared|access|api|secret|signing|encryption)[_-]?key"
                    + "|passw(?:or)?d|passphrase|pwd|secret|token|bearer|credentials?|authorization|psk)"
                    + "([\\w.-]{0,40})[\"']?\\s{0,8}[=:]\\s{0,8}");

    /** What names a secret contains one of these: to look for them takes far less time. */
    private static final List<String> HINTS =
            List.of("key", "pass", "pwd", "secret", "token", "bearer", "basic", "credential", "authorization", "psk");

    /** An option of a command whose next word is a secret. */
    private static final Pattern OPTION =
            Pattern.compile("(?i)(--?[\\w-]{0,40}(?:password|passwd|passphrase|secret|token|api-?key)\\s{1,8})\\S+");

    private static final Pattern SCHEME = Pattern.compile("(?i)\\b(bearer|basic)(\\s{1,8})[A-Za-z0-9._~+/=-]{8,}");
    private static final Pattern USER = Pattern.compile("://[^/\\s@]{1,200}@");

    /** So many characters of a WireGuard key come before the sign that ends it. */
    private static final int BEFORE_END_OF_KEY = 43;

    /** What has the form of a WireGuard key. */
    private static final Pattern KEY =
            Pattern.compile("(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=(?![A-Za-z0-9+/=])");

    /** What stands before a key that is no secret. */
    private static final Pattern PUBLIC =
            Pattern.compile("(?i)(public[_-]?key[\"']?\\s{0,8}[=:]\\s{0,8}[\"']?|\\bpeer\\s{1,8})$");

    private static final Pattern BLOCK = Pattern.compile("[|>][+-]?[0-9]?\\s*");
    private static final Pattern BEGIN = Pattern.compile("-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----");
    private static final Pattern END = Pattern.compile("-----END ");

    private Mask() {}

    /** The lines of a file with secrets masked. */
    static List<String> lines(List<String> lines) {
        List<String> shown = new ArrayList<>(lines.size());
        boolean inKey = false;
        int deeperThan = -1;
        for (String line : lines) {
            int indent = indent(line);
            if (inKey) {
                inKey = !END.matcher(line).find();
                shown.add(inKey ? MASKED : line);
                continue;
            }
            if (deeperThan >= 0 && (line.isBlank() || indent > deeperThan)) {
                shown.add(line.isBlank() ? line : line.substring(0, indent) + MASKED);
                continue;
            }
            inKey = BEGIN.matcher(line).find();
            boolean hinted = isHinted(line);
            Matcher named = hinted ? name(line) : null;
            boolean opensBlock = named != null && isBlock(line.substring(named.end()));
            deeperThan = opensBlock ? indent : -1;
            shown.add(
                    named == null || opensBlock
                            ? unnamed(line, hinted)
                            : unnamed(line.substring(0, named.end()), true) + MASKED);
        }
        return shown;
    }

    private static boolean isHinted(String line) {
        String lower = line.toLowerCase(Locale.ROOT);
        return HINTS.stream().anyMatch(lower::contains);
    }

    /** The first name in a line whose value is a secret itself, and not a file that holds one. */
    private static @Nullable Matcher name(String line) {
        Matcher named = NAMED.matcher(line);
        while (named.find()) {
            String rest = named.group(2).toLowerCase(Locale.ROOT);
            if (!rest.endsWith("file") && !rest.endsWith("path")) {
                return named;
            }
        }
        return null;
    }

    private static boolean isBlock(String value) {
        return value.isBlank() || BLOCK.matcher(value).matches();
    }

    /** Hides what is a secret by its form. */
    private static String unnamed(String line, boolean hinted) {
        String hidden = line;
        if (hinted) {
            hidden = OPTION.matcher(hidden).replaceAll("$1" + MASKED);
            hidden = SCHEME.matcher(hidden).replaceAll("$1$2" + MASKED);
        }
        hidden = USER.matcher(hidden).replaceAll("://" + MASKED + "@");
        if (hidden.lastIndexOf('=') < BEFORE_END_OF_KEY) {
            return hidden;
        }
        Matcher key = KEY.matcher(hidden);
        StringBuilder shown = new StringBuilder(hidden.length());
        while (key.find()) {
            int from = Math.max(0, key.start() - LONGEST_NAME);
            boolean isPublic =
                    PUBLIC.matcher(hidden.substring(from, key.start())).find();
            key.appendReplacement(shown, isPublic ? Matcher.quoteReplacement(key.group()) : MASKED);
        }
        return key.appendTail(shown).toString();
    }

    private static int indent(String line) {
        int indent = 0;
        while (indent < line.length() && (line.charAt(indent) == ' ' || line.charAt(indent) == '\t')) {
            indent++;
        }
        return indent;
    }
}
