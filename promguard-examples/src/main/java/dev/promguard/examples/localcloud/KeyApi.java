package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/** {@code /v2/account} and {@code /v2/account/keys}. */
final class KeyApi {
    private final Account account;
    private final Pages pages;
    private final String uuid;

    KeyApi(Account account, Pages pages, String uuid) {
        this.account = account;
        this.pages = pages;
        this.uuid = uuid;
    }

    @Nullable
    Reply answer(Call call) {
        if (call.is("GET", "v2/account")) {
            return account();
        } else if (call.is("GET", "v2/account/keys")) {
            return pages.of(
                    call, "ssh_keys", account.keys().stream().map(KeyApi::json).toList());
        } else if (call.is("POST", "v2/account/keys")) {
            SshKey key = account.addKey(call.text("name"), call.text("public_key"));
            return Reply.created(DropletApi.wrap("ssh_key", json(key)));
        } else if (call.is("GET", "v2/account/keys/*")) {
            return Reply.ok(DropletApi.wrap("ssh_key", json(key(call))));
        } else if (call.is("DELETE", "v2/account/keys/*")) {
            if (!account.removeKey(key(call))) {
                throw Refusal.notFound();
            }
            return Reply.none();
        }
        return null;
    }

    private SshKey key(Call call) {
        return account.key(call.part(3)).orElseThrow(Refusal::notFound);
    }

    private Reply account() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("droplet_limit", account.dropletLimit());
        json.put("floating_ip_limit", 3);
        json.put("email", "local-cloud@example.invalid");
        json.put("name", "Local Cloud");
        json.put("uuid", uuid);
        json.put("email_verified", true);
        json.put("status", "active");
        json.put("status_message", "");
        json.putObject("team").put("uuid", uuid).put("name", "My Team");
        return Reply.ok(DropletApi.wrap("account", json));
    }

    private static ObjectNode json(SshKey key) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", key.id())
                .put("public_key", key.publicKey())
                .put("name", key.name())
                .put("fingerprint", key.fingerprint());
    }
}
