package dev.promguard;

import dev.promguard.blueprint.Names;
import dev.promguard.keys.HostKeyFingerprint;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/** What a recovery found, and what it wrote, or would write. Immutable. */
public final class RecoverReport {
    private final String mesh;
    private final String state;
    private final List<RecoveredHost> hosts;
    private final Map<String, String> missing;
    private final List<MeshProblem> problems;
    private final List<String> notes;
    private final Optional<Plan> next;
    private final boolean newLoginKey;
    private final List<String> admitting;
    private final boolean replaces;
    private final List<String> copies;
    private final boolean written;
    private final RecoverBuilder how;

    private RecoverReport(Builder builder) {
        this.mesh = builder.mesh;
        this.state = builder.state;
        this.hosts = List.copyOf(builder.hosts);
        this.missing = Collections.unmodifiableMap(new TreeMap<>(builder.missing));
        this.problems = new PlanIds(builder.mesh, builder.problems, List.of(), List.of()).problems(builder.problems);
        this.notes = List.copyOf(builder.notes);
        this.next = builder.next;
        this.newLoginKey = builder.newLoginKey;
        this.admitting = List.copyOf(builder.admitting);
        this.replaces = builder.replaces;
        this.copies = List.copyOf(builder.copies);
        this.written = builder.written;
        this.how = builder.how;
    }

