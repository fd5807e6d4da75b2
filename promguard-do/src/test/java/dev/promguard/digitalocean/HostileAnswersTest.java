package dev.promguard.digitalocean;

import static dev.promguard.digitalocean.Bodies.MESH;
import static dev.promguard.digitalocean.Cloud.failure;
import static dev.promguard.digitalocean.Cloud.odd;
import static dev.promguard.digitalocean.Cloud.ok;
import static dev.promguard.digitalocean.Cloud.refusal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.promguard.HostileTexts;
import dev.promguard.InvalidSettingException;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Preflight;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An API that is not DigitalOcean's, or was broken into: what it answers is refused, or is nothing but data. */
@Timeout(120)
class HostileAnswersTest {
    private static final ObjectMapper JSON =
            new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    private static final long SEED = 20_261_125;
    private static final String LIST = "/v2/droplets";

    @RegisterExtension
    final Cloud cloud = new Cloud();

    private static final Map<String, BiConsumer<ObjectNode, String>> FIELDS = fields();

    /** Puts a text into a field, by the field. */
    private static Map<String, BiConsumer<ObjectNode, String>> fields() {
        Map<String, BiConsumer<ObjectNode, String>> all = new TreeMap<>();
        all.put("NAME", (droplet, text) -> droplet.put("name", text));
        all.put("STATUS", (droplet, text) -> droplet.put("status", text));
        all.put("REGION", (droplet, text) -> ((ObjectNode) droplet.get("region")).put("slug", text));
        all.put("SIZE", (droplet, text) -> droplet.put("size_slug", text));
        all.put("ADDRESS", (droplet, text) -> ((ObjectNode) droplet.at("/networks/v4/1")).put("ip_address", text));
        all.put("NETWORK_TYPE", (droplet, text) -> ((ObjectNode) droplet.at("/networks/v4/1")).put("type", text));
        all.put("TAG", (droplet, text) -> ((ArrayNode) droplet.get("tags")).add(text));
        all.put(
                "ATTEMPT",
                (droplet, text) -> ((ArrayNode) droplet.get("tags")).insert(0, "promguard:attempt:shop:" + text));
        return all;
    }

    static Set<String> fieldNames() {
        return FIELDS.keySet();
    }

    private static void put(String field, ObjectNode into, String text) {
        Objects.requireNonNull(FIELDS.get(field), field).accept(into, text);
    }

    private static ObjectNode droplet() throws IOException {
        return (ObjectNode) JSON.readTree(Bodies.active(11, "shop-node-1"));
    }

    private static String list(ObjectNode... droplets) throws IOException {
        ObjectNode answer = JSON.createObjectNode();
        answer.putArray("droplets").addAll(List.of(droplets));
        return JSON.writeValueAsString(answer);
    }

    private static void assertShowable(String what, String text) {
        assertThat(HostileTexts.UNPRINTABLE.matcher(text).find())
                .as("unprintable in %s: %s", what, Names.quote(text))
                .isFalse();
    }

    private static String trace(Throwable failure) {
        StringWriter trace = new StringWriter();
        failure.printStackTrace(new PrintWriter(trace, true));
        return trace.toString();
    }

