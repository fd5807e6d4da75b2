package dev.promguard.ssh.internal;

import dev.promguard.host.Resources;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The shell functions that lie beside this class, one file for each resource of a host. A script gets those that it calls, those
 * that they call, and no others. See {@code PROTOCOL.md} there. Immutable.
 */
final class ShellLibrary {
    private static final Pattern BEGIN = Pattern.compile("([a-z_0-9]+)\\(\\) \\{");
    private static final Pattern WORD = Pattern.compile("[a-z_0-9]+");

    /** The files of functions, those of the resources among them, in the order in which scripts hold them. */
    static final List<String> FILES = Stream.of(
                    List.of("steps.sh", "system.sh"), Resources.shellFiles(), List.of("rollback.sh", "probe.sh"))
            .flatMap(List::stream)
            .distinct()
            .toList();

    /** No functions, for what needs none. */
    static final ShellLibrary NONE = new ShellLibrary("", List.of());

    /** All functions. */
    static final ShellLibrary ALL = new ShellLibrary("prelude.sh", FILES);

    /**
     * A function.
     *
     * @param text the whole of it
     * @param variables what its file sets for all of its functions, or an empty text
     */
    private record Function(String text, String variables) {}

    private final String prelude;
    private final Map<String, Function> functions = new LinkedHashMap<>();

    private ShellLibrary(String prelude, List<String> files) {
        this.prelude = prelude.isEmpty() ? "" : resource(prelude);
        files.forEach(file -> parse(resource(file)));
    }

    private void parse(String text) {
        StringBuilder variables = new StringBuilder();
        Map<String, String> found = new LinkedHashMap<>();
        String name = "";
        List<String> body = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            Matcher begin = BEGIN.matcher(line);
            if (name.isEmpty() && begin.matches()) {
                name = begin.group(1);
                body = new ArrayList<>(List.of(line));
            } else if (!name.isEmpty()) {
                body.add(line);
                if (line.equals("}")) {
                    found.put(name, String.join("\n", body) + '\n');
                    name = "";
                }
            } else if (!line.isEmpty() && !line.startsWith("#")) {
                variables.append(line).append('\n');
            }
        }
        found.forEach((function, code) -> functions.put(function, new Function(code, variables.toString())));
    }

    /** The names of the functions. */
    Set<String> names() {
        return Set.copyOf(functions.keySet());
    }

    /** Those of the functions that a piece of shell names. */
    Set<String> namedIn(String code) {
        Set<String> named = new LinkedHashSet<>();
        Matcher words = WORD.matcher(code);
        while (words.find()) {
            if (functions.containsKey(words.group())) {
                named.add(words.group());
            }
        }
        return named;
    }

    /** The functions, and all that they call. */
    Set<String> closure(Collection<String> roots) {
        Set<String> all = new LinkedHashSet<>();
        Deque<String> next = new ArrayDeque<>(roots);
        while (!next.isEmpty()) {
            String name = next.remove();
            Function function = functions.get(name);
            if (function != null && all.add(name)) {
                next.addAll(namedIn(function.text()));
            }
        }
        return all;
    }

    /** What a script begins with that calls these functions. */
    String text(Collection<String> roots) {
        Set<String> wanted = closure(roots);
        Set<String> parts = new LinkedHashSet<>();
        functions.forEach((name, function) -> {
            if (wanted.contains(name)) {
                parts.add(function.variables());
                parts.add(function.text());
            }
        });
        return prelude + String.join("", parts);
    }

    /** A file that lies beside this class. */
    private static String resource(String name) {
        try (InputStream in = ShellLibrary.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("resource " + name + " is missing from the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
