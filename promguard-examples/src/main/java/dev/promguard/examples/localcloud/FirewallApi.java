package dev.promguard.examples.localcloud;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code /v2/firewalls}. */
final class FirewallApi {
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9.-]+");
    private static final Pattern PORTS = Pattern.compile("all|\\d{1,5}(-\\d{1,5})?");
    private static final Pattern IPV4 = Pattern.compile("(\\d{1,3})(\\.\\d{1,3}){3}(/([12]?\\d|3[0-2]))?");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:]*:[0-9a-fA-F:]*(/(\\d\\d?|1[01]\\d|12[0-8]))?");
    private static final int LAST_PORT = 65_535;
    private static final int MOST_RULES = 50;
    private static final int MOST_DROPLETS = 10;
    private static final int MOST_TAGS = 5;

    private final Account account;
    private final Pages pages;

    FirewallApi(Account account, Pages pages) {
        this.account = account;
        this.pages = pages;
    }

    @Nullable
    Reply answer(Call call) {
        if (call.is("GET", "v2/firewalls")) {
            return list(call, firewall -> true);
        } else if (call.is("POST", "v2/firewalls")) {
            Firewall firewall = account.addFirewall(checked(spec(call)));
            return Reply.accepted(DropletApi.wrap("firewall", json(firewall, pending(firewall))));
        } else if (call.is("GET", "v2/firewalls/*")) {
            return Reply.ok(DropletApi.wrap("firewall", json(firewall(call), List.of())));
        } else if (call.is("PUT", "v2/firewalls/*")) {
            Firewall firewall = firewall(call);
            Firewall.Spec spec = checked(spec(call));
            account.changeFirewall(firewall, before -> spec);
            return Reply.ok(DropletApi.wrap("firewall", json(firewall, pending(firewall))));
        } else if (call.is("DELETE", "v2/firewalls/*")) {
            if (!account.removeFirewall(call.part(2))) {
                throw Refusal.notFound();
            }
            return Reply.none();
        } else if (call.is("POST", "v2/firewalls/*/*") || call.is("DELETE", "v2/firewalls/*/*")) {
            return changePart(call);
        } else if (call.is("GET", "v2/droplets/*/firewalls")) {
            Droplet droplet = account.droplet(call.id(2)).orElseThrow(Refusal::notFound);
            return list(call, firewall -> account.locked(() -> firewall.covers(droplet)));
        }
        return null;
    }

    private Reply list(Call call, Predicate<Firewall> which) {
        List<ObjectNode> found = account.firewalls().stream()
                .filter(which)
                .map(firewall -> json(firewall, List.of()))
                .toList();
        return pages.of(call, "firewalls", found);
    }

    private Reply changePart(Call call) {
        Firewall firewall = firewall(call);
        boolean add = call.method().equals("POST");
        switch (call.part(3)) {
            case "tags" -> {
                Set<String> named = tags(call.body().path("tags"));
                account.changeFirewall(firewall, spec -> {
                    Set<String> tags = new HashSet<>(spec.tags());
                    boolean changed = add ? tags.addAll(named) : tags.removeAll(named);
                    return changed ? checked(spec.withTags(tags)) : spec;
                });
            }
            case "droplets" -> {
                Set<Long> named = droplets(call.body().path("droplet_ids"));
                account.changeFirewall(firewall, spec -> {
                    Set<Long> droplets = new HashSet<>(spec.dropletIds());
                    boolean changed = add ? droplets.addAll(named) : droplets.removeAll(named);
                    return changed ? checked(spec.withDroplets(droplets)) : spec;
                });
            }
            case "rules" -> {
                List<JsonNode> in = rules(call.body().path("inbound_rules"), "sources");
                List<JsonNode> out = rules(call.body().path("outbound_rules"), "destinations");
                account.changeFirewall(
                        firewall,
                        spec -> checked(
                                spec.withRules(merged(spec.inbound(), in, add), merged(spec.outbound(), out, add))));
            }
            default -> throw Refusal.notFound();
        }
        return Reply.none();
    }

    private static List<JsonNode> merged(List<JsonNode> before, List<JsonNode> named, boolean add) {
        List<JsonNode> rules = new ArrayList<>(before);
        rules.removeAll(named);
        if (add) {
            rules.addAll(named);
        }
        return rules;
    }

    /** What is not said falls back to nothing. */
    private Firewall.Spec spec(Call call) {
        String name = call.text("name");
        if (!NAME.matcher(name).matches()) {
            throw Refusal.unprocessable("name is not valid");
        }
        return new Firewall.Spec(
                name,
                rules(call.body().path("inbound_rules"), "sources"),
                rules(call.body().path("outbound_rules"), "destinations"),
                droplets(call.body().path("droplet_ids")),
                tags(call.body().path("tags")));
    }

    private static Firewall.Spec checked(Firewall.Spec spec) {
        if (spec.rules() == 0) {
            throw Refusal.unprocessable("must have at least one rule");
        }
        if (spec.rules() > MOST_RULES) {
            throw Refusal.unprocessable("too many rules: a firewall has at most " + MOST_RULES);
        }
        if (spec.dropletIds().size() > MOST_DROPLETS) {
            throw Refusal.unprocessable("too many droplets: a firewall has at most " + MOST_DROPLETS);
        }
        if (spec.tags().size() > MOST_TAGS) {
            throw Refusal.unprocessable("too many tags: a firewall has at most " + MOST_TAGS);
        }
        return spec;
    }

    /** Unlike a droplet's, a firewall's tags must be there beforehand. */
    private Set<String> tags(JsonNode named) {
        Set<String> tags = new HashSet<>();
        for (JsonNode tag : named) {
            tags.add(account.tag(tag.asText())
                    .orElseThrow(() -> Refusal.unprocessable("tag " + tag.asText() + " does not exist")));
        }
        return tags;
    }

    private Set<Long> droplets(JsonNode named) {
        Set<Long> droplets = new HashSet<>();
        for (JsonNode id : named) {
            if (account.droplet(id.asLong()).isEmpty()) {
                throw Refusal.unprocessable("droplet " + id.asText() + " does not exist");
            }
            droplets.add(id.asLong());
        }
        return droplets;
    }

    private List<JsonNode> rules(JsonNode named, String places) {
        List<JsonNode> rules = new ArrayList<>();
        for (JsonNode rule : named) {
            String protocol = rule.path("protocol").asText("");
            if (!Set.of("tcp", "udp", "icmp").contains(protocol)) {
                throw Refusal.unprocessable("protocol must be one of tcp, udp or icmp");
            }
            if (protocol.equals("icmp") ? rule.has("ports") : !ports(rule.path("ports"))) {
                throw Refusal.unprocessable("invalid ports for protocol " + protocol);
            }
            if (!rule.path(places).isObject() || rule.path(places).isEmpty()) {
                throw Refusal.unprocessable("a rule must have " + places);
            }
            for (JsonNode address : rule.path(places).path("addresses")) {
                if (!IPV4.matcher(address.asText()).matches()
                        && !IPV6.matcher(address.asText()).matches()) {
                    throw Refusal.unprocessable("invalid address");
                }
            }
            tags(rule.path(places).path("tags"));
            droplets(rule.path(places).path("droplet_ids"));
            rules.add(rule.deepCopy());
        }
        return rules;
    }

    private static boolean ports(JsonNode ports) {
        if (!ports.isTextual() || !PORTS.matcher(ports.asText()).matches()) {
            return false;
        }
        if (ports.asText().equals("all")) {
            return true;
        }
        String[] ends = ports.asText().split("-", -1);
        int first = Integer.parseInt(ends[0]);
        int last = Integer.parseInt(ends[ends.length - 1]);
        return first <= last && last <= LAST_PORT;
    }

    private Firewall firewall(Call call) {
        return account.firewall(call.part(2)).orElseThrow(Refusal::notFound);
    }

    /** The droplets that a firewall has just been told to cover. */
    private List<Long> pending(Firewall firewall) {
        return account.droplets(firewall::covers).stream().map(Droplet::id).toList();
    }

    private ObjectNode json(Firewall firewall, List<Long> pending) {
        return account.locked(() -> firewall.json(pending));
    }
}
