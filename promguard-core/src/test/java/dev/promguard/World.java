package dev.promguard;

import dev.promguard.memory.Calls;
import dev.promguard.memory.MemoryMachine;
import java.util.List;
import java.util.Set;

/** Machines, and a mesh on them: its spec, and what there is to be of it. */
interface World {
    /** The spec as it is now, in a program whose calls are counted. */
    MeshBuilder spec(Calls calls);

    /** The names of the spec's nodes, which may be changed. */
    Set<String> nodes();

    /** The machines that there are, hosts of the mesh or not. */
    List<MemoryMachine> machines();

    /** Hides new hosts from so many of the cloud's lists. */
    void lag(int lists);

    /**
     * Insists that there is exactly what the spec says, or nothing. What there is is read from the cloud, the hosts and the store alone,
     * and not by the engine.
     */
    void check();
}
