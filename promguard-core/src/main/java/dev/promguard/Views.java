package dev.promguard;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.change.PlannedChange;
import dev.promguard.internal.act.Outcome;
import dev.promguard.internal.decide.Decider;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.decide.HostDecision;
import dev.promguard.internal.decide.Problem;
import dev.promguard.internal.engine.Destruction;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.observe.Roster;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.MeshState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Shows what the engine decided and did in the types that users meet. */
final class Views {
    private static final String PENDING =
            "changes of an earlier run were not confirmed: apply keeps them, or else the host takes them back by itself";

    private Views() {}

    /** A decision as a plan. */
    static Plan plan(Decision decision) {
        Roster roster = decision.observed().roster();
        List<Plan.Entry> entries = new ArrayList<>();
        decision.hosts().forEach(host -> entries.add(entry(decision, host)));
        roster.orphaned().forEach(host -> entries.add(orphan(host, roster)));
        List<String> only = roster.only().isEmpty()
                ? List.of()
                : roster.selected().stream().map(Blueprint.Host::name).toList();
        return new Plan(
                roster.blueprint(),
                only,
                decision.problems().stream()
                        .filter(problem -> problem.kind() == Problem.Kind.UNMANAGED_HOST)
                        .map(Problem::textWithId)
                        .toList(),
                decision.observed().firewall(),
                entries);
    }

    private static Plan.Entry entry(Decision decision, HostDecision host) {
        Roster roster = decision.observed().roster();
        Optional<CloudHost> present = Optional.ofNullable(roster.present().get(host.name()));
        boolean inventory = roster.inventory().isPresent();
        return new Plan.Entry(
                kind(host),
                host.name(),
                present.filter(there -> !inventory)
                        .map(CloudHost::region)
                        .orElse(host.host().spec().region()),
                present.filter(there -> !inventory)
                        .map(CloudHost::size)
                        .orElse(host.host().spec().size()),
                Optional.of(host.host().address()),
                present.flatMap(CloudHost::publicAddress),
                changes(host),
                present.map(there -> notes(decision, host, there.id())).orElse(List.of()),
                present.map(CloudHost::price)
                        .orElseGet(() -> Optional.ofNullable(
                                decision.observed().quote().prices().get(host.name()))));
    }

    private static Plan.Kind kind(HostDecision host) {
        return switch (host.kind()) {
            case CREATE -> Plan.Kind.CREATE;
            case CHANGE -> Plan.Kind.CHANGE;
            case KEEP -> Plan.Kind.KEEP;
            case AWAITED -> Plan.Kind.UNKNOWN;
            case REFUSED ->
                host.problems().stream().anyMatch(problem -> problem.kind() == Problem.Kind.UNREACHABLE)
                        ? Plan.Kind.UNKNOWN
                        : Plan.Kind.CHANGE;
        };
    }

    private static List<PlannedChange> changes(HostDecision host) {
        if (host.kind() == HostDecision.Kind.AWAITED) {
            return List.of(PlannedChange.wished("it is not running, or has no public address yet"));
        }
        List<PlannedChange> changes = new ArrayList<>();
        host.problems().forEach(problem -> changes.add(PlannedChange.wished(problem.textWithId())));
        changes.addAll(host.planned());
        return changes;
    }

    private static List<String> notes(Decision decision, HostDecision host, String id) {
        List<String> notes = notes(decision.observed().roster(), host.name(), id, kind(host) == Plan.Kind.UNKNOWN);
        if (decision.observed().hosts().get(host.name()) instanceof HostObservation.Seen seen
                && seen.facts().rollbackPending()) {
            notes.add(PENDING);
        }
        return notes;
    }

    /** What others did to a host in the cloud, beside what is said of it as a change. */
    private static List<String> notes(Roster roster, String name, String id, boolean withTag) {
        List<String> notes = new ArrayList<>();
        if (withTag && roster.identities().hasLostItsTag(name)) {
            notes.add(Decider.LOST_TAG);
        }
        roster.identities()
                .renamed(name)
                .ifPresent(other -> notes.add(
                        "renamed to " + Names.quote(other) + " in the cloud: it is the same host (id " + id + ")"));
        return notes;
    }

    private static Plan.Entry orphan(CloudHost host, Roster roster) {
        MeshState.HostState held = roster.state().hosts().get(host.name());
        Optional<String> address = held != null && held.providerId().equals(Optional.of(host.id()))
                ? Optional.of(held.address())
                : Optional.empty();
        return new Plan.Entry(
                Plan.Kind.REMOVE,
                host.name(),
                host.region(),
                host.size(),
                address,
                host.publicAddress(),
                List.of(),
                notes(roster, host.name(), host.id(), true),
                host.price());
    }

