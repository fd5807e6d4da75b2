package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Bodies.ATTEMPT_TAG;
import static dev.promguard.digitalocean.Bodies.MESH;
import static dev.promguard.digitalocean.Bodies.MESH_TAG;
import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.json;
import static dev.promguard.digitalocean.Cloud.none;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.tomakehurst.wiremock.verification.LoggedRequest;
import dev.promguard.InvalidSettingException;
import dev.promguard.keys.Secret;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.AccessKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.CreateOrder;
import dev.promguard.spi.HostImage;
import dev.promguard.spi.Price;
import dev.promguard.spi.ProvisioningResult;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is sent, to the letter, when all goes well, and what is made of the answers. */
class RequestsTest {
    private static final Optional<Price> PRICE =
            Optional.of(new Price(new BigDecimal("6.00"), new BigDecimal("0.00893")));

    private static final Optional<HostImage> IMAGE =
            Optional.of(new HostImage("7555620", Optional.of("debian-12-x64"), false));

    private static final ObjectMapper JSON = new ObjectMapper();
    static final SshPublicKey KEY = SshPublicKey.parse(
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKtqfXvVqkbpL2hWQzX1rM9bJt7n0x8Yc3l5uQ2aVb4d someone@example.com");
    private static final String FINGERPRINT = KEY.md5Fingerprint();
    private static final String KEY_PATH = "/v2/account/keys/" + FINGERPRINT;
    private static final AccessKey ACCESS_KEY = new AccessKey("512189", FINGERPRINT, true);
    private static final String BY_MESH = "/v2/droplets?tag_name=" + MESH_TAG;
    private static final String BY_MESH_LINE = "GET /v2/droplets?tag_name=promguard%3Amesh%3Ashop&per_page=200&page=";

    @RegisterExtension
    final Cloud cloud = new Cloud();

    static CreateOrder order(String... names) {
        return order(Secret.of("#cloud-config\nssh_deletekeys: true\n"), names);
    }

    private static CreateOrder order(Secret userData, String... names) {
        return new CreateOrder(
                MESH, "a1b2", "node", List.of(names), "tor1", "s-1vcpu-1gb", "debian-12-x64", ACCESS_KEY, userData);
    }

    @Test
    void registerAccessKey_unknownKey_isLookedUpAndThenRegistered() throws Exception {
        cloud.on("GET", KEY_PATH, refusal(404, "not_found", "The resource you requested could not be found."))
                .on(
                        "POST",
                        "/v2/account/keys",
                        json(201, Bodies.key(512189, "promguard-shop", FINGERPRINT, KEY.line())));

        assertThat(cloud.provider().registerAccessKey(MESH, KEY)).isEqualTo(ACCESS_KEY);

        assertThat(cloud.lines()).containsExactly("GET " + KEY_PATH, "POST /v2/account/keys");
        LoggedRequest post = cloud.only("POST", "/v2/account/keys");
        assertThat(JSON.readTree(post.getBodyAsString())).isEqualTo(JSON.readTree("""
                        {"name":"promguard-shop","public_key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKtqfXvVqkbpL2hWQzX1rM9bJt7n0x8Yc3l5uQ2aVb4d"}"""));
    }

    @Test
    void registerAccessKey_keyOfAnEarlierRun_isFoundAgainAsRegistered() {
        cloud.on("GET", KEY_PATH, ok(Bodies.key(512189, "promguard-shop", FINGERPRINT, KEY.line())));

        assertThat(cloud.provider().registerAccessKey(MESH, KEY)).isEqualTo(ACCESS_KEY);

        assertThat(cloud.lines()).containsExactly("GET " + KEY_PATH);
    }

    @Test
    void registerAccessKey_keyOfTheUsersOwn_isAdoptedAndNotTakenForRegistered() {
        cloud.on("GET", KEY_PATH, ok(Bodies.key(7, "my laptop", FINGERPRINT, KEY.line())));

        assertThat(cloud.provider().registerAccessKey(MESH, KEY)).isEqualTo(new AccessKey("7", FINGERPRINT, false));
    }

    @Test
    void registerAccessKey_refusedSinceSomebodyWasQuicker_isFoundByItsFingerprint() {
        cloud.on(
                        "GET",
                        KEY_PATH,
                        refusal(404, "not_found", "The resource you requested could not be found."),
                        ok(Bodies.key(512189, "promguard-shop", FINGERPRINT, KEY.line())))
                .on(
                        "POST",
                        "/v2/account/keys",
                        refusal(422, "unprocessable_entity", "SSH Key is already in use on your account"));

        assertThat(cloud.provider().registerAccessKey(MESH, KEY)).isEqualTo(ACCESS_KEY);
    }

    @Test
    void registerAccessKey_refusedForGood_saysWhy() {
        cloud.on("GET", KEY_PATH, refusal(404, "not_found", "not found"))
                .on("POST", "/v2/account/keys", refusal(422, "unprocessable_entity", "Key invalid, key type wrong"));

        assertThat(failure(() -> cloud.provider().registerAccessKey(MESH, KEY)))
                .hasMessageContaining("Key invalid, key type wrong")
                .satisfies(e -> assertThat(e.status()).hasValue(422));
    }

    @Test
    void create_severalHosts_areOneCallThatDiffersOnlyInTheNames() throws Exception {
        cloud.on(
                "POST",
                "/v2/droplets",
                json(202, Bodies.created(Bodies.fresh(12, "shop-node-2"), Bodies.fresh(11, "shop-node-1"))));

        List<CloudHost> hosts = cloud.provider().create(order("shop-node-1", "shop-node-2"));

        assertThat(hosts)
                .containsExactlyInAnyOrder(
                        host("11", "shop-node-1", CloudHost.Status.NEW, null, "a1b2"),
                        host("12", "shop-node-2", CloudHost.Status.NEW, null, "a1b2"));
        assertThat(cloud.lines()).containsExactly("POST /v2/droplets");
        JsonNode body = JSON.readTree(cloud.only("POST", "/v2/droplets").getBodyAsString());
        assertThat(body).isEqualTo(JSON.readTree("""
                {"names":["shop-node-1","shop-node-2"],"region":"tor1","size":"s-1vcpu-1gb","image":"debian-12-x64","ssh_keys":[512189],
                 "tags":["promguard","promguard:mesh:shop","promguard:role:node","promguard:attempt:shop:a1b2"],
                 "user_data":"#cloud-config\\nssh_deletekeys: true\\n"}"""));
    }

    @Test
    void create_keyKnownByItsFingerprint_isSentAsText() throws Exception {
        cloud.on("POST", "/v2/droplets", json(202, Bodies.created(Bodies.fresh(11, "shop-node-1"))));
        CreateOrder order = new CreateOrder(
                MESH,
                "a1b2",
                "node",
                List.of("shop-node-1"),
                "tor1",
                "s-1vcpu-1gb",
                "debian-12-x64",
                new AccessKey(FINGERPRINT, FINGERPRINT, false),
                Secret.of("#cloud-config\n"));

        cloud.provider().create(order);

        JsonNode body = JSON.readTree(cloud.only("POST", "/v2/droplets").getBodyAsString());
        assertThat(body.path("ssh_keys")).isEqualTo(JSON.readTree("[\"" + FINGERPRINT + "\"]"));
    }

    @Test
    void create_moreThanTenNames_isRefusedBeforeAnythingIsSent() {
        String[] names =
                IntStream.rangeClosed(1, 11).mapToObj(i -> "shop-node-" + i).toArray(String[]::new);

        assertThat(cloud.provider().batchSize()).isEqualTo(10);
        assertThatThrownBy(() -> cloud.provider().create(order(names)))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("11 names");
        assertThat(cloud.lines()).isEmpty();
    }

    @Test
    void create_userDataOverTheLimit_isRefusedBeforeAnythingIsSent() {
        Secret largest = Secret.of("x".repeat(64 * 1024));
        Secret tooLarge = Secret.of("x".repeat(64 * 1024 + 1));
        cloud.on("POST", "/v2/droplets", json(202, Bodies.created(Bodies.fresh(11, "shop-node-1"))));

        assertThat(failure(() -> cloud.provider().create(order(tooLarge, "shop-node-1"))))
                .hasMessageContaining("65537 bytes")
                .hasMessageContaining("64 KiB");
        assertThat(cloud.lines()).isEmpty();
        assertThat(cloud.provider().create(order(largest, "shop-node-1"))).hasSize(1);
    }

    @Test
    void everyCall_carriesTokenAndMediaTypes() {
        cloud.on("GET", KEY_PATH, refusal(404, "not_found", "not found"))
                .on(
                        "POST",
                        "/v2/account/keys",
                        json(201, Bodies.key(512189, "promguard-shop", FINGERPRINT, KEY.line())))
                .on("GET", "/v2/firewalls", ok(Bodies.list("firewalls")))
                .on("GET", "/v2/account/keys", ok(Bodies.list("ssh_keys")))
                .on("GET", "/v2/tags", ok(Bodies.list("tags", Bodies.tag(MESH_TAG, 0))))
                .on("DELETE", "/v2/tags/promguard%3Amesh%3Ashop", none());
        DigitalOcean provider = cloud.provider();

        provider.registerAccessKey(MESH, KEY);
        provider.cleanUp(MESH, Optional.empty());

        assertThat(cloud.calls()).hasSize(6).allSatisfy(call -> {
            assertThat(call.header("Authorization").values()).containsExactly("Bearer " + Cloud.TOKEN);
            assertThat(call.header("Accept").values()).containsExactly("application/json");
            assertThat(call.header("User-Agent").firstValue()).startsWith("promguard");
        });
        LoggedRequest post = cloud.only("POST", "/v2/account/keys");
        assertThat(post.header("Content-Type").firstValue()).startsWith("application/json");
    }

    @Test
    void list_byTag_mapsEveryField() {
        String off = Bodies.droplet(13, "c", "off", Bodies.address(13), MESH_TAG);
        String archived = Bodies.droplet(14, "d", "archive", Bodies.privateV4("10.118.0.14"), MESH_TAG);
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(off, Bodies.active(12, "b"), archived, Bodies.fresh(11, "b"))))
                .on("GET", "/v2/account", ok(Bodies.account(25, "active")));

