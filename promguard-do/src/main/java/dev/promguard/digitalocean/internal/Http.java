package dev.promguard.digitalocean.internal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.promguard.CancelledException;
import dev.promguard.ProviderException;
import dev.promguard.keys.Secret;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSource;
import org.jspecify.annotations.Nullable;

/** Exchanges with the API: the token, the retries that are safe, the errors in words. Thread-safe. */
public final class Http {
    private static final MediaType JSON = MediaType.get("application/json");
    private static final long LARGEST_BODY = 16L * 1024 * 1024;
    private static final int TRIES = 6;
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);
    private static final int TOO_MANY = 429;

    private final ObjectMapper json = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();
    private final OkHttpClient client;
    private final HttpUrl base;
    private final Supplier<Secret> token;

    /** A client of an endpoint. */
    public Http(URI endpoint, Supplier<Secret> token, Duration callTimeout) {
        HttpUrl url = HttpUrl.get(endpoint);
        if (url == null) {
            throw new IllegalArgumentException("endpoint " + endpoint + " is not an http or https URI");
        }
        this.base = url;
        this.token = token;
        ExecutorService pool = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "promguard-digitalocean");
            thread.setDaemon(true);
            return thread;
        });
        this.client = new OkHttpClient.Builder()
                .callTimeout(callTimeout)
                .connectTimeout(Duration.ofSeconds(10))
                .followRedirects(false)
                .retryOnConnectionFailure(false)
                .connectionPool(new ConnectionPool(5, 5, TimeUnit.SECONDS))
                .dispatcher(new Dispatcher(pool))
                .build();
    }

    /** How a call may be repeated. */
    public enum Repeat {
        /** Doing it twice is like doing it once: repeated on broken connections, 429 and 5xx. */
        SAFE,
        /** Repeated only where the answer says that nothing was done: 429. */
        REFUSED_ONLY
    }

    /** An answer lost on the way, so that it is not known whether the call was carried out. */
    public static final class LostAnswerException extends IOException {
        private static final long serialVersionUID = 1L;

        /** A lost answer. */
        public LostAnswerException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** Reads a resource. */
    public <T> T get(String path, Class<T> type) {
        return parse(retried("GET", path, null), type);
    }

    /** Reads a resource that may not be there. */
    public <T> @Nullable T find(String path, Class<T> type) {
        try {
            return get(path, type);
        } catch (ProviderException e) {
            if (e.status().orElse(0) == 404) {
                return null;
            }
            throw e;
        }
    }

    /** Deletes a resource; one that is not there counts as deleted. */
    public void delete(String path) {
        try {
            retried("DELETE", path, null);
        } catch (ProviderException e) {
            if (e.status().orElse(0) != 404) {
                throw e;
            }
        }
    }

    /**
     * Sends something that must not be done twice. Sent again only where the API said that it did nothing.
     *
     * @throws LostAnswerException if it is not known whether it was done
     */
    public <T> T post(String path, Object body, Class<T> type) throws LostAnswerException {
        byte[] bytes;
        try {
            bytes = json.writeValueAsBytes(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot write a request", e);
        }
        try {
            return parse(exchange("POST", path, bytes, Repeat.REFUSED_ONLY), type);
        } catch (LostAnswerException e) {
            throw e;
        } catch (IOException e) {
            throw new LostAnswerException("POST " + path + ": " + e.getMessage(), e);
        }
    }

    private String retried(String method, String path, byte @Nullable [] body) {
        try {
            return exchange(method, path, body, Repeat.SAFE);
        } catch (IOException e) {
            throw new ProviderException(
                    "DigitalOcean cannot be reached at " + base.host() + " (" + method + " " + path + "): "
                            + e.getMessage() + ". See that this machine has a way to it, then run again.",
                    null,
                    null,
                    null,
                    true,
                    e);
        }
    }

    private String exchange(String method, String path, byte @Nullable [] body, Repeat repeat) throws IOException {
        for (int attempt = 1; ; attempt++) {
            Duration pause;
            try {
                Answer answer = once(method, path, body);
                if (answer.status >= 200 && answer.status < 300) {
                    return answer.body;
                }
                boolean again = answer.status == TOO_MANY || (answer.status >= 500 && repeat == Repeat.SAFE);
                if (answer.status >= 500 && repeat == Repeat.REFUSED_ONLY) {
                    throw new LostAnswerException("status " + answer.status, failure(method, path, answer));
                }
                if (!again || attempt == TRIES) {
                    throw failure(method, path, answer);
                }
                pause = answer.retryAfter != null ? answer.retryAfter : backoff(attempt);
            } catch (LostAnswerException e) {
                throw e;
            } catch (IOException e) {
                if (repeat == Repeat.REFUSED_ONLY || attempt == TRIES) {
                    throw e;
                }
                pause = backoff(attempt);
            }
            pause(pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause);
        }
    }

    private static Duration backoff(int attempt) {
        long ceiling = Math.min(8_000, 250L << attempt);
        return Duration.ofMillis(ceiling / 2 + ThreadLocalRandom.current().nextLong(ceiling / 2));
    }

    private record Answer(
            int status,
            String body,
            @Nullable String requestId,
            @Nullable Duration retryAfter) {}

    private Answer once(String method, String path, byte @Nullable [] body) throws IOException {
        HttpUrl url = base.resolve(path.substring(1));
        if (url == null) {
            throw new IllegalArgumentException("not a path: " + path);
        }
        Request.Builder request = new Request.Builder()
                .url(url)
                .header("Accept", "application/json")
                .header("User-Agent", "promguard")
                .method(method, body == null ? null : RequestBody.create(body, JSON));
        token.get().useText(text -> request.header("Authorization", "Bearer " + text));
        Call call = client.newCall(request.build());
        CompletableFuture<Answer> future = new CompletableFuture<>();
        call.enqueue(new Callback() {
            @Override
            public void onFailure(Call failed, IOException e) {
                future.completeExceptionally(e);
            }

            @Override
            public void onResponse(Call answered, Response response) {
                try (response) {
                    future.complete(read(response));
                } catch (IOException e) {
                    future.completeExceptionally(e);
                }
            }
        });
        try {
            return future.get();
        } catch (InterruptedException e) {
            call.cancel();
            Thread.currentThread().interrupt();
            throw new CancelledException("interrupted while waiting for DigitalOcean", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw new IOException(cause.getMessage(), cause);
            }
            throw new IllegalStateException("an HTTP call ended abnormally", e.getCause());
        }
    }

    private static Answer read(Response response) throws IOException {
        BufferedSource source = response.body().source();
        source.request(LARGEST_BODY + 1);
        if (source.getBuffer().size() > LARGEST_BODY) {
            throw new IOException("an answer of over " + LARGEST_BODY + " bytes");
        }
        String body = new String(source.getBuffer().readByteArray(), StandardCharsets.UTF_8);
        Duration retryAfter = null;
        String header = response.header("retry-after");
        if (header != null && header.matches("[0-9]{1,6}")) {
            retryAfter = Duration.ofSeconds(Long.parseLong(header));
        }
        return new Answer(response.code(), body, response.header("x-request-id"), retryAfter);
    }

    private ProviderException failure(String method, String path, Answer answer) {
        String id = null;
        String message = "";
        String requestId = answer.requestId;
        try {
            JsonNode tree = json.readTree(answer.body);
            if (tree != null && tree.isObject()) {
                id = tree.hasNonNull("id") ? clean(tree.get("id").asText()) : null;
                message = clean(tree.path("message").asText());
                if (tree.hasNonNull("request_id")) {
                    requestId = clean(tree.get("request_id").asText());
                }
            }
        } catch (JsonProcessingException e) {
            message = "an answer that is not JSON";
        }
        String mend = switch (answer.status) {
            case 401 -> "The token is wrong or has expired: make one under API, Tokens in the control panel.";
            case 403 -> "The token may not do this: make one that may read and write.";
            case TOO_MANY -> "The limit of calls is used up: wait some minutes, then run again.";
            default ->
                answer.status >= 500
                        ? "DigitalOcean has trouble: run again later."
                        : "Mend what it names, then run again.";
        };
        return new ProviderException(
                "DigitalOcean refused " + method + " " + path.replaceAll("\\?.*", "") + " with status " + answer.status
                        + (message.isEmpty() ? "" : ": " + message)
                        + (requestId == null ? "" : " (request " + requestId + ")") + ". " + mend,
                answer.status,
                id,
                requestId,
                answer.status >= 500 || answer.status == TOO_MANY,
                null);
    }

    private static String clean(String text) {
        String shown = text.length() > 300 ? text.substring(0, 300) + "…" : text;
        return shown.replaceAll("\\p{Cntrl}", " ");
    }

    private <T> T parse(String body, Class<T> type) {
        try {
            T value = json.readValue(body.isEmpty() ? "{}" : body, type);
            if (value != null) {
                return value;
            }
        } catch (JsonProcessingException e) {
            throw new ProviderException(
                    "DigitalOcean gave an answer that cannot be understood. See that the endpoint " + base.host()
                            + " is its API, then run again.",
                    null,
                    null,
                    null,
                    true,
                    e);
        }
        throw new ProviderException("DigitalOcean gave an empty answer. Run again.");
    }

    /** Waits, unless interrupted. */
    public static void pause(Duration duration) {
        ReentrantLock lock = new ReentrantLock();
        Condition never = lock.newCondition();
        lock.lock();
        try {
            long left = duration.toNanos();
            while (left > 0) {
                left = never.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancelledException("interrupted while waiting for DigitalOcean", e);
        } finally {
            lock.unlock();
        }
    }
}
