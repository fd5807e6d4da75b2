package dev.promguard.digitalocean;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.any;
import static com.github.tomakehurst.wiremock.client.WireMock.equalTo;
import static com.github.tomakehurst.wiremock.client.WireMock.request;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathMatching;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.options;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.MappingBuilder;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.http.Fault;
import com.github.tomakehurst.wiremock.http.LoggedResponse;
import com.github.tomakehurst.wiremock.stubbing.Scenario;
import com.github.tomakehurst.wiremock.stubbing.ServeEvent;
import com.github.tomakehurst.wiremock.verification.LoggedRequest;
import dev.promguard.ProviderException;
import dev.promguard.keys.Secret;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/**
 * An API that answers what a test tells it to. After each test it insists that the token stood in no log of any library at any
 * level, and that nothing was asked for that the test did not foresee.
 */
final class Cloud implements BeforeEachCallback, AfterEachCallback {
    static final String TOKEN = "dop_v1_4b1d5ec4e7f0a4c5d2e9";

    private static final String ODD = "x-not-in-the-contract";
    private static final WireMockServer SERVER =
            new WireMockServer(options().dynamicPort().bindAddress("127.0.0.1"));
    private static final java.util.logging.Logger ROOT = java.util.logging.Logger.getLogger("");

    private final Queue<String> logged = new ConcurrentLinkedQueue<>();
    private final Handler julHandler = new JulHandler(logged);
    private final Appender appender = new Appender(logged);

