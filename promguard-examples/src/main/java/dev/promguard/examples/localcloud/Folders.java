package dev.promguard.examples.localcloud;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Folders and files, made and taken away. */
final class Folders {
    private Folders() {}

    static Path make(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw new LocalCloudException("cannot make the folder " + folder + ": " + e.getMessage(), e);
        }
    }

    static Path temporary(String name) {
        try {
            return Files.createTempDirectory(name);
        } catch (IOException e) {
            throw new LocalCloudException("cannot make a temporary folder: " + e.getMessage(), e);
        }
    }

    static void write(Path file, String text) {
        try {
            Files.createDirectories(parent(file));
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new LocalCloudException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new LocalCloudException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new LocalCloudException("cannot delete " + file + ": " + e.getMessage(), e);
        }
    }

    static List<Path> children(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> found = Files.list(folder)) {
            return found.sorted().toList();
        } catch (IOException e) {
            throw new LocalCloudException("cannot list " + folder + ": " + e.getMessage(), e);
        }
    }

    /** Deletes a small folder of plain files. */
    static void deletePlain(Path folder) {
        try (Stream<Path> found = Files.walk(folder)) {
            for (Path path : found.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new LocalCloudException("cannot delete " + folder + ": " + e.getMessage(), e);
        }
    }

    /** Deletes a folder that may hold a whole root file system, without ever stepping onto another mount. */
    static void deleteTree(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        List<String> mounts = Mounts.under(folder);
        if (!mounts.isEmpty()) {
            throw new LocalCloudException("not deleting " + folder + ": still mounted there: " + mounts);
        }
        Command.of("rm", "-rf", "--one-file-system", "--", folder.toString())
                .timeout(Duration.ofMinutes(2))
                .check();
    }

    private static Path parent(Path file) {
        Path parent = file.toAbsolutePath().getParent();
        return parent == null ? file : parent;
    }
}
