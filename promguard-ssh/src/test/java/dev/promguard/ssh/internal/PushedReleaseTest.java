package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.promguard.HostException;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Release;
import dev.promguard.host.Change;
import dev.promguard.host.ReleaseInstall;
import dev.promguard.host.Releases;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostSession;
import dev.promguard.ssh.SshApplier;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Releases that come over the session, to a host that is this machine's shell in a folder of its own. */
@Timeout(120)
class PushedReleaseTest {
    private static final String FOLDER = "tool-1.0.linux-amd64";
    private static final String TARBALL = FOLDER + ".tar.gz";

    @TempDir
    Path here;

    @TempDir
    Path host;

    @TempDir
    Path cache;

    private final List<String> events = new CopyOnWriteArrayList<>();
    private final AtomicInteger requests = new AtomicInteger();
    private volatile String login = "";
    private volatile String first = "";
    private HttpServer mirror;
    private byte[] served;

    private final HostSession.Progress progress = new HostSession.Progress() {
        @Override
        public void started(Change change) {
            events.add("started " + change.describe());
        }

        @Override
        public void done(Change change) {
            events.add("done " + change.describe());
        }

        @Override
        public void noted(String note) {
            events.add(note);
        }

        @Override
        public void newHostKey(HostKeyFingerprint fingerprint) {
            throw new IllegalStateException("no host key is replaced");
        }
    };

    /** Bytes that do not shrink, longer than any buffer on the way. */
    @BeforeEach
    void start() throws Exception {
        assumeTrue(System.getProperty("user.name").equals("root"), "needs root, as owner of what is unpacked");
        Path folder = Files.createDirectories(here.resolve(FOLDER));
        byte[] program = new byte[5_000_000];
        new Random(7).nextBytes(program);
        Files.write(folder.resolve("tool"), program);
        Process tar = new ProcessBuilder("tar", "-czf", TARBALL, FOLDER)
                .directory(here.toFile())
                .start();
        assertThat(tar.waitFor()).isZero();
        served = Files.readAllBytes(here.resolve(TARBALL));
        mirror = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        mirror.createContext("/", this::serve);
        mirror.start();
    }

    @AfterEach
    void stop() {
        if (mirror != null) {
            mirror.stop(0);
        }
    }

    private void serve(HttpExchange exchange) throws IOException {
        requests.incrementAndGet();
        List<String> given = exchange.getRequestHeaders().get("Authorization");
        String agent = exchange.getRequestHeaders().getFirst("User-Agent");
        if (agent.startsWith("curl/") && exchange.getRequestURI().getPath().startsWith("/limited/")) {
            exchange.sendResponseHeaders(403, -1);
        } else if (!exchange.getRequestURI().getPath().endsWith("/" + TARBALL)) {
            exchange.sendResponseHeaders(404, -1);
        } else if (!login.isEmpty()
                && (given == null
                        || !given.get(0)
                                .equals("Basic " + Base64.getEncoder().encodeToString(login.getBytes(UTF_8))))) {
            exchange.getResponseHeaders().add("WWW-Authenticate", "Basic realm=\"mirror\"");
            exchange.sendResponseHeaders(401, -1);
        } else {
            exchange.sendResponseHeaders(200, served.length);
            exchange.getResponseBody().write(served);
        }
        exchange.close();
    }

    private URI mirror(String path) {
        return URI.create("http://127.0.0.1:" + mirror.getAddress().getPort() + path);
    }

    private static int closedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static Releases.Install install(URI from, String name, String sum) {
        Release release = new Release(name, "1.0", from, Map.of(Architecture.AMD64, sum));
        return new Releases.Install(
                new ReleaseInstall(release, List.of(name)),
                release.tarball(Architecture.AMD64),
                release.folder(Architecture.AMD64),
                sum);
    }

    private Releases.Install tool(URI from) throws Exception {
        return install(from, "tool", sum(served));
    }

