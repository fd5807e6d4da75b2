package dev.promguard.internal.engine;

import dev.promguard.ErrorCode;
import dev.promguard.PromGuardException;
import java.util.Collection;
import java.util.TreeSet;

/** A rotation of keys that was not begun. It needs every host, and some had failed by then. */
final class NotRotatedException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    NotRotatedException(Collection<String> failed) {
        super(
                ErrorCode.KEYS_HELD_BACK,
                "no key was changed, because a rotation needs every host and these failed: "
                        + String.join(", ", new TreeSet<>(failed)) + ".",
                null);
    }
}
