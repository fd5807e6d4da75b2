package dev.promguard;

import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;

/**
 * Some hosts of a mesh, which are planned and applied separately from the others. Missing hosts among them are created. No other
 * host is created, changed, removed or connected to.
 *
 * <p>The whole spec still applies to them: they get all their peers, with the keys and addresses in the state. The other end of a
 * tunnel learns of a new host or key only when an apply includes it. Immutable and thread-safe.
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
     * Shows what {@link #apply()} would do on these hosts. Read-only.
     *
     * @return the plan, which names the hosts in its first line; {@link Mesh#apply(Plan)} does what it says
     * @throws PromGuardException as {@link Mesh#plan()}
     */
    public Plan plan() {
        return mesh.plan(hosts);
    }

    /**
     * Reconciles these hosts with the spec, and leaves all others unchanged.
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
