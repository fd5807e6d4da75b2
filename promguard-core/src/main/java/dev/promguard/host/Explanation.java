package dev.promguard.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Says what changes on a host would do, and whether they put back what somebody changed there. A pure function. */
public final class Explanation {
    static final String PUT_BACK = "put back";

    private final DesiredHost desired;
    private final HostFacts facts;
    private final LastApplied left;
    private final Map<String, String> expected;
    private final Set<String> newKeys;
    private final List<Change> drift;

    private Explanation(
            DesiredHost desired,
            HostFacts facts,
            LastApplied left,
            Map<String, String> expected,
            Set<String> newKeys,
            List<Change> drift) {
        this.desired = desired;
        this.facts = facts;
        this.left = left;
        this.expected = expected;
        this.newKeys = Set.copyOf(newKeys);
        this.drift = drift;
    }

    /**
     * Explains changes.
     *
     * @param desired what the host should be
     * @param facts what it is, as {@link Resources#query} asks for it
     * @param left what the last apply left
     * @param changes what {@link Differ#diff} found between the first two
     * @param expected what the host was expected to be when it was asked: a file whose sum was the expected one is not sent
     * @param newKeys the names of the hosts that get a new key pair, of which the files hold stand-ins
     * @return the changes in the same order, some as more than one
     */
    public static List<ExplainedChange> of(
            DesiredHost desired,
            HostFacts facts,
            LastApplied left,
            List<Change> changes,
            DesiredHost expected,
            Set<String> newKeys) {
        return each(desired, facts, left, changes, expected, newKeys).stream()
                .flatMap(List::stream)
                .toList();
    }

    /**
     * Explains changes one by one.
     *
     * @param desired what the host should be
     * @param facts what it is, as {@link Resources#query} asks for it
     * @param left what the last apply left
     * @param changes what {@link Differ#diff} found between the first two
     * @param expected what the host was expected to be when it was asked
     * @param newKeys the names of the hosts that get a new key pair
     * @return for each change at least one explained one, in the same order
     */
    public static List<List<ExplainedChange>> each(
            DesiredHost desired,
            HostFacts facts,
            LastApplied left,
            List<Change> changes,
            DesiredHost expected,
            Set<String> newKeys) {
        Explanation explanation = new Explanation(
                desired,
                facts,
                left,
                ManagedFiles.contents(expected),
                newKeys,
                Drift.among(desired, facts, left, changes));
        List<List<ExplainedChange>> explained = new ArrayList<>();
        changes.forEach(change -> explained.add(change.resource().explain(change, explanation)));
        return List.copyOf(explained);
    }

    /** A change in the words for drift, or in those for a change of the spec. */
    ExplainedChange explained(Change change, String drifted, String remedy) {
        return isDrift(change)
                ? ExplainedChange.of(change, true, drifted + " (drift)   → " + remedy)
                : ExplainedChange.of(change, false, change.describe());
    }

    /** A change in its own words. */
    ExplainedChange planned(Change change) {
        return ExplainedChange.of(change, isDrift(change), change.describe());
    }

    boolean isDrift(Change change) {
        return drift.contains(change);
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

    Map<String, String> expected() {
        return expected;
    }

    Set<String> newKeys() {
        return newKeys;
    }

    List<Change> drift() {
        return drift;
    }
}
