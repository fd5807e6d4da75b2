package dev.promguard;

import dev.promguard.blueprint.Names;
import java.util.List;

/** A wish that cannot be fulfilled, found before anything was made or changed. Holds every fault, not just the first. */
public final class InvalidMeshException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    /** The name of the mesh. */
    private final String mesh;

    /** Every fault. */
    @SuppressWarnings("serial") // List.copyOf is serializable
    private final List<String> faults;

    /**
     * A wish with faults.
     *
     * @param mesh the mesh's name
     * @param faults the faults, at least one, each naming field, value and mend
     */
    public InvalidMeshException(String mesh, List<String> faults) {
        super(message(mesh, faults), null);
        this.mesh = mesh;
        this.faults = faults.stream().map(Names::printable).toList();
    }

    private static String message(String mesh, List<String> faults) {
        String name = Names.quote(mesh);
        if (faults.size() == 1) {
            return "mesh " + name + ": " + faults.get(0);
        }
        return "mesh " + name + " has " + faults.size() + " faults:\n  - " + String.join("\n  - ", faults);
    }

    /**
     * The mesh's name.
     *
     * @return the name, as it was given
     */
    public String mesh() {
        return mesh;
    }

    /**
     * The faults.
     *
     * @return at least one, each naming field, value and mend
     */
    public List<String> faults() {
        return faults;
    }
}
