package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Bodies.MESH;
import static dev.promguard.digitalocean.Bodies.MESH_TAG;
import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.html;
import static dev.promguard.digitalocean.Cloud.none;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** All of a mesh's droplets, deleted by their tag with one call, and waited for. */
class DeleteAllTest {
    private static final String LIST = "/v2/droplets?tag_name=" + MESH_TAG;
    private static final String DELETE = "DELETE /v2/droplets?tag_name=promguard%3Amesh%3Ashop";
    private static final Duration LONG = Duration.ofSeconds(20);

    @RegisterExtension
    final Cloud cloud = new Cloud();

    private long deletions() {
        return cloud.lines().stream().filter(line -> line.startsWith("DELETE")).count();
    }

    @Test
    void deleteAll_accepted_isOneCallAndLooksUntilTheyAreGone() {
        cloud.on("DELETE", LIST, none())
                .on(
                        "GET",
                        LIST,
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"), Bodies.active(12, "shop-node-2"))),
                        ok(Bodies.droplets(Bodies.active(12, "shop-node-2"))),
                        ok(Bodies.droplets()));

        cloud.provider().deleteAll(MESH, LONG);

        assertThat(cloud.lines()).hasSize(4);
        assertThat(cloud.lines().get(0)).isEqualTo(DELETE);
        assertThat(deletions()).isEqualTo(1);
    }

    @Test
    void deleteAll_nothingThere_isDone() {
        cloud.on("DELETE", LIST, refusal(404, "not_found", "tag not found")).on("GET", LIST, ok(Bodies.droplets()));

        cloud.provider().deleteAll(MESH, LONG);

        assertThat(deletions()).isEqualTo(1);
    }

    @Test
    void deleteAll_refusedWhileOneIsNew_deletesTheOthersAndAsksAgain() {
        cloud.on(
                        "DELETE",
                        LIST,
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

        cloud.provider().deleteAll(MESH, LONG);

        assertThat(cloud.count("DELETE /v2/droplets/11")).isEqualTo(1);
        assertThat(cloud.count(DELETE)).isEqualTo(3);
    }

    @Test
    void deleteAll_acceptedButForgotten_asksAgainAfterAWhile() {
        cloud.on("DELETE", LIST, none())
                .on(
                        "GET",
                        LIST,
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))),
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))),
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))),
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))),
                        ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))),
                        ok(Bodies.droplets()));

        cloud.provider().deleteAll(MESH, LONG);

        assertThat(deletions()).isEqualTo(2);
    }

    @Test
    void deleteAll_neverGone_namesWhatIsLeftInTime() {
        cloud.on("DELETE", LIST, none()).on("GET", LIST, ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))));

        assertThat(failure(() -> cloud.provider().deleteAll(MESH, Duration.ofMillis(100))))
                .hasMessageContaining("\"shop-node-1\" (id 11)")
                .hasMessageContaining("run again");
    }

    @Test
    void deleteAll_apiBroken_neverPassesForDone() {
        cloud.on("DELETE", LIST, html(502)).on("GET", LIST, ok(Bodies.droplets()));

        assertThat(failure(() -> cloud.provider().deleteAll(MESH, Duration.ofMillis(100))))
                .hasMessageContaining("502");
    }

    @Test
    void deleteAll_forbidden_saysSoAtOnce() {
        cloud.on("DELETE", LIST, refusal(403, "forbidden", "not for you"));

        assertThat(failure(() -> cloud.provider().deleteAll(MESH, LONG))).hasMessageContaining("not for you");
    }
}
