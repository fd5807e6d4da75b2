package dev.promguard.examples.localcloud;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The runs of the local cloud on this machine. A run owns a folder named after it and everything else that carries its name: that
 * name is all it takes to remove it. Its owner holds a lock on a file in the folder, which the kernel lets go of when the owner dies.
 */
final class Runs {
    /** Where runs live. */
    static final Path HOME = Path.of("/var/lib/promguard-local-cloud");

    /** How every interface, namespace, machine, control group and firewall rule of a run starts. */
    static final String PREFIX = "pglc";

    private static final Pattern NAME = Pattern.compile(PREFIX + "[0-9a-f]{6}");
    private static final Path RUNS = HOME.resolve("runs");
    private static final String DROPLETS = "droplets";
    private static final Path FORWARDING = HOME.resolve("ip_forward-before");
    private static final String FORWARDING_SYSCTL = "/proc/sys/net/ipv4/ip_forward";
    private static final ReentrantLock HERE = new ReentrantLock();
    private static final Set<String> OWN = ConcurrentHashMap.newKeySet();
    private static final SecureRandom RANDOM = new SecureRandom();

    private Runs() {}

    /** A run of this JVM. */
    static final class Run {
        private final String name;
        private final FileChannel channel;

        private Run(String name, FileChannel channel) {
            this.name = name;
            this.channel = channel;
        }

        String name() {
            return name;
        }

        /** Where its machines are, each in a folder named after its number. */
        Path machines() {
            return Runs.machines(RUNS.resolve(name));
        }

        /** A folder for whoever uses this run. */
        Path folder() {
            return Folders.make(RUNS.resolve(name).resolve("folder"));
        }

        /** Removes everything of this run. */
        void end() {
            exclusively(this::remove);
        }

        private void remove() {
            Runs.remove(name);
            unlock();
            OWN.remove(name);
            restoreSettings();
        }

        private void unlock() {
            try {
                channel.close();
            } catch (IOException e) {
                throw new LocalCloudException("cannot let go of the lock of " + name + ": " + e.getMessage(), e);
            }
        }
    }

    /**
     * Removes what dead runs left, then starts a new one for at most so many machines at a time; the caller sets up the run's network in the
     * callback, alone on this machine.
     */
    static Run begin(int droplets, Consumer<Run> setUp) {
        Run[] begun = new Run[1];
        exclusively(() -> {
            removeDead();
            String name = PREFIX + HexFormat.of().formatHex(random());
            Folders.make(RUNS.resolve(name));
            OWN.add(name);
            Run run = new Run(name, lock(RUNS.resolve(name).resolve("owner")));
            begun[0] = run;
            boolean well = false;
            try {
                Folders.write(RUNS.resolve(name).resolve(DROPLETS), Integer.toString(droplets));
                KernelLimits.prepare(allDroplets(), droplets);
                allowForwarding();
                setUp.accept(run);
                well = true;
            } finally {
                if (!well) {
                    run.remove();
                }
            }
        });
        return begun[0];
    }

    /** Removes what dead runs left. Returns their names. */
    static List<String> cleanUp() {
        List<String> removed = new ArrayList<>();
        exclusively(() -> {
            removed.addAll(removeDead());
            restoreSettings();
        });
        return removed;
    }

    /** The names of the runs whose owner lives, in order. */
    static List<String> living() {
        List<String> living = new ArrayList<>();
        exclusively(() -> {
            for (Path folder : Folders.children(RUNS)) {
                String name = String.valueOf(folder.getFileName());
                // A lock of this process is lost as soon as its file is opened and closed again.
                if (NAME.matcher(name).matches() && (OWN.contains(name) || !dead(folder))) {
                    living.add(name);
                }
            }
        });
        return living;
    }

    private static List<String> removeDead() {
        List<String> removed = new ArrayList<>();
        for (Path folder : Folders.children(RUNS)) {
            String name = String.valueOf(folder.getFileName());
            if (NAME.matcher(name).matches() && !OWN.contains(name) && dead(folder)) {
                remove(name);
                removed.add(name);
            }
        }
        return removed;
    }

    private static Path machines(Path folder) {
        return folder.resolve("machines");
    }

    private static boolean dead(Path folder) {
        try (FileChannel channel = open(folder.resolve("owner"));
                FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (IOException e) {
            throw new LocalCloudException("cannot look at the lock of " + folder + ": " + e.getMessage(), e);
        }
    }

    /** Removes everything that carries the name of a run; the folder, which remembers it, last. */
    private static void remove(String name) {
        Path folder = RUNS.resolve(name);
        ControlGroup.named(name).destroy();
        Network.remove(name);
        for (Path machine : Folders.children(machines(folder))) {
            Machine.remove(name + "-" + machine.getFileName(), machine);
        }
        Mounts.unmountUnder(folder);
        Folders.deleteTree(folder);
    }

    /** How many machines all living runs may have. */
    private static long allDroplets() {
        return Folders.children(RUNS).stream()
                .map(folder -> folder.resolve(DROPLETS))
                .filter(Files::exists)
                .mapToLong(file -> Long.parseLong(Folders.read(file).strip()))
                .sum();
    }

    /** The last run puts back what the settings of the whole machine were. */
    private static void restoreSettings() {
        restoreForwarding();
        if (Folders.children(RUNS).isEmpty()) {
            KernelLimits.restore();
        }
    }

    private static void allowForwarding() {
        String before = Folders.read(Path.of(FORWARDING_SYSCTL)).strip();
        if (before.equals("0")) {
            Folders.write(FORWARDING, before);
            Command.of("sysctl", "-q", "-w", "net.ipv4.ip_forward=1").check();
        }
    }

    private static void restoreForwarding() {
        if (Files.exists(FORWARDING) && Folders.children(RUNS).isEmpty()) {
            Command.of("sysctl", "-q", "-w", "net.ipv4.ip_forward=0").check();
            Folders.deleteTree(FORWARDING);
        }
    }

    private static void exclusively(Runnable task) {
        HERE.lock();
        try (FileChannel channel = open(Folders.make(HOME).resolve("lock"));
                FileLock lock = channel.lock()) {
            if (!lock.isValid()) {
                throw new LocalCloudException("lost the lock in " + HOME);
            }
            task.run();
        } catch (IOException e) {
            throw new LocalCloudException("cannot lock " + HOME + ": " + e.getMessage(), e);
        } finally {
            HERE.unlock();
        }
    }

    private static FileChannel lock(Path file) {
        try {
            FileChannel channel = open(file);
            @Nullable FileLock lock = channel.tryLock();
            if (lock == null) {
                throw new LocalCloudException("somebody else holds " + file);
            }
            return channel;
        } catch (IOException e) {
            throw new LocalCloudException("cannot lock " + file + ": " + e.getMessage(), e);
        }
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    private static byte[] random() {
        byte[] bytes = new byte[3];
        RANDOM.nextBytes(bytes);
        return bytes;
    }
}
