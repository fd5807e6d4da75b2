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
import dev.promguard.InvalidSettingException;
import dev.promguard.StateException;
import dev.promguard.blueprint.Names;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Keeps each mesh in a folder of its own under one root: {@code state.json}, the login key {@code id_ed25519} and its
 * {@code .pub}, and a lock file. Folders are made with mode 0700 and files with 0600 where the file system has such modes.
 * Files are replaced by a rename after they were forced to disk. Thread-safe.
 *
 * <p>A mesh is locked by its lock file, whatever path leads there: relative paths, symbolic links, other stores of the same
 * program and other programs all meet at the same lock.
 */
public final class FileStateStore implements StateStore {
    private static final int VERSION = 1;
    private static final String STATE = "state.json";
    private static final String LOGIN_KEY = "id_ed25519";
    private static final String LOGIN_PUBLIC_KEY = "id_ed25519.pub";
    /** Ten thousand hosts take a fifth of it. */
    private static final int LARGEST_STATE = 64 * 1024 * 1024;

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
     * @throws InvalidSettingException if {@code root} begins with {@code ~}, which a shell replaces and Java does not
     */
    public FileStateStore(Path root) {
        if (root.startsWith("~")) {
            throw new InvalidSettingException("state folder " + Names.quote(root.toString())
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
        return FolderLock.lock(mesh, folder(mesh));
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
            throw PrivateFiles.failure("read", file, e);
        }
    }

    private static StateException corrupt(String mesh, Path file, @Nullable Throwable cause) {
        String why = cause instanceof ValueInstantiationException refused
                        && refused.getCause() instanceof InvalidSettingException bad
                ? " (" + bad.reason() + ')'
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
            throw PrivateFiles.failure("write", file, e);
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
        } catch (InvalidSettingException e) {
            throw corrupt(mesh, file, e);
        } catch (IOException e) {
            throw PrivateFiles.failure("read", file, e);
        }
    }

    @Override
    public Optional<SshPublicKey> loadLoginPublicKey(String mesh) {
        Path file = folder(mesh).resolve(LOGIN_PUBLIC_KEY);
        try {
            return Optional.of(SshPublicKey.parse(Files.readString(file)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (InvalidSettingException | CharacterCodingException e) {
            throw corrupt(mesh, file, e);
        } catch (IOException e) {
            throw PrivateFiles.failure("read", file, e);
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
                    throw PrivateFiles.failure("write", file, e);
                }
            });
        } catch (IOException e) {
            throw PrivateFiles.failure("write", file, e);
        }
    }

    @Override
    public void delete(String mesh) {
        Path folder = folder(mesh);
        try {
            for (String name : List.of(LOGIN_KEY, LOGIN_PUBLIC_KEY, STATE)) {
                Files.deleteIfExists(folder.resolve(name));
                Files.deleteIfExists(folder.resolve(name + PrivateFiles.UNFINISHED));
            }
            if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
                FolderLock.deleteIfUnused(mesh, folder);
            }
        } catch (IOException e) {
            throw PrivateFiles.failure("delete", folder, e);
        }
    }

    @Override
    public String describe(String mesh) {
        return folder(mesh).toString();
    }

    private Path folder(String mesh) {
        if (!Names.isMesh(mesh)) {
            throw new InvalidSettingException("not a mesh's name: " + Names.quote(mesh));
        }
        return root.resolve(mesh);
    }

    private synchronized void replace(String mesh, String name, byte[] bytes) throws IOException {
        PrivateFiles.replace(folder(mesh), name, bytes);
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
