package dev.promguard;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.internal.text.StableIds;
import dev.promguard.spi.Price;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a verb would do; planning changes nothing. {@link #toString()} is for people. Two plans are equal if all their parts are,
 * which is how a verb recognizes that a plan is still up to date. Immutable. The class is long because its entries and builders
 * are nested types of the public API; {@code PlanText} holds its text views.
 */
public final class Plan {
    private final Operation operation;
    private final Blueprint blueprint;
    private final List<String> only;
    private final List<MeshProblem> meshProblems;
    private final List<PlannedChange> cloud;
    private final List<Entry> entries;

    private Plan(Builder builder) {
        this.operation = builder.operation;
        this.blueprint = builder.blueprint;
        this.only = List.copyOf(builder.only);
        PlanIds ids = new PlanIds(blueprint.mesh(), builder.problems, builder.cloud, builder.entries);
        this.meshProblems = ids.problems(builder.problems);
        this.cloud = ids.changes(builder.cloud);
        this.entries = ids.entries(builder.entries);
    }

    /** What a plan is of. More may be added. */
    public enum Operation {
        /** {@link Mesh#apply()}. */
        APPLY,
        /** {@link Mesh#rotateKeys()}. */
        ROTATE_KEYS,
        /** {@link Mesh#destroy()}. */
        DESTROY
    }

    /** What would happen to a host. */
    public enum Kind {
        /** It would be created. */
        CREATE("+"),
        /** It would be changed, or it has problems that prevent the change. */
        CHANGE("~"),
        /** It is up to date. */
        KEEP("="),
        /** It would be removed: it is deleted if PromGuard created it; otherwise PromGuard is uninstalled from it. */
        REMOVE("-"),
        /** It could not be observed, so it is not known what would happen to it; its problems say why. */
        UNKNOWN("?");

        private final String symbol;

        Kind(String symbol) {
            this.symbol = symbol;
        }

        String symbol() {
            return symbol;
        }
    }

    /**
     * Starts a plan. For PromGuard's own use, and for tests of programs that embed it.
     *
     * @param operation what it is a plan of
     * @param blueprint the mesh as it would be
     * @return a builder
     * @throws NullPointerException if one is null
     */
    public static Builder builder(Operation operation, Blueprint blueprint) {
        return new Builder(operation, blueprint);
    }

    /**
     * The verb that this is a plan of, and that carries it out.
     *
     * @return the operation
     */
    public Operation operation() {
        return operation;
    }

    /**
     * The mesh as the spec describes it, with the addresses that hosts hold.
     *
     * @return the blueprint, also of a mesh that is to be destroyed
     */
    public Blueprint blueprint() {
        return blueprint;
    }

    /**
     * The hosts that the plan is limited to.
     *
     * @return their names, in the order of the blueprint; empty if it is about all
     */
    public List<String> only() {
        return only;
    }

    /**
     * All problems: first those of the mesh as a whole, then those of each host.
     *
     * @return the problems, those of the {@link #entries()} among them; empty if there are none
     */
    public List<MeshProblem> problems() {
        return Stream.concat(meshProblems.stream(), entries.stream().flatMap(entry -> entry.problems().stream()))
                .toList();
    }

    List<MeshProblem> meshProblems() {
        return meshProblems;
    }

    /**
     * What would be changed in the cloud apart from hosts, such as the rules of its firewall.
     *
     * @return the changes; empty if there are none
     */
    public List<PlannedChange> cloud() {
        return cloud;
    }

    /**
     * The steps that carrying out the plan takes: each change, and for each host that is created or removed as a whole, that. The
     * {@link MeshEvent}s of the run report these.
     *
     * @return the steps' ids in order, those of {@link PlannedChange#id()} and {@link Entry#id()}; all different
     */
    public List<String> stepIds() {
        List<String> ids = new ArrayList<>();
        cloud.forEach(change -> ids.add(change.id()));
        for (Entry entry : entries) {
            boolean whole = entry.kind() == Kind.CREATE || entry.kind() == Kind.REMOVE;
            if (whole && entry.changes().isEmpty()) {
                ids.add(entry.id());
            }
            entry.changes().forEach(change -> ids.add(change.id()));
        }
        return List.copyOf(ids);
    }

    /**
     * The hosts that the plan is about.
     *
     * @return those of the spec in the order of the blueprint, then those to remove
     */
    public List<Entry> entries() {
        return entries;
    }

    /**
     * Whether the verb would do nothing.
     *
     * @return true if every host and the cloud's part is as it should be, no host is to be created or removed, and there is no problem
     */
    public boolean isEmpty() {
        return problems().isEmpty() && cloud.isEmpty() && entries.stream().allMatch(entry -> entry.kind() == Kind.KEEP);
    }

    /**
     * Throws unless the verb would do nothing, so that a nightly job fails and says why.
     *
     * @throws PlanNotEmptyException if it would do something, or a host could not be read; its message is this plan
     */
    public void requireEmpty() {
        if (!isEmpty()) {
            throw new PlanNotEmptyException(this);
        }
    }

    /**
     * The changes made on the hosts since the last apply, which an apply would undo.
     *
     * @return the changes that are drift, in the order of the entries
     */
    public List<PlannedChange> drift() {
        return entries.stream()
                .flatMap(entry -> entry.changes().stream())
                .filter(PlannedChange::drift)
                .toList();
    }

    /**
     * What the hosts that the plan is about would cost afterwards: those to create and those that stay.
     *
     * @return the sum; empty if the price of one of them is not known
     */
    public Optional<Price> price() {
        return sum(entries.stream().filter(entry -> entry.kind() != Kind.REMOVE).toList());
    }

    /**
     * The total price of the hosts of one kind.
     *
     * @param kind what would happen to them
     * @return the sum, zero if there are none; empty if the price of one of them is not known
     */
    public Optional<Price> price(Kind kind) {
        return sum(entries.stream().filter(entry -> entry.kind() == kind).toList());
    }

    private static Optional<Price> sum(List<Entry> entries) {
        Price sum = Price.ZERO;
        for (Entry entry : entries) {
            if (entry.price().isEmpty()) {
                return Optional.empty();
            }
            sum = sum.plus(entry.price().get());
        }
        return Optional.of(sum);
    }

    /**
     * The plan as Markdown for a comment on a pull request: problems first, then a table of hosts, and the changes of each with the difference in each file. Stays below the 65,536 characters that GitHub takes, and says
     * what was left out for that. Whatever hosts and others wrote stays text: nothing in it becomes a link, a mention or HTML.
     *
     * @return a document (CommonMark with tables, and {@code <details>} for what is long), ending in a line end
     */
    public String toMarkdown() {
        return new PlanMarkdown(this).toString();
    }

    /**
     * The plan as a JSON document for programs, described by {@code docs/promguard-1.schema.json} in the source repository. Its
     * {@code formatVersion} changes only where a field is removed or gets another meaning; fields may be added. Holds no secret.
     *
     * @return the document, ending in a line end
     */
    public String toJson() {
        return new PlanJson(this).toString();
    }

    /**
     * A sum of all that the plan says, by which a plan can be recognized in another process: where a job that was started after a review makes
     * a plan with the reviewed digest, {@link Mesh#apply(Plan)} does what was reviewed. Plans with the same digest say the same
     * about specs with the same hash.
     *
     * @return {@code sha256:} and 64 hex digits, as {@code digest} of {@link #toJson()}
     */
    public String digest() {
        return new PlanJson(this).digest();
    }

    /**
     * The plan with every difference in the files: what {@link #toString()} says, and then for each file that would be changed on a
     * host the unified diff from what is there to what is desired. Secrets are masked, and what came from a host is escaped and
     * bounded in length.
     *
     * @return the text, without a line end at the end
     */
    public String details() {
        return new PlanText(this).details();
    }

    /**
     * The plan as a person reads it in ten seconds: a line for the mesh, one for each problem of the whole mesh, one for each change in
     * the cloud beside hosts, one for each host that something would happen to or there is a note on, with its problems and its
     * changes, those of the spec behind {@code ~} and drift behind {@code !}.
     *
     * @return the text, without a line end at the end
     */
    @Override
    public String toString() {
        return new PlanText(this).toString();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Plan that
                && operation == that.operation
                && blueprint.equals(that.blueprint)
                && only.equals(that.only)
                && meshProblems.equals(that.meshProblems)
                && cloud.equals(that.cloud)
                && entries.equals(that.entries);
    }

    @Override
    public int hashCode() {
        return Objects.hash(operation, blueprint, only, meshProblems, cloud, entries);
    }

    /** What would happen to one host. Equal to another by value. Immutable. */
    public static final class Entry {
        private final String id;
        private final Kind kind;
        private final String name;
        private final String region;
        private final String size;
        private final Optional<String> address;
        private final Optional<String> publicAddress;
        private final List<MeshProblem> problems;
        private final List<PlannedChange> changes;
        private final List<String> notes;
        private final Optional<Price> price;

        private Entry(Builder builder) {
            this.id = StableIds.ofHost(builder.name);
            this.kind = builder.kind;
            this.name = builder.name;
            this.region = builder.region;
            this.size = builder.size;
            this.address = builder.address;
            this.publicAddress = builder.publicAddress;
            this.problems = List.copyOf(builder.problems);
            this.changes = List.copyOf(builder.changes);
            this.notes = builder.notes.stream().map(Names::printable).toList();
            this.price = builder.price;
        }

        private Entry(Entry other, String id, List<MeshProblem> problems, List<PlannedChange> changes) {
            this.id = id;
            this.kind = other.kind;
            this.name = other.name;
            this.region = other.region;
            this.size = other.size;
            this.address = other.address;
            this.publicAddress = other.publicAddress;
            this.problems = problems;
            this.changes = changes;
            this.notes = other.notes;
            this.price = other.price;
        }

        /** The same with ids that are unique in a plan. */
        Entry identified(String unique, List<MeshProblem> identifiedProblems, List<PlannedChange> identifiedChanges) {
            return new Entry(this, unique, identifiedProblems, identifiedChanges);
        }

        /**
         * Starts an entry. For PromGuard's own use, and for tests of programs that embed it.
         *
         * @param kind what would happen to the host
         * @param name the host's name
         * @return a builder
         * @throws NullPointerException if one is null
         */
        public static Builder builder(Kind kind, String name) {
            return new Builder(kind, name);
        }

        /**
         * The id of the step that creates or removes the host as a whole, as {@link PlannedChange#id()} is that of a step on it. Hosts to which
         * nothing of that happens have one too.
         *
         * @return such as {@code db-1/host}, unique in the plan
         */
        public String id() {
            return id;
        }

        /**
         * What would happen, in a word.
         *
         * @return the kind
         */
        public Kind kind() {
            return kind;
        }

        /**
         * The host's name.
         *
         * @return its name in the mesh
         */
        public String name() {
            return name;
        }

        /**
         * Where it is or will be.
         *
         * @return the region, maybe an empty text
         */
        public String region() {
            return region;
        }

        /**
         * How large it is or will be.
         *
         * @return the provider's word for it, maybe an empty text
         */
        public String size() {
            return size;
        }

        /**
         * Its address inside the tunnels.
         *
         * @return the address; empty for a host to remove that never had one
         */
        public Optional<String> address() {
            return address;
        }

        /**
         * Its public address.
         *
         * @return the address; empty while it has none
         */
        public Optional<String> publicAddress() {
            return publicAddress;
        }

        /**
         * The problems of this host.
         *
         * @return the problems; empty if there are none
         */
        public List<MeshProblem> problems() {
            return problems;
        }

        /**
         * What would be changed on it.
         *
         * @return the changes in order; empty where there are problems
         */
        public List<PlannedChange> changes() {
            return changes;
        }

        /**
         * Further information, such as that the host was renamed in the cloud.
         *
         * @return the notes, each in a line; empty if there are none
         */
        public List<String> notes() {
            return notes;
        }

        /**
         * What it costs.
         *
         * @return the price; empty where that is not known
         */
        public Optional<Price> price() {
            return price;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Entry that
                    && kind == that.kind
                    && name.equals(that.name)
                    && region.equals(that.region)
                    && size.equals(that.size)
                    && address.equals(that.address)
                    && publicAddress.equals(that.publicAddress)
                    && problems.equals(that.problems)
                    && changes.equals(that.changes)
                    && notes.equals(that.notes)
                    && price.equals(that.price);
        }

        @Override
        public int hashCode() {
            return Objects.hash(kind, name, region, size, address, publicAddress, problems, changes, notes, price);
        }

        /**
         * The entry in a word.
         *
         * @return such as {@code ~ shop-node-1}
         */
        @Override
        public String toString() {
            return kind.symbol() + ' ' + name;
        }

        /** Collects what an entry says. Not thread-safe. */
        public static final class Builder {
            private final Kind kind;
            private final String name;
            private String region = "";
            private String size = "";
            private Optional<String> address = Optional.empty();
            private Optional<String> publicAddress = Optional.empty();
            private List<MeshProblem> problems = List.of();
            private List<PlannedChange> changes = List.of();
            private List<String> notes = List.of();
            private Optional<Price> price = Optional.empty();

            private Builder(Kind kind, String name) {
                this.kind = Objects.requireNonNull(kind, "kind");
                this.name = Objects.requireNonNull(name, "name");
            }

            /**
             * Says where the host is.
             *
             * @param where the region
             * @return this builder
             */
            public Builder region(String where) {
                this.region = Objects.requireNonNull(where, "where");
                return this;
            }

            /**
             * Says how large the host is.
             *
             * @param word the provider's word for its size
             * @return this builder
             */
            public Builder size(String word) {
                this.size = Objects.requireNonNull(word, "word");
                return this;
            }

            /**
             * Says its address inside the tunnels.
             *
             * @param inside the address
             * @return this builder
             */
            public Builder address(String inside) {
                this.address = Optional.of(inside);
                return this;
            }

            /**
             * Says its public address.
             *
             * @param outside the address
             * @return this builder
             */
            public Builder publicAddress(String outside) {
                this.publicAddress = Optional.of(outside);
                return this;
            }

            /**
             * Sets the problems of the host, in place of earlier ones.
             *
             * @param all the problems
             * @return this builder
             */
            public Builder problems(List<MeshProblem> all) {
                this.problems = List.copyOf(all);
                return this;
            }

            /**
             * Says what would be changed on it, instead of what was said before.
             *
             * @param all the changes in order
             * @return this builder
             */
            public Builder changes(List<PlannedChange> all) {
                this.changes = List.copyOf(all);
                return this;
            }

            /**
             * Says what else there is to know of it, instead of what was said before.
             *
             * @param all the notes, each in a line
             * @return this builder
             */
            public Builder notes(List<String> all) {
                this.notes = List.copyOf(all);
                return this;
            }

            /**
             * Says what it costs.
             *
             * @param known the price
             * @return this builder
             */
            public Builder price(Price known) {
                this.price = Optional.of(known);
                return this;
            }

            /**
             * Ends the description.
             *
             * @return the entry
             */
            public Entry build() {
                return new Entry(this);
            }
        }
    }

    /** Collects what a plan says. Not thread-safe. */
    public static final class Builder {
        private final Operation operation;
        private final Blueprint blueprint;
        private List<String> only = List.of();
        private List<MeshProblem> problems = List.of();
        private List<PlannedChange> cloud = List.of();
        private final List<Entry> entries = new ArrayList<>();

        private Builder(Operation operation, Blueprint blueprint) {
            this.operation = Objects.requireNonNull(operation, "operation");
            this.blueprint = Objects.requireNonNull(blueprint, "blueprint");
        }

        /**
         * Sets the hosts that the plan is limited to.
         *
         * @param names the hosts' names; empty for all
         * @return this builder
         */
        public Builder only(List<String> names) {
            this.only = List.copyOf(names);
            return this;
        }

        /**
         * Sets the problems of the mesh as a whole, in place of earlier ones. Problems of single hosts belong to their entries.
         *
         * @param all the problems
         * @return this builder
         */
        public Builder problems(List<MeshProblem> all) {
            this.problems = List.copyOf(all);
            return this;
        }

        /**
         * Says what would be changed in the cloud beside hosts, instead of what was said before.
         *
         * @param all the changes
         * @return this builder
         */
        public Builder cloud(List<PlannedChange> all) {
            this.cloud = List.copyOf(all);
            return this;
        }

        /**
         * Adds a host.
         *
         * @param entry what would happen to it
         * @return this builder
         */
        public Builder addEntry(Entry entry) {
            entries.add(Objects.requireNonNull(entry, "entry"));
            return this;
        }

        /**
         * Ends the description.
         *
         * @return the plan
         */
        public Plan build() {
            return new Plan(this);
        }
    }
}
