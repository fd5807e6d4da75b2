package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** That each fault does what it says, and nothing beside it. */
class LocalCloudFaultsTest {
    private static final Duration LONG = Duration.ofHours(1);
    private static final Duration SHORT = Duration.ofMillis(150);

    @RegisterExtension
    final ContractWatch contract = ContractWatch.ofAnswers();

    private LocalCloud cloud;
    private Api api;

    @BeforeEach
    void start() {
        cloud = LocalCloud.builder().recordsOnly().observer(contract).start();
        api = new Api(cloud.endpoint(), cloud.token());
    }

    @AfterEach
    void stop() {
        cloud.close();
    }

    static Stream<Named<Consumer<Faults>>> lostAnswers() {
        return Stream.of(
                Named.of("dropped", faults -> faults.dropAnswers(1)), Named.of("cut", faults -> faults.cutAnswers(1)));
    }

    @ParameterizedTest
    @MethodSource("lostAnswers")
    void lostAnswer_ofEachKindOfCall_isCarriedOut(Consumer<Faults> fault) throws Exception {
        fault.accept(cloud.faults());
        assertThatThrownBy(() -> api.post("v2/tags", "{\"name\":\"t\"}")).isInstanceOf(IOException.class);
        assertThat(api.get("v2/tags/t").status()).isEqualTo(200);
        fault.accept(cloud.faults());
        assertThatThrownBy(() -> api.post("v2/account/keys", "{\"name\":\"a\",\"public_key\":\"" + Api.KEY + "\"}"))
                .isInstanceOf(IOException.class);
        assertThat(api.total("v2/account/keys")).isEqualTo(1);
        fault.accept(cloud.faults());
        assertThatThrownBy(() -> api.create("a")).isInstanceOf(IOException.class);
        assertThat(api.total("v2/droplets")).isEqualTo(1);
        fault.accept(cloud.faults());
        String rule = "{\"protocol\":\"tcp\",\"ports\":\"22\",\"sources\":{\"addresses\":[\"0.0.0.0/0\"]}}";
        assertThatThrownBy(() ->
                        api.post("v2/firewalls", "{\"name\":\"fw\",\"tags\":[\"t\"],\"inbound_rules\":[" + rule + "]}"))
                .isInstanceOf(IOException.class);
        assertThat(api.total("v2/firewalls")).isEqualTo(1);
    }

    @Test
    void dropAnswers_ofDeletes_areCarriedOut() throws Exception {
        long id = api.create("a");
        cloud.faults().dropAnswers(2);
        assertThatThrownBy(() -> api.delete("v2/droplets/" + id)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> api.delete("v2/tags/mesh")).isInstanceOf(IOException.class);
        api.awaitTotal(0);
        assertThat(api.get("v2/tags/mesh").status()).isEqualTo(404);
    }

    @Test
    void closeConnections_nothingIsCarriedOut() throws Exception {
        cloud.faults().closeConnections(1);
        assertThatThrownBy(() -> api.create("a")).isInstanceOf(IOException.class);
        assertThat(api.total("v2/droplets")).isZero();
        assertThat(cloud.requests().get(0).status()).isZero();
        assertThat(cloud.requests().get(0).body()).isEmpty();
    }

    @Test
    void badGateways_areHtmlAndCarriedOut() throws Exception {
        cloud.faults().badGateways(1);
        Api.Answer answer = api.post("v2/tags", "{\"name\":\"t\"}");
        assertThat(answer.status()).isEqualTo(502);
        assertThat(answer.text()).startsWith("<html>");
        assertThat(answer.headers().firstValue("content-type")).hasValue("text/html");
        assertThat(answer.headers().firstValue("x-request-id")).isPresent();
        assertThat(api.get("v2/tags/t").status()).isEqualTo(200);
    }

    @Test
    void truncateAnswers_areHalfOfTheJson() throws Exception {
        cloud.faults().truncateAnswers(1);
        String half = api.text("v2/account");
        String whole = api.text("v2/account");
        assertThat(half).isNotEmpty();
        assertThat(whole).startsWith(half).hasSizeGreaterThan(half.length());
    }

    @Test
    void hourlyLimit_isSaidByResetAlone() throws Exception {
        cloud.faults().hourlyLimit(1, Duration.ofMinutes(20));
        Api.Answer answer = api.get("v2/account");
        assertThat(answer.status()).isEqualTo(429);
        assertThat(answer.headers().firstValue("retry-after")).isEmpty();
        assertThat(answer.headers().firstValue("ratelimit-remaining")).hasValue("0");
        long reset = answer.headers().firstValueAsLong("ratelimit-reset").orElseThrow();
        assertThat(Instant.ofEpochSecond(reset))
                .isBetween(Instant.now().plusSeconds(1100), Instant.now().plusSeconds(1201));
        assertThat(api.get("v2/account").status()).isEqualTo(200);
    }

