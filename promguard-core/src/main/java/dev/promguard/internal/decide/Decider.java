package dev.promguard.internal.decide;

import dev.promguard.InvalidMeshException;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Planner;
import dev.promguard.blueprint.Role;
import dev.promguard.host.AuthorizedKeys;
import dev.promguard.host.Change;
import dev.promguard.host.Conflicts;
import dev.promguard.host.DesiredHost;
import dev.promguard.host.Differ;
import dev.promguard.host.Drift;
import dev.promguard.host.DuplicateKeys;
import dev.promguard.host.ExplainedChange;
import dev.promguard.host.Explanation;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostProblem;
import dev.promguard.host.Interfaces;
import dev.promguard.host.KeyChanges;
import dev.promguard.host.LastApplied;
import dev.promguard.host.Manifest;
import dev.promguard.host.Membership;
import dev.promguard.host.MeshTraffic;
import dev.promguard.host.Packages;
import dev.promguard.host.Renderer;
import dev.promguard.host.ServedPorts;
import dev.promguard.host.SymbolicKeys;
import dev.promguard.host.ViewerFiles;
import dev.promguard.internal.observe.HostObservation;
import dev.promguard.internal.observe.HostObservation.Seen;
import dev.promguard.internal.observe.HostObservation.Unreachable;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.observe.Roster;
import dev.promguard.keys.PublicKey;
import dev.promguard.keys.SshPublicKey;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.Preflight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Decides what a run does. A pure function of the spec, the state and the observation: the same for plan, apply, rotation and
 * verification. Thread-safe.
 */
public final class Decider {
    /** The text of plans and reports for a host that has lost its disk. */
    public static final String REBUILT = "set up again: it was rebuilt, and shows the host key of its creation";

    /** The text of plans and reports for a host that has lost its tag. */
    public static final String LOST_TAG = "has lost its tag in the cloud: put the mesh's tag back";

    /** The stable name of the kind of resource that a host itself is. */
    public static final String HOST = "host";

    /** The stable name of the kind of resource that the mesh's tag on a host is. */
    public static final String CLOUD_TAG = "cloud-tag";

    private final Renderer renderer;
    private final String stateLocation;

    private static final String PROMETHEUS_PORT = "prometheus(settings -> settings.port(…))";

    /**
     * A decider.
     *
     * @param renderer what renders hosts' files
     * @param stateLocation where the state is, for messages
     */
    public Decider(Renderer renderer, String stateLocation) {
        this.renderer = renderer;
        this.stateLocation = stateLocation;
    }

    /**
     * Refuses what no observation of hosts could make possible, before any host is contacted.
     *
     * @param roster the hosts
     * @param preflight the cloud's answer about the hosts to create
     * @param acts whether the run is going to act; a plan only shows hosts that the state does not know
     * @throws InvalidMeshException if something cannot be; it names everything that the cloud alone can tell
     */
    public void refuse(Roster roster, Preflight preflight, boolean acts) {
        List<Problem> problems = Problem.ofCloud(roster, preflight, stateLocation);
        if (problems.stream().anyMatch(problem -> acts || problem.kind() != Problem.Kind.UNMANAGED_HOST)) {
            throw Problem.refusal(roster.blueprint().mesh(), problems);
        }
    }

    /**
     * Decides.
     *
     * @param request the request
     * @param observed what was observed
     * @return the decision; see {@link Decision#orThrow()}
     */
    public Decision decide(Request request, Observed observed) {
        KeyDecision keys = KeyDecision.of(request, observed);
        List<HostDecision> hosts = hosts(observed, keys);
        Optional<Problem> heldBack = request.rotate() ? KeyDecision.heldBack(hosts) : Optional.empty();
        if (heldBack.isPresent()) {
            // A rotation that some host cannot take part in does what an apply does, and changes no key.
            keys = KeyDecision.of(new Request(false, request.keepingKeys()), observed);
            hosts = hosts(observed, keys);
        }
        Request decided = request.keeping(keepingKeys(request, keys, hosts));
        if (!decided.equals(request)) {
            keys = KeyDecision.of(new Request(request.rotate() && heldBack.isEmpty(), decided.keepingKeys()), observed);
            hosts = hosts(observed, keys);
        }
        return new Decision(
                decided, observed, keys, hosts, Problem.all(decided, observed, keys, hosts, heldBack, stateLocation));
    }

    /** A host that is refused takes no new keys: its peers would get others for it with each run. */
    private static Set<String> keepingKeys(Request request, KeyDecision keys, List<HostDecision> hosts) {
        Set<String> keeping = new HashSet<>(request.keepingKeys());
        hosts.stream()
                .filter(host -> host.kind() == HostDecision.Kind.REFUSED)
                .map(HostDecision::name)
                .filter(name -> !keys.changesOf(name).isEmpty())
                .forEach(keeping::add);
        return keeping;
    }

    private List<HostDecision> hosts(Observed observed, KeyDecision keys) {
        return observed.roster().selected().stream()
                .map(host -> decide(observed, keys, host))
                .toList();
    }

