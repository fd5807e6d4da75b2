package dev.promguard.host;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.loader.ResourceLocator;
import com.hubspot.jinjava.tree.Node;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Renders the templates beside this class, strictly: an unknown name, a null, a syntax error or a value of a form that its
 * place does not allow ends the rendering. Values are never interpreted as templates, and templates cannot include others.
 */
final class Templates {
    /** What may stand unquoted in an INI file, a unit file or a wg-quick file: no quotes, no line ends, no expansions. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9 ./:_@,=+\\[\\]()-]*");

    /** What JSON lets stand in a string and YAML takes for a line end or nothing. */
    private static final Pattern YAML_BREAK = Pattern.compile("[\\x7f-\\x9f\\u2028\\u2029\\ufeff]");

    /** What ends a line of a unit file or cannot stand in one. */
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cntrl}\\p{Cs}\\x80-\\x9f\\u2028\\u2029\\ufeff]");

    /** What stands for itself in a command line of a unit file. */
    private static final Pattern BARE = Pattern.compile("[A-Za-z0-9./:_@,=+\\[\\]()|%$-]+");

    private final Jinjava jinjava;

    /** Templates by name, parsed once: rendering does not change them. */
    private final Map<String, Node> parsed = new ConcurrentHashMap<>();

    /**
     * Contexts with every filter, tag and test registered, which takes longer than rendering does. A rendering notes in one what it
     * looks up, and so has it for itself.
     */
    private final Queue<Context> libraries = new ConcurrentLinkedQueue<>();

    Templates() {
        JinjavaConfig config = JinjavaConfig.newBuilder()
                .withCharset(StandardCharsets.UTF_8)
                .withTrimBlocks(true)
                .withLstripBlocks(true)
                .withNestedInterpretationEnabled(false)
                .withFailOnUnknownTokens(true)
                .withKeepTrailingNewline(true)
                .build();
        jinjava = new Jinjava(config);
        jinjava.setResourceLocator(new NoIncludes());
        jinjava.getGlobalContext().setDynamicVariableResolver(name -> {
            throw new IllegalStateException("unknown name in a template: " + name);
        });
        jinjava.getGlobalContext().registerFilter(new Plain());
        jinjava.getGlobalContext().registerFilter(new Quoted());
        jinjava.getGlobalContext().registerFilter(new Argument());
    }

    /**
     * Renders a template.
     *
     * @param name the template's file name beside this class
     * @param values every name that the template uses
     * @return the text
     * @throws IllegalStateException if anything at all is wrong
     */
    String render(String name, Map<String, ?> values) {
        Node template = parsed.computeIfAbsent(name, this::parse);
        Context library = libraries.poll();
        if (library == null) {
            library = jinjava.newInterpreter().getContext();
        }
        String text = strictly(
                name,
                new JinjavaInterpreter(jinjava, new Context(library, values), jinjava.getGlobalConfig()),
                interpreter -> interpreter.render(template));
        library.reset();
        libraries.add(library);
        return text;
    }

    private Node parse(String name) {
        String source = load(name);
        return strictly(name, jinjava.newInterpreter(), interpreter -> interpreter.parse(source));
    }

    /** Has an interpreter do its work, and takes whatever it notes on the way for a failure. */
    private static <T> T strictly(String name, JinjavaInterpreter interpreter, Function<JinjavaInterpreter, T> work) {
        T done;
        try {
            done = work.apply(interpreter);
        } catch (RuntimeException e) {
            throw new IllegalStateException("template " + name + ": " + e.getMessage(), e);
        }
        if (!interpreter.getErrors().isEmpty()) {
            throw new IllegalStateException("template " + name + ": " + interpreter.getErrors());
        }
        return done;
    }

    private static String load(String name) {
        try (InputStream in = Templates.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("template " + name + " is not on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final class NoIncludes implements ResourceLocator {
        @Override
        public String getString(String fullName, Charset encoding, JinjavaInterpreter interpreter) {
            throw new IllegalStateException("templates do not include others: " + fullName);
        }
    }

    /** Lets through only what needs no quoting. */
    private static final class Plain implements Filter {
        @Override
        public String getName() {
            return "plain";
        }

        @Override
        public Object filter(@Nullable Object value, JinjavaInterpreter interpreter, String... arguments) {
            if (value == null || !PLAIN.matcher(value.toString()).matches()) {
                throw new IllegalArgumentException("a value has a form that its place does not allow: " + value);
            }
            return value.toString();
        }
    }

    /** Writes a JSON string, which is a YAML string too. */
    private static final class Quoted implements Filter {
        @Override
        public String getName() {
            return "quoted";
        }

        @Override
        public Object filter(@Nullable Object value, JinjavaInterpreter interpreter, String... arguments) {
            if (value == null) {
                throw new IllegalArgumentException("a value is missing");
            }
            String json = new String(JsonStringEncoder.getInstance().quoteAsString(value.toString()));
            return '"'
                    + YAML_BREAK
                            .matcher(json)
                            .replaceAll(found -> String.format(Locale.ROOT, "\\\\u%04x", (int)
                                    found.group().charAt(0)))
                    + '"';
        }
    }

    /**
     * Writes one argument of a command in a unit file, so that the program gets exactly this text: no word is split, no
     * specifier, variable or escape is replaced.
     *
     * @see <a href="https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Command%20lines">systemd.service,
     *     command lines</a>
     */
    private static final class Argument implements Filter {
        @Override
        public String getName() {
            return "argument";
        }

        @Override
        public Object filter(@Nullable Object value, JinjavaInterpreter interpreter, String... arguments) {
            if (value == null
                    || value.toString().isEmpty()
                    || UNPRINTABLE.matcher(value.toString()).find()) {
                throw new IllegalArgumentException("a value has a form that its place does not allow: " + value);
            }
            String escaped = value.toString()
                    .replace("\\", "\\\\")
                    .replace("\"", "\\\"")
                    .replace("%", "%%")
                    .replace("$", "$$");
            return BARE.matcher(escaped).matches() ? escaped : '"' + escaped + '"';
        }
    }
}
