package dev.promguard.state;

import dev.promguard.ErrorCode;
import dev.promguard.StateException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Set;

/**
 * Creates and replaces files that only their owner may read. Where the file system has POSIX modes, folders get mode 0700 and files
 * 0600. A replaced file is always whole, even if the machine loses power.
 */
final class PrivateFiles {
    /** Ends the name of a file that is not completely written yet. */
    static final String UNFINISHED = ".new";

    private final Disk disk;

    PrivateFiles(Disk disk) {
        this.disk = disk;
    }

    /** Makes a folder and those above it, durably; nothing happens if it is there. */
    void makeFolder(Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            return;
        }
        Path parent = folder.toAbsolutePath().getParent();
        if (parent != null) {
            makeFolder(parent);
        }
        try {
            if (isPosix(folder)) {
                disk.createFolder(
                        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            } else {
                disk.createFolder(folder);
            }
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(folder)) {
                throw e;
            }
        }
        if (parent != null) {
            sync(parent);
        }
    }

    /** Creates an empty file if there is none of that name. */
    static void createIfMissing(Path file) throws IOException {
        if (!Files.exists(file)) {
            Files.createFile(file, attributes(file));
        }
    }

    /**
     * Replaces a file, or creates it, with its folder. This also works in an interrupted thread, because what has been done must
     * be recorded in any case.
     */
    void replace(Path folder, String name, byte[] bytes) throws IOException {
        uninterrupted(() -> replaceOnce(folder, name, bytes));
    }

    /** Deletes files of a folder, with what is left of them unfinished. This also works in an interrupted thread. */
    void delete(Path folder, Collection<String> names) throws IOException {
        boolean some = false;
        for (String name : names) {
            some |= disk.delete(folder.resolve(name));
            some |= disk.delete(folder.resolve(name + UNFINISHED));
        }
        if (some) {
            uninterrupted(() -> sync(folder));
        }
    }

    /** Does something to files that closes them if the thread is interrupted, until it is done. */
    private static void uninterrupted(Work work) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    work.run();
                    return;
                } catch (ClosedByInterruptException e) {
                    interrupted |= Thread.interrupted();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private void replaceOnce(Path folder, String name, byte[] bytes) throws IOException {
        makeFolder(folder);
        Path target = folder.resolve(name);
        Path fresh = folder.resolve(name + UNFINISHED);
        disk.delete(fresh);
        try (FileChannel channel =
                disk.open(fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), attributes(folder))) {
            writeAll(channel, bytes);
            disk.force(channel);
        }
        disk.move(fresh, target);
        sync(folder);
    }

    /** Makes durable which files a folder has. */
    private void sync(Path folder) throws IOException {
        if (isPosix(folder)) {
            try (FileChannel directory = disk.open(folder, Set.of(StandardOpenOption.READ))) {
                disk.force(directory);
            }
        }
    }

    private void writeAll(FileChannel channel, byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            disk.write(channel, buffer);
        }
    }

    private static FileAttribute<?>[] attributes(Path file) {
        if (!isPosix(file)) {
            return new FileAttribute<?>[0];
        }
        return new FileAttribute<?>[] {
            PosixFilePermissions.asFileAttribute(
                    EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE))
        };
    }

    private static boolean isPosix(Path file) {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    /** The exception for a failed access to a file, with the reason in plain words. */
    static StateException failure(String verb, Path file, IOException e) {
        return new StateException(
                ErrorCode.STATE_INACCESSIBLE,
                "cannot " + verb + ' ' + file + ": " + reason(file, e)
                        + ". Check that the folder belongs to you and that the disk has room, or name another folder with"
                        + " state(…).",
                false,
                e);
    }

    private static String reason(Path file, IOException e) {
        for (Path above = file.getParent(); above != null; above = above.getParent()) {
            if (Files.exists(above) && !Files.isDirectory(above)) {
                return above + " is not a folder";
            }
        }
        if (e instanceof AccessDeniedException) {
            return "access is denied";
        } else if (e instanceof ClosedByInterruptException || e instanceof FileLockInterruptionException) {
            return "interrupted";
        } else if (e instanceof FileSystemException system && system.getReason() != null) {
            return system.getReason();
        }
        return e.getClass().getSimpleName() + (e.getMessage() == null ? "" : " (" + e.getMessage() + ')');
    }
}
