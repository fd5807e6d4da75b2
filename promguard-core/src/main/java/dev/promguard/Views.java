package dev.promguard;

import dev.promguard.ApplyReport.HostOutcome;
import dev.promguard.ApplyReport.Status;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Names;
import dev.promguard.host.ExplainedChange;
import dev.promguard.host.Firewall;
import dev.promguard.host.ForeignRules;
import dev.promguard.host.MeshTraffic;
import dev.promguard.host.Resources;
import dev.promguard.internal.act.Outcome;
import dev.promguard.internal.decide.Decider;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.decide.DestroyDecision;
import dev.promguard.internal.decide.HostDecision;
import dev.promguard.internal.decide.KnownEndpoints;
import dev.promguard.internal.decide.Problem;
import dev.promguard.internal.decide.RecoveryDecision;
import dev.promguard.internal.decide.Removals;
import dev.promguard.internal.decide.ViewerAccess;
import dev.promguard.internal.engine.Destruction;
import dev.promguard.internal.engine.Recovery;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.observe.SshForwards;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Interruption;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.MeshState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Shows what the engine decided and did in the types that users meet. */
final class Views {
    private static final String PENDING =
            "changes of an earlier run were not confirmed: apply keeps them, or else the host takes them back by itself";

    private static final String INTERRUPTED = "what was still to do";

    private Views() {}

    /** A decision as a plan. */
    static Plan plan(Decision decision) {
        Roster roster = decision.observed().roster();
        Plan.Operation operation = decision.request().rotate() ? Plan.Operation.ROTATE_KEYS : Plan.Operation.APPLY;
        Plan.Builder plan = Plan.builder(operation, roster.blueprint())
                .only(
                        roster.only().isEmpty()
                                ? List.of()
                                : roster.selected().stream()
                                        .map(Blueprint.Host::name)
                                        .toList())
                .problems(decision.problems().stream()
                        .filter(problem -> problem.host().isEmpty())
                        .map(Views::problem)
                        .toList())
                .cloud(decision.observed().firewall().stream()
                        .map(line -> PlannedChange.builder(
                                        "cloud-firewall",
                                        ChangeAction.UPDATE,
                                        roster.blueprint().mesh(),
                                        line)
                                .build())
                        .toList());
        decision.hosts().forEach(host -> plan.addEntry(entry(decision, host)));
        roster.orphaned().forEach(host -> plan.addEntry(orphan(host, roster)));
        return plan.build();
    }

    private static Plan.Entry entry(Decision decision, HostDecision host) {
        Roster roster = decision.observed().roster();
        Optional<CloudHost> present = Optional.ofNullable(roster.present().get(host.name()));
        boolean inventory = roster.inventory().isPresent();
        Plan.Entry.Builder entry = Plan.Entry.builder(kind(host), host.name())
                .region(present.filter(there -> !inventory)
                        .map(CloudHost::region)
                        .orElse(host.host().spec().region()))
                .size(present.filter(there -> !inventory)
                        .map(CloudHost::size)
                        .orElse(host.host().spec().size()))
                .address(host.host().address())
                .problems(host.problems().stream().map(Views::problem).toList())
                .changes(host.planned().stream().map(Views::change).toList())
                .notes(Stream.concat(
                                present
                                        .map(there -> notes(decision, host, there.id()))
                                        .orElseGet(() -> viewers(roster.blueprint(), host.host()))
                                        .stream(),
                                ViewerAccess.ended(roster.blueprint(), host).stream())
                        .toList());
        present.flatMap(CloudHost::publicAddress).ifPresent(entry::publicAddress);
        present.map(CloudHost::price)
                .orElseGet(() -> Optional.ofNullable(
                        decision.observed().preflight().prices().get(host.name())))
                .ifPresent(entry::price);
        return entry.build();
    }

    /** Whom a monitor that is to be created will let in. */
    private static List<String> viewers(Blueprint blueprint, Blueprint.Host host) {
        return blueprint.viewersOf(host).stream()
                .map(viewer ->
                        "will let in viewer " + ViewerAccess.described(blueprint, viewer) + ", to Prometheus alone")
                .toList();
    }

    /** A decision about a destruction as a plan. */
    static Plan plan(DestroyDecision decision, Blueprint blueprint) {
        Plan.Builder plan = Plan.builder(Plan.Operation.DESTROY, blueprint)
                .problems(decision.problems().stream()
                        .map(problem -> problem(problem, false))
                        .toList());
        decision.hosts().forEach(host -> plan.addEntry(entry(host, blueprint)));
        return plan.build();
    }

