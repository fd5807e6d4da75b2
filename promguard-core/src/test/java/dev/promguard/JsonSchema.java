package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The schema of the JSON documents, from {@code docs}. */
public final class JsonSchema {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final JsonNode SOURCE = read();
    private static final Schema PUBLISHED = schema(SOURCE);
    private static final Schema STRICT = schema(strict());

    private JsonSchema() {}

    private static JsonNode read() {
        try {
            return MAPPER.readTree(Files.readString(Path.of("..", "docs", "promguard-1.schema.json")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Schema schema(JsonNode source) {
        return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(source);
    }

    /** The same schema where no object may have a field that is not described: readers pass over such fields, PromGuard has none. */
    private static JsonNode strict() {
        ObjectNode copy = SOURCE.deepCopy();
        close(copy);
        return copy;
    }

    private static void close(JsonNode node) {
        if (node instanceof ObjectNode object && object.has("properties") && object.has("required")) {
            object.put("additionalProperties", false);
        }
        node.forEach(JsonSchema::close);
    }

    /** The source of the schema. */
    static JsonNode source() {
        return SOURCE;
    }

    /** Insists that a document is as the schema says, with nothing that it does not describe. */
    public static JsonNode requireValid(String document) {
        try {
            JsonNode node = MAPPER.readTree(document);
            assertThat(PUBLISHED.validate(node)).as("%s", document).isEmpty();
            assertThat(STRICT.validate(node)).as("%s", document).isEmpty();
            return node;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static boolean isValid(JsonNode document) {
        return PUBLISHED.validate(document).isEmpty();
    }
}
