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

/**
 * An open session with one host. Each of {@link #facts}, {@link #apply}, {@link #confirm}, {@link #rollBack} and
 * {@link #probe} is one exchange. Not
 * thread-safe, but {@link #close()} may be called from any thread and ends whatever is under way.
 */
public interface HostSession extends AutoCloseable {
    /**
     * The key that the host proved, at the start of this session or since: {@link #facts} may go on over a new connection, to which
     * a host shows another of the accepted keys if it rolled back to that meanwhile.
     *
     * @return one of the target's accepted host keys, or where there are none and the target trusts on first use, the key shown
     */
    HostKeyFingerprint hostKey();

    /**
     * Reads what the host is, changing nothing. Waits first until the host's own first boot is over, where a time is given for that. A rollback that an
     * earlier session left armed stays armed, and is reported as {@link HostFacts#rollbackPending() pending}; {@link #confirm()} over
     * this session ends it. One that has begun is waited for, or brought to its end where the host went down in it.
     *
     * @param query what to look at
     * @param bootTimeout how long to wait for the first boot to end; zero neither waits for it nor minds how it ended
     * @return the facts
     * @throws dev.promguard.HostException if the host does not answer, answers nonsense, or is not done booting in time
     */
    HostFacts facts(FactsQuery query, Duration bootTimeout);

    /**
     * Makes changes in the order given, and stops at the first that fails.
     *
     * <p>Firewall and WireGuard changes are armed with a rollback that the host itself carries out unless a later session
     * calls {@link #confirm()}: nothing stays changed that would lock the caller out. When {@link HostKey.Replace} is
     * among the changes, {@link Progress#newHostKey} is called with the new key before the host starts to use it, and the
     * host starts to use it only after that call has returned.
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
     * Makes changes among which no key is written.
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
     * Disarms the rollback. To be called on a session opened after the one that made the changes, which is the proof that the
     * host can still be reached; on that one it is refused. To call it again, also on another session, does no harm: where the
     * answer was lost, it tells what became of the changes. A rollback that is under way is waited for.
     *
     * <p>It returns if the changes are kept.
     *
     * @throws dev.promguard.HostException if they are not, with the {@link dev.promguard.HostException#status() status}
     *     {@code ROLLED_BACK}; or if that is not known, since the host does not answer, with another
     */
    void confirm();

    /**
     * Has the host roll back now what was changed and nobody has confirmed, instead of when the time for a confirmation is over. May be
     * called on the session that made the changes, and again without harm. Does nothing where no rollback is armed. The rollback itself
     * does not depend on this session: it comes to its end also if the connection breaks.
     *
     * <p>It returns when the host is as it was before these changes.
     *
     * @throws dev.promguard.HostException if the host does not answer, or did not come to the end of its rollback; an armed rollback
     *     still begins when its time is over
     */
    void rollBack();

    /**
     * Tries ports from the host, several at once, changing nothing there. Over a port without a page nothing is sent.
     *
     * @param probes what to try; none sends nothing to the host
     * @param timeout how long to wait at one port for a connection; a page has three times as long to come
     * @return what came of each, in the order of the ports
     * @throws dev.promguard.HostException if the host does not answer, or answers nonsense
     */
    List<ProbeResult> probe(List<Probe> probes, Duration timeout);

    /**
     * Forwards a port of this machine's loopback interface to an address seen from the host. The forward ends with the session.
     *
     * @param address where the host connects to, such as {@code 127.0.0.1}
     * @param port the port there
     * @return the local port
     * @throws dev.promguard.HostException if it cannot be set up
     */
    int forward(String address, int port);

    /** Ends the session and its forwards. Never throws; closing again does nothing. */
    @Override
    void close();

    /** SanitizedException of changes as they happen. */
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
         * Something of PromGuard's, or that it brought along, stays on the host although its parts are being taken off.
         *
         * @param what what stays, in words
         */
        default void left(String what) {}

        /**
         * Something about the host came to light that did not stop the changes and that somebody should know, such as a package source
         * that does not answer.
         *
         * @param note what, in words
         */
        default void noted(String note) {}

        /**
         * The host made itself a new host key and waits for leave to use it. The implementation keeps it durably before
         * it returns; if it throws, the host keeps its old key.
         *
         * @param fingerprint the new key's fingerprint
         */
        void newHostKey(HostKeyFingerprint fingerprint);
    }
}
