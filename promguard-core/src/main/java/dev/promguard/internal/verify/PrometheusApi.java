package dev.promguard.internal.verify;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.promguard.CancelledException;
import dev.promguard.blueprint.Names;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Asks Prometheus' own HTTP API. The host that answers may not be what it was: an answer is bounded in time, length and number of
 * targets, whatever it says is cut to what a report has room for, and redirects are not followed.
 *
 * @see <a href="https://prometheus.io/docs/prometheus/latest/querying/api/">Prometheus, HTTP API</a>
 */
final class PrometheusApi {
    static final int LARGEST_ANSWER = 16 * 1024 * 1024;
    static final int MOST_TARGETS = 50_000;
    static final int MOST_RULES = 10_000;
    private static final String MEANINGLESS = "Prometheus gave an answer that cannot be understood";
    private static final Duration ANSWER_TIME = Duration.ofSeconds(10);
    private static final int LONGEST_TEXT = 300;
    private static final int LONGEST_URL = 8192;

    private final HttpClient client = HttpClient.newHttpClient();
    private final ObjectMapper json = JsonMapper.builder()
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .build();
    private final URI base;
    private final Duration answerTime;

    PrometheusApi(URI base) {
        this(base, ANSWER_TIME);
    }

    /**
     * A client.
     *
     * @param base where the API is
     * @param answerTime how long an answer may take, up to its end
     */
    PrometheusApi(URI base, Duration answerTime) {
        this.base = base;
        this.answerTime = answerTime;
    }

    /** A target as Prometheus sees it. */
    record Target(String job, String node, String url, String health, String lastError) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record Labels(@Nullable String job, @Nullable String node) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record ActiveTarget(
            @Nullable Labels labels,
            @Nullable String scrapeUrl,
            @Nullable String health,
            @Nullable String lastError) {
        Target shown() {
            return new Target(
                    PrometheusApi.shown(labels == null ? null : labels.job(), LONGEST_TEXT),
                    PrometheusApi.shown(labels == null ? null : labels.node(), LONGEST_TEXT),
                    PrometheusApi.shown(scrapeUrl, LONGEST_URL),
                    PrometheusApi.shown(health, LONGEST_TEXT),
                    PrometheusApi.shown(lastError, LONGEST_TEXT));
        }
    }

