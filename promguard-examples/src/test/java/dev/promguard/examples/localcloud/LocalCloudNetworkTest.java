package dev.promguard.examples.localcloud;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Firewalls and private networks. */
class LocalCloudNetworkTest {
    private static final String SSH =
            "{\"protocol\":\"tcp\",\"ports\":\"22\",\"sources\":{\"addresses\":[\"203.0.113.0/24\",\"2001:db8::/32\"]}}";

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

    @Test
    void firewall_ofATag_coversItsDropletsAndSettles() throws Exception {
        long id = api.create("a");
        Api.Answer created = api.post("v2/firewalls", firewall("\"tags\":[\"mesh\"]"));
        assertThat(created.status()).isEqualTo(202);
        JsonNode firewall = created.body().path("firewall");
        assertThat(firewall.path("status").asText()).isEqualTo("waiting");
        assertThat(firewall.at("/pending_changes/0/droplet_id").asLong()).isEqualTo(id);
        JsonNode read = api.get(path(firewall)).body().path("firewall");
        assertThat(read.path("status").asText()).isEqualTo("succeeded");
        assertThat(read.path("pending_changes")).isEmpty();
        assertThat(read.path("tags")).extracting(JsonNode::asText).containsExactly("mesh");
        assertThat(read.at("/inbound_rules/0/sources/addresses")).hasSize(2);
        assertThat(api.total("v2/firewalls")).isEqualTo(1);
        assertThat(api.total("v2/droplets/" + id + "/firewalls")).isEqualTo(1);
    }

    @Test
    void firewall_tagThatIsNotThere_unprocessableUntilItIsMade() throws Exception {
        assertThat(api.post("v2/firewalls", firewall("\"tags\":[\"none\"]")).status())
                .isEqualTo(422);
        assertThat(api.total("v2/firewalls")).isZero();
        api.post("v2/tags", "{\"name\":\"none\"}");
        assertThat(api.post("v2/firewalls", firewall("\"tags\":[\"none\"]")).status())
                .isEqualTo(202);
    }

    @Test
    void firewall_nameInUse_conflict() throws Exception {
        JsonNode first = made("\"name\":\"one\"");
        Api.Answer answer = api.post("v2/firewalls", firewall("\"name\":\"one\""));
        assertThat(answer.status()).isEqualTo(409);
        assertThat(answer.body().path("message").asText()).isEqualTo("duplicate name");
        JsonNode second = made("\"name\":\"two\"");
        assertThat(api.put(path(second), firewall("\"name\":\"one\"")).status()).isEqualTo(409);
        assertThat(api.put(path(first), firewall("\"name\":\"one\"")).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"name\":\"\"",
                "\"name\":\"a b\"",
                "\"inbound_rules\":[]",
                "\"inbound_rules\":[{\"protocol\":\"gre\",\"ports\":\"1\",\"sources\":{\"addresses\":[\"0.0.0.0/0\"]}}]",
                "\"inbound_rules\":[{\"protocol\":\"tcp\",\"sources\":{\"addresses\":[\"0.0.0.0/0\"]}}]",
                "\"inbound_rules\":[{\"protocol\":\"tcp\",\"ports\":22,\"sources\":{\"addresses\":[\"0.0.0.0/0\"]}}]",
                "\"inbound_rules\":[{\"protocol\":\"tcp\",\"ports\":\"90-80\",\"sources\":{\"addresses\":[\"0.0.0.0/0\"]}}]",
                "\"inbound_rules\":[{\"protocol\":\"tcp\",\"ports\":\"65536\",\"sources\":{\"addresses\":[\"0.0.0.0/0\"]}}]",
                "\"inbound_rules\":[{\"protocol\":\"icmp\",\"ports\":\"0\",\"sources\":{\"addresses\":[\"0.0.0.0/0\"]}}]",
                "\"inbound_rules\":[{\"protocol\":\"tcp\",\"ports\":\"22\",\"sources\":{\"addresses\":[\"\"]}}]",
                "\"inbound_rules\":[{\"protocol\":\"tcp\",\"ports\":\"22\",\"sources\":{\"addresses\":[\"10.0.0.0/33\"]}}]",
                "\"inbound_rules\":[{\"protocol\":\"tcp\",\"ports\":\"22\",\"sources\":{}}]",
                "\"inbound_rules\":[{\"protocol\":\"tcp\",\"ports\":\"22\",\"sources\":{\"tags\":[\"none\"]}}]",
                "\"outbound_rules\":[{\"protocol\":\"tcp\",\"ports\":\"22\",\"sources\":{\"addresses\":[\"0.0.0.0/0\"]}}]",
                "\"droplet_ids\":[7]",
            })
    void firewall_badSpec_unprocessableAndNothingMade(String fields) throws Exception {
        Api.Answer answer = api.post("v2/firewalls", firewall(fields));
        assertThat(answer.status()).isEqualTo(422);
        assertThat(answer.body().path("message").asText()).isNotBlank();
        assertThat(api.total("v2/firewalls")).isZero();
    }

