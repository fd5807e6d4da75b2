package dev.promguard.blueprint;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Where peers reach a host's WireGuard from outside.
 *
 * @param address an address or a name; empty for the host's public address
 * @param port the UDP port there, 1 to 65535; empty for the mesh's
 * @param behindNat whether no packet reaches the host that it did not ask for: peers then have no endpoint for it, unless an address is
 *     given, and it sends to each of them often enough that the way back stays open
 */
public record HostEndpoint(Optional<String> address, OptionalInt port, boolean behindNat) {
    /** The host's public address and the mesh's port. */
    public static final HostEndpoint PUBLIC = new HostEndpoint(Optional.empty(), OptionalInt.empty(), false);

    /**
     * Checks that nothing is null.
     *
     * @throws NullPointerException if something is
     */
    public HostEndpoint {
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(port, "port");
    }

    /**
     * Whether a peer can send a first packet there.
     *
     * @return false if it is behind NAT and no address is given
     */
    public boolean isReachable() {
        return !behindNat || address.isPresent();
    }

    /**
     * The address that peers send to.
     *
     * @param publicAddress the host's public address; empty if it is not known
     * @return the address; empty if there is none
     */
    public Optional<String> addressOr(Optional<String> publicAddress) {
        return address.isPresent() || behindNat ? address : publicAddress;
    }
}
