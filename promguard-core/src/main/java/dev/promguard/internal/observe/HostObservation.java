package dev.promguard.internal.observe;

import dev.promguard.host.HostFacts;
import dev.promguard.keys.HostKeyFingerprint;
import java.util.Map;
import java.util.Objects;

/** What one run knows of a host. A value; the session that it was read over belongs to the {@link Observation}. */
public sealed interface HostObservation {
    /**
     * The host was read.
     *
     * @param facts what the host is
     * @param hostKey the SSH host key that it proved
     * @param jumpKeys the SSH host keys that the jump hosts on the way proved, by their {@linkplain dev.promguard.spi.JumpHost#paths
     *     paths}
     */
    record Seen(HostFacts facts, HostKeyFingerprint hostKey, Map<String, HostKeyFingerprint> jumpKeys)
            implements HostObservation {
        /**
         * Copies the keys.
         *
         * @throws NullPointerException if something is null
         */
        public Seen {
            Objects.requireNonNull(facts, "facts");
            Objects.requireNonNull(hostKey, "hostKey");
            jumpKeys = Map.copyOf(jumpKeys);
        }

        /**
         * The same host, read once more over the same session.
         *
         * @param now its facts now
         * @return a copy
         */
        public Seen with(HostFacts now) {
            return new Seen(now, hostKey, jumpKeys);
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
