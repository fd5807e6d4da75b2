package dev.promguard;

import dev.promguard.blueprint.Names;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/** What a destroy did. Immutable. */
public final class DestroyReport {
    private final String mesh;
    private final List<String> removed;
    private final Map<String, List<String>> leftovers;
    private final Duration checkedFor;

    private DestroyReport(Builder builder) {
        this.mesh = builder.mesh;
        this.removed = List.copyOf(builder.removed);
        this.leftovers = Collections.unmodifiableMap(new TreeMap<>(builder.leftovers));
        this.checkedFor = builder.checkedFor;
    }

    /**
     * Starts a report. For PromGuard's own use, and for tests of programs that embed it.
     *
     * @param mesh the mesh's name
     * @return a builder
     * @throws NullPointerException if it is null
     */
    public static Builder builder(String mesh) {
        return new Builder(mesh);
    }

    /**
     * The mesh's name.
     *
     * @return the name
     */
    public String mesh() {
        return mesh;
    }

    /**
     * The hosts that were removed: created hosts were deleted, and PromGuard was uninstalled from existing ones.
     *
     * @return their names; empty if there were none
     */
    public List<String> removed() {
        return removed;
    }

    /**
     * What was left on hosts that were there before the mesh, such as packages that were installed.
     *
     * @return what was left, in words, by the host's name; hosts on which nothing was left are not in it
     */
    public Map<String, List<String>> leftovers() {
        return leftovers;
    }

    /**
     * How long the cloud was checked for hosts of an earlier run's order whose outcome was not known. Clouds' lists lag, so that
     * such a host may appear late.
     *
     * @return the time; zero if there was no such order
     */
    public Duration checkedFor() {
        return checkedFor;
    }

    /**
     * The report as Markdown for a comment on a pull request: what was removed, and what was left on hosts that stay. Stays below the 65,536 characters that GitHub takes, and says
     * what was left out for that. Whatever hosts and others wrote stays text: nothing in it becomes a link, a mention or HTML.
     *
     * @return a document (CommonMark with tables, and {@code <details>} for what is long), ending in a line end
     */
    public String toMarkdown() {
        return ReportMarkdown.of(this);
    }

    /**
     * The report as a JSON document for programs, described by {@code docs/promguard-1.schema.json} in the source repository. Its
     * {@code formatVersion} changes only where a field is removed or gets another meaning; fields may be added. Holds no secret.
     *
     * @return the document, ending in a line end
     */
    public String toJson() {
        return ReportJson.of(this);
    }

    /**
     * The report as a person reads it.
     *
     * @return a line for the mesh, one for each thing that was left on a host, and one where the cloud was checked for hosts of an
     *     earlier run's order, without a line end
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("mesh ").append(mesh);
        text.append(removed.isEmpty() ? ": there was nothing to remove" : ": removed " + String.join(", ", removed));
        leftovers.forEach((host, what) -> what.forEach(
                thing -> text.append("\n  left on ").append(host).append(": ").append(thing)));
        check().ifPresent(line -> text.append("\n  ").append(line));
        return text.toString();
    }

    /** What to say of the check for hosts of earlier orders; empty if there was none. */
    Optional<String> check() {
        return checkedFor.isZero()
                ? Optional.empty()
                : Optional.of("checked for " + Math.max(1, checkedFor.toSeconds())
                        + " s that no order of an earlier run leaves a host");
    }

    /** Collects what a report says. Not thread-safe. */
    public static final class Builder {
        private final String mesh;
        private List<String> removed = List.of();
        private final Map<String, List<String>> leftovers = new TreeMap<>();
        private Duration checkedFor = Duration.ZERO;

        private Builder(String mesh) {
            this.mesh = Objects.requireNonNull(mesh, "mesh");
        }

        /**
         * Says which hosts were removed, instead of what was said before.
         *
         * @param names the hosts' names
         * @return this builder
         */
        public Builder removed(List<String> names) {
            this.removed = List.copyOf(names);
            return this;
        }

        /**
         * Says what was left on a host.
         *
         * @param host the host's name
         * @param things what was left, each in a line; what a terminal might obey is replaced
         * @return this builder
         */
        public Builder leftovers(String host, List<String> things) {
            leftovers.put(host, things.stream().map(Names::printable).toList());
            return this;
        }

        /**
         * Says how long the cloud was checked for hosts of an earlier run's order, instead of what was said before.
         *
         * @param time zero or longer
         * @return this builder
         */
        public Builder checkedFor(Duration time) {
            this.checkedFor = Objects.requireNonNull(time, "time");
            return this;
        }

        /**
         * Ends the description.
         *
         * @return the report
         */
        public DestroyReport build() {
            return new DestroyReport(this);
        }
    }
}
