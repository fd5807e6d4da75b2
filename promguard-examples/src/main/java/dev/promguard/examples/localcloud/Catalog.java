package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.promguard.InvalidSettingException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is on offer: regions, sizes and images, as DigitalOcean lists them. */
final class Catalog {
    /**
     * An image, and the Debian suite that stands for it; empty for those that cannot boot here.
     */
    record Image(ObjectNode json, String suite) {
        boolean is(String slugOrId) {
            return json.path("slug").asText("").equals(slugOrId)
                    || json.path("id").asText().equals(slugOrId);
        }
    }

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<ObjectNode> regions = new ArrayList<>();
    private final List<ObjectNode> sizes = new ArrayList<>();
    private final List<Image> images = new ArrayList<>();

    private Catalog(JsonNode json) {
        json.path("regions").forEach(r -> regions.add((ObjectNode) r));
        json.path("sizes").forEach(s -> sizes.add((ObjectNode) s));
        for (JsonNode image : json.path("images")) {
            images.add(new Image(
                    (ObjectNode) image.path("image"), image.path("suite").asText("")));
        }
    }

    static Catalog usual() {
        try (InputStream in = Catalog.class.getResourceAsStream("catalog.json")) {
            if (in == null) {
                throw new LocalCloudException("catalog.json is missing from the class path");
            }
            return new Catalog(JSON.readTree(in));
        } catch (IOException e) {
            throw new LocalCloudException("cannot read catalog.json: " + e.getMessage(), e);
        }
    }

    static Catalog of(String json) {
        Objects.requireNonNull(json, "json");
        try {
            JsonNode catalog = JSON.readTree(json);
            if (catalog.isObject()) {
                return new Catalog(catalog);
            }
            throw notAnObject(null);
        } catch (IOException e) {
            throw notAnObject(e);
        }
    }

    private static InvalidSettingException notAnObject(@Nullable Throwable cause) {
        return new InvalidSettingException(
                "catalog is not a JSON object: use one with regions, sizes and images, as catalog(…) describes it",
                cause);
    }

    List<ObjectNode> regions() {
        return regions;
    }

    List<ObjectNode> sizes() {
        return sizes;
    }

    List<Image> images() {
        return images;
    }

    Optional<ObjectNode> region(String slug) {
        return regions.stream()
                .filter(r -> r.path("slug").asText().equals(slug))
                .findFirst();
    }

    Optional<ObjectNode> size(String slug) {
        return sizes.stream().filter(s -> s.path("slug").asText().equals(slug)).findFirst();
    }
}