    @Test
    void firewall_moreThanItMayHold_unprocessable() throws Exception {
        List<String> tags = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            api.post("v2/tags", "{\"name\":\"t" + i + "\"}");
            tags.add("\"t" + i + "\"");
        }
        assertThat(api.post("v2/firewalls", firewall("\"tags\":" + tags)).status())
                .isEqualTo(422);
        List<String> rules =
                IntStream.range(0, 51).mapToObj(i -> SSH.replace("22", "" + i)).toList();
        assertThat(api.post("v2/firewalls", firewall("\"inbound_rules\":" + rules))
                        .status())
                .isEqualTo(422);
        List<Long> droplets = new ArrayList<>();
        for (int i = 0; i < 11; i++) {
            droplets.add(api.create("n" + i));
        }
        assertThat(api.post("v2/firewalls", firewall("\"droplet_ids\":" + droplets))
                        .status())
                .isEqualTo(422);
        assertThat(api.post(
                                "v2/firewalls",
                                firewall(
                                        "\"tags\":" + tags.subList(0, 5),
                                        "\"inbound_rules\":" + rules.subList(0, 50),
                                        "\"droplet_ids\":" + droplets.subList(0, 10)))
                        .status())
                .isEqualTo(202);
    }

    @Test
    void firewall_icmpAndAllPorts_areShownAsZero() throws Exception {
        JsonNode firewall = made(
                "\"outbound_rules\":["
                        + "{\"protocol\":\"icmp\",\"destinations\":{\"addresses\":[\"0.0.0.0/0\",\"::/0\"]}},"
                        + "{\"protocol\":\"udp\",\"ports\":\"all\",\"destinations\":{\"addresses\":[\"0.0.0.0/0\",\"::/0\"]}}]");
        assertThat(firewall.path("outbound_rules"))
                .extracting(rule -> rule.path("ports").asText())
                .containsExactly("0", "0");
    }

    @Test
    void firewall_put_replacesAllOfIt() throws Exception {
        api.post("v2/tags", "{\"name\":\"mesh\"}");
        JsonNode before = made("\"tags\":[\"mesh\"]");
        JsonNode after =
                api.put(path(before), firewall("\"name\":\"other\"")).body().path("firewall");
        assertThat(after.path("id")).isEqualTo(before.path("id"));
        assertThat(after.path("name").asText()).isEqualTo("other");
        assertThat(after.path("tags")).as("what is not said is reset").isEmpty();
        assertThat(api.put("v2/firewalls/none", firewall("\"name\":\"x1\"")).status())
                .isEqualTo(404);
    }

    @Test
    void firewall_partsAddedAndRemoved_oneByOne() throws Exception {
        long id = api.create("a");
        String path = path(made("\"name\":\"fw\""));
        for (String part : List.of(
                "tags {\"tags\":[\"mesh\"]}",
                "droplets {\"droplet_ids\":[" + id + "]}",
                "rules {\"inbound_rules\":[" + SSH.replace("22", "2222") + "]}")) {
            String[] words = part.split(" ", 2);
            JsonNode before = api.get(path).body();
            assertThat(api.post(path + "/" + words[0], words[1]).status()).isEqualTo(204);
            assertThat(api.get(path).body()).isNotEqualTo(before);
            assertThat(api.call("DELETE", path + "/" + words[0], words[1]).status())
                    .isEqualTo(204);
            assertThat(api.get(path).body()).isEqualTo(before);
        }
        assertThat(api.call("DELETE", path + "/rules", "{\"inbound_rules\":[" + SSH + "]}")
                        .status())
                .as("the last rule")
                .isEqualTo(422);
        assertThat(api.post(path + "/tags", "{\"tags\":[\"none\"]}").status()).isEqualTo(422);
    }

    @Test
    void firewall_deleted_isGone() throws Exception {
        String path = path(made("\"name\":\"fw\""));
        assertThat(api.delete(path).status()).isEqualTo(204);
        assertThat(api.delete(path).status()).isEqualTo(404);
        assertThat(api.get(path).status()).isEqualTo(404);
    }

    @Test
    void firewall_itsTagOrDropletRemoved_outlivesThem() throws Exception {
        long id = api.create("a");
        String path = path(made("\"tags\":[\"mesh\"]", "\"droplet_ids\":[" + id + "]"));
        api.delete("v2/tags/mesh");
        api.delete("v2/droplets/" + id);
        api.awaitTotal(0);
        JsonNode left = api.get(path).body().path("firewall");
        assertThat(left.path("tags")).isEmpty();
        assertThat(left.path("droplet_ids")).isEmpty();
    }

    @Test
    void vpcs_toBeginWith_areOneDefaultARegion() throws Exception {
        JsonNode vpcs = api.get("v2/vpcs?per_page=200").body().path("vpcs");
        assertThat(vpcs).hasSize(api.total("v2/regions"));
        assertThat(vpcs).allMatch(vpc -> vpc.path("default").asBoolean());
        JsonNode droplet = api.awaitActive(api.create("a"));
        String id = droplet.path("vpc_uuid").asText();
        JsonNode vpc = api.get("v2/vpcs/" + id).body().path("vpc");
        assertThat(vpc.path("region").asText()).isEqualTo("lon1");
        assertThat(vpc.path("urn").asText()).isEqualTo("do:vpc:" + id);
        assertThat(api.get("v2/vpcs/none").status()).isEqualTo(404);
    }

    @Test
    void vpc_named_holdsItsDroplets() throws Exception {
        Api.Answer created = api.post("v2/vpcs", "{\"name\":\"shop\",\"region\":\"lon1\"}");
        assertThat(created.status()).isEqualTo(201);
        String id = created.body().at("/vpc/id").asText();
        long droplet = api.create("a", "\"vpc_uuid\":\"" + id + "\"");
        assertThat(api.awaitActive(droplet).path("vpc_uuid").asText()).isEqualTo(id);
        assertThat(api.get("v2/vpcs/" + id + "/members")
                        .body()
                        .at("/members/0/urn")
                        .asText())
                .isEqualTo("do:droplet:" + droplet);
        assertThat(api.delete("v2/vpcs/" + id).status()).isEqualTo(409);
        api.delete("v2/droplets/" + droplet);
        api.awaitTotal(0);
        assertThat(api.delete("v2/vpcs/" + id).status()).isEqualTo(204);
        assertThat(api.get("v2/vpcs/" + id).status()).isEqualTo(404);
    }

    @Test
    void vpc_ofAnotherRegion_unprocessable() throws Exception {
        String toronto = api.post("v2/vpcs", "{\"name\":\"shop\",\"region\":\"tor1\"}")
                .body()
                .at("/vpc/id")
                .asText();
        for (String id : List.of(toronto, "c33931f2-a26a-4e61-b85c-4e95a2ec431b")) {
            assertThat(api.post("v2/droplets", Api.spec("\"name\":\"a\"", "\"vpc_uuid\":\"" + id + "\""))
                            .status())
                    .isEqualTo(422);
        }
        assertThat(api.total("v2/droplets")).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"{\"name\":\"a b\",\"region\":\"lon1\"}", "{\"name\":\"a\",\"region\":\"mars1\"}", "{}"})
    void vpc_badSpec_unprocessable(String body) throws Exception {
        assertThat(api.post("v2/vpcs", body).status()).isEqualTo(422);
    }

    @Test
    void vpc_default_isNotDeleted() throws Exception {
        String id = api.get("v2/vpcs").body().at("/vpcs/0/id").asText();
        assertThat(api.delete("v2/vpcs/" + id).status()).isEqualTo(403);
        assertThat(api.get("v2/vpcs/" + id).status()).isEqualTo(200);
    }

    private JsonNode made(String... fields) throws Exception {
        Api.Answer answer = api.post("v2/firewalls", firewall(fields));
        assertThat(answer.status()).as(answer.text()).isEqualTo(202);
        return answer.body().path("firewall");
    }

    /** A firewall's body of usual fields, overridden by those given: in JSON the last of a name counts. */
    private static String firewall(String... fields) {
        return "{\"name\":\"fw\",\"inbound_rules\":[" + SSH + "]," + String.join(",", fields) + "}";
    }

    private static String path(JsonNode firewall) {
        return "v2/firewalls/" + firewall.path("id").asText();
    }
}
