package dev.promguard.examples.localcloud;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The limits of this kernel that machines share: systemd in a machine needs several inotify instances, say, and with the kernel's
 * usual 128 only about 16 machines boot. Runs raise a limit that is too low; the last run puts back what it was.
 */
final class KernelLimits {
    private static final long MEBIBYTE = 1024 * 1024;
    /** What this machine's own programs may need of a limit. */
    private static final long RESERVE = 64;

    /**
     * A limit that can be raised.
     *
     * @param key its name as sysctl takes it
     * @param perMachine how much of it a machine needs
     */
    record Limit(String key, long perMachine) {
        private Path file() {
            return Path.of("/proc/sys", key.split("\\."));
        }

        private Path before() {
            return Runs.HOME.resolve(key + "-before");
        }

        /** How high it must be for a number of machines. */
        long needed(long machines) {
            return RESERVE + perMachine * machines;
        }

        /** Why a number of machines cannot run with it, and what to do. */
        String refusal(long current, long machines, String why) {
            return machines + " machines need " + key + " to be " + needed(machines) + ". It is " + current
                    + ", and cannot be raised here (" + why + "). Run sysctl -w " + key + "=" + needed(machines)
                    + " on the host, or start with dropletLimit("
                    + Math.max(0, (current - RESERVE) / perMachine) + ").";
        }
    }

    /** What a machine needs, with half as much again: systemd there takes about ten instances. */
    static final List<Limit> RAISED =
            List.of(new Limit("fs.inotify.max_user_instances", 16), new Limit("fs.inotify.max_user_watches", 512));

    private static final long MEMORY = 64 * MEBIBYTE;
    private static final long PROCESSES = 40;

    /** The bytes of the longest number there, and more. */
    private static final int LONGEST = 64;

    private KernelLimits() {}

    /**
     * Sees to it that the machines of all runs can boot.
     *
     * @param all how many machines there may be in all runs, this one's among them
     * @param mine how many there may be in this run
     * @throws LocalCloudException if they cannot, and what to set
     */
    static void prepare(long all, long mine) {
        insufficient(availableMemory(), mine, MEMORY, MEBIBYTE, "MiB of free memory")
                .or(() -> insufficient(freeProcesses(), mine, PROCESSES, 1, "processes (kernel.pid_max)"))
                .ifPresent(why -> {
                    throw new LocalCloudException(why);
                });
        RAISED.forEach(limit -> raise(limit, all));
    }

    /** Says why so many machines do not fit, if they do not. */
    static Optional<String> insufficient(long available, long machines, long perMachine, long unit, String what) {
        if (available >= machines * perMachine) {
            return Optional.empty();
        }
        return Optional.of(machines + " machines need about " + machines * perMachine / unit + " " + what + ", and "
                + available / unit + " are left here. Start with dropletLimit(" + available / perMachine + ").");
    }

    private static void raise(Limit limit, long machines) {
        long current = number(limit.file());
        if (current >= limit.needed(machines)) {
            return;
        }
        boolean first = !Files.exists(limit.before());
        if (first) {
            // Written before the change, so that a killed run's successor knows what to put back.
            Folders.write(limit.before(), Long.toString(current));
        }
        ExecResult set = set(limit, limit.needed(machines));
        if (!set.ok()) {
            if (first) {
                Folders.delete(limit.before());
            }
            throw new LocalCloudException(
                    limit.refusal(current, machines, set.stderr().strip()));
        }
    }

    /** Puts back what the limits were. Does nothing if none was raised. */
    static void restore() {
        for (Limit limit : RAISED) {
            if (Files.exists(limit.before())) {
                set(limit, Long.parseLong(Folders.read(limit.before()).strip())).orThrow();
                Folders.delete(limit.before());
            }
        }
    }

    private static ExecResult set(Limit limit, long value) {
        return Command.of("sysctl", "-q", "-w", limit.key() + "=" + value).run();
    }

    private static long availableMemory() {
        return line(Path.of("/proc/meminfo"), "MemAvailable:") * 1024;
    }

    private static long freeProcesses() {
        long most = number(Path.of("/proc/sys/kernel/pid_max"));
        String threads = Folders.read(Path.of("/proc/loadavg")).split(" ", -1)[3];
        return most - Long.parseLong(threads.substring(threads.indexOf('/') + 1));
    }

    /** Reads a limit at once: the kernel gives the first digit alone to whoever reads a byte, as {@link Files#readString} does. */
    static long number(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return Long.parseLong(new String(in.readNBytes(LONGEST), StandardCharsets.US_ASCII).strip());
        } catch (IOException e) {
            throw new LocalCloudException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static long line(Path file, String start) {
        try (var lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(start))
                    .map(line -> line.replaceAll("[^0-9]", ""))
                    .mapToLong(Long::parseLong)
                    .findFirst()
                    .orElseThrow(() -> new LocalCloudException("there is no " + start + " in " + file));
        } catch (IOException e) {
            throw new LocalCloudException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
