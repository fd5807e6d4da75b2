package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.host.Change;
import dev.promguard.host.FactsQuery;
import dev.promguard.host.Firewall;
import dev.promguard.host.NewKeys;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import dev.promguard.ssh.SshApplier;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.apache.sshd.common.channel.Channel;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.channel.ChannelSessionFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A host that lets nobody in says why in words of its own: they are quoted, and the advice follows from them. */
@Timeout(60)
class HostWordsTest {
    private static final FactsQuery QUERY = new FactsQuery(
            List.of(), List.of(), List.of(), List.of(), List.of(), "wg0", "/etc/wireguard/wg0.key", Map.of());
    private static final SshApplier APPLIER = new SshApplier();

    private static HostTarget target(TestServer server, String user) {
        return HostTarget.of("node-1", "127.0.0.1")
                .port(server.port())
                .user(user)
                .accepting(Set.of(server.fingerprint()))
                .identity(Identity.ofKey(server.login.privateKey()))
                .timeout(Duration.ofSeconds(5))
                .build();
    }

    /** A host that prints something instead of running the script. */
    private static TestServer.Handler saying(String out, String err, int code) {
        return (in, stdout, stderr) -> {
            stdout.write(out.getBytes(UTF_8));
            stderr.write(err.getBytes(UTF_8));
            return code;
        };
    }

    private static HostException facts(TestServer.Handler handler, String user) throws IOException {
        try (TestServer server = new TestServer(handler).start();
                HostSession session = APPLIER.open(target(server, user))) {
            return catchThrowableOfType(HostException.class, () -> session.facts(QUERY, Duration.ofSeconds(5)));
        }
    }

