package dev.promguard;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * What a destroy did.
 *
 * @param mesh the mesh's name
 * @param removed the names of the hosts that were removed, or, where they were there before the mesh, that PromGuard's parts were
 *     taken off; empty if there were none
 * @param left for each host that was there before the mesh, what was left on it, in words: packages that were installed, say
 */
public record DestroyReport(String mesh, List<String> removed, Map<String, List<String>> left) {
    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     */
    public DestroyReport {
        Objects.requireNonNull(mesh, "mesh");
        removed = List.copyOf(removed);
        Map<String, List<String>> copy = new TreeMap<>();
        left.forEach((host, what) -> copy.put(host, List.copyOf(what)));
        left = Collections.unmodifiableMap(copy);
    }

    DestroyReport(String mesh, List<String> removed) {
        this(mesh, removed, Map.of());
    }

    /**
     * The report as a person reads it.
     *
     * @return a line for the mesh, and one for each thing that was left on a host, without a line end
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("mesh ").append(mesh);
        text.append(removed.isEmpty() ? ": there was nothing to remove" : ": removed " + String.join(", ", removed));
        left.forEach((host, what) -> what.forEach(
                thing -> text.append("\n  left on ").append(host).append(": ").append(thing)));
        return text.toString();
    }
}
