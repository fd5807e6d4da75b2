package dev.promguard.internal.observe;

import dev.promguard.ErrorCode;
import dev.promguard.HostException;
import dev.promguard.ProviderException;
import dev.promguard.blueprint.Blueprint;
import dev.promguard.internal.run.Adoption;
import dev.promguard.internal.run.Context;
import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Identity;
import dev.promguard.spi.JumpHost;
import dev.promguard.spi.Login;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.Rebuild;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Decides which SSH host keys are accepted. A host that proves a key which it is remembered by is let in. A host that shows its
 * bootstrap host key again, although it had a key of its own by then, was rebuilt, or somebody in between knows that key, which
 * stands in the host's user data. Such a host is let in only if the cloud says that a rebuild began no earlier than in the second in
 * which the host's own key was pinned, and is complete. Both times are the cloud's, so no clock here can be wrong. A rebuild counts once: the key that the
 * host is given next is pinned later. Thread-safe.
 */
public final class HostKeyPolicy {
    private static final String STEP = "check the host key";

    private final Context context;

    /**
     * The policy of a run.
     *
     * @param context the run's context
     */
    public HostKeyPolicy(Context context) {
        this.context = context;
    }

    /**
     * How to reach a host, and which of its keys to accept.
     *
     * @param name the host's name
     * @param address its public address
     * @param host what is remembered of it
     * @param sessions the run's sessions, which know what to log in with
     * @param timeout how long to try
     * @return the target
     */
    public HostTarget target(String name, String address, HostState host, Sessions sessions, Duration timeout) {
        HostTarget.Builder target = HostTarget.of(name, address).timeout(timeout);
        Optional<Login> login = login(name);
        Supplier<List<Identity>> own = () -> List.of(sessions.identity());
        HostTarget.Builder reached = login.isEmpty()
                ? ofCloud(target, name, address, host, sessions)
                : target(target, login.get(), accepted(login.get(), host), own);
        return reached.jumpHosts(way(name, sessions, own)).build();
    }

    /**
     * The jump hosts that lead to a host.
     *
     * @param name the host's name
     * @param sessions the run's sessions
     * @param own what to log in with to those for which the user names nothing
     * @return them in order, each with the keys to accept; empty if the host is reached directly
     */
    public List<HostTarget> way(String name, Sessions sessions, Supplier<List<Identity>> own) {
        List<JumpHost> chain = jumpHosts(name);
        List<String> paths = JumpHost.paths(chain);
        List<HostTarget> jumpHosts = new ArrayList<>();
        for (int i = 0; i < chain.size(); i++) {
            JumpHost hop = chain.get(i);
            jumpHosts.add(target(
                            HostTarget.of(hop.name(), hop.address()),
                            hop.login(),
                            sessions.jumpKeys().accepted(hop, paths.get(i)),
                            own)
                    .build());
        }
        return jumpHosts;
    }

    private List<JumpHost> jumpHosts(String name) {
        return context.isInventory()
                ? login(name).map(Login::jumpHosts).orElse(List.of())
                : context.applier().jumpHosts();
    }

    private HostTarget.Builder ofCloud(
            HostTarget.Builder target, String name, String address, HostState host, Sessions sessions) {
        Adoption adoption =
                Optional.ofNullable(context.adoptions().get(name)).orElse(new Adoption(Set.of(), false, List.of()));
        if (host.bootstrapKey().isPresent()) {
            return target.port(Blueprint.SSH_PORT).accepting(host.hostKeys()).identity(sessions.identity());
        }
        Set<HostKeyFingerprint> accepted = host.hostKeys().isEmpty() ? adoption.hostKeys() : host.hostKeys();
        if (accepted.isEmpty() && !adoption.trustOnFirstUse()) {
            throw HostException.of(ErrorCode.HOST_KEY_UNKNOWN, name, address, STEP)
                    .because(
                            "it is to be adopted, and its SSH host key is not known",
                            "Give what ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub prints there: adopt(\"" + name
                                    + "\", host -> host.hostKey(…)), or say host.trustOnFirstUse().");
        }
        List<Identity> identities = new ArrayList<>(List.of(sessions.identity()));
        identities.addAll(adoption.identities());
        return target.port(Blueprint.SSH_PORT)
                .accepting(accepted)
                .trustOnFirstUse(adoption.trustOnFirstUse())
                .identities(identities);
    }

