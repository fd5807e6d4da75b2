package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.promguard.HostException;
import dev.promguard.spi.Door;
import dev.promguard.spi.DoorAnswer;
import dev.promguard.spi.DoorAnswer.Result;
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
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The script runs in a real shell, and tries doors of this machine's loopback interface alone. */
@Timeout(120)
class KnocksTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final Duration SECOND = Duration.ofSeconds(1);

    private static Door door(int port) {
        return new Door("127.0.0.1", port);
    }

    private static Door page(int port, String path) {
        return new Door("127.0.0.1", port, Optional.of(path));
    }

    /** What the script says of doors, with another path for its programs, or an empty text for the usual one. */
    private static List<DoorAnswer> run(String path, Door... doors) throws Exception {
        Knocks knocks = new Knocks(List.of(doors), SECOND);
        try (Script script = knocks.script(NONCE)) {
            ProcessBuilder builder = new ProcessBuilder("sh", "-s").redirectError(ProcessBuilder.Redirect.DISCARD);
            builder.environment().put("http_proxy", "http://127.0.0.1:1");
            Process shell = builder.start();
            try (OutputStream in = shell.getOutputStream()) {
                String text = script.text();
                in.write((path.isEmpty() ? text : text.replaceFirst("export PATH=.*", "export PATH=" + path))
                        .getBytes(UTF_8));
            }
            for (String line : new String(shell.getInputStream().readAllBytes(), UTF_8).split("\n", -1)) {
                if (line.startsWith(NONCE + '\t')) {
                    knocks.line(line.substring(NONCE.length() + 1));
                }
            }
            assertThat(shell.waitFor()).isZero();
        }
        assertThat(knocks.ended()).isTrue();
        return knocks.answers();
    }

    private static int closedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, LOOPBACK)) {
            return socket.getLocalPort();
        }
    }

    @Test
    void doors_openRefusedSilentAndWithoutWay_areToldApartInOrder() throws Exception {
        List<Socket> crowd = new ArrayList<>();
        try (ServerSocket open = new ServerSocket(0, 50, LOOPBACK);
                ServerSocket full = new ServerSocket(0, 1, LOOPBACK)) {
            for (int i = 0; i < 2; i++) {
                crowd.add(new Socket(LOOPBACK, full.getLocalPort()));
            }
            assertThat(run(
                            "",
                            door(full.getLocalPort()),
                            door(open.getLocalPort()),
                            door(closedPort()),
                            new Door("255.255.255.255", 9100),
                            new Door("1:2:3", 9100)))
                    .extracting(DoorAnswer::result)
                    .containsExactly(Result.SILENT, Result.OPEN, Result.REFUSED, Result.NO_WAY, Result.NOT_TRIED);
            try (Socket knocked = open.accept()) {
                assertThat(knocked.getInputStream().readAllBytes())
                        .as("sent to an open door")
                        .isEmpty();
            }
        } finally {
            for (Socket socket : crowd) {
                socket.close();
            }
        }
    }

    @Test
    void doors_pages_areCountedAndSaidToBeWholeOnlyIfTheyAre() throws Exception {
        byte[] large = "x".repeat(60_000).getBytes(UTF_8);
        CountDownLatch end = new CountDownLatch(1);
        HttpServer server = HttpServer.create(new InetSocketAddress(LOOPBACK, 0), 0);
        server.setExecutor(task -> new Thread(task).start());
        server.createContext("/metrics", exchange -> {
            exchange.sendResponseHeaders(200, large.length);
            exchange.getResponseBody().write(large);
            exchange.close();
        });
        server.createContext("/stalls", exchange -> {
            exchange.sendResponseHeaders(200, large.length);
            exchange.getResponseBody().write(large, 0, 1_000);
            exchange.getResponseBody().flush();
            try {
                end.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        server.start();
        try {
            int port = server.getAddress().getPort();
            assertThat(run(
                            "",
                            page(port, "/metrics"),
                            page(port, "/none"),
                            page(port, "/stalls"),
                            page(closedPort(), "/")))
                    .satisfiesExactly(
                            whole -> assertThat(whole).isEqualTo(new DoorAnswer(Result.OPEN, 60_000, true)),
                            none -> {
                                assertThat(none.result()).isEqualTo(Result.OPEN);
                                assertThat(none.whole()).isFalse();
                            },
                            stalled -> assertThat(stalled).isEqualTo(new DoorAnswer(Result.OPEN, 1_000, false)),
                            closed -> assertThat(closed).isEqualTo(new DoorAnswer(Result.REFUSED)));
        } finally {
            end.countDown();
            server.stop(0);
        }
    }

    @Test
    void doors_hostWithoutTheTools_areNotSaidToBeClosed() throws Exception {
        assertThat(run("/nowhere", door(closedPort()), page(closedPort(), "/metrics")))
                .extracting(DoorAnswer::result)
                .containsOnly(Result.NOT_TRIED);
    }

    @Test
    void doors_hundreds_areAllKnockedAtHoweverBusyTheHost() throws Exception {
        int port = closedPort();
        assertThat(run("", IntStream.range(0, 600).mapToObj(i -> door(port)).toArray(Door[]::new)))
                .hasSize(600)
                .extracting(DoorAnswer::result)
                .containsOnly(Result.REFUSED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "door\t2\topen",
                "door\t-1\topen",
                "door\t0\tajar",
                "door\t1\topen",
                "door\t0",
                "page\t0\t0\t200 1 0.1",
                "page\t1\tx\t200 1 0.1",
                "window\t0\topen",
                "door\t99999999999\topen"
            })
    void line_thatCannotBe_isRefused(String line) {
        Knocks knocks = new Knocks(List.of(door(1), page(2, "/")), SECOND);
        assertThatThrownBy(() -> knocks.line(line)).isInstanceOf(FactsParser.MalformedException.class);
    }

    @Test
    void line_anAnswerTwiceNoneOrAfterTheEnd_isRefused() throws Exception {
        Knocks knocks = new Knocks(List.of(door(1), door(2)), SECOND);
        knocks.line("door\t0\topen");
        assertThatThrownBy(() -> knocks.line("door\t0\trefused")).isInstanceOf(FactsParser.MalformedException.class);
        knocks.line("end");
        assertThatThrownBy(() -> knocks.line("door\t1\topen")).isInstanceOf(FactsParser.MalformedException.class);
        assertThatThrownBy(knocks::answers).hasMessageContaining("port 2 of the list has no answer");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 200 61234 0.001, OPEN, 61234, true",
        "0, 503 10 0.001, OPEN, 10, false",
        "18, 200 10 0.001, OPEN, 10, false",
        "28, 000 0 0.002, OPEN, 0, false",
        "28, 000 0 0.000, SILENT, 0, false",
        "7, 000 0 0.000, REFUSED, 0, false",
        "6, 000 0 0.000, NOT_TRIED, 0, false",
        "127, '', NOT_TRIED, 0, false"
    })
    void line_ofAPage_meansWhatCurlMeans(int code, String words, Result result, long bytes, boolean whole)
            throws Exception {
        Knocks knocks = new Knocks(List.of(page(9100, "/metrics")), SECOND);
        knocks.line("page\t0\t" + code + '\t' + words);
        knocks.line("end");

        assertThat(knocks.answers()).containsExactly(new DoorAnswer(result, bytes, whole));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a.example",
                "$(id)",
                "10.0.0.1; id",
                "10.0.0.1 9100",
                "-x",
                "10.0.0.1\n",
                "[::1]",
                "::1%eth0"
            })
    void door_thatIsNoAddress_isRefused(String address) {
        assertThatThrownBy(() -> new Door(address, 9100)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "metrics", "/a b", "/$(id)", "/'", "/%0a", "/?x=1", "/\n"})
    void door_withWhatIsNoPage_isRefused(String path) {
        assertThatThrownBy(() -> page(9100, path)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({"'@\tdoor\t0\tajar\n@\tend\n', makes no sense", "'@\tdoor\t0\topen\n', ended early", "'', ended early"})
    void knock_hostThatAnswersNonsense_isNotBelieved(String said, String reason) throws Exception {
        TestServer.Handler liar = (InputStream in, OutputStream out, OutputStream err) -> {
            String text = "";
            byte[] buffer = new byte[8192];
            for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
                text += new String(buffer, 0, count, UTF_8);
                if (text.contains("main; exit $?")) {
                    break;
                }
            }
            String nonce = text.substring(text.indexOf("N='") + 3, text.indexOf("N='") + 35);
            out.write(said.replace("@", nonce).getBytes(UTF_8));
            return 0;
        };
        try (TestServer server = new TestServer(liar).start();
                HostSession session = SshApplier.builder().build().open(server.target())) {
            assertThat(session.knock(List.of(), SECOND)).isEmpty();
            assertThat(server.commands).isEmpty();
            assertThatThrownBy(() -> session.knock(List.of(door(1)), SECOND))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("probe ports from it")
                    .hasMessageContaining(reason);
        }
    }
}
