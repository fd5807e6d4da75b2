package dev.promguard;

import java.lang.reflect.Executable;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Texts that mean something to a shell, a template, YAML, wg-quick, systemd, ufw, HTTP, XML or a terminal, and the places where a
 * user may put a text.
 */
public final class HostileTexts {
    /** What texts are put together from. */
    public static final List<String> BITS = List.of(
            // shells
            "$(id)",
            "`id`",
            ";id",
            "; rm -rf / #",
            "|id",
            "&&id",
            ">x",
            "<x",
            "<<'END-OF-DATA'",
            "\nEND-OF-DATA\n",
            "'",
            "'\\''",
            "\"",
            "\\",
            "#",
            "!",
            "*",
            "?",
            "~",
            "$HOME",
            "${HOME}",
            "${IFS}",
            "-",
            "--",
            // systemd
            "%i",
            "%%",
            "%n%s",
            "\\\n",
            "\\x0a",
            "\nExecStart=/bin/id\n",
            "\n[Service]\n",
            // Jinja
            "{{ 7*7 }}",
            "{% raw %}",
            "{# x #}",
            "{{ mesh }}",
            "{% include '/etc/passwd' %}",
            "}}",
            "{%",
            // line ends and what cannot be seen
            "\n",
            "\r\n",
            "\r",
            "\t",
            "\u0000",
            "\u0007",
            "\b",
            "\u001b[2J",
            "\u001b]0;x\u0007",
            "\u007f",
            "\u0085",
            "\u009b",
            "\u2028",
            "\u2029",
            "\u202e",
            "\u2066",
            "\u200b",
            "\ufeff",
            "\ud800",
            "𝄞",
            "é",
            "ß",
            "İ",
            "ı",
            "ﬀ",
            "：",
            "．",
            "／",
            // paths
            ".",
            "..",
            "/",
            "../",
            "/etc/passwd",
            // YAML
            ":",
            ": ",
            "- ",
            "&a ",
            "*a",
            "!!java.net.URL",
            "\n---\n",
            "|\n  x",
            "null",
            "0x1f",
            // wg-quick
            "[Peer]",
            "\n[Peer]\n",
            "\nPostUp = id\n",
            "= ",
            // ufw
            " allow from any",
            "comment ''",
            "any",
            // HTTP
            "\r\nX-Injected: 1",
            "\r\n\r\nGET / HTTP/1.1",
            // XML
            "<script>",
            "&amp;",
            "]]>",
            // what is right somewhere
            "@",
            "node_exporter",
            "0".repeat(64),
            "a",
            "tor1",
            "s-1vcpu-1gb",
            "shop",
            "1",
            "0",
            "10.0.0.0/24",
            "10.0.0.2",
            "::1%eth0",
            " ",
            "_",
            "A");

    /** What must not stand in anything that is shown, but for line ends and tabs. */
    public static final Pattern UNPRINTABLE =
            Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}&&[^\\n\\t]]");

    private HostileTexts() {}

    /**
     * Every bit alone, an empty and an overlong text, and some of up to four bits.
     *
     * @param seed the seed of the drawn ones
     * @param drawn how many are drawn
     */
    public static Stream<String> texts(long seed, int drawn) {
        Random random = new Random(seed);
        Stream<String> mixed = Stream.generate(() -> {
                    StringBuilder text = new StringBuilder();
                    for (int bits = 1 + random.nextInt(4); bits > 0; bits--) {
                        text.append(BITS.get(random.nextInt(BITS.size())));
                    }
                    return text.toString();
                })
                .limit(drawn);
        return Stream.concat(Stream.concat(Stream.of("", "x".repeat(5000)), BITS.stream()), mixed);
    }

    /** Every parameter of the public constructors and methods of some types that takes a text of some kind, in words. */
    public static Set<String> places(Class<?>... types) {
        Set<String> places = new TreeSet<>();
        for (Class<?> type : types) {
            Stream.concat(Stream.of(type.getDeclaredMethods()), Stream.of(type.getDeclaredConstructors()))
                    .filter(member -> Modifier.isPublic(member.getModifiers()) && !member.isSynthetic())
                    .filter(member -> !member.getName().equals("equals"))
                    .forEach(member -> places(type, member, places));
        }
        return places;
    }

    private static void places(Class<?> type, Executable member, Set<String> places) {
        Parameter[] parameters = member.getParameters();
        for (int i = 0; i < parameters.length; i++) {
            if (takesText(parameters[i].getType())) {
                String name = member instanceof java.lang.reflect.Constructor ? "new" : member.getName();
                places.add(type.getSimpleName() + '.' + name + '/' + parameters.length + '#' + i);
            }
        }
    }

    private static boolean takesText(Class<?> type) {
        Class<?> single = type.isArray() ? type.getComponentType() : type;
        return CharSequence.class.isAssignableFrom(single)
                || single == URI.class
                || single == Path.class
                || InetAddress.class.isAssignableFrom(single)
                || Map.class.isAssignableFrom(single)
                || Collection.class.isAssignableFrom(single);
    }
}
