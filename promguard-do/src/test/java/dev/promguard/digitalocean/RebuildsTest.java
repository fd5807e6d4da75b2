package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Bodies.MESH;
import static dev.promguard.digitalocean.Bodies.MESH_TAG;
import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.html;
import static dev.promguard.digitalocean.Cloud.odd;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import dev.promguard.spi.Rebuild;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said of rebuilds decides whether a host is let in: nothing is left out of it, and nothing guessed. */
class RebuildsTest {
    private static final String ACTIONS = "/v2/droplets/11/actions";
    private static final Instant STARTED = Instant.parse("2026-11-23T10:00:00Z");

    @RegisterExtension
    final Cloud cloud = new Cloud();

    private Cloud withDroplet() {
        return cloud.on("GET", "/v2/droplets/11", ok("{\"droplet\":" + Bodies.active(11, "a") + "}"));
    }

    @ParameterizedTest
    @CsvSource({"in-progress,IN_PROGRESS", "completed,COMPLETED", "errored,FAILED"})
    void rebuilds_amongOtherActions_areThoseAloneWithTheirStatusAndTime(String status, Rebuild.Status expected) {
        withDroplet()
                .on(
                        "GET",
                        ACTIONS,
                        ok(Bodies.list(
                                "actions",
                                Bodies.action(3, "reboot", "completed"),
                                Bodies.action(2, "rebuild", status),
                                Bodies.action(1, "create", "completed"))));

        assertThat(cloud.provider().rebuilds(MESH, "11")).containsExactly(new Rebuild(STARTED, expected));
    }

    @Test
    void rebuilds_onASecondPage_areFound() {
        String next = "{\"pages\":{\"next\":\"https://elsewhere.example/v2/droplets/11/actions?page=2&per_page=200\"}}";
        withDroplet()
                .on(
                        "GET",
                        ACTIONS + "?page=1",
                        ok(Bodies.page("actions", next, 2, Bodies.action(2, "reboot", "completed"))))
                .on("GET", ACTIONS + "?page=2", ok(Bodies.list("actions", Bodies.action(1, "rebuild", "completed"))));

        assertThat(cloud.provider().rebuilds(MESH, "11"))
                .containsExactly(new Rebuild(STARTED, Rebuild.Status.COMPLETED));
    }

    @Test
    void rebuilds_dropletOfAnotherMesh_areNotLookedAt() {
        cloud.on(
                "GET",
                "/v2/droplets/11",
                ok("{\"droplet\":" + Bodies.droplet(11, "a", "active", Bodies.publicV4("203.0.113.11"), MESH_TAG + "s")
                        + "}"));

        assertThat(cloud.provider().rebuilds(MESH, "11")).isEmpty();
        assertThat(cloud.lines()).containsExactly("GET /v2/droplets/11");
    }

    @Test
    void rebuilds_dropletThatIsGone_areNone() {
        cloud.on("GET", "/v2/droplets/11", refusal(404, "not_found", "not found"));

        assertThat(cloud.provider().rebuilds(MESH, "11")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "yesterday", "2026-11-23", "1795435200"})
    void rebuilds_timeThatIsNone_isAFailureAndNotPassedOver(String time) {
        String action = Bodies.action(2, "rebuild", "completed").replace("2026-11-23T10:00:00Z", time);
        withDroplet().on("GET", ACTIONS, odd(200, Bodies.list("actions", action)));

        assertThat(failure(() -> cloud.provider().rebuilds(MESH, "11"))).hasMessageContaining("incomplete answer");
    }

    @Test
    void rebuilds_answerWithoutActions_isAFailure() {
        withDroplet().on("GET", ACTIONS, odd(200, "{}"));

        assertThat(failure(() -> cloud.provider().rebuilds(MESH, "11"))).hasMessageContaining("incomplete answer");
    }

    @Test
    void rebuilds_apiInTrouble_isAFailure() {
        withDroplet().on("GET", ACTIONS, html(502));

        assertThat(failure(() -> cloud.provider().rebuilds(MESH, "11")).retryable())
                .isTrue();
    }

    @Test
    void clock_dateOfTheAnswer_isTheTimeWhateverTheClockHere() {
        cloud.on(
                "GET",
                "/v2/account",
                ok(Bodies.account(25, "active")).withHeader("Date", "Tue, 06 May 2031 07:08:09 GMT"));

        assertThat(cloud.provider().clock()).contains(Instant.parse("2031-05-06T07:08:09Z"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "now", "2031-05-06T07:08:09Z"})
    void clock_dateThatIsNone_isNotTold(String date) {
        cloud.on("GET", "/v2/account", ok(Bodies.account(25, "active")).withHeader("Date", date));

        assertThat(cloud.provider().clock()).isEmpty();
    }

    @Test
    void clock_answerFromACache_isNotTold() {
        cloud.on(
                "GET",
                "/v2/account",
                ok(Bodies.account(25, "active"))
                        .withHeader("Date", "Tue, 06 May 2031 07:08:09 GMT")
                        .withHeader("Age", "600"));

        assertThat(cloud.provider().clock()).isEmpty();
    }
}
