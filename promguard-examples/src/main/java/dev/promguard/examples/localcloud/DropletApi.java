package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** {@code /v2/droplets} and what happens to them. */
final class DropletApi {
    private static final int MOST_NAMES = 10;
    private static final int MOST_USER_DATA = 64 * 1024;
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9]([a-zA-Z0-9.-]{0,253}[a-zA-Z0-9])?");

    private final Account account;
    private final Catalog catalog;
    private final Pages pages;
    private final boolean machines;
    private final String base;

    /**
     * Droplets of an account.
     *
     * @param machines whether they are more than records
     */
    DropletApi(Account account, Catalog catalog, Pages pages, boolean machines, String base) {
        this.account = account;
        this.catalog = catalog;
        this.pages = pages;
        this.machines = machines;
        this.base = base;
    }

    @Nullable
    Reply answer(Call call) {
        if (call.is("GET", "v2/droplets")) {
            return list(call);
        } else if (call.is("POST", "v2/droplets")) {
            return create(call);
        } else if (call.is("DELETE", "v2/droplets")) {
            return deleteTagged(call);
        } else if (call.is("GET", "v2/droplets/*")) {
            return Reply.ok(wrap("droplet", json(visible(call))));
        } else if (call.is("DELETE", "v2/droplets/*")) {
            return delete(call);
        } else if (call.is("GET", "v2/droplets/*/snapshots")) {
            return snapshots(call, visible(call));
        } else if (call.is("GET", "v2/droplets/*/actions")) {
            Droplet droplet = visible(call);
            return pages.of(call, "actions", actions(a -> a.dropletId() == droplet.id()));
        } else if (call.is("POST", "v2/droplets/*/actions")) {
            return act(call, visible(call));
        } else if (call.is("GET", "v2/droplets/*/actions/*") || call.is("GET", "v2/actions/*")) {
            Action action = account.action(call.id(call.path().size() - 1)).orElseThrow(Refusal::notFound);
            return Reply.ok(wrap("action", account.locked(action::json)));
        } else if (call.is("GET", "v2/actions")) {
            return pages.of(call, "actions", actions(a -> true));
        }
        return null;
    }

    private Reply list(Call call) {
        @Nullable String tag = call.query("tag_name");
        @Nullable String name = call.query("name");
        if ("gpus".equals(call.query("type"))) {
            return pages.of(call, "droplets", List.of());
        }
        List<ObjectNode> found = account
                .droplets(d -> d.olderThan(account.faults().listLag())
                        && (tag == null || d.tags().stream().anyMatch(tag::equalsIgnoreCase))
                        && (name == null || d.spec().name().equals(name)))
                .stream()
                .map(this::json)
                .toList();
        return pages.of(call, "droplets", found);
    }

    private Reply create(Call call) {
        if (!call.body().isObject()) {
            throw Refusal.unprocessable("Name can't be blank");
        }
        boolean several = call.body().has("names");
        List<String> names = names(call, several);
        ObjectNode region = call.body().hasNonNull("region")
                ? catalog.region(call.text("region"))
                        .filter(r -> r.path("available").asBoolean())
                        .orElseThrow(
                                () -> Refusal.unprocessable("You specified an invalid region for Droplet creation."))
                : catalog.regions().get(0);
        ObjectNode size = catalog.size(call.text("size"))
                .filter(s -> s.path("available").asBoolean())
                .orElseThrow(() -> Refusal.unprocessable("You specified an invalid size for Droplet creation."));
        if (!has(size.path("regions"), region.path("slug").asText())) {
            throw Refusal.unprocessable("Size is not available in this region.");
        }
        Catalog.Image image = image(call, region, size);
        String vpc = vpc(call, region);
        Set<String> tags = tags(call);
        List<String> keys = keys(call);
        String userData = call.text("user_data");
        if (userData.getBytes(StandardCharsets.UTF_8).length > MOST_USER_DATA) {
            throw Refusal.unprocessable("User data is too long (maximum is 64 KiB).");
        }
        Set<Droplet.Option> options = options(call, region);
        List<Droplet.Spec> specs = names.stream()
                .map(name -> new Droplet.Spec(name, region, size, image, vpc, keys, userData, tags, options))
                .toList();
        // Held still, so that the answer shows droplets as they are before anything happens to them.
        return account.locked(() -> Reply.accepted(createdJson(account.create(specs), several)));
    }

    private Catalog.Image image(Call call, ObjectNode region, ObjectNode size) {
        String wanted = call.text("image");
        Catalog.Image image = Stream.of(catalog.images(), account.snapshots())
                .flatMap(Collection::stream)
                .filter(i -> i.is(wanted))
                .findFirst()
                .orElseThrow(() -> Refusal.unprocessable("You specified an invalid image for Droplet creation."));
        if (!has(image.json().path("regions"), region.path("slug").asText())) {
            throw Refusal.unprocessable("Image is not available in this region.");
        }
        if (image.json().path("min_disk_size").asInt() > size.path("disk").asInt()) {
            throw Refusal.unprocessable("This image requires a larger disk than the size has.");
        }
        if (image.suite().isEmpty()) {
            throw Refusal.unprocessable("The local cloud boots only Debian, not the image "
                    + image.json().path("slug").asText() + ": use debian-12-x64.");
        }
        return image;
    }

    private Set<Droplet.Option> options(Call call, ObjectNode region) {
        Set<Droplet.Option> options = EnumSet.noneOf(Droplet.Option.class);
        JsonNode body = call.body();
        if (body.path("backups").asBoolean(false)) {
            options.add(Droplet.Option.BACKUPS);
        }
        if (body.path("monitoring").asBoolean(false)) {
            options.add(Droplet.Option.MONITORING);
        }
        if (body.path("with_droplet_agent").asBoolean(true)) {
            options.add(Droplet.Option.AGENT);
        }
        if (body.path("ipv6").asBoolean(false)) {
            if (!has(region.path("features"), "ipv6")) {
                throw Refusal.unprocessable("IPv6 is not available in this region.");
            }
            if (machines && !Network.hasIpv6()) {
                throw Refusal.unprocessable(
                        "The machine that the local cloud runs on has no IPv6, so its droplets have none: leave ipv6 out.");
            }
            options.add(Droplet.Option.IPV6);
        }
        return options;
    }

    private ObjectNode createdJson(List<Account.Started> started, boolean several) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        ArrayNode links = JsonNodeFactory.instance.arrayNode();
        for (Account.Started one : started) {
            list.add(json(one.droplet()));
            links.addObject()
                    .put("id", one.action().id())
                    .put("rel", several ? "multiple_create" : "create")
                    .put("href", base + "/v2/actions/" + one.action().id());
        }
        if (several) {
            body.set("droplets", list);
        } else {
            body.set("droplet", list.get(0));
        }
        body.putObject("links").set("actions", links);
        return body;
    }

    private static List<String> names(Call call, boolean several) {
        List<String> names = new ArrayList<>();
        if (several) {
            call.body().path("names").forEach(n -> names.add(n.asText()));
        } else {
            names.add(call.text("name"));
        }
        if (names.isEmpty() || names.stream().anyMatch(String::isBlank)) {
            throw Refusal.unprocessable("Name can't be blank");
        }
        if (names.size() > MOST_NAMES) {
            throw Refusal.unprocessable("You can only create up to 10 Droplets at a time.");
        }
        if (!names.stream().allMatch(n -> NAME.matcher(n).matches())) {
            throw Refusal.unprocessable("Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)");
        }
        return names;
    }

    private String vpc(Call call, ObjectNode region) {
        String slug = region.path("slug").asText();
        if (!call.body().has("vpc_uuid")) {
            return account.defaultVpc(slug).id();
        }
        return account.vpc(call.text("vpc_uuid"))
                .filter(vpc -> vpc.region().equals(slug))
                .orElseThrow(
                        () -> Refusal.unprocessable("Invalid VPC UUID or it does not exist in the specified region."))
                .id();
    }

    private static Set<String> tags(Call call) {
        Set<String> tags = new HashSet<>();
        for (JsonNode tag : call.body().path("tags")) {
            TagApi.check(tag.asText());
            tags.add(tag.asText());
        }
        return tags;
    }

    private List<String> keys(Call call) {
        List<String> keys = new ArrayList<>();
        List<String> unknown = new ArrayList<>();
        for (JsonNode wanted : call.body().path("ssh_keys")) {
            Optional<SshKey> key = account.key(wanted.asText());
            key.ifPresentOrElse(k -> keys.add(k.publicKey()), () -> unknown.add(wanted.asText()));
        }
        if (!unknown.isEmpty()) {
            throw Refusal.unprocessable(
                    String.join(", ", unknown) + " are invalid key identifiers for Droplet creation.");
        }
        return keys;
    }

    private Reply delete(Call call) {
        Droplet droplet = visible(call);
        int refusal = account.faults().refusedDeletes();
        if (refusal != 0 && account.locked(droplet::isNew)) {
            throw new Refusal(
                    refusal,
                    refusal == 409 ? "conflict" : "unprocessable_entity",
                    "Droplet already has a pending event.");
        }
        account.delete(droplet);
        return Reply.none();
    }

    private Reply deleteTagged(Call call) {
        @Nullable String tag = call.query("tag_name");
        if (tag == null || tag.isEmpty()) {
            throw Refusal.unprocessable("tag_name is required");
        }
        String known = account.tag(tag).orElseThrow(Refusal::notFound);
        boolean passOverNew = account.faults().refusedDeletes() != 0;
        account.droplets(d -> d.tags().contains(known) && !(passOverNew && d.isNew()))
                .forEach(account::delete);
        return Reply.none();
    }

    private Reply act(Call call, Droplet droplet) {
        String type = call.text("type");
        @Nullable Machine machine = account.locked(droplet::machine);
        Runnable work = switch (type) {
            case "reboot" -> machine == null ? () -> {} : machine::reboot;
            case "power_cycle" -> machine == null ? () -> droplet.recordOff(false) : machine::powerCycle;
            case "power_off" -> machine == null ? () -> droplet.recordOff(true) : machine::powerOff;
            case "shutdown" -> machine == null ? () -> droplet.recordOff(true) : machine::shutDown;
            case "power_on" -> machine == null ? () -> droplet.recordOff(false) : machine::powerOn;
            case "rebuild" -> rebuild(call, droplet, machine);
            case "snapshot" -> snapshot(call, droplet);
            case "resize" -> resize(call, droplet);
            default -> throw Refusal.unprocessable("The local cloud does not know the action type '" + type + "'.");
        };
        if (type.equals("reboot") && droplet.off()) {
            throw Refusal.unprocessable("Droplet is currently off. Please power it on to run this event.");
        }
        Action action = account.act(droplet, type, work);
        return Reply.created(wrap("action", account.locked(action::json)));
    }

    private Runnable rebuild(Call call, Droplet droplet, @Nullable Machine machine) {
        String wanted = call.text("image");
        if (!wanted.isEmpty() && !droplet.spec().image().is(wanted)) {
            image(call, droplet.spec().region(), droplet.spec().size());
            throw Refusal.unprocessable(
                    "The local cloud rebuilds a droplet only from the image that it was made from.");
        }
        return machine == null ? () -> droplet.recordOff(false) : machine::rebuild;
    }

    /** A machine here has what this one has, whatever its size says. */
    private Runnable resize(Call call, Droplet droplet) {
        ObjectNode size = catalog.size(call.text("size"))
                .filter(s -> s.path("available").asBoolean())
                .orElseThrow(() -> Refusal.unprocessable("You specified an invalid size for Droplet creation."));
        if (!has(size.path("regions"), droplet.spec().region().path("slug").asText())) {
            throw Refusal.unprocessable("Size is not available in this region.");
        }
        if (size.path("disk").asInt() < account.locked(droplet::disk)) {
            throw Refusal.unprocessable("This size is not available because it has a smaller disk.");
        }
        if (!account.locked(droplet::off)) {
            throw Refusal.unprocessable("Droplet is currently on. Please power it off to run this event.");
        }
        boolean withDisk = call.body().path("disk").asBoolean(false);
        return () -> account.locked(() -> {
            droplet.resize(size, withDisk);
            return size;
        });
    }

    private Runnable snapshot(Call call, Droplet droplet) {
        if (machines) {
            throw Refusal.unprocessable("The local cloud takes no snapshots of its machines.");
        }
        String name = call.text("name").isEmpty()
                ? droplet.spec().name() + "-" + Instant.now().toEpochMilli()
                : call.text("name");
        return () -> account.addSnapshot(droplet, name);
    }

    private Reply snapshots(Call call, Droplet droplet) {
        Set<Long> ids = account.locked(() -> Set.copyOf(droplet.snapshotIds()));
        return pages.of(
                call,
                "snapshots",
                account.snapshots().stream()
                        .map(Catalog.Image::json)
                        .filter(json -> ids.contains(json.path("id").asLong()))
                        .toList());
    }

    private Droplet visible(Call call) {
        return account.droplet(call.id(2))
                .filter(d -> d.olderThan(account.faults().readLag()))
                .orElseThrow(Refusal::notFound);
    }

    private List<ObjectNode> actions(Predicate<Action> which) {
        return account.actions().stream()
                .filter(which)
                .map(a -> account.locked(a::json))
                .toList();
    }

    private ObjectNode json(Droplet droplet) {
        return account.locked(() -> droplet.json(account.faults()));
    }

    private static boolean has(JsonNode list, String text) {
        for (JsonNode node : list) {
            if (node.asText().equals(text)) {
                return true;
            }
        }
        return false;
    }

    static ObjectNode wrap(String name, JsonNode inner) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.set(name, inner);
        return body;
    }
}