    @Test
    void burstLimit_isSaidByRetryAfterWithRoomLeft() throws Exception {
        cloud.faults().rateLimit(1, Duration.ofSeconds(2));
        Api.Answer answer = api.get("v2/account");
        assertThat(answer.headers().firstValue("retry-after")).hasValue("2");
        assertThat(answer.headers().firstValueAsLong("ratelimit-remaining").orElseThrow())
                .isPositive();
    }

    @Test
    void minuteLimit_usedUp_tooManyRequestsForLessThanAMinute() throws Exception {
        try (LocalCloud small = LocalCloud.builder()
                .recordsOnly()
                .observer(contract)
                .minuteLimit(2)
                .start()) {
            Api few = new Api(small.endpoint(), small.token());
            few.get("v2/account");
            assertThat(few.get("v2/account").status()).isEqualTo(200);
            Api.Answer third = few.get("v2/account");
            assertThat(third.status()).isEqualTo(429);
            assertThat(third.headers().firstValueAsLong("retry-after").orElseThrow())
                    .isBetween(1L, 60L);
            assertThat(third.headers().firstValueAsLong("ratelimit-remaining").orElseThrow())
                    .isPositive();
        }
    }

    @Test
    void keyLists_moreThanTenAMinute_tooManyRequests() throws Exception {
        for (int i = 0; i < 10; i++) {
            assertThat(api.get("v2/account/keys").status()).isEqualTo(200);
        }
        assertThat(api.get("v2/account/keys").status()).isEqualTo(429);
        assertThat(api.get("v2/account").status()).isEqualTo(200);
    }

    @Test
    void only_oneKindOfCall_leavesTheOthersAlone() throws Exception {
        cloud.faults().only("POST", "/v2/tags/*/resources").serverErrors(1);
        api.create("a");
        assertThat(api.get("v2/tags").status()).isEqualTo(200);
        assertThat(api.post("v2/tags", "{\"name\":\"t\"}").status()).isEqualTo(201);
        assertThat(api.post("v2/tags/t/resources", "{\"resources\":[]}").status())
                .isEqualTo(503);
        assertThat(api.post("v2/tags/t/resources", "{\"resources\":[]}").status())
                .isEqualTo(204);
    }

    @Test
    void only_aMethod_whateverThePath() throws Exception {
        cloud.faults().only("DELETE", "*").serverErrors(9);
        long id = api.create("a");
        assertThat(api.delete("v2/droplets/" + id).status()).isEqualTo(503);
        assertThat(api.delete("v2/tags/mesh").status()).isEqualTo(503);
        cloud.faults().clear();
        assertThat(api.delete("v2/tags/mesh").status()).isEqualTo(204);
    }

    @Test
    void slowAnswers_ofOtherCalls_areNotHeldBack() throws Exception {
        cloud.faults().only("GET", "/v2/sizes").slowAnswers(LONG);
        assertThat(api.get("v2/account").status()).isEqualTo(200);
    }

    @Test
    void pageSize_smallerThanAskedFor_isWhatThePagesHave() throws Exception {
        for (int i = 0; i < 5; i++) {
            api.create("n" + i);
        }
        cloud.faults().pageSize(2);
        JsonNode first = api.get("v2/droplets?per_page=200").body();
        assertThat(first.path("droplets")).hasSize(2);
        assertThat(first.at("/links/pages/next").asText()).contains("page=2").contains("per_page=200");
        JsonNode last = api.get("v2/droplets?per_page=200&page=3").body();
        assertThat(last.path("droplets")).hasSize(1);
        assertThat(last.at("/links/pages/next").isMissingNode()).isTrue();
    }

    @Test
    void dropletLimit_lowered_isSaidAndKept() throws Exception {
        api.create("a");
        cloud.faults().dropletLimit(1);
        assertThat(api.get("v2/account").body().at("/account/droplet_limit").asInt())
                .isEqualTo(1);
        assertThat(api.post("v2/droplets", Api.spec("\"name\":\"b\"")).status()).isEqualTo(422);
        cloud.faults().clear();
        assertThat(api.post("v2/droplets", Api.spec("\"name\":\"b\"")).status()).isEqualTo(202);
    }

    @Test
    void vanishingCreate_isNowhere() throws Exception {
        cloud.faults().vanishingCreates(1);
        Api.Answer created = api.post("v2/droplets", Api.spec("\"name\":\"a\""));
        assertThat(created.status()).isEqualTo(202);
        long id = created.body().at("/droplet/id").asLong();
        long action = created.body().at("/links/actions/0/id").asLong();
        api.awaitTotal(0);
        Await.until(Duration.ofSeconds(5), "the action to go", () -> status("v2/actions/" + action) == 404);
        assertThat(status("v2/droplets/" + id)).isEqualTo(404);
        assertThat(status("v2/droplets/" + id + "/actions")).isEqualTo(404);
        assertThat(api.delete("v2/droplets/" + id).status()).isEqualTo(404);
    }

