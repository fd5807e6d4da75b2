package dev.promguard.ssh;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import dev.promguard.ssh.internal.Endpoint;
import dev.promguard.ssh.internal.SshConfig;
import dev.promguard.ssh.internal.SshHost;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds the jump hosts on the way to hosts: those that were named, or those of an SSH client's configuration. Not thread-safe. */
final class JumpChains {
    private static final int MAX_JUMPS = 16;

    private final Map<String, Server> hosts;
    private final Map<String, Server> jumpHosts;
    private final Optional<List<String>> through;
    private final @Nullable SshConfig config;
    private final Map<String, Server> configured = new TreeMap<>();

    JumpChains(
            Map<String, Server> hosts,
            Map<String, Server> jumpHosts,
            Optional<List<String>> through,
            @Nullable SshConfig config) {
        this.hosts = hosts;
        this.jumpHosts = jumpHosts;
        this.through = through;
        this.config = config;
    }

    /** The jump hosts that the configuration alone names, of the chains found so far. No key of this map is a host's name. */
    Map<String, Server> configured() {
        return configured;
    }

    /** The keys of the jump hosts on the way to a host, those before jump hosts among them. */
    List<String> chain(String name, Server host, List<String> problems) {
        Set<String> chain = new LinkedHashSet<>();
        return collect(name, named(name, host), chain, new HashSet<>(Set.of(name)), problems)
                ? List.copyOf(chain)
                : List.of();
    }

    /** What is said of the way to a host: there, or for all hosts but those that are jump hosts for all, or in the configuration. */
    private List<String> named(String name, Server host) {
        if (configured.containsKey(name)) {
            return List.of();
        }
        Optional<List<String>> general =
                hosts.containsKey(name) ? through.filter(all -> !all.contains(name)) : Optional.empty();
        return host.access()
                .jumpHosts()
                .or(() -> general)
                .orElseGet(() ->
                        host.configured().map(found -> proxies(name, found)).orElse(List.of()));
    }

    private @Nullable Server server(String name) {
        Server declared = jumpHosts.getOrDefault(name, hosts.get(name));
        return declared == null ? configured.get(name) : declared;
    }

    private boolean collect(String of, List<String> named, Set<String> chain, Set<String> open, List<String> problems) {
        for (String hop : named) {
            Server server = server(hop);
            if (server == null) {
                problems.add(of + " is reached through " + hop + ", which is not named: name it with jumpHost(…)");
                return false;
            }
            if (!open.add(hop)) {
                problems.add(of + " is reached through " + hop + ", which is on the way to itself: name the jump hosts"
                        + " in one order");
                return false;
            }
            if (!collect(hop, named(hop, server), chain, open, problems)) {
                return false;
            }
            open.remove(hop);
            chain.add(hop);
        }
        return true;
    }

    private List<String> proxies(String of, SshHost host) {
        try {
            return proxies(host, new HashSet<>(Set.of(host.endpoint())));
        } catch (InvalidSettingException e) {
            throw e.in(of + ": ");
        }
    }

    /** What ProxyJump names, as ssh passes it: the way to the first is that one's own, and the others follow it. */
    private List<String> proxies(SshHost host, Set<Endpoint> open) {
        List<String> keys = new ArrayList<>();
        if (config == null) {
            return keys;
        }
        for (String jump : host.jumps()) {
            SshHost hop;
            try {
                hop = config.find(jump);
            } catch (InvalidSettingException e) {
                throw e.in(host.jumpsFrom() + "jump host " + Names.quote(jump) + ": ");
            }
            if (!open.add(hop.endpoint()) || open.size() > MAX_JUMPS) {
                throw new InvalidSettingException(host.jumpsFrom() + "jump host " + Names.quote(jump)
                        + " is on the way to itself, or too many are: give it a Host block with ProxyJump none, or use"
                        + " through(…)");
            }
            Optional<Map.Entry<String, Server>> declared = Stream.of(jumpHosts, hosts)
                    .flatMap(servers -> servers.entrySet().stream())
                    .filter(server -> server.getValue().endpoint().equals(hop.endpoint()))
                    .findFirst();
            boolean first = keys.isEmpty();
            if (first && declared.isPresent()) {
                keys.add(declared.get().getKey());
                continue;
            }
            if (first) {
                keys.addAll(proxies(hop, open));
            }
            String key = "ProxyJump " + jump;
            configured.put(
                    key,
                    declared.map(Map.Entry::getValue)
                            .orElseGet(() -> new Server(
                                    jump, hop.endpoint(), new HostAccess("jump host " + jump), Optional.of(hop))));
            keys.add(key);
        }
        return keys;
    }
}
