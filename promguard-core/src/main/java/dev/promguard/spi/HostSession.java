package dev.promguard.spi;

import dev.promguard.host.Change;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostKey;
import dev.promguard.host.NewKeys;
import dev.promguard.host.WireGuard;
import dev.promguard.keys.HostKeyFingerprint;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * An open session with one host. Each of {@link #facts}, {@link #apply}, {@link #confirm}, {@link #rollBack} and
 * {@link #probe} is one exchange. Not
 * thread-safe, but {@link #close()} may be called from any thread and ends a call in progress.
 */
public interface HostSession extends AutoCloseable {
    /**
     * The key that the host proved, at the start of this session or later: {@link #facts} may continue over a new connection, on
     * which a host shows another of the accepted keys if it has rolled back to it.
     *
     * @return one of the target's accepted host keys, or where there are none and the target trusts on first use, the key shown
     */
    HostKeyFingerprint hostKey();

    /**
     * The keys that the jump hosts proved.
     *
     * @return one for each of the target's {@linkplain HostTarget#jumpHosts() jump hosts}, in their order
     */
    default List<HostKeyFingerprint> jumpHostKeys() {
        return List.of();
    }

    /**
     * Reads the host's facts. Read-only. If a timeout is given, waits first until the host's first boot is complete. A rollback that an
     * earlier session left armed stays armed, and is reported as {@link HostFacts#rollbackPending() pending}; {@link #confirm()} over
     * this session ends it. If a rollback has begun, this waits for it, or completes it if the host went down during it.
     *
     * @param query the facts to read
     * @param bootTimeout how long to wait for the first boot to end; zero does not wait, and ignores how the first boot ended
     * @return the facts
     * @throws dev.promguard.HostException if the host does not answer, gives a malformed answer, or is not done booting in time
     */
    HostFacts facts(FactsQuery query, Duration bootTimeout);

    /**
     * Makes changes in the order given, and stops at the first that fails.
     *
     * <p>Firewall and WireGuard changes are armed with a rollback that the host itself carries out unless a later session
     * calls {@link #confirm()}: no change can lock the caller out permanently. When {@link HostKey.Replace} is among the changes,
     * {@link Progress#newHostKey} is called with the new key before the host starts to use it, and the host starts to use it only
     * after that call has returned.
     *
     * @param changes what to do; empty sends nothing
     * @param keys the keys that {@link WireGuard.WriteKey} and {@link WireGuard.WritePresharedKeys} write; the caller's to close
     * @param progress told of each change as it happens, on the calling thread
     * @return true if a rollback is armed, so that {@link #confirm()} over a new session is due
     * @throws dev.promguard.HostException if a change fails or the connection breaks; changes reported as done are done. Its
     *     {@link dev.promguard.HostException#status() status} is {@code ROLLED_BACK} if the time for a confirmation ran out before
     *     the last change, which stops the run, and {@code UNKNOWN} if the connection broke while a rollback was armed
     */
    boolean apply(List<Change> changes, NewKeys keys, Progress progress);

    /**
     * Makes changes that write no key.
     *
     * @param changes what to do; empty sends nothing
     * @param progress told of each change as it happens, on the calling thread
     * @return as the method with keys
     * @throws dev.promguard.HostException as the method with keys
     */
    default boolean apply(List<Change> changes, Progress progress) {
        return apply(changes, NewKeys.NONE, progress);
    }

    /**
     * Disarms the rollback. Call it on a session that was opened after the one that made the changes, which proves that the host
     * can still be reached; the session that made the changes refuses it. It can be called again, also on another session: if the
     * answer was lost, it then reports the outcome of the changes. It waits for a rollback in progress.
     *
     * <p>It returns if the changes are kept.
     *
     * @throws dev.promguard.HostException if they are not, with the {@link dev.promguard.HostException#status() status}
     *     {@code ROLLED_BACK}; or if that is not known, since the host does not answer, with another
     */
    void confirm();

    /**
     * Makes the host roll back unconfirmed changes now, instead of when the time for a confirmation is over. It may be called on
     * the session that made the changes, and repeatedly. Does nothing if no rollback is armed. The rollback does not depend on
     * this session: it completes even if the connection breaks.
     *
     * <p>It returns when the host is as it was before these changes.
     *
     * @throws dev.promguard.HostException if the host does not answer, or did not complete its rollback; an armed rollback still
     *     begins when its time is over
     */
    void rollBack();

    /**
     * Probes ports from the host, several at once. Read-only. Nothing is sent to a port without a page.
     *
     * @param probes what to try; none sends nothing to the host
     * @param timeout how long to wait at one port for a connection; a page has three times as long to come
     * @return the result of each, in the order of the ports
     * @throws dev.promguard.HostException if the host does not answer, or gives a malformed answer
     */
    List<ProbeResult> probe(List<Probe> probes, Duration timeout);

    /**
     * Asks an SSH server that the host can reach for its host keys, which tell whose address it is. There is no login.
     *
     * @param server the server's address and port
     * @param timeout how long to wait for it
     * @return the fingerprints of the keys that it proved; empty if it proved none, the host has no program to ask with, or the
     *     implementation cannot tell
     * @throws dev.promguard.HostException if the host does not answer, or gives a malformed answer
     */
    default Set<HostKeyFingerprint> hostKeys(Probe server, Duration timeout) {
        return Set.of();
    }

    /**
     * Forwards a port of this machine's loopback interface to an address seen from the host. The forward ends with the session, and
     * with nothing before it: a connection that is refused there ends alone. Whether the host lets connections through is tried at once,
     * with one connection to the address; whether something listens there does not matter yet.
     *
     * @param address where the host connects to, such as {@code 127.0.0.1}
     * @param port the port there
     * @return the local port
     * @throws dev.promguard.HostException if it cannot be set up, or the host lets no connection through
     */
    int forward(String address, int port);

    /** Ends the session and its forwards. Never throws; closing again does nothing. */
    @Override
    void close();

    /** Receives changes as they happen. */
    interface Progress {
        /**
         * A change begins.
         *
         * @param change the change
         */
        void started(Change change);

        /**
         * A change is done.
         *
         * @param change the change
         */
        void done(Change change);

        /**
         * Something that PromGuard put on the host stays there although it is being uninstalled.
         *
         * @param what what stays, in words
         */
        default void left(String what) {}

        /**
         * Reports something that did not stop the changes and that a reader should know, such as a package source that does not
         * answer.
         *
         * @param note the note, in words
         */
        default void noted(String note) {}

        /**
         * The host has generated a new host key and waits for permission to use it. The implementation saves the key durably
         * before it returns; if it throws, the host keeps its old key.
         *
         * @param fingerprint the new key's fingerprint
         */
        void newHostKey(HostKeyFingerprint fingerprint);
    }
}
