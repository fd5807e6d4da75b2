package dev.promguard.host;

import dev.promguard.blueprint.Blueprint;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.blueprint.FirewallRule.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * All that a host should be: packages, users, firewall, WireGuard, kill switch, releases, files, units.
 *
 * @param blueprint the mesh that the host is part of; a resource that follows from it alone has no component of its own here
 * @param name the host's name
 * @param packages Debian packages that should be installed
 * @param users system users that should exist
 * @param releases releases that should be unpacked
 * @param firewall every rule that PromGuard wants on the host
 * @param wireGuard the WireGuard interface
 * @param killSwitch what keeps packets for the mesh's network on that interface
 * @param secretFiles files that should hold these secrets
 * @param files files that should have this content, mode and owner
 * @param units systemd units that should be enabled and running
 * @param maskedUnits systemd units that must never run, masked before the packages that bring them are installed
 */
public record DesiredHost(
        Blueprint blueprint,
        String name,
        List<String> packages,
        List<SystemUser> users,
        List<ReleaseInstall> releases,
        List<FirewallRule> firewall,
        WireGuardInterface wireGuard,
        KillSwitch killSwitch,
        List<SecretFile> secretFiles,
        List<ManagedFile> files,
        List<Unit> units,
        List<String> maskedUnits) {
    /**
     * Copies the lists.
     *
     * @throws NullPointerException if something is null
     */
    public DesiredHost {
        Objects.requireNonNull(blueprint, "blueprint");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(wireGuard, "wireGuard");
        Objects.requireNonNull(killSwitch, "killSwitch");
        packages = List.copyOf(packages);
        users = List.copyOf(users);
        releases = List.copyOf(releases);
        firewall = List.copyOf(firewall);
        secretFiles = List.copyOf(secretFiles);
        files = List.copyOf(files);
        units = List.copyOf(units);
        maskedUnits = List.copyOf(maskedUnits);
    }

    /** The port of the login: the first of those that are open to all. */
    int sshPort() {
        return firewall.stream()
                .filter(rule -> rule.protocol() == Protocol.TCP
                        && rule.from().isEmpty()
                        && rule.networkInterface().isEmpty())
                .map(FirewallRule::port)
                .findFirst()
                .orElse(Blueprint.SSH_PORT);
    }

    /**
     * Every file without a secret, those of WireGuard and of the kill switch among them.
     *
     * @return the files, in the order in which they are written
     */
    public List<ManagedFile> allFiles() {
        List<ManagedFile> all = new ArrayList<>(killSwitch.files());
        all.addAll(files);
        all.add(wireGuard.config());
        return List.copyOf(all);
    }
}
