package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A droplet as the account knows it. The account's lock guards what changes. */
final class Droplet {
    /** What was asked for. */
    record Wish(
            String name,
            ObjectNode region,
            ObjectNode size,
            ObjectNode image,
            String suite,
            List<String> publicKeys,
            String userData,
            Set<String> tags,
            boolean monitoring) {
        Wish {
            publicKeys = List.copyOf(publicKeys);
            tags = Set.copyOf(tags);
        }
    }

    private final long id;
    private final Wish wish;
    private final int host;
    private final Network network;
    private final Instant createdAt;
    private final TreeSet<String> tags;
    private @Nullable Instant activeAt;
    private @Nullable Machine machine;
    private boolean leaving;
    private boolean recordOff;
    private boolean failed;

    Droplet(long id, Wish wish, int host, Network network, Instant createdAt) {
        this.id = id;
        this.wish = wish;
        this.host = host;
        this.network = network;
        this.createdAt = createdAt;
        this.tags = new TreeSet<>(wish.tags());
    }

    long id() {
        return id;
    }

    Wish wish() {
        return wish;
    }

    int host() {
        return host;
    }

    Set<String> tags() {
        return tags;
    }

    @Nullable
    Machine machine() {
        return machine;
    }

    String publicAddress() {
        return network.publicAddress(host);
    }

    boolean isNew() {
        return activeAt == null;
    }

    boolean leaving() {
        return leaving;
    }

    boolean failed() {
        return failed;
    }

    boolean olderThan(Duration age) {
        return !createdAt.plus(age).isAfter(Instant.now());
    }

    void body(Machine made) {
        machine = made;
    }

    void activate() {
        activeAt = Instant.now();
    }

    void leave() {
        leaving = true;
    }

    void fail() {
        failed = true;
    }

    void recordOff(boolean off) {
        recordOff = off;
    }

    boolean off() {
        return !isNew() && (machine == null ? recordOff : !machine.poweredOn());
    }

    ObjectNode json(Faults faults) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        ObjectNode size = wish.size();
        json.put("id", id);
        json.put("name", wish.name());
        json.set("memory", size.get("memory"));
        json.set("vcpus", size.get("vcpus"));
        json.set("disk", size.get("disk"));
        json.put("locked", isNew() || leaving);
        json.put("status", isNew() ? "new" : off() ? "off" : "active");
        json.putNull("kernel");
        json.put("created_at", createdAt.truncatedTo(ChronoUnit.SECONDS).toString());
        ArrayNode features = json.putArray("features");
        if (wish.monitoring()) {
            features.add("monitoring");
        }
        features.add("droplet_agent").add("private_networking");
        json.putArray("backup_ids");
        json.putNull("next_backup_window");
        json.putArray("snapshot_ids");
        json.set("image", wish.image());
        json.putArray("volume_ids");
        json.set("size", size);
        json.set("size_slug", size.get("slug"));
        ObjectNode networks = json.putObject("networks");
        ArrayNode v4 = networks.putArray("v4");
        networks.putArray("v6");
        Instant since = activeAt;
        if (since != null && !since.plus(faults.lateAddresses()).isAfter(Instant.now())) {
            address(v4, network.privateAddress(host), "255.255.240.0", network.privateGateway(), "private");
            address(v4, network.publicAddress(host), "255.255.255.0", network.gateway(), "public");
        }
        json.set("region", wish.region());
        ArrayNode tagList = json.putArray("tags");
        tags.forEach(tagList::add);
        json.put("vpc_uuid", vpc(wish.region()));
        return json;
    }

    /** The default network of a region. */
    static String vpc(ObjectNode region) {
        return UUID.nameUUIDFromBytes(region.path("slug").asText().getBytes(StandardCharsets.UTF_8))
                .toString();
    }

    private static void address(ArrayNode to, String address, String mask, String gateway, String type) {
        to.addObject()
                .put("ip_address", address)
                .put("netmask", mask)
                .put("gateway", gateway)
                .put("type", type);
    }
}
