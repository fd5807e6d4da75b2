package dev.promguard.ssh.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.connection.ConnectionException;
import net.schmizz.sshj.connection.channel.OpenFailException;
import net.schmizz.sshj.connection.channel.direct.Session;
import org.jspecify.annotations.Nullable;

/**
 * Runs one script on the host. Whatever the host does, the calling thread waits no longer than the deadline, keeps no more
 * than the limits allow, and comes back at once when interrupted. For one use by one thread.
 */
final class Exec {
    /** What a line of the protocol means. */
    @FunctionalInterface
    interface Lines {
        /**
         * Takes one line.
         *
         * @param line the line without its nonce
         * @param answer how to answer
         * @throws FactsParser.MalformedException if the line makes no sense
         * @throws IOException if the answer cannot be sent
         */
        void line(String line, Answer answer) throws FactsParser.MalformedException, IOException;
    }

    /** Answers the script. */
    interface Answer {
        /**
         * Sends a line.
         *
         * @param text the line
         * @throws IOException if it cannot be sent
         */
        void send(String text) throws IOException;

        /**
         * Sends more than a line, while lines of the script are read on. If it cannot be sent, the script ends or the connection is lost.
         *
         * @param content writes it
         * @throws IOException if nothing can be sent
         */
        void send(Content content) throws IOException;
    }

    /** What is written to the script by a thread of its own. */
    @FunctionalInterface
    interface Content {
        /**
         * Writes it.
         *
         * @param input the script's input, which stays open
         * @throws IOException if it cannot be written, or the thread is interrupted
         */
        void write(OutputStream input) throws IOException;
    }

    /** Opens a channel where a connection may have none. */
    @FunctionalInterface
    interface Elsewhere {
        /**
         * Opens one over another connection.
         *
         * @param refusal how it was refused
         * @return the channel
         * @throws IOException if there is none; the refusal itself where no other connection can be made
         */
        Session open(OpenFailException refusal) throws IOException;
    }

    private static final int LINE_LIMIT = 64 * 1024;
    private static final long OUTPUT_LIMIT = 8L * 1024 * 1024;

    /**
     * What a host may send on a channel before it has to wait, in bytes. More than is ever read: sshj lets the host send more
     * before it counts that itself, so where a host floods both of its streams, sshj may find that too much came.
     */
    static final long WINDOW = OUTPUT_LIMIT + 1024 * 1024;

    private static final Duration SENT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration CLOSED_CHECK = Duration.ofMillis(200);

    private sealed interface Event {}

    private record Line(String text) implements Event {}

    private record Ended() implements Event {}

    private record Broken(Exception failure) implements Event {}

    private final SSHClient client;
    private final Elsewhere elsewhere;
    private final ExecutorService workers;
    private final String command;
    private final String nonce;
    private final Tail tail;
    private final Tail words;
    private final boolean quotes;
    private volatile boolean begun;
    private final BlockingQueue<Event> events = new ArrayBlockingQueue<>(1024);
    private final AtomicLong read = new AtomicLong();
    private volatile @Nullable IOException unsent;

    /** The host takes logins and runs no command. */
    static final class RefusedException extends IOException {
        private static final long serialVersionUID = 1L;

