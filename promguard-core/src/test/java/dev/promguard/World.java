package dev.promguard;

import dev.promguard.keys.PublicKey;
import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryMachine;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Machines, and a mesh on them: its spec, and what there is to be of it. */
interface World {
    /** The spec as it is now, in a program whose calls are counted. */
    MeshBuilder spec(Calls calls);

    /** The names of the spec's nodes, which may be changed. */
    Set<String> nodes();

    /** The spec's viewers by their names, which may be changed. */
    Map<String, Viewer> viewers();

    /** Is to be on another port from now on. */
    World port(int to);

    /** Is to be gone, or there again. */
    World gone(boolean is);

    /** The machines that are to be hosts of the mesh, or in a cloud those that are there, by the hosts' names. */
    Map<String, MemoryMachine> hosts();

    /** The machines that there are, hosts of the mesh or not. */
    List<MemoryMachine> machines();

    /** Hides new hosts from so many of the cloud's lists. */
    void lag(int lists);

    /**
     * Insists that there is exactly what the spec says, or nothing. What there is is read from the cloud, the hosts and the store alone,
     * and not by the engine.
     */
    void check();

    /** A viewer, and whether access has ended by now. */
    record Viewer(PublicKey key, Instant until, boolean ended) {}

    /** The spec with the viewers. */
    static MeshBuilder withViewers(MeshBuilder spec, Map<String, Viewer> viewers) {
        viewers.forEach((name, viewer) -> spec.viewer(name, viewer.key(), with -> with.until(viewer.until())));
        return spec;
    }
}
