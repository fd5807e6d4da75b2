package dev.promguard.ssh.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.promguard.HostException;
import dev.promguard.InvalidSettingException;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import dev.promguard.spi.ProbeResult.Result;
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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The script runs in a real shell, and tries ports of this machine's loopback interface alone. */
@Timeout(120)
class ProbeScriptTest {
    private static final String NONCE = "0123456789abcdef0123456789abcdef";
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final Duration SECOND = Duration.ofSeconds(1);

    private static Probe probe(int port) {
        return new Probe("127.0.0.1", port);
    }

    private static Probe page(int port, String path) {
        return new Probe("127.0.0.1", port, Optional.of(path));
    }

    /** What the script says of ports, with another path for its programs, or an empty text for the usual one. */
    private static List<ProbeResult> run(String path, Probe... probes) throws Exception {
        ProbeScript round = new ProbeScript(List.of(probes), SECOND);
        try (Script script = round.script(NONCE)) {
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
                    round.line(line.substring(NONCE.length() + 1));
                }
            }
            assertThat(shell.waitFor()).isZero();
        }
        assertThat(round.ended()).isTrue();
        return round.answers();
    }

    private static int closedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, LOOPBACK)) {
            return socket.getLocalPort();
        }
    }

    @Test
    void ports_openRefusedSilentAndWithoutWay_areToldApartInOrder() throws Exception {
        List<Socket> crowd = new ArrayList<>();
        try (ServerSocket open = new ServerSocket(0, 50, LOOPBACK);
                ServerSocket full = new ServerSocket(0, 1, LOOPBACK)) {
            for (int i = 0; i < 2; i++) {
                crowd.add(new Socket(LOOPBACK, full.getLocalPort()));
            }
            assertThat(run(
                            "",
                            probe(full.getLocalPort()),
                            probe(open.getLocalPort()),
                            probe(closedPort()),
                            new Probe("255.255.255.255", 9100),
                            new Probe("1:2:3", 9100)))
                    .extracting(ProbeResult::result)
                    .containsExactly(Result.SILENT, Result.OPEN, Result.REFUSED, Result.NO_WAY, Result.NOT_TRIED);
            try (Socket probed = open.accept()) {
                assertThat(probed.getInputStream().readAllBytes())
                        .as("sent to an open port")
                        .isEmpty();
            }
        } finally {
            for (Socket socket : crowd) {
                socket.close();
            }
        }
    }

    /** A host that is busy for a moment is no network that drops large packets. */
    @ParameterizedTest
    @CsvSource({"1, true", "8, true", "9, false"})
    void ports_pagesThatAreLateOnce_areTriedAgainUnlessManyAre(int pages, boolean whole) throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        Set<String> seen = ConcurrentHashMap.newKeySet();
        HttpServer server = HttpServer.create(new InetSocketAddress(LOOPBACK, 0), 0);
        ExecutorService threads = Executors.newCachedThreadPool();
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            if (seen.add(exchange.getRequestURI().getPath())) {
                await(end);
            }
            exchange.sendResponseHeaders(200, 5);
            exchange.getResponseBody().write("whole".getBytes(UTF_8));
            exchange.close();
        });
        server.start();
        try {
            Probe[] probes = IntStream.range(0, pages)
                    .mapToObj(number -> page(server.getAddress().getPort(), "/page-" + number))
                    .toArray(Probe[]::new);

            assertThat(run("", probes)).containsOnly(new ProbeResult(Result.OPEN, whole ? 5 : 0, whole));
        } finally {
            end.countDown();
            server.stop(0);
            threads.shutdownNow();
        }
    }

    private static void await(CountDownLatch end) {
        try {
            assertThat(end.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void ports_pages_areCountedAndSaidToBeWholeOnlyIfTheyAre() throws Exception {
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
                            whole -> assertThat(whole).isEqualTo(new ProbeResult(Result.OPEN, 60_000, true)),
                            none -> {
                                assertThat(none.result()).isEqualTo(Result.OPEN);
                                assertThat(none.whole()).isFalse();
                            },
                            stalled -> assertThat(stalled).isEqualTo(new ProbeResult(Result.OPEN, 1_000, false)),
                            closed -> assertThat(closed).isEqualTo(new ProbeResult(Result.REFUSED)));
        } finally {
            end.countDown();
            server.stop(0);
        }
    }

    @Test
    void ports_hostWithoutTheTools_areNotSaidToBeClosed() throws Exception {
        assertThat(run("/nowhere", probe(closedPort()), page(closedPort(), "/metrics")))
                .extracting(ProbeResult::result)
                .containsOnly(Result.NOT_TRIED);
    }

    @Test
    void ports_hundreds_areAllProbedAtHoweverBusyTheHost() throws Exception {
        int port = closedPort();
        assertThat(run("", IntStream.range(0, 600).mapToObj(i -> probe(port)).toArray(Probe[]::new)))
                .hasSize(600)
                .extracting(ProbeResult::result)
                .containsOnly(Result.REFUSED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "port\t2\topen",
                "port\t-1\topen",
                "port\t0\tajar",
                "port\t1\topen",
                "port\t0",
                "page\t0\t0\t200 1 0.1",
                "page\t1\tx\t200 1 0.1",
                "window\t0\topen",
                "port\t99999999999\topen"
            })
    void line_thatCannotBe_isRefused(String line) {
        ProbeScript round = new ProbeScript(List.of(probe(1), page(2, "/")), SECOND);
        assertThatThrownBy(() -> round.line(line)).isInstanceOf(FactsParser.MalformedException.class);
    }

    @Test
    void line_anAnswerTwiceNoneOrAfterTheEnd_isRefused() throws Exception {
        ProbeScript round = new ProbeScript(List.of(probe(1), probe(2)), SECOND);
        round.line("port\t0\topen");
        assertThatThrownBy(() -> round.line("port\t0\trefused")).isInstanceOf(FactsParser.MalformedException.class);
        round.line("end");
        assertThatThrownBy(() -> round.line("port\t1\topen")).isInstanceOf(FactsParser.MalformedException.class);
        assertThatThrownBy(round::answers).hasMessageContaining("port 2 of the list has no answer");
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
        ProbeScript round = new ProbeScript(List.of(page(9100, "/metrics")), SECOND);
        round.line("page\t0\t" + code + '\t' + words);
        round.line("end");

        assertThat(round.answers()).containsExactly(new ProbeResult(result, bytes, whole));
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
    void port_thatIsNoAddress_isRefused(String address) {
        assertThatThrownBy(() -> new Probe(address, 9100)).isInstanceOf(InvalidSettingException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "metrics", "/a b", "/$(id)", "/'", "/%0a", "/?x=1", "/\n"})
    void port_withWhatIsNoPage_isRefused(String path) {
        assertThatThrownBy(() -> page(9100, path)).isInstanceOf(InvalidSettingException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "'@\tport\t0\tajar\n@\tend\n', makes no sense",
        "'@\tport\t0\topen\n', ended early",
        "'', something else read the script"
    })
    void probe_hostThatAnswersNonsense_isNotBelieved(String said, String reason) throws Exception {
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
            assertThat(session.probe(List.of(), SECOND)).isEmpty();
            assertThat(server.commands).isEmpty();
            assertThatThrownBy(() -> session.probe(List.of(probe(1)), SECOND))
                    .isInstanceOf(HostException.class)
                    .hasMessageContaining("probe ports from it")
                    .hasMessageContaining(reason);
        }
    }
}
