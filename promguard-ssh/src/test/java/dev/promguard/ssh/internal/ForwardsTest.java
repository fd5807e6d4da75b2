package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.host.FactsQuery;
import dev.promguard.spi.HostSession;
import dev.promguard.ssh.SshApplier;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.sshd.client.future.DefaultOpenFuture;
import org.apache.sshd.client.future.OpenFuture;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.Channel;
import org.apache.sshd.common.channel.exception.SshChannelOpenException;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.channel.ChannelSessionFactory;
import org.apache.sshd.server.forward.DirectTcpipFactory;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;
import org.apache.sshd.server.shell.ProcessShellCommandFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ports that lead to a host's ports, also where its SSH server forbids to forward them. */
@Timeout(60)
class ForwardsTest {
    private static final SshApplier APPLIER = new SshApplier();

    /** Echoes each connection's bytes in capitals, and ends when the client has ended. */
    private static final class Service implements AutoCloseable {
        private final ServerSocket listener;

        Service(int port) throws IOException {
            listener = new ServerSocket();
            listener.setReuseAddress(true);
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
            Thread thread = new Thread(() -> {
                while (!listener.isClosed()) {
                    try {
                        Socket socket = listener.accept();
                        Thread one = new Thread(() -> serve(socket));
                        one.setDaemon(true);
                        one.start();
                    } catch (IOException e) {
                        return;
                    }
                }
            });
            thread.setDaemon(true);
            thread.start();
        }

        private static void serve(Socket socket) {
            try (socket) {
                InputStream in = socket.getInputStream();
                OutputStream out = socket.getOutputStream();
                byte[] buffer = new byte[4096];
                for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                    out.write(new String(buffer, 0, count, UTF_8)
                            .toUpperCase(java.util.Locale.ROOT)
                            .getBytes(UTF_8));
                }
                out.write('.');
            } catch (IOException e) {
                // The client went away, as some of these tests mean it to.
                return;
            }
        }

