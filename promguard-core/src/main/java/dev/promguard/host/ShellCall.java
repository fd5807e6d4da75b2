package dev.promguard.host;

import dev.promguard.keys.Secret;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A call of one of the shell functions that are sent to hosts. Arguments are data: whoever writes the script quotes them.
 *
 * @param function the function's name
 * @param arguments its arguments
 * @param input what it reads
 */
public record ShellCall(String function, List<String> arguments, Input input) {
    /**
     * Copies the arguments.
     *
     * @throws NullPointerException if something is null
     */
    public ShellCall {
        Objects.requireNonNull(function, "function");
        arguments = List.copyOf(arguments);
        Objects.requireNonNull(input, "input");
    }

    /** What a function reads from its standard input. */
    public sealed interface Input {
        /** Nothing. */
        record None() implements Input {}

        /**
         * A text.
         *
         * @param text the text
         */
        record Text(String text) implements Input {}

        /**
         * A secret and a line end. The record never prints it.
         *
         * @param secret the secret; the caller's to close
         */
        record SecretLine(Secret secret) implements Input {}

        /**
         * A line of a name, a space and a secret for each name. The record never prints the secrets.
         *
         * @param secrets the secrets by name; the caller's to close
         */
        record SecretLines(Map<String, Secret> secrets) implements Input {
            /** Copies the map, sorted by name. */
            public SecretLines {
                secrets = Collections.unmodifiableMap(new TreeMap<>(secrets));
            }
        }
    }

    /**
     * A call of a function that reads nothing.
     *
     * @param function the function's name
     * @param arguments its arguments
     * @return the call
     */
    public static ShellCall of(String function, String... arguments) {
        return of(function, List.of(arguments));
    }

    /**
     * A call of a function that reads nothing.
     *
     * @param function the function's name
     * @param arguments its arguments
     * @return the call
     */
    public static ShellCall of(String function, List<String> arguments) {
        return new ShellCall(function, arguments, new Input.None());
    }

    /**
     * The same call, fed with something.
     *
     * @param read what the function reads
     * @return a copy
     */
    public ShellCall reading(Input read) {
        return new ShellCall(function, arguments, read);
    }
}
