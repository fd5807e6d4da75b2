package dev.promguard.examples;

import dev.promguard.MeshListener;
import dev.promguard.Progress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.Charset;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Talks to whoever started the program.
 *
 * @param in what they type
 * @param out what they read
 * @param interactive whether somebody is there to answer
 */
record Dialog(BufferedReader in, PrintStream out, boolean interactive) {
    private static final Set<String> YES = Set.of("y", "yes");

    /** The process's own standard input and output. */
    static Dialog ofProcess() {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
        return new Dialog(in, System.out, isTerminal());
    }

    /** Says something; on a terminal, in lines that keep to its width. */
    void say(Object text) {
        out.println(interactive && out.equals(System.out) ? Progress.wrapped(text) : text);
    }

    /** Shows what a mesh does: live where this is the process's terminal. */
    MeshListener progress() {
        return out.equals(System.out) ? Progress.console() : Progress.to(out);
    }

    /**
     * Asks a question.
     *
     * @return whether the answer is yes; anything else, and the end of the input, is no
     * @throws IllegalStateException if nobody is there to answer
     */
    boolean confirms(String question) {
        if (!interactive) {
            throw new IllegalStateException("there is nobody to ask: " + question);
        }
        out.print(question + " [y/N] ");
        out.flush();
        String answer = line();
        return answer != null && YES.contains(answer.strip().toLowerCase(Locale.ROOT));
    }

    /** Waits for Enter, or the end of the input. Does not wait if nobody is there to press it. */
    void awaitEnter(String prompt) {
        if (interactive) {
            say(prompt);
            line();
        }
    }

    private @Nullable String line() {
        try {
            return in.readLine();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read standard input", e);
        }
    }

    /** From Java 22 on there is a console without a terminal too, and a method that tells. */
    @SuppressWarnings("SystemConsoleNull") // isTerminal() is asked where there is one
    private static boolean isTerminal() {
        Object console = System.console();
        if (console == null) {
            return false;
        }
        try {
            return (boolean) java.io.Console.class.getMethod("isTerminal").invoke(console);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException("cannot ask the console whether it is a terminal", e);
        }
    }
}
