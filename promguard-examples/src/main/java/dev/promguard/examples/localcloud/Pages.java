package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Lists, a page at a time. */
final class Pages {
    private static final int USUAL = 20;
    private static final int MOST = 200;

    private final String base;
    private final Faults faults;

    Pages(String base, Faults faults) {
        this.base = base;
        this.faults = faults;
    }

    Reply of(Call call, String name, List<? extends JsonNode> all) {
        int size = Math.min(Math.min(number(call, "per_page", USUAL), MOST), faults.pageSize());
        int page = number(call, "page", 1);
        int last = Math.max(1, (all.size() + size - 1) / size);
        int from = (int) Math.min((long) (page - 1) * size, all.size());
        int to = Math.min(from + size, all.size());
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putArray(name).addAll(List.copyOf(all.subList(from, to)));
        ObjectNode links = body.putObject("links");
        if (last > 1) {
            ObjectNode pages = links.putObject("pages");
            if (page > 1) {
                pages.put("first", link(call, 1));
                pages.put("prev", link(call, Math.min(page - 1, last)));
            }
            if (page < last) {
                pages.put("next", link(call, page + 1));
                pages.put("last", link(call, last));
            }
        }
        body.putObject("meta").put("total", all.size());
        return Reply.ok(body);
    }

    private String link(Call call, int page) {
        StringBuilder link = new StringBuilder(faults.foreignPageLinks() ? "https://api.invalid" : base);
        link.append('/').append(String.join("/", call.path())).append("?page=").append(page);
        for (Map.Entry<String, String> pair : call.query().entrySet()) {
            if (!pair.getKey().equals("page")) {
                link.append('&').append(encode(pair.getKey())).append('=').append(encode(pair.getValue()));
            }
        }
        return link.toString();
    }

    private static int number(Call call, String name, int usual) {
        @Nullable String text = call.query(name);
        if (text == null) {
            return usual;
        }
        if (!text.matches("\\d{1,8}") || Integer.parseInt(text) < 1) {
            throw new Refusal(400, "bad_request", name + " must be a positive number.");
        }
        return Integer.parseInt(text);
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
