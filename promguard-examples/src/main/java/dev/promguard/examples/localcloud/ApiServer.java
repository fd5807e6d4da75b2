package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The HTTP side: authentication, rate limits, faults, errors, and the log of requests. The rooms behind it answer. */
final class ApiServer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpServer server;
    private final String base;
    private final Faults faults;
    private final String token;
    private final String readOnlyToken;
    private final RateLimit rateLimit;
    private final List<Function<Call, @Nullable Reply>> rooms;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<RecordedRequest> requests = new ArrayList<>();

    ApiServer(
            Account account,
            Catalog catalog,
            Predicate<String> bootable,
            String token,
            String readOnlyToken,
            int hourlyLimit,
            Executor executor) {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new LocalCloudException("cannot listen on loopback: " + e.getMessage(), e);
        }
        base = "http://127.0.0.1:" + server.getAddress().getPort();
        this.faults = account.faults();
        this.token = token;
        this.readOnlyToken = readOnlyToken;
        this.rateLimit = new RateLimit(hourlyLimit);
        Pages pages = new Pages(base, faults);
        rooms = List.of(
                new DropletApi(account, catalog, pages, bootable, base)::answer,
                new KeyApi(
                        account,
                        pages,
                        UUID.nameUUIDFromBytes(token.getBytes(StandardCharsets.UTF_8))
                                .toString())::answer,
                new CatalogApi(catalog, pages)::answer,
                new TagApi(account, pages, base)::answer);
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
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("x-request-id", UUID.randomUUID().toString());
            boolean withinLimit = rateLimit.take(exchange.getResponseHeaders());
            if (faults.takeRateLimit() || !withinLimit) {
                String wait = Long.toString(Math.max(
                        1,
                        withinLimit
                                ? faults.retryAfter().toSeconds()
                                : rateLimit.reset().toSeconds()));
                exchange.getResponseHeaders().set("retry-after", wait);
                send(exchange, body, error(exchange, 429, "too_many_requests", "API rate limit exceeded."));
                return;
            }
            if (faults.takeServerError()) {
                html(exchange, body);
                return;
            }
            Reply reply;
            try {
                authenticate(exchange);
                Call call = Call.of(exchange.getRequestMethod(), exchange.getRequestURI(), body);
                reply = answer(call);
                if (call.is("POST", "v2/droplets") && faults.takeDroppedCreate()) {
                    record(exchange, body, 0);
                    return;
                }
            } catch (Refusal e) {
                reply = error(exchange, e.status(), e.id(), e.said());
            }
            send(exchange, body, reply);
        }
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
        if (header.equals("Bearer " + token)) {
            return;
        }
        if (!header.equals("Bearer " + readOnlyToken)) {
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

    private void html(HttpExchange exchange, String body) throws IOException {
        byte[] page =
                "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n"
                        .getBytes(StandardCharsets.UTF_8);
        record(exchange, body, 503);
        exchange.getResponseHeaders().set("content-type", "text/html");
        exchange.sendResponseHeaders(503, page.length);
        exchange.getResponseBody().write(page);
    }

    private void send(HttpExchange exchange, String body, Reply reply) throws IOException {
        Duration half = faults.slowAnswers().dividedBy(2);
        pause(half);
        record(exchange, body, reply.status());
        if (reply.body() == null) {
            exchange.sendResponseHeaders(reply.status(), -1);
            return;
        }
        byte[] bytes = JSON.writeValueAsBytes(reply.body());
        exchange.getResponseHeaders().set("content-type", "application/json; charset=utf-8");
        exchange.sendResponseHeaders(reply.status(), bytes.length);
        OutputStream out = exchange.getResponseBody();
        if (half.isZero()) {
            out.write(bytes);
        } else {
            out.write(bytes, 0, bytes.length / 2);
            out.flush();
            pause(half);
            out.write(bytes, bytes.length / 2, bytes.length - bytes.length / 2);
        }
    }

    private static void pause(Duration time) {
        if (!time.isZero()) {
            new CompletableFuture<@Nullable Void>()
                    .completeOnTimeout(null, time.toNanos(), TimeUnit.NANOSECONDS)
                    .join();
        }
    }

    private void record(HttpExchange exchange, String body, int status) {
        lock.lock();
        try {
            requests.add(new RecordedRequest(
                    Instant.now(),
                    exchange.getRequestMethod(),
                    exchange.getRequestURI().getPath(),
                    String.valueOf(
                            exchange.getRequestURI().getRawQuery() == null
                                    ? ""
                                    : exchange.getRequestURI().getRawQuery()),
                    body,
                    status));
        } finally {
            lock.unlock();
        }
    }
}
