package dev.promguard.digitalocean;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static dev.promguard.digitalocean.Bodies.MESH;
import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.fault;
import static dev.promguard.digitalocean.Cloud.html;
import static dev.promguard.digitalocean.Cloud.json;
import static dev.promguard.digitalocean.Cloud.odd;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.http.Fault;
import dev.promguard.ErrorCode;
import dev.promguard.InvalidSettingException;
import dev.promguard.ProviderException;
import dev.promguard.keys.Secret;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes wrong in an exchange that may be repeated, and what is said of it. */
class ErrorsTest {
    private static final int TRIES = 6;
    private static final String LIST = "/v2/droplets";
    private static final String GOOD = Bodies.droplets(Bodies.active(11, "shop-node-1"));

    @RegisterExtension
    final Cloud cloud = new Cloud();

    static Stream<Arguments> refusals() {
        return Stream.of(
                Arguments.of(400, "bad_request", 1, "Fix what it names"),
                Arguments.of(401, "Unauthorized", 1, "create one under API, Tokens"),
                Arguments.of(403, "Forbidden", 1, "may read and write"),
                Arguments.of(404, "not_found", 1, "Check that the endpoint is DigitalOcean's API"),
                Arguments.of(422, "unprocessable_entity", 1, "Fix what it names"),
                Arguments.of(408, "request_timeout", TRIES, "run again later"),
                Arguments.of(429, "too_many_requests", TRIES, "run again in"),
                Arguments.of(500, "server_error", TRIES, "run again later"),
                Arguments.of(503, "service_unavailable", TRIES, "run again later"));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void refusal_ofEachKind_isSaidWithAllThatIsKnown(int status, String id, int tries, String remedy) {
        cloud.on("GET", LIST, refusal(status, id, "This is why."));

        ProviderException failure = failure(() -> cloud.provider().list(MESH));

        assertThat(failure)
                .hasMessageContaining("GET /v2/droplets")
                .hasMessageContaining("status " + status)
                .hasMessageContaining("This is why.")
                .hasMessageContaining("request body-9c1e")
                .hasMessageContaining(remedy);
        assertThat(failure.status()).hasValue(status);
        assertThat(failure.code())
                .isEqualTo(
                        switch (status) {
                            case 401, 403 -> ErrorCode.PROVIDER_TOKEN;
                            case 429 -> ErrorCode.PROVIDER_RATE_LIMIT;
                            case 400, 404, 422 -> ErrorCode.PROVIDER_REFUSED;
                            default -> ErrorCode.PROVIDER_UNAVAILABLE;
                        });
        assertThat(failure.providerCode()).hasValue(id);
        assertThat(failure.requestId()).hasValue("body-9c1e");
        assertThat(failure.retryable()).isEqualTo(tries > 1);
        assertThat(cloud.lines()).hasSize(tries);
    }

    static Stream<Named<ResponseDefinitionBuilder>> withoutARequestIdInTheBody() {
        return Stream.of(
                Named.of("error without request_id", json(502, "{\"id\":\"bad_gateway\",\"message\":\"upstream\"}")),
                Named.of("HTML", html(502)),
                Named.of("not JSON", odd(502, "upstream connect error")),
                Named.of("JSON that is no error", odd(502, "[1,2]")),
                Named.of("nothing", odd(502, "")));
    }

    @ParameterizedTest
    @MethodSource("withoutARequestIdInTheBody")
    void refusal_bodyWithoutRequestId_namesTheHeaders(ResponseDefinitionBuilder reply) {
        cloud.on("GET", LIST, reply);

        ProviderException failure = failure(() -> cloud.provider().list(MESH));

        assertThat(failure)
                .hasMessageContaining("status 502")
                .hasMessageContaining("request header-7f3a")
                .hasMessageNotContaining("<html>");
        assertThat(failure.status()).hasValue(502);
        assertThat(failure.requestId()).hasValue("header-7f3a");
    }

    static Stream<Named<ResponseDefinitionBuilder>> passingTroubles() {
        return Stream.of(
                Named.of("429", refusal(429, "too_many_requests", "API rate limit exceeded.")),
                Named.of("500", refusal(500, "server_error", "Unexpected server-side error")),
                Named.of("502 with HTML", html(502)),
                Named.of("200 with HTML", html(200)),
                Named.of("200 with JSON cut short", odd(200, "{\"droplets\":[{\"id\":11,")),
                Named.of("200 with another kind of JSON", odd(200, "[]")),
                Named.of("reset", fault(Fault.CONNECTION_RESET_BY_PEER)),
                Named.of("closed without an answer", fault(Fault.EMPTY_RESPONSE)),
                Named.of("garbage in place of an answer", fault(Fault.RANDOM_DATA_THEN_CLOSE)),
                Named.of("garbage amid the body", fault(Fault.MALFORMED_RESPONSE_CHUNK)));
    }

    @ParameterizedTest
    @MethodSource("passingTroubles")
    void trouble_thatPasses_isNotNoticed(ResponseDefinitionBuilder trouble) {
        cloud.on("GET", LIST, trouble, trouble, ok(GOOD));

        assertThat(cloud.provider().list(MESH)).hasSize(1);

        assertThat(cloud.lines()).hasSize(3);
    }

    static Stream<Named<ResponseDefinitionBuilder>> answersThatAreNotUnderstood() {
        return Stream.of(
                Named.of("HTML", html(200)),
                Named.of("JSON cut short", odd(200, "{\"droplets\":[{\"id\":11,")),
                Named.of("a list for an object", odd(200, "[]")),
                Named.of("text for a number", odd(200, "{\"droplets\":[{\"id\":\"eleven\"}]}")),
                Named.of("a number out of range", odd(200, "{\"droplets\":[{\"id\":99999999999999999999999}]}")),
                Named.of("deep nesting", odd(200, "{\"droplets\":" + "[".repeat(100_000))));
    }

    @ParameterizedTest
    @MethodSource("answersThatAreNotUnderstood")
    void answer_notUnderstood_isAFailureAndNotAnEmptyList(ResponseDefinitionBuilder reply) {
        cloud.on("GET", LIST, reply);

        assertThat(failure(() -> cloud.provider().list(MESH)))
                .hasMessageContaining("cannot be understood")
                .hasMessageContaining(cloud.endpoint().getAuthority());
        assertThat(cloud.lines()).hasSize(TRIES);
    }

    static Stream<Named<String>> incompleteLists() {
        return Stream.of(
                Named.of("nothing", ""),
                Named.of("null", "null"),
                Named.of("an empty object", "{}"),
                Named.of("another object", "{\"id\":\"x\",\"message\":\"y\"}"),
                Named.of("next page without a number", Bodies.page("droplets", next("https://x/v2/droplets"), 2)),
                Named.of("next page is this page", Bodies.page("droplets", next("https://x/v2/droplets?page=1"), 2)));
    }

    private static String next(String link) {
        return "{\"pages\":{\"next\":\"" + link + "\"}}";
    }

    @ParameterizedTest
    @MethodSource("incompleteLists")
    void list_cutShort_isAFailureAndNotAShorterList(String body) {
        cloud.on("GET", LIST, odd(200, body));

        assertThat(failure(() -> cloud.provider().list(MESH))).hasMessageContaining("incomplete");
    }

    @Test
    void list_tokenThatMayNotReadTags_isAFailureAndNotAnEmptyList() {
        cloud.on("GET", LIST, odd(200, "{\"droplets\":[{\"id\":11,\"name\":\"shop-node-1\",\"status\":\"active\"}]}"));

        assertThat(failure(() -> cloud.provider().list(MESH))).hasMessageContaining("tag:read");
    }

    @Test
    void delete_listCutShort_doesNotPassForGone() {
        cloud.on("GET", LIST, odd(200, ""));

        assertThat(failure(() -> cloud.provider().delete(MESH, List.of("11"), Duration.ofMillis(30))))
                .hasMessageContaining("droplet 11 not gone")
                .hasMessageContaining("incomplete");
    }

    @Test
    void rateLimit_withRetryAfter_isWaitedFor() {
        cloud.on("GET", LIST, refusal(429, "too_many_requests", "slow").withHeader("retry-after", "1"), ok(GOOD));
        long start = System.nanoTime();

        assertThat(cloud.provider().list(MESH)).hasSize(1);

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofMillis(990));
        assertThat(cloud.lines()).hasSize(2);
    }

