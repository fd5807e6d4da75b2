package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.keys.KeySource;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.WireGuardKeyPair;
import dev.promguard.memory.MemoryCloud;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import dev.promguard.spi.StateStoreContract;
import dev.promguard.state.FileStateStore;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FileStateStoreTest extends StateStoreContract {
    @TempDir
    Path folder;

    private Path root = Path.of("");
    private FileStateStore store = FileStateStore.inHome();

    @BeforeEach
    void begin() {
        root = folder.resolve("deep").resolve("root");
        store = new FileStateStore(root);
    }

    @Override
    protected StateStore store() {
        return store;
    }

    private Path file(String name) {
        return root.resolve("shop").resolve(name);
    }

    private void write(String name, String content) throws IOException {
        Files.createDirectories(root.resolve("shop"));
        Files.writeString(file(name), content);
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    private static SshKeyPair key() {
        return SshKeyPair.generate(new SecureRandom());
    }

    @Test
    void everyFile_madeByTheStore_isItsOwnersAlone() throws Exception {
        try (StateStore.Lock lock = store.lock("shop");
                SshKeyPair key = key()) {
            assertThat(lock).isNotNull();
            store.save(full("shop"));
            store.saveLoginKey("shop", key);

            assertThat(mode(root)).isEqualTo("rwx------");
            assertThat(mode(root.resolve("shop"))).isEqualTo("rwx------");
            try (Stream<Path> files = Files.list(root.resolve("shop"))) {
                List<Path> all = files.sorted().toList();
                assertThat(all)
                        .extracting(path -> path.getFileName().toString())
                        .containsExactly("id_ed25519", "id_ed25519.pub", "lock", "state.json");
                for (Path path : all) {
                    assertThat(mode(path)).as(path.toString()).isEqualTo("rw-------");
                }
            }
        }
    }

    @Test
    void save_overAFileThatOthersMayRead_closesIt() throws Exception {
        write("state.json", "old");
        write("state.json.new", "left over by a crash");
        assertThat(mode(file("state.json"))).isNotEqualTo("rw-------");

        store.save(full("shop"));

        assertThat(mode(file("state.json"))).isEqualTo("rw-------");
        assertThat(file("state.json.new")).doesNotExist();
    }

    @Test
    void save_wherePlantedLinksWait_followsNone() throws Exception {
        Path elsewhere = Files.writeString(folder.resolve("elsewhere"), "precious");
        Files.createDirectories(root.resolve("shop"));
        Files.createSymbolicLink(file("state.json.new"), elsewhere);
        Files.createSymbolicLink(file("state.json"), elsewhere);

        store.save(full("shop"));

        assertThat(elsewhere).hasContent("precious");
        assertThat(store.load("shop")).contains(full("shop"));
        assertThat(Files.isSymbolicLink(file("state.json"))).isFalse();
    }

    @Test
    void load_fileOfTheFirstFormat_isStillRead() throws Exception {
        try (InputStream in = FileStateStoreTest.class.getResourceAsStream("state-format-1.json")) {
            write("state.json", new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8));
        }

        MeshState now = full("shop");
        assertThat(store.load("shop"))
                .as("it knows neither jump hosts nor protected hosts")
                .contains(new MeshState(
                        now.mesh(), now.hosts(), now.resting(), now.intents(), now.accessKey(), Map.of(), Set.of()));
    }

    @Test
    void load_afterACrashWhileWriting_isTheOldState() throws Exception {
        store.save(full("shop"));
        write("state.json.new", "{\"version\":1,\"mesh");

        assertThat(store.load("shop")).contains(full("shop"));
        store.save(MeshState.empty("shop"));
        assertThat(store.load("shop")).contains(MeshState.empty("shop"));
    }

    static Stream<String> corrupt() {
        String good = "{\"version\":1,\"mesh\":\"shop\",\"hosts\":{},\"resting\":{},\"intents\":[],\"accessKey\":null}";
        return Stream.of(
                "",
                " \n",
                "{",
                good.substring(0, good.length() / 2),
                good.substring(0, good.length() - 1),
                good + good,
                good + "x",
                "[]",
                "null",
                "true",
                "\"shop\"",
                "not json",
                "\u0000\u0000\u0000\u0000",
                "{}",
                "{\"version\":1}",
                "{\"mesh\":\"shop\"}",
                "{\"version\":\"one\",\"mesh\":\"shop\"}",
                good.replace("\"hosts\":{}", "\"hosts\":null"),
                good.replace("\"hosts\":{}", "\"hosts\":[]"),
                good.replace("\"hosts\":{}", "\"hosts\":{\"a\":{}}"),
                good.replace("\"hosts\":{}", "\"hosts\":{\"a\":null}"),
                good.replace(
                        "\"hosts\":{}",
                        "\"hosts\":{\"a\":{\"address\":\"10.0.0.1\",\"providerId\":null,\"publicKey\":null,"
                                + "\"hostKeys\":[{\"text\":\"nonsense\"}],\"bootstrapKey\":null}}"),
                good.replace(
                        "\"hosts\":{}",
                        "\"hosts\":{\"a\":{\"address\":\"10.0.0.1\",\"providerId\":null,\"publicKey\":null,"
                                + "\"hostKeys\":[],\"bootstrapKey\":null,\"pinnedAt\":\"yesterday\"}}"),
                good.replace("\"intents\":[]", "\"intents\":[{}]"),
                good.replace("\"mesh\":\"shop\"", "\"mesh\":\"bank\""));
    }

    @ParameterizedTest
    @MethodSource("corrupt")
    void load_corruptFile_saysWhichAndWhatToDo(String content) throws Exception {
        write("state.json", content);

        assertThatThrownBy(() -> store.load("shop"))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.retryable()).isFalse())
                .hasMessageStartingWith(file("state.json") + " cannot be understood")
                .hasMessageContaining(
                        "Restore it from a backup, or move it away and make sure that no host of mesh shop is left");
        assertThat(file("state.json")).hasContent(content);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2, 17, -1})
    void load_anotherFormat_saysWhichPromGuardReadsIt(int version) throws Exception {
        write("state.json", "{\"version\":" + version + ",\"mesh\":\"shop\",\"everything\":\"else\"}");

        assertThatThrownBy(() -> store.load("shop"))
                .isInstanceOf(StateException.class)
                .hasMessageStartingWith(file("state.json") + " has format " + version)
                .hasMessageContaining("reads format 1. Use the version of PromGuard that wrote it, or a newer one");
    }

    @Test
    void load_fieldsThatALaterPromGuardAdded_arePassedOver() throws Exception {
        write(
                "state.json",
                "{\"version\":1,\"mesh\":\"shop\",\"hosts\":{},\"resting\":{},\"intents\":[],\"accessKey\":null,\"new\":[1]}");

        assertThat(store.load("shop")).contains(MeshState.empty("shop"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "nonsense", "ssh-ed25519 AAAA"})
    void loadLoginPublicKey_corruptFile_saysWhichAndWhatToDo(String content) throws Exception {
        write("id_ed25519.pub", content);

        assertThatThrownBy(() -> store.loadLoginPublicKey("shop"))
                .isInstanceOf(StateException.class)
                .hasMessageStartingWith(file("id_ed25519.pub") + " cannot be understood. Restore it from a backup");
    }

    @Test
    void loadLoginKey_emptyFile_saysWhichAndWhatToDo() throws Exception {
        write("id_ed25519", "");

        assertThatThrownBy(() -> store.loadLoginKey("shop"))
                .isInstanceOf(StateException.class)
                .hasMessageStartingWith(file("id_ed25519") + " cannot be understood. Restore it from a backup");
    }

    @Test
    void saveLoginKey_anyKey_isInFilesThatSshTakes() throws Exception {
        Tool keygen = Tool.orSkip("ssh-keygen", "openssh-client");
        try (SshKeyPair key = key()) {
            store.saveLoginKey("shop", key);

            assertThat(keygen.run("", "-y", "-f", file("id_ed25519").toString())
                            .output()
                            .strip())
                    .isEqualTo(key.publicKey().line());
            assertThat(Files.readString(file("id_ed25519.pub")))
                    .isEqualTo(key.publicKey().line() + " promguard-shop\n");
        }
    }

    private static Process program(Path root, String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                LockHolder.class.getName(),
                root.toString(),
                "shop"));
        command.addAll(List.of(more));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static BufferedReader output(Process process) {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    @Test
    void lock_heldByAnotherProgram_isRefusedUntilThatProgramIsGone() throws Exception {
        Process other = program(root);
        try (BufferedReader said = output(other)) {
            assertThat(said.readLine()).isEqualTo("locked");

            assertThatThrownBy(() -> store.lock("shop"))
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.retryable()).isTrue())
                    .hasMessageContaining("mesh shop is being changed by another program")
                    .hasMessageContaining(root.resolve("shop").toString());
        } finally {
            other.destroyForcibly();
            assertThat(other.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
        store.lock("shop").close();
    }

    @Test
    void lock_heldHereAndAskedForAgainHere_staysHeldAgainstOtherPrograms() throws Exception {
        try (StateStore.Lock lock = store.lock("shop")) {
            assertThat(lock).isNotNull();
            assertThatThrownBy(() -> new FileStateStore(root).lock("shop")).isInstanceOf(StateException.class);
            store.save(full("shop"));
            store.load("shop");

            Process other = program(root);
            try (BufferedReader said = output(other)) {
                assertThat(said.readLine()).isEqualTo("busy");
            } finally {
                other.destroyForcibly();
            }
        }
    }

    @Test
    void lock_takenWhileOthersForgetTheMesh_isNeverHeldTwice() throws Exception {
        List<Process> programs = new ArrayList<>();
        try {
            for (int i = 0; i < 2; i++) {
                programs.add(program(root, folder.resolve("holder").toString()));
            }
            for (Process process : programs) {
                try (BufferedReader said = output(process)) {
                    assertThat(said.lines().toList()).containsExactly("held 60");
                }
            }
        } finally {
            programs.forEach(Process::destroyForcibly);
        }
        assertThat(root.resolve("shop")).doesNotExist();
    }

    /** How else one may come to the folder of a mesh. */
    private Path otherWay(String way) throws IOException {
        Path elsewhere = Files.createDirectories(folder.resolve("elsewhere/deep"));
        return switch (way) {
            case "linked root" -> Files.createSymbolicLink(folder.resolve("link"), root);
            case "linked mesh folder" -> {
                Files.createSymbolicLink(elsewhere.resolve("shop"), root.resolve("shop"));
                yield elsewhere;
            }
            case "dots behind a link" -> {
                Path inner = Files.createDirectories(root.resolve("inner"));
                yield Files.createSymbolicLink(folder.resolve("link"), inner).resolve("..");
            }
            case "relative path" -> Path.of("").toAbsolutePath().relativize(root.toRealPath());
            case "hard-linked copy" -> {
                Files.createLink(
                        Files.createDirectories(elsewhere.resolve("shop")).resolve("lock"), file("lock"));
                yield elsewhere;
            }
            default -> throw new IllegalArgumentException(way);
        };
    }

    private void assertOthersFindItLocked() throws IOException {
        Process other = program(root);
        try (BufferedReader said = output(other)) {
            assertThat(said.readLine()).isEqualTo("busy");
        } finally {
            other.destroyForcibly();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"linked root", "linked mesh folder", "dots behind a link", "relative path", "hard-linked copy"})
    void lock_askedForAgainByAnotherPath_isTheSameLockAndStaysHeld(String way) throws Exception {
        try (StateStore.Lock lock = store.lock("shop")) {
            assertThat(lock).isNotNull();
            FileStateStore other = new FileStateStore(otherWay(way));
            assertThatThrownBy(() -> other.lock("shop"))
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.retryable()).isTrue());

            assertOthersFindItLocked();
        }
        store.lock("shop").close();
    }

    @Test
    void lock_askedForAgainByAnotherClassLoader_isTheSameLockAndStaysHeld() throws Exception {
        List<URL> classPath = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            classPath.add(Path.of(entry).toUri().toURL());
        }
        try (URLClassLoader loader =
                        new URLClassLoader(classPath.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
                StateStore.Lock lock = store.lock("shop")) {
            assertThat(lock).isNotNull();
            Class<?> type = loader.loadClass(FileStateStore.class.getName());
            assertThat(type).isNotSameAs(FileStateStore.class);
            Object other = type.getConstructor(Path.class).newInstance(root);
            assertThatThrownBy(() -> type.getMethod("lock", String.class).invoke(other, "shop"))
                    .hasRootCauseMessage("mesh shop is being changed by another program (" + root.resolve("shop")
                            + " is locked). Wait until it is done, then run again. [PG-2001]");

            assertOthersFindItLocked();
        }
    }

    @Test
    void delete_linkedMeshFolder_keepsTheLinkUsable() throws Exception {
        Path elsewhere = Files.createDirectories(folder.resolve("elsewhere"));
        Files.createDirectories(root);
        Files.createSymbolicLink(root.resolve("shop"), elsewhere);
        try (StateStore.Lock lock = store.lock("shop")) {
            assertThat(lock).isNotNull();
            store.save(full("shop"));
            store.delete("shop");
        }

        assertThat(elsewhere).isEmptyDirectory();
        store.save(full("shop"));
        assertThat(store.load("shop")).contains(full("shop"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"~", "~/.promguard"})
    void root_withTheShellsTilde_isRefused(String tilde) {
        assertThatThrownBy(() -> new FileStateStore(Path.of(tilde)))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("state folder \"" + tilde + '"')
                .hasMessageContaining("FileStateStore.inHome()");
    }

    @Test
    void everyCall_rootThatIsAFile_saysSo() throws Exception {
        Path taken = Files.writeString(folder.resolve("taken"), "");
        FileStateStore broken = new FileStateStore(taken);

        for (Runnable call : List.<Runnable>of(
                () -> broken.lock("shop"),
                () -> broken.load("shop"),
                () -> broken.save(MeshState.empty("shop")),
                () -> broken.loadLoginKey("shop"),
                () -> broken.loadLoginPublicKey("shop"),
                () -> broken.delete("shop"))) {
            StateException refused = catchThrowableOfType(StateException.class, call::run);
            assertThat(refused)
                    .hasMessageContaining(taken.toString())
                    .hasMessageContaining("is not a folder")
                    .hasMessageContaining("name another folder with state(…)");
        }
    }

    @Test
    void everyCall_stateFileThatIsAFolder_saysSo() throws Exception {
        Files.createDirectories(file("state.json").resolve("inner"));

        assertThatThrownBy(() -> store.load("shop"))
                .isInstanceOf(StateException.class)
                .hasMessageContaining(file("state.json").toString());
        assertThatThrownBy(() -> store.save(MeshState.empty("shop")))
                .isInstanceOf(StateException.class)
                .hasMessageContaining(file("state.json").toString());
    }

    @Test
    void save_folderThatMayNotBeWritten_saysThatAccessIsDenied() throws Exception {
        assumeTrue(!"root".equals(System.getProperty("user.name")), "root may write everywhere");
        Files.createDirectories(root);
        Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("r-x------"));

        assertThatThrownBy(() -> store.save(full("shop")))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("access is denied")
                .hasMessageContaining("Check that the folder belongs to you");
    }

    @Test
    void save_fileSystemWithoutRoom_saysSoAndKeepsTheName() {
        assumeTrue(Files.isDirectory(Path.of("/proc/self")), "only Linux has a /proc to fail in");
        FileStateStore broken = new FileStateStore(Path.of("/proc/promguard"));

        for (Runnable call : List.<Runnable>of(() -> broken.lock("shop"), () -> broken.save(MeshState.empty("shop")))) {
            assertThatThrownBy(call::run)
                    .isInstanceOf(StateException.class)
                    .hasMessageContaining("/proc/promguard/shop")
                    .hasMessageNotContaining("null");
        }
    }

    @Test
    void delete_leftoversOfACrash_leavesNoKeyBehind() throws Exception {
        try (SshKeyPair key = key()) {
            store.saveLoginKey("shop", key);
            String text = key.privateKey().useText(shown -> shown);
            write("id_ed25519.new", text);
            write("id_ed25519.pub.new", "x");
            write("state.json.new", "x");
        }
        store.save(full("shop"));

        store.delete("shop");

        assertThat(root.resolve("shop")).doesNotExist();
    }

    @Test
    void delete_filesOfTheUsersOwn_areLeftWhereTheyAre() throws Exception {
        store.save(full("shop"));
        write("notes.txt", "mine");

        store.delete("shop");

        assertThat(file("notes.txt")).hasContent("mine");
        assertThat(file("state.json")).doesNotExist();
    }

    @Test
    void save_interruptedThread_keepsAWholeStateAndTheFlag() {
        store.save(full("shop"));
        Thread.currentThread().interrupt();
        try {
            store.save(MeshState.empty("shop"));
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(store.load("shop")).contains(MeshState.empty("shop"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "../shop", "a/b", "/etc", "Shop", "a\u0000", "shop\n"})
    void anyCall_nameThatNoMeshHas_isRefused(String mesh) {
        assertThatThrownBy(() -> store.load(mesh))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("not a mesh's name: ");
        assertThatThrownBy(() -> store.delete(mesh)).isInstanceOf(InvalidSettingException.class);
        assertThatThrownBy(() -> store.lock(mesh)).isInstanceOf(InvalidSettingException.class);
    }

    @Test
    void inHome_usual_isAFolderOfTheUsers() {
        assertThat(FileStateStore.inHome().describe("shop"))
                .isEqualTo(Path.of(System.getProperty("user.home"), ".promguard", "shop")
                        .toString());
    }

    @Test
    void state_ofALivingMesh_holdsNoSecretButTheLoginKeyInItsFile() throws Exception {
        List<String> secrets = Collections.synchronizedList(new ArrayList<>());
        KeySource random = KeySource.random();
        KeySource spy = () -> {
            WireGuardKeyPair pair = random.generate();
            secrets.add(pair.privateKey().useText(text -> text));
            return pair;
        };
        MemoryCloud cloud = new MemoryCloud();
        Mesh mesh = Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .nodes(2, "lon1")
                .provider(cloud)
                .applier(new MemoryHosts(cloud))
                .keySource(spy)
                .state(root)
                .waits(Account.NO_WAITS)
                .build();

        ApplyReport report = mesh.apply();

        assertThat(secrets).hasSize(3);
        String login;
        try (Secret key = store.loadLoginKey("shop").orElseThrow()) {
            login = key.useText(text -> text).lines().toList().get(1);
        }
        try (Stream<Path> files = Files.walk(root)) {
            for (Path path : files.filter(Files::isRegularFile).toList()) {
                String text = Files.readString(path);
                assertThat(text).doesNotContain(secrets);
                assertThat(text.contains(login)).isEqualTo(path.endsWith("id_ed25519"));
            }
        }
        assertThat(report + mesh.plan().toString() + mesh)
                .doesNotContain(secrets)
                .doesNotContain(login);
        mesh.destroy();
        assertThat(root.resolve("shop")).doesNotExist();
    }
}
