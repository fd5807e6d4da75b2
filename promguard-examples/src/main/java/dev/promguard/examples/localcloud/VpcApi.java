package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code /v2/vpcs}. */
final class VpcApi {
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9.-]+");

    private final Account account;
    private final Catalog catalog;
    private final Pages pages;

    VpcApi(Account account, Catalog catalog, Pages pages) {
        this.account = account;
        this.catalog = catalog;
        this.pages = pages;
    }

    @Nullable
    Reply answer(Call call) {
        if (call.is("GET", "v2/vpcs")) {
            return pages.of(call, "vpcs", account.vpcs().stream().map(Vpc::json).toList());
        } else if (call.is("POST", "v2/vpcs")) {
            return create(call);
        } else if (call.is("GET", "v2/vpcs/*")) {
            return Reply.ok(DropletApi.wrap("vpc", vpc(call).json()));
        } else if (call.is("DELETE", "v2/vpcs/*")) {
            account.removeVpc(vpc(call));
            return Reply.none();
        } else if (call.is("GET", "v2/vpcs/*/members")) {
            return pages.of(call, "members", members(vpc(call)));
        }
        return null;
    }

    private Reply create(Call call) {
        if (!NAME.matcher(call.text("name")).matches()) {
            throw Refusal.unprocessable("name may only contain alphanumeric characters, dashes, and periods");
        }
        if (catalog.region(call.text("region")).isEmpty()) {
            throw Refusal.unprocessable("region is not valid");
        }
        Vpc vpc = account.addVpc(call.text("name"), call.text("description"), call.text("region"));
        return Reply.created(DropletApi.wrap("vpc", vpc.json()));
    }

    private List<ObjectNode> members(Vpc vpc) {
        return account.droplets(d -> d.spec().vpc().equals(vpc.id())).stream()
                .map(d -> JsonNodeFactory.instance
                        .objectNode()
                        .put("urn", "do:droplet:" + d.id())
                        .put("name", d.spec().name())
                        .put("created_at", d.createdAt()))
                .toList();
    }

    private Vpc vpc(Call call) {
        return account.vpc(call.part(2)).orElseThrow(Refusal::notFound);
    }
}
