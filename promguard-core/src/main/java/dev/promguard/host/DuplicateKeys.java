package dev.promguard.host;

import dev.promguard.keys.PublicKey;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Tells which hosts show a WireGuard key that they may not have, such as another host's. A pure function. */
public final class DuplicateKeys {
    /** What a peer is that nobody can be: there is no handshake with it. */
    private static final PublicKey ZERO = new PublicKey(Base64.getEncoder().encodeToString(new byte[32]));

    private DuplicateKeys() {}

    /**
     * Finds the hosts whose key is not to be believed. A key belongs to the host that is remembered with it; where that tells
     * nothing, no host that shows it is believed. With such a key a host would take another's place at its peers.
     *
     * @param shown the public key that each host shows which was looked at and is to keep its key, by host
     * @param remembered the public key that each host had, by host
     * @return for each host that is not believed what it shows, in words; empty if all are
     */
    public static Map<String, String> refused(Map<String, PublicKey> shown, Map<String, PublicKey> remembered) {
        Map<String, String> refused = new TreeMap<>();
        shown.forEach((name, key) -> {
            Set<String> rivals = new TreeSet<>();
            boolean isOwn = key.equals(remembered.get(name));
            for (Map<String, PublicKey> claims : isOwn ? List.of(shown) : List.of(shown, remembered)) {
                claims.forEach((other, claimed) -> {
                    if (claimed.equals(key)
                            && !other.equals(name)
                            && (!isOwn || Objects.equals(remembered.get(other), key))) {
                        rivals.add(other);
                    }
                });
            }
            if (key.equals(ZERO)) {
                refused.put(name, "it shows the WireGuard public key " + key + ", which is not a valid key");
            } else if (!rivals.isEmpty()) {
                refused.put(
                        name,
                        "it shows the WireGuard public key " + key + ", which is that of "
                                + String.join(" and ", rivals));
            }
        });
        return refused;
    }

    /**
     * What to do about a host that is not believed.
     *
     * @param interfaceName the mesh's WireGuard interface
     * @return a few sentences
     */
    public static String remedy(String interfaceName) {
        return "Its peers keep the key that they have for it. If it is a copy of another host, remove "
                + WireGuardInterface.keyPath(interfaceName)
                + " on it and run apply again, which gives it a key of its own. If it is not a copy, somebody may have"
                + " broken into it.";
    }
}
