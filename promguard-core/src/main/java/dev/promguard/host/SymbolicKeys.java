package dev.promguard.host;

import dev.promguard.keys.PublicKey;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Stand-ins for WireGuard public keys that an apply makes only when it carries out a decision. The stand-in of a host is always
 * the same and belongs to no private key, so a decision with new keys is final and can be compared. No stand-in may reach a
 * host: {@link #resolve} replaces each by the key that was made. Pure functions.
 */
public final class SymbolicKeys {
    private static final String SHOWN = "(known after apply)";
    private static final String WIREGUARD_FOLDER = "/etc/wireguard/";
    private static final int BEFORE_SIGN = 43;
    private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/]");
    private static final Pattern KEY = Pattern.compile("(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=");

    private SymbolicKeys() {}

    /**
     * The stand-in for the key that a host is going to get.
     *
     * @param host the host's name
     * @return a text of the form of a public key
     */
    public static PublicKey of(String host) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(("promguard: the next WireGuard key of " + host).getBytes(StandardCharsets.UTF_8));
            return new PublicKey(Base64.getEncoder().encodeToString(digest));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** A text for people, with words in the place of the stand-ins of some hosts. */
    static String shown(String text, Collection<String> hosts) {
        if (hosts.isEmpty()) {
            return text;
        }
        Set<String> symbols = hosts.stream().map(host -> of(host).base64()).collect(Collectors.toSet());
        StringBuilder shown = new StringBuilder(text.length());
        int rest = 0;
        // Every key ends in this sign, which texts have few of: to look for it takes far less time than to match at
        // each place.
        for (int sign = text.indexOf('='); sign >= 0; sign = text.indexOf('=', sign + 1)) {
            int begin = sign - BEFORE_SIGN;
            if (begin >= rest && symbols.contains(text.substring(begin, sign + 1)) && !isLonger(text, begin)) {
                shown.append(text, rest, begin).append(SHOWN);
                rest = sign + 1;
            }
        }
        return shown.append(text, rest, text.length()).toString();
    }

    /** Whether what has the form of a key is the end of something longer. */
    private static boolean isLonger(String text, int begin) {
        return begin > 0 && BASE64.matcher(text.substring(begin - 1, begin)).matches();
    }

    /**
     * What a host should be, with real keys in the place of the stand-ins.
     *
     * @param desired the host as it was decided
     * @param keys the key of each stand-in
     * @return a copy
     */
    public static DesiredHost resolve(DesiredHost desired, Map<PublicKey, PublicKey> keys) {
        return new DesiredHost(
                desired.blueprint(),
                desired.name(),
                desired.packages(),
                desired.users(),
                desired.releases(),
                desired.firewall(),
                resolve(desired.wireGuard(), keys),
                desired.killSwitch(),
                desired.secretFiles(),
                desired.files(),
                desired.units(),
                desired.maskedUnits());
    }

    /**
     * Changes with real keys in the place of the stand-ins. Only WireGuard's own changes hold any.
     *
     * @param changes the changes as they were decided
     * @param keys the key of each stand-in
     * @return copies in the same order
     */
    public static List<Change> resolve(List<Change> changes, Map<PublicKey, PublicKey> keys) {
        return changes.stream().map(change -> resolve(change, keys)).toList();
    }

    private static Change resolve(Change change, Map<PublicKey, PublicKey> keys) {
        if (change instanceof WireGuard.WriteKey write) {
            return new WireGuard.WriteKey(write.path(), resolve(write.publicKey(), keys));
        } else if (change instanceof WireGuard.Configure apply) {
            return new WireGuard.Configure(resolve(apply.wireGuard(), keys), apply.does());
        } else if (change instanceof ManagedFiles.Write write) {
            return new ManagedFiles.Write(resolve(write.file(), keys));
        }
        return change;
    }

    private static WireGuardInterface resolve(WireGuardInterface wireGuard, Map<PublicKey, PublicKey> keys) {
        return new WireGuardInterface(
                wireGuard.name(),
                wireGuard.address(),
                wireGuard.listenPort(),
                wireGuard.mtu(),
                resolve(wireGuard.publicKey(), keys),
                wireGuard.peers().stream()
                        .map(peer -> new WireGuardInterface.Peer(
                                peer.name(),
                                resolve(peer.publicKey(), keys),
                                peer.endpoint(),
                                peer.allowedIps(),
                                peer.presharedKeyPath()))
                        .toList(),
                resolve(wireGuard.config(), keys));
    }

    private static ManagedFile resolve(ManagedFile file, Map<PublicKey, PublicKey> keys) {
        if (keys.isEmpty() || !file.path().startsWith(WIREGUARD_FOLDER)) {
            return file;
        }
        String content = KEY.matcher(file.content())
                .replaceAll(found -> resolve(new PublicKey(found.group()), keys).base64());
        return new ManagedFile(file.path(), content, file.mode(), file.owner(), file.check());
    }

    private static PublicKey resolve(PublicKey key, Map<PublicKey, PublicKey> keys) {
        return keys.getOrDefault(key, key);
    }
}
