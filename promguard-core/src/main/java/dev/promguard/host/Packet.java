package dev.promguard.host;

import inet.ipaddr.IPAddress;
import java.util.Set;

/**
 * A packet as far as it is known: of what is left open, any may come. Immutable.
 *
 * @param incoming whether it comes to the host; else the host sends it
 * @param family 4 or 6
 * @param isNew whether it is the first of its connection; else it belongs to one that is there
 * @param devices the interfaces that it may pass; empty if they are not known, and then neither loopback nor the tunnel
 * @param tunnel the name of the WireGuard interface
 * @param from the addresses that it may come from; empty for any
 * @param to the addresses that it may go to; empty for any
 * @param protocol the protocol
 * @param fromPort the source port; 0 for one that a program was given, 1024 or above
 * @param toPort the destination port, likewise
 */
record Packet(
        boolean incoming,
        int family,
        boolean isNew,
        Set<String> devices,
        String tunnel,
        Set<IPAddress> from,
        Set<IPAddress> to,
        IpProtocol protocol,
        int fromPort,
        int toPort) {
    Packet {
        devices = Set.copyOf(devices);
        from = Set.copyOf(from);
        to = Set.copyOf(to);
    }

    /** Whether it goes to an address of the host itself. */
    boolean isToHost() {
        return incoming || devices.equals(Set.of("lo"));
    }

    /** The answer to it. */
    Packet answer() {
        return new Packet(!incoming, family, false, devices, tunnel, to, from, protocol, toPort, fromPort);
    }

    /** The same where it passes a device. */
    Packet by(String device) {
        return new Packet(incoming, family, isNew, Set.of(device), tunnel, from, to, protocol, fromPort, toPort);
    }
}
