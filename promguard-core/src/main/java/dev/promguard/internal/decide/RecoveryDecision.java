package dev.promguard.internal.decide;

import dev.promguard.ErrorCode;
import dev.promguard.PromGuardException;
import dev.promguard.blueprint.HostSpec;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.blueprint.Names;
import dev.promguard.blueprint.Role;
import dev.promguard.blueprint.ViewerSpec;
import dev.promguard.host.HostFacts;
import dev.promguard.host.HostFacts.WireGuardFact;
import dev.promguard.host.LastApplied;
import dev.promguard.host.Membership;
import dev.promguard.host.Membership.MembershipFact;
import dev.promguard.internal.observe.HostObservation.Seen;
import dev.promguard.internal.observe.HostObservation.Unreachable;
import dev.promguard.internal.observe.RecoveryAccess;
import dev.promguard.internal.observe.RecoveryObserver;
import dev.promguard.internal.observe.RecoveryObserver.Anchor;
import dev.promguard.internal.observe.RecoveryObserver.Candidate;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.PublicKey;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What the state of a mesh was, by what its hosts say. A pure function of the spec, what was read and what a copy of the state knows. Where
 * two answers are possible, there is a problem and no guess.
 *
 * @param hosts the hosts of the mesh, by name
 * @param missing where hosts of the spec would be that do not exist: their address inside the tunnels, by name; an empty text where no other
 *     host knows it
 * @param problems what keeps the state from being rebuilt
 * @param notes what else a person should know
 * @param state the state; has no meaning if there are problems
 */
