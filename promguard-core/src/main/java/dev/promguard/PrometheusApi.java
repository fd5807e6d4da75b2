package dev.promguard;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Asks Prometheus' own HTTP API.
 *
 * @see <a href="https://prometheus.io/docs/prometheus/latest/querying/api/">Prometheus, HTTP API</a>
 */
final class PrometheusApi {
    private static final Duration ANSWER_TIME = Duration.ofSeconds(10);
    private static final int LARGEST_ANSWER = 64 * 1024 * 1024;

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(ANSWER_TIME).build();
    private final ObjectMapper json = new ObjectMapper();
    private final URI base;

    PrometheusApi(URI base) {
        this.base = base;
    }

    /** A target as Prometheus sees it. */
    record Target(String job, String node, String url, String health, String lastError) {}

    /**
     * The active targets.
     *
     * @throws IOException if Prometheus does not answer, or answers something else
     */
    List<Target> targets() throws IOException {
        HttpRequest request = HttpRequest.newBuilder(base.resolve("api/v1/targets?state=active"))
                .timeout(ANSWER_TIME)
                .build();
        HttpResponse<InputStream> response;
        try {
            response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancelledException("interrupted while asking Prometheus", e);
        }
        try (InputStream body = response.body()) {
            byte[] bytes = body.readNBytes(LARGEST_ANSWER);
            JsonNode answer = json.readTree(bytes);
            if (response.statusCode() != 200
                    || answer == null
                    || !answer.path("status").asText().equals("success")) {
                throw new IOException("Prometheus answered with status " + response.statusCode());
            }
            List<Target> targets = new ArrayList<>();
            for (JsonNode target : answer.path("data").path("activeTargets")) {
                JsonNode labels = target.path("labels");
                targets.add(new Target(
                        labels.path("job").asText(),
                        labels.path("node").asText(),
                        target.path("scrapeUrl").asText(),
                        target.path("health").asText(),
                        target.path("lastError").asText()));
            }
            return targets;
        }
    }
}
