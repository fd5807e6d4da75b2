package dev.promguard.internal.verify;

import dev.promguard.CheckKind;
import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.HostHealth;
import dev.promguard.VerifyReport;
import dev.promguard.VerifyReport.Check;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.Exporter;
import dev.promguard.host.DuplicateKeys;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostFacts.PeerFact;
import dev.promguard.host.Kernel;
import dev.promguard.host.ReleaseInstall;
import dev.promguard.internal.decide.Decision;
import dev.promguard.internal.decide.HostDecision;
import dev.promguard.internal.decide.Problem;
import dev.promguard.internal.observe.HostKeyPolicy;
import dev.promguard.internal.observe.HostObservation.Seen;
import dev.promguard.internal.observe.Observed;
import dev.promguard.internal.observe.Roster;
import dev.promguard.internal.text.Version;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.JumpHost;
import dev.promguard.spi.Login;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.Probe;
import dev.promguard.spi.ProbeResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Judges a mesh by what was observed, decided and probed: whether a host is up to date is what the decision says of it, so that a
 * verification fails where a plan is not empty. A pure function of these. For one verification and one thread.
 */
public final class Verifier {
    private final String provider;
    private final String stateLocation;
    private final String origin;
    private final Decision decision;
    private final ProbeResults probes;
    private final Observed observed;
    private final Roster roster;
    private final Blueprint blueprint;
    private final Map<String, String> addresses;
    private final ReachabilityChecks reachability;
    private final Map<String, HostFacts> facts = new LinkedHashMap<>();
    private final List<Check> checks = new ArrayList<>();
    /** Why hosts could not be observed, by host. */
    private final Map<String, String> unobserved = new TreeMap<>();

    private final Map<String, String> targetHealth = new HashMap<>();

    /** The viewers whose access has ended and was not taken away, with when it ended. */
    private final List<String> expired = new ArrayList<>();

    /**
     * A verifier.
     *
     * @param provider the provider's name, for texts
     * @param stateLocation where the state is, for texts
     * @param origin who makes the checks, and where
     * @param decision what an apply would do
     * @param probes what was probed after the observation that was decided on
     */
    public Verifier(String provider, String stateLocation, String origin, Decision decision, ProbeResults probes) {
        this.provider = provider;
        this.origin = origin;
        this.stateLocation = stateLocation;
        this.decision = decision;
        this.probes = probes;
        this.observed = decision.observed();
        this.roster = observed.roster();
        this.blueprint = roster.blueprint();
        this.addresses = roster.publicAddresses();
        this.reachability = ReachabilityChecks.of(observed);
        reachability
                .tunnels()
                .refused(decision.hosts().stream()
                        .filter(host -> host.kind() == HostDecision.Kind.REFUSED)
                        .map(HostDecision::name)
                        .toList());
    }

    /**
     * Makes every check.
     *
     * @param checkedAt when the observation began
     * @return the report
     */
    public VerifyReport judge(Instant checkedAt) {
        blueprint.viewers().stream()
                .map(Blueprint.Viewer::spec)
                .filter(viewer -> viewer.isExpired(checkedAt))
                .forEach(viewer -> expired.add(
                        viewer.name() + " expired on " + viewer.until().orElseThrow()));
        existing();
        notOfTheSpec();
        mesh();
        roster.present().forEach((name, host) -> {
            if (observed.failure(name).filter(Verifier::isDown).isPresent()) {
                unreachable(name);
            } else if (host.publicAddress().isEmpty()) {
                withoutAddress(name);
            }
        });
        for (Blueprint.Host host : blueprint.hosts()) {
            boolean told = unobserved.containsKey(host.name());
            if (addresses.containsKey(host.name()) && !told) {
                observed.seen(host.name()).ifPresentOrElse(seen -> host(host, seen), () -> unreachable(host.name()));
            }
        }
        keys();
        reachability();
        checks.addAll(DueChecks.unchecked(blueprint, checks, unobserved));
        VerifyReport.Builder report = VerifyReport.builder(blueprint.mesh(), checkedAt, Version.running())
                .origin(origin)
                .blueprint(blueprint);
        blueprint.hosts().forEach(host -> report.addHost(health(host)));
        checks.forEach(report::addCheck);
        return report.build();
    }

    private void existing() {
        for (Blueprint.Host host : blueprint.hosts()) {
            boolean exists = roster.present().containsKey(host.name());
            boolean untagged = roster.identities().hasLostItsTag(host.name());
            checks.add(DueChecks.exists(host.name())
                    .made(
                            list(),
                            untagged ? "there, but it has lost the mesh's tag" : exists ? "there" : "not in the list",
                            exists && !untagged,
                            "Run apply."));
            if (!exists) {
                unobserved.put(host.name(), "the host does not exist");
            }
        }
    }

