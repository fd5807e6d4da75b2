package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.promguard.ApplyReport.Status;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.Release;
import dev.promguard.host.Change;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.Firewall;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostKey;
import dev.promguard.host.Manifest;
import dev.promguard.host.NewKeys;
import dev.promguard.host.ReleaseInstall;
import dev.promguard.host.Releases;
import dev.promguard.host.SystemUser;
import dev.promguard.host.Users;
import dev.promguard.host.WireGuard;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.SshKeyPair;
import dev.promguard.keys.WireGuardKeyPair;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.HostSession;
import dev.promguard.ssh.SshApplier;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

@Timeout(60)
class SshSessionTest {
    private static final Pattern NONCE = Pattern.compile("^N='([0-9a-f]{32})'$");
    private static final FactsQuery QUERY = new FactsQuery(
            List.of(), List.of(), List.of(), List.of(), List.of(), "wg0", "/etc/wireguard/wg0.key", Map.of());
    private static final String FACTS =
            "@\tsystem\tx86_64\t1700000000\tdebian\t12\n@\tunit\tLoadState=not-found\n@\tend\n";
    private static final SshApplier APPLIER = SshApplier.builder()
            .connectTimeout(Duration.ofSeconds(5))
            .factsTimeout(Duration.ofSeconds(20))
            .applyTimeout(Duration.ofSeconds(20))
            .build();

    /** A script as the host gets it. */
    private static final class Received {
        final String nonce;
        final BufferedReader in;
        final StringBuilder text = new StringBuilder();

        Received(InputStream stream) throws IOException {
            in = new BufferedReader(new InputStreamReader(stream, UTF_8));
            String found = "";
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                text.append(line).append('\n');
                Matcher matcher = NONCE.matcher(line);
                if (matcher.matches()) {
                    found = matcher.group(1);
                }
                if (line.equals("main; exit $?")) {
                    break;
                }
            }
            nonce = found;
        }

