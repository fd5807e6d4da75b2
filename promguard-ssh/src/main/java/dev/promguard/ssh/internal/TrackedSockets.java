package dev.promguard.ssh.internal;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.SocketFactory;
import net.schmizz.sshj.SSHClient;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes sockets without Nagle's delay, and closes the last one from any thread, which ends all that belongs to its connection. */
final class TrackedSockets extends SocketFactory {
    private static final Logger LOG = LoggerFactory.getLogger(TrackedSockets.class);

    private final AtomicReference<@Nullable Socket> last = new AtomicReference<>();
    private final Thread keepAlive;
    private volatile boolean closed;

    /**
     * Sockets for one client.
     *
     * @param keepAlive the client's thread that keeps the connection alive: sshj starts it before the login, and ends it only where
     *     the login succeeds
     */
    TrackedSockets(Thread keepAlive) {
        this.keepAlive = keepAlive;
    }

    @Override
    public Socket createSocket() throws IOException {
        Socket socket = new Socket();
        socket.setTcpNoDelay(true);
        last.set(socket);
        if (closed) {
            close();
            throw new IOException("closed before it was connected");
        }
        return socket;
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return connect(new InetSocketAddress(host, port), null);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return connect(new InetSocketAddress(host, port), new InetSocketAddress(localHost, localPort));
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return connect(new InetSocketAddress(host, port), null);
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress localHost, int localPort) throws IOException {
        return connect(new InetSocketAddress(host, port), new InetSocketAddress(localHost, localPort));
    }

    private Socket connect(InetSocketAddress remote, @Nullable InetSocketAddress local) throws IOException {
        Socket socket = createSocket();
        if (local != null) {
            socket.bind(local);
        }
        socket.connect(remote);
        return socket;
    }

    /** Whether the transport ended by itself, so that a failed login says nothing about the key. */
    boolean broken(SSHClient client) {
        return !client.getTransport().isRunning();
    }

    /** Closes the socket and ends the thread that keeps the connection alive. Safe from any thread. */
    void close() {
        closed = true;
        keepAlive.interrupt();
        Socket socket = last.get();
        if (socket != null) {
            try {
                socket.close();
            } catch (IOException e) {
                LOG.debug("a socket did not close", e);
            }
        }
    }
}
