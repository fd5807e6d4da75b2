package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** {@code /v2/regions}, {@code /v2/sizes} and {@code /v2/images}. */
final class CatalogApi {
    private final Catalog catalog;
    private final Account account;
    private final Pages pages;

    CatalogApi(Catalog catalog, Account account, Pages pages) {
        this.catalog = catalog;
        this.account = account;
        this.pages = pages;
    }

    @Nullable
    Reply answer(Call call) {
        if (call.is("GET", "v2/regions")) {
            return pages.of(call, "regions", catalog.regions());
        } else if (call.is("GET", "v2/sizes")) {
            return pages.of(call, "sizes", catalog.sizes());
        } else if (call.is("GET", "v2/images")) {
            return pages.of(
                    call, "images", images(call).map(Catalog.Image::json).toList());
        } else if (call.is("GET", "v2/images/*")) {
            ObjectNode image = all().filter(i -> i.is(call.part(2)))
                    .findFirst()
                    .orElseThrow(Refusal::notFound)
                    .json();
            return Reply.ok(DropletApi.wrap("image", image));
        } else if (call.is("DELETE", "v2/images/*")) {
            if (!account.removeSnapshot(call.id(2))) {
                throw Refusal.notFound();
            }
            return Reply.none();
        }
        return null;
    }

    private Stream<Catalog.Image> all() {
        return Stream.of(catalog.images(), account.snapshots()).flatMap(Collection::stream);
    }

    /** No image carries a tag, and none is an application. */
    private Stream<Catalog.Image> images(Call call) {
        if (call.query("tag_name") != null || "application".equals(call.query("type"))) {
            return Stream.of();
        } else if ("true".equals(call.query("private"))) {
            return account.snapshots().stream();
        } else if ("distribution".equals(call.query("type"))) {
            return catalog.images().stream();
        }
        return all();
    }

    /** The slugs of all regions. */
    static List<String> regions(Catalog catalog) {
        return catalog.regions().stream()
                .map(region -> region.path("slug").asText())
                .toList();
    }
}
