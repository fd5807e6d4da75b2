package dev.promguard.host;

import dev.promguard.blueprint.Architecture;
import dev.promguard.blueprint.FirewallRule;
import dev.promguard.host.HostFacts.FileFact;
import dev.promguard.keys.PublicKey;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What an apply last put on a host: the mark by which a later run tells what somebody changed there from what the spec says
 * differently now. Holds sums and names, and neither contents nor secrets. What is not in it is not known to have been put there,
 * and so is never called drift.
 *
 * @param packages Debian packages that were there
 * @param users system users that were there
 * @param releases the SHA-256 of each release's tarball that was unpacked, by {@code name-version}
 * @param files each file's SHA-256, mode and owner, by path; of a file that holds a secret, only that it was there, and of one that
 *     PromGuard has a part in, the SHA-256 of that part
 * @param firewall whether the firewall was on
 * @param rules every rule that was asked for, in words; empty if that is not known
 * @param wireGuard how the WireGuard interface ran; empty if that is not known
 * @param units systemd units that were enabled and running
 */
public record LastApplied(
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
    public static final LastApplied NONE = new LastApplied(
            Set.of(), Set.of(), Map.of(), Map.of(), false, Optional.empty(), Optional.empty(), Set.of());

    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     */
    public LastApplied {
        packages = sorted(packages);
        users = sorted(users);
        releases = sorted(releases);
        files = sorted(files);
        rules = rules.map(LastApplied::sorted);
        Objects.requireNonNull(wireGuard, "wireGuard");
        units = sorted(units);
    }

    /**
     * Whether Prometheus was set up there.
     *
     * @return true if its configuration was
     */
    public boolean ranPrometheus() {
        return files.containsKey(PrometheusFiles.CONFIG);
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
     * The state of a host that is up to date.
     *
     * @param desired what it should be
     * @param architecture its architecture, which decides the releases' sums
     * @return the lastApplied
     */
    public static LastApplied of(DesiredHost desired, Architecture architecture) {
        return Resources.left(desired, architecture);
    }

    /**
     * What is still known while changes are under way, and after a run of them that did not come to its end: nothing of what they
     * touch.
     *
     * @param changes the changes
     * @return a lastApplied that knows as much or less
     */
    public LastApplied without(List<Change> changes) {
        LastApplied left = this;
        for (Change change : changes) {
            left = change.resource().forget(change, left);
        }
        return left;
    }

    /** The mark of a file as it should be. */
    static String mark(ManagedFile file) {
        return mark(Hashes.of(file.content()), file.mode(), file.owner() + ':' + file.owner());
    }

    /** The mark of a file as it is. */
    static String mark(FileFact fact) {
        return mark(fact.sha256(), fact.mode(), fact.owner());
    }

    private static String mark(String sha256, int mode, String owner) {
        return String.format(Locale.ROOT, "%s %04o %s", sha256, mode, owner);
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

    /** A builder that begins with this. */
    Builder toBuilder() {
        return new Builder(this);
    }

    /** Changes what is known. Not thread-safe. */
    static final class Builder {
        private final Set<String> packages;
        private final Set<String> users;
        private final Map<String, String> releases;
        private final Map<String, String> files;
        private boolean firewall;
        private Optional<Set<String>> rules;
        private Optional<Tunnels> wireGuard;
        private final Set<String> units;

        private Builder(LastApplied from) {
            packages = new TreeSet<>(from.packages);
            users = new TreeSet<>(from.users);
            releases = new TreeMap<>(from.releases);
            files = new TreeMap<>(from.files);
            firewall = from.firewall;
            rules = from.rules;
            wireGuard = from.wireGuard;
            units = new TreeSet<>(from.units);
        }

        Builder packages(List<String> names) {
            packages.addAll(names);
            return this;
        }

        Builder withoutPackages(List<String> names) {
            names.forEach(packages::remove);
            return this;
        }

        Builder users(List<String> names) {
            users.addAll(names);
            return this;
        }

        Builder withoutUser(String name) {
            users.remove(name);
            return this;
        }

        Builder release(String key, String sha256) {
            releases.put(key, sha256);
            return this;
        }

        Builder withoutRelease(String key) {
            releases.remove(key);
            return this;
        }

        Builder file(ManagedFile file) {
            files.put(file.path(), mark(file));
            return this;
        }

        Builder secretFile(String path) {
            files.put(path, SECRET);
            return this;
        }

        /** A file that PromGuard has a part in. */
        Builder partOfFile(String path, String sha256) {
            files.put(path, sha256);
            return this;
        }

        Builder withoutFile(String path) {
            files.remove(path);
            return this;
        }

        Builder firewall(boolean on) {
            firewall = on;
            return this;
        }

        Builder rules(List<FirewallRule> all) {
            rules = Optional.of(all.stream().map(LastApplied::words).collect(Collectors.toSet()));
            return this;
        }

        Builder withoutRules() {
            rules = Optional.empty();
            return this;
        }

        Builder wireGuard(WireGuardInterface running) {
            wireGuard = Optional.of(Tunnels.of(running));
            return this;
        }

        Builder withoutWireGuard() {
            wireGuard = Optional.empty();
            return this;
        }

        Builder unit(String name) {
            units.add(name);
            return this;
        }

        Builder withoutUnit(String name) {
            units.remove(name);
            return this;
        }

        LastApplied build() {
            return new LastApplied(packages, users, releases, files, firewall, rules, wireGuard, units);
        }
    }
}
