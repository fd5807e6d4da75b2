package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.UUID;

/**
 * A private network of a region, which is kept and shown: behind all of them is the local cloud's one private network.
 *
 * @param isDefault whether droplets of its region that name none are in it
 */
record Vpc(
        String id,
        String name,
        String description,
        String region,
        String ipRange,
        boolean isDefault,
        Instant createdAt) {
    /** The one that a region has to begin with. */
    static Vpc ofRegion(String region, String ipRange) {
        String id =
                UUID.nameUUIDFromBytes(region.getBytes(StandardCharsets.UTF_8)).toString();
        return new Vpc(id, "default-" + region, "", region, ipRange, true, Instant.now());
    }

    ObjectNode json() {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", id)
                .put("urn", "do:vpc:" + id)
                .put("name", name)
                .put("description", description)
                .put("region", region)
                .put("ip_range", ipRange)
                .put("created_at", createdAt.truncatedTo(ChronoUnit.SECONDS).toString())
                .put("default", isDefault);
    }
}
