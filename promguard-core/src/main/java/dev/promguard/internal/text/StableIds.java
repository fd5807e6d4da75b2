package dev.promguard.internal.text;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The ids by which programs and tickets refer to steps, problems and checks. An id follows from what the thing is about, not from its
 * wording, so that two runs that see the same give it the same id. A pure function.
 */
public final class StableIds {
    private static final Pattern LIST = Pattern.compile(",\\s+");
    private static final Pattern SPACE = Pattern.compile("\\s+");
    private static final Set<String> OF_THE_WHOLE_SUBJECT = Set.of("CREATE", "UPDATE", "REMOVE");

    private StableIds() {}

    /**
     * Something that needs an id.
     *
     * @param id the id that it has where nothing else has the same
     * @param text what distinguishes it from others with the same id
     */
    public record Candidate(String id, String text) {}

    /**
     * Where things of the mesh as a whole belong, in the place of a host's name.
     *
     * @param mesh the mesh's name
     * @return such as {@code mesh:shop}; no host can have this name
     */
    public static String ofMesh(String mesh) {
        return "mesh:" + mesh;
    }

    /**
     * The step that creates or removes a host.
     *
     * @param host the host's name
     * @return such as {@code db-1/host}
     */
    public static String ofHost(String host) {
        return host + "/host";
    }

    /**
     * A step that changes something. Creating, updating and removing the same thing have one id.
     *
     * @param resource the kind of resource
     * @param action the name of what is done, such as {@code RESTART}
     * @param subject what it is done to
     * @return such as {@code file:/etc/hosts} or {@code unit:prometheus.service#restart}
     */
    public static String ofChange(String resource, String action, String subject) {
        return resource
                + ':'
                + inOneWord(subject)
                + (OF_THE_WHOLE_SUBJECT.contains(action) ? "" : '#' + action.toLowerCase(Locale.ROOT));
    }

    /**
     * A thing of a host or of the mesh.
     *
     * @param owner the host's name, or {@link #ofMesh}
     * @param kind the kind of thing, such as a code
     * @param subject what it is about; empty for the owner itself
     * @return such as {@code db-1/unit-runs:prometheus.service}
     */
    public static String of(String owner, String kind, String subject) {
        return owner + '/' + kind + (subject.isEmpty() ? "" : ':' + inOneWord(subject));
    }

    private static String inOneWord(String text) {
        return SPACE.matcher(LIST.matcher(text.strip()).replaceAll(",")).replaceAll("-");
    }

    /**
     * Makes ids unique. Where several things would have the same, each gets a suffix that follows from its text, so that it does not
     * depend on how many there are.
     *
     * @param candidates all things of a plan or report
     * @return an id for each, in the same order; all different
     */
    public static List<String> distinct(List<Candidate> candidates) {
        Map<String, Integer> times = new HashMap<>();
        candidates.forEach(each -> times.merge(each.id(), 1, Integer::sum));
        Set<String> taken = new HashSet<>();
        List<String> ids = new ArrayList<>(candidates.size());
        for (Candidate each : candidates) {
            String id = times.getOrDefault(each.id(), 1) == 1
                    ? each.id()
                    : String.format(
                            Locale.ROOT, "%s~%08x", each.id(), each.text().hashCode());
            String unique = id;
            for (int number = 2; !taken.add(unique); number++) {
                unique = id + '.' + number;
            }
            ids.add(unique);
        }
        return List.copyOf(ids);
    }
}