        RefusedException(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /** The host sent more than is ever read. */
    static final class FloodException extends IOException {
        private static final long serialVersionUID = 1L;

        FloodException() {
            super("the host sent more than " + OUTPUT_LIMIT / (1024 * 1024) + " MiB");
        }
    }

    /**
     * An execution.
     *
     * @param elsewhere what opens the channel where the client may have none
     * @param quotes whether what a host prints instead of running the script may be quoted: not where the script holds secrets, since
     *     the host may print that
     */
    Exec(SSHClient client, Elsewhere elsewhere, ExecutorService workers, String user, String nonce, boolean quotes) {
        this.client = client;
        this.elsewhere = elsewhere;
        this.workers = workers;
        this.command = user.equals("root") ? "sh -s" : "sudo -n sh -s";
        this.nonce = nonce;
        this.tail = new Tail(nonce);
        this.words = new Tail(nonce);
        this.quotes = quotes;
    }

    /** The last lines that the script printed beside the protocol, or that the host printed instead of running it. */
    String tail() {
        String said = quotes && !begun ? words.text() : "";
        return (said + '\n' + tail.text()).strip();
    }

    /** Whether the script ran, by a line of its protocol. */
    boolean begun() {
        return begun;
    }

    /**
     * Runs the script to its end.
     *
     * @param answers whether the script waits for answers; if not, its input ends with it
     * @return the exit code, or empty if the host did not tell one
     */
    OptionalInt run(Script script, boolean answers, Duration limit, Lines lines)
            throws IOException, InterruptedException, TimeoutException, FactsParser.MalformedException {
        long deadline = System.nanoTime() + limit.toNanos();
        byte[] sent = script.array();
        int length = script.length();
        BlockingQueue<Session.Command> started = new ArrayBlockingQueue<>(1);
        workers.execute(() -> {
            Session.Command running;
            try {
                running = channel().exec(command);
            } catch (ConnectionException e) {
                report(new Broken(client.isConnected() ? new RefusedException(e) : e));
                return;
            } catch (IOException | RuntimeException e) {
                report(new Broken(e));
                return;
            }
            workers.execute(() -> pump(running, true));
            workers.execute(() -> pump(running, false));
            try {
                OutputStream input = running.getOutputStream();
                input.write(sent, 0, length);
                input.flush();
                if (!answers) {
                    input.close();
                }
            } catch (IOException e) {
                // A command that ends without reading on says more by its exit code and output.
                unsent = e;
            } catch (RuntimeException e) {
                report(new Broken(e));
            }
            started.add(running);
        });
        int open = 2;
        while (open > 0) {
            long left = deadline - System.nanoTime();
            Event event = events.poll(Math.min(left, CLOSED_CHECK.toNanos()), TimeUnit.NANOSECONDS);
            if (event == null) {
                // Readers that were stopped by a close may be gone without a word.
                if (workers.isShutdown()) {
                    throw new IOException("the session was closed");
                }
                if (left <= 0) {
                    throw new TimeoutException("no end within " + limit.toSeconds() + " s");
                }
            } else if (event instanceof Ended) {
                open--;
            } else if (event instanceof Broken broken) {
                throw broken.failure() instanceof IOException failure ? failure : new IOException(broken.failure());
            } else if (event instanceof Line line && protocol(line.text()) >= 0) {
                int start = protocol(line.text());
                begun = true;
                lines.line(line.text().substring(start), answer(started));
            }
        }
        Session.Command running = started.poll(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        if (running == null) {
            throw new TimeoutException("the script could not be sent within " + limit.toSeconds() + " s");
        }
        try (Session.Command closing = running) {
            closing.join(10, TimeUnit.SECONDS);
            Integer code = closing.getExitStatus();
            IOException failure = unsent;
            if (failure != null && (code == null || code == 0)) {
                throw failure;
            }
            return code == null ? OptionalInt.empty() : OptionalInt.of(code);
        }
    }

    /** A server may still count the command before, which has ended, or one that relays, and let a connection have no further one. */
    private Session channel() throws IOException {
        try {
            return client.startSession();
        } catch (OpenFailException e) {
            return elsewhere.open(e);
        }
    }

    /**
     * Where the protocol begins in a line, or -1 if the line is none of it. What a login shell prints first may end without a line end,
     * so the first line of the protocol may follow that.
     */
    private int protocol(String line) {
        String start = nonce + '\t';
        int at = line.indexOf(start);
        return at == 0 || (at > 0 && !begun) ? at + start.length() : -1;
    }

    private Answer answer(BlockingQueue<Session.Command> started) {
        return new Answer() {
            @Override
            public void send(String text) throws IOException {
                OutputStream input = sent(started).getOutputStream();
                input.write((text + '\n').getBytes(StandardCharsets.US_ASCII));
                input.flush();
            }

            @Override
            public void send(Content content) throws IOException {
                OutputStream input = sent(started).getOutputStream();
                workers.execute(() -> {
                    try {
                        content.write(input);
                        input.flush();
                    } catch (IOException e) {
                        // A script that ends without reading on says more by its last lines and its exit code.
                        unsent = e;
                    } catch (RuntimeException e) {
                        report(new Broken(e));
                    }
                });
            }
        };
    }

    /** The command once all of its script is on the way: a quick host may speak before the sender has come that far here. */
    private static Session.Command sent(BlockingQueue<Session.Command> started) throws IOException {
        try {
            Session.Command running = started.poll(SENT_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            if (running == null) {
                throw new IOException("the script spoke before it was sent");
            }
            started.add(running);
            return running;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            InterruptedIOException interrupted = new InterruptedIOException("interrupted while a script was sent");
            interrupted.initCause(e);
            throw interrupted;
        }
    }

    private void pump(Session.Command running, boolean protocol) {
        InputStream in = protocol ? running.getInputStream() : running.getErrorStream();
        byte[] buffer = new byte[8192];
        byte[] line = new byte[1024];
        int length = 0;
        try {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                read.addAndGet(count);
                if (received(running) > OUTPUT_LIMIT) {
                    throw flood();
                }
                for (int i = 0; i < count; i++) {
                    if (buffer[i] == '\n') {
                        take(line, length, protocol);
                        length = 0;
                    } else if (length < LINE_LIMIT) {
                        if (length == line.length) {
                            line = Arrays.copyOf(line, length * 2);
                        }
                        line[length++] = buffer[i];
                    } else if (protocol) {
                        throw new IOException("the host sent a line of more than " + LINE_LIMIT / 1024 + " KiB");
                    }
                }
            }
            if (length > 0 && protocol) {
                words.add(line, length);
            } else if (length > 0) {
                take(line, length, false);
            }
            report(new Ended());
        } catch (IOException e) {
            report(new Broken(broken(running, e)));
        } catch (RuntimeException e) {
            report(new Broken(e));
        }
    }

    /** What came from the host, in bytes, read or not. */
    private long received(Session.Command running) throws IOException {
        return read.get()
                + running.getInputStream().available()
                + running.getErrorStream().available();
    }

    private IOException broken(Session.Command running, IOException failure) {
        try {
            return received(running) > OUTPUT_LIMIT ? flood() : failure;
        } catch (IOException e) {
            failure.addSuppressed(e);
            return failure;
        }
    }

    private static IOException flood() {
        return new FloodException();
    }

    private void take(byte[] line, int length, boolean protocol) {
        if (protocol) {
            if (quotes && !begun) {
                words.add(line, length);
            }
            report(new Line(new String(line, 0, length, StandardCharsets.UTF_8)));
        } else {
            tail.add(line, length);
        }
    }

    private void report(Event event) {
        try {
            events.put(event);
        } catch (InterruptedException e) {
            // The session was closed and nobody waits for the event any more.
            Thread.currentThread().interrupt();
        }
    }
}