        int port() {
            return listener.getLocalPort();
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }
    }

    private static TestServer server(boolean forbids) {
        TestServer server = new TestServer((in, out, err) -> 0);
        return forbids
                ? server.offering(sshd -> {
                    sshd.setForwardingFilter(RejectAllForwardingFilter.INSTANCE);
                    sshd.setCommandFactory((channel, command) -> ProcessShellCommandFactory.INSTANCE.createCommand(
                            channel,
                            "sh -c " + "\""
                                    + command.replace("\\", "\\\\")
                                            .replace("\"", "\\\"")
                                            .replace("$", "\\$") + "\""));
                })
                : server;
    }

    /** Lets a connection have four commands at once, as MaxSessions does. */
    private static final class FewSessions extends ChannelSessionFactory {
        private final Set<ChannelSession> all = ConcurrentHashMap.newKeySet();

        @Override
        public Channel createChannel(Session session) {
            return new ChannelSession() {
                @Override
                public OpenFuture open(long recipient, long windowSize, long packetSize, Buffer buffer) {
                    long sessions = all.stream()
                            .filter(one -> one.isOpen() && one.getSession() == session)
                            .count();
                    if (sessions < 4) {
                        all.add(this);
                        return super.open(recipient, windowSize, packetSize, buffer);
                    }
                    OpenFuture refused = new DefaultOpenFuture(this, futureLock);
                    refused.setException(new SshChannelOpenException(
                            getChannelId(), SshConstants.SSH_OPEN_CONNECT_FAILED, "no more sessions"));
                    return refused;
                }
            };
        }
    }

    private static Socket connect(int port) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        return socket;
    }

    private static String ask(int port, String text) throws IOException {
        try (Socket socket = connect(port)) {
            socket.getOutputStream().write(text.getBytes(UTF_8));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void forward_textAndItsEnd_arriveBothWays(boolean forbids) throws Exception {
        try (Service service = new Service(0);
                TestServer server = server(forbids).start();
                HostSession session = APPLIER.open(server.target())) {
            int port = session.forward("127.0.0.1", service.port());

            assertThat(ask(port, "up")).isEqualTo("UP.");
            assertThat(ask(port, "a".repeat(3_000_000))).isEqualTo("A".repeat(3_000_000) + ".");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void forward_serviceStopsAndStarts_leadsToItAgain(boolean forbids) throws Exception {
        Service first = new Service(0);
        int remote = first.port();
        try (TestServer server = server(forbids).start();
                HostSession session = APPLIER.open(server.target())) {
            first.close();
            int port = session.forward("127.0.0.1", remote);
            for (int i = 0; i < 5; i++) {
                assertThat(refused(port)).isTrue();
            }
            try (Service second = new Service(remote)) {
                assertThat(second.port()).isEqualTo(remote);
                assertThat(ask(port, "again")).isEqualTo("AGAIN.");
            }
            assertThat(refused(port)).isTrue();
        }
    }

    private static boolean refused(int port) throws IOException {
        try (Socket socket = connect(port)) {
            return socket.getInputStream().read() < 0;
        } catch (java.net.SocketException e) {
            return true;
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void forward_clientsAbortAndManyAtOnce_othersAreServed(boolean forbids) throws Exception {
        int many = forbids ? 15 : 100;
        try (Service service = new Service(0);
                TestServer server = server(forbids)
                        .offering(sshd ->
                                sshd.setChannelFactories(List.of(new FewSessions(), DirectTcpipFactory.INSTANCE)))
                        .start();
                HostSession session = APPLIER.open(server.target())) {
            int port = session.forward("127.0.0.1", service.port());
            for (int i = 0; i < 10; i++) {
                Socket aborting = connect(port);
                aborting.getOutputStream().write('x');
                aborting.setSoLinger(true, 0);
                aborting.close();
            }
            List<Socket> idle = new ArrayList<>();
            for (int i = 0; i < many; i++) {
                idle.add(connect(port));
            }
            List<CompletableFuture<Integer>> answers = new ArrayList<>();
            for (Socket socket : idle) {
                answers.add(CompletableFuture.supplyAsync(() -> {
                    try {
                        socket.getOutputStream().write('y');
                        return socket.getInputStream().read();
                    } catch (IOException e) {
                        return -2;
                    }
                }));
            }
            for (CompletableFuture<Integer> answer : answers) {
                assertThat(answer.get(40, TimeUnit.SECONDS)).isEqualTo('Y');
            }
            for (Socket socket : idle) {
                socket.close();
            }
            assertThat(ask(port, "last")).isEqualTo("LAST.");
        }
    }

    @Test
    void forward_forbiddenAndNoRelay_failsAtOnceAndNamesTheSetting() throws Exception {
        try (TestServer server = new TestServer((in, out, err) -> {
                            err.write("sh: 1: exec: perl: not found\n".getBytes(UTF_8));
                            return 127;
                        })
                        .offering(sshd -> sshd.setForwardingFilter(RejectAllForwardingFilter.INSTANCE))
                        .start();
                HostSession session = APPLIER.open(server.target())) {
            assertThatThrownBy(() -> session.forward("127.0.0.1", 9090))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.FORWARD_FAILED))
                    .hasMessageContaining("the host's SSH server forbids it")
                    .hasMessageContaining("perl: not found")
                    .hasMessageContaining("Set AllowTcpForwarding local for root")
                    .hasMessageContaining("PermitOpen, if it is set there, to 127.0.0.1:9090");
        }
    }

    @Test
    void forward_connectionToTheHostLost_refusesFromThenOn() throws Exception {
        try (Service service = new Service(0);
                TestServer server = server(false).start();
                HostSession session = APPLIER.open(server.target())) {
            int port = session.forward("127.0.0.1", service.port());
            try (Socket open = connect(port)) {
                open.getOutputStream().write('x');
                assertThat(open.getInputStream().read()).isEqualTo('X');

                server.stop();

                assertThat(open.getInputStream().read()).isEqualTo(-1);
            }
            long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            boolean listening = true;
            while (listening && System.nanoTime() < deadline) {
                try (Socket late = connect(port)) {
                    assertThat(late.getInputStream().read()).isEqualTo(-1);
                } catch (IOException e) {
                    listening = false;
                }
            }
            assertThat(listening).isFalse();
            assertThatThrownBy(() -> session.forward("127.0.0.1", service.port()))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("PG-4010");
        }
    }

    @Test
    void forward_factsReadOverANewConnection_staysOpen() throws Exception {
        FactsQuery query = new FactsQuery(
                List.of(), List.of(), List.of(), List.of(), List.of(), "wg0", "/etc/wireguard/wg0.key", Map.of());
        int[] asked = {0};
        try (Service service = new Service(0);
                TestServer server = new TestServer((in, out, err) -> {
                            String script = new String(in.readAllBytes(), UTF_8);
                            int start = script.indexOf("N='") + 3;
                            String nonce = script.substring(start, start + 32);
                            for (String line : asked[0]++ == 0
                                    ? List.of("busy", "end")
                                    : Arrays.asList(
                                            "system\tx86_64\t1700000000\tdebian\t12",
                                            "unit\tLoadState=not-found",
                                            "end")) {
                                out.write((nonce + '\t' + line + '\n').getBytes(UTF_8));
                            }
                            return 0;
                        })
                        .start();
                HostSession session = APPLIER.open(server.target())) {
            int port = session.forward("127.0.0.1", service.port());
            assertThat(session.facts(query, Duration.ofSeconds(5)).machine()).isEqualTo("x86_64");
            assertThat(server.connections).hasValue(2);

            assertThat(ask(port, "new")).isEqualTo("NEW.");
        }
    }
}
