package dev.promguard.digitalocean;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A server that treats its n-th connection as the n-th script says; the last script serves all further ones. */
final class RawServer implements AutoCloseable {
    private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length: *([0-9]+)\r\n");

    /** CR LF CR LF. */
    private static final int END_OF_HEAD = 0x0d0a0d0a;

    private final ServerSocket server;
    private final List<Script> scripts;
    private final Queue<String> requests = new ConcurrentLinkedQueue<>();
    private final Queue<Socket> open = new ConcurrentLinkedQueue<>();

    /** What to do with a connection. It is closed afterwards. */
    interface Script {
        void serve(Connection connection) throws IOException;
    }

    /** A connection. */
    record Connection(Socket socket, Queue<String> requests) {
        /** Reads a request whole, and keeps its first line. */
        void readRequest() throws IOException {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            ByteArrayOutputStream head = new ByteArrayOutputStream();
            int last = 0;
            while (last != END_OF_HEAD) {
                int next = in.read();
                if (next < 0) {
                    throw new IOException("the request ended in its head");
                }
                head.write(next);
                last = last << 8 | next;
            }
            String text = head.toString(StandardCharsets.ISO_8859_1);
            Matcher length = LENGTH.matcher(text);
            if (length.find()) {
                in.readNBytes(Integer.parseInt(length.group(1)));
            }
            requests.add(text.lines().findFirst().orElseThrow().replace(" HTTP/1.1", ""));
        }

        void write(String text) throws IOException {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
            socket.getOutputStream().flush();
        }

        /** Ends the connection with RST. */
        void reset() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }

        /** PollIntervals until the other side gives up. */
        void waitForEnd() throws IOException {
            socket.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
        }
    }

    RawServer(Script... scripts) throws IOException {
        this.scripts = List.of(scripts);
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(this::accept, "raw-server");
        thread.setDaemon(true);
        thread.start();
    }

    /** Answers every request of a connection's first exchange with a JSON body. */
    static Script answering(int status, String body) {
        return connection -> {
            connection.readRequest();
            connection.write("HTTP/1.1 " + status
                    + " X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: "
                    + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body);
        };
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getLocalPort());
    }

    /** The first lines of the requests so far. */
    List<String> requests() {
        return List.copyOf(requests);
    }

    private void accept() {
        for (int n = 0; !server.isClosed(); n++) {
            Script script = scripts.get(Math.min(n, scripts.size() - 1));
            try {
                Socket socket = server.accept();
                open.add(socket);
                Thread thread = new Thread(() -> serve(script, socket), "raw-server-" + n);
                thread.setDaemon(true);
                thread.start();
            } catch (IOException e) {
                if (!server.isClosed()) {
                    throw new IllegalStateException("cannot accept", e);
                }
            }
        }
    }

    private void serve(Script script, Socket socket) {
        try (socket) {
            script.serve(new Connection(socket, requests));
        } catch (IOException e) {
            requests.add("broken off: " + e.getMessage());
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
