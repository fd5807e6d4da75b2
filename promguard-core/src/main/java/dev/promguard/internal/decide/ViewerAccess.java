package dev.promguard.internal.decide;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Role;
import dev.promguard.blueprint.ViewerSpec;
import dev.promguard.host.Change;
import dev.promguard.host.ExplainedChange;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostProblem;
import dev.promguard.internal.observe.Roster;
import dev.promguard.keys.PublicKey;
import dev.promguard.spi.MeshState.ViewerState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Whom a run lets in to Prometheus on a monitor, and whom no more. What carries that out are changes of other resources. Pure. */
public final class ViewerAccess {
    /** The stable name of the kind of resource that a viewer's access is. */
    public static final String VIEWER = "viewer";

    private static final String NO_ACCESS = "no access";
    private static final String ACCESS = "access to Prometheus";

    private ViewerAccess() {}

    /**
     * Those who were viewers and are none any more, by their keys.
     *
     * @param roster the hosts
     * @return who each is and why its access ends, in words
     */
    public static Map<PublicKey, String> former(Roster roster) {
        Map<PublicKey, String> former = new LinkedHashMap<>();
        roster.state()
                .viewers()
                .forEach((name, viewer) ->
                        former.put(viewer.publicKey(), name + ": the spec does not name it any more"));
        for (ViewerSpec viewer : roster.blueprint().spec().viewers()) {
            Optional.ofNullable(roster.state().viewers().get(viewer.name()))
                    .map(ViewerState::publicKey)
                    .filter(key -> !key.base64().equals(viewer.publicKey()))
                    .ifPresent(key -> former.put(key, viewer.name() + ": that is not its key any more"));
            viewer.until()
                    .ifPresent(end ->
                            former.put(new PublicKey(viewer.publicKey()), viewer.name() + ": it expired on " + end));
        }
        roster.blueprint().viewers().forEach(viewer -> former.remove(key(viewer)));
        return former;
    }

    /** What a run changes for viewers on a host. */
    static List<ExplainedChange> changes(Roster roster, Blueprint.Host host, HostFacts facts) {
        if (host.role() != Role.MONITOR) {
            return List.of();
        }
        Set<PublicKey> running = facts.wireGuard()
                .map(known -> known.peers().stream()
                        .map(HostFacts.PeerFact::publicKey)
                        .collect(Collectors.toSet()))
                .orElseGet(() -> roster.state().viewers().values().stream()
                        .map(ViewerState::publicKey)
                        .collect(Collectors.toSet()));
        List<ExplainedChange> changes = new ArrayList<>();
        former(roster).forEach((key, who) -> {
            if (facts.wireGuard().isPresent() && running.contains(key)) {
                changes.add(ExplainedChange.of(
                                VIEWER,
                                Change.Action.REMOVE,
                                who.substring(0, who.indexOf(':')),
                                false,
                                "shut out viewer " + who)
                        .between(ACCESS, NO_ACCESS));
            }
        });
        for (Blueprint.Viewer viewer : roster.blueprint().viewers()) {
            if (!running.contains(key(viewer))) {
                changes.add(ExplainedChange.of(
                                VIEWER,
                                Change.Action.CREATE,
                                viewer.name(),
                                false,
                                "let in viewer " + described(roster.blueprint(), viewer) + ", to Prometheus alone")
                        .between(NO_ACCESS, ACCESS));
            }
        }
        return changes;
    }

    /**
     * A viewer with its address and the end of its access, and that no alert announces this where that is so.
     *
     * @param blueprint the mesh
     * @param viewer one of its viewers
     * @return such as {@code anna-laptop (10.0.0.254, until 2027-01-01T00:00:00Z)}
     */
    public static String described(Blueprint blueprint, Blueprint.Viewer viewer) {
        String unannounced = blueprint.spec().prometheus().defaultRules() ? "" : ", which no alert announces";
        return viewer.name() + " (" + viewer.address()
                + viewer.spec()
                        .until()
                        .map(end -> ", until " + end + unannounced)
                        .orElse("") + ')';
    }

    /**
     * The viewers of the spec whose access has ended, so that a monitor does not let them in, but for those that are shut out now.
     *
     * @param blueprint the mesh at a time
     * @param host what is to happen to one of its hosts
     * @return a sentence for each; empty for a node
     */
    public static List<String> ended(Blueprint blueprint, HostDecision host) {
        Set<String> told = host.planned().stream()
                .filter(change -> change.resource().equals(VIEWER))
                .map(ExplainedChange::subject)
                .collect(Collectors.toSet());
        blueprint.viewers().forEach(viewer -> told.add(viewer.name()));
        return host.host().role() != Role.MONITOR
                ? List.of()
                : blueprint.spec().viewers().stream()
                        .filter(viewer -> !told.contains(viewer.name()))
                        .flatMap(
                                viewer -> viewer.until().stream()
                                        .map(
                                                end -> "viewer " + viewer.name() + " expired on " + end
                                                        + ", so it is not let in: give it another until(…), or leave it out of the spec"))
                        .toList();
    }

    /** The problem of viewers that have the key of a host. */
    static Optional<Problem> problem(Roster roster, Map<String, PublicKey> known) {
        Map<String, String> hosts = new HashMap<>();
        known.forEach((name, key) -> hosts.put(key.base64(), name));
        List<String> same = roster.blueprint().spec().viewers().stream()
                .filter(viewer -> hosts.containsKey(viewer.publicKey()))
                .map(viewer ->
                        "viewer " + viewer.name() + " has the WireGuard key of host " + hosts.get(viewer.publicKey()))
                .toList();
        return same.isEmpty()
                ? Optional.empty()
                : Optional.of(Problem.ofMesh(
                        Problem.Kind.VIEWER_KEY,
                        new HostProblem(
                                String.join(", ", same), "Generate a key pair for each viewer on its own machine.")));
    }

    private static PublicKey key(Blueprint.Viewer viewer) {
        return new PublicKey(viewer.spec().publicKey());
    }
}
