package dev.promguard.ssh.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.connection.channel.Channel;
import net.schmizz.sshj.connection.channel.OpenFailException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ports of this machine's loopback interface that lead to ports seen from a host. A connection that fails ends alone: the port takes
 * the next one, until the session ends or is lost. Thread-safe.
 */
final class Forwards implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Forwards.class);
    private static final int PARALLEL = 128;

    private final String host;
    private final Supplier<SSHClient> client;
    private final Relay relay;
    private final ExecutorService workers;
    private final Queue<ServerSocket> listeners = new ConcurrentLinkedQueue<>();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final Semaphore free = new Semaphore(PARALLEL);
    private volatile boolean closed;
    private volatile boolean relayed;

    /** The host's SSH server forbids to forward ports, and there is no way around it. */
    static final class ForbiddenException extends IOException {
        private static final long serialVersionUID = 1L;

        ForbiddenException(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /**
     * Forwards of one session.
     *
     * @param host its name, for the log
     * @param client the session's connection, which may be another one later
     * @param relay the way for hosts that forbid to forward ports
     * @param workers threads of these forwards alone
     */
    Forwards(String host, Supplier<SSHClient> client, Relay relay, ExecutorService workers) {
        this.host = host;
        this.client = client;
        this.relay = relay;
        this.workers = workers;
    }

    /**
     * Opens a local port. Whether something listens on the other side does not matter yet; whether the host lets connections through
     * does.
     *
     * @return the local port
     * @throws ForbiddenException if the host lets none through
     */
    int open(String address, int port) throws IOException {
        try {
            connect(address, port).close();
        } catch (Relay.PortClosedException e) {
            LOG.debug("{}: nothing listens on {}:{} yet", host, address, port, e);
        } catch (OpenFailException e) {
            if (e.getReason() != OpenFailException.Reason.CONNECT_FAILED) {
                throw new ForbiddenException(e);
            }
            LOG.debug("{}: nothing listens on {}:{} yet", host, address, port, e);
        } catch (IOException e) {
            throw relayed && client.get().isConnected() ? new ForbiddenException(e) : e;
        }
        ServerSocket listener = new ServerSocket();
        listeners.add(listener);
        try {
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
            if (closed) {
                throw new IOException("the session is closed");
            }
            workers.execute(() -> listen(listener, address, port));
            workers.execute(() -> closeWithSession(listener));
            return listener.getLocalPort();
        } catch (IOException | RejectedExecutionException e) {
            listener.close();
            throw e instanceof IOException failure ? failure : new IOException("the session is closed", e);
        }
    }

    private Channel connect(String address, int port) throws IOException {
        if (!relayed) {
            try {
                SSHClient connected = client.get();
                if (!connected.isConnected()) {
                    throw new IOException("the connection to the host is lost");
                }
                return connected.newDirectConnection(address, port);
            } catch (OpenFailException e) {
                if (e.getReason() != OpenFailException.Reason.ADMINISTRATIVELY_PROHIBITED
                        && e.getReason() != OpenFailException.Reason.UNKNOWN_CHANNEL_TYPE) {
                    throw e;
                }
                LOG.debug("{}: no port may be forwarded; a command relays instead", host, e);
                relayed = true;
            }
        }
        return relay.open(address, port);
    }

    private void listen(ServerSocket listener, String address, int port) {
        while (!listener.isClosed()) {
            try {
                free.acquire();
                boolean taken = false;
                try {
                    Socket socket = listener.accept();
                    open.add(socket);
                    workers.execute(() -> serve(socket, address, port));
                    taken = true;
                } finally {
                    if (!taken) {
                        free.release();
                    }
                }
            } catch (IOException e) {
                LOG.debug("{}: no connection was taken", host, e);
            } catch (InterruptedException | RejectedExecutionException e) {
                LOG.debug("{}: a forward ended with its session", host, e);
                closeQuietly(listener);
            }
        }
    }

    /** Refuses further connections once the host is gone. */
    private void closeWithSession(ServerSocket listener) {
        SSHClient watched;
        do {
            watched = client.get();
            try {
                watched.getTransport().join();
            } catch (IOException e) {
                LOG.debug("{}: the connection was lost", host, e);
            }
            // Facts may have been read over a new connection since.
        } while (!closed && client.get() != watched);
        closeQuietly(listener);
    }

    private void serve(Socket socket, String address, int port) {
        Channel channel = null;
        try {
            socket.setTcpNoDelay(true);
            channel = connect(address, port);
            Channel connected = channel;
            CountDownLatch answered = new CountDownLatch(1);
            workers.execute(() -> {
                try {
                    copy(connected.getInputStream(), socket.getOutputStream());
                    socket.shutdownOutput();
                } catch (IOException | RuntimeException e) {
                    LOG.debug("{}: a forwarded connection broke", host, e);
                    closeQuietly(socket);
                } finally {
                    answered.countDown();
                }
            });
            copy(socket.getInputStream(), connected.getOutputStream());
            connected.getOutputStream().close();
            answered.await();
        } catch (IOException | RuntimeException e) {
            // Whatever it is, the next connection may do better.
            LOG.debug("{}: a forwarded connection failed", host, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            closeQuietly(socket);
            closeQuietly(channel);
            open.remove(socket);
            free.release();
        }
    }

    private static void copy(InputStream in, OutputStream out) throws IOException {
        byte[] buffer = new byte[16 * 1024];
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            out.write(buffer, 0, count);
            out.flush();
        }
    }

    private void closeQuietly(@Nullable AutoCloseable resource) {
        try {
            if (resource != null) {
                resource.close();
            }
        } catch (Exception e) {
            LOG.debug("{}: a forward did not close", host, e);
        }
    }

    /** Ends all forwards, and waits a moment until none of their ports takes a connection any more. */
    @Override
    public void close() {
        closed = true;
        listeners.forEach(this::closeQuietly);
        open.forEach(this::closeQuietly);
        relay.close();
        workers.shutdownNow();
        if (!listeners.isEmpty() && !Thread.currentThread().isInterrupted()) {
            // A port takes connections until the thread that accepts them has noticed.
            try {
                if (!workers.awaitTermination(500, TimeUnit.MILLISECONDS)) {
                    LOG.debug("{}: a forward takes its time to end", host);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
