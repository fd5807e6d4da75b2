package dev.promguard.host;

import java.util.List;
import java.util.Objects;

/**
 * Keeps packets for the mesh's network on the WireGuard interface, also while that is down: an unreachable route and a packet filter
 * rule, set by a unit of their own at boot. Without it, a host whose interface is down would send them by its default route, in the
 * clear, and believe whoever answers. Packets for the host's own address are accepted from that interface alone, by routing rules: those
 * stay where somebody flushes the packet filter.
 *
 * @param network the mesh's network in canonical form, such as {@code 10.0.0.0/24}
 * @param address the host's address in it, such as {@code 10.0.0.2}
 * @param interfaceName the one interface that leads to it
 * @param files the script that sets routes and rules, and the unit that runs it, in this order
 */
public record KillSwitch(String network, String address, String interfaceName, List<ManagedFile> files) {
    /** The unit's name. */
    public static final String UNIT = "promguard-kill-switch.service";

    /** The path of the unit's file, which names the network. */
    public static final String UNIT_FILE = "/etc/systemd/system/" + UNIT;

    /** The path of the script, which is the same for every network. */
    public static final String SCRIPT = "/usr/local/lib/promguard/kill-switch.sh";

    /**
     * Copies the list.
     *
     * @throws NullPointerException if something is null
     */
    public KillSwitch {
        Objects.requireNonNull(network, "network");
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(interfaceName, "interfaceName");
        files = List.copyOf(files);
    }
}
