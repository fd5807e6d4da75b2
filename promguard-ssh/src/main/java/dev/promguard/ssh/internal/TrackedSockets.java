package dev.promguard.ssh.internal;

import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.SocketFactory;
import net.schmizz.sshj.connection.channel.Channel;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes sockets without Nagle's delay, and closes the last one from any thread, which ends all that belongs to its connection. */
final class TrackedSockets extends SocketFactory {
    private static final Logger LOG = LoggerFactory.getLogger(TrackedSockets.class);

    private final AtomicReference<@Nullable Socket> last = new AtomicReference<>();
    private final Thread keepAlive;
    private final @Nullable Tunnel tunnel;
    private final Heard heard = new Heard();
    private volatile boolean closed;

    /** A way through another connection. */
    interface Tunnel {
        /** Opens it. */
        Channel open() throws IOException;

        /** The port that it leads to. */
        int port();
    }

    /** The first bytes that came, for as long as they are no greeting of an SSH server. */
    private static final class Heard {
        private static final int LIMIT = 1024;

        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        synchronized void reset() {
            bytes.reset();
        }

        synchronized void add(byte[] buffer, int offset, int count) {
            bytes.write(buffer, offset, Math.max(0, Math.min(count, LIMIT - bytes.size())));
        }

        /** What came before the greeting, all of it if there was none. */
        synchronized String words() {
            String text = bytes.toString(StandardCharsets.UTF_8);
            int greeting = text.startsWith("SSH-") ? 0 : text.indexOf("\nSSH-");
            return (greeting < 0 ? text : text.substring(0, greeting))
                    .replace('\r', ' ')
                    .strip();
        }
    }

    private final class Listening extends FilterInputStream {
        Listening(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int read = super.read();
            if (read >= 0) {
                heard.add(new byte[] {(byte) read}, 0, 1);
            }
            return read;
        }

        @Override
        public int read(byte[] buffer, int offset, int count) throws IOException {
            int read = super.read(buffer, offset, count);
            if (read > 0) {
                heard.add(buffer, offset, read);
            }
            return read;
        }
    }

    /**
     * Sockets for one client.
     *
     * @param keepAlive the client's thread that keeps the connection alive: sshj starts it before the login, and ends it only where
     *     the login succeeds
     * @param tunnel makes sockets that are connected through another connection; null for sockets of this machine
     */
    TrackedSockets(Thread keepAlive, @Nullable Tunnel tunnel) {
        this.keepAlive = keepAlive;
        this.tunnel = tunnel;
    }

    @Override
    public Socket createSocket() throws IOException {
        heard.reset();
        Socket socket = tunnel == null ? ofThisMachine() : through(tunnel);
        last.set(socket);
        if (closed) {
            close();
            throw new IOException("closed before it was connected");
        }
        return socket;
    }

    private Socket ofThisMachine() throws IOException {
        Socket socket = new Socket() {
            @Override
            public InputStream getInputStream() throws IOException {
                return new Listening(super.getInputStream());
            }
        };
        socket.setTcpNoDelay(true);
        return socket;
    }

    private Socket through(Tunnel way) throws IOException {
        return new TunnelSocket(way.open(), way.port()) {
            @Override
            public InputStream getInputStream() {
                return new Listening(super.getInputStream());
            }
        };
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

    /** What the other side said before the greeting of an SSH server; not printable as it is, at most 1 KiB, mostly empty. */
    String heard() {
        return heard.words();
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
