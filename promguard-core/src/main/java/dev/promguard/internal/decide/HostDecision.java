package dev.promguard.internal.decide;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.host.Change;
import dev.promguard.host.DesiredHost;
import dev.promguard.host.ExplainedChange;
import dev.promguard.host.ManagedFiles;
import dev.promguard.host.WireGuard;
import dev.promguard.internal.text.StableIds;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What is to happen to one host of the spec.
 *
 * @param host the host
 * @param kind what, in a word
 * @param desired what it should be, with stand-ins for new keys; empty for one that was not read
 * @param changes the changes in order, with stand-ins for new keys
 * @param drift the changes that undo drift
 * @param planned the changes for people
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
        problems = List.copyOf(problems);
    }

    /** A host of which nothing was read. */
    static HostDecision unread(Blueprint.Host host, Kind kind, List<Problem> problems) {
        return new HostDecision(host, kind, Optional.empty(), List.of(), List.of(), List.of(), problems, false);
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
