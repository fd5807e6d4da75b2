package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A plain client of the API, for tests: it retries nothing and hides nothing. */
public final class Api {
    static final String KEY =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqMFD8AZshlbu1fgPxN4GabnuG5JN2KTRS3Pad8Uty+ somebody";

    private static final ObjectMapper JSON = new ObjectMapper();

    /** An answer; the body is a missing node if it is not JSON. */
    public record Answer(int status, HttpHeaders headers, JsonNode body, String text) {}

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI endpoint;
    private final String token;

    public Api(URI endpoint, String token) {
        this.endpoint = endpoint;
        this.token = token;
    }

    Answer get(String path) throws IOException, InterruptedException {
        return call("GET", path, null);
    }

    Answer delete(String path) throws IOException, InterruptedException {
        return call("DELETE", path, null);
    }

    public Answer post(String path, String body) throws IOException, InterruptedException {
        return call("POST", path, body);
    }

    Answer put(String path, String body) throws IOException, InterruptedException {
        return call("PUT", path, body);
    }

    Answer call(String method, String path, @Nullable String body) throws IOException, InterruptedException {
        HttpResponse<String> response = send(method, path, body);
        boolean json = response.headers().firstValue("content-type").orElse("").startsWith("application/json");
        return new Answer(
                response.statusCode(),
                response.headers(),
                json ? JSON.readTree(response.body()) : MissingNode.getInstance(),
                response.body());
    }

    /** The body of an answer, whatever it is. */
    String text(String path) throws IOException, InterruptedException {
        return send("GET", path, null).body();
    }

    private HttpResponse<String> send(String method, String path, @Nullable String body)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(endpoint.resolve(path))
                .header("authorization", "Bearer " + token)
                .header("content-type", "application/json")
                .timeout(Duration.ofSeconds(20))
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body))
                .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    /** A create body of usual fields, overridden by those given: in JSON the last of a name counts. */
    static String spec(String... fields) {
        return "{\"region\":\"lon1\",\"size\":\"s-1vcpu-1gb\",\"image\":\"debian-12-x64\"," + String.join(",", fields)
                + "}";
    }

    /** Makes a droplet of the usual fields, and returns its id. */
    long create(String name, String... fields) throws IOException, InterruptedException {
        String more = fields.length == 0 ? "" : "," + String.join(",", fields);
        Answer answer = post("v2/droplets", spec("\"name\":\"" + name + "\",\"tags\":[\"mesh\"]" + more));
        if (answer.status() != 202) {
            throw new AssertionError(answer.text());
        }
        return answer.body().at("/droplet/id").asLong();
    }

    JsonNode awaitActive(long id) {
        JsonNode[] droplet = new JsonNode[1];
        Await.until(Duration.ofSeconds(10), "droplet " + id + " to be active", () -> {
            droplet[0] = quietly("v2/droplets/" + id).path("droplet");
            return droplet[0].path("status").asText().equals("active");
        });
        return droplet[0];
    }

    void awaitTotal(int count) {
        Await.until(
                Duration.ofSeconds(10),
                count + " droplets",
                () -> quietly("v2/droplets").at("/meta/total").asInt() == count);
    }

    int total(String path) throws IOException, InterruptedException {
        return get(path).body().at("/meta/total").asInt();
    }

    public JsonNode quietly(String path) {
        try {
            return get(path).body();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    static List<String> addresses(JsonNode droplet, String type) {
        List<String> addresses = new ArrayList<>();
        for (JsonNode v4 : droplet.at("/networks/v4")) {
            if (v4.path("type").asText().equals(type)) {
                addresses.add(v4.path("ip_address").asText());
            }
        }
        return addresses;
    }
}
