package dev.promguard.state;

import dev.promguard.StateException;
import dev.promguard.spi.LockHolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * The lock of a mesh's folder: a lock on its lock file, which is the same whatever path leads there. Other stores of the same program,
 * also those of other class loaders, and other programs all compete for it.
 */
final class FolderLock {
    static final String LOCK = "lock";
    /** Begins the names of the system properties that say which lock files this program holds. */
    private static final String LOCKED = "dev.promguard.locked.";
    /** Guards them. A literal is the same object for every class loader of the program, and a class's monitor is not. */
    private static final String PROGRAM = "dev.promguard.state.FileStateStore";

    private static final int LARGEST_LOCK = 65_536;
    /** A holder's name fits in. */
    private static final int SMALLEST_LOCK = 2048;
    /** How often to start again when another program deletes the folder in between. */
    private static final int LOCK_ATTEMPTS = 100;

    private final PrivateFiles files;

    FolderLock(PrivateFiles files) {
        this.files = files;
    }

    /** A locked file, and the system property that marks it as locked for the whole program. */
    record Held(Path folder, FileChannel channel, String key) {
        boolean isOpen() {
            return channel.isOpen();
        }
    }

    /** Locks a mesh's folder, which is made if it does not exist. */
    Held lock(String mesh, Path named, LockHolder holder) {
        Path folder = named.toAbsolutePath();
        // One at a time in this program, whatever path leads to the folder and whichever class loader loaded this
        // class.
        // A file that this program has locked must not be opened again: on POSIX systems, closing any channel of a file
        // releases all locks on it.
        synchronized (PROGRAM) {
            Held held = lockFile(mesh, folder, holder);
            System.setProperty(held.key(), holder.toString());
            return held;
        }
    }

    private Held lockFile(String mesh, Path folder, LockHolder holder) {
        Path file = folder.resolve(LOCK);
        IOException last = null;
        for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
            FileChannel channel = null;
            try {
                files.makeFolder(folder);
                PrivateFiles.createIfMissing(file);
                String key = key(file);
                String here = System.getProperty(key);
                if (here != null) {
                    throw StateException.locked(mesh, folder.toString(), LockHolder.parse(here), null);
                }
                channel = FileChannel.open(file, Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE));
                FileLock lock = channel.tryLock();
                if (lock == null) {
                    throw StateException.locked(mesh, folder.toString(), holder(channel), null);
                }
                if (isStillThere(channel, file, holder)) {
                    FileChannel held = channel;
                    channel = null;
                    return new Held(folder, held, key);
                }
            } catch (NoSuchFileException | FileAlreadyExistsException e) {
                last = e;
            } catch (OverlappingFileLockException e) {
                throw StateException.locked(mesh, folder.toString(), Optional.empty(), e);
            } catch (IOException e) {
                throw PrivateFiles.failure("lock", file, e);
            } finally {
                if (channel != null) {
                    close(channel, file);
                }
            }
        }
        throw last == null
                ? StateException.locked(mesh, folder.toString(), Optional.empty(), null)
                : PrivateFiles.failure("lock", file, last);
    }

    /** Who holds the lock, as the lock file says; its rest is filled with zeros. */
    private static Optional<LockHolder> holder(FileChannel channel) throws IOException {
        ByteBuffer start = ByteBuffer.allocate(SMALLEST_LOCK);
        channel.read(start, 0);
        String text = new String(start.array(), 0, start.position(), StandardCharsets.UTF_8);
        int end = text.indexOf('\n');
        return end < 0 ? Optional.empty() : LockHolder.parse(text.substring(0, end));
    }

    /**
     * The name of a file's system property, which is the same whatever path leads to the file: it holds the device and inode where
     * the file system has them, so that symbolic links, hard links and mounts make no difference, and the real path otherwise.
     */
    private static String key(Path file) throws IOException {
        Object id = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
        return LOCKED + (id == null ? file.toRealPath() : id);
    }

    /**
     * Whether a locked file still has its name: its former holder may have deleted it together with the mesh. The file gets a
     * random size, by which it is recognized, because it must not be opened a second time.
     */
    private static boolean isStillThere(FileChannel channel, Path file, LockHolder holder) throws IOException {
        long size = ThreadLocalRandom.current().nextLong(SMALLEST_LOCK, LARGEST_LOCK);
        channel.truncate(0);
        channel.write(ByteBuffer.wrap((holder.toString() + '\n').getBytes(StandardCharsets.UTF_8)), 0);
        channel.write(ByteBuffer.wrap(new byte[1]), size - 1);
        try {
            return Files.size(file) == size;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Releases a lock, and deletes the mesh's folder if it contains only the lock file. */
    static void unlock(Held held) {
        Path folder = held.folder();
        synchronized (PROGRAM) {
            if (!held.isOpen()) {
                return;
            }
            try {
                if (holdsNothingButTheLock(folder)) {
                    Files.deleteIfExists(folder.resolve(LOCK));
                    deleteIfEmpty(folder);
                } else {
                    // It names nobody who no longer holds it.
                    held.channel().truncate(0);
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

    private static void close(FileChannel channel, Path file) {
        try {
            channel.close();
        } catch (IOException e) {
            throw PrivateFiles.failure("unlock", file, e);
        }
    }
}
