package dev.promguard.internal.observe;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.Identity;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of one run, and what they log in with. A session that is added after the end, by a worker that was late,
 * is closed at once. Thread-safe.
 */
public final class Sessions implements AutoCloseable {
    private final Supplier<Identity> source;
    private final JumpKeys jumpKeys;
    private final Map<String, HostSession> open = new HashMap<>();
    private @Nullable Identity identity;
    private boolean closed;

    /**
     * No session yet.
     *
     * @param identity reads what to log in with, when it is first needed: a mesh may not have a key before
     * @param jumpHosts the host keys of jump hosts that are remembered, by the jump hosts' paths
     */
    public Sessions(Supplier<Identity> identity, Map<String, HostKeyFingerprint> jumpHosts) {
        this.source = identity;
        this.jumpKeys = new JumpKeys(jumpHosts);
    }

    /**
     * What to log in with.
     *
     * @return the identity, which stays this object's to close
     * @throws dev.promguard.StateException if its key is missing
     */
    public synchronized Identity identity() {
        Identity known = identity;
        if (known == null) {
            known = source.get();
            identity = known;
        }
        return known;
    }

    /** The host keys of jump hosts that are known. */
    JumpKeys jumpKeys() {
        return jumpKeys;
    }

    /**
     * Keeps a session. One with the same host that is open already is closed.
     *
     * @param host the host's name
     * @param session the session
     */
    public void add(String host, HostSession session) {
        HostSession earlier = session;
        synchronized (this) {
            if (!closed) {
                earlier = open.put(host, session);
            }
        }
        if (earlier != null) {
            earlier.close();
        }
    }

    /**
     * The open session with a host.
     *
     * @param host the host's name
     * @return the session, or empty if there is none
     */
    public synchronized Optional<HostSession> with(String host) {
        return Optional.ofNullable(open.get(host));
    }

    /**
     * Closes the session with a host, if there is one.
     *
     * @param host the host's name
     */
    public void close(String host) {
        HostSession session;
        synchronized (this) {
            session = open.remove(host);
        }
        if (session != null) {
            session.close();
        }
    }

    /** Closes every session and the identity. */
    @Override
    public void close() {
        List<HostSession> all;
        Identity known;
        synchronized (this) {
            closed = true;
            all = new ArrayList<>(open.values());
            open.clear();
            known = identity;
        }
        all.forEach(HostSession::close);
        if (known != null) {
            known.close();
        }
    }
}