    private HostDecision decide(Observed observed, KeyDecision keys, Blueprint.Host host) {
        HostObservation seen = observed.hosts().get(host.name());
        if (seen instanceof Seen known) {
            return decide(observed, keys, host, known);
        } else if (seen instanceof HostObservation.Absent) {
            return HostDecision.unread(host, HostDecision.Kind.CREATE, List.of());
        } else if (seen instanceof Unreachable unreachable) {
            Problem problem = Problem.unreachable(host.name(), unreachable.failure());
            boolean adopted = observed.roster().identities().adopted().containsKey(host.name());
            return HostDecision.unread(
                    host, HostDecision.Kind.REFUSED, List.of(adopted ? problem.ofAdoption() : problem));
        }
        return HostDecision.unread(
                host,
                HostDecision.Kind.AWAITED,
                List.of(Problem.ofHost(
                        Problem.Kind.NOT_READY,
                        host.name(),
                        new HostProblem("it is not running, or has no public address yet", ""))));
    }

    private HostDecision decide(Observed observed, KeyDecision keys, Blueprint.Host host, Seen seen) {
        Roster roster = observed.roster();
        HostFacts facts = seen.facts();
        HostState state = roster.remembered(host.name());
        DesiredHost desired = desired(observed, keys, host);
        List<Problem> problems = problems(roster, keys, host, desired, seen);
        if (!problems.isEmpty()) {
            return new HostDecision(
                    host,
                    HostDecision.Kind.REFUSED,
                    Optional.of(desired),
                    List.of(),
                    List.of(),
                    List.of(),
                    List.of(),
                    problems,
                    false);
        }
        boolean rebuilt = state.rebuilt(seen.hostKey());
        boolean replaceHostKey = state.bootstrapKey().equals(Optional.of(seen.hostKey()));
        KeyChanges newKeys = keys.changesOf(host.name());
        List<Change> changes = admitting(
                roster,
                host.name(),
                withManifest(roster, Differ.diff(desired, facts, newKeys, replaceHostKey), facts),
                facts);
        LastApplied left = rebuilt ? LastApplied.NONE : state.lastApplied().orElse(LastApplied.NONE);
        List<ExplainedChange> planned = new ArrayList<>();
        if (roster.identities().hasLostItsTag(host.name())) {
            planned.add(ExplainedChange.of(CLOUD_TAG, Change.Action.UPDATE, host.name(), true, LOST_TAG));
        }
        planned.addAll(FirstContact.of(roster, host.name(), seen));
        if (rebuilt) {
            planned.add(ExplainedChange.of(HOST, Change.Action.UPDATE, host.name(), true, REBUILT));
        }
        planned.addAll(Removals.protection(roster, host));
        planned.addAll(ViewerAccess.changes(roster, host, facts));
        planned.addAll(Placement.differences(roster, host.name()));
        List<List<ExplainedChange>> explained = Explanation.each(
                desired, facts, left, changes, observed.expected().getOrDefault(host.name(), desired), keys.pairs());
        explained.forEach(planned::addAll);
        return new HostDecision(
                host,
                planned.isEmpty() ? HostDecision.Kind.KEEP : HostDecision.Kind.CHANGE,
                Optional.of(desired),
                changes,
                Drift.among(desired, facts, left, changes),
                planned,
                explained.stream().map(List::size).toList(),
                List.of(),
                rebuilt);
    }

    private DesiredHost desired(Observed observed, KeyDecision keys, Blueprint.Host host) {
        Roster roster = observed.roster();
        Map<String, PublicKey> known = new HashMap<>(keys.known());
        known.putIfAbsent(host.name(), SymbolicKeys.of(host.name()));
        return renderer.render(
                roster.blueprint(),
                host.name(),
                KnownEndpoints.addresses(observed, host, known),
                known,
                keys.sharedBy(host.name()));
    }

