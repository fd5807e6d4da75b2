package dev.promguard.examples;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * A JVM of its own, in whatever network it is started in, that tries TCP ports at a steady pace, all from one thread. It is told
 * on standard input, ends with it, and reports on standard output:
 *
 * <pre>
 * watch HOST ADDRESS PORT      begin to attempt at a port
 * leave HOST                   attempt no more at the ports of a host; what was seen of them is kept
 * forget                       begin to count anew
 * report                       print "HOST ADDRESS PORT OPENED CLOSED LONGEST-PAUSE WATCHED" of each port, and a dot; in milliseconds
 * </pre>
 */
final class Prober {
    private static final long EVERY = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long TIMEOUT = TimeUnit.SECONDS.toNanos(1);

    /** One port at one address of one host, and what came of the attempts at it. */
    private static final class Probe {
        private final InetSocketAddress at;
        private boolean watched = true;
        private long opened;
        private long closed;
        private long last;
        private long longestPause;
        private long time;

        Probe(InetSocketAddress at) {
            this.at = at;
        }

        void forget() {
            opened = 0;
            closed = 0;
            last = 0;
            longestPause = 0;
            time = 0;
        }

        void probed(long now) {
            if (last != 0) {
                longestPause = Math.max(longestPause, now - last);
                time += now - last;
            }
            last = now;
        }
    }

    /** A attempt that was not answered yet. */
    private record Attempt(Probe probe, SocketChannel channel, long since) {}

    private final Selector selector;
    private final Queue<String> orders = new ConcurrentLinkedQueue<>();
    private final Map<String, Probe> probes = new LinkedHashMap<>();
    private final Deque<Attempt> waiting = new ArrayDeque<>();

    private Prober(Selector selector) {
        this.selector = selector;
    }

    public static void main(String[] args) throws IOException {
        try (Selector selector = Selector.open()) {
            Prober prober = new Prober(selector);
            Thread ear = new Thread(prober::listen, "ear");
            ear.setDaemon(true);
            ear.start();
            prober.run();
        }
    }

    private void listen() {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                orders.add(line);
                selector.wakeup();
            }
        } catch (IOException e) {
            System.err.println("standard input: " + e);
        }
        orders.add("end");
        selector.wakeup();
    }

    private void run() throws IOException {
        long next = System.nanoTime();
        while (true) {
            for (String order = orders.poll(); order != null; order = orders.poll()) {
                if (order.equals("end")) {
                    return;
                }
                obey(order.split(" ", -1));
            }
            long now = System.nanoTime();
            if (now >= next) {
                for (Probe probe : probes.values()) {
                    if (probe.watched) {
                        probe(probe);
                    }
                }
                giveUp(now);
                next = Math.max(next + EVERY, now);
            }
            selector.select(Math.max(1, TimeUnit.NANOSECONDS.toMillis(next - System.nanoTime())));
            hear();
        }
    }

    private void obey(String[] words) throws IOException {
        switch (words[0]) {
            case "watch" ->
                probes.computeIfAbsent(
                                words[1] + ' ' + words[2] + ' ' + words[3],
                                name -> new Probe(address(words[2], Integer.parseInt(words[3]))))
                        .watched = true;
            case "leave" ->
                probes.forEach((name, probe) -> {
                    if (name.startsWith(words[1] + ' ')) {
                        probe.watched = false;
                        probe.last = 0;
                    }
                });
            case "forget" -> {
                selector.selectNow();
                hear();
                probes.values().forEach(Probe::forget);
            }
            case "report" -> {
                selector.selectNow();
                hear();
                probes.forEach((name, probe) -> System.out.println(name
                        + ' '
                        + probe.opened
                        + ' '
                        + probe.closed
                        + ' '
                        + TimeUnit.NANOSECONDS.toMillis(probe.longestPause)
                        + ' '
                        + TimeUnit.NANOSECONDS.toMillis(probe.time)));
                System.out.println(".");
                System.out.flush();
            }
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private static InetSocketAddress address(String address, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByName(address), port);
        } catch (IOException e) {
            throw new IllegalArgumentException(address + " is not an address here", e);
        }
    }

    private void probe(Probe probe) throws IOException {
        long now = System.nanoTime();
        probe.probed(now);
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        Attempt attempt = new Attempt(probe, channel, now);
        try {
            if (channel.connect(probe.at)) {
                end(attempt, true);
            } else {
                channel.register(selector, SelectionKey.OP_CONNECT, attempt);
                waiting.add(attempt);
            }
        } catch (IOException e) {
            // There is no way to the host at this moment: it boots, or is gone.
            end(attempt, false);
        }
    }

    private void hear() throws IOException {
        for (SelectionKey key : selector.selectedKeys()) {
            Attempt attempt = (Attempt) key.attachment();
            try {
                end(attempt, attempt.channel().finishConnect());
            } catch (ClosedChannelException e) {
                // It was given up a moment ago, and counted then.
            } catch (IOException e) {
                end(attempt, false);
            }
        }
        selector.selectedKeys().clear();
    }

    private void giveUp(long now) throws IOException {
        while (!waiting.isEmpty()
                && (!waiting.peek().channel().isOpen() || now - waiting.peek().since() > TIMEOUT)) {
            Attempt attempt = waiting.remove();
            if (attempt.channel().isOpen()) {
                end(attempt, false);
            }
        }
    }

    private static void end(Attempt attempt, boolean opened) throws IOException {
        if (opened) {
            attempt.probe().opened++;
        } else {
            attempt.probe().closed++;
        }
        attempt.channel().close();
    }
}
