package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.host.FactsQuery;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import dev.promguard.ssh.SshApplier;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The way to hosts through one or more jump hosts. */
@Timeout(60)
class JumpHostTest {
    private static final FactsQuery QUERY = new FactsQuery(
            List.of(), List.of(), List.of(), List.of(), List.of(), "wg0", "/etc/wireguard/wg0.key", Map.of());
    private static final String FACTS =
            "@\tsystem\tx86_64\t1700000000\tdebian\t12\n@\tunit\tLoadState=not-found\n@\tend\n";
    private static final HostKeyFingerprint OTHER = new HostKeyFingerprint("SHA256:" + "x".repeat(43));
    private static final SshApplier APPLIER =
            SshApplier.builder().connectTimeout(Duration.ofSeconds(10)).build();

    /** What a jump host is asked to run: nothing. */
    private static TestServer jumpHost() {
        return new TestServer((in, out, err) -> 1);
    }

    private static TestServer host() {
        return host(FACTS, () -> {});
    }

    /** A host that gives some answers, the last of them again and again. */
    private static TestServer host(String answer, Runnable before) {
        return new TestServer((in, out, err) -> {
            BufferedReader script = new BufferedReader(new InputStreamReader(in, UTF_8));
            String nonce = "";
            for (String line = script.readLine(); line != null; line = script.readLine()) {
                if (line.startsWith("N='")) {
                    nonce = line.substring(3, line.length() - 1);
                }
                if (line.equals("main; exit $?")) {
                    break;
                }
            }
            before.run();
            out.write(answer.replace("@", nonce).getBytes(UTF_8));
            return 0;
        });
    }

    private static HostTarget.Builder target(TestServer host, Duration timeout, HostTarget... jumpHosts) {
        return host.target(host.port(), host.fingerprint(), timeout).toBuilder().jumpHosts(List.of(jumpHosts));
    }

