package dev.promguard.blueprint;

import java.util.Objects;

/**
 * The WireGuard interface that every host of a mesh has.
 *
 * @param interfaceName its name on the host, such as {@code wg0}
 */
public record WireGuardSpec(String interfaceName) {
    /** The interface {@code wg0}. */
    public static final WireGuardSpec DEFAULT = new WireGuardSpec("wg0");

    /**
     * Checks that nothing is null. Whether the values make sense is {@link Planner#problems(MeshSpec)}'s to say.
     *
     * @throws NullPointerException if something is
     */
    public WireGuardSpec {
        Objects.requireNonNull(interfaceName, "interfaceName");
    }
}
