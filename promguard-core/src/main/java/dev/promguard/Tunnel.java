package dev.promguard;

import dev.promguard.spi.HostSession;
import java.net.URI;

/**
 * A port forwarding from this machine's loopback interface to a service on a monitor, over SSH. Closing it ends the session.
 * Thread-safe.
 */
public final class Tunnel implements AutoCloseable {
    private final HostSession session;
    private final URI uri;

    Tunnel(HostSession session, URI uri) {
        this.session = session;
        this.uri = uri;
    }

    /**
     * Where the service answers on this machine.
     *
     * @return such as {@code http://127.0.0.1:43211/}
     */
    public URI uri() {
        return uri;
    }

    /** Ends the tunnel. Closing again does nothing. */
    @Override
    public void close() {
        session.close();
    }

    /**
     * The tunnel's near end.
     *
     * @return the URI's text
     */
    @Override
    public String toString() {
        return uri.toString();
    }
}