    @Test
    void rateLimit_hourlyLimitWithoutRetryAfter_isWaitedForUntilItsReset() {
        String soon = Long.toString(Instant.now().getEpochSecond() + 1);
        cloud.on(
                "GET",
                LIST,
                aResponse()
                        .withStatus(429)
                        .withHeader("ratelimit-remaining", "0")
                        .withHeader("ratelimit-reset", soon)
                        .withBody(Bodies.error("too_many_requests", "slow", "r")),
                ok(GOOD));

        assertThat(cloud.provider().list(MESH)).hasSize(1);

        assertThat(Instant.now().getEpochSecond()).isGreaterThanOrEqualTo(Long.parseLong(soon));
        assertThat(cloud.lines()).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1800", "9999999999"})
    void rateLimit_longWait_failsAtOnceAndSaysWhenToRunAgain(String seconds) {
        cloud.on("GET", LIST, refusal(429, "too_many_requests", "slow").withHeader("retry-after", seconds));

        ProviderException failure = failure(() -> cloud.provider().list(MESH));

        assertThat(failure).hasMessageContaining("run again in " + seconds + " s");
        assertThat(failure.retryable()).isTrue();
        assertThat(cloud.lines()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"soon", "-1", "99999999999999", ""})
    void rateLimit_nonsenseInTheHeaders_isWaitedForAsIfThereWereNone(String nonsense) {
        cloud.on(
                "GET",
                LIST,
                odd(429, "")
                        .withHeader("retry-after", nonsense)
                        .withHeader("ratelimit-remaining", "0")
                        .withHeader("ratelimit-reset", nonsense),
                ok(GOOD));

        assertThat(cloud.provider().list(MESH)).hasSize(1);
    }

    @Test
    void body_shorterThanSaid_isTriedAgain() throws IOException {
        try (RawServer server = new RawServer(
                connection -> {
                    connection.readRequest();
                    connection.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n"
                            + GOOD.substring(0, 100));
                },
                RawServer.answering(200, GOOD))) {
            assertThat(Cloud.builder(server.endpoint()).build().list(MESH)).hasSize(1);
            assertThat(server.requests()).hasSize(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{\"droplets\":["})
    void answer_thatDoesNotCome_endsWithTheCallTimeout(String beginning) throws IOException {
        try (RawServer server = new RawServer(connection -> {
            connection.readRequest();
            connection.write(beginning);
            connection.waitForEnd();
        })) {
            DigitalOcean provider = Cloud.builder(server.endpoint())
                    .callTimeout(Duration.ofMillis(50))
                    .build();
            long start = System.nanoTime();

            ProviderException failure = failure(() -> provider.list(MESH));

            assertThat(failure)
                    .hasMessageContaining("no whole answer within 50 ms")
                    .hasMessageContaining(server.endpoint().getAuthority())
                    .hasMessageContaining("run again");
            assertThat(failure.retryable()).isTrue();
            assertThat(failure.status()).isEmpty();
            assertThat(cloud.logged())
                    .filteredOn(line -> line.contains("is tried again"))
                    .hasSize(TRIES - 1);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        }
    }

    @Test
    void answer_thatDrips_endsWithTheCallTimeout() {
        cloud.on("GET", LIST, ok(GOOD).withChunkedDribbleDelay(100, 20_000));
        DigitalOcean provider =
                cloud.builder().callTimeout(Duration.ofMillis(100)).build();
        long start = System.nanoTime();

        assertThat(failure(() -> provider.list(MESH))).hasMessageContaining("no whole answer within 100 ms");

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    }

    @Test
    void connection_refused_isSaidWithTheAddress() throws IOException {
        URI endpoint = nobodyThere();

        ProviderException failure =
                failure(() -> Cloud.builder(endpoint).build().list(MESH));

        assertThat(failure)
                .hasMessageContaining("cannot be reached at " + endpoint.getAuthority())
                .hasMessageContaining("GET /v2/droplets")
                .hasMessageContaining("run again");
        assertThat(failure.retryable()).isTrue();
        assertThat(failure.status()).isEmpty();
        assertThat(failure.getCause()).isInstanceOf(IOException.class);
    }

    static URI nobodyThere() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return URI.create("http://127.0.0.1:" + taken.getLocalPort());
        }
    }

