package dev.promguard.state;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.deser.std.FromStringDeserializer;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import dev.promguard.ErrorCode;
import dev.promguard.StateException;
import dev.promguard.blueprint.Names;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Keeps each mesh in a folder of its own under one root: {@code state.json}, the login key {@code id_ed25519} and its
 * {@code .pub}, and a lock file. Folders are made with mode 0700 and files with 0600 where the file system has such modes.
 * Files are replaced by a rename after they were forced to disk. Thread-safe.
 *
 * <p>A mesh's lock is that of its lock file, whatever path leads there: relative paths, symbolic links, other stores of the same
 * program and other programs all meet at the same lock.
 */
public final class FileStateStore implements StateStore {
    private static final int VERSION = 1;
    private static final String STATE = "state.json";
    private static final String LOCK = "lock";
    private static final String LOGIN_KEY = "id_ed25519";
    private static final String LOGIN_PUBLIC_KEY = "id_ed25519.pub";
    /** Begins the names of the system properties that say which lock files this program holds. */
    private static final String LOCKED = "dev.promguard.locked.";
    /** Guards them. A literal is the same object for every class loader of the program, and a class's monitor is not. */
    private static final String PROGRAM = "dev.promguard.state.FileStateStore";

    /** Ten thousand hosts take a fifth of it. */
    private static final int LARGEST_STATE = 64 * 1024 * 1024;

    private static final int LARGEST_LOCK = 65_536;
    /** How often to begin anew when the folder is taken away by another program in between. */
    private static final int LOCK_ATTEMPTS = 100;
    /** Ends the name of a file that is not whole yet. */
    private static final String FRESH = ".new";

