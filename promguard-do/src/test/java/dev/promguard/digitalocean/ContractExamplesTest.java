package dev.promguard.digitalocean;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Deadline;
import dev.promguard.digitalocean.internal.Http;
import dev.promguard.digitalocean.internal.Token;
import dev.promguard.keys.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples of the published contract, read by the client as it reads the API's answers. */
class ContractExamplesTest {
    private static final Map<String, Class<?>> READ_AS = Map.ofEntries(
            Map.entry("get /v2/account", Answers.AccountAnswer.class),
            Map.entry("get /v2/account/keys", Answers.KeysAnswer.class),
            Map.entry("get /v2/account/keys/{ssh_key_identifier}", Answers.KeyAnswer.class),
            Map.entry("post /v2/account/keys", Answers.KeyAnswer.class),
            Map.entry("get /v2/droplets", Answers.DropletsAnswer.class),
            Map.entry("post /v2/droplets", Answers.DropletsAnswer.class),
            Map.entry("get /v2/droplets/{droplet_id}", Answers.DropletAnswer.class),
            Map.entry("get /v2/droplets/{droplet_id}/actions", Answers.ActionsAnswer.class),
            Map.entry("get /v2/regions", Answers.RegionsAnswer.class),
            Map.entry("get /v2/sizes", Answers.SizesAnswer.class),
            Map.entry("get /v2/images", Answers.ImagesAnswer.class),
            Map.entry("get /v2/images/{image_id}", Answers.ImageAnswer.class),
            Map.entry("get /v2/tags", Answers.TagsAnswer.class),
            Map.entry("get /v2/vpcs/{vpc_id}", Answers.VpcAnswer.class),
            Map.entry("get /v2/firewalls", Answers.FirewallsAnswer.class),
            Map.entry("post /v2/firewalls", Answers.FirewallAnswer.class));

    @RegisterExtension
    final Cloud cloud = new Cloud();

    private static @Nullable JsonNode contract() throws IOException {
        String file = System.getProperty("promguard.contract", "");
        return file.isEmpty() || !Files.exists(Path.of(file))
                ? null
                : new ObjectMapper().readTree(Path.of(file).toFile());
    }

    @Test
    void contract_missing_isSaid() throws IOException {
        assumeTrue(contract() != null, "DigitalOcean's contract is not here: its examples are not tried");
        assertThat(examples()).hasSizeGreaterThanOrEqualTo(READ_AS.size());
    }

    static List<Arguments> examples() throws IOException {
        JsonNode root = contract();
        List<Arguments> examples = new ArrayList<>();
        if (root == null) {
            return examples;
        }
        READ_AS.forEach((operation, type) -> {
            String[] words = operation.split(" ", -1);
            JsonNode responses =
                    root.path("paths").path(words[1]).path(words[0]).path("responses");
            assertThat(responses.isMissingNode()).as(operation).isFalse();
            responses.properties().forEach(response -> {
                if (response.getKey().startsWith("2")) {
                    JsonNode content =
                            resolved(root, response.getValue()).path("content").path("application/json");
                    examplesOf(root, content)
                            .forEach(example -> examples.add(Arguments.of(operation, type, example.toString())));
                }
            });
        });
        return examples;
    }

    /** Those that are written out, or where none is, one put together from those of the schema's parts. */
    private static List<JsonNode> examplesOf(JsonNode root, JsonNode content) {
        List<JsonNode> examples = new ArrayList<>();
        if (content.has("example")) {
            examples.add(content.get("example"));
        }
        content.path("examples")
                .forEach(example -> examples.add(resolved(root, example).path("value")));
        if (examples.isEmpty()) {
            examples.add(fromSchema(root, content.path("schema"), 0));
        }
        return examples;
    }

    private static JsonNode fromSchema(JsonNode root, JsonNode reference, int depth) {
        JsonNode schema = resolved(root, reference);
        if (schema.has("example")) {
            return schema.get("example");
        }
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        for (JsonNode part : schema.path("allOf")) {
            if (fromSchema(root, part, depth + 1) instanceof ObjectNode more) {
                object.setAll(more);
            }
        }
        if (depth < 12) {
            schema.path("properties")
                    .properties()
                    .forEach(property ->
                            object.set(property.getKey(), fromSchema(root, property.getValue(), depth + 1)));
        }
        if (schema.path("type").asText().equals("array")) {
            ArrayNode array = JsonNodeFactory.instance.arrayNode();
            return array.add(fromSchema(root, schema.path("items"), depth + 1));
        }
        return object.isEmpty() && !schema.has("properties") && !schema.has("allOf")
                ? JsonNodeFactory.instance.nullNode()
                : object;
    }

    private static JsonNode resolved(JsonNode root, JsonNode node) {
        JsonNode here = node;
        while (here.has("$ref")) {
            here = root.at(here.get("$ref").asText().substring(1));
        }
        return here;
    }

    @ParameterizedTest(name = "{0}", allowZeroInvocations = true)
    @MethodSource("examples")
    void example_ofTheContract_isRead(String operation, Class<?> type, String body) {
        String path = operation.substring(operation.indexOf(' ') + 1).replaceAll("\\{[a-z_]+}", "1");
        cloud.on("GET", path, Cloud.odd(200, body));
        try (Secret token = Secret.of(Cloud.TOKEN)) {
            Http http = new Http(cloud.endpoint(), Token.given(token), Duration.ofSeconds(10), Duration.ofMillis(1));

            Object answer = http.get(path, type, Deadline.never());

            assertThat(Stream.of(answer.toString()))
                    .as("%s", body)
                    .noneMatch(text -> text.matches("\\w+\\[\\w+=null(, links=null)?]"));
        }
    }
}
