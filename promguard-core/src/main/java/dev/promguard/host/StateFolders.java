package dev.promguard.host;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The folders below {@code /var/lib} in which units keep their data. Systemd makes each, or gives all that is in one to the unit's user, and
 * the program takes what it finds there for its own: a folder with data of an owner's program, such as Debian's Prometheus, is in the way.
 */
public final class StateFolders implements Resource {
    static final StateFolders RESOURCE = new StateFolders();
    /** What is asked of a host about them. */
    public static final ResourceFacts<DataFact> FACTS =
            ResourceFacts.of("state-folders", DataFact.class, DataFact.NONE, Reader::new);

    private static final Pattern NAME = Pattern.compile("(?m)^StateDirectory=([A-Za-z0-9_-]+)$");
    private static final Pattern FOLDER = Pattern.compile("/var/lib/[A-Za-z0-9_-]{1,200}");

    private StateFolders() {}

    /**
     * Which of them hold something.
     *
     * @param used the paths of those that are there with anything in them
     */
    public record DataFact(Set<String> used) {
        /** None is there with anything in it. */
        public static final DataFact NONE = new DataFact(Set.of());

        /**
         * Copies the set.
         *
         * @throws NullPointerException if something is null
         */
        public DataFact {
            used = Set.copyOf(used);
        }
    }

    private static final class Reader implements ResourceFacts.Reader<DataFact> {
        private final Set<String> used = new TreeSet<>();

        @Override
        public void line(FactLine line) throws MalformedFactsException {
            if (!line.kind().equals("used")) {
                throw line.unknown();
            }
            used.add(line.fields(1).field(1, FOLDER));
        }

        @Override
        public DataFact facts() {
            return new DataFact(used);
        }
    }

    @Override
    public String id() {
        return FACTS.id();
    }

    @Override
    public String shellFile() {
        return "manifest.sh";
    }

    @Override
    public void ask(DesiredHost desired, FactsQuery.Builder query) {
        List<String> folders = List.copyOf(new TreeSet<>(folders(desired).values()));
        if (!folders.isEmpty()) {
            query.resource(FACTS, folders.toArray(String[]::new));
        }
    }

    /** The folder of each unit that has one, by the unit's name. */
    private static Map<String, String> folders(DesiredHost desired) {
        Map<String, String> folders = new TreeMap<>();
        for (ManagedFile file : desired.files()) {
            if (file.path().startsWith(ManagedFiles.UNIT_FOLDER)) {
                Matcher name = NAME.matcher(file.content());
                if (name.find()) {
                    folders.put(file.path().substring(ManagedFiles.UNIT_FOLDER.length()), "/var/lib/" + name.group(1));
                }
            }
        }
        return folders;
    }

    /**
     * Finds the folders with data of others.
     *
     * @param ours what the manifest of the host names
     */
    static List<HostProblem> problems(DesiredHost desired, HostFacts facts, Set<String> ours) {
        return folders(desired).entrySet().stream()
                .filter(folder -> !ours.contains("unit " + folder.getKey()))
                .filter(folder -> facts.of(FACTS).used().contains(folder.getValue()))
                .map(folder -> new HostProblem(
                        "it has data in " + folder.getValue() + " that PromGuard did not put there, where "
                                + folder.getKey() + " is to keep its own",
                        "Move it away (mv " + folder.getValue() + ' ' + folder.getValue()
                                + ".before), or remove it if nobody needs it, or leave the host out of the mesh."))
                .toList();
    }
}
