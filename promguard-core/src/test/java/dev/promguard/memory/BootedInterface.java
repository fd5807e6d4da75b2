package dev.promguard.memory;

import dev.promguard.host.HostFacts.PeerFact;
import dev.promguard.host.HostFacts.PresharedKeyFact;
import dev.promguard.host.HostFacts.WireGuardFact;
import dev.promguard.keys.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What wg-quick makes of a configuration when a machine boots. */
final class BootedInterface {
    private BootedInterface() {}

    /**
     * The interface that comes up.
     *
     * @param config the configuration
     * @param own the public key that belongs to the key file
     * @param presharedKeys the paths of the preshared keys that are there
     * @return the interface; empty if it does not come up, since a preshared key is missing
     */
    static Optional<WireGuardFact> of(String config, PublicKey own, Set<String> presharedKeys) {
        List<PeerFact> peers = new ArrayList<>();
        for (String block : Stream.of(config.split("\n\\[Peer]\n", -1)).skip(1).toList()) {
            Optional<String> preshared = value(block, "# PresharedKeyFile");
            if (preshared.isPresent() && !presharedKeys.contains(preshared.get())) {
                return Optional.empty();
            }
            peers.add(new PeerFact(
                    new PublicKey(value(block, "PublicKey").orElseThrow()),
                    value(block, "Endpoint"),
                    List.of(value(block, "AllowedIPs").orElseThrow().split(", *", -1)),
                    Optional.empty(),
                    Optional.empty(),
                    0,
                    0,
                    preshared.isPresent() ? PresharedKeyFact.AS_FILED : PresharedKeyFact.NONE));
        }
        return Optional.of(new WireGuardFact(
                Optional.of(own),
                Integer.parseInt(value(config, "ListenPort").orElseThrow()),
                List.of(value(config, "Address").orElseThrow()),
                true,
                peers));
    }

    private static Optional<String> value(String text, String key) {
        Matcher line =
                Pattern.compile("(?m)^" + Pattern.quote(key) + " = (.*?) *$").matcher(text);
        return line.find() ? Optional.of(line.group(1)) : Optional.empty();
    }
}