public record RecoveryDecision(
        Map<String, Host> hosts,
        Map<String, String> missing,
        List<Finding> problems,
        List<String> notes,
        MeshState state) {
    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     */
    public RecoveryDecision {
        hosts = Map.copyOf(hosts);
        missing = Map.copyOf(missing);
        problems = List.copyOf(problems);
        notes = List.copyOf(notes);
        Objects.requireNonNull(state, "state");
    }

    /**
     * A host of the mesh.
     *
     * @param host the host, under the mesh's name for it
     * @param seen what was read of it
     * @param anchor by what its host key is known
     * @param address its address inside the tunnels
     * @param publicKey its WireGuard public key
     */
    public record Host(CloudHost host, Seen seen, Anchor anchor, String address, PublicKey publicKey) {
        /**
         * Checks that all are there.
         *
         * @throws NullPointerException if one is null
         */
        public Host {
            Objects.requireNonNull(host, "host");
            Objects.requireNonNull(seen, "seen");
            Objects.requireNonNull(anchor, "anchor");
            Objects.requireNonNull(address, "address");
            Objects.requireNonNull(publicKey, "publicKey");
        }
    }

    /**
     * Something that keeps the state from being rebuilt.
     *
     * @param code the code of such failures
     * @param host the host that it is about; empty for the mesh as a whole
     * @param message what is wrong, as a clause
     * @param remedy what to do about it; an empty text where the message says it
     */
    public record Finding(ErrorCode code, Optional<String> host, String message, String remedy) {
        /**
         * Checks that all are there.
         *
         * @throws NullPointerException if one is null
         */
        public Finding {
            Objects.requireNonNull(code, "code");
            Objects.requireNonNull(host, "host");
            Objects.requireNonNull(message, "message");
            Objects.requireNonNull(remedy, "remedy");
        }
    }

    /**
     * Decides.
     *
     * @param spec the spec
     * @param inventory whether the hosts were there before the mesh
     * @param access what the user has said
     * @param known what a copy of the state knows, or an empty state
     * @param candidates what was read
     * @return the decision
     */
    public static RecoveryDecision of(
            MeshSpec spec, boolean inventory, RecoveryAccess access, MeshState known, List<Candidate> candidates) {
        return new Maker(spec, inventory, access, known, candidates).decide();
    }

    private static final class Maker {
        private final MeshSpec spec;
        private final boolean inventory;
        private final RecoveryAccess access;
        private final MeshState known;
        private final List<Candidate> candidates;
        private final Map<PublicKey, Set<String>> names = new HashMap<>();
        private final Map<String, Set<String>> addresses = new TreeMap<>();
        private final Set<PublicKey> peerKeys = new java.util.HashSet<>();
        private final List<Host> hosts = new ArrayList<>();
        private final Set<String> unsettled = new TreeSet<>();
        private final List<Finding> problems = new ArrayList<>();
        private final List<String> notes = new ArrayList<>();

        Maker(MeshSpec spec, boolean inventory, RecoveryAccess access, MeshState known, List<Candidate> candidates) {
            this.spec = spec;
            this.inventory = inventory;
            this.access = access;
            this.known = known;
            this.candidates = candidates;
        }

        RecoveryDecision decide() {
            candidates.forEach(this::learnPeers);
            candidates.forEach(this::judge);
            requireDistinct(
                    host -> host.host().name(),
                    "are both",
                    "Delete the one that is not the mesh's with deleteUnmanaged(id), or leave it out with leaveOut(id).");
            requireDistinct(
                    Host::address,
                    "both have the WireGuard address",
                    "One may be a copy of the other: leave the one that is not the mesh's out with leaveOut(id).");
            requireDistinct(
                    host -> host.publicKey().base64(),
                    "both have the WireGuard key",
                    "One may be a copy of the other: leave the one that is not the mesh's out with leaveOut(id).");
            Map<String, Host> byName = new TreeMap<>();
            hosts.forEach(host -> byName.putIfAbsent(host.host().name(), host));
            Map<String, String> missing = missing(byName);
            if (byName.isEmpty() && problems.isEmpty()) {
                problem(
                        ErrorCode.NOTHING_TO_RECOVER,
                        Optional.empty(),
                        inventory ? "no host of the inventory has parts of it" : "no host carries its tag",
                        "If the name is right, there is no mesh: run apply, which creates one.");
            }
            return new RecoveryDecision(
                    byName,
                    missing,
                    problems,
                    notes,
                    problems.isEmpty() ? state(byName, missing) : MeshState.empty(spec.name()));
        }

        private void problem(ErrorCode code, Optional<String> host, String message, String remedy) {
            // Messages of others end as sentences do, and another follows here.
            problems.add(new Finding(code, host, message.replaceFirst("[.]$", ""), remedy));
        }

        /** Takes note of what the mesh's hosts call each other. */
        private void learnPeers(Candidate candidate) {
            if (candidate.seen() instanceof Seen seen) {
                MembershipFact fact = seen.facts().of(Membership.FACTS);
                if (fact.meshes().equals(Set.of(spec.name()))) {
                    fact.peers().forEach(peer -> {
                        names.computeIfAbsent(peer.publicKey(), key -> new TreeSet<>())
                                .add(peer.name());
                        addresses
                                .computeIfAbsent(peer.name(), name -> new TreeSet<>())
                                .add(peer.address());
                        peerKeys.add(peer.publicKey());
                    });
                }
            }
        }

        private boolean isInSpec(String name) {
            return spec.hosts().stream().anyMatch(host -> host.name().equals(name));
        }

        private void judge(Candidate candidate) {
            CloudHost host = candidate.host();
            if (candidate.seen() instanceof Unreachable unreachable) {
                if (inventory && !isInSpec(host.name())) {
                    notes.add(host.name() + " of the inventory could not be read; the spec does not name it");
                    return;
                }
                RuntimeException failure = unreachable.failure();
                problem(
                        failure instanceof PromGuardException own ? own.code() : ErrorCode.CONNECT_FAILED,
                        Optional.of(host.name()),
                        failure instanceof PromGuardException own ? own.reason() : String.valueOf(failure.getMessage()),
                        leaveOut(host));
            } else if (candidate.seen() instanceof Seen seen) {
                judge(candidate, seen);
            }
        }

        private static String leaveOut(CloudHost host) {
            return "To recover the others without it, say leaveOut(\"" + host.id() + "\").";
        }

        private void judge(Candidate candidate, Seen seen) {
            CloudHost host = candidate.host();
            HostFacts facts = seen.facts();
            MembershipFact fact = facts.of(Membership.FACTS);
            Optional<PublicKey> key =
                    facts.wireGuard().flatMap(WireGuardFact::publicKey).or(facts::keyFilePublicKey);
            if (fact.meshes().isEmpty()) {
                notAMember(host, candidate.tagged());
            } else if (!fact.meshes().equals(Set.of(spec.name()))) {
                if (!inventory || isInSpec(host.name()) || fact.meshes().contains(spec.name())) {
                    problem(
                            ErrorCode.RECOVERY_AMBIGUOUS,
                            Optional.of(host.name()),
                            "it has parts of mesh " + Membership.inWords(fact.meshes()) + ", and not of " + spec.name()
                                    + (fact.meshes().size() > 1 ? " alone" : ""),
                            "Name the right mesh with name(…). " + leaveOut(host));
                }
            } else if (facts.rollbackPending()) {
                problem(
                        ErrorCode.HOST_BUSY,
                        Optional.of(host.name()),
                        "changes of an earlier run wait there for a confirmation",
                        "Run again in a few minutes, when it has taken them back. " + leaveOut(host));
            } else if (fact.interfaceName()
                    .filter(name -> !name.equals(spec.wireGuard().interfaceName()))
                    .isPresent()) {
                problem(
                        ErrorCode.RECOVERY_AMBIGUOUS,
                        Optional.of(host.name()),
                        "the mesh's interface on it is " + fact.interfaceName().get() + ", and the spec says "
                                + spec.wireGuard().interfaceName(),
                        "Set interfaceName(\"" + fact.interfaceName().get() + "\").");
            } else if (fact.address().isEmpty() || key.isEmpty()) {
                problem(
                        ErrorCode.RECOVERY_AMBIGUOUS,
                        Optional.of(host.name()),
                        "an earlier run began to set it up and did not come to WireGuard, so that it has no "
                                + (key.isEmpty() ? "key" : "address"),
                        leaveOut(host));
            } else {
                named(host, key.get()).ifPresent(name -> {
                    hosts.add(new Host(
                            host.withName(name),
                            seen,
                            candidate.anchor(),
                            fact.address().get(),
                            key.get()));
                    if (!candidate.tagged()) {
                        notes.add(name + " (id " + host.id()
                                + ") does not carry the mesh's tag; the state knows it, and apply puts the tag back");
                    }
                });
            }
        }

        private void notAMember(CloudHost host, boolean tagged) {
            if (inventory) {
                if (isInSpec(host.name())) {
                    unsettled.add(host.name());
                }
            } else if (!tagged) {
                problem(
                        ErrorCode.RECOVERY_AMBIGUOUS,
                        Optional.of(host.name()),
                        "the state knows it (id " + host.id()
                                + "), but it does not carry the mesh's tag, and nothing on it is PromGuard's",
                        leaveOut(host));
            } else {
                problem(
                        ErrorCode.RECOVERY_AMBIGUOUS,
                        Optional.of(host.name()),
                        "it carries the mesh's tag (id " + host.id() + "), and nothing on it is PromGuard's",
                        "Delete it with deleteUnmanaged(\"" + host.id() + "\"), or leave it out with leaveOut(\""
                                + host.id() + "\") and then adopt it with adopt(\"" + host.name() + "\").");
            }
        }

        /** The mesh's name for a host: what its peers call it, since names in a cloud are changed by other hands. */
        private Optional<String> named(CloudHost host, PublicKey key) {
            Set<String> called = names.getOrDefault(key, Set.of(host.name()));
            if (called.size() > 1) {
                problem(
                        ErrorCode.RECOVERY_AMBIGUOUS,
                        Optional.of(host.name()),
                        "its peers call it " + String.join(" and ", called),
                        leaveOut(host));
                return Optional.empty();
            }
            String name = called.iterator().next();
            if (!name.equals(host.name())) {
                if (inventory) {
                    problem(
                            ErrorCode.RECOVERY_AMBIGUOUS,
                            Optional.of(host.name()),
                            "the mesh knows it as " + name,
                            "Name it so in the inventory and in the spec.");
                    return Optional.empty();
                }
                notes.add(name + " is called " + Names.printable(host.name())
                        + " in the cloud; it is known by its WireGuard key");
            }
            if (!Names.isHost(name)) {
                problem(
                        ErrorCode.RECOVERY_AMBIGUOUS,
                        Optional.of(host.name()),
                        "its name is none that a host of a mesh may have",
                        leaveOut(host));
                return Optional.empty();
            }
            return Optional.of(name);
        }

        private void requireDistinct(Function<Host, String> by, String what, String remedy) {
            Map<String, List<Host>> groups =
                    hosts.stream().collect(Collectors.groupingBy(by, TreeMap::new, Collectors.toList()));
            groups.forEach((value, group) -> {
                if (group.size() > 1) {
                    problem(
                            ErrorCode.RECOVERY_AMBIGUOUS,
                            Optional.empty(),
                            group.stream()
                                            .map(host -> host.host().name() + " (id "
                                                    + host.host().id() + ")")
                                            .collect(Collectors.joining(" and "))
                                    + ' '
                                    + what
                                    + ' '
                                    + value,
                            remedy);
                }
            });
        }

        private Map<String, String> missing(Map<String, Host> found) {
            Map<String, String> missing = new TreeMap<>();
            Set<String> blocked = problems.stream()
                    .flatMap(problem -> problem.host().stream())
                    .collect(Collectors.toSet());
            Set<String> held = found.values().stream().map(Host::address).collect(Collectors.toSet());
            for (HostSpec host : spec.hosts()) {
                String name = host.name();
                if (found.containsKey(name) || blocked.contains(name)) {
                    continue;
                }
                Set<String> at = addresses.getOrDefault(name, Set.of());
                String address = at.size() == 1 && !held.contains(at.iterator().next())
                        ? at.iterator().next()
                        : Optional.ofNullable(known.hosts().get(name))
                                .map(HostState::address)
                                .filter(old -> at.isEmpty() && !held.contains(old))
                                .orElse("");
                missing.put(name, address);
                held.add(address);
                if (host.role() == Role.MONITOR && !access.leavesOut(name, name)) {
                    problem(
                            ErrorCode.RECOVERY_AMBIGUOUS,
                            Optional.of(name),
                            unsettled.contains(name)
                                    ? "it is a monitor, and nothing on it is the mesh's"
                                    : "this monitor does not exist",
                            "An apply would set it up anew, without the history of Prometheus. If that is right, say leaveOut(\""
                                    + name + "\").");
                }
            }
            return missing;
        }

        private MeshState state(Map<String, Host> found, Map<String, String> missing) {
            Map<String, HostState> states = new TreeMap<>();
            Map<String, HostKeyFingerprint> jumpHosts = new TreeMap<>();
            found.forEach((name, host) -> {
                states.put(name, state(host));
                jumpHosts.putAll(host.seen().jumpKeys());
            });
            Map<String, String> resting = new TreeMap<>();
            missing.forEach((name, address) -> {
                if (Names.isAddress(address)) {
                    resting.put(name, address);
                }
            });
            Map<String, MeshState.ViewerState> viewers = new TreeMap<>();
            for (ViewerSpec viewer : spec.viewers()) {
                Set<String> at = addresses.getOrDefault(viewer.name(), Set.of());
                PublicKey key = new PublicKey(viewer.publicKey());
                if (peerKeys.contains(key) && at.size() == 1) {
                    viewers.put(
                            viewer.name(),
                            new MeshState.ViewerState(at.iterator().next(), key));
                }
            }
            Set<String> guarded = spec.hosts().stream()
                    .filter(HostSpec::isProtected)
                    .map(HostSpec::name)
                    .filter(found::containsKey)
                    .collect(Collectors.toSet());
            return new MeshState(
                    spec.name(), states, resting, List.of(), Optional.empty(), jumpHosts, guarded, viewers);
        }

        private HostState state(Host host) {
            Optional<HostState> old = RecoveryObserver.remembered(known, host.host());
            HostKeyFingerprint shown = host.seen().hostKey();
            return new HostState(
                    host.address(),
                    Optional.of(host.host().id()),
                    Optional.of(host.publicKey()),
                    Set.of(shown),
                    old.flatMap(HostState::bootstrapKey),
                    old.flatMap(HostState::lastApplied)
                            .or(() -> Optional.of(firewall(host.seen().facts()))),
                    old.filter(state -> state.hostKeys().equals(Set.of(shown))).flatMap(HostState::pinnedAt));
        }

        /** That much is certain: a host of the mesh had its firewall on, and serves somebody. */
        private static LastApplied firewall(HostFacts facts) {
            return new LastApplied(
                    Set.of(),
                    Set.of(),
                    Map.of(),
                    Map.of(),
                    facts.firewall().active(),
                    Optional.empty(),
                    Optional.empty(),
                    Set.of());
        }
    }
}
