package dev.promguard.digitalocean.internal;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.promguard.CancelledException;
import dev.promguard.ErrorCode;
import dev.promguard.ProviderException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.EventListener;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Exchanges with the API: the token, the retries that are safe, the errors in words. Thread-safe. */
public final class Http {
    private static final Logger LOG = LoggerFactory.getLogger(Http.class);
    private static final MediaType JSON = MediaType.get("application/json");
    private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]+");
    private static final Pattern SECONDS = Pattern.compile("[0-9]{1,10}");
    /** Four times what a page of 200 droplets takes. */
    private static final long LARGEST_BODY = 8L * 1024 * 1024;

    private static final int TRIES = 6;
    private static final int MOST_DOUBLINGS = 4;
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);

    private final ObjectMapper json = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .defaultSetterInfo(JsonSetter.Value.forContentNulls(Nulls.FAIL))
            .build();
    private final OkHttpClient client;
    private final HttpUrl base;
    private final Token token;
    private final HttpErrors errors;
    private final Duration callTimeout;
    private final Duration retryPause;
    private final RateLimit limit = new RateLimit(InstantSource.system());

    /** A client of an endpoint. */
    public Http(URI endpoint, Token token, Duration callTimeout, Duration retryPause) {
        String text = endpoint.toString();
        HttpUrl url = HttpUrl.get(URI.create(text.endsWith("/") ? text : text + '/'));
        if (url == null) {
            throw new IllegalArgumentException("endpoint is not an http or https URI");
        }
        this.base = url;
        this.token = token;
        this.errors = new HttpErrors(json, url, token);
        this.callTimeout = callTimeout;
        this.retryPause = retryPause;
        ExecutorService pool = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "promguard-digitalocean");
            thread.setDaemon(true);
            return thread;
        });
        // A call is bounded as a whole, in once(…); OkHttp's own bound on each read would cut slow answers short.
        this.client = new OkHttpClient.Builder()
                .connectTimeout(Duration.ofSeconds(10))
                .readTimeout(Duration.ZERO)
                .writeTimeout(Duration.ZERO)
                .followRedirects(false)
                .retryOnConnectionFailure(false)
                .connectionPool(new ConnectionPool(5, 5, TimeUnit.SECONDS))
                .dispatcher(new Dispatcher(pool))
                .eventListenerFactory(
                        call -> Objects.requireNonNullElse(call.request().tag(Sending.class), EventListener.NONE))
                .build();
    }

    /** Notes whether any of a request has left this machine. */
    private static final class Sending extends EventListener {
        private volatile boolean begun;

        @Override
        public void requestHeadersStart(Call call) {
            begun = true;
        }
    }

    /**
     * What an answer held.
     *
     * @param value what was read of it
     * @param length its length in characters
     */
    public record Page<T>(T value, int length) {}

    /** Reads a page of a list. */
    public <T> Page<T> page(String path, Class<T> type, Deadline deadline) {
        Read<T> read = repeated("GET", path, null, type, deadline);
        return new Page<>(read.value, read.length);
    }

    /** Reads a resource. */
    public <T> T get(String path, Class<T> type, Deadline deadline) {
        return repeated("GET", path, null, type, deadline).value;
    }

    /** When the API answers, by its own clock; empty if it does not say. */
    public <T> Optional<Instant> time(String path, Class<T> type, Deadline deadline) {
        return Optional.ofNullable(repeated("GET", path, null, type, deadline).date);
    }

    /** Reads a resource that may not be there. */
    public <T> @Nullable T find(String path, Class<T> type, Deadline deadline) {
        try {
            return get(path, type, deadline);
        } catch (ProviderException e) {
            if (e.status().orElse(0) == 404) {
                return null;
            }
            throw e;
        }
    }

    /** Deletes a resource; one that is not there counts as deleted. */
    public void delete(String path, Deadline deadline) {
        try {
            repeated("DELETE", path, null, Object.class, deadline);
        } catch (ProviderException e) {
            if (e.status().orElse(0) != 404) {
                throw e;
            }
        }
    }

    /**
     * Sends something that must not be done twice. Sent again only where it is certain that nothing was done: no byte was sent,
     * or the API said so.
     *
     * @throws LostAnswerException if it is not known whether it was done
     */
    public <T> T post(String path, Object body, Class<T> type) throws LostAnswerException {
        return exchange("POST", path, written(body), type, false, Deadline.never()).value;
    }

    /** Sends something that is the same done twice. */
    public void repeat(String path, Object body, Deadline deadline) {
        repeated("POST", path, written(body), Object.class, deadline);
    }

    /** Replaces a resource; to do so twice is to do so once. */
    public void put(String path, Object body, Deadline deadline) {
        repeated("PUT", path, written(body), Object.class, deadline);
    }

    private byte[] written(Object body) {
        try {
            return json.writeValueAsBytes(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot write a request", e);
        }
    }

    private <T> Read<T> repeated(String method, String path, byte @Nullable [] body, Class<T> type, Deadline deadline) {
        try {
            return exchange(method, path, body, type, true, deadline);
        } catch (LostAnswerException e) {
            throw new IllegalStateException("what may be repeated has no lost answers", e);
        }
    }

    private <T> Read<T> exchange(
            String method, String path, byte @Nullable [] body, Class<T> type, boolean repeatable, Deadline deadline)
            throws LostAnswerException {
        for (int attempt = 1; ; attempt++) {
            ProviderException failure;
            Duration wait = null;
            boolean doubtful;
            boolean accepted = false;
            Sending sending = new Sending();
            waitForTurn(method, path, deadline);
            try {
                Answer answer = once(method, path, body, sending, deadline);
                if (answer.retryAfter != null) {
                    limit.close(answer.retryAfter);
                }
                if (answer.status >= 200 && answer.status < 300) {
                    accepted = true;
                    return new Read<>(parse(answer, type), answer.body.length(), answer.date);
                }
                failure = errors.refusal(method, path, answer);
                wait = answer.retryAfter;
                doubtful = answer.status >= 500 || answer.status == HttpErrors.TIMED_OUT;
            } catch (JsonProcessingException e) {
                failure = errors.notUnderstood(method, path, e);
                doubtful = true;
            } catch (IOException e) {
                failure = errors.unreachable(method, path, e);
                doubtful = sending.begun;
            }
            if (doubtful && !repeatable) {
                throw new LostAnswerException(failure, accepted);
            }
            Duration pause = wait == null ? backoff(attempt) : wait;
            if (!failure.retryable()
                    || attempt == TRIES
                    || pause.compareTo(LONGEST_WAIT) > 0
                    || pause.compareTo(deadline.left()) >= 0) {
                throw failure;
            }
            LOG.debug("{} {} is tried again in {}", method, path, pause);
            pause(pause);
        }
    }

    /** All calls of a client share the limit: if one has to wait, the others wait too. */
    private void waitForTurn(String method, String path, Deadline deadline) {
        Duration turn = limit.take();
        if (turn.isZero()) {
            return;
        }
        if (turn.compareTo(LONGEST_WAIT) > 0 || turn.compareTo(deadline.left()) >= 0) {
            throw new ProviderException(
                    ErrorCode.PROVIDER_RATE_LIMIT,
                    "DigitalOcean's rate limit is used up (" + method + " " + HttpErrors.withoutQuery(path)
                            + "). Run again in " + turn.plusMillis(999).toSeconds() + " s.",
                    HttpErrors.TOO_MANY,
                    null,
                    null,
                    true,
                    null);
        }
        pause(turn);
    }

    private Duration backoff(int attempt) {
        long ceiling = retryPause.toNanos() << Math.min(attempt - 1, MOST_DOUBLINGS);
        return Duration.ofNanos(ceiling / 2 + ThreadLocalRandom.current().nextLong(ceiling / 2 + 1));
    }

    record Answer(
            int status,
            String body,
            @Nullable String requestId,
            @Nullable Duration retryAfter,
            @Nullable Instant date) {}

    /** What an answer held, how long it was, and when it was given. */
    private record Read<T>(T value, int length, @Nullable Instant date) {}

    private Answer once(String method, String path, byte @Nullable [] body, Sending sending, Deadline deadline)
            throws IOException {
        if (Thread.currentThread().isInterrupted()) {
            throw cancelled(new InterruptedException());
        }
        HttpUrl url = base.resolve(path.substring(1));
        if (url == null) {
            throw new IllegalArgumentException("not a path: " + path);
        }
        Request.Builder request = new Request.Builder()
                .url(url)
                .tag(Sending.class, sending)
                .header("Accept", "application/json")
                .header("User-Agent", "promguard")
                .method(method, body == null ? null : RequestBody.create(body, JSON));
        token.use(text -> {
            if (!TOKEN.matcher(text).matches()) {
                throw new ProviderException(
                        ErrorCode.PROVIDER_TOKEN,
                        "the DigitalOcean token holds a character that no token has, such as a line end. Pass it"
                                + " without that character.");
            }
            return request.header("Authorization", "Bearer " + text);
        });
        Call call = client.newCall(request.build());
        Duration longest = deadline.atMost(callTimeout);
        call.timeout().timeout(Math.max(1, longest.toNanos()), TimeUnit.NANOSECONDS);
        CompletableFuture<Answer> future = new CompletableFuture<>();
        long start = System.nanoTime();
        call.enqueue(new Callback() {
            @Override
            public void onFailure(Call failed, IOException e) {
                future.completeExceptionally(e);
            }

            @Override
            public void onResponse(Call answered, Response response) {
                try (response) {
                    future.complete(read(response));
                } catch (IOException | RuntimeException e) {
                    future.completeExceptionally(e);
                }
            }
        });
        try {
            Answer answer = future.get();
            LOG.debug(
                    "{} {} answered with {} after {} ms, request {}",
                    method,
                    path,
                    answer.status,
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start),
                    answer.requestId == null ? "?" : errors.clean(answer.requestId));
            return answer;
        } catch (InterruptedException e) {
            call.cancel();
            throw cancelled(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                String why = call.isCanceled()
                        ? "no whole answer within " + longest.toMillis() + " ms"
                        : HttpErrors.said(cause);
                throw new IOException(why, cause);
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
        // A cache would tell when it was filled.
        Instant date = response.header("age") == null ? response.headers().getInstant("date") : null;
        return new Answer(response.code(), body, response.header("x-request-id"), retryAfter(response), date);
    }

    /** How long the API asks to wait: as it says, or until its hourly limit has room again. */
    private static @Nullable Duration retryAfter(Response response) {
        String after = Objects.requireNonNullElse(response.header("retry-after"), "");
        if (SECONDS.matcher(after).matches()) {
            return Duration.ofSeconds(Long.parseLong(after));
        }
        String reset = Objects.requireNonNullElse(response.header("ratelimit-reset"), "");
        if ("0".equals(response.header("ratelimit-remaining"))
                && SECONDS.matcher(reset).matches()) {
            Duration wait = Duration.between(Instant.now(), Instant.ofEpochSecond(Long.parseLong(reset)));
            return wait.isNegative() ? null : wait;
        }
        return null;
    }

    private <T> T parse(Answer answer, Class<T> type) throws JsonProcessingException {
        T value = json.readValue(answer.body.isBlank() ? "{}" : answer.body, type);
        return value == null ? json.readValue("{}", type) : value;
    }

    private static CancelledException cancelled(InterruptedException cause) {
        Thread.currentThread().interrupt();
        return new CancelledException(
                "interrupted while waiting for DigitalOcean. What was done is kept, and the next run continues from"
                        + " there.",
                cause);
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
            throw cancelled(e);
        } finally {
            lock.unlock();
        }
    }
}