    private final Path root;
    private final ObjectMapper json = JsonMapper.builder()
            .addModule(new Jdk8Module())
            .addModule(new SimpleModule()
                    .addSerializer(Instant.class, ToStringSerializer.instance)
                    .addDeserializer(Instant.class, new InstantReader()))
            .enable(SerializationFeature.INDENT_OUTPUT)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** Reads a time as {@link Instant#toString} writes it. */
    private static final class InstantReader extends FromStringDeserializer<Instant> {
        private static final long serialVersionUID = 1L;

        InstantReader() {
            super(Instant.class);
        }

        @Override
        protected Instant _deserialize(String text, DeserializationContext context) {
            return Instant.parse(text);
        }
    }

    /**
     * Keeps meshes under a folder, which is made when it is first needed.
     *
     * @param root the folder
     * @throws NullPointerException if {@code root} is null
     * @throws IllegalArgumentException if {@code root} begins with {@code ~}, which a shell replaces and Java does not
     */
    public FileStateStore(Path root) {
        if (root.startsWith("~")) {
            throw new IllegalArgumentException("state folder " + Names.quote(root.toString())
                    + " would be a folder named ~, since only a shell replaces it: use"
                    + " Path.of(System.getProperty(\"user.home\"), …), or FileStateStore.inHome()");
        }
        this.root = root;
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
    public Lock lock(String mesh) {
        Path folder = folder(mesh).toAbsolutePath();
        // One at a time in this program, whatever path leads to the folder and whichever class loader loaded this
        // class. What is
        // locked by this program must not be opened again: on POSIX systems, closing any channel of a file gives up all
        // locks on it.
        synchronized (PROGRAM) {
            Held held = lockFile(mesh, folder.resolve(LOCK));
            System.setProperty(held.key(), mesh);
            return () -> unlock(folder, held);
        }
    }

    /** A locked file, and the name of the system property that tells all of this program that it is locked. */
    private record Held(FileChannel channel, String key) {}

    private Held lockFile(String mesh, Path file) {
        IOException last = null;
        for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
            FileChannel channel = null;
            try {
                makeFolder(mesh);
                createIfMissing(file);
                String key = key(file);
                if (System.getProperty(key) != null) {
                    throw busy(mesh, null);
                }
                channel = FileChannel.open(file, Set.of(StandardOpenOption.WRITE));
                FileLock lock = channel.tryLock();
                if (lock == null) {
                    throw busy(mesh, null);
                }
                if (isStillThere(channel, file)) {
                    FileChannel held = channel;
                    channel = null;
                    return new Held(held, key);
                }
            } catch (NoSuchFileException | FileAlreadyExistsException e) {
                last = e;
            } catch (OverlappingFileLockException e) {
                throw busy(mesh, e);
            } catch (IOException e) {
                throw failure("lock", file, e);
            } finally {
                if (channel != null) {
                    close(channel, file);
                }
            }
        }
        throw last == null ? busy(mesh, null) : failure("lock", file, last);
    }

    private void createIfMissing(Path file) throws IOException {
        if (!Files.exists(file)) {
            Files.createFile(file, fileAttributes());
        }
    }

    /**
     * What a file is known by, whatever path leads to it: the device and inode where there are such, so that symbolic links,
     * hard links and mounts make no difference, and its real path otherwise.
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
     * Whether a locked file is still the one of that name: who held it before may have taken it away with the mesh. It is
     * given a size that another file hardly has, since it may not be opened a second time.
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

    /** Gives a mesh free, and takes its folder away if there is nothing in it but the lock. */
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
                throw failure("delete", folder, e);
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

    /** Deletes a folder, unless another program has begun to use it again, or it is the user's link to a folder elsewhere. */
    private static boolean deleteIfEmpty(Path folder) throws IOException {
        try {
            return !Files.isSymbolicLink(folder) && Files.deleteIfExists(folder);
        } catch (DirectoryNotEmptyException e) {
            return false;
        }
    }

    private StateException busy(String mesh, @Nullable Throwable cause) {
        return new StateException(
                ErrorCode.STATE_LOCKED,
                "mesh " + mesh + " is being changed by another program (" + describe(mesh)
                        + " is locked). Wait until it is done, then run again.",
                true,
                cause);
    }

    @Override
    public Optional<MeshState> load(String mesh) {
        Path file = folder(mesh).resolve(STATE);
        // What is below a file is "not a directory" to whoever opens it, and to newer JDKs "no such file" to whoever
        // asks for its size.
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(LARGEST_STATE + 1);
            if (bytes.length > LARGEST_STATE) {
                throw corrupt(mesh, file, " (it is longer than " + LARGEST_STATE / (1024 * 1024) + " MiB)", null);
            }
            ObjectNode tree = json.readValue(bytes, ObjectNode.class);
            if (tree == null || !tree.path("version").isInt()) {
                throw corrupt(mesh, file, null);
            }
            int version = tree.path("version").intValue();
            if (version != VERSION) {
                throw new StateException(
                        ErrorCode.STATE_VERSION,
                        file + " has format " + version + ", and this PromGuard reads format " + VERSION
                                + ". Use the version of PromGuard that wrote it, or a newer one.",
                        false,
                        null);
            }
            tree.remove("version");
            MeshState state = json.treeToValue(tree, MeshState.class);
            if (!state.mesh().equals(mesh)) {
                throw corrupt(mesh, file, null);
            }
            return Optional.of(state);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (JacksonException e) {
            throw corrupt(mesh, file, e);
        } catch (IOException e) {
            throw failure("read", file, e);
        }
    }

    private static StateException corrupt(String mesh, Path file, @Nullable Throwable cause) {
        String why = cause instanceof ValueInstantiationException refused
                        && refused.getCause() instanceof IllegalArgumentException bad
                ? " (" + bad.getMessage() + ')'
                : "";
        return corrupt(mesh, file, why, cause);
    }

    private static StateException corrupt(String mesh, Path file, String why, @Nullable Throwable cause) {
        return new StateException(
                ErrorCode.STATE_DAMAGED,
                file + " cannot be understood" + why
                        + ". Restore it from a backup, or move it away and make sure that no host of mesh " + mesh
                        + " is left before you run apply.",
                false,
                cause);
    }

    @Override
    public void save(MeshState state) {
        Path file = folder(state.mesh()).resolve(STATE);
        try {
            ObjectNode tree = json.createObjectNode();
            tree.put("version", VERSION);
            tree.setAll((ObjectNode) json.valueToTree(state));
            replace(state.mesh(), STATE, json.writeValueAsBytes(tree));
        } catch (IOException e) {
            throw failure("write", file, e);
        }
    }

    @Override
    public Optional<Secret> loadLoginKey(String mesh) {
        Path file = folder(mesh).resolve(LOGIN_KEY);
        try {
            byte[] bytes = Files.readAllBytes(file);
            try {
                return Optional.of(Secret.of(bytes));
            } finally {
                Arrays.fill(bytes, (byte) 0);
            }
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            throw corrupt(mesh, file, e);
        } catch (IOException e) {
            throw failure("read", file, e);
        }
    }

    @Override
    public Optional<SshPublicKey> loadLoginPublicKey(String mesh) {
        Path file = folder(mesh).resolve(LOGIN_PUBLIC_KEY);
        try {
            return Optional.of(SshPublicKey.parse(Files.readString(file)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IllegalArgumentException | CharacterCodingException e) {
            throw corrupt(mesh, file, e);
        } catch (IOException e) {
            throw failure("read", file, e);
        }
    }

    @Override
    public void saveLoginKey(String mesh, SshKeyPair key) {
        Path file = folder(mesh).resolve(LOGIN_KEY);
        try {
            String line = key.publicKey().line() + " promguard-" + mesh + '\n';
            replace(mesh, LOGIN_PUBLIC_KEY, line.getBytes(StandardCharsets.UTF_8));
            key.privateKey().use(bytes -> {
                try {
                    replace(mesh, LOGIN_KEY, bytes);
                    return null;
                } catch (IOException e) {
                    throw failure("write", file, e);
                }
            });
        } catch (IOException e) {
            throw failure("write", file, e);
        }
    }

    @Override
    public void delete(String mesh) {
        Path folder = folder(mesh);
        try {
            for (String name : List.of(LOGIN_KEY, LOGIN_PUBLIC_KEY, STATE)) {
                Files.deleteIfExists(folder.resolve(name));
                Files.deleteIfExists(folder.resolve(name + FRESH));
            }
            if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
                synchronized (PROGRAM) {
                    if (!isLockedHere(folder.resolve(LOCK))) {
                        lock(mesh).close();
                    }
                }
            }
        } catch (IOException e) {
            throw failure("delete", folder, e);
        }
    }

    @Override
    public String describe(String mesh) {
        return folder(mesh).toString();
    }

    private Path folder(String mesh) {
        if (!Names.isMesh(mesh)) {
            throw new IllegalArgumentException("not a mesh's name: " + Names.quote(mesh));
        }
        return root.resolve(mesh);
    }

    private void makeFolder(String mesh) throws IOException {
        if (isPosix()) {
            Files.createDirectories(
                    folder(mesh), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } else {
            Files.createDirectories(folder(mesh));
        }
    }

    /** Replaces a file, also in a thread that is interrupted: what was done has to be written down all the same. */
    private synchronized void replace(String mesh, String name, byte[] bytes) throws IOException {
        boolean interrupted = false;
        try {
            while (!replaced(mesh, name, bytes)) {
                interrupted |= Thread.interrupted();
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Replaces a file, and returns false if an interruption came in between. */
    private boolean replaced(String mesh, String name, byte[] bytes) throws IOException {
        makeFolder(mesh);
        Path target = folder(mesh).resolve(name);
        Path fresh = folder(mesh).resolve(name + FRESH);
        Files.deleteIfExists(fresh);
        try {
            try (FileChannel channel = FileChannel.open(
                    fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), fileAttributes())) {
                writeAll(channel, bytes);
                channel.force(true);
            }
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            if (isPosix()) {
                try (FileChannel directory = FileChannel.open(folder(mesh), StandardOpenOption.READ)) {
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

    private FileAttribute<?>[] fileAttributes() {
        if (!isPosix()) {
            return new FileAttribute<?>[0];
        }
        return new FileAttribute<?>[] {
            PosixFilePermissions.asFileAttribute(
                    EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE))
        };
    }

    private boolean isPosix() {
        return root.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private static void close(FileChannel channel, Path file) {
        try {
            channel.close();
        } catch (IOException e) {
            throw failure("unlock", file, e);
        }
    }

    private static StateException failure(String verb, Path file, IOException e) {
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