        List<CloudHost> hosts = cloud.provider().list(MESH);

        assertThat(cloud.lines()).containsExactly(BY_MESH_LINE + 1, "GET /v2/account");
        assertThat(hosts)
                .containsExactly(
                        host("11", "b", CloudHost.Status.NEW, null, "a1b2"),
                        host("12", "b", CloudHost.Status.ACTIVE, "203.0.113.12", "a1b2"),
                        host("13", "c", CloudHost.Status.OFF, "203.0.113.13", null),
                        host("14", "d", CloudHost.Status.ARCHIVED, null, null));
    }

    private static CloudHost host(
            String id,
            String name,
            CloudHost.Status status,
            @org.jspecify.annotations.Nullable String address,
            @org.jspecify.annotations.Nullable String attempt) {
        return new CloudHost(
                id,
                name,
                "tor1",
                "s-1vcpu-1gb",
                status,
                Optional.ofNullable(address),
                Optional.ofNullable(attempt),
                PRICE,
                false,
                true,
                IMAGE);
    }

    @Test
    void list_severalPages_areReadByTheirNumberAndNotByTheirLink() {
        String elsewhere =
                "{\"pages\":{\"next\":\"https://elsewhere.invalid/v2/droplets?per_page=200&page=%d&tag_name=x\",\"last\":\"https://elsewhere.invalid/v2/droplets?page=3\"}}";
        cloud.on(
                        "GET",
                        BY_MESH + "&page=1",
                        ok(Bodies.page("droplets", elsewhere.formatted(2), 4, Bodies.active(11, "a"))))
                .on(
                        "GET",
                        BY_MESH + "&page=2",
                        ok(Bodies.page(
                                "droplets", elsewhere.formatted(3), 4, Bodies.active(11, "a"), Bodies.active(12, "b"))))
                .on(
                        "GET",
                        BY_MESH + "&page=3",
                        ok(Bodies.page(
                                "droplets",
                                "{\"pages\":{\"prev\":\"https://elsewhere.invalid/v2/droplets?page=2\"}}",
                                4,
                                Bodies.active(13, "c"))));

        List<CloudHost> hosts = cloud.provider().list(MESH);

        assertThat(cloud.lines()).containsExactly(BY_MESH_LINE + 1, BY_MESH_LINE + 2, BY_MESH_LINE + 3);
        assertThat(hosts).extracting(CloudHost::id).containsExactly("11", "12", "13");
    }

    @Test
    void list_withoutLinks_isOnePage() {
        cloud.on("GET", BY_MESH, ok("{\"droplets\":[" + Bodies.active(11, "a") + "],\"meta\":{\"total\":1}}"));

        assertThat(cloud.provider().list(MESH)).extracting(CloudHost::id).containsExactly("11");
    }

    @Test
    void list_dropletThatLacksTheTag_isNotShown() {
        cloud.on(
                "GET",
                BY_MESH,
                ok(Bodies.droplets(
                        Bodies.droplet(11, "stranger", "active", Bodies.address(11), "promguard:mesh:other"),
                        Bodies.active(12, "shop-node-1"))));

        assertThat(cloud.provider().list(MESH)).extracting(CloudHost::name).containsExactly("shop-node-1");
    }

    @Test
    void list_tagThatWasFirstWrittenInAnotherCase_isTheSame() {
        cloud.on(
                "GET",
                BY_MESH,
                ok(Bodies.droplets(Bodies.droplet(11, "a", "active", Bodies.address(11), "PromGuard:mesh:Shop"))));

        assertThat(cloud.provider().list(MESH)).extracting(CloudHost::id).containsExactly("11");
    }

    @Test
    void await_activeWithAddress_returnsThePublicOne() {
        cloud.on(
                "GET",
                BY_MESH,
                ok(Bodies.droplets(Bodies.fresh(11, "a"), Bodies.fresh(12, "b"))),
                ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.fresh(12, "b"))),
                ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.active(12, "b"), Bodies.fresh(13, "c"))));

        ProvisioningResult arrival = cloud.provider().await(MESH, Set.of("11", "12"), Duration.ofSeconds(10));

        assertThat(arrival.missing()).isEmpty();
        assertThat(arrival.ready())
                .extracting(host -> host.publicAddress().orElseThrow())
                .containsExactly("203.0.113.11", "203.0.113.12");
        assertThat(cloud.lines()).hasSize(3).containsOnly(BY_MESH_LINE + 1);
    }

    @Test
    void await_nothingToWaitFor_asksNothing() {
        assertThat(cloud.provider().await(MESH, Set.of(), Duration.ofSeconds(10)))
                .isEqualTo(new ProvisioningResult(List.of(), java.util.Map.of()));
        assertThat(cloud.lines()).isEmpty();
    }

    @Test
    void delete_byId_waitsUntilTheListIsWithoutIt() {
        cloud.on(
                        "GET",
                        BY_MESH,
                        ok(Bodies.droplets(Bodies.active(11, "a"), Bodies.active(12, "b"), Bodies.active(13, "c"))),
                        ok(Bodies.droplets(Bodies.active(12, "b"), Bodies.active(13, "c"))),
                        ok(Bodies.droplets(Bodies.active(13, "c"))))
                .on("DELETE", "/v2/droplets/11", none())
                .on("DELETE", "/v2/droplets/12", none());

        cloud.provider().delete(MESH, List.of("11", "12"), Duration.ofSeconds(10));

        assertThat(cloud.lines())
                .containsExactly(
                        BY_MESH_LINE + 1,
                        "DELETE /v2/droplets/11",
                        "DELETE /v2/droplets/12",
                        BY_MESH_LINE + 1,
                        BY_MESH_LINE + 1);
    }

    @Test
    void cleanUp_tagsOfTheMesh_areRemovedAndNoOthers() {
        cloud.on("GET", "/v2/firewalls", ok(Bodies.list("firewalls")))
                .on(
                        "GET",
                        "/v2/tags",
                        ok(Bodies.list(
                                "tags",
                                Bodies.tag("promguard", 0),
                                Bodies.tag("promguard:role:node", 0),
                                Bodies.tag(MESH_TAG, 0),
                                Bodies.tag(ATTEMPT_TAG, 0),
                                Bodies.tag("promguard:attempt:shop-2:c3", 0),
                                Bodies.tag("promguard:mesh:shop-2", 0),
                                Bodies.tag("production", 0))))
                .on("GET", "/v2/account/keys", ok(Bodies.list("ssh_keys")))
                .on("DELETE", "/v2/account/keys/512189", none())
                .on("DELETE", "/v2/tags/promguard%3Amesh%3Ashop", none())
                .on("DELETE", "/v2/tags/promguard%3Aattempt%3Ashop%3Aa1b2", none());

        cloud.provider().cleanUp(MESH, Optional.of(ACCESS_KEY));

        assertThat(cloud.lines())
                .containsExactlyInAnyOrder(
                        "GET /v2/tags?per_page=200&page=1",
                        "GET /v2/firewalls?per_page=200&page=1",
                        "GET /v2/account/keys?per_page=200&page=1",
                        "DELETE /v2/account/keys/512189",
                        "DELETE /v2/tags/promguard%3Amesh%3Ashop",
                        "DELETE /v2/tags/promguard%3Aattempt%3Ashop%3Aa1b2");
    }

    private Cloud nothingLeft() {
        return cloud.on("GET", "/v2/tags", ok(Bodies.list("tags")))
                .on("GET", "/v2/firewalls", ok(Bodies.list("firewalls")))
                .on("GET", "/v2/account/keys", ok(Bodies.list("ssh_keys")));
    }

    @Test
    void cleanUp_keysOfItsName_areAllRemovedAndNoOthers() {
        String line = KEY.line();
        nothingLeft()
                .on(
                        "GET",
                        "/v2/account/keys",
                        ok(Bodies.list(
                                "ssh_keys",
                                Bodies.listedKey(512189, "promguard-shop", FINGERPRINT, line),
                                Bodies.listedKey(512190, "promguard-shop", FINGERPRINT, line),
                                Bodies.listedKey(512191, "promguard-shop-2", FINGERPRINT, line),
                                Bodies.listedKey(512192, "laptop", FINGERPRINT, line))))
                .on("DELETE", "/v2/account/keys/512189", none())
                .on("DELETE", "/v2/account/keys/512190", none());

        cloud.provider().cleanUp(MESH, Optional.empty());

        assertThat(cloud.lines())
                .filteredOn(each -> each.startsWith("DELETE"))
                .containsExactly("DELETE /v2/account/keys/512189", "DELETE /v2/account/keys/512190");
    }

    /** The state is lost, so that only the name says whose they are, and an account has many keys. */
    @Test
    void cleanUp_keysOfItsNameOnALaterPage_areRemovedToo() {
        String next = "{\"pages\":{\"next\":\"https://elsewhere.example/v2/account/keys?page=2&per_page=200\"}}";
        String line = KEY.line();
        nothingLeft()
                .on(
                        "GET",
                        "/v2/account/keys?per_page=200&page=1",
                        ok(Bodies.page("ssh_keys", next, 2, Bodies.listedKey(512192, "laptop", FINGERPRINT, line))))
                .on(
                        "GET",
                        "/v2/account/keys?per_page=200&page=2",
                        ok(Bodies.list("ssh_keys", Bodies.listedKey(512190, "promguard-shop", FINGERPRINT, line))))
                .on("DELETE", "/v2/account/keys/512190", none());

        cloud.provider().cleanUp(MESH, Optional.empty());

        assertThat(cloud.lines())
                .filteredOn(each -> each.startsWith("DELETE"))
                .containsExactly("DELETE /v2/account/keys/512190");
    }

    @Test
    void cleanUp_again_doesNothingMore() {
        nothingLeft().on("DELETE", "/v2/account/keys/512189", refusal(404, "not_found", "not found"));

        cloud.provider().cleanUp(MESH, Optional.of(ACCESS_KEY));

        assertThat(cloud.lines()).filteredOn(line -> line.startsWith("DELETE")).hasSize(1);
    }

    @Test
    void cleanUp_keyThatWasAdopted_stays() {
        nothingLeft();

        cloud.provider().cleanUp(MESH, Optional.of(new AccessKey("7", FINGERPRINT, false)));

        assertThat(cloud.lines()).noneMatch(line -> line.startsWith("DELETE"));
    }

    @Test
    void cleanUp_dropletStillMarked_leavesItsMarkAndSaysSo() {
        cloud.on("GET", BY_MESH, ok(Bodies.droplets(Bodies.active(11, "shop-node-1"))))
                .on("GET", "/v2/tags", ok(Bodies.list("tags", Bodies.tag(MESH_TAG, 1))));

        assertThat(failure(() -> cloud.provider().cleanUp(MESH, Optional.of(ACCESS_KEY))))
                .hasMessageContaining("shop-node-1")
                .hasMessageContaining("Run destroy again");
        assertThat(cloud.lines()).noneMatch(line -> line.startsWith("DELETE"));
    }

    @Test
    void create_options_areInTheBody() throws Exception {
        String vpc = "5a4981aa-9653-4bd1-bef5-d6bff52042e4";
        String elsewhere = "5a4981aa-9653-4bd1-bef5-d6bff52042e5";
        cloud.on("GET", "/v2/vpcs/" + vpc, ok(Bodies.vpc(vpc, "tor1")))
                .on("GET", "/v2/vpcs/" + elsewhere, ok(Bodies.vpc(elsewhere, "fra1")))
                .on("POST", "/v2/droplets", json(202, Bodies.created(Bodies.fresh(11, "shop-node-1"))));
        String fingerprint = "3b:16:bf:e4:8b:00:8b:b8:59:8c:a9:d3:f0:19:45:fa";

        cloud.builder()
                .vpc(elsewhere, vpc)
                .ipv6(true)
                .monitoring(true)
                .sshKeys("77", fingerprint)
                .tags("team:blue", "prod")
                .build()
                .create(order("shop-node-1"));

        JsonNode body = JSON.readTree(cloud.only("POST", "/v2/droplets").getBodyAsString());
        assertThat(body.path("vpc_uuid").asText()).isEqualTo(vpc);
        assertThat(body.path("ipv6").asBoolean()).isTrue();
        assertThat(body.path("monitoring").asBoolean()).isTrue();
        assertThat(body.path("ssh_keys").toString()).isEqualTo("[512189,77,\"" + fingerprint + "\"]");
        assertThat(body.path("tags").toString())
                .isEqualTo("[\"promguard\",\"" + MESH_TAG + "\",\"promguard:role:node\",\"" + ATTEMPT_TAG
                        + "\",\"team:blue\",\"prod\"]");
    }

    @Test
    void builder_optionsOfAnotherForm_areRefusedByName() {
        for (org.assertj.core.api.ThrowableAssert.ThrowingCallable wrong :
                List.<org.assertj.core.api.ThrowableAssert.ThrowingCallable>of(
                        () -> cloud.builder().vpc("../keys"),
                        () -> cloud.builder().sshKeys("1", "x y"),
                        () -> cloud.builder().tags("no blanks"),
                        () -> cloud.builder().tags("PromGuard:mesh:other"),
                        () -> cloud.builder().sshFrom(),
                        () -> cloud.builder().sshFrom("203.0.113.0/33"),
                        () -> cloud.builder().sshFrom("203.0.113.1-9"),
                        () -> cloud.builder().sshFrom("203.0.113"),
                        () -> cloud.builder().sshFrom("example.org"),
                        () -> cloud.builder().endpoint(URI.create("ftp://example.org/")),
                        () -> cloud.builder().callTimeout(Duration.ZERO),
                        () -> cloud.builder().listLag(Duration.ofDays(2)))) {
            assertThatThrownBy(wrong)
                    .isInstanceOf(InvalidSettingException.class)
                    .hasMessageMatching("(?s)(vpc|sshKeys|tags|sshFrom|endpoint|callTimeout|listLag) .*: .*");
        }
    }

    @Test
    void endpoint_withAPathAndNoSlash_keepsThePath() {
        cloud.on("GET", "/proxy/v2/account", ok(Bodies.account(25, "active")));
        URI endpoint = URI.create(cloud.endpoint() + "/proxy");

        assertThat(Cloud.builder(endpoint).build().preflight(List.of()).problems())
                .isEmpty();

        assertThat(cloud.lines()).containsExactly("GET /proxy/v2/account");
    }
}
