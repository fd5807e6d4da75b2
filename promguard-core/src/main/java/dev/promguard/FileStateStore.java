package dev.promguard;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import dev.promguard.blueprint.Names;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps each mesh in a folder of its own under one root: {@code state.json}, the login key {@code id_ed25519} and its
 * {@code .pub}, and a lock file. Folders are made with mode 0700 and files with 0600 where the file system has such modes.
 * Files are replaced by a rename after they were forced to disk. Thread-safe.
 */
public final class FileStateStore implements StateStore {
    private static final int VERSION = 1;
    private static final String STATE = "state.json";
    private static final String LOCK = "lock";
    private static final String LOGIN_KEY = "id_ed25519";
    private static final String LOGIN_PUBLIC_KEY = "id_ed25519.pub";

    private final Path root;
    private final ObjectMapper json = JsonMapper.builder()
            .addModule(new Jdk8Module())
            .enable(SerializationFeature.INDENT_OUTPUT)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    /**
     * Keeps meshes under a folder, which is made when it is first needed.
     *
     * @param root the folder
     * @throws NullPointerException if {@code root} is null
     */
    public FileStateStore(Path root) {
        this.root = Objects.requireNonNull(root, "root");
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
        Path file = folder(mesh).resolve(LOCK);
        FileChannel channel = null;
        try {
            makeFolder(mesh);
            channel = FileChannel.open(
                    file, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE), fileAttributes());
            FileLock lock = channel.tryLock();
            if (lock != null) {
                FileChannel held = channel;
                channel = null;
                return () -> close(held, file);
            }
        } catch (OverlappingFileLockException e) {
            throw busy(mesh, e);
        } catch (IOException e) {
            throw failure("lock", file, e);
        } finally {
            if (channel != null) {
                close(channel, file);
            }
        }
        throw busy(mesh, null);
    }

    private StateException busy(String mesh, @Nullable Throwable cause) {
        return new StateException(
                "mesh " + mesh + " is being changed by another program (" + describe(mesh)
                        + " is locked): wait until it is done, then run again",
                true,
                cause);
    }

    @Override
    public Optional<MeshState> load(String mesh) {
        Path file = folder(mesh).resolve(STATE);
        try {
            ObjectNode tree = json.readValue(Files.readAllBytes(file), ObjectNode.class);
            int version = tree.path("version").asInt();
            if (version != VERSION) {
                throw new StateException(
                        file + " has format " + version + ", and this PromGuard reads format " + VERSION
                                + ": use the PromGuard that wrote it, or a newer one",
                        false,
                        null);
            }
            tree.remove("version");
            return Optional.of(json.treeToValue(tree, MeshState.class));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (JacksonException | IllegalArgumentException e) {
            throw new StateException(
                    file + " cannot be understood; put back a copy of it, or move it away and see that no host of mesh "
                            + mesh + " is left before you apply",
                    false,
                    e);
        } catch (IOException e) {
            throw failure("read", file, e);
        }
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
            for (String name : new String[] {LOGIN_KEY, LOGIN_PUBLIC_KEY, STATE, LOCK}) {
                Files.deleteIfExists(folder.resolve(name));
            }
            if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
                try (var rest = Files.list(folder)) {
                    if (rest.findAny().isPresent()) {
                        return;
                    }
                }
                Files.delete(folder);
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

    private void replace(String mesh, String name, byte[] bytes) throws IOException {
        makeFolder(mesh);
        Path target = folder(mesh).resolve(name);
        Path fresh = folder(mesh).resolve(name + ".new");
        Files.deleteIfExists(fresh);
        try (FileChannel channel = FileChannel.open(
                fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), fileAttributes())) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
        }
        Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        if (isPosix()) {
            try (FileChannel directory = FileChannel.open(folder(mesh), StandardOpenOption.READ)) {
                directory.force(true);
            }
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
                "cannot " + verb + " " + file + ": " + e.getMessage()
                        + "; see that the folder belongs to you and the disk has room, or name another folder with state(…)",
                false,
                e);
    }
}
