package dev.promguard;

import dev.promguard.keys.KeySource;
import dev.promguard.keys.Secret;
import dev.promguard.render.Renderer;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.HostTarget;
import dev.promguard.spi.Inventory;
import dev.promguard.spi.Login;
import dev.promguard.spi.MeshState.HostState;
import dev.promguard.spi.StateStore;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Iterator;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/** What the verbs work with: the ports, the sources of randomness, and the bounds of every wait. */
record Environment(
        CloudProvider provider,
        HostApplier applier,
        StateStore store,
        MeshListener listener,
        KeySource keys,
        SecureRandom random,
        Renderer renderer,
        int parallelism,
        Duration sshPatience,
        Waits waits) {
    /** How long new hosts may take to be active and addressed. */
    static final Duration ARRIVAL = Duration.ofMinutes(6);
    /** How long a host that was changed a moment ago may take to answer again. */
    static final Duration RECONNECT_PATIENCE = Duration.ofSeconds(45);
    /** How long a host that has been there before may take to answer on SSH when it is only looked at. */
    static final Duration LOOK_PATIENCE = Duration.ofSeconds(20);
    /** How long a host's first boot may take. */
    static final Duration BOOT_PATIENCE = Duration.ofMinutes(6);
    /** How long removed hosts may take to be gone. */
    static final Duration REMOVAL = Duration.ofMinutes(6);

    private static final int SSH_PORT = 22;
    /** Pure and thread-safe, and twice as quick once it has rendered each file. */
    private static final Renderer RENDERER = new Renderer();

    static Environment of(MeshBuilder builder) {
        return new Environment(
                found(builder.provider(), CloudProvider.class, "provider", "promguard-do"),
                found(builder.applier(), HostApplier.class, "applier", "promguard-ssh"),
                builder.state(),
                new IsolatedListener(builder.listener()),
                builder.keySource(),
                new SecureRandom(),
                RENDERER.withSecrets(builder.prometheusSecrets()),
                builder.parallelism(),
                builder.sshPatience(),
                builder.waits());
    }

    private static <T> T found(@Nullable T given, Class<T> port, String option, String module) {
        if (given != null) {
            return given;
        }
        try {
            Iterator<T> services = ServiceLoader.load(port).iterator();
            if (services.hasNext()) {
                return services.next();
            }
        } catch (ServiceConfigurationError e) {
            throw new IllegalStateException(
                    "the " + option + " on the class path cannot be used: " + e.getMessage(), e);
        }
        throw new IllegalStateException("no " + option + " was given and none is on the class path: add " + module
                + ", or call ." + option + "(…)");
    }

    HostTarget target(String name, String address, HostState host, Secret loginKey, Duration patience) {
        Optional<Inventory> inventory = provider.inventory();
        Login login = inventory.map(hosts -> hosts.logins().get(name)).orElse(null);
        if (inventory.isEmpty() || login == null) {
            return new HostTarget(name, address, SSH_PORT, "root", host.hostKeys(), loginKey, patience);
        }
        return new HostTarget(
                name,
                address,
                login.port(),
                login.user(),
                login.hostKeys().isEmpty() ? host.hostKeys() : login.hostKeys(),
                login.trustOnFirstUse(),
                loginKey,
                inventory.get().passphrase(),
                patience);
    }

    /** The key to log in with: the user's own where the hosts were there before, else the mesh's. The caller closes it. */
    Secret loginKey(String mesh) {
        return provider.inventory()
                .map(inventory -> inventory.identity().use(Secret::of))
                .or(() -> store.loadLoginKey(mesh))
                .orElseThrow(() -> new StateException(
                        "the SSH login key of mesh " + mesh + " is missing from " + store.describe(mesh)
                                + ": put back a copy of the folder",
                        false,
                        null));
    }

    void started(@Nullable String host, String step) {
        listener.on(new MeshEvent(Optional.ofNullable(host), step, MeshEvent.State.STARTED));
    }

    void done(@Nullable String host, String step) {
        listener.on(new MeshEvent(Optional.ofNullable(host), step, MeshEvent.State.DONE));
    }

    void failed(@Nullable String host, String step) {
        listener.on(new MeshEvent(Optional.ofNullable(host), step, MeshEvent.State.FAILED));
    }
}
