package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code /v2/regions}, {@code /v2/sizes} and {@code /v2/images}. */
final class CatalogApi {
    private final Catalog catalog;
    private final Pages pages;

    CatalogApi(Catalog catalog, Pages pages) {
        this.catalog = catalog;
        this.pages = pages;
    }

    @Nullable
    Reply answer(Call call) {
        if (call.is("GET", "v2/regions")) {
            return pages.of(call, "regions", catalog.regions());
        } else if (call.is("GET", "v2/sizes")) {
            return pages.of(call, "sizes", catalog.sizes());
        } else if (call.is("GET", "v2/images")) {
            boolean own = "true".equals(call.query("private")) || "application".equals(call.query("type"));
            return pages.of(call, "images", own ? List.<ObjectNode>of() : catalog.images());
        } else if (call.is("GET", "v2/images/*")) {
            return Reply.ok(DropletApi.wrap("image", catalog.image(call.part(2)).orElseThrow(Refusal::notFound)));
        }
        return null;
    }
}
