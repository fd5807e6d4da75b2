package dev.promguard.internal.observe;

import dev.promguard.keys.Secret;
import dev.promguard.spi.HostSession;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of one run, and the key that they log in with. A session that is added after the end, by a worker that was late,
 * is closed at once. Thread-safe.
 */
public final class Sessions implements AutoCloseable {
    private final Supplier<Secret> source;
    private final Map<String, HostSession> open = new HashMap<>();
    private @Nullable Secret loginKey;
    private boolean closed;

    /**
     * No session yet.
     *
     * @param loginKey reads the key to log in with, when it is first needed: a mesh may not have one before
     */
    public Sessions(Supplier<Secret> loginKey) {
        this.source = loginKey;
    }

    /**
     * The key to log in with.
     *
     * @return the key, which stays this object's to close
     * @throws dev.promguard.StateException if it is missing
     */
    public synchronized Secret loginKey() {
        Secret key = loginKey;
        if (key == null) {
            key = source.get();
            loginKey = key;
        }
        return key;
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

    /** Closes every session and the login key. */
    @Override
    public void close() {
        List<HostSession> all;
        Secret key;
        synchronized (this) {
            closed = true;
            all = new ArrayList<>(open.values());
            open.clear();
            key = loginKey;
        }
        all.forEach(HostSession::close);
        if (key != null) {
            key.close();
        }
    }
}
