package dev.promguard.internal.verify;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.promguard.HostileTexts;
import dev.promguard.blueprint.Names;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a monitor that is not what it was may answer in Prometheus' place. */
@Timeout(120)
class PrometheusApiTest {
    private static final String HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    private static final String START = "{\"status\":\"success\",\"data\":{\"activeTargets\":[";

    /** What a server does with a connection. */
    @FunctionalInterface
    private interface Play {
        void play(OutputStream out, CountDownLatch end) throws IOException, InterruptedException;
    }

    private static List<PrometheusApi.Target> targets(Duration answerTime, Play play) throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread thread = new Thread(() -> {
                try (Socket socket = server.accept()) {
                    socket.getInputStream().read();
                    play.play(socket.getOutputStream(), end);
                } catch (IOException e) {
                    // The client has hung up, as it is to.
                    end.countDown();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            thread.setDaemon(true);
            thread.start();
            try {
                return new PrometheusApi(URI.create("http://127.0.0.1:" + server.getLocalPort() + "/"), answerTime)
                        .targets();
            } finally {
                end.countDown();
                thread.join(TimeUnit.SECONDS.toMillis(20));
                assertThat(thread.isAlive()).as("the connection is still open").isFalse();
            }
        }
    }

    private static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(UTF_8));
        out.flush();
    }

    private static List<PrometheusApi.Target> answered(String body) throws Exception {
        return targets(Duration.ofSeconds(60), (out, end) -> {
            write(out, HEAD + "content-length: " + body.getBytes(UTF_8).length + "\r\n\r\n" + body);
            end.await();
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "HTTP/1.1 200 OK\r\n", HEAD + "content-length: 100000\r\n\r\n" + START})
    void targets_slowDrip_endsWithTheAnswerTime(String beginning) {
        long start = System.nanoTime();

        assertThatThrownBy(() -> targets(Duration.ofMillis(300), (out, end) -> {
                    write(out, beginning);
                    while (!end.await(20, TimeUnit.MILLISECONDS)) {
                        write(out, beginning.contains("\r\n\r\n") ? " " : "");
                    }
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no whole answer");

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
    }

    @Test
    void targets_endlessAnswer_isCutAtItsLimit() {
        byte[] block = " ".repeat(65_536).getBytes(UTF_8);
        long[] sent = {0};

        assertThatThrownBy(() -> targets(Duration.ofSeconds(60), (out, end) -> {
                    write(out, HEAD + "\r\n" + START);
                    while (end.getCount() > 0) {
                        out.write(block);
                        sent[0] += block.length;
                    }
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("more than 16 MiB");

        // What the kernel and the client hold beside what was taken.
        assertThat(sent[0]).isLessThan(2L * PrometheusApi.LARGEST_ANSWER);
    }

    @Test
    void targets_tooMany_areNotTaken() {
        String body = START + "{},".repeat(PrometheusApi.MOST_TARGETS) + "{}]}}";

        assertThatThrownBy(() -> answered(body)).hasMessageContaining("more than 50000 targets");
    }

    static Stream<String> nonsense() {
        return Stream.of(
                "",
                "[]",
                "null",
                "<html>",
                "{\"status\":\"success\"",
                START,
                START + "]}",
                START + "[]]}}",
                START + "1]}}",
                START + "{\"labels\":[]}]}}",
                START + "{\"labels\":{\"job\":{}}}]}}",
                "[".repeat(100_000),
                START + "{\"x\":".repeat(100_000),
                "{\"status\":\"error\",\"error\":\"\u001b[2J\"}",
                "{\"status\":" + "9".repeat(100_000) + "}");
    }

    @ParameterizedTest
    @MethodSource("nonsense")
    void targets_nonsense_isAFailureInPrintableWords(String body) {
        assertThatThrownBy(() -> answered(body))
                .isInstanceOf(IOException.class)
                .satisfies(e -> assertThat(HostileTexts.UNPRINTABLE
                                .matcher(String.valueOf(e.getMessage()))
                                .find())
                        .isFalse());
    }

    @Test
    void targets_redirect_isNotFollowed() {
        assertThatThrownBy(() -> targets(Duration.ofSeconds(60), (out, end) -> {
                    write(out, "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
                    end.await();
                }))
                .hasMessageContaining("status 302");
    }

    @Test
    void targets_hostileTexts_areShort_onOneLineAndPrintable() throws Exception {
        ObjectMapper json = new ObjectMapper();
        List<String> texts = HostileTexts.texts(20_261_125, 200).toList();
        StringBuilder body = new StringBuilder(START);
        for (String text : texts) {
            body.append(body.length() > START.length() ? "," : "")
                    .append(json.writeValueAsString(Map.of(
                            "labels", Map.of("job", text, "node", text, "other", text),
                            "scrapeUrl", text,
                            "health", text,
                            "lastError", text)));
        }

        List<PrometheusApi.Target> targets = answered(body + "]}}");

        assertThat(targets).hasSameSizeAs(texts).allSatisfy(target -> {
            for (String shown :
                    List.of(target.job(), target.node(), target.url(), target.health(), target.lastError())) {
                assertThat(Names.isPrintable(shown)).as(shown).isTrue();
                assertThat(shown).hasSizeLessThan(8200);
            }
            assertThat(target.lastError()).hasSizeLessThanOrEqualTo(301);
        });
    }
}