    @ParameterizedTest
    @MethodSource("fieldNames")
    void host_hostileField_isRefusedInPrintableWordsOrIsData(String field) throws IOException {
        long seed = SEED + field.hashCode();
        for (String text : HostileTexts.texts(seed, 150).toList()) {
            String which = field + ", seed " + seed + ", text " + Names.quote(text);
            ObjectNode droplet = droplet();
            put(field, droplet, text);
            try {
                CloudHost host = Api.host(JSON.treeToValue(droplet, Answers.Droplet.class));
                for (String shown : List.of(
                        host.id(),
                        host.name(),
                        host.region(),
                        host.size(),
                        host.attempt().orElse(""),
                        host.publicAddress().orElse(""))) {
                    assertShowable(which, shown);
                    assertThat(shown).as(which).doesNotContain("\n").hasSizeLessThan(256);
                }
                host.publicAddress()
                        .ifPresent(address ->
                                assertThat(Names.isAddress(address)).as(which).isTrue());
            } catch (ProviderException e) {
                assertThat(field).as(which).isEqualTo("ADDRESS");
                assertThat(e)
                        .hasMessageContaining("the public address of droplet 11 is " + Names.quote(text))
                        .hasMessageContaining("Check that the endpoint is its API");
                assertShowable(which, trace(e));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10.0.0.1; rm -rf /",
                "10.0.0.1\nPostUp = id",
                "::1%eth0",
                "127.0.0.1",
                "127.1.2.3",
                "::1",
                "0.0.0.0",
                "::",
                "224.0.0.1",
                "ff02::1",
                "255.255.255.255",
                "169.254.169.254",
                "fe80::1",
                "host.example",
                "dead",
                "2130706433",
                "0x7f000001",
                "010.0.0.1",
                "1.2.3",
                "10.0.0.0/24",
                "::ffff:127.0.0.1"
            })
    void list_addressThatNoDropletHas_isRefusedBeforeItIsConnectedTo(String address) throws IOException {
        ObjectNode droplet = droplet();
        put("ADDRESS", droplet, address);
        cloud.on("GET", LIST, odd(200, list(droplet)));

        assertThat(failure(() -> cloud.provider().list(MESH)))
                .hasMessageContaining(Names.quote(address) + ", which no droplet can have");
    }

    @Test
    void list_longFormOfAnIpv6Address_isTakenInItsShortForm() throws IOException {
        ObjectNode droplet = droplet();
        put("ADDRESS", droplet, "2604:A880:0800:0010:0000:0000:02DD:4001");
        cloud.on("GET", LIST, odd(200, list(droplet)));

        assertThat(cloud.provider().list(MESH).get(0).publicAddress()).contains("2604:a880:800:10::2dd:4001");
    }

    @Test
    void check_hostileSlugs_areNoChoices() throws IOException {
        List<String> texts = HostileTexts.texts(SEED, 100).toList();
        ObjectNode regions = JSON.createObjectNode();
        ObjectNode sizes = JSON.createObjectNode();
        ObjectNode images = JSON.createObjectNode();
        for (int i = 0; i < 190; i++) {
            String text = texts.get(i % texts.size());
            regions.withArray("regions").addObject().put("slug", text).put("available", true);
            sizes.withArray("sizes").addObject().put("slug", text).put("available", true);
            images.withArray("images").addObject().put("slug", text);
        }
        cloud.on("GET", "/v2/account", ok(Bodies.account(25, "active")))
                .on("GET", LIST, ok(Bodies.droplets()))
                .on("GET", "/v2/regions", odd(200, JSON.writeValueAsString(regions)))
                .on("GET", "/v2/sizes", odd(200, JSON.writeValueAsString(sizes)))
                .on("GET", "/v2/images", odd(200, JSON.writeValueAsString(images)));
        cloud.onProbe(refusal(403, "Forbidden", "x"));

        Preflight preflight =
                cloud.provider().preflight(List.of(new HostOrder("shop-node-1", "nyc9", "s-9vcpu", "debian-99")));

        assertThat(preflight.problems()).hasSize(4).allSatisfy(fault -> {
            assertShowable("fault", fault);
            assertThat(fault).hasSizeLessThan(500).doesNotContain("$(id)", "rm -rf", "{{");
        });
    }

    static Stream<String> nestedDeeply() {
        return Stream.of(
                "[".repeat(200_000),
                "{\"droplets\":" + "[".repeat(200_000),
                "{\"droplets\":[" + "{\"x\":".repeat(200_000),
                "{\"droplets\":[null]}",
                "{\"droplets\":[{\"id\":1,\"tags\":[null]}]}",
                "{\"droplets\":[{\"id\":" + "9".repeat(2000) + "}]}",
                "{\"droplets\":[{\"id\":1e999999999}]}",
                "{\"droplets\":[{\"id\":\"$(id)\"}]}",
                "{\"droplets\":{\"a\":1}}");
    }

    @ParameterizedTest
    @MethodSource("nestedDeeply")
    void list_answerThatCannotBe_isSaidInAFewWords(String body) {
        cloud.on("GET", LIST, odd(200, body));

        ProviderException failure = failure(() -> cloud.provider().list(MESH));

        assertThat(failure.getMessage()).hasSizeLessThan(500);
        assertThat(trace(failure)).hasSizeLessThan(60_000);
    }

    static Stream<String> errors() {
        return Stream.of(
                "{\"id\":\"x\",\"message\":\"" + "m".repeat(4_000_000) + "\"}",
                "[".repeat(200_000),
                "[" + "{},".repeat(1_500_000) + "{}]",
                "{\"id\":\"\\u001b[2J\\u009b1m\",\"message\":\"\\u202e\\u001b]0;x\\u0007\",\"request_id\":\"\\u0085\\r\\n\"}",
                "\u001b[2J");
    }

    @ParameterizedTest
    @MethodSource("errors")
    void refusal_hostileErrorBody_isShortAndPrintable(String body) {
        cloud.on("GET", LIST, odd(422, body));

        ProviderException failure = failure(() -> cloud.provider().list(MESH));

        assertThat(failure.status()).hasValue(422);
        assertThat(failure.getMessage()).hasSizeLessThan(700).doesNotContain("\n");
        assertShowable("message", trace(failure) + failure.id() + failure.requestId());
    }

    @Test
    void unreachable_hostileStatusLine_isPrintableAndItsCauseToo() throws IOException {
        try (RawServer server = new RawServer(connection -> {
            connection.readRequest();
            connection.write("HTTPS \u001b[2J\u009b1m\r\n\r\n");
        })) {
            assertShowable(
                    "trace",
                    trace(failure(() -> Cloud.builder(server.endpoint()).build().list(MESH))));
        }
    }

    @Test
    void list_nextPageOnAnotherHost_isNotAskedThere() throws IOException {
        try (RawServer other = new RawServer(RawServer.answering(200, Bodies.droplets()))) {
            String links = "{\"pages\":{\"next\":\"" + other.endpoint() + "/v2/droplets?page=2\"}}";
            cloud.on(
                    "GET",
                    LIST + "?page=1",
                    odd(200, Bodies.page("droplets", links, 2, Bodies.active(11, "shop-node-1"))));
            cloud.on("GET", LIST + "?page=2", ok(Bodies.droplets(Bodies.active(12, "shop-node-2"))));

            assertThat(cloud.provider().list(MESH)).hasSize(2);

            assertThat(other.requests()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {301, 302, 303, 307, 308})
    void redirect_toAnotherHost_isNotFollowedAndGetsNoToken(int status) throws IOException {
        try (RawServer other = new RawServer(RawServer.answering(200, Bodies.droplets()))) {
            cloud.on("GET", LIST, odd(status, "").withHeader("location", other.endpoint() + "/v2/droplets"));

            assertThat(failure(() -> cloud.provider().list(MESH)).status()).hasValue(status);

            assertThat(other.requests()).isEmpty();
        }
    }

    @Test
    void list_pagesWithoutEnd_endsAtTheirMostLength() throws IOException {
        AtomicInteger asked = new AtomicInteger();
        String filler = " ".repeat(8_000_000);
        try (RawServer server = new RawServer(connection -> RawServer.answering(
                        200,
                        "{\"droplets\":[],\"links\":{\"pages\":{\"next\":\"x?page=" + (asked.incrementAndGet() + 1)
                                + "\"}}}" + filler)
                .serve(connection))) {
            assertThat(failure(() -> Cloud.builder(server.endpoint()).build().list(MESH)))
                    .hasMessageContaining("that does not end");
        }
        assertThat(asked.get()).isEqualTo(13);
    }

    @Test
    void list_pageOfMoreThanWasAskedFor_isRefused() throws IOException {
        ObjectNode[] droplets = new ObjectNode[201];
        Arrays.fill(droplets, droplet());
        cloud.on("GET", LIST, odd(200, list(droplets)));

        assertThat(failure(() -> cloud.provider().list(MESH))).hasMessageContaining("pages of more than the 200");
    }

    @Test
    void list_bodyWithoutEnd_isCutAtItsLimit() throws IOException {
        String block = " ".repeat(65_536);
        AtomicLong most = new AtomicLong();
        try (RawServer server = new RawServer(connection -> {
            connection.readRequest();
            connection.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n");
            for (long sent = 0; ; sent += block.length()) {
                most.accumulateAndGet(sent, Math::max);
                connection.write(block);
            }
        })) {
            assertThat(failure(() -> Cloud.builder(server.endpoint()).build().list(MESH)))
                    .hasMessageContaining("an answer of over 8388608 bytes");
        }
        assertThat(most.get()).isLessThan(24L * 1024 * 1024);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", ".."})
    void call_idOfAnAlteredState_isNoOtherCall(String id) {
        cloud.on("GET", LIST, ok(Bodies.droplets()));

        assertThat(failure(() -> cloud.provider().delete(MESH, List.of(id), Duration.ofSeconds(1))))
                .hasMessageContaining(Names.quote(id) + " cannot be an id or name")
                .hasMessageContaining("Restore the state");
        assertThat(cloud.lines()).noneMatch(line -> line.startsWith("DELETE"));
    }

    @Test
    void call_hostileId_isOnePartOfThePath() throws IOException {
        List<String> ids =
                HostileTexts.texts(SEED, 30).filter(text -> !text.isEmpty()).toList();
        try (RawServer server = new RawServer(RawServer.answering(404, "{\"id\":\"not_found\",\"message\":\"x\"}"))) {
            for (String id : ids) {
                // Each is a program of its own: one that asked so much would wait for its turn.
                DigitalOcean provider = Cloud.builder(server.endpoint()).build();
                try {
                    provider.rebuilds(MESH, id);
                } catch (ProviderException e) {
                    assertShowable("message", String.valueOf(e.getMessage()));
                }
            }
            assertThat(server.requests())
                    .hasSizeGreaterThan(ids.size() - 5)
                    .allMatch(line -> line.matches("GET /v2/droplets/[A-Za-z0-9%+_.*-]+"));
        }
    }

    /** Every option of the builder that takes a text, found by reflection. */
    @Test
    void builder_hostileText_isRefusedByItsNameOrHasTheFormWanted() {
        Map<String, BiConsumer<DigitalOcean.Builder, String>> options = new TreeMap<>();
        options.put("Builder.sshFrom/1#0", DigitalOcean.Builder::sshFrom);
        options.put("Builder.vpc/1#0", DigitalOcean.Builder::vpc);
        options.put("Builder.sshKeys/1#0", DigitalOcean.Builder::sshKeys);
        options.put("Builder.tags/1#0", DigitalOcean.Builder::tags);
        options.put("Builder.endpoint/1#0", (builder, text) -> builder.endpoint(URI.create(text)));
        assertThat(HostileTexts.places(DigitalOcean.Builder.class)).containsExactlyElementsOf(options.keySet());

        options.forEach((place, put) -> {
            String name = place.substring("Builder.".length(), place.indexOf('/'));
            int refused = 0;
            for (String text : HostileTexts.texts(SEED + name.hashCode(), 200).toList()) {
                try {
                    put.accept(DigitalOcean.builder(), text);
                    assertThat(text).as(place).matches("[A-Za-z0-9_.:/-]+");
                } catch (InvalidSettingException e) {
                    refused++;
                    assertThat(e).as(place).hasMessageContaining(name + ' ' + Names.quote(text));
                    assertShowable(place, String.valueOf(e.getMessage()));
                } catch (IllegalArgumentException noUri) {
                    assertThat(noUri.getCause()).as(place).isInstanceOf(java.net.URISyntaxException.class);
                    refused++;
                }
            }
            assertThat(refused).as(place).isGreaterThan(100);
        });
        assertThatThrownBy(() -> DigitalOcean.builder().endpoint(URI.create("https://u:p@api.example/")))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("holds a user name")
                .hasMessageNotContaining("u:p");
    }
}