    private static HostTarget.Builder hop(String name, int port, Set<HostKeyFingerprint> keys) {
        try (TestServer any = jumpHost()) {
            return HostTarget.of(name, "127.0.0.1")
                    .port(port)
                    .user("jump")
                    .accepting(keys)
                    .trustOnFirstUse(keys.isEmpty())
                    .identity(Identity.ofKey(any.login.privateKey()));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static HostTarget hop(String name, TestServer server) {
        return hop(name, server.port(), Set.of(server.fingerprint())).build();
    }

    private static HostException failure(HostTarget target) {
        AtomicReference<HostException> failure = new AtomicReference<>();
        assertThatThrownBy(() -> APPLIER.open(target)).isInstanceOfSatisfying(HostException.class, failure::set);
        return Objects.requireNonNull(failure.get());
    }

    @Test
    void open_throughAJumpHost_runsEverythingOnTheHostAndNothingOnTheWay() throws Exception {
        try (TestServer bastion = jumpHost().start();
                TestServer host = host().start();
                HostSession session = APPLIER.open(target(host, Duration.ofSeconds(10), hop("bastion", bastion))
                        .build())) {
            assertThat(session.facts(QUERY, Duration.ofSeconds(5)).machine()).isEqualTo("x86_64");
            assertThat(session.hostKey()).isEqualTo(host.fingerprint());
            assertThat(session.jumpHostKeys()).containsExactly(bastion.fingerprint());
            assertThat(bastion.logins).containsOnly("jump");
            assertThat(bastion.commands).isEmpty();
            assertThat(bastion.channels).as("the way to the host alone").hasValue(1);
            assertThat(host.logins).containsOnly("root");
        }
    }

    @Test
    void open_throughTwoJumpHosts_passesThemInTheirOrder() throws Exception {
        try (TestServer outer = jumpHost().start();
                TestServer inner = jumpHost().start();
                TestServer host = host().start();
                HostSession session =
                        APPLIER.open(target(host, Duration.ofSeconds(10), hop("outer", outer), hop("inner", inner))
                                .build())) {
            assertThat(session.facts(QUERY, Duration.ofSeconds(5)).machine()).isEqualTo("x86_64");
            assertThat(session.jumpHostKeys()).containsExactly(outer.fingerprint(), inner.fingerprint());
            assertThat(List.of(outer.channels.get(), inner.channels.get())).containsExactly(1, 1);
        }
    }

    @Test
    void open_jumpHostWithAnotherKey_stopsThereBeforeTheLogin() throws Exception {
        try (TestServer bastion = jumpHost().start();
                TestServer host = host().start()) {
            HostException failure = failure(target(
                            host,
                            Duration.ofSeconds(30),
                            hop("bastion", bastion.port(), Set.of(OTHER)).build())
                    .build());

            assertThat(failure)
                    .hasMessageContaining("step \"check the host key of jump host bastion (127.0.0.1:" + bastion.port()
                            + ")\" failed: the jump host showed the ")
                    .hasMessageContaining("[PG-4002]")
                    .hasMessageContaining(bastion.fingerprint().text())
                    .hasMessageContaining(OTHER.text())
                    .hasMessageContaining("on the jump host: ssh-keygen");
            assertThat(failure.host()).isEqualTo("node-1");
            assertThat(failure.refusedHostKey())
                    .as("that is the key of another server")
                    .isEmpty();
            assertThat(failure.retryable()).isFalse();
            assertThat(bastion.logins).isEmpty();
            assertThat(host.connections).hasValue(0);
        }
    }

    @Test
    void open_hostWithAnotherKeyBehindAJumpHost_isRefusedAsAnyHost() throws Exception {
        try (TestServer bastion = jumpHost().start();
                TestServer host = host().start()) {
            HostException failure = failure(target(host, Duration.ofSeconds(30), hop("bastion", bastion))
                    .accepting(Set.of(OTHER))
                    .build());

            assertThat(failure)
                    .hasMessageContaining("step \"check the host key\" failed: the host showed the ")
                    .hasMessageContaining(OTHER.text());
            assertThat(failure.refusedHostKey()).contains(host.fingerprint());
            assertThat(host.logins).isEmpty();
        }
    }

    @Test
    void open_jumpHostThatRefusesTheLogin_isNamedWithItsUser() throws Exception {
        try (TestServer bastion = jumpHost().refusing().start();
                TestServer host = host().start()) {
            HostException failure = failure(target(host, Duration.ofSeconds(30), hop("bastion", bastion))
                    .build());

            assertThat(failure)
                    .hasMessageContaining("log in to jump host bastion (127.0.0.1:" + bastion.port() + ")")
                    .hasMessageContaining("the jump host refused the login of jump with the key SHA256:")
                    .hasMessageContaining("[PG-4004]");
            assertThat(failure.retryable()).isFalse();
            assertThat(host.connections).hasValue(0);
        }
    }

    @Test
    void open_jumpHostThatForbidsForwarding_namesTheSettingAtOnce() throws Exception {
        try (TestServer bastion = jumpHost()
                        .offering(sshd -> sshd.setForwardingFilter(RejectAllForwardingFilter.INSTANCE))
                        .start();
                TestServer host = host().start()) {
            HostException failure = failure(target(host, Duration.ofSeconds(30), hop("bastion", bastion))
                    .build());

            assertThat(failure)
                    .hasMessageContaining("jump host bastion (127.0.0.1:" + bastion.port()
                            + ") lets jump connect to no 127.0.0.1:" + host.port())
                    .hasMessageContaining("[PG-4011]")
                    .hasMessageContaining("AllowTcpForwarding local for jump");
            assertThat(failure.code()).isEqualTo(ErrorCode.JUMP_REFUSED);
            assertThat(failure.retryable()).isFalse();
        }
    }

    @Test
    void open_hostThatTheJumpHostDoesNotReach_saysThatTheHostIsMissingAndNotTheJumpHost() throws Exception {
        try (TestServer bastion = jumpHost().start();
                TestServer host = host().start()) {
            HostTarget gone =
                    target(host, Duration.ofSeconds(1), hop("bastion", bastion)).build();
            host.stop();

            HostException failure = failure(gone);

            assertThat(failure)
                    .hasMessageContaining("step \"connect\" failed: jump host bastion (127.0.0.1:" + bastion.port()
                            + ") has no connection to 127.0.0.1:" + gone.port())
                    .hasMessageContaining("[PG-4001]")
                    .hasMessageContaining("the address is the one as seen from there");
            assertThat(failure.retryable()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"down", "silent", "silent host"})
    void open_serverThatDoesNotAnswer_isGivenUpInTimeAndNamed(String which) throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                TestServer bastion = jumpHost().start();
                TestServer host = host().start()) {
            HostTarget.Builder target = target(host, Duration.ofSeconds(2), hop("bastion", bastion));
            switch (which) {
                case "down" -> bastion.stop();
                case "silent" ->
                    target.jumpHosts(List.of(
                            hop("bastion", silent.getLocalPort(), Set.of(OTHER)).build()));
                default -> target.port(silent.getLocalPort());
            }
            long begin = System.nanoTime();

            HostException failure = failure(target.build());

            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(8));
            assertThat(failure.code()).isEqualTo(ErrorCode.CONNECT_FAILED);
            assertThat(failure)
                    .hasMessageContaining(
                            which.equals("silent host")
                                    ? "no session with port " + silent.getLocalPort()
                                            + " through jump host bastion (127.0.0.1:" + bastion.port() + ") within 2 s"
                                    : "step \"connect to jump host bastion (127.0.0.1:");
        }
    }

