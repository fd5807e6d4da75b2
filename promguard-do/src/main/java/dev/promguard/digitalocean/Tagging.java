package dev.promguard.digitalocean;

import dev.promguard.ProviderException;
import dev.promguard.digitalocean.internal.Deadline;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Puts a mesh's tag back on droplets that have lost it. Thread-safe. */
final class Tagging {
    private static final int UNPROCESSABLE = 422;

    private final Api api;

    Tagging(Api api) {
        this.api = api;
    }

    void tag(String mesh, Collection<String> ids) {
        if (ids.isEmpty()) {
            return;
        }
        String tag = Marks.mesh(mesh);
        List<Map<String, String>> resources = ids.stream()
                .map(id -> Map.of("resource_id", id, "resource_type", "droplet"))
                .toList();
        try {
            make(tag);
            api.http()
                    .repeat(
                            "/v2/tags/" + Api.encode(tag) + "/resources",
                            Map.of("resources", resources),
                            Deadline.never());
        } catch (ProviderException e) {
            throw new ProviderException(
                    e.code(),
                    "the tag " + tag + " cannot be put back on droplet " + String.join(", ", ids) + ": "
                            + e.reason()
                            + " Put it back in the control panel, or use a token that may tag, then run again.",
                    e.status().isPresent() ? e.status().getAsInt() : null,
                    e.providerCode().orElse(null),
                    e.requestId().orElse(null),
                    e.retryable(),
                    e);
        }
    }

    /** A deleted tag is created again; an existing one is refused by the API or accepted. */
    private void make(String tag) {
        try {
            api.http().repeat("/v2/tags", Map.of("name", tag), Deadline.never());
        } catch (ProviderException e) {
            if (e.status().orElse(0) != UNPROCESSABLE) {
                throw e;
            }
        }
    }
}
