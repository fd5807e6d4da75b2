package dev.promguard.internal.decide;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.Change;
import dev.promguard.host.DesiredHost;
import dev.promguard.host.ExplainedChange;
import dev.promguard.host.ManagedFiles;
import dev.promguard.host.WireGuard;
import dev.promguard.internal.run.RunStep;
import dev.promguard.internal.text.StableIds;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What is to happen to one host of the spec.
 *
 * @param host the host
 * @param kind what, in a word
 * @param desired what it should be, with stand-ins for new keys; empty for one that was not read
 * @param changes the changes in order, with stand-ins for new keys
 * @param drift the changes that undo drift
 * @param planned the changes for people: first what no change makes, and then what the changes do, in their order
 * @param spans how many of the last of those each change makes
 * @param problems the host's problems; if there are any, there are no changes
 * @param rebuilt whether its disk was replaced since it was set up
 */
public record HostDecision(
        Blueprint.Host host,
        Kind kind,
        Optional<DesiredHost> desired,
        List<Change> changes,
        List<Change> drift,
        List<ExplainedChange> planned,
        List<Integer> spans,
        List<Problem> problems,
        boolean rebuilt) {
    /** What is to happen to a host. */
    public enum Kind {
        /** It is created. */
        CREATE,
        /** It is changed. */
        CHANGE,
        /** It is up to date. */
        KEEP,
        /** It cannot be changed: see the problems. */
        REFUSED,
        /** It exists and is not ready yet. */
        AWAITED
    }

    /**
     * Copies the lists.
     *
     * @throws NullPointerException if something is null
     */
    public HostDecision {
        Objects.requireNonNull(host, "host");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(desired, "desired");
        changes = List.copyOf(changes);
        drift = List.copyOf(drift);
        planned = List.copyOf(planned);
        spans = List.copyOf(spans);
        problems = List.copyOf(problems);
    }

    /** A host of which nothing was read. */
    static HostDecision unread(Blueprint.Host host, Kind kind, List<Problem> problems) {
        return new HostDecision(
                host, kind, Optional.empty(), List.of(), List.of(), List.of(), List.of(), problems, false);
    }

    /**
     * The host's name.
     *
     * @return the name
     */
    public String name() {
        return host.name();
    }

    /**
     * The ids of the steps that the plan lists for this host, as {@link dev.promguard.PlannedChange#id()} has them.
     *
     * @return an id for each of {@link #planned()}, in the same order
     */
    public List<String> stepIds() {
        return StableIds.distinct(planned.stream()
                .map(change -> new StableIds.Candidate(
                        name()
                                + '/'
                                + StableIds.ofChange(
                                        change.resource(), change.action().name(), change.subject()),
                        change.text()))
                .toList());
    }

    /**
     * The steps of the plan that are about this host.
     *
     * @return its creation, or what is to be changed on it
     */
    public List<RunStep> steps() {
        if (kind == Kind.CREATE) {
            return List.of(creation(name()));
        }
        List<String> ids = stepIds();
        return IntStream.range(0, planned.size())
                .mapToObj(number ->
                        RunStep.of(name(), ids.get(number), planned.get(number).text()))
                .toList();
    }

    /**
     * The step that creates a host, and sets it up.
     *
     * @param name the host's name
     * @return the step
     */
    public static RunStep creation(String name) {
        return RunStep.of(name, StableIds.ofHost(name), "create the host and set it up");
    }

    /**
     * The steps of the plan that the changes make.
     *
     * @return for each of {@link #changes()}, one step in the change's own words, or several at once
     */
    public List<List<RunStep>> stepsOfChanges() {
        List<RunStep> all = steps();
        List<List<RunStep>> ofChanges = new ArrayList<>();
        int from = others();
        for (int number = 0; number < changes.size(); number++) {
            int to = from + spans.get(number);
            List<RunStep> steps = all.subList(from, to);
            ofChanges.add(
                    steps.size() == 1
                            ? List.of(RunStep.of(
                                    name(),
                                    steps.get(0).id(),
                                    changes.get(number).describe()))
                            : steps);
            from = to;
        }
        return ofChanges;
    }

    /**
     * The steps of the plan that no change makes, of one kind of resource.
     *
     * @param resource the resource's stable name
     * @return maybe none
     */
    public List<RunStep> otherSteps(String resource) {
        List<RunStep> all = steps();
        return IntStream.range(0, others())
                .filter(number -> planned.get(number).resource().equals(resource))
                .mapToObj(all::get)
                .toList();
    }

    private int others() {
        return planned.size() - spans.stream().mapToInt(Integer::intValue).sum();
    }

    /** The changes in words, without those that only follow from which peers the host has. */
    List<String> apartFromPeers() {
        return changes.stream()
                .filter(change -> !(change instanceof WireGuard.WritePresharedKeys)
                        && !(change instanceof WireGuard.Configure apply
                                && apply.does() == WireGuard.InterfaceAction.SYNC)
                        && !(change instanceof ManagedFiles.Write write
                                && desired.isPresent()
                                && write.file()
                                        .path()
                                        .equals(desired.get()
                                                .wireGuard()
                                                .config()
                                                .path())))
                .map(Change::describe)
                .toList();
    }
}
