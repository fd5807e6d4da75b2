package dev.promguard.digitalocean.internal;

import dev.promguard.ProviderException;

/** An answer lost on the way or not understood, so that it is not known what became of the call. */
public final class LostAnswerException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What is known of the failure. */
    private final ProviderException failure;
    /** Whether the API said that it takes the call on. */
    private final boolean accepted;

    /** A lost answer. */
    public LostAnswerException(ProviderException failure, boolean accepted) {
        super(failure.getMessage(), failure);
        this.failure = failure;
        this.accepted = accepted;
    }

    /** What is known of the failure. */
    public ProviderException failure() {
        return failure;
    }

    /** Whether the API said that it takes the call on, so that to send it again would do it twice. */
    public boolean accepted() {
        return accepted;
    }
}
