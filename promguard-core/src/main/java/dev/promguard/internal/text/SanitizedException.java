package dev.promguard.internal.text;

import dev.promguard.blueprint.Names;
import org.jspecify.annotations.Nullable;

/** Replaces an exception whose message came from outside and could not be shown unchanged. */
public final class SanitizedException extends Exception {
    private static final long serialVersionUID = 1L;
    private static final int DEEPEST = 20;

    private SanitizedException(Throwable original, @Nullable Throwable cause) {
        super(Names.printable(original.toString()), cause, false, true);
        setStackTrace(original.getStackTrace());
    }

    /** The same exception if all of it can be shown, else one that says the same. */
    public static @Nullable Throwable of(@Nullable Throwable failure) {
        return canBeShown(failure) ? failure : copy(failure, DEEPEST);
    }

    private static boolean canBeShown(@Nullable Throwable failure) {
        int depth = 0;
        for (Throwable cause = failure; cause != null && depth < DEEPEST; cause = cause.getCause()) {
            String message = cause.toString();
            if (!Names.printable(message).equals(message)) {
                return false;
            }
            for (Throwable suppressed : cause.getSuppressed()) {
                if (suppressed != cause && !canBeShown(suppressed)) {
                    return false;
                }
            }
            depth++;
        }
        return true;
    }

    private static @Nullable Throwable copy(@Nullable Throwable failure, int depth) {
        return failure == null || depth == 0
                ? null
                : new SanitizedException(failure, copy(failure.getCause(), depth - 1));
    }
}