    private static HostTarget.Builder target(
            HostTarget.Builder target, Login login, Set<HostKeyFingerprint> accepted, Supplier<List<Identity>> own) {
        return target.port(login.port())
                .user(login.user())
                .accepting(accepted)
                .certificates(login.certificates())
                .trustOnFirstUse(login.trustOnFirstUse())
                .identities(login.identities().isEmpty() ? own.get() : login.identities());
    }

    private Optional<Login> login(String name) {
        return context.provider()
                .inventory()
                .map(inventory -> inventory.logins().get(name));
    }

    /**
     * The host keys that the jump hosts of a session proved.
     *
     * @param name the name of the host that the session is with
     * @param session the session
     * @return the keys by the jump hosts' paths; empty if the host is reached from here
     */
    public Map<String, HostKeyFingerprint> jumpKeys(String name, HostSession session) {
        List<JumpHost> chain = jumpHosts(name);
        return chain.isEmpty() ? Map.of() : JumpKeys.byPath(chain, session.jumpHostKeys());
    }

    /**
     * Opens a session with a host that may show any key that it is remembered by.
     *
     * @param name the host's name
     * @param address its public address
     * @param host what is remembered of it
     * @param sessions the run's sessions, which know what to log in with
     * @param timeout how long to try
     * @return the session, which the caller closes
     * @throws HostException as {@link dev.promguard.spi.HostApplier#open}
     */
    public HostSession openKnown(String name, String address, HostState host, Sessions sessions, Duration timeout) {
        HostTarget target = target(name, address, host, sessions, timeout);
        HostSession session = context.applier().open(target);
        boolean good = false;
        try {
            List<JumpHost> chain = jumpHosts(name);
            if (!chain.isEmpty()) {
                sessions.jumpKeys().proven(target, chain, session.jumpHostKeys());
            }
            good = true;
            return session;
        } finally {
            if (!good) {
                session.close();
            }
        }
    }

    /**
     * The host keys that are accepted from a host of an inventory: those that the user gave, else those that it is remembered by.
     *
     * @param login how the host is reached
     * @param host what is remembered of it
     * @return the keys; empty if any is trusted on first use or by its certificate, or the user is to give one
     */
    public static Set<HostKeyFingerprint> accepted(Login login, HostState host) {
        return login.hostKeys().isEmpty() ? host.hostKeys() : login.hostKeys();
    }

    /**
     * Opens a session with a host that may have been rebuilt: {@link HostState#rebuilt} then tells from the key that it proved.
     *
     * @param name the host's name
     * @param address its public address
     * @param host what is remembered of it
     * @param sessions the run's sessions, which know what to log in with
     * @param timeout how long to try
     * @return the session, which the caller closes
     * @throws HostException as {@link dev.promguard.spi.HostApplier#open}
     * @throws ProviderException if the cloud cannot be asked whether the host was rebuilt
     */
    public HostSession open(String name, String address, HostState host, Sessions sessions, Duration timeout) {
        try {
            return openKnown(name, address, host, sessions, timeout);
        } catch (HostException refusal) {
            Optional<HostKeyFingerprint> shown = refusal.refusedHostKey();
            if (shown.isEmpty() || !host.rebuilt(shown.get())) {
                throw refusal;
            }
            HostState rebuilt = requireRebuilt(name, address, host, shown.get(), refusal);
            return openKnown(name, address, rebuilt, sessions, timeout);
        }
    }

