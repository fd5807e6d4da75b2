package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Bodies.ATTEMPT_TAG;
import static dev.promguard.digitalocean.Bodies.MESH_TAG;
import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.fault;
import static dev.promguard.digitalocean.Cloud.html;
import static dev.promguard.digitalocean.Cloud.json;
import static dev.promguard.digitalocean.Cloud.odd;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static dev.promguard.digitalocean.RequestsTest.order;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.http.Fault;
import dev.promguard.ProviderException;
import dev.promguard.spi.CloudHost;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A create call whose answer is lost may have been carried out: it is looked for before anything is sent again. */
class LostAnswerTest {
    private static final String CREATE = "POST /v2/droplets";
    private static final String BY_ATTEMPT = "/v2/droplets?tag_name=" + ATTEMPT_TAG;
    private static final String LOOK =
            "GET /v2/droplets?tag_name=promguard%3Aattempt%3Ashop%3Aa1b2&per_page=200&page=1";
    private static final String A = Bodies.fresh(11, "a");
    private static final String B = Bodies.fresh(12, "b");
    private static final ResponseDefinitionBuilder ACCEPTED = json(202, Bodies.created(A, B));
    private static final ResponseDefinitionBuilder NOTHING = ok(Bodies.droplets());
    private static final ResponseDefinitionBuilder BOTH = ok(Bodies.droplets(A, B));

    @RegisterExtension
    final Cloud cloud = new Cloud();

    static Stream<Named<ResponseDefinitionBuilder>> lostAnswers() {
        return Stream.of(
                Named.of("reset", fault(Fault.CONNECTION_RESET_BY_PEER)),
                Named.of("closed without an answer", fault(Fault.EMPTY_RESPONSE)),
                Named.of("garbage", fault(Fault.RANDOM_DATA_THEN_CLOSE)),
                Named.of("500", refusal(500, "server_error", "Unexpected server-side error")),
                Named.of("502 with HTML", html(502)),
                Named.of("504", odd(504, "")),
                Named.of("408", refusal(408, "timeout", "took too long")));
    }

    private DigitalOcean provider() {
        return cloud.provider();
    }

    @ParameterizedTest
    @MethodSource("lostAnswers")
    void create_answerLostThoughCarriedOut_isFoundByItsTagAndNotSentAgain(ResponseDefinitionBuilder lost) {
        cloud.on("POST", "/v2/droplets", lost).on("GET", BY_ATTEMPT, NOTHING, ok(Bodies.droplets(A)), BOTH);

        List<CloudHost> hosts = provider().create(order("a", "b"));

        assertThat(hosts).extracting(CloudHost::id).containsExactlyInAnyOrder("11", "12");
        assertThat(cloud.lines()).containsExactly(CREATE, LOOK, LOOK, LOOK);
    }

    @ParameterizedTest
    @MethodSource("lostAnswers")
    void create_answerLostAndNotCarriedOut_isSentAgainAfterSeveralLooks(ResponseDefinitionBuilder lost) {
        cloud.on("POST", "/v2/droplets", lost, ACCEPTED).on("GET", BY_ATTEMPT, NOTHING);

        List<CloudHost> hosts = provider().create(order("a", "b"));

        assertThat(hosts).extracting(CloudHost::id).containsExactlyInAnyOrder("11", "12");
        List<String> lines = cloud.lines();
        assertThat(lines).startsWith(CREATE, LOOK, LOOK, LOOK).contains(CREATE);
        assertThat(cloud.count(CREATE)).isEqualTo(2);
        assertThat(lines.subList(1, lines.lastIndexOf(CREATE))).hasSizeGreaterThanOrEqualTo(3);
    }

    @Test
    void create_answerSlowerThanTheCallMayTake_isFoundAndNotSentAgain() {
        cloud.on("POST", "/v2/droplets", odd(202, "").withFixedDelay(3_000)).on("GET", BY_ATTEMPT, BOTH);
        DigitalOcean provider =
                cloud.builder().callTimeout(Duration.ofMillis(500)).build();

        assertThat(provider.create(order("a", "b"))).hasSize(2);

        assertThat(cloud.count(CREATE)).isEqualTo(1);
    }

    @Test
    void create_answerLost_isLookedForAsLongAsListsLag() {
        cloud.on("POST", "/v2/droplets", html(502), ACCEPTED).on("GET", BY_ATTEMPT, NOTHING);
        Duration lag = Duration.ofMillis(400);
        long start = System.nanoTime();

        cloud.builder().listLag(lag).build().create(order("a", "b"));

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(lag);
        assertThat(cloud.count(CREATE)).isEqualTo(2);
    }