    private static HostException open(TestServer server, String user) {
        return catchThrowableOfType(HostException.class, () -> APPLIER.open(target(server, user)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "root | Please login as the user \"admin\" rather than the user \"root\". | LOGIN_REFUSED | as the user that it names",
                "root | Please log in as the \"ubuntu\" user | LOGIN_REFUSED | as the user that it names",
                "root | This service allows sftp connections only. | LOGIN_REFUSED | ForceCommand",
                "ann | This account is currently not available. | LOGIN_REFUSED | usermod -s /bin/bash -e '' ann",
                "ann | Sorry, Ann, this is not the machine for you | BAD_ANSWER | login shell of ann runs sudo -n sh",
                "root | fatal: unrecognized command 'sh -s' | BAD_ANSWER | login shell of root runs sh"
            })
    void facts_hostPrintsInsteadOfRunning_quotesIt(String user, String words, ErrorCode code, String remedy)
            throws Exception {
        HostException failure = facts(saying(words + "\n\n", "", 142), user);

        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure.output()).isEqualTo(words);
        assertThat(failure).hasMessageContaining(words).hasMessageContaining(remedy);
        assertThat(failure.exitCode()).hasValue(142);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ann | WARNING: Your password has expired.\\nPassword change required but no TTY available. | LOGIN_REFUSED | chage -d",
                "ann | sudo: sorry, you must have a tty to run sudo | NOT_ROOT | echo 'Defaults:ann !requiretty' >>/etc/sudoers.d/ann",
                "a.b | sudo: a password is required | NOT_ROOT | NOPASSWD: ALL' >/etc/sudoers.d/a_b",
                "ann | ann is not in the sudoers file. | NOT_ROOT | NOPASSWD",
                "ann | Sorry, user ann is not allowed to execute '/bin/sh -s' as root on db. | NOT_ROOT | NOPASSWD",
                "ann | sudo: account validation failure, is your account locked? | LOGIN_REFUSED | usermod",
                "ann | sudo: The \"no new privileges\" flag is set, which prevents sudo from running as root. | NOT_ROOT | NoNewPrivileges",
                "ann | sudo: unable to resolve host db: Name or service not known\\nsh: 0: Illegal option | BAD_ANSWER | sudo -n sh"
            })
    void facts_hostComplains_adviceFollowsTheWords(String user, String words, ErrorCode code, String remedy)
            throws Exception {
        HostException failure = facts(saying("", words.replace("\\n", "\n") + "\n", 1), user);

        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure.output()).isEqualTo(words.replace("\\n", "\n"));
        assertThat(failure).hasMessageContaining(remedy);
    }

    /** A start-up file that reads standard input takes the script, or its first line, and prints what it likes. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | 0",
                "hello main() { | 2",
                "sh: 248: Syntax error: Unterminated quoted string | 2",
                "main; exit $? | 0"
            })
    void facts_startUpFileReadsTheScript_isNamed(String words, int code) throws Exception {
        HostException failure = facts(saying(words + "\n", "", code), "ann");

        assertThat(failure.code()).isEqualTo(ErrorCode.BAD_ANSWER);
        assertThat(failure)
                .hasMessageContaining("something else read the script or a part of it")
                .hasMessageContaining("exit code " + code)
                .hasMessageContaining("~/.bashrc, ~/.zshenv or ~/.profile of ann")
                .hasMessageContaining("[ -t 0 ] || return");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void facts_startUpFileHangsOrPrintsForEver_isNamedInTime(boolean prints) throws Exception {
        try (TestServer server = new TestServer((in, out, err) -> {
                            byte[] noise = "noise\n".repeat(1000).getBytes(UTF_8);
                            while (prints) {
                                out.write(noise);
                            }
                            in.readAllBytes();
                            new CountDownLatch(1).await();
                            return 0;
                        })
                        .start();
                HostSession session = SshApplier.builder()
                        .factsTimeout(Duration.ofSeconds(prints ? 30 : 2))
                        .build()
                        .open(target(server, "root"))) {
            HostException failure =
                    catchThrowableOfType(HostException.class, () -> session.facts(QUERY, Duration.ofSeconds(1)));

            assertThat(failure.code()).isEqualTo(prints ? ErrorCode.BAD_ANSWER : ErrorCode.CONNECTION_LOST);
            assertThat(failure)
                    .hasMessageContaining(prints ? "the host sent more than 8 MiB" : "did not finish within 3 s")
                    .hasMessageContaining(", and ran nothing of the script")
                    .hasMessageContaining("~/.bashrc");
        }
    }

    @Test
    void facts_manyWordsAndControlCharacters_areBoundedAndPrintable() throws Exception {
        HostException failure =
                facts(saying("\u001b[2Jwide" + "x".repeat(5000) + "\n" + "line\n".repeat(500), "", 1), "root");

        assertThat(failure.output().length()).isLessThan(20 * 500);
        assertThat(failure.getMessage()).doesNotContain("\u001b");
        assertThat(facts(saying("\u001b[2Jno", "", 1), "root").output()).isEqualTo("?[2Jno");
    }

    @Test
    void facts_loginShellGreetsWithoutALineEnd_areRead() throws Exception {
        try (TestServer server = new TestServer((in, out, err) -> {
                            out.write("Welcome to db-1!".getBytes(UTF_8));
                            String nonce = nonce(new String(in.readAllBytes(), UTF_8));
                            out.write((nonce + "\tsystem\tx86_64\t1700000000\tdebian\t12\n" + nonce
                                            + "\tunit\tLoadState=not-found\n" + nonce + "\tend\n")
                                    .getBytes(UTF_8));
                            return 0;
                        })
                        .start();
                HostSession session = APPLIER.open(target(server, "root"))) {
            assertThat(session.facts(QUERY, Duration.ofSeconds(5)).machine()).isEqualTo("x86_64");
        }
    }

    private static String nonce(String script) {
        int start = script.indexOf("N='") + 3;
        return script.substring(start, start + 32);
    }

    @Test
    void apply_hostPrintsTheScriptItGot_isNotQuoted() throws Exception {
        try (TestServer server = new TestServer((in, out, err) -> {
                            in.transferTo(out);
                            return 1;
                        })
                        .start();
                HostSession session = APPLIER.open(target(server, "root"))) {
            List<Change> changes = List.of(new Firewall.Enable());
            HostException failure = catchThrowableOfType(
                    HostException.class, () -> session.apply(changes, NewKeys.NONE, new SilentProgress()));
            assertThat(failure.output()).isEmpty();
        }
    }

    private static final class SilentProgress implements HostSession.Progress {
        @Override
        public void started(Change change) {}

        @Override
        public void done(Change change) {}

        @Override
        public void newHostKey(HostKeyFingerprint fingerprint) {}
    }

    @Test
    void open_secondFactorWanted_namesIt() throws Exception {
        try (TestServer server = new TestServer(saying("", "", 0))
                .offering(sshd -> {
                    CoreModuleProperties.AUTH_METHODS.set(sshd, "publickey,keyboard-interactive");
                    sshd.setKeyboardInteractiveAuthenticator(
                            org.apache.sshd.server.auth.keyboard.DefaultKeyboardInteractiveAuthenticator.INSTANCE);
                })
                .start()) {
            HostException failure = open(server, "root");

            assertThat(failure.code()).isEqualTo(ErrorCode.LOGIN_REFUSED);
            assertThat(failure)
                    .hasMessageContaining("took the key of root and wants \"keyboard-interactive\" besides")
                    .hasMessageContaining("Match User root, and below it AuthenticationMethods publickey");
        }
    }

    @Test
    void open_hostTakesNoKeys_namesWhatItTakes() throws Exception {
        try (TestServer server = new TestServer(saying("", "", 0))
                .offering(sshd -> {
                    sshd.setPasswordAuthenticator((user, password, session) -> false);
                    CoreModuleProperties.AUTH_METHODS.set(sshd, "password");
                })
                .start()) {
            assertThat(open(server, "root"))
                    .hasMessageContaining("takes no key from root, only \"password\"")
                    .hasMessageContaining("PubkeyAuthentication yes");
        }
    }

    @Test
    void open_refusedLogin_namesTheKeyTheBannerAndTheSettings() throws Exception {
        try (TestServer server = new TestServer(saying("", "", 0))
                .refusing()
                .offering(sshd -> CoreModuleProperties.WELCOME_BANNER.set(sshd, "Keep out\u001b[31m\n"))
                .start()) {
            HostException failure = open(server, "root");

            assertThat(failure.output()).isEqualTo("Keep out?[31m");
            assertThat(failure)
                    .hasMessageContaining(
                            "with the key " + server.login.publicKey().fingerprint())
                    .hasMessageContaining("PermitRootLogin, AllowUsers and AllowGroups")
                    .hasMessageContaining("journalctl -u ssh");
            assertThat(open(server, "ann").getMessage()).contains("AllowUsers").doesNotContain("PermitRootLogin");
        }
    }

    private static TestServer closing(String banner) {
        return new TestServer(saying("", "", 0)).offering(sshd -> {
            CoreModuleProperties.WELCOME_BANNER.set(sshd, banner);
            sshd.setPublickeyAuthenticator((user, key, session) -> {
                session.close(true);
                return false;
            });
        });
    }

    @Test
    void open_hostClosesWithAWord_endsSoonAndQuotesIt() throws Exception {
        try (TestServer server =
                closing("Your account has expired; ask the operator.\n").start()) {
            HostException failure = open(server, "ann");

            assertThat(failure.code()).isEqualTo(ErrorCode.LOGIN_REFUSED);
            assertThat(failure.retryable()).isFalse();
            assertThat(failure.output()).isEqualTo("Your account has expired; ask the operator.");
            assertThat(server.connections)
                    .as("a lost connection is no answer yet")
                    .hasValue(3);
        }
    }

    @Test
    void open_hostIsBooting_isTriedUntilTheTimeIsOver() throws Exception {
        try (TestServer server =
                closing("System is booting up. Please come back later.\n").start()) {
            HostException failure = open(server, "ann");

            assertThat(failure.retryable()).isTrue();
            assertThat(failure.output()).contains("booting up");
            assertThat(server.connections.get()).isGreaterThan(3);
        }
    }

    /** Each connection may have one command in all, as where MaxSessions is 1 and the server still counts the one before. */
    @Test
    void facts_noFurtherCommandOverAConnection_areReadOverAnother() throws Exception {
        Set<Object> used = ConcurrentHashMap.newKeySet();
        try (TestServer server = new TestServer((in, out, err) -> {
                            String nonce = nonce(new String(in.readAllBytes(), UTF_8));
                            out.write((nonce + "\tsystem\tx86_64\t1700000000\tdebian\t12\n" + nonce
                                            + "\tunit\tLoadState=not-found\n" + nonce + "\tend\n")
                                    .getBytes(UTF_8));
                            return 0;
                        })
                        .offering(sshd -> sshd.setChannelFactories(List.of(new ChannelSessionFactory() {
                            @Override
                            public @Nullable Channel createChannel(Session session) throws IOException {
                                return used.add(session) ? super.createChannel(session) : null;
                            }
                        })))
                        .start();
                HostSession session = APPLIER.open(target(server, "root"))) {
            for (int round = 1; round <= 3; round++) {
                assertThat(session.facts(QUERY, Duration.ofSeconds(5)).machine())
                        .isEqualTo("x86_64");
                assertThat(server.connections).hasValue(round);
            }
        }
    }

    @Test
    void facts_hostRunsNoCommand_isToldFromALostConnection() throws Exception {
        try (TestServer server = new TestServer(saying("", "", 0))
                        .offering(sshd -> sshd.setCommandFactory((channel, command) -> {
                            throw new IOException("no commands here");
                        }))
                        .start();
                HostSession session = APPLIER.open(target(server, "root"))) {
            HostException failure =
                    catchThrowableOfType(HostException.class, () -> session.facts(QUERY, Duration.ofSeconds(5)));
            assertThat(failure.code()).isEqualTo(ErrorCode.LOGIN_REFUSED);
            assertThat(failure).hasMessageContaining("lets root log in and runs no command");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"220 mail.example.com ESMTP\r\n", "Exceeded MaxStartups\r\n", "Not allowed at this time\r\n"})
    void open_somethingElseAnswers_quotesIt(String greeting) throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                TestServer keys = new TestServer(saying("", "", 0))) {
            Thread answering = new Thread(() -> {
                while (!listener.isClosed()) {
                    try (Socket client = listener.accept();
                            OutputStream out = client.getOutputStream()) {
                        out.write(greeting.getBytes(UTF_8));
                    } catch (IOException e) {
                        // The test is over, or the client is gone.
                    }
                }
            });
            answering.setDaemon(true);
            answering.start();

            HostException failure = catchThrowableOfType(
                    HostException.class,
                    () -> APPLIER.open(
                            keys.target(listener.getLocalPort(), keys.fingerprint(), Duration.ofSeconds(1))));

            assertThat(failure.code()).isEqualTo(ErrorCode.CONNECT_FAILED);
            assertThat(failure.output()).isEqualTo(greeting.strip());
        }
    }
}
