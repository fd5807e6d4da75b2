package dev.promguard.host;

import java.util.List;

/**
 * Distinguishes what somebody has changed on a host since the last apply from what has changed in the spec. A pure function.
 *
 * <p>A change is drift where the host is not what the last apply left. Restarts, reloads and the like that only follow from
 * other changes are drift where all of those are.
 */
public final class Drift {
    private final DesiredHost desired;
    private final HostFacts facts;
    private final LastApplied left;
    private final List<Change> changes;

    private Drift(DesiredHost desired, HostFacts facts, LastApplied left, List<Change> changes) {
        this.desired = desired;
        this.facts = facts;
        this.left = left;
        this.changes = changes;
    }

    /**
     * Picks the changes that are drift.
     *
     * @param desired what the host should be
     * @param facts what it is
     * @param left what the last apply left
     * @param changes what {@link Differ#diff} found between the first two
     * @return those of the changes that are drift, in the same order
     */
    public static List<Change> among(DesiredHost desired, HostFacts facts, LastApplied left, List<Change> changes) {
        Drift drift = new Drift(desired, facts, left, changes);
        return changes.stream().filter(drift::is).toList();
    }

    private boolean is(Change change) {
        return change.resource().isDrift(change, this);
    }

    boolean followsFrom(List<Change> causes) {
        return !causes.isEmpty() && causes.stream().allMatch(this::is);
    }

    DesiredHost desired() {
        return desired;
    }

    HostFacts facts() {
        return facts;
    }

    LastApplied left() {
        return left;
    }

    List<Change> changes() {
        return changes;
    }
}