        void say(OutputStream out, String lines) throws IOException {
            out.write(lines.replace("@", nonce).getBytes(UTF_8));
            out.flush();
        }
    }

    private static TestServer.Handler saying(String lines) {
        return (in, out, err) -> {
            new Received(in).say(out, lines);
            return 0;
        };
    }

    private static class Recorder implements HostSession.Progress {
        final List<String> events = new ArrayList<>();

        @Override
        public void started(Change change) {
            events.add("started " + change.describe());
        }

        @Override
        public void done(Change change) {
            events.add("done " + change.describe());
        }

        @Override
        public void newHostKey(HostKeyFingerprint fingerprint) {
            events.add("key " + fingerprint);
        }

        @Override
        public void left(String what) {
            events.add("left " + what);
        }
    }

    private static final Change USER = new Users.Create(new SystemUser("prometheus"));

    @Test
    void serviceLoader_noArguments_findsApplier() {
        assertThat(ServiceLoader.load(HostApplier.class)).hasAtLeastOneElementOfType(SshApplier.class);
    }

    @Test
    void open_acceptedKey_provesItAndRunsShellOnly() throws Exception {
        try (TestServer server = new TestServer(saying(FACTS)).start();
                HostSession session = APPLIER.open(server.target())) {
            HostFacts facts = session.facts(QUERY, Duration.ofSeconds(5));
            assertThat(session.hostKey()).isEqualTo(server.fingerprint());
            assertThat(facts.osId()).isEqualTo("debian");
            assertThat(facts.machine()).isEqualTo("x86_64");
            assertThat(server.commands).containsExactly("sh -s");
        }
    }

    @Test
    void open_otherKey_stopsBeforeAnyLogin() throws Exception {
        HostKeyFingerprint wanted =
                SshKeyPair.generate(new SecureRandom()).publicKey().fingerprint();
        try (TestServer server = new TestServer(saying(FACTS)).start()) {
            long begin = System.nanoTime();
            assertThatThrownBy(() -> APPLIER.open(server.target(server.port(), wanted, Duration.ofSeconds(30))))
                    .isInstanceOfSatisfying(HostException.class, e -> {
                        assertThat(e).hasMessageContaining(wanted.text());
                        assertThat(e).hasMessageContaining(server.fingerprint().text());
                        assertThat(e).hasMessageContaining("Nothing was sent");
                        assertThat(e.code()).isEqualTo(ErrorCode.HOST_KEY_REFUSED);
                        assertThat(e.retryable()).isFalse();
                    });
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
            assertThat(server.logins).isEmpty();
            assertThat(server.commands).isEmpty();
        }
    }

    @Test
    void open_refusedLogin_stopsAndNamesUser() throws Exception {
        try (TestServer server = new TestServer(saying(FACTS)).refusing().start()) {
            assertThatThrownBy(() ->
                            APPLIER.open(server.target(server.port(), server.fingerprint(), Duration.ofSeconds(30))))
                    .isInstanceOfSatisfying(HostException.class, e -> {
                        assertThat(e).hasMessageContaining("refused the login of root");
                        assertThat(e.code()).isEqualTo(ErrorCode.LOGIN_REFUSED);
                        assertThat(e.retryable()).isFalse();
                    });
            assertThat(server.logins).containsOnly("root");
            assertThat(server.commands).isEmpty();
        }
    }

    @Test
    void open_serverStartsLater_waitsForIt() throws Exception {
        int port = freePort();
        try (TestServer server = new TestServer(saying(FACTS))) {
            CompletableFuture<HostSession> opened = CompletableFuture.supplyAsync(
                    () -> APPLIER.open(server.target(port, server.fingerprint(), Duration.ofSeconds(30))));
            assertThatThrownBy(() -> opened.get(700, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
            server.start(port);
            try (HostSession session = opened.get(20, TimeUnit.SECONDS)) {
                assertThat(session.hostKey()).isEqualTo(server.fingerprint());
            }
        }
    }

    @Test
    void open_nobodyListens_endsWithTimeout() throws Exception {
        try (TestServer server = new TestServer(saying(FACTS))) {
            int port = freePort();
            long begin = System.nanoTime();
            assertThatThrownBy(() -> APPLIER.open(server.target(port, unknown(), Duration.ofSeconds(1))))
                    .isInstanceOfSatisfying(HostException.class, e -> {
                        assertThat(e).hasMessageContaining("port " + port);
                        assertThat(e.retryable()).isTrue();
                    });
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(5));
        }
    }

    @Test
    void open_silentServerAndInterrupt_returnsWithinASecond() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                TestServer keys = new TestServer(saying(FACTS))) {
            FutureTask<HostSession> opening = new FutureTask<>(
                    () -> APPLIER.open(keys.target(silent.getLocalPort(), unknown(), Duration.ofMinutes(1))));
            Thread thread = new Thread(opening);
            thread.start();
            try (Socket accepted = silent.accept()) {
                assertThat(accepted.isConnected()).isTrue();
                assertInterruptible(thread, opening);
            }
        }
    }

    @Test
    void facts_hangingHostAndInterrupt_returnsWithinASecond() throws Exception {
        CountDownLatch reached = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        try (TestServer server = new TestServer((in, out, err) -> {
                            new Received(in);
                            reached.countDown();
                            never.await();
                            return 0;
                        })
                        .start();
                HostSession session = APPLIER.open(server.target())) {
            FutureTask<HostFacts> reading = new FutureTask<>(() -> session.facts(QUERY, Duration.ofMinutes(5)));
            Thread thread = new Thread(reading);
            thread.start();
            assertThat(reached.await(10, TimeUnit.SECONDS)).isTrue();
            assertInterruptible(thread, reading);
        }
    }

    @Test
    void facts_hangingHost_endsAtDeadline() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        SshApplier hasty =
                SshApplier.builder().factsTimeout(Duration.ofSeconds(1)).build();
        try (TestServer server = new TestServer((in, out, err) -> {
                            never.await();
                            return 0;
                        })
                        .start();
                HostSession session = hasty.open(server.target())) {
            assertThatThrownBy(() -> session.facts(QUERY, Duration.ofSeconds(1)))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("did not finish within 2 s");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void facts_endlessOutput_endsAtLimit(boolean lines) throws Exception {
        byte[] flood = (lines ? "x\n" : "x").repeat(4096).getBytes(UTF_8);
        try (TestServer server = new TestServer((in, out, err) -> {
                            new Received(in);
                            while (true) {
                                out.write(flood);
                                err.write(flood);
                            }
                        })
                        .start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(() -> session.facts(QUERY, Duration.ofSeconds(5)))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("the host sent");
        }
    }

    @Test
    void facts_linesWithoutNonce_areNotBelieved() throws Exception {
        try (TestServer server =
                        new TestServer(saying("0123\tsystem\tevil\t1\tevil\t1\n\tend\nend\n" + FACTS)).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThat(session.facts(QUERY, Duration.ofSeconds(5)).machine()).isEqualTo("x86_64");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "@\tend\n",
                "@\tsystem\tx86_64\t1\tdebian\t12\n@\tend\n",
                "@\tsystem\tx86_64; rm -rf /\t1\tdebian\t12\n@\tend\n",
                "@\tsystem\tx86_64\t-1\tdebian\t12\n@\tend\n",
                "@\tsurprise\n@\tend\n",
                "@\tuser\troot\n@\tend\n",
                "@\twg\tnot-a-key\t99999999\n@\tend\n",
                "@\taddress\t$(id)\n@\tend\n",
                "@\tend\n@\tend\n"
            })
    void facts_nonsense_isRefused(String lines) throws Exception {
        try (TestServer server = new TestServer(saying(lines)).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(() -> session.facts(QUERY, Duration.ofSeconds(5)))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("step \"read facts\"")
                    .hasMessageContaining("makes no sense");
        }
    }

    @RepeatedTest(20)
    void facts_noSudo_saysWhatTheHostSaid() throws Exception {
        try (TestServer server = new TestServer((in, out, err) -> {
                            err.write("sudo: a password is required\u001b[31m\n".getBytes(UTF_8));
                            return 1;
                        })
                        .start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(() -> session.facts(QUERY, Duration.ofSeconds(5)))
                    .isInstanceOfSatisfying(HostException.class, e -> {
                        assertThat(e.exitCode()).hasValue(1);
                        assertThat(e.output()).isEqualTo("sudo: a password is required?[31m");
                    });
        }
    }

    @Test
    void facts_firstBootLate_isRetryable() throws Exception {
        try (TestServer server = new TestServer(saying("@\tboot\tlate\t\n@\tend\n")).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(() -> session.facts(QUERY, Duration.ofSeconds(5)))
                    .isInstanceOfSatisfying(HostException.class, e -> {
                        assertThat(e.step()).isEqualTo("first boot");
                        assertThat(e.retryable()).isTrue();
                    });
        }
    }

    @Test
    void apply_whatStaysOnTheHost_isToldWithoutWhatATerminalMightObey() throws Exception {
        String lines = String.join(
                "\n@\t",
                List.of(
                        "@\tbegin\tarm",
                        "armed",
                        "done\tarm",
                        "begin\t0",
                        "leftover\tpackages that PromGuard installed: ufw\u001b[31m",
                        "done\t0",
                        "end\n"));
        Change files = new Manifest.Uninstall(Manifest.Part.FILES);
        Recorder recorder = new Recorder();
        try (TestServer server = new TestServer(saying(lines)).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThat(session.apply(List.of(files), recorder)).isTrue();
        }
        assertThat(recorder.events)
                .containsExactly(
                        "started " + files.describe(),
                        "left packages that PromGuard installed: ufw?[31m",
                        "done " + files.describe());
    }

    @Test
    void apply_noChanges_sendsNothing() throws Exception {
        try (TestServer server = new TestServer(saying("")).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThat(session.apply(List.of(), new Recorder())).isFalse();
            assertThat(server.commands).isEmpty();
        }
    }

    @Test
    void apply_changes_reportsEachAndWhetherArmed() throws Exception {
        Recorder recorder = new Recorder();
        try (TestServer server = new TestServer(saying("""
                                @\tbegin\tprepare
                                @\tdone\tprepare
                                @\tbegin\t0
                                noise
                                @\tdone\t0
                                @\tbegin\tarm
                                @\tarmed
                                @\tdone\tarm
                                @\tbegin\t1
                                @\tdone\t1
                                @\tend
                                """)).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThat(session.apply(List.of(USER, new Firewall.Enable()), recorder))
                    .isTrue();
        }
        assertThat(recorder.events)
                .containsExactly(
                        "started create user prometheus",
                        "done create user prometheus",
                        "started ufw: deny what no rule admits, and enable",
                        "done ufw: deny what no rule admits, and enable");
    }

    /** Plays a host: facts, a harmless change, a risky one, a confirmation. */
    private static final TestServer.Handler HOST = (in, out, err) -> {
        Received received = new Received(in);
        String text = received.text.toString();
        if (text.contains("\nstep '0' ")) {
            String armed = text.contains("\nstep 'arm' ") ? "@\tbegin\tarm\n@\tarmed\n@\tdone\tarm\n" : "";
            received.say(out, "@\tbegin\tprepare\n@\tdone\tprepare\n" + armed + "@\tbegin\t0\n@\tdone\t0\n@\tend\n");
        } else if (text.contains("\nconfirm\n")) {
            received.say(out, "@\tconfirm\tdisarmed\n@\tend\n");
        } else {
            received.say(out, FACTS);
        }
        return 0;
    };

    @Test
    void session_nothingToDo_isOneChannelOfOneConnection() throws Exception {
        try (TestServer server = new TestServer(HOST).start()) {
            try (HostSession session = APPLIER.open(server.target())) {
                session.facts(QUERY, Duration.ofSeconds(5));
                session.apply(List.of(), new Recorder());
            }
            assertThat(server.connections).hasValue(1);
            assertThat(server.channels).hasValue(1);
        }
    }

    @Test
    void session_harmlessChange_isTwoChannelsOfOneConnection() throws Exception {
        try (TestServer server = new TestServer(HOST).start()) {
            try (HostSession session = APPLIER.open(server.target())) {
                session.facts(QUERY, Duration.ofSeconds(5));
                assertThat(session.apply(List.of(USER), new Recorder())).isFalse();
            }
            assertThat(server.connections).hasValue(1);
            assertThat(server.channels).hasValue(2);
        }
    }

    @Test
    void session_riskyChange_isTwoChannelsAndOneOfANewConnection() throws Exception {
        try (TestServer server = new TestServer(HOST).start()) {
            try (HostSession session = APPLIER.open(server.target())) {
                session.facts(QUERY, Duration.ofSeconds(5));
                assertThat(session.apply(List.of(new Firewall.Enable()), new Recorder()))
                        .isTrue();
            }
            try (HostSession session = APPLIER.open(server.target())) {
                session.confirm();
            }
            assertThat(server.connections).hasValue(2);
            assertThat(server.channels).hasValue(3);
            assertThat(server.commands).hasSize(3);
        }
    }

    @Test
    void apply_wrongSum_saysBothSumsAndTheMirror() throws Exception {
        Release release = Release.nodeExporter().from(java.net.URI.create("http://me:hidden@mirror.test/releases"));
        Change install = new Releases.Install(
                new ReleaseInstall(release, List.of("node_exporter")),
                release.tarball(Architecture.AMD64),
                release.folder(Architecture.AMD64),
                release.sum(Architecture.AMD64).orElseThrow());
        try (TestServer server = new TestServer((in, out, err) -> {
                            Received received = new Received(in);
                            err.write("% progress\n".getBytes(UTF_8));
                            received.say(out, "@\tbegin\t0\n@\tfailed\t0\t1\tsha256 is 3c1f, wanted b51d\n");
                            return 1;
                        })
                        .start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(() -> session.apply(List.of(install), new Recorder()))
                    .isInstanceOf(HostException.class)
                    .hasMessage("node-1 (127.0.0.1): step \"install node_exporter 1.12.1\" failed: sha256 is 3c1f,"
                            + " wanted b51d [PG-5004]\n  Nothing was unpacked. Check the release mirror"
                            + " http://mirror.test/releases/node_exporter-1.12.1.linux-amd64.tar.gz, or name one that"
                            + " the host reaches with Release.from(…), then run again.");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "@\tbegin\t1\n",
                "@\tdone\t0\n",
                "@\tend\n",
                "@\thostkey\t0\tssh-ed25519\tAAAA\n",
                "@\tleftover\n",
                "@\tbegin\t0\n@\tbegin\t0\n"
            })
    void apply_spoofedProgress_isRefused(String lines) throws Exception {
        Recorder recorder = new Recorder();
        try (TestServer server = new TestServer(saying(lines)).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(() -> session.apply(List.of(USER), recorder))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("makes no sense");
        }
        assertThat(recorder.events).doesNotContain("done create user prometheus");
    }

    @Test
    void apply_connectionCut_saysThatTheStepIsUnknown() throws Exception {
        CompletableFuture<HostSession> cut = new CompletableFuture<>();
        CountDownLatch never = new CountDownLatch(1);
        try (TestServer server = new TestServer((in, out, err) -> {
                            new Received(in).say(out, "@\tbegin\t0\n");
                            never.await();
                            return 0;
                        })
                        .start();
                HostSession session = APPLIER.open(server.target())) {
            cut.complete(session);
            long begin = System.nanoTime();
            assertThatThrownBy(() -> session.apply(List.of(USER), new Recorder() {
                        @Override
                        public void started(Change change) {
                            cut.thenAccept(HostSession::close).join();
                        }
                    }))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("step \"create user prometheus\"")
                    .hasMessageContaining("is not known");
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(5));
        }
    }

    @Test
    void apply_newHostKey_isKeptBeforeLeaveIsGiven() throws Exception {
        SshKeyPair made = SshKeyPair.generate(new SecureRandom());
        Recorder recorder = new Recorder();
        List<String> answers = new ArrayList<>();
        try (TestServer server = new TestServer((in, out, err) -> {
                            Received received = new Received(in);
                            received.say(
                                    out,
                                    "@\tbegin\t0\n@\thostkey\t0\t"
                                            + made.publicKey().line().replace(' ', '\t') + "\n");
                            String answer = received.in.readLine();
                            answers.add(answer);
                            recorder.events.add("leave");
                            received.say(out, "@\tdone\t0\n@\tend\n");
                            answers.add(received.nonce);
                            return 0;
                        })
                        .start();
                HostSession session = APPLIER.open(server.target())) {
            session.apply(List.of(new HostKey.Replace()), recorder);
        }
        assertThat(recorder.events)
                .containsExactly(
                        "started replace the bootstrap SSH host key",
                        "key " + made.publicKey().fingerprint(),
                        "leave",
                        "done replace the bootstrap SSH host key");
        assertThat(answers.get(0)).isEqualTo("go " + answers.get(1));
    }

    @Test
    void apply_newHostKeyNotKept_givesNoLeave() throws Exception {
        CompletableFuture<String> answer = new CompletableFuture<>();
        SshKeyPair made = SshKeyPair.generate(new SecureRandom());
        try (TestServer server = new TestServer((in, out, err) -> {
                            Received received = new Received(in);
                            received.say(
                                    out,
                                    "@\tbegin\t0\n@\thostkey\t0\t"
                                            + made.publicKey().line().replace(' ', '\t') + "\n");
                            try {
                                answer.complete(String.valueOf(received.in.readLine()));
                            } catch (IOException e) {
                                answer.complete("cut");
                            }
                            return 0;
                        })
                        .start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(() -> session.apply(List.of(new HostKey.Replace()), new Recorder() {
                        @Override
                        public void newHostKey(HostKeyFingerprint fingerprint) {
                            throw new IllegalStateException("disk full");
                        }
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("disk full");
            assertThat(answer.get(10, TimeUnit.SECONDS)).isIn("cut", "null");
        }
    }

    @Test
    void facts_otherRunAtWork_areReadOverANewConnection() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (TestServer server = new TestServer((in, out, err) -> {
                    new Received(in).say(out, asked.incrementAndGet() == 1 ? "@\tbusy\n@\tend\n" : FACTS);
                    return 0;
                })
                .start()) {
            HostSession session = APPLIER.open(server.target());
            assertThat(session.facts(QUERY, Duration.ofSeconds(5)).machine()).isEqualTo("x86_64");
            assertThat(server.connections).hasValue(2);
            assertThat(session.facts(QUERY, Duration.ofSeconds(5)).machine()).isEqualTo("x86_64");
            assertThat(server.connections).hasValue(2);
            session.close();
            assertThatThrownBy(() -> session.facts(QUERY, Duration.ofSeconds(5)))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("closed");
        }
    }

    @Test
    void facts_otherRunsAtWorkAllTheTime_areNotReadAndMayBeLater() throws Exception {
        try (TestServer server = new TestServer(saying("@\tbusy\n@\tend\n")).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(() -> session.facts(QUERY, Duration.ofSeconds(5)))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.retryable()).isTrue())
                    .hasMessageContaining("other runs are at work on this host [PG-5007]");
            assertThat(server.connections).hasValue(3);
        }
    }

    @Test
    void facts_hostRolledBackToItsOtherKeyMeanwhile_areReadOverAConnectionWithThatKey() throws Exception {
        KeyPair before = TestServer.keyPair();
        List<String> asked = new CopyOnWriteArrayList<>();
        AtomicReference<TestServer> host = new AtomicReference<>();
        try (TestServer server = new TestServer((in, out, err) -> {
                    Received received = new Received(in);
                    asked.add(received.text.toString());
                    Objects.requireNonNull(host.get()).showing(before);
                    received.say(out, asked.size() == 1 ? "@\tbusy\n@\tend\n" : FACTS);
                    return 0;
                })
                .start()) {
            host.set(server);
            HostKeyFingerprint changed = server.fingerprint();
            HostKeyFingerprint restored = TestServer.fingerprint(before);
            try (HostSession session =
                    APPLIER.open(server.target(server.port(), Set.of(changed, restored), Duration.ofSeconds(10)))) {
                assertThat(session.hostKey()).isEqualTo(changed);
                assertThat(session.facts(QUERY, Duration.ofSeconds(5)).machine())
                        .isEqualTo("x86_64");
                assertThat(session.hostKey()).isEqualTo(restored);
            }
            assertThat(asked).hasSize(2);
            assertThat(asked.get(0)).contains("facts_outdated_key '" + changed + "'");
            assertThat(asked.get(1)).contains("facts_outdated_key '" + restored + "'");
        }
    }

    @Test
    void facts_hostShowsAKeyThatIsNotAcceptedMeanwhile_areNotRead() throws Exception {
        AtomicReference<TestServer> host = new AtomicReference<>();
        try (TestServer server = new TestServer((in, out, err) -> {
                    Objects.requireNonNull(host.get()).showing(TestServer.keyPair());
                    new Received(in).say(out, "@\tbusy\n@\tend\n");
                    return 0;
                })
                .start()) {
            host.set(server);
            try (HostSession session = APPLIER.open(server.target())) {
                assertThatThrownBy(() -> session.facts(QUERY, Duration.ofSeconds(5)))
                        .isInstanceOfSatisfying(
                                HostException.class,
                                e -> assertThat(e.refusedHostKey()).contains(server.fingerprint()));
            }
            assertThat(server.commands).hasSize(1);
        }
    }

    @Test
    void apply_lockOfAnotherRun_isBusyAndSaysToWait() throws Exception {
        String lines = "@\tbegin\tprepare\n@\tfailed\tprepare\t1\tanother run is at work on this host\n";
        try (TestServer server = new TestServer(saying(lines)).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(() -> session.apply(List.of(USER), new Recorder()))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.HOST_BUSY))
                    .hasMessageContaining("step \"take the host's lock\"")
                    .hasMessageContaining("Wait until the other run on this host is done");
        }
    }

    @Test
    void apply_changeFails_isToldFromSoftwareThatCannotBeInstalled() throws Exception {
        String lines = "@\tbegin\t0\n@\tfailed\t0\t1\tuseradd failed\n";
        try (TestServer server = new TestServer(saying(lines)).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(() -> session.apply(List.of(USER), new Recorder()))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STEP_FAILED));
        }
    }

    @Test
    void apply_rolledBackMeanwhile_isToldFromAFailure() throws Exception {
        String lines =
                "@\tbegin\tarm\n@\tarmed\n@\tdone\tarm\n@\tbegin\t0\n@\trolled-back\n@\tfailed\t0\t1\ttoo late\n";
        try (TestServer server = new TestServer(saying(lines)).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(() -> session.apply(List.of(new Firewall.Enable()), new Recorder()))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.status()).isEqualTo(Status.ROLLED_BACK))
                    .hasMessageContaining("too late [PG-5005]")
                    .hasMessageContaining("raise rollbackAfter, which is 120 s");
        }
    }

    @ParameterizedTest
    @CsvSource({"true, UNKNOWN", "false, FAILED"})
    void apply_connectionLost_isUnknownWhereARollbackIsArmed(boolean armed, Status status) throws Exception {
        CompletableFuture<HostSession> opened = new CompletableFuture<>();
        String lines = armed ? "@\tbegin\tarm\n@\tarmed\n@\tdone\tarm\n@\tbegin\t0\n" : "@\tbegin\t0\n";
        CountDownLatch never = new CountDownLatch(1);
        try (TestServer server = new TestServer((in, out, err) -> {
                            new Received(in).say(out, lines);
                            never.await();
                            return 0;
                        })
                        .start();
                HostSession session = APPLIER.open(server.target())) {
            opened.complete(session);
            assertThatThrownBy(() -> session.apply(List.of(new Firewall.Enable()), new Recorder() {
                        @Override
                        public void started(Change change) {
                            opened.thenAccept(HostSession::close).join();
                        }
                    }))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.status()).isEqualTo(status));
        }
    }

    @Test
    void confirm_onTheSessionThatArmed_isRefusedWithoutAQuestion() throws Exception {
        try (TestServer server = new TestServer(HOST).start();
                HostSession session = APPLIER.open(server.target())) {
            session.apply(List.of(new Firewall.Enable()), new Recorder());
            assertThatThrownBy(session::confirm)
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("this is the session that made the changes");
            assertThat(server.commands).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"disarmed", "none"})
    void confirm_nothingToRollBack_isKept(String answer) throws Exception {
        try (TestServer server = new TestServer(saying("@\tconfirm\t" + answer + "\n@\tend\n")).start();
                HostSession session = APPLIER.open(server.target())) {
            session.confirm();
            assertThat(server.commands).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"busy", "rolling-back"})
    void confirm_notDecidedYet_isUnknownAndMayBeAskedAgain(String answer) throws Exception {
        try (TestServer server = new TestServer(saying("@\tconfirm\t" + answer + "\n@\tend\n")).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(session::confirm).isInstanceOfSatisfying(HostException.class, e -> {
                assertThat(e.status()).isEqualTo(Status.UNKNOWN);
                assertThat(e.retryable()).isTrue();
            });
        }
    }

    @Test
    void confirm_rolledBack_saysSo() throws Exception {
        try (TestServer server = new TestServer(saying("@\tconfirm\trolled-back\n@\tend\n")).start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(session::confirm)
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.status()).isEqualTo(Status.ROLLED_BACK))
                    .hasMessageContaining("rolled back");
        }
    }

    @Test
    void forward_closedSession_endsWithIt() throws Exception {
        try (ServerSocket page = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                TestServer server = new TestServer(saying("")).start()) {
            int local;
            try (HostSession session = APPLIER.open(server.target())) {
                local = session.forward("127.0.0.1", page.getLocalPort());
                // Whether the host lets connections through was tried at once.
                page.accept().close();
                try (Socket browser = new Socket(InetAddress.getLoopbackAddress(), local);
                        Socket served = page.accept()) {
                    served.getOutputStream().write('x');
                    assertThat(browser.getInputStream().read()).isEqualTo('x');
                }
            }
            assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), local).close())
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void apply_everythingAtTrace_logsNoKey() throws Exception {
        ch.qos.logback.classic.Logger root =
                (ch.qos.logback.classic.Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
        Level before = root.getLevel();
        ch.qos.logback.classic.Logger mina = (ch.qos.logback.classic.Logger) LoggerFactory.getLogger("org.apache.sshd");
        ListAppender<ILoggingEvent> all = new ListAppender<>();
        all.start();
        try (WireGuardKeyPair pair = KeySource.random().generate();
                TestServer server = new TestServer(saying("@\tbegin\t0\n@\tdone\t0\n@\tend\n")).start()) {
            root.detachAndStopAllAppenders();
            root.addAppender(all);
            root.setLevel(Level.TRACE);
            mina.setLevel(Level.OFF);
            try (HostSession session = APPLIER.open(server.target())) {
                session.apply(
                        List.of(new WireGuard.WriteKey("/etc/wireguard/wg0.key", pair.publicKey())),
                        new NewKeys(Optional.of(pair), Map.of()),
                        new Recorder());
            }
            String logged = String.join(
                    "\n",
                    List.copyOf(all.list).stream()
                            .map(event -> event.getFormattedMessage()
                                    + (event.getThrowableProxy() == null
                                            ? ""
                                            : event.getThrowableProxy().getMessage()))
                            .toList());
            assertThat(logged).contains("sh -s");
            pair.privateKey().use(key -> {
                String text = new String(key, UTF_8);
                String twice = Base64.getEncoder().encodeToString((text + "\n").getBytes(UTF_8));
                for (String form : List.of(
                        text,
                        twice,
                        HexFormat.of().formatHex(key),
                        HexFormat.of().formatHex(twice.getBytes(UTF_8)))) {
                    assertThat(logged.replace(" ", "").toLowerCase(java.util.Locale.ROOT))
                            .doesNotContain(form.toLowerCase(java.util.Locale.ROOT));
                }
                return null;
            });
            server.login.privateKey().useText(text -> {
                assertThat(logged)
                        .doesNotContain(text.lines().skip(1).findFirst().orElseThrow());
                return null;
            });
        } finally {
            root.setLevel(before);
            root.detachAppender(all);
            mina.setLevel(null);
        }
    }

    /** What a program with its root logger at DEBUG gets of a session with one change: PromGuard's own few lines, and two of sshj's. */
    @Test
    void apply_rootAtDebug_isNotFloodedByTheLibrary() throws Exception {
        ch.qos.logback.classic.Logger root =
                (ch.qos.logback.classic.Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
        ch.qos.logback.classic.Logger mina = (ch.qos.logback.classic.Logger) LoggerFactory.getLogger("org.apache.sshd");
        Level before = root.getLevel();
        ListAppender<ILoggingEvent> all = new ListAppender<>();
        all.start();
        try (WireGuardKeyPair pair = KeySource.random().generate();
                TestServer server = new TestServer(saying("@\tbegin\t0\n@\tdone\t0\n@\tend\n")).start()) {
            root.detachAndStopAllAppenders();
            root.addAppender(all);
            root.setLevel(Level.DEBUG);
            mina.setLevel(Level.OFF);
            try (HostSession session = APPLIER.open(server.target())) {
                session.apply(
                        List.of(new WireGuard.WriteKey("/etc/wireguard/wg0.key", pair.publicKey())),
                        new NewKeys(Optional.of(pair), Map.of()),
                        new Recorder());
            }
        } finally {
            root.setLevel(before);
            root.detachAppender(all);
            mina.setLevel(null);
        }
        List<ILoggingEvent> events = List.copyOf(all.list);
        // One line for each public key that it reads, by a logger that cannot be replaced.
        assertThat(events)
                .filteredOn(event -> !event.getLoggerName().startsWith("dev.promguard."))
                .hasSizeLessThanOrEqualTo(2)
                .allMatch(event -> event.getFormattedMessage().startsWith("Key algo: "));
        assertThat(events).hasSizeLessThan(10);
    }

    private static void assertInterruptible(Thread thread, FutureTask<?> task) throws Exception {
        long begin = System.nanoTime();
        thread.interrupt();
        assertThatThrownBy(() -> task.get(10, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(HostException.class)
                .hasRootCauseInstanceOf(InterruptedException.class);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(1));
    }

    private static HostKeyFingerprint unknown() {
        return SshKeyPair.generate(new SecureRandom()).publicKey().fingerprint();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
