package dev.promguard.host;

import java.util.Objects;
import java.util.Set;

/**
 * A systemd unit that should be enabled and running.
 *
 * @param name the unit's name with its ending
 * @param restartWith paths of files and names of users whose change asks for a restart
 * @param reloadWith paths whose change asks for a reload
 */
public record Unit(String name, Set<String> restartWith, Set<String> reloadWith) {
    /**
     * Copies the sets.
     *
     * @throws NullPointerException if something is null
     */
    public Unit {
        Objects.requireNonNull(name, "name");
        restartWith = Set.copyOf(restartWith);
        reloadWith = Set.copyOf(reloadWith);
    }
}
