package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Bodies.ATTEMPT_TAG;
import static dev.promguard.digitalocean.Bodies.MESH;
import static dev.promguard.digitalocean.Bodies.MESH_TAG;
import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.html;
import static dev.promguard.digitalocean.Cloud.json;
import static dev.promguard.digitalocean.Cloud.none;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import dev.promguard.ProviderException;
import dev.promguard.spi.FoundHost;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Droplets are looked up by id, whatever somebody named or tagged them, and get the mesh's tag back. */
class IdentityTest {
    private static final String TAGS = "/v2/tags";
    private static final String RESOURCES = "/v2/tags/promguard%3Amesh%3Ashop/resources";
    private static final ResponseDefinitionBuilder MADE = json(201, "{\"tag\":" + Bodies.tag(MESH_TAG, 0) + "}");

    @RegisterExtension
    final Cloud cloud = new Cloud();

    private static String untagged(long id, String name) {
        return Bodies.droplet(id, name, "active", Bodies.address(id), ATTEMPT_TAG, "promguard");
    }

    private static ResponseDefinitionBuilder one(String droplet) {
        return ok("{\"droplet\":" + droplet + "}");
    }

    @Test
    void find_renamedUntaggedAndGone_areAskedForOneByOne() {
        cloud.on("GET", "/v2/droplets/11", one(Bodies.active(11, "web")))
                .on("GET", "/v2/droplets/12", one(untagged(12, "b")))
                .on("GET", "/v2/droplets/13", refusal(404, "not_found", "not found"));

        List<FoundHost> found = cloud.provider().find(MESH, List.of("13", "12", "11"));

        assertThat(found)
                .extracting(host -> host.host().id(), host -> host.host().name(), FoundHost::tagged)
                .containsExactly(tuple("11", "web", true), tuple("12", "b", false));
        assertThat(cloud.lines()).hasSize(3);
    }

    @Test
    void find_many_takesOneListAndAsksOnlyForWhatItLacks() {
        String[] droplets =
                IntStream.range(11, 19).mapToObj(id -> untagged(id, "h" + id)).toArray(String[]::new);
        cloud.on("GET", "/v2/droplets", ok(Bodies.droplets(droplets)))
                .on("GET", "/v2/droplets/19", refusal(404, "not_found", "not found"));
        List<String> ids =
                IntStream.rangeClosed(11, 19).mapToObj(String::valueOf).toList();

        assertThat(cloud.provider().find(MESH, ids)).hasSize(8);
        assertThat(cloud.lines()).hasSize(2);
    }

    @Test
    void find_apiInTrouble_neverPassesForGone() {
        cloud.on("GET", "/v2/droplets/11", html(502));

        ProviderException failure = failure(() -> cloud.provider().find(MESH, List.of("11")));

        assertThat(failure.retryable()).isTrue();
    }

    @Test
    void find_none_asksNothing() {
        assertThat(cloud.provider().find(MESH, List.of())).isEmpty();
        cloud.provider().tag(MESH, List.of());

        assertThat(cloud.lines()).isEmpty();
    }

    @Test
    void tag_several_isOneCallAfterTheTagIsMade() {
        cloud.on("POST", TAGS, MADE).on("POST", RESOURCES, none());

        cloud.provider().tag(MESH, List.of("12", "11"));

        assertThat(cloud.lines()).containsExactly("POST " + TAGS, "POST " + RESOURCES);
        assertThat(cloud.calls().get(1).getBodyAsString()).contains("\"resource_id\":\"11\"", "\"resource_id\":\"12\"");
    }

    @Test
    void tag_thatIsThereAlready_isTakenAsItIs() {
        cloud.on("POST", TAGS, refusal(422, "unprocessable_entity", "Tag already exists"))
                .on("POST", RESOURCES, html(502), none());

        cloud.provider().tag(MESH, List.of("11"));

        assertThat(cloud.count("POST " + RESOURCES)).isEqualTo(2);
    }

    @Test
    void tag_forbidden_saysWhichTagToPutOnWhichDroplet() {
        cloud.on("POST", TAGS, refusal(403, "forbidden", "not for you"));

        ProviderException failure = failure(() -> cloud.provider().tag(MESH, List.of("11")));

        assertThat(failure)
                .hasMessageContaining(MESH_TAG)
                .hasMessageContaining("droplet 11")
                .hasMessageContaining("control panel");
        assertThat(failure.status()).hasValue(403);
    }

    @Test
    void tag_dropletGone_isAFailure() {
        cloud.on("POST", TAGS, MADE).on("POST", RESOURCES, refusal(404, "not_found", "not found"));

        assertThat(failure(() -> cloud.provider().tag(MESH, List.of("11"))).status())
                .hasValue(404);
    }
}
