package dev.promguard.keys;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Function;

/**
 * Bytes that must not be printed, logged or kept longer than needed.
 *
 * <p>A secret shows its value only to the function given to {@link #use}, never through {@link #toString()}. {@link #close()}
 * overwrites the bytes with zeros; copies made by the function are the caller's to clear. Equality is identity, so that a
 * secret's value does not leak through a hash code. Thread-safe.
 */
public final class Secret implements AutoCloseable {
    private final byte[] bytes;
    private boolean closed;

    private Secret(byte[] bytes) {
        this.bytes = bytes;
    }

    /**
     * Holds a copy of some bytes.
     *
     * @param bytes the value; copied, so the caller may clear its own array
     * @return the secret
     * @throws NullPointerException if {@code bytes} is null
     * @throws InvalidSettingException if {@code bytes} is empty
     */
    public static Secret of(byte[] bytes) {
        if (bytes.length == 0) {
            throw new InvalidSettingException("a secret may not be empty");
        }
        return new Secret(bytes.clone());
    }

    /**
     * Holds the UTF-8 bytes of a text.
     *
     * @param text the value
     * @return the secret
     * @throws NullPointerException if {@code text} is null
     * @throws InvalidSettingException if {@code text} is empty, or has half of a surrogate pair, which UTF-8 cannot say
     */
    public static Secret of(CharSequence text) {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw new InvalidSettingException(
                    "a secret has half of a surrogate pair, which UTF-8 cannot say: give it whole characters");
        }
        ByteBuffer encoded = StandardCharsets.UTF_8.encode(CharBuffer.wrap(text));
        byte[] copy = new byte[encoded.remaining()];
        encoded.get(copy);
        encoded.clear();
        while (encoded.hasRemaining()) {
            encoded.put((byte) 0);
        }
        if (copy.length == 0) {
            throw new InvalidSettingException("a secret may not be empty");
        }
        return new Secret(copy);
    }

    /**
     * Reads a secret from an environment variable, at once.
     *
     * @param variable the variable's name
     * @return the secret, without surrounding white space
     * @throws InvalidSettingException if the variable is not set or blank, in which case the message names it, or the name is blank
     */
    public static Secret env(String variable) {
        if (variable.isBlank()) {
            throw new InvalidSettingException(
                    "the name of an environment variable is blank: name one that holds the secret");
        }
        String value = System.getenv(variable);
        if (value == null || value.isBlank()) {
            throw new InvalidSettingException(
                    ErrorCode.VARIABLE_MISSING,
                    "environment variable " + variable + " is not set: export it and run again",
                    null);
        }
        return of(value.strip());
    }

    /**
     * Shows a copy of the bytes to a function, and clears that copy afterwards.
     *
     * @param function what to do with the bytes; must not keep the array
     * @param <R> what the function returns
     * @return what the function returned
     * @throws InvalidSettingException if this secret was closed
     */
    public <R> R use(Function<byte[], R> function) {
        byte[] copy;
        synchronized (this) {
            if (closed) {
                throw new InvalidSettingException(
                        ErrorCode.MISUSE, "this secret was closed and cleared: use it before close()", null);
            }
            copy = bytes.clone();
        }
        try {
            return function.apply(copy);
        } finally {
            Arrays.fill(copy, (byte) 0);
        }
    }

    /**
     * Shows the bytes as UTF-8 text to a function. The text itself cannot be cleared: prefer {@link #use} where bytes serve.
     *
     * @param function what to do with the text
     * @param <R> what the function returns
     * @return what the function returned
     * @throws InvalidSettingException if this secret was closed
     */
    public <R> R useText(Function<String, R> function) {
        return use(copy -> function.apply(new String(copy, StandardCharsets.UTF_8)));
    }

    /** Overwrites the bytes with zeros. Later uses throw; closing again does nothing. */
    @Override
    public synchronized void close() {
        closed = true;
        Arrays.fill(bytes, (byte) 0);
    }

    /**
     * A constant.
     *
     * @return the text {@code Secret(***)}, whatever the value
     */
    @Override
    public String toString() {
        return "Secret(***)";
    }
}
