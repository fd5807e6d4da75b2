package dev.promguard;

import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** A cloud provider refused a call, could not be reached, or did not do what it accepted. */
public final class ProviderException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    /** The HTTP status. */
    private final @Nullable Integer status;
    /** The provider's own code for the error. */
    private final @Nullable String providerCode;
    /** The provider's id of the request. */
    private final @Nullable String requestId;
    /** Whether to try again may help. */
    private final boolean retryable;

    /**
     * A failure with all that is known of it.
     *
     * @param code what kind of failure it is
     * @param message what failed and what to do; must not hold a token
     * @param status the HTTP status, or null if there was no answer
     * @param providerCode the provider's own code for the error, such as {@code unauthorized}, or null
     * @param requestId the provider's id of the request, for its support, or null
     * @param retryable whether the same call may succeed later
     * @param cause the cause, or null
     */
    public ProviderException(
            ErrorCode code,
            String message,
            @Nullable Integer status,
            @Nullable String providerCode,
            @Nullable String requestId,
            boolean retryable,
            @Nullable Throwable cause) {
        super(code, message, cause);
        this.status = status;
        this.providerCode = providerCode;
        this.requestId = requestId;
        this.retryable = retryable;
    }

    /**
     * A failure that is not an HTTP answer.
     *
     * @param code what kind of failure it is
     * @param message what failed and what to do
     */
    public ProviderException(ErrorCode code, String message) {
        this(code, message, null, null, null, false, null);
    }

    /**
     * The same failure in other words, such as with the name of the host.
     *
     * @param message what failed and what to do, without the id; must not hold a token
     * @return a failure with the same data, whose cause is this one
     */
    public ProviderException withReason(String message) {
        return new ProviderException(code(), message, status, providerCode, requestId, retryable, this);
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
     * The provider's own code for the error.
     *
     * @return such as {@code unauthorized}, or empty if it gave none
     */
    public Optional<String> providerCode() {
        return Optional.ofNullable(providerCode);
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