    @Test
    void create_lostAnswerAndSlowPolling_isStillLookedForThreeTimes() {
        cloud.on("POST", "/v2/droplets", html(502), ACCEPTED).on("GET", BY_ATTEMPT, NOTHING);

        cloud.builder()
                .listLag(Duration.ofMillis(1))
                .pollInterval(Duration.ofMillis(20))
                .build()
                .create(order("a", "b"));

        List<String> lines = cloud.lines();
        assertThat(lines.subList(0, lines.lastIndexOf(CREATE))).containsExactly(CREATE, LOOK, LOOK, LOOK);
    }

    @Test
    void create_lostTwice_saysThatNothingIsKnownAndNamesTheHosts() {
        cloud.on("POST", "/v2/droplets", html(502)).on("GET", BY_ATTEMPT, NOTHING);

        ProviderException failure = failure(() -> provider().create(order("a", "b")));

        assertThat(failure)
                .hasMessageContaining("not known whether DigitalOcean created a, b")
                .hasMessageContaining("status 502")
                .hasMessageContaining(ATTEMPT_TAG)
                .hasMessageContaining("Run apply again");
        assertThat(failure.status()).hasValue(502);
        assertThat(failure.requestId()).hasValue("header-7f3a");
        assertThat(failure.retryable()).isTrue();
        assertThat(cloud.count(CREATE)).isEqualTo(2);
        assertThat(cloud.lines()).last().isEqualTo(LOOK);
    }

    @Test
    void create_lostTwiceAndThenFound_isNoFailure() {
        ResponseDefinitionBuilder[] looks =
                Stream.generate(() -> NOTHING).limit(6).toArray(ResponseDefinitionBuilder[]::new);
        looks[5] = BOTH;
        cloud.on("POST", "/v2/droplets", html(502)).on("GET", BY_ATTEMPT, looks);

        List<CloudHost> hosts =
                cloud.builder().listLag(Duration.ofMillis(1)).build().create(order("a", "b"));

        assertThat(hosts).hasSize(2);
    }

    @Test
    void create_madeInPart_isReportedAndNotSentAgain() {
        cloud.on("POST", "/v2/droplets", html(502)).on("GET", BY_ATTEMPT, ok(Bodies.droplets(A)));

        ProviderException failure = failure(() -> provider().create(order("a", "b")));

        assertThat(failure)
                .hasMessageContaining("created \"a\" (id 11) where a, b were ordered")
                .hasMessageContaining("Run apply again");
        assertThat(failure.status()).isEmpty();
        assertThat(failure.retryable()).isTrue();
        assertThat(cloud.count(CREATE)).isEqualTo(1);
    }

    static Stream<Named<ResponseDefinitionBuilder>> acceptedButWithoutTheDroplets() {
        return Stream.of(
                Named.of("202 with nothing", odd(202, "")),
                Named.of("202 with no droplets", odd(202, "{}")),
                Named.of("202 with HTML", html(202)),
                Named.of("202 with JSON cut short", odd(202, "{\"droplets\":[{\"id\":11,")),
                Named.of("202 with one of two", json(202, Bodies.created(A))),
                Named.of("202 with others", json(202, Bodies.created(A, Bodies.fresh(13, "c")))),
                Named.of("202 with one too many", json(202, Bodies.created(A, B, Bodies.fresh(13, "b")))));
    }

    @ParameterizedTest
    @MethodSource("acceptedButWithoutTheDroplets")
    void create_acceptedWithAnAnswerThatDoesNotFit_isLookedUp(ResponseDefinitionBuilder answer) {
        cloud.on("POST", "/v2/droplets", answer).on("GET", BY_ATTEMPT, NOTHING, BOTH);

        assertThat(provider().create(order("a", "b"))).extracting(CloudHost::id).containsExactly("11", "12");

        assertThat(cloud.count(CREATE)).isEqualTo(1);
    }

    @ParameterizedTest
    @MethodSource("acceptedButWithoutTheDroplets")
    void create_acceptedAndNeverListed_isNotSentAgain(ResponseDefinitionBuilder answer) {
        cloud.on("POST", "/v2/droplets", answer).on("GET", BY_ATTEMPT, NOTHING);

        ProviderException failure = failure(() -> provider().create(order("a", "b")));

        assertThat(failure).hasMessageContaining("not known whether DigitalOcean created a, b");
        assertThat(failure.retryable()).isTrue();
        assertThat(cloud.count(CREATE)).isEqualTo(1);
    }

