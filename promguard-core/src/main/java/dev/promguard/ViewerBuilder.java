package dev.promguard;

import dev.promguard.blueprint.ViewerSpec;
import dev.promguard.keys.PublicKey;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * Describes a viewer. Not thread-safe. See {@link MeshBuilder#viewer(String, PublicKey, java.util.function.Consumer)}.
 */
public final class ViewerBuilder {
    private Optional<Instant> until = Optional.empty();

    ViewerBuilder() {}

    /**
     * Sets when the viewer's access ends. It does not end by default. The first apply at or after that time takes the access away; until
     * then plan and verify say that it is due. Prometheus has the time as {@code promguard_viewer_expires_timestamp_seconds}, and alerts three
     * days before and from then on, unless {@link PrometheusBuilder#defaultRules(boolean)} is false: then write that alert yourself.
     *
     * @param end the time; it may have passed
     * @return this builder
     * @throws NullPointerException if it is null
     */
    public ViewerBuilder until(Instant end) {
        until = Optional.of(Objects.requireNonNull(end, "end"));
        return this;
    }

    ViewerSpec spec(String name, PublicKey publicKey) {
        return new ViewerSpec(Objects.requireNonNull(name, "name"), publicKey.base64(), until);
    }
}
