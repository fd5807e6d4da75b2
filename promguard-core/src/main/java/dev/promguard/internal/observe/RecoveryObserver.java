package dev.promguard.internal.observe;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.MeshEvent;
import dev.promguard.host.HostFacts;
import dev.promguard.host.Membership;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.Parallel;
import dev.promguard.internal.run.RunStep;
import dev.promguard.internal.run.Timeouts;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.CloudHost;
import dev.promguard.spi.FoundHost;
import dev.promguard.spi.HostCertificates;
import dev.promguard.spi.HostInventory;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import dev.promguard.spi.MeshState;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.ProvisioningResult;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads from hosts what the state of their mesh was. Changes nothing. */
public final class RecoveryObserver {
    private final Context context;
    private final RecoveryAccess access;
    private final MeshState known;
    private final List<Identity> identities;
    private final HostKeyPolicy policy;

    /**
     * An observer.
     *
     * @param context the run's context
     * @param access how it gets in
     * @param known what a copy of the state knows, or an empty state
     * @param identities what to log in with to hosts of a cloud, in the order in which they are tried
     */
    public RecoveryObserver(Context context, RecoveryAccess access, MeshState known, List<Identity> identities) {
        this.context = context;
        this.access = access;
        this.known = known;
        this.identities = List.copyOf(identities);
        this.policy = new HostKeyPolicy(context);
    }

    /** By what the SSH host key of a host is known. */
    public enum Anchor {
        /** The user gave it. */
        GIVEN("given"),
        /** A copy of the state knows it. */
        BACKUP("from the copy of the state"),
        /** A certificate vouches for it. */
        CERTIFICATE("by certificate"),
        /** The user has allowed to trust it. */
        FIRST_USE("trusted on first use"),
        /** The inventory says. */
        INVENTORY("by the inventory");

        private final String words;

        Anchor(String words) {
            this.words = words;
        }

        /**
         * The anchor for people.
         *
         * @return such as {@code given}
         */
        public String words() {
            return words;
        }
    }

    /**
     * A host that may be the mesh's.
     *
     * @param host the host, as the provider knows it
     * @param tagged whether it carries the mesh's tag; if not, a copy of the state knows its id
     * @param seen what was read of it
     * @param anchor by what its host key is known
     */
    public record Candidate(CloudHost host, boolean tagged, HostObservation seen, Anchor anchor) {
        /**
         * Checks that all are there.
         *
         * @throws NullPointerException if one is null
         */
        public Candidate {
            Objects.requireNonNull(host, "host");
            Objects.requireNonNull(seen, "seen");
            Objects.requireNonNull(anchor, "anchor");
        }
    }

    /**
     * Reads hosts, several at once.
     *
     * @param hosts the hosts
     * @param sessions where the sessions are kept, by the hosts' ids
     * @return what is known of each, in the same order
     */
    public List<Candidate> read(List<FoundHost> hosts, Sessions sessions) {
        Map<String, CloudHost> byId = new LinkedHashMap<>();
        Set<String> tagged = new HashSet<>();
        for (FoundHost found : hosts) {
            byId.put(found.host().id(), found.host());
            if (found.tagged()) {
                tagged.add(found.host().id());
            }
        }
        List<RunStep> steps =
                byId.values().stream().map(RecoveryObserver::reading).collect(Collectors.toCollection(ArrayList::new));
        context.events().expectOf(MeshEvent.Verb.PLAN, steps);
        context.events().expectOf(MeshEvent.Verb.RECOVER, steps);
        resolved(byId);
        List<Candidate> candidates = new ArrayList<>();
        Parallel.map(byId.keySet(), context.parallelism(), id -> {
                    CloudHost host = Objects.requireNonNull(byId.get(id));
                    return new Candidate(host, tagged.contains(id), read(host, sessions), anchor(host));
                })
                .forEach((id, result) -> candidates.add(result.orThrow()));
        return List.copyOf(candidates);
    }