    private void notOfTheSpec() {
        for (CloudHost host : roster.identities().unmanaged()) {
            checks.add(new CheckItem(host.name(), CheckKind.HOST_IN_STATE, "is known to the state")
                    .failed(
                            list(),
                            "id " + host.id() + " is not in " + stateLocation,
                            "Run plan, which says how to go on."));
        }
        for (CloudHost host : roster.orphaned()) {
            checks.add(new CheckItem(host.name(), CheckKind.HOST_IN_SPEC, "is in the spec")
                    .failed(
                            "a comparison of the spec with the hosts of the state",
                            "id " + host.id() + " is of this mesh and not in the spec",
                            "Run apply, which takes it out of the mesh."));
        }
    }

    private String list() {
        return provider + "'s list of hosts with the mesh's tag";
    }

    private void mesh() {
        List<String> problems = decision.problems().stream()
                .filter(problem -> problem.host().isEmpty() && problem.kind() != Problem.Kind.UNMANAGED_HOST)
                .map(Problem::text)
                .toList();
        if (!problems.isEmpty()) {
            checks.add(new CheckItem("", CheckKind.MESH_CAN_BE_APPLIED, "can be applied")
                    .failed("the state and " + provider, String.join("; ", problems), "Fix what is said there."));
        }
        if (!observed.firewall().isEmpty()) {
            checks.add(
                    new CheckItem("", CheckKind.CLOUD_FIREWALL_UP_TO_DATE, "has its firewall in the cloud up to date")
                            .failed(
                                    "what " + provider + " says of it",
                                    "to do: " + String.join("; ", observed.firewall()),
                                    "Run apply."));
        }
    }

    private void withoutAddress(String host) {
        unobserved.put(host, provider + " knows no address of it");
        checks.add(observable(host)
                .failed(
                        "the address that " + provider + " gives",
                        "none: its name does not resolve here, or none was given to it yet",
                        "See that the name resolves on this machine and that the host runs, then verify again."));
    }

    /** Whether the cloud itself says that a host does not run. */
    private static boolean isDown(RuntimeException failure) {
        return failure instanceof HostException known && known.code() == ErrorCode.HOST_NOT_READY;
    }

    private void unreachable(String host) {
        String why = observed.failure(host)
                .map(failure -> String.valueOf(failure.getMessage()))
                .orElse("it was not observed");
        unobserved.put(host, why);
        checks.add(observable(host)
                .failed(
                        observed.failure(host).filter(Verifier::isDown).isPresent()
                                ? "what " + provider + " says of it"
                                : "SSH with the pinned host key",
                        why,
                        "Bring the host back, then run apply."));
    }

    private static CheckItem observable(String host) {
        return new CheckItem(host, CheckKind.HOST_OBSERVABLE, "can be observed");
    }

    private void host(Blueprint.Host host, Seen seen) {
        HostDecision decided = decision.host(host.name());
        facts.put(host.name(), seen.facts());
        hostKey(host.name(), seen);
        PrometheusAnswer answer = probes.prometheus().get(host.name());
        if (answer != null) {
            PrometheusChecks prometheus = new PrometheusChecks(blueprint, host, reachability.tunnels())
                    .check(answer, decided.desired().orElseThrow());
            checks.addAll(prometheus.checks());
            prometheus
                    .health()
                    .forEach((name, health) -> targetHealth.merge(name, health, (a, b) -> a.equals("up") ? b : a));
        }
        checks.addAll(new HostChecks(blueprint, host, seen.facts(), reachability.tunnels())
                .check(decided, PeerKeys.of(observed), expired));
    }

    private void hostKey(String host, Seen seen) {
        HostKeyFingerprint shown = seen.hostKey();
        HostState state = roster.remembered(host);
        Optional<Login> login =
                roster.inventory().map(inventory -> inventory.logins().get(host));
        boolean pinned = login.map(known -> HostKeyPolicy.accepted(known, state))
                .orElse(state.hostKeys())
                .contains(shown);
        boolean rebuilt = !pinned && state.rebuilt(shown);
        Map<JumpHost, HostKeyFingerprint> unpinned = roster.unpinnedJumpHosts(host, seen);
        String way = roster.jumpHosts(host).stream()
                .map(hop -> ", through " + hop.title()
                        + (unpinned.containsKey(hop)
                                ? " with " + unpinned.get(hop) + ", trusted " + why(hop.login())
                                : ""))
                .collect(Collectors.joining());
        checks.add(DueChecks.hostKey(host)
                .made(
                        "SSH, which sends nothing to a host with another key",
                        shown
                                + (pinned
                                        ? ""
                                        : rebuilt
                                                ? ", the bootstrap host key that it was created with: it was rebuilt"
                                                : ", trusted "
                                                        + login.map(Verifier::why)
                                                                .orElse("on first use"))
                                + way,
                        pinned && unpinned.isEmpty(),
                        rebuilt
                                ? "Run apply, which sets the host up again."
                                : pinned
                                        ? "Nothing is pinned for that jump host yet: run apply."
                                        : state.hostKeys().isEmpty()
                                                ? "Nothing is pinned for this host yet: run apply."
                                                : "Another key is pinned for this host: run apply."));
    }

