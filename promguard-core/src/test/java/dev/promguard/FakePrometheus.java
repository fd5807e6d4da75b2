package dev.promguard;

import com.sun.net.httpserver.HttpServer;
import dev.promguard.blueprint.Blueprint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Answers what Prometheus' API answers about its targets. Thread-safe. */
final class FakePrometheus implements AutoCloseable {
    private static final String NOTHING = "{\"status\":\"success\",\"data\":{\"activeTargets\":[]}}";

    private final HttpServer server;
    private final AtomicInteger asked = new AtomicInteger();
    private volatile String answer = "";
    private volatile int status = 200;
    private volatile int firstAnswer;

    FakePrometheus() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/api/v1/targets", exchange -> {
            byte[] body = (asked.incrementAndGet() < firstAnswer ? NOTHING : answer).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** How often it was asked. */
    int asked() {
        return asked.get();
    }

    /** Has no target until it is asked for the so-manieth time. */
    void notBefore(int time) {
        firstAnswer = time;
    }

    /** Scrapes every host of a blueprint and itself, all with success but those named. */
    FakePrometheus scrapes(Blueprint blueprint, String... down) {
        List<String> targets = new ArrayList<>();
        String monitor = blueprint.monitors().get(0).name();
        targets.add(
                target("prometheus", monitor, "127.0.0.1:9090", List.of(down).contains("prometheus")));
        for (Blueprint.Host host : blueprint.hosts()) {
            targets.add(target(
                    "node", host.name(), host.address() + ":9100", List.of(down).contains(host.name())));
        }
        return answers(
                200, "{\"status\":\"success\",\"data\":{\"activeTargets\":[" + String.join(",", targets) + "]}}");
    }

    /** Scrapes what a monitor is to scrape, and itself, with success. */
    FakePrometheus scrapesFor(Blueprint blueprint, Blueprint.Host monitor) {
        List<String> targets = new ArrayList<>(List.of(target("prometheus", monitor.name(), "127.0.0.1:9090", false)));
        for (Blueprint.Host host : blueprint.hosts()) {
            if (blueprint.scrapes(monitor, host)) {
                targets.add(target("node", host.name(), host.address() + ":9100", false));
            }
        }
        return answers(
                200, "{\"status\":\"success\",\"data\":{\"activeTargets\":[" + String.join(",", targets) + "]}}");
    }

    /** Answers this, whatever it is. */
    FakePrometheus answers(int with, String body) {
        status = with;
        answer = body;
        return this;
    }

    private static String target(String job, String node, String address, boolean down) {
        return "{\"labels\":{\"job\":\"" + job + "\",\"node\":\"" + node + "\"},\"scrapeUrl\":\"http://" + address
                + "/metrics\",\"health\":\"" + (down ? "down" : "up") + "\",\"lastError\":\""
                + (down ? "context deadline exceeded" : "") + "\"}";
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
