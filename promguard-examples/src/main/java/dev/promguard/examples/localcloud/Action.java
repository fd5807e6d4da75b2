package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** Something that happens to a droplet. The account's lock guards what changes. */
final class Action {
    private final long id;
    private final String type;
    private final long dropletId;
    private final ObjectNode region;
    private final Instant startedAt = Instant.now();
    private @Nullable Instant completedAt;
    private String status = "in-progress";

    Action(long id, String type, Droplet droplet) {
        this.id = id;
        this.type = type;
        this.dropletId = droplet.id();
        this.region = droplet.spec().region();
    }

    long id() {
        return id;
    }

    String type() {
        return type;
    }

    long dropletId() {
        return dropletId;
    }

    boolean inProgress() {
        return status.equals("in-progress");
    }

    void end(boolean well) {
        status = well ? "completed" : "errored";
        completedAt = Instant.now();
    }

    ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("id", id);
        json.put("status", status);
        json.put("type", type);
        json.put("started_at", startedAt.truncatedTo(ChronoUnit.SECONDS).toString());
        Instant end = completedAt;
        if (end == null) {
            json.putNull("completed_at");
        } else {
            json.put("completed_at", end.truncatedTo(ChronoUnit.SECONDS).toString());
        }
        json.put("resource_id", dropletId);
        json.put("resource_type", "droplet");
        json.set("region", region);
        json.set("region_slug", region.get("slug"));
        return json;
    }
}
