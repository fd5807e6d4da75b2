package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Bodies.MESH;
import static dev.promguard.digitalocean.Bodies.MESH_TAG;
import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.html;
import static dev.promguard.digitalocean.Cloud.none;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import dev.promguard.ProviderException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Deleting: over only when no list shows the droplet any more, and never what is not the mesh's. */
class DeleteTest {
    private static final String BY_MESH = "/v2/droplets?tag_name=" + MESH_TAG;
    private static final String DELETE_11 = "DELETE /v2/droplets/11";
    private static final String DELETE_12 = "DELETE /v2/droplets/12";
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(60);
    private static final ResponseDefinitionBuilder NOTHING = ok(Bodies.droplets());
    private static final ResponseDefinitionBuilder BUSY =
            refusal(422, "unprocessable_entity", "Droplet already has a pending event.");

    @RegisterExtension
    final Cloud cloud = new Cloud();

    @Test
    void delete_nothing_asksNothing() {
        cloud.provider().delete(MESH, List.of(), LONG);

        assertThat(cloud.lines()).isEmpty();
    }

    @Test
    void delete_accepted_isSentOnceAndPolledUntilGone() {
        ResponseDefinitionBuilder there = ok(Bodies.droplets(Bodies.active(11, "a")));
        cloud.on("GET", BY_MESH, there, there, there, there, NOTHING).on("DELETE", "/v2/droplets/11", none());

        cloud.provider().delete(MESH, List.of("11"), LONG);

        assertThat(cloud.count(DELETE_11)).isEqualTo(1);
        assertThat(cloud.lines()).hasSize(6);
    }

