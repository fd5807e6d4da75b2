package dev.promguard.examples.localcloud;

import org.jspecify.annotations.Nullable;

/** The local cloud could not do what it was asked: a command failed, or this machine lacks something. */
public final class LocalCloudException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param message what failed, and what to do where that is known
     */
    public LocalCloudException(String message) {
        super(message);
    }

    /**
     * Makes one with a cause.
     *
     * @param message what failed
     * @param cause why, or null if unknown
     */
    public LocalCloudException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
