package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code /v2/tags}. */
final class TagApi {
    private static final Pattern TAG = Pattern.compile("[a-zA-Z0-9_:-]{1,255}");

    private final Account account;
    private final Pages pages;
    private final String base;

    TagApi(Account account, Pages pages, String base) {
        this.account = account;
        this.pages = pages;
        this.base = base;
    }

    @Nullable
    Reply answer(Call call) {
        if (call.is("GET", "v2/tags")) {
            return pages.of(
                    call,
                    "tags",
                    account.tags(account.faults().tagLag()).stream()
                            .map(this::json)
                            .toList());
        } else if (call.is("POST", "v2/tags")) {
            check(call.text("name"));
            return Reply.created(DropletApi.wrap("tag", json(account.addTag(call.text("name")))));
        } else if (call.is("GET", "v2/tags/*")) {
            return Reply.ok(DropletApi.wrap("tag", json(tag(call))));
        } else if (call.is("DELETE", "v2/tags/*")) {
            if (!account.removeTag(call.part(2))) {
                throw Refusal.notFound();
            }
            return Reply.none();
        } else if (call.is("POST", "v2/tags/*/resources")) {
            String tag = tag(call);
            droplets(call)
                    .forEach(droplet -> account.locked(() -> droplet.tags().add(tag)));
            return Reply.none();
        } else if (call.is("DELETE", "v2/tags/*/resources")) {
            String tag = tag(call);
            droplets(call)
                    .forEach(droplet -> account.locked(() -> droplet.tags().remove(tag)));
            return Reply.none();
        }
        return null;
    }

    private String tag(Call call) {
        return account.tag(call.part(2)).orElseThrow(Refusal::notFound);
    }

    /** All of those named, or none. */
    private List<Droplet> droplets(Call call) {
        List<Droplet> droplets = new ArrayList<>();
        for (JsonNode resource : call.body().path("resources")) {
            String id = resource.path("resource_id").asText();
            if (!resource.path("resource_type").asText().equals("droplet")) {
                throw Refusal.unprocessable("The local cloud has nothing to tag but droplets.");
            }
            if (!id.matches("\\d{1,18}")) {
                throw Refusal.notFound();
            }
            droplets.add(account.droplet(Long.parseLong(id)).orElseThrow(Refusal::notFound));
        }
        return droplets;
    }

    static void check(String tag) {
        if (!TAG.matcher(tag).matches()) {
            throw Refusal.unprocessable(
                    "Tags may contain letters, numbers, colons, dashes, and underscores, up to 255 characters.");
        }
    }

    private ObjectNode json(String tag) {
        List<Droplet> tagged = account.droplets(
                d -> d.tags().contains(tag) && d.olderThan(account.faults().tagLag()));
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("name", tag);
        ObjectNode resources = json.putObject("resources").put("count", tagged.size());
        ObjectNode droplets = resources.putObject("droplets").put("count", tagged.size());
        if (!tagged.isEmpty()) {
            String last = base + "/v2/droplets/" + tagged.get(tagged.size() - 1).id();
            resources.put("last_tagged_uri", last);
            droplets.put("last_tagged_uri", last);
        }
        for (String other : List.of("images", "volumes", "volume_snapshots", "databases")) {
            resources.putObject(other).put("count", 0);
        }
        return json;
    }
}
