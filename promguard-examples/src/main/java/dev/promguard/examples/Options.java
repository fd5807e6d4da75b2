package dev.promguard.examples;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the quickstart was asked to do.
 *
 * @param task what to do
 * @param confirmed whether it may spend money or remove hosts without asking
 */
record Options(Task task, boolean confirmed) {
    private static final String YES = "--yes";

    /** What there is to do. */
    enum Task {
        LOCAL(""),
        PREVIEW("--preview"),
        DIGITALOCEAN("--digitalocean"),
        DESTROY("--destroy");

        private final String option;

        Task(String option) {
            this.option = option;
        }

        private boolean asks() {
            return this == DIGITALOCEAN || this == DESTROY;
        }
    }

    /**
     * Reads the command line.
     *
     * @param arguments at most one option that names a task, and {@code --yes} beside one that would ask
     * @return the options; empty if an argument is unknown, stands twice, or does not go with the others
     */
    static Optional<Options> parse(List<String> arguments) {
        List<String> rest = new ArrayList<>(arguments);
        boolean confirmed = rest.remove(YES);
        if (rest.size() > 1) {
            return Optional.empty();
        }
        for (Task task : Task.values()) {
            if (rest.equals(task == Task.LOCAL ? List.of() : List.of(task.option)) && (task.asks() || !confirmed)) {
                return Optional.of(new Options(task, confirmed));
            }
        }
        return Optional.empty();
    }
}
