package dev.promguard;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.internal.text.StableIds;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Every check of a mesh, with its method and what was observed. {@link #toString()} is for a terminal, {@link #toMarkdown()} for
 * a document to pass on. Immutable and thread-safe.
 */
public final class VerifyReport {
    private static final int SHORTEST_MARKDOWN = 2_000;

    private final String mesh;
    private final Instant checkedAt;
    private final String version;
    private final Optional<String> origin;
    private final Optional<Blueprint> blueprint;
    private final List<HostHealth> hosts;
    private final List<Check> checks;

    private VerifyReport(Builder builder) {
        mesh = builder.mesh;
        checkedAt = builder.checkedAt;
        version = builder.version;
        origin = builder.origin;
        blueprint = builder.blueprint;
        hosts = List.copyOf(builder.hosts);
        checks = identified(builder.mesh, builder.checks);
    }

    private static List<Check> identified(String mesh, List<Check> checks) {
        List<String> references = StableIds.distinct(checks.stream()
                .map(check -> new StableIds.Candidate(
                        StableIds.of(
                                check.host.isEmpty() ? StableIds.ofMesh(mesh) : check.host, check.id(), check.subject),
                        check.description))
                .toList());
        return IntStream.range(0, checks.size())
                .mapToObj(i -> new Check(checks.get(i), references.get(i)))
                .toList();
    }

    /**
     * Starts a report. For PromGuard's own use, and for tests of programs that read reports.
     *
     * @param mesh the mesh's name
     * @param checkedAt when the checks began
     * @param version the version of PromGuard that made them
     * @return a builder without hosts and checks
     * @throws NullPointerException if an argument is null
     */
    public static Builder builder(String mesh, Instant checkedAt, String version) {
        return new Builder(mesh, checkedAt, version);
    }

    /** Collects a report. Not thread-safe. */
    public static final class Builder {
        private final String mesh;
        private final Instant checkedAt;
        private final String version;
        private Optional<String> origin = Optional.empty();
        private Optional<Blueprint> blueprint = Optional.empty();
        private final List<HostHealth> hosts = new ArrayList<>();
        private final List<Check> checks = new ArrayList<>();

        private Builder(String mesh, Instant checkedAt, String version) {
            this.mesh = Objects.requireNonNull(mesh, "mesh");
            this.checkedAt = Objects.requireNonNull(checkedAt, "checkedAt");
            this.version = Objects.requireNonNull(version, "version");
        }

        /**
         * Sets who made the checks, and where.
         *
         * @param who such as {@code anna@build-7 (Linux 6.1.0, amd64)}
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder origin(String who) {
            origin = Optional.of(Names.printable(who));
            return this;
        }

        /**
         * Sets what the checks are about.
         *
         * @param mesh the mesh as its spec describes it
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder blueprint(Blueprint mesh) {
            blueprint = Optional.of(mesh);
            return this;
        }

        /**
         * Adds a host.
         *
         * @param host how it is
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder addHost(HostHealth host) {
            hosts.add(Objects.requireNonNull(host, "host"));
            return this;
        }

        /**
         * Adds a check.
         *
         * @param check the check
         * @return this builder
         * @throws NullPointerException if it is null
         */
        public Builder addCheck(Check check) {
            checks.add(Objects.requireNonNull(check, "check"));
            return this;
        }

        /**
         * Ends the report.
         *
         * @return a report of what was added so far, in that order
         */
        public VerifyReport build() {
            return new VerifyReport(this);
        }
    }

    /** What came of a check. */
    public enum Verdict {
        /** It passed. */
        PASSED("passed"),
        /** It failed. */
        FAILED("FAILED"),
        /**
         * The check was required but could not be made, because the host, or the host from which it is made, could not be
         * observed. The report is then not {@link VerifyReport#ok()}.
         */
        UNCHECKED("could not be checked"),
        /** Informational: neither passed nor failed. */
        NOTE("note");

        private final String label;

        Verdict(String label) {
            this.label = label;
        }

        /**
         * The verdict as a person reads it.
         *
         * @return such as {@code passed}
         */
        public String label() {
            return label;
        }
    }

    /** One check. Immutable. */
    public static final class Check {
        private final String host;
        private final CheckKind kind;
        private final String subject;
        private final String description;
        private final String method;
        private final String observed;
        private final Verdict verdict;
        private final String remedy;
        private final String reference;

        private Check(Builder builder) {
            host = builder.host;
            kind = builder.kind;
            subject = builder.subject;
            description = builder.description;
            method = builder.method;
            observed = builder.observed;
            verdict = builder.verdict;
            remedy = builder.remedy;
            reference = StableIds.of(host, kind.id(), subject);
        }

        private Check(Check other, String reference) {
            host = other.host;
            kind = other.kind;
            subject = other.subject;
            description = other.description;
            method = other.method;
            observed = other.observed;
            verdict = other.verdict;
            remedy = other.remedy;
            this.reference = reference;
        }

        /**
         * Starts a check. For PromGuard's own use, and for tests of programs that read reports.
         *
         * @param host the name of the host that it is about; empty for the mesh as a whole
         * @param kind the kind of check
         * @param description what should be true of the host
         * @return a builder of a check that passed
         * @throws NullPointerException if an argument is null
         */
        public static Builder builder(String host, CheckKind kind, String description) {
            return new Builder(host, kind, description);
        }

        /** Collects a check. Not thread-safe. */
        public static final class Builder {
            private final String host;
            private final CheckKind kind;
            private final String description;
            private String subject = "";
            private String method = "";
            private String observed = "";
            private Verdict verdict = Verdict.PASSED;
            private String remedy = "";

            private Builder(String host, CheckKind kind, String description) {
                this.host = Objects.requireNonNull(host, "host");
                this.kind = Objects.requireNonNull(kind, "kind");
                this.description = Objects.requireNonNull(description, "description");
            }

            /**
             * Sets what of the host it is about, where the host has several checks of this kind.
             *
             * @param name such as the name of a unit, of a peer, or a port
             * @return this builder
             * @throws NullPointerException if it is null
             */
            public Builder subject(String name) {
                subject = Names.printable(name);
                return this;
            }

            /**
             * Sets how it was checked.
             *
             * @param text a command, a request or a few words
             * @return this builder
             * @throws NullPointerException if it is null
             */
            public Builder method(String text) {
                method = Objects.requireNonNull(text, "text");
                return this;
            }

            /**
             * Sets what was observed.
             *
             * @param text what it was; characters that a terminal might obey or hide are replaced
             * @return this builder
             * @throws NullPointerException if it is null
             */
            public Builder observed(String text) {
                observed = Names.printable(text);
                return this;
            }

            /**
             * Sets the result.
             *
             * @param value the verdict
             * @return this builder
             * @throws NullPointerException if it is null
             */
            public Builder verdict(Verdict value) {
                verdict = Objects.requireNonNull(value, "value");
                return this;
            }

            /**
             * Sets what to do about it.
             *
             * @param text a sentence or two
             * @return this builder
             * @throws NullPointerException if it is null
             */
            public Builder remedy(String text) {
                remedy = Objects.requireNonNull(text, "text");
                return this;
            }

            /**
             * Ends the check.
             *
             * @return the check
             */
            public Check build() {
                return new Check(this);
            }
        }

        /**
         * The host that the check is about.
         *
         * @return its name; empty for a check of the mesh as a whole
         */
        public String host() {
            return host;
        }

        /**
         * The kind of check.
         *
         * @return the kind; later versions may have others
         */
        public CheckKind kind() {
            return kind;
        }

        /**
         * The kind of check, for programs.
         *
         * @return the {@link CheckKind#id()} of the kind, such as {@code host-up-to-date}
         */
        public String id() {
            return kind.id();
        }

        /**
         * What of the host it is about.
         *
         * @return such as the name of a unit, of a peer, or a port; empty if it is about the host as a whole
         */
        public String subject() {
            return subject;
        }

        /**
         * The id of this very check, by which a program or a ticket can refer to it; {@link #id()} is only that of its kind. It is unique in
         * a report, and the same in every report of the mesh: {@code HOST/KIND} or {@code HOST/KIND:SUBJECT}, with {@code mesh:NAME}
         * in place of the host for the mesh as a whole.
         *
         * @return such as {@code db-1/unit-runs:node_exporter.service}
         */
        public String reference() {
            return reference;
        }

        /**
         * What should be true of the host, for people.
         *
         * @return such as {@code port 9100 is closed to the outside}
         */
        public String description() {
            return description;
        }

        /**
         * How it was checked.
         *
         * @return a command, a request or a few words
         */
        public String method() {
            return method;
        }

        /**
         * What was observed; for a check that could not be made, why.
         *
         * @return printable text, which may quote the host
         */
        public String observed() {
            return observed;
        }

        /**
         * What came of it.
         *
         * @return the verdict
         */
        public Verdict verdict() {
            return verdict;
        }

        /**
         * What to do about it.
         *
         * @return empty if it passed
         */
        public String remedy() {
            return remedy;
        }

        /**
         * Whether the check passed.
         *
         * @return true if so; false also for a note, and if the check could not be made
         */
        public boolean passed() {
            return verdict == Verdict.PASSED;
        }

        /**
         * The check in a line.
         *
         * @return such as {@code passed shop-node-1: exists (there)}
         */
        @Override
        public String toString() {
            return verdict.label() + ' ' + (host.isEmpty() ? "mesh" : host) + ": " + description + " (" + observed
                    + ')';
        }
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
     * When the checks began, by the clock of the machine that made them.
     *
     * @return the time
     */
    public Instant checkedAt() {
        return checkedAt;
    }

    /**
     * The version of PromGuard that made the checks.
     *
     * @return the version, or a few words where it is not known
     */
    public String version() {
        return version;
    }

    /**
     * Who made the checks, and on which machine. Ports were probed from there.
     *
     * @return such as {@code anna@build-7 (Linux 6.1.0, amd64)}; empty where that is not known
     */
    public Optional<String> origin() {
        return origin;
    }

    /**
     * What the checks are about.
     *
     * @return the mesh as its spec describes it; empty for a report that was made without it
     */
    public Optional<Blueprint> blueprint() {
        return blueprint;
    }

    /**
     * How each host of the spec is.
     *
     * @return the hosts in the order of the blueprint
     */
    public List<HostHealth> hosts() {
        return hosts;
    }

    /**
     * Every check.
     *
     * @return the checks, those that passed among them
     */
    public List<Check> checks() {
        return checks;
    }

    /**
     * Whether every check that was due was made and passed.
     *
     * @return true if there are neither {@link #failures()} nor {@link #unchecked()}
     */
    public boolean ok() {
        return failures().isEmpty() && unchecked().isEmpty();
    }

    /**
     * The checks that failed.
     *
     * @return empty if none did; some checks may still be unchecked, see {@link #ok()}
     */
    public List<Check> failures() {
        return with(Verdict.FAILED);
    }

    /**
     * The checks that were due and could not be made, such as those of a host that does not answer.
     *
     * @return empty if all could be made
     */
    public List<Check> unchecked() {
        return with(Verdict.UNCHECKED);
    }

    /**
     * Information that neither passed nor failed, such as firewall rules that somebody else wrote.
     *
     * @return the notes; empty if there are none
     */
    public List<Check> notes() {
        return with(Verdict.NOTE);
    }

    private List<Check> with(Verdict verdict) {
        return checks.stream().filter(check -> check.verdict() == verdict).toList();
    }

    /**
     * Insists that every check was made and passed.
     *
     * @return this report
     * @throws VerifyException if the report is not {@link #ok()}; its message lists what failed and what could not be checked
     */
    public VerifyReport orThrow() {
        if (!ok()) {
            throw new VerifyException(this);
        }
        return this;
    }

    /**
     * The hosts as a table: host, region, public address, WireGuard address, last handshake, target health.
     *
     * @return a line of headings and one for each host, without a line end at the end
     */
    public String table() {
        return new VerifyText(this).table();
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
     * The report as a person reads it: the hosts, how many checks passed, and each that did not with what to do.
     *
     * @return the text, without a line end at the end
     */
    @Override
    public String toString() {
        return table() + "\n\n" + new VerifyText(this).summary();
    }

    /**
     * The mesh as a picture with each host and tunnel in the colour of its checks.
     *
     * @return an SVG document, ending in a line end
     * @throws InvalidSettingException if the report has no {@link #blueprint()}
     */
    public String toSvg() {
        return drawn().toSvg(VerifyOverlay.of(this, drawn()));
    }

    /**
     * The mesh as a Mermaid flowchart with each host in the colour of its checks.
     *
     * @return the source of the flowchart, ending in a line end
     * @throws InvalidSettingException if the report has no {@link #blueprint()}
     */
    public String toMermaid() {
        return drawn().toMermaid(VerifyOverlay.of(this, drawn()));
    }

    private Blueprint drawn() {
        return blueprint.orElseThrow(() -> new InvalidSettingException(
                "this report has no blueprint to draw: give it one with blueprint(…) of its builder"));
    }

    /**
     * The whole report for a reader who did not see the run: who checked what, when, from where and by what, the hash of the spec, what fails with
     * what to do, the versions on each host, and every check with its method and what was observed. It also reads well as plain
     * text. Texts of the hosts' stay text, and long ones are cut.
     *
     * @return a Markdown document (CommonMark with tables), ending in a line end
     */
    public String toMarkdown() {
        return toMarkdown(Integer.MAX_VALUE);
    }

    /**
     * The report in bounded length, such as 65,000 for a comment on GitHub, which takes 65,536 characters. What passed is left out first, and
     * the document says what was left out.
     *
     * @param mostCharacters how many characters it may have, at least 2,000
     * @return a Markdown document as {@link #toMarkdown()}
     * @throws InvalidSettingException if the number is less than 2,000
     */
    public String toMarkdown(int mostCharacters) {
        if (mostCharacters < SHORTEST_MARKDOWN) {
            throw new InvalidSettingException(
                    "mostCharacters " + mostCharacters + " is less than " + SHORTEST_MARKDOWN);
        }
        return new VerifyMarkdown(this).text(mostCharacters);
    }
}
