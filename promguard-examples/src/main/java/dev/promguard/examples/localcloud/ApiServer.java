package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The HTTP side: authentication, rate limits, faults, errors, and the log of requests. The rooms behind it answer. */
final class ApiServer implements AutoCloseable {
    /** What stands before the rooms. */
    record Gate(String token, String readOnlyToken, int hourlyLimit, int minuteLimit, Consumer<Exchange> observer) {}

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final int KEY_LISTS_A_MINUTE = 10;

    private final HttpServer server;
    private final String base;
    private final Faults faults;
    private final Gate gate;
    private final RateLimit hourly;
    private final RateLimit minutely;
    private final RateLimit keyLists = new RateLimit(KEY_LISTS_A_MINUTE, MINUTE);
    private final List<Function<Call, @Nullable Reply>> rooms;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<RecordedRequest> requests = new ArrayList<>();

    ApiServer(Account account, Catalog catalog, boolean machines, Gate gate, Executor executor) {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new LocalCloudException("cannot listen on loopback: " + e.getMessage(), e);
        }
        base = "http://127.0.0.1:" + server.getAddress().getPort();
        this.faults = account.faults();
        this.gate = gate;
        this.hourly = new RateLimit(gate.hourlyLimit(), Duration.ofHours(1));
        this.minutely = new RateLimit(gate.minuteLimit(), MINUTE);
        Pages pages = new Pages(base, faults);
        rooms = List.of(
                new DropletApi(account, catalog, pages, machines, base)::answer,
                new KeyApi(
                        account,
                        pages,
                        UUID.nameUUIDFromBytes(gate.token().getBytes(StandardCharsets.UTF_8))
                                .toString())::answer,
                new CatalogApi(catalog, account, pages)::answer,
                new TagApi(account, pages, base)::answer,
                new FirewallApi(account, pages)::answer,
                new VpcApi(account, catalog, pages)::answer);
        server.setExecutor(executor);
        server.createContext("/", this::serve);
        server.start();
    }

    URI endpoint() {
        return URI.create(base + "/");
    }

    List<RecordedRequest> requests() {
        lock.lock();
        try {
            return List.copyOf(requests);
        } finally {
            lock.unlock();
        }
    }

    void forgetRequests() {
        lock.lock();
        try {
            requests.clear();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            String method = exchange.getRequestMethod();
            boolean concerned = faults.concern(method, exchange.getRequestURI().getPath());
            if (concerned && faults.take(Faults.OfCall.CLOSED)) {
                record(exchange, "", 0, "", true);
                return;
            }
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("x-request-id", UUID.randomUUID().toString());
            Optional<Reply> limited = limit(exchange, concerned);
            if (limited.isPresent()) {
                send(exchange, body, limited.get(), concerned);
                return;
            }
            if (concerned && faults.take(Faults.OfCall.SERVER_ERROR)) {
                html(exchange, body, 503, "Service Unavailable");
                return;
            }
            Reply reply;
            try {
                authenticate(exchange);
                Call call = Call.of(method, exchange.getRequestURI(), body);
                reply = answer(call);
                if (call.is("POST", "v2/droplets") && faults.takeDroppedCreate()) {
                    record(exchange, body, 0, "", true);
                    return;
                }
            } catch (Refusal e) {
                reply = error(exchange, e.status(), e.id(), e.said());
            }
            if (concerned && faults.take(Faults.OfCall.BAD_GATEWAY)) {
                html(exchange, body, 502, "Bad Gateway");
            } else if (concerned && faults.take(Faults.OfCall.DROPPED)) {
                record(exchange, body, 0, "", true);
            } else {
                send(exchange, body, reply, concerned);
            }
        }
    }

    /** Counts the call, sets the headers that say so, and refuses it if there were too many. */
    private Optional<Reply> limit(HttpExchange exchange, boolean concerned) {
        Headers headers = exchange.getResponseHeaders();
        RateLimit.Take hour = hourly.take();
        RateLimit.Take minute = minutely.take();
        boolean keyList = exchange.getRequestMethod().equals("GET")
                && exchange.getRequestURI().getPath().equals("/v2/account/keys");
        RateLimit.Take few = keyList && minute.room() ? keyLists.take() : minute;
        boolean burst = concerned && faults.take(Faults.OfCall.BURST_LIMIT);
        boolean spent = concerned && !burst && faults.take(Faults.OfCall.HOURLY_LIMIT);
        Instant reset = spent ? Instant.now().plus(faults.hourlyReset()) : hour.windowEnds();
        headers.set("ratelimit-limit", Integer.toString(hourly.limit()));
        headers.set("ratelimit-remaining", Integer.toString(spent ? 0 : hour.left()));
        headers.set("ratelimit-reset", Long.toString(reset.getEpochSecond()));
        if (burst) {
            retryAfter(headers, faults.retryAfter());
        } else if (!hour.room()) {
            retryAfter(headers, hour.reset());
        } else if (!few.room()) {
            retryAfter(headers, few.reset());
        } else if (!spent) {
            return Optional.empty();
        }
        return Optional.of(error(exchange, 429, "too_many_requests", "API rate limit exceeded."));
    }

    private static void retryAfter(Headers headers, Duration wait) {
        headers.set("retry-after", Long.toString(Math.max(1, wait.toSeconds())));
    }

    private Reply answer(Call call) {
        for (Function<Call, @Nullable Reply> room : rooms) {
            Reply reply = room.apply(call);
            if (reply != null) {
                return reply;
            }
        }
        throw Refusal.notFound();
    }

    private void authenticate(HttpExchange exchange) {
        String header = String.valueOf(exchange.getRequestHeaders().getFirst("authorization"));
        if (header.equals("Bearer " + gate.token())) {
            return;
        }
        if (!header.equals("Bearer " + gate.readOnlyToken())) {
            throw new Refusal(401, "Unauthorized", "Unable to authenticate you");
        }
        if (!exchange.getRequestMethod().equals("GET")) {
            throw new Refusal(403, "Forbidden", "You are not authorized to perform this operation");
        }
    }

    private static Reply error(HttpExchange exchange, int status, String id, String message) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.put("id", id).put("message", message);
        if (status != 401) {
            body.put("request_id", exchange.getResponseHeaders().getFirst("x-request-id"));
        }
        return new Reply(status, body);
    }

    private void html(HttpExchange exchange, String body, int status, String said) throws IOException {
        String page = "<html><body><h1>" + status + " " + said
                + "</h1>\nNo server is available to handle this request.\n</body></html>\n";
        byte[] bytes = page.getBytes(StandardCharsets.UTF_8);
        record(exchange, body, status, page, true);
        exchange.getResponseHeaders().set("content-type", "text/html");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private void send(HttpExchange exchange, String body, Reply reply, boolean concerned) throws IOException {
        Duration half = concerned ? faults.slowAnswers().dividedBy(2) : Duration.ZERO;
        pause(half);
        if (reply.body() == null) {
            record(exchange, body, reply.status(), "", false);
            exchange.sendResponseHeaders(reply.status(), -1);
            return;
        }
        byte[] bytes = JSON.writeValueAsBytes(reply.body());
        exchange.getResponseHeaders().set("content-type", "application/json; charset=utf-8");
        OutputStream out = exchange.getResponseBody();
        int middle = bytes.length / 2;
        String first = new String(bytes, 0, middle, StandardCharsets.UTF_8);
        if (concerned && faults.take(Faults.OfCall.TRUNCATED)) {
            record(exchange, body, reply.status(), first, true);
            exchange.sendResponseHeaders(reply.status(), middle);
            out.write(bytes, 0, middle);
        } else if (concerned && faults.take(Faults.OfCall.CUT)) {
            record(exchange, body, reply.status(), first, true);
            exchange.sendResponseHeaders(reply.status(), bytes.length);
            out.write(bytes, 0, middle);
            out.flush();
        } else {
            record(exchange, body, reply.status(), new String(bytes, StandardCharsets.UTF_8), false);
            exchange.sendResponseHeaders(reply.status(), bytes.length);
            if (half.isZero()) {
                out.write(bytes);
            } else {
                out.write(bytes, 0, middle);
                out.flush();
                pause(half);
                out.write(bytes, middle, bytes.length - middle);
            }
        }
    }

    private static void pause(Duration time) {
        if (!time.isZero()) {
            new CompletableFuture<@Nullable Void>()
                    .completeOnTimeout(null, time.toNanos(), TimeUnit.NANOSECONDS)
                    .join();
        }
    }

    private void record(HttpExchange exchange, String body, int status, String answer, boolean faulty) {
        RecordedRequest request = new RecordedRequest(
                Instant.now(),
                exchange.getRequestMethod(),
                exchange.getRequestURI().getPath(),
                Objects.requireNonNullElse(exchange.getRequestURI().getRawQuery(), ""),
                body,
                status);
        lock.lock();
        try {
            requests.add(request);
        } finally {
            lock.unlock();
        }
        gate.observer().accept(new Exchange(request, answer, faulty));
    }
}
