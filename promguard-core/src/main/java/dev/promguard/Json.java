package dev.promguard;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.internal.text.StableIds;
import dev.promguard.internal.text.Version;
import dev.promguard.spi.Price;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What the JSON documents have in common. {@code docs/promguard-1.schema.json} describes them. What is not there is null, so that a document
 * of a kind always has the same fields.
 */
final class Json {
    private static final int FORMAT_VERSION = 1;

    private static final JsonMapper MAPPER = new JsonMapper();
    private static final DefaultIndenter INDENTER = new DefaultIndenter("  ", "\n");
    private static final DefaultPrettyPrinter PRINTER = new DefaultPrettyPrinter(
                    Separators.createDefaultInstance().withObjectFieldValueSpacing(Separators.Spacing.AFTER))
            .withObjectIndenter(INDENTER)
            .withArrayIndenter(INDENTER);

    private Json() {}

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    static ArrayNode array() {
        return MAPPER.createArrayNode();
    }

    /** The beginning of a document. */
    static ObjectNode document(String kind) {
        return object().put("formatVersion", FORMAT_VERSION).put("kind", kind).put("version", Version.running());
    }

    /** A document as text, ending in a line end. */
    static String text(ObjectNode document) {
        try {
            return MAPPER.writer(PRINTER).writeValueAsString(document) + '\n';
        } catch (JacksonException e) {
            throw new IllegalStateException("a tree can always be written", e);
        }
    }

    /** A constant as programs read it, such as {@code rotate-keys}. */
    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static JsonNode text(Optional<String> text) {
        return text.<JsonNode>map(TextNode::valueOf).orElse(NullNode.getInstance());
    }

    /** A text where an empty one means that there is none. */
    static JsonNode textUnlessEmpty(String text) {
        return text(Optional.of(text).filter(some -> !some.isEmpty()));
    }

    static ArrayNode texts(List<String> texts) {
        ArrayNode array = array();
        texts.forEach(array::add);
        return array;
    }

    static JsonNode price(Optional<Price> price) {
        return price.<JsonNode>map(known -> object().put("currency", "USD")
                        .put("monthly", known.monthly().toPlainString())
                        .put("hourly", known.hourly().toPlainString()))
                .orElse(NullNode.getInstance());
    }

    static ObjectNode mesh(Blueprint blueprint) {
        return object().put("name", blueprint.mesh())
                .put("network", blueprint.network())
                .put("monitors", blueprint.monitors().size())
                .put("nodes", blueprint.nodes().size())
                .put("specHash", blueprint.spec().hash());
    }

    /** Why something failed. */
    static JsonNode failure(String owner, Optional<RuntimeException> failure) {
        return failure.<JsonNode>map(why -> failure(owner, why)).orElse(NullNode.getInstance());
    }

    private static ObjectNode failure(String owner, RuntimeException failure) {
        Optional<PromGuardException> known =
                failure instanceof PromGuardException own ? Optional.of(own) : Optional.empty();
        Optional<HostException> ofHost = failure instanceof HostException own ? Optional.of(own) : Optional.empty();
        ObjectNode node = object().put(
                        "id",
                        StableIds.of(owner, known.map(PromGuardException::id).orElse("failure"), ""));
        node.set("code", text(known.map(PromGuardException::id)));
        node.set("step", text(ofHost.map(HostException::step).map(Names::printable)));
        node.put(
                "message",
                Names.printable(Optional.ofNullable(failure.getMessage()).orElseGet(failure::toString)));
        return node.put("retryable", known.map(PromGuardException::retryable).orElse(false));
    }
}
