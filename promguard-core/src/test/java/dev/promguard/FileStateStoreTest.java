package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.internal.run.MeshStates;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.WireGuardKeyPair;
import dev.promguard.memory.MemoryCloud;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.States;
import dev.promguard.spi.LockHolder;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.StateStore;
import dev.promguard.spi.StateStoreContract;
import dev.promguard.state.FileStateStore;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
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
        try (SshKeyPair key = key()) {
            States.locked(store, "shop", states -> {
                states.change(States.full("shop"));
                states.change(MeshState.empty("shop"));
                states.saveLoginKey("shop", key);
                assertEveryFileIsItsOwnersAlone();
            });
        }
    }

    private void assertEveryFileIsItsOwnersAlone() {
        try {
            assertThat(mode(root)).isEqualTo("rwx------");
            assertThat(mode(root.resolve("shop"))).isEqualTo("rwx------");
            try (Stream<Path> files = Files.list(root.resolve("shop"))) {
                List<Path> all = files.sorted().toList();
                assertThat(all)
                        .extracting(path -> path.getFileName().toString())
                        .containsExactly("changes-00000001.json", "id_ed25519", "id_ed25519.pub", "lock", "state.json");
                for (Path path : all) {
                    assertThat(mode(path)).as(path.toString()).isEqualTo("rw-------");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void save_overAFileThatOthersMayRead_closesIt() throws Exception {
        States.save(store, States.full("shop"));
        Files.setPosixFilePermissions(file("state.json"), PosixFilePermissions.fromString("rw-r--r--"));
        write("state.json.new", "left over by a crash");

        States.save(store, MeshState.empty("shop"));

        assertThat(mode(file("state.json"))).isEqualTo("rw-------");
        assertThat(file("state.json.new")).doesNotExist();
    }

    /** To open a pipe for reading waits until somebody writes to it. */
    @ParameterizedTest
    @ValueSource(strings = {"state.json", "id_ed25519", "lock"})
    void plan_fileThatIsAPipe_isRefusedAndDoesNotHang(String name) throws Exception {
        MemoryCloud cloud = new MemoryCloud();
        MeshBuilder spec = Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .provider(cloud)
                .applier(new MemoryHosts(cloud))
                .state(store)
                .waits(Account.NO_WAITS);
        spec.apply();
        Files.delete(file(name));
        assumeTrue(new ProcessBuilder("mkfifo", file(name).toString()).start().waitFor() == 0, "mkfifo");

        StateException refused = assertTimeoutPreemptively(
                Duration.ofSeconds(20), () -> catchThrowableOfType(StateException.class, spec::apply));

        assertThat(refused)
                .hasMessageContaining("cannot ")
                .hasMessageContaining(file(name).toString());
    }

    @Test
    void save_wherePlantedLinksWait_followsNone() throws Exception {
        Path elsewhere = Files.writeString(folder.resolve("elsewhere"), "precious");
        Files.createDirectories(root.resolve("shop"));
        Files.createSymbolicLink(file("state.json.new"), elsewhere);
        Files.createSymbolicLink(file("state.json"), elsewhere);

        try (StateStore.Lock lock = store.lock("shop", ANNA)) {
            lock.write(
                    "state.json",
                    "mine".getBytes(StandardCharsets.UTF_8),
                    store.read("shop", "state.json").map(StateStore.Document::version));
        }

        assertThat(elsewhere).hasContent("precious");
        assertThat(file("state.json")).hasContent("mine");
        assertThat(Files.isSymbolicLink(file("state.json"))).isFalse();
    }

    @Test
    void load_afterACrashWhileWriting_isTheOldState() throws Exception {
        States.save(store, States.full("shop"));
        write("state.json.new", "{\"version\":1,\"mesh");

        assertThat(States.load(store, "shop")).contains(States.full("shop"));
        States.save(store, MeshState.empty("shop"));
        assertThat(States.load(store, "shop")).contains(MeshState.empty("shop"));
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

        assertThatThrownBy(() -> States.load(store, "shop"))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.retryable()).isFalse())
                .hasMessageStartingWith(file("state.json") + " cannot be understood")
                .hasMessageContaining(
                        "Restore it from a backup. Without one, have recover(…) with replaceState() rebuild it from the hosts of mesh shop");
        assertThat(file("state.json")).hasContent(content);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 17, -1})
    void load_anotherFormat_saysWhichPromGuardReadsIt(int version) throws Exception {
        write("state.json", "{\"version\":" + version + ",\"mesh\":\"shop\",\"everything\":\"else\"}");

        assertThatThrownBy(() -> States.load(store, "shop"))
                .isInstanceOf(StateException.class)
                .hasMessageStartingWith(file("state.json") + " has format " + version)
                .hasMessageContaining(
                        "reads formats 1 to 2. Use the version of PromGuard that wrote it, or a newer one");
    }

    @Test
    void load_fieldsThatALaterPromGuardAdded_arePassedOver() throws Exception {
        write(
                "state.json",
                "{\"version\":1,\"mesh\":\"shop\",\"hosts\":{},\"resting\":{},\"intents\":[],\"accessKey\":null,\"new\":[1]}");

        assertThat(States.load(store, "shop")).contains(MeshState.empty("shop"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "nonsense", "ssh-ed25519 AAAA"})
    void loadLoginPublicKey_corruptFile_saysWhichAndWhatToDo(String content) throws Exception {
        write("id_ed25519.pub", content);

        assertThatThrownBy(() -> new MeshStates(store).loadLoginPublicKey("shop"))
                .isInstanceOf(StateException.class)
                .hasMessageStartingWith(file("id_ed25519.pub") + " cannot be understood. Restore it from a backup");
    }

    @Test
    void loadLoginKey_emptyFile_saysWhichAndWhatToDo() throws Exception {
        write("id_ed25519", "");

        assertThatThrownBy(() -> new MeshStates(store).loadLoginKey("shop"))
                .isInstanceOf(StateException.class)
                .hasMessageStartingWith(file("id_ed25519") + " cannot be understood. Restore it from a backup");
    }

    @Test
    void saveLoginKey_anyKey_isInFilesThatSshTakes() throws Exception {
        Tool keygen = Tool.orSkip("ssh-keygen", "openssh-client");
        try (SshKeyPair key = key()) {
            States.saveLoginKey(store, "shop", key);

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
                LockingProgram.class.getName(),
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

            assertThatThrownBy(() -> store.lock("shop", ANNA))
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.retryable()).isTrue())
                    .hasMessageContaining("mesh shop is being changed by another program")
                    .hasMessageContaining(root.resolve("shop").toString());
        } finally {
            other.destroyForcibly();
            assertThat(other.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
        store.lock("shop", ANNA).close();
    }

    @Test
    void lock_heldHereAndAskedForAgainHere_staysHeldAgainstOtherPrograms() throws Exception {
        try (StateStore.Lock lock = store.lock("shop", ANNA)) {
            assertThat(lock).isNotNull();
            assertThatThrownBy(() -> new FileStateStore(root).lock("shop", ANNA))
                    .isInstanceOf(StateException.class);
            lock.write("state.json", new byte[1], Optional.empty());
            store.read("shop", "state.json");

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
        try (StateStore.Lock lock = store.lock("shop", ANNA)) {
            assertThat(lock).isNotNull();
            FileStateStore other = new FileStateStore(otherWay(way));
            assertThatThrownBy(() -> other.lock("shop", ANNA))
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.retryable()).isTrue());

            assertOthersFindItLocked();
        }
        store.lock("shop", ANNA).close();
    }

    @Test
    void lock_askedForAgainByAnotherClassLoader_isTheSameLockAndStaysHeld() throws Exception {
        List<URL> classPath = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            classPath.add(Path.of(entry).toUri().toURL());
        }
        try (URLClassLoader loader =
                        new URLClassLoader(classPath.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
                StateStore.Lock lock = store.lock("shop", ANNA)) {
            assertThat(lock).isNotNull();
            Class<?> type = loader.loadClass(FileStateStore.class.getName());
            assertThat(type).isNotSameAs(FileStateStore.class);
            Object other = type.getConstructor(Path.class).newInstance(root);
            Class<?> holder = loader.loadClass(LockHolder.class.getName());
            Object asking = holder.getMethod("ofThisProcess", String.class).invoke(null, "apply");
            assertThatThrownBy(
                            () -> type.getMethod("lock", String.class, holder).invoke(other, "shop", asking))
                    .hasRootCauseMessage("mesh shop is being changed by another program (" + root.resolve("shop")
                            + " is locked by " + ANNA + "). Wait until it is done, then run again. [PG-2001]");

            assertOthersFindItLocked();
        }
    }

    @Test
    void delete_linkedMeshFolder_keepsTheLinkUsable() throws Exception {
        Path elsewhere = Files.createDirectories(folder.resolve("elsewhere"));
        Files.createDirectories(root);
        Files.createSymbolicLink(root.resolve("shop"), elsewhere);
        States.locked(store, "shop", states -> {
            states.change(States.full("shop"));
            states.delete("shop");
        });

        assertThat(elsewhere).isEmptyDirectory();
        States.save(store, States.full("shop"));
        assertThat(States.load(store, "shop")).contains(States.full("shop"));
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
                () -> broken.lock("shop", ANNA),
                () -> broken.read("shop", "state.json"),
                () -> broken.names("shop"),
                () -> States.load(broken, "shop"),
                () -> new MeshStates(broken).loadLoginKey("shop"),
                () -> new MeshStates(broken).loadLoginPublicKey("shop"))) {
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

        assertThatThrownBy(() -> States.load(store, "shop"))
                .isInstanceOf(StateException.class)
                .hasMessageContaining(file("state.json").toString());
        assertThatThrownBy(() -> States.save(store, MeshState.empty("shop")))
                .isInstanceOf(StateException.class)
                .hasMessageContaining(file("state.json").toString());
    }

    @Test
    void save_folderThatMayNotBeWritten_saysThatAccessIsDenied() throws Exception {
        assumeTrue(!"root".equals(System.getProperty("user.name")), "root may write everywhere");
        Files.createDirectories(root);
        Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("r-x------"));

        assertThatThrownBy(() -> States.save(store, States.full("shop")))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("access is denied")
                .hasMessageContaining("Check that the folder belongs to you");
    }

    @Test
    void save_fileSystemWithoutRoom_saysSoAndKeepsTheName() {
        assumeTrue(Files.isDirectory(Path.of("/proc/self")), "only Linux has a /proc to fail in");
        FileStateStore broken = new FileStateStore(Path.of("/proc/promguard"));

        assertThatThrownBy(() -> broken.lock("shop", ANNA))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("/proc/promguard/shop")
                .hasMessageNotContaining("null");
    }

    @Test
    void delete_leftoversOfACrash_leavesNoKeyBehind() throws Exception {
        try (SshKeyPair key = key()) {
            States.saveLoginKey(store, "shop", key);
            String text = key.privateKey().useText(shown -> shown);
            write("id_ed25519.new", text);
            write("id_ed25519.pub.new", "x");
            write("state.json.new", "x");
        }
        States.save(store, States.full("shop"));

        States.delete(store, "shop");

        assertThat(root.resolve("shop")).doesNotExist();
    }

    @Test
    void delete_filesOfTheUsersOwn_areLeftWhereTheyAre() throws Exception {
        States.save(store, States.full("shop"));
        write("notes.txt", "mine");

        States.delete(store, "shop");

        assertThat(file("notes.txt")).hasContent("mine");
        assertThat(file("state.json")).doesNotExist();
    }

    @Test
    void save_interruptedThread_keepsAWholeStateAndTheFlag() {
        States.locked(store, "shop", states -> {
            states.change(States.full("shop"));
            Thread.currentThread().interrupt();
            try {
                states.change(MeshState.empty("shop"));
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
        });
        assertThat(States.load(store, "shop")).contains(MeshState.empty("shop"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "../shop", "a/b", "/etc", "Shop", "a\u0000", "shop\n"})
    void anyCall_nameThatNoMeshHas_isRefused(String mesh) {
        assertThatThrownBy(() -> store.read(mesh, "state.json"))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("not a mesh's name: ");
        assertThatThrownBy(() -> store.names(mesh)).isInstanceOf(InvalidSettingException.class);
        assertThatThrownBy(() -> store.describe(mesh)).isInstanceOf(InvalidSettingException.class);
        assertThatThrownBy(() -> store.lock(mesh, ANNA)).isInstanceOf(InvalidSettingException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "..",
                "../shop/x",
                "a/b",
                "/etc/passwd",
                "State",
                "a\u0000",
                "a\n",
                "lock",
                "state.json.new"
            })
    void anyCall_nameThatNoDocumentHas_isRefused(String name) {
        assertThatThrownBy(() -> store.read("shop", name))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith("not a document's name: ");
        try (StateStore.Lock lock = store.lock("shop", ANNA)) {
            assertThatThrownBy(() -> lock.write(name, new byte[1], Optional.empty()))
                    .isInstanceOf(InvalidSettingException.class);
            assertThatThrownBy(() -> lock.delete(Set.of("a", name))).isInstanceOf(InvalidSettingException.class);
        }
        assertThat(root.resolve("shop")).doesNotExist();
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
        try (Secret key = new MeshStates(store).loadLoginKey("shop").orElseThrow()) {
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