    /**
     * Opens a session with a host that must not have been rebuilt.
     *
     * @param name the host's name
     * @param address its public address
     * @param host what is remembered of it
     * @param sessions the run's sessions, which know what to log in with
     * @param timeout how long to try
     * @return the session, which the caller closes
     * @throws HostException as {@link dev.promguard.spi.HostApplier#open}
     */
    public HostSession openPinned(String name, String address, HostState host, Sessions sessions, Duration timeout) {
        try {
            return openKnown(name, address, host, sessions, timeout);
        } catch (HostException refusal) {
            Optional<HostKeyFingerprint> shown = refusal.refusedHostKey();
            if (shown.isEmpty() || !host.rebuilt(shown.get())) {
                throw refusal;
            }
            throw refused(name, address, shown.get(), refusal)
                    .because(
                            keys(host, shown.get()),
                            "Nothing was sent to it. If it was rebuilt, run apply, which asks "
                                    + context.provider().name()
                                    + " whether that is so and sets it up again; if not, somebody may intercept the"
                                    + " connection.");
        }
    }

    /** What to accept from a host if the cloud confirms that it was rebuilt. */
    private HostState requireRebuilt(
            String name, String address, HostState host, HostKeyFingerprint shown, HostException refusal) {
        String id = host.providerId().orElseThrow();
        String cloud = context.provider().name();
        List<Rebuild> rebuilds = context.provider().rebuilds(context.mesh(), id);
        HostException.Builder refused = refused(name, address, shown, refusal);
        Optional<Rebuild> unfinished = rebuilds.stream()
                .filter(rebuild -> rebuild.status() == Rebuild.Status.IN_PROGRESS)
                .findFirst();
        if (unfinished.isPresent()) {
            throw refused.retryable()
                    .because(
                            keys(host, shown) + ", and " + cloud + " has not finished the rebuild that began at "
                                    + unfinished.get().started(),
                            "Nothing was sent to it. Wait until the rebuild is finished, then run again.");
        }
        if (host.pinnedAt().isEmpty()) {
            throw refused.because(
                    keys(host, shown) + ", and it is not known since when that one was in use",
                    "Nothing was sent to it, because a rebuild cannot be told from an attack. Run apply, which asks "
                            + cloud + " for the time, then rebuild the host once more and run apply again.");
        }
        Instant pinnedAt = host.pinnedAt().get();
        if (rebuilds.stream()
                .filter(rebuild -> rebuild.status() == Rebuild.Status.COMPLETED)
                .anyMatch(rebuild -> beganAfter(rebuild, pinnedAt))) {
            return HostState.created(host.address(), id, shown);
        }
        throw refused.because(
                keys(host, shown) + ", and " + cloud + " has completed no rebuild of it since " + pinnedAt
                        + ", when that one was in use",
                "Nothing was sent to it. If its disk was restored in another way, or a rebuild failed,"
                        + " rebuild it and run apply again; if not, somebody who knows the bootstrap host key may intercept the"
                        + " connection.");
    }

    /**
     * Whether a rebuild is news. Clouds tell their times in whole seconds, so one that began in the second of the pin counts: an
     * earlier one takes longer than that until the host has a key that can be pinned.
     */
    private static boolean beganAfter(Rebuild rebuild, Instant pinnedAt) {
        Instant second = pinnedAt.truncatedTo(ChronoUnit.SECONDS);
        return !rebuild.started().truncatedTo(ChronoUnit.SECONDS).isBefore(second);
    }

    private static HostException.Builder refused(
            String name, String address, HostKeyFingerprint shown, HostException refusal) {
        return HostException.of(ErrorCode.BOOTSTRAP_KEY_SHOWN, name, address, STEP)
                .refusedHostKey(shown)
                .cause(refusal);
    }

    private static String keys(HostState host, HostKeyFingerprint shown) {
        List<String> own =
                host.hostKeys().stream().map(HostKeyFingerprint::text).sorted().toList();
        return "the host showed " + shown + ", the bootstrap host key that it was created with; accepted is "
                + String.join(" or ", own);
    }
}
