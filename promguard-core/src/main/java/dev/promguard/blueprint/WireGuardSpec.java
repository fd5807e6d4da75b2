package dev.promguard.blueprint;

import java.util.Objects;
import java.util.OptionalInt;

/**
 * The WireGuard interface that every host of a mesh has.
 *
 * @param interfaceName its name on the host, such as {@code wg0}
 * @param mtu its MTU in bytes; empty for what fits the host's way out, at most 1420
 */
public record WireGuardSpec(String interfaceName, OptionalInt mtu) {
    /** The interface {@code wg0}. */
    public static final WireGuardSpec DEFAULT = new WireGuardSpec("wg0", OptionalInt.empty());

    /**
     * Checks that nothing is null. Whether the values make sense is {@link Planner#problems(MeshSpec)}'s to say.
     *
     * @throws NullPointerException if something is
     */
    public WireGuardSpec {
        Objects.requireNonNull(interfaceName, "interfaceName");
        Objects.requireNonNull(mtu, "mtu");
    }
}
