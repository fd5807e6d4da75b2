package dev.promguard.examples.localcloud;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A host on the public network of a local cloud that belongs to no mesh: a network namespace, in which programs of this machine can
 * try to get in. Thread-safe.
 */
public final class Outsider implements AutoCloseable {
    private final Network network;
    private final String name;
    private final int host;
    private final Runnable freed;
    private boolean closed;

    Outsider(Network network, String name, int host, Runnable freed) {
        this.network = network;
        this.name = name;
        this.host = host;
        this.freed = freed;
        network.plug(name, host, false, Network.hasIpv6());
    }

    /**
     * Its address, on eth0.
     *
     * @return an IPv4 address
     */
    public String address() {
        return network.publicAddress(host);
    }

    /**
     * Its IPv6 address, on eth0.
     *
     * @return the address; empty where the machine that the cloud runs on has no IPv6
     */
    public Optional<String> ipv6Address() {
        return Network.hasIpv6() ? Optional.of(network.ipv6Address(host)) : Optional.empty();
    }

    /**
     * Its network namespace, as {@code ip netns} knows it.
     *
     * @return the name
     */
    public String namespace() {
        return network.namespace(name);
    }

    /**
     * Runs a program of this machine in its network, for at most two minutes.
     *
     * @param command the program and its arguments; no shell
     * @return what came of it, whatever its exit status
     * @throws LocalCloudException if the time is up
     */
    public ExecResult exec(String... command) {
        return exec(Duration.ofMinutes(2), List.of(command));
    }

    /**
     * Runs a program of this machine in its network.
     *
     * @param timeout when to kill it
     * @param command the program and its arguments; no shell
     * @return what came of it, whatever its exit status
     * @throws LocalCloudException if the time is up
     */
    public ExecResult exec(Duration timeout, List<String> command) {
        List<String> words = new ArrayList<>(List.of("ip", "netns", "exec", namespace()));
        words.addAll(command);
        return Command.of(words).timeout(timeout).run();
    }

    /** Takes the namespace away. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            network.unplug(name);
            freed.run();
        }
    }
}