    /** A rule as Prometheus has loaded it. */
    record Rule(String name, String health, String lastError) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record LoadedRule(
            @Nullable String name,
            @Nullable String health,
            @Nullable String lastError) {
        Rule shown() {
            return new Rule(
                    PrometheusApi.shown(name, LONGEST_TEXT),
                    PrometheusApi.shown(health, LONGEST_TEXT),
                    PrometheusApi.shown(lastError, LONGEST_TEXT));
        }
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record Group(@Nullable List<@Nullable LoadedRule> rules) {}

    /**
     * The active targets.
     *
     * @throws IOException if Prometheus does not answer, or answers something else
     */
    List<Target> targets() throws IOException {
        List<Target> targets = new ArrayList<>();
        read("api/v1/targets?state=active", "activeTargets", ActiveTarget.class, target -> {
            insist(targets.size() < MOST_TARGETS, "Prometheus named more than " + MOST_TARGETS + " targets");
            targets.add(target.shown());
        });
        return targets;
    }

    /**
     * The alerting and recording rules that are loaded.
     *
     * @throws IOException if Prometheus does not answer, or answers something else
     */
    List<Rule> rules() throws IOException {
        List<Rule> rules = new ArrayList<>();
        read("api/v1/rules", "groups", Group.class, group -> {
            for (LoadedRule rule : Objects.requireNonNullElse(group.rules(), List.<@Nullable LoadedRule>of())) {
                insist(rule != null, MEANINGLESS);
                insist(rules.size() < MOST_RULES, "Prometheus named more than " + MOST_RULES + " rules");
                rules.add(rule.shown());
            }
        });
        return rules;
    }

    /** Takes one element of an answer's list. */
    @FunctionalInterface
    private interface Taker<T> {
        void take(T element) throws IOException;
    }

    private <T> void read(String path, String list, Class<T> type, Taker<T> taker) throws IOException {
        HttpResponse<byte[]> response =
                send(HttpRequest.newBuilder(base.resolve(path)).build());
        if (response.statusCode() != 200) {
            throw new IOException("Prometheus answered with status " + response.statusCode());
        }
        try (JsonParser parser = json.createParser(response.body())) {
            read(parser, list, type, taker);
        } catch (JacksonException e) {
            throw new IOException(MEANINGLESS, e);
        }
    }

    private HttpResponse<byte[]> send(HttpRequest request) throws IOException {
        CompletableFuture<HttpResponse<byte[]>> answer = client.sendAsync(request, response -> new Bounded());
        try {
            return answer.get(answerTime.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancelledException("interrupted while asking Prometheus", e);
        } catch (TimeoutException e) {
            throw new IOException("Prometheus gave no whole answer within " + answerTime.toSeconds() + " s", e);
        } catch (ExecutionException e) {
            Throwable cause = Objects.requireNonNullElse(e.getCause(), e);
            throw cause instanceof IOException failure ? failure : new IOException(cause);
        } finally {
            answer.cancel(true);
        }
    }

    private static <T> void read(JsonParser parser, String list, Class<T> type, Taker<T> taker) throws IOException {
        String status = "";
        insist(parser.nextToken() == JsonToken.START_OBJECT, MEANINGLESS);
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            JsonToken value = parser.nextToken();
            if (field.equals("status")) {
                status = shown(parser.getValueAsString(), LONGEST_TEXT);
                parser.skipChildren();
            } else if (field.equals("data") && value == JsonToken.START_OBJECT) {
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    boolean wanted = parser.currentName().equals(list);
                    if (parser.nextToken() == JsonToken.START_ARRAY && wanted) {
                        while (parser.nextToken() == JsonToken.START_OBJECT) {
                            taker.take(parser.readValueAs(type));
                        }
                        insist(parser.currentToken() == JsonToken.END_ARRAY, MEANINGLESS);
                    } else {
                        parser.skipChildren();
                    }
                }
            } else {
                parser.skipChildren();
            }
        }
        insist(parser.currentToken() == JsonToken.END_OBJECT, MEANINGLESS);
        if (!status.equals("success")) {
            throw new IOException("Prometheus answered with status " + Names.quote(status));
        }
    }

    private static void insist(boolean asExpected, String otherwise) throws IOException {
        if (!asExpected) {
            throw new IOException(otherwise);
        }
    }

    private static String shown(@Nullable String text, int most) {
        if (text == null) {
            return "";
        }
        String cut = text.length() > most ? text.substring(0, most) + '…' : text;
        return Names.printable(cut).replaceAll("[\\n\\t]", " ");
    }

    /** Keeps an answer up to the longest that is taken, and then hangs up. */
    private static final class Bounded implements HttpResponse.BodySubscriber<byte[]> {
        private final CompletableFuture<byte[]> body = new CompletableFuture<>();
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
        private Flow.@Nullable Subscription subscription;

        @Override
        public CompletionStage<byte[]> getBody() {
            return body;
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            given.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(List<ByteBuffer> parts) {
            for (ByteBuffer part : parts) {
                if (body.isDone()) {
                    return;
                }
                if (kept.size() + part.remaining() > LARGEST_ANSWER) {
                    body.completeExceptionally(new IOException(
                            "Prometheus gave an answer of more than " + LARGEST_ANSWER / (1024 * 1024) + " MiB"));
                    Objects.requireNonNull(subscription).cancel();
                    kept.reset();
                    return;
                }
                byte[] bytes = new byte[part.remaining()];
                part.get(bytes);
                kept.write(bytes, 0, bytes.length);
            }
        }

        @Override
        public void onError(Throwable failure) {
            body.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            body.complete(kept.toByteArray());
        }
    }
}