    @Test
    void create_lostAndThenRefused_doesNotPassForARefusalOfTheFirst() {
        cloud.on(
                        "POST",
                        "/v2/droplets",
                        html(502),
                        refusal(422, "unprocessable_entity", "creating this/these droplet(s) will exceed your limit"))
                .on("GET", BY_ATTEMPT, NOTHING);

        ProviderException failure = failure(() -> provider().create(order("a", "b")));

        assertThat(failure)
                .hasMessageContaining("not known whether DigitalOcean created a, b")
                .hasMessageContaining("exceed your limit");
        assertThat(failure.status()).isEmpty();
        assertThat(cloud.count(CREATE)).isEqualTo(2);
    }

    static Stream<Named<ResponseDefinitionBuilder>> looksThatFail() {
        return Stream.of(
                Named.of("401", refusal(401, "Unauthorized", "Unable to authenticate you")),
                Named.of("403", refusal(403, "Forbidden", "You are not authorized")),
                Named.of("429", refusal(429, "too_many_requests", "API rate limit exceeded.")),
                Named.of("502", html(502)),
                Named.of("no list", odd(200, "{}")));
    }

    @ParameterizedTest
    @MethodSource("looksThatFail")
    void create_lostAndTheLookIsRefused_doesNotPassForARefusal(ResponseDefinitionBuilder look) {
        cloud.on("POST", "/v2/droplets", fault(Fault.EMPTY_RESPONSE)).on("GET", BY_ATTEMPT, look);

        ProviderException failure = failure(() -> provider().create(order("a", "b")));

        assertThat(failure).hasMessageContaining("not known whether DigitalOcean created a, b");
        assertThat(failure.status().orElse(0) / 100).isNotEqualTo(4);
        assertThat(failure.retryable()).isTrue();
        assertThat(cloud.count(CREATE)).isEqualTo(1);
    }

    @Test
    void create_firstOneTurnsUpAfterTheSecond_isReportedWithBothIds() {
        ResponseDefinitionBuilder doubles = ok(Bodies.droplets(A, B, Bodies.fresh(21, "a"), Bodies.fresh(22, "b")));
        cloud.on("POST", "/v2/droplets", html(502), ACCEPTED).on("GET", BY_ATTEMPT, NOTHING, NOTHING, NOTHING, doubles);

        ProviderException failure = failure(
                () -> cloud.builder().listLag(Duration.ofMillis(1)).build().create(order("a", "b")));

        assertThat(failure).hasMessageContaining("\"a\" (id 11), \"a\" (id 21), \"b\" (id 12), \"b\" (id 22)");
        assertThat(failure.status()).isEmpty();
        assertThat(cloud.count(CREATE)).isEqualTo(2);
    }

    @Test
    void create_refused_isNotLookedUpOrSentAgain() {
        cloud.on("POST", "/v2/droplets", refusal(422, "unprocessable_entity", "Size is not available in this region."));

        ProviderException failure = failure(() -> provider().create(order("a", "b")));

        assertThat(failure).hasMessageContaining("Size is not available in this region.");
        assertThat(failure.status()).hasValue(422);
        assertThat(failure.requestId()).hasValue("body-9c1e");
        assertThat(cloud.lines()).containsExactly(CREATE);
    }

    @Test
    void create_rateLimited_isSentAgainWithoutALook() {
        ResponseDefinitionBuilder busy = refusal(429, "too_many_requests", "API rate limit exceeded.");
        cloud.on("POST", "/v2/droplets", busy, busy, ACCEPTED);

        assertThat(provider().create(order("a", "b"))).hasSize(2);

        assertThat(cloud.lines()).containsExactly(CREATE, CREATE, CREATE);
    }

    @Test
    void create_rateLimitedForGood_isARefusal() {
        cloud.on(
                "POST",
                "/v2/droplets",
                refusal(429, "too_many_requests", "slow").withHeader("retry-after", "1800"));

        ProviderException failure = failure(() -> provider().create(order("a", "b")));

        assertThat(failure.status()).hasValue(429);
        assertThat(cloud.lines()).containsExactly(CREATE);
    }

    @Test
    void create_connectionRefused_isTriedAgainSinceNothingWasSent() throws IOException {
        URI endpoint = ErrorsTest.nobodyThere();

        ProviderException failure =
                failure(() -> Cloud.builder(endpoint).build().create(order("a", "b")));

        assertThat(failure)
                .hasMessageContaining("cannot be reached at " + endpoint.getAuthority())
                .hasMessageContaining("POST /v2/droplets");
        assertThat(failure.retryable()).isTrue();
        assertThat(cloud.logged().stream().filter(line -> line.contains("is tried again")))
                .hasSize(5)
                .allMatch(line -> line.contains(CREATE));
    }

