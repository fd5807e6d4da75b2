package dev.promguard.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * What a run that was killed, or a host that lost its power, left behind: temporary files, and the files and units of a rollback that
 * has nothing to put back any more. Such a unit could fail, or run while a later run waits for its confirmation.
 */
public final class Leftovers implements Resource {
    static final Leftovers RESOURCE = new Leftovers();
    /** What is asked of a host about them. */
    public static final ResourceFacts<LeftoversFact> FACTS =
            ResourceFacts.of("leftovers", LeftoversFact.class, LeftoversFact.NONE, Reader::new);

    private static final Pattern PATH = Pattern.compile("(/[A-Za-z0-9_@.+-]{1,255}){1,16}");
    private static final Pattern UNIT = Pattern.compile("promguard-rollback(-boot)?\\.(timer|service)");
    private static final Pattern STATE = Pattern.compile("[a-z]{1,20}");
    /** A host sends at most this many of each. */
    private static final int MOST = 100;

    private static final int SHOWN = 3;

    private Leftovers() {}

    /**
     * What is left.
     *
     * @param paths the files and folders
     * @param units the state of each unit, such as {@code failed}, by the unit's name
     */
    public record LeftoversFact(List<String> paths, Map<String, String> units) {
        /** Nothing. */
        public static final LeftoversFact NONE = new LeftoversFact(List.of(), Map.of());

        /**
         * Copies the collections.
         *
         * @throws NullPointerException if something is null
         */
        public LeftoversFact {
            paths = List.copyOf(new TreeSet<>(paths));
            units = Map.copyOf(units);
        }

        /** The units with their states, then the paths. */
        private List<String> inWords() {
            List<String> words = new ArrayList<>();
            new TreeMap<>(units).forEach((unit, state) -> words.add(unit + " (" + state + ")"));
            words.addAll(paths);
            return words;
        }
    }

    /** Reads a line for each. */
    private static final class Reader implements ResourceFacts.Reader<LeftoversFact> {
        private final List<String> paths = new ArrayList<>();
        private final Map<String, String> units = new TreeMap<>();

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            if (paths.size() >= MOST) {
                throw new MalformedFactsException("more than " + MOST + " facts about", FACTS.id());
            }
            switch (line.kind()) {
                case "path" -> paths.add(line.fields(1).field(1, PATH));
                case "unit" -> units.put(line.fields(2).field(1, UNIT), line.field(2, STATE));
                default -> throw line.unknown();
            }
        }

        @Override
        public LeftoversFact facts() {
            return new LeftoversFact(paths, units);
        }
    }

    /**
     * Removes all of it.
     *
     * @param found what was found; the change removes what it finds then
     */
    public record Remove(LeftoversFact found) implements Change {
        @Override
        public Resource resource() {
            return RESOURCE;
        }

        @Override
        public Action action() {
            return Action.REMOVE;
        }

        @Override
        public String subject() {
            return "earlier runs";
        }

        @Override
        public String describe() {
            return "remove what an earlier run left: " + shown();
        }

        private String shown() {
            List<String> words = found.inWords();
            return words.size() <= SHOWN
                    ? String.join(", ", words)
                    : String.join(", ", words.subList(0, SHOWN)) + " and " + (words.size() - SHOWN) + " more";
        }

        @Override
        public ShellCall call(NewKeys keys) {
            return ShellCall.of("apply_leftovers");
        }
    }

    @Override
    public String id() {
        return FACTS.id();
    }

    @Override
    public String shellFile() {
        return "leftovers.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        query.resource(FACTS);
    }

    /** Comes first: what is armed later is a rollback of this run. */
    static void remove(Comparison comparison) {
        LeftoversFact found = comparison.facts().of(FACTS);
        if (!found.equals(LeftoversFact.NONE)) {
            comparison.add(new Remove(found));
        }
    }

    @Override
    public boolean isDrift(Change change, Drift drift) {
        return true;
    }

    @Override
    public List<ExplainedChange> explain(Change change, Explanation explanation) {
        Remove remove = (Remove) change;
        return List.of(explanation
                .explained(change, "left by an earlier run: " + remove.shown(), "remove")
                .between(remove.shown(), ExplainedChange.ABSENT));
    }
}
