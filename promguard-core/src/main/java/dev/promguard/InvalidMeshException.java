package dev.promguard;

import dev.promguard.blueprint.Names;
import java.util.List;

/** A spec cannot be carried out. Nothing was created or changed. The exception holds every problem, not just the first. */
public final class InvalidMeshException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    /** The name of the mesh. */
    private final String mesh;

    /** Every problem. */
    @SuppressWarnings("serial") // List.copyOf is serializable
    private final List<String> problems;

    /**
     * A spec with problems of its own.
     *
     * @param mesh the mesh's name
     * @param problems the problems, at least one, each naming field, value and remedy
     */
    public InvalidMeshException(String mesh, List<String> problems) {
        this(ErrorCode.INVALID_SPEC, mesh, problems);
    }

    /**
     * A mesh with problems.
     *
     * @param code what kind of problem the first one is
     * @param mesh the mesh's name
     * @param problems the problems, at least one, each naming field, value and remedy
     */
    public InvalidMeshException(ErrorCode code, String mesh, List<String> problems) {
        super(code, message(mesh, problems), null);
        this.mesh = mesh;
        this.problems = problems.stream().map(Names::printable).toList();
    }

    private static String message(String mesh, List<String> problems) {
        String name = Names.quote(mesh);
        if (problems.size() == 1) {
            return "mesh " + name + ": " + problems.get(0);
        }
        return "mesh " + name + " has " + problems.size() + " problems:\n  - " + String.join("\n  - ", problems);
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
     * The problems.
     *
     * @return at least one, each naming field, value and remedy
     */
    public List<String> problems() {
        return problems;
    }
}
