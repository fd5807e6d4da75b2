package dev.promguard.blueprint;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A host's own end of its tunnels: where peers reach it from outside, and where it differs from the mesh's.
 *
 * @param address an address or a name; empty for the host's public address
 * @param port the UDP port there, 1 to 65535; empty for the one that the host listens on
 * @param behindNat whether no packet reaches the host that it did not ask for: peers then have no endpoint for it, unless an address is
 *     given, and it sends to each of them often enough that the way back stays open
 * @param listenPort the UDP port that it listens on, 1 to 65535; empty for the mesh's
 * @param mtu the MTU of its interface in bytes; empty for the mesh's
 */
public record HostEndpoint(
        Optional<String> address, OptionalInt port, boolean behindNat, OptionalInt listenPort, OptionalInt mtu) {
    /** The host's public address and the mesh's port. */
    public static final HostEndpoint PUBLIC =
            new HostEndpoint(Optional.empty(), OptionalInt.empty(), false, OptionalInt.empty(), OptionalInt.empty());

    /**
     * Checks that nothing is null.
     *
     * @throws NullPointerException if something is
     */
    public HostEndpoint {
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(port, "port");
        Objects.requireNonNull(listenPort, "listenPort");
        Objects.requireNonNull(mtu, "mtu");
    }

    /**
     * The same end, reached elsewhere.
     *
     * @param otherAddress an address or a name
     * @param otherPort the UDP port there; empty for the one that the host listens on
     * @return a copy
     */
    public HostEndpoint at(String otherAddress, OptionalInt otherPort) {
        return new HostEndpoint(Optional.of(otherAddress), otherPort, behindNat, listenPort, mtu);
    }

    /**
     * The same end, behind NAT or not.
     *
     * @param value whether it is
     * @return a copy
     */
    public HostEndpoint withBehindNat(boolean value) {
        return new HostEndpoint(address, port, value, listenPort, mtu);
    }

    /**
     * The same end that listens on a port of its own.
     *
     * @param value the UDP port
     * @return a copy
     */
    public HostEndpoint withListenPort(int value) {
        return new HostEndpoint(address, port, behindNat, OptionalInt.of(value), mtu);
    }

    /**
     * The same end with another MTU.
     *
     * @param value the MTU in bytes
     * @return a copy
     */
    public HostEndpoint withMtu(int value) {
        return new HostEndpoint(address, port, behindNat, listenPort, OptionalInt.of(value));
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
