package dev.promguard;

import com.sun.net.httpserver.HttpServer;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.blueprint.Exposure;
import dev.promguard.host.ManagedFile;
import dev.promguard.host.Renderer;
import dev.promguard.host.SymbolicKeys;
import dev.promguard.keys.PublicKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Answers what Prometheus' API answers about its targets. Thread-safe. */
final class FakePrometheus implements AutoCloseable {
    private static final String NOTHING = "{\"status\":\"success\",\"data\":{\"activeTargets\":[]}}";

    private static final String NO_RULES = "{\"status\":\"success\",\"data\":{\"groups\":[]}}";
    private static final Pattern ALERT = Pattern.compile("(?m)^ +- alert: (\\w+)$");

    private final HttpServer server;
    private final AtomicInteger asked = new AtomicInteger();
    private volatile String answer = "";
    private volatile String rules = NO_RULES;
    private volatile int status = 200;
    private volatile int firstAnswer;
    private volatile String earlier = NOTHING;

    FakePrometheus() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/api/v1/targets", exchange -> {
            byte[] body = (asked.incrementAndGet() < firstAnswer ? earlier : answer).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.createContext("/api/v1/rules", exchange -> {
            byte[] body = rules.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
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

    /** Says of its targets what it says now until it is asked for the so-manieth time. */
    void staysSoUntil(int time) {
        earlier = answer;
        firstAnswer = time;
    }

    /** Has a target beside those it has. */
    FakePrometheus alsoScrapes(String job, String health, String lastError) {
        return answers(
                200,
                answer.replaceFirst(
                        "\\]}}$",
                        ",{\"labels\":{\"job\":\"" + job
                                + "\"},\"scrapeUrl\":\"http://192.0.2.7:80/metrics\",\"health\":\"" + health
                                + "\",\"lastError\":\"" + lastError + "\"}]}}"));
    }

    /** Has not scraped any of its targets yet. */
    FakePrometheus hasScrapedNothingYet() {
        return answers(200, answer.replace("\"health\":\"up\"", "\"health\":\"unknown\""));
    }

    /** Has these rules loaded too. */
    FakePrometheus alsoLoads(String... names) {
        for (String name : names) {
            rules = rules.replaceFirst("]}]}}$", ",{\"name\":\"" + name + "\",\"health\":\"ok\"}]}]}}");
        }
        return this;
    }

    /** Scrapes every host of a blueprint and itself, all with success but those named. */
    FakePrometheus scrapes(Blueprint blueprint, String... down) {
        rules(blueprint, List.of(), "");
        List<String> targets = new ArrayList<>();
        String monitor = blueprint.monitors().get(0).name();
        targets.add(
                target("prometheus", monitor, "127.0.0.1:9090", List.of(down).contains("prometheus")));
        for (Blueprint.Host host : blueprint.hosts()) {
            targets.add(target(
                    "node",
                    host.name(),
                    host.address() + ":" + blueprint.spec().nodeExporterPort(),
                    List.of(down).contains(host.name())));
            for (Exposure exposure : host.spec().exposures()) {
                targets.add(target(
                        exposure.job(),
                        host.name(),
                        host.address() + ":" + exposure.port(),
                        List.of(down).contains(exposure.job())));
            }
            for (Exporter exporter : host.spec().exporters()) {
                exporter.probes()
                        .forEach(probe -> targets.add(target(
                                exporter.probeJob(),
                                host.name(),
                                host.address() + ":" + exporter.port(),
                                List.of(down).contains(exporter.probeJob()))));
            }
        }
        return answers(
                200, "{\"status\":\"success\",\"data\":{\"activeTargets\":[" + String.join(",", targets) + "]}}");
    }

    /** Scrapes what a monitor is to scrape, and itself, with success. */
    FakePrometheus scrapesFor(Blueprint blueprint, Blueprint.Host monitor) {
        rules(blueprint, List.of(), "");
        List<String> targets = new ArrayList<>(List.of(target("prometheus", monitor.name(), "127.0.0.1:9090", false)));
        for (Blueprint.Host host : blueprint.hosts()) {
            if (blueprint.scrapes(monitor, host, 9100)) {
                targets.add(target("node", host.name(), host.address() + ":9100", false));
            }
        }
        return answers(
                200, "{\"status\":\"success\",\"data\":{\"activeTargets\":[" + String.join(",", targets) + "]}}");
    }

    /** Has PromGuard's own rules loaded, all but those named without; one may be in error. */
    FakePrometheus rules(Blueprint blueprint, List<String> without, String inError) {
        String monitor = blueprint.monitors().get(0).name();
        Map<String, PublicKey> keys = new HashMap<>();
        blueprint.hosts().forEach(host -> keys.put(host.name(), SymbolicKeys.of(host.name())));
        String file = new Renderer()
                .render(blueprint, monitor, Map.of(), keys).files().stream()
                        .filter(each -> each.path().equals("/etc/prometheus/rules/promguard.yml"))
                        .map(ManagedFile::content)
                        .findFirst()
                        .orElse("");
        rules = ALERT.matcher(file)
                .results()
                .map(found -> found.group(1))
                .filter(name -> !without.contains(name))
                .map(name -> "{\"name\":\"" + name + "\",\"health\":\""
                        + (name.equals(inError) ? "err\",\"lastError\":\"no such metric" : "ok") + "\"}")
                .collect(
                        Collectors.joining(",", "{\"status\":\"success\",\"data\":{\"groups\":[{\"rules\":[", "]}]}}"));
        return this;
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
