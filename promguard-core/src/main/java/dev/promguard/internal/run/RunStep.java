package dev.promguard.internal.run;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One of the steps that a run consists of.
 *
 * @param id its stable id, unique in the run
 * @param host the host; empty for the mesh as a whole
 * @param text the step for a person
 */
public record RunStep(String id, Optional<String> host, String text) {
    /**
     * Checks that all are there.
     *
     * @throws NullPointerException if one is null
     */
    public RunStep {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(host, "host");
        Objects.requireNonNull(text, "text");
    }

    /**
     * A step on a host.
     *
     * @param host the host's name; null for the mesh as a whole
     * @param id the step's id
     * @param text the step for a person
     * @return the step
     */
    public static RunStep of(@Nullable String host, String id, String text) {
        return new RunStep(id, Optional.ofNullable(host), text);
    }

    /**
     * The ids of steps.
     *
     * @param steps some steps
     * @return their ids, in the same order
     */
    public static List<String> ids(List<RunStep> steps) {
        return steps.stream().map(RunStep::id).toList();
    }
}
