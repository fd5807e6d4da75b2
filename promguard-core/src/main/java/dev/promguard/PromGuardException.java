package dev.promguard;

import dev.promguard.blueprint.Names;
import dev.promguard.internal.text.SanitizedException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The root of every failure that PromGuard reports, malformed values and missing files among them. The first line of its message ends in
 * its {@link #id() id} in brackets. The one exception to the rule is null, which is a {@link NullPointerException}.
 */
public abstract class PromGuardException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What kind of failure it is. */
    private final ErrorCode code;
    /** The message without the id. */
    private final String reason;

    /**
     * A failure. What a terminal might obey or hide is replaced in its message, and in the messages of its causes, since hosts and
     * clouds have a say in them.
     *
     * @param code what kind of failure it is
     * @param message what failed, where, and what to do, without the id
     * @param cause the cause, or null
     * @throws NullPointerException if {@code code} or {@code message} is null
     */
    protected PromGuardException(ErrorCode code, String message, @Nullable Throwable cause) {
        super(Objects.requireNonNull(code, "code").appendedTo(Names.printable(message)), SanitizedException.of(cause));
        this.code = code;
        this.reason = Names.printable(message);
    }

    /**
     * The stable id of this kind of failure, for alerts, searches and support. {@code docs/errors.md} describes each.
     *
     * @return such as {@code PG-4001}
     */
    public final String id() {
        return code.id();
    }

    /**
     * The kind of failure.
     *
     * @return the code, never null
     */
    public final ErrorCode code() {
        return code;
    }

    /**
     * The message without the id, to quote it in another message.
     *
     * @return what failed, where, and what to do; one or more lines
     */
    public final String reason() {
        return reason;
    }

    /**
     * Whether the same call, made again a little later, may succeed with nothing else changed.
     *
     * @return true if so; false by default, which subclasses override
     */
    public boolean retryable() {
        return false;
    }
}