    private static String why(Login login) {
        return login.certificates().areAccepted() ? "by its certificate" : "on first use";
    }

    /** Whether each host has a key of its own. Keys that are about to be replaced count too: they are what the hosts have now. */
    private void keys() {
        Map<String, PublicKey> shown = new TreeMap<>();
        facts.forEach((name, seen) -> seen.keyFilePublicKey().ifPresent(key -> shown.put(name, key)));
        Map<String, String> duplicates =
                DuplicateKeys.refused(shown, roster.state().publicKeys());
        shown.keySet().forEach(name -> {
            String what = duplicates.get(name);
            checks.add(DueChecks.ownKey(name)
                    .made(
                            "the public key that it shows, beside those of the other hosts",
                            what == null ? "no other host has it" : what,
                            what == null,
                            DuplicateKeys.remedy(roster.blueprint().interfaceName())));
        });
    }

    private void reachability() {
        probes.failures()
                .forEach((name, why) -> checks.add(new CheckItem(
                                name, CheckKind.CAN_PROBE_OTHERS, "can probe the ports of the others")
                        .failed("SSH with the pinned host key", why, "Fix what is said there, and verify again.")));
        AddressProofs proofs = AddressProofs.of(reachability, observed);
        Map<String, Map<Probe, ProbeResult>> inside = proofs.proven(probes.inside(), probes.hostKeys());
        checks.addAll(reachability.inside(inside, proofs.notJudged(probes.inside(), inside)));
        checks.addAll(reachability.outside(probes.outside(), inside));
        facts.forEach((name, seen) -> checks.add(ListenerChecks.check(
                blueprint,
                blueprint.host(name),
                seen,
                reachability.answersByPort(name, probes.outside(), inside),
                reachability.published(name))));
    }

    private HostHealth health(Blueprint.Host host) {
        HostHealth.Builder health = HostHealth.builder(host.name(), host.spec().region(), host.address())
                .target(targetHealth.getOrDefault(host.name(), "unknown"));
        Optional.ofNullable(addresses.get(host.name())).ifPresent(health::publicAddress);
        Optional.ofNullable(facts.get(host.name()))
                .flatMap(this::oldestHandshake)
                .ifPresent(health::handshakeAge);
        Optional.ofNullable(facts.get(host.name())).ifPresent(seen -> {
            health.system((seen.osId() + ' ' + seen.osVersion()).strip()).software(software(host, seen));
            seen.of(Kernel.FACTS).release().ifPresent(health::kernel);
        });
        return health.build();
    }

    /** The versions of the programs that are there, as far as they are the mesh's. */
    private Map<String, String> software(Blueprint.Host host, HostFacts seen) {
        Map<String, String> versions = new TreeMap<>();
        decision.host(host.name())
                .desired()
                .ifPresent(desired -> desired.releases().stream()
                        .map(ReleaseInstall::release)
                        .filter(release -> seen.releases().containsKey(release.name() + '-' + release.version()))
                        .forEach(release -> versions.put(release.name(), release.version())));
        for (Exporter exporter : host.spec().exporters()) {
            if (exporter.source() instanceof Exporter.FromPackage source) {
                Optional.ofNullable(seen.packages().get(source.debianPackage()))
                        .ifPresent(version -> versions.put(exporter.name(), version));
            }
        }
        return versions;
    }

    /** A viewer's machine may sleep for days. */
    private Optional<Duration> oldestHandshake(HostFacts facts) {
        Set<String> viewers = blueprint.viewers().stream()
                .map(viewer -> viewer.spec().publicKey())
                .collect(Collectors.toSet());
        List<PeerFact> peers = facts.wireGuard().map(running -> running.peers()).orElse(List.of()).stream()
                .filter(peer -> !viewers.contains(peer.publicKey().base64()))
                .toList();
        if (peers.stream().anyMatch(peer -> peer.handshakeAge().isEmpty())) {
            return Optional.empty();
        }
        return peers.stream().flatMap(peer -> peer.handshakeAge().stream()).max(Duration::compareTo);
    }
}
