package dev.promguard;

import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** A cloud provider refused a call, could not be reached, or did not do what it accepted. */
public final class ProviderException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    /** The HTTP status. */
    private final @Nullable Integer status;
    /** The provider's word for the error. */
    private final @Nullable String id;
    /** The provider's id of the request. */
    private final @Nullable String requestId;
    /** Whether to try again may help. */
    private final boolean retryable;

    /**
     * A failure with all that is known of it.
     *
     * @param message what failed and what to do; must not hold a token
     * @param status the HTTP status, or null if there was no answer
     * @param id the provider's own word for the error, such as {@code unauthorized}, or null
     * @param requestId the provider's id of the request, for its support, or null
     * @param retryable whether the same call may succeed later
     * @param cause what brought it about, or null
     */
    public ProviderException(
            String message,
            @Nullable Integer status,
            @Nullable String id,
            @Nullable String requestId,
            boolean retryable,
            @Nullable Throwable cause) {
        super(message, cause);
        this.status = status;
        this.id = id;
        this.requestId = requestId;
        this.retryable = retryable;
    }

    /**
     * A failure that is not an HTTP answer.
     *
     * @param message what failed and what to do
     */
    public ProviderException(String message) {
        this(message, null, null, null, false, null);
    }

    /**
     * The HTTP status.
     *
     * @return the status, or empty if there was no answer
     */
    public OptionalInt status() {
        return status == null ? OptionalInt.empty() : OptionalInt.of(status);
    }

    /**
     * The provider's own word for the error.
     *
     * @return the word, or empty if it gave none
     */
    public Optional<String> id() {
        return Optional.ofNullable(id);
    }

    /**
     * The provider's id of the request.
     *
     * @return the id, or empty if it gave none
     */
    public Optional<String> requestId() {
        return Optional.ofNullable(requestId);
    }

    @Override
    public boolean retryable() {
        return retryable;
    }
}
