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
 * A JVM of its own, in whatever network it is started in, that tries TCP doors at a steady pace, all from one thread. It is told
 * on standard input, ends with it, and reports on standard output:
 *
 * <pre>
 * watch HOST ADDRESS PORT      begin to knock at a door
 * leave HOST                   knock no more at the doors of a host; what was seen of them is kept
 * forget                       begin to count anew
 * report                       print "HOST ADDRESS PORT OPENED CLOSED LONGEST-PAUSE WATCHED" of each door, and a dot; in milliseconds
 * </pre>
 */
final class Knocker {
    private static final long EVERY = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(1);

    /** One port at one address of one host, and what came of the knocks at it. */
    private static final class Door {
        private final InetSocketAddress at;
        private boolean watched = true;
        private long opened;
        private long closed;
        private long last;
        private long longestPause;
        private long time;

        Door(InetSocketAddress at) {
            this.at = at;
        }

        void forget() {
            opened = 0;
            closed = 0;
            last = 0;
            longestPause = 0;
            time = 0;
        }

        void knocked(long now) {
            if (last != 0) {
                longestPause = Math.max(longestPause, now - last);
                time += now - last;
            }
            last = now;
        }
    }

    /** A knock that was not answered yet. */
    private record Knock(Door door, SocketChannel channel, long since) {}

    private final Selector selector;
    private final Queue<String> orders = new ConcurrentLinkedQueue<>();
    private final Map<String, Door> doors = new LinkedHashMap<>();
    private final Deque<Knock> waiting = new ArrayDeque<>();

    private Knocker(Selector selector) {
        this.selector = selector;
    }

    public static void main(String[] args) throws IOException {
        try (Selector selector = Selector.open()) {
            Knocker knocker = new Knocker(selector);
            Thread ear = new Thread(knocker::listen, "ear");
            ear.setDaemon(true);
            ear.start();
            knocker.run();
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
                for (Door door : doors.values()) {
                    if (door.watched) {
                        knock(door);
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
                doors.computeIfAbsent(
                                words[1] + ' ' + words[2] + ' ' + words[3],
                                name -> new Door(address(words[2], Integer.parseInt(words[3]))))
                        .watched = true;
            case "leave" ->
                doors.forEach((name, door) -> {
                    if (name.startsWith(words[1] + ' ')) {
                        door.watched = false;
                        door.last = 0;
                    }
                });
            case "forget" -> {
                selector.selectNow();
                hear();
                doors.values().forEach(Door::forget);
            }
            case "report" -> {
                selector.selectNow();
                hear();
                doors.forEach((name, door) -> System.out.println(name
                        + ' '
                        + door.opened
                        + ' '
                        + door.closed
                        + ' '
                        + TimeUnit.NANOSECONDS.toMillis(door.longestPause)
                        + ' '
                        + TimeUnit.NANOSECONDS.toMillis(door.time)));
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

    private void knock(Door door) throws IOException {
        long now = System.nanoTime();
        door.knocked(now);
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        Knock knock = new Knock(door, channel, now);
        try {
            if (channel.connect(door.at)) {
                end(knock, true);
            } else {
                channel.register(selector, SelectionKey.OP_CONNECT, knock);
                waiting.add(knock);
            }
        } catch (IOException e) {
            // There is no way to the host at this moment: it boots, or is gone.
            end(knock, false);
        }
    }

    private void hear() throws IOException {
        for (SelectionKey key : selector.selectedKeys()) {
            Knock knock = (Knock) key.attachment();
            try {
                end(knock, knock.channel().finishConnect());
            } catch (ClosedChannelException e) {
                // It was given up a moment ago, and counted then.
            } catch (IOException e) {
                end(knock, false);
            }
        }
        selector.selectedKeys().clear();
    }

    private void giveUp(long now) throws IOException {
        while (!waiting.isEmpty()
                && (!waiting.peek().channel().isOpen() || now - waiting.peek().since() > PATIENCE)) {
            Knock knock = waiting.remove();
            if (knock.channel().isOpen()) {
                end(knock, false);
            }
        }
    }

    private static void end(Knock knock, boolean opened) throws IOException {
        if (opened) {
            knock.door().opened++;
        } else {
            knock.door().closed++;
        }
        knock.channel().close();
    }
}
