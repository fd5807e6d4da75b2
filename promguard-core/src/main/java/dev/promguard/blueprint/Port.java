package dev.promguard.blueprint;

import dev.promguard.blueprint.FirewallRule.Protocol;
import java.util.Comparator;
import java.util.Objects;

/**
 * A port of a host. Ordered by number, then by protocol.
 *
 * @param number the port; 1 to 65535, unless {@link Planner#problems(MeshSpec)} says otherwise
 * @param protocol its protocol
 */
public record Port(int number, Protocol protocol) implements Comparable<Port> {
    private static final Comparator<Port> ORDER =
            Comparator.comparingInt(Port::number).thenComparing(Port::protocol);

    /**
     * Checks that the protocol is there.
     *
     * @throws NullPointerException if it is null
     */
    public Port {
        Objects.requireNonNull(protocol, "protocol");
    }

    @Override
    public int compareTo(Port other) {
        return ORDER.compare(this, other);
    }

    /**
     * The port in words.
     *
     * @return such as {@code 80/tcp}
     */
    @Override
    public String toString() {
        return number + "/" + protocol.id();
    }
}
