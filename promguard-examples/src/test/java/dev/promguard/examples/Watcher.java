package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.examples.localcloud.LocalCloud;
import dev.promguard.examples.localcloud.LocalDroplet;
import dev.promguard.examples.localcloud.Outsider;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * ProbeScript, every 50 ms and from a host on the public network that is in no mesh, at the ports of exporters and of Prometheus at every
 * address of every host, from the moment the host exists until it is gone: the public address, the private one and the one inside
 * the tunnel, both routed by way of the public one, and the link-local IPv6 address.
 */
final class Watcher implements AutoCloseable {
    private static final Duration EVERY = Duration.ofMillis(50);

    /**
     * What came of the probes one port at one address of one host.
     *
     * @param opened how many were answered
     * @param closed how many were not
     * @param longestPause the longest time between two of them
     * @param watched from the first of them to the last, without the times when there was no such host
     */
    record Probe(
            String host, String address, int port, long opened, long closed, Duration longestPause, Duration watched) {
        String name() {
            return host + " " + address + " " + port;
        }
    }

    private final LocalCloud cloud;
    private final List<Integer> ports;
    private final Map<String, String> meshAddresses = new HashMap<>();
    private final Map<Long, String> known = new HashMap<>();
    private final Outsider outsider;
    private final Process prober;
    private final PrintWriter orders;
    private final BufferedReader reports;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final ScheduledFuture<?> rounds;

    Watcher(LocalCloud cloud) {
        this(cloud, 9100, 9090);
    }

    Watcher(LocalCloud cloud, Integer... ports) {
        this.cloud = cloud;
        this.ports = List.of(ports);
        outsider = cloud.outsider();
        try {
            prober = new ProcessBuilder(
                            "ip",
                            "netns",
                            "exec",
                            outsider.namespace(),
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx64m",
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Prober.class.getName())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        orders = new PrintWriter(prober.getOutputStream(), true, StandardCharsets.UTF_8);
        reports = new BufferedReader(new InputStreamReader(prober.getInputStream(), StandardCharsets.UTF_8));
        rounds = clock.scheduleWithFixedDelay(this::round, 0, EVERY.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Has the hosts of a mesh that are made from now on probed inside their tunnels too. */
    synchronized Watcher knowing(Blueprint blueprint) {
        blueprint.hosts().forEach(host -> meshAddresses.put(host.name(), host.address()));
        return this;
    }

    private synchronized void round() {
        Set<Long> gone = new HashSet<>(known.keySet());
        for (LocalDroplet droplet : cloud.droplets()) {
            gone.remove(droplet.id());
            if (known.putIfAbsent(droplet.id(), droplet.name()) == null) {
                for (String address : addresses(droplet)) {
                    ports.forEach(port -> orders.println("watch " + droplet.name() + ' ' + address + ' ' + port));
                }
            }
        }
        gone.forEach(id -> orders.println("leave " + known.remove(id)));
    }

    /** Every address of a host that a packet can be sent to from the public network. */
    private List<String> addresses(LocalDroplet droplet) {
        List<String> addresses = new ArrayList<>(List.of(droplet.publicAddress(), linkLocal(droplet)));
        List<String> routed = new ArrayList<>(List.of(droplet.privateAddress()));
        if (meshAddresses.containsKey(droplet.name())) {
            routed.add(meshAddresses.get(droplet.name()));
        }
        for (String address : routed) {
            assertThat(outsider.exec("ip", "route", "replace", address, "via", droplet.publicAddress())
                            .exitCode())
                    .isZero();
        }
        addresses.addAll(routed);
        return addresses;
    }

    /** The address that the kernel derives from the hardware address, which the local cloud derives from the public one. */
    private static String linkLocal(LocalDroplet droplet) {
        Object[] bytes = List.of(droplet.publicAddress().split("\\.", -1)).stream()
                .map(Integer::valueOf)
                .toArray();
        return String.format("fe80::%02xff:fe%02x:%02x%02x%%eth0", bytes);
    }

    /** What came of the probes so far, at every port. */
    synchronized List<Probe> probes() {
        assertThat(rounds.isDone()).as("the watcher has stopped").isFalse();
        orders.println("report");
        List<Probe> probes = new ArrayList<>();
        try {
            for (String line = reports.readLine(); !".".equals(line); line = reports.readLine()) {
                assertThat(line).as("the prober has ended").isNotNull();
                String[] words = line.split(" ", -1);
                probes.add(new Probe(
                        words[0],
                        words[1],
                        Integer.parseInt(words[2]),
                        Long.parseLong(words[3]),
                        Long.parseLong(words[4]),
                        Duration.ofMillis(Long.parseLong(words[5])),
                        Duration.ofMillis(Long.parseLong(words[6]))));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return probes;
    }

    /** Every port that was ever open. */
    Set<String> opened() {
        return probes().stream()
                .filter(probe -> probe.opened() > 0)
                .map(Probe::name)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** How often a port was found closed. */
    long closed() {
        return probes().stream().mapToLong(Probe::closed).sum();
    }

    /** Begins to count anew. */
    synchronized void forget() {
        orders.println("forget");
    }

    @Override
    public void close() {
        clock.shutdownNow();
        orders.close();
        prober.destroy();
        outsider.close();
    }
}
