package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A call of the API, taken apart. */
record Call(String method, List<String> path, Map<String, String> query, JsonNode body) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static Call of(String method, URI uri, String body) {
        String path = uri.getPath();
        List<String> parts =
                List.of(path.replaceFirst("^/+", "").replaceFirst("/+$", "").split("/", -1));
        Map<String, String> query = new LinkedHashMap<>();
        String raw = uri.getRawQuery();
        if (raw != null) {
            for (String pair : raw.split("&", -1)) {
                int equals = pair.indexOf('=');
                query.put(
                        decode(equals < 0 ? pair : pair.substring(0, equals)),
                        equals < 0 ? "" : decode(pair.substring(equals + 1)));
            }
        }
        JsonNode json = MissingNode.getInstance();
        if (!body.isBlank()) {
            try {
                json = JSON.readTree(body);
            } catch (JsonProcessingException e) {
                throw new Refusal(
                        400, "bad_request", "There was a problem in the JSON you submitted: " + e.getOriginalMessage());
            }
        }
        return new Call(method, parts, query, json);
    }

    /** Whether method and path agree; {@code *} stands for any one part of the path. */
    boolean is(String wantedMethod, String pattern) {
        return method.equals(wantedMethod) && matches(List.of(pattern.split("/", -1)), path);
    }

    /** Whether a path fits a pattern, part by part. */
    static boolean matches(List<String> pattern, List<String> path) {
        if (pattern.size() != path.size()) {
            return false;
        }
        for (int i = 0; i < pattern.size(); i++) {
            if (!pattern.get(i).equals("*") && !pattern.get(i).equals(path.get(i))) {
                return false;
            }
        }
        return true;
    }

    String part(int index) {
        return path.get(index);
    }

    long id(int index) {
        String text = path.get(index);
        if (!text.matches("\\d{1,18}")) {
            throw Refusal.notFound();
        }
        return Long.parseLong(text);
    }

    @Nullable
    String query(String name) {
        return query.get(name);
    }

    /** A text of the body; empty if it is absent or null. */
    String text(String name) {
        JsonNode node = body.path(name);
        return node.isTextual() || node.isNumber() ? node.asText() : "";
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
