package dev.promguard.render;

import dev.promguard.blueprint.FirewallRule;
import java.util.List;
import java.util.Objects;

/**
 * All that a host should be, in the order in which it can be reached: packages, users, firewall, WireGuard, releases, files, units.
 *
 * @param name the host's name
 * @param packages Debian packages that should be installed
 * @param users system users that should exist
 * @param releases releases that should be unpacked
 * @param firewall every rule that PromGuard wants on the host
 * @param wireGuard the WireGuard interface
 * @param secretFiles files that should hold these secrets
 * @param files files that should have this content, mode and owner
 * @param units systemd units that should be enabled and running
 */
public record DesiredHost(
        String name,
        List<String> packages,
        List<SystemUser> users,
        List<ReleaseInstall> releases,
        List<FirewallRule> firewall,
        WireGuardInterface wireGuard,
        List<SecretFile> secretFiles,
        List<ManagedFile> files,
        List<Unit> units) {
    /**
     * Copies the lists.
     *
     * @throws NullPointerException if something is null
     */
    public DesiredHost {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(wireGuard, "wireGuard");
        packages = List.copyOf(packages);
        users = List.copyOf(users);
        releases = List.copyOf(releases);
        firewall = List.copyOf(firewall);
        secretFiles = List.copyOf(secretFiles);
        files = List.copyOf(files);
        units = List.copyOf(units);
    }
}
