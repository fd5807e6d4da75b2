package dev.promguard.internal.act;

import dev.promguard.AppliedChange;
import dev.promguard.CancelledException;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.run.RunStep;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a run did.
 *
 * @param decision what it was to do
 * @param addresses the public address of each host that has one, by name
 * @param changes what was done on each host, or is known of it from now on, in order, by name
 * @param notes what else a reader should know about a host, by name
 * @param before what the verb did to a host before it applied, in sentences
 * @param failures why it did not reach its end, by the name of the host or the step
 * @param removed the hosts that were deleted or left
 * @param cloud what was changed in the cloud beside hosts
 * @param cancelled the interruption, if the run was interrupted
 * @param next what to do where something failed, in sentences
 */
public record Outcome(
        Decision decision,
        Map<String, String> addresses,
        Map<String, List<AppliedChange>> changes,
        Map<String, List<String>> notes,
        List<String> before,
        Map<String, RuntimeException> failures,
        List<String> removed,
        List<AppliedChange> cloud,
        Optional<CancelledException> cancelled,
        String next) {
    private static final String APPLY_AGAIN = "Fix what is named above, then run apply again.";

    /**
     * What a verb did to a host before it applies.
     *
     * @param decision what the apply is to do
     * @param host the host's name
     * @param change what was done
     * @param sentence the same as a sentence, for the message of a failure
     * @return an outcome of that alone
     */
    public static Outcome of(Decision decision, String host, AppliedChange change, String sentence) {
        return new Outcome(
                decision,
                decision.observed().roster().publicAddresses(),
                Map.of(host, List.of(change)),
                Map.of(),
                List.of(sentence),
                Map.of(),
                List.of(),
                List.of(),
                Optional.empty(),
                APPLY_AGAIN);
    }

    /**
     * The hosts of the spec that failed. Other failures are of the cloud, or of hosts that leave the mesh.
     *
     * @return their names
     */
    public Set<String> failedHosts() {
        Set<String> failed = new TreeSet<>(failures.keySet());
        failed.removeIf(name -> !decision.observed().roster().blueprint().contains(name));
        return failed;
    }

    /**
     * The hosts of the spec that failed and so cannot take new keys: not those that only differ from the spec in what apply leaves.
     *
     * @return their names
     */
    public Set<String> unableHosts() {
        Set<String> unable = failedHosts();
        unable.removeIf(name ->
                failures.get(name) instanceof HostException failure && failure.code() == ErrorCode.HOST_DIFFERS);
        return unable;
    }

    /**
     * This outcome with one failure more.
     *
     * @param step what failed
     * @param failure why
     * @return a copy
     */
    public Outcome with(String step, RuntimeException failure) {
        Map<String, RuntimeException> more = new LinkedHashMap<>(failures);
        more.put(step, failure);
        return new Outcome(decision, addresses, changes, notes, before, more, removed, cloud, cancelled, next);
    }

    /**
     * This outcome of a run that was interrupted in a second pass, before that did anything.
     *
     * @param interruption the interruption
     * @return a copy
     */
    public Outcome cancelledBy(CancelledException interruption) {
        return new Outcome(
                decision, addresses, changes, notes, before, failures, removed, cloud, Optional.of(interruption), next);
    }

    /**
     * This outcome of a verb that another call than apply continues after a failure.
     *
     * @param call what to do, in sentences
     * @return a copy
     */
    public Outcome continuedBy(String call) {
        return new Outcome(decision, addresses, changes, notes, before, failures, removed, cloud, cancelled, call);
    }

    /**
     * This outcome followed by that of a second pass.
     *
     * @param second what the second pass did
     * @return both together
     */
    public Outcome then(Outcome second) {
        Map<String, RuntimeException> all = new LinkedHashMap<>(failures);
        all.putAll(second.failures);
        return new Outcome(
                second.decision,
                second.addresses,
                joined(changes, second.changes),
                joined(notes, second.notes),
                joined(before, second.before),
                all,
                joined(removed, second.removed),
                joined(cloud, second.cloud),
                second.cancelled,
                second.next);
    }

    private static <T> Map<String, List<T>> joined(Map<String, List<T>> first, Map<String, List<T>> second) {
        Map<String, List<T>> joined = new TreeMap<>(first);
        second.forEach((name, list) -> joined.merge(name, list, Outcome::joined));
        return joined;
    }

    private static <T> List<T> joined(List<T> first, List<T> second) {
        List<T> joined = new ArrayList<>(first);
        joined.addAll(second);
        return joined;
    }

    /** Collects what a run does, as it happens. Thread-safe. */
    static final class Recorder {
        private final Decision decision;
        private final Map<String, String> addresses = new TreeMap<>();
        private final Map<String, List<AppliedChange>> changes = new TreeMap<>();
        private final Map<String, List<String>> notes = new TreeMap<>();
        private final Map<String, RuntimeException> failures = new LinkedHashMap<>();
        private final List<String> removed = new ArrayList<>();
        private final List<AppliedChange> cloud = new ArrayList<>();

        Recorder(Decision decision) {
            this.decision = decision;
        }

        synchronized void at(Map<String, String> known) {
            addresses.putAll(known);
        }

        synchronized void changed(String host, String change, boolean isDrift, List<String> stepIds) {
            changes.computeIfAbsent(host, name -> new ArrayList<>())
                    .add(AppliedChange.builder(change)
                            .drift(isDrift)
                            .stepIds(stepIds)
                            .build());
        }

        /** Steps of the plan that no change on the host makes. */
        synchronized void done(String host, List<RunStep> steps, boolean isDrift) {
            steps.forEach(step -> changed(host, step.text(), isDrift, List.of(step.id())));
        }

        /** What is noted again is not said again. */
        synchronized void noted(String host, String note) {
            List<String> known = notes.computeIfAbsent(host, name -> new ArrayList<>());
            if (!known.contains(note)) {
                known.add(note);
            }
        }

        synchronized void failed(String what, RuntimeException failure) {
            failures.put(what, failure);
        }

        synchronized boolean hasFailed(String what) {
            return failures.containsKey(what);
        }

        synchronized boolean hasFailures() {
            return !failures.isEmpty();
        }

        synchronized void removed(List<String> names) {
            removed.addAll(names);
        }

        synchronized void cloud(List<AppliedChange> inCloud) {
            cloud.addAll(inCloud);
        }

        synchronized Outcome outcome(Optional<CancelledException> cancelled) {
            return new Outcome(
                    decision,
                    Map.copyOf(addresses),
                    copy(changes),
                    copy(notes),
                    List.of(),
                    Collections.unmodifiableMap(new LinkedHashMap<>(failures)),
                    List.copyOf(removed),
                    List.copyOf(cloud),
                    cancelled,
                    APPLY_AGAIN);
        }

        private static <T> Map<String, List<T>> copy(Map<String, List<T>> lists) {
            Map<String, List<T>> copy = new TreeMap<>();
            lists.forEach((name, list) -> copy.put(name, List.copyOf(list)));
            return Collections.unmodifiableMap(copy);
        }
    }
}
