package dev.promguard.change;

import dev.promguard.render.ReleaseInstall;
import java.util.List;
import java.util.Map;
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
 * @param expected the SHA-256 in lower-case hex that is expected of some of the files, by path. The content of such a file is sent
 *     where its sum is another. Content of other files is never sent: one that holds a secret must not stand here
 */
public record FactsQuery(
        List<String> packages,
        List<String> users,
        List<String> files,
        List<String> units,
        List<ReleaseInstall> releases,
        String wireGuardInterface,
        String keyPath,
        Map<String, String> expected) {
    /**
     * Copies the collections.
     *
     * @throws NullPointerException if something is null
     * @throws IllegalArgumentException if a sum is expected of a file that is not asked for
     */
    public FactsQuery {
        packages = List.copyOf(packages);
        users = List.copyOf(users);
        files = List.copyOf(files);
        units = List.copyOf(units);
        releases = List.copyOf(releases);
        Objects.requireNonNull(wireGuardInterface, "wireGuardInterface");
        Objects.requireNonNull(keyPath, "keyPath");
        expected = Map.copyOf(expected);
        if (!files.containsAll(expected.keySet())) {
            throw new IllegalArgumentException("a sum is expected of a file that is not asked for");
        }
    }

    /**
     * The same query, by which the contents of files are sent that are not as expected.
     *
     * @param sums the SHA-256 in lower-case hex that is expected of some of the files, by path
     * @return a copy
     * @throws IllegalArgumentException if a sum is expected of a file that is not asked for
     */
    public FactsQuery expecting(Map<String, String> sums) {
        return new FactsQuery(packages, users, files, units, releases, wireGuardInterface, keyPath, sums);
    }
}
