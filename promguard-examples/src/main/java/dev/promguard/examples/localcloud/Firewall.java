package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** A cloud firewall, which is kept and shown, but stops no packet. The account's lock guards what changes. */
final class Firewall {
    /** All of it that a caller says. */
    record Spec(String name, List<JsonNode> inbound, List<JsonNode> outbound, Set<Long> dropletIds, Set<String> tags) {
        Spec {
            inbound = List.copyOf(inbound);
            outbound = List.copyOf(outbound);
            dropletIds = Set.copyOf(dropletIds);
            tags = Set.copyOf(tags);
        }

        int rules() {
            return inbound.size() + outbound.size();
        }

        Spec withTags(Set<String> changed) {
            return new Spec(name, inbound, outbound, dropletIds, changed);
        }

        Spec withDroplets(Set<Long> changed) {
            return new Spec(name, inbound, outbound, changed, tags);
        }

        Spec withRules(List<JsonNode> in, List<JsonNode> out) {
            return new Spec(name, in, out, dropletIds, tags);
        }
    }

    private final String id;
    private final Instant createdAt = Instant.now();
    private Spec spec;

    Firewall(String id, Spec spec) {
        this.id = id;
        this.spec = spec;
    }

    String id() {
        return id;
    }

    Spec spec() {
        return spec;
    }

    void become(Spec changed) {
        spec = changed;
    }

    boolean covers(Droplet droplet) {
        return spec.dropletIds().contains(droplet.id())
                || droplet.tags().stream().anyMatch(spec.tags()::contains);
    }

    /** As it is shown; with droplets that do not heed it yet, it is waiting. */
    ObjectNode json(Collection<Long> pending) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("id", id);
        json.put("name", spec.name());
        json.put("status", pending.isEmpty() ? "succeeded" : "waiting");
        json.putArray("inbound_rules").addAll(shown(spec.inbound()));
        json.putArray("outbound_rules").addAll(shown(spec.outbound()));
        json.put("created_at", createdAt.truncatedTo(ChronoUnit.SECONDS).toString());
        ArrayNode droplets = json.putArray("droplet_ids");
        new TreeSet<>(spec.dropletIds()).forEach(droplets::add);
        ArrayNode tags = json.putArray("tags");
        new TreeSet<>(spec.tags()).forEach(tags::add);
        ArrayNode changes = json.putArray("pending_changes");
        for (Long droplet : pending) {
            changes.addObject()
                    .put("droplet_id", droplet)
                    .put("removing", false)
                    .put("status", "waiting");
        }
        return json;
    }

    /** All ports are shown as 0, and so are those of icmp, which has none. */
    private static List<JsonNode> shown(List<JsonNode> rules) {
        List<JsonNode> shown = new ArrayList<>();
        for (JsonNode rule : rules) {
            ObjectNode copy = rule.deepCopy();
            String ports = copy.path("ports").asText("");
            copy.put("ports", ports.isEmpty() || ports.equals("all") ? "0" : ports);
            shown.add(copy);
        }
        return shown;
    }
}
