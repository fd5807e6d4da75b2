package dev.promguard;

import java.util.List;
import java.util.Objects;

/**
 * What a destroy did.
 *
 * @param mesh the mesh's name
 * @param removed the names of the hosts that were removed; empty if there were none
 */
public record DestroyReport(String mesh, List<String> removed) {
    /**
     * Copies the names.
     *
     * @throws NullPointerException if something is null
     */
    public DestroyReport {
        Objects.requireNonNull(mesh, "mesh");
        removed = List.copyOf(removed);
    }

    /**
     * The report as a person reads it.
     *
     * @return one line, without a line end
     */
    @Override
    public String toString() {
        return removed.isEmpty()
                ? "mesh " + mesh + ": there was nothing to remove"
                : "mesh " + mesh + ": removed " + String.join(", ", removed);
    }
}
