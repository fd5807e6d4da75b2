package dev.promguard.examples.localcloud;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A control group: what a machine's processes are counted in, and can be ended by, whatever they did to hide. Without one of its own
 * each, two machines would share theirs, and a unit stopped in the one would be stopped in the other.
 */
final class ControlGroup {
    private final List<Path> folders;

    private ControlGroup(List<Path> folders) {
        this.folders = folders;
    }

    /** The group of that name, below the root of each hierarchy that systemd uses; it need not exist. */
    static ControlGroup named(String name) {
        List<Path> folders = new ArrayList<>();
        Mounts.controlGroups().ifPresent(root -> folders.add(root.resolve(name)));
        Mounts.systemdControlGroups().ifPresent(root -> folders.add(root.resolve(name)));
        return new ControlGroup(List.copyOf(folders));
    }

    void make() {
        folders.forEach(Folders::make);
    }

    /** The files that a process writes its id to in order to join. */
    List<Path> entrances() {
        return folders.stream().map(f -> f.resolve("cgroup.procs")).toList();
    }

    /** Kills everything in it and takes it away; does nothing if it is not there. */
    void destroy() {
        List<Path> here = folders.stream().filter(Files::isDirectory).toList();
        if (here.isEmpty()) {
            return;
        }
        Await.until(Duration.ofSeconds(20), "the processes of " + here.get(0) + " to end", () -> {
            here.forEach(ControlGroup::kill);
            return here.stream().allMatch(ControlGroup::remove);
        });
    }

    private static void kill(Path folder) {
        for (Path group : groups(folder)) {
            try {
                for (String line : Files.readAllLines(group.resolve("cgroup.procs"))) {
                    long pid = Long.parseLong(line.strip());
                    if (pid > 0) {
                        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
                    }
                }
            } catch (IOException e) {
                if (Files.exists(group)) {
                    throw new LocalCloudException("cannot read the processes of " + group + ": " + e.getMessage(), e);
                }
            }
        }
    }

    private static boolean remove(Path folder) {
        boolean gone = true;
        for (Path group : groups(folder)) {
            // A control group is deleted as an empty folder; it refuses while a process of it is still ending.
            gone &= !group.toFile().exists() || group.toFile().delete();
        }
        return gone;
    }

    /** A group and those below it, the lowest first. One that vanishes meanwhile is left out. */
    static List<Path> groups(Path folder) {
        List<Path> groups = new ArrayList<>();
        try {
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFileFailed(Path path, IOException failure) throws IOException {
                    return unlessGone(path, failure);
                }

                @Override
                public FileVisitResult postVisitDirectory(Path path, @Nullable IOException failure) throws IOException {
                    if (failure != null) {
                        return unlessGone(path, failure);
                    }
                    groups.add(path);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new LocalCloudException("cannot list " + folder + ": " + e.getMessage(), e);
        }
        return groups;
    }

    private static FileVisitResult unlessGone(Path path, IOException failure) throws IOException {
        if (failure instanceof NoSuchFileException || !Files.exists(path)) {
            return FileVisitResult.CONTINUE;
        }
        throw failure;
    }
}
