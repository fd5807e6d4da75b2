package dev.promguard.ssh.internal;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import net.schmizz.sshj.connection.channel.Channel;

/** A socket whose bytes go through another SSH connection. It is connected from the start, and ends with that connection. */
class TunnelSocket extends Socket {
    private final Channel channel;
    private final int port;
    private volatile boolean closed;

    /**
     * A socket over a channel.
     *
     * @param channel an open channel to an address
     * @param port the port there
     */
    TunnelSocket(Channel channel, int port) {
        this.channel = channel;
        this.port = port;
    }

    @Override
    public InputStream getInputStream() {
        return channel.getInputStream();
    }

    @Override
    public OutputStream getOutputStream() {
        return new FilterOutputStream(channel.getOutputStream()) {
            @Override
            public void write(byte[] buffer, int offset, int count) throws IOException {
                out.write(buffer, offset, count);
            }

            /** Does nothing, as the socket: the end of the connection below would have to be waited for, or is there already. */
            @Override
            public void close() {}
        };
    }

    @Override
    public void connect(SocketAddress address, int timeout) {
        throw new IllegalStateException("a tunnel is connected from the start");
    }

    @Override
    public boolean isConnected() {
        return true;
    }

    @Override
    public boolean isClosed() {
        return closed;
    }

    @Override
    public int getPort() {
        return port;
    }

    @Override
    public synchronized void setSoTimeout(int timeout) {
        // Whoever reads is ended with the connection below.
    }

    /** Takes note. Closing the channel would wait for an answer; whoever owns the connection below ends both. */
    @Override
    public synchronized void close() {
        closed = true;
    }
}
