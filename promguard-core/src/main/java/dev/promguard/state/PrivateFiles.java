package dev.promguard.state;

import dev.promguard.ErrorCode;
import dev.promguard.StateException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/**
 * Creates and replaces files that only their owner may read. Where the file system has POSIX modes, folders get mode 0700 and files
 * 0600. A replaced file is always whole, even if the machine loses power.
 */
final class PrivateFiles {
    /** Ends the name of a file that is not completely written yet. */
    static final String UNFINISHED = ".new";

    private PrivateFiles() {}

    /** Makes a folder and those above it; nothing happens if it is there. */
    static void makeFolder(Path folder) throws IOException {
        if (isPosix(folder)) {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } else {
            Files.createDirectories(folder);
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
    static void replace(Path folder, String name, byte[] bytes) throws IOException {
        boolean interrupted = false;
        try {
            while (!replaced(folder, name, bytes)) {
                interrupted |= Thread.interrupted();
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Replaces a file. Returns false if the thread was interrupted before the file was replaced. */
    private static boolean replaced(Path folder, String name, byte[] bytes) throws IOException {
        makeFolder(folder);
        Path target = folder.resolve(name);
        Path fresh = folder.resolve(name + UNFINISHED);
        Files.deleteIfExists(fresh);
        try {
            try (FileChannel channel = FileChannel.open(
                    fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), attributes(folder))) {
                writeAll(channel, bytes);
                channel.force(true);
            }
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            if (isPosix(folder)) {
                try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
                    directory.force(true);
                }
            }
            return true;
        } catch (ClosedByInterruptException e) {
            return false;
        }
    }

    private static void writeAll(FileChannel channel, byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
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