    @Test
    void connection_resetBeforeTheRequestIsRead_isTriedAgain() throws IOException {
        try (RawServer server = new RawServer(RawServer.Connection::reset, RawServer.answering(200, GOOD))) {
            assertThat(Cloud.builder(server.endpoint()).build().list(MESH)).hasSize(1);
        }
    }

    @Test
    void connection_resetEachTime_isSaid() throws IOException {
        try (RawServer server = new RawServer(connection -> {
            connection.readRequest();
            connection.reset();
        })) {
            assertThat(failure(() -> Cloud.builder(server.endpoint()).build().list(MESH)))
                    .hasMessageContaining(
                            "cannot be reached at " + server.endpoint().getAuthority());
            assertThat(server.requests()).hasSize(TRIES);
        }
    }

    @Test
    void answer_tooLong_isNotTaken() throws IOException {
        String tooLong = GOOD + " ".repeat(16 * 1024 * 1024 + 1 - GOOD.length());
        try (RawServer server = new RawServer(RawServer.answering(200, tooLong), RawServer.answering(200, GOOD))) {
            assertThat(Cloud.builder(server.endpoint()).build().list(MESH)).hasSize(1);
            assertThat(server.requests())
                    .filteredOn(line -> line.startsWith("GET"))
                    .hasSize(2);
        }
    }