    @Test
    void brokenCreate_staysNewWithAnErroredAction() throws Exception {
        cloud.faults().brokenCreates(1);
        long id = api.create("a");
        Await.until(
                Duration.ofSeconds(5),
                "an errored action",
                () -> api.quietly("v2/droplets/" + id + "/actions")
                        .at("/actions/0/status")
                        .asText()
                        .equals("errored"));
        assertThat(api.get("v2/droplets/" + id).body().at("/droplet/status").asText())
                .isEqualTo("new");
        assertThat(api.delete("v2/droplets/" + id).status()).isEqualTo(204);
        api.awaitTotal(0);
    }

    @Test
    void slowCreates_areNewAndThenActive() throws Exception {
        cloud.faults().slowCreates(SHORT);
        long start = System.nanoTime();
        long id = api.create("a");
        assertThat(api.get("v2/droplets/" + id).body().at("/droplet/status").asText())
                .isEqualTo("new");
        api.awaitActive(id);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(SHORT);
    }

    @Test
    void slowCreates_deletedBeforeTheyAreUp_areGoneForGood() throws Exception {
        cloud.faults().slowCreates(SHORT);
        Api.Answer created = api.post("v2/droplets", Api.spec("\"name\":\"a\""));
        long action = created.body().at("/links/actions/0/id").asLong();
        api.delete("v2/droplets/" + created.body().at("/droplet/id").asLong());
        api.awaitTotal(0);
        Await.until(
                Duration.ofSeconds(5),
                "an action that came to nothing",
                () -> api.quietly("v2/actions/" + action)
                        .at("/action/status")
                        .asText()
                        .equals("errored"));
        assertThat(api.total("v2/droplets")).isZero();
    }

    @Test
    void slowDeletes_areListedUntilTheyAreGone() throws Exception {
        long id = api.create("a");
        api.awaitActive(id);
        cloud.faults().slowDeletes(SHORT);
        assertThat(api.delete("v2/droplets/" + id).status()).isEqualTo(204);
        assertThat(api.total("v2/droplets")).isEqualTo(1);
        assertThat(api.delete("v2/droplets/" + id).status()).isEqualTo(204);
        api.awaitTotal(0);
    }

    @ParameterizedTest
    @ValueSource(ints = {409, 422})
    void refuseDeleteWhileNew_byIdAndByTag(int status) throws Exception {
        cloud.faults().stuckCreates(1).refuseDeleteWhileNew(status);
        long stuck = api.create("a");
        api.awaitActive(api.create("b"));
        assertThat(api.delete("v2/droplets/" + stuck).status()).isEqualTo(status);
        assertThat(api.delete("v2/droplets?tag_name=mesh").status()).isEqualTo(204);
        api.awaitTotal(1);
        assertThat(status("v2/droplets/" + stuck)).isEqualTo(200);
    }

    @Test
    void tagLag_hidesYoungTagsAndYoungDropletsFromCounts() throws Exception {
        cloud.faults().tagLag(LONG);
        api.create("a");
        assertThat(api.total("v2/tags")).isZero();
        assertThat(api.get("v2/tags/mesh").body().at("/tag/resources/count").asInt())
                .isZero();
        assertThat(api.total("v2/droplets?tag_name=mesh")).isEqualTo(1);
        cloud.faults().clear();
        assertThat(api.get("v2/tags").body().at("/tags/0/resources/count").asInt())
                .isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"POST,/v2/droplets", "*,/v2/droplets", "POST,*", "*,*"})
    void clear_afterAnything_switchesAllOff(String method, String path) throws Exception {
        cloud.faults()
                .only(method, path)
                .listLag(LONG)
                .readLag(LONG)
                .tagLag(LONG)
                .lateAddresses(LONG)
                .slowCreates(LONG)
                .slowDeletes(LONG)
                .slowAnswers(LONG)
                .pageSize(1)
                .dropletLimit(0)
                .dropCreateAnswers(9)
                .dropAnswers(9)
                .closeConnections(9)
                .rateLimit(9, LONG)
                .hourlyLimit(9, LONG)
                .serverErrors(9)
                .badGateways(9)
                .truncateAnswers(9)
                .cutAnswers(9)
                .erroredCreates(9)
                .brokenCreates(9)
                .vanishingCreates(9)
                .stuckCreates(9)
                .refuseDeleteWhileNew(true)
                .foreignPageLinks(true)
                .clear();
        JsonNode droplet = api.awaitActive(api.create("a"));
        api.create("b");
        assertThat(Api.addresses(droplet, "public")).hasSize(1);
        assertThat(api.get("v2/droplets").body().path("droplets")).hasSize(2);
        assertThat(api.get("v2/tags").body().path("tags")).hasSize(1);
        assertThat(api.delete("v2/droplets?tag_name=mesh").status()).isEqualTo(204);
        api.awaitTotal(0);
    }

    private int status(String path) {
        try {
            return api.get(path).status();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
