package dev.promguard.ssh.internal;

import dev.promguard.keys.Secret;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The text of a script that may hold a secret, and so is kept in bytes that can be cleared. Data goes in through
 * {@link #quote} or as base64 in a here-document only. Not thread-safe.
 */
final class Script implements AutoCloseable {
    private static final String END_OF_DATA = "END-OF-DATA";

    private final String nonce;
    private final ShellLibrary library;
    private final Set<String> called = new LinkedHashSet<>();
    private byte[] bytes = new byte[32 * 1024];
    private int length;

    private Script(String nonce, ShellLibrary library) {
        this.nonce = nonce;
        this.library = library;
    }

    /**
     * Begins a script: one function, so that a shell that does not get the whole of it runs none of it.
     *
     * @param nonce what the script's lines of protocol begin with
     */
    static Script begin(String nonce) {
        return begin(nonce, ShellLibrary.ALL);
    }

    static Script begin(String nonce, ShellLibrary library) {
        return new Script(nonce, library);
    }

    /** The script that a host runs by itself to put back what nobody confirmed. Its argument is the nonce of the script that armed it. */
    static String rollback() {
        try (Script script = begin("")) {
            return "RUN=$1\n" + script.call("roll_back").close("").text();
        }
    }

    /**
     * One word of the shell that stands for exactly this text.
     *
     * @throws IllegalArgumentException if the text holds a NUL, which no shell word can
     */
    static String quote(String text) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a NUL character cannot be given to a host");
        }
        return '\'' + text.replace("'", "'\\''") + '\'';
    }

    /** A call of a function or command with each argument quoted. */
    Script call(String function, List<String> arguments) {
        called(function, arguments);
        append(line(function, arguments));
        append("\n");
        return this;
    }

    Script call(String function, String... arguments) {
        return call(function, List.of(arguments));
    }

    /** A call that is fed with some bytes, in base64. */
    Script feed(byte[] data, String function, List<String> arguments) {
        called(function, arguments);
        append(line(function, arguments));
        append(" <<'" + END_OF_DATA + "'\n");
        byte[] encoded = Base64.getMimeEncoder(76, new byte[] {'\n'}).encode(data);
        append(encoded, encoded.length);
        Arrays.fill(encoded, (byte) 0);
        append("\n" + END_OF_DATA + "\n");
        return this;
    }

    /** A call that is fed with a secret and a line end. */
    Script feed(Secret secret, String function, List<String> arguments) {
        return secret.use(value -> {
            byte[] line = Arrays.copyOf(value, value.length + 1);
            line[value.length] = '\n';
            try {
                return feed(line, function, arguments);
            } finally {
                Arrays.fill(line, (byte) 0);
            }
        });
    }

    /** A step calls the function that its second argument names. */
    private void called(String function, List<String> arguments) {
        called.addAll(library.namedIn(function));
        if (function.equals("step") && arguments.size() > 1) {
            called.addAll(library.namedIn(arguments.get(1)));
        }
    }

    /** Puts in a piece of shell as it is. Never data. */
    Script shell(String code) {
        called.addAll(library.namedIn(code));
        append(code);
        append("\n");
        return this;
    }

    /** Ends the script: puts the functions that it calls before it, and reports its end last. */
    Script end() {
        if (library != ShellLibrary.NONE) {
            called.add("say");
        }
        return close("say end\n");
    }

    private Script close(String last) {
        byte[] calls = bytes;
        int count = length;
        bytes = new byte[count + 64 * 1024];
        length = 0;
        append("main() {\nN=" + quote(nonce) + '\n' + library.text(called));
        append(calls, count);
        Arrays.fill(calls, (byte) 0);
        append(last + "}\nmain; exit $?\n");
        return this;
    }

    /** The script itself, without a copy; valid until {@link #close()}. */
    byte[] array() {
        return bytes;
    }

    int length() {
        return length;
    }

    /** The text, for tests and for scripts without secrets. */
    String text() {
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        Arrays.fill(bytes, (byte) 0);
        length = 0;
    }

    private static String line(String function, List<String> arguments) {
        StringBuilder line = new StringBuilder(function);
        for (String argument : arguments) {
            line.append(' ').append(quote(argument));
        }
        return line.toString();
    }

    private void append(String text) {
        byte[] more = text.getBytes(StandardCharsets.UTF_8);
        append(more, more.length);
    }

    private void append(byte[] more, int count) {
        if (bytes.length - length < count) {
            byte[] old = bytes;
            bytes = Arrays.copyOf(old, Math.max(old.length * 2, length + count));
            Arrays.fill(old, (byte) 0);
        }
        System.arraycopy(more, 0, bytes, length, count);
        length += count;
    }
}
