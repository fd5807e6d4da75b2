package dev.promguard.digitalocean;

import dev.promguard.InvalidSettingException;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.digitalocean.internal.Answers.Firewall;
import dev.promguard.digitalocean.internal.Answers.Rule;
import dev.promguard.digitalocean.internal.Deadline;
import dev.promguard.digitalocean.internal.Http;
import dev.promguard.digitalocean.internal.LostAnswerException;
import inet.ipaddr.AddressStringException;
import inet.ipaddr.IPAddressString;
import inet.ipaddr.IPAddressStringParameters;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** DigitalOcean's own firewall in front of a mesh's droplets, which it finds by the mesh's tag. Thread-safe. */
final class CloudFirewall {
    private static final List<String> ANYWHERE = List.of("0.0.0.0/0", "::/0");
    private static final Set<String> OUTBOUND =
            Set.of(inWords("tcp", "all", ANYWHERE), inWords("udp", "all", ANYWHERE));

    private static final int LOOKS = 3;
    private static final Logger LOG = LoggerFactory.getLogger(CloudFirewall.class);
    private static final int FORBIDDEN = 403;
    private static final int CONFLICT = 409;
    private static final int UNPROCESSABLE = 422;
    private static final IPAddressStringParameters STRICT = new IPAddressStringParameters.Builder()
            .allowEmpty(false)
            .allowAll(false)
            .allowMask(false)
            .allowWildcardedSeparator(false)
            .getIPv4AddressParametersBuilder()
            .allow_inet_aton(false)
            .allowLeadingZeros(false)
            .getParentBuilder()
            .getIPv6AddressParametersBuilder()
            .allowZone(false)
            .allowBase85(false)
            .getParentBuilder()
            .toParams();

    private final Api api;
    private final Duration pollInterval;
    private final Set<String> sshFrom;

    CloudFirewall(Api api, Duration pollInterval, Set<String> sshFrom) {
        this.api = api;
        this.pollInterval = pollInterval;
        this.sshFrom = Set.copyOf(sshFrom);
    }

    /** Reads networks, each as the API shows it again. */
    static Set<String> networks(Collection<String> cidrs) {
        if (cidrs.isEmpty()) {
            throw new InvalidSettingException("sshFrom needs at least one network: with none, nobody could log in");
        }
        Set<String> networks = new TreeSet<>();
        for (String cidr : cidrs) {
            try {
                var network = new IPAddressString(cidr, STRICT).toAddress();
                if (network == null || (network.isMultiple() && network.getNetworkPrefixLength() == null)) {
                    throw new InvalidSettingException("sshFrom " + Names.quote(cidr)
                            + " is not a network: use CIDR notation, such as 203.0.113.0/24");
                }
                networks.add(network.toPrefixBlock().toCanonicalString());
            } catch (AddressStringException e) {
                throw new InvalidSettingException(
                        "sshFrom " + Names.quote(cidr) + " is not a network: use CIDR notation, such as 203.0.113.0/24",
                        e);
            }
        }
        return networks;
    }

    /** What {@link #ensureFirewall} would change, in words. */
    List<String> planFirewall(String mesh, Set<Integer> wireGuardPorts) {
        return sshFrom.isEmpty() ? List.of() : planFirewall(find(mesh), mesh, wireGuardPorts);
    }

    private List<String> planFirewall(Optional<Firewall> found, String mesh, Set<Integer> wireGuardPorts) {
        String name = "firewall " + Marks.name(mesh);
        if (found.isEmpty()) {
            return List.of("make " + name + ": " + Blueprint.SSH_PORT + "/tcp from "
                    + String.join(", ", new TreeSet<>(sshFrom)) + ", "
                    + new TreeSet<>(wireGuardPorts)
                            .stream().map(port -> port + "/udp").collect(Collectors.joining(" and "))
                    + " from anywhere");
        }
        List<String> problems = new ArrayList<>();
        if (tags(found.get()).isEmpty()) {
            problems.add("stands before no droplet");
        }
        difference("in", inWords(found.get().inbound()), inbound(wireGuardPorts))
                .ifPresent(problems::add);
        difference("out", inWords(found.get().outbound()), OUTBOUND).ifPresent(problems::add);
        return problems.isEmpty() ? List.of() : List.of("put " + name + " right: " + String.join("; ", problems));
    }

    private static Optional<String> difference(String way, Set<String> there, Set<String> desired) {
        List<String> words = new ArrayList<>();
        there.stream()
                .filter(rule -> !desired.contains(rule))
                .sorted()
                .forEach(rule -> words.add("-" + Names.quote(rule)));
        desired.stream()
                .filter(rule -> !there.contains(rule))
                .sorted()
                .forEach(rule -> words.add("+" + Names.quote(rule)));
        return words.isEmpty() ? Optional.empty() : Optional.of(way + ' ' + String.join(", ", words));
    }

