package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is on offer: regions, sizes and images, as DigitalOcean lists them. */
final class Catalog {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<ObjectNode> regions = new ArrayList<>();
    private final List<ObjectNode> sizes = new ArrayList<>();
    private final List<ObjectNode> images = new ArrayList<>();
    private final List<String> suites = new ArrayList<>();

    private Catalog(JsonNode json) {
        json.path("regions").forEach(r -> regions.add((ObjectNode) r));
        json.path("sizes").forEach(s -> sizes.add((ObjectNode) s));
        for (JsonNode image : json.path("images")) {
            images.add((ObjectNode) image.path("image"));
            suites.add(image.path("suite").asText(""));
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
        try {
            return new Catalog(JSON.readTree(json));
        } catch (IOException e) {
            throw new IllegalArgumentException("catalog is not JSON: " + e.getMessage(), e);
        }
    }

    List<ObjectNode> regions() {
        return regions;
    }

    List<ObjectNode> sizes() {
        return sizes;
    }

    List<ObjectNode> images() {
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

    /** An image by its slug or its id. */
    Optional<ObjectNode> image(@Nullable String slugOrId) {
        return images.stream()
                .filter(i -> i.path("slug").asText().equals(slugOrId)
                        || i.path("id").asText().equals(slugOrId))
                .findFirst();
    }

    /** The Debian suite that stands for an image; empty for those that cannot boot here. */
    String suite(ObjectNode image) {
        return suites.get(images.indexOf(image));
    }
}
