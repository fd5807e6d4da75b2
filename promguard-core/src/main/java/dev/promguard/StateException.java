package dev.promguard;

import dev.promguard.spi.LockHolder;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The place where a mesh's state is kept cannot be read or written, or another program is using it. */
public final class StateException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    /** Whether to try again may help. */
    private final boolean retryable;
    /** Who holds the lock, as text. */
    private final @Nullable String holder;

    /**
     * A failure.
     *
     * @param code what kind of failure it is
     * @param message what failed and what to do
     * @param retryable whether the same call may succeed later
     * @param cause the cause, or null
     */
    public StateException(ErrorCode code, String message, boolean retryable, @Nullable Throwable cause) {
        this(code, message, retryable, null, cause);
    }

    private StateException(
            ErrorCode code, String message, boolean retryable, @Nullable String holder, @Nullable Throwable cause) {
        super(code, message, cause);
        this.retryable = retryable;
        this.holder = holder;
    }

    /**
     * The refusal of a lock that somebody else holds. For stores.
     *
     * @param mesh the mesh's name
     * @param place what is locked, such as a folder's path
     * @param holder who holds the lock; empty if the store cannot tell
     * @param cause the cause, or null
     * @return an exception with {@link ErrorCode#STATE_LOCKED}, to be thrown
     */
    public static StateException locked(
            String mesh, String place, Optional<LockHolder> holder, @Nullable Throwable cause) {
        String who = holder.map(one -> " by " + one).orElse("");
        return new StateException(
                ErrorCode.STATE_LOCKED,
                "mesh " + mesh + " is being changed by another program (" + place + " is locked" + who
                        + "). Wait until it is done, then run again.",
                true,
                holder.map(LockHolder::toString).orElse(null),
                cause);
    }

    /**
     * The refusal of a change because somebody else has changed the same document, or has taken over the lock. For stores.
     *
     * @param mesh the mesh's name
     * @param what what has happened, such as {@code /srv/shop/state.json was changed by another program}
     * @param holder who holds the lock now; empty if nobody does, or the store cannot tell
     * @return an exception with {@link ErrorCode#STATE_CONFLICT}, to be thrown
     */
    public static StateException conflict(String mesh, String what, Optional<LockHolder> holder) {
        return new StateException(
                ErrorCode.STATE_CONFLICT,
                what + holder.map(one -> " (" + one + ')').orElse("")
                        + ", so this run of mesh " + mesh
                        + " records nothing more. Wait until nobody else changes the mesh, then run again.",
                true,
                holder.map(LockHolder::toString).orElse(null),
                null);
    }

    /**
     * Who holds the mesh's lock.
     *
     * @return the holder; empty if the failure is another one, or the store cannot tell
     */
    public Optional<LockHolder> lockHolder() {
        return Optional.ofNullable(holder).flatMap(LockHolder::parse);
    }

    @Override
    public boolean retryable() {
        return retryable;
    }
}