    /** Existing hosts have their addresses once their names are resolved. */
    private void resolved(Map<String, CloudHost> byId) {
        if (!context.isInventory()) {
            return;
        }
        Set<String> waiting = byId.values().stream()
                .filter(host -> host.publicAddress().isEmpty())
                .map(CloudHost::id)
                .collect(Collectors.toSet());
        if (!waiting.isEmpty()) {
            ProvisioningResult arrival = context.provider().await(context.mesh(), waiting, Timeouts.PROVISIONING);
            arrival.ready().forEach(host -> byId.put(host.id(), host));
        }
    }

    private static RunStep reading(CloudHost host) {
        return RunStep.of(host.name(), host.name() + "/read/" + host.id(), "read the host");
    }

    private HostObservation read(CloudHost host, Sessions sessions) {
        boolean read = false;
        try (Events.Task task = context.events().step(reading(host))) {
            if (!context.isInventory()) {
                Optional<HostException> down =
                        HostObserver.notRunning(host, context.provider().name());
                if (down.isPresent()) {
                    throw down.get();
                }
            }
            HostTarget target = target(
                    host, host.publicAddress().orElseThrow(() -> HostObserver.withoutAddress(host.name())), sessions);
            HostSession session = context.applier().open(target);
            sessions.add(host.id(), session);
            HostFacts facts =
                    session.facts(Membership.query(context.spec().wireGuard().interfaceName()), context.bootTimeout());
            read = true;
            task.done();
            return new HostObservation.Seen(facts, session.hostKey(), policy.jumpKeys(host.name(), session));
        } catch (HostException e) {
            return new HostObservation.Unreachable(e);
        } finally {
            if (!read) {
                sessions.close(host.id());
            }
        }
    }

    /** The host keys that are known of a host: those that the user gave, or else those of a copy of the state. */
    private Set<HostKeyFingerprint> accepted(CloudHost host) {
        Set<HostKeyFingerprint> given =
                access.hostKeys().getOrDefault(host.name(), access.hostKeys().getOrDefault(host.id(), Set.of()));
        return given.isEmpty()
                ? remembered(known, host).map(HostState::hostKeys).orElse(Set.of())
                : given;
    }

    /**
     * What a state knows of a host.
     *
     * @param state the state
     * @param host the host, known by its id
     * @return empty if the state does not know it
     */
    public static Optional<HostState> remembered(MeshState state, CloudHost host) {
        return state.hosts().values().stream()
                .filter(each -> each.providerId().equals(Optional.of(host.id())))
                .findFirst();
    }

    private Anchor anchor(CloudHost host) {
        if (context.isInventory()) {
            return Anchor.INVENTORY;
        } else if (access.hostKeys().containsKey(host.name())
                || access.hostKeys().containsKey(host.id())) {
            return Anchor.GIVEN;
        } else if (!accepted(host).isEmpty()) {
            return Anchor.BACKUP;
        }
        return access.authorities().isEmpty() ? Anchor.FIRST_USE : Anchor.CERTIFICATE;
    }

    private HostTarget target(CloudHost host, String address, Sessions sessions) {
        Optional<HostInventory> inventory = context.provider().inventory();
        Set<HostKeyFingerprint> accepted = accepted(host);
        if (inventory.isPresent()) {
            HostState state = HostState.adopted(address, host.id());
            for (HostKeyFingerprint key : accepted) {
                state = state.accepting(key);
            }
            return policy.target(host.name(), address, state, sessions, Timeouts.OBSERVE);
        }
        if (accepted.isEmpty() && access.authorities().isEmpty() && !access.trustOnFirstUse()) {
            throw HostException.of(ErrorCode.HOST_KEY_UNKNOWN, host.name(), address, "check the host key")
                    .because(
                            "none of its SSH host keys is known, so that it cannot be told from an impostor's",
                            "Give what ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub prints there with hostKey(\""
                                    + host.name()
                                    + "\", …), a copy of the state with backup(…), or say trustOnFirstUse().");
        }
        return HostTarget.of(host.name(), address)
                .timeout(Timeouts.OBSERVE)
                .accepting(accepted)
                .certificates(
                        access.authorities().isEmpty()
                                ? HostCertificates.NONE
                                : new HostCertificates(access.authorities(), host.name()))
                .trustOnFirstUse(access.trustOnFirstUse())
                .identities(identities)
                .jumpHosts(policy.way(host.name(), sessions, () -> identities))
                .build();
    }
}
