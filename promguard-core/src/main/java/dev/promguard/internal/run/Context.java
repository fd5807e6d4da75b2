package dev.promguard.internal.run;

import dev.promguard.ErrorCode;
import dev.promguard.StateException;
import dev.promguard.blueprint.MeshSpec;
import dev.promguard.host.Renderer;
import dev.promguard.keys.KeySource;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.Identity;
import dev.promguard.spi.MeshState;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/**
 * What a run works with: the spec, the ports, the sources of randomness and the bounds of every wait. Immutable; thread-safe as
 * far as the ports are.
 *
 * @param spec the spec of the mesh
 * @param provider where hosts come from
 * @param applier the way to the hosts
 * @param store where the state is kept
 * @param events receives the events
 * @param keys where WireGuard keys come from
 * @param random where SSH keys and attempt names come from
 * @param renderer what renders hosts' files
 * @param parallelism how many hosts are worked on at once
 * @param sshTimeout how long a host may take to answer over SSH in an apply
 * @param intervals how long to wait before asking again
 * @param removalAllowed whether an apply may remove hosts that nobody has reviewed
 * @param adoptions how to get in to hosts that are to be adopted, by their names
 * @param now when the run began
 */
public record Context(
        MeshSpec spec,
        CloudProvider provider,
        HostApplier applier,
        MeshStates store,
        Events events,
        KeySource keys,
        SecureRandom random,
        Renderer renderer,
        int parallelism,
        Duration sshTimeout,
        PollIntervals intervals,
        boolean removalAllowed,
        Map<String, Adoption> adoptions,
        Instant now) {
    /**
     * The mesh's name.
     *
     * @return the name
     */
    public String mesh() {
        return spec.name();
    }

    /**
     * Whether the hosts were there before the mesh.
     *
     * @return true if the provider has an inventory
     */
    public boolean isInventory() {
        return provider.inventory().isPresent();
    }

    /**
     * How long to wait for the first boot of a host.
     *
     * @return zero where the hosts were there before the mesh: what their boot does or did is not waited for
     */
    public Duration bootTimeout() {
        return isInventory() ? Duration.ZERO : Timeouts.BOOT;
    }

    /**
     * Reads the state.
     *
     * @return the state last saved, or an empty one
     */
    public MeshState loadState() {
        return store.load(mesh()).orElse(MeshState.empty(mesh()));
    }

    /**
     * What to log in with: the user's own identity where the hosts were there before, else the mesh's.
     *
     * @return the identity, which the caller closes
     * @throws StateException if the mesh's key is missing, or is no whole key
     */
    public Identity identity() {
        return provider.inventory()
                .map(inventory -> inventory.identity().copy())
                .orElseGet(() -> Identity.ofKey(new LoginKeys(this).require()));
    }

    /**
     * What to say where nothing is known of the mesh.
     *
     * @return the exception to throw
     */
    public StateException unknownMesh() {
        return new StateException(
                ErrorCode.UNKNOWN_MESH,
                "nothing is known of mesh " + mesh() + " in " + store.describe(mesh())
                        + ". Run apply first, or name the right folder with state(…).",
                false,
                null);
    }
}