    @Override
    public void beforeEach(ExtensionContext context) {
        if (!SERVER.isRunning()) {
            SERVER.start();
        }
        SERVER.resetAll();
        ROOT.setLevel(Level.ALL);
        ROOT.addHandler(julHandler);
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        appender.setContext(root.getLoggerContext());
        appender.start();
        root.addAppender(appender);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).detachAppender(appender);
        ROOT.removeHandler(julHandler);
        ROOT.setLevel(Level.INFO);
        assertThat(logged).noneMatch(line -> line.contains(TOKEN));
        assertThat(SERVER.findAllUnmatchedRequests()).isEmpty();
        Contract.find().ifPresent(Cloud::check);
    }

    /** Insists that what was sent is what the published contract knows, and what was answered too, where it does not say otherwise. */
    private static void check(Contract contract) {
        for (ServeEvent event : SERVER.getAllServeEvents()) {
            LoggedRequest request = LoggedRequest.createFrom(event.getRequest());
            String method = request.getMethod().value();
            String url = request.getUrl().substring(request.getUrl().indexOf("/v2/"));
            assertThat(contract.inRequest(method, url, request.getBodyAsString()))
                    .as("%s %s %s", method, url, request.getBodyAsString())
                    .isEmpty();
            LoggedResponse response = event.getResponse();
            if (response.getFault() == null
                    && !response.getHeaders().getHeader(ODD).isPresent()) {
                String body = Objects.requireNonNullElse(response.getBodyAsString(), "");
                assertThat(contract.inAnswer(method, url, response.getStatus(), body))
                        .as("%s %s answered with %d %s", method, url, response.getStatus(), body)
                        .isEmpty();
            }
        }
    }

    /** What was logged so far, by any library at any level. */
    List<String> logged() {
        return List.copyOf(logged);
    }

    URI endpoint() {
        return URI.create(SERVER.baseUrl());
    }

    /** A provider that is quick in all it waits for. */
    DigitalOcean.Builder builder() {
        return builder(endpoint());
    }

    static DigitalOcean.Builder builder(URI endpoint) {
        return DigitalOcean.builder()
                .endpoint(endpoint)
                .token(Secret.of(TOKEN))
                .callTimeout(Duration.ofSeconds(10))
                .pollInterval(Duration.ofMillis(5))
                .retryPause(Duration.ofMillis(2))
                .listLag(Duration.ofMillis(40));
    }

    DigitalOcean provider() {
        return builder().build();
    }

    /**
     * Foresees calls: the first is answered with the first reply and so on; the last reply is given again and again. The query
     * parameters in the path must be there; others may.
     */
    Cloud on(String method, String pathAndQuery, ResponseDefinitionBuilder... replies) {
        for (int i = 0; i < replies.length; i++) {
            SERVER.stubFor(matching(method, pathAndQuery)
                    .inScenario(method + ' ' + pathAndQuery)
                    .whenScenarioStateIs(i == 0 ? Scenario.STARTED : Integer.toString(i))
                    .willSetStateTo(i == replies.length - 1 ? state(i) : Integer.toString(i + 1))
                    .willReturn(replies[i]));
        }
        return this;
    }

    /** Foresees the question whether the token may write. */
    Cloud onProbe(ResponseDefinitionBuilder reply) {
        SERVER.stubFor(request("DELETE", urlPathMatching("/v2/tags/promguard%3Aprobe%3A[0-9a-f]+"))
                .willReturn(reply));
        return this;
    }

    /** Foresees every call that is not foreseen otherwise. */
    Cloud onAny(ResponseDefinitionBuilder reply) {
        SERVER.stubFor(any(com.github.tomakehurst.wiremock.client.WireMock.anyUrl())
                .atPriority(10)
                .willReturn(reply));
        return this;
    }

    private static String state(int reply) {
        return reply == 0 ? Scenario.STARTED : Integer.toString(reply);
    }

    private static MappingBuilder matching(String method, String pathAndQuery) {
        String[] parts = pathAndQuery.split("\\?", 2);
        MappingBuilder matching = request(method, urlPathEqualTo(parts[0]));
        if (parts.length == 2) {
            for (String parameter : parts[1].split("&", -1)) {
                String[] pair = parameter.split("=", 2);
                matching =
                        matching.withQueryParam(pair[0], equalTo(URLDecoder.decode(pair[1], StandardCharsets.UTF_8)));
            }
        }
        return matching;
    }

    static ResponseDefinitionBuilder json(int status, String body) {
        return aResponse()
                .withStatus(status)
                .withHeader("content-type", "application/json; charset=utf-8")
                .withHeader("x-request-id", "header-7f3a")
                .withHeader("ratelimit-limit", "5000")
                .withHeader("ratelimit-remaining", "4987")
                .withHeader("ratelimit-reset", "1795435200")
                .withBody(body);
    }

    /** An answer that the API's contract does not foresee. */
    static ResponseDefinitionBuilder odd(int status, String body) {
        return json(status, body).withHeader(ODD, "yes");
    }

    static ResponseDefinitionBuilder ok(String body) {
        return json(200, body);
    }

    static ResponseDefinitionBuilder none() {
        return aResponse().withStatus(204);
    }

    static ResponseDefinitionBuilder refusal(int status, String id, String message) {
        return json(status, Bodies.error(id, message, "body-9c1e"));
    }

    static ResponseDefinitionBuilder html(int status) {
        return aResponse()
                .withStatus(status)
                .withHeader("content-type", "text/html")
                .withHeader(ODD, "yes")
                .withHeader("x-request-id", "header-7f3a")
                .withBody("<html><body><h1>Bad Gateway</h1></body></html>");
    }

    static ResponseDefinitionBuilder fault(Fault fault) {
        return aResponse().withFault(fault);
    }

    /** All calls so far, in their order. */
    List<LoggedRequest> calls() {
        List<LoggedRequest> calls = new ArrayList<>();
        SERVER.getAllServeEvents().forEach(event -> calls.add(0, LoggedRequest.createFrom(event.getRequest())));
        return calls;
    }

    /** All calls so far, as method, blank, path and query. */
    List<String> lines() {
        return calls().stream()
                .map(call -> call.getMethod() + " " + call.getUrl())
                .toList();
    }

    long count(String line) {
        return lines().stream().filter(line::equals).count();
    }

    LoggedRequest only(String method, String path) {
        List<LoggedRequest> found = calls().stream()
                .filter(call -> call.getMethod().value().equals(method)
                        && URI.create(call.getUrl()).getPath().equals(path))
                .toList();
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    /** What a verb fails with; the token stands nowhere in it. */
    static ProviderException failure(Runnable verb) {
        Throwable thrown = catchThrowable(verb::run);
        assertThat(thrown).isInstanceOf(ProviderException.class);
        StringWriter trace = new StringWriter();
        thrown.printStackTrace(new PrintWriter(trace));
        assertThat(trace.toString()).doesNotContain(TOKEN);
        assertThat(thrown.getMessage()).isNotBlank().doesNotContain("null");
        return (ProviderException) thrown;
    }

    private static final class Appender extends AppenderBase<ILoggingEvent> {
        private final Queue<String> logged;

        Appender(Queue<String> logged) {
            this.logged = logged;
        }

        @Override
        protected void append(ILoggingEvent event) {
            logged.add(event.getLoggerName()
                    + ' '
                    + event.getLevel()
                    + ' '
                    + event.getFormattedMessage()
                    + ' '
                    + ThrowableProxyUtil.asString(event.getThrowableProxy()));
        }
    }

    private static final class JulHandler extends Handler {
        private final Queue<String> logged;

        JulHandler(Queue<String> logged) {
            this.logged = logged;
            setLevel(Level.ALL);
        }

        @Override
        public void publish(LogRecord record) {
            logged.add(record.getLoggerName()
                    + ' '
                    + record.getLevel()
                    + ' '
                    + record.getMessage()
                    + ' '
                    + Arrays.toString(record.getParameters())
                    + ' '
                    + record.getThrown());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