    /** All problems of one host, in the order in which they are reported. */
    private static List<Problem> problems(
            Roster roster, KeyDecision keys, Blueprint.Host host, DesiredHost desired, Seen seen) {
        String name = host.name();
        HostFacts facts = seen.facts();
        Blueprint blueprint = roster.blueprint();
        List<Problem> problems = new ArrayList<>();
        if (roster.identities().adopted().containsKey(name)) {
            Set<String> meshes = facts.of(Membership.FACTS).meshes();
            if (!meshes.isEmpty() && !meshes.equals(Set.of(blueprint.mesh()))) {
                problems.add(Problem.notAdoptable(
                        Optional.of(name),
                        new HostProblem(
                                "it is to be adopted, and has parts of mesh " + Membership.inWords(meshes),
                                "Destroy that mesh first, or leave adopt(…) out.")));
                return problems;
            }
        }
        Differ.problems(desired, facts)
                .forEach(problem -> problems.add(Problem.ofHost(Problem.Kind.UNSUPPORTED, name, problem)));
        Optional<HostProblem> renamed = Interfaces.renamed(blueprint.mesh(), desired, facts);
        if (renamed.isPresent()) {
            problems.add(Problem.ofHost(Problem.Kind.CONFLICT, name, renamed.get()));
            return problems;
        }
        List<String> overlaps = new ArrayList<>(Planner.overlaps(blueprint.spec(), facts.addresses()));
        overlaps.addAll(Interfaces.overlaps(blueprint.spec(), facts));
        if (!overlaps.isEmpty()) {
            problems.add(Problem.ofHost(
                    Problem.Kind.NETWORK_OVERLAP,
                    name,
                    new HostProblem(
                            "the mesh's network " + blueprint.spec().network() + " overlaps the host's own "
                                    + String.join(", ", overlaps),
                            "Choose another network with network(…).")));
        }
        Interfaces.problems(desired, facts)
                .forEach(problem -> problems.add(Problem.ofHost(Problem.Kind.CONFLICT, name, problem)));
        if (roster.inventory().isPresent()) {
            Conflicts.inTheWay(blueprint.mesh(), desired, facts, ports(blueprint, host))
                    .forEach(problem -> problems.add(Problem.ofHost(Problem.Kind.CONFLICT, name, problem)));
            Stream.concat(ServedPorts.otherFirewalls(facts).stream(), ServedPorts.dormantSettings(facts).stream())
                    .forEach(problem -> problems.add(Problem.ofHost(Problem.Kind.CONFLICT, name, problem)));
        }
        MeshTraffic.of(desired, facts).blocked().stream()
                .filter(blocked -> !blocked.fixable())
                .forEach(
                        blocked -> problems.add(Problem.ofHost(Problem.Kind.TRAFFIC_BLOCKED, name, blocked.problem())));
        if (servesSomebody(roster, name, seen)) {
            ServedPorts.problem(desired, facts)
                    .ifPresent(problem -> problems.add(Problem.ofHost(Problem.Kind.PORTS_IN_USE, name, problem)));
        }
        Packages.problem(desired, facts)
                .ifPresent(problem -> problems.add(Problem.ofHost(Problem.Kind.PACKAGES_REMOVED, name, problem)));
        Packages.refused(facts)
                .forEach(problem -> problems.add(Problem.ofHost(Problem.Kind.PACKAGES_HELD, name, problem)));
        Optional.ofNullable(keys.rejected().get(name))
                .ifPresent(shown -> problems.add(Problem.ofHost(
                        Problem.Kind.DUPLICATE_KEY,
                        name,
                        new HostProblem(shown, DuplicateKeys.remedy(blueprint.interfaceName())))));
        Optional.ofNullable(keys.deferred().get(name))
                .ifPresent(peers -> problems.add(Problem.ofHost(
                        Problem.Kind.WAITS_FOR_PEERS,
                        name,
                        new HostProblem(
                                "it has running tunnels with hosts that cannot take part: " + String.join(", ", peers),
                                "Make those reachable, or take them out of the mesh."))));
        return problems;
    }

    /** Whether a host may be in use: one that was created for the mesh serves nobody before it is set up for the first time. */
    private static boolean servesSomebody(Roster roster, String name, Seen seen) {
        HostState state = roster.remembered(name);
        return roster.inventory().isPresent()
                || (!state.rebuilt(seen.hostKey())
                        && state.lastApplied().filter(LastApplied::firewall).isPresent());
    }

    /** The ports that PromGuard's units are to listen on. */
    private static List<Conflicts.Claim> ports(Blueprint blueprint, Blueprint.Host host) {
        List<Conflicts.Claim> ports = new ArrayList<>();
        ports.add(new Conflicts.Claim(
                "node_exporter.service", host.address(), blueprint.spec().nodeExporterPort(), "nodeExporterPort(…)"));
        host.spec()
                .exporters()
                .forEach(exporter -> ports.add(new Conflicts.Claim(
                        exporter.unit(), host.address(), exporter.port(), "the exporter's withPort(…)")));
        if (host.role() == Role.MONITOR) {
            ports.add(new Conflicts.Claim(
                    "prometheus.service",
                    "127.0.0.1",
                    blueprint.spec().prometheus().port(),
                    PROMETHEUS_PORT));
            if (!blueprint.viewers().isEmpty()) {
                ports.add(new Conflicts.Claim(
                        ViewerFiles.SOCKET,
                        host.address(),
                        blueprint.spec().prometheus().port(),
                        PROMETHEUS_PORT));
            }
        }
        return ports;
    }

    /** A host that somebody else created admits the mesh's login key first. */
    private static List<Change> admitting(Roster roster, String name, List<Change> changes, HostFacts facts) {
        SshPublicKey key = roster.identities().adopted().get(name);
        if (key == null || facts.of(AuthorizedKeys.FACTS).all().contains(key)) {
            return changes;
        }
        List<Change> all = new ArrayList<>();
        all.add(new AuthorizedKeys.AdmitMesh(key));
        all.addAll(changes);
        return all;
    }

    /** On a host that stays when the mesh goes, a manifest is begun before the first change. */
    private static List<Change> withManifest(Roster roster, List<Change> changes, HostFacts facts) {
        if (roster.inventory().isEmpty()
                || changes.isEmpty()
                || facts.manifest().isPresent()) {
            return changes;
        }
        List<Change> all = new ArrayList<>();
        all.add(new Manifest.Begin(roster.blueprint().mesh()));
        all.addAll(changes);
        return all;
    }
}