    private static Plan.Entry entry(DestroyDecision.Host host, Blueprint blueprint) {
        Plan.Kind kind = switch (host.kind()) {
            case DELETE, UNINSTALL, FORGET -> Plan.Kind.REMOVE;
            case KEEP -> Plan.Kind.KEEP;
            case UNREADABLE -> Plan.Kind.UNKNOWN;
        };
        List<String> notes = new ArrayList<>();
        host.lost().ifPresent(notes::add);
        host.leftovers().forEach(what -> notes.add("will be left: " + what));
        if (host.kind() == DestroyDecision.Kind.FORGET) {
            notes.add("declared as gone with forget(…): removed from the state, not contacted");
        }
        Plan.Entry.Builder entry = Plan.Entry.builder(kind, host.name())
                .problems(host.problem().stream().map(Views::problem).toList())
                .changes(host.changes().stream().map(Views::change).toList())
                .notes(notes);
        if (blueprint.contains(host.name())) {
            entry.region(blueprint.host(host.name()).spec().region());
        }
        host.cloud().ifPresent(cloud -> {
            entry.region(cloud.region()).size(cloud.size());
            cloud.price().ifPresent(entry::price);
        });
        host.address().ifPresent(entry::address);
        host.publicAddress().ifPresent(entry::publicAddress);
        return entry.build();
    }

    private static MeshProblem problem(Problem problem) {
        return problem(problem, problem.kind().blocking());
    }

    private static MeshProblem problem(Problem problem, boolean blocking) {
        MeshProblem.Builder view = MeshProblem.builder(problem.code(), problem.message())
                .remedy(problem.remedy())
                .blocking(blocking);
        problem.host().ifPresent(view::host);
        return view.build();
    }

