package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LocalCloudApiTest {
    private static final String FINGERPRINT = "70:ce:f1:5e:b7:68:c9:c4:84:77:0d:20:42:1c:55:09";
    private static final Duration LONG = Duration.ofHours(1);

    @RegisterExtension
    final ContractWatch contract = ContractWatch.ofAnswers();

    private LocalCloud cloud;
    private Api api;

    @BeforeEach
    void start() {
        cloud = LocalCloud.builder()
                .recordsOnly()
                .observer(contract)
                .dropletLimit(30)
                .start();
        api = new Api(cloud.endpoint(), cloud.token());
    }

    @AfterEach
    void stop() {
        cloud.close();
    }

    @Test
    void anyCall_wrongToken_unauthorizedBody() throws Exception {
        Api.Answer answer = new Api(cloud.endpoint(), "dop_v1_wrong").get("v2/account");
        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.text()).isEqualTo("{\"id\":\"Unauthorized\",\"message\":\"Unable to authenticate you\"}");
    }

    @Test
    void write_readOnlyToken_forbidden() throws Exception {
        Api reader = new Api(cloud.endpoint(), cloud.readOnlyToken());
        assertThat(reader.get("v2/droplets").status()).isEqualTo(200);
        Api.Answer answer = reader.post("v2/tags", "{\"name\":\"a\"}");
        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.body().path("id").asText()).isEqualTo("Forbidden");
        assertThat(api.get("v2/tags").body().path("tags")).isEmpty();
    }

    @Test
    void anyCall_always_carriesRateLimitAndRequestId() throws Exception {
        Api.Answer first = api.get("v2/account");
        Api.Answer second = api.get("v2/nothing");
        assertThat(first.headers().firstValueAsLong("ratelimit-limit")).hasValue(5000);
        assertThat(first.headers().firstValueAsLong("ratelimit-remaining")).hasValue(4999);
        assertThat(second.headers().firstValueAsLong("ratelimit-remaining")).hasValue(4998);
        assertThat(second.headers().firstValue("x-request-id")).isPresent();
        assertThat(second.status()).isEqualTo(404);
        assertThat(second.body().path("request_id").asText())
                .isEqualTo(second.headers().firstValue("x-request-id").orElseThrow());
    }

    @Test
    void anyCall_hourlyLimitUsedUp_tooManyRequests() throws Exception {
        try (LocalCloud small = LocalCloud.builder()
                .recordsOnly()
                .observer(contract)
                .hourlyLimit(2)
                .start()) {
            Api few = new Api(small.endpoint(), small.token());
            assertThat(few.get("v2/account").status()).isEqualTo(200);
            assertThat(few.get("v2/account").status()).isEqualTo(200);
            Api.Answer third = few.get("v2/account");
            assertThat(third.status()).isEqualTo(429);
            assertThat(third.body().path("id").asText()).isEqualTo("too_many_requests");
            assertThat(third.headers().firstValueAsLong("retry-after").orElseThrow())
                    .isBetween(3500L, 3600L);
        }
    }

    @Test
    void account_read_tellsDropletLimit() throws Exception {
        JsonNode account = api.get("v2/account").body().path("account");
        assertThat(account.path("droplet_limit").asInt()).isEqualTo(30);
        assertThat(account.path("status").asText()).isEqualTo("active");
        assertThat(account.path("uuid").asText()).isNotBlank();
    }

    @Test
    void key_added_hasMd5FingerprintAndIsFoundByIt() throws Exception {
        Api.Answer added = addKey();
        assertThat(added.status()).isEqualTo(201);
        assertThat(added.body().at("/ssh_key/fingerprint").asText()).isEqualTo(FINGERPRINT);
        assertThat(api.get("v2/account/keys/" + FINGERPRINT).body().at("/ssh_key/id"))
                .isEqualTo(added.body().at("/ssh_key/id"));
        Api.Answer again = addKey();
        assertThat(again.status()).isEqualTo(422);
        assertThat(again.body().path("message").asText()).isEqualTo("SSH Key is already in use on your account");
        assertThat(api.delete("v2/account/keys/" + FINGERPRINT).status()).isEqualTo(204);
        assertThat(api.delete("v2/account/keys/" + FINGERPRINT).status()).isEqualTo(404);
        assertThat(api.get("v2/account/keys").body().path("meta").path("total").asInt())
                .isZero();
    }

    @ParameterizedTest
    @CsvSource({"ssh-ed25519", "ssh-ed25519 %%%", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIIqM", "''"})
    void key_malformed_unprocessable(String key) throws Exception {
        assertThat(api.post("v2/account/keys", "{\"name\":\"a\",\"public_key\":\"" + key + "\"}")
                        .status())
                .isEqualTo(422);
    }

    @Test
    void catalog_read_isWhole() throws Exception {
        assertThat(slugs(api.get("v2/regions?per_page=200").body().path("regions")))
                .contains("nyc1", "sfo3", "lon1", "sgp1", "tor1", "fra1");
        assertThat(slugs(api.get("v2/sizes?per_page=200").body().path("sizes"))).contains("s-1vcpu-1gb", "s-2vcpu-4gb");
        JsonNode images =
                api.get("v2/images?type=distribution&per_page=200").body().path("images");
        assertThat(slugs(images)).contains("debian-12-x64", "ubuntu-24-04-x64");
        String id = images.get(0).path("id").asText();
        assertThat(api.get("v2/images/" + id).body())
                .isEqualTo(api.get("v2/images/debian-12-x64").body());
        assertThat(api.get("v2/images/plan9").status()).isEqualTo(404);
    }

    @Test
    void create_one_isAcceptedThenActiveWithBothAddresses() throws Exception {
        Api.Answer created = api.post("v2/droplets", Api.spec("\"name\":\"one\"", "\"tags\":[\"mesh\",\"a:b\"]"));
        assertThat(created.status()).isEqualTo(202);
        assertThat(created.body().at("/droplet/status").asText()).isEqualTo("new");
        assertThat(created.body().at("/droplet/networks/v4")).isEmpty();
        assertThat(created.body().at("/links/actions/0/rel").asText()).isEqualTo("create");
        JsonNode droplet = api.awaitActive(created.body().at("/droplet/id").asLong());
        assertThat(droplet.path("networks").path("v4")).hasSize(2);
        assertThat(Api.addresses(droplet, "public")).containsExactly("198.18.0.10");
        assertThat(Api.addresses(droplet, "private")).containsExactly("10.116.0.10");
        assertThat(droplet.path("tags")).extracting(JsonNode::asText).containsExactly("a:b", "mesh");
        long action = created.body().at("/links/actions/0/id").asLong();
        assertThat(api.get("v2/actions/" + action).body().at("/action/status").asText())
                .isEqualTo("completed");
        assertThat(api.get("v2/droplets/" + droplet.path("id") + "/actions")
                        .body()
                        .path("actions"))
                .hasSize(1);
    }

    @Test
    void create_severalNames_makesAll() throws Exception {
        Api.Answer created = api.post("v2/droplets", Api.spec("\"names\":[\"a\",\"b\",\"c\"]"));
        assertThat(created.status()).isEqualTo(202);
        assertThat(created.body().path("droplets"))
                .extracting(d -> d.path("name").asText())
                .containsExactly("a", "b", "c");
        assertThat(created.body().at("/links/actions")).hasSize(3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"name\":\"\"|Name can't be blank",
                "\"name\":\"a_b\"|Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)",
                "\"names\":[]|Name can't be blank",
                "\"names\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\"]|You can only create up to 10 Droplets at a time.",
                "\"name\":\"a\",\"region\":\"mars1\"|You specified an invalid region for Droplet creation.",
                "\"name\":\"a\",\"size\":\"huge\"|You specified an invalid size for Droplet creation.",
                "\"name\":\"a\",\"region\":\"sfo2\",\"size\":\"s-1vcpu-512mb-10gb\"|Size is not available in this region.",
                "\"name\":\"a\",\"image\":\"plan9\"|You specified an invalid image for Droplet creation.",
                "\"name\":\"a\",\"image\":\"ubuntu-24-04-x64\"|The local cloud boots only Debian, not the image ubuntu-24-04-x64: use debian-12-x64.",
                "\"name\":\"a\",\"ssh_keys\":[7]|7 are invalid key identifiers for Droplet creation.",
                "\"name\":\"a\",\"vpc_uuid\":null|Invalid VPC UUID or it does not exist in the specified region.",
                "\"name\":\"a\",\"tags\":[\"a b\"]|Tags may contain letters, numbers, colons, dashes, and underscores, up to 255 characters.",
            })
    void create_badSpec_unprocessableAndNothingMade(String fields, String message) throws Exception {
        Api.Answer answer = api.post("v2/droplets", Api.spec(fields));
        assertThat(answer.status()).isEqualTo(422);
        assertThat(answer.body().path("id").asText()).isEqualTo("unprocessable_entity");
        assertThat(answer.body().path("message").asText()).isEqualTo(message);
        assertThat(api.total("v2/droplets")).isZero();
    }

    @Test
    void create_options_areShown() throws Exception {
        JsonNode plain = api.awaitActive(api.create("a"));
        assertThat(plain.path("features"))
                .extracting(JsonNode::asText)
                .containsExactlyInAnyOrder("droplet_agent", "private_networking");
        assertThat(plain.at("/networks/v6")).isEmpty();
        JsonNode rich = api.awaitActive(
                api.create("b", "\"ipv6\":true,\"monitoring\":true,\"backups\":true,\"with_droplet_agent\":false"));
        assertThat(rich.path("features"))
                .extracting(JsonNode::asText)
                .containsExactlyInAnyOrder("backups", "ipv6", "monitoring", "private_networking");
        assertThat(rich.at("/networks/v6/0/ip_address").asText()).startsWith("2001:2:0:");
        assertThat(rich.at("/networks/v6/0/type").asText()).isEqualTo("public");
    }

    @Test
    void create_keys_byIdOrFingerprint() throws Exception {
        long key = addKey().body().at("/ssh_key/id").asLong();
        api.create("a", "\"ssh_keys\":[" + key + "]");
        api.create("b", "\"ssh_keys\":[\"" + key + "\",\"" + FINGERPRINT + "\"]");
        assertThat(api.total("v2/droplets")).isEqualTo(2);
    }

    @Test
    void create_several_areAnsweredAsTheyWereTaken() throws Exception {
        String names = "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\"]";
        for (int i = 0; i < 3; i++) {
            JsonNode created =
                    api.post("v2/droplets", Api.spec("\"names\":" + names)).body();
            assertThat(created.path("droplets"))
                    .hasSize(10)
                    .allMatch(droplet -> droplet.path("status").asText().equals("new"))
                    .allMatch(droplet -> droplet.path("locked").asBoolean());
        }
    }

    @Test
    void create_priceAndSize_areThoseOfTheSize() throws Exception {
        JsonNode droplet = api.awaitActive(api.create("a"));
        JsonNode sizes = api.get("v2/sizes?per_page=200").body().path("sizes");
        assertThat(sizes).contains(droplet.path("size"));
        assertThat(droplet.at("/size/price_monthly").decimalValue()).isPositive();
        assertThat(droplet.at("/size/price_hourly").decimalValue()).isPositive();
        assertThat(droplet.path("size_slug")).isEqualTo(droplet.at("/size/slug"));
    }

    @Test
    void snapshot_ofADroplet_isPrivateAndBootsInItsRegionAlone() throws Exception {
        long id = api.create("a");
        api.awaitActive(id);
        assertThat(api.post("v2/droplets/" + id + "/actions", "{\"type\":\"snapshot\",\"name\":\"mine\"}")
                        .status())
                .isEqualTo(201);
        Await.until(
                Duration.ofSeconds(5),
                "a snapshot",
                () -> api.quietly("v2/images?private=true").at("/meta/total").asInt() == 1);
        JsonNode image = api.get("v2/images?private=true").body().at("/images/0");
        String imageId = image.path("id").asText();
        assertThat(image.path("name").asText()).isEqualTo("mine");
        assertThat(image.path("slug").isNull()).isTrue();
        assertThat(image.path("public").asBoolean()).isFalse();
        assertThat(api.get("v2/images/" + imageId).body().path("image")).isEqualTo(image);
        assertThat(api.get("v2/images?type=distribution&per_page=200").body().path("images"))
                .doesNotContain(image);
        assertThat(api.get("v2/images?per_page=200").body().path("images")).contains(image);
        assertThat(api.get("v2/droplets/" + id).body().at("/droplet/snapshot_ids/0"))
                .isEqualTo(image.path("id"));
        assertThat(api.total("v2/droplets/" + id + "/snapshots")).isEqualTo(1);

        long copy = api.create("b", "\"image\":" + imageId);
        assertThat(api.get("v2/droplets/" + copy).body().at("/droplet/image")).isEqualTo(image);
        api.create("c", "\"image\":\"" + imageId + "\"");
        for (String bad : List.of(
                "\"region\":\"tor1\",\"image\":" + imageId,
                "\"size\":\"s-1vcpu-512mb-10gb\",\"image\":" + imageId,
                "\"image\":\"mine\"")) {
            assertThat(api.post("v2/droplets", Api.spec("\"name\":\"d\"", bad)).status())
                    .as(bad)
                    .isEqualTo(422);
        }
        assertThat(api.delete("v2/images/" + imageId).status()).isEqualTo(204);
        assertThat(api.delete("v2/images/" + imageId).status()).isEqualTo(404);
        assertThat(api.get("v2/droplets/" + id).body().at("/droplet/snapshot_ids"))
                .isEmpty();
    }

    @Test
    void tags_inOtherCase_areTheSame() throws Exception {
        api.post("v2/tags", "{\"name\":\"Mesh\"}");
        long id = api.create("a");
        assertThat(api.get("v2/droplets/" + id).body().at("/droplet/tags/0").asText())
                .isEqualTo("Mesh");
        assertThat(api.total("v2/tags")).isEqualTo(1);
        assertThat(api.total("v2/droplets?tag_name=MESH")).isEqualTo(1);
        assertThat(api.get("v2/tags/mESH").body().at("/tag/resources/count").asInt())
                .isEqualTo(1);
        assertThat(api.delete("v2/droplets?tag_name=mesh").status()).isEqualTo(204);
        api.awaitTotal(0);
        assertThat(api.delete("v2/tags/mesh").status()).isEqualTo(204);
        assertThat(api.total("v2/tags")).isZero();
    }

    @Test
    void tag_putOnAndTakenOffDroplets() throws Exception {
        long id = api.create("a");
        api.post("v2/tags", "{\"name\":\"project\"}");
        String resources = "{\"resources\":[{\"resource_id\":\"" + id + "\",\"resource_type\":\"droplet\"}]}";
        assertThat(api.post("v2/tags/project/resources", resources).status()).isEqualTo(204);
        assertThat(api.total("v2/droplets?tag_name=project")).isEqualTo(1);
        assertThat(api.call("DELETE", "v2/tags/project/resources", resources).status())
                .isEqualTo(204);
        assertThat(api.total("v2/droplets?tag_name=project")).isZero();
        assertThat(api.post("v2/tags/none/resources", resources).status()).isEqualTo(404);
        assertThat(api.post("v2/tags/project/resources", resources.replace("" + id, "7"))
                        .status())
                .isEqualTo(404);
    }

    @Test
    void delete_byUnknownTag_notFound() throws Exception {
        assertThat(api.delete("v2/droplets?tag_name=none").status()).isEqualTo(404);
    }

    @Test
    void exchanges_observed_withTheirAnswers() throws Exception {
        Queue<Exchange> seen = new ConcurrentLinkedQueue<>();
        try (LocalCloud watched =
                LocalCloud.builder().recordsOnly().observer(seen::add).start()) {
            Api watchedApi = new Api(watched.endpoint(), watched.token());
            String answer = watchedApi.get("v2/account").text();
            watched.faults().serverErrors(1);
            watchedApi.get("v2/account");
            assertThat(seen).extracting(Exchange::answer).first().isEqualTo(answer);
            assertThat(seen).extracting(Exchange::faulty).containsExactly(false, true);
            assertThat(seen).extracting(Exchange::request).isEqualTo(watched.requests());
        }
    }

    @Test
    void create_userDataOver64KiB_unprocessable() throws Exception {
        assertThat(api.post("v2/droplets", Api.spec("\"name\":\"a\"", "\"user_data\":\"" + "x".repeat(65_537) + "\""))
                        .status())
                .isEqualTo(422);
        assertThat(api.post("v2/droplets", Api.spec("\"name\":\"a\"", "\"user_data\":\"" + "x".repeat(65_536) + "\""))
                        .status())
                .isEqualTo(202);
    }

    @Test
    void create_overDropletLimit_unprocessableAndNoneOfTheCallMade() throws Exception {
        createMany(25);
        Api.Answer answer = api.post("v2/droplets", Api.spec("\"names\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]"));
        assertThat(answer.status()).isEqualTo(422);
        assertThat(answer.body().path("message").asText()).contains("exceed your droplet limit");
        assertThat(api.total("v2/droplets")).isEqualTo(25);
    }

    @Test
    void list_paged_givesEachOnceAndLinksOn() throws Exception {
        createMany(25);
        Set<Long> seen = new HashSet<>();
        for (int page = 1; page <= 3; page++) {
            Api.Answer answer = api.get("v2/droplets?per_page=10&page=" + page);
            answer.body().path("droplets").forEach(d -> seen.add(d.path("id").asLong()));
            assertThat(answer.body().at("/meta/total").asInt()).isEqualTo(25);
            assertThat(answer.body().at("/links/pages/next").asText())
                    .isEqualTo(page == 3 ? "" : cloud.endpoint() + "v2/droplets?page=" + (page + 1) + "&per_page=10");
        }
        assertThat(seen).hasSize(25);
        assertThat(api.get("v2/droplets").body().path("droplets")).hasSize(20);
        assertThat(api.get("v2/droplets?per_page=200").body().path("links")).isEmpty();
        assertThat(api.get("v2/droplets?per_page=10&page=9").body().path("droplets"))
                .isEmpty();
        assertThat(api.get("v2/droplets?page=0").status()).isEqualTo(400);
    }

    @Test
    void list_byTagOrName_givesOnlyThose() throws Exception {
        api.post("v2/droplets", Api.spec("\"names\":[\"a\",\"b\"]", "\"tags\":[\"one\"]"));
        api.post("v2/droplets", Api.spec("\"names\":[\"a\"]", "\"tags\":[\"two\"]"));
        assertThat(api.total("v2/droplets?tag_name=one")).isEqualTo(2);
        assertThat(api.total("v2/droplets?tag_name=none")).isZero();
        assertThat(api.total("v2/droplets?name=a")).isEqualTo(2);
        assertThat(api.get("v2/tags/one")
                        .body()
                        .at("/tag/resources/droplets/count")
                        .asInt())
                .isEqualTo(2);
    }

    @Test
    void delete_byTag_leavesTheOthers() throws Exception {
        api.post("v2/droplets", Api.spec("\"names\":[\"a\",\"b\"]", "\"tags\":[\"one\"]"));
        api.post("v2/droplets", Api.spec("\"name\":\"c\""));
        assertThat(api.delete("v2/droplets?tag_name=one").status()).isEqualTo(204);
        api.awaitTotal(1);
        assertThat(api.delete("v2/droplets").status()).isEqualTo(422);
        assertThat(api.total("v2/droplets")).isEqualTo(1);
    }

    @Test
    void delete_byId_isGoneThenUnknownAndItsAddressComesBack() throws Exception {
        long id = api.create("a");
        String before = Api.addresses(api.awaitActive(id), "public").get(0);
        assertThat(api.delete("v2/droplets/" + id).status()).isEqualTo(204);
        api.awaitTotal(0);
        assertThat(api.get("v2/droplets/" + id).status()).isEqualTo(404);
        assertThat(api.delete("v2/droplets/" + id).status()).isEqualTo(404);
        assertThat(api.get("v2/droplets/abc").body().path("message").asText())
                .isEqualTo("The resource you were accessing could not be found.");
        assertThat(Api.addresses(api.awaitActive(api.create("b")), "public")).containsExactly(before);
    }

    @Test
    void action_powerOffAndOn_changesTheStatus() throws Exception {
        long id = api.create("a");
        api.awaitActive(id);
        for (String type : List.of("power_off", "power_on")) {
            Api.Answer answer = api.post("v2/droplets/" + id + "/actions", "{\"type\":\"" + type + "\"}");
            assertThat(answer.status()).isEqualTo(201);
            long action = answer.body().at("/action/id").asLong();
            Await.until(
                    Duration.ofSeconds(5),
                    type,
                    () -> api.quietly("v2/actions/" + action)
                            .at("/action/status")
                            .asText()
                            .equals("completed"));
            assertThat(api.get("v2/droplets/" + id).body().at("/droplet/status").asText())
                    .isEqualTo(type.equals("power_off") ? "off" : "active");
        }
        assertThat(api.post("v2/droplets/" + id + "/actions", "{\"type\":\"fly\"}")
                        .status())
                .isEqualTo(422);
    }

    private Api.Answer act(long id, String body) throws Exception {
        Api.Answer answer = api.post("v2/droplets/" + id + "/actions", body);
        long action = answer.body().at("/action/id").asLong();
        if (answer.status() == 201) {
            Await.until(
                    Duration.ofSeconds(5),
                    body,
                    () -> api.quietly("v2/actions/" + action)
                            .at("/action/status")
                            .asText()
                            .equals("completed"));
        }
        return answer;
    }

    @Test
    void action_resize_needsADropletThatIsOffAndADiskThatDoesNotShrink() throws Exception {
        long id = api.create("a");
        api.awaitActive(id);
        int disk = api.get("v2/droplets/" + id).body().at("/droplet/disk").asInt();
        String larger = "{\"type\":\"resize\",\"size\":\"s-2vcpu-4gb\",\"disk\":false}";
        String smaller = "{\"type\":\"resize\",\"size\":\"s-1vcpu-1gb\",\"disk\":false}";

        assertThat(act(id, larger).status()).isEqualTo(422);
        assertThat(act(id, "{\"type\":\"shutdown\"}").status()).isEqualTo(201);
        assertThat(act(id, "{\"type\":\"resize\",\"size\":\"none\"}").status()).isEqualTo(422);
        assertThat(act(id, larger).status()).isEqualTo(201);
        assertThat(api.get("v2/droplets/" + id).body().at("/droplet/size_slug").asText())
                .isEqualTo("s-2vcpu-4gb");
        assertThat(api.get("v2/droplets/" + id).body().at("/droplet/disk").asInt())
                .isEqualTo(disk);
        assertThat(act(id, smaller).status()).isEqualTo(201);

        assertThat(act(id, larger.replace("false", "true")).status()).isEqualTo(201);
        assertThat(api.get("v2/droplets/" + id).body().at("/droplet/disk").asInt())
                .isGreaterThan(disk);
        Api.Answer refused = act(id, smaller);
        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.body().path("message").asText()).contains("smaller disk");
        assertThat(act(id, "{\"type\":\"power_on\"}").status()).isEqualTo(201);
    }

    @Test
    void tags_madeAndRemoved_comeOffDroplets() throws Exception {
        assertThat(api.post("v2/tags", "{\"name\":\"a b\"}").status()).isEqualTo(422);
        assertThat(api.post("v2/tags", "{\"name\":\"lonely\"}").status()).isEqualTo(201);
        api.post("v2/droplets", Api.spec("\"name\":\"a\"", "\"tags\":[\"one\"]"));
        assertThat(api.get("v2/tags").body().path("tags")).hasSize(2);
        assertThat(api.delete("v2/tags/one").status()).isEqualTo(204);
        assertThat(api.total("v2/droplets?tag_name=one")).isZero();
        assertThat(api.total("v2/droplets")).isEqualTo(1);
        assertThat(api.delete("v2/tags/one").status()).isEqualTo(404);
    }

    @Test
    void body_notJson_badRequest() throws Exception {
        assertThat(api.post("v2/droplets", "{").status()).isEqualTo(400);
    }

    @Test
    void fault_listLag_hidesFromListsButNotFromReads() throws Exception {
        cloud.faults().listLag(LONG);
        long id = api.create("a");
        assertThat(api.total("v2/droplets")).isZero();
        assertThat(api.total("v2/droplets?tag_name=mesh")).isZero();
        assertThat(api.get("v2/droplets/" + id).status()).isEqualTo(200);
        cloud.faults().clear();
        assertThat(api.total("v2/droplets")).isEqualTo(1);
    }

    @Test
    void fault_readLag_hidesFromReads() throws Exception {
        cloud.faults().readLag(LONG);
        long id = api.create("a");
        assertThat(api.get("v2/droplets/" + id).status()).isEqualTo(404);
        cloud.faults().clear();
        assertThat(api.get("v2/droplets/" + id).status()).isEqualTo(200);
    }

    @Test
    void fault_lateAddresses_activeWithoutAny() throws Exception {
        cloud.faults().lateAddresses(LONG);
        JsonNode droplet = api.awaitActive(api.create("a"));
        assertThat(droplet.at("/networks/v4")).isEmpty();
        cloud.faults().clear();
        assertThat(api.awaitActive(droplet.path("id").asLong()).at("/networks/v4"))
                .hasSize(2);
    }

    @Test
    void fault_droppedCreateAnswer_connectionClosedButDropletMade() throws Exception {
        cloud.faults().dropCreateAnswers(1);
        assertThatThrownBy(() -> api.create("a")).isInstanceOf(IOException.class);
        assertThat(api.total("v2/droplets")).isEqualTo(1);
        RecordedRequest dropped = cloud.requests().get(0);
        assertThat(dropped.method()).isEqualTo("POST");
        assertThat(dropped.status()).isZero();
        assertThat(dropped.body()).contains("\"name\":\"a\"");
        api.create("b");
        assertThat(api.total("v2/droplets")).isEqualTo(2);
    }

    @Test
    void fault_rateLimit_answersThatManyCalls() throws Exception {
        cloud.faults().rateLimit(2, Duration.ofSeconds(7));
        for (int i = 0; i < 2; i++) {
            Api.Answer answer = api.post("v2/droplets", Api.spec("\"name\":\"a\""));
            assertThat(answer.status()).isEqualTo(429);
            assertThat(answer.body().path("id").asText()).isEqualTo("too_many_requests");
            assertThat(answer.headers().firstValue("retry-after")).hasValue("7");
        }
        assertThat(api.total("v2/droplets")).isZero();
    }

    @Test
    void fault_serverErrors_areHtmlAndDoNothing() throws Exception {
        cloud.faults().serverErrors(1);
        Api.Answer answer = api.post("v2/droplets", Api.spec("\"name\":\"a\""));
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.text()).startsWith("<html>");
        assertThat(answer.headers().firstValue("x-request-id")).isPresent();
        assertThat(api.total("v2/droplets")).isZero();
    }

    @Test
    void fault_erroredCreate_actionErroredAndDropletVanishes() throws Exception {
        cloud.faults().erroredCreates(1);
        Api.Answer created = api.post("v2/droplets", Api.spec("\"name\":\"a\""));
        assertThat(created.status()).isEqualTo(202);
        api.awaitTotal(0);
        long action = created.body().at("/links/actions/0/id").asLong();
        assertThat(api.get("v2/actions/" + action).body().at("/action/status").asText())
                .isEqualTo("errored");
    }

    @Test
    void fault_stuckCreateAndRefusedDelete_untilCleared() throws Exception {
        cloud.faults().stuckCreates(1).refuseDeleteWhileNew(true);
        long id = api.create("a");
        api.awaitActive(api.create("b"));
        assertThat(api.get("v2/droplets/" + id).body().at("/droplet/status").asText())
                .isEqualTo("new");
        assertThat(api.delete("v2/droplets/" + id).status()).isEqualTo(422);
        cloud.faults().clear();
        assertThat(api.delete("v2/droplets/" + id).status()).isEqualTo(204);
        api.awaitTotal(1);
    }

    @Test
    void fault_slowAnswers_takeThatLongAndAreWhole() throws Exception {
        cloud.faults().slowAnswers(Duration.ofMillis(200));
        long before = System.nanoTime();
        assertThat(api.get("v2/sizes").body().path("sizes")).isNotEmpty();
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThanOrEqualTo(Duration.ofMillis(200));
    }

    @Test
    void fault_foreignPageLinks_pointElsewhere() throws Exception {
        createMany(3);
        cloud.faults().foreignPageLinks(true);
        assertThat(api.get("v2/droplets?per_page=1")
                        .body()
                        .at("/links/pages/next")
                        .asText())
                .startsWith("https://api.invalid/v2/droplets?page=2");
    }

    @Test
    void requests_logged_inOrderAndForgettable() throws Exception {
        api.get("v2/droplets?tag_name=a%20b");
        api.delete("v2/droplets/1");
        assertThat(cloud.requests())
                .extracting(r -> r.method() + " " + r.path() + " " + r.query() + " " + r.status())
                .containsExactly("GET /v2/droplets tag_name=a%20b 200", "DELETE /v2/droplets/1  404");
        cloud.forgetRequests();
        assertThat(cloud.requests()).isEmpty();
    }

    @Test
    void records_aThousand_haveAddressesOfTheirOwn() throws Exception {
        try (LocalCloud big = LocalCloud.builder()
                .recordsOnly()
                .observer(contract)
                .dropletLimit(1000)
                .start()) {
            Api many = new Api(big.endpoint(), big.token());
            for (int i = 0; i < 100; i++) {
                String names = "\"n" + i + "-0";
                for (int j = 1; j < 10; j++) {
                    names += "\",\"n" + i + "-" + j;
                }
                assertThat(many.post("v2/droplets", Api.spec("\"names\":[" + names + "\"]"))
                                .status())
                        .isEqualTo(202);
            }
            Set<String> addresses = new HashSet<>();
            Await.until(Duration.ofSeconds(10), "a thousand addresses", () -> {
                addresses.clear();
                for (int page = 1; page <= 5; page++) {
                    many.quietly("v2/droplets?per_page=200&page=" + page)
                            .path("droplets")
                            .forEach(d -> addresses.addAll(Api.addresses(d, "public")));
                }
                return addresses.size() == 1000;
            });
        }
    }

    @Test
    void realParts_ofRecordsOnly_refused() {
        assertThatThrownBy(() -> cloud.releaseMirror()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> cloud.outsider()).isInstanceOf(IllegalStateException.class);
        assertThat(cloud.droplets()).isEmpty();
    }

    private void createMany(int count) throws IOException, InterruptedException {
        for (int i = 0; i < count; i++) {
            api.create("n-" + i);
        }
    }

    private Api.Answer addKey() throws IOException, InterruptedException {
        return api.post("v2/account/keys", "{\"name\":\"a\",\"public_key\":\"" + Api.KEY + "\"}");
    }

    private static List<String> slugs(JsonNode list) {
        List<String> slugs = new ArrayList<>();
        list.forEach(n -> slugs.add(n.path("slug").asText()));
        return slugs;
    }
}
