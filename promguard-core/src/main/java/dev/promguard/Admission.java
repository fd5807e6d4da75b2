package dev.promguard;

import dev.promguard.keys.HostKeyFingerprint;
import dev.promguard.keys.Secret;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.Rebuild;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Decides which hosts to talk to. A host that proves a key it is remembered by is let in. One that shows the throwaway key of its
 * creation, although it had a key of its own by then, has either been rebuilt, or somebody in between knows that key, which stands
 * in its user data: it is let in where the cloud says that a rebuild began after the host's own key was pinned and is done. Both
 * times are the cloud's, so that no clock here can be wrong, and a rebuild counts once: the key that the host is given then is
 * pinned later than it.
 */
final class Admission {
    private static final String STEP = "check the host key";

    private final Environment environment;
    private final String mesh;

    Admission(Environment environment, String mesh) {
        this.environment = environment;
        this.mesh = mesh;
    }

    /**
     * Opens a session with a host that may have been rebuilt; then {@link HostState#rebuilt} says so of the key that it proved.
     *
     * @throws HostException as {@link dev.promguard.spi.HostApplier#open}
     * @throws ProviderException if the cloud cannot be asked whether it was rebuilt
     */
    HostSession open(String name, String address, HostState host, Secret loginKey, Duration patience) {
        try {
            return environment.applier().open(environment.target(name, address, host, loginKey, patience));
        } catch (HostException refusal) {
            Optional<HostKeyFingerprint> shown = refusal.refusedHostKey();
            if (shown.isEmpty() || !host.rebuilt(shown.get())) {
                throw refusal;
            }
            HostState anew = wasRebuilt(name, address, host, shown.get(), refusal);
            return environment.applier().open(environment.target(name, address, anew, loginKey, patience));
        }
    }

    /**
     * Opens a session with a host that must not have been rebuilt.
     *
     * @throws HostException as {@link dev.promguard.spi.HostApplier#open}
     */
    HostSession openPinned(String name, String address, HostState host, Secret loginKey, Duration patience) {
        try {
            return environment.applier().open(environment.target(name, address, host, loginKey, patience));
        } catch (HostException refusal) {
            Optional<HostKeyFingerprint> shown = refusal.refusedHostKey();
            if (shown.isEmpty() || !host.rebuilt(shown.get())) {
                throw refusal;
            }
            throw refused(name, address, shown.get(), refusal)
                    .because(
                            keys(host, shown.get()),
                            "Nothing was sent to it. If it was rebuilt, apply asks "
                                    + environment.provider().name()
                                    + " whether that is so, and sets it up again; if not, somebody may be in between.");
        }
    }

    /** What to expect of the host where the cloud says that it was rebuilt. */
    private HostState wasRebuilt(
            String name, String address, HostState host, HostKeyFingerprint shown, HostException refusal) {
        String id = host.providerId().orElseThrow();
        String cloud = environment.provider().name();
        List<Rebuild> rebuilds = environment.provider().rebuilds(mesh, id);
        HostException.Builder refused = refused(name, address, shown, refusal);
        Optional<Rebuild> unfinished = rebuilds.stream()
                .filter(rebuild -> rebuild.status() == Rebuild.Status.IN_PROGRESS)
                .findFirst();
        if (unfinished.isPresent()) {
            throw refused.retryable()
                    .because(
                            keys(host, shown) + ", and the rebuild that began at "
                                    + unfinished.get().started() + " is not done, says " + cloud,
                            "Nothing was sent to it. Wait until it is done, then run again.");
        }
        if (host.pinnedAt().isEmpty()) {
            throw refused.because(
                    keys(host, shown) + ", and it is not known since when",
                    "Nothing was sent to it. Whether it was rebuilt since cannot be told. Run apply, which asks "
                            + cloud + " for the time; then rebuild it once more and apply again.");
        }
        Instant pinnedAt = host.pinnedAt().get();
        if (rebuilds.stream()
                .filter(rebuild -> rebuild.status() == Rebuild.Status.COMPLETED)
                .anyMatch(rebuild -> rebuild.started().isAfter(pinnedAt))) {
            return HostState.created(host.address(), id, shown);
        }
        throw refused.because(
                keys(host, shown) + ", and " + cloud + " has done no rebuild of it since " + pinnedAt
                        + ", when that one was in use",
                "Nothing was sent to it. If its disk was put back to its first state in another way, or a rebuild failed,"
                        + " rebuild it and apply again; if not, somebody who knows the throwaway key may be in between.");
    }

    private static HostException.Builder refused(
            String name, String address, HostKeyFingerprint shown, HostException refusal) {
        return HostException.of(name, address, STEP).refusedHostKey(shown).cause(refusal);
    }

    private static String keys(HostState host, HostKeyFingerprint shown) {
        List<String> own =
                host.hostKeys().stream().map(HostKeyFingerprint::text).sorted().toList();
        return "the host showed " + shown + ", the throwaway key that it was made with; accepted is "
                + String.join(" or ", own);
    }
}