    /**
     * A host of the mesh.
     *
     * @param name its name in the mesh
     * @param id the provider's id for it
     * @param address its address inside the tunnels
     * @param publicAddress its public address
     * @param hostKey the SSH host key that it proved, and that is pinned
     * @param hostKeyBy by what that key is known, in words, such as {@code trusted on first use}
     */
    public record RecoveredHost(
            String name,
            String id,
            String address,
            String publicAddress,
            HostKeyFingerprint hostKey,
            String hostKeyBy) {
        /**
         * Checks that all are there.
         *
         * @throws NullPointerException if one is null
         */
        public RecoveredHost {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(id, "id");
            Objects.requireNonNull(address, "address");
            Objects.requireNonNull(publicAddress, "publicAddress");
            Objects.requireNonNull(hostKey, "hostKey");
            Objects.requireNonNull(hostKeyBy, "hostKeyBy");
        }
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
     * Where the state is.
     *
     * @return such as a folder's path
     */
    public String state() {
        return state;
    }

    /**
     * The hosts that the state knows.
     *
     * @return the hosts, by name
     */
    public List<RecoveredHost> hosts() {
        return hosts;
    }

    /**
     * The hosts of the spec that were not found, or left out. An apply creates those that do not exist.
     *
     * @return the address inside the tunnels that is kept for each, by name; an empty text where nobody knows it
     */
    public Map<String, String> missing() {
        return missing;
    }

    /**
     * What keeps the state from being written.
     *
     * @return the problems, in the plan of a recovery alone; empty if there is none
     */
    public List<MeshProblem> problems() {
        return problems;
    }

    /**
     * What else a person should know.
     *
     * @return the notes, each in a line
     */
    public List<String> notes() {
        return notes;
    }

    /**
     * What an apply would do with the state, if nothing changes until then.
     *
     * @return the plan; empty if there are problems
     */
    public Optional<Plan> next() {
        return next;
    }

    /**
     * Whether the mesh gets a new SSH login key, since the old one is lost.
     *
     * @return true if so
     */
    public boolean newLoginKey() {
        return newLoginKey;
    }

    /**
     * The hosts on which the mesh's login key is admitted that did not admit it.
     *
     * @return their names, sorted
     */
    public List<String> admitting() {
        return admitting;
    }

    /**
     * The copies that were kept of a state that was replaced.
     *
     * @return the names of the documents; empty if none was replaced
     */
    public List<String> copies() {
        return copies;
    }

    /**
     * Whether the state was written.
     *
     * @return false for the plan of a recovery
     */
    public boolean written() {
        return written;
    }

    RecoverBuilder how() {
        return how;
    }

    /** Whether the same was found as in another report. */
    boolean finds(RecoverReport other) {
        return mesh.equals(other.mesh)
                && hosts.equals(other.hosts)
                && missing.equals(other.missing)
                && newLoginKey == other.newLoginKey
                && admitting.equals(other.admitting)
                && replaces == other.replaces;
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
     * @return lines, without a line end
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("mesh ").append(mesh).append(": ");
        if (!problems.isEmpty()) {
            text.append("its state cannot be recovered yet");
        } else {
            text.append(written ? "recovered the state, with " : "a recovery would write the state, with ")
                    .append(Names.counted(hosts.size(), "host"));
        }
        text.append("\n  state: ").append(state);
        hosts.forEach(host -> text.append("\n  ")
                .append(host.name())
                .append("  ")
                .append(host.address())
                .append("  id ")
                .append(host.id())
                .append("\n    host key ")
                .append(host.hostKey())
                .append("\n    ")
                .append(host.hostKeyBy()));
        missing.forEach((name, address) -> text.append("\n  not found: ")
                .append(name)
                .append(address.isEmpty() ? "" : ", whose address " + address + " is kept"));
        if (newLoginKey) {
            text.append("\n  the login key is lost: ")
                    .append(written ? "made" : "makes")
                    .append(" a new one");
        }
        if (!admitting.isEmpty()) {
            text.append("\n  ")
                    .append(written ? "admitted" : "admits")
                    .append(" the login key on ")
                    .append(String.join(", ", admitting));
        }
        if (replaces) {
            text.append(
                    written ? "\n  replaced a state; copies: " + String.join(", ", copies) : "\n  replaces a state");
        }
        notes.forEach(note -> text.append("\n  note: ").append(note));
        problems.forEach(problem -> text.append("\n  ! ").append(problem));
        next.ifPresent(plan ->
                text.append("\n  next apply: ").append(plan.isEmpty() ? "nothing to do" : "not empty, see plan()"));
        return text.toString();
    }

    /** Collects what a report says. Not thread-safe. */
    public static final class Builder {
        private final String mesh;
        private String state = "";
        private final List<RecoveredHost> hosts = new ArrayList<>();
        private Map<String, String> missing = Map.of();
        private List<MeshProblem> problems = List.of();
        private List<String> notes = List.of();
        private Optional<Plan> next = Optional.empty();
        private boolean newLoginKey;
        private List<String> admitting = List.of();
        private boolean replaces;
        private List<String> copies = List.of();
        private boolean written;
        private RecoverBuilder how = RecoverBuilder.of(settings -> {});

        private Builder(String mesh) {
            this.mesh = Objects.requireNonNull(mesh, "mesh");
        }

        Builder how(RecoverBuilder settings) {
            this.how = settings;
            return this;
        }

        /**
         * Says where the state is.
         *
         * @param location such as a folder's path
         * @return this builder
         */
        public Builder state(String location) {
            this.state = Objects.requireNonNull(location, "location");
            return this;
        }

        /**
         * Adds a host that was found.
         *
         * @param host the host
         * @return this builder
         */
        public Builder addHost(RecoveredHost host) {
            hosts.add(Objects.requireNonNull(host, "host"));
            return this;
        }

        /**
         * Says which hosts of the spec were not found, instead of what was said before.
         *
         * @param addresses the address that is kept for each, by name; an empty text for none
         * @return this builder
         */
        public Builder missing(Map<String, String> addresses) {
            this.missing = Map.copyOf(addresses);
            return this;
        }

        /**
         * Says what keeps the state from being written, instead of what was said before.
         *
         * @param all the problems
         * @return this builder
         */
        public Builder problems(List<MeshProblem> all) {
            this.problems = List.copyOf(all);
            return this;
        }

        /**
         * Says what else a person should know, instead of what was said before.
         *
         * @param all the notes
         * @return this builder
         */
        public Builder notes(List<String> all) {
            this.notes = List.copyOf(all);
            return this;
        }

        /**
         * Says what an apply would do next.
         *
         * @param plan the plan
         * @return this builder
         */
        public Builder next(Plan plan) {
            this.next = Optional.of(plan);
            return this;
        }

        /**
         * Says whether there is a new login key. There is none by default.
         *
         * @param made true if there is
         * @return this builder
         */
        public Builder newLoginKey(boolean made) {
            this.newLoginKey = made;
            return this;
        }

        /**
         * Says on which hosts the login key was admitted, instead of what was said before.
         *
         * @param names the hosts' names
         * @return this builder
         */
        public Builder admitting(List<String> names) {
            this.admitting = List.copyOf(names);
            return this;
        }

        /**
         * Says whether a state was there. There was none by default.
         *
         * @param was true if there was
         * @param names the names of the copies that were kept of it
         * @return this builder
         */
        public Builder replaces(boolean was, List<String> names) {
            this.replaces = was;
            this.copies = List.copyOf(names);
            return this;
        }

        /**
         * Says whether the state was written. It was not by default.
         *
         * @param was true if it was
         * @return this builder
         */
        public Builder written(boolean was) {
            this.written = was;
            return this;
        }

        /**
         * Ends the description.
         *
         * @return the report
         */
        public RecoverReport build() {
            return new RecoverReport(this);
        }
    }
}
