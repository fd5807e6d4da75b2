package dev.promguard.blueprint;

import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** The forms of names, in one place, and how a refused value is shown. */
public final class Names {
    private static final Pattern HOST = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern MESH = Pattern.compile("[a-z]([a-z0-9-]{0,30}[a-z0-9])?");
    private static final Pattern WORD = Pattern.compile("[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?");

    /** What the kernel, systemd, ufw, wg and a shell all take as it is: no dot, no plus sign, which iptables takes for any ending. */
    private static final Pattern INTERFACE = Pattern.compile("[A-Za-z][A-Za-z0-9_-]{0,14}");

    /** Words that the kernel or wg has a meaning of its own for. */
    private static final Set<String> NO_INTERFACE = Set.of("all", "default", "interfaces", "lo");

    private static final Pattern JOB = Pattern.compile("[a-z][a-z0-9_-]{0,62}");
    private static final Pattern METRICS_PATH = Pattern.compile("/[A-Za-z0-9._~/-]{0,200}");

    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}]");

    /** What may not be shown of a text of several lines. */
    private static final Pattern UNPRINTABLE_IN_LINES =
            Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}&&[^\\n\\t]]");

    /** The usual forms alone: the library that parses them knows many more, ranges, zones and octal numbers among them. */
    private static final Pattern ADDRESS = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}|(?=[^:]*:)[0-9A-Fa-f:]{2,39}");

    private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.[0-9]{1,3}){3}|\\[::1]");

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
     * Whether a text can be the name of a WireGuard interface, which is also part of a unit's and of files' names.
     *
     * @param text the text
     * @return true if it can
     */
    public static boolean isInterface(String text) {
        return INTERFACE.matcher(text).matches() && !NO_INTERFACE.contains(text);
    }

    /**
     * Whether a text can be a scrape job's name, which is also part of a file's name and of a firewall rule's comment.
     *
     * @param text the text
     * @return true if it can
     */
    public static boolean isJob(String text) {
        return JOB.matcher(text).matches();
    }

    /**
     * Whether a text can be the path of metrics: no query, no escapes.
     *
     * @param text the text
     * @return true if it can
     */
    public static boolean isMetricsPath(String text) {
        return METRICS_PATH.matcher(text).matches();
    }

    /**
     * Whether a text has no character that a terminal might obey or hide, and no line end.
     *
     * @param text the text
     * @return true if all of it can be seen
     */
    public static boolean isPrintable(String text) {
        return !UNPRINTABLE.matcher(text).find();
    }

    /**
     * Whether what is sent to the host of a URI stays on the machine that sends it. Nothing is resolved.
     *
     * @param text {@link java.net.URI#getHost()} of it, an IPv6 address in brackets
     * @return true for {@code localhost} and loopback addresses
     */
    public static boolean isLoopback(String text) {
        return LOOPBACK.matcher(text).matches();
    }

    /**
     * Whether a text is one IPv4 or IPv6 address: four decimal numbers without leading zeros, or hex digits and colons. No name, no
     * prefix length, no zone.
     *
     * @param text the text
     * @return true if it is
     */
    public static boolean isAddress(String text) {
        if (!ADDRESS.matcher(text).matches()) {
            return false;
        }
        IPAddress address = new IPAddressString(text).getAddress();
        return address != null
                && !address.isMultiple()
                && (address.isIPv6() || address.toCanonicalString().equals(text));
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
     * Shows what somebody else said: whole, but without what a terminal might obey or hide.
     *
     * @param text any text
     * @return the text with a question mark for each such character; line ends and tabs stay
     */
    public static String printable(String text) {
        return UNPRINTABLE_IN_LINES.matcher(text).replaceAll("?");
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

    /**
     * A number of things in words.
     *
     * @param number how many
     * @param noun the things in the singular, which take an s in the plural
     * @return such as {@code 1 host} or {@code 3 hosts}
     */
    public static String counted(long number, String noun) {
        return number + " " + noun + (number == 1 ? "" : "s");
    }
}
