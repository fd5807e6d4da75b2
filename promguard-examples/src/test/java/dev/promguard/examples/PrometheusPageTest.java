package dev.promguard.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Builds of Prometheus differ in where the page is that shows the targets. */
class PrometheusPageTest {
    private HttpServer server;
    private List<String> pages = List.of();

    @BeforeEach
    void start() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(pages.contains(exchange.getRequestURI().getPath()) ? 200 : 404, -1);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private String page(String... known) throws Exception {
        pages = List.of(known);
        URI prometheus = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
        return prometheus.relativize(PrometheusPage.ofTargets(prometheus)).toString();
    }

    @Test
    void ofTargets_eachBuild_isThePageThatItHas() throws Exception {
        assertThat(page("/", "/targets", "/classic/targets")).isEqualTo("targets");
        assertThat(page("/classic/targets")).isEqualTo("classic/targets");
        assertThat(page("/")).isEmpty();
    }
}
