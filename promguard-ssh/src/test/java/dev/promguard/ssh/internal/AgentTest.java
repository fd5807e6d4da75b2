package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.InvalidSettingException;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import dev.promguard.ssh.SshApplier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.core.CoreModuleProperties;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Logging in with keys that an SSH agent holds: OpenSSH's, and agents that are not there or do not behave. */
@Timeout(60)
class AgentTest {
    private static final SshApplier APPLIER = new SshApplier();

    @TempDir
    Path folder;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private Path socket = Path.of("");

    @BeforeEach
    void nameSocket() {
        // Such a path may have some hundred characters at most.
        socket = folder.resolve("agent");
        assumeTrue(socket.toString().length() < 100, "the folder's name is too long for a socket");
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable resource : opened) {
            resource.close();
        }
    }

    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(said).isZero();
        return said;
    }

    private void startAgent() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/ssh-agent")), "needs ssh-agent");
        Process agent = new ProcessBuilder("ssh-agent", "-D", "-a", socket.toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        opened.add(() -> {
            agent.destroy();
            agent.waitFor();
        });
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (!Files.exists(socket) && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
    }

    /** Makes a key, adds it to the agent, and tells its public half. */
    private String add(String name, String type, String bits) throws Exception {
        Path file = folder.resolve(name);
        List<String> command =
                new ArrayList<>(List.of("ssh-keygen", "-q", "-t", type, "-N", "", "-C", "", "-f", file.toString()));
        if (!bits.isEmpty()) {
            command.addAll(List.of("-b", bits));
        }
        run(command.toArray(new String[0]));
        run("env", "SSH_AUTH_SOCK=" + socket, "ssh-add", file.toString());
        return Files.readString(file.resolveSibling(name + ".pub")).strip();
    }

    /** A host that admits one key. */
    private TestServer server(String admitted) throws IOException {
        SshPublicKey key = SshPublicKey.parse(admitted);
        TestServer server = new TestServer((in, out, err) -> 0)
                .offering(sshd -> sshd.setPublickeyAuthenticator(
                        (user, shown, session) -> PublicKeyEntry.toString(shown).startsWith(key.line())))
                .start();
        opened.add(server);
        return server;
    }

    private static HostTarget target(TestServer server, Identity identity) {
        return server.target(server.port(), server.fingerprint(), Duration.ofSeconds(10)).toBuilder()
                .identity(identity)
                .build();
    }

    private HostException failure(HostTarget target) {
        AtomicReference<HostException> failure = new AtomicReference<>();
        assertThatThrownBy(() -> APPLIER.open(target)).isInstanceOfSatisfying(HostException.class, failure::set);
        return Objects.requireNonNull(failure.get());
    }

    private static TestServer anyHost() throws IOException {
        return new TestServer((in, out, err) -> 0).start();
    }

    @ParameterizedTest
    @CsvSource({"ed25519, ''", "rsa, 3072", "ecdsa, 256", "ecdsa, 384", "ecdsa, 521"})
    void open_keyOfTheAgent_logsInWithItsSignature(String type, String bits) throws Exception {
        startAgent();
        add("other", "ed25519", "");
        TestServer server = server(add("mine", type, bits));

        APPLIER.open(target(server, Identity.ofAgent(socket))).close();
    }

    @Test
    void open_oneKeyNamed_triesNoOther() throws Exception {
        startAgent();
        String other = add("other", "ed25519", "");
        SshPublicKey mine = SshPublicKey.parse(add("mine", "ed25519", ""));
        TestServer server = server(other);

        HostException failure = failure(target(server, Identity.ofAgent(socket).withAgentKey(mine)));

        assertThat(failure)
                .hasMessageContaining(
                        "refused the login of root with the agent's key " + mine.fingerprint() + " [PG-4004]");
    }

    @Test
    void open_certificateInTheAgent_isOfferedAsSuch() throws Exception {
        startAgent();
        run(
                "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-f",
                folder.resolve("ca").toString());
        for (String type : List.of("ed25519", "rsa")) {
            Path key = folder.resolve("certified-" + type);
            run("ssh-keygen", "-q", "-t", type, "-N", "", "-f", key.toString());
            run("ssh-keygen", "-q", "-s", folder.resolve("ca").toString(), "-I", "me", "-n", "root", key + ".pub");
            run("env", "SSH_AUTH_SOCK=" + socket, "ssh-add", key.toString());
            SshPublicKey certificate = SshPublicKey.parse(Files.readString(Path.of(key + "-cert.pub")));
            AtomicReference<String> shown = new AtomicReference<>("");
            TestServer server = new TestServer((in, out, err) -> 0)
                    .offering(sshd -> sshd.setPublickeyAuthenticator((user, given, session) -> {
                        shown.set(PublicKeyEntry.toString(given));
                        return true;
                    }))
                    .start();
            opened.add(server);

            APPLIER.open(target(server, Identity.ofAgent(socket).withAgentKey(certificate)))
                    .close();

            assertThat(shown.get()).startsWith(certificate.line());
        }
    }

    @Test
    void open_emptyOrLockedAgent_saysWhatToDo() throws Exception {
        startAgent();
        try (TestServer server = anyHost()) {
            HostTarget target = target(server, Identity.ofAgent(socket));
            assertThat(failure(target))
                    .hasMessageContaining("step \"ask the SSH agent for its keys\" failed: the SSH agent at \"" + socket
                            + "\" has no keys, or is locked [PG-1006]")
                    .hasMessageContaining("ssh-add -X");

            add("mine", "ed25519", "");
            APPLIER.open(target).close();
            lock();

            assertThat(failure(target)).hasMessageContaining("has no keys, or is locked [PG-1006]");
            assertThat(server.logins).as("nothing is tried without a key").hasSize(2);
        }
    }

    /** What ssh-add -x sends, which asks for its passphrase at a terminal. */
    private void lock() throws IOException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            channel.write(ByteBuffer.allocate(13)
                    .putInt(9)
                    .put((byte) 22)
                    .putInt(4)
                    .put("lock".getBytes(UTF_8))
                    .flip());
            ByteBuffer answer = ByteBuffer.allocate(5);
            while (answer.hasRemaining() && channel.read(answer) >= 0) {
                assertThat(channel.isConnected()).isTrue();
            }
            assertThat(answer.get(4)).as("success").isEqualTo((byte) 6);
        }
    }

    @Test
    void open_keyThatTheAgentDoesNotHave_namesIt() throws Exception {
        startAgent();
        String mine = add("mine", "ed25519", "");
        run(
                "env",
                "SSH_AUTH_SOCK=" + socket,
                "ssh-add",
                "-q",
                "-d",
                folder.resolve("mine").toString());
        add("other", "ed25519", "");
        try (TestServer server = anyHost()) {
            SshPublicKey key = SshPublicKey.parse(mine);
            assertThat(failure(target(server, Identity.ofAgent(socket).withAgentKey(key))))
                    .hasMessageContaining("does not have the key " + key.fingerprint() + " [PG-1006]");
            assertThat(server.connections).hasValue(0);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"missing", "file", "nobody listens"})
    void open_agentThatIsNotThere_saysSoAndContactsNoHost(String how) throws Exception {
        if (how.equals("file")) {
            Files.createFile(socket);
        } else if (how.equals("nobody listens")) {
            ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                    .bind(UnixDomainSocketAddress.of(socket))
                    .close();
        }
        try (TestServer server = anyHost()) {
            assertThat(failure(target(server, Identity.ofAgent(socket))))
                    .hasMessageContaining("the SSH agent at \"" + socket + "\" cannot be asked: ")
                    .hasMessageContaining("[PG-1006]")
                    .hasMessageContaining("ssh-add -l");
            assertThat(server.connections).hasValue(0);
        }
    }

    /** An agent that gives its own answers, by the type of the question. */
    private void play(Function<Integer, byte[]> answers) throws IOException {
        ServerSocketChannel listener =
                ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(socket));
        opened.add(listener);
        Thread thread = new Thread(() -> {
            try {
                while (true) {
                    try (SocketChannel channel = listener.accept()) {
                        ByteBuffer head = ByteBuffer.allocate(5);
                        while (head.hasRemaining() && channel.read(head) >= 0) {
                            assertThat(channel.isConnected()).isTrue();
                        }
                        ByteBuffer answer = ByteBuffer.wrap(answers.apply((int) head.get(4)));
                        while (answer.hasRemaining()) {
                            channel.write(answer);
                        }
                    }
                }
            } catch (AsynchronousCloseException e) {
                // The test is over.
                return;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private static byte[] message(byte... bytes) {
        return ByteBuffer.allocate(4 + bytes.length)
                .putInt(bytes.length)
                .put(bytes)
                .array();
    }

    private static byte[] string(byte[] bytes) {
        return ByteBuffer.allocate(4 + bytes.length)
                .putInt(bytes.length)
                .put(bytes)
                .array();
    }

    private static byte[] join(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(1000);
        for (byte[] part : parts) {
            all.put(part);
        }
        byte[] joined = new byte[all.flip().remaining()];
        all.get(joined);
        return joined;
    }

    @ParameterizedTest
    @CsvSource({
        "'', it closed the connection",
        "7fffffff0c, it announces an answer of 2147483647 bytes",
        "ffffffff0c, it announces an answer of 4294967295 bytes",
        "00000000, it announces an answer of 0 bytes",
        "000000050c, it closed the connection",
        "0000000163, it gives an answer of type 99",
        "000000010c, it lists 4294967295 keys",
        "000000050cffffffff, it lists 4294967295 keys",
        "000000050c00000401, it lists 1025 keys",
        "000000050c00000001, its answer ends too early",
        "000000090c000000017fffffff, its answer ends too early",
        "0000000d0c000000010000000000000000, its answer ends too early",
        "000000060c0000000000, something follows its list of keys"
    })
    void open_answerThatMakesNoSense_isRefusedInWords(String hex, String reason) throws Exception {
        play(type -> HexFormat.of().parseHex(hex));
        try (TestServer server = anyHost()) {
            assertThat(failure(target(server, Identity.ofAgent(socket))))
                    .hasMessageContaining("cannot be asked: \"" + reason + "\" [PG-1006]");
        }
    }

    @Test
    void open_agentThatRefusesToList_isNotTakenForOneThatIsMissing() throws Exception {
        play(type -> message((byte) 5));
        try (TestServer server = anyHost()) {
            assertThat(failure(target(server, Identity.ofAgent(socket))))
                    .hasMessageContaining("lists no keys [PG-1006]");
        }
    }

    @Test
    void open_keysOfUnknownTypesAlone_areNamedInPrintableWords() throws Exception {
        byte[] blob = string("evil\u001b[31m".getBytes(UTF_8));
        play(type -> message(join(new byte[] {12, 0, 0, 0, 1}, string(blob), string(new byte[0]))));
        try (TestServer server = anyHost()) {
            assertThat(failure(target(server, Identity.ofAgent(socket))))
                    .hasMessageContaining("has no key of a type that can be used")
                    .message()
                    .doesNotContain("\u001b");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"refuses", "other algorithm", "wrong signature"})
    void open_agentThatDoesNotSignAsAsked_isNamedWithTheKeyThatTheServerTakes(String how) throws Exception {
        SshPublicKey key = new SshPublicKey(
                "ssh-ed25519",
                Base64.getEncoder().encodeToString(join(string("ssh-ed25519".getBytes(UTF_8)), string(ed25519()))));
        byte[] blob = Base64.getDecoder().decode(key.base64());
        String algorithm = how.equals("other algorithm") ? "ssh-rsa" : "ssh-ed25519";
        byte[] signature = join(string(algorithm.getBytes(UTF_8)), string(new byte[64]));
        play(type -> type == 11
                ? message(join(new byte[] {12, 0, 0, 0, 1}, string(blob), string(new byte[0])))
                : how.equals("refuses") ? message((byte) 5) : message(join(new byte[] {14}, string(signature))));
        try (TestServer server = anyHost()) {
            HostException failure = failure(target(server, Identity.ofAgent(socket)));
            if (how.equals("wrong signature")) {
                assertThat(failure.code()).isEqualTo(ErrorCode.LOGIN_REFUSED);
                return;
            }
            assertThat(failure)
                    .hasMessageContaining("step \"log in\" failed: the SSH agent at \"" + socket
                            + "\" did not sign with the agent's key " + key.fingerprint()
                            + ", which the server takes: ")
                    .hasMessageContaining(
                            how.equals("refuses")
                                    ? "it refuses"
                                    : "it signs with \"ssh-rsa\" and was asked for ssh-ed25519")
                    .hasMessageContaining("[PG-1006]");
            assertThat(failure.retryable()).isFalse();
        }
    }

    /** A public key of that kind. */
    private static byte[] ed25519() {
        byte[] blob = Base64.getDecoder()
                .decode(SshKeyPair.generate(new SecureRandom()).publicKey().base64());
        return Arrays.copyOfRange(blob, blob.length - 32, blob.length);
    }

    @Test
    void keys_agentThatSaysNothing_isGivenUpInTime() throws Exception {
        ServerSocketChannel listener =
                ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(socket));
        opened.add(listener);
        long begin = System.nanoTime();

        assertThatThrownBy(() -> new SshAgent(socket, Duration.ofMillis(300)).keys())
                .isInstanceOf(IOException.class)
                .hasMessage("it did not answer in time");

        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void open_moreKeysThanTheServerTakes_saysHowToNameTheRightOne() throws Exception {
        startAgent();
        for (int i = 0; i < 4; i++) {
            add("key-" + i, "ed25519", "");
        }
        try (TestServer server = new TestServer((in, out, err) -> 0)
                .refusing()
                .offering(sshd -> CoreModuleProperties.MAX_AUTH_REQUESTS.set(sshd, 2))
                .start()) {
            assertThat(failure(target(server, Identity.ofAgent(socket))))
                    .hasMessageContaining("[PG-4004]")
                    .hasMessageContaining("agentKey(…)");
        }
    }

    @Test
    void agentSocket_notSet_saysWhatToGive() {
        assertThatThrownBy(() -> IdentityFile.agentSocket(Map.of()))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessage("SSH_AUTH_SOCK is not set. Start an SSH agent and export it, or give its socket"
                        + " with agent(…). [PG-1006]");
        assertThat(IdentityFile.agentSocket(Map.of("SSH_AUTH_SOCK", "/run/agent")))
                .isEqualTo(Path.of("/run/agent"));
    }
}
