package dev.promguard.state;

import dev.promguard.ErrorCode;
import dev.promguard.StateException;
import dev.promguard.spi.StateStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The lock of a mesh's folder: a lock on its lock file, which is the same whatever path leads there. Other stores of the same program,
 * also those of other class loaders, and other programs all compete for it.
 */
final class FolderLock {
    private static final String LOCK = "lock";
    /** Begins the names of the system properties that say which lock files this program holds. */
    private static final String LOCKED = "dev.promguard.locked.";
    /** Guards them. A literal is the same object for every class loader of the program, and a class's monitor is not. */
    private static final String PROGRAM = "dev.promguard.state.FileStateStore";

    private static final int LARGEST_LOCK = 65_536;
    /** How often to start again when another program deletes the folder in between. */
    private static final int LOCK_ATTEMPTS = 100;

    private FolderLock() {}

    /** Locks a mesh's folder, which is made if it does not exist. */
    static StateStore.Lock lock(String mesh, Path named) {
        Path folder = named.toAbsolutePath();
        // One at a time in this program, whatever path leads to the folder and whichever class loader loaded this
        // class.
        // A file that this program has locked must not be opened again: on POSIX systems, closing any channel of a file
        // releases all locks on it.
        synchronized (PROGRAM) {
            Held held = lockFile(mesh, folder);
            System.setProperty(held.key(), mesh);
            return () -> unlock(folder, held);
        }
    }

    /** Deletes a folder that contains at most its lock file, unless the mesh is locked. */
    static void deleteIfUnused(String mesh, Path folder) throws IOException {
        synchronized (PROGRAM) {
            if (!isLockedHere(folder.resolve(LOCK))) {
                lock(mesh, folder).close();
            }
        }
    }

    /** A locked file, and the system property that marks it as locked for the whole program. */
    private record Held(FileChannel channel, String key) {}

    private static Held lockFile(String mesh, Path folder) {
        Path file = folder.resolve(LOCK);
        IOException last = null;
        for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
            FileChannel channel = null;
            try {
                PrivateFiles.makeFolder(folder);
                PrivateFiles.createIfMissing(file);
                String key = key(file);
                if (System.getProperty(key) != null) {
                    throw busy(mesh, file, null);
                }
                channel = FileChannel.open(file, Set.of(StandardOpenOption.WRITE));
                FileLock lock = channel.tryLock();
                if (lock == null) {
                    throw busy(mesh, file, null);
                }
                if (isStillThere(channel, file)) {
                    FileChannel held = channel;
                    channel = null;
                    return new Held(held, key);
                }
            } catch (NoSuchFileException | FileAlreadyExistsException e) {
                last = e;
            } catch (OverlappingFileLockException e) {
                throw busy(mesh, file, e);
            } catch (IOException e) {
                throw PrivateFiles.failure("lock", file, e);
            } finally {
                if (channel != null) {
                    close(channel, file);
                }
            }
        }
        throw last == null ? busy(mesh, file, null) : PrivateFiles.failure("lock", file, last);
    }

    /**
     * The name of a file's system property, which is the same whatever path leads to the file: it holds the device and inode where
     * the file system has them, so that symbolic links, hard links and mounts make no difference, and the real path otherwise.
     */
    private static String key(Path file) throws IOException {
        Object id = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
        return LOCKED + (id == null ? file.toRealPath() : id);
    }

    private static boolean isLockedHere(Path file) throws IOException {
        try {
            return System.getProperty(key(file)) != null;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /**
     * Whether a locked file still has its name: its former holder may have deleted it together with the mesh. The file gets a
     * random size, by which it is recognized, because it must not be opened a second time.
     */
    private static boolean isStillThere(FileChannel channel, Path file) throws IOException {
        long size = ThreadLocalRandom.current().nextLong(1, LARGEST_LOCK);
        channel.truncate(0);
        channel.write(ByteBuffer.wrap(new byte[1]), size - 1);
        try {
            return Files.size(file) == size;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Releases a lock, and deletes the mesh's folder if it contains only the lock file. */
    private static void unlock(Path folder, Held held) {
        synchronized (PROGRAM) {
            if (!held.channel().isOpen()) {
                return;
            }
            try {
                if (holdsNothingButTheLock(folder)) {
                    Files.deleteIfExists(folder.resolve(LOCK));
                    deleteIfEmpty(folder);
                }
            } catch (IOException e) {
                throw PrivateFiles.failure("delete", folder, e);
            } finally {
                try {
                    close(held.channel(), folder.resolve(LOCK));
                } finally {
                    System.clearProperty(held.key());
                }
            }
        }
    }

    private static boolean holdsNothingButTheLock(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.allMatch(file -> file.endsWith(LOCK));
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Deletes a folder, unless another program has begun to use it, or it is a link that the user made. */
    private static boolean deleteIfEmpty(Path folder) throws IOException {
        try {
            return !Files.isSymbolicLink(folder) && Files.deleteIfExists(folder);
        } catch (DirectoryNotEmptyException e) {
            return false;
        }
    }

    private static StateException busy(String mesh, Path file, @Nullable Throwable cause) {
        return new StateException(
                ErrorCode.STATE_LOCKED,
                "mesh " + mesh + " is being changed by another program (" + file.getParent()
                        + " is locked). Wait until it is done, then run again.",
                true,
                cause);
    }

    private static void close(FileChannel channel, Path file) {
        try {
            channel.close();
        } catch (IOException e) {
            throw PrivateFiles.failure("unlock", file, e);
        }
    }
}
