package dev.promguard.internal.verify;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostFacts.FileFact;
import dev.promguard.host.HostFacts.ManifestFact;
import dev.promguard.host.HostFacts.PeerFact;
import dev.promguard.host.HostFacts.WireGuardFact;
import dev.promguard.host.WireGuardInterface;
import dev.promguard.internal.decide.ViewerAccess;
import dev.promguard.internal.observe.Observed;
import dev.promguard.keys.PublicKey;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whose a WireGuard key is: by the state, by what each host itself shows, and by the configuration that PromGuard wrote on a host. The
 * state may be lost, or older than the hosts, after an apply that did not come to its end. Immutable.
 */
final class PeerKeys {
    private static final Pattern CONFIGURED =
            Pattern.compile("(?m)^\\[Peer]\\n# ([a-z0-9.-]{1,253})\\nPublicKey = ([A-Za-z0-9+/=]{44})$");

    private final Map<String, PublicKey> remembered;
    private final Map<String, PublicKey> shown = new HashMap<>();
    private final Map<PublicKey, String> formerViewers = new HashMap<>();

    private PeerKeys(Map<String, PublicKey> remembered) {
        this.remembered = Map.copyOf(remembered);
    }

    /** The keys of a mesh as it was observed. */
    static PeerKeys of(Observed observed) {
        PeerKeys keys = new PeerKeys(observed.roster().state().publicKeys());
        keys.formerViewers.putAll(ViewerAccess.former(observed.roster()));
        for (Blueprint.Host host : observed.roster().blueprint().hosts()) {
            observed.seen(host.name())
                    .flatMap(seen -> seen.facts()
                            .keyFilePublicKey()
                            .or(() -> seen.facts().wireGuard().flatMap(WireGuardFact::publicKey)))
                    .ifPresent(key -> keys.shown.put(host.name(), key));
        }
        return keys;
    }

    /** The key of each host that one is known of: the one that the state knows, and else the one that the host shows. */
    Map<String, PublicKey> all() {
        Map<String, PublicKey> all = new HashMap<>(shown);
        all.putAll(remembered);
        return Map.copyOf(all);
    }

    /** A host's end of its tunnel with another host, by either key that the other may have. */
    Optional<PeerFact> peer(List<PeerFact> peers, String name) {
        return peers.stream().filter(peer -> isOf(peer, name)).findFirst();
    }

    /** Whether a key is that of somebody who was a viewer and is none any more. */
    boolean isOfFormerViewer(PublicKey key) {
        return formerViewers.containsKey(key);
    }

    /** Whether a peer has the key of a host. */
    boolean isOf(PeerFact peer, String name) {
        return peer.publicKey().equals(remembered.get(name)) || peer.publicKey().equals(shown.get(name));
    }

    /**
     * Whose a peer is that the spec does not give a host.
     *
     * @param facts what the host is that has the peer
     * @return the name of a host, and where it is not of this mesh, that; empty if nobody of PromGuard's is known to have the key
     */
    Optional<String> owner(PeerFact peer, HostFacts facts, Blueprint blueprint) {
        Optional<String> own = all().entrySet().stream()
                .filter(entry -> isOf(peer, entry.getKey()))
                .map(Map.Entry::getKey)
                .sorted()
                .findFirst();
        return own.or(() ->
                        Optional.ofNullable(formerViewers.get(peer.publicKey())).map("viewer "::concat))
                .or(() -> configured(peer, facts, blueprint.interfaceName())
                        .map(name -> otherMesh(facts, blueprint)
                                .map(mesh -> name + " of mesh " + mesh)
                                .orElse(name + " of an earlier apply")));
    }

    /** The mesh that a host is in, where it is another. */
    static Optional<String> otherMesh(HostFacts facts, Blueprint blueprint) {
        return facts.manifest().map(ManifestFact::mesh).filter(mesh -> !mesh.equals(blueprint.mesh()));
    }

    /** The configuration is PromGuard's own by the manifest alone. */
    private static Optional<String> configured(PeerFact peer, HostFacts facts, String interfaceName) {
        String path = WireGuardInterface.configPath(interfaceName);
        String key = WireGuardInterface.keyPath(interfaceName);
        FileFact file = facts.files().get(path);
        boolean ours = facts.manifest()
                .filter(manifest -> manifest.things().contains("file " + path)
                        || manifest.things().contains("file " + key))
                .isPresent();
        if (!ours || file == null) {
            return Optional.empty();
        }
        Matcher named = CONFIGURED.matcher(file.content().orElse(""));
        while (named.find()) {
            if (named.group(2).equals(peer.publicKey().base64())) {
                return Optional.of(named.group(1));
            }
        }
        return Optional.empty();
    }
}
