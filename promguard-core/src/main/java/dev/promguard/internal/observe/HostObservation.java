package dev.promguard.internal.observe;

import dev.promguard.host.HostFacts;
import dev.promguard.keys.HostKeyFingerprint;
import java.util.Objects;

/** What one run knows of a host. A value; the session that it was read over belongs to the {@link Observation}. */
public sealed interface HostObservation {
    /**
     * The host was read.
     *
     * @param facts what the host is
     * @param hostKey the SSH host key that it proved
     */
    record Seen(HostFacts facts, HostKeyFingerprint hostKey) implements HostObservation {
        /**
         * Checks that both are there.
         *
         * @throws NullPointerException if one is null
         */
        public Seen {
            Objects.requireNonNull(facts, "facts");
            Objects.requireNonNull(hostKey, "hostKey");
        }
    }

    /**
     * The host exists and could not be read.
     *
     * @param failure why
     */
    record Unreachable(RuntimeException failure) implements HostObservation {
        /**
         * Checks that the failure is there.
         *
         * @throws NullPointerException if it is null
         */
        public Unreachable {
            Objects.requireNonNull(failure, "failure");
        }
    }

    /** The host does not exist yet: its facts are empty by definition. */
    record Absent() implements HostObservation {}

    /** The host exists and is not ready to be read: this run waits for it. */
    record Awaited() implements HostObservation {}
}
