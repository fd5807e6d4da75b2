package dev.promguard;

import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;

/**
 * Some hosts of a mesh, to be looked at and changed alone. Nothing is made, changed or removed elsewhere, and no session is opened
 * with another host; of these hosts, the missing are made.
 *
 * <p>What the hosts should be comes from the whole spec: their peers are all of it, with the keys and addresses that are
 * remembered. The other side of a tunnel is not told of a new host or a new key before it is applied to itself. Immutable and
 * thread-safe.
 */
public final class Selection {
    private final Mesh mesh;
    private final Set<String> hosts;

    Selection(Mesh mesh, Set<String> hosts) {
        this.mesh = mesh;
        this.hosts = Collections.unmodifiableSet(new TreeSet<>(hosts));
    }

    /**
     * The hosts.
     *
     * @return their names, sorted
     */
    public Set<String> hosts() {
        return hosts;
    }

    /**
     * Looks what {@link #apply()} would do on these hosts. Changes nothing.
     *
     * @return the plan, which names the hosts in its first line; {@link Mesh#apply(Plan)} does what it says
     * @throws PromGuardException as {@link Mesh#plan()}
     */
    public Plan plan() {
        return mesh.plan(hosts);
    }

    /**
     * Brings these hosts to what the spec says, and leaves all others alone.
     *
     * @return what was done, with the outcomes of these hosts alone
     * @throws PromGuardException as {@link Mesh#apply()}
     */
    public ApplyReport apply() {
        return mesh.apply(hosts);
    }

    /**
     * The hosts in a line.
     *
     * @return such as {@code Selection[shop: shop-node-2]}
     */
    @Override
    public String toString() {
        return "Selection[" + mesh.name() + ": " + String.join(", ", hosts) + "]";
    }
}
