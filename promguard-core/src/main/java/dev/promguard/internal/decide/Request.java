package dev.promguard.internal.decide;

import java.util.Set;

/**
 * What a decision is to achieve.
 *
 * @param rotate whether every host gets new keys
 * @param keepingKeys hosts that keep the keys they have, since they could not take new ones in this run
 */
public record Request(boolean rotate, Set<String> keepingKeys) {
    /** To bring the mesh to its spec. */
    public static final Request APPLY = new Request(false, Set.of());

    /** To bring the mesh to its spec and give every host new keys. */
    public static final Request ROTATE = new Request(true, Set.of());

    /**
     * Copies the set.
     *
     * @throws NullPointerException if it is null
     */
    public Request {
        keepingKeys = Set.copyOf(keepingKeys);
    }

    /**
     * The same request, for which some hosts keep their keys.
     *
     * @param hosts the hosts' names
     * @return a copy
     */
    public Request keeping(Set<String> hosts) {
        return new Request(rotate, hosts);
    }
}