    private static String sum(byte[] content) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    }

    private SshApplier applier(boolean push) {
        return SshApplier.builder()
                .connectTimeout(Duration.ofSeconds(10))
                .applyTimeout(Duration.ofSeconds(60))
                .pushReleases(push)
                .releaseCache(cache)
                .build();
    }

    private void apply(SshApplier applier, List<Change> changes) throws Exception {
        try (TestServer server = new TestServer((in, out, err) -> runs(in, out, err)).start();
                HostSession session = applier.open(server.target())) {
            session.apply(changes, progress);
        }
    }

    /** The script as it came, up to its last line. */
    private static String script(InputStream in) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        String line = "";
        while (!line.equals("main; exit $?\n")) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int next = in.read(); next >= 0; next = in.read()) {
                bytes.write(next);
                if (next == '\n') {
                    break;
                }
            }
            line = bytes.toString(UTF_8);
            text.writeBytes(bytes.toByteArray());
        }
        return text.toString(UTF_8);
    }

    /** Runs the script as a host does, but with its folders below one of the test. */
    private int runs(InputStream in, OutputStream out, OutputStream err) throws IOException, InterruptedException {
        String script = script(in);
        for (String place :
                List.of("/opt/promguard", "/var/lib/promguard", "/run/promguard", "/etc/wireguard", "/etc/ssh/")) {
            script = script.replace(place, host + place);
        }
        Files.createDirectories(host.resolve("run"));
        Files.createDirectories(host.resolve("opt"));
        Process shell = new ProcessBuilder("sh", "-s").start();
        OutputStream input = shell.getOutputStream();
        input.write((first + script).getBytes(UTF_8));
        input.flush();
        Thread answers = pump(in, input);
        Thread errors = pump(shell.getErrorStream(), err);
        Thread said = pump(shell.getInputStream(), out);
        int code = shell.waitFor();
        said.join();
        errors.join();
        answers.interrupt();
        return code;
    }

    private static Thread pump(InputStream from, OutputStream to) {
        Thread pump = new Thread(() -> {
            byte[] buffer = new byte[8192];
            try {
                for (int count = from.read(buffer); count >= 0; count = from.read(buffer)) {
                    to.write(buffer, 0, count);
                    to.flush();
                }
            } catch (IOException e) {
                // The shell, or the connection, has ended.
            }
        });
        pump.setDaemon(true);
        pump.start();
        return pump;
    }

    private void assertInstalled() {
        assertThat(host.resolve("opt/promguard/tool-1.0/tool"))
                .hasSameBinaryContentAs(here.resolve(FOLDER + "/tool"))
                .isExecutable();
        assertThat(host.resolve("opt/promguard"))
                .isDirectoryNotContaining(left -> left.getFileName().toString().startsWith(".new."));
    }

    @Test
    void apply_folderOfThisMachine_isSentAndUnpackedOnTheHost() throws Exception {
        apply(applier(false), List.of(tool(here.toUri())));

        assertThat(events).containsExactly("started install tool 1.0", "done install tool 1.0");
        assertInstalled();
    }

    @Test
    void apply_hostMayFetchNothing_fetchesOnceForAllHosts() throws Exception {
        SshApplier applier = applier(true);
        apply(applier, List.of(tool(mirror("/releases"))));
        assertInstalled();
        Files.delete(host.resolve("opt/promguard/tool-1.0/tool"));
        apply(applier, List.of(tool(mirror("/releases"))));
        assertInstalled();

        assertThat(requests).hasValue(1);
        assertThat(cache).isDirectoryContaining(file -> file.endsWith(TARBALL));
        Files.write(cache.resolve(TARBALL), new byte[] {1, 2, 3});
        apply(applier(true), List.of(tool(mirror("/releases"))));
        assertInstalled();
        assertThat(requests).as("a spoilt cache is fetched anew").hasValue(2);
        assertThat(cache).isDirectoryNotContaining(file -> !file.endsWith(TARBALL));
    }

    @Test
    void apply_mirrorRefusesTheHost_isSentFromHere() throws Exception {
        apply(applier(false), List.of(tool(mirror("/limited"))));

        assertThat(events)
                .containsExactly(
                        "started install tool 1.0",
                        "this host could not fetch from the release mirror 127.0.0.1:"
                                + mirror.getAddress().getPort() + ": the release came over the SSH session",
                        "done install tool 1.0");
        assertInstalled();
    }

    @Test
    void apply_mirrorServesTheHost_isNotSent() throws Exception {
        apply(applier(false), List.of(tool(mirror("/releases"))));

        assertThat(events).containsExactly("started install tool 1.0", "done install tool 1.0");
        assertThat(cache).isEmptyDirectory();
        assertInstalled();
    }

    @Test
    void apply_mirrorWithLogin_isAskedWithIt() throws Exception {
        login = "me:se:cret";
        URI withLogin = URI.create(mirror("/releases").toString().replace("http://", "http://me:se%3Acret@"));
        apply(applier(true), List.of(tool(withLogin)));

        assertInstalled();
    }

    @Test
    void apply_nobodyReachesTheMirror_saysWhyAndWhere() throws Exception {
        URI dead = URI.create("http://me:hidden@127.0.0.1:" + closedPort() + "/releases");
        assertThatThrownBy(() -> apply(applier(false), List.of(tool(dead))))
                .isInstanceOf(HostException.class)
                .hasMessageContaining("neither this host nor the machine that runs PromGuard could fetch the tarball: "
                        + "http://127.0.0.1:" + dead.getPort() + "/releases/" + TARBALL + " could not be fetched: ")
                .hasMessageContaining("PG-5004")
                .hasMessageNotContaining("hidden");
    }

    /** Fetched by the host, or sent to it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void apply_limitOnTheSizeOfFiles_isNamedAndNotTheMirror(boolean push) throws Exception {
        first = "ulimit -f 2000\n";

        assertThatThrownBy(() -> apply(applier(push), List.of(tool(mirror("/releases")))))
                .isInstanceOf(HostException.class)
                .hasMessageContaining("PG-5004")
                .hasMessageContaining("a limit of 1000 KiB on the size of files is in force on the host for this login")
                .hasMessageContaining("Raise it (fsize in the host's /etc/security/limits.conf")
                .hasMessageNotContaining("Check the release mirror");
        assertThat(requests).hasValue(1);
    }

    @ParameterizedTest
    @CsvSource({"size=2m, false", "size=2m, true", "size=8m, false"})
    void apply_noRoomForTheTarballOrItsPrograms_isNamedAndNotTheMirror(String size, boolean push) throws Exception {
        Path mounted = Files.createDirectories(host.resolve("opt/promguard"));
        assumeTrue(runs("mount", "-t", "tmpfs", "-o", size, "tmpfs", mounted.toString()) == 0, "may not mount");
        try {
            assertThatThrownBy(() -> apply(applier(push), List.of(tool(mirror("/releases")))))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("PG-5004")
                    .hasMessageContaining(
                            "there is no room on the host's file system " + mounted.toRealPath() + " (tmpfs)")
                    .hasMessageContaining("Free some there (df -h and df -i on the host), or enlarge it")
                    .hasMessageNotContaining("Check the release mirror")
                    .hasMessageNotContaining("does not hold the programs");
            assertThat(mounted).isEmptyDirectory();
        } finally {
            assertThat(runs("umount", mounted.toString())).isZero();
        }
    }

    @Test
    void apply_fileSystemIsReadOnly_isNamed() throws Exception {
        Path mounted = Files.createDirectories(host.resolve("opt/promguard"));
        assumeTrue(runs("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", mounted.toString()) == 0, "may not mount");
        try {
            assertThatThrownBy(() -> apply(applier(false), List.of(tool(mirror("/releases")))))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("the host's file system " + mounted.toRealPath() + " (tmpfs) is read-only")
                    .hasMessageContaining("make it writable, then run again")
                    .hasMessageNotContaining("Check the release mirror");
        } finally {
            assertThat(runs("umount", mounted.toString())).isZero();
        }
    }

    private static int runs(String... command) throws Exception {
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }

    @Test
    void apply_mirrorHasNone_saysItsStatus() throws Exception {
        assertThatThrownBy(() -> apply(applier(true), List.of(install(mirror("/releases"), "other", sum(served)))))
                .isInstanceOf(HostException.class)
                .hasMessageContaining("the machine that runs PromGuard did not send the tarball: "
                        + mirror("/releases/") + "other-1.0.linux-amd64.tar.gz answered with status 404");
        assertThat(cache).isEmptyDirectory();
    }

    @Test
    void apply_mirrorHasAnother_isNotSent() throws Exception {
        String wanted = "0".repeat(64);
        assertThatThrownBy(() -> apply(applier(true), List.of(install(mirror("/releases"), "tool", wanted))))
                .isInstanceOf(HostException.class)
                .hasMessageContaining(
                        "sha256 of " + mirror("/releases/") + TARBALL + " is " + sum(served) + ", wanted " + wanted);
        assertThat(cache).isEmptyDirectory();
        assertThat(host.resolve("opt/promguard/tool-1.0")).doesNotExist();
    }

    @Test
    void apply_folderOfThisMachineHasAnother_isNotSent() throws Exception {
        String wanted = "0".repeat(64);
        assertThatThrownBy(() -> apply(applier(false), List.of(install(here.toUri(), "tool", wanted))))
                .isInstanceOf(HostException.class)
                .hasMessageContaining(
                        "sha256 of " + here.resolve(TARBALL) + " is " + sum(served) + ", wanted " + wanted)
                .hasMessageContaining("Put the tarball that the release names at " + here.resolve(TARBALL));
    }

    @Test
    void apply_folderOfThisMachineHasNone_saysWhere() throws Exception {
        Releases.Install install = tool(here.toUri());
        Files.delete(here.resolve(TARBALL));
        assertThatThrownBy(() -> apply(applier(false), List.of(install)))
                .isInstanceOf(HostException.class)
                .hasMessageContaining("there is no file " + here.resolve(TARBALL));
    }

    /** A host that asks for what it is not to have, or twice, gets nothing more. */
    @Test
    void apply_hostAsksForOtherTarballs_isRefused() throws Exception {
        for (String asked : List.of("tarball\t1", "tarball", "tarball\t0\tx", "tarball\t0\n@\ttarball\t0")) {
            try (TestServer server = new TestServer((in, out, err) -> {
                                String nonce = script(in).split("\nN='", 2)[1].split("'", 2)[0];
                                out.write(("@\tbegin\t0\n@\t" + asked + "\n")
                                        .replace("@", nonce)
                                        .getBytes(UTF_8));
                                out.flush();
                                return in.transferTo(OutputStream.nullOutputStream()) < 0 ? 1 : 0;
                            })
                            .start();
                    HostSession session = applier(false).open(server.target())) {
                assertThatThrownBy(() -> session.apply(List.of(tool(here.toUri())), progress))
                        .as(asked)
                        .isInstanceOf(HostException.class)
                        .hasMessageContaining("a tarball that is not to be sent");
            }
        }
    }

    /** A host that asks and reads nothing holds nobody up for longer than the changes may take. */
    @Test
    void apply_hostReadsNothing_endsInTime() throws Exception {
        SshApplier hasty = SshApplier.builder()
                .applyTimeout(Duration.ofSeconds(3))
                .releaseCache(cache)
                .build();
        CountDownLatch over = new CountDownLatch(1);
        try (TestServer server = new TestServer((in, out, err) -> {
                            String nonce = script(in).split("\nN='", 2)[1].split("'", 2)[0];
                            out.write("@\tbegin\t0\n@\ttarball\t0\n"
                                    .replace("@", nonce)
                                    .getBytes(UTF_8));
                            out.flush();
                            over.await();
                            return 0;
                        })
                        .start();
                HostSession session = hasty.open(server.target())) {
            long begun = System.nanoTime();
            assertThatThrownBy(() -> session.apply(List.of(tool(here.toUri())), progress))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("did not finish within 3 s");
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(20));
        } finally {
            over.countDown();
        }
    }
}
