package dev.promguard.digitalocean;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.tomakehurst.wiremock.client.WireMock.JsonSchemaVersion;
import com.github.tomakehurst.wiremock.matching.MatchResult;
import com.github.tomakehurst.wiremock.matching.MatchesJsonSchemaPattern;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * DigitalOcean's published OpenAPI contract, and what it forgets to forbid though the API does: unknown fields and query
 * parameters, too many names, too much user data, tags of other characters. Tests of the client and of the local cloud share it.
 * Thread-safe.
 */
public final class Contract {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_:-]{1,255}");
    private static final @Nullable Contract FOUND = load();

    private final JsonNode root;
    private final Map<String, MatchesJsonSchemaPattern> schemas = new ConcurrentHashMap<>();

    private Contract(JsonNode root) {
        this.root = root;
    }

    /** The contract, if this machine has it. */
    public static Optional<Contract> find() {
        return Optional.ofNullable(FOUND);
    }

    private static @Nullable Contract load() {
        String file = System.getProperty("promguard.contract", "");
        if (file.isEmpty() || !Files.exists(Path.of(file))) {
            return null;
        }
        try {
            return new Contract(withNulls(JSON.readTree(Path.of(file).toFile())));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Says OpenAPI's {@code nullable} as JSON Schema says it. */
    private static JsonNode withNulls(JsonNode node) {
        node.forEach(Contract::withNulls);
        if (node instanceof ObjectNode object
                && object.path("nullable").isBoolean()
                && object.path("nullable").asBoolean()
                && object.path("type").isTextual()) {
            String type = object.path("type").asText();
            object.putArray("type").add(type).add("null");
        }
        return node;
    }

    /** What is wrong with a request. */
    public List<String> inRequest(String method, String url, String body) {
        URI uri = URI.create(url);
        Optional<JsonNode> operation = operation(method, uri.getPath());
        if (operation.isEmpty()) {
            return List.of("no such operation: " + method + ' ' + uri.getPath());
        }
        List<String> problems = new ArrayList<>();
        query(operation.get(), uri.getRawQuery(), problems);
        JsonNode wanted =
                resolve(operation.get().path("requestBody")).path("content").path("application/json");
        if (wanted.isMissingNode()) {
            if (!body.isEmpty()) {
                problems.add("a body where none belongs");
            }
            return problems;
        }
        problems.addAll(against(wanted.path("schema"), body));
        if (problems.isEmpty()) {
            beyond(wanted.path("schema"), read(body), problems);
        }
        return problems;
    }

    /** What is wrong with an answer. */
    public List<String> inAnswer(String method, String url, int status, String body) {
        Optional<JsonNode> operation = operation(method, URI.create(url).getPath());
        if (operation.isEmpty()) {
            return List.of("no such operation: " + method + ' ' + url);
        }
        JsonNode responses = operation.get().path("responses");
        String key = Integer.toString(status);
        if (!responses.has(key) && status < 400) {
            return List.of("no status " + status + " for " + method + ' ' + url);
        }
        JsonNode wanted = resolve(responses.path(responses.has(key) ? key : "default"))
                .path("content")
                .path("application/json");
        if (wanted.isMissingNode()) {
            return body.isEmpty() ? List.of() : List.of("a body where none belongs");
        }
        return against(wanted.path("schema"), body);
    }

    private void query(JsonNode operation, @Nullable String query, List<String> problems) {
        Map<String, JsonNode> known = new HashMap<>();
        for (JsonNode reference : operation.path("parameters")) {
            JsonNode parameter = resolve(reference);
            if (parameter.path("in").asText().equals("query")) {
                known.put(parameter.path("name").asText(), parameter.path("schema"));
            }
        }
        if (query == null) {
            return;
        }
        for (String pair : query.split("&", -1)) {
            String[] parts = pair.split("=", 2);
            JsonNode schema = known.get(parts[0]);
            if (schema == null) {
                problems.add("unknown query parameter " + parts[0]);
                continue;
            }
            String value = URLDecoder.decode(parts[1], StandardCharsets.UTF_8);
            boolean number = resolve(schema).path("type").asText().equals("integer");
            problems.addAll(
                    against(schema, number ? value : JSON.valueToTree(value).toString()));
        }
    }

    /** The operation whose path fits, one without placeholders first. */
    private Optional<JsonNode> operation(String method, String path) {
        JsonNode paths = root.path("paths");
        List<String> fitting = new ArrayList<>();
        paths.fieldNames().forEachRemaining(template -> {
            String pattern = template.replaceAll("\\{[a-z_]+}", "[^/]+").replace(".", "\\.");
            if (path.matches(pattern) && paths.path(template).has(method.toLowerCase(java.util.Locale.ROOT))) {
                fitting.add(template);
            }
        });
        return fitting.stream()
                .min((a, b) -> Integer.compare(placeholders(a), placeholders(b)))
                .map(template -> paths.path(template).path(method.toLowerCase(java.util.Locale.ROOT)));
    }

    private static int placeholders(String template) {
        return template.split("\\{", -1).length;
    }

    private JsonNode resolve(JsonNode node) {
        return node.has("$ref") ? resolve(root.at(node.path("$ref").asText().substring(1))) : node;
    }

    private List<String> against(JsonNode schema, String body) {
        MatchResult result =
                schemas.computeIfAbsent(schema.toString(), this::compile).match(body);
        if (result.isExactMatch()) {
            return List.of();
        }
        List<String> problems = new ArrayList<>();
        result.getSubEvents().forEach(event -> problems.add(event.getData().toString()));
        return problems.isEmpty() ? List.of("does not fit the schema") : problems;
    }

    private MatchesJsonSchemaPattern compile(String schema) {
        ObjectNode whole = JSON.createObjectNode();
        whole.putArray("allOf").add(read(schema));
        whole.set("components", root.path("components"));
        return new MatchesJsonSchemaPattern(whole.toString(), JsonSchemaVersion.V7);
    }

    private static JsonNode read(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the contract lets pass. */
    private void beyond(JsonNode schema, JsonNode body, List<String> problems) {
        Set<String> known = new HashSet<>();
        properties(schema, known);
        body.fieldNames().forEachRemaining(field -> {
            if (!known.contains(field)) {
                problems.add("unknown field " + field);
            } else if (body.path(field).isNull()) {
                problems.add("null in field " + field);
            }
        });
        if (body.has("names")
                && (body.path("names").isEmpty() || body.path("names").size() > 10)) {
            problems.add("1 to 10 names wanted");
        }
        if (body.path("user_data").asText().getBytes(StandardCharsets.UTF_8).length > 64 * 1024) {
            problems.add("user_data over 64 KiB");
        }
        for (JsonNode tag : body.path("tags")) {
            if (!TAG.matcher(tag.asText()).matches()) {
                problems.add("no tag: " + tag);
            }
        }
    }

    private void properties(JsonNode schema, Set<String> known) {
        JsonNode resolved = resolve(schema);
        resolved.path("properties").fieldNames().forEachRemaining(known::add);
        for (String part : List.of("allOf", "oneOf", "anyOf")) {
            resolved.path(part).forEach(one -> properties(one, known));
        }
    }
}
