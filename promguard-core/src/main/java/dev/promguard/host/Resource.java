package dev.promguard.host;

import java.util.List;

/**
 * One kind of thing on a host, such as packages or units: what to ask the host for, how it differs from what it should be, what is
 * drift, and how people are told. All that belongs to one kind stands in one class; {@link Resources} has the list of all kinds
 * and the order across them. Pure.
 */
public interface Resource {
    /**
     * The kind's stable name.
     *
     * @return such as {@code package}
     */
    String id();

    /**
     * The file of its shell functions, which is sent to hosts as far as it is called.
     *
     * @return such as {@code packages.sh}
     */
    String shellFile();

    /**
     * Adds what to ask a host for.
     *
     * @param desired what the host should be
     * @param query what is asked for so far
     */
    default void ask(dev.promguard.host.DesiredHost desired, FactsQuery.Builder query) {}

    /**
     * Whether a change of this kind undoes drift: somebody changed the host since the last apply.
     *
     * @param change a change of this kind
     * @param drift what it is judged by
     * @return true if it is drift
     */
    default boolean isDrift(Change change, Drift drift) {
        return false;
    }

    /**
     * Tells people what a change of this kind does.
     *
     * @param change a change of this kind
     * @param explanation what it is told from
     * @return the change, sometimes as more than one
     */
    default List<ExplainedChange> explain(Change change, Explanation explanation) {
        return List.of(explanation.planned(change));
    }

    /**
     * What is still known of a host while a change of this kind is under way.
     *
     * @param change a change of this kind
     * @param known what the last apply left
     * @return the same without what the change touches
     */
    default LastApplied forget(Change change, LastApplied known) {
        return known;
    }

    /**
     * What removes all of this kind from a host that PromGuard is uninstalled from, where it is more than the files, users and units
     * that the manifest names.
     *
     * @return the changes in order; each does nothing where there is nothing to remove
     */
    default List<Change> undo() {
        return List.of();
    }

    /**
     * Adds what to ask a host for before {@link #explainUndo} can say what {@link #undo} would do there.
     *
     * @param query what is asked for so far
     */
    default void askBeforeUndo(FactsQuery.Builder query) {}

    /**
     * Tells people what {@link #undo} would do on a host.
     *
     * @param facts what the host is; includes what {@link #askBeforeUndo} asked for
     * @return the changes that do something there, in order
     */
    default List<ExplainedChange> explainUndo(HostFacts facts) {
        return List.of();
    }

    /**
     * What somebody who reads a plan or a report should know of a host and no change is made for.
     *
     * @param facts what the host is
     * @return the notes, each in a line; empty if there are none
     */
    default List<String> notes(HostFacts facts) {
        return List.of();
    }

    /**
     * Notes what is on a host once it is as it should be.
     *
     * @param desired what it should be
     * @param facts what decides what of it applies, such as the architecture
     * @param left what is noted so far
     */
    default void note(
            dev.promguard.host.DesiredHost desired,
            dev.promguard.blueprint.Architecture facts,
            LastApplied.Builder left) {}
}
