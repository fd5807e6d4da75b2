package dev.promguard.internal.decide;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.host.HostFacts;
import dev.promguard.host.WireGuardInterface;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.observe.Roster;
import dev.promguard.keys.PublicKey;
import dev.promguard.spi.MeshState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a host's peers can be reached. A peer that exists and whose address cannot be found now, because its name is not resolved for one,
 * stays where the host has it: in the file of its interface, or else in the interface.
 */
public final class KnownEndpoints {
    private static final Pattern PEER = Pattern.compile(
            "^PublicKey = (\\S+)\\n(?:#[^\\n]*\\n)*Endpoint = \\[?([0-9A-Fa-f.:]+?)]?:[0-9]{1,5}$", Pattern.MULTILINE);
    private static final Pattern ENDPOINT = Pattern.compile("\\[?([0-9A-Fa-f.:]+?)]?:[0-9]{1,5}");

    private KnownEndpoints() {}

    /**
     * The addresses by which a host reaches its peers.
     *
     * @param observed what was observed
     * @param host the host
     * @param keys the WireGuard public keys, by name
     * @return the public address of each host that has one, by name
     */
    static Map<String, String> addresses(Observed observed, Blueprint.Host host, Map<String, PublicKey> keys) {
        Map<String, String> addresses = new TreeMap<>(observed.roster().publicAddresses());
        if (observed.hosts().get(host.name()) instanceof HostObservation.Seen seen) {
            Map<String, String> kept = kept(observed.roster().blueprint().interfaceName(), seen.facts());
            for (String peer : host.peers()) {
                PublicKey key = keys.get(peer);
                String address = key == null ? null : kept.get(key.base64());
                if (isLost(observed.roster(), peer) && address != null) {
                    addresses.put(peer, address);
                }
            }
        }
        return addresses;
    }

    /**
     * Whether a host was set up and nobody can tell its address now, so that its peers keep the one that they have.
     *
     * @param roster the hosts
     * @param name the host's name
     * @return true if so
     */
    public static boolean isKept(Roster roster, String name) {
        return isLost(roster, name)
                && Optional.ofNullable(roster.state().hosts().get(name))
                        .flatMap(MeshState.HostState::lastApplied)
                        .isPresent();
    }

    private static boolean isLost(Roster roster, String name) {
        return Optional.ofNullable(roster.present().get(name))
                .filter(host -> host.publicAddress().isEmpty())
                .isPresent();
    }

    /** The addresses that a host has for its peers, by their public keys. */
    private static Map<String, String> kept(String interfaceName, HostFacts facts) {
        Map<String, String> kept = new HashMap<>();
        HostFacts.FileFact config = facts.files().get(WireGuardInterface.configPath(interfaceName));
        if (config == null) {
            facts.wireGuard()
                    .map(HostFacts.WireGuardFact::peers)
                    .orElse(List.of())
                    .forEach(peer -> peer.endpoint()
                            .map(ENDPOINT::matcher)
                            .filter(Matcher::matches)
                            .ifPresent(endpoint -> kept.put(peer.publicKey().base64(), endpoint.group(1))));
        } else {
            // Without a content, the file is what it would be without these addresses.
            config.content()
                    .ifPresent(text ->
                            PEER.matcher(text).results().forEach(peer -> kept.put(peer.group(1), peer.group(2))));
        }
        kept.values().removeIf(address -> !Names.isAddress(address));
        return kept;
    }
}