    /**
     * An outcome as a report.
     *
     * @throws ApplyException if a host failed
     * @throws CancelledException if the run was interrupted
     */
    static ApplyReport report(Outcome outcome, Duration duration) {
        ApplyReport report = partial(outcome, duration);
        if (outcome.cancelled().isPresent()) {
            throw outcome.cancelled().get();
        }
        if (!report.ok()) {
            throw failure(report);
        }
        return report;
    }

    /**
     * What a destruction did as a report.
     *
     * @throws DestroyException if hosts are still in the mesh, or carry its tag
     */
    static DestroyReport report(Destruction.Result result) {
        DestroyReport report = new DestroyReport(result.mesh(), result.removed(), result.leftovers());
        if (!result.problems().isEmpty()) {
            throw new DestroyException(
                    "mesh " + result.mesh() + ": destroy did not finish, because hosts with the mesh's tag are left\n"
                            + report.toString().indent(2) + "  Not removed: " + String.join("\n  ", result.problems())
                            + " Then run destroy again.",
                    report,
                    new InvalidMeshException(ErrorCode.UNMANAGED_HOSTS, result.mesh(), result.problems()));
        } else if (!result.failures().isEmpty()) {
            throw failure(report, result.failures());
        }
        return report;
    }

    private static DestroyException failure(DestroyReport report, Map<String, RuntimeException> failures) {
        Set<RuntimeException> distinct = new LinkedHashSet<>(failures.values());
        String message = failures.entrySet().stream()
                .map(entry -> entry.getValue() instanceof HostException
                        ? String.valueOf(entry.getValue().getMessage())
                        : entry.getKey() + ": " + entry.getValue())
                .distinct()
                .collect(Collectors.joining("\n"));
        DestroyException exception = new DestroyException(
                "mesh " + report.mesh() + ": destroy did not finish on every host\n" + message + "\n  "
                        + (report.removed().isEmpty()
                                ? "No host is done"
                                : "Done: " + String.join(", ", report.removed()))
                        + ". The state keeps the others. Fix what is named above, then run destroy again.",
                report,
                distinct.iterator().next());
        distinct.stream().skip(1).forEach(exception::addSuppressed);
        return exception;
    }

    private static ApplyReport partial(Outcome outcome, Duration duration) {
        Roster roster = outcome.decision().observed().roster();
        List<HostOutcome> outcomes = new ArrayList<>();
        for (Blueprint.Host host : roster.selected()) {
            List<String> done = outcome.changes().getOrDefault(host.name(), List.of());
            RuntimeException failure = outcome.failures().get(host.name());
            Status status = failure instanceof HostException e
                    ? e.status()
                    : failure != null ? Status.FAILED : done.isEmpty() ? Status.UNCHANGED : Status.CHANGED;
            outcomes.add(new HostOutcome(
                    host.name(),
                    host.spec().region(),
                    host.address(),
                    Optional.ofNullable(outcome.addresses().get(host.name())),
                    status,
                    done,
                    outcome.drift().getOrDefault(host.name(), List.of()),
                    failure));
        }
        List<ApplyReport.Problem> problems = new ArrayList<>();
        outcome.failures().forEach((name, failure) -> {
            if (outcomes.stream().noneMatch(host -> host.name().equals(name))) {
                problems.add(new ApplyReport.Problem(name, failure));
            }
        });
        return new ApplyReport(
                roster.blueprint().mesh(), outcomes, outcome.removed(), outcome.cloud(), problems, duration);
    }

    private static ApplyException failure(ApplyReport report) {
        Map<RuntimeException, List<String>> names = new LinkedHashMap<>();
        report.hosts().stream()
                .sorted(Comparator.comparing(HostOutcome::name))
                .forEach(host -> Optional.ofNullable(host.failure())
                        .ifPresent(failure -> names.computeIfAbsent(failure, key -> new ArrayList<>())
                                .add(host.name())));
        report.problems()
                .forEach(problem -> names.computeIfAbsent(problem.failure(), key -> new ArrayList<>())
                        .add(problem.step()));
        List<String> messages = new ArrayList<>();
        names.forEach((failure, of) -> messages.add(
                failure instanceof HostException
                        ? String.valueOf(failure.getMessage())
                        : String.join(", ", of) + ": "
                                + (failure instanceof PromGuardException ? failure.getMessage() : failure)));
        List<RuntimeException> distinct = List.copyOf(names.keySet());
        long good = report.hosts().stream().filter(host -> host.status().ok()).count();
        ApplyException exception = new ApplyException(
                "mesh " + report.mesh() + ": apply did not finish, " + good + " of "
                        + report.hosts().size() + " hosts are done\n" + String.join("\n", messages)
                        + "\n  Nothing is lost. Fix what is named above, then run apply again.",
                report,
                distinct.get(0));
        distinct.stream().skip(1).forEach(exception::addSuppressed);
        return exception;
    }
}
