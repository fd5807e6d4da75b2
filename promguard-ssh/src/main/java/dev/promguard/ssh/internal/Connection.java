package dev.promguard.ssh.internal;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostTarget;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import net.schmizz.sshj.DefaultConfig;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.connection.channel.Channel;
import net.schmizz.sshj.transport.TransportException;
import net.schmizz.sshj.userauth.method.AuthMethod;
import org.jspecify.annotations.Nullable;

/** A connection to an SSH server, from here or through the connection to a jump host, which it owns. */
final class Connection implements AutoCloseable {
    private final HostTarget server;
    private final List<LoginKey> login;
    private final @Nullable Connection below;
    private final PinnedKeys pinned;
    private final SSHClient client;
    private final TrackedSockets sockets;

    /** Why the connection ended, once it has. */
    private volatile @Nullable TransportException end;

    /** The way to a server through a connection. */
    private record Way(SSHClient through, HostTarget to) implements TrackedSockets.Tunnel {
        @Override
        public Channel open() throws IOException {
            return through.newDirectConnection(to.address(), to.port());
        }

        @Override
        public int port() {
            return to.port();
        }
    }

    /**
     * A connection that is not made yet.
     *
     * @param server the host, or a jump host
     * @param login what to log in with
     * @param below the connection that it goes through, or null
     * @param config the algorithms
     * @param settings the times
     */
    Connection(
            HostTarget server,
            List<LoginKey> login,
            @Nullable Connection below,
            DefaultConfig config,
            Settings settings) {
        this.server = server;
        this.login = login;
        this.below = below;
        this.pinned = new PinnedKeys(server.acceptedHostKeys(), server.certificates(), server.trustOnFirstUse());
        this.client = new SSHClient(config);
        this.sockets = new TrackedSockets(
                client.getConnection().getKeepAlive(), below == null ? null : new Way(below.client, server));
        client.setSocketFactory(sockets);
        client.getTransport().setDisconnectListener((reason, message) -> end = new TransportException(reason, message));
        client.addHostKeyVerifier(pinned);
        client.getConnection().getKeepAlive().setKeepAliveInterval((int)
                settings.keepAlive().toSeconds());
        client.getConnection().setWindowSize(Exec.WINDOW);
    }

    /** Connects and logs in. The connection below is there already. */
    void open(int timeout) throws IOException {
        client.setConnectTimeout(timeout);
        client.getTransport().setTimeoutMs(timeout);
        if (below != null) {
            below.client.getConnection().setTimeoutMs(timeout);
        }
        try {
            client.connect(server.address(), server.port());
            List<AuthMethod> methods = new ArrayList<>();
            login.forEach(key -> methods.add(key.method()));
            client.auth(server.user(), methods);
        } catch (IllegalStateException e) {
            close();
            throw why(e);
        } catch (IOException | RuntimeException e) {
            // Here too, for an attempt that was given up before the thread that keeps the connection alive had started.
            close();
            throw e;
        }
        if (pinned.proven() == null || !client.isAuthenticated()) {
            throw new IOException("the connection ended before the login did");
        }
    }

    /** sshj says nothing but "Not connected" if the connection ended while no step was waiting for it. */
    private IOException why(IllegalStateException notConnected) {
        TransportException known = end;
        return known == null
                ? new IOException(notConnected)
                : new TransportException(known.getDisconnectReason(), known.getMessage(), notConnected);
    }

    /** The host, or the jump host. */
    HostTarget server() {
        return server;
    }

    List<LoginKey> login() {
        return login;
    }

    PinnedKeys pinned() {
        return pinned;
    }

    SSHClient client() {
        return client;
    }

    /** The connection that this one goes through, or null. */
    @Nullable
    Connection below() {
        return below;
    }

    /** What the other side said before the greeting of an SSH server. */
    String heard() {
        return sockets.heard();
    }

    /** The key that the server proved. */
    HostKeyFingerprint hostKey() {
        return Objects.requireNonNull(pinned.proven());
    }

    /** The keys that the jump hosts proved, in the order in which they are passed. */
    List<HostKeyFingerprint> jumpHostKeys() {
        List<HostKeyFingerprint> keys = new ArrayList<>();
        for (Connection hop = below; hop != null; hop = hop.below) {
            keys.add(0, hop.hostKey());
        }
        return List.copyOf(keys);
    }

    /** Tells the server, and then the jump hosts, that the connection ends. Waits for those that do not listen. */
    void disconnect() throws IOException {
        client.disconnect();
        if (below != null) {
            below.disconnect();
        }
    }

    /** Cuts it, and the connections that it goes through. Safe from any thread. */
    @Override
    public void close() {
        sockets.close();
        if (below != null) {
            below.close();
        }
    }
}