    /** Makes the firewall, or puts its rules right. Does nothing if none was asked for. */
    List<String> ensureFirewall(String mesh, Set<Integer> wireGuardPorts) {
        if (sshFrom.isEmpty()) {
            return List.of();
        }
        List<String> changed = List.of();
        Map<String, Object> spec = spec(mesh, wireGuardPorts);
        ProviderException failure = null;
        for (int look = 0; look < LOOKS; look++) {
            if (look > 0) {
                Http.pause(pollInterval);
            }
            Optional<Firewall> found = find(mesh);
            List<String> problems = planFirewall(found, mesh, wireGuardPorts);
            if (!problems.isEmpty()) {
                changed = problems;
            }
            try {
                if (found.isEmpty()) {
                    // A firewall can only name tags that are there, and droplets bring theirs along later.
                    api.http().post("/v2/tags", Map.of("name", Marks.mesh(mesh)), Object.class);
                    api.http().post("/v2/firewalls", spec, Answers.FirewallAnswer.class);
                } else if (!problems.isEmpty()) {
                    api.http().put("/v2/firewalls/" + Api.encode(id(found.get())), spec, Deadline.never());
                }
                return changed;
            } catch (LostAnswerException e) {
                failure = e.failure();
            } catch (ProviderException e) {
                // One of that name is refused if it is there already: the next look tells.
                int status = e.status().orElse(0);
                if (status != CONFLICT && status != UNPROCESSABLE) {
                    throw e;
                }
                failure = e;
            }
        }
        throw Objects.requireNonNull(failure);
    }

    /** Removes the mesh's firewall, whether it was asked for this time or not. */
    void remove(String mesh) {
        List<Firewall> firewalls;
        try {
            firewalls = all(mesh);
        } catch (ProviderException e) {
            if (sshFrom.isEmpty() && e.status().orElse(0) == FORBIDDEN) {
                // A token that may not see firewalls has made none.
                LOG.debug("the firewalls cannot be listed", e);
                return;
            }
            throw e;
        }
        for (Firewall firewall : firewalls) {
            api.http().delete("/v2/firewalls/" + Api.encode(id(firewall)), Deadline.never());
        }
    }

    private Optional<Firewall> find(String mesh) {
        return all(mesh).stream().findFirst();
    }

    /** A firewall is the mesh's if it has the name that PromGuard gives it and stands before the mesh's droplets alone. */
    private List<Firewall> all(String mesh) {
        return api
                .paged(
                        "/v2/firewalls",
                        Answers.FirewallsAnswer.class,
                        a -> a.firewalls(),
                        a -> a.links(),
                        Deadline.never())
                .stream()
                .filter(firewall -> Marks.name(mesh).equals(firewall.name()))
                .filter(firewall -> tags(firewall).stream().allMatch(Marks.mesh(mesh)::equalsIgnoreCase))
                .toList();
    }

    private static List<String> tags(Firewall firewall) {
        return Objects.requireNonNullElse(firewall.tags(), List.<String>of());
    }

    private static String id(Firewall firewall) {
        if (firewall.id() == null) {
            throw Api.incomplete("/v2/firewalls");
        }
        return firewall.id();
    }

    private Map<String, Object> spec(String mesh, Set<Integer> wireGuardPorts) {
        Map<String, Object> spec = new LinkedHashMap<>();
        spec.put("name", Marks.name(mesh));
        spec.put("tags", List.of(Marks.mesh(mesh)));
        List<Map<String, Object>> inbound = new ArrayList<>();
        inbound.add(rule("tcp", String.valueOf(Blueprint.SSH_PORT), "sources", new TreeSet<>(sshFrom)));
        new TreeSet<>(wireGuardPorts)
                .forEach(port -> inbound.add(rule("udp", String.valueOf(port), "sources", ANYWHERE)));
        spec.put("inbound_rules", inbound);
        spec.put(
                "outbound_rules",
                List.of(rule("tcp", "all", "destinations", ANYWHERE), rule("udp", "all", "destinations", ANYWHERE)));
        return spec;
    }

    private static Map<String, Object> rule(String protocol, String ports, String ends, Collection<String> addresses) {
        Map<String, Object> rule = new LinkedHashMap<>();
        rule.put("protocol", protocol);
        rule.put("ports", ports);
        rule.put(ends, Map.of("addresses", addresses));
        return rule;
    }

    private Set<String> inbound(Set<Integer> wireGuardPorts) {
        Set<String> words = new HashSet<>();
        words.add(inWords("tcp", String.valueOf(Blueprint.SSH_PORT), sshFrom));
        wireGuardPorts.forEach(port -> words.add(inWords("udp", String.valueOf(port), ANYWHERE)));
        return words;
    }

    /** Rules in a form in which equal ones are equal. The API shows all ports as 0. */
    private static Set<String> inWords(@Nullable List<Rule> rules) {
        Set<String> words = new HashSet<>();
        for (Rule rule : Objects.requireNonNullElse(rules, List.<Rule>of())) {
            Answers.Ends ends = rule.sources() == null ? rule.destinations() : rule.sources();
            List<String> addresses = ends == null || ends.addresses() == null ? List.of() : ends.addresses();
            String ports = Objects.toString(rule.ports(), "");
            String word = inWords(Objects.toString(rule.protocol(), ""), ports.equals("0") ? "all" : ports, addresses);
            words.add(ends != null && ends.hasOthers() ? word + " and others" : word);
        }
        return words;
    }

    private static String inWords(String protocol, String ports, Collection<String> addresses) {
        return ports + '/' + protocol + ' ' + String.join(" ", new TreeSet<>(addresses));
    }
}