    @Test
    void create_connectionResetAmidTheRequest_isLookedUpBeforeItIsSentAgain() throws IOException {
        try (RawServer server = new RawServer(
                connection -> {
                    assertThat(connection.socket().getInputStream().read()).isEqualTo('P');
                    connection.reset();
                },
                RawServer.answering(200, Bodies.droplets()),
                RawServer.answering(200, Bodies.droplets()),
                RawServer.answering(200, Bodies.droplets()),
                RawServer.answering(202, Bodies.created(A, B)),
                RawServer.answering(200, Bodies.droplets(A, B)))) {
            List<CloudHost> hosts = Cloud.builder(server.endpoint())
                    .listLag(Duration.ofMillis(1))
                    .build()
                    .create(order("a", "b"));

            assertThat(hosts).hasSize(2);
            assertThat(server.requests()).containsExactly(LOOK, LOOK, LOOK, CREATE, LOOK);
        }
    }

    @Test
    void create_connectionResetAfterTheRequestWasTaken_isFoundAndNotSentAgain() throws IOException {
        try (RawServer server = new RawServer(
                connection -> {
                    connection.readRequest();
                    connection.reset();
                },
                RawServer.answering(200, Bodies.droplets(A, B)))) {
            assertThat(Cloud.builder(server.endpoint()).build().create(order("a", "b")))
                    .hasSize(2);
            assertThat(server.requests()).containsExactly(CREATE, LOOK);
        }
    }

    @Test
    void create_answerCutShort_isFoundAndNotSentAgain() throws IOException {
        try (RawServer server = new RawServer(
                connection -> {
                    connection.readRequest();
                    connection.write("HTTP/1.1 202 Accepted\r\ncontent-length: 9000\r\n\r\n{\"droplets\":[");
                },
                RawServer.answering(200, Bodies.droplets(A, B)))) {
            assertThat(Cloud.builder(server.endpoint()).build().create(order("a", "b")))
                    .hasSize(2);
            assertThat(server.requests()).containsExactly(CREATE, LOOK);
        }
    }

    @Test
    void create_droplets_thatCarryTheAttemptTagOfAnother_areNotTakenForTheirs() {
        String other = Bodies.droplet(31, "a", "new", "", MESH_TAG, "promguard:attempt:shop:ffff");
        cloud.on("POST", "/v2/droplets", html(502)).on("GET", BY_ATTEMPT, ok(Bodies.droplets(other)), BOTH);

        assertThat(provider().create(order("a", "b"))).extracting(CloudHost::id).containsExactly("11", "12");
    }

    static Stream<Named<ResponseDefinitionBuilder>> lostKeyAnswers() {
        return Stream.of(
                Named.of("reset", fault(Fault.CONNECTION_RESET_BY_PEER)),
                Named.of("502", html(502)),
                Named.of("201 with HTML", html(201)),
                Named.of("201 with nothing", odd(201, "")));
    }

    @ParameterizedTest
    @MethodSource("lostKeyAnswers")
    void registerAccessKey_answerLost_isLookedUp(ResponseDefinitionBuilder lost) {
        String path = "/v2/account/keys/" + RequestsTest.KEY.md5Fingerprint();
        String key = Bodies.key(512189, "promguard-shop", RequestsTest.KEY.md5Fingerprint(), RequestsTest.KEY.line());
        cloud.on("GET", path, refusal(404, "not_found", "not found"), ok(key)).on("POST", "/v2/account/keys", lost);

        assertThat(provider().registerAccessKey("shop", RequestsTest.KEY).id()).isEqualTo("512189");

        assertThat(cloud.lines()).containsExactly("GET " + path, "POST /v2/account/keys", "GET " + path);
    }

    @Test
    void registerAccessKey_neverAnswered_isSaidAfterThreeTries() {
        String path = "/v2/account/keys/" + RequestsTest.KEY.md5Fingerprint();
        cloud.on("GET", path, refusal(404, "not_found", "not found")).on("POST", "/v2/account/keys", html(502));

        ProviderException failure = failure(() -> provider().registerAccessKey("shop", RequestsTest.KEY));

        assertThat(failure).hasMessageContaining("POST /v2/account/keys").hasMessageContaining("502");
        assertThat(failure.status()).hasValue(502);
        assertThat(cloud.count("POST /v2/account/keys")).isEqualTo(3);
    }
}
