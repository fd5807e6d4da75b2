package dev.promguard;

import dev.promguard.internal.run.Adoption;
import dev.promguard.internal.run.PollIntervals;
import dev.promguard.keys.KeySource;
import dev.promguard.keys.Secret;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.StateStore;
import dev.promguard.state.FileStateStore;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * How a mesh's verbs run: everything beside the spec. Immutable; thread-safe as far as its parts are.
 *
 * @param provider the cloud; empty for the one on the class path
 * @param applier the way to the hosts; empty for the one on the class path
 * @param services what finds these two on the class path; the same for a mesh and the meshes derived from it
 * @param state where the state is kept
 * @param listener receives the events
 * @param keySource where WireGuard keys come from
 * @param remoteWriteSecrets the secrets of the remote writes, by their names
 * @param parallelism how many hosts are worked on at once
 * @param sshTimeout how long a host may take to answer over SSH in an apply
 * @param pollIntervals how long to wait before asking again
 * @param removalAllowed whether an apply may remove hosts that nobody has reviewed
 * @param adoptions how to get in to hosts that are to be adopted, by their names
 * @param clock tells the time
 */
record MeshSettings(
        Optional<CloudProvider> provider,
        Optional<HostApplier> applier,
        Services services,
        StateStore state,
        MeshListener listener,
        KeySource keySource,
        Map<String, Secret> remoteWriteSecrets,
        int parallelism,
        Duration sshTimeout,
        PollIntervals pollIntervals,
        boolean removalAllowed,
        Map<String, Adoption> adoptions,
        Clock clock) {
    MeshSettings {
        adoptions = Map.copyOf(adoptions);
        remoteWriteSecrets = Map.copyOf(remoteWriteSecrets);
    }

    static MeshSettings ofDefaults() {
        return new MeshSettings(
                Optional.empty(),
                Optional.empty(),
                new Services(),
                FileStateStore.inHome(),
                MeshListener.none(),
                KeySource.random(),
                Map.of(),
                32,
                Duration.ofMinutes(3),
                PollIntervals.ofDefaults(),
                false,
                Map.of(),
                Clock.systemUTC());
    }
}
