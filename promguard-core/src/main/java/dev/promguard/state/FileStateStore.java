package dev.promguard.state;

import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import dev.promguard.StateException;
import dev.promguard.blueprint.Names;
import dev.promguard.spi.LockHolder;
import dev.promguard.spi.StateStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Keeps each mesh in a folder of its own under one root: {@code state.json}, while a run lasts also {@code changes-*.json}, the login key
 * {@code id_ed25519} and its {@code .pub}, and a lock file that says who holds it. Folders are made with mode 0700 and files with 0600
 * where the file system has such modes. Files are replaced by a rename after they were forced to disk. A backup of a mesh is a copy of the
 * whole folder. Thread-safe.
 *
 * <p>A mesh is locked by its lock file, whatever path leads there: relative paths, symbolic links, other stores of the same
 * program and other programs all meet at the same lock. The system releases the lock of a program that ends in any way; on a network file
 * system, its server does so when the lease of a lost machine has run out.
 */
public final class FileStateStore implements StateStore {
    /** Ten thousand hosts take a fifth of it. */
    private static final int LARGEST_DOCUMENT = 64 * 1024 * 1024;

    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,63}");

    private final Path root;
    private final PrivateFiles files;
    private final FolderLock locks;

    /**
     * Keeps meshes under a folder, which is made when it is first needed.
     *
     * @param root the folder
     * @throws NullPointerException if {@code root} is null
     * @throws InvalidSettingException if {@code root} begins with {@code ~}, which a shell replaces and Java does not
     */
    public FileStateStore(Path root) {
        this(root, new Disk());
    }

    FileStateStore(Path root, Disk disk) {
        if (root.startsWith("~")) {
            throw new InvalidSettingException("state folder " + Names.quote(root.toString())
                    + " would be a folder named ~, since only a shell replaces it: use"
                    + " Path.of(System.getProperty(\"user.home\"), …), or FileStateStore.inHome()");
        }
        this.root = root;
        this.files = new PrivateFiles(disk);
        this.locks = new FolderLock(files);
    }

    /**
     * Keeps meshes under {@code ~/.promguard}.
     *
     * @return the store
     */
    public static FileStateStore inHome() {
        return new FileStateStore(Path.of(System.getProperty("user.home"), ".promguard"));
    }

    @Override
    public Lock lock(String mesh, LockHolder holder) {
        return new HeldLock(mesh, locks.lock(mesh, folder(mesh), holder));
    }

    @Override
    public Optional<Document> read(String mesh, String name) {
        Path file = file(mesh, name);
        if (Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file)) {
            // To open a pipe would wait until somebody writes to it.
            throw new StateException(
                    ErrorCode.STATE_INACCESSIBLE,
                    "cannot read " + file
                            + ": it is not a file, but a pipe, a socket or a device. Move it away, and restore the"
                            + " file from a backup, or name another folder with state(…).",
                    false,
                    null);
        }
        // What is below a file is "not a directory" to whoever opens it, and to newer JDKs "no such file" to whoever
        // asks for its size.
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(LARGEST_DOCUMENT + 1);
            if (bytes.length > LARGEST_DOCUMENT) {
                throw new StateException(
                        ErrorCode.STATE_DAMAGED,
                        file + " cannot be understood (it is longer than " + LARGEST_DOCUMENT / (1024 * 1024)
                                + " MiB). Restore it from a backup. Without one, have recover(…) with replaceState() rebuild it"
                                + " from the hosts of mesh " + mesh + " before you run apply.",
                        false,
                        null);
            }
            return Optional.of(new Document(bytes, version(bytes)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw PrivateFiles.failure("read", file, e);
        }
    }

    private static String version(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public Set<String> names(String mesh) {
        Path folder = folder(mesh);
        Set<String> names = new TreeSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (isName(name)) {
                    names.add(name);
                }
            }
        } catch (NoSuchFileException e) {
            return Set.of();
        } catch (DirectoryIteratorException e) {
            throw PrivateFiles.failure("read", folder, Objects.requireNonNull(e.getCause()));
        } catch (NotDirectoryException e) {
            throw PrivateFiles.failure("read", folder.resolve("."), e);
        } catch (IOException e) {
            throw PrivateFiles.failure("read", folder, e);
        }
        return names;
    }

    @Override
    public String describe(String mesh) {
        return folder(mesh).toString();
    }

    @Override
    public String describe(String mesh, String name) {
        return file(mesh, name).toString();
    }

    private Path folder(String mesh) {
        if (!Names.isMesh(mesh)) {
            throw new InvalidSettingException("not a mesh's name: " + Names.quote(mesh));
        }
        return root.resolve(mesh);
    }

    private Path file(String mesh, String name) {
        if (!isName(name)) {
            throw new InvalidSettingException("not a document's name: " + Names.quote(name));
        }
        return folder(mesh).resolve(name);
    }

    private static boolean isName(String name) {
        return NAME.matcher(name).matches() && !name.equals(FolderLock.LOCK) && !name.endsWith(PrivateFiles.UNFINISHED);
    }

    /** The lock of a mesh's folder. */
    private final class HeldLock implements Lock {
        private final String mesh;
        private final FolderLock.Held held;

        HeldLock(String mesh, FolderLock.Held held) {
            this.mesh = mesh;
            this.held = held;
        }

        @Override
        public synchronized String write(String name, byte[] content, Optional<String> expected) {
            Path file = file(mesh, name);
            requireHeld();
            if (!read(mesh, name).map(Document::version).equals(expected)) {
                throw StateException.conflict(mesh, file + " was changed by another program", Optional.empty());
            }
            try {
                files.replace(folder(mesh), name, content);
                return version(content);
            } catch (IOException e) {
                throw PrivateFiles.failure("write", file, e);
            }
        }

        @Override
        public synchronized void delete(Set<String> names) {
            names.forEach(name -> file(mesh, name));
            requireHeld();
            Path folder = folder(mesh);
            try {
                if (Files.isDirectory(folder)) {
                    files.delete(folder, names);
                }
            } catch (IOException e) {
                throw PrivateFiles.failure("delete", folder, e);
            }
        }

        private void requireHeld() {
            if (!held.isOpen()) {
                throw StateException.conflict(mesh, "the lock of " + folder(mesh) + " was released", Optional.empty());
            }
        }

        @Override
        public synchronized void close() {
            FolderLock.unlock(held);
        }
    }

    /**
     * Where the states are, in a line.
     *
     * @return such as {@code FileStateStore[/home/anna/.promguard]}
     */
    @Override
    public String toString() {
        return "FileStateStore[" + root + "]";
    }
}
