package dev.promguard.examples;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;

/** Finds the page of a Prometheus that shows its targets: builds differ in where it is, and some have none. */
final class PrometheusPage {
    /** Upstream's, and that of Debian's 2.x, which has the classic pages only. */
    private static final List<String> TARGETS = List.of("targets", "classic/targets");

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private PrometheusPage() {}

    /**
     * Asks where the page is.
     *
     * @param prometheus where Prometheus answers, with a slash at the end
     * @return the page that shows the targets; {@code prometheus} itself if this build has none
     * @throws IllegalStateException if Prometheus does not answer, or the calling thread is interrupted
     */
    static URI ofTargets(URI prometheus) {
        HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
        for (String path : TARGETS) {
            URI page = prometheus.resolve(path);
            HttpRequest request = HttpRequest.newBuilder(page).timeout(TIMEOUT).build();
            if (status(client, request) == 200) {
                return page;
            }
        }
        return prometheus;
    }

    private static int status(HttpClient client, HttpRequest request) {
        try {
            return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
        } catch (IOException e) {
            throw new IllegalStateException("Prometheus does not answer at " + request.uri() + ": " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while asking Prometheus for its page", e);
        }
    }
}
