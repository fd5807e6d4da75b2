package dev.promguard.change;

import dev.promguard.render.ReleaseInstall;
import java.util.List;
import java.util.Objects;

/**
 * What to look at on a host. What a query does not name is not read.
 *
 * @param packages Debian packages whose versions matter
 * @param users users whose existence matters
 * @param files absolute paths whose content, mode and owner matter
 * @param units systemd units whose state matters
 * @param releases releases whose folder matters
 * @param wireGuardInterface the WireGuard interface to look at
 * @param keyPath where the interface's private key should be
 */
public record FactsQuery(
        List<String> packages,
        List<String> users,
        List<String> files,
        List<String> units,
        List<ReleaseInstall> releases,
        String wireGuardInterface,
        String keyPath) {
    /**
     * Copies the lists.
     *
     * @throws NullPointerException if something is null
     */
    public FactsQuery {
        packages = List.copyOf(packages);
        users = List.copyOf(users);
        files = List.copyOf(files);
        units = List.copyOf(units);
        releases = List.copyOf(releases);
        Objects.requireNonNull(wireGuardInterface, "wireGuardInterface");
        Objects.requireNonNull(keyPath, "keyPath");
    }
}