    private static PlannedChange change(ExplainedChange change) {
        PlannedChange.Builder view = PlannedChange.builder(
                        change.resource(),
                        ChangeAction.valueOf(change.action().name()),
                        change.subject(),
                        change.text())
                .drift(change.drift());
        change.before().ifPresent(view::before);
        change.after().ifPresent(view::after);
        change.diff().ifPresent(view::diff);
        return view.build();
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

    private static List<String> notes(Decision decision, HostDecision host, String id) {
        List<String> notes = notes(decision.observed().roster(), host.name(), id, kind(host) == Plan.Kind.UNKNOWN);
        if (decision.observed().hosts().get(host.name()) instanceof HostObservation.Seen seen) {
            if (seen.facts().rollbackPending()) {
                notes.add(PENDING);
            }
            notes.addAll(Resources.notes(seen.facts()));
            host.desired().map(desired -> MeshTraffic.of(desired, seen.facts())).ifPresent(traffic -> {
                traffic.sshLimit().ifPresent(notes::add);
                traffic.published().forEach(rule -> notes.add(PlanText.NOT_CHANGED + rule.describe()));
            });
            Blueprint blueprint = decision.observed().roster().blueprint();
            ForeignRules.of(blueprint, blueprint.host(host.name()), seen.facts())
                    .describe(rule -> host.changes().stream()
                            .anyMatch(change ->
                                    change instanceof Firewall.Disallow disallow && rule.isFor(disallow.rule())))
                    .forEach(what -> notes.add(PlanText.NOT_CHANGED + what));
        }
        if (KnownEndpoints.isKept(decision.observed().roster(), host.name())) {
            notes.add("no address is known for it now: its peers keep the endpoint that they have for it");
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
        Plan.Entry.Builder entry = Plan.Entry.builder(Plan.Kind.REMOVE, host.name())
                .region(host.region())
                .size(host.size())
                .notes(removalNotes(roster, host));
        if (held != null && held.providerId().equals(Optional.of(host.id()))) {
            entry.address(held.address());
        }
        host.publicAddress().ifPresent(entry::publicAddress);
        host.price().ifPresent(entry::price);
        return entry.build();
    }

    private static List<String> removalNotes(Roster roster, CloudHost host) {
        List<String> notes = notes(roster, host.name(), host.id(), true);
        notes.add(Removals.lost(roster.state(), host, roster.inventory().isPresent()));
        return notes;
    }

    /**
     * An outcome as a report.
     *
     * @param verb the words for the verb, such as {@code rotate keys}
     * @throws ApplyException if a host failed
     * @throws CancelledException if the run was interrupted; it holds the report
     */
    static ApplyReport report(Outcome outcome, String verb, Duration duration) {
        ApplyReport report = partial(outcome, duration);
        if (outcome.cancelled().isPresent()) {
            throw outcome.cancelled().get().with(report, outcome.before());
        }
        if (!report.ok()) {
            ApplyException failure = failure(report, outcome, verb);
            throw Interruption.behind(failure)
                    .<PromGuardException>map(cancelled -> cancelled.with(report, outcome.before()))
                    .orElse(failure);
        }
        return report;
    }

    /**
     * What a destruction did as a report.
     *
     * @throws DestroyException if hosts are still in the mesh, or carry its tag
     */
    static DestroyReport report(Destruction.Result result) {
        DestroyReport.Builder builder =
                DestroyReport.builder(result.mesh()).removed(result.removed()).checkedFor(result.checked());
        result.leftovers().forEach(builder::leftovers);
        DestroyReport report = builder.build();
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

    /** What a recovery found as a report. */
    static RecoverReport report(Context context, Recovery.Result result, RecoverBuilder how) {
        RecoveryDecision decision = result.decision();
        RecoverReport.Builder report = RecoverReport.builder(context.mesh())
                .how(how)
                .state(context.store().describe(context.mesh()))
                .missing(decision.missing())
                .notes(decision.notes())
                .newLoginKey(result.newKey())
                .admitting(result.admitting())
                .replaces(result.replaces(), result.copies())
                .written(result.written())
                .problems(decision.problems().stream().map(Views::problem).toList());
        new TreeMap<>(decision.hosts())
                .forEach((name, host) -> report.addHost(new RecoverReport.RecoveredHost(
                        name,
                        host.host().id(),
                        host.address(),
                        host.host().publicAddress().orElse(""),
                        host.seen().hostKey(),
                        host.anchor().words())));
        result.next().map(Views::plan).ifPresent(report::next);
        return report.build();
    }

    private static MeshProblem problem(RecoveryDecision.Finding problem) {
        MeshProblem.Builder view =
                MeshProblem.builder(problem.code(), problem.message()).remedy(problem.remedy());
        problem.host().ifPresent(view::host);
        return view.blocking(true).build();
    }

    /** The words of a failure, with its type where it is none of PromGuard's. */
    private static String said(RuntimeException failure) {
        return failure instanceof PromGuardException ? String.valueOf(failure.getMessage()) : failure.toString();
    }

    private static DestroyException failure(DestroyReport report, Map<String, RuntimeException> failures) {
        Set<RuntimeException> distinct = new LinkedHashSet<>(failures.values());
        String message = failures.entrySet().stream()
                .map(entry -> entry.getValue() instanceof HostException
                        ? String.valueOf(entry.getValue().getMessage())
                        : entry.getKey() + ": " + said(entry.getValue()))
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
        ApplyReport.Builder report = ApplyReport.builder(roster.blueprint().mesh())
                .removed(outcome.removed())
                .cloud(outcome.cloud())
                .prometheusCommands(SshForwards.commands(roster, outcome.addresses()))
                .duration(duration);
        Set<String> hosts = new HashSet<>();
        for (Blueprint.Host host : roster.selected()) {
            report.addHost(outcome(host, outcome));
            hosts.add(host.name());
        }
        outcome.failures().forEach((step, failure) -> {
            if (!hosts.contains(step)) {
                report.addFailedStep(step, failure);
            }
        });
        outcome.cancelled().ifPresent(interruption -> report.addFailedStep(INTERRUPTED, interruption));
        return report.build();
    }

    private static HostOutcome outcome(Blueprint.Host host, Outcome outcome) {
        List<AppliedChange> done = outcome.changes().getOrDefault(host.name(), List.of());
        RuntimeException failure = outcome.failures().get(host.name());
        Status status = failure instanceof HostException e
                ? e.status()
                : failure != null ? Status.FAILED : done.isEmpty() ? Status.UNCHANGED : Status.CHANGED;
        HostOutcome.Builder view = HostOutcome.builder(host.name(), status)
                .region(host.spec().region())
                .address(host.address())
                .changes(done)
                .notes(outcome.notes().getOrDefault(host.name(), List.of()))
                .failure(failure);
        Optional.ofNullable(outcome.addresses().get(host.name())).ifPresent(view::publicAddress);
        return view.build();
    }

    /** What stays done although the rest failed: first of all what cannot be undone. */
    private static String kept(ApplyReport report, List<String> before) {
        List<String> sentences = new ArrayList<>(before);
        if (!report.removed().isEmpty()) {
            sentences.add("Removed: " + String.join(", ", report.removed()) + '.');
        }
        sentences.add("What was done is kept.");
        return String.join(" ", sentences);
    }

    private static ApplyException failure(ApplyReport report, Outcome outcome, String verb) {
        Map<RuntimeException, List<String>> names = new LinkedHashMap<>();
        report.hosts().stream()
                .sorted(Comparator.comparing(HostOutcome::name))
                .forEach(host -> Optional.ofNullable(host.failure())
                        .ifPresent(failure -> names.computeIfAbsent(failure, key -> new ArrayList<>())
                                .add(host.name())));
        report.failedSteps()
                .forEach(failed -> names.computeIfAbsent(failed.failure(), key -> new ArrayList<>())
                        .add(failed.step()));
        List<String> messages = new ArrayList<>();
        names.forEach((failure, of) -> messages.add(
                failure instanceof HostException
                        ? String.valueOf(failure.getMessage())
                        : String.join(", ", of) + ": " + said(failure)));
        List<RuntimeException> distinct = List.copyOf(names.keySet());
        long good = report.hosts().stream().filter(host -> host.status().ok()).count();
        ApplyException exception = new ApplyException(
                "mesh " + report.mesh() + ": " + verb + " did not finish, " + good + " of "
                        + report.hosts().size() + " hosts are done\n" + String.join("\n", messages)
                        + "\n  " + kept(report, outcome.before()) + ' ' + outcome.next(),
                report,
                distinct.get(0));
        distinct.stream().skip(1).forEach(exception::addSuppressed);
        return exception;
    }
}