    @Test
    void redirect_isNotFollowed() {
        cloud.on("GET", LIST, odd(302, "").withHeader("location", cloud.endpoint() + "/elsewhere"));

        assertThat(failure(() -> cloud.provider().list(MESH)).status()).hasValue(302);
        assertThat(cloud.lines()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 500})
    void token_echoedInAnErrorBody_isNotShown(int status) {
        cloud.on("GET", LIST, json(status, Bodies.error(Cloud.TOKEN, "bad token " + Cloud.TOKEN, Cloud.TOKEN)));

        ProviderException failure = failure(() -> cloud.provider().list(MESH));

        assertThat(failure).hasMessageContaining("bad token ***");
        assertThat(failure.providerCode().orElseThrow()).doesNotContain(Cloud.TOKEN);
        assertThat(failure.requestId().orElseThrow()).doesNotContain(Cloud.TOKEN);
    }

    @Test
    void token_echoedInTheHeaders_isNotShownOrLogged() {
        cloud.on(
                "GET",
                LIST,
                aResponse()
                        .withStatus(500)
                        .withHeader("x-request-id", Cloud.TOKEN)
                        .withBody("{\"id\":\"server_error\",\"message\":\"why\"}"));

        assertThat(failure(() -> cloud.provider().list(MESH)).requestId()).hasValue("***");
    }

    @Test
    void token_echoedWhereJsonShouldBe_isNotShown() {
        cloud.on("GET", LIST, odd(200, "\"" + Cloud.TOKEN + "\""));

        failure(() -> cloud.provider().list(MESH));
    }

    @Test
    void token_echoedInTheStatusLine_isNotShown() throws IOException {
        try (RawServer server = new RawServer(connection -> {
            connection.readRequest();
            connection.write("HTTPS " + Cloud.TOKEN + "\r\n\r\n");
        })) {
            assertThat(failure(() -> Cloud.builder(server.endpoint()).build().list(MESH)))
                    .hasMessageContaining("***");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Cloud.TOKEN + "\n", "Bearer " + Cloud.TOKEN, Cloud.TOKEN + "é"})
    void token_thatNoHeaderMayHold_isRefusedWithoutShowingIt(String token) {
        DigitalOcean provider = cloud.builder().token(Secret.of(token)).build();

        assertThat(failure(() -> provider.list(MESH))).hasMessageContaining("line end");
        assertThat(cloud.lines()).isEmpty();
    }