    @Test
    void open_jumpHostWhoseNameHasNoAddress_saysSo() throws Exception {
        try (TestServer host = host().start()) {
            HostTarget nowhere = HostTarget.of("bastion", "nowhere.invalid")
                    .accepting(Set.of(OTHER))
                    .identity(Identity.ofKey(host.login.privateKey()))
                    .build();

            assertThat(failure(target(host, Duration.ofSeconds(1), nowhere).build()))
                    .hasMessageContaining("connect to jump host bastion (nowhere.invalid:22)")
                    .hasMessageContaining("no address was found for nowhere.invalid [PG-4001]");
        }
    }

    @Test
    void facts_readOverANewConnection_takeNoOtherKeyOfAJumpHostThatWasTrustedOnFirstUse() throws Exception {
        AtomicReference<TestServer> way = new AtomicReference<>();
        TestServer busy = host(
                "@\tbusy\n@\tend\n", () -> Objects.requireNonNull(way.get()).showing(TestServer.keyPair()));
        try (TestServer bastion = jumpHost().start();
                TestServer host = busy.start()) {
            way.set(bastion);
            HostTarget trusted = hop("bastion", bastion.port(), Set.of()).build();
            try (HostSession session =
                    APPLIER.open(target(host, Duration.ofSeconds(5), trusted).build())) {
                assertThat(session.jumpHostKeys()).containsExactly(bastion.fingerprint());

                assertThatThrownBy(() -> session.facts(QUERY, Duration.ofSeconds(5)))
                        .isInstanceOf(HostException.class)
                        .hasMessageContaining("check the host key of jump host bastion");
            }
        }
    }

    @Test
    void forward_throughAJumpHost_leadsToThePortOnTheHost() throws Exception {
        try (TestServer bastion = jumpHost().start();
                TestServer host = host().start();
                ServerSocket prometheus = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                HostSession session = APPLIER.open(target(host, Duration.ofSeconds(10), hop("bastion", bastion))
                        .build())) {
            CompletableFuture<Void> served = CompletableFuture.runAsync(() -> {
                try {
                    // The first connection is the session's own, which tries whether there is a way.
                    prometheus.accept().close();
                    try (Socket socket = prometheus.accept()) {
                        socket.getOutputStream().write("metrics".getBytes(UTF_8));
                    }
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            int port = session.forward("127.0.0.1", prometheus.getLocalPort());
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                assertThat(new String(socket.getInputStream().readAllBytes(), UTF_8))
                        .isEqualTo("metrics");
            }
            served.join();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"closed", "refused", "jump host gone"})
    void session_howeverItEnds_leavesNoThreadBehind(String ending) throws Exception {
        try (TestServer bastion = jumpHost().start();
                TestServer host = host()) {
            if (ending.equals("refused")) {
                host.refusing();
            }
            host.start();
            HostTarget target =
                    target(host, Duration.ofSeconds(5), hop("bastion", bastion)).build();
            if (ending.equals("refused")) {
                failure(target);
            } else {
                HostSession session = APPLIER.open(target);
                if (ending.equals("jump host gone")) {
                    bastion.stop();
                    assertThatThrownBy(() -> session.facts(QUERY, Duration.ofSeconds(5)))
                            .isInstanceOf(HostException.class)
                            .hasMessageContaining("connection");
                }
                session.close();
            }
            for (Thread thread : Thread.getAllStackTraces().keySet()) {
                String name = thread.getName();
                if (name.startsWith("sshj-")
                        && (name.contains(":" + host.port())
                                || name.contains(":" + target.jumpHosts().get(0).port()))) {
                    thread.join(10_000);
                    assertThat(thread.isAlive()).as(name).isFalse();
                }
            }
        }
    }
}
