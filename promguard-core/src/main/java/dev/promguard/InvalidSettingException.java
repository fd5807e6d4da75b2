package dev.promguard;

import org.jspecify.annotations.Nullable;

/**
 * A setting, an argument, or a file or an environment variable that one names, cannot be used. Thrown at once, by the method that was
 * given it. Nothing was created or changed.
 *
 * @see InvalidMeshException
 */
public final class InvalidSettingException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    /**
     * A malformed value.
     *
     * @param message the field, its value and what is allowed, without the id
     */
    public InvalidSettingException(String message) {
        this(message, null);
    }

    /**
     * A malformed value.
     *
     * @param message the field, its value and what is allowed, without the id
     * @param cause the cause, or null
     */
    public InvalidSettingException(String message, @Nullable Throwable cause) {
        this(ErrorCode.INVALID_VALUE, message, cause);
    }

    /**
     * A setting that cannot be used.
     *
     * @param code what kind of problem it is
     * @param message the field, its value and what to do, without the id
     * @param cause the cause, or null
     */
    public InvalidSettingException(ErrorCode code, String message, @Nullable Throwable cause) {
        super(code, message, cause);
    }

    /**
     * The same problem, with where it is before the message.
     *
     * @param where such as {@code "host db-1: "}
     * @return a new exception, whose cause is this one
     */
    public InvalidSettingException in(String where) {
        return new InvalidSettingException(code(), where + reason(), this);
    }
}
