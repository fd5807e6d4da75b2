package dev.promguard.change;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.change.HostFacts.FileFact;
import dev.promguard.keys.PublicKey;
import dev.promguard.render.DesiredHost;
import dev.promguard.render.ManagedFile;
import dev.promguard.render.ReleaseInstall;
import dev.promguard.render.WireGuardInterface;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What an apply last put on a host: the mark by which a later run tells what somebody changed there from what is wished
 * differently now. Holds sums and names, and neither contents nor secrets. What is not in it is not known to have been put there,
 * and so is never called drift.
 *
 * @param packages Debian packages that were there
 * @param users system users that were there
 * @param releases the SHA-256 of each release's tarball that was unpacked, by {@code name-version}
 * @param files each file's SHA-256, mode and owner, by path; of a file that holds a secret, only that it was there
 * @param firewall whether the firewall was on
 * @param rules every rule that was asked for, in words; empty if that is not known
 * @param wireGuard how the WireGuard interface ran; empty if that is not known
 * @param units systemd units that were enabled and running
 */
public record Footprint(
        Set<String> packages,
        Set<String> users,
        Map<String, String> releases,
        Map<String, String> files,
        boolean firewall,
        Optional<Set<String>> rules,
        Optional<Tunnels> wireGuard,
        Set<String> units) {
    /** Stands in the place of a secret's sum, from which a weak password could be guessed. */
    private static final String SECRET = "secret";

    /** Nothing is known. */
    public static final Footprint NONE =
            new Footprint(Set.of(), Set.of(), Map.of(), Map.of(), false, Optional.empty(), Optional.empty(), Set.of());

    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     */
    public Footprint {
        packages = sorted(packages);
        users = sorted(users);
        releases = sorted(releases);
        files = sorted(files);
        rules = rules.map(Footprint::sorted);
        Objects.requireNonNull(wireGuard, "wireGuard");
        units = sorted(units);
    }

    /**
     * A WireGuard interface that runs.
     *
     * @param publicKey its own public key
     * @param listenPort its UDP port
     * @param address its address with prefix length
     * @param peers the allowed addresses of each peer, and whether there is a preshared key, by the base64 text of its public key
     */
    public record Tunnels(PublicKey publicKey, int listenPort, String address, Map<String, String> peers) {
        /**
         * Copies the peers.
         *
         * @throws NullPointerException if something is null
         */
        public Tunnels {
            Objects.requireNonNull(publicKey, "publicKey");
            Objects.requireNonNull(address, "address");
            peers = sorted(peers);
        }

        static Tunnels of(WireGuardInterface wireGuard) {
            Map<String, String> peers = new TreeMap<>();
            wireGuard
                    .peers()
                    .forEach(peer -> peers.put(
                            peer.publicKey().base64(),
                            words(peer.allowedIps(), peer.presharedKeyPath().isPresent())));
            return new Tunnels(wireGuard.publicKey(), wireGuard.listenPort(), wireGuard.address(), peers);
        }
    }

    /**
     * What a host is once it is as it should be.
     *
     * @param desired what it should be
     * @param architecture its architecture, which decides the releases' sums
     * @return the footprint
     */
    public static Footprint of(DesiredHost desired, Architecture architecture) {
        Map<String, String> releases = new TreeMap<>();
        for (ReleaseInstall install : desired.releases()) {
            install.release().sum(architecture).ifPresent(sum -> releases.put(key(install), sum));
        }
        Map<String, String> files = new TreeMap<>();
        Stream.concat(desired.files().stream(), Stream.of(desired.wireGuard().config()))
                .forEach(file -> files.put(file.path(), mark(file)));
        desired.secretFiles().forEach(file -> files.put(file.path(), SECRET));
        return new Footprint(
                Set.copyOf(desired.packages()),
                desired.users().stream().map(user -> user.name()).collect(Collectors.toSet()),
                releases,
                files,
                true,
                Optional.of(desired.firewall().stream().map(Footprint::words).collect(Collectors.toSet())),
                Optional.of(Tunnels.of(desired.wireGuard())),
                Stream.concat(
                                Stream.of(desired.wireGuard().unit()),
                                desired.units().stream().map(unit -> unit.name()))
                        .collect(Collectors.toSet()));
    }

    /**
     * What is still known while changes are under way, and after a run of them that did not come to its end: nothing of what they
     * touch.
     *
     * @param changes the changes
     * @return a footprint that knows as much or less
     */
    public Footprint without(List<Change> changes) {
        Footprint left = this;
        for (Change change : changes) {
            left = change.accept(new Forgetting(left));
        }
        return left;
    }

    /** The mark of a file as it should be. */
    static String mark(ManagedFile file) {
        return mark(Differ.sha256(file.content()), file.mode(), file.owner() + ':' + file.owner());
    }

    /** The mark of a file as it is. */
    static String mark(FileFact fact) {
        return mark(fact.sha256(), fact.mode(), fact.owner());
    }

    private static String mark(String sha256, int mode, String owner) {
        return String.format(Locale.ROOT, "%s %04o %s", sha256, mode, owner);
    }

    static String key(ReleaseInstall install) {
        return install.release().name() + '-' + install.release().version();
    }

    static String words(FirewallRule rule) {
        return rule.describe() + rule.to().map(address -> " to " + address).orElse("") + " # " + rule.comment();
    }

    static String words(List<String> allowedIps) {
        return String.join(", ", new TreeSet<>(allowedIps));
    }

    static String words(List<String> allowedIps, boolean preshared) {
        return words(allowedIps) + (preshared ? " with a preshared key" : "");
    }

    private static Set<String> sorted(Set<String> texts) {
        return Collections.unmodifiableSet(new TreeSet<>(Set.copyOf(texts)));
    }

    private static Map<String, String> sorted(Map<String, String> texts) {
        return Collections.unmodifiableMap(new TreeMap<>(Map.copyOf(texts)));
    }

    /** Takes away what a change touches. */
    private record Forgetting(Footprint from) implements Change.Visitor<Footprint> {
        private static Set<String> less(Set<String> all, Set<String> these) {
            Set<String> left = new HashSet<>(all);
            left.removeAll(these);
            return left;
        }

        private static Map<String, String> less(Map<String, String> all, String key) {
            Map<String, String> left = new TreeMap<>(all);
            left.remove(key);
            return left;
        }

        private Footprint withFirewall(boolean firewall, Optional<Set<String>> rules) {
            return new Footprint(
                    from.packages, from.users, from.releases, from.files, firewall, rules, from.wireGuard, from.units);
        }

        private Footprint withoutTunnels(String unit) {
            return new Footprint(
                    from.packages,
                    from.users,
                    from.releases,
                    from.files,
                    from.firewall,
                    from.rules,
                    Optional.empty(),
                    less(from.units, Set.of(unit)));
        }

        @Override
        public Footprint installPackages(Change.InstallPackages change) {
            return new Footprint(
                    less(from.packages, Set.copyOf(change.packages())),
                    from.users,
                    from.releases,
                    from.files,
                    from.firewall,
                    from.rules,
                    from.wireGuard,
                    from.units);
        }

        @Override
        public Footprint createUser(Change.CreateUser change) {
            return new Footprint(
                    from.packages,
                    less(from.users, Set.of(change.user().name())),
                    from.releases,
                    from.files,
                    from.firewall,
                    from.rules,
                    from.wireGuard,
                    from.units);
        }

        @Override
        public Footprint installRelease(Change.InstallRelease change) {
            return new Footprint(
                    from.packages,
                    from.users,
                    less(from.releases, key(change.install())),
                    from.files,
                    from.firewall,
                    from.rules,
                    from.wireGuard,
                    from.units);
        }

        private Footprint withoutFile(String path) {
            return new Footprint(
                    from.packages,
                    from.users,
                    from.releases,
                    less(from.files, path),
                    from.firewall,
                    from.rules,
                    from.wireGuard,
                    from.units);
        }

        private Footprint withoutUnit(String unit) {
            return new Footprint(
                    from.packages,
                    from.users,
                    from.releases,
                    from.files,
                    from.firewall,
                    from.rules,
                    from.wireGuard,
                    less(from.units, Set.of(unit)));
        }

        @Override
        public Footprint writeFile(Change.WriteFile change) {
            return withoutFile(change.file().path());
        }

        @Override
        public Footprint writeSecret(Change.WriteSecret change) {
            return withoutFile(change.file().path());
        }

        @Override
        public Footprint removeDropIns(Change.RemoveDropIns change) {
            return withoutUnit(change.unit());
        }

        @Override
        public Footprint writeKey(Change.WriteKey change) {
            return withoutTunnels("");
        }

        @Override
        public Footprint writePresharedKeys(Change.WritePresharedKeys change) {
            return withoutTunnels("");
        }

        @Override
        public Footprint allow(Change.Allow change) {
            return withFirewall(from.firewall, Optional.empty());
        }

        @Override
        public Footprint disallow(Change.Disallow change) {
            return withFirewall(from.firewall, Optional.empty());
        }

        @Override
        public Footprint enableFirewall(Change.EnableFirewall change) {
            return withFirewall(false, from.rules);
        }

        @Override
        public Footprint wireGuard(Change.ApplyWireGuard change) {
            return withoutTunnels(change.wireGuard().unit());
        }

        @Override
        public Footprint unit(Change.ApplyUnit change) {
            return withoutUnit(change.unit());
        }

        @Override
        public Footprint replaceHostKey(Change.ReplaceHostKey change) {
            return from;
        }
    }
}