    @Test
    void messages_fromTheOtherSide_areShortAndOnOneLine() {
        cloud.on(
                "GET",
                LIST,
                json(
                        422,
                        Bodies.error("x", "a\\nb\\u001b[31m" + "long ".repeat(1000), "r")
                                .replace("\n", " ")));

        assertThat(failure(() -> cloud.provider().list(MESH)).getMessage())
                .doesNotContain("\n", "\u001b")
                .hasSizeLessThan(600);
    }

    @Test
    void logs_ofACall_areThereAndNotAboveDebug() {
        cloud.on("GET", LIST, html(502), ok(GOOD));

        cloud.provider().list(MESH);

        assertThat(cloud.logged())
                .filteredOn(line -> line.startsWith("dev.promguard."))
                .anyMatch(line -> line.contains("answered with 502") && line.contains("header-7f3a"))
                .anyMatch(line -> line.contains("tried again"))
                .allMatch(line -> line.contains("DEBUG") || line.contains("TRACE"));
        // That the capture is not blind to the HTTP client is what makes its silence about the token worth anything.
        assertThat(cloud.logged()).anyMatch(line -> line.startsWith("okhttp3."));
    }

    enum Setting {
        CALL_TIMEOUT,
        POLL_INTERVAL,
        RETRY_PAUSE,
        LIST_LAG;

        DigitalOcean.Builder set(DigitalOcean.Builder builder, Duration value) {
            return switch (this) {
                case CALL_TIMEOUT -> builder.callTimeout(value);
                case POLL_INTERVAL -> builder.pollInterval(value);
                case RETRY_PAUSE -> builder.retryPause(value);
                case LIST_LAG -> builder.listLag(value);
            };
        }
    }

    @ParameterizedTest
    @EnumSource
    void setter_durationOutOfRange_isRefusedAtOnce(Setting setting) {
        DigitalOcean.Builder builder = DigitalOcean.builder();
        for (Duration wrong : new Duration[] {Duration.ZERO, Duration.ofSeconds(-1), Duration.ofDays(2)}) {
            assertThatThrownBy(() -> setting.set(builder, wrong))
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessageContaining(wrong.toString());
        }
        assertThat(setting.set(builder, Duration.ofDays(1))).isSameAs(builder);
        assertThat(builder.build().name()).isEqualTo("DigitalOcean");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://api.digitalocean.com/",
                "http://198.18.0.1:8080/",
                "http://[2001:db8::1]/",
                "http://127.0.0.1.example.com/",
                "http://localhost.example.com/",
                "http://0.0.0.0/"
            })
    void endpoint_httpToAnotherMachine_isRefusedBeforeTheTokenIsSent(String endpoint) {
        DigitalOcean.Builder builder = DigitalOcean.builder();

        assertThatThrownBy(() -> builder.endpoint(URI.create(endpoint)))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining(endpoint)
                .hasMessageContaining("unencrypted: use https");
    }

    @Test
    void endpoint_userNameThatLooksLikeThisMachine_isRefused() {
        assertThatThrownBy(() -> DigitalOcean.builder().endpoint(URI.create("http://127.0.0.1@example.com/")))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("user name")
                .hasMessageContaining("give it without");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://api.example.com/",
                "http://localhost:8080/",
                "http://127.0.0.1/",
                "http://127.8.9.10:80/",
                "http://[::1]:8080/"
            })
    void endpoint_encryptedOrOnThisMachine_isTaken(String endpoint) {
        assertThat(DigitalOcean.builder().endpoint(URI.create(endpoint)).build().name())
                .isEqualTo("DigitalOcean");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://api.example.com/", "file:///etc/passwd", "http:x", "https:///v2", "api.example.com"})
    void endpoint_notHttp_isRefusedAtOnce(String endpoint) {
        assertThatThrownBy(() -> DigitalOcean.builder().endpoint(URI.create(endpoint)))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("endpoint");
    }

    @Test
    void toString_ofTheProvider_doesNotShowTheToken() {
        assertThat(cloud.provider().toString()).isEqualTo("DigitalOcean");
        assertThat(DigitalOcean.builder().token(Secret.of("dop_v1_x")).sshFrom("203.0.113.0/24"))
                .hasToString("DigitalOcean.Builder[a token, sshFrom 203.0.113.0/24]");
        assertThat(DigitalOcean.builder()).hasToString("DigitalOcean.Builder[token of the environment]");
    }
}
