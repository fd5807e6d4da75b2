package dev.promguard.ssh.internal;

import dev.promguard.keys.SshPublicKey;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * Asks an SSH agent which keys it has, and has it sign with them. What it answers is bounded in size and time. Each question goes over a
 * connection of its own. Thread-safe.
 */
final class SshAgent {
    private static final int FAILURE = 5;
    private static final int REQUEST_IDENTITIES = 11;
    private static final int IDENTITIES_ANSWER = 12;
    private static final int SIGN_REQUEST = 13;
    private static final int SIGN_RESPONSE = 14;
    /** What OpenSSH's agent takes and gives at most. */
    private static final int LONGEST = 256 * 1024;

    private static final int MOST_KEYS = 1024;

    private final Path socket;
    private final Duration timeout;

    /** A key that an agent has. */
    static final class Key {
        private final String type;
        private final byte[] blob;

        private Key(byte[] blob) throws IOException {
            this.blob = blob;
            this.type = new String(string(ByteBuffer.wrap(blob)), StandardCharsets.ISO_8859_1);
        }

        /** Its type, such as {@code ssh-ed25519}; not checked. */
        String type() {
            return type;
        }

        /** The public key or the certificate, as SSH sends it. */
        byte[] blob() {
            return blob.clone();
        }

        /** Whether it is a key. */
        boolean is(SshPublicKey key) {
            return Base64.getEncoder().encodeToString(blob).equals(key.base64());
        }
    }

    /** The agent is there and does not do what it is asked for. */
    static final class RefusedException extends IOException {
        private static final long serialVersionUID = 1L;

        RefusedException() {
            super("it refuses");
        }
    }

    /**
     * An agent.
     *
     * @param socket its socket
     * @param timeout how long one answer may take; somebody may have to touch a token
     */
    SshAgent(Path socket, Duration timeout) {
        this.socket = socket;
        this.timeout = timeout;
    }

    /** The agent's socket. */
    Path socket() {
        return socket;
    }

    /**
     * Lists its keys.
     *
     * @return the keys; empty if it has none, or is locked
     * @throws IOException if it is not there, or gives an answer that makes no sense
     */
    List<Key> keys() throws IOException {
        ByteBuffer answer = ask(ByteBuffer.allocate(5).putInt(1).put((byte) REQUEST_IDENTITIES), IDENTITIES_ANSWER);
        int count = answer.remaining() < Integer.BYTES ? -1 : answer.getInt();
        if (count < 0 || count > MOST_KEYS) {
            throw new IOException("it lists " + Integer.toUnsignedString(count) + " keys");
        }
        List<Key> keys = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] blob = string(answer);
            string(answer);
            keys.add(new Key(blob));
        }
        if (answer.hasRemaining()) {
            throw new IOException("something follows its list of keys");
        }
        return List.copyOf(keys);
    }

    /**
     * Has it sign.
     *
     * @param key one of its keys
     * @param data what to sign
     * @param flags 2 for rsa-sha2-256, 4 for rsa-sha2-512, else 0
     * @param algorithm what the signature has to be
     * @return the signature, with its algorithm before it
     * @throws RefusedException if it refuses
     * @throws IOException if it is not there, or gives an answer that makes no sense
     */
    byte[] sign(Key key, byte[] data, int flags, String algorithm) throws IOException {
        int length = 1 + Integer.BYTES + key.blob().length + Integer.BYTES + data.length + Integer.BYTES;
        ByteBuffer request = ByteBuffer.allocate(Integer.BYTES + length)
                .putInt(length)
                .put((byte) SIGN_REQUEST)
                .putInt(key.blob().length)
                .put(key.blob())
                .putInt(data.length)
                .put(data)
                .putInt(flags);
        ByteBuffer answer = ask(request, SIGN_RESPONSE);
        byte[] signature = string(answer);
        String made = new String(string(ByteBuffer.wrap(signature)), StandardCharsets.ISO_8859_1);
        if (answer.hasRemaining() || !made.equals(algorithm)) {
            throw new IOException("it signs with " + FactsParser.shown(made) + " and was asked for " + algorithm);
        }
        return signature;
    }

    private static byte[] string(ByteBuffer in) throws IOException {
        int length = in.remaining() < Integer.BYTES ? -1 : in.getInt();
        if (length < 0 || length > in.remaining()) {
            throw new IOException("its answer ends too early");
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private ByteBuffer ask(ByteBuffer request, int expected) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
                Selector selector = Selector.open()) {
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT);
            if (!channel.connect(UnixDomainSocketAddress.of(socket))) {
                await(selector, deadline);
                channel.finishConnect();
            }
            key.interestOps(SelectionKey.OP_WRITE);
            request.flip();
            while (request.hasRemaining()) {
                if (channel.write(request) == 0) {
                    await(selector, deadline);
                }
            }
            key.interestOps(SelectionKey.OP_READ);
            int length = read(channel, selector, Integer.BYTES, deadline).getInt();
            if (length < 1 || length > LONGEST) {
                throw new IOException("it announces an answer of " + Integer.toUnsignedString(length) + " bytes");
            }
            ByteBuffer answer = read(channel, selector, length, deadline);
            int type = answer.get() & 0xff;
            if (type == FAILURE) {
                throw new RefusedException();
            } else if (type != expected) {
                throw new IOException("it gives an answer of type " + type);
            }
            return answer;
        }
    }

    private static ByteBuffer read(SocketChannel channel, Selector selector, int length, long deadline)
            throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer);
            if (count < 0) {
                throw new EOFException("it closed the connection");
            } else if (count == 0) {
                await(selector, deadline);
            }
        }
        return buffer.flip();
    }

    private static void await(Selector selector, long deadline) throws IOException {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        if (left <= 0 || selector.select(left) == 0) {
            throw new IOException(Thread.currentThread().isInterrupted() ? "interrupted" : "it did not answer in time");
        }
        selector.selectedKeys().clear();
    }
}
