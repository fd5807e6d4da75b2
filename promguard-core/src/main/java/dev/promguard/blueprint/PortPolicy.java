package dev.promguard.blueprint;

import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;

/**
 * What is to become of the ports of a host's own services when the firewall is enabled. Immutable.
 *
 * @param allowed ports that stay reachable from anywhere, sorted; each gets a firewall rule of PromGuard's
 * @param closed ports that may be closed, sorted
 * @param closesOthers whether every port may be closed that is not allowed
 */
public record PortPolicy(Set<Port> allowed, Set<Port> closed, boolean closesOthers) {
    /** No port is allowed, and none may be closed that answers. */
    public static final PortPolicy NONE = new PortPolicy(Set.of(), Set.of(), false);

    /**
     * Copies the sets.
     *
     * @throws NullPointerException if one is null
     */
    public PortPolicy {
        allowed = Collections.unmodifiableSet(new TreeSet<>(allowed));
        closed = Collections.unmodifiableSet(new TreeSet<>(closed));
    }

    /**
     * Whether the spec agrees to close a port.
     *
     * @param port the port
     * @return true if it says so of this port, or of every port
     */
    public boolean mayClose(Port port) {
        return closesOthers || closed.contains(port);
    }
}