    @Test
    void delete_alreadyGone_isSuccess() {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "a"))), NOTHING)
                .on("DELETE", "/v2/droplets/11", refusal(404, "not_found", "not found"));

        cloud.provider().delete(MESH, List.of("11"), LONG);

        assertThat(cloud.count(DELETE_11)).isEqualTo(1);
    }

    @Test
    void delete_inNoList_isAskedForByItselfAndIsSuccessOnceGone() {
        cloud.on("GET", BY_MESH, NOTHING).on("GET", "/v2/droplets/11", refusal(404, "not_found", "not found"));

        cloud.provider().delete(MESH, List.of("11"), LONG);

        assertThat(cloud.lines()).noneMatch(line -> line.startsWith("DELETE"));
    }

    @Test
    void delete_dropletThatListsDoNotShowYet_isDeletedAllTheSame() {
        cloud.on("GET", BY_MESH, NOTHING)
                .on(
                        "GET",
                        "/v2/droplets/11",
                        ok("{\"droplet\":" + Bodies.fresh(11, "a") + "}"),
                        ok("{\"droplet\":" + Bodies.fresh(11, "a") + "}"),
                        refusal(404, "not_found", "not found"))
                .on("DELETE", "/v2/droplets/11", none());

        cloud.provider().delete(MESH, List.of("11"), LONG);

        assertThat(cloud.count(DELETE_11)).isEqualTo(1);
        assertThat(cloud.count("GET /v2/droplets/11")).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"promguard:mesh:shop-2", "promguard", "promguard:role:node"})
    void delete_dropletWithoutTheMeshsTag_isLeftAlone(String tag) {
        String stranger = Bodies.droplet(11, "stranger", "active", Bodies.address(11), tag);
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(stranger)))
                .on("GET", "/v2/droplets/11", ok("{\"droplet\":" + stranger + "}"));

        cloud.provider().delete(MESH, List.of("11"), LONG);

        assertThat(cloud.lines()).isNotEmpty().noneMatch(line -> line.startsWith("DELETE"));
    }

    @Test
    void delete_otherDropletsOfTheMesh_areLeftAlone() {
        cloud.on(
                        "GET",
                        BY_MESH,
                        ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.active(12, "b"))),
                        ok(Bodies.droplets(Bodies.active(12, "b"))))
                .on("DELETE", "/v2/droplets/11", none());

        cloud.provider().delete(MESH, List.of("11"), LONG);

        assertThat(cloud.lines()).filteredOn(line -> line.startsWith("DELETE")).containsExactly(DELETE_11);
    }

    @ParameterizedTest
    @ValueSource(ints = {409, 422})
    void delete_refusedWhileStillNew_isTriedUntilItIsTaken(int status) {
        ResponseDefinitionBuilder busy = refusal(status, "conflict", "Droplet already has a pending event.");
        cloud.on(
                        "GET",
                        BY_MESH,
                        ok(Bodies.droplets(Bodies.fresh(11, "a"), Bodies.active(12, "b"))),
                        ok(Bodies.droplets(Bodies.fresh(11, "a"))),
                        ok(Bodies.droplets(Bodies.active(11, "a"))),
                        NOTHING)
                .on("DELETE", "/v2/droplets/11", busy, busy, none())
                .on("DELETE", "/v2/droplets/12", none());

        cloud.provider().delete(MESH, List.of("11", "12"), LONG);

        assertThat(cloud.count(DELETE_11)).isEqualTo(3);
        assertThat(cloud.count(DELETE_12)).isEqualTo(1);
    }

    @Test
    void delete_refusedForEver_endsInTimeAndSaysWhichAndWhy() {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.fresh(11, "a"), Bodies.fresh(12, "b"))))
                .on("DELETE", "/v2/droplets/11", none())
                .on("DELETE", "/v2/droplets/12", BUSY);
        long start = System.nanoTime();

        ProviderException failure = failure(() -> cloud.provider().delete(MESH, List.of("11", "12"), SHORT));

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(SHORT, Duration.ofSeconds(5));
        assertThat(failure)
                .hasMessageContaining("\"a\" (id 11), \"b\" (id 12) not gone")
                .hasMessageContaining("Run again in a minute")
                .hasMessageContaining("Droplet already has a pending event.");
        assertThat(failure.requestId()).hasValue("body-9c1e");
        assertThat(failure.retryable()).isTrue();
        assertThat(cloud.count(DELETE_11)).isEqualTo(1);
    }

    @Test
    void delete_troubleWithOne_doesNotKeepTheOthers() {
        cloud.on(
                        "GET",
                        BY_MESH,
                        ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.active(12, "b"))),
                        ok(Bodies.droplets(Bodies.active(11, "a"))))
                .on("DELETE", "/v2/droplets/11", html(502))
                .on("DELETE", "/v2/droplets/12", none());

        ProviderException failure = failure(() -> cloud.provider().delete(MESH, List.of("11", "12"), SHORT));

        assertThat(failure).hasMessageContaining("\"a\" (id 11)").hasMessageContaining("status 502");
        assertThat(cloud.count(DELETE_12)).isEqualTo(1);
    }

    @Test
    void delete_forbidden_isThrownAtOnce() {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "a"))))
                .on("DELETE", "/v2/droplets/11", refusal(403, "Forbidden", "You are not authorized"));

        ProviderException failure = failure(() -> cloud.provider().delete(MESH, List.of("11"), LONG));

        assertThat(failure.status()).hasValue(403);
        assertThat(failure).hasMessageContaining("may read and write");
        assertThat(cloud.count(DELETE_11)).isEqualTo(1);
    }

    @Test
    void delete_listInTroubleForAWhile_goesOn() {
        ResponseDefinitionBuilder trouble = html(502);
        cloud.on(
                        "GET",
                        BY_MESH,
                        ok(Bodies.droplets(Bodies.active(11, "a"))),
                        trouble,
                        trouble,
                        trouble,
                        trouble,
                        trouble,
                        trouble,
                        trouble,
                        NOTHING)
                .on("DELETE", "/v2/droplets/11", none());

        cloud.provider().delete(MESH, List.of("11"), LONG);

        assertThat(cloud.count(DELETE_11)).isEqualTo(1);
    }

    @Test
    void delete_apiThatDoesNotAnswer_endsSoonAfterItsTime() throws Exception {
        try (RawServer server = new RawServer(connection -> {
            connection.readRequest();
            connection.waitForEnd();
        })) {
            DigitalOcean provider = Cloud.builder(server.endpoint())
                    .callTimeout(Duration.ofMillis(400))
                    .build();
            long start = System.nanoTime();

            assertThat(failure(() -> provider.delete(MESH, List.of("11"), Duration.ofMillis(100))))
                    .hasMessageContaining("droplet 11 not gone")
                    .hasMessageContaining("no whole answer within");

            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
        }
    }
}
