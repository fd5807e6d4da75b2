package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A droplet's body: an overlay over the base image, a network namespace, and systemd-nspawn inside both. When the system inside
 * reboots, nspawn ends with a status of its own, and it is started again over the same overlay in a fresh namespace.
 */
final class Machine {
    /** What a machine is made of. */
    record Spec(
            long id,
            String hostname,
            int host,
            List<Path> layers,
            List<String> publicKeys,
            String userData,
            boolean withPrivate,
            boolean withIpv6) {
        Spec {
            layers = List.copyOf(layers);
            publicKeys = List.copyOf(publicKeys);
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Machine.class);
    private static final Path NSPAWN = Path.of("/run/systemd/nspawn");
    private static final int REBOOT = 133;
    private static final int CONSOLE_LINES = 12;
    private static final Duration BOOT = Duration.ofSeconds(60);
    private static final Duration ORDERLY = Duration.ofSeconds(30);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String run;
    private final String number;
    private final Path folder;
    private final Network network;
    private final Spec spec;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    private @Nullable Process process;
    private volatile long leader;
    private int boots;
    private volatile boolean wanted;
    private int life;

    Machine(String run, String number, Path folder, Network network, Spec spec) {
        this.run = run;
        this.number = number;
        this.folder = folder;
        this.network = network;
        this.spec = spec;
    }

    Path root() {
        return folder.resolve("root");
    }

    String namespace() {
        return network.namespace(number);
    }

    int boots() {
        lock.lock();
        try {
            return boots;
        } finally {
            lock.unlock();
        }
    }

    boolean running() {
        return leader > 0;
    }

    /** Whether it is on, or on its way: a machine that reboots is. */
    boolean poweredOn() {
        return wanted;
    }

    /** Makes the disk; the machine is off then. */
    void build() {
        for (String part : List.of("upper", "work", "root")) {
            Folders.make(folder.resolve(part));
        }
        Path upper = folder.resolve("upper");
        Path work = folder.resolve("work");
        // "volatile" leaves out every sync: nobody needs this disk after a power cut.
        if (!Mounts.overlay(spec.layers(), upper, work, root(), "volatile")
                .run()
                .ok()) {
            Mounts.overlay(spec.layers(), upper, work, root()).check();
        }
        ObjectNode metaData = JSON.createObjectNode();
        metaData.put("instance-id", Long.toString(spec.id()) + (life == 0 ? "" : "-" + life));
        metaData.put("local-hostname", spec.hostname());
        spec.publicKeys().forEach(metaData.putArray("public-keys")::add);
        Path seed = root().resolve("var/lib/cloud/seed/nocloud");
        Folders.write(seed.resolve("meta-data"), metaData + "\n");
        Folders.write(seed.resolve("user-data"), spec.userData().isBlank() ? "#cloud-config\n{}\n" : spec.userData());
    }

    /** Has the system on the disk die at each boot. */
    void spoil() {
        Path init = root().resolve("usr/lib/systemd/systemd");
        Folders.delete(init);
        Folders.write(
                init, "#!/bin/sh\necho 'Failed to allocate manager object: Too many open files'\nsleep 0.2\nexit 1\n");
        Command.of("chmod", "755", init.toString()).check();
    }

    /** Powers it on, and returns when it starts its units. Does nothing if it is on. */
    void powerOn() {
        lock.lock();
        try {
            wanted = true;
            if (process == null) {
                boot();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Pulls the plug. */
    void powerOff() {
        lock.lock();
        try {
            wanted = false;
            halt();
        } finally {
            lock.unlock();
        }
    }

    /** Asks the system inside to shut down, and pulls the plug if it does not within half a minute. */
    void shutDown() {
        lock.lock();
        try {
            if (leader > 0) {
                wanted = false;
                ask("poweroff");
                awaitChange(ORDERLY, () -> process == null);
            }
        } finally {
            lock.unlock();
        }
        powerOff();
    }

    /** Asks the system inside to reboot, and returns when its first process runs again. */
    void reboot() {
        lock.lock();
        try {
            if (leader == 0) {
                throw new LocalCloudException(spec.hostname() + " is off: it cannot reboot");
            }
            int before = boots;
            ask("reboot");
            if (!awaitChange(ORDERLY, () -> boots > before && leader > 0)) {
                halt();
                boot();
            }
        } finally {
            lock.unlock();
        }
    }

    void powerCycle() {
        powerOff();
        powerOn();
    }

    /** Throws the disk away and starts from the base image again, as a new instance. */
    void rebuild() {
        powerOff();
        remove(name(), folder);
        life++;
        build();
        powerOn();
    }

    /** Powers it off and leaves nothing. */
    void destroy() {
        powerOff();
        remove(name(), folder);
    }

    /** Removes the disk of a machine that is off, and what nspawn keeps about it elsewhere. */
    static void remove(String name, Path folder) {
        Path root = folder.resolve("root");
        if (Files.isDirectory(root)) {
            try {
                Folders.delete(NSPAWN.resolve("locks/inode-" + Files.getAttribute(root, "unix:dev") + ":"
                        + Files.getAttribute(root, "unix:ino")));
            } catch (IOException e) {
                throw new LocalCloudException("cannot look at " + root + ": " + e.getMessage(), e);
            }
        }
        Folders.delete(NSPAWN.resolve("locks/name-" + name));
        for (String place : List.of("propagate", "unix-export")) {
            Path own = NSPAWN.resolve(place).resolve(name);
            Mounts.unmountUnder(own);
            Folders.deleteTree(own);
        }
        Mounts.unmountUnder(folder);
        Folders.deleteTree(folder);
    }

    /** Runs a command inside, as root, whether or not anything listens there. */
    ExecResult exec(List<String> words, Duration timeout) {
        long target = leader;
        if (target == 0) {
            throw new LocalCloudException(spec.hostname() + " is off: nothing can run there");
        }
        return Command.of(enter(target, words)).timeout(timeout).run();
    }

    String console() {
        return Folders.read(folder.resolve("console.log"));
    }

    /** Repeats itself while the system inside is too young to listen, and stops when it has heard, or is already on its way down. */
    private void ask(String verb) {
        Await.until(ORDERLY, spec.hostname() + " to heed systemctl " + verb, () -> {
            Process running = process;
            return running == null
                    || !running.isAlive()
                    || Command.of(enter(leader, List.of("systemctl", verb)))
                            .run()
                            .ok();
        });
    }

    private static List<String> enter(long target, List<String> words) {
        List<String> all = new ArrayList<>(List.of(
                "nsenter",
                "-t",
                Long.toString(target),
                "-m",
                "-u",
                "-i",
                "-n",
                "-p",
                "-C",
                "-r",
                "-w",
                "--",
                "env",
                "-i",
                "PATH=" + Command.PATH,
                "HOME=/root",
                "LC_ALL=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive"));
        all.addAll(words);
        return all;
    }

    private String name() {
        return run + "-" + number;
    }

    private ControlGroup group() {
        return ControlGroup.named(run + "/" + number);
    }

    private void boot() {
        group().destroy();
        network.plug(number, spec.host(), spec.withPrivate(), spec.withIpv6());
        copyResolver();
        ControlGroup group = group();
        group.make();
        StringBuilder join = new StringBuilder();
        for (Path entrance : group.entrances()) {
            join.append("echo $$ > ").append(entrance).append(" && ");
        }
        List<String> words = List.of(
                "sh",
                "-c",
                join + "exec \"$@\"",
                "sh",
                "systemd-nspawn",
                "-q",
                "--register=no",
                "--keep-unit",
                "--resolv-conf=off",
                "--timezone=off",
                "--network-namespace-path=/run/netns/" + namespace(),
                "--capability=all",
                "--bind=/dev/net/tun",
                "--hostname=" + spec.hostname(),
                "--machine=" + name(),
                "--directory=" + root(),
                "--boot");
        Path console = folder.resolve("console.log");
        ProcessBuilder builder = Command.builder(words);
        builder.redirectErrorStream(true);
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(console.toFile()));
        Process started;
        try {
            started = builder.start();
        } catch (IOException e) {
            throw new LocalCloudException("cannot start systemd-nspawn: " + e.getMessage(), e);
        }
        process = started;
        try {
            Await.until(BOOT, spec.hostname() + " to boot", () -> up(started) || !started.isAlive());
        } catch (LocalCloudException e) {
            halt();
            throw new LocalCloudException(e.getMessage() + lastLines(), e);
        }
        if (!started.isAlive()) {
            process = null;
            leader = 0;
            throw new LocalCloudException(spec.hostname() + " died while it booted: systemd-nspawn ended with status "
                    + started.exitValue() + lastLines());
        }
        boots++;
        changed.signalAll();
        CompletableFuture<Void> unused = started.onExit().thenAccept(this::ended);
    }

    /** Whether the system inside has come as far as to start its units. */
    private boolean up(Process nspawn) {
        leader = firstProcess(nspawn).orElse(0);
        return leader != 0 && Files.exists(Path.of("/proc/" + leader + "/root/run/systemd/private"));
    }

    /** What the console showed last, to be appended to a message. */
    private String lastLines() {
        List<String> lines = console().lines().filter(line -> !line.isBlank()).toList();
        return ". Its console ends with:\n  "
                + String.join("\n  ", lines.subList(Math.max(0, lines.size() - CONSOLE_LINES), lines.size()));
    }

    /** Called on a thread of the JVM when nspawn has ended, for whatever reason. */
    private void ended(Process which) {
        lock.lock();
        try {
            if (process != which) {
                return;
            }
            process = null;
            leader = 0;
            if (wanted && which.exitValue() == REBOOT) {
                boot();
            } else {
                if (wanted && which.exitValue() != 0) {
                    LOG.warn(
                            "{} died: systemd-nspawn ended with status {}{}",
                            spec.hostname(),
                            which.exitValue(),
                            lastLines());
                }
                wanted = false;
                group().destroy();
                network.unplug(number);
            }
            changed.signalAll();
        } catch (LocalCloudException e) {
            LOG.warn("{} did not come back: {}", spec.hostname(), e.getMessage(), e);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void halt() {
        Process running = process;
        process = null;
        leader = 0;
        group().destroy();
        if (running != null) {
            running.destroyForcibly();
            Await.until(Duration.ofSeconds(10), "systemd-nspawn to end", () -> !running.isAlive());
        }
        network.unplug(number);
        changed.signalAll();
    }

    private boolean awaitChange(Duration limit, BooleanSupplier condition) {
        long left = limit.toNanos();
        try {
            while (!condition.getAsBoolean()) {
                if (left <= 0) {
                    return false;
                }
                left = changed.awaitNanos(left);
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LocalCloudException("interrupted while waiting for " + spec.hostname(), e);
        }
    }

    /** The process that is number 1 inside, by its number out here. */
    private static OptionalLong firstProcess(Process nspawn) {
        return nspawn.children()
                .mapToLong(ProcessHandle::pid)
                .filter(pid -> {
                    Path status = Path.of("/proc/" + pid + "/status");
                    try {
                        return Files.readString(status)
                                        .lines()
                                        .anyMatch(l -> l.startsWith("NSpid:") && l.endsWith("\t1"))
                                && List.of("systemd", "init")
                                        .contains(Files.readString(Path.of("/proc/" + pid + "/comm"))
                                                .strip());
                    } catch (IOException e) {
                        // It may end while it is looked at; then it is not the one.
                        return false;
                    }
                })
                .findFirst();
    }

    private void copyResolver() {
        Path resolved = Path.of("/run/systemd/resolve/resolv.conf");
        Path usual = Path.of("/etc/resolv.conf");
        boolean stub = Files.exists(usual) && Folders.read(usual).contains("127.0.0.53") && Files.exists(resolved);
        if (Files.exists(usual)) {
            Path inside = root().resolve("etc/resolv.conf");
            // It may be a link by now, and would then be followed out of the machine.
            Folders.delete(inside);
            Folders.write(inside, Folders.read(stub ? resolved : usual));
        }
    }

    /** Waits, for at most this long, for the machine to be off or on. */
    boolean await(boolean on, Duration limit) {
        lock.lock();
        try {
            return awaitChange(limit, () -> (leader > 0) == on);
        } finally {
            lock.unlock();
        }
    }
}
