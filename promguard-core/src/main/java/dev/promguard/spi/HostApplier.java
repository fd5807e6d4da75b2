package dev.promguard.spi;

import java.time.Duration;
import java.util.List;

/**
 * The way to a host: opens sessions that read facts and make changes. One call, one session; the engine runs several hosts
 * at once, so implementations must be thread-safe.
 */
public interface HostApplier {
    /**
     * Opens a session, waiting for the host to come up. Connections that are refused or time out are tried again until the
     * target's time is over; a wrong host key and a refused login are not, and nothing is sent to such a host.
     *
     * @param target which host, how to log in, and which host keys to accept
     * @return the session; the caller closes it
     * @throws dev.promguard.HostException if there is no session in time, the host showed a key that is not accepted (the
     *     message names both fingerprints, and {@link dev.promguard.HostException#refusedHostKey()} the one shown), or the
     *     thread was interrupted
     */
    HostSession open(HostTarget target);

    /**
     * The SSH servers on the way to every host of a cloud. Hosts that were there before have their own: {@link Login#jumpHosts()}.
     *
     * @return jump hosts in the order in which they are passed, each with host keys or certificates that it must prove; where one has no
     *     identities, the mesh's is used. Empty, unless an implementation says otherwise, if hosts are reached from here
     */
    default List<JumpHost> jumpHosts() {
        return List.of();
    }

    /**
     * How long after {@link HostSession#apply} armed a rollback the host carries it out, unless it is confirmed. By then, or
     * moments later, what became of unconfirmed changes is decided.
     *
     * @return the time; 2 minutes unless an implementation says otherwise
     */
    default Duration rollbackAfter() {
        return Duration.ofMinutes(2);
    }
}
