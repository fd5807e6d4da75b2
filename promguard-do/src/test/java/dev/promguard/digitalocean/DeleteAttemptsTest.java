package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Bodies.ATTEMPT_TAG;
import static dev.promguard.digitalocean.Bodies.MESH;
import static dev.promguard.digitalocean.Bodies.MESH_TAG;
import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.html;
import static dev.promguard.digitalocean.Cloud.none;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** All droplets of an attempt, deleted by its tag with one call, and waited for. */
class DeleteAttemptsTest {
    private static final String LIST = "/v2/droplets?tag_name=" + MESH_TAG;
    private static final String BY_ATTEMPT = "/v2/droplets?tag_name=" + ATTEMPT_TAG;
    private static final String DELETE = "DELETE /v2/droplets?tag_name=promguard%3Aattempt%3Ashop%3Aa1b2";
    private static final List<String> ATTEMPTS = List.of("a1b2");
    private static final Duration LONG = Duration.ofSeconds(20);

    @RegisterExtension
    final Cloud cloud = new Cloud();

    private long deletions() {
        return cloud.lines().stream().filter(line -> line.startsWith("DELETE")).count();
    }

    @Test
    void deleteAttempts_accepted_isOneCallAndLooksUntilTheyAreGone() {
        cloud.on("DELETE", BY_ATTEMPT, none())
                .on(
                        "GET",
                        LIST,
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"), Bodies.active(12, "shop-node-2"))),
                        ok(Bodies.droplets(Bodies.active(12, "shop-node-2"))),
                        ok(Bodies.droplets()));

        cloud.provider().deleteAttempts(MESH, ATTEMPTS, LONG);

        assertThat(cloud.lines()).hasSize(4);
        assertThat(cloud.lines().get(0)).isEqualTo(DELETE);
        assertThat(deletions()).isEqualTo(1);
    }

    @Test
    void deleteAttempts_nothingThere_isDone() {
        cloud.on("DELETE", BY_ATTEMPT, refusal(404, "not_found", "tag not found"))
                .on("GET", LIST, ok(Bodies.droplets()));

        cloud.provider().deleteAttempts(MESH, ATTEMPTS, LONG);

        assertThat(deletions()).isEqualTo(1);
    }

    @Test
    void deleteAttempts_refusedWhileOneIsNew_deletesTheOthersAndAsksAgain() {
        cloud.on(
                        "DELETE",
                        BY_ATTEMPT,
                        refusal(422, "unprocessable_entity", "droplet is new"),
                        refusal(422, "unprocessable_entity", "droplet is new"),
                        none())
                .on("DELETE", "/v2/droplets/11", none())
                .on("DELETE", "/v2/droplets/12", refusal(422, "unprocessable_entity", "droplet is new"))
                .on(
                        "GET",
                        LIST,
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"), Bodies.fresh(12, "shop-node-2"))),
                        ok(Bodies.droplets(Bodies.active(12, "shop-node-2"))),
                        ok(Bodies.droplets()));

        cloud.provider().deleteAttempts(MESH, ATTEMPTS, LONG);

        assertThat(cloud.count("DELETE /v2/droplets/11")).isEqualTo(1);
        assertThat(cloud.count(DELETE)).isEqualTo(3);
    }

    @Test
    void deleteAttempts_acceptedButForgotten_asksAgainAfterAWhile() {
        cloud.on("DELETE", BY_ATTEMPT, none())
                .on(
                        "GET",
                        LIST,
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))),
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))),
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))),
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))),
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))),
                        ok(Bodies.droplets()));

        cloud.provider().deleteAttempts(MESH, ATTEMPTS, LONG);

        assertThat(deletions()).isEqualTo(2);
    }

    /** Also where the deletion alone takes longer than there is time. */
    @ParameterizedTest
    @ValueSource(longs = {1, 100})
    void deleteAttempts_neverGone_namesWhatIsLeftInTime(long milliseconds) {
        cloud.on("DELETE", BY_ATTEMPT, none()).on("GET", LIST, ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))));

        assertThat(failure(() -> cloud.provider().deleteAttempts(MESH, ATTEMPTS, Duration.ofMillis(milliseconds))))
                .hasMessageContaining("\"shop-node-1\" (id 11)")
                .hasMessageContaining("Run again in a minute");
    }

    @Test
    void deleteAttempts_apiBroken_neverPassesForDone() {
        cloud.on("DELETE", BY_ATTEMPT, html(502)).on("GET", LIST, ok(Bodies.droplets()));

        assertThat(failure(() -> cloud.provider().deleteAttempts(MESH, ATTEMPTS, Duration.ofMillis(100))))
                .hasMessageContaining("502");
    }

    @Test
    void deleteAttempts_forbidden_saysSoAtOnce() {
        cloud.on("DELETE", BY_ATTEMPT, refusal(403, "forbidden", "not for you"));

        assertThat(failure(() -> cloud.provider().deleteAttempts(MESH, ATTEMPTS, LONG)))
                .hasMessageContaining("not for you");
    }

    @Test
    void deleteAttempts_otherDropletsOfTheMesh_areLeftAlone() {
        String other = Bodies.droplet(
                12, "other", "active", Bodies.address(12), MESH_TAG, "promguard:attempt:shop:ffff", "promguard");
        cloud.on("DELETE", BY_ATTEMPT, none())
                .on(
                        "GET",
                        LIST,
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"), other)),
                        ok(Bodies.droplets(other)));

        cloud.provider().deleteAttempts(MESH, ATTEMPTS, LONG);

        assertThat(cloud.lines()).filteredOn(line -> line.startsWith("DELETE")).containsExactly(DELETE);
    }

    @Test
    void deleteAttempts_several_isACallForEachAndOneListForAll() {
        cloud.on("DELETE", BY_ATTEMPT, none())
                .on("DELETE", "/v2/droplets?tag_name=promguard:attempt:shop:ffff", none())
                .on("GET", LIST, ok(Bodies.droplets()));

        cloud.provider().deleteAttempts(MESH, List.of("ffff", "a1b2"), LONG);

        assertThat(cloud.lines()).hasSize(3);
    }

    @Test
    void deleteAttempts_none_asksNothing() {
        cloud.provider().deleteAttempts(MESH, List.of(), LONG);

        assertThat(cloud.lines()).isEmpty();
    }
}
