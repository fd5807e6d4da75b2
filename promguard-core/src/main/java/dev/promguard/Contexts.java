package dev.promguard;

import dev.promguard.blueprint.MeshSpec;
import dev.promguard.host.Renderer;
import dev.promguard.internal.run.Context;
import dev.promguard.internal.run.Events;
import dev.promguard.internal.run.MeshStates;
import java.security.SecureRandom;

/** Makes what a run works with from a mesh's spec and settings. */
final class Contexts {
    /** Pure and thread-safe, and twice as quick once it has rendered each file. */
    private static final Renderer RENDERER = new Renderer();

    private Contexts() {}

    static Context of(MeshSpec spec, MeshSettings settings, MeshEvent.Verb verb) {
        return new Context(
                spec,
                settings.provider().orElseGet(() -> settings.services().provider()),
                settings.applier().orElseGet(() -> settings.services().applier()),
                new MeshStates(settings.state()),
                new Events(settings.listener(), spec.name(), verb),
                settings.keySource(),
                new SecureRandom(),
                RENDERER.withSecrets(settings.remoteWriteSecrets()),
                settings.parallelism(),
                settings.sshTimeout(),
                settings.pollIntervals(),
                settings.removalAllowed(),
                settings.adoptions(),
                settings.clock().instant());
    }
}
