package dev.promguard.examples.localcloud;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A droplet of a local cloud, seen from outside of its API: as somebody sees it who can walk up to the machine. Thread-safe.
 */
public final class LocalDroplet {
    private static final Duration USUAL = Duration.ofMinutes(2);

    private final Droplet droplet;
    private final Machine machine;
    private final Network network;

    LocalDroplet(Droplet droplet, Machine machine, Network network) {
        this.droplet = droplet;
        this.machine = machine;
        this.network = network;
    }

    /**
     * Its id in the API.
     *
     * @return the id
     */
    public long id() {
        return droplet.id();
    }

    /**
     * Its name in the API.
     *
     * @return the name
     */
    public String name() {
        return droplet.spec().name();
    }

    /**
     * Its public address, on eth0.
     *
     * @return an IPv4 address
     */
    public String publicAddress() {
        return network.publicAddress(droplet.host());
    }

    /**
     * Its public IPv6 address, on eth0.
     *
     * @return the address; empty if it was created without {@code ipv6}
     */
    public Optional<String> ipv6Address() {
        return droplet.spec().has(Droplet.Option.IPV6)
                ? Optional.of(network.ipv6Address(droplet.host()))
                : Optional.empty();
    }

    /**
     * Its private address, on eth1.
     *
     * @return an IPv4 address
     */
    public String privateAddress() {
        return network.privateAddress(droplet.host());
    }

    /**
     * The network namespace it runs in, as {@code ip netns} knows it. A reboot makes a new one of the same name.
     *
     * @return the name
     */
    public String namespace() {
        return machine.namespace();
    }

    /**
     * Where its root file system is mounted on this machine.
     *
     * @return a folder
     */
    public Path root() {
        return machine.root();
    }

    /**
     * Whether its first process runs.
     *
     * @return true if so
     */
    public boolean running() {
        return machine.running();
    }

    /**
     * How many times it has booted.
     *
     * @return 1 after the first boot
     */
    public int boots() {
        return machine.boots();
    }

    /**
     * Runs a command inside as root, without SSH, for at most two minutes.
     *
     * @param command the program and its arguments; no shell
     * @return what came of it, whatever its exit status
     * @throws LocalCloudException if it is off, or the time is up
     */
    public ExecResult exec(String... command) {
        return exec(USUAL, List.of(command));
    }

    /**
     * Runs a command inside as root, without SSH.
     *
     * @param timeout when to kill it
     * @param command the program and its arguments; no shell
     * @return what came of it, whatever its exit status
     * @throws LocalCloudException if it is off, or the time is up
     */
    public ExecResult exec(Duration timeout, List<String> command) {
        return machine.exec(command, timeout);
    }

    /**
     * Reboots the system inside in order, and returns when its first process runs again.
     *
     * @throws LocalCloudException if it is off
     */
    public void reboot() {
        machine.reboot();
    }

    /** Pulls the plug; does nothing if it is off. */
    public void stop() {
        machine.powerOff();
    }

    /** Powers it on, and returns when its first process runs; does nothing if it is on. */
    public void start() {
        machine.powerOn();
    }

    /**
     * Waits for it to be on or off.
     *
     * @param on which of the two
     * @param limit for how long at most
     * @return whether it came to that
     */
    public boolean await(boolean on, Duration limit) {
        return machine.await(on, limit);
    }

    /**
     * What it printed to its console, all boots together.
     *
     * @return the text
     */
    public String console() {
        return machine.console();
    }

    @Override
    public String toString() {
        return name() + " (" + id() + ", " + publicAddress() + ")";
    }
}
