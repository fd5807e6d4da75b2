package dev.promguard;

import dev.promguard.Plan.Entry;
import dev.promguard.internal.text.StableIds;
import dev.promguard.internal.text.StableIds.Candidate;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Gives everything in a plan that can be referred to an id that is unique in it. */
final class PlanIds {
    private final String mesh;
    private final Iterator<String> ids;

    PlanIds(String mesh, List<MeshProblem> problems, List<PlannedChange> cloud, List<Entry> entries) {
        this.mesh = StableIds.ofMesh(mesh);
        List<Candidate> all = new ArrayList<>();
        problems.forEach(problem -> all.add(candidate(problem)));
        cloud.forEach(change -> all.add(candidate(this.mesh, change)));
        for (Entry entry : entries) {
            all.add(new Candidate(
                    StableIds.ofHost(entry.name()),
                    entry.kind() + entry.publicAddress().orElse("")));
            entry.problems().forEach(problem -> all.add(candidate(problem)));
            entry.changes().forEach(change -> all.add(candidate(entry.name(), change)));
        }
        this.ids = StableIds.distinct(all).iterator();
    }

    private Candidate candidate(MeshProblem problem) {
        return new Candidate(problem.host().orElse(mesh) + '/' + problem.id(), problem.message());
    }

    private static Candidate candidate(String owner, PlannedChange change) {
        return new Candidate(owner + '/' + change.idWithoutHost(), change.text());
    }

    /** The problems with the next ids. */
    List<MeshProblem> problems(List<MeshProblem> problems) {
        return problems.stream()
                .map(problem -> problem.withReference(ids.next()))
                .toList();
    }

    /** The changes with the next ids. */
    List<PlannedChange> changes(List<PlannedChange> changes) {
        return changes.stream().map(change -> change.withId(ids.next())).toList();
    }

    /** The entries with the next ids. */
    List<Entry> entries(List<Entry> entries) {
        return entries.stream()
                .map(entry -> entry.identified(ids.next(), problems(entry.problems()), changes(entry.changes())))
                .toList();
    }
}
