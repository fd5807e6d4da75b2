package dev.promguard;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Hosts or the cloud have changed since a plan was made, so that the verb would do something other than the plan says. Nothing was done. */
public final class PlanOutdatedException extends PromGuardException {
    private static final long serialVersionUID = 1L;

    private final transient Plan reviewed;
    private final transient Plan current;

    PlanOutdatedException(Plan reviewed, Plan current) {
        super(
                ErrorCode.PLAN_OUTDATED,
                "nothing was done, because the plan has changed since it was made: "
                        + String.join(", ", differences(reviewed, current))
                        + ". Review the plan as it is now, and pass that one:\n" + current,
                null);
        this.reviewed = reviewed;
        this.current = current;
    }

    private static List<String> differences(Plan reviewed, Plan current) {
        List<String> differences = new ArrayList<>();
        Map<String, Plan.Entry> before = byName(reviewed);
        Map<String, Plan.Entry> after = byName(current);
        Set<String> names = new LinkedHashSet<>(after.keySet());
        names.addAll(before.keySet());
        names.stream()
                .filter(name -> !Objects.equals(before.get(name), after.get(name)))
                .forEach(differences::add);
        if (!reviewed.cloud().equals(current.cloud())) {
            differences.add("the changes in the cloud");
        }
        if (!reviewed.meshProblems().equals(current.meshProblems())) {
            differences.add("the problems of the mesh");
        }
        if (differences.isEmpty()) {
            differences.add("the spec of the mesh");
        }
        return differences;
    }

    private static Map<String, Plan.Entry> byName(Plan plan) {
        Map<String, Plan.Entry> entries = new LinkedHashMap<>();
        plan.entries().forEach(entry -> entries.put(entry.name(), entry));
        return entries;
    }

    /**
     * The plan that was to be carried out.
     *
     * @return the plan as it was given
     */
    public Plan reviewed() {
        return reviewed;
    }

    /**
     * The plan as it would be made now.
     *
     * @return a fresh plan
     */
    public Plan current() {
        return current;
    }
}
