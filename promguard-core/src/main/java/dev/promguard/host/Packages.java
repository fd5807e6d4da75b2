package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Debian packages. They are installed, and never removed. */
public final class Packages implements Resource {
    static final Packages RESOURCE = new Packages();
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9+.-]{0,100}");

    private static final Pattern WITH_ARCHITECTURE = Pattern.compile("[a-z0-9][a-z0-9+.:-]{0,120}");

    private static final String INSTALLED = "installed";

    /** What is asked of a host about its dpkg. */
    public static final ResourceFacts<DpkgFact> FACTS =
            ResourceFacts.of("dpkg", DpkgFact.class, DpkgFact.FINISHED, Reader::new);

    private static final Pattern STATUS = Pattern.compile("half-installed|unpacked|half-configured");
    private static final Pattern ANY_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9+.:-]{0,120}");
    private static final int MOST_LINES = 2_000;
    private static final int MOST_NAMED = 8;

    /** What is asked of a host about packages that apt would remove. */
    public static final ResourceFacts<RemovalsFact> REMOVALS =
            ResourceFacts.of("package-removals", RemovalsFact.class, new RemovalsFact(Set.of()), RemovalsReader::new);

    private Packages() {}

    /**
     * What dpkg has begun and not finished, on a host that lacks a package: apt goes on with it when it installs one.
     *
     * @param unfinished dpkg's status by package, such as {@code half-configured}; empty also where nothing is to be installed
     * @param held the packages that are to be installed and that somebody put on hold
     * @param pinned the packages that are to be installed and of which apt's preferences rule out every version
     */
    public record DpkgFact(SortedMap<String, String> unfinished, List<String> held, List<String> pinned) {
        /** There is nothing to say. */
        public static final DpkgFact FINISHED = new DpkgFact(new TreeMap<>(), List.of(), List.of());

        /**
         * Copies the collections.
         *
         * @throws NullPointerException if one is null
         */
        public DpkgFact {
            unfinished = Collections.unmodifiableSortedMap(new TreeMap<>(unfinished));
            held = List.copyOf(held);
            pinned = List.copyOf(pinned);
        }
    }

    /** Reads a line for each package that is not finished, on hold or ruled out. */
    private static final class Reader implements ResourceFacts.Reader<DpkgFact> {
        private final SortedMap<String, String> unfinished = new TreeMap<>();
        private final List<String> held = new ArrayList<>();
        private final List<String> pinned = new ArrayList<>();

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            if (unfinished.size() + held.size() + pinned.size() >= MOST_LINES) {
                throw line.unknown();
            }
            switch (line.kind()) {
                case "held" -> held.add(line.fields(1).field(1, NAME));
                case "pinned" -> pinned.add(line.fields(1).field(1, NAME));
                case "unfinished" -> unfinished.put(line.fields(2).field(2, ANY_NAME), line.field(1, STATUS));
                default -> throw line.unknown();
            }
        }

        @Override
        public DpkgFact facts() {
            return new DpkgFact(unfinished, held, pinned);
        }
    }

    /**
     * What apt would remove from a host in order to install the packages that are missing.
     *
     * @param packages their names; empty if nothing would be removed, or apt cannot tell yet
     */
    public record RemovalsFact(Set<String> packages) {
        /**
         * Copies the set.
         *
         * @throws NullPointerException if it is null
         */
        public RemovalsFact {
            packages = Set.copyOf(packages);
        }
    }

    /** Reads a line for each package. */
    private static final class RemovalsReader implements ResourceFacts.Reader<RemovalsFact> {
        private final Set<String> packages = new HashSet<>();

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            if (!line.kind().equals("removes")) {
                throw line.unknown();
            }
            packages.add(line.fields(1).field(1, WITH_ARCHITECTURE));
        }

        @Override
        public RemovalsFact facts() {
            return new RemovalsFact(packages);
        }
    }

    /**
     * Finds packages that apt would remove.
     *
     * @param desired what the host should be
     * @param facts what it is
     * @return one problem that names them; empty if there are none
     */
    public static Optional<HostProblem> problem(DesiredHost desired, HostFacts facts) {
        Set<String> removed = new TreeSet<>(facts.of(REMOVALS).packages());
        String missing = desired.packages().stream()
                .filter(name -> !facts.packages().containsKey(name))
                .collect(Collectors.joining(", "));
        if (removed.isEmpty() || missing.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new HostProblem(
                "apt would remove " + String.join(", ", removed) + " to install " + missing,
                "PromGuard removes no package: have something else do what it does (for iptables-persistent: add its rules to ufw),"
                        + " then remove it yourself (apt-get remove " + String.join(" ", removed)
                        + "), or leave the host out of the mesh."));
    }

    /**
     * Finds packages that apt does not install, for somebody put them on hold or ruled them out.
     *
     * @param facts what the host is
     * @return one problem for each of the two reasons
     */
    public static List<HostProblem> refused(HostFacts facts) {
        return Stream.of(
                        onHold(facts.of(FACTS).held()), ruledOut(facts.of(FACTS).pinned()))
                .flatMap(Optional::stream)
                .toList();
    }

    private static Optional<HostProblem> ruledOut(List<String> pinned) {
        return pinned.isEmpty()
                ? Optional.empty()
                : Optional.of(new HostProblem(
                        "apt installs no version of " + String.join(", ", pinned)
                                + ", for its preferences rule all of them out (a priority below 0)",
                        "Take that out of /etc/apt/preferences or /etc/apt/preferences.d on the host (apt-cache policy "
                                + String.join(" ", pinned)
                                + " shows it), or install what is missing there yourself, then run apply again."));
    }

    private static Optional<HostProblem> onHold(List<String> held) {
        return held.isEmpty()
                ? Optional.empty()
                : Optional.of(new HostProblem(
                        "apt does not install " + String.join(", ", held) + ", for somebody put "
                                + (held.size() == 1 ? "it" : "them") + " on hold",
                        "Run apt-mark unhold " + String.join(" ", held)
                                + " on the host, or install what is missing there yourself, then run apply again."));
    }

    /**
     * Installs packages.
     *
     * @param packages their names
     */
    public record Install(List<String> packages) implements Change {
        /** Copies the list. */
        public Install {
            packages = List.copyOf(packages);
        }

        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.CREATE;
        }

        @Override
        public String subject() {
            return String.join(", ", packages);
        }

        @Override
        public String describe() {
            return "install " + String.join(", ", packages);
        }

        @Override
        public ShellCall call(NewKeys keys) {
            packages.forEach(name -> Forms.require(NAME, name, "package", "a Debian package's name"));
            return ShellCall.of("apply_packages", packages);
        }
    }

    @Override
    public String id() {
        return "package";
    }

    @Override
    public String shellFile() {
        return "packages.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.packages(desired.packages());
        query.resource(REMOVALS, desired.packages().toArray(String[]::new));
        query.resource(FACTS, desired.packages().toArray(String[]::new));
    }

    @Override
    public List<String> notes(HostFacts facts) {
        SortedMap<String, String> unfinished = facts.of(FACTS).unfinished();
        if (unfinished.isEmpty()) {
            return List.of();
        }
        String named = unfinished.entrySet().stream()
                .limit(MOST_NAMED)
                .map(entry -> entry.getKey() + " (" + entry.getValue() + ')')
                .collect(Collectors.joining(", "));
        int more = unfinished.size() - MOST_NAMED;
        return List.of("dpkg has not finished " + named + (more > 0 ? " and " + more + " more" : "")
                + ": apt goes on with that when it installs a package");
    }

    static void install(Comparison comparison) {
        List<String> missing = comparison.desired().packages().stream()
                .filter(name -> !comparison.facts().packages().containsKey(name))
                .toList();
        if (!missing.isEmpty()) {
            comparison.add(new Install(missing));
        }
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        return drift.left().packages().containsAll(((Install) change).packages());
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        List<String> packages = ((Install) change).packages();
        List<String> gone = packages.stream()
                .filter(explanation.left().packages()::contains)
                .toList();
        List<String> fresh =
                packages.stream().filter(name -> !gone.contains(name)).toList();
        List<ExplainedChange> explained = new ArrayList<>();
        if (!gone.isEmpty()) {
            explained.add(ExplainedChange.of(
                            new Install(gone),
                            true,
                            (gone.size() == 1 ? "package " : "packages ") + String.join(", ", gone)
                                    + (gone.size() == 1 ? " is" : " are") + " gone (drift)   → "
                                    + Explanation.PUT_BACK)
                    .between(ExplainedChange.ABSENT, INSTALLED));
        }
        if (!fresh.isEmpty()) {
            Install install = new Install(fresh);
            explained.add(
                    ExplainedChange.of(install, false, install.describe()).between(ExplainedChange.ABSENT, INSTALLED));
        }
        return explained;
    }

    @Override
    public LastApplied forget(Change change, LastApplied known) {
        return known.toBuilder().withoutPackages(((Install) change).packages()).build();
    }

    @Override
    public void note(DesiredHost desired, Architecture architecture, LastApplied.Builder left) {
        left.packages(desired.packages());
    }
}
