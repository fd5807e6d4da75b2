package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A droplet as the account knows it. The account's lock guards what changes. */
final class Droplet {
    /** What was asked for. */
    record Spec(
            String name,
            ObjectNode region,
            ObjectNode size,
            Catalog.Image image,
            String vpc,
            List<String> publicKeys,
            String userData,
            Set<String> tags,
            Set<Option> options) {
        Spec {
            publicKeys = List.copyOf(publicKeys);
            tags = Set.copyOf(tags);
            options = Set.copyOf(options);
        }

        boolean has(Option option) {
            return options.contains(option);
        }
    }

    /** What can be asked for beside it, and the feature it is shown as. */
    enum Option {
        BACKUPS("backups"),
        MONITORING("monitoring"),
        IPV6("ipv6"),
        AGENT("droplet_agent");

        private final String feature;

        Option(String feature) {
            this.feature = feature;
        }
    }

    private final long id;
    private final Spec spec;
    private final int host;
    private final Network network;
    private final Instant createdAt;
    private final TreeSet<String> tags = new TreeSet<>();
    private final TreeSet<Long> snapshotIds = new TreeSet<>();
    private @Nullable Instant activeAt;
    private @Nullable Machine machine;
    private boolean leaving;
    private boolean recordOff;
    private boolean failed;
    private ObjectNode size;
    private int disk;

    Droplet(long id, Spec spec, int host, Network network, Instant createdAt) {
        this.id = id;
        this.spec = spec;
        this.host = host;
        this.network = network;
        this.createdAt = createdAt;
        this.size = spec.size();
        this.disk = spec.size().path("disk").asInt();
    }

    long id() {
        return id;
    }

    Spec spec() {
        return spec;
    }

    int host() {
        return host;
    }

    /** The tags it carries, each in the case that the account knows it in. */
    Set<String> tags() {
        return tags;
    }

    Set<Long> snapshotIds() {
        return snapshotIds;
    }

    String createdAt() {
        return createdAt.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    /** An image of it, as it is shown, for its own region alone. */
    Catalog.Image snapshot(long imageId, String name) {
        ObjectNode json = spec.image().json().deepCopy();
        json.put("id", imageId);
        json.put("name", name);
        json.put("type", "snapshot");
        json.putNull("slug");
        json.put("public", false);
        json.putArray("regions").add(spec.region().path("slug").asText());
        json.put("created_at", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        json.put("min_disk_size", disk);
        json.put("description", "");
        return new Catalog.Image(json, spec.image().suite());
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

    /** What its disk has, in GB: a resize may leave it as it is. */
    int disk() {
        return disk;
    }

    void resize(ObjectNode wanted, boolean withDisk) {
        size = wanted;
        if (withDisk) {
            disk = wanted.path("disk").asInt();
        }
    }

    void recordOff(boolean off) {
        recordOff = off;
    }

    boolean off() {
        return !isNew() && (machine == null ? recordOff : !machine.poweredOn());
    }

    ObjectNode json(Faults faults) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("id", id);
        json.put("name", spec.name());
        json.set("memory", size.get("memory"));
        json.set("vcpus", size.get("vcpus"));
        json.put("disk", disk);
        json.put("locked", isNew() || leaving);
        json.put("status", isNew() ? "new" : off() ? "off" : "active");
        json.putNull("kernel");
        json.put("created_at", createdAt());
        ArrayNode features = json.putArray("features");
        for (Option option : Option.values()) {
            if (spec.has(option)) {
                features.add(option.feature);
            }
        }
        features.add("private_networking");
        json.putArray("backup_ids");
        json.putNull("next_backup_window");
        ArrayNode snapshots = json.putArray("snapshot_ids");
        snapshotIds.forEach(snapshots::add);
        json.set("image", spec.image().json());
        json.putArray("volume_ids");
        json.set("size", size);
        json.set("size_slug", size.get("slug"));
        ObjectNode networks = json.putObject("networks");
        ArrayNode v4 = networks.putArray("v4");
        ArrayNode v6 = networks.putArray("v6");
        Instant since = activeAt;
        if (since != null && !since.plus(faults.lateAddresses()).isAfter(Instant.now())) {
            address(v4, network.privateAddress(host), "255.255.240.0", network.privateGateway(), "private");
            address(v4, network.publicAddress(host), "255.255.255.0", network.gateway(), "public");
            if (spec.has(Option.IPV6)) {
                v6.addObject()
                        .put("ip_address", network.ipv6Address(host))
                        .put("netmask", Network.IPV6_PREFIX)
                        .put("gateway", network.ipv6Gateway())
                        .put("type", "public");
            }
        }
        json.set("region", spec.region());
        ArrayNode tagList = json.putArray("tags");
        tags.forEach(tagList::add);
        json.put("vpc_uuid", spec.vpc());
        return json;
    }

    private static void address(ArrayNode to, String address, String mask, String gateway, String type) {
        to.addObject()
                .put("ip_address", address)
                .put("netmask", mask)
                .put("gateway", gateway)
                .put("type", type);
    }
}
