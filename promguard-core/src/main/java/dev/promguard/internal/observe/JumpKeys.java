package dev.promguard.internal.observe;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.JumpHost;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The host keys of jump hosts of which the user gave none: those that are remembered, and those that they proved in this run. Several
 * hosts may be behind one jump host, which has to show the same key to all connections. Thread-safe.
 */
final class JumpKeys {
    private final Map<String, HostKeyFingerprint> known;

    /**
     * The keys at the beginning of a run.
     *
     * @param remembered the keys that are remembered, by the jump hosts' paths
     */
    JumpKeys(Map<String, HostKeyFingerprint> remembered) {
        this.known = new HashMap<>(remembered);
    }

    /** The keys that a jump host may show: those that the user gave, else the one that is known, else none. */
    synchronized Set<HostKeyFingerprint> accepted(JumpHost hop, String path) {
        HostKeyFingerprint key = known.get(path);
        return !hop.login().hostKeys().isEmpty() ? hop.login().hostKeys() : key == null ? Set.of() : Set.of(key);
    }

    /** What a chain proved, by its paths. */
    static Map<String, HostKeyFingerprint> byPath(List<JumpHost> chain, List<HostKeyFingerprint> proven) {
        List<String> paths = JumpHost.paths(chain);
        Map<String, HostKeyFingerprint> keys = new LinkedHashMap<>();
        for (int i = 0; i < Math.min(paths.size(), proven.size()); i++) {
            keys.put(paths.get(i), proven.get(i));
        }
        return keys;
    }

    /**
     * Takes note of the keys that the jump hosts of a session proved.
     *
     * @throws HostException if one that is trusted on first use showed another key to another connection of this run; of those that prove
     *     themselves by certificates, each of several machines may have a key of its own
     */
    synchronized void proven(HostTarget target, List<JumpHost> chain, List<HostKeyFingerprint> proven) {
        Map<String, HostKeyFingerprint> keys = byPath(chain, proven);
        List<String> paths = List.copyOf(keys.keySet());
        for (int i = 0; i < paths.size(); i++) {
            HostKeyFingerprint shown = proven.get(i);
            HostKeyFingerprint before =
                    chain.get(i).login().hostKeys().isEmpty() ? known.putIfAbsent(paths.get(i), shown) : null;
            JumpHost hop = chain.get(i);
            if (before != null
                    && !before.equals(shown)
                    && !hop.login().certificates().areAccepted()) {
                throw HostException.of(
                                ErrorCode.HOST_KEY_REFUSED,
                                target.name(),
                                target.address(),
                                "check the host key of " + hop.title())
                        .because(
                                "the jump host showed the key " + shown + ", and " + before
                                        + " to another connection of this run",
                                "Nothing was sent to the host. If several machines answer at that address, give the"
                                        + " fingerprints of all; if not, somebody may intercept the connection.");
            }
        }
    }
}
