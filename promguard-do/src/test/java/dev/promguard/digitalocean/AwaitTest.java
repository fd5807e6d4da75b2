package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Bodies.MESH;
import static dev.promguard.digitalocean.Bodies.MESH_TAG;
import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.html;
import static dev.promguard.digitalocean.Cloud.odd;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.ProvisioningResult;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Waiting for droplets: what keeps one back is said of that one, and does not keep the others back. */
class AwaitTest {
    private static final String BY_MESH = "/v2/droplets?tag_name=" + MESH_TAG;
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(60);

    @RegisterExtension
    final Cloud cloud = new Cloud();

    private static ResponseDefinitionBuilder actions(String type, String status) {
        return ok(Bodies.list("actions", Bodies.action(36804636, type, status)));
    }

    private ProvisioningResult await(Duration timeout) {
        return cloud.provider().await(MESH, Set.of("11", "12"), timeout);
    }

    private static void assertOnlyTheFirstIsReady(ProvisioningResult arrival) {
        assertThat(arrival.ready()).extracting(CloudHost::id).containsExactly("11");
        assertThat(arrival.missing()).containsOnlyKeys("12");
    }

    @Test
    void await_addressThatComesLate_isWaitedFor() {
        String addressless = Bodies.droplet(12, "b", "active", "", MESH_TAG);
        String privateOnly = Bodies.droplet(12, "b", "active", Bodies.privateV4("10.118.0.12"), MESH_TAG);
        cloud.on(
                "GET",
                BY_MESH,
                ok(Bodies.droplets(Bodies.active(11, "a"), addressless)),
                ok(Bodies.droplets(Bodies.active(11, "a"), privateOnly)),
                ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.active(12, "b"))));

        ProvisioningResult arrival = await(LONG);

        assertThat(arrival.missing()).isEmpty();
        assertThat(arrival.ready())
                .extracting(host -> host.publicAddress().orElseThrow())
                .containsExactly("203.0.113.11", "203.0.113.12");
        assertThat(cloud.lines()).hasSize(3);
    }

    @Test
    void await_twoThatComeOneAfterTheOther_reportsEachOnceWhenItIsReady() {
        String first = Bodies.active(11, "a");
        cloud.on(
                "GET",
                BY_MESH,
                ok(Bodies.droplets(first, Bodies.fresh(12, "b"))),
                ok(Bodies.droplets(first, Bodies.fresh(12, "b"))),
                ok(Bodies.droplets(first, Bodies.active(12, "b"))));
        Map<String, Integer> lists = new LinkedHashMap<>();

        ProvisioningResult arrival = cloud.provider()
                .await(
                        MESH,
                        Set.of("11", "12"),
                        LONG,
                        host -> assertThat(lists.put(host.id(), cloud.lines().size()))
                                .isNull());

        assertThat(lists).containsExactly(Map.entry("11", 1), Map.entry("12", 3));
        assertThat(arrival.ready()).extracting(CloudHost::id).containsExactly("11", "12");
        assertThat(cloud.lines()).hasSize(3);
    }

    @Test
    void await_addressThatNeverComes_isSaidOfThatHost() {
        String privateOnly = Bodies.droplet(12, "b", "active", Bodies.privateV4("10.118.0.12"), MESH_TAG);
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "a"), privateOnly)))
                .on("GET", "/v2/droplets/12/actions", actions("create", "completed"));

        ProvisioningResult arrival = await(SHORT);

        assertOnlyTheFirstIsReady(arrival);
        assertThat(arrival.missing().get("12")).contains("active but has no public address", "Run apply again");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "not-an-address", "203.0.113.12; reboot"})
    void await_addressThatIsNone_isNotTaken(String address) {
        String strange = Bodies.droplet(12, "b", "active", Bodies.publicV4(address), MESH_TAG);
        cloud.on("GET", BY_MESH, odd(200, Bodies.droplets(Bodies.active(11, "a"), strange)))
                .on("GET", "/v2/droplets/12/actions", actions("create", "completed"));

        assertOnlyTheFirstIsReady(await(SHORT));
    }

    @Test
    void await_dropletThatVanishes_isNotWaitedForUntilTheEnd() {
        cloud.on(
                        "GET",
                        BY_MESH,
                        ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.fresh(12, "b"))),
                        ok(Bodies.droplets(Bodies.active(11, "a"))))
                .on("GET", "/v2/droplets/12", refusal(404, "not_found", "not found"));
        long start = System.nanoTime();

        ProvisioningResult arrival = await(LONG);

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
        assertOnlyTheFirstIsReady(arrival);
        assertThat(arrival.missing().get("12")).contains("vanished", "choose another region");
    }

    @Test
    void await_dropletThatNoListShowsYet_isWaitedForWhileListsLag() {
        ResponseDefinitionBuilder one = ok(Bodies.droplets(Bodies.active(11, "a")));
        cloud.on("GET", BY_MESH, one, one, one, ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.active(12, "b"))));

        ProvisioningResult arrival =
                cloud.builder().listLag(Duration.ofSeconds(20)).build().await(MESH, Set.of("11", "12"), LONG);

        assertThat(arrival.missing()).isEmpty();
        assertThat(cloud.lines()).hasSize(4).allMatch(line -> line.contains("tag_name"));
    }

    @Test
    void await_dropletThatListsForgetButThatIsThere_isWaitedFor() {
        ResponseDefinitionBuilder one = ok(Bodies.droplets(Bodies.active(11, "a")));
        ResponseDefinitionBuilder[] lists =
                Stream.generate(() -> one).limit(30).toArray(ResponseDefinitionBuilder[]::new);
        lists[29] = ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.active(12, "b")));
        cloud.on("GET", BY_MESH, lists)
                .on("GET", "/v2/droplets/12", ok("{\"droplet\":" + Bodies.active(12, "b") + "}"));

        ProvisioningResult arrival = await(LONG);

        assertThat(arrival.missing()).isEmpty();
        assertThat(cloud.lines()).contains("GET /v2/droplets/12");
    }

    @Test
    void await_erroredAction_isToldBeforeTheTimeIsOver() {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.fresh(12, "b"))))
                .on("GET", "/v2/droplets/12/actions", actions("create", "errored"));
        long start = System.nanoTime();

        ProvisioningResult arrival = await(LONG);

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
        assertOnlyTheFirstIsReady(arrival);
        assertThat(arrival.missing().get("12")).contains("could not be created, as its create action says");
        assertThat(cloud.count("GET /v2/droplets/12/actions")).isEqualTo(1);
        assertThat(cloud.lines()).noneMatch(line -> line.contains("/11"));
    }

    @Test
    void await_erroredActionSeenAtTheEnd_isTold() {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.fresh(12, "b"))))
                .on("GET", "/v2/droplets/12/actions", actions("create", "errored"));

        assertThat(await(Duration.ZERO).missing().get("12")).contains("as its create action says");
    }

    @Test
    void await_otherActionThatErrored_isNotTakenForTheCreation() {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.fresh(12, "b"))))
                .on("GET", "/v2/droplets/12/actions", actions("snapshot", "errored"));

        assertThat(await(SHORT).missing().get("12")).contains("still \"new\"");
    }

    @Test
    void await_dropletThatStaysNew_endsInTime() {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.fresh(12, "b"))))
                .on("GET", "/v2/droplets/12/actions", actions("create", "in-progress"));
        long start = System.nanoTime();

        ProvisioningResult arrival = await(SHORT);

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(SHORT, Duration.ofSeconds(5));
        assertOnlyTheFirstIsReady(arrival);
        assertThat(arrival.missing().get("12")).contains("droplet 12 is still \"new\"", "Run apply again");
    }

    @Test
    void await_dropletThatIsInNoListAtTheEnd_isSaid() {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "a"))));

        ProvisioningResult arrival =
                cloud.builder().listLag(Duration.ofSeconds(20)).build().await(MESH, Set.of("11", "12"), SHORT);

        assertOnlyTheFirstIsReady(arrival);
        assertThat(arrival.missing().get("12")).contains("in no list");
    }

    @Test
    void await_actionsThatMayNotBeRead_doNotHideTheOthers() {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.fresh(12, "b"))))
                .on("GET", "/v2/droplets/12/actions", refusal(403, "Forbidden", "You are not authorized"));

        ProvisioningResult arrival = await(Duration.ofMillis(300));

        assertOnlyTheFirstIsReady(arrival);
        assertThat(arrival.missing().get("12")).contains("not ready", "You are not authorized");
    }

    @Test
    void await_apiInTroubleForAWhile_goesOn() {
        ResponseDefinitionBuilder[] answers =
                Stream.generate(() -> html(502)).limit(20).toArray(ResponseDefinitionBuilder[]::new);
        answers[19] = ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.active(12, "b")));
        cloud.on("GET", BY_MESH, answers);

        assertThat(await(LONG).missing()).isEmpty();
    }

    @Test
    void await_apiInTroubleToTheEnd_saysOfEachHostThatNothingIsKnown() {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.fresh(12, "b"))), html(502));

        ProvisioningResult arrival = await(Duration.ofMillis(600));

        assertOnlyTheFirstIsReady(arrival);
        assertThat(arrival.missing().get("12")).contains("not known", "status 502");
    }

    @Test
    void await_apiThatDoesNotAnswer_endsSoonAfterItsTime() throws Exception {
        try (RawServer server = new RawServer(connection -> {
            connection.readRequest();
            connection.waitForEnd();
        })) {
            DigitalOcean provider = Cloud.builder(server.endpoint())
                    .callTimeout(Duration.ofMillis(400))
                    .build();
            long start = System.nanoTime();

            ProvisioningResult arrival = provider.await(MESH, Set.of("11"), Duration.ofMillis(100));

            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
            assertThat(arrival.ready()).isEmpty();
            assertThat(arrival.missing())
                    .hasEntrySatisfying("11", why -> assertThat(why).contains("not known", "no whole answer within"));
        }
    }

    @Test
    void await_askedToWaitBeyondItsTime_doesNot() {
        cloud.on("GET", BY_MESH, refusal(429, "too_many_requests", "slow").withHeader("retry-after", "200"));
        long start = System.nanoTime();

        ProvisioningResult arrival = await(SHORT);

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        assertThat(arrival.missing()).containsOnlyKeys("11", "12");
        assertThat(arrival.missing().values()).allMatch(why -> why.contains("Run again in 200 s"));
    }

    @Test
    void await_refusal_isThrownAtOnce() {
        cloud.on("GET", BY_MESH, refusal(401, "Unauthorized", "Unable to authenticate you"));

        assertThat(failure(() -> await(LONG)).status()).hasValue(401);
        assertThat(cloud.lines()).hasSize(1);
    }

    @Test
    void await_timeWithoutEnd_isTaken() {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.active(12, "b"))));

        assertThat(await(Duration.ofSeconds(Long.MAX_VALUE)).ready()).hasSize(2);
    }

    @Test
    void await_strangerWithTheSameId_isNotReady() {
        String stranger = Bodies.droplet(12, "b", "active", Bodies.address(12), "promguard:mesh:other");
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "a"), stranger)))
                .on("GET", "/v2/droplets/12", refusal(404, "not_found", "not found"));

        ProvisioningResult arrival = await(LONG);

        assertOnlyTheFirstIsReady(arrival);
    }
}
