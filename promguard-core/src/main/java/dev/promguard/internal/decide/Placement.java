package dev.promguard.internal.decide;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.host.Change;
import dev.promguard.host.ExplainedChange;
import dev.promguard.internal.observe.Roster;
import dev.promguard.spi.CloudHost;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How a host of a cloud differs from its spec in what no apply changes: its size, which takes a resize, and its region and image, which
 * take a new host. Pure.
 */
public final class Placement {
    /** The stable name of the kind of resource that a host's size is. */
    public static final String SIZE = "host-size";

    /** The stable name of the kind of resource that a host's region is. */
    public static final String REGION = "host-region";

    /** The stable name of the kind of resource that a host's image is. */
    public static final String IMAGE = "host-image";

    private static final Set<String> RESOURCES = Set.of(SIZE, REGION, IMAGE);
    private static final String RESIZE = "resize(\"%s\")";
    private static final String REPLACE = "replace(\"%s\")";

    private Placement() {}

    /**
     * The differences of a host.
     *
     * @param roster the hosts
     * @param name the name of a host of the spec
     * @return a change for each, which says what it takes; empty if it does not exist, or was there before the mesh
     */
    public static List<ExplainedChange> differences(Roster roster, String name) {
        CloudHost host = roster.present().get(name);
        Optional<HostSpec> wanted = roster.blueprint().spec().hosts().stream()
                .filter(spec -> spec.name().equals(name))
                .findFirst();
        if (host == null || wanted.isEmpty() || roster.inventory().isPresent()) {
            return List.of();
        }
        HostSpec spec = wanted.get();
        List<ExplainedChange> differences = new ArrayList<>();
        compare("size", host.size(), spec.size(), RESIZE.formatted(name), differences);
        compare("region", host.region(), spec.region(), REPLACE.formatted(name), differences);
        host.image()
                .filter(image -> image.differsFrom(spec.image()))
                .ifPresent(image ->
                        compare("image", image.toString(), spec.image(), REPLACE.formatted(name), differences));
        return List.copyOf(differences);
    }

    /**
     * Those of some changes that are such differences.
     *
     * @param changes the changes of a host
     * @return maybe none
     */
    public static List<ExplainedChange> among(List<ExplainedChange> changes) {
        return changes.stream()
                .filter(change -> RESOURCES.contains(change.resource()))
                .toList();
    }

    private static void compare(String what, String is, String wanted, String verb, List<ExplainedChange> differences) {
        if (!is.isBlank() && !is.equals(wanted)) {
            differences.add(ExplainedChange.of(
                            "host-" + what,
                            Change.Action.UPDATE,
                            what,
                            false,
                            what + " " + is + " → " + wanted + ": takes " + verb + ", apply leaves it")
                    .between(is, wanted));
        }
    }

    /**
     * The failure of an apply that has left a host as different from its spec as it was.
     *
     * @param name the host's name
     * @param differences at least one difference
     * @return the failure
     */
    public static HostException failure(String name, List<ExplainedChange> differences) {
        return HostException.of(ErrorCode.HOST_DIFFERS, name, "", "compare with the spec")
                .because(
                        "it is not what the spec says: "
                                + String.join(
                                        ", ",
                                        differences.stream()
                                                .map(one -> one.subject() + " "
                                                        + one.before().orElse("") + " → "
                                                        + one.after().orElse(""))
                                                .toList()),
                        remedy(name, differences));
    }

    /**
     * What to do about differences.
     *
     * @param name the host's name
     * @param differences at least one difference
     * @return a sentence
     */
    public static String remedy(String name, List<ExplainedChange> differences) {
        boolean resizable = differences.stream().allMatch(one -> one.subject().equals("size"));
        return "Call "
                + (resizable
                        ? RESIZE.formatted(name) + ", which powers it off meanwhile"
                        : REPLACE.formatted(name) + ", which deletes it with its data and creates it anew")
                + ", or put back in the spec what it is.";
    }
}
