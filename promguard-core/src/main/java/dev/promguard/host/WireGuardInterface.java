package dev.promguard.host;

import dev.promguard.keys.PublicKey;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The WireGuard interface of a host. The private key is not part of it: it lives in {@link #keyPath()} on the host alone.
 *
 * @param name the interface's name, such as {@code wg0}
 * @param address the host's address with the network's prefix length, such as {@code 10.0.0.2/24}
 * @param listenPort the UDP port
 * @param mtu the MTU in bytes that the spec says; empty for what fits the host's way out
 * @param publicKey the host's own public key
 * @param peers the peers, in the order of their addresses
 * @param config the configuration file for {@code wg-quick}; holds no secret
 */
public record WireGuardInterface(
        String name,
        String address,
        int listenPort,
        OptionalInt mtu,
        PublicKey publicKey,
        List<Peer> peers,
        ManagedFile config) {
    /**
     * Copies the peers.
     *
     * @throws NullPointerException if something is null
     */
    public WireGuardInterface {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(mtu, "mtu");
        Objects.requireNonNull(publicKey, "publicKey");
        Objects.requireNonNull(config, "config");
        peers = List.copyOf(peers);
    }

    /**
     * A peer.
     *
     * @param name the peer's host name
     * @param publicKey its public key
     * @param endpoint where it listens, such as {@code 203.0.113.7:51820} or {@code [2001:db8::7]:51820}; empty if its
     *     public address is not known
     * @param allowedIps its addresses inside the tunnel, such as {@code 10.0.0.3/32}
     * @param presharedKeyPath where this host keeps the preshared key that it shares with the peer; empty if they share none
     */
    public record Peer(
            String name,
            PublicKey publicKey,
            Optional<String> endpoint,
            List<String> allowedIps,
            Optional<String> presharedKeyPath) {
        /**
         * Copies the list.
         *
         * @throws NullPointerException if something is null
         */
        public Peer {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(publicKey, "publicKey");
            Objects.requireNonNull(endpoint, "endpoint");
            Objects.requireNonNull(presharedKeyPath, "presharedKeyPath");
            allowedIps = List.copyOf(allowedIps);
        }
    }

    /**
     * Where the private key is on the host: mode 0600, owned by root.
     *
     * @return such as {@code /etc/wireguard/wg0.key}
     */
    public String keyPath() {
        return keyPath(name);
    }

    /**
     * Where the private key of an interface is.
     *
     * @param interfaceName the interface's name
     * @return such as {@code /etc/wireguard/wg0.key}
     */
    public static String keyPath(String interfaceName) {
        return "/etc/wireguard/" + interfaceName + ".key";
    }

    /**
     * Where the configuration of an interface is, which holds no secret.
     *
     * @param interfaceName the interface's name
     * @return such as {@code /etc/wireguard/wg0.conf}
     */
    public static String configPath(String interfaceName) {
        return "/etc/wireguard/" + interfaceName + ".conf";
    }

    /**
     * The folder with the preshared keys on the host, a file for each peer: mode 0600, owned by root.
     *
     * @param interfaceName the interface's name
     * @return such as {@code /etc/wireguard/wg0.psk}
     */
    public static String presharedKeyFolder(String interfaceName) {
        return "/etc/wireguard/" + interfaceName + ".psk";
    }

    /**
     * The file with the preshared key shared with a peer.
     *
     * @param interfaceName the interface's name
     * @param peer the peer's host name
     * @return such as {@code /etc/wireguard/wg0.psk/shop-node-1}
     */
    public static String presharedKeyPath(String interfaceName, String peer) {
        return presharedKeyFolder(interfaceName) + '/' + peer;
    }

    /**
     * The systemd unit that brings the interface up.
     *
     * @return such as {@code wg-quick@wg0.service}
     */
    public String unit() {
        return unit(name);
    }

    /**
     * The systemd unit that brings an interface up.
     *
     * @param interfaceName the interface's name
     * @return such as {@code wg-quick@wg0.service}
     */
    public static String unit(String interfaceName) {
        return "wg-quick@" + interfaceName + ".service";
    }
}
