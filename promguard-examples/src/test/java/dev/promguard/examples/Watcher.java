package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Knocks, every 50 ms and from the public network, at the ports of exporters and of Prometheus at the public address of every
 * host, from the moment the host exists until it is gone.
 */
final class Watcher implements AutoCloseable {
    private static final Duration EVERY = Duration.ofMillis(50);
    private static final int PATIENCE_MILLIS = 400;

    private final LocalCloud cloud;
    private final List<Integer> ports;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final ExecutorService hands = Executors.newCachedThreadPool();
    private final Set<String> opened = ConcurrentHashMap.newKeySet();
    private final ScheduledFuture<?> rounds;
    private final AtomicLong closed = new AtomicLong();

    Watcher(LocalCloud cloud) {
        this(cloud, 9100, 9090);
    }

    Watcher(LocalCloud cloud, Integer... ports) {
        this.cloud = cloud;
        this.ports = List.of(ports);
        rounds = clock.scheduleAtFixedRate(this::round, 0, EVERY.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void round() {
        for (LocalDroplet droplet : cloud.droplets()) {
            ports.stream()
                    .map(port -> new InetSocketAddress(droplet.publicAddress(), port))
                    .forEach(door -> hands.execute(() -> knock(droplet.name(), door)));
        }
    }

    private void knock(String host, InetSocketAddress door) {
        try (Socket socket = new Socket()) {
            socket.connect(door, PATIENCE_MILLIS);
            opened.add(host + " " + door);
        } catch (IOException e) {
            closed.incrementAndGet();
        }
    }

    /** Every door that was ever open. */
    Set<String> opened() {
        assertThat(rounds.isDone()).as("the watcher has stopped").isFalse();
        return new TreeSet<>(opened);
    }

    /** How often a door was found closed. */
    long closed() {
        return closed.get();
    }

    @Override
    public void close() {
        clock.shutdownNow();
        hands.shutdown();
    }
}
